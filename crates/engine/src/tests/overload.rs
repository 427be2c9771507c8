//! The disk is slow: queues fill to their bounds and no further, who is turned away is told when to
//! come back, and nothing is lost or recorded twice.

use super::*;
use crate::EngineError;
use crate::limits::{PLANT_QUEUE, RETRY_AFTER};
use std::io;
use std::path::Path;
use std::sync::{Condvar, Mutex};
use std::task::{Context, Poll, Waker};
use werkbuch_journal::disk::{Disk, DiskFile, LockGuard, LockMode, OpenMode, RealDisk};

/// Whether syncs have to wait.
#[derive(Debug, Default)]
struct Gate(Mutex<bool>, Condvar);

impl Gate {
    fn close(&self) {
        *self.0.lock().unwrap() = true;
    }

    fn open(&self) {
        *self.0.lock().unwrap() = false;
        self.1.notify_all();
    }

    fn pass(&self) {
        let closed = self.0.lock().unwrap();
        drop(self.1.wait_while(closed, |closed| *closed).unwrap());
    }
}

/// The real disk, whose syncs wait at a gate.
#[derive(Debug, Clone)]
struct SlowDisk(Arc<Gate>);

#[derive(Debug)]
struct SlowFile(Arc<dyn DiskFile>, Arc<Gate>);

impl Disk for SlowDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        let file = RealDisk.open(path, mode)?;
        Ok(Arc::new(SlowFile(file, Arc::clone(&self.0))))
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        RealDisk.create_dir_all(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        RealDisk.list(path)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        RealDisk.exists(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        RealDisk.sync_dir(path)
    }

    fn lock(&self, path: &Path, mode: LockMode) -> io::Result<Option<Box<dyn LockGuard>>> {
        RealDisk.lock(path, mode)
    }
}

impl DiskFile for SlowFile {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(bytes, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_at(bytes, offset)
    }

    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.0.set_len(bytes)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.1.pass();
        self.0.sync_data()
    }
}

const BATCHES: u64 = 3 * PLANT_QUEUE as u64;
const EVENTS: u64 = 5;

fn batch(number: u64) -> Batch {
    let sequences = number * EVENTS + 1..=(number + 1) * EVENTS;
    let events = sequences.map(|n| encode_reported(&event(n, 0, item("x"))).into());
    Batch {
        events: events.collect(),
        bodies: Vec::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_disk_fills_the_queue_to_its_bound_and_nothing_is_lost() {
    let (folder, gate) = (tempfile::tempdir().unwrap(), Arc::new(Gate::default()));
    let clock = Arc::new(ManualClock::default());
    clock.pass(MORNING.nanos());
    let mut options = options(&folder, &clock, None);
    options.disk = Arc::new(SlowDisk(Arc::clone(&gate)));
    let engine = Engine::open(options).await.unwrap();
    let bench = Bench {
        folder,
        clock,
        engine,
        disk: None,
    };
    bench.apply(PLANT).await;
    let session = bench.open("s", None).await.session;
    let position = bench.plant().position();

    gate.close();
    let (mut taken, mut turned_away) = (Vec::new(), Vec::new());
    for number in 0..BATCHES {
        let mut appending = Box::pin(bench.engine.append(session, batch(number)));
        // A batch is taken or turned away when it is first asked.
        let mut context = Context::from_waker(Waker::noop());
        match appending.as_mut().poll(&mut context) {
            Poll::Pending => taken.push(appending),
            Poll::Ready(Err(EngineError::Overloaded { retry, .. })) => {
                assert_eq!(retry, RETRY_AFTER);
                turned_away.push(number);
            }
            Poll::Ready(other) => panic!("{other:?}"),
        }
    }
    // Places are given back with answers only, so the bound is exact.
    assert_eq!(taken.len(), PLANT_QUEUE);
    let first = PLANT_QUEUE as u64;
    assert_eq!(turned_away, (first..BATCHES).collect::<Vec<_>>());
    let figures = bench.plant().figures();
    assert_eq!(figures.queue, (first, first));
    assert_eq!(figures.overloaded, BATCHES - first);
    let (waiting, most) = bench.engine.figures().commit_queue;
    assert!(waiting <= most, "{waiting} of {most}");
    assert_eq!(bench.plant().position(), position, "nothing is synced yet");

    gate.open();
    for waiting in taken {
        let appended = waiting.await.unwrap();
        assert!(matches!(
            appended.outcomes[0].result,
            OutcomeResult::Recorded(_)
        ));
    }
    // Who was turned away comes again, and so does one whose answer was lost.
    for number in turned_away {
        bench.send(session, batch(number)).await;
    }
    let repeated = bench.send(session, batch(0)).await;
    assert!(repeated[0].contains("repeated"), "{repeated:?}");
    let mut sequences = bench.each(|event| event.reported.sequence.get());
    sequences.retain(|sequence| *sequence > 0);
    assert_eq!(sequences, (1..=BATCHES * EVENTS).collect::<Vec<_>>());
    bench.engine.close().await.unwrap();
}
