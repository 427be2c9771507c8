//! What is found is what the twin says at every instant: against lists of machines at each of them.

use crate::harness::{PLANT, Served, append, apply, reason, serve};
use bytes::Bytes;
use std::collections::BTreeMap;
use werkbuch_model::event::{
    AlarmRaised, Body, BufferLevelChanged, Correction, CorrectionAction, ItemChanged, Reported,
    State, StateChanged, Vocabulary,
};
use werkbuch_model::id::{MachineNumber, Position, Sequence};
use werkbuch_model::time::Timestamp;
use werkbuch_record::encode_reported;
use werkbuch_server::MACHINE_FIELDS;
use werkbuch_wire::pb::rule_service_client::RuleServiceClient;
use werkbuch_wire::pb::timeline_service_client::TimelineServiceClient;
use werkbuch_wire::pb::{self, FindWhich};
use werkbuch_wire::reason::Reason;

/// The first time at which anything happens: Friday, 2025-10-24, 06:00 in Berlin.
pub(crate) const BEGIN: i64 = 1_761_278_400_000_000_000;
/// Everything happens at multiples of ten minutes from there on.
pub(crate) const STEP: i64 = 600_000_000_000;
pub(crate) const STEPS: i64 = 40;
const DAY: i64 = 86_400_000_000_000;

/// A line of five machines in two areas, of which one moves and one has another type after a while.
fn plant(changed: u64) -> String {
    let mut text = r#"
[plant]
id = "PLT-07"
time_zone = "Europe/Berlin"
calendar = "days"
[[calendar]]
id = "days"
shifts = [{ name = "early", from = "06:00", to = "10:00", days = ["mon", "tue", "wed", "thu", "fri"] }]
[[unit]]
id = "body"
level = "area"
[[unit]]
id = "paint"
level = "area"
[[buffer]]
id = "b1"
capacity = 4
"#
    .to_owned();
    for machine in 1..=5_u64 {
        let area = if (machine + changed).is_multiple_of(3) {
            "paint"
        } else {
            "body"
        };
        let kind = if changed > 1 { "new" } else { "press" };
        text +=
            &format!("[[machine]]\nid = \"press-{machine}\"\ntype = \"{kind}\"\nin = \"{area}\"\n");
    }
    for (from, to) in [
        ("press-1", "press-2"),
        ("press-2", "b1"),
        ("b1", "press-3"),
        ("press-3", "press-4"),
        ("press-4", "press-5"),
    ] {
        text += &format!("[[flow]]\nfrom = \"{from}\"\nto = \"{to}\"\n");
    }
    text
}

/// `SplitMix64` (Steele, Lea and Flood 2014).
struct Chance(u64);

fn level(level: u64) -> Body<'static> {
    Body::BufferLevelChanged(BufferLevelChanged {
        buffer: "b1".into(),
        level: Some(level),
        ..BufferLevelChanged::default()
    })
}

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) % most
    }

    fn time(&mut self) -> i64 {
        BEGIN + STEP * i64::try_from(self.below(STEPS.unsigned_abs())).unwrap()
    }

    fn body(&mut self, recorded: &[(u64, u64)]) -> (u64, Body<'static>) {
        let machine = 1 + self.below(5);
        let states = [
            State::Executing,
            State::Idle,
            State::Waiting,
            State::Faulted,
            State::Faulted,
        ];
        let state = |to| {
            Body::StateChanged(StateChanged {
                to,
                native: "X".into(),
                vocabulary: Vocabulary::Canonical,
                ..StateChanged::default()
            })
        };
        let to = states[usize::try_from(self.below(5)).unwrap()];
        match self.below(12) {
            0 => (
                machine,
                Body::AlarmRaised(AlarmRaised {
                    key: "a".into(),
                    severity: 500,
                    ..AlarmRaised::default()
                }),
            ),
            1 => (0, level(self.below(5))),
            2 => (
                machine,
                Body::ItemChanged(ItemChanged {
                    item: "i".into(),
                    text: Some("t".into()),
                }),
            ),
            3 | 4 if !recorded.is_empty() => {
                let at = usize::try_from(self.below(recorded.len() as u64)).unwrap();
                let (target, machine) = recorded[at];
                let action = [
                    CorrectionAction::Retract,
                    CorrectionAction::Retime,
                    CorrectionAction::Replace,
                ][usize::try_from(self.below(3)).unwrap()];
                let new_time = (action == CorrectionAction::Retime).then(|| Timestamp(self.time()));
                let replaces = action == CorrectionAction::Replace;
                let correction = Correction {
                    action,
                    targets: vec![Position(target)],
                    replacement: replaces.then(|| Box::new(state(to))),
                    new_time,
                    ..Correction::default()
                };
                (machine, Body::CorrectionRecorded(correction))
            }
            _ => (machine, state(to)),
        }
    }
}

