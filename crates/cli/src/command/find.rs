//! `werkbuch find`: when a condition held of machines, over any window of the past.

mod bar;

use super::{Instant, Scope, counted, last, time, with};
use crate::Context;
use crate::client::Client;
use crate::command::choice::Window;
use crate::command::event::machine_names;
use crate::failure::{Failure, Outcome};
use crate::output::{Answer, Format};
use crate::view::change::name_width;
use crate::view::{basis, cut, found};
use crate::when;
pub(crate) use bar::Bar;
use serde_json::{Value, json};
use werkbuch_model::time::Timestamp;
use werkbuch_wire::pb;
use werkbuch_wire::pb::FindWhich as Which;

const AFTER_HELP: &str = "\
The condition is in the syntax of `machine ls --where`, and it holds of a machine at an instant when
`machine ls --at` that instant would list it: late events and corrections count at their place in plant
time, and --known asks what was known then. Of its fields raised_rules alone is not known here. A row is a time, half-open, during which it held without a
break.

What the answer rests on is said with it: of which machines something is not known in that time, because
events were lost, a source was silent or the machine could not be reached. For first only the time up
to it counts, for last only the time from it on.

What holds at --from already counts from its true beginning, which is looked for as far back as
--look-back; a beginning beyond that is told as the earliest time looked at, marked \"or earlier\".
What holds at --to still counts up to there and is marked \"holds\". With --for only times that held so
long, reckoned so, are found.

What is read is the part of the log in which something of the window can lie, of all machines: a narrower
window is faster, a condition that names a machine is not. One machine over a long time is read faster by
`machine timeline NAME --list`, which leaves out the blocks of the log that hold nothing of it.

  werkbuch find first \"state = 'FAULTED' AND area = 'paint'\" --from \"yesterday 06:00\"
  werkbuch find all \"state = 'FAULTED'\" --from -7d --for 5m -o csv
  werkbuch find last \"wait_state = 'STARVED'\" --from shift:night@yesterday --all-plants --per-machine";

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Args {
    /// The first time at which a condition held.
    #[command(after_help = AFTER_HELP)]
    First(One),
    /// The last time at which a condition held.
    #[command(after_help = AFTER_HELP)]
    Last(One),
    /// All times at which a condition held, as they are found: in the order in which they ended.
    #[command(after_help = AFTER_HELP)]
    All(All),
}

#[derive(Debug, clap::Args)]
pub(crate) struct One {
    /// One for each machine.
    #[arg(long)]
    per_machine: bool,
    #[command(flatten)]
    of: Of,
}

#[derive(Debug, clap::Args)]
pub(crate) struct All {
    /// The most that are shown; the others are counted.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// Go on where an earlier search ended, with the same condition and the same window. What it showed
    /// is found again, which takes as long.
    #[arg(
        long,
        value_name = "TOKEN",
        default_value = "",
        hide_default_value = true
    )]
    resume: String,
    #[command(flatten)]
    of: Of,
}

/// What is searched for, and where.
#[derive(Debug, clap::Args)]
pub(crate) struct Of {
    /// The condition.
    #[arg(value_name = "SQL")]
    filter: String,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    window: Window,
    /// Only times of at least this length, such as 5m.
    #[arg(long = "for", value_name = "DURATION")]
    hold: Option<String>,
    /// How far before --from the beginning is looked for of what holds there already [default: 7d].
    #[arg(long, value_name = "DURATION")]
    look_back: Option<String>,
    /// How long a source may be silent before the answer is said not to rest on it, such as 15m
    /// [default: what its own rhythm says].
    #[arg(long, value_name = "DURATION")]
    silent_after: Option<String>,
    #[command(flatten)]
    instant: Instant,
}

