//! All plants at one instant: cuts that yield the same for ever, and plants that do not answer.

use crate::harness::{Served, append, apply, config, reason, serve, serve_as, short};
use bytes::Bytes;
use prost::Message;
use werkbuch_model::event::{
    AlarmRaised, Body, Correction, CorrectionAction, PartMeaning, PartProduced, Reported, State,
    StateChanged, Vocabulary,
};
use werkbuch_model::id::{MachineNumber, Position, Sequence};
use werkbuch_model::time::{SECOND_NS, Timestamp};
use werkbuch_record::encode_reported;
use werkbuch_wire::pb::{self, instant::Known};
use werkbuch_wire::reason::Reason;

const ALL: &str = "tenants/default/plants/-";
/// A Friday, 12:00 in UTC.
const NOON: &str = "2025-10-24T12:00:00Z";

fn plant_file(plant: &str, zone: &str, machines: usize) -> String {
    let mut text = format!("[plant]\nid = \"{plant}\"\ntime_zone = \"{zone}\"\n");
    text.push_str("[[unit]]\nid = \"body\"\nlevel = \"area\"\n");
    for machine in 1..=machines {
        let area = if machine == 1 { "in = \"body\"\n" } else { "" };
        text.push_str(&format!(
            "[[machine]]\nid = \"m{machine}\"\ntype = \"press\"\n{area}"
        ));
    }
    text
}

/// What a machine reports so many seconds after noon.
pub(crate) fn said(sequence: u64, machine: u32, seconds: i64, body: Body<'_>) -> Bytes {
    let time = Timestamp::parse(NOON).unwrap().plus(seconds * SECOND_NS);
    encode_reported(&Reported {
        sequence: Sequence(sequence),
        machine: MachineNumber(machine),
        occurred_at: time,
        observed_at: Some(time),
        historical: true,
        body,
    })
    .into()
}

fn is(to: State) -> Body<'static> {
    Body::StateChanged(StateChanged {
        to,
        native: "X".into(),
        vocabulary: Vocabulary::Canonical,
        ..StateChanged::default()
    })
}

fn made(parts: u64) -> Body<'static> {
    Body::PartProduced(PartProduced {
        counter: "good".into(),
        meaning: PartMeaning::Good,
        value: Some(parts),
        ..PartProduced::default()
    })
}

/// Reports to a plant, and answers with where its log then ends.
pub(crate) async fn report(served: &Served, plant: &str, source: &str, events: Vec<Bytes>) -> u64 {
    let mut ingest = served.ingest().await;
    let open = pb::OpenSourceRequest {
        parent: format!("tenants/default/plants/{plant}"),
        source: source.into(),
        source_kind: pb::SourceKind::Live.into(),
        ..Default::default()
    };
    let session = ingest.open_source(open).await.unwrap().into_inner().session;
    let done = ingest
        .append(append(session, events))
        .await
        .unwrap()
        .into_inner();
    assert!(
        done.outcomes
            .iter()
            .all(|one| matches!(one.result, Some(pb::outcome::Result::Recorded(_)))),
        "{done:?}"
    );
    done.position
}

async fn describe(served: &Served, plant: &str, zone: &str, machines: usize) {
    let file = plant_file(plant, zone, machines);
    let applied = served.model().await.apply_plant(apply(&file)).await;
    assert!(applied.unwrap().into_inner().recorded);
}

/// Three plants: `a` and `b` report, `c` has said nothing yet.
pub(crate) async fn serve_three() -> Served {
    let served = serve().await;
    describe(&served, "a", "Europe/Berlin", 3).await;
    describe(&served, "b", "Asia/Shanghai", 2).await;
    describe(&served, "c", "Europe/Berlin", 1).await;
    let events = vec![
        said(1, 1, 0, is(State::Executing)),
        said(2, 1, 10, made(7)),
        said(3, 2, 20, is(State::Held)),
    ];
    report(&served, "a", "gateway", events).await;
    let events = vec![said(1, 1, 0, is(State::Executing)), said(2, 1, 30, made(5))];
    report(&served, "b", "gateway", events).await;
    served
}

