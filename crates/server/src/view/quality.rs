//! The quality of a plant's data as messages.

use std::collections::BTreeMap;
use tonic::Status;
use werkbuch_engine::Survey;
use werkbuch_model::id::{MachineNumber, PlantId, SourceNumber};
use werkbuch_model::time::Timestamp;
use werkbuch_twin::quality::{Figures, Finding, FindingKind, QualityReport, SourceQuality};
use werkbuch_twin::{Source, Twin};
use werkbuch_wire::reason::Reason;
use werkbuch_wire::{name, pb};

/// The kinds of findings with their messages and names.
const KINDS: [(FindingKind, pb::FindingKind); 10] = [
    (FindingKind::IllegalJump, pb::FindingKind::IllegalJump),
    (FindingKind::Gap, pb::FindingKind::Gap),
    (FindingKind::SuspectClock, pb::FindingKind::SuspectClock),
    (FindingKind::Silent, pb::FindingKind::Silent),
    (FindingKind::Conflict, pb::FindingKind::Conflict),
    (
        FindingKind::CounterBackwards,
        pb::FindingKind::CounterBackwards,
    ),
    (FindingKind::UnknownWord, pb::FindingKind::UnknownWord),
    (FindingKind::RepeatedState, pb::FindingKind::RepeatedState),
    (FindingKind::Refused, pb::FindingKind::Refused),
    (FindingKind::ClockJump, pb::FindingKind::ClockJump),
];

/// The names that numbers stand for.
pub(crate) struct Known {
    pub(crate) sources: Vec<Source>,
    machines: BTreeMap<MachineNumber, String>,
}

impl Known {
    /// The names of a twin.
    pub(crate) fn of(twin: &Twin) -> Self {
        let description = twin.description();
        let all = description.removed().chain(description.machines());
        Self {
            sources: twin.sources().to_vec(),
            machines: all
                .map(|machine| (machine.number, machine.id.to_string()))
                .collect(),
        }
    }

    fn source(&self, number: SourceNumber) -> String {
        let found = self.sources.iter().find(|source| source.number == number);
        found.map_or_else(String::new, |source| {
            format!("{}#{}", source.name, source.epoch)
        })
    }

    fn machine(&self, number: MachineNumber) -> String {
        let known = self.machines.get(&number).cloned();
        known.unwrap_or_else(|| number.to_string())
    }
}

/// Keeps what is of one source, unless none is named. Errors: `UNKNOWN_SOURCE`.
pub(crate) fn of_source(
    report: &mut QualityReport,
    known: &Known,
    source: &str,
) -> Result<(), Status> {
    if source.is_empty() {
        return Ok(());
    }
    let named = known.sources.iter().filter(|one| *one.name == *source);
    let numbers: Vec<_> = named.map(|one| one.number).collect();
    if numbers.is_empty() {
        let text = format!("no source \"{source}\" has been opened for the plant");
        return Err(Reason::UnknownSource.status(text));
    }
    report.sources.retain(|one| numbers.contains(&one.number));
    report.findings.retain(|one| {
        let other = one.other.is_some_and(|other| numbers.contains(&other));
        other || numbers.contains(&one.source)
    });
    report.findings_total = report.findings.len();
    let mut plant = Figures::default();
    report
        .sources
        .iter()
        .for_each(|one| plant.add(&one.figures));
    plant.silent = report
        .sources
        .iter()
        .filter(|one| one.silence.is_silent())
        .count() as u64;
    report.plant = plant;
    Ok(())
}

/// The kinds of a request's list of names. Errors: `INVALID_REQUEST` with the names there are.
pub(crate) fn kinds_of(names: &[String]) -> Result<Vec<FindingKind>, Status> {
    let kind = |name: &String| {
        let found = KINDS
            .iter()
            .find(|(_, message)| short(*message).eq_ignore_ascii_case(name));
        found.map(|(kind, _)| *kind).ok_or_else(|| {
            let all: Vec<_> = KINDS.iter().map(|(_, message)| short(*message)).collect();
            let shown: String = name.chars().take(48).collect();
            let text = format!(
                "there is no kind of finding \"{shown}\"; there are {}",
                all.join(", ")
            );
            Reason::InvalidRequest.violations(text, [("kinds".to_owned(), "is unknown".to_owned())])
        })
    };
    names.iter().map(kind).collect()
}