/// A plant of which sources reported in any order, with corrections, and whose description changed.
pub(crate) async fn serve_story(seed: u64) -> Served {
    let served = serve().await;
    let applied = served.model().await.apply_plant(apply(&plant(0))).await;
    assert!(applied.unwrap().into_inner().recorded);
    let session = served.session("gateway-1").await;
    let mut chance = Chance(seed);
    let mut recorded: Vec<(u64, u64)> = Vec::new();
    let mut ingest = served.ingest().await;
    for sequence in 1..=120 {
        if sequence % 50 == 0 {
            let request = pb::ApplyPlantRequest {
                valid_from: Some(chance.time()),
                ..apply(&plant(sequence / 50))
            };
            served.model().await.apply_plant(request).await.unwrap();
        }
        let (mut machine, mut body) = chance.body(&recorded);
        let mut time = Timestamp(chance.time());
        if sequence == 1 {
            // Before the first event nothing can be asked.
            (machine, body) = (0, level(1));
            time = Timestamp(BEGIN - STEP);
        }
        let is_state = matches!(body, Body::StateChanged(_));
        let event: Bytes = encode_reported(&Reported {
            sequence: Sequence(sequence),
            machine: MachineNumber(u32::try_from(machine).unwrap()),
            occurred_at: time,
            observed_at: Some(time),
            historical: true,
            body,
        })
        .into();
        let done = ingest.append(append(session, vec![event])).await.unwrap();
        let outcome = done.into_inner().outcomes.remove(0);
        match outcome.result.unwrap() {
            pb::outcome::Result::Recorded(one) if is_state => {
                recorded.push((one, machine));
            }
            pb::outcome::Result::Recorded(_) => {}
            // A target that was corrected away cannot be corrected again.
            other => assert!(!is_state, "{other:?}"),
        }
    }
    served
}

/// A time at which the condition held: machine, begin (absent when it held before anything was looked
/// at), end (absent when it holds to the end), state at the begin.
type Spell = (u32, Option<i64>, Option<i64>, i32);

/// By lists at every instant at which anything can change.
async fn naive(served: &Served, filter: &str, (from, to): (i64, i64)) -> Vec<Spell> {
    let mut open: BTreeMap<u32, (Option<i64>, i32)> = BTreeMap::new();
    let mut found = Vec::new();
    let mut twin = served.twin().await;
    for step in -1..STEPS + 1 {
        let at = BEGIN + step * STEP;
        if at >= to {
            break;
        }
        let request = pb::ListMachinesRequest {
            parent: PLANT.into(),
            filter: filter.into(),
            instant: Some(pb::Instant {
                at: Some(at),
                ..pb::Instant::default()
            }),
            ..pb::ListMachinesRequest::default()
        };
        let mut list = match twin.list_machines(request).await {
            Ok(list) => list.into_inner().machines,
            Err(status) => panic!("{status:?}"),
        };
        let first = step < 0;
        let matching: BTreeMap<u32, i32> =
            list.drain(..).map(|one| (one.number, one.state)).collect();
        let gone: Vec<u32> = open
            .keys()
            .filter(|one| !matching.contains_key(one))
            .copied()
            .collect();
        for machine in gone {
            let (begin, state) = open.remove(&machine).unwrap();
            if at > from {
                found.push((machine, begin, Some(at), state));
            }
        }
        for (machine, state) in matching {
            open.entry(machine)
                .or_insert(((!first).then_some(at), state));
        }
    }
    found.extend(
        open.into_iter()
            .map(|(machine, (begin, state))| (machine, begin, None, state)),
    );
    found.sort_by_key(|one| (one.1, one.0));
    found
}

