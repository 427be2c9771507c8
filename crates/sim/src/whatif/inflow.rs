//! What a file of behaviour says about when parts come in, in which order, and which one a machine takes first.
//!
//! ```toml
//! [[arrival]]                             # one of between, per_hour and at
//! machines = "unload"
//! per_hour = { 0h = 12, 6h = 40, 18h = 0 }  # by chance, with these rates from the start on
//! every = "24h"                           # the rates begin anew; left out: the last one holds
//!
//! [[order]]
//! machines = "unload"
//! variants = ["white", "white", "black"]  # come in this order
//! repeat = true                           # begin anew; left out: nothing comes after the last one
//!
//! [[dispatch]]
//! machines = "paint-*"
//! rule = "fewest_setups"                  # or shortest_time, earliest_due, priority
//! blocking = "before"                     # begins work only where there is room; else "after"
//! ```

use super::model::machines;
use super::reader::{Reader, Table};
use crate::kernel::ArrivalRates;
use crate::layout::Layout;
use crate::truth::{Comes, First, MachineTruth, Programme};
use std::sync::Arc;
use toml::de::DeValue;
use werkbuch_model::instant::duration_ns;
use werkbuch_model::nearest::did_you_mean;

/// The keys of a rule.
pub(super) const RULE_KEYS: &[&str] = &["machines", "rule", "variants", "within", "blocking"];

/// The rules by name.
const RULES: &[&str] = &[
    "shortest_time",
    "earliest_due",
    "fewest_setups",
    "priority",
    "as_they_lie",
];

/// Machines at which parts come in; what names another one is a mistake.
pub(super) fn sources(reader: &mut Reader<'_>, table: Table<'_>, layout: &Layout) -> Vec<usize> {
    let found = machines(reader, table, "machines", layout);
    for machine in &found {
        let mut stations = layout.stations.iter();
        if stations.any(|one| one.machine == *machine && one.source.is_some()) {
            continue;
        }
        let name = layout.machines.get(*machine);
        let what = format!(
            "no parts come in at {}",
            name.map_or("", |one| one.id.as_str())
        );
        reader.mistake(
            table.spot("machines"),
            what,
            "name a machine that is a source",
        );
    }
    found
}

/// When parts come in that do not do so at times between them; whether the table says that.
pub(super) fn comes(
    reader: &mut Reader<'_>,
    table: Table<'_>,
    layout: &Layout,
    truth: &mut [MachineTruth],
) -> bool {
    if !table.has("per_hour") && !table.has("at") {
        if table.has("every") {
            let what = "every is for rates that begin anew";
            reader.mistake(table.spot("every"), what, "add per_hour = { 0h = 12 }");
        }
        return false;
    }
    let kinds = ["between", "per_hour", "at"];
    if let Some(second) = kinds.iter().filter(|key| table.has(key)).nth(1) {
        let what = "the arrival says in two ways when parts come";
        reader.mistake(table.spot(second), what, "leave one out");
    }
    let comes = match table.has("per_hour") {
        true => rates(reader, table).map(Comes::Rates),
        false => times(reader, table).map(|times| Comes::Times(times.into())),
    };
    for machine in sources(reader, table, layout) {
        if let (Some(truth), Some(comes)) = (truth.get_mut(machine), &comes) {
            truth.arrivals = None;
            programme(truth).comes.clone_from(comes);
        }
    }
    true
}

/// In which order the variants of parts come in.
pub(super) fn order(
    reader: &mut Reader<'_>,
    table: Table<'_>,
    layout: &Layout,
    truth: &mut [MachineTruth],
) {
    reader.only(table, &["machines", "variants", "repeat"]);
    let variants = variants(reader, table, layout);
    let repeats = reader.flag(table, "repeat").unwrap_or(false);
    for machine in sources(reader, table, layout) {
        let stations = layout.stations.iter().filter(|one| one.machine == machine);
        let products: Vec<usize> = stations
            .filter_map(|one| one.source.as_ref())
            .flat_map(|source| source.products.iter().copied())
            .collect();
        let strange = variants.iter().find(|variant| {
            let of = layout.variants.get(**variant);
            of.is_none_or(|one| !products.contains(&one.product))
        });
        if let Some(of) = strange.and_then(|at| layout.variants.get(*at)) {
            let what = format!("{} is no variant of what comes in there", of.id);
            reader.mistake(table.spot("variants"), what, "name variants of its product");
        }
        if let Some(truth) = truth.get_mut(machine) {
            let programme = programme(truth);
            programme.variants = variants.clone().into();
            programme.repeats = repeats;
        }
    }
}

