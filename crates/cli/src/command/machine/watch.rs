//! `werkbuch machine watch`: changes from the past or from now on, through lost connections and restarts.

mod live;
mod start;

use super::screen::Screen;
use crate::Context;
use crate::client::Client;
use crate::command::event::machine_names;
use crate::command::{choice, last, time};
use crate::failure::{Failure, Outcome};
use crate::interrupt::End;
use crate::line::preferred_plant;
use crate::output::Format;
use crate::view::change;
use crate::when;
use live::Live;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::time::Duration;
use tonic::Status;
use werkbuch_wire::reason::{Reason, retry_delay_of};
use werkbuch_wire::{name, pb};

/// How long to wait before the first try to connect again, and the most between two.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// Of how many plants the names are read to make room for them.
const PLANTS_FITTED: usize = 4;
/// How often a screen is brought up to date, unless said otherwise.
const SCREEN_EVERY_MS: u32 = 500;

pub(super) const AFTER_HELP: &str = "\
Changes come in the order of the log, so what was reported late or corrected comes when it was recorded.
With --from and --at the past flows into the present without a seam; a note (in JSON an item of type
caught_up) tells for each plant when it is live. There is no --known, because nothing bounds what follows.
Whoever applies each row upon the ones before, beginning
with --present, has at every position what `machine ls --known POSITION` shows.

The token that is told at the end and in heartbeats goes on where the watch has got to, after a week and
after restarts, with the same plants and the same filter.

  werkbuch machine watch --plant demo --from -2h --present
  werkbuch machine watch --plant demo --from shift:night@yesterday --where \"state = 'FAULTED'\"
  werkbuch machine watch --plant demo --at 2026-11-21T06:00:00Z --until-live -o jsonl
  werkbuch machine watch --resume TOKEN";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A plant; can be given several times. Left out: that of WERKBUCH_PLANT or of the context, and
    /// where neither names one all, also those that are created later.
    #[arg(long)]
    plant: Vec<String>,
    /// All plants, also those that are created later, whatever the context says.
    #[arg(long, conflicts_with = "plant")]
    all_plants: bool,
    #[command(flatten)]
    chosen: choice::Machines,
    /// Begin with this position, with what was recorded at this time, or behind the cut of an answer
    /// about all plants; for one plant of several PLANT=POSITION. Left out: with what is recorded from
    /// now on.
    #[arg(
        long,
        value_name = "[PLANT=]POSITION|TIME|CUT",
        allow_hyphen_values = true
    )]
    from: Vec<String>,
    /// Begin with the first event of the log that says something of this plant time or of what came
    /// after it, for what was recorded long after it happened, such as an import.
    #[arg(long, value_name = "[PLANT=]TIME", allow_hyphen_values = true)]
    at: Vec<String>,
    #[arg(long, hide = true, value_name = "POSITION", allow_hyphen_values = true, num_args = 0..=1)]
    known: Option<Option<String>>,
    /// Go on where an earlier watch ended, with the same plants and the same filter.
    #[arg(long, value_name = "TOKEN", default_value = "", hide_default_value = true, conflicts_with_all = ["from", "at", "present"])]
    resume: String,
    /// Begin with the machines that match, as they are, or with --from and --at as they were.
    #[arg(long)]
    present: bool,
    /// End when all that was there has been told, instead of going on with what is recorded.
    #[arg(long)]
    until_live: bool,
    /// At most one change for each machine in this time, the latest.
    #[arg(long, value_name = "DURATION")]
    every: Option<String>,
    /// Show machines in full (in JSON).
    #[arg(long)]
    full: bool,
    /// Stop after this long, such as 90s or 5m.
    #[arg(long = "for", value_name = "DURATION")]
    duration: Option<String>,
    /// Show heartbeats too: where each plant stands, and the token to resume with.
    #[arg(long, value_name = "DURATION", num_args = 0..=1, default_missing_value = "5s")]
    heartbeat: Option<String>,
    /// Draw the machines that match, again and again, instead of a line for each change.
    #[arg(long)]
    screen: bool,
    /// End when the connection is lost, instead of connecting again.
    #[arg(long)]
    no_reconnect: bool,
}