pub(crate) fn list(instant: Option<pb::Instant>) -> pb::ListMachinesRequest {
    pb::ListMachinesRequest {
        parent: ALL.into(),
        order_by: "state, plant desc".into(),
        instant,
        ..Default::default()
    }
}

fn known(text: &str) -> pb::Instant {
    pb::Instant {
        known: Some(Known::KnownText(text.into())),
        ..Default::default()
    }
}

pub(crate) fn at(text: &str) -> pb::Instant {
    pb::Instant {
        at_text: text.into(),
        ..Default::default()
    }
}

fn names(machines: &[pb::Machine]) -> Vec<String> {
    let short = |one: &pb::Machine| {
        let parts: Vec<&str> = one.name.split('/').collect();
        format!("{}/{}", parts[3], parts[5])
    };
    machines.iter().map(short).collect()
}

#[tokio::test]
async fn all_plants_answer_at_one_instant() {
    let served = serve_three().await;
    let mut client = served.twin().await;
    let answer = client.list_machines(list(None)).await.unwrap().into_inner();
    assert_eq!(
        names(&answer.machines),
        ["b/m1", "a/m1", "a/m2", "c/m1", "b/m2", "a/m3"]
    );
    assert_eq!((answer.total_size, answer.plant_size), (6, 6));
    assert!(answer.reflected.is_none());
    let cut = answer.cut.unwrap();
    let plants: Vec<&str> = cut.plants.iter().map(|one| one.plant.as_str()).collect();
    assert_eq!(
        plants,
        ["a", "b", "c"].map(|plant| format!("tenants/default/plants/{plant}"))
    );
    assert_eq!((cut.plants_total, cut.absent.len()), (3, 0));
    assert_eq!(cut.silent, ["tenants/default/plants/c"]);
    let coverage = cut.coverage.unwrap();
    assert_eq!((coverage.machines_heard, coverage.machines), (3, 6));
    let ages = cut
        .plants
        .iter()
        .map(|one| one.reflected.as_ref().unwrap().as_of);
    assert!(
        ages.into_iter().all(|as_of| as_of == cut.as_of),
        "one instant for all"
    );

    let request = pb::CountMachinesRequest {
        parent: ALL.into(),
        filter: "plant <> 'c'".into(),
        instant: Some(at("2025-10-24T12:00:15Z")),
    };
    let counts = client.count_machines(request).await.unwrap().into_inner();
    let found: Vec<_> = counts
        .counts
        .iter()
        .map(|one| (one.state(), one.machines))
        .collect();
    assert_eq!(
        found,
        [(pb::State::Executing, 2), (pb::State::Unavailable, 3)]
    );
    let noon = Timestamp::parse(NOON).unwrap();
    assert_eq!(
        counts.cut.unwrap().at,
        Some(noon.plus(15 * SECOND_NS).nanos())
    );
    served.end().await;
}

/// Everything that can come after a cut, and that would change what it answers if it were let in.
async fn go_on(served: &Served) {
    let late = vec![
        said(1, 1, 5, is(State::Maintenance)),
        said(2, 3, 6, is(State::Executing)),
        said(3, 1, 12, made(700)),
    ];
    let end = report(served, "a", "late", late).await;
    let alarm = AlarmRaised {
        key: "k".into(),
        code: "E1".into(),
        severity: 700,
        ..AlarmRaised::default()
    };
    // Before the late ones stand the opening of their source, and the three of before the cut.
    let retract = Correction {
        action: CorrectionAction::Retract,
        targets: vec![Position(end - 6)],
        ..Correction::default()
    };
    let more = vec![
        said(4, 2, 7, Body::AlarmRaised(alarm)),
        said(5, 1, 8, Body::CorrectionRecorded(retract)),
    ];
    report(served, "a", "late", more).await;
    report(
        served,
        "c",
        "gateway",
        vec![said(1, 1, 1, is(State::Executing))],
    )
    .await;
    // Descriptions change, machines come and go, and so do plants.
    describe(served, "a", "Asia/Shanghai", 2).await;
    describe(served, "b", "Asia/Shanghai", 4).await;
    describe(served, "d", "Europe/Berlin", 5).await;
}

