//! The service that answers what machines did over a window: who asks for what, and how it is streamed.

use super::Timelines;
use super::timeline_read::{Ground, Reading, Shape};
use super::timeline_waits::in_flow;
use crate::asked::{Answered, Asked, Mark};
use crate::context::{Context, shutting_down};
use crate::limits::WINDOW_DEFAULT_NS;
use crate::outbound::{Ended, Outbound, outbound};
use crate::page::{Cursor, Question};
use crate::view::row::MachineRow;
use crate::{error, view};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status};
use werkbuch_engine::{EngineError, Plant};
use werkbuch_model::filter::Filter;
use werkbuch_model::id::MachineNumber;
use werkbuch_model::instant::{Instant, Known};
use werkbuch_model::time::Timestamp;
use werkbuch_twin::Twin;
use werkbuch_twin::quality::Window;
use werkbuch_twin::timeline::{BUCKETS_MAX, Levels};
use werkbuch_wire::name;
use werkbuch_wire::pb::timeline_service_server::TimelineService;
use werkbuch_wire::pb::{
    FindIntervalsRequest, FindIntervalsResponse, StreamTimelinesRequest, StreamTimelinesResponse,
    TimelineHead,
};
use werkbuch_wire::reason::Reason;

#[tonic::async_trait]
impl TimelineService for Timelines {
    type FindIntervalsStream = BoxStream<FindIntervalsResponse>;

    async fn find_intervals(
        &self,
        request: Request<FindIntervalsRequest>,
    ) -> Result<Response<BoxStream<FindIntervalsResponse>>, Status> {
        super::find::find(self, request.into_inner()).await
    }

    type StreamTimelinesStream = BoxStream<StreamTimelinesResponse>;

    async fn stream_timelines(
        &self,
        request: Request<StreamTimelinesRequest>,
    ) -> Result<Response<BoxStream<StreamTimelinesResponse>>, Status> {
        let request = request.into_inner();
        let plant = self.0.plant(&request.parent)?;
        check(&request)?;
        let filter = super::twin::filter(&request.filter)?;
        let question = question(&request);
        let cursor = question.cursor(&request.resume_token)?;
        let instant = request.instant.as_ref();
        let asked = self.0.asked_of_page(&plant, instant, cursor.as_ref());
        let asked = asked.await?;
        let mark = Mark::of_page(instant, cursor.as_ref());
        let (of, wanted) = (asked.clone(), request.clone());
        let look = move |twin: &Twin| {
            let ground = ground(twin, &of, &wanted, &filter)?;
            check_reported(std::iter::once(twin), ground.window.to)?;
            Ok::<_, Status>(ground)
        };
        let (ground, answered) = self.0.ask(&plant, &asked, look).await?;
        let ground = ground?;
        let before = before(&self.0, &plant, &ground, &answered).await?;
        let done = cursor.map_or(0, |one| usize::try_from(one.offset).unwrap_or(usize::MAX));
        let shape = Shape {
            levels: (request.buckets > 0)
                .then(|| Levels::new(ground.window, request.buckets as usize)),
            without_intervals: request.without_intervals,
            with_waits: request.with_waits,
        };
        let stream = Stream {
            context: Arc::clone(&self.0),
            question,
            mark,
            answered,
        };
        let reading = Reading::new(plant, ground, shape, before, done);
        let (out, answers) = outbound(self.0.stream()?, self.0.limits.slow_reader);
        tokio::spawn(stream.run(reading, out));
        Ok(Response::new(answers))
    }
}

/// The plant right before the window, as it is known to the answer.
pub(super) async fn before(
    context: &Context,
    plant: &Plant,
    ground: &Ground,
    answered: &Answered,
) -> Result<Twin, Status> {
    let asked = Asked {
        instant: Instant {
            known: Known::Position(answered.reflected.position),
            at: Some(ground.window.from.plus(-1)),
        },
        as_of: Some(answered.as_of),
        known_recorded_at: None,
        zone: String::new(),
    };
    let before = context.ask(plant, &asked, Twin::clone).await?;
    Ok(before.0)
}

/// An answer on its way.
struct Stream {
    context: Arc<Context>,
    question: Question,
    mark: Mark,
    answered: Answered,
}

/// Why a stream ends before its end.
enum End {
    Reader(Ended),
    Status(Status),
}

impl Stream {
    async fn run(self, reading: Reading, out: Outbound<StreamTimelinesResponse>) {
        match self.send(reading, &out).await {
            Ok(()) => {}
            Err(End::Status(status)) => out.end(status),
            Err(End::Reader(ended)) => out.give_up(&ended),
        }
    }

    async fn send(
        &self,
        mut reading: Reading,
        out: &Outbound<StreamTimelinesResponse>,
    ) -> Result<(), End> {
        let bound = self.answered.reflected.position;
        let read = move || {
            reading.read(bound)?;
            Ok(reading)
        };
        reading = self.work(read, out).await?;
        let first = StreamTimelinesResponse {
            head: Some(self.head(&reading)),
            ..StreamTimelinesResponse::default()
        };
        out.send(first).await.map_err(End::Reader)?;
        while !reading.is_done() {
            let step = move || {
                let parts = reading.next()?;
                Ok((reading, parts))
            };
            let (left, timelines) = self.work(step, out).await?;
            reading = left;
            let cursor = Cursor::behind(&self.answered, self.mark, reading.done() as u64);
            let answer = StreamTimelinesResponse {
                head: None,
                timelines,
                resume_token: self.question.token(&cursor),
            };
            out.send(answer).await.map_err(End::Reader)?;
        }
        Ok(())
    }

