//! The service that answers how good a plant's data are.

use super::Qualities;
use crate::asked::{Answered, Asked as AskedAt, Mark, Reach};
use crate::context::answer;
use crate::limits::{SURVEY_EVENTS_MAX, WINDOW_DEFAULT_NS};
use crate::page::{Cursor, Question, size};
use crate::view;
use crate::view::quality::{Known, kinds_of, of_source};
use std::ops::ControlFlow;
use tonic::{Request, Response, Status};
use werkbuch_engine::{EngineError, Plant, Survey};
use werkbuch_model::id::Position;
use werkbuch_model::time::Timestamp;
use werkbuch_twin::Twin;
use werkbuch_twin::quality::{
    Finding, Judging, QualityFold, QualityReport, Window, standing_conflicts,
};
use werkbuch_wire::pb::quality_service_server::QualityService;
use werkbuch_wire::pb::{GetQualityRequest, ListFindingsRequest, ListFindingsResponse, Quality};
use werkbuch_wire::reason::Reason;

/// What is asked about, whatever is to be answered.
#[derive(Clone)]
struct Asked {
    at: AskedAt,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    silent_after_ns: Option<i64>,
}

/// What was found out.
struct Found {
    report: QualityReport,
    known: Known,
    survey: Survey,
    reflected: Answered,
}

/// What a twin knows that the fold needs.
struct Ground {
    known: Known,
    window: Window,
    at: Timestamp,
    standing: Vec<Finding>,
}

#[tonic::async_trait]
impl QualityService for Qualities {
    async fn get_quality(
        &self,
        request: Request<GetQualityRequest>,
    ) -> Result<Response<Quality>, Status> {
        let request = request.into_inner();
        let plant = self.0.plant(&request.name)?;
        let asked = Asked {
            at: self.asked(&plant, request.instant.as_ref()).await?,
            from: request.from_time.map(Timestamp),
            to: request.to_time.map(Timestamp),
            silent_after_ns: request.silent_after_ms.map(nanos),
        };
        let is_now = asked.at.instant.is_now();
        let mut found = self.find(&plant, asked).await?;
        of_source(&mut found.report, &found.known, &request.source)?;
        let repeats = is_now.then(|| plant.repeats());
        answer(Quality {
            survey: Some(view::quality::survey(&found.survey)),
            reflected: Some(view::reflected(&found.reflected)),
            ..view::quality::quality(plant.id(), &found.report, repeats.as_ref())
        })
    }

    async fn list_findings(
        &self,
        request: Request<ListFindingsRequest>,
    ) -> Result<Response<ListFindingsResponse>, Status> {
        let request = request.into_inner();
        let plant = self.0.plant(&request.parent)?;
        let kinds = kinds_of(&request.kinds)?;
        let size = size(request.page_size, 100, 10_000)?;
        let question = question(&request);
        let cursor = question.cursor(&request.page_token)?;
        let instant = request.instant.as_ref();
        let at = self.0.asked_of_page(&plant, instant, cursor.as_ref());
        let mark = Mark::of_page(instant, cursor.as_ref());
        let asked = Asked {
            at: at.await?,
            from: request.from_time.map(Timestamp),
            to: request.to_time.map(Timestamp),
            silent_after_ns: request.silent_after_ms.map(nanos),
        };
        let mut found = self.find(&plant, asked).await?;
        of_source(&mut found.report, &found.known, &request.source)?;
        let mut findings = found.report.findings;
        findings.retain(|finding| kinds.is_empty() || kinds.contains(&finding.kind));
        let from = cursor.map_or(0, |cursor| {
            usize::try_from(cursor.offset).unwrap_or(usize::MAX)
        });
        let page = findings.iter().skip(from).take(size);
        let shown: Vec<_> = page
            .map(|one| view::quality::finding(one, &found.known))
            .collect();
        let end = from.saturating_add(shown.len());
        let next = (end < findings.len()).then_some(Cursor {
            // The judging time holds for all pages, also when it was the present of the first.
            at: Some(found.report.at),
            ..Cursor::behind(&found.reflected, mark, end as u64)
        });
        answer(ListFindingsResponse {
            findings: shown,
            next_page_token: next.map(|next| question.token(&next)).unwrap_or_default(),
            total_size: u32::try_from(findings.len()).unwrap_or(u32::MAX),
            survey: Some(view::quality::survey(&found.survey)),
            reflected: Some(view::reflected(&found.reflected)),
        })
    }
}

