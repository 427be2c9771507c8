//! Watching from the past: wherever it begins and however often it breaks off, its rows are the log's.

use crate::harness::{
    PLANT as PRESSES, PLANT_FILE, Served, TENANT, append, apply, config, open, reason, serve_as,
    serve_in, serve_plant, short, state,
};
use crate::watch::{Watching, begin, from, next, request, said, told, until};
use crate::watch_waits::{LINE, PLANT, listed, take};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use werkbuch_model::event::{
    Body, BufferLevelChanged, Correction, CorrectionAction, PartEntered, Reported, State,
    StateChanged,
};
use werkbuch_model::id::{MachineNumber, Position, Sequence};
use werkbuch_model::time::Timestamp;
use werkbuch_record::encode_reported;
use werkbuch_wire::pb::{self, MachineChange, MachineChangeKind as Kind};
use werkbuch_wire::reason::Reason;

/// A dice that falls the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ mixed >> 27) % n
    }

    fn of<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        &all[self.roll(all.len() as u64) as usize]
    }
}

fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since.unwrap().as_nanos()).unwrap()
}

async fn serve_again(folder: TempDir) -> Served {
    let config = werkbuch_server::PartialConfig {
        past_every: Some(16),
        snapshot_every: Some(70),
        ..config(folder.path())
    };
    serve_as(folder, short(), config).await
}

/// A line on which all goes as it may: late reports, corrections, other descriptions, restarts.
struct Story {
    served: Served,
    session: u64,
    sequence: u64,
    dice: Dice,
    end: u64,
    /// What was recorded of states, for corrections.
    states: Vec<(u64, u32)>,
}

impl Story {
    async fn new(seed: u64) -> Self {
        let served = serve_again(tempfile::tempdir().unwrap()).await;
        served.model().await.apply_plant(apply(LINE)).await.unwrap();
        let mut story = Self {
            served,
            session: 0,
            sequence: 0,
            dice: Dice(seed),
            end: 0,
            states: Vec::new(),
        };
        story.session().await;
        story
    }

    async fn session(&mut self) {
        let opened = pb::OpenSourceRequest {
            parent: PLANT.into(),
            machines: Vec::new(),
            ..open("gateway-1")
        };
        let opened = self.served.ingest().await.open_source(opened).await;
        self.session = opened.unwrap().into_inner().session;
    }

    async fn report(&mut self) {
        let first = self.end;
        let count = 1 + self.dice.roll(30);
        let mut events = Vec::new();
        let mut states = Vec::new();
        for at in 0..count {
            self.sequence += 1;
            let body = self.body();
            let machine = match &body {
                Body::BufferLevelChanged(_) | Body::PartEntered(_) => 0,
                Body::CorrectionRecorded(said) => {
                    let target = said.targets[0].get();
                    let known = self.states.iter().find(|state| state.0 == target);
                    known.unwrap().1
                }
                _ => 1 + self.dice.roll(6) as u32,
            };
            if matches!(body, Body::StateChanged(_)) {
                states.push((at, machine));
            }
            let late = [0, 0, 0, 7, 400][self.dice.roll(5) as usize];
            let time = Timestamp(now() - late * 1_000_000_000);
            let reported = Reported {
                sequence: Sequence(self.sequence),
                machine: MachineNumber(machine),
                occurred_at: time,
                observed_at: Some(time),
                historical: false,
                body,
            };
            events.push(encode_reported(&reported).into());
        }
        let batch = append(self.session, events);
        let done = self.served.ingest().await.append(batch).await.unwrap();
        self.end = done.into_inner().position;
        let before = self.end.saturating_sub(count).max(first);
        let known = states
            .iter()
            .map(|(at, machine)| (before + 1 + at, *machine));
        self.states.extend(known);
    }

