//! `werkbuch machine timeline`: what machines did over a window, drawn or as intervals.

pub(crate) mod band;
pub(crate) mod fetch;
mod legend;
pub(crate) mod svg;

use crate::Context;
use crate::command::choice::{self, Window};
use crate::command::{Instant, Scope, at_position, counted, last, reflected, with};
use crate::failure::{Failure, Outcome};
use crate::output::{Answer, Format};
use crate::view::{cut, inferred, timeline};
use fetch::Lines;
use serde_json::{Value, json};
use std::path::PathBuf;
use werkbuch_model::time::Timestamp;
use werkbuch_wire::pb;

const AFTER_HELP: &str = "\
An interval ends when the state, its reason, the mode, the main program or the order changes, or where
something that was said is lost (uncovered). Intervals are half-open; one that nothing has ended is open.
The state of the first one is folded from all that came before. Late events and corrections restate the
past; --known shows it as it was known.

Why a machine waits that does not say so itself is inferred from its neighbours and buffers, where parts pass
it; the list notes it (waits in JSON), with the cause and for how long it held. In drawings < is a wait for
parts and > a blocked outlet, in columns that the machine itself says only WAITING or IDLE of; what it says
itself has letters (s, b). The legend counts them apart, with the causes that held the longest. To find them
out takes the events of all machines of the plant; --no-causes leaves them out.

In the terminal a column shows the state that held the longest in its time; below it stands the worst
state in it where that is another, so that no fault is too short to be seen.

  werkbuch machine timeline press-3 --from \"yesterday 06:00\" --to \"yesterday 14:00\"
  werkbuch machine timeline --where \"area = 'paint'\" --from shift:night@yesterday --svg night.svg
  werkbuch machine timeline --all-plants --where \"state = 'FAULTED'\" --from -8h
  werkbuch machine timeline press-3 --from -2h --buckets 120 -o csv";

/// The buckets of a drawing as SVG, unless asked for otherwise.
const SVG_BUCKETS: u32 = 1_600;

#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// The machines: names, former names or numbers. Left out: all of the plant.
    machines: Vec<String>,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    chosen: choice::Machines,
    #[command(flatten)]
    window: Window,
    /// Divide the window into this many equal parts: the columns of a drawing, and instead of intervals
    /// in the other forms.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    buckets: Option<u32>,
    /// List the intervals in a table instead of drawing them.
    #[arg(long, conflicts_with = "svg")]
    list: bool,
    /// Leave out why machines wait that do not say so themselves. To find it out takes the events of all
    /// machines of the plant.
    #[arg(long)]
    no_causes: bool,
    /// Write an SVG drawing to this file (`-` for standard output).
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    #[command(flatten)]
    instant: Instant,
}

pub(super) async fn run(args: Args, context: &Context) -> Outcome<()> {
    if args.scope.all_plants && !args.machines.is_empty() {
        let what = "machines are named by their plant, and all plants are asked";
        let hint = "name the plant with --plant, or choose machines with --where";
        return Err(Failure::usage(what).hint(hint));
    }
    let clocks = args.scope.clocks(context).known(&args.instant);
    let (from_time, to_time) = args.window.times(&clocks).await?;
    let table = context.output.format == Format::Table;
    let drawn = args.svg.is_some() || (table && !args.list);
    let buckets = match (&args.svg, args.buckets) {
        (_, Some(buckets)) => buckets,
        (Some(_), None) => SVG_BUCKETS,
        (None, None) if drawn => band::columns(),
        (None, None) => 0,
    };
    let request = pb::StreamTimelinesRequest {
        parent: args.scope.parent(),
        machines: args.machines.clone(),
        filter: args.chosen.filter.clone(),
        from_time,
        to_time,
        buckets,
        without_intervals: drawn || args.buckets.is_some(),
        instant: args.instant.message(context)?,
        resume_token: String::new(),
        with_waits: !args.no_causes,
    };
    let client = context.client().await?;
    let lines = match args.scope.all_plants {
        true => fetch::group(&client, request, buckets).await?,
        false => fetch::all(&client, request, buckets).await?,
    };
    let cut = Window::cut(to_time, lines.head.to_time);
    if let Some(path) = &args.svg {
        return write(context, path, &lines, &cut);
    }
    if drawn {
        let drawing = band::draw(&lines, context.output.color());
        context.output.text(&drawing)?;
        context.output.note(&format!("{}{cut}", note(&lines)));
        return Ok(());
    }
    context
        .output
        .answer(&answer(&lines, args.buckets.is_some(), &cut))
}

