//! While a plant is still folded from its log after a start, it says so to whoever asks, and health says so too.

use crate::harness::{Served, config, reason, serve_as, short};
use crate::rules::{at, now, report, state};
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use werkbuch_model::event::State;
use werkbuch_wire::pb;
use werkbuch_wire::reason::{Reason, retry_delay_of};

const PLANT: &str = crate::harness::PLANT;
/// What health calls it that every plant answers.
const PLANTS: &str = "werkbuch.v1.plants";
/// With so many events a second the plant takes seconds to come back.
const RATE: u64 = 200;
const EVENTS: u64 = 1_500;

async fn health(served: &Served, service: &str) -> ServingStatus {
    let mut health = HealthClient::new(served.channel().await);
    let request = HealthCheckRequest {
        service: service.to_owned(),
    };
    health.check(request).await.unwrap().into_inner().status()
}

/// A plant with a log of some length, and no snapshot to begin with.
async fn long_log() -> tempfile::TempDir {
    let served = crate::harness::serve_plant().await;
    let session = served.session("gateway-1").await;
    let begin = now();
    for first in (1..=EVENTS).step_by(500) {
        let event = |number| {
            let to = [State::Idle, State::Executing][usize::from(number % 2 == 0)];
            at(number, 1, begin, state(to))
        };
        report(&served, session, (first..first + 500).map(event).collect()).await;
    }
    let folder = served.end().await;
    std::fs::remove_dir_all(folder.path().join("data/snapshots")).unwrap();
    folder
}

/// Asks the plant in all the ways that there are for one plant alone, but for streams.
async fn ask(served: &Served) -> Vec<(&'static str, Result<(), Status>)> {
    let (mut twin, mut model) = (served.twin().await, served.model().await);
    let (mut history, mut ingest) = (served.history().await, served.ingest().await);
    let mut rules = crate::rules::client(served).await;
    let parent = || PLANT.to_owned();
    let machine = pb::GetMachineRequest {
        name: format!("{PLANT}/machines/press-1"),
        ..Default::default()
    };
    let list = pb::ListMachinesRequest {
        parent: parent(),
        ..Default::default()
    };
    let count = pb::CountMachinesRequest {
        parent: parent(),
        ..Default::default()
    };
    let about = pb::GetTwinRequest {
        name: parent(),
        ..Default::default()
    };
    let events = pb::ListEventsRequest {
        parent: parent(),
        ..Default::default()
    };
    let plant = pb::GetPlantRequest {
        name: parent(),
        ..Default::default()
    };
    let open = pb::OpenSourceRequest {
        parent: parent(),
        source: "gateway-1".into(),
        source_kind: pb::SourceKind::Live.into(),
        ..Default::default()
    };
    let ruled = pb::ListRulesRequest {
        parent: parent(),
        ..Default::default()
    };
    vec![
        ("GetMachine", twin.get_machine(machine).await.map(drop)),
        ("ListMachines", twin.list_machines(list).await.map(drop)),
        ("CountMachines", twin.count_machines(count).await.map(drop)),
        ("GetTwin", twin.get_twin(about).await.map(drop)),
        ("ListEvents", history.list_events(events).await.map(drop)),
        ("GetPlant", model.get_plant(plant).await.map(drop)),
        ("OpenSource", ingest.open_source(open).await.map(drop)),
        ("ListRules", rules.list_rules(ruled).await.map(drop)),
    ]
}

#[tokio::test]
async fn a_plant_that_is_not_back_says_so_and_health_does_until_it_is() {
    let folder = long_log().await;
    let mut slow = config(folder.path());
    slow.recovery_rate = Some(RATE);
    let served = serve_as(folder, short(), slow).await;
    assert_eq!(health(&served, PLANTS).await, ServingStatus::NotServing);
    for (call, answer) in ask(&served).await {
        let status = answer.expect_err(call);
        assert_eq!(reason(&status), Reason::PlantRecovering, "{call}: {status}");
        assert_eq!(status.code(), Code::Unavailable, "{call}");
        assert!(status.message().contains("% are done"), "{call}: {status}");
        assert!(
            retry_delay_of(&status).is_some_and(|delay| !delay.is_zero()),
            "{call}"
        );
    }
    // Another name is no plant, whatever is on its way; and the server itself serves.
    let other = pb::GetTwinRequest {
        name: PLANT.replace("PLT-07", "PLT-08"),
        ..Default::default()
    };
    let status = served.twin().await.get_twin(other).await.unwrap_err();
    assert_eq!(reason(&status), Reason::UnknownPlant);
    for service in ["", "werkbuch.v1.TwinService", "werkbuch.v1.IngestService"] {
        assert_eq!(
            health(&served, service).await,
            ServingStatus::Serving,
            "{service}"
        );
    }
    assert_eq!(
        health(&served, PLANTS).await,
        ServingStatus::NotServing,
        "the plant was back too soon to tell"
    );
    let folder = served.end().await;

    let fast = config(folder.path());
    let served = serve_as(folder, short(), fast).await;
    for _ in 0..400 {
        if health(&served, PLANTS).await == ServingStatus::Serving {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(health(&served, PLANTS).await, ServingStatus::Serving);
    for (call, answer) in ask(&served).await {
        assert!(answer.is_ok(), "{call}: {answer:?}");
    }
    // Who follows it is told of the end, as of the other names.
    let mut client = HealthClient::new(served.channel().await);
    let request = HealthCheckRequest {
        service: PLANTS.to_owned(),
    };
    let mut watch = client.watch(request).await.unwrap().into_inner();
    let first = watch.message().await.unwrap().unwrap();
    assert_eq!(first.status(), ServingStatus::Serving);
    let (_task, _folder) = served.tell();
    let last = watch.message().await.unwrap().unwrap();
    assert_eq!(last.status(), ServingStatus::NotServing);
}
