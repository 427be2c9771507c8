//! The life of the server: opens, serves until it is told to stop, and ends in good order.

use crate::config::Config;
use crate::context::Context;
use crate::limits::Limits;
use crate::rules::follow_all;
use crate::runs::Runs;
use crate::{grpc, listen};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use werkbuch_engine::{Engine, EngineError, Options};
use werkbuch_model::time::Timestamp;

/// How often the health of the store is looked at.
const HEALTH_INTERVAL: Duration = Duration::from_secs(1);
/// A start from snapshots is over within this time, and then nobody need be told to come back. After it
/// calls are taken, and the plants that are back answer.
const START_PATIENCE: Duration = Duration::from_millis(500);
/// How long connections that are cut may take to notice it.
const CUT_TIME: Duration = Duration::from_secs(1);

/// Why the server could not start, or did not end well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Another program listens there. Stop it, or take another port.
    #[error(
        "{listen} is taken by another program, perhaps another werkbuch: stop that one, or listen \
         elsewhere with --listen {}:{}", listen.ip(), listen.port().saturating_add(1)
    )]
    PortInUse {
        /// The address.
        listen: SocketAddr,
    },
    /// The address cannot be listened on. Take one of this machine's.
    #[error("could not listen on {listen}: {cause}")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// The engine could not open or close the data folder; its error says what to do.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The services do not fit together, an error in the product itself.
    #[error("the services could not be put together: {0}")]
    Services(#[from] tonic_reflection::server::Error),
    /// The transport failed. Start the server again.
    #[error("serving failed: {0}")]
    Transport(#[from] tonic::transport::Error),
}

/// Opens the data folder and serves until `shutdown` is there. `ready` gets the address listened on.
///
/// At the end health says "not serving", no more calls are taken, streams are told, calls in flight
/// have the grace period, and the engine is closed. Errors: [`ServeError`].
pub async fn run(
    config: Config,
    shutdown: impl Future<Output = ()> + Send,
    ready: impl FnOnce(SocketAddr) + Send,
) -> Result<(), ServeError> {
    run_with(config, Limits::default(), shutdown, ready).await
}

/// As [`run`], with other bounds than the usual ones.
pub async fn run_with(
    config: Config,
    limits: Limits,
    shutdown: impl Future<Output = ()> + Send,
    ready: impl FnOnce(SocketAddr) + Send,
) -> Result<(), ServeError> {
    // The port comes first: it fails at once, and who connects meanwhile waits for the recovery.
    let listener = listen::bind(config.listen).await?;
    let address = listener.local_addr().map_err(|cause| ServeError::Listen {
        listen: config.listen,
        cause,
    })?;
    let mut options = Options::new(config.data.clone());
    options.build = env!("CARGO_PKG_VERSION").to_owned();
    options.snapshot_every = config.snapshot_every;
    options.past_every = config.past_every;
    options.wal_bytes_max = config.write_ahead_mib.saturating_mul(1024 * 1024);
    options.store = config.store;
    options.recovery_rate = config.recovery_rate;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        data = %config.data.display(),
        listen = %address,
        "the server starts"
    );
    let engine = Engine::begin(options).await?;
    if let Ok(recovered) = tokio::time::timeout(START_PATIENCE, engine.recovered()).await {
        recovered?;
    }
    let served = serve(&engine, &config, limits, listener, shutdown, || {
        ready(address)
    })
    .await;
    let closed = engine.close().await;
    served?;
    closed?;
    tracing::info!("closed in good order");
    Ok(())
}

async fn serve(
    engine: &Engine,
    config: &Config,
    limits: Limits,
    listener: tokio::net::TcpListener,
    shutdown: impl Future<Output = ()> + Send,
    ready: impl FnOnce(),
) -> Result<(), ServeError> {
    let (stop, mut stopping) = watch::channel(false);
    let (cut, is_cut) = watch::channel(false);
    let runs = Runs::open(config.data.join("runs"));
    let context = Context::new(engine.clone(), (limits, runs), now(), stopping.clone());
    let (reporter, health) = tonic_health::server::health_reporter();
    // Until it is known that every plant is back, the name for that is not serving.
    set_health(&reporter, ServingStatus::NotServing).await;
    set_health(&reporter, ServingStatus::Serving).await;
    let connections = listen::connections(listener, &limits, is_cut);
    let context = Arc::new(context);
    // It ends by itself when the server is told to stop.
    let _rules = tokio::spawn(follow_all(Arc::clone(&context)));
    let services = grpc::services(&context, health)?;
    let server = services.serve_with_incoming_shutdown(connections, async move {
        // Without a sender the server has ended anyway.
        let _ = stopping.wait_for(|stop| *stop).await;
    });
    let mut server = std::pin::pin!(server);
    let not_yet = engine.recovering().len();
    let plants = engine.plants().len();
    tracing::info!(plants, not_yet, "the server takes calls");
    ready();
    let mut failed = None;

    tokio::select! {
        ended = &mut server => return Ok(ended?),
        () = shutdown => {}
        () = watch_store(engine, &reporter) => {}
        error = watch_recovery(engine, &reporter) => failed = Some(error),
    }
    tracing::info!(grace = ?config.shutdown_grace, "stopping: calls in flight may end");
    set_health(&reporter, ServingStatus::NotServing).await;
    stop.send_replace(true);
    match tokio::time::timeout(config.shutdown_grace, &mut server).await {
        Ok(ended) => ended?,
        Err(_) => {
            tracing::warn!("the grace period is over, the connections that are left are cut");
            cut.send_replace(true);
            // Whoever does not even notice the cut is left behind.
            let _ = tokio::time::timeout(CUT_TIME, &mut server).await;
        }
    }
    failed.map_or(Ok(()), |error| Err(error.into()))
}

/// Says that every plant answers once that is so. Returns if one cannot be brought back.
async fn watch_recovery(engine: &Engine, reporter: &HealthReporter) -> EngineError {
    if let Err(error) = engine.recovered().await {
        return error;
    }
    reporter
        .set_service_status(grpc::PLANTS, ServingStatus::Serving)
        .await;
    std::future::pending().await
}

/// Says "not serving" for the way in once the log can no longer be written. It never returns.
async fn watch_store(engine: &Engine, reporter: &HealthReporter) {
    let mut said = false;
    loop {
        tokio::time::sleep(HEALTH_INTERVAL).await;
        if !said && let Some(cause) = engine.stopped() {
            tracing::error!(
                cause,
                "writing has stopped; reads go on, start the server anew"
            );
            reporter
                .set_service_status(grpc::INGEST, ServingStatus::NotServing)
                .await;
            said = true;
        }
    }
}

async fn set_health(reporter: &HealthReporter, status: ServingStatus) {
    let plants = (status == ServingStatus::NotServing).then_some(grpc::PLANTS);
    for name in grpc::NAMES.into_iter().chain([""]).chain(plants) {
        reporter.set_service_status(name, status).await;
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}