fn write(context: &Context, path: &std::path::Path, lines: &Lines, cut: &str) -> Outcome<()> {
    let image = svg::draw(lines);
    if path.as_os_str() == "-" {
        return context.output.text(&image);
    }
    std::fs::write(path, image).map_err(|error| Failure::file(path, &error))?;
    let drawn = format!("{}{cut}; drawn to {}", note(lines), path.display());
    context.output.note(&drawn);
    Ok(())
}

/// The intervals, or the buckets, as rows; as JSON by machine.
fn answer(lines: &Lines, buckets: bool, cut_short: &str) -> Answer {
    let mut rows: Vec<(Vec<String>, Value)> = Vec::new();
    let mut machines = Vec::new();
    for machine in &lines.machines {
        let name = &lines.label(machine);
        let before = rows.len();
        if buckets {
            rows.extend(machine.buckets.iter().map(|one| {
                let times = (lines.border(one.bucket), lines.border(one.bucket + 1));
                timeline::bucket(name, times, one)
            }));
        } else {
            rows.extend(
                machine
                    .intervals
                    .iter()
                    .map(|one| timeline::interval(name, one)),
            );
        }
        let items = rows.iter().skip(before).map(|(_, item)| item.clone());
        let items: Vec<Value> = items.collect();
        let key = if buckets { "buckets" } else { "intervals" };
        let sums = machine.sums.iter().map(timeline::sum);
        machines.push(json!({
            "plant": fetch::plant(machine),
            "machine": last(&machine.name),
            "number": machine.number,
            key: items,
            "sums": sums.collect::<Vec<_>>(),
            "uncovered_ns": machine.uncovered_ns,
            "inferred": machine.inferred.iter().map(inferred::sum).collect::<Vec<_>>(),
            "total": machine.intervals_size,
        }));
    }
    let head = &lines.head;
    let whole = json!({
        "from": crate::command::time(Some(head.from_time)),
        "to": crate::command::time(Some(head.to_time)),
        "machines": machines,
        "shown": lines.machines.len(),
        "total": head.total_size,
        "complete": head.complete,
    });
    let whole = match &lines.cut {
        None => with(whole, reflected(head.reflected.as_ref())),
        Some(of) => with(whole, [("cut", cut::json(of))]),
    };
    let columns = match buckets {
        true => &timeline::BUCKET_COLUMNS[..],
        false => &timeline::COLUMNS[..],
    };
    let note = format!("{}{cut_short}", note(lines));
    Answer::list(columns, rows).whole(whole).note(note)
}

fn note(lines: &Lines) -> String {
    let head = &lines.head;
    let intervals: u64 = lines
        .machines
        .iter()
        .map(|one| u64::from(one.intervals_size))
        .sum();
    let unread = match head.complete {
        true => String::new(),
        false => format!(
            "; the window was too large to be read at once: what was recorded after position {} is missing",
            head.last_position
        ),
    };
    format!(
        "{} of {} from {} to {}, {}{}{unread}",
        lines.machines.len(),
        counted(u64::from(head.plant_size), "machine"),
        Timestamp(head.from_time),
        Timestamp(head.to_time),
        counted(intervals, "interval"),
        match &lines.cut {
            None => at_position(head.reflected.as_ref()),
            Some(of) => cut::note(of),
        },
    )
}
