//! Causes of waits that are kept up to date are those that are found anew, after every event.

use crate::line::Line;
use crate::writer::{Fix, plant};
use proptest::prelude::*;
use std::collections::BTreeSet;
use werkbuch_model::event::*;
use werkbuch_model::id::MachineNumber;
use werkbuch_model::plant::{diff, parse};
use werkbuch_model::time::Timestamp;
use werkbuch_twin::Twin;
use werkbuch_twin::line::{WaitCauses, Waits};
use werkbuch_twin::quality::Window;

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400;

/// Machines that give to each other and through buffers, a split, a merge, a way back, and a feed.
const FLOWS: &str = "m1>m2 m2>m3 m3>b1 b1>m4 b1>m5 m4>b2 m5>b2 b2>m6 m6>m7 m7>m8";
const MORE: &str = r#"
[[flow]]
from = "m8"
to = "m7"
kind = "rework"
[[buffer]]
id = "b9"
capacity = 10
[[feed]]
at = "m6"
part_number = "bolt"
from = "b9"
[[boundary]]
at = "m1"
kind = "source"
release = "saturated"
[[boundary]]
at = "m8"
kind = "sink"
release = "saturated"
[[calendar]]
id = "week"
[[calendar.shifts]]
name = "early"
days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
from = "00:30"
to = "23:30"
"#;
const STAGGERED: &str = "[[calendar.breaks]]\nat = \"09:00\"\nminutes = 30\nmachines = \"m2\"\n";

