//! How inferred waits look in drawings and rows: never as what a machine says itself.

use super::machine::state;
use super::timeline::{Tone, spelt};
use serde_json::{Value, json};
use werkbuch_wire::pb;

/// The states that are inferred, with their glyphs: what does not come, and what cannot go.
pub(crate) const INFERRED: [(pb::State, char); 2] =
    [(pb::State::Starved, '<'), (pb::State::Blocked, '>')];

/// The glyph and the tone of an inferred state.
pub(crate) fn look(state: i32) -> (char, Tone) {
    let found = INFERRED.iter().find(|(one, _)| *one as i32 == state);
    found.map_or((' ', Tone::None), |(_, glyph)| (*glyph, Tone::Wait))
}

/// What is inferred of most of the time for which a bucket is shown in a state; nothing when more of it
/// stays unexplained.
pub(crate) fn most(bucket: &pb::TimelineBucket, shown: i32) -> Option<&pb::TimelineInferred> {
    let shares = bucket.shares.iter().filter(|share| share.state == shown);
    let all: u64 = shares.map(|share| share.duration_ns).sum();
    let inferred = bucket.inferred.iter().filter(|one| one.shown == shown);
    let told: u64 = inferred.clone().map(|one| one.duration_ns).sum();
    let longest = inferred.max_by_key(|one| one.duration_ns)?;
    (longest.duration_ns >= all.saturating_sub(told)).then_some(longest)
}

/// The longest that is inferred of the worst state in a bucket and that the band does not show, however short.
pub(crate) fn hidden(bucket: &pb::TimelineBucket) -> Option<&pb::TimelineInferred> {
    let band = most(bucket, bucket.dominant).map(|one| (one.shown, one.state));
    let inferred = bucket.inferred.iter();
    let hidden =
        inferred.filter(|one| one.shown == bucket.worst && Some((one.shown, one.state)) != band);
    hidden.max_by_key(|one| one.duration_ns)
}

/// In one cell: `IDLE as starved 3m 20s: buffer b-12 is empty`.
pub(crate) fn cell(bucket: &pb::TimelineBucket) -> String {
    let spelt = bucket.inferred.iter().map(|one| {
        let inferred = word(one.state);
        let (shown, length) = (state(one.shown), spelt(one.duration_ns));
        format!("{shown} as {inferred} {length}: {}", one.because)
    });
    spelt.collect::<Vec<_>>().join(", ")
}

/// An inferred state in small letters, as reported ones never are.
pub(crate) fn word(of: i32) -> String {
    state(of).to_ascii_lowercase()
}

/// A part of a bucket as JSON.
pub(crate) fn part(one: &pb::TimelineInferred) -> Value {
    json!({
        "shown": state(one.shown),
        "state": state(one.state),
        "duration_ns": one.duration_ns,
        "because": one.because,
    })
}

/// The sum of a machine as JSON.
pub(crate) fn sum(sum: &pb::TimelineInferredSum) -> Value {
    let causes = sum.causes.iter().map(|cause| {
        json!({
            "because": cause.because,
            "duration_ns": cause.duration_ns,
            "stays": cause.stays,
        })
    });
    json!({
        "state": state(sum.state),
        "duration_ns": sum.duration_ns,
        "stays": sum.stays,
        "causes": causes.collect::<Vec<_>>(),
        "causes_total": sum.causes_size,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::timeline::STATES;

    fn bucket(idle: u64, inferred: &[(pb::State, u64)]) -> pb::TimelineBucket {
        let inferred = inferred
            .iter()
            .map(|(state, duration_ns)| pb::TimelineInferred {
                shown: pb::State::Idle.into(),
                state: (*state).into(),
                duration_ns: *duration_ns,
                because: "so".to_owned(),
            });
        pb::TimelineBucket {
            shares: vec![pb::TimelineShare {
                state: pb::State::Idle.into(),
                duration_ns: idle,
            }],
            inferred: inferred.collect(),
            ..pb::TimelineBucket::default()
        }
    }

    /// What was inferred, and for how long.
    type Sums<'s> = &'s [(pb::State, u64)];

    #[test]
    fn no_glyph_of_an_inferred_state_is_one_of_a_reported_state() {
        for (state, glyph) in INFERRED {
            assert!(STATES.iter().all(|(_, reported, _)| *reported != glyph));
            assert_eq!(look(state.into()), (glyph, Tone::Wait));
        }
        assert_eq!(look(pb::State::Idle.into()), (' ', Tone::None));
    }

    #[test]
    fn a_bucket_leads_with_what_explains_most_of_it() {
        let (starved, blocked) = (pb::State::Starved, pb::State::Blocked);
        let cases: [(u64, Sums<'_>, Option<pb::State>); 6] = [
            (10, &[], None),
            (10, &[(starved, 4)], None),
            (10, &[(starved, 5)], Some(starved)),
            (10, &[(starved, 4), (blocked, 3)], Some(starved)),
            (10, &[(starved, 3), (blocked, 3)], None),
            (10, &[(starved, 1), (blocked, 9)], Some(blocked)),
        ];
        for (idle, inferred, expected) in cases {
            let bucket = bucket(idle, inferred);
            let found = most(&bucket, pb::State::Idle.into());
            assert_eq!(
                found.map(pb::TimelineInferred::state),
                expected,
                "{inferred:?}"
            );
            assert_eq!(most(&bucket, pb::State::Waiting.into()), None);
        }
    }

    #[test]
    fn what_the_band_does_not_show_is_hidden_however_short() {
        let (starved, blocked) = (pb::State::Starved, pb::State::Blocked);
        let (idle, run) = (pb::State::Idle, pb::State::Executing);
        let cases: [(pb::State, Sums<'_>, Option<pb::State>); 6] = [
            (idle, &[], None),
            (idle, &[(starved, 1)], Some(starved)),
            (idle, &[(starved, 9)], None),
            (idle, &[(starved, 9), (blocked, 1)], Some(blocked)),
            (run, &[(starved, 9)], Some(starved)),
            (run, &[(starved, 1), (blocked, 2)], Some(blocked)),
        ];
        for (dominant, inferred, expected) in cases {
            let bucket = pb::TimelineBucket {
                dominant: dominant.into(),
                worst: idle.into(),
                ..bucket(10, inferred)
            };
            let found = hidden(&bucket).map(pb::TimelineInferred::state);
            assert_eq!(found, expected, "{dominant:?} {inferred:?}");
        }
    }
}
