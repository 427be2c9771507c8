//! What an answer of a search rests on: as JSON, and as a note for a person.

use super::timeline::spelt;
use crate::command::{counted, last, time};
use serde_json::{Value, json};
use werkbuch_model::time::Timestamp;
use werkbuch_wire::pb;

/// How many times a note tells of.
const TIMES_SHOWN: usize = 8;

/// All of it.
pub(crate) fn json(basis: &pb::FindBasis) -> Value {
    let blind: Vec<Value> = basis.blind.iter().map(blind_json).collect();
    json!({
        "from": time(Some(basis.from_time)),
        "to": time(Some(basis.to_time)),
        "machines": basis.machines,
        "machines_known": basis.machines_known,
        "time_ms": basis.time_ms,
        "known_ms": basis.known_ms,
        "complete": basis.complete,
        "blind": blind,
        "blind_shown": basis.blind.len(),
        "blind_total": basis.blind_size,
    })
}

/// Whether something is not known that could have made another answer.
pub(crate) fn is_blind(basis: &pb::FindBasis) -> bool {
    basis.blind_size > 0 || !basis.complete
}

/// How much is known, and the first times of which something is not; for a group with their plants.
pub(crate) fn note(basis: &pb::FindBasis, with_plant: bool) -> String {
    let machines = counted(basis.machines.into(), "machine");
    if basis.from_time >= basis.to_time {
        return "nothing before or behind it can change that".to_owned();
    }
    if !is_blind(basis) {
        return format!("nothing is missing of {machines} over that time");
    }
    let times = basis.blind.iter().take(TIMES_SHOWN);
    let times: Vec<String> = times.map(|one| blind(one, with_plant)).collect();
    let more = u64::from(basis.blind_size).saturating_sub(times.len() as u64);
    let more = match more {
        0 => String::new(),
        more => format!("; and {more} more, which -o json tells"),
    };
    let complete = match basis.complete {
        true => "",
        false => "; not all such times were looked for, because there were too many",
    };
    format!(
        "it rests on {} of the time of {machines} from {} to {}; not known: {}{more}{complete}",
        share(basis),
        Timestamp(basis.from_time),
        Timestamp(basis.to_time),
        times.join("; "),
    )
}

/// In percent, rounded down, so that all is said only of all.
fn share(basis: &pb::FindBasis) -> String {
    let known = u128::from(basis.known_ms) * 10_000;
    let known = known.checked_div(u128::from(basis.time_ms)).unwrap_or(0);
    format!("{}.{:02} %", known / 100, known % 100)
}

fn kind(one: &pb::BlindTime) -> &'static str {
    let name = one.kind().as_str_name();
    name.strip_prefix("BLIND_KIND_").unwrap_or(name)
}

fn blind(one: &pb::BlindTime, with_plant: bool) -> String {
    let plant = match with_plant {
        true => format!("{}: ", last(&one.plant)),
        false => String::new(),
    };
    let of = match (one.machine.as_str(), one.source.as_str()) {
        ("", source) => format!(
            "{} of source {source}",
            counted(one.machines.into(), "machine")
        ),
        (machine, "") => machine.to_owned(),
        (machine, source) => format!("{machine} of source {source}"),
    };
    let (begin, end) = (Timestamp(one.begin), Timestamp(one.end));
    let length = u64::try_from(end.since(begin)).unwrap_or(0);
    let lost = match (one.kind(), one.missing) {
        (pb::BlindKind::Lost, Some(missing)) => format!(", {} lost", counted(missing, "event")),
        (pb::BlindKind::Lost, None) => ", events lost".to_owned(),
        _ => String::new(),
    };
    let kind = kind(one).to_ascii_lowercase();
    format!(
        "{plant}{of} from {begin} to {end} ({}, {kind}{lost}: {})",
        spelt(length),
        one.because
    )
}

fn blind_json(one: &pb::BlindTime) -> Value {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    json!({
        "kind": kind(one),
        "plant": last(&one.plant),
        "machine": some(&one.machine),
        "source": some(&one.source),
        "begin": time(Some(one.begin)),
        "end": time(Some(one.end)),
        "machines": one.machines,
        "missing": one.missing,
        "position": one.position,
        "because": one.because,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_told_with_its_time_and_its_reason() {
        let lost = pb::BlindTime {
            kind: pb::BlindKind::Lost.into(),
            plant: "tenants/default/plants/P".to_owned(),
            source: "g#1".to_owned(),
            begin: 0,
            end: 60_000_000_000,
            machines: 2,
            missing: Some(3),
            because: "SEQUENCE".to_owned(),
            ..pb::BlindTime::default()
        };
        let basis = pb::FindBasis {
            to_time: 3_600_000_000_000,
            machines: 2,
            time_ms: 7_200_000,
            known_ms: 7_199_999,
            blind: vec![lost.clone()],
            blind_size: 10,
            complete: true,
            ..pb::FindBasis::default()
        };
        assert_eq!(
            note(&basis, true),
            "it rests on 99.99 % of the time of 2 machines from 1970-01-01T00:00:00Z to \
             1970-01-01T01:00:00Z; not known: P: 2 machines of source g#1 from 1970-01-01T00:00:00Z to \
             1970-01-01T00:01:00Z (1m 00s, lost, 3 events lost: SEQUENCE); and 9 more, which -o json tells"
        );
        let known = pb::FindBasis {
            blind: Vec::new(),
            blind_size: 0,
            ..basis.clone()
        };
        let none = pb::FindBasis::default();
        assert_eq!(
            note(&none, false),
            "nothing before or behind it can change that"
        );
        assert!(!is_blind(&known) && is_blind(&basis));
        assert_eq!(
            note(&known, false),
            "nothing is missing of 2 machines over that time"
        );
        assert_eq!(json(&basis)["blind"][0]["missing"], 3);
        assert_eq!(json(&basis)["blind"][0]["machine"], Value::Null);
    }
}