/// A watch on its way.
struct Watching<'c> {
    context: &'c Context,
    request: pb::WatchMachinesRequest,
    heartbeats: bool,
    reconnect: bool,
    /// Whether it is told when a plant is live: what begins with the present is so from the first.
    tells_live: bool,
    /// Which plants are live, when the watch ends as soon as all are.
    until_live: Option<Live>,
    /// Whether the names of the columns are still to be written.
    headless: bool,
    screen: Option<Screen>,
    /// The width of each column in a table.
    widths: [usize; change::COLUMNS.len()],
    /// When it ends.
    end: End,
}

/// Why a connection no longer serves.
enum Lost {
    /// It may be tried again.
    Again(Status),
    /// It may not.
    Failed(Failure),
    /// All that was there has been told, or nobody wants more.
    Over,
}

pub(crate) async fn run(mut args: Args, context: &Context) -> Outcome<()> {
    if args.known.is_some() {
        let what = "--known has no meaning here: a watch goes on with what is recorded";
        let hint = "begin in the past with --from POSITION, --from TIME or --from CUT";
        return Err(Failure::usage(what.to_owned()).hint(hint));
    }
    if args.plant.is_empty() && !args.all_plants {
        args.plant.extend(preferred_plant(context));
    }
    let duration = args.duration.as_deref().map(when::duration).transpose()?;
    let draws =
        args.screen && context.output.format == Format::Table && std::io::stdout().is_terminal();
    let mut watching = Watching {
        context,
        request: request(context, &args).await?,
        heartbeats: args.heartbeat.is_some(),
        reconnect: !args.no_reconnect,
        tells_live: !(args.from.is_empty() && args.at.is_empty() && args.resume.is_empty()),
        until_live: args.until_live.then(Live::default),
        headless: !draws,
        screen: draws.then(Screen::default),
        widths: change::COLUMNS.map(|(_, width)| width),
        end: End::after(duration),
    };
    if context.output.format == Format::Table {
        watching.fit().await?;
    }
    if draws {
        watching.request.present = args.resume.is_empty();
        if watching.request.sample_ms == 0 {
            watching.request.sample_ms = SCREEN_EVERY_MS;
        }
    }
    let end = watching.end.clone();
    let outcome = tokio::select! {
        outcome = watching.follow() => outcome,
        () = end.come() => Ok(()),
    };
    let token = &watching.request.resume_token;
    // A token that could not be gone on with is none to go on with.
    if token.is_empty() || (outcome.is_err() && *token == args.resume) {
        return outcome;
    }
    match outcome {
        Ok(()) => context.output.note(&format!("go on with --resume {token}")),
        Err(failure) if failure.is_silent() => return Err(failure),
        Err(failure) => return Err(failure.hint(format!("go on with --resume {token}"))),
    }
    Ok(())
}

async fn request(context: &Context, args: &Args) -> Outcome<pb::WatchMachinesRequest> {
    let millis = |text: &Option<String>| -> Outcome<u32> {
        let duration = text.as_deref().map(when::duration).transpose()?;
        let millis = duration.unwrap_or_default().as_millis();
        Ok(u32::try_from(millis).unwrap_or(u32::MAX))
    };
    let parents = match args.plant.as_slice() {
        [] => vec![name::of_plant("-")],
        plants => plants.iter().map(|plant| name::of_plant(plant)).collect(),
    };
    let starts = start::all(context, &args.plant, (&args.from, &args.at)).await?;
    let view = if args.full {
        pb::WatchView::Full
    } else {
        pb::WatchView::Brief
    };
    Ok(pb::WatchMachinesRequest {
        parents,
        filter: args.chosen.filter.clone(),
        starts,
        resume_token: args.resume.clone(),
        present: args.present,
        heartbeat_ms: millis(&args.heartbeat)?,
        sample_ms: millis(&args.every)?,
        view: view.into(),
    })
}

