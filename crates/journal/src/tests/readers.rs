//! Readers beside a commit whose sync hangs.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

use super::*;
use crate::disk::{Disk, DiskFile, LockGuard, LockMode, OpenMode, Room};

/// A disk on which a sync reports itself and then hangs until it is told to go on.
#[derive(Clone, Debug)]
struct HangingDisk {
    disk: SimulatedDisk,
    gate: Arc<Gate>,
}

#[derive(Debug)]
struct Gate {
    reached: Mutex<Option<SyncSender<()>>>,
    go_on: Mutex<Receiver<()>>,
}

#[derive(Debug)]
struct HangingFile {
    file: Arc<dyn DiskFile>,
    gate: Arc<Gate>,
}

impl Disk for HangingDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(HangingFile {
            file: self.disk.open(path, mode)?,
            gate: Arc::clone(&self.gate),
        }))
    }
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.disk.create_dir_all(path)
    }
    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        self.disk.list(path)
    }
    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.disk.exists(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.disk.remove(path)
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.disk.sync_dir(path)
    }
    fn room(&self, path: &Path) -> io::Result<Option<Room>> {
        self.disk.room(path)
    }

    fn lock(&self, path: &Path, mode: LockMode) -> io::Result<Option<Box<dyn LockGuard>>> {
        self.disk.lock(path, mode)
    }
}

impl DiskFile for HangingFile {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(bytes, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_at(bytes, offset)
    }
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }
    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.file.set_len(bytes)
    }
    fn reserve(&self, bytes: u64) -> io::Result<()> {
        self.file.reserve(bytes)
    }

    fn sync_data(&self) -> io::Result<()> {
        let reached = self.gate.reached.lock();
        if let Some(reached) = &*reached.unwrap_or_else(PoisonError::into_inner) {
            reached.send(()).unwrap();
            self.gate.go_on.lock().unwrap().recv().unwrap();
        }
        self.file.sync_data()
    }
}

#[test]
fn readers_do_not_wait_for_a_sync() {
    let (go_on, waits) = sync_channel(1);
    let gate = Arc::new(Gate {
        reached: Mutex::new(None),
        go_on: Mutex::new(waits),
    });
    let disk = SimulatedDisk::new();
    let hanging = HangingDisk {
        disk,
        gate: Arc::clone(&gate),
    };
    let opened = Segments::open(Arc::new(hanging), Path::new(DIR), &Options::default());
    let store = opened.unwrap().0;
    let mut plant = Plant::new("a");
    let bodies = [plant.body(1), plant.body(4)];
    let mut first = plant.proposal(3);
    first.bodies = vec![bodies[0].clone()];
    store.commit(vec![first]).unwrap();
    let sure = plant.clone();
    let mut second = plant.proposal(2);
    second.bodies = vec![bodies[1].clone()];
    let (reached, arrivals) = sync_channel(1);
    *gate.reached.lock().unwrap() = Some(reached);
    std::thread::scope(|scope| {
        let commit = scope.spawn(|| store.commit(vec![second]).unwrap());
        for _file in ["bodies", "log"] {
            arrivals.recv().unwrap();
            assert_eq!(check_served(&store, &sure, 3), 3);
            assert!(store.block_at(&sure.id, Timestamp(10)).unwrap().is_some());
            assert!(sure.has_body(&store, 1).unwrap());
            go_on.send(()).unwrap();
        }
        assert!(committed(&commit.join().unwrap()));
    });
    assert!(plant.has_body(&store, 4).unwrap());
    assert_eq!(check_served(&store, &plant, 5), 5);
}