/// A rule, and the machines that it is for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rule {
    pub(super) machines: Vec<usize>,
    first: Option<First>,
    blocks_before: Option<bool>,
}

impl Rule {
    /// The machines keep this rule.
    pub(super) fn apply(&self, truth: &mut [MachineTruth]) {
        for machine in &self.machines {
            let Some(truth) = truth.get_mut(*machine) else {
                continue;
            };
            if let Some(first) = &self.first {
                truth.dispatch.first.clone_from(first);
            }
            let blocks = self.blocks_before;
            truth.dispatch.blocks_before = blocks.unwrap_or(truth.dispatch.blocks_before);
        }
    }

    /// The rule in words.
    pub(super) fn told(&self) -> String {
        let first = self.first.as_ref().map(|first| match first {
            First::AsTheyLie => "as they lie",
            First::ShortestTime => "shortest time",
            First::EarliestDue(_) => "earliest due",
            First::FewestSetups => "fewest set-ups",
            First::Priority(_) => "priority",
        });
        let blocks = self.blocks_before.map(|before| match before {
            true => "blocking before work",
            false => "blocking after work",
        });
        let all = first.into_iter().chain(blocks);
        all.collect::<Vec<_>>().join(", ")
    }
}

/// Which part a machine takes first, and when it is blocked.
pub(super) fn dispatch(reader: &mut Reader<'_>, table: Table<'_>, layout: &Layout) -> Rule {
    if !table.has("rule") && !table.has("blocking") {
        let what = "the dispatch has neither rule nor blocking";
        reader.mistake(table.at, what, "add rule = \"shortest_time\"");
    }
    let first = match table.has("rule") {
        true => rule(reader, table, layout),
        false => None,
    };
    let blocks_before = match reader.text(table, "blocking") {
        None => None,
        Some("before") => Some(true),
        Some("after") => Some(false),
        Some(other) => {
            let what = format!("a machine cannot block \"{other}\" its work");
            reader.mistake(table.spot("blocking"), what, "before or after");
            None
        }
    };
    let machines = machines(reader, table, "machines", layout);
    let mut stations = layout.stations.iter();
    let moves = stations.any(|one| one.section.is_some() && machines.contains(&one.machine));
    if moves && blocks_before == Some(true) {
        let what = "one of the machines advances together with others";
        let hint = "a section is blocked as a whole: leave blocking out";
        reader.mistake(table.spot("blocking"), what, hint);
    }
    Rule {
        machines,
        first,
        blocks_before,
    }
}

/// Parts come with times between them from now on.
pub(super) fn come_between(truth: &mut MachineTruth) {
    if truth.programme.is_some() {
        programme(truth).comes = Comes::Between;
    }
}

/// So many times as many parts come in; false where nothing but times between them says when.
pub(super) fn scale(truth: &mut MachineTruth, factor: f64) -> bool {
    let Some(programme) = truth.programme.as_mut().map(Arc::make_mut) else {
        return false;
    };
    programme.comes.scale(factor);
    programme.comes != Comes::Between
}

fn programme(truth: &mut MachineTruth) -> &mut Programme {
    Arc::make_mut(truth.programme.get_or_insert_with(Arc::default))
}

fn rule(reader: &mut Reader<'_>, table: Table<'_>, layout: &Layout) -> Option<First> {
    let name = reader.text(table, "rule")?;
    for (key, of) in [("variants", "priority"), ("within", "earliest_due")] {
        if table.has(key) != (name == of) {
            let what = format!("{key} belongs to the rule {of}, and it to {key}");
            reader.mistake(
                table.spot(key),
                what,
                format!("write both, or neither {key}"),
            );
        }
    }
    Some(match name {
        "shortest_time" => First::ShortestTime,
        "fewest_setups" => First::FewestSetups,
        "as_they_lie" => First::AsTheyLie,
        "priority" => First::Priority(variants(reader, table, layout).into()),
        "earliest_due" => First::EarliestDue(within(reader, table, layout).into()),
        other => {
            let hint = did_you_mean(other, RULES.iter().copied())
                .unwrap_or_else(|| format!("one of {}", RULES.join(", ")));
            reader.mistake(
                table.spot("rule"),
                format!("there is no rule \"{other}\""),
                hint,
            );
            return None;
        }
    })
}

