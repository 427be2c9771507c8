//! The commands, one module for each noun.

pub(crate) mod aspect;
pub(crate) mod choice;
pub(crate) mod completion;
pub(crate) mod context;
pub(crate) mod diff;
pub(crate) mod event;
pub(crate) mod export;
pub(crate) mod find;
pub(crate) mod import;
#[cfg(test)]
mod instants;
pub(crate) mod log;
pub(crate) mod machine;
pub(crate) mod man;
pub(crate) mod paging;
pub(crate) mod plant;
pub(crate) mod quality;
pub(crate) mod replay;
pub(crate) mod rule;
pub(crate) mod scenario;
pub(crate) mod serve;
pub(crate) mod server;
pub(crate) mod sim;
pub(crate) mod twin;
pub(crate) mod wip;

use crate::Context;
use crate::failure::{Failure, Outcome};
use crate::when::{self, Clocks};
use serde_json::{Value, json};
use std::path::Path;
use werkbuch_model::instant::FORMS;
use werkbuch_model::time::SECOND_NS;
use werkbuch_wire::{name, pb};

/// How long a live source says nothing until a note tells so: five minutes.
const QUIET_NS: i64 = 300 * SECOND_NS;
/// How many of them a note names.
const QUIET_SHOWN: usize = 3;

/// The point that a question is asked about.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Instant {
    /// Plant time: leave out events that took effect after it. A time with its offset, before now
    /// (-2h), by the plant's clocks ("yesterday 06:00"), or a shift (shift:night@2026-11-21).
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    at: Option<String>,
    /// Know only what had been recorded up to this position or time (in the same forms), or by the cut of
    /// an answer about all plants.
    #[arg(
        long,
        value_name = "POSITION|TIME|CUT|@FILE",
        allow_hyphen_values = true
    )]
    known: Option<String>,
}

impl Instant {
    /// Whether one was given; else the question is about the present.
    pub(crate) fn is_given(&self) -> bool {
        self.at.is_some() || self.known.is_some()
    }

    /// As a message. The token of a cut may stand in a file: `--known @FILE`. Errors: the file cannot be
    /// read.
    pub(crate) fn message(&self, context: &Context) -> Outcome<Option<pb::Instant>> {
        if self.at.as_deref().is_some_and(|at| at.trim().is_empty()) {
            let what = "the time that is asked about is empty";
            let hint = format!("leave it out to ask about the present; {FORMS}");
            return Err(Failure::usage(what).hint(hint));
        }
        let known = self.known_text()?;
        let (at, known) = (self.at.as_deref(), known.as_deref());
        Ok(when::instant(at, known, context.tz.as_deref()))
    }

    /// What `--known` says; of a file what stands in it. Errors: it cannot be read.
    pub(crate) fn known_text(&self) -> Outcome<Option<String>> {
        let known = self.known.as_deref();
        let read = match known.and_then(|text| text.strip_prefix('@')) {
            Some(path) => {
                let path = Path::new(path);
                let text = std::fs::read_to_string(path);
                let text = text.map_err(|error| Failure::file(path, &error))?;
                Some(token_of(path, text)?)
            }
            None => None,
        };
        let known = read.as_deref().map(str::trim).or(known);
        Ok(known.map(str::to_owned))
    }
}

/// The token of a cut in a file: alone, or in an answer that was kept as JSON. Errors: that has none.
fn token_of(path: &Path, text: String) -> Outcome<String> {
    if !text.trim_start().starts_with('{') {
        return Ok(text);
    }
    let answer: Value = serde_json::from_str(&text).unwrap_or_default();
    let token = [&answer["cut"]["token"], &answer["token"]];
    let token = token.into_iter().find_map(Value::as_str);
    token.map(str::to_owned).ok_or_else(|| {
        let what = format!("\"{}\" is no answer that holds a cut", path.display());
        let hint =
            "keep one of an answer about all plants, such as machine ls --all-plants -o json";
        Failure::usage(what).hint(hint)
    })
}

/// `--at` and `--known` where a question has no instant: they are not in the help, and say why.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct NoInstant {
    #[arg(long, hide = true, value_name = "TIME", allow_hyphen_values = true, num_args = 0..=1)]
    at: Option<Option<String>>,
    #[arg(long, hide = true, value_name = "POSITION", allow_hyphen_values = true, num_args = 0..=1)]
    known: Option<Option<String>>,
}

impl NoInstant {
    /// Errors: an instant was given after all; `why` there is none, and `hint` what to do instead.
    pub(crate) fn refuse(&self, why: &str, hint: &str) -> Outcome<()> {
        let flag = match (&self.at, &self.known) {
            (None, None) => return Ok(()),
            (Some(_), _) => "--at",
            (None, Some(_)) => "--known",
        };
        Err(Failure::usage(format!("{flag} has no meaning here: {why}")).hint(hint))
    }
}

