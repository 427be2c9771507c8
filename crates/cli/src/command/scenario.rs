//! `werkbuch scenario`: files of changes, checked against a model before anything is simulated.

use super::counted;
use super::sim::study::inputs;
use crate::Context;
use crate::failure::{Failure, Outcome};
use crate::output::{Answer, Format};
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use werkbuch_sim::whatif::{Asked, Change, Model, OPERATIONS, Scenario};

/// What a new file begins with.
const HEAD: &str = "\
# A scenario: what would be if. Take the # away from what is to change, and leave the rest out.
#
# Each change may have a window: from = \"2h\" (from the start on, or a time such as 2026-03-02T08:00:00Z) and
# for = \"8h\" (or to = ...). A list of values where one is meant makes a scenario of each: factor = [0.8, 0.9].
# Names may have a * for any text, and may be a list.

name = \"what-if\"

";

/// Of each operation an example.
const EXAMPLES: &[(&str, &str)] = &[
    (
        "down",
        "machines = \"press-3\"\nfrom = \"2h\"\nfor = \"8h\"\nat_hand = \"pause\"        # or finish, scrap",
    ),
    (
        "maintenance",
        "machines = \"press-*\"\nevery = \"1d\"\ntakes = \"30m\"",
    ),
    (
        "failures",
        "machines = \"*\"\nmtbf_factor = 2.0         # or up = \"exponential(mean=8h)\"\nrepair_factor = 0.5       # or repair = \"lognormal(mean=10m, cv=0.8)\"",
    ),
    (
        "cycle",
        "machines = \"weld-*\"\nfactor = 0.9              # or time = \"lognormal(mean=62s, cv=0.05)\"",
    ),
    ("setup", "machines = \"*\"\nfactor = 0.5"),
    (
        "quality",
        "machines = \"inspection\"\nscrap = 0.01\nrework = 0.05",
    ),
    (
        "slots",
        "machines = \"test-bench\"\nadd = 1                   # or count = 3",
    ),
    (
        "buffer",
        "buffers = \"body-store\"\nfactor = 2                # or capacity = 40, add = 10",
    ),
    (
        "order",
        "buffers = \"body-store\"\nkind = \"lifo\"             # or fifo, resequencing",
    ),
    (
        "crew",
        "crews = \"repair\"\nadd = 1                   # or size = 4",
    ),
    (
        "carriers",
        "carriers = \"skid\"\ncount = 60                # or add = 10",
    ),
    (
        "demand",
        "machines = \"destacker\"\nfactor = 1.2              # or between = \"exponential(mean=55s)\"",
    ),
    (
        "limit",
        "machines = \"destacker\"\ncount = 50                # no more parts than this at once",
    ),
    ("mix", "shares = { variant-a = 0.7, variant-b = 0.3 }"),
    (
        "supply",
        "parts = \"gearbox\"\ndelay = \"2d\"              # or factor = 1.5, time = \"...\"",
    ),
    (
        "stock",
        "parts = \"gearbox\"\npieces = 40               # at the start",
    ),
    (
        "route",
        "start = \"inspection\"\nend = \"polish\"            # this way is closed",
    ),
    (
        "dispatch",
        "machines = \"paint-*\"\nrule = \"fewest_setups\"    # or shortest_time, earliest_due, priority, as_they_lie",
    ),
    (
        "open",
        "from = \"5d\"               # an extra shift; machines = \"...\" for some alone\nfor = \"8h\"",
    ),
    ("close", "from = \"1d\"\nfor = \"8h\""),
];

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Args {
    /// Write a file with an example of every operation.
    New {
        /// The file [default: to standard output].
        file: Option<PathBuf>,
    },
    /// Check files against a model: all mistakes are shown, as file:line:column.
    Check(Of),
    /// List the scenarios that files make, with what each changes.
    Ls(Of),
    /// Compare two files: what only one of them changes.
    Diff {
        /// One file.
        first: PathBuf,
        /// The other one.
        second: PathBuf,
        /// The model that they are about.
        #[arg(long, value_name = "FILE")]
        model: PathBuf,
    },
}

