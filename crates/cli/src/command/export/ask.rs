//! Puts what was asked on the command line into requests.

use super::{Aggregates, Events, Machines, Timelines};
use crate::Context;
use crate::command::Scope;
use crate::failure::{Failure, Outcome};
use crate::when::{self, Bound, Clocks};
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
            filter: asked.filter,
        })),
    })
}

pub(super) async fn events(context: &Context, asked: Events) -> Outcome<pb::StreamTableRequest> {
    let clocks = clocks(context, &asked.scope);
    let mut table = pb::EventTable {
        filter: asked.filter,
        machine: asked.machine,
        kinds: asked.kind,
        reveal: asked.reveal,
        reader: asked.reader,
        purpose: asked.purpose,
        ..pb::EventTable::default()
    };
    match clocks.bound_if_any(asked.from.as_deref()).await? {
        Some(Bound::Position(position)) => table.from_position = position,
        Some(Bound::Time(time)) => table.from_time = Some(time.nanos()),
        None => {}
    }
    match clocks.bound_if_any(asked.to.as_deref()).await? {
        Some(Bound::Position(position)) => table.to_position = position,
        Some(Bound::Time(time)) => table.to_time = Some(time.nanos()),
        None => {}
    }
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
    let clocks = clocks(context, &asked.scope);
    let from = clocks.time_if_any(asked.from.as_deref()).await?;
    let to = clocks.time_if_any(asked.to.as_deref()).await?;
    Ok(pb::StreamTableRequest {
        parent: asked.scope.parent(),
        instant: asked.instant.message(context)?,
        table: Some(Table::Timelines(pb::TimelineTable {
            machines: asked.machines,
            filter: asked.filter,
            from_time: from.map(Timestamp::nanos),
            to_time: to.map(Timestamp::nanos),
        })),
    })
}

pub(super) async fn aggregates(
    context: &Context,
    asked: Aggregates,
) -> Outcome<pb::StreamTableRequest> {
    let clocks = clocks(context, &asked.scope);
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
            filter: asked.filter,
            from_time: from.map(Timestamp::nanos),
            to_time: to.map(Timestamp::nanos),
            every_ns: every,
        })),
    })
}

/// By the clocks of the plant; of all plants there are none but those of --tz.
fn clocks<'c>(context: &'c Context, scope: &'c Scope) -> Clocks<'c> {
    let plant = (!scope.all_plants).then_some(scope.plant.as_str());
    context.clocks(plant)
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