fn request(filter: &str, (from, to): (i64, i64)) -> pb::FindIntervalsRequest {
    pb::FindIntervalsRequest {
        parent: PLANT.into(),
        filter: filter.into(),
        from_time: Some(from),
        to_time: Some(to),
        ..pb::FindIntervalsRequest::default()
    }
}

async fn find(
    served: &Served,
    request: pb::FindIntervalsRequest,
) -> (Vec<pb::FoundInterval>, pb::FindEnd, String) {
    let mut client = TimelineServiceClient::new(served.channel().await);
    let mut stream = client.find_intervals(request).await.unwrap().into_inner();
    let (mut found, mut head) = (Vec::new(), None);
    while let Some(message) = stream.message().await.unwrap() {
        head = head.or(message.head);
        found.extend(message.intervals);
        if let Some(end) = message.end {
            assert_eq!(message.progress.unwrap().plants_done, 1);
            assert_eq!(head.unwrap().machines, 5);
            return (found, end, message.resume_token);
        }
    }
    panic!("no end");
}

fn spell(one: &pb::FoundInterval) -> Spell {
    let begin = (!one.begin_open).then_some(one.begin);
    (one.number, begin, one.end, one.state)
}

fn sorted(found: &[pb::FoundInterval]) -> Vec<Spell> {
    let mut spells: Vec<Spell> = found.iter().map(spell).collect();
    spells.sort_by_key(|one| (one.1, one.0));
    spells
}

const FILTERS: [&str; 8] = [
    "state = 'FAULTED'",
    "state = 'FAULTED' AND area = 'paint'",
    "type = 'new' OR active_alarms > 0",
    "wait_state = 'STARVED' OR wait_state = 'BLOCKED'",
    "NOT (wait_provenance IS NULL) AND area = 'body'",
    "last_event_at < '2025-10-24T07:00:00Z'",
    "since >= '2025-10-24T06:30:00Z' AND state IN ('IDLE', 'WAITING')",
    "",
];

#[tokio::test(flavor = "multi_thread")]
async fn what_is_found_is_what_lists_say_at_every_instant() {
    let mut spells = 0;
    for seed in 0..4 {
        let served = serve_story(seed).await;
        let mut chance = Chance(seed + 100);
        for filter in FILTERS {
            for whole in [true, false] {
                let mut window = (BEGIN, BEGIN + STEPS * STEP);
                if !whole {
                    let (one, other) = (chance.time(), chance.time());
                    window = (one.min(other), one.max(other) + STEP / 2);
                }
                let expected = naive(&served, filter, window).await;
                let (found, end, _) = find(&served, request(filter, window)).await;
                let what = format!("seed {seed}, {filter:?}, {window:?}");
                assert_eq!(sorted(&found), expected, "{what}");
                assert_eq!(end.found as usize, expected.len(), "{what}");
                for one in &found {
                    let until = one.end.unwrap_or(window.1);
                    assert_eq!(one.duration_ns as i64, until - one.begin, "{what}");
                    let open = one.begin == window.0 - 7 * DAY;
                    assert_eq!(one.begin_open, open, "{what}");
                }
                spells += expected.len();
                long_ones_first_and_last(&served, filter, window, &found).await;
                in_parts(&served, filter, window, &found).await;
            }
        }
        served.end().await;
    }
    assert!(spells > 400, "{spells} were found");
}

