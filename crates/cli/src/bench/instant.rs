//! `bench instant`: a plant as it was at instants by chance, out of a long log.

use super::Figures;
use super::fill::{self, Reporter};
use super::folder::Folder;
use super::measure::{percentile, rounded};
use super::mix::{self, Numbers, Talker};
use crate::Context;
use crate::command::serve::engine_failure;
use crate::failure::{Failure, Outcome};
use crate::output::Output;
use crate::when;
use futures::future::try_join_all;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use werkbuch_engine::{Engine, Plant};
use werkbuch_model::id::{MachineNumber, PlantId, Position};
use werkbuch_model::instant::{Instant as Asked, Known};
use werkbuch_model::time::Timestamp;

const PLANT: &str = "bench";
/// Sources that report side by side.
const SOURCES: u64 = 4;
/// Events of one batch: what a gateway has gathered in some tenths of a second.
const BATCH: usize = 256;
/// By how much late events come late at most.
const LATE_NS: u64 = 600_000_000_000;
/// So many questions go before those that count: until as many plants are kept as the engine keeps, each
/// one gets its memory from the system.
const WARM_UP: u64 = 50;
/// Between two samples of how fast events are taken.
const TAKING: Duration = Duration::from_millis(500);
/// It is not waited longer than this for marks between others.
const DIVIDED_MAX: Duration = Duration::from_secs(300);

/// The figures of questions about plants: of all, of those at a time, of those known at a position.
const PLANT_FIGURES: [[&str; 2]; 3] = [
    ["plant_p50_ms", "plant_p99_ms"],
    ["plant_at_p50_ms", "plant_at_p99_ms"],
    ["plant_known_p50_ms", "plant_known_p99_ms"],
];
/// The same of machines.
const MACHINE_FIGURES: [[&str; 2]; 3] = [
    ["machine_p50_ms", "machine_p99_ms"],
    ["machine_at_p50_ms", "machine_at_p99_ms"],
    ["machine_known_p50_ms", "machine_known_p99_ms"],
];

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many events the log is to have.
    #[arg(long, default_value_t = 50_000_000, value_name = "N", value_parser = clap::value_parser!(u64).range(1_000..))]
    events: u64,
    /// How many machines report them.
    #[arg(long, default_value_t = 5_000, value_name = "N", value_parser = clap::value_parser!(u64).range(4..=100_000))]
    machines: u64,
    /// How many questions of each sort are asked.
    #[arg(long, default_value_t = 500, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    questions: u64,
    /// Keep a mark of the past every so many events [default: as `serve` does].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    past_every: Option<u64>,
    /// One event of so many comes late, by up to ten minutes; 0 for none.
    #[arg(long, default_value_t = 200, value_name = "N")]
    late_of: u64,
    /// Which of the possible logs: the same seed makes the same events.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Keep the data in this folder; a log that is there is used as it is.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// Those who report, each with its machines.
struct Sources {
    reporters: Vec<Gateway>,
}

struct Gateway {
    number: u64,
    reporter: Reporter,
    numbers: Numbers,
    talkers: Vec<Talker>,
    /// One event of so many is late.
    late_of: u64,
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome<Figures> {
    let folder = Folder::new(args.data.as_deref())?;
    let new = !folder.has_log();
    let engine = fill::open_marked(folder.path(), args.past_every).await?;
    let plant = PlantId::new(PLANT).map_err(|error| Failure::usage(error.to_string()))?;
    if new {
        fill::describe(&engine, fill::plant_file(PLANT, args.machines)?).await?;
    }
    let mut sources = Sources::open(&engine, &plant, &args).await?;
    if new {
        let bar = fill::bar(&context.output, args.events, "writing the log");
        let mut said = 0;
        while said < args.events {
            said += sources.round().await?;
            bar.set_position(said.min(args.events));
        }
        bar.finish_and_clear();
    }
    let plant = engine
        .plant(&plant)
        .map_err(|error| engine_failure(&error))?;
    context.output.note("asking");
    let divided = divided(&plant, &context.output).await;
    let (begin, end) = span(&plant).await?;
    if !new {
        sources.go_on(end);
    }
    let asked = Questions {
        plant: plant.clone(),
        numbers: Numbers::new(args.seed.wrapping_add(77)),
        begin,
        end,
        last: plant.position().get(),
        late: Vec::new(),
    };
    let mut figures = asked.run(args.questions, args.machines).await?;
    context
        .output
        .note("reporting, alone and while somebody asks");
    let slowdown = slowdown(&mut sources, &plant, args.seed).await?;
    let marks = plant.marks();
    figures.add("marks", marks.count);
    figures.add("marks_between_seconds", rounded(divided.as_secs_f64()));
    figures.add("marks_far", marks.long);
    let events = plant.position().get().max(1) as f64;
    figures.add(
        "snapshot_bytes_per_event",
        rounded(marks.bytes as f64 / events),
    );
    figures.add("ingest_slowdown", rounded(slowdown));
    figures.add("log_bytes", folder.bytes_below("log"));
    figures.add("mix", mix::SAID);
    fill::close(engine).await?;
    Ok(figures)
}

impl Sources {
    async fn open(engine: &Engine, plant: &PlantId, args: &Args) -> Outcome<Self> {
        let own = args.machines / SOURCES;
        let open = (0..SOURCES).map(|number| async move {
            let name = format!("gateway-{number}");
            let events = args.events / SOURCES;
            let reporter = Reporter::open(engine, plant, &name, events).await?;
            Outcome::Ok(Gateway {
                number,
                reporter: reporter.in_batches_of(BATCH),
                numbers: Numbers::new(args.seed.wrapping_mul(31).wrapping_add(number)),
                talkers: (0..own).map(|_| Talker::default()).collect(),
                late_of: args.late_of,
            })
        });
        Ok(Self {
            reporters: try_join_all(open).await?,
        })
    }

