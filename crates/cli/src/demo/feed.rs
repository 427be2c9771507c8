//! Three gateways that report what the factory does, as it is due.

use super::plant::{DemoPlant, GATEWAYS};
use crate::client::Client;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::when;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use werkbuch_gateway::upload::{Pace, Source, Uploader};
use werkbuch_model::event::{Body, Reported, SourceKind};
use werkbuch_model::id::{MachineNumber, Sequence, SourceName};
use werkbuch_model::time::Timestamp;
use werkbuch_sim::{Event, Factory};

/// How long events wait for others to share their batch.
const GATHER: Duration = Duration::from_millis(50);
/// How many events may wait for a gateway before the factory waits.
const QUEUE: usize = 4_096;

/// What became of what the gateways sent.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sent {
    pub(crate) events: u64,
    pub(crate) acknowledged: u64,
    pub(crate) recorded: u64,
    pub(crate) refused: u64,
}

type Counts = Arc<Mutex<[Sent; GATEWAYS.len()]>>;

/// A machine's word with the time at which it is said.
type Said = (Timestamp, MachineNumber, Body<'static>);

/// The running gateways.
pub(crate) struct Feed {
    counts: Counts,
    stop: watch::Sender<bool>,
    factory: JoinHandle<()>,
    gateways: Vec<JoinHandle<Outcome<()>>>,
}

/// Where the factory's machine reports: gateway, and its number in the plant.
type Route = (usize, MachineNumber);

impl Feed {
    pub(crate) async fn start(
        client: &Client,
        plant: &DemoPlant,
        seed: u64,
        speed: u32,
    ) -> Outcome<Self> {
        let factory = Factory::new(plant.layout(), seed)
            .map_err(|error| Failure::new(Exit::Failed, "INTERNAL", error.to_string()))?;
        let counts = Counts::default();
        let mut routes: Vec<Option<Route>> = vec![None; plant.machines().count()];
        let (mut senders, mut gateways) = (Vec::new(), Vec::new());
        for (index, (name, _)) in GATEWAYS.iter().enumerate() {
            let ids: Vec<_> = plant.machines().enumerate().collect();
            let ids: Vec<_> = ids
                .into_iter()
                .filter(|(_, id)| plant.gateway_of(id) == index)
                .collect();
            let source = Source {
                plant: plant.id().clone(),
                name: SourceName::new(name).map_err(|error| Failure::usage(error.to_string()))?,
                kind: SourceKind::Live,
                // Its counter is not kept from one demonstration to the next.
                epoch: None,
                tolerance_ns: None,
                machines: ids.iter().map(|(_, id)| (*id).to_owned()).collect(),
            };
            let uploader = Uploader::open(client.channel(), source, Pace::default()).await?;
            for ((place, _), number) in ids.iter().zip(&uploader.opened().machine_numbers) {
                if let Some(route) = routes.get_mut(*place) {
                    *route = Some((index, *number));
                }
            }
            let (sender, said) = mpsc::channel(QUEUE);
            senders.push(sender);
            gateways.push(tokio::spawn(gateway(
                uploader,
                said,
                Arc::clone(&counts),
                index,
            )));
        }
        let (stop, stopped) = watch::channel(false);
        let factory = tokio::spawn(run(factory, speed, routes, senders, stopped));
        Ok(Self {
            counts,
            stop,
            factory,
            gateways,
        })
    }

    /// What became of everything so far.
    pub(crate) fn sent(&self) -> Sent {
        total(&self.counts)
    }

    /// Errors: a gateway has ended, which none does by itself.
    pub(crate) fn check(&self) -> Outcome<()> {
        if self.gateways.iter().any(JoinHandle::is_finished) {
            return Err(Failure::new(
                Exit::Failed,
                "GATEWAY_ENDED",
                "a gateway of the demo has ended",
            ));
        }
        Ok(())
    }

    /// Stops the factory and waits until everything that was said is acknowledged.
    pub(crate) async fn finish(self) -> Outcome<Sent> {
        self.stop.send_replace(true);
        let broken =
            |error| Failure::new(Exit::Failed, "INTERNAL", format!("the demo broke: {error}"));
        self.factory.await.map_err(broken)?;
        let counts = self.counts;
        for gateway in self.gateways {
            gateway.await.map_err(broken)??;
        }
        Ok(total(&counts))
    }
}

/// Lets the factory's events out when they are due.
async fn run(
    factory: Factory,
    speed: u32,
    routes: Vec<Option<Route>>,
    gateways: Vec<mpsc::Sender<Said>>,
    mut stopped: watch::Receiver<bool>,
) {
    let (begin, begin_at) = (tokio::time::Instant::now(), when::now());
    for Event {
        at_ns,
        machine,
        body,
    } in factory
    {
        let after = Duration::from_nanos(at_ns / u64::from(speed));
        if after > begin.elapsed() {
            tokio::select! {
                () = tokio::time::sleep_until(begin + after) => {}
                _ = stopped.wait_for(|stop| *stop) => return,
            }
        } else if *stopped.borrow() {
            return;
        }
        let place = usize::try_from(machine.get()).unwrap_or(0).wrapping_sub(1);
        let Some(Some((gateway, number))) = routes.get(place) else {
            continue;
        };
        let nanos = i64::try_from(after.as_nanos()).unwrap_or(i64::MAX);
        let said = (begin_at.plus(nanos), *number, body);
        if let Some(gateway) = gateways.get(*gateway)
            && gateway.send(said).await.is_err()
        {
            return;
        }
    }
}

/// A gateway: numbers what its machines say and sends it until it is acknowledged.
async fn gateway(
    mut uploader: Uploader,
    mut said: mpsc::Receiver<Said>,
    counts: Counts,
    index: usize,
) -> Outcome<()> {
    let mut sequence = uploader.opened().next_sequence;
    let mut tick = tokio::time::interval(GATHER);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            one = said.recv() => {
                let Some((occurred_at, machine, body)) = one else { break };
                let event = Reported {
                    sequence,
                    machine,
                    occurred_at,
                    observed_at: Some(when::now()),
                    historical: false,
                    body,
                };
                uploader.send(&event, None).await?;
                sequence = Sequence(sequence.get().saturating_add(1));
            }
            _ = tick.tick() => {
                uploader.flush().await?;
                note(&counts, index, &uploader);
            }
        }
    }
    uploader.settle().await?;
    note(&counts, index, &uploader);
    Ok(())
}

fn note(counts: &Counts, index: usize, uploader: &Uploader) {
    let outcomes = uploader.outcomes();
    if let Some(count) = lock(counts).get_mut(index) {
        *count = Sent {
            events: outcomes.sent,
            acknowledged: outcomes.acknowledged(),
            recorded: outcomes.recorded,
            refused: outcomes.refused_total(),
        };
    }
}

fn total(counts: &Counts) -> Sent {
    lock(counts).iter().fold(Sent::default(), |sum, one| Sent {
        events: sum.events + one.events,
        acknowledged: sum.acknowledged + one.acknowledged,
        recorded: sum.recorded + one.recorded,
        refused: sum.refused + one.refused,
    })
}

fn lock(counts: &Counts) -> MutexGuard<'_, [Sent; GATEWAYS.len()]> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}
