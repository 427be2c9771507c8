//! Instants in every form, and what answers say of themselves: both clocks, coverage, age.

use crate::harness::{PLANT, Served, append, apply, reason, serve};
use bytes::Bytes;
use werkbuch_model::event::{Body, Reported, State, StateChanged, Vocabulary};
use werkbuch_model::id::{MachineNumber, Sequence};
use werkbuch_model::time::Timestamp;
use werkbuch_record::encode_reported;
use werkbuch_wire::pb::{self, instant::Known};
use werkbuch_wire::reason::Reason;

const PLANT_FILE: &str = r#"
[plant]
id = "PLT-07"
time_zone = "Europe/Berlin"
calendar = "days"
[[calendar]]
id = "days"
shifts = [
    { name = "early", from = "06:00", to = "14:00", days = ["mon", "tue", "wed", "thu", "fri"] },
    { name = "night", from = "22:00", to = "06:00", days = ["mon", "tue", "wed", "thu", "fri"] },
]
[[machine]]
id = "press-1"
[[machine]]
id = "press-2"
"#;

fn state(sequence: u64, machine: u32, time: &str, to: State) -> Bytes {
    let time = Timestamp::parse(time).unwrap();
    let body = Body::StateChanged(StateChanged {
        to,
        native: "X".into(),
        vocabulary: Vocabulary::Canonical,
        ..StateChanged::default()
    });
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

/// On Friday, 2025-10-24, press-1 executes from 06:00 in Berlin on, is held from 14:00 on, executes from
/// 22:00 on, and in the night of the change of the clocks is stopped at 02:30, the second time.
async fn serve_friday() -> (Served, u64) {
    let served = serve().await;
    let applied = served.model().await.apply_plant(apply(PLANT_FILE)).await;
    assert!(applied.unwrap().into_inner().recorded);
    let session = served.session("gateway-1").await;
    let events = vec![
        state(1, 1, "2025-10-24T04:00:00Z", State::Executing),
        state(2, 1, "2025-10-24T12:00:00Z", State::Held),
        state(3, 1, "2025-10-24T20:00:00Z", State::Executing),
        state(4, 1, "2025-10-26T01:30:00Z", State::Stopped),
    ];
    let done = served.ingest().await.append(append(session, events)).await;
    (served, done.unwrap().into_inner().position)
}

fn at(text: &str, zone: &str) -> pb::Instant {
    pb::Instant {
        at_text: text.into(),
        time_zone: zone.into(),
        ..Default::default()
    }
}

fn known(text: &str) -> pb::Instant {
    pb::Instant {
        known: Some(Known::KnownText(text.into())),
        ..Default::default()
    }
}

async fn ask(
    served: &Served,
    instant: Option<pb::Instant>,
) -> Result<(State, pb::Reflected), tonic::Status> {
    let request = pb::GetMachineRequest {
        name: format!("{PLANT}/machines/press-1"),
        instant,
    };
    let answer = served.twin().await.get_machine(request).await?.into_inner();
    let code = answer.machine.unwrap().state;
    let state = State::from_code(u32::try_from(code).unwrap()).unwrap();
    Ok((state, answer.reflected.unwrap()))
}

#[tokio::test]
async fn times_are_by_the_clocks_and_shifts_of_the_plant() {
    let (served, last) = serve_friday().await;
    for (text, zone, expected, resolved) in [
        (
            "2025-10-24 06:00",
            "",
            State::Executing,
            "2025-10-24T04:00:00Z",
        ),
        ("2025-10-24 14:30", "", State::Held, "2025-10-24T12:30:00Z"),
        (
            "2025-10-24 14:30",
            "UTC",
            State::Held,
            "2025-10-24T14:30:00Z",
        ),
        (
            "2025-10-24 06:00",
            "America/Mexico_City",
            State::Held,
            "2025-10-24T12:00:00Z",
        ),
        (
            "2025-10-24 20:59 UTC",
            "",
            State::Executing,
            "2025-10-24T20:59:00Z",
        ),
        (
            "2025-10-24T14:00:00+02:00",
            "",
            State::Held,
            "2025-10-24T12:00:00Z",
        ),
        (
            "shift:early@2025-10-24",
            "",
            State::Executing,
            "2025-10-24T04:00:00Z",
        ),
        (
            "shift:early@2025-10-24..end",
            "",
            State::Held,
            "2025-10-24T12:00:00Z",
        ),
        (
            "shift:night@2025-10-24",
            "",
            State::Executing,
            "2025-10-24T20:00:00Z",
        ),
        (
            "2025-10-26T02:30:00+02:00",
            "",
            State::Executing,
            "2025-10-26T00:30:00Z",
        ),
        (
            "2025-10-26T02:30:00+01:00",
            "",
            State::Stopped,
            "2025-10-26T01:30:00Z",
        ),
        ("-1s", "", State::Stopped, ""),
    ] {
        let (found, of) = ask(&served, Some(at(text, zone))).await.unwrap();
        assert_eq!(found, expected, "{text}");
        let resolved = Timestamp::parse(resolved).map(Timestamp::nanos).ok();
        assert!(resolved.is_none() || of.at == resolved, "{text}: {of:?}");
        assert_eq!((Some(of.as_of), of.position), (of.at, last), "{text}");
        let zone = if zone.is_empty() {
            "Europe/Berlin"
        } else {
            zone
        };
        assert_eq!(of.time_zone, zone, "{text}");
    }
    served.end().await;
}

#[tokio::test]
async fn an_answer_says_how_old_and_how_whole_it_is() {
    let (served, last) = serve_friday().await;
    let (_, now) = ask(&served, None).await.unwrap();
    let coverage = now.coverage.as_ref().unwrap();
    assert_eq!((coverage.machines_heard, coverage.machines), (1, 2));
    assert_eq!((now.sources.len(), now.sources_total), (1, 1));
    let heard = &now.sources[0];
    assert_eq!(heard.source, "gateway-1#1");
    let stopped = Timestamp::parse("2025-10-26T01:30:00Z").unwrap().nanos();
    assert_eq!((heard.last_effective_at, heard.live), (Some(stopped), true));
    assert_eq!(heard.age_ns, Some(now.as_of - stopped));
    assert!(now.at.is_none() && now.known_recorded_at.is_none());
    // At 14:30 the source had last been heard half an hour before.
    let (_, then) = ask(&served, Some(at("2025-10-24 14:30", "")))
        .await
        .unwrap();
    assert_eq!(then.sources[0].age_ns, Some(1_800_000_000_000));
    assert_eq!((now.late_events, then.late_events), (None, Some(0)));
    // By the position before the last, the last event was not known.
    let before = known(&(last - 1).to_string());
    let (found, of) = ask(&served, Some(before)).await.unwrap();
    assert_eq!((found, of.position), (State::Executing, last - 1));
    let night = Timestamp::parse("2025-10-24T20:00:00Z").unwrap().nanos();
    assert_eq!(of.sources[0].last_effective_at, Some(night));
    assert_eq!(of.as_of, of.recorded_at);
    let (found, of) = ask(&served, Some(known("now"))).await.unwrap();
    assert_eq!((found, of.position), (State::Stopped, last));
    assert_eq!(of.known_recorded_at, Some(of.as_of));
    // Before anything is heard of, that is said too.
    let (_, of) = ask(&served, Some(known("3"))).await.unwrap();
    assert_eq!(of.coverage.unwrap().machines_heard, 0);
    assert!(of.sources.iter().all(|one| one.age_ns.is_none()));
    served.end().await;
}

#[tokio::test]
async fn what_an_answer_reflects_yields_it_again() {
    let (served, _) = serve_friday().await;
    let list = |instant| pb::ListMachinesRequest {
        parent: PLANT.into(),
        instant,
        ..Default::default()
    };
    let mut client = served.twin().await;
    for asked in [None, Some(at("2025-10-24 14:30", "")), Some(known("-0s"))] {
        let first = client.list_machines(list(asked.clone())).await.unwrap();
        let first = first.into_inner();
        // Late, and about all that was asked before.
        let session = served.session(&format!("late-{}", asked.is_some())).await;
        let late = vec![
            state(1, 1, "2025-10-24T12:15:00Z", State::Maintenance),
            state(2, 2, "2025-10-27T00:00:00Z", State::Executing),
        ];
        let done = served.ingest().await.append(append(session, late)).await;
        assert!(done.is_ok(), "{done:?}");
        let of = first.reflected.clone().unwrap();
        let again = pb::Instant {
            known: Some(Known::KnownPosition(of.position)),
            at: of.at,
            as_of: Some(of.as_of),
            ..Default::default()
        };
        let mut again = client
            .list_machines(list(Some(again)))
            .await
            .unwrap()
            .into_inner();
        // How the question was put is not what it was answered with.
        again.reflected.as_mut().unwrap().known_recorded_at = of.known_recorded_at;
        assert_eq!(again, first, "{asked:?}");
    }
    served.end().await;
}

#[tokio::test]
async fn wrong_instants_are_answered_with_the_nearest() {
    let (served, last) = serve_friday().await;
    let both = pb::Instant {
        at: Some(1),
        ..at("-2h", "")
    };
    for (instant, expected) in [
        (at("yesteday", ""), "yesterday 06:00"),
        (at("06:00", "Europe/Atlantis"), "Europe/Berlin"),
        (both, "twice"),
        (at("2025-10-26 02:30", ""), "2025-10-26T02:30:00+01:00"),
        (at("2025-03-30 02:30", ""), "2025-03-30T03:30:00+02:00"),
        (at("shift:nigth@2025-10-24", ""), "did you mean \"night\"?"),
        (
            at("shift:night@2025-10-25", ""),
            "the nearest is shift:night@2025-10-24",
        ),
        (at("shift:day/nowhere@2025-10-25", ""), "\"nowhere\""),
        (at("2100-01-01T00:00:00Z", ""), "lies ahead of now"),
        (
            at("2001-01-01T00:00:00Z", ""),
            "the first that is, is of 2025-10-24T04:00:00Z",
        ),
        (known("0"), "count from 1"),
        (known("x"), "neither a position nor a time"),
        (known(&(last + 1).to_string()), &format!("ends at {last}")),
        (
            known("2001-01-01T00:00:00Z"),
            "the first event, position 1, was recorded at 2",
        ),
        (known("2100-01-01T00:00:00Z"), "is not known now"),
    ] {
        let status = ask(&served, Some(instant.clone())).await.unwrap_err();
        assert_eq!(reason(&status), Reason::InvalidInstant, "{status:?}");
        assert!(
            status.message().contains(expected),
            "{instant:?}: {status:?}"
        );
    }
    served.end().await;
}

#[tokio::test]
async fn a_description_may_lie_ahead_and_texts_are_resolved() {
    let (served, _) = serve_friday().await;
    let request = pb::GetPlantRequest {
        name: PLANT.into(),
        instant: Some(at("2100-01-01 00:00", "")),
    };
    let plant = served.model().await.get_plant(request).await.unwrap();
    assert_eq!(plant.into_inner().machines, 2);
    let texts = ["shift:early@2025-10-24", "2100-01-01 00:00", "now"];
    let mut request = pb::ResolveTimesRequest {
        parent: PLANT.into(),
        texts: texts.iter().map(|text| (*text).to_owned()).collect(),
        time_zone: String::new(),
        ..pb::ResolveTimesRequest::default()
    };
    let mut client = served.twin().await;
    let answer = client
        .resolve_times(request.clone())
        .await
        .unwrap()
        .into_inner();
    let shown: Vec<_> = answer
        .times
        .iter()
        .map(|time| Timestamp(*time).to_string())
        .collect();
    assert_eq!(shown[..2], ["2025-10-24T04:00:00Z", "2099-12-31T23:00:00Z"]);
    assert!(answer.times[2] <= answer.now);
    assert_eq!(answer.time_zone, "Europe/Berlin");
    request.texts = vec!["now".to_owned(); 101];
    let status = client.resolve_times(request).await.unwrap_err();
    assert_eq!(reason(&status), Reason::InvalidRequest);
    served.end().await;
}
