//! What the log of an ingest benchmark takes on the disk, and what hashing it takes.

use super::{internal, path};
use crate::Context;
use crate::bench::fill;
use crate::bench::folder::Folder;
use crate::bench::measure::rounded;
use crate::command::serve::engine_failure;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use werkbuch_engine::EngineError;
use werkbuch_journal::disk::RealDisk;
use werkbuch_journal::{Options, Segments, Store, StoreError, StoreKind};
use werkbuch_model::id::Position;
use werkbuch_proof::{CompactRange, leaf_hash};

/// What the log takes on the disk; null what the store does not have.
#[derive(Debug, Default)]
pub(super) struct Sizes {
    /// Bytes for each event as they were written.
    pub(super) hot: Value,
    /// Bytes for each event once they are sealed.
    pub(super) sealed: Value,
    /// Hashing all of it into the trees, in core time.
    pub(super) merkle_ns: Option<u64>,
}

/// Measures the files of a closed log, and what can be sealed also after sealing; hashes the log once
/// on one core. Errors: those of the log.
pub(super) async fn measure(
    folder: &Folder,
    store: StoreKind,
    context: &Context,
) -> Outcome<Sizes> {
    let hot = match store {
        // A server on the network seals by itself what is full.
        StoreKind::Segments => {
            let is_hot = folder.bytes_below("log/sealed") == 0;
            is_hot.then(|| folder.bytes_below("log"))
        }
        StoreKind::Sled => Some(folder.bytes_below("sled")),
    };
    let data = folder.path().to_owned();
    let (events, merkle_ns) = blocking(move || read(&data, store)).await?;
    let sealed = match store {
        StoreKind::Segments => {
            context.output.note("sealing");
            sealed(folder).await?
        }
        StoreKind::Sled => {
            context.output.note(
                "sled seals nothing, so there are no sealed bytes; the bytes written are what the system \
                 counted, because the database writes by itself",
            );
            None
        }
    };
    let each = |bytes: Option<u64>| match bytes {
        Some(bytes) => rounded(bytes as f64 / events.max(1) as f64),
        None => Value::Null,
    };
    Ok(Sizes {
        hot: each(hot),
        sealed: each(sealed),
        merkle_ns,
    })
}

/// How many events the log has, and the core time of hashing each into the tree of its plant, reading
/// it left out.
fn read(data: &Path, store: StoreKind) -> Outcome<(u64, Option<u64>)> {
    let opened = werkbuch_journal::open(Arc::new(RealDisk), data, &options(), Some(store), true);
    let store = opened.map_err(journal)?.store;
    let (mut events, mut sum) = (0, None);
    for end in store.ends() {
        let mut tree = CompactRange::new();
        for block in store.read(&end.plant, Position(1)).map_err(journal)? {
            let block = block.map_err(journal)?;
            let begin = Instant::now();
            for (_, event) in block.events() {
                tree.append(leaf_hash(event));
            }
            sum = Some(sum.unwrap_or(0) + path::nanos(begin));
        }
        if tree.root() != end.tree.root() {
            let what = format!("the log of plant {} does not hash to its root", end.plant);
            return Err(Failure::new(Exit::Verification, "ROOT_DIFFERS", what));
        }
        events += end.last.get();
    }
    Ok((events, sum))
}

/// Seals the log and answers what the segments take; nothing if there was nothing to seal.
async fn sealed(folder: &Folder) -> Outcome<Option<u64>> {
    // The log was closed in good order, so what comes now begins a file of its own, and the one
    // before counts as full.
    let engine = fill::open_unsealed(folder.path(), StoreKind::Segments).await?;
    fill::close(engine).await?;
    let data = folder.path().to_owned();
    let files = blocking(move || {
        let opened = Segments::open(Arc::new(RealDisk), &data, &options());
        let (store, _) = opened.map_err(journal)?;
        let files = store.seal().map_err(journal)?;
        store.close().map_err(journal)?;
        Ok(files)
    });
    let files = files.await?;
    Ok((files > 0).then(|| folder.bytes_below("log/sealed")))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Outcome<T> + Send + 'static,
) -> Outcome<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| internal(&error))?
}

fn options() -> Options {
    Options {
        seal: false,
        ..Options::default()
    }
}

fn journal(error: StoreError) -> Failure {
    engine_failure(&EngineError::Store(error))
}
