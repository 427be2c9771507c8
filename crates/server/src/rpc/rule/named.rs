//! What rules name that no machine has: most likely a slip of the hand, of which no rule would ever tell.

use crate::view::fields::MACHINE_FIELDS;
use crate::view::twin as view;
use std::collections::{BTreeMap, BTreeSet};
use werkbuch_model::filter::{Row, Value};
use werkbuch_model::nearest::did_you_mean;
use werkbuch_model::rule::Rule;
use werkbuch_twin::Twin;

/// The fields whose texts stand in the description of a plant.
const NAMED: [&str; 6] = ["name", "plant", "type", "area", "line", "cell"];
/// How many warnings are told.
const WARNINGS_MAX: usize = 50;

/// Warnings about rules that name what no machine of these plants has.
pub(super) fn warnings<'t>(rules: &[Rule], twins: impl Iterator<Item = &'t Twin>) -> Vec<String> {
    let mut asked: BTreeMap<usize, BTreeSet<(&str, &str)>> = BTreeMap::new();
    for rule in rules {
        for filter in std::iter::once(&rule.raise).chain(&rule.clear) {
            for (field, text) in filter.names() {
                let name = MACHINE_FIELDS.fields().get(field).map(|field| field.name);
                if name.is_some_and(|name| NAMED.contains(&name)) {
                    let of = (rule.id.as_str(), text);
                    asked.entry(field).or_default().insert(of);
                }
            }
        }
    }
    if asked.is_empty() {
        return Vec::new();
    }
    let known = known(&asked.keys().copied().collect(), twins);
    let mut told = Vec::new();
    for (field, texts) in &asked {
        let name = MACHINE_FIELDS.fields().get(*field);
        let name = name.map_or("", |field| field.name);
        let empty = BTreeSet::new();
        let known = known.get(field).unwrap_or(&empty);
        for (rule, text) in texts.iter().filter(|(_, text)| !known.contains(*text)) {
            let near = did_you_mean(text, known.iter().map(String::as_str));
            let near = near.map_or_else(String::new, |near| format!("; {near}"));
            told.push(format!(
                "rule \"{rule}\": no machine has the {name} '{text}'{near}"
            ));
        }
    }
    told.truncate(WARNINGS_MAX);
    told
}

/// What machines have in these fields.
fn known<'t>(
    fields: &BTreeSet<usize>,
    twins: impl Iterator<Item = &'t Twin>,
) -> BTreeMap<usize, BTreeSet<String>> {
    let mut known: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    for twin in twins {
        for machine in twin.description().machines() {
            let Some(row) = view::row(twin, machine.number) else {
                continue;
            };
            for field in fields {
                if let Value::Text(text) = row.value(*field) {
                    let of = known.entry(*field).or_default();
                    if !of.contains(text.as_ref()) {
                        of.insert(text.into_owned());
                    }
                }
            }
        }
    }
    known
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::view::twin::tests::twin_with_press;
    use werkbuch_model::rule::parse;

    #[test]
    fn what_no_machine_has_is_told_with_what_is_near() {
        let twin = twin_with_press();
        for (raise, says) in [
            ("area = 'body'", None),
            (
                "area = 'bodi'",
                Some("no machine has the area 'bodi'; did you mean \"body\"?"),
            ),
            (
                "'quay' <> line AND state = 'FAULTED'",
                Some("no machine has the line 'quay'"),
            ),
            (
                "cell IN ('c1', 'c7')",
                Some("no machine has the cell 'c7'; did you mean \"c1\"?"),
            ),
            ("area LIKE 'x%' OR reason = 'E-1'", None),
        ] {
            let text = format!("[[rule]]\nid = \"r\"\nraise = \"{raise}\"\n");
            let rules = parse(&text, "r.toml", &MACHINE_FIELDS).unwrap();
            let told = warnings(&rules, std::iter::once(&twin));
            let expected = says.map(|says| format!("rule \"r\": {says}"));
            assert_eq!(told, Vec::from_iter(expected), "{raise}");
        }
    }
}
