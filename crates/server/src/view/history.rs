//! Replays and sample bodies as messages.

use werkbuch_engine::{Comparison, Replay, SampleBody, Verdict};
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

/// The single values of a batch, or why they are not there.
pub(crate) fn sample_body(body: SampleBody) -> pb::GetSampleBodyResponse {
    let mut answer = pb::GetSampleBodyResponse::default();
    let presence = match body {
        SampleBody::Present(body) => {
            answer.body = body;
            pb::BodyPresence::Present
        }
        SampleBody::NeverUploaded => pb::BodyPresence::NeverUploaded,
        SampleBody::Expired { at, days } => {
            answer.expired_at = Some(at.nanos());
            answer.lifetime_days = Some(days);
            pb::BodyPresence::Expired
        }
        SampleBody::Lost(place) => {
            answer.place = place.to_string();
            pb::BodyPresence::Lost
        }
        SampleBody::Damaged(place) => {
            answer.place = place.to_string();
            pb::BodyPresence::Damaged
        }
    };
    answer.presence = presence.into();
    answer
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