/// The figures of a plant and its sources, without what was read and what is reflected.
pub(crate) fn quality(
    plant: &PlantId,
    report: &QualityReport,
    repeats: Option<&BTreeMap<SourceNumber, u64>>,
) -> pb::Quality {
    pb::Quality {
        name: name::of_plant(plant.as_str()),
        from_time: report.window.from.nanos(),
        to_time: report.window.to.nanos(),
        judged_at: report.at.nanos(),
        figures: Some(figures(&report.plant)),
        sources: report
            .sources
            .iter()
            .map(|one| source(one, repeats))
            .collect(),
        findings: u32::try_from(report.findings_total).unwrap_or(u32::MAX),
        survey: None,
        reflected: None,
    }
}

/// Which part of the log was read.
pub(crate) fn survey(survey: &Survey) -> pb::Survey {
    pb::Survey {
        first_position: survey.first.get(),
        last_position: survey.last.get(),
        complete: survey.complete,
    }
}

/// One finding.
pub(crate) fn finding(finding: &Finding, known: &Known) -> pb::Finding {
    let kind = KINDS.iter().find(|(kind, _)| *kind == finding.kind);
    pb::Finding {
        kind: kind.map_or(0, |(_, message)| (*message).into()),
        at: finding.at.nanos(),
        until: finding.until.map(Timestamp::nanos),
        position: finding.position.get(),
        machine: finding
            .machine
            .map(|machine| known.machine(machine))
            .unwrap_or_default(),
        source: known.source(finding.source),
        other_source: finding
            .other
            .map(|other| known.source(other))
            .unwrap_or_default(),
        what: finding.what.clone(),
        from: finding.from.clone(),
        to: finding.to.clone(),
        count: finding.count,
        detail: finding.detail.clone(),
    }
}

fn source(one: &SourceQuality, repeats: Option<&BTreeMap<SourceNumber, u64>>) -> pb::SourceQuality {
    pb::SourceQuality {
        number: one.number.get(),
        source: one.name.to_string(),
        epoch: one.epoch.get(),
        figures: Some(figures(&one.figures)),
        silent: one.silence.is_silent(),
        heard_at: one.silence.heard_at.map(Timestamp::nanos),
        silent_limit_ms: one
            .silence
            .limit_ns
            .map(|limit| positive(limit) / 1_000_000),
        silence_because: one.silence.because.to_owned(),
        repeats_since_start: repeats.map(|all| all.get(&one.number).copied().unwrap_or(0)),
    }
}

fn figures(figures: &Figures) -> pb::QualityFigures {
    let refused = figures
        .refused
        .iter()
        .map(|(reason, count)| pb::RefusedCount {
            reason: reason.name().to_owned(),
            count: *count,
        });
    pb::QualityFigures {
        events: figures.events,
        gaps: figures.gaps,
        gaps_open: figures.gaps_open,
        lost: figures.lost,
        missing: figures.missing,
        suspect: figures.suspect,
        worst_offset_ns: figures.worst_offset_ns,
        lag_p50_ns: figures.lag.per_mille(500),
        lag_p99_ns: figures.lag.per_mille(990),
        lag_max_ns: figures.lag.max(),
        ahead: figures.ahead,
        late: figures.late,
        worst_late_ns: figures.worst_late_ns.map(positive),
        fillers: figures.fillers,
        not_authoritative: figures.not_authoritative,
        refused: refused.collect(),
        conflicts: figures.conflicts,
        jumps_judged: figures.jumps_judged,
        illegal_jumps: figures.illegal_jumps,
        skipped_acting: figures.skipped_acting,
        states: figures.states,
        repeated_states: figures.repeated_states,
        unknown_words: figures.unknown_words,
        counters_backwards: figures.counters_backwards,
        silent: figures.silent,
        clock_jumps: figures.clock_jumps,
    }
}

/// The name as it is asked for, without the name of the enum.
fn short(kind: pb::FindingKind) -> &'static str {
    let name = kind.as_str_name();
    name.strip_prefix("FINDING_KIND_").unwrap_or(name)
}

fn positive(nanos: i64) -> u64 {
    u64::try_from(nanos).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::view::code;

    #[test]
    fn every_kind_has_one_message() {
        let names: Vec<String> = KINDS
            .iter()
            .map(|(_, one)| short(*one).to_owned())
            .collect();
        let kinds = kinds_of(&names).unwrap();
        assert_eq!(kinds, KINDS.map(|(kind, _)| kind));
        for (at, (_, message)) in KINDS.iter().enumerate() {
            assert_eq!(code(u32::try_from(at + 1).unwrap()), i32::from(*message));
        }
        let status = kinds_of(&["nonsense".to_owned()]).unwrap_err();
        assert_eq!(Reason::of(&status), Some(Reason::InvalidRequest));
    }
}
