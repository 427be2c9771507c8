//! The past by marks and late events is the past as the log tells it from its first event on.

use super::*;
use crate::clock::Clock;
use crate::past::PastTwin;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Duration;
use werkbuch_model::event::{
    AspectKind, Correction, CorrectionAction, GapCause, GapDetected, PartEntered,
};
use werkbuch_twin::Twin;
use werkbuch_twin::course::Course;
use werkbuch_twin::quality::Window;

/// Few enough that a short log has many marks.
const EVERY: u64 = 32;
const SOURCES: [&str; 3] = ["a", "b", "c"];

/// `SplitMix64` (Steele, Lea and Flood 2014).
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) % most
    }

    fn signed(&mut self, most: i64) -> i64 {
        let below = self.below(2 * most.unsigned_abs() + 1);
        below.cast_signed() - most
    }
}

/// A plant whose sources report early, late and wrongly.
struct Story {
    bench: Bench,
    chance: Chance,
    sessions: Vec<(u64, u64)>,
    /// Seconds of plant time.
    now: i64,
    machines: u32,
    /// What the machines are called that are described.
    names: BTreeMap<u32, String>,
    /// A dice of its own for when marks are kept, so that the story is the same with it or without.
    apart: Chance,
    /// The mark at the end of an interval that was divided, as it was before.
    undivided: Option<(PathBuf, Vec<u8>)>,
    divided: u64,
    undone: u64,
}

impl Story {
    async fn new(seed: u64) -> Self {
        let mut bench = Bench::new().await;
        bench.engine.close().await.unwrap();
        bench.engine = open(&bench).await;
        let mut story = Self {
            bench,
            chance: Chance(seed),
            sessions: Vec::new(),
            now: 0,
            machines: 2,
            names: BTreeMap::new(),
            apart: Chance(seed ^ 0xdead),
            undivided: None,
            divided: 0,
            undone: 0,
        };
        story.open_sources().await;
        story
    }

    async fn open_sources(&mut self) {
        self.sessions.clear();
        for name in SOURCES {
            let opened = self.bench.open(name, None).await;
            self.sessions
                .push((opened.session, opened.next_sequence.get()));
        }
    }

    async fn step(&mut self) {
        match self.chance.below(40) {
            0 => self.describe().await,
            1 => self.reopen().await,
            2 => {
                self.now += 3_600;
                self.bench.clock.pass(3_600 * SECOND_NS);
            }
            _ => self.report().await,
        }
    }

    /// A batch of one source: nearly in order, a while late, or days late; now and then a correction.
    async fn report(&mut self) {
        let source = usize::try_from(self.chance.below(3)).unwrap();
        let delay = match self.chance.below(12) {
            0 => self.chance.signed(50_000).abs(),
            1 => 600,
            _ => 0,
        };
        let mut events = Vec::new();
        let count = 1 + self.chance.below(12);
        for _ in 0..count {
            self.now += self.chance.signed(1).abs();
            self.bench.clock.pass(SECOND_NS / 2);
            let at = self.now - delay + self.chance.signed(5);
            let body = self.body(source).await;
            let number = self.sessions[source].1;
            self.sessions[source].1 += 1 + u64::from(self.chance.below(50) == 0);
            let mut said = event(number, at, body);
            let machine = 1 + self.chance.below(self.machines.into());
            said.machine = MachineNumber(u32::try_from(machine).unwrap());
            if let Body::CorrectionRecorded(correction) = &said.body {
                said.machine = self.machine_of(correction.targets[0]);
            }
            events.push(said);
        }
        let session = self.sessions[source].0;
        self.bench.report(session, &events).await;
    }