/// Files of changes, and what they are about.
#[derive(Debug, clap::Args)]
pub(crate) struct Of {
    /// Files of changes.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The model that they are about.
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome<()> {
    match args {
        Args::New { file } => new(file.as_deref(), context),
        Args::Check(of) => check(&of, context),
        Args::Ls(of) => list(&of, context),
        Args::Diff {
            first,
            second,
            model,
        } => diff(&first, &second, &model, context),
    }
}

fn new(file: Option<&Path>, context: &Context) -> Outcome<()> {
    let mut text = HEAD.to_owned();
    for (name, _) in OPERATIONS {
        let example = EXAMPLES.iter().find(|(of, _)| of == name);
        let lines = example.map_or("", |(_, lines)| lines).lines();
        let _ = writeln!(text, "# [[change]]\n# do = \"{name}\"");
        for line in lines {
            let _ = writeln!(text, "# {line}");
        }
        text.push('\n');
    }
    let Some(path) = file else {
        if matches!(context.asked_format(), None | Some(Format::Table)) {
            return context.output.text(&text);
        }
        let whole = json!({ "scenario": text });
        let answer = Answer::single(vec![("scenario", text)], whole);
        return context.output.asked(context.asked_format()).answer(&answer);
    };
    if path.exists() {
        let what = format!("{} is there already", path.display());
        return Err(Failure::usage(what).hint("name another file"));
    }
    std::fs::write(path, text).map_err(|error| Failure::file(path, &error))?;
    let said = format!(
        "{} written; then: werkbuch scenario check {0} --model MODEL",
        path.display()
    );
    context.output.note(&said);
    Ok(())
}

/// The model and the scenarios of files.
fn read(model: &Path, files: &[PathBuf]) -> Outcome<(Model, Vec<Scenario>)> {
    let inputs = inputs::read(model, files, (None, Asked::LEAST))?;
    let model = inputs::model(&inputs)?;
    let scenarios = inputs.scenarios(&model).map_err(inputs::refused)?;
    Ok((model, scenarios))
}

fn check(of: &Of, context: &Context) -> Outcome<()> {
    let (model, scenarios) = read(&of.model, &of.files)?;
    let changes: usize = scenarios.iter().map(|one| one.changes.len()).sum();
    let parts = vec![
        ("plant", model.plant.clone()),
        ("scenarios", scenarios.len().to_string()),
        ("changes", changes.to_string()),
    ];
    let whole = json!({ "plant": model.plant, "scenarios": scenarios.len(), "changes": changes });
    context.output.answer(&Answer::single(parts, whole))
}

fn list(of: &Of, context: &Context) -> Outcome<()> {
    let (model, scenarios) = read(&of.model, &of.files)?;
    let mut rows = Vec::new();
    for scenario in &scenarios {
        rows.extend(
            scenario
                .changes
                .iter()
                .map(|one| row(&scenario.name, one, &model)),
        );
    }
    let note = format!(
        "{} of {} in {}",
        rows.len(),
        counted(rows.len() as u64, "change"),
        counted(scenarios.len() as u64, "scenario")
    );
    context
        .output
        .answer(&Answer::list(&COLUMNS, rows).note(note))
}

const COLUMNS: [&str; 5] = ["scenario", "line", "change", "from", "to"];

fn row(scenario: &str, one: &Change, model: &Model) -> (Vec<String>, Value) {
    let (told, to) = (one.told(model), (one.to_ns < u64::MAX).then_some(one.to_ns));
    let cells = vec![
        scenario.to_owned(),
        one.line.to_string(),
        told.clone(),
        hours(one.from_ns),
        to.map_or_else(|| "the end".to_owned(), hours),
    ];
    let item = json!({
        "scenario": scenario,
        "line": one.line,
        "operation": one.operation,
        "change": told,
        "from_s": one.from_ns as f64 / 1e9,
        "to_s": to.map(|ns| ns as f64 / 1e9),
    });
    (cells, item)
}

fn hours(ns: u64) -> String {
    format!("{:.2} h", ns as f64 / 3.6e12)
}

fn diff(first: &Path, second: &Path, model: &Path, context: &Context) -> Outcome<()> {
    let (of, one) = read(model, &[first.to_path_buf()])?;
    let (_, other) = read(model, &[second.to_path_buf()])?;
    let told = |change: &Change| (change.told(&of), change.from_ns, change.to_ns);
    let only = |these: &[Scenario], those: &[Scenario]| -> Vec<(String, Change)> {
        let known: Vec<_> = those
            .iter()
            .flat_map(|one| one.changes.iter().map(&told))
            .collect();
        let all = these
            .iter()
            .flat_map(|one| one.changes.iter().map(|change| (one.name.clone(), change)));
        all.filter(|(_, change)| !known.contains(&told(change)))
            .map(|(name, change)| (name, change.clone()))
            .collect()
    };
    let mut rows = Vec::new();
    for (sign, (name, change)) in only(&one, &other)
        .into_iter()
        .map(|found| ("-", found))
        .chain(only(&other, &one).into_iter().map(|found| ("+", found)))
    {
        let (mut cells, item) = row(&name, &change, &of);
        cells.insert(0, sign.to_owned());
        rows.push((cells, super::with(item, [("side", json!(sign))])));
    }
    let note = match rows.len() {
        0 => "0 of 0 differences: both change the same".to_owned(),
        many => format!("{many} of {}", counted(many as u64, "difference")),
    };
    let columns = ["", "scenario", "line", "change", "from", "to"];
    context
        .output
        .answer(&Answer::list(&columns, rows).note(note))
}
