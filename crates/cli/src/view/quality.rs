//! The quality of data as rows and as JSON.

use crate::command::{last, time, with};
use crate::when;
use serde_json::{Value, json};
use werkbuch_wire::pb;

/// The columns of figures.
pub(crate) const COLUMNS: [&str; 16] = [
    "plant",
    "source",
    "events",
    "lag p50",
    "lag p99",
    "suspect",
    "late",
    "gaps open",
    "missing",
    "refused",
    "resent",
    "conflicts",
    "jumps",
    "repeated",
    "unknown",
    "silent",
];

/// The columns of findings.
pub(crate) const FINDING_COLUMNS: [&str; 10] = [
    "at", "kind", "machine", "source", "what", "from", "to", "count", "position", "detail",
];

/// The row that adds up a plant.
pub(crate) fn plant_row(quality: &pb::Quality) -> Vec<String> {
    let figures = quality.figures.clone().unwrap_or_default();
    let resent = quality.sources.iter().map(|one| one.repeats_since_start);
    let resent = resent.sum::<Option<u64>>();
    let silent = format!("{} of {}", figures.silent, quality.sources.len());
    row(last(&quality.name), "", &figures, resent, silent)
}

/// The row of a source.
pub(crate) fn source_row(plant: &str, source: &pb::SourceQuality) -> Vec<String> {
    let figures = source.figures.clone().unwrap_or_default();
    let name = format!("{}#{}", source.source, source.epoch);
    let silent = match (source.silent, source.silent_limit_ms) {
        (true, _) => format!("since {}", when::shown(source.heard_at)),
        (false, Some(_)) => "no".to_owned(),
        (false, None) => "not judged".to_owned(),
    };
    row(plant, &name, &figures, source.repeats_since_start, silent)
}

fn row(
    plant: &str,
    source: &str,
    figures: &pb::QualityFigures,
    resent: Option<u64>,
    silent: String,
) -> Vec<String> {
    let refused: u64 = figures.refused.iter().map(|one| one.count).sum();
    let of = |some: u64, all: u64| format!("{some} of {all}");
    vec![
        plant.to_owned(),
        source.to_owned(),
        figures.events.to_string(),
        figures.lag_p50_ns.map(seconds).unwrap_or_default(),
        figures.lag_p99_ns.map(seconds).unwrap_or_default(),
        figures.suspect.to_string(),
        figures.late.to_string(),
        of(figures.gaps_open, figures.gaps),
        of(figures.missing, figures.lost),
        refused.to_string(),
        resent.map(|resent| resent.to_string()).unwrap_or_default(),
        figures.conflicts.to_string(),
        of(figures.illegal_jumps, figures.jumps_judged),
        of(figures.repeated_states, figures.states),
        of(figures.unknown_words, figures.states),
        silent,
    ]
}

/// A duration in the unit that suits it.
fn seconds(nanos: u64) -> String {
    match nanos {
        0..1_000_000 => format!("{} us", nanos / 1_000),
        1_000_000..10_000_000_000 => format!("{} ms", nanos / 1_000_000),
        _ => format!("{} s", nanos / 1_000_000_000),
    }
}

/// A plant without its sources.
pub(crate) fn plant_json(quality: &pb::Quality) -> Value {
    let survey = quality.survey.unwrap_or_default();
    let value = json!({
        "plant": last(&quality.name),
        "source": Value::Null,
        "from": time(Some(quality.from_time)),
        "to": time(Some(quality.to_time)),
        "judged_at": time(Some(quality.judged_at)),
        "findings": quality.findings,
        "complete": survey.complete,
        "read_from_position": survey.first_position,
        "read_to_position": survey.last_position,
    });
    with(value, figures(&quality.figures.clone().unwrap_or_default()))
}

