//! Timelines as messages, in parts that fit a message.

use super::code;
use super::inferred::Inferred;
use super::machine::wait_cause;
use crate::limits::TIMELINE_PART_BYTES;
use crate::rpc::timeline_waits::Wait;
use prost::Message;
use werkbuch_model::event::State;
use werkbuch_model::id::{MachineNumber, Position};
use werkbuch_model::time::Timestamp;
use werkbuch_twin::timeline::{Bucket, Interval, Levels, Sums};
use werkbuch_wire::pb;

/// What a machine is called, and whether its intervals are wanted.
pub(crate) struct Of<'o> {
    pub(crate) name: &'o str,
    pub(crate) number: MachineNumber,
    pub(crate) without_intervals: bool,
    /// Whether its parts are those of its counters of good ones, because it has none of all.
    pub(crate) by_good: bool,
    /// Why it waits, in the order of time.
    pub(crate) waits: &'o [Wait],
}

/// The parts of a machine's timeline; the last one is complete.
pub(crate) fn parts(
    of: &Of<'_>,
    intervals: &[Interval],
    levels: Option<&Levels>,
    room: &mut Vec<Bucket>,
) -> Vec<pb::Timeline> {
    let empty = || pb::Timeline {
        name: of.name.to_owned(),
        number: of.number.get(),
        ..pb::Timeline::default()
    };
    let mut parts = Vec::new();
    let (mut part, mut bytes) = (empty(), 0_usize);
    for one in intervals.iter().filter(|_| !of.without_intervals) {
        if bytes >= TIMELINE_PART_BYTES {
            parts.push(std::mem::replace(&mut part, empty()));
            bytes = 0;
        }
        let one = pb::TimelineInterval {
            waits: waits(of.waits, one),
            ..interval(one, of.by_good)
        };
        bytes = bytes.saturating_add(one.encoded_len());
        part.intervals.push(one);
    }
    let sums = Sums::of(intervals);
    let inferred = Inferred::of(of.waits, intervals);
    if let Some(levels) = levels {
        levels.fill(intervals, room);
        part.buckets = buckets(room);
        inferred.fill(levels, &mut part.buckets);
    }
    part.inferred = inferred.sums();
    part.sums = sums
        .states
        .iter()
        .map(|sum| pb::TimelineSum {
            state: state(sum.state),
            duration_ns: sum.duration_ns,
            stays: sum.stays,
        })
        .collect();
    part.uncovered_ns = sums.uncovered_ns;
    part.intervals_size = u32::try_from(intervals.len()).unwrap_or(u32::MAX);
    part.complete = true;
    parts.push(part);
    parts
}

fn interval(one: &Interval, by_good: bool) -> pb::TimelineInterval {
    pb::TimelineInterval {
        begin: one.begin.nanos(),
        end: one.end.nanos(),
        open: one.open,
        uncovered: !one.covered,
        state: state(one.shown),
        reported_state: state(one.signal),
        native_state: one.native.to_string(),
        reason: one.reason.to_string(),
        since: one.since.map(Timestamp::nanos),
        position: one.position.map_or(0, Position::get),
        mode: one.mode.map_or(0, |mode| code(mode.code())),
        program: one.program.as_deref().map(str::to_owned),
        order: one.order.to_string(),
        alarms: one.alarms.iter().map(|key| key.to_string()).collect(),
        alarms_size: one.alarms_total,
        cycles: one.cycles,
        parts: match by_good {
            true => one.parts.good,
            false => one.parts.all,
        },
        good: one.parts.good,
        scrap: one.parts.scrap,
        rework: one.parts.rework,
        waits: Vec::new(),
    }
}

/// The causes that hold within an interval of a machine that waits.
fn waits(waits: &[Wait], one: &Interval) -> Vec<pb::TimelineWait> {
    let within = within(waits, one).map(|wait| pb::TimelineWait {
        begin: wait.begin.max(one.begin).nanos(),
        end: wait.end.min(one.end).nanos(),
        cause: Some(wait_cause(&wait.cause)),
    });
    within.collect()
}

/// The waits that fall into an interval, if it is one of a machine that waits; the first and the last may
/// reach over it.
pub(super) fn within<'w>(waits: &'w [Wait], one: &Interval) -> impl Iterator<Item = &'w Wait> {
    let waits = match one.shown {
        State::Waiting | State::Idle => waits,
        _ => &[],
    };
    let behind = waits.partition_point(|wait| wait.end <= one.begin);
    let end = one.end;
    let from = waits.iter().skip(behind);
    from.take_while(move |wait| wait.begin < end)
}

fn buckets(buckets: &[Bucket]) -> Vec<pb::TimelineBucket> {
    let filled = buckets.iter().enumerate().filter_map(|(at, bucket)| {
        let shares: Vec<pb::TimelineShare> = bucket
            .shares()
            .map(|(of, duration_ns)| pb::TimelineShare {
                state: state(of),
                duration_ns,
            })
            .collect();
        let uncovered_ns = bucket.uncovered_ns();
        (!shares.is_empty() || uncovered_ns > 0).then(|| pb::TimelineBucket {
            bucket: u32::try_from(at).unwrap_or(u32::MAX),
            dominant: bucket.dominant().map_or(0, state),
            worst: bucket.worst().map_or(0, state),
            shares,
            uncovered_ns,
            inferred: Vec::new(),
        })
    });
    filled.collect()
}

fn state(state: State) -> i32 {
    code(state.code())
}