    fn body(&mut self) -> Body<'static> {
        let states = [
            State::Executing,
            State::Idle,
            State::Waiting,
            State::Faulted,
            State::Held,
        ];
        match self.dice.roll(12) {
            0 | 1 => Body::BufferLevelChanged(BufferLevelChanged {
                buffer: (*self.dice.of(&["b1", "b2"])).into(),
                level: Some(self.dice.roll(4)),
                ..BufferLevelChanged::default()
            }),
            2 => Body::PartEntered(PartEntered {
                part: (*self.dice.of(&["p1", "p2"])).into(),
                location: (*self.dice.of(&["m2", "m4"])).into(),
                ..PartEntered::default()
            }),
            3 if !self.states.is_empty() => {
                let (target, _) = *self.dice.of(&self.states.clone());
                Body::CorrectionRecorded(Correction {
                    action: CorrectionAction::Retract,
                    targets: vec![Position(target)],
                    ..Correction::default()
                })
            }
            _ => Body::StateChanged(StateChanged {
                to: *self.dice.of(&states),
                ..StateChanged::default()
            }),
        }
    }

    /// The line is described anew; some of it holds only from a moment ahead on.
    async fn describe(&mut self) {
        let kind = self.dice.roll(3);
        let text = LINE.replace(
            "{ id = \"m3\" }",
            &format!("{{ id = \"m3\", type = \"t{kind}\" }}"),
        );
        let more = ["", "{ id = \"m7\" },"][self.dice.roll(2) as usize];
        let text = text.replace("{ id = \"m6\" },", &format!("{{ id = \"m6\" }}, {more}"));
        let ahead = self.dice.roll(2) == 0;
        let request = pb::ApplyPlantRequest {
            valid_from: ahead.then(|| now() + 30_000_000),
            ..apply(&text)
        };
        self.served
            .model()
            .await
            .apply_plant(request)
            .await
            .unwrap();
    }

    async fn restart(self) -> Self {
        let folder = self.served.end().await;
        let mut story = Self {
            served: serve_again(folder).await,
            ..self
        };
        story.session().await;
        story
    }
}

/// One who watches from a position on.
struct Watcher {
    asked: pb::WatchMachinesRequest,
    after: u64,
    stream: Option<Watching>,
    rows: Vec<MachineChange>,
    broken: usize,
    live: usize,
}

impl Watcher {
    fn new(after: u64, filter: &str, present: bool) -> Self {
        Self {
            asked: pb::WatchMachinesRequest {
                filter: filter.into(),
                starts: vec![from(PLANT, after + 1)],
                present,
                ..request(&[PLANT])
            },
            after,
            stream: None,
            rows: Vec::new(),
            broken: 0,
            live: 0,
        }
    }

    fn leave(&mut self) {
        self.broken += usize::from(self.stream.take().is_some());
    }

    /// Reads some messages, or up to the end. Answers whether it came there: a watcher that stalled for too
    /// long is cut off first.
    async fn read(&mut self, served: &Served, messages: usize, end: u64) -> bool {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => begin_patiently(served, self.asked.clone()).await,
        };
        for _ in 0..messages {
            let waited = tokio::time::timeout(Duration::from_secs(20), stream.message()).await;
            let Ok(Some(message)) = waited.expect("a heartbeat at least") else {
                // Too slow, or the server ended.
                self.broken += 1;
                return false;
            };
            self.rows.extend(message.changes);
            self.live += message.caught_up.len();
            self.asked.starts.clear();
            self.asked.resume_token = message.resume_token;
            if message.plants.iter().any(|at| at.position >= end) {
                self.stream = Some(stream);
                return true;
            }
        }
        self.stream = Some(stream);
        false
    }
}

