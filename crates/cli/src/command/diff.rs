//! `werkbuch diff`: what differs between two instants, or between what was known at two times.

use super::paging::Paging;
use super::{Instant, Scope, last, more, with};
use crate::Context;
use crate::command::choice;
use crate::failure::{Failure, Outcome};
use crate::output::Answer;
use crate::view::cut;
use crate::when;
use serde_json::{Value, json};
use werkbuch_wire::pb;

const COLUMNS: [&str; 6] = ["plant", "what", "change", "field", "before", "after"];

const AFTER_HELP: &str = "\
Between two times in the plant, of a machine, a line or all plants:
  werkbuch diff --from shift:night@yesterday --to shift:night@yesterday..end
  werkbuch diff --from \"yesterday 06:00\" --where \"line = 'framing'\"
  werkbuch diff --machine press-3 --from -2h
  werkbuch diff --all-plants --from 2026-11-21T06:00:00Z
Between what was known of the same time, which is what late reports and corrections have restated:
  werkbuch diff --from \"yesterday 14:00\" --to \"yesterday 14:00\" --known-from \"yesterday 14:10\"
  werkbuch diff --known-from 30000 --known-to 31000";

/// What differs between two instants, or between what was known at two times.
///
/// Machines are compared field by field, and where all are compared the descriptions as well. What is
/// left out is the present.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    scope: Scope,
    /// The time in the plant that is compared from.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    from: Option<String>,
    /// The time in the plant that is compared to.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    to: Option<String>,
    /// Know on the side of --from only what had been recorded by then.
    #[arg(long, value_name = "POSITION|TIME|CUT", allow_hyphen_values = true)]
    known_from: Option<String>,
    /// Know on the side of --to only what had been recorded by then.
    #[arg(long, value_name = "POSITION|TIME|CUT", allow_hyphen_values = true)]
    known_to: Option<String>,
    /// Only this machine (name or number), in full.
    #[arg(long, default_value = "", hide_default_value = true)]
    machine: String,
    #[command(flatten)]
    chosen: choice::Machines,
    /// Compare machines in full: alarms, conditions and other values too.
    #[arg(long)]
    full: bool,
    #[command(flatten)]
    paging: Paging,
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome<()> {
    let point = |at: &Option<String>, known: &Option<String>| {
        let instant = Instant {
            at: at.clone(),
            known: known.clone(),
        };
        instant.message(context)
    };
    let from = point(&args.from, &args.known_from)?;
    let to = point(&args.to, &args.known_to)?;
    if from.is_none() && to.is_none() && args.paging.page_token.is_empty() {
        let what = "both sides are the present, in which nothing differs";
        return Err(Failure::usage(what).hint("name a time, --from -8h, or --known-from POSITION"));
    }
    let mut request = pb::DiffMachinesRequest {
        parent: args.scope.parent(),
        from,
        to,
        filter: args.chosen.filter,
        machine: args.machine,
        full: args.full,
        page_size: args.paging.size(),
        page_token: args.paging.page_token,
    };
    let client = context.client().await?;
    let mut found = Found::default();
    let page = loop {
        let page = client.twin().diff_machines(request.clone()).await?;
        let page = page.into_inner();
        found.take(&page);
        if !args.paging.all || page.next_page_token.is_empty() {
            break page;
        }
        request.page_token = page.next_page_token;
    };
    context.output.answer(&found.answer(page))
}

/// What has been found on the pages so far.
#[derive(Default)]
struct Found {
    rows: Vec<(Vec<String>, Value)>,
    descriptions: Vec<Value>,
    machines: Vec<Value>,
}

impl Found {
    fn take(&mut self, page: &pb::DiffMachinesResponse) {
        for one in &page.descriptions {
            let plant = last(&one.plant);
            let whole = json!({ "plant": plant, "changes": one.changes });
            self.descriptions.push(whole);
            let rows = one.changes.iter().map(|line| description(plant, line));
            self.rows.extend(rows);
        }
        for one in &page.machines {
            self.rows.extend(rows(one));
            self.machines.push(machine(one));
        }
    }

