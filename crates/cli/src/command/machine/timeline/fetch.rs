//! Takes the stream of timelines and puts the parts of each machine together.

use crate::client::Client;
use crate::failure::Outcome;
use werkbuch_wire::pb;

/// The timelines of an answer.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pub(super) head: pb::TimelineHead,
    /// Each machine in one piece.
    pub(super) machines: Vec<pb::Timeline>,
    /// Into how many buckets the window is divided; 0 for none.
    pub(super) buckets: u32,
}

impl Lines {
    /// When a bucket begins, in nanoseconds.
    pub(super) fn border(&self, bucket: u32) -> i64 {
        let (from, to) = (
            i128::from(self.head.from_time),
            i128::from(self.head.to_time),
        );
        let at = from + (to - from) * i128::from(bucket) / i128::from(self.buckets.max(1));
        i64::try_from(at).unwrap_or(i64::MAX)
    }
}

/// All of the answer. Errors: those of the server.
pub(super) async fn all(
    client: &Client,
    request: pb::StreamTimelinesRequest,
    buckets: u32,
) -> Outcome<Lines> {
    let mut lines = Lines {
        buckets,
        ..Lines::default()
    };
    let mut stream = client
        .timeline()
        .stream_timelines(request)
        .await?
        .into_inner();
    while let Some(message) = stream.message().await? {
        if let Some(head) = message.head {
            lines.head = head;
        }
        for part in message.timelines {
            match lines.machines.last_mut().filter(|one| !one.complete) {
                Some(open) => {
                    let mut intervals = std::mem::take(&mut open.intervals);
                    intervals.extend(part.intervals);
                    *open = pb::Timeline { intervals, ..part };
                }
                None => lines.machines.push(part),
            }
        }
    }
    Ok(lines)
}
