//! What-ifs over gRPC: begun once, watched to their end, read whole, cancelled, kept through a restart.

use crate::harness::{Served, append, apply, config, open, reason, serve, serve_as, short};
use crate::rules::{at, state};
use tonic::transport::Channel;
use werkbuch_model::event::{Body, CycleCompleted, State, WorkOutcome};
use werkbuch_model::time::Timestamp;
use werkbuch_wire::pb;
use werkbuch_wire::pb::simulation_service_client::SimulationServiceClient;
use werkbuch_wire::reason::{Reason, violations_of};

const PLANT: &str = "tenants/default/plants/L1";
const SECOND: i64 = 1_000_000_000;
/// Two machines with a buffer between them, which make a part a minute.
const LINE: &str = r#"
[plant]
id = "L1"
time_zone = "UTC"
[[machine]]
id = "m1"
number = 1
type = "mill"
cycle_ms = 50_000
[[machine]]
id = "m2"
number = 2
cycle_ms = 60_000
[[buffer]]
id = "b1"
capacity = 4
[[flow]]
from = "m1"
to = "b1"
[[flow]]
from = "b1"
to = "m2"
[[product]]
id = "part"
[[boundary]]
at = "m1"
kind = "source"
[[boundary]]
at = "m2"
kind = "sink"
"#;

fn start() -> i64 {
    Timestamp::parse("2026-01-05T06:00:00Z").unwrap().nanos()
}

/// A plant in which both machines have worked for three hours, a minute a part.
async fn served() -> Served {
    let served = serve().await;
    report(&served, "L1", false).await;
    served
}

/// Reports three hours of a plant, in which the first machine stands every tenth minute where it `fails`.
async fn report(served: &Served, plant: &str, fails: bool) {
    let line = LINE.replace("\"L1\"", &format!("\"{plant}\""));
    served
        .model()
        .await
        .apply_plant(apply(&line))
        .await
        .unwrap();
    let mut open = open("gateway-1");
    open.machines.clear();
    open.parent = PLANT.replace("L1", plant);
    let mut ingest = served.ingest().await;
    let session = ingest.open_source(open).await.unwrap().into_inner().session;
    let mut events = Vec::new();
    let mut add = |machine: u32, time: i64, body: Body<'_>| {
        events.push(at(events.len() as u64 + 1, machine, time, body));
    };
    for minute in 0..=180_i64 {
        let time = start() + minute * 60 * SECOND;
        if fails && minute % 10 == 5 {
            add(1, time, state(State::Faulted));
            add(1, time + 20 * SECOND, state(State::Executing));
        }
        for machine in [1, 2] {
            match minute {
                0 => add(machine, time, state(State::Executing)),
                _ => {
                    let body = CycleCompleted {
                        duration_ms: Some(60_000),
                        outcome: WorkOutcome::Ok,
                        ..CycleCompleted::default()
                    };
                    add(machine, time, Body::CycleCompleted(body));
                }
            }
        }
    }
    let answer = ingest.append(append(session, events)).await.unwrap();
    let recorded = |one: &pb::Outcome| matches!(one.result, Some(pb::outcome::Result::Recorded(_)));
    let outcomes = answer.into_inner().outcomes;
    let refused = outcomes.iter().find(|one| !recorded(one));
    assert_eq!(refused, None);
}

async fn client(served: &Served) -> SimulationServiceClient<Channel> {
    SimulationServiceClient::new(served.channel().await)
}

fn scenario(content: &str) -> pb::StudyFile {
    pb::StudyFile {
        file_name: "down.toml".into(),
        content: content.into(),
    }
}

const DOWN: &str = "[[change]]\ndo = \"down\"\nmachines = \"m2\"\nfrom = \"0s\"\nfor = \"1h\"\n";

fn request(request_id: &str) -> pb::CreateRunRequest {
    pb::CreateRunRequest {
        parent: PLANT.into(),
        study: Some(pb::Study {
            instant: Some(pb::Instant {
                at: Some(start() + 3 * 3_600 * SECOND),
                ..pb::Instant::default()
            }),
            scenarios: vec![scenario(DOWN)],
            horizon_ns: 4 * 3_600_000_000_000,
            replications: 3,
            ..pb::Study::default()
        }),
        request_id: request_id.into(),
        ..pb::CreateRunRequest::default()
    }
}

/// All that is told of a run until it has ended.
async fn watched(client: &mut SimulationServiceClient<Channel>, name: &str) -> Vec<pb::Run> {
    let name = name.to_owned();
    let watch = client.watch_run(pb::WatchRunRequest { name }).await;
    let mut stream = watch.unwrap().into_inner();
    let mut told = Vec::new();
    while let Some(run) = stream.message().await.unwrap() {
        told.push(run);
    }
    told
}

