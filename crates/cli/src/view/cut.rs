//! Where the plants of a group stood: as JSON, and as a note for a person.

use crate::command::{counted, last, reflected, time, with};
use crate::when;
use serde_json::{Map, Value, json};
use werkbuch_wire::pb;

/// The longest token that a note tells; longer ones are in the JSON.
const TOKEN_SHOWN: usize = 600;
/// How many plants of a kind a note names.
const NAMES_SHOWN: usize = 8;

/// The cut of an answer, with a readable map of the positions.
pub(crate) fn json(cut: &pb::Cut) -> Value {
    let position = |one: &pb::PlantReflected| {
        let position = one.reflected.as_ref().map_or(0, |of| of.position);
        (last(&one.plant).to_owned(), json!(position))
    };
    let positions: Map<String, Value> = cut.plants.iter().map(position).collect();
    let plants = cut.plants.iter().map(|one| {
        let whole = json!({ "plant": last(&one.plant) });
        with(whole, reflected(one.reflected.as_ref()))
    });
    let absent = cut
        .absent
        .iter()
        .map(|one| json!({ "plant": last(&one.plant), "kind": kind(one), "because": one.because }));
    let silent = cut.silent.iter().map(|name| last(name));
    let coverage = cut.coverage.as_ref();
    json!({
        "token": cut.token,
        "as_of": time(Some(cut.as_of)),
        "at": time(cut.at),
        "known_recorded_at": time(cut.known_recorded_at),
        "positions": positions,
        "plants": plants.collect::<Vec<_>>(),
        "absent": absent.collect::<Vec<_>>(),
        "silent": silent.collect::<Vec<_>>(),
        "plants_answered": cut.plants.len(),
        "plants_total": cut.plants_total,
        "coverage": coverage.map(|of| {
            json!({ "machines_heard": of.machines_heard, "machines": of.machines })
        }),
    })
}

/// The cut of an answer as the end of a note: who did not answer, of whom nothing is known, and how the
/// same answer is had again.
pub(crate) fn note(cut: &pb::Cut) -> String {
    let mut note = format!(
        ", {} of {} answered",
        cut.plants.len(),
        counted(cut.plants_total.into(), "plant")
    );
    if let Some(at) = cut.at {
        note.push_str(&format!(", in the plants at {}", when::shown(Some(at))));
    }
    if let Some(coverage) = cut.coverage.as_ref() {
        note.push_str(&format!(
            "; {} of {} machines heard",
            coverage.machines_heard, coverage.machines
        ));
    }
    let absent: Vec<String> = cut.absent.iter().map(absent).collect();
    if !absent.is_empty() {
        note.push_str(&format!("; not in this answer: {}", some(&absent)));
    }
    let silent: Vec<String> = cut
        .silent
        .iter()
        .map(|name| last(name).to_owned())
        .collect();
    if !silent.is_empty() {
        note.push_str(&format!("; nothing reported by then: {}", some(&silent)));
    }
    note.push_str(&match cut.token.len() {
        0..=TOKEN_SHOWN => format!("; the same again: --known {}", cut.token),
        _ => "; the same again: --known @FILE with the token of -o json".to_owned(),
    });
    note
}

fn absent(one: &pb::PlantAbsent) -> String {
    let kind = kind(one).to_ascii_lowercase().replace('_', " ");
    format!("{} ({kind}: {})", last(&one.plant), one.because)
}

fn kind(one: &pb::PlantAbsent) -> &'static str {
    let name = one.kind().as_str_name();
    name.strip_prefix("ABSENCE_KIND_").unwrap_or(name)
}

fn some(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(NAMES_SHOWN).map(String::as_str).collect();
    let more = names.len().saturating_sub(NAMES_SHOWN);
    match more {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_missing_is_named() {
        let name = |plant: &str| format!("tenants/default/plants/{plant}");
        let cut = pb::Cut {
            token: "cut-00".to_owned(),
            plants: vec![pb::PlantReflected {
                plant: name("a"),
                ..Default::default()
            }],
            absent: vec![pb::PlantAbsent {
                plant: name("b"),
                kind: pb::AbsenceKind::NotYet.into(),
                because: "so".to_owned(),
            }],
            silent: (0..9).map(|number| name(&format!("s{number}"))).collect(),
            plants_total: 2,
            ..pb::Cut::default()
        };
        let note = note(&cut);
        for says in [
            ", 1 of 2 plants answered",
            "not in this answer: b (not yet: so)",
            "s0, s1, s2, s3, s4, s5, s6, s7 and 1 more",
            "--known cut-00",
        ] {
            assert!(note.contains(says), "{note}");
        }
        assert_eq!(json(&cut)["positions"]["a"], 0);
        let long = pb::Cut {
            token: "0".repeat(TOKEN_SHOWN + 1),
            ..cut
        };
        assert!(super::note(&long).ends_with("--known @FILE with the token of -o json"));
    }
}
