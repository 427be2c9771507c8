//! Files of another plant or of another build are told for what they are, and nothing of them is cut.

use super::*;

const LAST: u64 = 40;

/// A log of two plants that had the same told to them, sealed but for the last group.
fn twins() -> SimulatedDisk {
    let disk = SimulatedDisk::new();
    let opened = Segments::open(Arc::new(disk.clone()), Path::new(DIR), &small_files());
    let (store, _) = opened.unwrap();
    let mut trees = [CompactRange::new(), CompactRange::new()];
    for first in (1..=LAST).step_by(10) {
        let group = ["a", "b"].iter().zip(&mut trees).map(|(name, tree)| {
            let root = *tree.root().as_bytes();
            let plant = PlantId::new(name).unwrap();
            let (log_id, epoch) = (LogId([1; 16]), WriterEpoch(1));
            let mut block = BlockBuilder::new(log_id, plant, epoch, Position(first), root);
            for position in first..first + 10 {
                let event = event(position);
                let (at, source) = (recorded_at(position), SourceNumber(1));
                block
                    .push(&event, at, at, source, Sequence(position))
                    .unwrap();
                tree.append(leaf_hash(&event));
            }
            Proposal::new(block.finish(), tree.clone())
        });
        assert!(committed(&store.commit(group.collect()).unwrap()));
    }
    assert!(store.seal().unwrap() > 0);
    disk
}

/// Bytes that do not pack well, so that files are full soon.
fn event(position: u64) -> Vec<u8> {
    let parts = (0..8).map(|part| sha256(format!("{position} {part}").as_bytes()));
    parts.flat_map(|part| *part.as_bytes()).collect()
}

fn segments(disk: &SimulatedDisk, plant: &str) -> Vec<std::path::PathBuf> {
    use crate::disk::Disk;
    let folder = Path::new(DIR).join("log/sealed").join(plant);
    let names = disk.list(&folder).unwrap().into_iter();
    names.map(|name| folder.join(name)).collect()
}

#[test]
fn a_segment_of_another_plant_is_told_as_such_and_not_served() {
    let disk = twins();
    let (of_a, of_b) = (segments(&disk, "a"), segments(&disk, "b"));
    let bytes = disk.bytes(&of_b[0]).unwrap();
    // Else it would be told by its length alone.
    assert_eq!(bytes.len(), disk.bytes(&of_a[0]).unwrap().len());
    disk.overwrite(&of_a[0], &bytes);
    let (store, _) = open(&disk).unwrap();
    let (a, b) = (PlantId::new("a").unwrap(), PlantId::new("b").unwrap());
    let mut read = store.read(&a, Position(1)).unwrap();
    let error = read.next().unwrap().unwrap_err().to_string();
    for text in [
        of_a[0].to_str().unwrap(),
        "another segment stands there: it is of plant \"b\", not \"a\"",
        "restore this file from a backup",
    ] {
        assert!(error.contains(text), "no {text} in {error}");
    }
    assert!(store.find(&a, SourceNumber(1), Sequence(3)).is_err());
    assert!(store.verify(&mut |_, _| {}).is_err());
    // The plant that the file is of is served as before.
    let blocks = store.read(&b, Position(1)).unwrap();
    let events: usize = blocks.map(|block| block.unwrap().events().count()).sum();
    assert_eq!(events as u64, LAST);
}

/// Found by the fuzz target of recovery: the void that was to stand for these bytes would have been
/// written over the beginning of the block behind them, which had just been kept.
#[test]
fn a_few_bytes_before_a_block_of_the_last_group_are_damage_and_the_block_stays() {
    let disk = SimulatedDisk::new();
    let (store, _) = open(&disk).unwrap();
    let mut plant = Plant::new("a");
    for _ in 0..2 {
        store.commit(vec![plant.proposal(2)]).unwrap();
    }
    drop(store);
    let path = Path::new(DIR).join("log/wal-0000000001.log");
    let whole = disk.bytes(&path).unwrap();
    let mut blocks = (0..whole.len()).step_by(8);
    let last = blocks
        .rfind(|at| whole[*at..].starts_with(b"WBLK"))
        .unwrap();
    for length in [8, 16, 24, 32] {
        let (before, behind) = whole.split_at(last);
        let bytes = [before, &vec![7; length], behind].concat();
        disk.overwrite(&path, &bytes);
        let error = open(&disk).unwrap_err().to_string();
        let says = format!("{length} bytes that are no block stand before a block");
        assert!(error.contains(&says), "{error}");
        assert_eq!(disk.bytes(&path).unwrap(), bytes);
    }
}

#[test]
fn a_last_group_of_a_newer_build_is_refused_and_not_cut() {
    let disk = SimulatedDisk::new();
    let (store, _) = open(&disk).unwrap();
    let mut plant = Plant::new("a");
    for _ in 0..2 {
        store.commit(vec![plant.proposal(2)]).unwrap();
    }
    drop(store);
    let path = Path::new(DIR).join("log/wal-0000000001.log");
    let mut bytes = disk.bytes(&path).unwrap();
    let last = (0..bytes.len())
        .step_by(8)
        .rfind(|at| bytes[*at..].starts_with(b"WBLK"))
        .unwrap();
    let header = u32::from_le_bytes(bytes[last + 8..last + 12].try_into().unwrap()) as usize;
    bytes[last + 4] = 2;
    // Damage alone has no right checksum: there it is a torn end, and cut.
    let torn = disk.copy();
    torn.overwrite(&path, &bytes);
    assert_eq!(open(&torn).unwrap().1.cuts.len(), 1);
    let end = last + header - 4;
    let crc = crc32c::crc32c(&bytes[last..end]);
    bytes[end..end + 4].copy_from_slice(&crc.to_le_bytes());
    disk.overwrite(&path, &bytes);
    let error = open(&disk).unwrap_err().to_string();
    for text in [
        "has version 2",
        "use the build that wrote it",
        "wal-0000000001.log",
    ] {
        assert!(error.contains(text), "no {text} in {error}");
    }
    assert_eq!(disk.bytes(&path).unwrap(), bytes);
}
