//! `werkbuch demo`: a made-up plant that runs in this process, through the real server and gateways.

mod feed;
mod plant;
mod watch;

use crate::Context;
use crate::client::Client;
use crate::command::serve::{asked_to_stop, config_failure, serve_failure};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::Answer;
use crate::when;
use feed::Feed;
use plant::DemoPlant;
use serde_json::json;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use watch::{Reading, Watch};
use werkbuch_server::{PartialConfig, ServeError};

/// How often what is shown is asked for: on a terminal, and elsewhere.
const REDRAW: Duration = Duration::from_millis(500);
const LINE: Duration = Duration::from_secs(2);

/// Run a made-up plant in this process and watch it: 24 machines from the press to the last test.
///
/// A server is started on a free port, three gateways report to it over gRPC what a seeded factory
/// does, and what is shown comes from the server's twin. The data lie in a temporary folder, unless
/// --data names one.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The seed of the factory: the same seed does the same.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Stop after this long, such as 30s; left out: at Ctrl-C.
    #[arg(long = "for", value_name = "DURATION")]
    duration: Option<String>,
    /// How many times as fast as a real plant it runs.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    speed: u32,
    /// The address and port of its server.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: String,
    /// Keep the data in this folder.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome<()> {
    let duration = args.duration.as_deref().map(when::duration).transpose()?;
    let plant = DemoPlant::read()?;
    // The folder goes when this goes, at the end.
    let temporary = match args.data {
        Some(_) => None,
        None => Some(tempfile::tempdir().map_err(|error| {
            Failure::new(
                Exit::Failed,
                "FILE_FAILED",
                format!("no temporary folder: {error}"),
            )
        })?),
    };
    let data = match (&args.data, &temporary) {
        (Some(data), _) => data.clone(),
        (None, Some(folder)) => folder.path().to_owned(),
        (None, None) => PathBuf::new(),
    };
    let server = Hosted::start(&data, &args.listen).await?;
    let url = format!("http://{}", server.address);
    context.output.note(&format!(
        "demo plant at {url}, seed {}, {} times real speed",
        args.seed, args.speed
    ));
    let client = Client::connect(&url).await?;
    let ran = show(
        &client, &plant, &args.seed, args.speed, duration, &data, context,
    )
    .await;
    let stopped = server.stop().await;
    let (reading, elapsed) = ran?;
    stopped?;
    let log_bytes = size(&data);
    context
        .output
        .answer(&answer(&reading, elapsed, log_bytes))?;
    context.output.note(&next(args.data.as_deref()));
    Ok(())
}

/// Applies the plant, feeds it and shows it until the time is over or a person stops it.
async fn show(
    client: &Client,
    plant: &DemoPlant,
    seed: &u64,
    speed: u32,
    duration: Option<Duration>,
    data: &Path,
    context: &Context,
) -> Outcome<(Reading, Duration)> {
    plant.apply(client).await?;
    let started = Instant::now();
    let feed = Feed::start(client, plant, *seed, speed).await?;
    let mut watch = Watch::new(client, plant, data, context);
    let every = if watch.is_terminal() { REDRAW } else { LINE };
    let mut tick = tokio::time::interval_at(tokio::time::Instant::now() + every, every);
    let end = tokio::time::sleep(duration.unwrap_or(Duration::from_secs(10 * 365 * 86_400)));
    let mut end = std::pin::pin!(end);
    let mut stop = std::pin::pin!(asked_to_stop());
    loop {
        tokio::select! {
            _ = tick.tick() => {
                feed.check()?;
                watch.show(feed.sent(), started.elapsed()).await?;
            }
            () = &mut end => break,
            () = &mut stop => break,
        }
    }
    let elapsed = started.elapsed();
    let sent = feed.finish().await?;
    watch.clear();
    Ok((watch.read(sent).await?, elapsed))
}

fn answer(reading: &Reading, elapsed: Duration, log_bytes: u64) -> Answer {
    let millis = u64::try_from(elapsed.as_millis())
        .unwrap_or(u64::MAX)
        .max(1);
    let per_second = reading.sent.acknowledged.saturating_mul(1_000) / millis;
    let states = reading.by_state.iter();
    let by_state: serde_json::Map<_, _> = states
        .map(|(state, count)| ((*state).to_owned(), json!(count)))
        .collect();
    let whole = json!({
        "plants": reading.plants,
        "machines": reading.machines,
        "events": reading.sent.events,
        "acked": reading.sent.acknowledged,
        "recorded": reading.sent.recorded,
        "refused": reading.sent.refused,
        "parts_good": reading.parts_good,
        "by_state": by_state,
        "position": reading.position,
        "log_bytes": log_bytes,
        "events_per_second": per_second,
    });
    let parts = vec![
        ("machines", reading.machines.to_string()),
        ("states", reading.states()),
        (
            "events",
            format!(
                "{} sent, {} acknowledged, {} recorded",
                reading.sent.events, reading.sent.acknowledged, reading.sent.recorded
            ),
        ),
        ("good parts", reading.parts_good.to_string()),
        ("position", reading.position.to_string()),
        ("log", format!("{log_bytes} bytes")),
        ("rate", format!("{per_second} events a second")),
    ];
    Answer::single(parts, whole)
}

fn next(data: Option<&Path>) -> String {
    let Some(data) = data else {
        return "what next: keep a plant and look into it\n  \
                werkbuch demo --data demo-data --for 30s\n  \
                werkbuch replay --data demo-data --plant demo --check\n  \
                werkbuch serve --data demo-data"
            .to_owned();
    };
    let data = data.display();
    format!(
        "the data are in \"{data}\"; what next:\n  \
         werkbuch replay --data {data} --plant demo --check\n  \
         werkbuch serve --data {data}\n  \
         werkbuch machine ls --plant demo --where \"state = 'FAULTED'\"\n  \
         werkbuch machine count --plant demo --at -10s\n  \
         werkbuch event ls --plant demo --kind ALARM_RAISED --newest-first"
    )
}

/// A server in this process.
struct Hosted {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<(), ServeError>>,
}

impl Hosted {
    async fn start(data: &Path, listen: &str) -> Outcome<Self> {
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

    async fn stop(self) -> Outcome<()> {
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
fn size(folder: &Path) -> u64 {
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