/// Only those that are long enough; of them the first and the last, of all machines and of each.
async fn long_ones_first_and_last(
    served: &Served,
    filter: &str,
    window: (i64, i64),
    all: &[pb::FoundInterval],
) {
    for hold in [0, 2 * STEP, 5 * STEP] {
        let long: Vec<&pb::FoundInterval> = all
            .iter()
            .filter(|one| one.duration_ns as i64 >= hold)
            .collect();
        for (which, per_machine) in [
            (FindWhich::All, false),
            (FindWhich::First, false),
            (FindWhich::First, true),
            (FindWhich::Last, false),
            (FindWhich::Last, true),
        ] {
            let mut groups: BTreeMap<u32, Vec<&pb::FoundInterval>> = BTreeMap::new();
            for one in &long {
                let key = if per_machine { one.number } else { 0 };
                groups.entry(key).or_default().push(one);
            }
            let best = groups.into_values().filter_map(|group| match which {
                FindWhich::First => group.into_iter().min_by_key(|one| (one.begin, one.number)),
                _ => group
                    .into_iter()
                    .max_by_key(|one| (one.begin, std::cmp::Reverse(one.number))),
            });
            let mut expected: Vec<pb::FoundInterval> = match which {
                FindWhich::All => long.iter().map(|one| (*one).clone()).collect(),
                _ => best.cloned().collect(),
            };
            if which != FindWhich::All {
                expected.sort_by_key(|one| (one.begin, one.number));
            }
            let asked = pb::FindIntervalsRequest {
                which: which.into(),
                per_machine,
                hold_ns: hold.unsigned_abs(),
                ..request(filter, window)
            };
            let (found, ..) = find(served, asked).await;
            assert_eq!(found, expected, "{which:?} {per_machine} {hold} {filter}");
        }
    }
}

/// A stream that goes on by its token tells the rest, once.
async fn in_parts(served: &Served, filter: &str, window: (i64, i64), all: &[pb::FoundInterval]) {
    let limit = u32::try_from(all.len() / 2 + 1).unwrap();
    let mut asked = pb::FindIntervalsRequest {
        limit,
        ..request(filter, window)
    };
    let (mut found, end, token) = find(served, asked.clone()).await;
    assert_eq!(end.found as usize, all.len());
    // Where the window is, the token knows.
    asked.from_time = None;
    asked.resume_token = token;
    let (rest, ..) = find(served, asked).await;
    found.extend(rest);
    assert_eq!(found, all, "{filter}");
}

