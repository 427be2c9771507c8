//! A server in this process, on a data folder of its own.

use crate::command::serve::{config_failure, serve_failure};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use werkbuch_server::{PartialConfig, ServeError};

/// The file by which a data folder is known.
const MARK: &str = "book.toml";

/// A running server.
pub(super) struct Hosted {
    pub(super) address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<(), ServeError>>,
}

/// The data folder: one that was named, or one that goes when this goes.
pub(super) struct Folder {
    pub(super) path: PathBuf,
    /// Whether a log is there already, to which this run adds.
    pub(super) has_log: bool,
    _temporary: Option<tempfile::TempDir>,
}

impl Folder {
    /// Errors: the folder that was named is full of other things, or there can be no temporary one.
    pub(super) fn new(named: Option<&Path>) -> Outcome<Self> {
        if let Some(path) = named {
            let has_log = path.join(MARK).is_file();
            // A start that was broken off leaves its lock behind.
            let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
            let mut entries = entries.filter(|entry| entry.file_name() != "LOCK");
            if !has_log && entries.next().is_some() {
                let what = format!(
                    "\"{}\" holds other things than a log of werkbuch",
                    path.display()
                );
                return Err(Failure::usage(what)
                    .hint("name an empty folder with --data, or one that is not there yet"));
            }
            return Ok(Self {
                path: path.to_owned(),
                has_log,
                _temporary: None,
            });
        }
        let temporary = tempfile::tempdir().map_err(|error| {
            Failure::new(
                Exit::Failed,
                "FILE_FAILED",
                format!("no temporary folder: {error}"),
            )
        })?;
        Ok(Self {
            path: temporary.path().to_owned(),
            has_log: false,
            _temporary: Some(temporary),
        })
    }
}

impl Hosted {
    pub(super) async fn start(data: &Path, listen: &str) -> Outcome<Self> {
        let config = PartialConfig {
            data: Some(data.to_owned()),
            listen: Some(listen.to_owned()),
            shutdown_grace: Some("5s".to_owned()),
            ..PartialConfig::default()
        };
        let config = config.resolve().map_err(|error| config_failure(&error))?;
        let (stop, stopped) = oneshot::channel::<()>();
        let (ready, is_ready) = oneshot::channel();
        let served = tokio::spawn(async move {
            let shutdown = async {
                let _ = stopped.await;
            };
            let ready = move |address| {
                let _ = ready.send(address);
            };
            werkbuch_server::run(config, shutdown, ready).await
        });
        match is_ready.await {
            Ok(address) => Ok(Self {
                address,
                stop,
                served,
            }),
            Err(_) => Err(ended(served).await.err().unwrap_or_else(|| {
                Failure::new(Exit::Failed, "SERVE_FAILED", "the server ended at once")
            })),
        }
    }

    pub(super) async fn stop(self) -> Outcome<()> {
        let _ = self.stop.send(());
        ended(self.served).await
    }
}

async fn ended(served: JoinHandle<Result<(), ServeError>>) -> Outcome<()> {
    match served.await {
        Ok(served) => served.map_err(|error| serve_failure(&error)),
        Err(error) => {
            let what = format!("the server broke: {error}");
            Err(Failure::new(Exit::Failed, "SERVE_FAILED", what))
        }
    }
}

/// The size of all files of a folder; what cannot be read counts nothing.
pub(super) fn size(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    let sizes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(about) if about.is_dir() => size(&entry.path()),
        Ok(about) => about.len(),
        Err(_) => 0,
    });
    sizes.sum()
}
