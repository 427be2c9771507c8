//! A data folder in which one file holds any bytes: it is opened and served rightly, or refused.

use super::{book, mend};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use werkbuch_journal::disk::SimulatedDisk;
use werkbuch_journal::{Segments, Store, StoreError};
use werkbuch_model::id::{MachineNumber, Position, SourceNumber};
use werkbuch_model::time::Timestamp;

/// Bytes that the folder may be served as another book after: their checksums were forged.
const MENDED: u8 = 1;

/// The first byte says which file of the [book](super::book) holds the bytes behind the second, the
/// second whether their checksums are mended.
pub fn body(data: &[u8]) -> bool {
    static BOOK: OnceLock<SimulatedDisk> = OnceLock::new();
    let [which, mode, bytes @ ..] = data else {
        return false;
    };
    let disk = BOOK.get_or_init(book::disk).copy();
    let files = book::files(&disk);
    let path = &files[usize::from(*which) % files.len()];
    let mut bytes = bytes.to_vec();
    let mended = mode & MENDED == MENDED;
    if mended {
        mend_file(path, &mut bytes);
    }
    disk.overwrite(path, &bytes);
    let Ok((store, _)) = open(&disk) else {
        return false;
    };
    let ends = store.ends();
    let whole = ask(&store, mended);
    drop(store);
    // What a recovery has left is opened as it was left.
    let (store, report) = open(&disk).expect("what was opened is opened again");
    assert!(report.cuts.is_empty(), "cut twice: {report:?}");
    assert_eq!(store.ends(), ends, "another end at the second opening");
    whole.is_ok()
}

fn open(disk: &SimulatedDisk) -> Result<(Segments, werkbuch_journal::RecoveryReport), StoreError> {
    let folder = Path::new(book::FOLDER);
    Segments::open(Arc::new(disk.clone()), folder, &book::options())
}

fn mend_file(path: &Path, bytes: &mut [u8]) {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("log") => mend::write_ahead(bytes),
        Some("seg") => mend::segment(bytes),
        None => mend::catalogue(bytes),
        Some(_) => {}
    }
}

/// Asks everything that a store can be asked. Errors: what is damaged is not served.
fn ask(store: &Segments, mended: bool) -> Result<(), StoreError> {
    let mut answers = Vec::new();
    for end in store.ends() {
        let plant = &end.plant;
        let events = book::PLANTS
            .iter()
            .find(|(name, _)| *name == plant.as_str());
        if !mended {
            let (_, events) = events.expect("a plant that there is");
            assert!(end.last.get() <= *events, "more than was written");
        }
        answers.push(served(
            store.read(plant, Position(1))?,
            plant.as_str(),
            mended,
        ));
        let machine = store.read_machine(plant, Position(2), MachineNumber(3))?;
        answers.push(served(machine, plant.as_str(), mended));
        for position in [1, 7, 60, 119, end.last.get()] {
            let number = book::sequence(position);
            let found = store.find(plant, book::source(position), number);
            let right = |found: &Option<Position>| found.is_none_or(|at| at.get() == position);
            assert!(mended || found.as_ref().map_or(true, right), "{found:?}");
            answers.push(found.map(drop));
            let none = store.find(plant, SourceNumber(9), number);
            assert!(mended || !matches!(none, Ok(Some(_))), "{none:?}");
            let at = Timestamp(position.saturating_mul(10) as i64);
            answers.push(store.block_at(plant, at).map(drop));
        }
    }
    answers.push(store.verify(&mut |_, _| {}).map(drop));
    answers.into_iter().collect()
}

/// Reads blocks to their end. What comes out of unforged bytes is what went in.
fn served(blocks: werkbuch_journal::Blocks, plant: &str, mended: bool) -> Result<(), StoreError> {
    for block in blocks {
        let block = block?;
        for (position, event) in block.events() {
            let right = || event == book::event(plant, position.get());
            assert!(mended || right(), "{plant} {position} is served wrongly");
        }
    }
    Ok(())
}
