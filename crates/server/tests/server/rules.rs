//! Rules that apply are followed: what they raise and clear is recorded, once, whatever happens meanwhile.

use crate::harness::{PLANT, Served, append, apply, config, reason, serve_as, serve_plant, short};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use werkbuch_model::event::{
    AlarmCleared, AlarmRaised, Body, Kind, ProgramChanged, Recorded, Reported, State, StateChanged,
    Vocabulary,
};
use werkbuch_model::id::{MachineNumber, Sequence};
use werkbuch_model::time::Timestamp;
use werkbuch_record::{decode_recorded, encode_reported};
use werkbuch_wire::pb;
use werkbuch_wire::pb::instant::Known;
use werkbuch_wire::pb::rule_service_client::RuleServiceClient;
use werkbuch_wire::reason::Reason;

pub(crate) const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;

pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_nanos()).unwrap()
}

/// An event that happened at a time; one in the past is declared to be so.
pub(crate) fn at(sequence: u64, machine: u32, time: i64, body: Body<'_>) -> Bytes {
    encode_reported(&Reported {
        sequence: Sequence(sequence),
        machine: MachineNumber(machine),
        occurred_at: Timestamp(time),
        observed_at: Some(Timestamp(time)),
        historical: true,
        body,
    })
    .into()
}

pub(crate) fn state(to: State) -> Body<'static> {
    Body::StateChanged(StateChanged {
        to,
        native: "X".into(),
        vocabulary: Vocabulary::Canonical,
        ..StateChanged::default()
    })
}

pub(crate) async fn client(served: &Served) -> RuleServiceClient<tonic::transport::Channel> {
    RuleServiceClient::new(served.channel().await)
}

fn file(content: &str) -> pb::ApplyRulesRequest {
    pb::ApplyRulesRequest {
        parent: PLANT.into(),
        file_name: "r.toml".into(),
        content: content.into(),
        who: "anna".into(),
        why: "a test".into(),
        ..pb::ApplyRulesRequest::default()
    }
}

pub(crate) async fn applied(served: &Served, content: &str) -> pb::AppliedRules {
    let answer = client(served).await.apply_rules(file(content)).await;
    answer.unwrap().into_inner().plants.remove(0)
}

pub(crate) async fn report(served: &Served, session: u64, events: Vec<Bytes>) {
    let done = served.ingest().await.append(append(session, events)).await;
    let done = done.unwrap().into_inner();
    let recorded =
        |outcome: &pb::Outcome| matches!(outcome.result, Some(pb::outcome::Result::Recorded(_)));
    assert!(done.outcomes.iter().all(recorded), "{done:?}");
}

/// What the log says of a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Said {
    at: i64,
    rule: String,
    machine: u32,
    raised: bool,
    since: i64,
    position: u64,
    pub(crate) recorded_at: i64,
    withdrawn: bool,
}

impl Said {
    fn of(event: &Recorded<'_>) -> Option<Self> {
        let (rule, raised, since, withdrawn) = match &event.reported.body {
            Body::RuleRaised(said) => (&said.rule, true, said.since, false),
            Body::RuleCleared(said) => (&said.rule, false, said.since, said.withdrawn),
            _ => return None,
        };
        Some(Self {
            at: event.effective_at.nanos(),
            rule: rule.to_string(),
            machine: event.reported.machine.get(),
            raised,
            since: since.nanos(),
            position: event.position.get(),
            recorded_at: event.recorded_at.nanos(),
            withdrawn,
        })
    }

    pub(crate) fn turn(&self) -> (i64, String, u32, bool, i64) {
        (
            self.at,
            self.rule.clone(),
            self.machine,
            self.raised,
            self.since,
        )
    }
}

