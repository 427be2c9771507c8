//! The quality of data: small histories, and what is found in them.

use crate::writer::{Fix, Name, Said, Writer};
use proptest::prelude::*;
use std::collections::BTreeMap;
use werkbuch_model::event::*;
use werkbuch_model::id::*;
use werkbuch_model::time::Timestamp;
use werkbuch_twin::quality::{
    Finding, FindingKind, Judging, QualityFold, QualityReport, Window, standing_conflicts,
};

const SECOND: i64 = 1_000_000_000;
const GATEWAY: Name = ("gateway-1", 1);
const OTHER: Name = ("mes", 1);

fn said(source: Name, sequence: u64, at_s: i64, body: Body<'static>) -> Said {
    Said {
        machine: 1,
        source,
        sequence,
        at: at_s * SECOND,
        authority: if source.0 == OTHER.0 { 1 } else { 0 },
        body,
    }
}

fn state(word: &'static str, vocabulary: Vocabulary) -> Body<'static> {
    Body::StateChanged(StateChanged {
        to: State::of_native(vocabulary, word),
        native: word.into(),
        vocabulary,
        ..StateChanged::default()
    })
}

fn packml(word: &'static str) -> Body<'static> {
    state(word, Vocabulary::PackmlState)
}

fn canonical(state: State) -> Body<'static> {
    self::state(state.name(), Vocabulary::Canonical)
}

fn counter(value: u64, reset_epoch: u32) -> Body<'static> {
    Body::PartProduced(PartProduced {
        counter: "good".into(),
        meaning: PartMeaning::Good,
        value: Some(value),
        reset_epoch,
        ..PartProduced::default()
    })
}

fn online() -> Body<'static> {
    Body::ConnectionChanged(ConnectionChanged {
        to: Connection::Online,
        ..ConnectionChanged::default()
    })
}

fn report(writer: &Writer) -> QualityReport {
    report_at(writer, 1_000)
}

fn report_at(writer: &Writer, at_s: i64) -> QualityReport {
    let at = Timestamp(at_s * SECOND);
    let twin = writer.twin(None);
    let window = Window {
        from: Timestamp(0),
        to: at,
    };
    let mut fold = QualityFold::new(window, twin.sources());
    writer.events.iter().for_each(|event| fold.take(event));
    let judging = Judging {
        at,
        ..Judging::default()
    };
    fold.finish(&judging, standing_conflicts(&twin, at))
}

/// The findings as `KIND source what from>to xN`.
fn shown(report: &QualityReport) -> Vec<String> {
    let line = |one: &Finding| {
        format!(
            "{:?} {} {} {}>{} x{}",
            one.kind, one.source, one.what, one.from, one.to, one.count
        )
    };
    report.findings.iter().map(line).collect()
}

/// One source reports these, one second after the other.
fn story(bodies: Vec<Body<'static>>) -> Writer {
    let mut writer = Writer::default();
    for (at, body) in bodies.into_iter().enumerate() {
        writer.report(said(GATEWAY, at as u64 + 1, at as i64 + 1, body));
    }
    writer
}