fn sums(instant: Option<pb::Instant>) -> pb::AggregateMachinesRequest {
    pb::AggregateMachinesRequest {
        parent: ALL.into(),
        measures: vec![pb::Measure {
            function: pb::AggregateFunction::Sum.into(),
            field: "counter:good".into(),
        }],
        group_by: vec!["plant".into(), "state".into()],
        instant,
        ..Default::default()
    }
}

/// The answers to three questions about an instant: their cuts and their bytes.
async fn answers(served: &Served, instants: [Option<pb::Instant>; 3]) -> Vec<(String, Vec<u8>)> {
    let [first, second, third] = instants;
    let mut client = served.twin().await;
    let token = |cut: &Option<pb::Cut>| cut.as_ref().unwrap().token.clone();
    let listed = client
        .list_machines(list(first))
        .await
        .unwrap()
        .into_inner();
    let counting = pb::CountMachinesRequest {
        parent: ALL.into(),
        instant: second,
        ..Default::default()
    };
    let counted = client.count_machines(counting).await.unwrap().into_inner();
    let summed = client
        .aggregate_machines(sums(third))
        .await
        .unwrap()
        .into_inner();
    vec![
        (token(&listed.cut), listed.encode_to_vec()),
        (token(&counted.cut), counted.encode_to_vec()),
        (token(&summed.cut), summed.encode_to_vec()),
    ]
}