    /// Does a piece of blocking work, unless nobody waits for it any more.
    async fn work<R: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<R, EngineError> + Send + 'static,
        out: &Outbound<StreamTimelinesResponse>,
    ) -> Result<R, End> {
        tokio::select! {
            biased;
            () = self.context.stopping() => Err(End::Status(shutting_down())),
            () = out.gone() => Err(End::Reader(Ended::Gone)),
            done = self.context.stream_blocking(work) => done.map_err(End::Status),
        }
    }

    fn head(&self, reading: &Reading) -> TimelineHead {
        let (ground, survey) = (reading.ground(), reading.survey());
        TimelineHead {
            from_time: ground.window.from.nanos(),
            to_time: ground.window.to.nanos(),
            total_size: u32::try_from(ground.machines.len()).unwrap_or(u32::MAX),
            plant_size: ground.plant_size,
            complete: survey.complete,
            last_position: survey.last.get(),
            reflected: Some(view::reflected(&self.answered)),
        }
    }
}

/// The machines that are meant, and the window.
pub(super) fn ground(
    twin: &Twin,
    asked: &Asked,
    request: &StreamTimelinesRequest,
    filter: &Filter,
) -> Result<Ground, Status> {
    let end = asked.as_of_in(twin);
    let to = request.to_time.map_or(end, |to| Timestamp(to).min(end));
    let from = request.from_time.map(Timestamp);
    let from = from.unwrap_or(to.plus(-WINDOW_DEFAULT_NS));
    if from >= to {
        let text = format!(
            "the window begins at {from}, which is not before its end, {to}; it ends at the latest at the \
             time that is asked about, {end}"
        );
        let field = ("from_time".to_owned(), "is not before the end".to_owned());
        return Err(Reason::InvalidRequest.violations(text, [field]));
    }
    let mut machines = BTreeMap::new();
    let mut by_good = BTreeSet::new();
    let mut admit = |number: MachineNumber| -> Result<(), Status> {
        let Some(found) = twin.machine(number) else {
            return Ok(());
        };
        let row = MachineRow::new(twin, found);
        if filter.matches(&row) {
            let id = match row.id() {
                "" => number.to_string(),
                id => id.to_owned(),
            };
            if row.is_counted_by_good() {
                by_good.insert(number);
            }
            machines.insert(number, name::of_machine(twin.plant().as_str(), &id));
        }
        Ok(())
    };
    for text in &request.machines {
        let found = view::twin::find(twin, text);
        admit(found.ok_or_else(|| error::unknown_machine(twin, text))?)?;
    }
    if request.machines.is_empty() {
        for machine in twin.description().machines() {
            admit(machine.number)?;
        }
    }
    let plant_size = twin.description().machines().count();
    Ok(Ground {
        window: Window { from, to },
        in_flow: in_flow(twin, &machines.keys().copied().collect()),
        machines,
        by_good,
        plant_size: u32::try_from(plant_size).unwrap_or(u32::MAX),
    })
}

/// Errors: `INVALID_INSTANT` for a window that ends before anything that is reported of any of the plants.
pub(super) fn check_reported<'t>(
    twins: impl Iterator<Item = &'t Twin>,
    to: Timestamp,
) -> Result<(), Status> {
    let mut earliest = None;
    for twin in twins {
        let sources = twin.sources().iter();
        let Some(first) = sources.filter_map(|one| one.first_effective_at).min() else {
            return Ok(());
        };
        if earliest.is_none_or(|(_, time)| first < time) {
            earliest = Some((twin.plant(), first));
        }
    }
    match earliest.filter(|(_, first)| to <= *first) {
        None => Ok(()),
        Some((plant, first)) => {
            let what = format!(
                "the window ends at {to}, and nothing is reported of plant \"{plant}\" before {first}"
            );
            Err(error::status(EngineError::InvalidInstant { what }))
        }
    }
}

/// Errors: `INVALID_REQUEST` for a window that ends before it begins, or too many buckets.
pub(super) fn check(request: &StreamTimelinesRequest) -> Result<(), Status> {
    if request.buckets as usize > BUCKETS_MAX {
        let text = format!("{} buckets are more than {BUCKETS_MAX}", request.buckets);
        let field = ("buckets".to_owned(), "are too many".to_owned());
        return Err(Reason::InvalidRequest.violations(text, [field]));
    }
    if let (Some(from), Some(to)) = (request.from_time, request.to_time)
        && from >= to
    {
        let (from, to) = (Timestamp(from), Timestamp(to));
        let text = format!("the window ends at {to}, not after it begins, at {from}");
        let field = ("to_time".to_owned(), "is not after from_time".to_owned());
        return Err(Reason::InvalidRequest.violations(text, [field]));
    }
    Ok(())
}

/// Everything that decides what the answer holds, apart from the instant.
fn question(request: &StreamTimelinesRequest) -> Question {
    let numbers = format!(
        "{:?} {:?} {} {} {}",
        request.from_time,
        request.to_time,
        request.buckets,
        request.without_intervals,
        request.with_waits
    );
    let mut fields = vec![&*request.parent, &*request.filter, &*numbers];
    fields.extend(request.machines.iter().map(String::as_str));
    Question::new("StreamTimelines", &fields)
}
