//! What stations did in a replication, as the timelines that machines have: the same levels, the same drawing.

use crate::command::machine::timeline::fetch::Lines;
use serde_json::{Value, json};
use werkbuch_model::time::Timestamp;
use werkbuch_sim::whatif::{Gantt, Outcome as Found, StationRow};
use werkbuch_twin::quality::Window;
use werkbuch_twin::timeline::Levels;
use werkbuch_wire::pb;

/// Which replication a case shows.
pub(super) const WHICH: [&str; 2] = ["median", "bad"];

/// The stations of a replication as timelines of so many buckets.
pub(super) fn lines(of: &Gantt, (begins, horizon_ns): (Timestamp, u64), buckets: u32) -> Lines {
    let length = i64::try_from(horizon_ns).unwrap_or(i64::MAX);
    let to = Timestamp(begins.nanos().saturating_add(length));
    let levels = Levels::new(Window { from: begins, to }, buckets as usize);
    let count = u32::try_from(of.stations.len()).unwrap_or(u32::MAX);
    let machines = (1..).zip(&of.stations);
    Lines {
        head: pb::TimelineHead {
            from_time: begins.nanos(),
            to_time: to.nanos(),
            total_size: count,
            plant_size: count,
            complete: true,
            ..pb::TimelineHead::default()
        },
        machines: machines
            .map(|(number, row)| timeline(row, number, begins, &levels))
            .collect(),
        buckets,
        cut: None,
    }
}

fn timeline(row: &StationRow, number: u32, begins: Timestamp, levels: &Levels) -> pb::Timeline {
    let time = |ns: i64| Timestamp(begins.nanos().saturating_add(ns));
    let parts = row.intervals.iter();
    let parts = parts.map(|one| (time(one.from_ns), time(one.to_ns), Some(one.state)));
    let mut filled = Vec::new();
    levels.fill_with(parts, &mut filled);
    let code = |state: werkbuch_model::event::State| i32::try_from(state.code()).unwrap_or(0);
    let buckets = (0..).zip(&filled).map(|(bucket, of)| pb::TimelineBucket {
        bucket,
        dominant: of.dominant().map_or(0, code),
        worst: of.worst().map_or(0, code),
        shares: of
            .shares()
            .map(|(state, duration_ns)| pb::TimelineShare {
                state: code(state),
                duration_ns,
            })
            .collect(),
        uncovered_ns: of.uncovered_ns(),
        inferred: Vec::new(),
    });
    let mut sums: Vec<pb::TimelineSum> = Vec::new();
    for one in &row.intervals {
        let spent = u64::try_from(one.to_ns - one.from_ns).unwrap_or(0);
        let state = code(one.state);
        match sums.iter_mut().find(|sum| sum.state == state) {
            Some(sum) => (sum.duration_ns, sum.stays) = (sum.duration_ns + spent, sum.stays + 1),
            None => sums.push(pb::TimelineSum {
                state,
                duration_ns: spent,
                stays: 1,
            }),
        }
    }
    pb::Timeline {
        name: row.machine.clone(),
        number,
        buckets: buckets.collect(),
        sums,
        ..pb::Timeline::default()
    }
}

/// What a replication is called.
pub(super) fn title(found: &Found, of: &Gantt, which: &str) -> String {
    let case = found.cases.get(of.case);
    let output = case.and_then(|case| case.measures.first()?.values.get(of.replication as usize));
    format!(
        "{}, {which} replication ({}) with {:.0} parts",
        case.map_or("", |case| case.name.as_str()),
        of.replication,
        output.copied().unwrap_or(0.0)
    )
}

/// All intervals, for programs.
pub(super) fn json(found: &Found, gantts: &[Gantt]) -> Value {
    let one = |(of, which): (&Gantt, &str)| {
        let stations = of.stations.iter().map(|row| {
            let intervals = row.intervals.iter().map(|one| {
                json!({
                    "from_s": one.from_ns as f64 / 1e9,
                    "to_s": one.to_ns as f64 / 1e9,
                    "state": one.state.name(),
                })
            });
            json!({ "machine": row.machine, "intervals": intervals.collect::<Vec<_>>() })
        });
        json!({
            "case": found.cases.get(of.case).map(|case| &case.name),
            "which": which,
            "replication": of.replication,
            "stations": stations.collect::<Vec<_>>(),
        })
    };
    let all = gantts.iter().zip(WHICH.into_iter().cycle());
    Value::Array(all.map(one).collect())
}
