//! `werkbuch plant apply` and `plant diff`: what a description changes.

use super::source::Source;
use crate::Context;
use crate::command::last;
use crate::failure::Outcome;
use crate::output::{Answer, Format};
use serde_json::{Value, json};
use werkbuch_model::plant::ObjectKind;
use werkbuch_wire::{name, pb};

pub(super) async fn run(context: &Context, args: super::Application, dry_run: bool) -> Outcome<()> {
    let source = Source::read(&args.file)?;
    let parsed = source.parse()?;
    // The plant may not be there yet; its clocks are those of the file.
    let zone = Some(parsed.plant.time_zone.clone()).filter(|zone| !zone.is_empty());
    let clocked = Context {
        tz: context
            .tz
            .clone()
            .or(zone)
            .or_else(|| Some("UTC".to_owned())),
        ..context.clone()
    };
    let clocks = clocked.clocks(None);
    let valid_from = clocks.time_if_any(args.valid_from.as_deref()).await?;
    let table = |table: werkbuch_model::plant::TableText| pb::PlantTable {
        name: table.name,
        file_name: table.file_name,
        content: table.content,
    };
    let request = pb::ApplyPlantRequest {
        parent: format!("tenants/{}", name::DEFAULT_TENANT),
        file_name: source.file_name,
        content: source.content,
        validate_only: dry_run,
        who: args.who,
        why: args.why,
        tables: source.tables.into_iter().map(table).collect(),
        valid_from: valid_from.map(|time| time.nanos()),
    };
    let client = context.client().await?;
    let applied = client.model().apply_plant(request).await?.into_inner();
    context.output.answer(&answer(context, &applied))
}

fn answer(context: &Context, applied: &pb::ApplyPlantResponse) -> Answer {
    let plant = last(&applied.name).to_owned();
    let groups = groups(&applied.changes);
    let counts: Vec<Value> = groups.iter().map(Group::json).collect();
    let whole = json!({
        "plant": plant,
        "created": applied.created,
        "recorded": applied.recorded,
        "revision": applied.revision,
        "counts": counts,
        "changes": applied.changes,
        "position": applied.position,
    });
    let mut rows = Vec::new();
    for group in &groups {
        if context.output.format == Format::Table {
            rows.push((vec![group.title()], Value::Null));
        }
        let indent = match context.output.format {
            Format::Table => "  ",
            _ => "",
        };
        let lines = group.lines.iter();
        rows.extend(lines.map(|line| (vec![format!("{indent}{line}")], json!(line))));
    }
    let many = applied.changes.len();
    let note = match (many, applied.recorded) {
        (0, _) => format!("plant \"{plant}\" is as the file describes it; nothing was recorded"),
        (_, true) => format!(
            "plant \"{plant}\": {many} changes recorded as revision {} at position {}",
            applied.revision, applied.position
        ),
        (_, false) => format!("plant \"{plant}\": {many} changes, nothing was recorded"),
    };
    Answer::list(&["change"], rows).whole(whole).note(note)
}

/// The changes of one kind of object, in the order in which they are applied.
struct Group<'a> {
    kind: String,
    lines: Vec<&'a str>,
}

impl Group<'_> {
    fn count(&self, sign: char) -> usize {
        self.lines
            .iter()
            .filter(|line| line.starts_with(sign))
            .count()
    }

    /// `machine: 3 added, 1 changed`.
    fn title(&self) -> String {
        let counts = [('+', "added"), ('~', "changed"), ('-', "removed")];
        let counts = counts.map(|(sign, word)| (self.count(sign), word));
        let said: Vec<String> = counts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        match said.is_empty() {
            true => self.kind.clone(),
            false => format!("{}: {}", self.kind, said.join(", ")),
        }
    }

    fn json(&self) -> Value {
        json!({
            "kind": self.kind,
            "added": self.count('+'),
            "changed": self.count('~'),
            "removed": self.count('-'),
        })
    }
}

/// The changes by the kind of their objects; what has none (a note of what was cut) comes last.
fn groups(lines: &[String]) -> Vec<Group<'_>> {
    let kinds = ObjectKind::ALL.iter().skip(1);
    let mut groups: Vec<Group<'_>> = kinds
        .map(|kind| Group {
            kind: kind.name().to_ascii_lowercase().replace('_', " "),
            lines: Vec::new(),
        })
        .collect();
    let mut others = Vec::new();
    for line in lines {
        let said = line.get(2..).unwrap_or_default();
        let is_of = |group: &&mut Group<'_>| {
            let rest = said.strip_prefix(group.kind.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        match groups.iter_mut().find(is_of) {
            Some(group) => group.lines.push(line),
            None => others.push(line.as_str()),
        }
    }
    groups.push(Group {
        kind: "others".to_owned(),
        lines: others,
    });
    groups.retain(|group| !group.lines.is_empty());
    groups
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn changes_are_grouped_by_kind_with_counts() {
        let lines = [
            "+ plant name \"W\"",
            "+ machine a (number 1)",
            "~ buffer b capacity 4 -> 6",
            "- machine c (number 3)",
            "+ stop group z",
            "... and 7 more",
        ]
        .map(str::to_owned);
        let titles: Vec<String> = groups(&lines).iter().map(Group::title).collect();
        assert_eq!(
            titles,
            [
                "plant: 1 added",
                "machine: 1 added, 1 removed",
                "buffer: 1 changed",
                "stop group: 1 added",
                "others",
            ]
        );
        assert_eq!(
            groups(&lines)[1].lines,
            ["+ machine a (number 1)", "- machine c (number 3)"]
        );
    }
}
