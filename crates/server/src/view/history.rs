//! Replays as messages.

use werkbuch_engine::{Comparison, Replay, Verdict};
use werkbuch_wire::pb;

/// The result of a replay.
pub(crate) fn replay(replay: Replay, total: u64) -> pb::ReplayPlantResponse {
    pb::ReplayPlantResponse {
        events: replay.events,
        total: total.max(replay.events),
        done: true,
        digest: replay.digest.to_vec(),
        fold_version: replay.fold_version,
        root: super::twin::hash(&replay.root),
        comparisons: replay.comparisons.into_iter().map(comparison).collect(),
        fold_ns: replay.fold_ns,
    }
}

fn comparison(comparison: Comparison) -> pb::Comparison {
    let verdict = match comparison.verdict {
        Verdict::Equal => pb::Verdict::Equal,
        Verdict::Different => pb::Verdict::Different,
        Verdict::NotComparable => pb::Verdict::NotComparable,
    };
    pb::Comparison {
        with: comparison.with,
        position: comparison.position.get(),
        verdict: verdict.into(),
        detail: comparison.detail,
    }
}
