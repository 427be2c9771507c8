//! Takes the stream of timelines and puts the parts of each machine together.

use crate::client::Client;
use crate::command::last;
use crate::failure::Outcome;
use werkbuch_wire::pb;

/// How long the window is that nobody has given the beginning of: 24 hours.
const WINDOW_DEFAULT_NS: i64 = 86_400 * 1_000_000_000;

/// The timelines of an answer.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    pub(crate) head: pb::TimelineHead,
    /// Each machine in one piece.
    pub(crate) machines: Vec<pb::Timeline>,
    /// Into how many buckets the window is divided; 0 for none.
    pub(crate) buckets: u32,
    /// Where the plants stood, when all were asked; those named that did not answer.
    pub(crate) cut: Option<pb::Cut>,
}

impl Lines {
    /// What a machine is shown as: its name, with that of its plant where there are several.
    pub(super) fn label(&self, machine: &pb::Timeline) -> String {
        let name = last(&machine.name);
        match self.cut {
            None => name.to_owned(),
            Some(_) => format!("{}/{name}", plant(machine)),
        }
    }

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

/// The plant of a machine.
pub(super) fn plant(machine: &pb::Timeline) -> &str {
    let mut parts = machine.name.split('/').skip_while(|part| *part != "plants");
    parts.nth(1).unwrap_or_default()
}

/// The same of all plants at one instant, one plant after the other: first it is found out where they
/// stand, so that all timelines are of one cut. Errors: those of the server.
pub(super) async fn group(
    client: &Client,
    request: pb::StreamTimelinesRequest,
    buckets: u32,
) -> Outcome<Lines> {
    let stand = pb::CountMachinesRequest {
        parent: request.parent.clone(),
        filter: request.filter.clone(),
        instant: request.instant.clone(),
    };
    let stand = client.twin().count_machines(stand).await?.into_inner();
    let cut = stand.cut.unwrap_or_default();
    let to = request.to_time.map_or(cut.as_of, |to| to.min(cut.as_of));
    let from = request.from_time;
    let from = from.unwrap_or_else(|| to.saturating_sub(WINDOW_DEFAULT_NS));
    let mut lines = Lines {
        head: pb::TimelineHead {
            from_time: from,
            to_time: to,
            complete: true,
            ..pb::TimelineHead::default()
        },
        buckets,
        ..Lines::default()
    };
    for stood in &cut.plants {
        let position = stood.reflected.as_ref().map_or(0, |of| of.position);
        let request = pb::StreamTimelinesRequest {
            parent: stood.plant.clone(),
            from_time: Some(from),
            to_time: Some(to),
            instant: Some(pb::Instant {
                known: Some(pb::instant::Known::KnownPosition(position)),
                at: cut.at,
                as_of: Some(cut.as_of),
                ..pb::Instant::default()
            }),
            ..request.clone()
        };
        let of = all(client, request, buckets).await?;
        lines.head.total_size += of.head.total_size;
        lines.head.plant_size += of.head.plant_size;
        lines.head.complete &= of.head.complete;
        lines.machines.extend(of.machines);
    }
    lines.cut = Some(cut);
    Ok(lines)
}

/// All of the answer. Errors: those of the server.
pub(crate) async fn all(
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