    async fn body(&mut self, source: usize) -> Body<'static> {
        let texts = [
            "one",
            "another text",
            "",
            "a longer text that takes more room than the others",
        ];
        match self.chance.below(24) {
            0 => self
                .correction(source)
                .await
                .unwrap_or_else(|| state(State::Idle)),
            1 => Body::GapDetected(GapDetected {
                cause: GapCause::ALL[1],
                lost: Some(3),
                ..GapDetected::default()
            }),
            2 | 3 => {
                let part = format!("part-{}", self.chance.below(9));
                Body::PartEntered(PartEntered {
                    part: part.into(),
                    ..PartEntered::default()
                })
            }
            4..=9 => {
                let all = State::ALL;
                let at = usize::try_from(self.chance.below(all.len() as u64)).unwrap();
                state(all[at.max(1)])
            }
            at => Body::ItemChanged(ItemChanged {
                item: format!("item-{}", at % 3).into(),
                text: Some(texts[usize::try_from(self.chance.below(4)).unwrap()].into()),
            }),
        }
    }

    /// A correction of one of the last things that the source said.
    async fn correction(&mut self, source: usize) -> Option<Body<'static>> {
        let end = self.bench.plant().position().get();
        let target = end.checked_sub(self.chance.below(120))?;
        let stored = self.bench.plant().event(Position(target)).unwrap()?;
        let found = decode_recorded(&stored.bytes).unwrap();
        let good = matches!(
            found.reported.body,
            Body::StateChanged(_) | Body::ItemChanged(_) | Body::PartEntered(_)
        );
        let own = {
            let plant = self.bench.plant();
            let twin = plant.shared.twin.read().unwrap();
            twin.source(found.source).map(|own| own.name.to_string())
        };
        if !good || own.as_deref() != Some(SOURCES[source]) {
            return None;
        }
        let action = [
            CorrectionAction::Retract,
            CorrectionAction::Retime,
            CorrectionAction::Replace,
        ][usize::try_from(self.chance.below(3)).unwrap()];
        let replacement = match (action, &found.reported.body) {
            (CorrectionAction::Replace, Body::StateChanged(_)) => Some(state(State::Held)),
            (CorrectionAction::Replace, Body::ItemChanged(said)) => {
                Some(Body::ItemChanged(ItemChanged {
                    item: said.item.to_string().into(),
                    text: Some("replaced".into()),
                }))
            }
            _ => None,
        };
        let retimed = action == CorrectionAction::Retime;
        Some(Body::CorrectionRecorded(Correction {
            action,
            targets: vec![Position(target)],
            replacement: replacement.map(Box::new),
            new_time: retimed.then(|| {
                let moved = found
                    .effective_at
                    .plus(-self.chance.signed(9_000).abs() * SECOND_NS);
                moved.max(MORNING)
            }),
            ..Correction::default()
        }))
    }

    fn machine_of(&self, position: Position) -> MachineNumber {
        let stored = self.bench.plant().event(position).unwrap().unwrap();
        decode_recorded(&stored.bytes).unwrap().reported.machine
    }

    /// One machine more, or another name for one; some of it holds earlier or later.
    /// Another description: a machine more, others of another type, some taken away, some that had been
    /// taken away there again, some renamed.
    async fn describe(&mut self) {
        self.machines = (self.machines + 1).min(9);
        let mut text = "[plant]\nid = \"P\"\n".to_owned();
        for machine in 1..=self.machines.min(6) {
            let kind = self.chance.below(3);
            let (away, renamed) = (self.chance.below(5) == 0, self.chance.below(5) == 0);
            if machine > 2 && away {
                self.names.remove(&machine);
                continue;
            }
            let name = match self.names.get(&machine) {
                Some(name) if renamed => format!("{name}x"),
                Some(name) => name.clone(),
                None => format!("m{machine}"),
            };
            text.push_str(&format!(
                "[[machine]]\nid = \"{name}\"\ntype = \"t{kind}\"\n"
            ));
            match self.names.insert(machine, name.clone()) {
                Some(old) if old != name => text.push_str(&format!("formerly = \"{old}\"\n")),
                _ => {}
            }
        }
        let mut request = apply(&text, false);
        let moved = self.chance.signed(4_000);
        if moved % 2 == 0 {
            let now = self.bench.clock.wall();
            request.file.valid_from = Some(now.plus(moved * SECOND_NS));
        }
        self.bench.engine.apply(request).await.unwrap();
    }

    /// Closes, and damages or deletes some of what is kept; then opens again.
    async fn reopen(&mut self) {
        if self.undo().await {
            return;
        }
        self.undivided = None;
        self.bench.engine.close().await.unwrap();
        let files = self.marks();
        // A mark that is still being written when the plant is closed comes into its place meanwhile.
        let remove = |file: &PathBuf| match std::fs::remove_file(file) {
            Err(error) if error.kind() != ErrorKind::NotFound => panic!("{error}"),
            _ => {}
        };
        match self.chance.below(5) {
            0 => files.iter().for_each(remove),
            1 | 2 if !files.is_empty() => {
                let at = usize::try_from(self.chance.below(files.len() as u64)).unwrap();
                let mut bytes = std::fs::read(&files[at]).unwrap_or_default();
                // A file that was begun and holds nothing yet has no byte to damage.
                let length = (bytes.len() as u64).max(1);
                let place = usize::try_from(self.chance.below(length)).unwrap();
                if let Some(byte) = bytes.get_mut(place) {
                    *byte ^= 0x10;
                }
                std::fs::write(&files[at], bytes).unwrap();
            }
            3 if !files.is_empty() => {
                let at = usize::try_from(self.chance.below(files.len() as u64)).unwrap();
                remove(&files[at]);
            }
            _ => {}
        }
        self.bench.engine = open(&self.bench).await;
        self.open_sources().await;
    }

    /// Has marks wait or not, and divides what became long; meanwhile instants are asked for.
    fn divide(&mut self, seen: &mut Seen) {
        let plant = self.bench.plant();
        match self.apart.below(8) {
            0 => plant.shared.past.hold(true),
            1 => plant.shared.past.hold(false),
            2 => {
                let before: BTreeMap<PathBuf, Vec<u8>> = self
                    .marks()
                    .into_iter()
                    .filter(|path| path.extension().is_some_and(|end| end == "mark"))
                    .filter_map(|path| Some((path.clone(), std::fs::read(path).ok()?)))
                    .collect();
                let aside = std::thread::spawn(move || {
                    let shared = &plant.shared;
                    shared.past.divide(shared).unwrap()
                });
                for _ in 0..3 {
                    self.compare(seen);
                }
                if !aside.join().unwrap() {
                    return;
                }
                self.divided += 1;
                self.undivided = before
                    .into_iter()
                    .find(|(path, bytes)| std::fs::read(path).is_ok_and(|now| now != *bytes));
            }
            _ => {}
        }
    }

    /// Opens again as if the process had ended while an interval was divided: the marks between are there, the
    /// one at its end is the old one. It is kept, with all that follows it. Then the new one comes into its
    /// place, as for a question that was begun before the division: it must not be taken for the old one.
    async fn undo(&mut self) -> bool {
        let whole = self.bench.plant().shared.past.is_whole();
        let undivided = self.undivided.take();
        let undivided = undivided.filter(|(path, _)| whole && path.exists());
        let Some((path, old)) = undivided else {
            return false;
        };
        self.bench.engine.close().await.unwrap();
        let new = std::fs::read(&path).unwrap();
        std::fs::write(&path, &old).unwrap();
        let before = self.marks().into_iter().filter(|mark| *mark >= path);
        let before: Vec<PathBuf> = before.collect();
        self.bench.engine = open(&self.bench).await;
        while !self.bench.plant().shared.past.is_complete() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert!(before.iter().all(|mark| mark.exists()), "{before:?}");
        assert_eq!(std::fs::read(&path).unwrap(), old);
        std::fs::write(&path, new).unwrap();
        let mut seen = Seen::default();
        for _ in 0..20 {
            self.compare(&mut seen);
        }
        self.open_sources().await;
        self.undone += 1;
        true
    }

    fn marks(&self) -> Vec<PathBuf> {
        let folder = self.bench.folder.path().join("snapshots/P/past");
        let found = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut found: Vec<_> = found.map(|entry| entry.path()).collect();
        found.sort();
        found
    }

    /// Asks for an instant in both ways.
    fn compare(&mut self, seen: &mut Seen) {
        let plant = self.bench.plant();
        let end = plant.position().get();
        let bound = Position(end - self.chance.below(end) * self.chance.below(2));
        let at = match self.chance.below(3) {
            0 => None,
            _ => Some(
                MORNING.plus(
                    self.chance
                        .below(self.now.unsigned_abs() + 10)
                        .cast_signed()
                        * SECOND_NS,
                ),
            ),
        };
        let shared = &plant.shared;
        let expected = shared.fold(bound, at).unwrap();
        let found = shared.past.twin(shared, bound, at).unwrap();
        seen.take(&found);
        let PastTwin { twin, late, .. } = &found;
        let what = format!("known at {bound}, at {at:?}");
        assert_eq!(*late, expected.late, "{what}");
        let expected = expected.twin;
        self.compare_alone((bound, at), (&expected, *late), &what);
        let (shown, expected_lines) = (picture(twin), picture(&expected));
        for (shown, expected) in shown.lines().zip(expected_lines.lines()) {
            assert_eq!(shown, expected, "{what}");
        }
        assert_eq!(shown.len(), expected_lines.len(), "{what}");
        assert_eq!(twin.digest(), expected.digest(), "{what}");
        // Of those kept the oldest goes: the next plants are read into its room.
        shared.recent.keep((bound, at), Arc::new(found));
    }
}

