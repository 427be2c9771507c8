//! Decides which proposals of a group are committed, by the same rules for every store.

use std::collections::BTreeMap;

use werkbuch_model::id::{LogId, PlantId, Position, WriterEpoch};
use werkbuch_model::time::Timestamp;
use werkbuch_proof::{CompactRange, sha256};
use werkbuch_record::block::BlockHeader;

use crate::bodies::SAMPLE_BODY_BYTES_MAX;
use crate::{Outcome, Proposal};

/// The end of a plant's log as the blocks of a group move it.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) log_id: LogId,
    pub(crate) epoch: WriterEpoch,
    pub(crate) last: Position,
    pub(crate) recorded_at: Timestamp,
    pub(crate) tree: CompactRange,
}

/// Decides about each proposal of a group as if it were committed; all that are not refused are.
/// `end_of` tells where the log of a plant ends, if it has one.
pub(crate) fn judge(
    end_of: &dyn Fn(&PlantId) -> Option<End>,
    group: &[Proposal],
    number: u64,
) -> Vec<Outcome> {
    let mut ends: BTreeMap<&PlantId, End> = BTreeMap::new();
    let mut outcomes = Vec::with_capacity(group.len());
    for proposal in group {
        let header = proposal.block.header();
        let end = ends
            .entry(&header.plant)
            .or_insert_with(|| end_of(&header.plant).unwrap_or_else(|| beginning(header)));
        let refused = refusal(end, proposal);
        if refused.is_none() {
            end.epoch = header.epoch;
            end.last = header.last();
            end.recorded_at = header.recorded_max;
            end.tree = proposal.tree.clone();
        }
        outcomes.push(refused.unwrap_or(Outcome::Committed {
            group: number,
            last: header.last(),
        }));
    }
    outcomes
}

/// A log that has no event yet.
fn beginning(header: &BlockHeader) -> End {
    End {
        log_id: header.log_id,
        epoch: WriterEpoch(0),
        last: Position(0),
        recorded_at: Timestamp::MIN,
        tree: CompactRange::new(),
    }
}

/// Why a proposal is not committed, if it is not.
fn refusal(end: &End, proposal: &Proposal) -> Option<Outcome> {
    let header = proposal.block.header();
    if header.epoch < end.epoch {
        return Some(Outcome::Fenced { epoch: end.epoch });
    }
    if header.first != end.last.next() {
        return Some(Outcome::WrongPosition { last: end.last });
    }
    let body_fits = |(hash, body): &(_, bytes::Bytes)| {
        body.len() <= SAMPLE_BODY_BYTES_MAX && sha256(body) == *hash
    };
    let rules = [
        (header.count > 0, "it has no events"),
        (header.log_id == end.log_id, "it belongs to another log"),
        (
            header.root_before == *end.tree.root().as_bytes(),
            "its root is not that of the events before it",
        ),
        (
            proposal.tree.size() == header.last().get(),
            "its tree has another size than the log",
        ),
        (
            header.recorded_min > end.recorded_at || end.last == Position(0),
            "its first event is recorded no later than the last one in the log",
        ),
        (
            proposal.bodies.iter().all(body_fits),
            "a sample body is too long or has another hash than it is named by",
        ),
    ];
    let broken = rules.iter().find(|(holds, _)| !holds);
    broken.map(|(_, what)| Outcome::Invalid { what })
}