/// What happens next.
#[derive(Clone, Debug)]
enum Step {
    State(u32, State),
    Level(&'static str, Option<u64>),
    Enter(usize, &'static str),
    Leave(usize, &'static str),
    Start(usize, usize),
    End(usize, &'static str),
    Scrap(usize),
    Shift(&'static str, i64, i64),
    Retract(usize),
    Retime(usize, i64),
    Describe,
}

const PARTS: [&str; 4] = ["p1", "p2", "p3", "p4"];
const TRANSPORTS: [&str; 2] = ["t1", "t2"];

fn place() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["m2", "m4", "m6", "m7", "b1", "b2", "b9", ""])
}

fn step() -> impl Strategy<Value = Step> {
    let states = vec![
        State::Executing,
        State::Idle,
        State::Idle,
        State::Waiting,
        State::Waiting,
        State::Starved,
        State::Blocked,
        State::Faulted,
        State::Held,
    ];
    let part = || 0..PARTS.len();
    let buffer = prop::sample::select(vec!["b1", "b2", "b9"]);
    prop_oneof![
        12 => (1..=8_u32, prop::sample::select(states)).prop_map(|(m, to)| Step::State(m, to)),
        4 => (buffer, prop::option::of(0..4_u64)).prop_map(|(b, level)| Step::Level(b, level)),
        3 => (part(), place()).prop_map(|(p, at)| Step::Enter(p, at)),
        2 => (part(), place()).prop_map(|(p, at)| Step::Leave(p, at)),
        2 => (0..2_usize, part()).prop_map(|(t, p)| Step::Start(t, p)),
        2 => (0..2_usize, place()).prop_map(|(t, at)| Step::End(t, at)),
        1 => part().prop_map(Step::Scrap),
        1 => (prop::sample::select(vec!["", "line", "m2"]), 0..DAY, 0..DAY)
            .prop_map(|(unit, from, long)| Step::Shift(unit, from, long)),
        2 => any::<usize>().prop_map(Step::Retract),
        1 => (any::<usize>(), 0..20 * DAY).prop_map(|(which, at)| Step::Retime(which, at)),
        1 => Just(Step::Describe),
    ]
}

/// What takes its time, in seconds: mostly little, sometimes until what was tracked is forgotten.
fn pause() -> impl Strategy<Value = i64> {
    prop_oneof![6 => 1..600_i64, 2 => 600..30_000_i64, 1 => 10 * DAY..15 * DAY]
}

impl Line {
    /// Does a step at a time; a step that cannot be done is passed over.
    fn take(&mut self, step: &Step, at: i64) {
        match step {
            Step::State(machine, to) => self.state(*machine, at, *to),
            Step::Level(buffer, level) => {
                let body = BufferLevelChanged {
                    buffer: (*buffer).into(),
                    level: *level,
                    ..BufferLevelChanged::default()
                };
                self.say(0, at, Body::BufferLevelChanged(body));
            }
            Step::Enter(part, place) => self.enter(PARTS[*part], place, at),
            Step::Leave(part, place) => self.leave(PARTS[*part], place, at),
            Step::Start(transport, part) => {
                let body = TransportStarted {
                    transport: TRANSPORTS[*transport].into(),
                    to: "b1".into(),
                    parts: vec![PARTS[*part].into()],
                    ..TransportStarted::default()
                };
                self.say(0, at, Body::TransportStarted(body));
            }
            Step::End(transport, place) => {
                let body = TransportEnded {
                    transport: TRANSPORTS[*transport].into(),
                    at: (*place).into(),
                    ..TransportEnded::default()
                };
                self.say(0, at, Body::TransportEnded(body));
            }
            Step::Scrap(part) => {
                let body = PartDispositioned {
                    part: PARTS[*part].into(),
                    disposition: Disposition::Scrap,
                    ..PartDispositioned::default()
                };
                self.say(0, at, Body::PartDispositioned(body));
            }
            Step::Shift(unit, from, long) => {
                let from = Timestamp((at + from) * SECOND);
                let to = from.plus(long * SECOND);
                let body = CalendarChanged {
                    unit: (*unit).into(),
                    key: "k".into(),
                    from,
                    to,
                    intervals: vec![PlannedInterval {
                        from,
                        to,
                        kind: IntervalKind::Shift,
                        name: "overtime".into(),
                        team: "".into(),
                    }],
                };
                self.say(0, at, Body::CalendarChanged(body));
            }
            Step::Retract(which) => self.correct(*which, CorrectionAction::Retract, None),
            Step::Retime(which, to) => self.correct(*which, CorrectionAction::Retime, Some(*to)),
            Step::Describe => self.describe_anew(),
        }
    }

    fn correct(&mut self, which: usize, action: CorrectionAction, to: Option<i64>) {
        let originals = &self.writer.originals;
        let standing: Vec<_> = originals.iter().filter(|one| one.at.is_some()).collect();
        let Some(target) = standing.get(which % standing.len().max(1)) else {
            return;
        };
        let targets = vec![target.position];
        self.writer.correct(Fix {
            action,
            targets,
            replacement: None,
            new_time: to.map(|to| to * SECOND),
        });
    }

    /// Takes the buffer between out of the description, or brings it back.
    fn describe_anew(&mut self) {
        let twin = self.writer.twin(None);
        let now = twin.description();
        let mut text = werkbuch_model::plant::to_toml(now, &plant());
        let flow = "[[flow]]\nfrom = \"m6\"\nto = \"m7\"\n";
        text = match text.contains(flow) {
            true => text.replace(flow, ""),
            false => text + flow,
        };
        let file = parse(&text, "plant.toml").unwrap();
        let changes = diff(now, &file).unwrap();
        self.writer
            .own(Body::DescriptionChanged(DescriptionChanged {
                revision: twin.revision() + 1,
                part: 1,
                commit: true,
                changes,
                ..DescriptionChanged::default()
            }));
    }
}

fn line(staggered: bool) -> Line {
    let plant = "calendar = \"week\"\nday_start = \"00:00\"\n";
    let more = if staggered { STAGGERED } else { "" };
    Line::with(FLOWS, plant, &format!("{MORE}{more}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn following_says_what_looking_anew_says(
        staggered: bool,
        steps in prop::collection::vec((step(), pause()), 1..60),
    ) {
        let mut line = line(staggered);
        let (mut at, mut times) = (0, Vec::new());
        for (step, pause) in &steps {
            at += pause;
            line.take(step, at);
            times.resize(line.writer.events.len(), at);
        }
        let mut twin = Twin::new(plant());
        let mut waits = Waits::of(&twin);
        let mut before = Vec::new();
        for (event, at) in line.writer.events.iter_mut().zip(times) {
            event.recorded_at = Timestamp(at * SECOND + event.position.get() as i64);
            twin.apply(event).unwrap();
            let told = waits.follow(&twin, event);
            let causes = WaitCauses::of(&twin);
            let expected: Vec<_> = causes.all().map(|(of, cause)| (of, cause.clone())).collect();
            let found: Vec<_> = waits.all().map(|(of, cause)| (of, cause.clone())).collect();
            prop_assert_eq!(&found, &expected, "after {:?}", event);
            let differ = |a: &[(MachineNumber, _)], b: &[(MachineNumber, _)]| -> BTreeSet<_> {
                a.iter().filter(|one| !b.contains(one)).map(|one| one.0).collect()
            };
            let changed = &differ(&found, &before) | &differ(&before, &found);
            prop_assert_eq!(told, changed, "after {:?}", event);
            before = found;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Also as time passes and nothing is said, and with late events and corrections.
    #[test]
    fn on_the_way_through_plant_time_each_instant_has_its_own_causes(
        staggered: bool,
        steps in prop::collection::vec((step(), pause(), 0..2_000_i64), 1..40),
    ) {
        let mut line = line(staggered);
        let mut at = DAY;
        for (step, pause, late) in &steps {
            at += pause;
            if !matches!(step, Step::Describe) {
                line.take(step, at - late);
            }
        }
        let window = Window { from: Timestamp(0), to: Timestamp((at + DAY) * SECOND) };
        let writer = &line.writer;
        let mut before = Vec::new();
        crate::course::go(writer, window, usize::MAX, &mut |course, at, until, touched| {
            let waits = course.waits().unwrap();
            let found: Vec<_> = waits.all().map(|(of, cause)| (of, cause.clone())).collect();
            for time in [at.nanos(), until.nanos() - 1] {
                let causes = WaitCauses::of(&writer.twin(Some(time)));
                let expected: Vec<_> = causes.all().map(|(of, cause)| (of, cause.clone())).collect();
                assert_eq!(found, expected, "at {time}");
            }
            let differ = |a: &[(MachineNumber, _)], b: &[(MachineNumber, _)]| -> BTreeSet<_> {
                a.iter().filter(|one| !b.contains(one)).map(|one| one.0).collect()
            };
            let changed = &differ(&found, &before) | &differ(&before, &found);
            assert!(changed.iter().all(|one| touched.contains(one)), "at {at}");
            before = found;
        });
    }
}

#[test]
fn an_event_touches_its_neighbours_and_no_others() {
    let mut line = line(false);
    for machine in 1..=8 {
        line.state(machine, i64::from(machine), State::Executing);
    }
    line.state(7, 20, State::Idle);
    let twin = |line: &Line, last: usize| {
        let mut twin = Twin::new(plant());
        for event in &mut line.writer.events[..last].to_vec() {
            // In the morning, when all are planned to work.
            event.recorded_at = Timestamp(7 * 3_600 * SECOND + event.position.get() as i64);
            twin.apply(event).unwrap();
        }
        twin
    };
    let last = line.writer.events.len();
    let mut waits = Waits::of(&twin(&line, last - 1));
    let event = line.writer.events[last - 1].clone();
    let told = waits.follow(&twin(&line, last), &event);
    assert_eq!(told, BTreeSet::from([MachineNumber(7)]));
    assert_eq!(waits.all().count(), 1);
}