/// All that the log says of rules, in the order of positions.
pub(crate) async fn said(served: &Served) -> Vec<Said> {
    let request = pb::ListEventsRequest {
        parent: PLANT.into(),
        kinds: vec![
            Kind::RuleRaised.name().into(),
            Kind::RuleCleared.name().into(),
        ],
        page_size: 10_000,
        ..pb::ListEventsRequest::default()
    };
    let answer = served.history().await.list_events(request).await.unwrap();
    let events = answer.into_inner().events;
    let read = |event: &Bytes| Said::of(&decode_recorded(event).unwrap()).unwrap();
    events.iter().map(read).collect()
}

/// Waits until the log says so many things of rules, and a little longer for more.
pub(crate) async fn wait_for(served: &Served, count: usize) -> Vec<Said> {
    for _ in 0..400 {
        let found = said(served).await;
        if found.len() >= count {
            tokio::time::sleep(Duration::from_millis(100)).await;
            return said(served).await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{count} wanted: {:?}", said(served).await);
}

async fn raised(served: &Served, instant: Option<pb::Instant>) -> Vec<(String, u32)> {
    let request = pb::ListRaisedRulesRequest {
        parent: PLANT.into(),
        instant,
        ..pb::ListRaisedRulesRequest::default()
    };
    let answer = client(served)
        .await
        .list_raised_rules(request)
        .await
        .unwrap();
    let answer = answer.into_inner();
    assert_eq!(answer.total_size as usize, answer.raised.len());
    let mut found: Vec<_> = answer
        .raised
        .into_iter()
        .map(|one| (one.rule, one.number))
        .collect();
    found.sort();
    found
}

async fn tried(served: &Served, content: &str, window: (i64, i64)) -> Vec<pb::RuleTurn> {
    let request = pb::TestRulesRequest {
        parent: PLANT.into(),
        content: content.into(),
        from_time: Some(window.0),
        to_time: Some(window.1),
        lead_ns: Some(0),
        ..pb::TestRulesRequest::default()
    };
    let mut stream = client(served)
        .await
        .test_rules(request)
        .await
        .unwrap()
        .into_inner();
    let mut turns = Vec::new();
    while let Some(message) = stream.message().await.unwrap() {
        turns.extend(message.turns);
    }
    turns
}

pub(crate) const STANDS: &str = "[[rule]]\nid = \"stands\"\nraise = \"state = 'FAULTED'\"\nhold = \"1s\"\nclear_hold = \"1s\"\n";

#[tokio::test]
async fn rules_apply_until_others_do_and_that_is_remembered() {
    let served = serve_plant().await;
    let two = format!("{STANDS}[[rule]]\nid = \"alarms\"\nraise = \"active_alarms > 3\"\n");
    let mut dry = file(&two);
    dry.validate_only = true;
    let dry = client(&served)
        .await
        .apply_rules(dry)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (dry.plants[0].recorded, dry.plants[0].changes.len()),
        (false, 2)
    );
    let first = applied(&served, &two).await;
    assert_eq!(
        (first.recorded, first.revision, first.rules),
        (true, 1, 2),
        "{first:?}"
    );
    let again = applied(&served, &two).await;
    assert_eq!(
        (again.recorded, again.revision),
        (false, 1),
        "nothing is other"
    );
    let softer = two.replacen("hold = \"1s\"\n", "hold = \"1s\"\nseverity = 9\n", 1);
    let second = applied(&served, &softer).await;
    assert_eq!(second.changes, ["change rule \"stands\": severity"]);
    let mut without = file("");
    without.remove = vec!["alarms".into()];
    let third = client(&served)
        .await
        .apply_rules(without.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(third.plants[0].changes, ["remove rule \"alarms\""]);
    without.remove = vec!["stnads".into()];
    let status = client(&served)
        .await
        .apply_rules(without)
        .await
        .unwrap_err();
    assert_eq!(reason(&status), Reason::UnknownRule);
    assert!(
        status.message().contains("did you mean \"stands\"?"),
        "{status:?}"
    );

    check_versions(&served, first.position, second.position).await;
    check_records(&served).await;
    served.end().await;
}

/// Each change is an event with who and why.
async fn check_records(served: &Served) {
    let events = pb::ListEventsRequest {
        parent: PLANT.into(),
        kinds: vec!["RULES_CHANGED".into()],
        ..pb::ListEventsRequest::default()
    };
    let mut history = served.history().await;
    let events = history
        .list_events(events)
        .await
        .unwrap()
        .into_inner()
        .events;
    assert_eq!(events.len(), 3);
    let event = decode_recorded(&events[0]).unwrap();
    let Body::RulesChanged(changed) = &event.reported.body else {
        panic!("{event:?}")
    };
    assert_eq!(&*changed.why, "a test");
    let who = &changed.who;
    assert!(
        who.plain.is_empty() && !who.ciphertext.is_empty(),
        "protected"
    );
}

/// The rules that applied as of a position: name, severity, revision, and where they began.
async fn listed(served: &Served, known: Option<u64>) -> Vec<(String, u32, u32, u64)> {
    let request = pb::ListRulesRequest {
        parent: PLANT.into(),
        instant: known.map(|position| pb::Instant {
            known: Some(Known::KnownPosition(position)),
            ..pb::Instant::default()
        }),
        ..pb::ListRulesRequest::default()
    };
    let rules = client(served).await.list_rules(request).await.unwrap();
    let of = |one: pb::AppliedRule| (one.rule, one.severity, one.revision, one.position);
    rules.into_inner().rules.into_iter().map(of).collect()
}

async fn check_versions(served: &Served, begun: u64, second: u64) {
    let (stands, alarms) = ("stands".to_owned(), "alarms".to_owned());
    assert_eq!(
        listed(served, None).await,
        [(stands.clone(), 9, 3, begun)],
        "it goes on"
    );
    assert_eq!(listed(served, Some(begun - 1)).await, []);
    assert_eq!(
        listed(served, Some(begun)).await,
        [
            (stands.clone(), 500, 1, begun),
            (alarms.clone(), 500, 1, begun)
        ]
    );
    assert_eq!(
        listed(served, Some(second)).await,
        [(stands, 9, 2, begun), (alarms, 500, 2, begun)]
    );
}

#[tokio::test]
async fn what_is_none_is_refused_and_a_slip_of_the_hand_is_told() {
    let served = serve_plant().await;
    for (request, expected) in [
        (file(""), Reason::InvalidRequest),
        (
            file("[[rule]]\nid = \"r\"\nraise = \"sate = 'X'\"\n"),
            Reason::InvalidRequest,
        ),
        (
            pb::ApplyRulesRequest {
                remove: vec!["a".into()],
                ..file(STANDS)
            },
            Reason::InvalidRequest,
        ),
        (
            pb::ApplyRulesRequest {
                why: "w".repeat(5_000),
                ..file(STANDS)
            },
            Reason::InvalidRequest,
        ),
        (
            pb::ApplyRulesRequest {
                parent: "tenants/default/plants/PLT-08".into(),
                ..file(STANDS)
            },
            Reason::UnknownPlant,
        ),
    ] {
        let status = client(&served)
            .await
            .apply_rules(request)
            .await
            .unwrap_err();
        assert_eq!(reason(&status), expected, "{status:?}");
    }
    let slip = STANDS.replace("'FAULTED'", "'FAULTED' AND area = 'pant'");
    let answer = client(&served)
        .await
        .apply_rules(file(&slip))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        answer.warnings,
        ["rule \"stands\": no machine has the area 'pant'; did you mean \"paint\"?"]
    );
    let all = pb::ApplyRulesRequest {
        parent: "tenants/default/plants/-".into(),
        ..file(STANDS)
    };
    let answer = client(&served)
        .await
        .apply_rules(all)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(answer.plants.len(), 1);
    assert!(
        answer.plants[0].recorded && answer.warnings.is_empty(),
        "{answer:?}"
    );
    served.end().await;
}

/// Conditions that hold of no machine before anything is reported.
const STORY: &str = r#"
[[rule]]
id = "at-once"
raise = "state = 'FAULTED'"
[[rule]]
id = "held"
raise = "state = 'FAULTED'"
hold = "20m"
clear = "state = 'EXECUTING'"
clear_hold = "10m"
[[rule]]
id = "alarms"
raise = "active_alarms >= 2"
hold = "5m"
clear = "active_alarms = 0"
[[rule]]
id = "area"
raise = "area = 'paint' AND state IN ('IDLE', 'FAULTED')"
hold = "30m"
clear_hold = "15m"
[[rule]]
id = "wait"
raise = "wait_state = 'STARVED'"
hold = "10m"
"#;

/// `SplitMix64` (Steele, Lea and Flood 2014).
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) % most
    }
}

