//! Where the parts are, and why machines wait.

use crate::harness::{Served, append, apply, event, open, reason, serve, state};
use werkbuch_model::event::{
    Body, BufferLevelChanged, InventoryCounted, PartEntered, PartMeaning, PartProduced, State,
};
use werkbuch_wire::pb::wip_service_client::WipServiceClient;
use werkbuch_wire::pb::{self, Provenance, WipKind, WipMethod};
use werkbuch_wire::reason::Reason;

const PLANT: &str = "tenants/default/plants/L1";
/// Two machines with a buffer of four places between them.
const LINE: &str = r#"
[plant]
id = "L1"
[[unit]]
id = "line"
level = "production-line"
[[machine]]
id = "m1"
number = 1
in = "line"
[[machine]]
id = "m2"
number = 2
in = "line"
[[buffer]]
id = "b1"
capacity = 4
in = "line"
[[flow]]
from = "m1"
to = "b1"
[[flow]]
from = "b1"
to = "m2"
"#;

async fn serve_line(events: Vec<bytes::Bytes>) -> Served {
    let served = serve().await;
    served.model().await.apply_plant(apply(LINE)).await.unwrap();
    let mut open = open("gateway-1");
    open.machines.clear();
    open.parent = PLANT.into();
    let mut ingest = served.ingest().await;
    let session = ingest.open_source(open).await.unwrap().into_inner().session;
    let answer = ingest
        .append(append(session, events))
        .await
        .unwrap()
        .into_inner();
    let recorded = |one: &pb::Outcome| matches!(one.result, Some(pb::outcome::Result::Recorded(_)));
    assert!(
        answer.outcomes.iter().all(recorded),
        "{:?}",
        answer.outcomes
    );
    served
}

fn level(sequence: u64, level: u64) -> bytes::Bytes {
    let body = BufferLevelChanged {
        buffer: "b1".into(),
        level: Some(level),
        ..BufferLevelChanged::default()
    };
    event(sequence, 0, Body::BufferLevelChanged(body))
}

fn good(sequence: u64, machine: u32, value: u64) -> bytes::Bytes {
    let body = PartProduced {
        counter: "good".into(),
        meaning: PartMeaning::Good,
        value: Some(value),
        ..PartProduced::default()
    };
    event(sequence, machine, Body::PartProduced(body))
}

fn list(kinds: &[WipKind]) -> pb::ListWipRequest {
    pb::ListWipRequest {
        parent: PLANT.into(),
        kinds: kinds.iter().map(|kind| (*kind).into()).collect(),
        ..Default::default()
    }
}

async fn rows(served: &Served, request: pb::ListWipRequest) -> Vec<pb::Wip> {
    let mut client = WipServiceClient::new(served.channel().await);
    client.list_wip(request).await.unwrap().into_inner().rows
}

#[tokio::test]
async fn waits_are_inferred_shown_and_filtered() {
    let served = serve_line(vec![
        state(1, 1, State::Faulted),
        level(2, 0),
        state(3, 2, State::Idle),
    ])
    .await;
    let mut client = served.twin().await;
    for (filter, expected) in [
        ("wait_state = 'STARVED'", 1),
        ("wait_provenance = 'INFERRED' AND name = 'm2'", 1),
        ("wait_state = 'BLOCKED'", 0),
        ("wait_state IS NULL", 1),
    ] {
        let request = pb::ListMachinesRequest {
            parent: PLANT.into(),
            filter: filter.into(),
            ..Default::default()
        };
        let answer = client.list_machines(request).await.unwrap().into_inner();
        assert_eq!(answer.total_size, expected, "{filter}");
    }
    let request = pb::GetMachineRequest {
        name: format!("{PLANT}/machines/m2"),
        instant: None,
    };
    let machine = client
        .get_machine(request)
        .await
        .unwrap()
        .into_inner()
        .machine
        .unwrap();
    let cause = machine.wait_cause.clone().unwrap();
    assert_eq!(
        (cause.state(), cause.provenance()),
        (pb::State::Starved, Provenance::Inferred)
    );
    assert!(
        cause
            .because
            .starts_with("buffer b1 is empty and m1 has been faulted since ")
    );
    assert_eq!(
        machine.state(),
        pb::State::Idle,
        "what is inferred is no state"
    );
    served.end().await;
}

#[tokio::test]
async fn places_are_tracked_reported_and_estimated_also_in_the_past() {
    let entered = PartEntered {
        part: "p1".into(),
        variant: "red".into(),
        ..PartEntered::default()
    };
    let counted = InventoryCounted {
        location: "b1".into(),
        part_number: "body".into(),
        quantity: 1.0,
        ..InventoryCounted::default()
    };
    let served = serve_line(vec![
        good(1, 1, 10),
        good(2, 2, 10),
        event(3, 0, Body::InventoryCounted(counted)),
        good(4, 1, 12),
        event(5, 2, Body::PartEntered(entered)),
        level(6, 2),
    ])
    .await;
    let now = rows(&served, list(&[])).await;
    let [buffer, m1, m2] = &now[..] else {
        panic!("{now:?}")
    };
    assert_eq!((buffer.location.as_str(), buffer.parts), ("b1", Some(2)));
    assert_eq!(
        (buffer.method(), buffer.drift),
        (WipMethod::Reported, Some(1))
    );
    assert_eq!(
        (m1.method(), m1.parts, m1.upper),
        (WipMethod::Unknown, None, Some(1))
    );
    assert_eq!((m2.method(), m2.parts), (WipMethod::Tracked, Some(1)));
    let mut before = list(&[WipKind::Buffer]);
    let position = {
        let mut client = WipServiceClient::new(served.channel().await);
        let answer = client.list_wip(list(&[])).await.unwrap().into_inner();
        answer.reflected.unwrap().position
    };
    before.instant = Some(pb::Instant {
        known: Some(pb::instant::Known::KnownPosition(position - 1)),
        ..Default::default()
    });
    let past = rows(&served, before).await;
    assert_eq!(
        (past[0].method(), past[0].parts),
        (WipMethod::Estimated, Some(3))
    );
    assert!(past[0].lower <= 3 && past[0].upper == Some(3), "{past:?}");
    let red = rows(&served, list(&[WipKind::Variant])).await;
    assert_eq!((red[0].location.as_str(), red[0].parts), ("red", Some(1)));
    let mut unit = list(&[WipKind::Unit]);
    unit.unit = "line".into();
    assert_eq!(rows(&served, unit).await.len(), 1);
    served.end().await;
}

#[tokio::test]
async fn pages_and_mistakes_are_answered() {
    let served = serve_line(vec![state(1, 1, State::Idle)]).await;
    let mut client = WipServiceClient::new(served.channel().await);
    let mut request = list(&[]);
    request.page_size = 2;
    let first = client.list_wip(request.clone()).await.unwrap().into_inner();
    assert_eq!(
        (first.rows.len(), first.total_size, first.complete),
        (2, 3, true)
    );
    request.page_token = first.next_page_token;
    let second = client.list_wip(request).await.unwrap().into_inner();
    assert_eq!(
        (second.rows.len(), second.next_page_token.as_str()),
        (1, "")
    );
    let mut nowhere = list(&[]);
    nowhere.unit = "nowhere".into();
    let mut strange = list(&[]);
    strange.kinds = vec![99];
    for request in [nowhere, strange] {
        let status = client.list_wip(request).await.unwrap_err();
        assert_eq!(reason(&status), Reason::InvalidRequest);
    }
    served.end().await;
}