impl Qualities {
    async fn asked(
        &self,
        plant: &Plant,
        message: Option<&werkbuch_wire::pb::Instant>,
    ) -> Result<AskedAt, Status> {
        self.0.asked(plant, message, Reach::Happened).await
    }

    async fn find(&self, plant: &Plant, asked: Asked) -> Result<Found, Status> {
        if let (Some(from), Some(to)) = (asked.from, asked.to)
            && from >= to
        {
            let text = format!("the window ends at {to}, not after it begins, at {from}");
            let field = ("to_time".to_owned(), "is not after from_time".to_owned());
            return Err(Reason::InvalidRequest.violations(text, [field]));
        }
        let silent_after_ns = asked.silent_after_ns;
        let at = asked.at.clone();
        let look = move |twin: &Twin| ground(twin, &asked);
        let (ground, reflected) = self.0.ask(plant, &at, look).await?;
        let reading = plant.clone();
        let work = move || read(&reading, ground, reflected, silent_after_ns);
        self.0.blocking(work).await
    }
}

fn ground(twin: &Twin, asked: &Asked) -> Ground {
    let at = asked.at.as_of_in(twin);
    let to = asked.to.unwrap_or(at);
    let window = Window {
        from: asked.from.unwrap_or(to.plus(-WINDOW_DEFAULT_NS)),
        to,
    };
    Ground {
        known: Known::of(twin),
        window,
        at,
        standing: standing_conflicts(twin, at),
    }
}

/// Folds what the window needs of the log. It blocks.
fn read(
    plant: &Plant,
    ground: Ground,
    reflected: Answered,
    silent_after_ns: Option<i64>,
) -> Result<Found, EngineError> {
    let Ground {
        known,
        window,
        at,
        standing,
    } = ground;
    let mut fold = QualityFold::new(window, &known.sources);
    let mut take = |event: &werkbuch_model::event::Recorded<'_>| {
        fold.take(event);
        if fold.is_full() {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    };
    let survey = plant.survey(
        window.from,
        reflected.reflected.position,
        SURVEY_EVENTS_MAX,
        &mut take,
    )?;
    let mut judging = Judging {
        at,
        silent_after_ns,
        ..Judging::default()
    };
    for source in &known.sources {
        let unseen = source.last_position < survey.first || survey.first == Position(0);
        if unseen && let Some(recorded_at) = recorded_at(plant, source.last_position)? {
            judging.heard_before.insert(source.number, recorded_at);
        }
    }
    Ok(Found {
        report: fold.finish(&judging, standing),
        known,
        survey,
        reflected,
    })
}

fn recorded_at(plant: &Plant, position: Position) -> Result<Option<Timestamp>, EngineError> {
    let Some(event) = plant.event(position)? else {
        return Ok(None);
    };
    let event = werkbuch_record::decode_recorded(&event.bytes);
    Ok(event.ok().map(|event| event.recorded_at))
}

/// Everything that decides what the pages hold, apart from the instant and the page's size.
fn question(request: &ListFindingsRequest) -> Question {
    let numbers = format!(
        "{:?} {:?} {:?}",
        request.from_time, request.to_time, request.silent_after_ms
    );
    let kinds = request.kinds.join(",");
    Question::new(
        "ListFindings",
        &[&request.parent, &request.source, &kinds, &numbers],
    )
}

fn nanos(millis: u64) -> i64 {
    i64::try_from(millis)
        .unwrap_or(i64::MAX)
        .saturating_mul(1_000_000)
}