/// An answer as it comes.
struct Finding<'c> {
    context: &'c Context,
    /// Whether each is shown as it is found.
    streamed: bool,
    with_plant: bool,
    /// The width of each column in a table.
    widths: Vec<usize>,
    head: pb::FindHead,
    rows: Vec<(Vec<String>, Value)>,
    shown: u64,
    token: String,
    /// Where the window was asked to end.
    to_time: Option<i64>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome<()> {
    let (which, per_machine, limit, resume, of) = match args {
        Args::First(one) => (Which::First, one.per_machine, None, String::new(), one.of),
        Args::Last(one) => (Which::Last, one.per_machine, None, String::new(), one.of),
        Args::All(all) => (Which::All, false, all.limit, all.resume, all.of),
    };
    let clocks = of.scope.clocks(context).known(&of.instant);
    let nanos = |text: &Option<String>| -> Outcome<Option<u64>> {
        let duration = text.as_deref().map(when::duration).transpose()?;
        Ok(duration.map(|one| u64::try_from(one.as_nanos()).unwrap_or(u64::MAX)))
    };
    let (from_time, to_time) = of.window.times(&clocks).await?;
    let request = pb::FindIntervalsRequest {
        parent: of.scope.parent(),
        filter: of.filter.clone(),
        from_time,
        to_time,
        which: which.into(),
        per_machine,
        hold_ns: nanos(&of.hold)?.unwrap_or(0),
        look_back_ns: nanos(&of.look_back)?,
        limit: limit.unwrap_or(0),
        instant: of.instant.message(context)?,
        resume_token: resume,
        silent_after_ms: nanos(&of.silent_after)?.map(|nanos| nanos / 1_000_000),
    };
    let client = context.client().await?;
    let mut finding = Finding {
        context,
        streamed: which == Which::All && context.output.format != Format::Json,
        with_plant: of.scope.all_plants,
        widths: found::COLUMNS.iter().map(|(_, width)| *width).collect(),
        head: pb::FindHead::default(),
        rows: Vec::new(),
        shown: 0,
        token: String::new(),
        to_time,
    };
    if !of.scope.all_plants && context.output.format == Format::Table {
        finding.fit(&client, &of.scope.plant).await;
    }
    let found = tokio::select! {
        found = finding.take(&client, request) => found,
        _ = tokio::signal::ctrl_c() => {
            let what = "the search was broken off";
            Err(Failure::new(crate::exit::Exit::Failed, "BROKEN_OFF", what.to_owned()))
        }
    };
    match found {
        Ok(end) => finding.finish(which, &end),
        Err(failure) if finding.token.is_empty() || failure.is_silent() => Err(failure),
        Err(failure) => {
            let hint = format!("go on with --resume {}", finding.token);
            Err(failure.hint(hint))
        }
    }
}

