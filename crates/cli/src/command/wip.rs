//! `werkbuch plant wip`: where the parts of a plant are.

use super::paging::Paging;
use super::{Instant, at_position, counted, more, reflected, time, with};
use crate::Context;
use crate::failure::Outcome;
use crate::output::Answer;
use crate::when;
use clap::ValueEnum;
use serde_json::{Value, json};
use werkbuch_wire::{name, pb};

const COLUMNS: [&str; 10] = [
    "by", "location", "parts", "bounds", "method", "capacity", "oldest", "drift", "since",
    "because",
];

pub(crate) const AFTER_HELP: &str = "\
Methods, from the best to the worst: TRACKED (each part is known by itself), REPORTED (the buffer says its
level), COUNTED (an inventory, nothing moved since), ESTIMATED (the last inventory and what counters say
since, or the machine's state), UNKNOWN. Bounds are what the number can be, whatever was lost on the way;
drift is how many parts more than shown the counters say since the last inventory.";

/// What rows are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum By {
    /// Buffers.
    Buffer,
    /// Machines that parts pass.
    Machine,
    /// Units: everything in them.
    Unit,
    /// Variants, as far as parts are tracked.
    Variant,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The plant.
    #[arg(long)]
    plant: String,
    /// Only places in this unit, at any depth.
    #[arg(long, default_value = "", hide_default_value = true)]
    unit: String,
    /// What rows are about.
    #[arg(long, value_delimiter = ',', default_values_t = [By::Buffer, By::Machine])]
    by: Vec<By>,
    #[command(flatten)]
    paging: Paging,
    #[command(flatten)]
    instant: Instant,
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome<()> {
    let client = context.client().await?;
    let kinds = args.by.iter().map(|by| i32::from(by.kind()));
    let mut request = pb::ListWipRequest {
        parent: name::of_plant(&args.plant),
        kinds: kinds.collect(),
        unit: args.unit,
        page_size: args.paging.size(),
        page_token: args.paging.page_token,
        instant: args.instant.message(context)?,
    };
    let mut rows = Vec::new();
    let page = loop {
        let page = client.wip().list_wip(request.clone()).await?.into_inner();
        rows.extend(page.rows.iter().map(|one| (row(one), json(one))));
        if !args.paging.all || page.next_page_token.is_empty() {
            break page;
        }
        request.page_token = page.next_page_token;
    };
    let shown = rows.len();
    let whole = json!({
        "rows": rows.iter().map(|(_, item)| item).collect::<Vec<_>>(),
        "shown": shown,
        "total": page.total_size,
        "complete": page.complete,
    });
    let whole = with(whole, reflected(page.reflected.as_ref()));
    let whole = with(whole, [("next_page_token", json!(page.next_page_token))]);
    let total = u64::try_from(page.total_size).unwrap_or_default();
    let mut note = format!("{shown} of {}", counted(total, "place"));
    note.push_str(&at_position(page.reflected.as_ref()));
    if !page.complete {
        note.push_str(
            "; too much was recorded since the oldest inventory: count anew for estimates",
        );
    }
    note.push_str(&more(&page.next_page_token));
    let answer = Answer::list(&COLUMNS, rows).whole(whole).note(note);
    context.output.answer(&answer)
}

impl By {
    const fn kind(self) -> pb::WipKind {
        match self {
            Self::Buffer => pb::WipKind::Buffer,
            Self::Machine => pb::WipKind::Machine,
            Self::Unit => pb::WipKind::Unit,
            Self::Variant => pb::WipKind::Variant,
        }
    }
}

impl std::fmt::Display for By {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Buffer => "buffer",
            Self::Machine => "machine",
            Self::Unit => "unit",
            Self::Variant => "variant",
        })
    }
}

fn row(one: &pb::Wip) -> Vec<String> {
    let number = |number: Option<u64>| number.map_or_else(|| "?".to_owned(), |n| n.to_string());
    vec![
        kind(one).to_ascii_lowercase(),
        one.location.clone(),
        number(one.parts),
        format!("{}..{}", one.lower, number(one.upper)),
        method(one).to_owned(),
        one.capacity
            .map(|capacity| capacity.to_string())
            .unwrap_or_default(),
        when::shown(one.oldest_since),
        one.drift
            .map(|drift| format!("{drift:+}"))
            .unwrap_or_default(),
        when::shown(one.since),
        one.because.clone(),
    ]
}

fn json(one: &pb::Wip) -> Value {
    json!({
        "by": kind(one).to_ascii_lowercase(),
        "location": one.location,
        "parts": one.parts,
        "lower": one.lower,
        "upper": one.upper,
        "method": method(one),
        "capacity": one.capacity,
        "oldest_since": time(one.oldest_since),
        "drift": one.drift,
        "since": time(one.since),
        "because": one.because,
    })
}

fn kind(one: &pb::Wip) -> &'static str {
    let name = one.kind().as_str_name();
    name.strip_prefix("WIP_KIND_").unwrap_or(name)
}

fn method(one: &pb::Wip) -> &'static str {
    let name = one.method().as_str_name();
    name.strip_prefix("WIP_METHOD_").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_shown_as_such() {
        let one = pb::Wip {
            location: "b".to_owned(),
            lower: 2,
            drift: Some(3),
            ..pb::Wip::default()
        };
        let cells = row(&one);
        assert_eq!(cells.len(), COLUMNS.len());
        assert_eq!(cells[1..4], ["b", "?", "2..?"]);
        assert_eq!(cells[7], "+3");
    }
}
