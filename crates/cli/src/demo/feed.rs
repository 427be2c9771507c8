//! Running plants: each hands its events to its gateways when they are due.

use super::clock::Clock;
use super::gateway::Gateway;
use super::plant::DemoPlant;
use crate::client::Client;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use werkbuch_gateway::upload::{Pace, Source, Uploader};
use werkbuch_model::event::SourceKind;
use werkbuch_model::id::{MachineNumber, SourceName};
use werkbuch_sim::{Degrade, Delivered, PlantRun};

/// How often a plant looks how far it may go.
const STEP: Duration = Duration::from_millis(20);
/// How far a plant goes in one step at most, so that it notices when it is to stop.
const STEP_NS: u64 = 60 * 1_000_000_000;
/// How many events may wait for a gateway before its plant waits.
const QUEUE: usize = 4_096;

/// What became of what a plant's gateways sent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sent {
    pub(super) events: u64,
    pub(super) acknowledged: u64,
    pub(super) recorded: u64,
    pub(super) refused: u64,
}

/// The counts of one gateway, as others may read them.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) events: AtomicU64,
    pub(super) acknowledged: AtomicU64,
    pub(super) recorded: AtomicU64,
    pub(super) refused: AtomicU64,
}

/// How a plant stands, as it says itself.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Standing {
    /// How far it has come, in nanoseconds of plant time.
    pub(super) plant_ns: u64,
    /// Parts that are in it.
    pub(super) parts: u64,
    /// Calls of people that are not answered.
    pub(super) calls: u64,
}

#[derive(Debug, Default)]
struct Live {
    plant_ns: AtomicU64,
    parts: AtomicU64,
    calls: AtomicU64,
}

/// A running plant with its gateways.
pub(super) struct Feed {
    counts: Vec<Arc<Counts>>,
    live: Arc<Live>,
    plant: JoinHandle<PlantRun>,
    gateways: Vec<JoinHandle<Outcome<()>>>,
}

/// What the feeds of all plants share.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    pub(super) clock: Clock,
    pub(super) begin: Instant,
    pub(super) seed: u64,
    pub(super) degrade: Degrade,
    /// How often somebody has asked to stop.
    pub(super) stopped: watch::Receiver<u32>,
}

impl Feed {
    /// Starts a plant, and the gateways that it reports through.
    pub(super) async fn start(
        client: &Client,
        plant: &DemoPlant,
        shared: &Shared,
    ) -> Outcome<Self> {
        let run = plant.run(&shared.clock, shared.seed, shared.degrade)?;
        let machines: Vec<String> = run
            .layout()
            .machines
            .iter()
            .map(|one| one.id.clone())
            .collect();
        let mut numbers: Arc<[MachineNumber]> = Arc::default();
        let (mut senders, mut gateways, mut counts) = (Vec::new(), Vec::new(), Vec::new());
        for (at, name) in run.sources().iter().enumerate() {
            let source = Source {
                plant: plant.id.clone(),
                name: SourceName::new(name).map_err(|error| Failure::usage(error.to_string()))?,
                kind: SourceKind::Live,
                // Its counter is not kept from one demonstration to the next.
                epoch: None,
                tolerance_ns: None,
                machines: if at == 0 {
                    machines.clone()
                } else {
                    Vec::new()
                },
            };
            let uploader = Uploader::open(client.channel(), source, Pace::default()).await?;
            if at == 0 {
                numbers = uploader.opened().machine_numbers.clone().into();
            }
            let (sender, said) = mpsc::channel(QUEUE);
            let count = Arc::new(Counts::default());
            senders.push(sender);
            counts.push(Arc::clone(&count));
            let gateway = Gateway::new(uploader, said, Arc::clone(&numbers), count);
            gateways.push(tokio::spawn(gateway.run()));
        }
        let live = Arc::new(Live::default());
        let plant = tokio::spawn(run_plant(run, shared.clone(), senders, Arc::clone(&live)));
        Ok(Self {
            counts,
            live,
            plant,
            gateways,
        })
    }