/// After a restart the plant may still be on its way.
async fn begin_patiently(served: &Served, asked: pb::WatchMachinesRequest) -> Watching {
    loop {
        match served.twin().await.watch_machines(asked.clone()).await {
            Ok(begun) => return begun.into_inner(),
            Err(status) => assert_eq!(reason(&status), Reason::PlantRecovering, "{status}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

const FILTERS: [&str; 4] = [
    "",
    "state <> 'HELD'",
    "wait_state = 'STARVED' OR state = 'FAULTED'",
    "type = 't1' OR number > 5",
];

/// All that the story tells; the watchers begin, stall, break off and go on meanwhile.
async fn tell(seed: u64) -> (Story, Vec<Watcher>) {
    let mut story = Story::new(seed).await;
    let mut dice = Dice(seed ^ 0xffff);
    let mut watchers: Vec<Watcher> = Vec::new();
    for round in 0..60 {
        match dice.roll(14) {
            0 => story.describe().await,
            1 => story = story.restart().await,
            _ => story.report().await,
        }
        if round % 6 == 5 {
            let after = dice.roll(story.end + 1);
            watchers.push(Watcher::new(
                after,
                FILTERS[dice.roll(4) as usize],
                dice.roll(2) == 0,
            ));
        }
        for watcher in &mut watchers {
            match dice.roll(5) {
                0 => watcher.leave(),
                1 | 2 => {}
                _ => {
                    watcher
                        .read(&story.served, 1 + dice.roll(3) as usize, story.end)
                        .await;
                }
            }
        }
    }
    story.report().await;
    (story, watchers)
}

/// The rows of one watcher are those of the log behind its position, each once, and applied one upon
/// the other they are what a list shows at the positions between and in the end.
async fn hold(story: &mut Story, watcher: Watcher, whole: &[MachineChange]) {
    let filter = watcher.asked.filter.as_str();
    let what = format!("{filter} behind {}", watcher.after);
    let present = watcher.asked.present;
    let (begun, rows): (Vec<_>, Vec<_>) = watcher
        .rows
        .iter()
        .cloned()
        .partition(|change| change.change_kind() == Kind::Present);
    let expected: Vec<_> = whole
        .iter()
        .filter(|change| change.position > watcher.after)
        .cloned()
        .collect();
    let differs = rows.iter().zip(&expected).find(|(a, b)| a != b);
    assert_eq!(differs, None, "{what}");
    assert_eq!(rows.len(), expected.len(), "{what}");
    if !present {
        assert!(begun.is_empty(), "{what}");
        return;
    }
    let mut picture = BTreeMap::new();
    for change in &begun {
        assert_eq!(change.position, watcher.after, "{what}");
        take(&mut picture, change);
    }
    let mut left = rows.iter().peekable();
    for position in watcher.after..=story.end {
        while let Some(change) = left.next_if(|change| change.position <= position) {
            take(&mut picture, change);
        }
        if position == story.end || story.dice.roll(16) == 0 {
            let shown = listed(&story.served, filter, position).await;
            assert_eq!(picture, shown, "{what} at {position}");
        }
    }
}

#[tokio::test]
async fn wherever_it_begins_and_breaks_off_the_rows_are_those_of_the_log() {
    let long = std::env::var_os("WERKBUCH_LONG").is_some();
    let (mut broken, mut rows, mut live) = (0, 0, 0);
    for seed in 0..if long { 40 } else { 3 } {
        println!("seed {seed}");
        let (mut story, watchers) = tell(seed).await;
        let mut wholes = BTreeMap::new();
        for filter in FILTERS {
            let mut whole = Watcher::new(0, filter, false);
            while whole.live == 0 {
                whole.read(&story.served, usize::MAX, story.end).await;
            }
            wholes.insert(filter.to_owned(), whole.rows);
        }
        for mut watcher in watchers {
            let mut ended = false;
            while !ended || watcher.live == 0 {
                ended = watcher.read(&story.served, usize::MAX, story.end).await;
            }
            (broken, rows) = (broken + watcher.broken, rows + watcher.rows.len());
            live += watcher.live;
            let whole = wholes[&watcher.asked.filter].clone();
            hold(&mut story, watcher, &whole).await;
        }
        story.served.end().await;
    }
    assert!(broken > 60, "{broken} breaks");
    assert!(rows > 2_000, "{rows} rows");
    assert!(live > 30, "{live} times it was said that a watch is live");
}

#[tokio::test]
async fn what_comes_to_hold_later_is_told_alike_whenever_it_is_watched() {
    let served = serve_plant().await;
    let session = served.session("gateway-1").await;
    let moved = PLANT_FILE.replacen("in = \"body\"", "in = \"paint\"", 1);
    let soon = now() + 400_000_000;
    let request_later = pb::ApplyPlantRequest {
        valid_from: Some(soon),
        ..apply(&moved)
    };
    let mut live = begin(&served, request(&[PRESSES])).await;
    let begun = next(&mut live).await.plants[0].position;
    let applied = served.model().await.apply_plant(request_later).await;
    applied.unwrap();
    let first = append(session, vec![state(1, 3, State::Idle)]);
    served.ingest().await.append(first).await.unwrap();
    while now() < soon {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let second = append(session, vec![state(2, 3, State::Held)]);
    let end = served.ingest().await.append(second).await.unwrap();
    let end = end.into_inner().position;
    let (seen, _) = until(&mut live, &[(PRESSES, end)]).await;
    let areas: Vec<_> = seen
        .iter()
        .map(|change| {
            let machine = change.machine.as_ref().unwrap();
            (machine.number, machine.area.as_str(), change.inferred)
        })
        .collect();
    assert_eq!(
        areas,
        [(3, "body", false), (1, "paint", true), (3, "body", false)],
        "press 1 moves with the first event that is recorded after it does"
    );
    let again = pb::WatchMachinesRequest {
        starts: vec![from(PRESSES, begun + 1)],
        ..request(&[PRESSES])
    };
    let (again, _) = until(&mut begin(&served, again).await, &[(PRESSES, end)]).await;
    assert_eq!(again, seen);
    served.end().await;
}

fn start(plant: &str, from: pb::watch_start::From) -> pb::WatchMachinesRequest {
    pb::WatchMachinesRequest {
        starts: vec![pb::WatchStart {
            plant: plant.into(),
            from: Some(from),
        }],
        ..request(&[plant])
    }
}

#[tokio::test]
async fn a_stream_begins_at_a_time_of_the_plant_or_behind_a_cut() {
    use pb::watch_start::From::{Cut, EffectiveAt};
    const ALL: &str = "tenants/default/plants/-";
    let served = serve_plant().await;
    let session = served.session("gateway-1").await;
    let begun = served.report(session, 1, &[State::Idle, State::Held]).await;
    let counted = pb::CountMachinesRequest {
        parent: ALL.into(),
        ..Default::default()
    };
    let counted = served.twin().await.count_machines(counted).await.unwrap();
    let cut = counted.into_inner().cut.unwrap().token;
    let second = PLANT_FILE.replace("PLT-07", "PLT-08");
    let mut model = served.model().await;
    model.apply_plant(apply(&second)).await.unwrap();
    let end = served.report(session, 3, &[State::Executing]).await;
    let other = format!("{TENANT}/plants/PLT-08");
    let ends = [(PRESSES, end), (other.as_str(), 3)];
    let mut watching = begin(&served, start(ALL, Cut(cut.clone()))).await;
    let (changes, _) = until(&mut watching, &ends).await;
    let positions = |plant: &str| -> Vec<u64> {
        let of = changes.iter().filter(|change| change.plant == plant);
        of.map(|change| change.position).collect()
    };
    assert_eq!(positions(PRESSES), [end], "what the answer did not reflect");
    assert_eq!(positions(&other).len(), 5, "what was not there comes whole");

    // By the time that the second report was of.
    let (all, _) = until(
        &mut begin(&served, start(PRESSES, EffectiveAt(0))).await,
        &ends[..1],
    )
    .await;
    let time = all.iter().find(|change| change.position == begun).unwrap();
    let time = time.effective_at.unwrap();
    for (time, first) in [(time, Some(begun)), (time + 1, Some(end)), (now(), None)] {
        let mut watching = begin(&served, start(PRESSES, EffectiveAt(time))).await;
        let (changes, _) = until(&mut watching, &ends[..1]).await;
        let found = changes.first().map(|change| change.position);
        assert_eq!(found, first, "{time}");
    }
    for (bad, what) in [
        (EffectiveAt(i64::MAX), "lies ahead of now"),
        (
            Cut("cut-0".into()),
            "not one of this server's, or not whole",
        ),
        (
            Cut(cut.replace('a', "b")),
            "not one of this server's, or not whole",
        ),
    ] {
        let status = served
            .twin()
            .await
            .watch_machines(start(PRESSES, bad))
            .await;
        let status = status.err().unwrap();
        assert_eq!(reason(&status), Reason::InvalidInstant, "{status}");
        assert!(status.message().contains(what), "{status}");
    }
    let folder = served.end().await;
    drop(folder);
    let served = serve_plant().await;
    let status = served
        .twin()
        .await
        .watch_machines(start(PRESSES, Cut(cut)))
        .await;
    let status = status.err().unwrap();
    assert!(status.message().contains("another log now"), "{status}");
    served.end().await;
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[tokio::test]
async fn a_token_of_a_log_that_was_set_back_is_refused_even_when_it_has_grown_again() {
    let served = serve_plant().await;
    let session = served.session("gateway-1").await;
    served.report(session, 1, &[State::Idle]).await;
    let folder = served.end().await;
    let backup = tempfile::tempdir().unwrap();
    copy(folder.path(), backup.path());

    let served = serve_in(folder, short()).await;
    let session = served.session("gateway-1").await;
    let end = served.report(session, 2, &[State::Held; 9]).await;
    let mut watching = begin(&served, request(&[PRESSES])).await;
    let mut token = next(&mut watching).await.resume_token;
    served.report(session, 11, &[State::Idle]).await;
    let moved = said(&mut watching).await;
    assert_eq!(moved.changes.iter().map(told).count(), 1);
    token = std::mem::replace(&mut token, moved.resume_token);
    served.end().await;

    let served = serve_in(backup, short()).await;
    let asked = pb::WatchMachinesRequest {
        resume_token: token,
        ..request(&[PRESSES])
    };
    let status = served.twin().await.watch_machines(asked.clone()).await;
    let status = status.err().unwrap();
    assert_eq!(reason(&status), Reason::InvalidResumeToken);
    for part in ["its log ends at", "restored from a backup", "begin anew"] {
        assert!(status.message().contains(part), "{status}");
    }
    let session = served.session("gateway-1").await;
    let grown = served.report(session, 2, &[State::Executing; 30]).await;
    assert!(grown > end);
    let mut watching = begin(&served, asked).await;
    let status = loop {
        match watching.message().await {
            Ok(message) => assert!(
                message.unwrap().changes.is_empty(),
                "nothing of another log"
            ),
            Err(status) => break status,
        }
    };
    assert_eq!(reason(&status), Reason::InvalidResumeToken);
    assert!(
        status.message().contains("is another event now"),
        "{status}"
    );
    served.end().await;
}