impl Watching<'_> {
    /// Makes room for the names of the machines that are there now; a few plants are asked, because rows
    /// that are shifted are no reason to read the names of a hundred.
    async fn fit(&mut self) -> Outcome<()> {
        let client = self.context.client().await?;
        let plants = self.request.parents.iter().map(|parent| last(parent));
        let plants = plants.filter(|plant| *plant != "-").take(PLANTS_FITTED);
        let mut names = Vec::new();
        for plant in plants {
            match machine_names(&client, plant).await {
                Ok(found) => names.extend(found.into_values()),
                // What is wrong with the plant the watch itself says best.
                Err(_) => return Ok(()),
            }
        }
        for (width, (column, least)) in self.widths.iter_mut().zip(change::COLUMNS) {
            if column == "machine" {
                *width = change::name_width(least, names.iter().map(String::as_str));
            }
        }
        if let Some(screen) = &mut self.screen {
            screen.fit(names.iter().map(String::as_str));
        }
        Ok(())
    }

    fn head(&mut self) -> Outcome<()> {
        if !std::mem::take(&mut self.headless)
            || !matches!(self.context.output.format, Format::Table | Format::Csv)
        {
            return Ok(());
        }
        let head = change::COLUMNS.map(|(name, _)| match self.context.output.format {
            Format::Csv => name.to_owned(),
            _ => name.to_ascii_uppercase(),
        });
        let head: Vec<_> = head.iter().map(String::as_str).zip(self.widths).collect();
        self.context.output.streamed(&head, &Value::Null)
    }

    /// Follows for ever, through lost connections, unless told otherwise.
    async fn follow(&mut self) -> Outcome<()> {
        let mut client = self.context.client().await?;
        let (mut wait, mut lost) = (BACKOFF.0, false);
        loop {
            let before = self.request.resume_token.clone();
            let status = match self.serve(&client).await {
                Lost::Failed(failure) => return Err(failure),
                Lost::Over => return Ok(()),
                Lost::Again(status) => status,
            };
            // Before the first message there is nothing that could be gone on with.
            if !self.reconnect || self.request.resume_token.is_empty() {
                return Err(status.into());
            }
            if self.request.resume_token != before {
                (wait, lost) = (BACKOFF.0, false);
            }
            if !lost {
                let why = Failure::from(status.clone()).what().to_owned();
                self.note(&format!("the stream broke off: {why}; connecting again"));
                lost = true;
            }
            loop {
                tokio::time::sleep(retry_delay_of(&status).unwrap_or_default().max(wait)).await;
                wait = wait.saturating_mul(2).min(BACKOFF.1);
                if let Ok(again) = self.context.client().await {
                    client = again;
                    break;
                }
            }
        }
    }

    /// Follows over one connection, until it is lost.
    async fn serve(&mut self, client: &Client) -> Lost {
        let begun = client.twin().watch_machines(self.request.clone()).await;
        let mut stream = match begun {
            Ok(begun) => begun.into_inner(),
            Err(status) => return lost(status),
        };
        if let Err(failure) = self.head() {
            return Lost::Failed(failure);
        }
        loop {
            match stream.message().await {
                Ok(Some(message)) => {
                    if let Err(failure) = self.show(&message) {
                        return Lost::Failed(failure);
                    }
                    // Only what has been written out is behind us.
                    self.request.resume_token = message.resume_token;
                    self.request.starts.clear();
                    // While the past is told there is always more, so nothing else would be looked at.
                    if self.until_live.as_ref().is_some_and(Live::is_all) || self.end.is_there() {
                        return Lost::Over;
                    }
                }
                Ok(None) => return Lost::Again(Status::unavailable("the server ended the stream")),
                Err(status) => return lost(status),
            }
        }
    }

    fn show(&mut self, message: &pb::WatchMachinesResponse) -> Outcome<()> {
        for lag in &message.lags {
            self.tells_live = true;
            let why = if lag.slow_reader {
                "this reader is slow"
            } else {
                "it began in the past"
            };
            self.note(&format!(
                "plant {}: positions {} to {} come from the log, {why}",
                last(&lag.plant),
                lag.from_position,
                lag.to_position
            ));
        }
        if let Some(live) = &mut self.until_live {
            live.take(message);
        }
        let output = &self.context.output;
        if let Some(screen) = &mut self.screen {
            return screen.show(message, output);
        }
        for one in &message.changes {
            let row = change::row(one);
            let cells: Vec<_> = row.iter().map(String::as_str).zip(self.widths).collect();
            let full = self.request.view == i32::from(pb::WatchView::Full);
            output.streamed(&cells, &change::json(one, full))?;
        }
        if self.tells_live {
            self.caught_up(message)?;
        }
        if message.heartbeat && self.heartbeats {
            self.heartbeat(message)?;
        }
        Ok(())
    }

    /// Plants that are live now: lines of data for programs, notes for people.
    fn caught_up(&mut self, message: &pb::WatchMachinesResponse) -> Outcome<()> {
        for at in &message.caught_up {
            let output = &self.context.output;
            let plant = last(&at.plant);
            if matches!(output.format, Format::Json | Format::Jsonl) {
                let item = json!({
                    "type": "caught_up",
                    "plant": plant,
                    "position": at.position,
                    "resume_token": message.resume_token,
                });
                output.streamed(&[], &item)?;
            } else {
                self.note(&format!(
                    "plant {plant}: live from here on, all up to position {} has been told",
                    at.position
                ));
            }
        }
        Ok(())
    }

    /// Where plants stand: a line of data for programs, a note for people.
    fn heartbeat(&mut self, message: &pb::WatchMachinesResponse) -> Outcome<()> {
        let output = &self.context.output;
        if matches!(output.format, Format::Json | Format::Jsonl) {
            let plants: BTreeMap<_, _> = message
                .plants
                .iter()
                .map(|at| {
                    let mut places = json!({ "position": at.position, "end": at.end });
                    if at.recovering {
                        places["recovering"] = json!(true);
                    }
                    (last(&at.plant).to_owned(), places)
                })
                .collect();
            let item = json!({
                "type": "heartbeat",
                "at": time(Some(when::now().nanos())),
                "plants": plants,
                "resume_token": message.resume_token,
            });
            return output.streamed(&[], &item);
        }
        let plants = message.plants.iter().map(|at| {
            let plant = last(&at.plant);
            match at.end.saturating_sub(at.position) {
                _ if at.recovering => format!("{plant} is being folded from its log"),
                0 => format!("{plant} at {}", at.position),
                behind => format!("{plant} at {}, {behind} to go", at.position),
            }
        });
        let plants = plants.collect::<Vec<_>>().join("; ");
        self.note(&format!(
            "heartbeat {}: {plants}",
            when::shown(Some(when::now().nanos()))
        ));
        Ok(())
    }

    fn note(&mut self, text: &str) {
        match &mut self.screen {
            Some(screen) => screen.note(text),
            None => self.context.output.note(text),
        }
    }
}

/// Whether a stream that broke off may be gone on with.
fn lost(status: Status) -> Lost {
    match Reason::of(&status) {
        None
        | Some(
            Reason::ShuttingDown
            | Reason::PlantRecovering
            | Reason::SlowReader
            | Reason::Overloaded
            | Reason::CallTimeout,
        ) => Lost::Again(status),
        Some(_) => Lost::Failed(status.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_passes_is_tried_again() {
        assert!(matches!(lost(Status::unavailable("gone")), Lost::Again(_)));
        assert!(matches!(
            lost(Reason::SlowReader.status("x")),
            Lost::Again(_)
        ));
        for reason in [
            Reason::InvalidResumeToken,
            Reason::UnknownPlant,
            Reason::InvalidFilter,
        ] {
            assert!(
                matches!(lost(reason.status("x")), Lost::Failed(_)),
                "{reason:?}"
            );
        }
    }
}