/// A morning of five machines in the order of time; at its end each is heard of once more.
fn story(chance: &mut Chance, begin: i64) -> (Vec<(u32, i64, Body<'static>)>, i64) {
    let states = [
        State::Executing,
        State::Idle,
        State::Faulted,
        State::Faulted,
        State::Starved,
    ];
    let mut events = Vec::new();
    let mut time = begin;
    for _ in 0..400 {
        // Also several at one time, also of one machine.
        time += i64::try_from(chance.below(4)).unwrap() * MINUTE;
        let machine = 1 + u32::try_from(chance.below(5)).unwrap();
        let key = ["a", "b", "c"][usize::try_from(chance.below(3)).unwrap()];
        let body = match chance.below(6) {
            0 | 1 => Body::AlarmRaised(AlarmRaised {
                key: key.into(),
                severity: 500,
                ..AlarmRaised::default()
            }),
            2 => Body::AlarmCleared(AlarmCleared {
                key: key.into(),
                ..AlarmCleared::default()
            }),
            _ => state(states[usize::try_from(chance.below(5)).unwrap()]),
        };
        events.push((machine, time, body));
    }
    time += MINUTE;
    for machine in 1..=5 {
        let program = Body::ProgramChanged(ProgramChanged {
            program: Some("end".into()),
            ..ProgramChanged::default()
        });
        events.push((machine, time, program));
    }
    (events, time)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_recorded_is_what_a_test_over_the_same_time_says() {
    let begin = 1_761_278_400 * SECOND;
    let mut compared = 0;
    for seed in 0..4 {
        let mut chance = Chance(seed);
        let served = serve_plant().await;
        applied(&served, STORY).await;
        let session = served.session("gateway-1").await;
        let (events, end) = story(&mut chance, begin);
        let mut left = events.into_iter().zip(1_u64..).peekable();
        while left.peek().is_some() {
            // Events of one time are recorded together, as a source sends them.
            let mut batch = Vec::new();
            let most = 1 + chance.below(30) as usize;
            let mut last = 0;
            while let Some(((_, time, _), _)) = left.peek()
                && (batch.len() < most || *time == last)
            {
                let ((machine, time, body), sequence) = left.next().unwrap();
                last = time;
                batch.push(at(sequence, machine, time, body));
            }
            report(&served, session, batch).await;
        }
        let turns = tried(&served, STORY, (begin - MINUTE, end + 1)).await;
        let mut expected: Vec<_> = turns
            .iter()
            .map(|one| (one.at, one.rule.clone(), one.number, one.raised, one.since))
            .collect();
        let found = wait_for(&served, expected.len()).await;
        let mut recorded: Vec<_> = found.iter().map(Said::turn).collect();
        expected.sort();
        recorded.sort();
        assert_eq!(recorded, expected, "seed {seed}");
        compared += expected.len();
        check_past(&served, &found, &mut chance, (begin, end)).await;
        served.end().await;
    }
    assert!(compared > 300, "{compared}");
}

/// What was raised at any instant is what the records up to it say, one after the other.
async fn check_past(
    served: &Served,
    found: &[Said],
    chance: &mut Chance,
    (begin, end): (i64, i64),
) {
    let first = found.first().unwrap().position;
    let last = found.last().unwrap().position;
    for _ in 0..40 {
        let known = first - 1 + chance.below(last - first + 2);
        // Something has been reported by then.
        let time =
            begin + 5 * MINUTE + i64::try_from(chance.below((end - begin).unsigned_abs())).unwrap();
        let time = (chance.below(3) > 0).then_some(time);
        let mut standing = BTreeMap::new();
        for one in found.iter().filter(|one| one.position <= known) {
            if time.is_none_or(|time| one.at <= time) {
                standing.insert((one.rule.clone(), one.machine), one.raised);
            }
        }
        standing.retain(|_, raised| *raised);
        let instant = pb::Instant {
            known: Some(Known::KnownPosition(known)),
            at: time,
            ..pb::Instant::default()
        };
        let told = raised(served, Some(instant.clone())).await;
        let expected: Vec<_> = standing.into_keys().collect();
        assert_eq!(told, expected, "known {known}, at {time:?}");
        crate::rules_shown::check(served, &instant, &expected).await;
    }
}

#[tokio::test]
async fn time_passes_though_nothing_is_reported() {
    let served = serve_plant().await;
    applied(&served, STANDS).await;
    let session = served.session("gateway-1").await;
    let begin = now();
    report(
        &served,
        session,
        vec![at(1, 2, begin, state(State::Faulted))],
    )
    .await;
    let found = wait_for(&served, 1).await;
    let [one] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(
        one.turn(),
        (begin + SECOND, "stands".into(), 2, true, begin)
    );
    assert!(one.recorded_at >= one.at, "never ahead of time");
    assert_eq!(raised(&served, None).await, [("stands".to_owned(), 2)]);
    let figures = crate::metrics::scrape(&served).await;
    for (name, value) in [
        ("werkbuch_rules", 1.0),
        ("werkbuch_rules_raised", 1.0),
        ("werkbuch_rules_behind_events", 0.0),
    ] {
        let found = figures.value(&format!("{name}{{plant=\"PLT-07\"}}"));
        assert!((found - value).abs() < 1e-9, "{name} is {found}");
    }
    assert!(figures.value("werkbuch_rule_looks_total{plant=\"PLT-07\"}") > 0.5);
    let over = now();
    report(
        &served,
        session,
        vec![at(2, 2, over, state(State::Executing))],
    )
    .await;
    let found = wait_for(&served, 2).await;
    assert_eq!(
        found[1].turn(),
        (over + SECOND, "stands".into(), 2, false, over)
    );
    assert_eq!(raised(&served, None).await, []);
    served.end().await;
}

#[tokio::test]
async fn what_became_due_while_the_server_was_down_is_recorded_once() {
    let folder = tempfile::tempdir().unwrap();
    let shape = config(folder.path());
    let served = serve_as(folder, short(), shape).await;
    served
        .model()
        .await
        .apply_plant(apply(crate::harness::PLANT_FILE))
        .await
        .unwrap();
    applied(&served, STANDS).await;
    let session = served.session("gateway-1").await;
    let begin = now();
    let events = vec![
        at(1, 1, begin, state(State::Faulted)),
        at(2, 3, begin - 5 * SECOND, state(State::Faulted)),
    ];
    report(&served, session, events).await;
    let mut folder = served.end().await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    for _ in 0..3 {
        let shape = config(folder.path());
        let served = serve_as(folder, short(), shape).await;
        let found = wait_for(&served, 2).await;
        let turns: Vec<_> = found.iter().map(Said::turn).collect();
        let mut sorted = turns.clone();
        sorted.sort();
        let of = |machine, since: i64| (since + SECOND, "stands".to_owned(), machine, true, since);
        assert_eq!(sorted, [of(3, begin - 5 * SECOND), of(1, begin)]);
        assert_eq!(raised(&served, None).await.len(), 2);
        folder = served.end().await;
    }
    let shape = config(folder.path());
    let served = serve_as(folder, short(), shape).await;
    let opened = served.session("gateway-2").await;
    let over = now();
    report(
        &served,
        opened,
        vec![at(1, 1, over, state(State::Executing))],
    )
    .await;
    let found = wait_for(&served, 3).await;
    assert_eq!(
        found[2].turn(),
        (over + SECOND, "stands".into(), 1, false, over)
    );
    served.end().await;
}

#[tokio::test]
async fn what_comes_late_does_not_change_what_was_said() {
    let served = serve_plant().await;
    let rule = STANDS.replace("clear_hold = \"1s\"\n", "");
    applied(&served, &rule).await;
    let session = served.session("gateway-1").await;
    let begin = now();
    report(
        &served,
        session,
        vec![at(1, 2, begin, state(State::Faulted))],
    )
    .await;
    wait_for(&served, 1).await;
    // It had gone on after half a second, which is known only now.
    let over = begin + SECOND / 2;
    report(
        &served,
        session,
        vec![at(2, 2, over, state(State::Executing))],
    )
    .await;
    let found = wait_for(&served, 2).await;
    assert_eq!(
        found[0].turn(),
        (begin + SECOND, "stands".into(), 2, true, begin)
    );
    // It is over as soon as it was said.
    let said = begin + SECOND;
    assert_eq!(found[1].turn(), (said, "stands".into(), 2, false, said));
    assert_eq!(
        tried(&served, &rule, (begin - SECOND, now())).await,
        [],
        "it would not have been"
    );
    served.end().await;
}

#[tokio::test]
async fn what_no_longer_applies_is_withdrawn_and_machines_that_go_are_cleared() {
    let served = serve_plant().await;
    let rule = STANDS.replace("hold = \"1s\"\n", "").replace("clear_", "");
    let rule = format!("{rule}[[rule]]\nid = \"other\"\nraise = \"state = 'FAULTED'\"\n");
    applied(&served, &rule).await;
    let session = served.session("gateway-1").await;
    let begin = now();
    let events = vec![
        at(1, 2, begin, state(State::Faulted)),
        at(2, 5, begin, state(State::Faulted)),
    ];
    report(&served, session, events).await;
    assert_eq!(wait_for(&served, 4).await.len(), 4);
    // The same condition with another time to hold begins anew, the other rule goes on.
    let other = rule.replacen("'FAULTED'\"\n", "'FAULTED'\"\nhold = \"1s\"\n", 1);
    let changed = applied(&served, &other).await;
    assert_eq!(
        (changed.recorded, changed.withdrawn),
        (true, 2),
        "{changed:?}"
    );
    let found = wait_for(&served, 8).await;
    let withdrawn: Vec<_> = found.iter().filter(|one| one.withdrawn).collect();
    assert_eq!(withdrawn.len(), 2, "{found:?}");
    assert!(
        withdrawn
            .iter()
            .all(|one| one.rule == "stands" && !one.raised)
    );
    for one in &found[6..] {
        assert!(
            one.raised && one.since > begin,
            "it began with the rule: {one:?}"
        );
        assert_eq!(one.at, one.since + SECOND);
    }
    let gone =
        crate::harness::PLANT_FILE.replace("[[machine]]\nid = \"press-5\"\nin = \"paint\"\n", "");
    served
        .model()
        .await
        .apply_plant(apply(&gone))
        .await
        .unwrap();
    let found = wait_for(&served, 10).await;
    let cleared: Vec<_> = found[8..]
        .iter()
        .map(|one| (one.machine, one.raised))
        .collect();
    assert_eq!(cleared, [(5, false), (5, false)]);
    let mut without = file("");
    without.remove = vec!["stands".into(), "other".into()];
    let removed = client(&served)
        .await
        .apply_rules(without)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (removed.plants[0].rules, removed.plants[0].withdrawn),
        (0, 2)
    );
    assert_eq!(raised(&served, None).await, []);
    served.end().await;
}