impl Story {
    /// A machine alone is what it is in the whole plant, and so is all that is no machine.
    fn compare_alone(
        &mut self,
        (bound, at): (Position, Option<Timestamp>),
        (expected, late): (&Twin, u64),
        what: &str,
    ) {
        let shared = &self.bench.plant().shared;
        let number = 1 + self.chance.below(6);
        let number = MachineNumber(u32::try_from(number).unwrap());
        let found = shared
            .past
            .of(shared, (bound, at), &|_| Some(number))
            .unwrap();
        assert_eq!(found.late, late, "{what}");
        let twin = found.twin;
        assert_eq!(twin.is_alone(), found.mark.get() > 0, "{what}");
        let machine = |twin: &Twin| {
            let machine = twin.machine(number);
            machine.map(|machine| format!("{:#?} {:?}", machine.view(), machine.held()))
        };
        assert_eq!(machine(&twin), machine(expected), "{number} {what}");
        let beside = |twin: &Twin| {
            let heard: Vec<_> = (1..=6)
                .map(|one| twin.is_heard(MachineNumber(one)))
                .collect();
            let parts = twin.values(AspectKind::PartPlace);
            let (sources, recorded_at) = (twin.sources(), twin.last_recorded_at());
            let position = twin.position();
            format!("{heard:?} {position} {recorded_at:?} {sources:#?} {parts:#?}")
        };
        assert_eq!(beside(&twin), beside(expected), "{number} {what}");
    }
}