#[test]
fn jumps_that_no_transition_leads_along_are_found() {
    let stories: [(Vec<Body<'static>>, &[&str], (u64, u64, u64)); 8] = [
        (
            vec![packml("Idle"), packml("Starting"), packml("Execute")],
            &[],
            (2, 0, 0),
        ),
        (vec![packml("Idle"), packml("Execute")], &[], (1, 0, 1)),
        (
            vec![packml("Stopped"), packml("Execute"), packml("Idle")],
            &[
                "IllegalJump 1 STATE STOPPED>EXECUTE x1",
                "IllegalJump 1 STATE EXECUTE>IDLE x1",
            ],
            (2, 2, 0),
        ),
        // Nobody saw what came between: it is not judged.
        (
            vec![packml("Stopped"), online(), packml("Execute")],
            &[],
            (0, 0, 0),
        ),
        (
            vec![packml("Stopped"), packml("UNAVAILABLE"), packml("Execute")],
            &[],
            (0, 0, 0),
        ),
        // Numbers and words are one vocabulary.
        (
            vec![packml("2"), packml("6")],
            &["IllegalJump 1 STATE STOPPED>EXECUTE x1"],
            (1, 1, 0),
        ),
        (
            vec![packml("Stopped"), packml("Dancing"), packml("Execute")],
            &["UnknownWord 1 PACKML_STATE >Dancing x1"],
            (0, 0, 0),
        ),
        (
            vec![
                state("STOPPED", Vocabulary::MtconnectExecution),
                state("ACTIVE", Vocabulary::MtconnectExecution),
            ],
            &[],
            (0, 0, 0),
        ),
    ];
    for (bodies, expected, counts) in stories {
        let report = report(&story(bodies.clone()));
        assert_eq!(shown(&report), expected, "{bodies:?}");
        let plant = &report.plant;
        let found = (
            plant.jumps_judged,
            plant.illegal_jumps,
            plant.skipped_acting,
        );
        assert_eq!(found, counts, "{bodies:?}");
    }
}

#[test]
fn a_finding_says_where_it_is_and_what_was_missed() {
    let report = report(&story(vec![packml("Stopped"), packml("Execute")]));
    let [jump] = &report.findings[..] else {
        panic!("{:?}", report.findings)
    };
    assert_eq!(
        (jump.machine, jump.position, jump.at),
        (Some(MachineNumber(1)), Position(3), Timestamp(2 * SECOND))
    );
    assert_eq!(
        jump.detail,
        "between them lie at least RESETTING, IDLE, STARTING"
    );
}

#[test]
fn states_equal_to_the_one_before_are_counted_unless_they_are_affirmed() {
    let idle = || packml("Idle");
    let repeated = report(&story(vec![idle(), idle(), idle()]));
    assert_eq!(shown(&repeated), ["RepeatedState 1 STATE >Idle x2"]);
    assert_eq!(
        (repeated.plant.states, repeated.plant.repeated_states),
        (3, 2)
    );
    let affirmed = report(&story(vec![idle(), online(), idle()]));
    assert_eq!(shown(&affirmed), [""; 0]);
    let mut writer = Writer::default();
    writer.report(said(GATEWAY, 1, 1, idle()));
    writer.report(said(("gateway-1", 2), 1, 2, idle()));
    assert_eq!(
        shown(&report_at(&writer, 50)),
        [""; 0],
        "a new life affirms"
    );
}

#[test]
fn counters_that_go_back_without_a_reset_are_found() {
    let report = report(&story(vec![
        counter(7, 0),
        counter(9, 0),
        counter(8, 0),
        counter(0, 1),
        counter(1, 1),
    ]));
    assert_eq!(shown(&report), ["CounterBackwards 1 good 9>8 x1"]);
    assert_eq!(report.plant.counters_backwards, 1);
}

/// A writer that finds a gap, as the engine records it.
fn with_gap(first: u64, last: u64) -> Writer {
    let mut writer = Writer::default();
    writer.report(said(GATEWAY, first - 1, 1, packml("Stopped")));
    writer.own(Body::GapDetected(GapDetected {
        cause: GapCause::Sequence,
        source: SourceNumber(1),
        first,
        last,
        lost: Some(last - first + 1),
        ..GapDetected::default()
    }));
    writer.report(said(GATEWAY, last + 1, 9, packml("Execute")));
    writer
}

fn fill(writer: &mut Writer, sequence: u64, at_s: i64, body: Body<'static>) {
    writer.report(said(GATEWAY, sequence, at_s, body));
    writer.events.last_mut().unwrap().flags = Flags::LATE_FILLER;
}

#[test]
fn gaps_are_open_until_all_of_them_came() {
    let mut writer = with_gap(2, 4);
    let open = report(&writer);
    assert_eq!(shown(&open), ["Gap 1 SEQUENCE >open x3"]);
    assert_eq!(open.plant.jumps_judged, 0, "nobody judges across a gap");
    fill(&mut writer, 2, 2, packml("Resetting"));
    fill(&mut writer, 4, 8, packml("Starting"));
    let partly = report(&writer);
    assert_eq!(shown(&partly), ["Gap 1 SEQUENCE >partly filled x3"]);
    assert_eq!(
        (
            partly.plant.lost,
            partly.plant.missing,
            partly.plant.gaps_open
        ),
        (3, 1, 1)
    );
    assert_eq!(
        partly.plant.jumps_judged, 2,
        "Resetting after Stopped, Execute after Starting"
    );
    fill(&mut writer, 3, 3, packml("Idle"));
    let filled = report(&writer);
    assert_eq!(shown(&filled), ["Gap 1 SEQUENCE >filled x3"]);
    assert_eq!(
        (
            filled.plant.missing,
            filled.plant.gaps_open,
            filled.plant.fillers
        ),
        (0, 0, 3)
    );
    assert_eq!(
        (filled.plant.jumps_judged, filled.plant.illegal_jumps),
        (4, 0)
    );
    assert_eq!(
        (filled.plant.late, filled.plant.worst_late_ns),
        (3, Some(7 * SECOND))
    );
}

#[test]
fn a_gap_that_the_source_itself_tells_of_is_not_judged_across() {
    let lost = Body::GapDetected(GapDetected {
        cause: GapCause::RingBuffer,
        lost: None,
        ..GapDetected::default()
    });
    let report = report(&story(vec![packml("Stopped"), lost, packml("Execute")]));
    assert_eq!(shown(&report), ["Gap 1 RING_BUFFER >open x0"]);
    assert_eq!(report.plant.jumps_judged, 0);
}

#[test]
fn sources_in_conflict_are_found_when_it_lasts() {
    let run = |times: [i64; 3]| {
        let mut writer = Writer::default();
        writer.report(said(GATEWAY, 1, 1, canonical(State::Idle)));
        writer.report(said(OTHER, 1, 1, canonical(State::Idle)));
        writer.report(said(GATEWAY, 2, times[0], canonical(State::Executing)));
        writer.report(said(OTHER, 2, times[1], canonical(State::Executing)));
        writer.report(said(GATEWAY, 3, times[2], canonical(State::Held)));
        report_at(&writer, 100)
    };
    assert_eq!(
        shown(&run([10, 15, 95])),
        [""; 0],
        "both are as quick as sources are"
    );
    assert_eq!(
        shown(&run([10, 60, 95])),
        ["Conflict 2 STATE EXECUTING>IDLE x1"],
        "the one with less authority is told of"
    );
    let standing = run([10, 15, 80]);
    assert_eq!(shown(&standing), ["Conflict 2 STATE HELD>EXECUTING x1"]);
    assert_eq!(standing.findings[0].until, None, "it stands");
    assert_eq!(standing.sources[1].figures.conflicts, 1);
}

#[test]
fn other_aspects_are_compared_as_they_stand() {
    let item = |text: &'static str| {
        Body::ItemChanged(ItemChanged {
            item: "comment".into(),
            text: Some(text.into()),
        })
    };
    let mut writer = Writer::default();
    writer.report(said(GATEWAY, 1, 1, item("a")));
    writer.report(said(OTHER, 1, 5, item("b")));
    assert_eq!(
        shown(&report_at(&writer, 10)),
        [""; 0],
        "it may be under way"
    );
    assert_eq!(
        shown(&report_at(&writer, 20)),
        ["Conflict 2 ITEM comment a>b x1"]
    );
    writer.report(said(OTHER, 2, 6, item("a")));
    assert_eq!(shown(&report_at(&writer, 20)), [""; 0]);
}

