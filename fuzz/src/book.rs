//! A small data folder on a simulated disk: two sealed segments of one plant, write-ahead files behind
//! them, two plants.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use werkbuch_journal::disk::{Disk, OpenMode, SimulatedDisk};
use werkbuch_journal::{Options, Proposal, Segments, Store};
use werkbuch_model::event::{Body, Flags, ItemChanged, Recorded, Reported};
use werkbuch_model::id::{
    LogId, MachineNumber, PlantId, Position, Sequence, SourceNumber, WriterEpoch,
};
use werkbuch_model::time::Timestamp;
use werkbuch_proof::{CompactRange, leaf_hash};
use werkbuch_record::block::BlockBuilder;
use werkbuch_record::encode_recorded;

/// Where the folder lies on the disk.
pub const FOLDER: &str = "/book";
/// The plants, and how many events each has.
pub const PLANTS: [(&str, u64); 2] = [("a", 120), ("bb", 60)];

/// The marker of the folder.
const MARKER: &str = "format = 1\nstore = \"segments\"\n\
    folder = \"94630a94216f7917a33926774434cbe3\"\ncreated = \"2026-11-22T06:00:00Z\"\n";

/// How the folder is opened: with small files, sealed when the book says so.
#[must_use]
pub fn options() -> Options {
    Options {
        wal_bytes_max: 1_500,
        seal: false,
        ..Options::default()
    }
}

/// The event that a plant has at a position, always the same.
#[must_use]
pub fn event(plant: &str, position: u64) -> Vec<u8> {
    let at = Timestamp(position as i64 * 10);
    encode_recorded(&Recorded {
        position: Position(position),
        recorded_at: at,
        effective_at: at,
        source: source(position),
        previous: Position(0),
        flags: Flags::default(),
        authority: 0,
        reported: Reported {
            sequence: sequence(position),
            machine: MachineNumber(1 + (position % 5) as u32),
            occurred_at: at,
            observed_at: None,
            historical: false,
            body: Body::ItemChanged(ItemChanged {
                item: plant.into(),
                text: Some((position * 0x9e37).to_string().into()),
            }),
        },
        corrected: Vec::new(),
    })
}

/// The source of the event at a position.
#[must_use]
pub fn source(position: u64) -> SourceNumber {
    SourceNumber(1 + u32::from(position.is_multiple_of(3)))
}

/// The number that its source gave the event at a position: in pairs the wrong way round.
#[must_use]
pub fn sequence(position: u64) -> Sequence {
    Sequence((position ^ 1) + 1)
}

/// The disk with the folder.
#[must_use]
pub fn disk() -> SimulatedDisk {
    let disk = SimulatedDisk::new();
    // Else the folder would get an id by chance, and no input would mean the same again.
    disk.create_dir_all(Path::new(FOLDER)).expect("a good disk");
    let marker = disk.open(&Path::new(FOLDER).join("book.toml"), OpenMode::Create);
    let written = marker.and_then(|file| file.write_at(MARKER.as_bytes(), 0));
    written.expect("a good disk");
    let opened = Segments::open(Arc::new(disk.clone()), Path::new(FOLDER), &options());
    let (store, _) = opened.expect("a new folder");
    let mut trees = PLANTS.map(|_| CompactRange::new());
    for round in 0..6 {
        let group = PLANTS.iter().zip(&mut trees);
        let group = group.map(|((name, events), tree)| proposal(name, tree, events / 6));
        store.commit(group.collect()).expect("a good disk");
        if round == 1 || round == 3 {
            store.seal().expect("a good disk");
        }
    }
    drop(store);
    disk
}

fn proposal(name: &str, tree: &mut CompactRange, count: u64) -> Proposal {
    let plant = PlantId::new(name).expect("a name");
    let (first, root) = (tree.size() + 1, *tree.root().as_bytes());
    let log_id = LogId([name.len() as u8; 16]);
    let mut block = BlockBuilder::new(log_id, plant, WriterEpoch(1), Position(first), root);
    for position in first..first + count {
        let bytes = event(name, position);
        let at = Timestamp(position as i64 * 10);
        let pushed = block.push(&bytes, at, at, source(position), sequence(position));
        pushed.expect("a small event");
        tree.append(leaf_hash(&bytes));
    }
    Proposal::new(block.finish(), tree.clone())
}

/// The files of the folder that hold its log, in the order of their names.
#[must_use]
pub fn files(disk: &SimulatedDisk) -> Vec<PathBuf> {
    let folder = Path::new(FOLDER);
    let mut files = vec![folder.join("book.toml")];
    for inner in ["log", "log/sealed/a", "log/sealed/bb"] {
        let inner = folder.join(inner);
        let names = disk.list(&inner).expect("the folder is there").into_iter();
        let names = names.filter(|name| name.contains('.') || name == "catalogue");
        files.extend(names.map(|name| inner.join(name)));
    }
    files
}
