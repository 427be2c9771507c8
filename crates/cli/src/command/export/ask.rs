//! Puts what was asked on the command line into requests.

use super::{Aggregates, Events, Machines, Timelines};
use crate::Context;
use crate::failure::{Failure, Outcome};
use crate::when;
use werkbuch_model::time::Timestamp;
use werkbuch_wire::pb;
use werkbuch_wire::pb::AggregateFunction as Function;
use werkbuch_wire::pb::stream_table_request::Table;

const FUNCTIONS: [(&str, Function); 5] = [
    ("count", Function::Count),
    ("sum", Function::Sum),
    ("avg", Function::Avg),
    ("min", Function::Min),
    ("max", Function::Max),
];

pub(super) fn machines(context: &Context, asked: Machines) -> Outcome<pb::StreamTableRequest> {
    Ok(pb::StreamTableRequest {
        parent: asked.scope.parent(),
        instant: asked.instant.message(context)?,
        table: Some(Table::Machines(pb::MachineTable {
            filter: asked.chosen.filter,
        })),
    })
}

pub(super) async fn events(context: &Context, asked: Events) -> Outcome<pb::StreamTableRequest> {
    let range = asked
        .events
        .range(&asked.scope.clocks(context).known(&asked.instant))
        .await?;
    let table = pb::EventTable {
        filter: asked.filter,
        machine: asked.events.machine,
        kinds: asked.events.kind,
        from_position: range.from_position,
        to_position: range.to_position,
        from_time: range.from_time,
        to_time: range.to_time,
        reveal: asked.reveal.reveal,
        reader: asked.reveal.reader,
        purpose: asked.reveal.purpose,
    };
    Ok(pb::StreamTableRequest {
        parent: asked.scope.parent(),
        instant: asked.instant.message(context)?,
        table: Some(Table::Events(table)),
    })
}

pub(super) async fn timelines(
    context: &Context,
    asked: Timelines,
) -> Outcome<pb::StreamTableRequest> {
    let clocks = asked.scope.clocks(context).known(&asked.instant);
    let (from_time, to_time) = asked.window.times(&clocks).await?;
    Ok(pb::StreamTableRequest {
        parent: asked.scope.parent(),
        instant: asked.instant.message(context)?,
        table: Some(Table::Timelines(pb::TimelineTable {
            machines: asked.machines,
            filter: asked.chosen.filter,
            from_time,
            to_time,
            buckets: asked.buckets.unwrap_or(0),
            with_waits: !asked.no_causes,
        })),
    })
}

pub(super) async fn aggregates(
    context: &Context,
    asked: Aggregates,
) -> Outcome<pb::StreamTableRequest> {
    let clocks = asked.scope.clocks(context).known(&asked.instant);
    let from = clocks.time_if_any(asked.from.as_deref()).await?;
    let to = clocks.time_if_any(asked.to.as_deref()).await?;
    let every = asked.every.as_deref().map(when::duration).transpose()?;
    let every = every.map_or(0, |every| {
        i64::try_from(every.as_nanos()).unwrap_or(i64::MAX)
    });
    let measures = asked.measure.iter().map(|text| measure(text));
    let by = asked.by.iter().map(|key| key.trim().to_owned());
    Ok(pb::StreamTableRequest {
        parent: asked.scope.parent(),
        instant: asked.instant.message(context)?,
        table: Some(Table::Aggregates(pb::AggregateTable {
            measures: measures.collect::<Outcome<_>>()?,
            group_by: by.collect(),
            filter: asked.chosen.filter,
            from_time: from.map(Timestamp::nanos),
            to_time: to.map(Timestamp::nanos),
            every_ns: every,
        })),
    })
}

/// A measure such as `count` or `sum:parts`. Errors: there is no such function.
fn measure(text: &str) -> Outcome<pb::Measure> {
    let text = text.trim();
    let (function, field) = text.split_once(':').unwrap_or((text, ""));
    let found = FUNCTIONS.iter().find(|(name, _)| *name == function);
    let Some((_, function)) = found else {
        let what = format!("\"{function}\" is no function; there are count, sum, avg, min, max");
        return Err(Failure::usage(what).hint("write a measure like count or sum:parts"));
    };
    Ok(pb::Measure {
        function: i32::from(*function),
        field: field.to_owned(),
    })
}