/// A twin of a past position goes on: folded up to the end it is the live one, whatever it began with.
/// And a time of the plant begins where the log first says something of it.
fn go_on(plant: &Plant, from: Position, time: Timestamp) {
    let mut twin = plant.twin_at(from).unwrap();
    assert_eq!(twin.position(), from);
    let mut follow = plant.follow(from.next());
    let mut first = None;
    while twin.position() < plant.position() {
        let folded = follow.step(7, |event| {
            twin.apply(event).unwrap();
            Ok(())
        });
        folded.unwrap();
    }
    let live = plant.shared.twin.read().unwrap().clone();
    assert_eq!(picture(&twin), picture(&live), "from {from}");
    assert_eq!(twin.digest(), live.digest(), "from {from}");
    for event in plant.events(Position(1)).unwrap() {
        let event = event.unwrap();
        let found = decode_recorded(&event.bytes).unwrap();
        let moved = match &found.reported.body {
            Body::CorrectionRecorded(said) => said.new_time,
            _ => None,
        };
        let targets = found.corrected.iter().map(|target| target.effective_at);
        let said = targets.chain(moved).chain([found.effective_at]);
        if found.is_reported() && said.max() >= Some(time) {
            first = Some(event.position);
            break;
        }
    }
    let before = plant.before_effect(time).unwrap();
    let first = first.unwrap_or_else(|| plant.position().next());
    assert_eq!(before.next(), first, "{time}");
}