/// The variants that a key names, in its order.
fn variants(reader: &mut Reader<'_>, table: Table<'_>, layout: &Layout) -> Vec<usize> {
    let texts = reader.texts(table, "variants");
    if texts.is_empty() {
        let what = format!("{} has no variants", table.kind);
        reader.mistake(
            table.spot("variants"),
            what,
            "add variants = [\"one\", \"two\"]",
        );
    }
    let found = texts
        .into_iter()
        .filter_map(|name| variant(reader, (table.spot("variants"), name), layout));
    found.collect()
}

fn variant(reader: &mut Reader<'_>, (at, name): (usize, &str), layout: &Layout) -> Option<usize> {
    let found = layout.variants.iter().position(|one| one.id == name);
    if found.is_none() {
        let names = layout.variants.iter().map(|one| one.id.as_str());
        let hint = did_you_mean(name, names).unwrap_or_default();
        reader.mistake(at, format!("there is no variant \"{name}\""), hint);
    }
    found
}

/// How long after it came in each variant is due; those that are not named at once.
fn within(reader: &mut Reader<'_>, table: Table<'_>, layout: &Layout) -> Vec<u64> {
    let mut found = vec![0; layout.variants.len()];
    let Some(inner) = table.inner("within") else {
        let what = "within is no table of variants";
        reader.mistake(
            table.spot("within"),
            what,
            "write within = { one = \"2h\" }",
        );
        return found;
    };
    for (name, at, _) in inner.entries() {
        let Some(of) = variant(reader, (at, name), layout) else {
            continue;
        };
        if let (Some(ns), Some(room)) = (reader.duration(inner, name), found.get_mut(of)) {
            *room = ns;
        }
    }
    found
}

/// Rates by the hour, each from a time on.
fn rates(reader: &mut Reader<'_>, table: Table<'_>) -> Option<ArrivalRates> {
    let every_ns = reader.duration(table, "every");
    let Some(inner) = table.inner("per_hour") else {
        let what = "per_hour is no table of rates";
        reader.mistake(
            table.spot("per_hour"),
            what,
            "write per_hour = { 0h = 12, 6h = 40 }",
        );
        return None;
    };
    let mut steps = Vec::new();
    for (name, at, value) in inner.entries() {
        let from_ns = duration_ns(name).and_then(|ns| u64::try_from(ns).ok());
        let rate = match value {
            DeValue::Integer(number) => number.as_str().parse::<f64>().ok(),
            DeValue::Float(number) => number.as_str().parse().ok(),
            _ => None,
        };
        match (from_ns, rate) {
            (Some(from_ns), Some(rate)) => steps.push((from_ns, rate / 3_600.0)),
            (None, _) => {
                let what = format!("\"{name}\" is no time from the start");
                reader.mistake(at, what, "write for example 6h = 40");
            }
            (_, None) => reader.mistake(at, format!("the rate from {name} on is no number"), ""),
        }
    }
    steps.sort_by_key(|(from_ns, _)| *from_ns);
    match ArrivalRates::new(&steps, every_ns) {
        Ok(rates) => Some(rates),
        Err(error) => {
            let hint = "the first one is 0h, the last one before every";
            reader.mistake(table.spot("per_hour"), format!("per_hour: {error}"), hint);
            None
        }
    }
}

/// Times from the start on, in order.
fn times(reader: &mut Reader<'_>, table: Table<'_>) -> Option<Vec<u64>> {
    let mut found: Vec<u64> = Vec::new();
    for text in reader.texts(table, "at") {
        let Some(at_ns) = duration_ns(text).and_then(|ns| u64::try_from(ns).ok()) else {
            let what = format!("at: \"{text}\" is no time from the start");
            reader.mistake(table.spot("at"), what, "write for example \"1h30m\"");
            return None;
        };
        if found.last().is_some_and(|before| at_ns < *before) {
            let what = format!("at: {text} comes before the one before it");
            reader.mistake(table.spot("at"), what, "write times in their order");
            return None;
        }
        found.push(at_ns);
    }
    Some(found)
}
