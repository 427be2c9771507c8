//! The service that reads the log: list, follow, replay.

use super::{History, follow, replay, scan};
use crate::asked::{Answered, Asked, Mark, Reach};
use crate::outbound::outbound;
use crate::page::{Cursor, Question, size};
use crate::{error, view};
use std::sync::Arc;
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status};
use werkbuch_engine::{EngineError, Plant, ReplayTo};
use werkbuch_model::id::{MachineNumber, Position};
use werkbuch_model::instant::{Instant, Known};
use werkbuch_model::time::Timestamp;
use werkbuch_wire::convert::kinds_of;
use werkbuch_wire::pb;
use werkbuch_wire::pb::history_service_server::HistoryService;
use werkbuch_wire::pb::replay_plant_request::To;
use werkbuch_wire::pb::{
    GetSampleBodyRequest, GetSampleBodyResponse, ListEventsRequest, ListEventsResponse,
    ReplayPlantRequest, ReplayPlantResponse, TailEventsRequest, TailEventsResponse,
};
use werkbuch_wire::reason::Reason;

#[tonic::async_trait]
impl HistoryService for History {
    type TailEventsStream = BoxStream<TailEventsResponse>;
    type ReplayPlantStream = BoxStream<ReplayPlantResponse>;

    async fn list_events(
        &self,
        request: Request<ListEventsRequest>,
    ) -> Result<Response<ListEventsResponse>, Status> {
        let request = request.into_inner();
        let plant = self.0.plant(&request.parent)?;
        let question = question(&request);
        let cursor = question.cursor(&request.page_token)?;
        let instant = request.instant.as_ref();
        let asked = self.0.asked_of_page(&plant, instant, cursor.as_ref());
        let asked = asked.await?;
        let mark = Mark::of_page(instant, cursor.as_ref());
        let page = self.page(&plant, &request, &asked, cursor).await?;
        let reading = plant.clone();
        let found = self.0.blocking(move || scan::page(&reading, &page)).await?;
        // Of the twin that stood where the page ends comes how much has been heard, and when.
        let stood = Asked {
            instant: Instant {
                known: Known::Position(found.reflected.position),
                at: asked.instant.at,
            },
            ..asked
        };
        let ((), answered) = self.0.ask(&plant, &stood, |_| ()).await?;
        let next = found
            .next
            .map(|offset| Cursor::behind(&answered, mark, offset.get()));
        crate::context::answer(ListEventsResponse {
            log_size: found.reflected.position.get(),
            reflected: Some(view::reflected(&answered)),
            next_page_token: next.map(|next| question.token(&next)).unwrap_or_default(),
            events: found.events,
        })
    }

    async fn get_sample_body(
        &self,
        request: Request<GetSampleBodyRequest>,
    ) -> Result<Response<GetSampleBodyResponse>, Status> {
        let request = request.into_inner();
        let plant = self.0.plant(&request.parent)?;
        let position = Position(request.position);
        let answered = self
            .of_instant(&plant, position, request.instant.as_ref())
            .await?;
        let found = plant.sample_body(position).await;
        let Some(body) = found.map_err(error::status)? else {
            let text = format!(
                "there is no batch of samples at position {}",
                request.position
            );
            let field = (
                "position".to_owned(),
                "is of no batch of samples".to_owned(),
            );
            return Err(Reason::InvalidRequest.violations(text, [field]));
        };
        crate::context::answer(GetSampleBodyResponse {
            reflected: Some(view::reflected(&answered)),
            ..view::history::sample_body(body)
        })
    }

    async fn tail_events(
        &self,
        request: Request<TailEventsRequest>,
    ) -> Result<Response<BoxStream<TailEventsResponse>>, Status> {
        let request = request.into_inner();
        let plant = self.0.plant(&request.parent)?;
        let wanted = scan::Wanted {
            machine: self.machine(&plant, &request.machine).await?,
            kinds: kinds_of(&request.kinds)?,
            ..scan::Wanted::default()
        };
        let from = self.begin(&plant, &request).await?;
        let (out, answers) = outbound(self.0.stream()?, self.0.limits.slow_reader);
        tokio::spawn(follow::follow(
            Arc::clone(&self.0),
            plant,
            wanted,
            from,
            out,
        ));
        Ok(Response::new(answers))
    }

    async fn replay_plant(
        &self,
        request: Request<ReplayPlantRequest>,
    ) -> Result<Response<BoxStream<ReplayPlantResponse>>, Status> {
        let request = request.into_inner();
        let plant = self.0.plant(&request.name)?;
        let to = match request.to {
            None => ReplayTo::End,
            Some(To::ToPosition(position)) => ReplayTo::Position(Position(position)),
            Some(To::ToRecordedAt(nanos)) => ReplayTo::Recorded(Timestamp(nanos)),
        };
        let place = self.0.place()?;
        let (out, answers) = outbound(self.0.stream()?, self.0.limits.slow_reader);
        let asked = replay::Asked {
            plant,
            to,
            check: request.check,
        };
        tokio::spawn(replay::replay(Arc::clone(&self.0), asked, place, out));
        Ok(Response::new(answers))
    }
}

impl History {
    async fn page(
        &self,
        plant: &Plant,
        request: &ListEventsRequest,
        asked: &Asked,
        cursor: Option<Cursor>,
    ) -> Result<scan::Page, Status> {
        let reveal = reveal(request)?;
        check_range(request)?;
        Ok(scan::Page {
            instant: asked.instant,
            begin: cursor.map(|cursor| Position(cursor.offset)),
            first: Position(request.from_position),
            last: match request.to_position {
                0 => Position(u64::MAX),
                last => Position(last),
            },
            newest_first: request.newest_first,
            size: size(request.page_size, 100, 10_000)?,
            wanted: scan::Wanted {
                machine: self.machine(plant, &request.machine).await?,
                kinds: kinds_of(&request.kinds)?,
                from_time: request.from_time.map(Timestamp),
                to_time: request.to_time.map(Timestamp),
                at: None,
            },
            reveal,
        })
    }

