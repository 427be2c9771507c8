//! Subscribers that read what they are told as fast as it comes, and count it.

use super::internal;
use crate::bench::served::Served;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tonic::Streaming;
use werkbuch_wire::pb::watch_start::From;
use werkbuch_wire::{name, pb};

/// How often it is looked how far they are.
const LOOK: Duration = Duration::from_millis(2);

/// How far one is.
#[derive(Clone, Copy, Debug)]
struct Stands {
    position: u64,
    changes: u64,
    /// When it got there.
    at: Instant,
}

/// Subscribers, each with a connection of its own; they end when this is dropped.
pub(super) struct Subscribers(Vec<One>);

/// One of them: how far it is, and what reads.
struct One {
    stands: Arc<Mutex<Stands>>,
    task: JoinHandle<Outcome<()>>,
}

/// Where one begins that wants what follows a position.
pub(super) fn start(before: u64) -> From {
    From::Position(before + 1)
}

/// Begins to watch a plant. The stream stands when its first message is there; it may tell changes.
/// Errors: those of the server.
pub(super) async fn begin(
    served: &Served,
    parent: &str,
    from: Option<From>,
) -> Outcome<(
    Streaming<pb::WatchMachinesResponse>,
    pb::WatchMachinesResponse,
)> {
    let starts = from.into_iter().map(|from| pb::WatchStart {
        plant: parent.to_owned(),
        from: Some(from),
    });
    let request = pb::WatchMachinesRequest {
        parents: vec![parent.to_owned()],
        starts: starts.collect(),
        ..pb::WatchMachinesRequest::default()
    };
    let client = served.connect().await?;
    let begun = client.twin().watch_machines(request).await?;
    let mut stream = begun.into_inner();
    let first = stream.message().await?.unwrap_or_default();
    Ok((stream, first))
}

impl Subscribers {
    /// So many that watch a plant, from a place or from now on. Errors: those of the server.
    pub(super) async fn open(
        served: &Served,
        plant: &str,
        count: usize,
        from: Option<From>,
    ) -> Outcome<Self> {
        let parent = name::of_plant(plant);
        let mut all = Self(Vec::with_capacity(count));
        for _ in 0..count {
            let (stream, first) = begin(served, &parent, from.clone()).await?;
            let stands = Arc::new(Mutex::new(Stands {
                position: first.plants.iter().map(|at| at.position).max().unwrap_or(0),
                changes: first.changes.len() as u64,
                at: Instant::now(),
            }));
            let task = tokio::spawn(read(stream, Arc::clone(&stands)));
            all.0.push(One { stands, task });
        }
        Ok(all)
    }

    /// Waits until all have been told everything up to a position; answers when the last one was.
    /// Errors: a stream ended, or told another number of changes than there were events.
    pub(super) async fn reach(self, end: u64, events: u64) -> Outcome<Instant> {
        let mut last = None;
        for One { stands, task } in &self.0 {
            let there = loop {
                let now = *stands.lock().unwrap_or_else(PoisonError::into_inner);
                if now.position >= end {
                    break now;
                }
                if task.is_finished() {
                    return Err(internal("a stream of the benchmark ended before its time"));
                }
                tokio::time::sleep(LOOK).await;
            };
            if there.changes != events {
                let what = format!("{events} changes were due, {} came", there.changes);
                return Err(Failure::new(Exit::Verification, "WRONG_ANSWER", what));
            }
            last = last.max(Some(there.at));
        }
        last.ok_or_else(|| internal("nobody watches"))
    }
}

impl Drop for Subscribers {
    fn drop(&mut self) {
        self.0.iter().for_each(|one| one.task.abort());
    }
}

async fn read(
    mut stream: Streaming<pb::WatchMachinesResponse>,
    stands: Arc<Mutex<Stands>>,
) -> Outcome<()> {
    while let Some(message) = stream.message().await? {
        let position = message.plants.iter().map(|at| at.position).max();
        let mut stands = stands.lock().unwrap_or_else(PoisonError::into_inner);
        stands.changes += message.changes.len() as u64;
        if let Some(position) = position.filter(|position| *position > stands.position) {
            stands.position = position;
            stands.at = Instant::now();
        }
    }
    Ok(())
}