    /// What became of everything so far.
    pub(super) fn sent(&self) -> Sent {
        total(&self.counts)
    }

    pub(super) fn standing(&self) -> Standing {
        Standing {
            plant_ns: self.live.plant_ns.load(Ordering::Relaxed),
            parts: self.live.parts.load(Ordering::Relaxed),
            calls: self.live.calls.load(Ordering::Relaxed),
        }
    }

    /// Whether the plant has come to its end.
    pub(super) fn is_over(&self) -> bool {
        self.plant.is_finished()
    }

    /// Errors: a gateway has ended before its plant, which none does by itself.
    pub(super) fn check(&self) -> Outcome<()> {
        if !self.is_over() && self.gateways.iter().any(JoinHandle::is_finished) {
            let what = "a gateway of the demo has ended";
            return Err(Failure::new(Exit::Failed, "GATEWAY_ENDED", what));
        }
        Ok(())
    }

    /// Waits for the end of the plant, and until everything that was said is acknowledged.
    /// Errors: what ended a gateway, and what broke.
    pub(super) async fn finish(self) -> Outcome<(Sent, PlantRun)> {
        let broken =
            |error| Failure::new(Exit::Failed, "INTERNAL", format!("the demo broke: {error}"));
        let run = self.plant.await.map_err(broken)?;
        for gateway in self.gateways {
            gateway.await.map_err(broken)??;
        }
        Ok((total(&self.counts), run))
    }
}

fn total(counts: &[Arc<Counts>]) -> Sent {
    let sum = |count: fn(&Counts) -> &AtomicU64| {
        counts
            .iter()
            .map(|one| count(one).load(Ordering::Relaxed))
            .sum()
    };
    Sent {
        events: sum(|one| &one.events),
        acknowledged: sum(|one| &one.acknowledged),
        recorded: sum(|one| &one.recorded),
        refused: sum(|one| &one.refused),
    }
}

/// Lets the plant's events out when they are due.
async fn run_plant(
    mut run: PlantRun,
    mut shared: Shared,
    gateways: Vec<mpsc::Sender<Delivered>>,
    live: Arc<Live>,
) -> PlantRun {
    // What is so from the start is told even when somebody stops it at once.
    while let Some(event) = run.next_before(1) {
        if !hand_on(&gateways, event).await {
            return run;
        }
    }
    let mut reached_ns = 0;
    while *shared.stopped.borrow() == 0
        && shared.clock.end_ns.is_none_or(|end_ns| reached_ns < end_ns)
    {
        let may_ns = shared.clock.plant_ns(shared.begin.elapsed());
        let next_ns = may_ns.min(reached_ns + STEP_NS);
        while let Some(event) = run.next_before(next_ns) {
            if !hand_on(&gateways, event).await {
                return run;
            }
        }
        reached_ns = next_ns;
        note(&live, &run, reached_ns);
        if reached_ns == may_ns {
            tokio::select! {
                () = tokio::time::sleep(STEP) => {}
                _ = shared.stopped.wait_for(|times| *times > 0) => {}
            }
        }
    }
    while let Some(event) = run.next_held() {
        if !hand_on(&gateways, event).await {
            break;
        }
    }
    run
}

/// Gives an event to its gateway. Whether that one is still there.
async fn hand_on(gateways: &[mpsc::Sender<Delivered>], event: Delivered) -> bool {
    match gateways.get(event.source) {
        Some(gateway) => gateway.send(event).await.is_ok(),
        None => true,
    }
}

fn note(live: &Live, run: &PlantRun, reached_ns: u64) {
    live.plant_ns.store(reached_ns, Ordering::Relaxed);
    live.parts.store(run.parts_count(), Ordering::Relaxed);
    live.calls.store(run.open_calls(), Ordering::Relaxed);
}