impl Finding<'_> {
    /// Makes room for the names of the machines. What is wrong with the plant the search says best.
    async fn fit(&mut self, client: &Client, plant: &str) {
        if let Ok(names) = machine_names(client, plant).await
            && let Some(width) = self.widths.get_mut(1)
        {
            *width = name_width(*width, names.values().map(String::as_str));
        }
    }

    /// Takes the answer. Errors: those of the server; it ended early.
    async fn take(
        &mut self,
        client: &Client,
        request: pb::FindIntervalsRequest,
    ) -> Outcome<pb::FindEnd> {
        let mut stream = client
            .timeline()
            .find_intervals(request)
            .await?
            .into_inner();
        let bar = Bar::new(self.context.output.quiet);
        while let Some(message) = stream.message().await? {
            if let Some(head) = message.head {
                self.head = head;
                self.headline()?;
            }
            if let Some(progress) = &message.progress {
                bar.show(progress);
            }
            for one in &message.intervals {
                let row = bar.aside(|| self.show(one));
                row?;
            }
            // Only what has been written out is behind us.
            self.token = message.resume_token;
            if let Some(end) = message.end {
                return Ok(end);
            }
        }
        let what = "the server ended the stream before the search was over";
        Err(Failure::new(
            crate::exit::Exit::Unavailable,
            "STREAM_ENDED",
            what.to_owned(),
        ))
    }

    fn columns(&self) -> impl Iterator<Item = (&'static str, usize)> + '_ {
        let columns = found::COLUMNS.iter().zip(&self.widths);
        let columns = columns.map(|((name, _), width)| (*name, *width));
        columns.filter(|(name, _)| self.with_plant || *name != "plant")
    }

    fn headline(&self) -> Outcome<()> {
        let format = self.context.output.format;
        if !self.streamed || !matches!(format, Format::Table | Format::Csv) {
            return Ok(());
        }
        let head: Vec<(String, usize)> = self
            .columns()
            .map(|(name, width)| match format {
                Format::Csv => (name.to_owned(), width),
                _ => (name.to_ascii_uppercase(), width),
            })
            .collect();
        let head: Vec<_> = head
            .iter()
            .map(|(name, width)| (name.as_str(), *width))
            .collect();
        self.context.output.streamed(&head, &Value::Null)
    }

    fn show(&mut self, one: &pb::FoundInterval) -> Outcome<()> {
        self.shown += 1;
        let (mut cells, item) = found::row(one);
        if !self.with_plant {
            cells.remove(0);
        }
        if !self.streamed {
            self.rows.push((cells, item));
            return Ok(());
        }
        let widths = self.columns().map(|(_, width)| width);
        let cells: Vec<_> = cells.iter().map(String::as_str).zip(widths).collect();
        self.context.output.streamed(&cells, &item)
    }

    /// Shows what was gathered, and tells a person what it is of.
    fn finish(self, which: Which, end: &pb::FindEnd) -> Outcome<()> {
        let mut note = self.note(which, end);
        let rests = end.basis.clone().unwrap_or_default();
        note.push('\n');
        note.push_str(&basis::note(&rests, self.with_plant));
        if self.streamed {
            // Lines for programs are followed by a note only where something is missing.
            if self.context.output.format == Format::Table || basis::is_blind(&rests) {
                self.context.output.note(&note);
            }
            return Ok(());
        }
        let columns: Vec<&'static str> = self.columns().map(|(name, _)| name).collect();
        let items: Vec<&Value> = self.rows.iter().map(|(_, item)| item).collect();
        let whole = json!({
            "from": time(Some(self.head.from_time)),
            "to": time(Some(self.head.to_time)),
            "intervals": items,
            "shown": self.shown,
            "total": end.found,
            "machines_found": end.machines,
            "machines": self.head.machines,
            "resume_token": self.token,
            "basis": basis::json(&rests),
        });
        let cut = self.head.cut.clone().unwrap_or_default();
        let whole = with(whole, [("cut", cut::json(&cut))]);
        let answer = Answer::list(&columns, self.rows).whole(whole).note(note);
        self.context.output.answer(&answer)
    }

    fn note(&self, which: Which, end: &pb::FindEnd) -> String {
        let mut note = match which {
            Which::First | Which::Last => {
                let which = if which == Which::First {
                    "first"
                } else {
                    "last"
                };
                let found = match end.found {
                    0 => "it never held".to_owned(),
                    found => format!("the {which} of {}", counted(found, "machine")),
                };
                format!("{found}, of {} machines", self.head.machines)
            }
            _ => format!(
                "{} of {} times at which it held, of {} of {} machines",
                self.shown, end.found, end.machines, self.head.machines
            ),
        };
        note.push_str(&format!(
            ", from {} to {}",
            Timestamp(self.head.from_time),
            Timestamp(self.head.to_time)
        ));
        note.push_str(&Window::cut(self.to_time, self.head.to_time));
        if self.shown < end.found && !self.token.is_empty() {
            note.push_str(&format!("; more with --resume {}", self.token));
        }
        let cut = self.head.cut.as_ref();
        match cut.map(|cut| (cut, cut.plants.as_slice())) {
            Some((_, [one])) if !self.with_plant => {
                note.push_str(&super::at_position(one.reflected.as_ref()));
            }
            Some((cut, _)) => note.push_str(&cut::note(cut)),
            None => {}
        }
        note
    }
}

/// The plant and the machine of a name.
pub(crate) fn parts_of(name: &str) -> (&str, &str) {
    (name.split('/').nth(3).unwrap_or_default(), last(name))
}