    fn answer(self, page: pb::DiffMachinesResponse) -> Answer {
        let (from, to) = (page.from.unwrap_or_default(), page.to.unwrap_or_default());
        let shown = self.machines.len();
        let whole = json!({
            "descriptions": self.descriptions,
            "machines": self.machines,
            "shown": shown,
            "differing": page.differing,
            "compared": page.compared,
            "from": cut::json(&from),
            "to": cut::json(&to),
            "next_page_token": page.next_page_token,
        });
        let mut note = format!("{} of {} machines differ", page.differing, page.compared);
        if u32::try_from(shown) != Ok(page.differing) {
            note.push_str(&format!(", {shown} shown"));
        }
        note.push_str(&between(&from, &to));
        note.push_str(&more(&page.next_page_token));
        Answer::list(&COLUMNS, self.rows).whole(whole).note(note)
    }
}

/// What was compared, and which plants were not.
fn between(from: &pb::Cut, to: &pb::Cut) -> String {
    let mut text = format!(", from {} to {}", side(from), side(to));
    let has = |cut: &pb::Cut, plant: &str| cut.plants.iter().any(|one| one.plant == plant);
    let one_side = |these: &pb::Cut, those: &pb::Cut| {
        let plants = these.plants.iter().map(|one| one.plant.as_str());
        let alone = plants.filter(|plant| !has(those, plant)).map(last);
        alone.map(str::to_owned).collect::<Vec<_>>()
    };
    let alone = [one_side(from, to), one_side(to, from)].concat();
    let absent = from.absent.iter().chain(&to.absent);
    let mut absent: Vec<&str> = absent.map(|one| last(&one.plant)).collect();
    absent.retain(|plant| !alone.iter().any(|one| one == plant));
    absent.sort_unstable();
    absent.dedup();
    if !alone.is_empty() {
        text.push_str(&format!(
            "; not compared, there on one side alone: {}",
            alone.join(", ")
        ));
    }
    if !absent.is_empty() {
        text.push_str(&format!(
            "; not compared, without an answer: {}",
            absent.join(", ")
        ));
    }
    text
}

/// One of the instants, in words.
fn side(cut: &pb::Cut) -> String {
    let at = cut.at.map(|at| format!("{} as ", when::shown(Some(at))));
    let known = match cut.plants.as_slice() {
        [one] => {
            let position = one.reflected.as_ref().map_or(0, |of| of.position);
            format!("known at position {position}")
        }
        many => format!("known of {} of {} plants", many.len(), cut.plants_total),
    };
    format!("{}{known}", at.unwrap_or_default())
}

fn description(plant: &str, line: &str) -> (Vec<String>, Value) {
    let (sign, change) = line.split_once(' ').unwrap_or(("~", line));
    let cells = [plant, "description", sign, change, "", ""].map(str::to_owned);
    let item = json!({ "plant": plant, "description": line });
    (cells.to_vec(), item)
}

fn machine(one: &pb::MachineDiff) -> Value {
    let fields = one
        .fields
        .iter()
        .map(|field| json!({ "field": field.field, "before": field.before, "after": field.after }));
    let fields: Vec<Value> = fields.collect();
    with(named(one), [("fields", json!(fields))])
}

/// Which machine, and what became of it.
fn named(one: &pb::MachineDiff) -> Value {
    json!({
        "plant": plant(one),
        "machine": last(&one.name),
        "number": one.number,
        "kind": kind(one).0,
    })
}

/// A row for each field; for a machine that has none, one all the same.
fn rows(one: &pb::MachineDiff) -> Vec<(Vec<String>, Value)> {
    let row = |field: &pb::FieldDiff| {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let cells = vec![
            plant(one).to_owned(),
            last(&one.name).to_owned(),
            kind(one).1.to_owned(),
            field.field.clone(),
            text(&field.before),
            text(&field.after),
        ];
        let members = [
            ("field", json!(field.field)),
            ("before", json!(field.before)),
            ("after", json!(field.after)),
        ];
        (cells, with(named(one), members))
    };
    if one.fields.is_empty() {
        return vec![row(&pb::FieldDiff::default())];
    }
    one.fields.iter().map(row).collect()
}

fn plant(one: &pb::MachineDiff) -> &str {
    one.name.split('/').nth(3).unwrap_or_default()
}

/// What became of a machine: as a word, and as a sign.
fn kind(one: &pb::MachineDiff) -> (&'static str, &'static str) {
    match one.kind() {
        pb::MachineDiffKind::Added => ("added", "+"),
        pb::MachineDiffKind::Removed => ("removed", "-"),
        pb::MachineDiffKind::Changed | pb::MachineDiffKind::Unspecified => ("changed", "~"),
    }
}