#[tokio::test]
async fn what_cannot_be_searched_for_is_said() {
    let served = serve_story(9).await;
    let good = request("state = 'IDLE'", (BEGIN, BEGIN + STEP));
    let wrong = |change: &dyn Fn(&mut pb::FindIntervalsRequest)| {
        let mut request = good.clone();
        change(&mut request);
        request
    };
    let cases = [
        (
            wrong(&|one| one.filter = "sate = 'IDLE'".into()),
            Reason::InvalidFilter,
        ),
        (
            wrong(&|one| one.to_time = one.from_time),
            Reason::InvalidRequest,
        ),
        (
            wrong(&|one| one.from_time = Some(i64::MAX)),
            Reason::InvalidRequest,
        ),
        (wrong(&|one| one.which = 9), Reason::InvalidRequest),
        (wrong(&|one| one.per_machine = true), Reason::InvalidRequest),
        (
            wrong(&|one| {
                one.which = FindWhich::First.into();
                one.limit = 1;
            }),
            Reason::InvalidRequest,
        ),
        (
            wrong(&|one| one.resume_token = "00".into()),
            Reason::InvalidResumeToken,
        ),
        (
            wrong(&|one| one.parent = "tenants/default/plants/X".into()),
            Reason::UnknownPlant,
        ),
    ];
    let mut client = TimelineServiceClient::new(served.channel().await);
    for (request, expected) in cases {
        let status = client.find_intervals(request.clone()).await.map(drop);
        let status = status.expect_err("it is refused");
        assert_eq!(reason(&status), expected, "{request:?}");
    }
    // Of a window before everything that was reported nobody knows what held then.
    let before = request("state = 'UNAVAILABLE'", (BEGIN - 9 * DAY, BEGIN - 8 * DAY));
    let status = client.find_intervals(before).await.map(drop);
    let status = status.expect_err("it is refused");
    assert_eq!(reason(&status), Reason::InvalidInstant);
    assert!(status.message().contains("nothing is reported"), "{status}");
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_turn_where_what_they_ask_for_held_so_long() {
    let (mut turned, mut before) = (0, 0);
    for seed in 0..3 {
        let served = serve_story(seed).await;
        for filter in FILTERS.into_iter().filter(|filter| !filter.is_empty()) {
            let (from, to) = (BEGIN + 5 * STEP, BEGIN + 33 * STEP + STEP / 2);
            for minutes in [0, 20, 25] {
                let content = format!(
                    "[[rule]]\nid = \"r\"\nraise = \"{filter}\"\nhold = \"{minutes}m\"\nseverity = 7\n"
                );
                let hold = minutes * 60_000_000_000;
                let begin = from - DAY;
                let (spells, ..) = find(&served, request(filter, (begin, to))).await;
                let mut expected = Vec::new();
                for one in &spells {
                    // What held before anything was looked at begins there.
                    let begin = one.begin.max(begin);
                    let (raised, cleared) = (begin + hold, one.end);
                    if raised >= to || cleared.is_some_and(|end| end < raised) {
                        continue;
                    }
                    if raised >= from || cleared.is_none_or(|end| end >= from) {
                        expected.push((raised, one.number, true, raised < from));
                    }
                    expected.extend(
                        cleared
                            .filter(|end| *end >= from)
                            .map(|end| (end, one.number, false, false)),
                    );
                }
                let asked = pb::TestRulesRequest {
                    parent: PLANT.into(),
                    file_name: "r.toml".into(),
                    content,
                    from_time: Some(from),
                    to_time: Some(to),
                    ..pb::TestRulesRequest::default()
                };
                let (turns, sums) = tried(&served, asked).await;
                let times = turns.iter().filter(|one| !one.before).map(|one| one.at);
                assert!(times.is_sorted(), "in the order of time");
                let mut found: Vec<_> = turns
                    .iter()
                    .map(|one| (one.at, one.number, one.raised, one.before))
                    .collect();
                found.sort_unstable();
                expected.sort_unstable();
                assert_eq!(found, expected, "seed {seed}, {filter}, {minutes} minutes");
                let raised = expected.iter().filter(|one| one.2).count();
                assert_eq!(sums[0].raised as usize, raised);
                assert_eq!(sums[0].cleared as usize, expected.len() - raised);
                assert_eq!(
                    sums[0].standing as usize,
                    raised - (expected.len() - raised)
                );
                turned += expected.len();
                before += expected.iter().filter(|one| one.3).count();
            }
        }
        served.end().await;
    }
    assert!(turned > 200 && before > 20, "{turned}, {before} before");
}

async fn tried(
    served: &Served,
    request: pb::TestRulesRequest,
) -> (Vec<pb::RuleTurn>, Vec<pb::RuleSum>) {
    let mut client = RuleServiceClient::new(served.channel().await);
    let mut stream = client.test_rules(request).await.unwrap().into_inner();
    let mut turns = Vec::new();
    while let Some(message) = stream.message().await.unwrap() {
        turns.extend(message.turns);
        if !message.sums.is_empty() {
            return (turns, message.sums);
        }
    }
    panic!("no sums");
}

#[tokio::test]
async fn rules_that_are_none_are_refused_and_the_examples_are_good() {
    let example = include_str!("../../../../examples/rules/car-plant.toml");
    let rules = werkbuch_model::rule::parse(example, "car-plant.toml", &MACHINE_FIELDS).unwrap();
    assert_eq!(rules.len(), 4);
    let served = serve_story(9).await;
    let mut client = RuleServiceClient::new(served.channel().await);
    let asked = pb::TestRulesRequest {
        parent: PLANT.into(),
        file_name: "r.toml".into(),
        content: "[[rule]]\nid = \"r\"\nraise = \"sate = 'X'\"\n".into(),
        ..pb::TestRulesRequest::default()
    };
    let status = client.test_rules(asked).await.map(drop).unwrap_err();
    assert_eq!(reason(&status), Reason::InvalidRequest);
    assert!(
        status.message().contains("the file of rules has a mistake"),
        "{status:?}"
    );
    served.end().await;
}
