//! What the twin keeps of the writer's own records; no part of the state or its digest.

use crate::coded;
use serde::{Deserialize, Serialize};
use werkbuch_model::event::{Body, Flags, Recorded};
use werkbuch_model::id::{Position, WriterEpoch};

/// How many of the recorded digests are kept.
pub const DIGESTS_KEPT: usize = 8;

/// A digest that the log holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedDigest {
    /// The last position that it reflects.
    pub at_position: Position,
    /// The version of the fold that it is of; other versions are not comparable.
    pub fold_version: u32,
    /// SHA-256 over the canonical encoding of the state.
    pub digest: [u8; 32],
}

/// Counts and marks over everything folded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notes {
    /// The count of openings of the log for writing.
    pub writer_epoch: WriterEpoch,
    /// The least format version that readers need.
    pub minimum_reader: u32,
    /// Gaps recorded.
    pub gaps: u64,
    /// Observations known to be lost in gaps; gaps that cannot say count nothing.
    pub lost: u64,
    /// Refusals recorded; one may be about several events.
    pub refusals: u64,
    /// Events whose clock was doubted.
    pub suspect: u64,
    /// Events that another source had the say about.
    pub not_authoritative: u64,
    /// Corrections recorded.
    pub corrections: u64,
    /// Jumps of the writer's clock recorded.
    pub clock_jumps: u64,
    /// The digests recorded last, oldest first, at most [`DIGESTS_KEPT`].
    pub digests: Vec<RecordedDigest>,
    #[serde(with = "coded::nanos_option")]
    pub(crate) recorded_at: Option<werkbuch_model::time::Timestamp>,
}

impl Notes {
    pub(crate) fn take(&mut self, event: &Recorded<'_>) {
        self.recorded_at = Some(event.recorded_at);
        if event.flags.has(Flags::SUSPECT_CLOCK) {
            count(&mut self.suspect, 1);
        }
        if event.flags.has(Flags::NOT_AUTHORITATIVE) {
            count(&mut self.not_authoritative, 1);
        }
        match &event.reported.body {
            Body::GapDetected(gap) => {
                count(&mut self.gaps, 1);
                count(&mut self.lost, gap.lost.unwrap_or(0));
            }
            Body::EventRefused(_) => count(&mut self.refusals, 1),
            Body::CorrectionRecorded(_) => count(&mut self.corrections, 1),
            Body::ClockJumped(_) => count(&mut self.clock_jumps, 1),
            Body::WriterOpened(opened) => self.writer_epoch = opened.epoch,
            Body::FormatRaised(raised) => {
                self.minimum_reader = self.minimum_reader.max(raised.minimum_reader);
            }
            Body::DigestRecorded(recorded) => {
                if let Ok(digest) = <[u8; 32]>::try_from(recorded.digest.as_ref()) {
                    self.keep(RecordedDigest {
                        at_position: recorded.at_position,
                        fold_version: recorded.fold_version,
                        digest,
                    });
                }
            }
            _ => {}
        }
    }

    fn keep(&mut self, digest: RecordedDigest) {
        if self.digests.len() >= DIGESTS_KEPT {
            self.digests.remove(0);
        }
        self.digests.push(digest);
    }
}

fn count(counter: &mut u64, more: u64) {
    *counter = counter.saturating_add(more);
}