#[tokio::test]
async fn a_cut_given_back_yields_the_same_bytes_for_ever() {
    let served = serve_three().await;
    let mut taken = Vec::new();
    for instant in [None, Some(at("2025-10-24T12:00:15Z")), Some(known("now"))] {
        let thrice = [instant.clone(), instant.clone(), instant];
        taken.push(answers(&served, thrice).await);
    }
    go_on(&served).await;
    for round in 0..2 {
        for before in &taken {
            let cuts = [0, 1, 2].map(|at: usize| Some(known(&before[at].0)));
            let again = answers(&served, cuts).await;
            assert!(again == *before, "{round}");
        }
        // Nor does a second go change it.
        let more = vec![said(round + 1, 2, 3, is(State::Stopped))];
        report(&served, "b", "more", more).await;
    }
    // The present is another one.
    let mut client = served.twin().await;
    let now = client.list_machines(list(None)).await.unwrap().into_inner();
    assert_eq!((now.total_size, now.cut.unwrap().plants_total), (12, 4));
    // One plant is asked with the cut of all as well.
    let mut one = list(Some(known(&taken[0][0].0)));
    one.parent = "tenants/default/plants/b".into();
    let of_b = client
        .list_machines(one.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!((of_b.total_size, of_b.plant_size), (2, 2));
    one.parent = "tenants/default/plants/d".into();
    let status = client.list_machines(one).await.unwrap_err();
    assert!(
        status.message().contains("\"d\" is not of the cut"),
        "{status:?}"
    );
    served.end().await;
}

#[tokio::test]
async fn pages_are_of_one_cut() {
    let served = serve_three().await;
    let mut client = served.twin().await;
    let whole = client.list_machines(list(None)).await.unwrap().into_inner();
    let mut request = list(None);
    request.page_size = 2;
    let mut found = Vec::new();
    let mut cuts = Vec::new();
    loop {
        let page = client
            .list_machines(request.clone())
            .await
            .unwrap()
            .into_inner();
        assert_eq!(page.total_size, 6);
        found.extend(page.machines);
        cuts.push(page.cut.unwrap().token);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
        if cuts.len() == 1 {
            go_on(&served).await;
        }
    }
    assert_eq!((cuts.len(), names(&found)), (3, names(&whole.machines)));
    assert!(cuts.windows(2).all(|pair| pair[0] == pair[1]));
    let mut other = request.clone();
    other.filter = "number > 0".into();
    let status = client.list_machines(other).await.unwrap_err();
    assert_eq!(reason(&status), Reason::InvalidPageToken);
    request.page_token = "00".into();
    let status = client.list_machines(request).await.unwrap_err();
    assert_eq!(reason(&status), Reason::InvalidPageToken);
    served.end().await;
}

#[tokio::test]
async fn what_is_no_instant_of_all_plants_is_said() {
    let served = serve_three().await;
    let mut client = served.twin().await;
    let noon = list(Some(at("2025-10-24T12:00:15Z")));
    let answer = client.list_machines(noon).await.unwrap();
    let token = answer.into_inner().cut.unwrap().token;
    let cut_short = &token[..token.len() - 1];
    for (instant, says) in [
        (
            at("2025-10-24 12:00"),
            "the plants have different clocks (Asia/Shanghai, Europe/Berlin)",
        ),
        (at("shift:night@2025-10-24"), "of the calendar of one plant"),
        (at("2199-01-01T00:00:00Z"), "lies ahead of now"),
        (
            pb::Instant {
                at_text: "-2h".into(),
                ..known(&token)
            },
            "has its own time",
        ),
        (known("7"), "position 7 means another time in each plant"),
        (known(cut_short), "not one of this server's, or not whole"),
    ] {
        let status = client.list_machines(list(Some(instant))).await.unwrap_err();
        assert_eq!(reason(&status), Reason::InvalidInstant, "{status:?}");
        assert!(status.message().contains(says), "{status:?}");
    }
    // With a time zone it is one instant.
    let mut zoned = at("2025-10-24 14:00:15");
    zoned.time_zone = "Europe/Berlin".into();
    let answer = client
        .list_machines(list(Some(zoned)))
        .await
        .unwrap()
        .into_inner();
    let noon = Timestamp::parse(NOON).unwrap().plus(15 * SECOND_NS);
    assert_eq!(answer.cut.unwrap().at, Some(noon.nanos()));
    served.end().await;
}

#[tokio::test]
async fn of_a_plant_that_was_not_there_that_is_said() {
    let served = serve_three().await;
    let mut client = served.twin().await;
    let before = client
        .list_machines(list(None))
        .await
        .unwrap()
        .into_inner()
        .cut
        .unwrap();
    describe(&served, "d", "Europe/Berlin", 1).await;
    let instant = pb::Instant {
        known: Some(Known::KnownRecordedAt(before.as_of)),
        ..Default::default()
    };
    let answer = client
        .list_machines(list(Some(instant)))
        .await
        .unwrap()
        .into_inner();
    let cut = answer.cut.unwrap();
    assert_eq!(
        (answer.total_size, cut.plants_total, cut.plants.len()),
        (6, 4, 3)
    );
    let absent = &cut.absent[0];
    assert_eq!(absent.plant, "tenants/default/plants/d");
    assert_eq!(absent.kind(), pb::AbsenceKind::NotYet);
    assert!(
        absent.because.contains("nothing had been recorded"),
        "{absent:?}"
    );
    served.end().await;
}

#[tokio::test]
async fn a_plant_that_is_not_back_is_named_and_a_cut_waits_for_it() {
    let served = serve_three().await;
    let many = (1..=2_000).map(|number| said(number, 2, 100, made(number)));
    report(&served, "b", "many", many.collect()).await;
    let mut client = served.twin().await;
    let whole = client.list_machines(list(None)).await.unwrap().into_inner();
    let folder = served.end().await;
    std::fs::remove_dir_all(folder.path().join("data/snapshots")).unwrap();

    let mut slow = config(folder.path());
    slow.recovery_rate = Some(200);
    let served = serve_as(folder, short(), slow).await;
    let mut client = served.twin().await;
    let mut partly = None;
    for _ in 0..200 {
        let answer = client.list_machines(list(None)).await.unwrap().into_inner();
        let cut = answer.cut.clone().unwrap();
        assert_eq!(cut.plants_total, 3);
        if cut.plants.len() == 2 {
            partly = Some(answer);
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let partly = partly.expect("the small plants are back before the large one");
    let cut = partly.cut.clone().unwrap();
    assert_eq!(cut.absent[0].plant, "tenants/default/plants/b");
    assert_eq!(cut.absent[0].kind(), pb::AbsenceKind::Recovering);
    assert_eq!(partly.total_size, 4);
    // A cut with the plant in it is answered whole or not at all.
    let token = whole.cut.clone().unwrap().token;
    let status = client
        .list_machines(list(Some(known(&token))))
        .await
        .unwrap_err();
    assert_eq!(reason(&status), Reason::PlantRecovering);
    let again = client
        .list_machines(list(Some(known(&cut.token))))
        .await
        .unwrap();
    assert_eq!(again.into_inner().encode_to_vec(), partly.encode_to_vec());

    let folder = served.end().await;
    let served = serve_as_fast(folder).await;
    let mut client = served.twin().await;
    let mut again = client.list_machines(list(Some(known(&token)))).await;
    while again
        .as_ref()
        .is_err_and(|status| reason(status) == Reason::PlantRecovering)
    {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        again = client.list_machines(list(Some(known(&token)))).await;
    }
    assert_eq!(
        again.unwrap().into_inner().encode_to_vec(),
        whole.encode_to_vec()
    );
    // What did not answer then does not answer now, so that it is the same.
    let again = client
        .list_machines(list(Some(known(&cut.token))))
        .await
        .unwrap();
    assert_eq!(again.into_inner().encode_to_vec(), partly.encode_to_vec());
    served.end().await;
}

async fn serve_as_fast(folder: tempfile::TempDir) -> Served {
    let config = config(folder.path());
    serve_as(folder, short(), config).await
}

/// How many machines there are, their parts, since when they say so, and their parts on average.
fn figures() -> pb::AggregateMachinesRequest {
    let measures = [
        (pb::AggregateFunction::Count, ""),
        (pb::AggregateFunction::Sum, "parts"),
        (pb::AggregateFunction::Max, "since"),
        (pb::AggregateFunction::Avg, "parts"),
    ];
    let measure = |(function, field): (pb::AggregateFunction, &str)| pb::Measure {
        function: function.into(),
        field: field.into(),
    };
    pb::AggregateMachinesRequest {
        parent: ALL.into(),
        measures: measures.map(measure).to_vec(),
        ..Default::default()
    }
}

fn whole(value: i64) -> Option<pb::aggregate_value::Value> {
    Some(pb::aggregate_value::Value::Whole(value))
}

#[tokio::test]
async fn figures_are_by_plant_with_what_they_are_of() {
    let served = serve_three().await;
    let mut request = figures();
    request.group_by = vec!["plant".into()];
    let answer = served.twin().await.aggregate_machines(request).await;
    let answer = answer.unwrap().into_inner();
    assert_eq!((answer.machines_matched, answer.machines), (6, 6));
    let keys: Vec<_> = answer.groups.iter().map(|one| &one.keys[0]).collect();
    assert_eq!(keys, ["a", "b", "c"]);
    let (a, c) = (&answer.groups[0], &answer.groups[2]);
    assert_eq!((a.machines, a.values[0].value), (3, whole(3)));
    assert_eq!((a.values[1].value, a.values[1].machines), (whole(7), 1));
    let noon = Timestamp::parse(NOON).unwrap();
    let held = pb::aggregate_value::Value::Time(noon.plus(20 * SECOND_NS).nanos());
    assert_eq!(a.values[2].value, Some(held));
    assert_eq!((c.values[1].value, c.values[1].machines), (None, 0));
    served.end().await;
}

#[tokio::test]
async fn figures_of_the_past_are_asked_with_the_same_call() {
    let served = serve_three().await;
    let mut client = served.twin().await;
    let mut request = figures();
    for (instant, parts, of) in [
        (Some(at("2025-10-24T12:00:05Z")), None, 0),
        (Some(at("2025-10-24T12:00:15Z")), whole(7), 1),
        (None, whole(12), 2),
    ] {
        request.instant = instant;
        let answer = client.aggregate_machines(request.clone()).await.unwrap();
        let answer = answer.into_inner();
        let sum = &answer.groups[0].values[1];
        assert_eq!(answer.groups.len(), 1);
        assert_eq!((sum.value, sum.machines), (parts, of));
    }
    let answer = client.aggregate_machines(request.clone()).await.unwrap();
    let average = answer.into_inner().groups[0].values[3].value;
    assert_eq!(average, Some(pb::aggregate_value::Value::Number(6.0)));
    // One plant alone, and no machine at all.
    request.parent = "tenants/default/plants/b".into();
    request.filter = "state = 'FAULTED'".into();
    let none = client.aggregate_machines(request.clone()).await.unwrap();
    let none = none.into_inner();
    assert_eq!((none.machines_matched, none.machines), (0, 2));
    let values = &none.groups[0].values;
    assert_eq!((values[0].value, values[1].value), (whole(0), None));
    request.measures[1].field = "override:Fovr".into();
    let status = client.aggregate_machines(request).await.unwrap_err();
    assert_eq!(reason(&status), Reason::InvalidRequest);
    assert!(status.message().contains("ratios"), "{status:?}");
    served.end().await;
}

/// A machine that differs: its plant and number, and `field before > after` for each field.
fn shown(one: &pb::MachineDiff) -> (String, Vec<String>) {
    let plant = one.name.split('/').nth(3).unwrap();
    let fields = one.fields.iter().map(|field| {
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
        let (before, after) = (text(&field.before), text(&field.after));
        format!("{} {before} > {after}", field.field)
    });
    (format!("{plant}/{}", one.number), fields.collect())
}

async fn diff(served: &Served, request: &pb::DiffMachinesRequest) -> pb::DiffMachinesResponse {
    let mut client = served.twin().await;
    let answer = client.diff_machines(request.clone()).await.unwrap();
    answer.into_inner()
}

#[tokio::test]
async fn two_instants_are_compared_field_by_field_in_pages() {
    let served = serve_three().await;
    let mut request = pb::DiffMachinesRequest {
        parent: ALL.into(),
        from: Some(at("2025-10-24T12:00:15Z")),
        ..Default::default()
    };
    let found = diff(&served, &request).await;
    assert_eq!((found.differing, found.compared), (2, 6));
    assert!(found.descriptions.is_empty());
    let (name, fields) = shown(&found.machines[0]);
    assert_eq!(name, "a/2");
    let held = "state UNAVAILABLE > HELD".to_owned();
    assert!(fields.contains(&held), "{fields:?}");
    let expected = [
        "counter good - > 5 (epoch 0)",
        "last_event_at 2025-10-24T12:00:00Z > 2025-10-24T12:00:30Z",
        "parts - > 5",
    ];
    let expected = expected.map(str::to_owned).to_vec();
    assert_eq!(shown(&found.machines[1]), ("b/1".to_owned(), expected));
    // In pages, of the same two cuts, whatever comes in between.
    request.page_size = 1;
    let first = diff(&served, &request).await;
    go_on(&served).await;
    request.page_token = first.next_page_token;
    let second = diff(&served, &request).await;
    assert_eq!(second.differing, 2);
    assert_eq!(second.machines, found.machines[1..]);
    assert!(second.next_page_token.is_empty());
    served.end().await;
}

/// The present as a cut, behind which all kinds of things have come.
async fn before_all_that(served: &Served) -> pb::Instant {
    let mut client = served.twin().await;
    let answer = client.list_machines(list(None)).await.unwrap();
    let cut = answer.into_inner().cut.unwrap();
    go_on(served).await;
    known(&cut.token)
}

#[tokio::test]
async fn what_was_restated_is_shown() {
    let served = serve_three().await;
    let then = before_all_that(&served).await;
    let mut restated = pb::DiffMachinesRequest {
        parent: "tenants/default/plants/a".into(),
        from: Some(then),
        to: Some(pb::Instant {
            at_text: "2025-10-24T12:00:09Z".into(),
            ..known("now")
        }),
        filter: "number = 1".into(),
        ..Default::default()
    };
    let found = diff(&served, &restated).await;
    assert_eq!((found.differing, found.compared), (1, 1));
    let (_, fields) = shown(&found.machines[0]);
    let state = "state EXECUTING > MAINTENANCE".to_owned();
    assert!(fields.contains(&state), "{fields:?}");
    // One machine in full: the alarm is there too.
    restated.filter.clear();
    restated.to = None;
    restated.machine = "m2".into();
    let found = diff(&served, &restated).await;
    let (_, fields) = shown(&found.machines[0]);
    let alarm = |field: &String| field.starts_with("alarm k - > active");
    assert!(fields.iter().any(alarm), "{fields:?}");
    let mut client = served.twin().await;
    for (parent, machine, expected) in [
        ("tenants/default/plants/a", "m9", Reason::UnknownMachine),
        (ALL, "m1", Reason::InvalidRequest),
    ] {
        restated.parent = parent.into();
        restated.machine = machine.into();
        let status = client.diff_machines(restated.clone()).await.unwrap_err();
        assert_eq!(reason(&status), expected, "{status:?}");
    }
    served.end().await;
}

#[tokio::test]
async fn descriptions_and_machines_that_come_and_go_are_compared() {
    let served = serve_three().await;
    let then = before_all_that(&served).await;
    let mut all = pb::DiffMachinesRequest {
        parent: "tenants/default/plants/a".into(),
        from: Some(then),
        ..Default::default()
    };
    let found = diff(&served, &all).await;
    let gone = found.machines.iter().find(|one| one.number == 3).unwrap();
    assert_eq!(gone.kind(), pb::MachineDiffKind::Removed);
    let changes = &found.descriptions[0].changes;
    for says in ["- machine m3", "~ plant"] {
        let says = |line: &String| line.starts_with(says);
        assert!(changes.iter().any(says), "{changes:?}");
    }
    all.parent = ALL.into();
    let found = diff(&served, &all).await;
    let is_new = |one: &&pb::MachineDiff| one.kind() == pb::MachineDiffKind::Added;
    let added: Vec<_> = found.machines.iter().filter(is_new).collect();
    assert!(added.iter().all(|one| one.name.contains("/plants/b/")));
    assert_eq!((added.len(), found.descriptions.len()), (2, 2));
    let sides = [found.from.unwrap(), found.to.unwrap()].map(|cut| cut.plants.len());
    assert_eq!(sides, [3, 4]);
    // A side against itself is the same.
    all.to = all.from.clone();
    let found = diff(&served, &all).await;
    assert_eq!((found.differing, found.compared), (0, 6));
    served.end().await;
}

#[tokio::test]
async fn plants_are_listed_as_they_were_described() {
    let served = serve_three().await;
    let then = before_all_that(&served).await;
    let mut model = served.model().await;
    let mut request = pb::ListPlantsRequest {
        parent: "tenants/default".into(),
        page_size: 2,
        instant: Some(then),
        ..Default::default()
    };
    let mut found = Vec::new();
    loop {
        let page = model.list_plants(request.clone()).await.unwrap();
        let page = page.into_inner();
        assert_eq!((page.total_size, page.cut.unwrap().plants.len()), (3, 3));
        found.extend(page.plants);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    let shown = found
        .iter()
        .map(|one| (one.machines, one.time_zone.as_str()));
    let shown: Vec<_> = shown.collect();
    let expected = [
        (3, "Europe/Berlin"),
        (2, "Asia/Shanghai"),
        (1, "Europe/Berlin"),
    ];
    assert_eq!(shown, expected);
    request.page_token.clear();
    request.instant = None;
    let now = model.list_plants(request).await.unwrap().into_inner();
    assert_eq!((now.total_size, now.plants[0].machines), (4, 2));
    assert!(now.cut.is_none());
    served.end().await;
}
