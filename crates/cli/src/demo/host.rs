//! A server in this process, on a data folder of its own.

use crate::command::serve::{config_failure, serve_failure};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use werkbuch_server::{PartialConfig, ServeError};

/// A running server.
pub(super) struct Hosted {
    pub(super) address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<(), ServeError>>,
}

/// The data folder: one that was named, or one that goes when this goes.
pub(super) struct Folder {
    pub(super) path: PathBuf,
    _temporary: Option<tempfile::TempDir>,
}

impl Folder {
    pub(super) fn new(named: Option<&Path>) -> Outcome<Self> {
        if let Some(path) = named {
            return Ok(Self {
                path: path.to_owned(),
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