impl Story {
    /// Goes through a window of the past in pieces. At each moment, and right before the next one, the
    /// plant is what a fold of the whole log says. Answers how many moments there were.
    fn go_through(&self) -> usize {
        let plant = self.bench.plant();
        let mut chance = Chance(self.chance.0);
        let end = plant.position().get();
        let bound = Position(end - chance.below(end) * chance.below(2));
        let from = MORNING.plus(chance.signed(self.now + 10) * SECOND_NS);
        let to = from.plus(1 + chance.below(2_000).cast_signed() * SECOND_NS);
        let most = [1, 3_000, usize::MAX][usize::try_from(chance.below(3)).unwrap()];
        let mut course = Course::new(plant.past_twin(bound, from.plus(-1)).unwrap(), false);
        // Before anything is read: while the past is gone through after a start, less and less of it has to be.
        let told = plant.reading_of(Window { from, to }, bound).unwrap();
        let mut described = plant.described_in(Window { from, to }, bound).unwrap();
        let (mut at, mut begin, mut moments, mut read) = (from, from, 0, 0);
        while begin < to {
            let window = Window { from: begin, to };
            let mut tell = |events| {
                read += events;
                ControlFlow::Continue(())
            };
            let piece = plant.happened(window, bound, (&|_| true, most), &mut tell);
            let mut piece = piece.unwrap().unwrap();
            loop {
                let stored = match piece.next_at() {
                    Some(next) if next == at => piece.next_moment(),
                    _ => Vec::new(),
                };
                course.pass(at);
                if described.remove(&at) {
                    course.stand(plant.past_twin(bound, at).unwrap());
                } else {
                    let all = stored.iter().map(|one| one.happening().unwrap());
                    let mut all: Vec<_> = all.collect();
                    course.sort(&mut all);
                    for one in all {
                        course.take(one).unwrap();
                    }
                }
                moments += 1;
                let next = [piece.next_at(), described.first().copied()];
                let next = next.into_iter().flatten().min();
                let next = next.filter(|next| *next < piece.end());
                for time in [at, next.unwrap_or(piece.end()).plus(-1)] {
                    let twin = plant.shared.fold(bound, Some(time)).unwrap().twin;
                    let what = format!("known at {bound}, at {time}, from {from}");
                    assert_eq!(course.twin().digest(), twin.digest(), "{what}");
                }
                at = next.unwrap_or(piece.end());
                if next.is_none() {
                    break;
                }
            }
            begin = piece.end();
        }
        if most == usize::MAX {
            assert!(read <= told, "{read} of {told}");
        }
        moments
    }
}

/// How the answers came about.
#[derive(Default)]
struct Seen {
    marks: BTreeSet<Position>,
    late: u64,
}

impl Seen {
    fn take(&mut self, found: &PastTwin) {
        self.marks.insert(found.mark);
        self.late += found.late;
    }
}

async fn open(bench: &Bench) -> Engine {
    let mut options = options(&bench.folder, &bench.clock, None);
    options.past_every = EVERY;
    Engine::open(options).await.unwrap()
}

