//! Finds when a condition held of machines: the request, and how the answer is streamed.

mod ask;
mod basis;
mod choice;
mod search;
mod stream;
mod token;

use super::Timelines;
use super::timeline::check_reported;
use crate::context::Context;
use crate::limits::WINDOW_DEFAULT_NS;
use crate::outbound::outbound;
use ask::Asked;
pub(super) use search::Part;
use std::sync::Arc;
use stream::Stream;
use tonic::codegen::BoxStream;
use tonic::{Response, Status};
use werkbuch_model::time::Timestamp;
use werkbuch_twin::quality::Window;
use werkbuch_wire::pb::{FindHead, FindIntervalsRequest, FindIntervalsResponse, Instant, instant};
use werkbuch_wire::reason::Reason;

/// Begins to search. Errors: those of the request, `OVERLOADED`.
pub(super) async fn find(
    of: &Timelines,
    request: FindIntervalsRequest,
) -> Result<Response<BoxStream<FindIntervalsResponse>>, Status> {
    let context = &of.0;
    let mut asked = Asked::of(&request)?;
    let resumed = token::read(asked.question, &request.resume_token, asked.mark)?;
    let instant = match &resumed {
        Some(resumed) => Some(Instant {
            known: Some(instant::Known::KnownText(resumed.cut.clone())),
            ..Instant::default()
        }),
        None => request.instant,
    };
    let window = match &resumed {
        Some(resumed) => (Some(resumed.window.from), Some(resumed.window.to)),
        None => (asked.from, asked.to),
    };
    let window = (
        window.0.map(Timestamp::nanos),
        window.1.map(Timestamp::nanos),
    );
    let head = parts(context, (&request.parent, instant.as_ref()), window).await?;
    let told = resumed.as_ref().map_or(0, |resumed| resumed.told);
    asked.mark = resumed.map_or(asked.mark, |resumed| resumed.mark);
    let stream = Stream::new(Arc::clone(context), asked, head, told);
    let (out, answers) = outbound(context.stream()?, context.limits.slow_reader);
    tokio::spawn(stream.run(out));
    Ok(Response::new(answers))
}

/// The plants of a question over a window, as they stand, and what the answer is about.
/// Errors: those of the instant; `INVALID_REQUEST` for a window that ends before it begins.
pub(super) async fn parts(
    context: &Context,
    (parent, instant): (&str, Option<&Instant>),
    (from, to): (Option<i64>, Option<i64>),
) -> Result<(FindHead, Vec<Part>), Status> {
    let group = context.group(parent, instant).await?;
    let ends = group.members.iter().map(|member| member.answered.as_of);
    let latest = ends.max().unwrap_or(group.cut.as_of);
    let to = to.map_or(latest, |to| Timestamp(to).min(latest));
    let from = from.map(Timestamp);
    let from = from.unwrap_or_else(|| to.plus(-WINDOW_DEFAULT_NS));
    if from >= to {
        let text = format!(
            "the window begins at {from}, which is not before its end, {to}; it ends at the latest at the \
             time that is asked about, {latest}"
        );
        let field = ("from_time".to_owned(), "is not before the end".to_owned());
        return Err(Reason::InvalidRequest.violations(text, [field]));
    }
    check_reported(group.members.iter().map(|member| &member.twin), to)?;
    let machines = |part: &Part| part.twin.description().machines().count();
    let mut parts = Vec::new();
    for member in &group.members {
        let plant = context.plant_of(member.twin.plant())?;
        parts.push(Part {
            plant,
            twin: member.twin.clone(),
            known: member.answered.reflected.position,
            window: Window {
                from,
                to: to.min(member.answered.as_of),
            },
        });
    }
    let head = FindHead {
        from_time: from.nanos(),
        to_time: to.nanos(),
        machines: u32::try_from(parts.iter().map(machines).sum::<usize>()).unwrap_or(u32::MAX),
        cut: Some(group.message()),
    };
    Ok((head, parts))
}

/// A time of a message.
fn time(nanos: Option<i64>) -> Option<Timestamp> {
    nanos.map(Timestamp)
}
