//! `werkbuch demo`: made-up car plants that run in this process, through the real server and gateways.

mod clock;
mod feed;
mod gateway;
mod host;
mod interrupts;
mod plant;
mod reading;
mod screen;
mod truth;

use crate::Context;
use crate::client::Client;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::Answer;
use crate::when;
use clock::{Clock, Speed};
use feed::{Feed, Sent, Shared};
use host::{Folder, Hosted, size};
use interrupts::Interrupts;
use plant::DemoPlant;
use reading::Reading;
use screen::{Row, Screen};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use truth::Agreement;
use werkbuch_sim::{DEGRADATIONS, Degrade, LEVELS, PlantRun};

/// How often what is shown is asked for: on a terminal, and elsewhere.
const REDRAW: Duration = Duration::from_millis(500);
const LINE: Duration = Duration::from_secs(2);

/// Run made-up car plants in this process and watch them: three of them, with 600 machines.
///
/// A server is started on a free port. In each plant parts move through press, body and paint shop
/// and assembly; stations work, fail and wait for repair, starve and block; shifts and breaks come
/// and go. Gateways report it over gRPC, each a source of its own, and what is shown comes from the
/// server's twins. The data lie in a temporary folder, unless --data names one.
///
/// With --for, plant time begins at a fixed instant and covers exactly that time times the speed, so
/// that the same seed, plants and machines give the same events: source, epoch, sequence, machine,
/// times and content. What depends on this machine is when they are recorded, and with it the
/// positions that corrections name. Without --for, plant
/// time begins so far before now that it catches up with now in ten minutes, and stays there.
#[derive(Debug, clap::Args)]
#[command(after_long_help = degradations())]
pub(crate) struct Args {
    /// How many plants.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=122))]
    plants: u32,
    /// How many machines they have in all.
    #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    machines: u32,
    /// How many times as fast as a real plant they run, or `max`. At `max`, --for is plant time.
    #[arg(long, default_value = "60", value_parser = Speed::parse)]
    speed: Speed,
    /// The seed: the same seed does the same.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Stop after this long, such as 30s; left out: at Ctrl-C.
    #[arg(long = "for", value_name = "DURATION")]
    duration: Option<String>,
    /// The plant time at the beginning, such as -2h; it never runs ahead of now.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    start: Option<String>,
    /// What is wrong with the reporting: a level, or degradations with commas between them.
    #[arg(long, value_name = "LIST", default_value = "none", value_parser = Degrade::parse)]
    degrade: Degrade,
    /// Write what truly was into this file at the end [default: demo-truth.json beside the log].
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
    /// The address and port of its server.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: String,
    /// Keep the data in this folder.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

fn degradations() -> String {
    let rows = |of: &[(&str, &str)]| {
        of.iter()
            .map(|(name, what)| format!("  {name:<20}{what}\n"))
            .collect::<String>()
    };
    format!(
        "Levels of --degrade:\n{}\nSingle degradations:\n{}",
        rows(&LEVELS),
        rows(&DEGRADATIONS)
    )
}

/// One plant at its end.
struct Ended {
    plant: DemoPlant,
    run: PlantRun,
    sent: Sent,
    reading: Reading,
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome<()> {
    // From here on Ctrl-C ends it in order, so that nothing is left behind.
    let interrupts = Interrupts::listen();
    let duration = args.duration.as_deref().map(when::duration).transpose()?;
    if duration.is_some_and(|duration| duration.is_zero()) {
        return Err(Failure::usage("in no time nothing happens")
            .hint("name a time such as --for 30s, or leave --for out and end it with Ctrl-C"));
    }
    if let Some(file) = &args.truth {
        truth::has_place(file)?;
    }
    let now = when::now();
    let start = context
        .clocks(None)
        .time_if_any(args.start.as_deref())
        .await?;
    let clock = Clock::new(args.speed, duration, start, now)?;
    let plants = plant::plants(args.plants, args.machines, args.seed)?;
    let folder = Folder::new(args.data.as_deref())?;
    tell_of_log(&folder, context);
    let server = Hosted::start(&folder.path, &args.listen).await?;
    let url = format!("http://{}", server.address);
    context.output.note(&format!(
        "{} plants at {url}, seed {}, {}, from {}",
        plants.len(),
        args.seed,
        args.speed,
        clock.start
    ));
    let client = Client::connect(&url).await?;
    let first = plants
        .first()
        .map_or_else(String::new, |one| one.id.to_string());
    let mut screen = Screen::new(context.output, live_hints(&url, &first));
    let began = Instant::now();
    let watched = watched(&client, plants, &args, clock, &mut screen, &interrupts);
    let ran = tokio::select! {
        ran = Box::pin(watched) => ran,
        () = interrupts.second() => Err(Failure::new(
            Exit::Failed,
            "INTERRUPTED",
            "stopped at the second Ctrl-C, before the plants had come to their end",
        )),
    };
    let elapsed = began.elapsed();
    let stopped = server.stop().await;
    let ended = ran?;
    stopped?;
    let log_bytes = size(&folder.path);
    let (agreement, truth) = compared(&ended, &args, &clock);
    let file = args
        .truth
        .clone()
        .or_else(|| args.data.as_ref().map(|data| data.join("demo-truth.json")));
    if let Some(file) = &file {
        truth::write(file, &truth)?;
    }
    context.output.answer(&answer(
        &ended,
        elapsed,
        log_bytes,
        &agreement,
        file.as_deref(),
    ))?;
    context
        .output
        .note(&next(args.data.as_deref(), file.as_deref(), &first));
    Ok(())
}

/// Says that a run adds to a log, because then twin and truth may differ.
fn tell_of_log(folder: &Folder, context: &Context) {
    if folder.has_log {
        context.output.note(&format!(
            "\"{}\" has a log already, and this run adds to it: where that one tells of a later plant time, or of other plants, twin and truth differ",
            folder.path.display()
        ));
    }
}

/// Applies the plants, feeds them and shows them until the time is over or a person stops it.
async fn watched(
    client: &Client,
    plants: Vec<DemoPlant>,
    args: &Args,
    clock: Clock,
    screen: &mut Screen,
    interrupts: &Interrupts,
) -> Outcome<Vec<Ended>> {
    for plant in &plants {
        plant.apply(client).await?;
    }
    let shared = Shared {
        clock,
        begin: Instant::now(),
        seed: args.seed,
        degrade: args.degrade,
        stopped: interrupts.heard(),
    };
    let mut feeds = Vec::new();
    for plant in plants {
        let feed = Feed::start(client, &plant, &shared).await?;
        feeds.push((plant, feed));
    }
    let every = if screen.is_terminal() { REDRAW } else { LINE };
    let mut tick = tokio::time::interval_at(tokio::time::Instant::now() + every, every);
    let mut look = tokio::time::interval(Duration::from_millis(50));
    while !feeds.iter().all(|(_, feed)| feed.is_over()) {
        tokio::select! {
            _ = look.tick() => {}
            _ = tick.tick() => {
                for (_, feed) in &feeds {
                    feed.check()?;
                }
                if !screen.is_quiet() {
                    let rows = rows(client, &feeds, &shared).await?;
                    screen.show(&rows, shared.begin.elapsed());
                }
            }
        }
    }
    screen.clear();
    let mut ended = Vec::new();
    for (plant, feed) in feeds {
        let (sent, run) = Box::pin(feed.finish()).await?;
        let id = plant.id.to_string();
        let mut reading = Reading::of(client, &id).await?;
        reading.find_parts(client, &id).await?;
        ended.push(Ended {
            plant,
            run,
            sent,
            reading,
        });
    }
    Ok(ended)
}

async fn rows(client: &Client, feeds: &[(DemoPlant, Feed)], shared: &Shared) -> Outcome<Vec<Row>> {
    let mut rows = Vec::new();
    for (plant, feed) in feeds {
        let reading = Reading::of(client, plant.id.as_str()).await?;
        let standing = feed.standing();
        let should_ns = shared.clock.plant_ns(shared.begin.elapsed());
        rows.push(Row {
            plant: plant.id.to_string(),
            parts_good: reading.parts_good(&["final-check".to_owned()]),
            reading,
            sent: feed.sent(),
            standing,
            plant_time: shared.clock.at(standing.plant_ns),
            lag_ns: should_ns.saturating_sub(standing.plant_ns),
        });
    }
    Ok(rows)
}

/// Compares each twin with the truth, and says what is true.
fn compared(ended: &[Ended], args: &Args, clock: &Clock) -> (Agreement, Value) {
    let mut whole = Agreement::default();
    let plants = ended.iter().map(|one| {
        let agreement = Agreement::of(&one.run, &one.reading);
        whole.add(&agreement);
        truth::of_plant(one.plant.id.as_str(), &one.run, clock, one.sent, &agreement)
    });
    let plants: Vec<Value> = plants.collect();
    let truth = json!({
        "seed": args.seed,
        "plants": plants,
        "agreement": whole.json(),
        "degraded": !args.degrade.is_none(),
    });
    (whole, truth)
}

fn sinks(run: &PlantRun) -> Vec<String> {
    let layout = run.layout();
    let machines = layout.stations.iter().filter(|station| station.is_sink);
    let machines = machines.filter_map(|station| layout.machines.get(station.machine));
    machines.map(|machine| machine.id.clone()).collect()
}

fn answer(
    ended: &[Ended],
    elapsed: Duration,
    log_bytes: u64,
    agreement: &Agreement,
    truth: Option<&Path>,
) -> Answer {
    let sum = |of: fn(&Ended) -> u64| ended.iter().map(of).sum::<u64>();
    let mut by_state: BTreeMap<&str, u64> = BTreeMap::new();
    for (state, count) in ended.iter().flat_map(|one| one.reading.by_state()) {
        *by_state.entry(state).or_default() += count;
    }
    let (events, acked, recorded) = (
        sum(|one| one.sent.events),
        sum(|one| one.sent.acknowledged),
        sum(|one| one.sent.recorded),
    );
    let machines = sum(|one| one.reading.states.len() as u64);
    let parts_good = sum(|one| one.reading.parts_good(&sinks(&one.run)));
    let millis = u64::try_from(elapsed.as_millis())
        .unwrap_or(u64::MAX)
        .max(1);
    let per_second = acked.saturating_mul(1_000) / millis;
    let positions = ended
        .iter()
        .map(|one| (one.plant.id.to_string(), json!(one.reading.position)));
    let states = by_state
        .iter()
        .map(|(state, count)| format!("{count} {state}"))
        .collect::<Vec<_>>()
        .join(", ");
    let states_json: Map<_, _> = by_state
        .iter()
        .map(|(state, count)| ((*state).to_owned(), json!(count)))
        .collect();
    let whole = json!({
        "plants": ended.len(),
        "machines": machines,
        "events": events,
        "acked": acked,
        "recorded": recorded,
        "refused": sum(|one| one.sent.refused),
        "parts_good": parts_good,
        "parts_inside": sum(|one| one.run.parts_count()),
        "by_state": states_json,
        "positions": positions.collect::<Map<_, _>>(),
        "log_bytes": log_bytes,
        "events_per_second": per_second,
        "agreement": agreement.json(),
        "truth": truth.map(|path| path.display().to_string()),
    });
    let parts = vec![
        ("plants", ended.len().to_string()),
        ("machines", machines.to_string()),
        ("states", states),
        (
            "events",
            format!("{events} sent, {acked} acknowledged, {recorded} recorded"),
        ),
        ("good cars", parts_good.to_string()),
        ("log", format!("{log_bytes} bytes")),
        ("rate", format!("{per_second} events a second")),
        ("twin and truth", agreement.text()),
    ];
    Answer::single(parts, whole)
}

/// What can be tried while it runs.
fn live_hints(url: &str, plant: &str) -> Vec<String> {
    vec![
        "what to try next, in another terminal:".to_owned(),
        format!("  export WERKBUCH_SERVER={url}"),
        format!("  werkbuch machine ls --plant {plant} --where \"state = 'FAULTED'\""),
        format!("  werkbuch machine get frame-geo --plant {plant}"),
        format!("  werkbuch plant wip --plant {plant}"),
        format!("  werkbuch event ls --plant {plant} --kind ANDON_RAISED --newest-first --limit 5"),
        format!("  werkbuch event tail --plant {plant}"),
    ]
}

/// What can be done when it is over.
fn next(data: Option<&Path>, truth: Option<&Path>, plant: &str) -> String {
    let Some(data) = data else {
        return format!(
            "what next: keep the plants and look into them\n  \
             werkbuch demo --data demo-data --for 30s\n  \
             werkbuch replay --data demo-data --plant {plant} --check\n  \
             werkbuch serve --data demo-data"
        );
    };
    let data = data.display();
    let truth = truth.map_or_else(String::new, |truth| {
        format!(", what truly was is in \"{}\"", truth.display())
    });
    format!(
        "the data are in \"{data}\"{truth}; what next:\n  \
         werkbuch replay --data {data} --plant {plant} --check\n  \
         werkbuch serve --data {data}\n  \
         werkbuch machine ls --plant {plant} --where \"state = 'FAULTED'\"\n  \
         werkbuch machine count --plant {plant}\n  \
         werkbuch event ls --plant {plant} --kind ALARM_RAISED --newest-first"
    )
}