    /// What they say next happens after that.
    fn go_on(&mut self, at: Timestamp) {
        for gateway in &mut self.reporters {
            gateway.reporter.go_on(at);
        }
    }

    /// Each source reports a batch; all of them are waited for. Answers how many events they said.
    async fn round(&mut self) -> Outcome<u64> {
        let said = self.reporters.iter_mut().map(Gateway::say);
        try_join_all(said).await?;
        Ok(SOURCES * BATCH as u64)
    }
}

impl Gateway {
    async fn say(&mut self) -> Outcome<()> {
        for _ in 0..BATCH {
            let at = self.numbers.below(self.talkers.len() as u64);
            let is_late = self.late_of > 0 && self.numbers.below(self.late_of) == 0;
            let late = match is_late {
                true => self.numbers.below(LATE_NS).cast_signed(),
                false => 0,
            };
            let Some(talker) = usize::try_from(at)
                .ok()
                .and_then(|at| self.talkers.get_mut(at))
            else {
                continue;
            };
            let body = talker.next(&mut self.numbers);
            let machine = at * SOURCES + self.number + 1;
            self.reporter.say_late(machine, body, late).await?;
        }
        Ok(())
    }
}

/// Waits until marks are put where they were left out, as a plant does once it has time. Answers how long
/// that took.
async fn divided(plant: &Plant, output: &Output) -> Duration {
    let (began, left) = (Instant::now(), plant.marks().long);
    if left == 0 {
        return Duration::ZERO;
    }
    let bar = fill::bar(output, left, "putting marks where they were left out");
    loop {
        let now = plant.marks().long;
        bar.set_position(left.saturating_sub(now));
        if now == 0 || began.elapsed() > DIVIDED_MAX {
            bar.finish_and_clear();
            return began.elapsed();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// From when until when the log tells: the last time in its first hundredth, and in all of it.
async fn span(plant: &Plant) -> Outcome<(Timestamp, Timestamp)> {
    let early = Known::Position(Position(plant.position().get().div_ceil(100)));
    Ok((
        latest(plant, early).await?,
        latest(plant, Known::Now).await?,
    ))
}

async fn latest(plant: &Plant, known: Known) -> Outcome<Timestamp> {
    let asked = plant.ask(Asked { known, at: None }, |twin| {
        let machines = twin.machines();
        machines.filter_map(|machine| machine.last_event_at()).max()
    });
    let (latest, _) = asked.await.map_err(|error| engine_failure(&error))?;
    Ok(latest.unwrap_or_else(when::now))
}

/// Questions by chance over the whole log.
struct Questions {
    plant: Plant,
    numbers: Numbers,
    begin: Timestamp,
    end: Timestamp,
    last: u64,
    /// How many events came late to the times asked about.
    late: Vec<u64>,
}

impl Questions {
    async fn run(mut self, count: u64, machines: u64) -> Outcome<Figures> {
        // Of plants and of machines: those at a time, and those known at a position.
        let mut plants = [Vec::new(), Vec::new()];
        let mut singles = [Vec::new(), Vec::new()];
        let mut both = Vec::new();
        for question in 0..WARM_UP {
            let instant = self.either(question);
            self.ask(instant, None).await?;
        }
        for question in 0..count {
            // What happened by then as it is known now, and what was known then.
            let way = usize::from(question % 2 == 1);
            let instant = self.either(question);
            let took = self.ask(instant, None).await?;
            plants[way].push(took);
            // Another instant: the same one again would be answered from memory.
            let instant = self.either(question);
            let number = self.numbers.below(machines) + 1;
            let took = self.ask(instant, Some(number)).await?;
            singles[way].push(took);
            let known = self.known();
            let at = self.at().at;
            both.push(self.ask(Asked { at, ..known }, None).await?);
        }
        let millis = |sample: &mut [u64], percent| match percentile(sample, percent) {
            Some(nanos) => rounded(nanos as f64 / 1e6),
            None => Value::Null,
        };
        let mut figures = Figures::default();
        figures.add("events", self.last);
        figures.add("machines", machines);
        figures.add("questions", count);
        for (names, [at, known]) in [
            (PLANT_FIGURES, &mut plants),
            (MACHINE_FIGURES, &mut singles),
        ] {
            let mut all = [at.as_slice(), known.as_slice()].concat();
            for ([p50, p99], sample) in names.into_iter().zip([&mut all, at, known]) {
                figures.add(p50, millis(sample, 50));
                figures.add(p99, millis(sample, 99));
            }
        }
        figures.add("both_past_p50_ms", millis(&mut both, 50));
        figures.add("both_past_p99_ms", millis(&mut both, 99));
        figures.add("late_events_p50", percentile(&mut self.late, 50));
        Ok(figures)
    }

    fn either(&mut self, question: u64) -> Asked {
        match question % 2 {
            0 => self.at(),
            _ => self.known(),
        }
    }

    fn at(&mut self) -> Asked {
        let span = self.end.nanos().saturating_sub(self.begin.nanos()).max(1);
        let into = self.numbers.below(span.cast_unsigned()).cast_signed();
        Asked {
            known: Known::Now,
            at: Some(self.begin.plus(into)),
        }
    }

    fn known(&mut self) -> Asked {
        Asked {
            known: Known::Position(Position(self.numbers.below(self.last) + 1)),
            at: None,
        }
    }

    /// How long it took until the state stood in memory, in nanoseconds.
    async fn ask(&mut self, instant: Asked, machine: Option<u64>) -> Outcome<u64> {
        let begin = Instant::now();
        let asked = match machine {
            None => self.plant.ask(instant, |twin| twin.position().get()).await,
            Some(number) => {
                let number = MachineNumber(u32::try_from(number).unwrap_or(u32::MAX));
                let asked = self.plant.ask_machine(
                    instant,
                    move |_| Some(number),
                    move |twin| {
                        let machine = twin.machine(number);
                        Some(machine.map_or(0, |machine| machine.view().last_position.get()))
                    },
                );
                asked.await
            }
        };
        let took = u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let (_, reflected) = asked.map_err(|error| engine_failure(&error))?;
        self.late.extend(reflected.late);
        Ok(took)
    }
}

/// How much longer events take while somebody asks for the past without a pause: 1 for no longer.
/// Both are measured in turn, so that what else the machine does meets both.
async fn slowdown(sources: &mut Sources, plant: &Plant, seed: u64) -> Outcome<f64> {
    let (mut alone, mut beside) = (0.0, 0.0);
    for round in 0..6 {
        alone += rate(sources).await?;
        let over = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&over);
        let plant = plant.clone();
        let mut numbers = Numbers::new(seed.wrapping_add(round));
        let asking = tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let known = numbers.below(plant.position().get()) + 1;
                let instant = Asked {
                    known: Known::Position(Position(known)),
                    at: None,
                };
                let _ = plant.ask(instant, |twin| twin.position()).await;
            }
        });
        beside += rate(sources).await?;
        over.store(true, Ordering::Relaxed);
        let _ = asking.await;
    }
    Ok(alone / f64::max(beside, 1.0))
}

/// Events a second for a while.
async fn rate(sources: &mut Sources) -> Outcome<f64> {
    let (begin, mut said) = (Instant::now(), 0);
    while begin.elapsed() < TAKING {
        said += sources.round().await?;
    }
    Ok(said as f64 / begin.elapsed().as_secs_f64())
}