/// A source.
pub(crate) fn source_json(plant: &str, source: &pb::SourceQuality) -> Value {
    let value = json!({
        "plant": plant,
        "source": source.source,
        "epoch": source.epoch,
        "is_silent": source.silent,
        "heard_at": time(source.heard_at),
        "silent_limit_ms": source.silent_limit_ms,
        "silence_because": source.silence_because,
        "repeats_since_start": source.repeats_since_start,
    });
    with(value, figures(&source.figures.clone().unwrap_or_default()))
}

fn figures(figures: &pb::QualityFigures) -> Vec<(&'static str, Value)> {
    let refused = figures
        .refused
        .iter()
        .map(|one| (one.reason.clone(), json!(one.count)));
    vec![
        ("events", json!(figures.events)),
        ("gaps", json!(figures.gaps)),
        ("gaps_open", json!(figures.gaps_open)),
        ("lost", json!(figures.lost)),
        ("missing", json!(figures.missing)),
        ("suspect", json!(figures.suspect)),
        ("worst_offset_ns", json!(figures.worst_offset_ns)),
        ("lag_p50_ns", json!(figures.lag_p50_ns)),
        ("lag_p99_ns", json!(figures.lag_p99_ns)),
        ("lag_max_ns", json!(figures.lag_max_ns)),
        ("ahead", json!(figures.ahead)),
        ("late", json!(figures.late)),
        ("worst_late_ns", json!(figures.worst_late_ns)),
        ("fillers", json!(figures.fillers)),
        ("not_authoritative", json!(figures.not_authoritative)),
        ("refused", Value::Object(refused.collect())),
        ("conflicts", json!(figures.conflicts)),
        ("jumps_judged", json!(figures.jumps_judged)),
        ("illegal_jumps", json!(figures.illegal_jumps)),
        ("skipped_acting", json!(figures.skipped_acting)),
        ("states", json!(figures.states)),
        ("repeated_states", json!(figures.repeated_states)),
        ("unknown_words", json!(figures.unknown_words)),
        ("counters_backwards", json!(figures.counters_backwards)),
        ("silent", json!(figures.silent)),
        ("clock_jumps", json!(figures.clock_jumps)),
    ]
}

/// A row of findings.
pub(crate) fn finding_row(finding: &pb::Finding) -> Vec<String> {
    vec![
        when::shown(Some(finding.at)),
        kind(finding).to_owned(),
        finding.machine.clone(),
        finding.source.clone(),
        finding.what.clone(),
        finding.from.clone(),
        finding.to.clone(),
        finding.count.to_string(),
        match finding.position {
            0 => String::new(),
            position => position.to_string(),
        },
        finding.detail.clone(),
    ]
}

/// A finding.
pub(crate) fn finding_json(finding: &pb::Finding) -> Value {
    json!({
        "kind": kind(finding),
        "at": time(Some(finding.at)),
        "until": time(finding.until),
        "position": finding.position,
        "machine": finding.machine,
        "source": finding.source,
        "other_source": finding.other_source,
        "what": finding.what,
        "from": finding.from,
        "to": finding.to,
        "count": finding.count,
        "detail": finding.detail,
    })
}

fn kind(finding: &pb::Finding) -> &'static str {
    let name = finding.kind().as_str_name();
    name.strip_prefix("FINDING_KIND_").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_shown_in_the_unit_that_suits() {
        for (nanos, shown) in [
            (0, "0 us"),
            (999_999, "999 us"),
            (1_000_000, "1 ms"),
            (9_999_000_000, "9999 ms"),
            (61_000_000_000, "61 s"),
        ] {
            assert_eq!(seconds(nanos), shown);
        }
    }

    #[test]
    fn rows_have_a_cell_for_each_column() {
        assert_eq!(plant_row(&pb::Quality::default()).len(), COLUMNS.len());
        let source = pb::SourceQuality::default();
        assert_eq!(source_row("P", &source).len(), COLUMNS.len());
        assert_eq!(
            finding_row(&pb::Finding::default()).len(),
            FINDING_COLUMNS.len()
        );
    }
}