async fn result(client: &mut SimulationServiceClient<Channel>, name: &str) -> Vec<u8> {
    let name = name.to_owned();
    let read = client.read_run_result(pb::ReadRunResultRequest { name });
    let mut parts = read.await.unwrap().into_inner();
    let mut bytes = Vec::new();
    while let Some(part) = parts.message().await.unwrap() {
        bytes.extend(part.json);
    }
    bytes
}

#[tokio::test]
async fn a_run_is_begun_once_watched_read_and_kept() {
    let served = served().await;
    let mut client = client(&served).await;
    let begun = client
        .create_run(request("one"))
        .await
        .unwrap()
        .into_inner();
    let again = client
        .create_run(request("one"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(again.name, begun.name);
    let told = watched(&mut client, &begun.name).await;
    let last = told.last().unwrap().clone();
    assert_eq!(last.state(), pb::RunState::Succeeded, "{last:?}");
    assert_eq!((last.done, last.of), (3, 3));
    let output = |case: &str| {
        let mut found = last.measures.iter();
        let is = |one: &&pb::RunMeasure| one.case == case && one.measure == "output";
        found.find(is).unwrap().mean
    };
    // A part a minute, and an hour of it is lost.
    assert!((output("baseline") - 240.0).abs() <= 2.0, "{last:?}");
    assert!(
        (output("baseline") - output("down") - 60.0).abs() <= 2.0,
        "{last:?}"
    );
    let beside = last.differences.iter().find(|one| one.measure == "output");
    assert!(beside.unwrap().distinguishable && beside.unwrap().mean < -57.0);

    let json = result(&mut client, &begun.name).await;
    let digest = format!("sha256:{}", werkbuch_proof::sha256(&json));
    assert_eq!(digest, last.digest);
    let told: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(told["cases"][0]["measures"][0]["mean"], output("baseline"));

    let states = pb::ReadRunStatesRequest {
        name: begun.name.clone(),
        replications: vec![pb::RunReplication {
            case: 1,
            replication: 0,
        }],
    };
    let mut parts = client.read_run_states(states).await.unwrap().into_inner();
    let part = parts.message().await.unwrap().unwrap();
    let second = &part.stations[1];
    let held = second.intervals.first().unwrap();
    // It is down for the first hour, and told of for all four.
    assert_eq!((&*second.machine, held.to_ns), ("m2", 3_600 * SECOND));
    assert_eq!(second.intervals.last().unwrap().to_ns, 4 * 3_600 * SECOND);

    // The same study again, on another number of threads, is another run with the same result.
    let mut other = request("two");
    other.threads = 1;
    other.study.clone_from(&last.study);
    let other = client.create_run(other).await.unwrap().into_inner();
    assert_ne!(other.name, begun.name);
    let other = watched(&mut client, &other.name).await.pop().unwrap();
    assert_eq!(
        (&other.digest, &other.fork_digest),
        (&last.digest, &last.fork_digest)
    );

    kept(served, (&begun.name, &other.name), &json).await;
}

/// Both runs are there after a restart, and one of them is forgotten when it is told to.
async fn kept(served: Served, (begun, other): (&str, &str), json: &[u8]) {
    let folder = served.end().await;
    let path = folder.path().to_owned();
    let served = serve_as(folder, short(), config(&path)).await;
    let mut client = client(&served).await;
    let list = pb::ListRunsRequest {
        parent: "tenants/default/plants/-".into(),
        page_size: 1,
        page_token: String::new(),
    };
    let first = client.list_runs(list.clone()).await.unwrap().into_inner();
    assert_eq!((first.total_size, first.runs.len()), (2, 1));
    assert_eq!(first.runs[0].name, other);
    let next = pb::ListRunsRequest {
        page_token: first.next_page_token,
        ..list
    };
    let second = client.list_runs(next).await.unwrap().into_inner();
    assert_eq!(second.runs[0].name, begun);
    assert!(second.next_page_token.is_empty());
    assert_eq!(result(&mut client, begun).await, json);
    let name = begun.to_owned();
    client
        .delete_run(pb::DeleteRunRequest { name })
        .await
        .unwrap();
    let gone = client
        .get_run(pb::GetRunRequest {
            name: begun.to_owned(),
        })
        .await;
    assert_eq!(reason(&gone.unwrap_err()), Reason::UnknownRun);
}

#[tokio::test]
async fn a_run_is_cancelled_while_it_runs_and_while_it_waits() {
    let served = served().await;
    let mut client = client(&served).await;
    let long = |id: &str| {
        let mut request = request(id);
        let study = request.study.as_mut().unwrap();
        (study.replications, study.horizon_ns) = (100_000, 300 * 86_400_000_000_000);
        request
    };
    let first = client.create_run(long("a")).await.unwrap().into_inner();
    let second = client.create_run(long("b")).await.unwrap().into_inner();
    for name in [&second.name, &first.name] {
        let name = name.clone();
        client
            .cancel_run(pb::CancelRunRequest { name })
            .await
            .unwrap();
    }
    for name in [&first.name, &second.name] {
        let last = watched(&mut client, name).await.pop().unwrap();
        assert_eq!(last.state(), pb::RunState::Cancelled, "{last:?}");
        let name = name.clone();
        let none = client.read_run_result(pb::ReadRunResultRequest { name });
        assert_eq!(reason(&none.await.unwrap_err()), Reason::InvalidRequest);
    }
}

#[tokio::test]
async fn what_cannot_be_run_is_refused_before_it_begins() {
    let served = served().await;
    let mut client = client(&served).await;
    let refused = |change: fn(&mut pb::CreateRunRequest)| {
        let mut request = request("");
        change(&mut request);
        request
    };
    type Row = (fn(&mut pb::CreateRunRequest), Reason, &'static str);
    let rows: [Row; 6] = [
        (
            |one| one.parent = "tenants/default/plants/L2".into(),
            Reason::UnknownPlant,
            "",
        ),
        (
            |one| one.study.as_mut().unwrap().replications = 1,
            Reason::InvalidRequest,
            "study.replications",
        ),
        (
            |one| one.study.as_mut().unwrap().horizon_ns = u64::MAX,
            Reason::InvalidRequest,
            "study.horizon_ns",
        ),
        (
            |one| one.study.as_mut().unwrap().scenarios[0].content = DOWN.replace("m2", "m9"),
            Reason::InvalidRequest,
            "down.toml:3:12",
        ),
        (
            |one| one.study.as_mut().unwrap().scenarios.push(scenario(DOWN)),
            Reason::InvalidRequest,
            "",
        ),
        (
            |one| {
                let instant = one.study.as_mut().unwrap().instant.as_mut().unwrap();
                instant.at = Some(i64::MAX / 2);
            },
            Reason::InvalidInstant,
            "",
        ),
    ];
    for (change, wanted, field) in rows {
        let status = client.create_run(refused(change)).await.unwrap_err();
        assert_eq!(reason(&status), wanted, "{status:?}");
        let fields = violations_of(&status);
        let is_named = field.is_empty() || fields.iter().any(|(found, _)| found == field);
        assert!(is_named, "{fields:?}");
    }
    let mut checked = request("");
    checked.validate_only = true;
    let checked = client.create_run(checked).await.unwrap().into_inner();
    assert_eq!(checked.name, "");
    let review = pb::ReviewModelRequest {
        parent: PLANT.into(),
        instant: request("").study.unwrap().instant,
        ..pb::ReviewModelRequest::default()
    };
    let sheet = client.review_model(review).await.unwrap().into_inner();
    let cycle = sheet.fits.iter().find(|one| one.what == "cycle").unwrap();
    assert!((cycle.mean_s - 60.0).abs() < 0.1, "{sheet:?}");
    assert!(!sheet.assumptions.is_empty() && sheet.reflected.unwrap().position > 0);
}

#[tokio::test]
async fn where_little_was_seen_machines_of_other_plants_speak() {
    let served = serve().await;
    report(&served, "L2", true).await;
    report(&served, "L1", false).await;
    let mut client = client(&served).await;
    let review = pb::ReviewModelRequest {
        parent: PLANT.into(),
        instant: request("").study.unwrap().instant,
        ..pb::ReviewModelRequest::default()
    };
    let sheet = client.review_model(review).await.unwrap().into_inner();
    let of = |machine: &str, what: &str| {
        let mut fits = sheet.fits.iter();
        fits.find(|one| one.machine == machine && one.what == what)
    };
    let repair = of("m1", "repair").unwrap_or_else(|| panic!("{sheet:#?}"));
    assert!((repair.mean_s - 20.0).abs() < 0.5, "{repair:?}");
    assert!(repair.basis.contains("other plants"), "{repair:?}");
    // It is of no type, and so nobody speaks for it.
    assert_eq!(of("m2", "repair"), None);
}