/// All that anyone could ask of a twin.
fn picture(twin: &Twin) -> String {
    let machines: Vec<_> = (1..=6)
        .filter_map(|number| twin.machine(MachineNumber(number)))
        .map(|machine| {
            format!(
                "{:#?} {:?} {:?}",
                machine.view(),
                machine.held(),
                machine.first_position()
            )
        })
        .collect();
    format!(
        "{:?} {:?} {} {:?}\n{:?}\n{:#?}\n{}",
        twin.position(),
        twin.last_recorded_at(),
        twin.revision(),
        twin.scope(),
        twin.description(),
        twin.sources(),
        machines.join("\n")
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn the_past_is_what_the_log_says() {
    let (mut moments, mut gone, mut again) = (0, 0, 0);
    let (mut divided, mut undone) = (0, 0);
    let (mut seen, long) = (Seen::default(), std::env::var_os("WERKBUCH_LONG").is_some());
    let (mut came, mut stories) = (BTreeMap::<&str, u64>::new(), 0);
    for seed in 0..if long { 100 } else { 6 } {
        println!("seed {seed}");
        let mut story = Story::new(seed).await;
        // A dice of its own, so that the story is the same with it or without.
        let mut apart = Chance(seed);
        for step in 0..200 {
            story.step().await;
            for _ in 0..3 {
                story.compare(&mut seen);
            }
            story.divide(&mut seen);
            if apart.below(6) == 0 {
                let end = story.bench.plant().position().get();
                let from = Position(apart.below(end + 1));
                let time = apart.below(story.now.unsigned_abs() + 10);
                let time = MORNING.plus(time.cast_signed() * SECOND_NS);
                go_on(&story.bench.plant(), from, time);
            }
            if step % 16 == 0 {
                moments += story.go_through();
            }
        }
        let live = story.bench.plant().shared.twin.read().unwrap().clone();
        let description = live.description();
        gone += description.removed().count() as u64;
        let numbers = description.machines().map(|machine| machine.number.get());
        // A machine that is there again has a number of its own.
        again += numbers.filter(|number| *number > 6).count() as u64;
        let kinds = story.bench.each(|event| event.reported.body.kind().name());
        for kind in kinds {
            *came.entry(kind).or_default() += 1;
        }
        stories += 1;
        divided += story.divided;
        undone += story.undone;
    }
    assert!(
        divided > 2 * stories && undone > 0,
        "{divided} intervals were divided, {undone} not to the end"
    );
    for kind in ["CORRECTION_RECORDED", "DESCRIPTION_CHANGED", "GAP_DETECTED"] {
        let count = came.get(kind).copied().unwrap_or(0);
        assert!(count > 3 * stories, "{kind} came {count} times");
    }
    assert!(
        seen.marks.len() > 50,
        "{} marks were used",
        seen.marks.len()
    );
    assert!(gone > 3 && again > 0, "{gone} gone, {again} again");
    assert!(seen.late > 100, "{} late events were added", seen.late);
    assert!(moments > 1_000, "{moments} moments were gone through");
}

/// A plant of forty batches, six of which were taken while no mark came due.
async fn left_long() -> Story {
    let story = Story::new(1).await;
    let session = story.sessions[0].0;
    let mut number = 0;
    for batch in 0..40_u64 {
        let plant = story.bench.plant();
        plant.shared.past.hold((14..19).contains(&batch));
        let events: Vec<_> = (0..EVERY)
            .map(|_| {
                number += 1;
                let text = format!("{}", number % 7);
                let body = Body::ItemChanged(ItemChanged {
                    item: format!("item-{}", number % 5).into(),
                    text: Some(text.into()),
                });
                event(number, number.cast_signed(), body)
            })
            .collect();
        story.bench.report(session, &events).await;
        while !plant.shared.past.is_whole() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    story
}

/// Nobody asks for it: a plant that marks keep pace with looks for itself what was left long.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_left_long_is_divided_when_there_is_time() {
    let story = left_long().await;
    let plant = story.bench.plant();
    let (before, fills) = (plant.marks(), tokio::sync::Semaphore::new(1));
    assert_eq!(before.long, 1);
    plant.shared.past.hold(true);
    let past = Arc::downgrade(&plant.shared);
    let looking = tokio::spawn(async move {
        crate::engine::divide_past(past, &fills, Duration::from_millis(1)).await;
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(plant.marks(), before, "a mark is being written");
    plant.shared.past.hold(false);
    while plant.marks().long > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(plant.marks().count, before.count + 5);
    story.bench.engine.close().await.unwrap();
    looking.await.unwrap();
}

/// The mark at the end of an interval that is divided is written anew, and comes to be the change since
/// another one. Whoever reads it for what it was before is told, and takes neither for the other.
#[tokio::test(flavor = "multi_thread")]
async fn a_mark_is_not_taken_for_what_it_was_before_its_interval_was_divided() {
    let story = left_long().await;
    let read = |marks: Vec<PathBuf>| -> BTreeMap<PathBuf, Vec<u8>> {
        let marks = marks
            .into_iter()
            .filter(|path| path.extension().unwrap() == "mark");
        marks
            .map(|path| (path.clone(), std::fs::read(path).unwrap()))
            .collect()
    };
    let before = read(story.marks());
    let plant = story.bench.plant();
    assert_eq!(plant.marks().long, 1);
    assert!(plant.shared.past.divide(&plant.shared).unwrap());
    assert!(!plant.shared.past.divide(&plant.shared).unwrap());
    assert_eq!(plant.marks().long, 0);
    let after = read(story.marks());
    let changed = before
        .iter()
        .filter(|(path, bytes)| after[*path] != **bytes);
    let changed: Vec<_> = changed.collect();
    let [(path, old)] = changed[..] else {
        panic!("{} marks were replaced", changed.len());
    };
    assert_eq!(after.len() - before.len(), 5, "{after:?}");
    let end: u64 = path.file_stem().unwrap().to_str().unwrap().parse().unwrap();
    // First all is well, then the old one lies in the place of the new one.
    for bytes in [&after[path], old] {
        std::fs::write(path, bytes).unwrap();
        for bound in [end - 40, end - 1, end, end + 1, end + 40] {
            let bound = Position(bound);
            let found = plant.shared.past.twin(&plant.shared, bound, None).unwrap();
            let expected = plant.shared.fold(bound, None).unwrap();
            assert_eq!(picture(&found.twin), picture(&expected.twin), "{bound}");
            let way = bound.get() - found.mark.get();
            assert!(way < 2 * EVERY || bytes == old, "{bound}: {way} events");
        }
    }
    assert!(!path.exists(), "what is not what it should be is removed");
}