    /// What an answer about one event reflects. Errors: `INVALID_INSTANT`, also when the event was not
    /// recorded by then, or took effect later.
    async fn of_instant(
        &self,
        plant: &Plant,
        position: Position,
        instant: Option<&pb::Instant>,
    ) -> Result<Answered, Status> {
        let asked = self.0.asked(plant, instant, Reach::Happened).await?;
        let ((), answered) = self.0.ask(plant, &asked, |_| ()).await?;
        if asked.instant.is_now() {
            return Ok(answered);
        }
        let (reading, at) = (plant.clone(), asked.instant.at);
        let known = answered.reflected.position;
        let check = move || {
            let Some(stored) = reading.event(position)? else {
                return Ok(());
            };
            let Ok(event) = werkbuch_record::decode_recorded(&stored.bytes) else {
                return Ok(());
            };
            let (recorded, effective) = (event.recorded_at, event.effective_at);
            let what = match at.filter(|at| effective > *at) {
                _ if position > known => format!(
                    "event {position} was recorded at {recorded}, and the question knows what had been \
                     recorded up to position {known}"
                ),
                Some(at) => format!("event {position} took effect at {effective}, after {at}"),
                None => return Ok(()),
            };
            Err(EngineError::InvalidInstant { what })
        };
        self.0.blocking(check).await?;
        Ok(answered)
    }

    /// Where following begins. Errors: `INVALID_REQUEST` when it is said twice, `INVALID_INSTANT`.
    async fn begin(&self, plant: &Plant, request: &TailEventsRequest) -> Result<Position, Status> {
        match (request.from_position, request.from_recorded_at) {
            (0, None) => Ok(plant.position().next()),
            (from, None) => {
                let end = plant.position();
                if from > end.next().get() {
                    let what = format!(
                        "the log of plant \"{}\" ends at {end}, so it is followed from {} on at the \
                         latest, not from {from}",
                        plant.id(),
                        end.next()
                    );
                    return Err(error::status(EngineError::InvalidInstant { what }));
                }
                Ok(Position(from))
            }
            (0, Some(nanos)) => {
                let before = Instant {
                    known: Known::Recorded(Timestamp(nanos.saturating_sub(1))),
                    at: None,
                };
                let plant = plant.clone();
                let before = self.0.blocking(move || plant.bounds(&before)).await?;
                Ok(before.next())
            }
            (_, Some(_)) => {
                let text = "the beginning is given twice, as a position and as a time; give one";
                let field = "from_recorded_at".to_owned();
                let what = "is given beside from_position".to_owned();
                Err(Reason::InvalidRequest.violations(text, [(field, what)]))
            }
        }
    }

    /// The number of a machine of today's description, or of one that is gone; none for "all".
    async fn machine(&self, plant: &Plant, name: &str) -> Result<Option<MachineNumber>, Status> {
        if name.is_empty() {
            return Ok(None);
        }
        let asked = name.to_owned();
        let find = move |twin: &werkbuch_twin::Twin| {
            let found = view::twin::find(twin, &asked);
            found.ok_or_else(|| error::unknown_machine(twin, &asked))
        };
        self.0.glance(plant, find).await?.map(Some)
    }
}

/// Everything that decides which events a page holds, apart from the instant and the page's size.
fn question(request: &ListEventsRequest) -> Question {
    let numbers = format!(
        "{} {} {:?} {:?} {}",
        request.from_position,
        request.to_position,
        request.from_time,
        request.to_time,
        request.newest_first
    );
    let kinds = request.kinds.join(",");
    Question::new(
        "ListEvents",
        &[&request.parent, &request.machine, &kinds, &numbers],
    )
}

/// Errors: `INVALID_REQUEST` for a range that ends before it begins.
fn check_range(request: &ListEventsRequest) -> Result<(), Status> {
    let refused = |text: String, field: &str| {
        let what = "is before the beginning".to_owned();
        Err(Reason::InvalidRequest.violations(text, [(field.to_owned(), what)]))
    };
    let (from, to) = (request.from_position, request.to_position);
    if to > 0 && from > to {
        let text = format!("the range ends at position {to}, before it begins, at position {from}");
        return refused(text, "to_position");
    }
    match (request.from_time, request.to_time) {
        (Some(from), Some(to)) if from >= to => {
            let (from, to) = (Timestamp(from), Timestamp(to));
            let text = format!("the range ends at {to}, not after it begins, at {from}");
            refused(text, "to_time")
        }
        _ => Ok(()),
    }
}

fn reveal(request: &ListEventsRequest) -> Result<Option<(String, String)>, Status> {
    if !request.reveal {
        return Ok(None);
    }
    let missing: Vec<_> = [("reader", &request.reader), ("purpose", &request.purpose)]
        .into_iter()
        .filter(|(_, text)| text.trim().is_empty())
        .map(|(field, _)| (field.to_owned(), "is needed to reveal".to_owned()))
        .collect();
    if missing.is_empty() {
        return Ok(Some((request.reader.clone(), request.purpose.clone())));
    }
    let text = "to reveal fields about people, say who reads (reader) and why (purpose); both are \
                written to the access log";
    Err(Reason::InvalidRequest.violations(text, missing))
}