#[test]
fn suspect_clocks_are_told_of_for_each_machine_with_their_worst_offset() {
    let mut writer = story(vec![packml("Idle"), packml("Starting"), packml("Execute")]);
    let last = writer.events.len() - 1;
    for (at, offset_s) in [(last, -40), (last - 1, 20)] {
        let event = &mut writer.events[at];
        event.flags = Flags::SUSPECT_CLOCK;
        event.reported.observed_at = Some(Timestamp(500 * SECOND));
        event.reported.occurred_at = Timestamp((500 + offset_s) * SECOND);
    }
    let report = report(&writer);
    assert_eq!(shown(&report), ["SuspectClock 1 OFFSET >-40.000 s x2"]);
    assert_eq!(
        (report.plant.suspect, report.plant.worst_offset_ns),
        (2, Some(-40 * SECOND))
    );
}

#[test]
fn refusals_are_counted_by_reason() {
    let mut writer = story(vec![packml("Idle")]);
    for (first, last) in [(2, 4), (6, 6)] {
        writer.own(Body::EventRefused(EventRefused {
            source: SourceNumber(1),
            first,
            last,
            reason: RefusalReason::UnknownMachine,
            hash: vec![0; 32].into(),
        }));
    }
    let report = report(&writer);
    assert_eq!(
        report.sources[0].figures.refused,
        BTreeMap::from([(RefusalReason::UnknownMachine, 4)])
    );
    assert_eq!(report.plant.refused_total(), 4);
}