/// The plant that a question is about, or all plants at once.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Scope {
    /// The plant.
    #[arg(long)]
    pub(crate) plant: String,
    /// All plants at one instant.
    #[arg(long)]
    pub(crate) all_plants: bool,
}

impl Scope {
    /// The name that the question is put to.
    pub(crate) fn parent(&self) -> String {
        match self.all_plants {
            true => name::of_plant("-"),
            false => name::of_plant(&self.plant),
        }
    }

    /// The clocks of the plant; of all plants there are none but those of --tz.
    pub(crate) fn clocks<'c>(&'c self, context: &'c Context) -> Clocks<'c> {
        context.clocks((!self.all_plants).then_some(self.plant.as_str()))
    }
}

/// What an answer reflects and of how much it can speak, as JSON members.
pub(crate) fn reflected(reflected: Option<&pb::Reflected>) -> [(&'static str, Value); 9] {
    let position = reflected.map_or(0, |reflected| reflected.position);
    let recorded_at = reflected
        .map(|reflected| reflected.recorded_at)
        .filter(|time| *time != 0);
    let at = reflected.and_then(|reflected| reflected.at);
    [
        ("position", json!(position)),
        ("recorded_at", time(recorded_at)),
        ("at", time(at)),
        (
            "known_recorded_at",
            time(reflected.and_then(|of| of.known_recorded_at)),
        ),
        ("as_of", time(reflected.map(|of| of.as_of))),
        (
            "time_zone",
            reflected.map_or(Value::Null, |of| json!(of.time_zone)),
        ),
        ("coverage", coverage(reflected)),
        ("sources_heard", sources_heard(reflected)),
        (
            "late_events",
            reflected
                .and_then(|of| of.late_events)
                .map_or(Value::Null, |late| json!(late)),
        ),
    ]
}

fn coverage(reflected: Option<&pb::Reflected>) -> Value {
    let coverage = reflected.and_then(|of| of.coverage.as_ref());
    coverage.map_or(
        Value::Null,
        |of| json!({ "machines_heard": of.machines_heard, "machines": of.machines }),
    )
}

fn sources_heard(reflected: Option<&pb::Reflected>) -> Value {
    let Some(of) = reflected.filter(|of| of.coverage.is_some()) else {
        return Value::Null;
    };
    let sources = of.sources.iter().map(|one| {
        json!({
            "source": one.source,
            "last": time(one.last_effective_at),
            "age_s": one.age_ns.map(|age| age / SECOND_NS),
            "live": one.live,
        })
    });
    let sources: Vec<Value> = sources.collect();
    json!({ "sources": sources, "shown": of.sources.len(), "total": of.sources_total })
}

/// A time as JSON: RFC 3339 or null.
pub(crate) fn time(nanos: Option<i64>) -> Value {
    nanos.map_or(Value::Null, |nanos| json!(when::shown(Some(nanos))))
}

/// So many of something, whose word is counted with an `s`.
pub(crate) fn counted(number: u64, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

/// The last part of a name such as tenants/default/plants/P.
pub(crate) fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// What an answer reflects and what it has not heard of, as the end of a note; nothing where it does not
/// say.
pub(crate) fn at_position(reflected: Option<&pb::Reflected>) -> String {
    let Some(of) = reflected else {
        return String::new();
    };
    let mut note = format!(", at position {}", of.position);
    if let Some(by) = of.known_recorded_at {
        note.push_str(&format!(
            " (what was recorded by {})",
            when::shown(Some(by))
        ));
    }
    if let Some(at) = of.at {
        note.push_str(&format!(", in the plant at {}", when::shown(Some(at))));
    }
    if let Some(coverage) = &of.coverage
        && coverage.machines_heard < coverage.machines
    {
        let (heard, all) = (coverage.machines_heard, coverage.machines);
        note.push_str(&format!("; {heard} of {all} machines heard"));
    }
    let old = |one: &&pb::SourceHeard| one.live && one.age_ns.is_some_and(|age| age > QUIET_NS);
    let old: Vec<_> = of.sources.iter().filter(old).collect();
    for one in old.iter().take(QUIET_SHOWN) {
        let last = when::shown(one.last_effective_at);
        note.push_str(&format!("; {} last heard for {last}", one.source));
    }
    if old.len() > QUIET_SHOWN {
        let more = counted((old.len() - QUIET_SHOWN) as u64, "source");
        note.push_str(&format!(" and {more} more not for long"));
    }
    note
}

/// How the rest of a list is had, as the end of a note; nothing on the last page.
pub(crate) fn more(next_page_token: &str) -> String {
    match next_page_token {
        "" => String::new(),
        token => format!("; more with --page-token {token} or --all"),
    }
}

/// An object with these members behind its own.
pub(crate) fn with(
    mut object: Value,
    members: impl IntoIterator<Item = (&'static str, Value)>,
) -> Value {
    if let Value::Object(map) = &mut object {
        map.extend(
            members
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value)),
        );
    }
    object
}