#[test]
fn a_source_is_silent_when_it_leaves_its_rhythm() {
    let mut writer = Writer::default();
    let number = writer.open(GATEWAY);
    for at in 0..=12 {
        writer.report(said(GATEWAY, at as u64 + 1, at * 30, counter(at as u64, 0)));
        writer.events.last_mut().unwrap().recorded_at = Timestamp(at * 30 * SECOND);
    }
    let silence = |at_s: i64, limit: Option<i64>| {
        let twin = writer.twin(None);
        let window = Window {
            from: Timestamp(0),
            to: Timestamp(at_s * SECOND),
        };
        let mut fold = QualityFold::new(window, twin.sources());
        writer.events.iter().for_each(|event| fold.take(event));
        let judging = Judging {
            at: Timestamp(at_s * SECOND),
            silent_after_ns: limit,
            ..Judging::default()
        };
        let report = fold.finish(&judging, Vec::new());
        let found = report
            .findings
            .iter()
            .filter(|one| one.kind == FindingKind::Silent)
            .count();
        let source = report
            .sources
            .into_iter()
            .find(|one| one.number == number)
            .unwrap();
        assert_eq!(u64::from(source.silence.is_silent()), report.plant.silent);
        assert_eq!(source.silence.is_silent(), found == 1);
        source.silence
    };
    // It pauses for 30 s, so for 150 s nobody wonders; a bucket may be a sixteenth too great.
    assert!(!silence(360 + 149, None).is_silent());
    assert!(silence(360 + 165, None).is_silent());
    assert!(silence(360 + 20, Some(10 * SECOND)).is_silent());
    assert_eq!(silence(400, None).heard_at, Some(Timestamp(360 * SECOND)));
}

#[test]
fn without_a_rhythm_nobody_is_called_silent() {
    let writer = story(vec![packml("Idle"), packml("Starting")]);
    let report = report_at(&writer, 1_000_000);
    assert_eq!(
        (report.plant.silent, report.sources[0].silence.limit_ns),
        (0, None)
    );
}

#[test]
fn a_correction_changes_what_is_found() {
    let mut writer = story(vec![packml("Idle"), packml("Completed"), packml("Execute")]);
    assert_eq!(report(&writer).plant.illegal_jumps, 2);
    writer.correct(Fix {
        action: CorrectionAction::Replace,
        targets: vec![Position(3)],
        replacement: Some(packml("Starting")),
        new_time: None,
    });
    assert_eq!(report(&writer).plant.illegal_jumps, 0);
    writer.correct(Fix {
        action: CorrectionAction::Retract,
        targets: vec![Position(3)],
        replacement: None,
        new_time: None,
    });
    let retracted = report(&writer);
    assert_eq!(
        (
            retracted.plant.illegal_jumps,
            retracted.plant.skipped_acting
        ),
        (0, 1)
    );
}

#[test]
fn what_is_outside_the_window_is_left_out() {
    let writer = story(vec![packml("Stopped"), packml("Execute"), packml("Idle")]);
    let twin = writer.twin(None);
    for (from, to, events, jumps) in [(0, 9, 3, 2), (2, 9, 2, 1), (1, 3, 2, 1), (4, 9, 0, 0)] {
        let window = Window {
            from: Timestamp(from * SECOND),
            to: Timestamp(to * SECOND),
        };
        let mut fold = QualityFold::new(window, twin.sources());
        writer.events.iter().for_each(|event| fold.take(event));
        let report = fold.finish(&Judging::default(), Vec::new());
        assert_eq!(
            (report.plant.events, report.plant.illegal_jumps),
            (events, jumps),
            "{from} {to}"
        );
    }
}

const WORDS: [&str; 6] = ["Idle", "Starting", "Execute", "Stopped", "Held", "Dancing"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]
    #[test]
    fn what_is_found_does_not_depend_on_who_arrives_first(
        events in prop::collection::vec((0..2_usize, 0..6_i64, 0..8_usize), 1..20),
        order in Just(()).prop_perturb(|(), mut rng| rng.next_u64()),
    ) {
        let mut sequences = [0_u64; 2];
        let mut all = Vec::new();
        for (source, at, value) in events {
            sequences[source] += 1;
            let name = [GATEWAY, OTHER][source];
            let body = match WORDS.get(value) {
                Some(word) => packml(word),
                None => counter(value as u64 + at as u64 % 3, 0),
            };
            all.push(said(name, sequences[source], at * 11, body));
        }
        let found = |all: Vec<Said>| {
            let mut writer = Writer::default();
            writer.open(GATEWAY);
            writer.open(OTHER);
            for said in all {
                writer.report(said);
            }
            let mut report = report_at(&writer, 200);
            // Positions follow arrival; the order of equal times follows them.
            report.findings.iter_mut().for_each(|one| one.position = Position(0));
            let mut lines = shown(&report);
            lines.sort();
            let plant = report.plant;
            (lines, plant.jumps_judged, plant.repeated_states, plant.unknown_words, plant.conflicts)
        };
        let mut shuffled = all.clone();
        let mut seed = order;
        for at in (1..shuffled.len()).rev() {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            shuffled.swap(at, (seed >> 33) as usize % (at + 1));
        }
        prop_assert_eq!(found(all), found(shuffled));
    }
}
