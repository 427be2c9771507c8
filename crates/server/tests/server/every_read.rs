//! Every call that reads takes an instant and says what it reflects; the few that cannot say why here.

use crate::harness::{PLANT, Served, TENANT, append, event, reason, serve_plant, state};
use prost::Message;
use prost_types::{DescriptorProto, FileDescriptorSet};
use std::collections::{BTreeMap, BTreeSet};
use tonic::Status;
use werkbuch_model::event::{Body, SampleItem, SampleReported, State};
use werkbuch_model::time::Timestamp;
use werkbuch_wire::pb::{self, instant::Known};
use werkbuch_wire::reason::Reason;

/// Calls that read at an instant.
const READS: [&str; 20] = [
    "GetMachine",
    "ListMachines",
    "CountMachines",
    "AggregateMachines",
    "DiffMachines",
    "ListAspects",
    "GetTwin",
    "ListEvents",
    "GetSampleBody",
    "GetPlant",
    "ListPlants",
    "GetQuality",
    "ListFindings",
    "ListWip",
    "StreamTimelines",
    "FindIntervals",
    "StreamTable",
    "TestRules",
    "ListRules",
    "ListRaisedRules",
];

/// Calls that read without one, and why.
const OTHERS: [(&str, &str); 11] = [
    (
        "ReadRunStates",
        "is about what was simulated; the run says what it has forked",
    ),
    (
        "ReviewModel",
        "forks at an instant and says which; a plant without a flow has none: see `simulation`",
    ),
    (
        "GetRun",
        "is about what was simulated; the run says what it has forked",
    ),
    (
        "ListRuns",
        "is about what was simulated; each run says what it has forked",
    ),
    (
        "WatchRun",
        "is about what was simulated; the run says what it has forked",
    ),
    (
        "ReadRunResult",
        "is about what was simulated; the run says what it has forked",
    ),
    (
        "WatchMachines",
        "begins at an instant and goes on; each row names its position",
    ),
    (
        "TailEvents",
        "begins at an instant and goes on; each message names its position",
    ),
    (
        "ReplayPlant",
        "folds up to a position or a time of recording, and tells how far it came",
    ),
    ("ResolveTimes", "says what texts about time mean now"),
    (
        "GetServer",
        "is about the process that runs, of which no past is kept",
    ),
];

/// Calls that write, be it only what is simulated.
const WRITES: [&str; 9] = [
    "CreateRun",
    "CancelRun",
    "DeleteRun",
    "OpenSource",
    "Append",
    "AppendStream",
    "ApplyPlant",
    "ApplyRules",
    "ConfirmClock",
];

fn set() -> FileDescriptorSet {
    FileDescriptorSet::decode(werkbuch_wire::DESCRIPTOR_SET).unwrap()
}

/// The messages of the package by their full names.
fn messages(set: &FileDescriptorSet) -> BTreeMap<String, &DescriptorProto> {
    let files = set.file.iter();
    let all = files.flat_map(|file| {
        let package = file.package().to_owned();
        let messages = file.message_type.iter();
        messages.map(move |message| (format!(".{package}.{}", message.name()), message))
    });
    all.collect()
}

/// The fields of a message, of the messages in it and so on, that are of one of these types.
fn has(
    messages: &BTreeMap<String, &DescriptorProto>,
    name: &str,
    wanted: &[&str],
    depth: u32,
) -> bool {
    let Some(message) = messages.get(name) else {
        return false;
    };
    message.field.iter().any(|field| {
        let of = field.type_name();
        wanted
            .iter()
            .any(|wanted| of == format!(".werkbuch.v1.{wanted}"))
            || (depth > 0 && has(messages, of, wanted, depth - 1))
    })
}

#[test]
fn every_call_is_known_and_every_read_has_an_instant_and_what_it_reflects() {
    let set = set();
    let messages = messages(&set);
    let known: BTreeSet<&str> = READS
        .into_iter()
        .chain(OTHERS.map(|(name, _)| name))
        .chain(WRITES)
        .collect();
    let mut found = BTreeSet::new();
    for file in set
        .file
        .iter()
        .filter(|file| file.package() == "werkbuch.v1")
    {
        for method in file.service.iter().flat_map(|service| &service.method) {
            let name = method.name();
            assert!(
                known.contains(name),
                "{name}: give it an instant and what it reflects, and add it to READS and to `ask`; or \
                 say in OTHERS why it has none"
            );
            found.insert(name.to_owned());
            if READS.contains(&name) {
                assert!(
                    has(&messages, method.input_type(), &["Instant"], 0),
                    "{name}"
                );
                let reflects = ["Reflected", "Cut"];
                assert!(has(&messages, method.output_type(), &reflects, 1), "{name}");
            }
        }
    }
    assert_eq!(found.len(), known.len(), "{known:?}");
}

/// What answers said that they reflect.
fn one(reflected: Option<pb::Reflected>) -> Vec<pb::Reflected> {
    vec![reflected.expect("it says what it reflects")]
}

fn cut(cut: Option<pb::Cut>) -> Vec<pb::Reflected> {
    let plants = cut
        .expect("it says where the plants stood")
        .plants
        .into_iter();
    plants.map(|plant| plant.reflected.unwrap()).collect()
}

/// Asks one of the calls about the machines.
async fn ask_twin(
    served: &Served,
    name: &str,
    instant: Option<pb::Instant>,
) -> Result<Vec<pb::Reflected>, Status> {
    let mut twin = served.twin().await;
    let parent = PLANT.to_owned();
    Ok(match name {
        "GetMachine" => {
            let name = format!("{PLANT}/machines/press-1");
            let request = pb::GetMachineRequest { name, instant };
            one(twin.get_machine(request).await?.into_inner().reflected)
        }
        "ListMachines" => {
            let request = pb::ListMachinesRequest {
                parent,
                instant,
                ..Default::default()
            };
            one(twin.list_machines(request).await?.into_inner().reflected)
        }
        "CountMachines" => {
            let request = pb::CountMachinesRequest {
                parent,
                instant,
                ..Default::default()
            };
            one(twin.count_machines(request).await?.into_inner().reflected)
        }
        _ => return ask_figures(served, name, instant).await,
    })
}

/// Asks one of the calls about figures, differences and aspects.
async fn ask_figures(
    served: &Served,
    name: &str,
    instant: Option<pb::Instant>,
) -> Result<Vec<pb::Reflected>, Status> {
    let mut twin = served.twin().await;
    let parent = PLANT.to_owned();
    Ok(match name {
        "AggregateMachines" => {
            let measure = pb::Measure {
                function: pb::AggregateFunction::Count.into(),
                field: String::new(),
            };
            let request = pb::AggregateMachinesRequest {
                parent,
                measures: vec![measure],
                instant,
                ..Default::default()
            };
            cut(twin.aggregate_machines(request).await?.into_inner().cut)
        }
        "DiffMachines" => {
            let request = pb::DiffMachinesRequest {
                parent,
                from: instant.clone(),
                to: instant,
                ..Default::default()
            };
            let answer = twin.diff_machines(request).await?.into_inner();
            [cut(answer.from), cut(answer.to)].concat()
        }
        "ListAspects" => {
            let request = pb::ListAspectsRequest {
                parent,
                aspects: vec![pb::AspectKind::Buffer.into()],
                instant,
                ..Default::default()
            };
            one(twin.list_aspects(request).await?.into_inner().reflected)
        }
        "GetTwin" => {
            let request = pb::GetTwinRequest {
                name: parent,
                instant,
            };
            one(twin.get_twin(request).await?.into_inner().reflected)
        }
        _ => return ask_other(served, name, instant).await,
    })
}

/// Asks one of the calls about anything else.
async fn ask_other(
    served: &Served,
    name: &str,
    instant: Option<pb::Instant>,
) -> Result<Vec<pb::Reflected>, Status> {
    let parent = PLANT.to_owned();
    Ok(match name {
        "ListEvents" => {
            let request = pb::ListEventsRequest {
                parent,
                instant,
                ..Default::default()
            };
            let mut history = served.history().await;
            one(history.list_events(request).await?.into_inner().reflected)
        }
        "GetSampleBody" => {
            let request = pb::GetSampleBodyRequest {
                parent,
                position: BATCH,
                instant,
            };
            let mut history = served.history().await;
            one(history
                .get_sample_body(request)
                .await?
                .into_inner()
                .reflected)
        }
        "GetPlant" => {
            let request = pb::GetPlantRequest {
                name: parent,
                instant,
            };
            one(served
                .model()
                .await
                .get_plant(request)
                .await?
                .into_inner()
                .reflected)
        }
        "ListPlants" => {
            // A position means another time in each plant: it is asked by a time.
            let request = pb::ListPlantsRequest {
                parent: TENANT.into(),
                instant,
                ..Default::default()
            };
            let answer = served
                .model()
                .await
                .list_plants(request)
                .await?
                .into_inner();
            match answer.cut {
                Some(of) => cut(Some(of)),
                None => answer
                    .plants
                    .into_iter()
                    .flat_map(|one_of| one(one_of.reflected))
                    .collect(),
            }
        }
        _ => return ask_surveys(served, name, instant).await,
    })
}

/// Asks one of the calls that go through the log.
async fn ask_surveys(
    served: &Served,
    name: &str,
    instant: Option<pb::Instant>,
) -> Result<Vec<pb::Reflected>, Status> {
    let channel = served.channel().await;
    let parent = PLANT.to_owned();
    Ok(match name {
        "GetQuality" => {
            let mut quality = pb::quality_service_client::QualityServiceClient::new(channel);
            let request = pb::GetQualityRequest {
                name: parent,
                instant,
                ..Default::default()
            };
            one(quality.get_quality(request).await?.into_inner().reflected)
        }
        "ListFindings" => {
            let mut quality = pb::quality_service_client::QualityServiceClient::new(channel);
            let request = pb::ListFindingsRequest {
                parent,
                instant,
                ..Default::default()
            };
            one(quality.list_findings(request).await?.into_inner().reflected)
        }
        "ListWip" => {
            let mut wip = pb::wip_service_client::WipServiceClient::new(channel);
            let request = pb::ListWipRequest {
                parent,
                instant,
                ..Default::default()
            };
            one(wip.list_wip(request).await?.into_inner().reflected)
        }
        "TestRules" | "ListRules" | "ListRaisedRules" => ask_rules(served, name, instant).await?,
        "StreamTimelines" => {
            let mut timeline = pb::timeline_service_client::TimelineServiceClient::new(channel);
            let request = pb::StreamTimelinesRequest {
                parent,
                instant,
                ..Default::default()
            };
            let mut stream = timeline.stream_timelines(request).await?.into_inner();
            let first = stream
                .message()
                .await?
                .expect("what it reflects comes first");
            one(first.head.and_then(|head| head.reflected))
        }
        "FindIntervals" => {
            let mut timeline = pb::timeline_service_client::TimelineServiceClient::new(channel);
            let request = pb::FindIntervalsRequest {
                parent,
                instant,
                ..Default::default()
            };
            let mut stream = timeline.find_intervals(request).await?.into_inner();
            let first = stream
                .message()
                .await?
                .expect("what it reflects comes first");
            cut(first.head.and_then(|head| head.cut))
        }
        _ => return ask_tables(served, name, instant).await,
    })
}

async fn ask_tables(
    served: &Served,
    name: &str,
    instant: Option<pb::Instant>,
) -> Result<Vec<pb::Reflected>, Status> {
    assert_eq!(name, "StreamTable", "{name} is not asked");
    let channel = served.channel().await;
    let mut tables = pb::table_service_client::TableServiceClient::new(channel);
    let table = pb::stream_table_request::Table::Machines(pb::MachineTable::default());
    let request = pb::StreamTableRequest {
        parent: PLANT.to_owned(),
        instant,
        table: Some(table),
    };
    let mut stream = tables.stream_table(request).await?.into_inner();
    let first = stream.message().await?.expect("a table has a schema");
    Ok(cut(first.cut))
}

/// Where the batch of samples stands: behind what the first opening and the description recorded.
const BATCH: u64 = 5;

async fn serve_said() -> (Served, u64) {
    let served = serve_plant().await;
    let session = served.session("gateway-1").await;
    let item = SampleItem {
        item: "current".into(),
        ..SampleItem::default()
    };
    let batch = Body::SampleReported(SampleReported {
        period_start: Timestamp(1),
        period_ms: 60_000,
        items: vec![item],
        ..SampleReported::default()
    });
    let events = vec![
        event(1, 1, batch),
        state(2, 1, State::Idle),
        state(3, 2, State::Held),
    ];
    let done = served.ingest().await.append(append(session, events)).await;
    let end = done.unwrap().into_inner().position;
    assert_eq!(end, BATCH + 2);
    (served, end)
}

/// Asks one of the calls about rules.
async fn ask_rules(
    served: &Served,
    name: &str,
    instant: Option<pb::Instant>,
) -> Result<Vec<pb::Reflected>, Status> {
    let channel = served.channel().await;
    let parent = PLANT.to_owned();
    let mut rules = pb::rule_service_client::RuleServiceClient::new(channel);
    Ok(match name {
        "ListRules" => {
            let request = pb::ListRulesRequest {
                parent,
                instant,
                ..Default::default()
            };
            cut(rules.list_rules(request).await?.into_inner().cut)
        }
        "ListRaisedRules" => {
            let request = pb::ListRaisedRulesRequest {
                parent,
                instant,
                ..Default::default()
            };
            cut(rules.list_raised_rules(request).await?.into_inner().cut)
        }
        _ => {
            let request = pb::TestRulesRequest {
                parent,
                content: "[[rule]]\nid = \"r\"\nraise = \"state = 'HELD'\"\n".into(),
                instant,
                ..Default::default()
            };
            let mut stream = rules.test_rules(request).await?.into_inner();
            let head = stream.message().await?.unwrap().head;
            cut(head.unwrap().cut)
        }
    })
}

#[tokio::test]
async fn every_read_answers_at_the_instant_and_says_so() {
    let (served, end) = serve_said().await;
    for name in READS {
        let now = ask_twin(&served, name, None).await;
        let now = now.unwrap_or_else(|status| panic!("{name}: {status}"));
        assert!(!now.is_empty(), "{name}");
        for reflected in now {
            assert_eq!(reflected.position, end, "{name}");
            let coverage = reflected
                .coverage
                .unwrap_or_else(|| panic!("{name} has no coverage"));
            assert_eq!(
                (coverage.machines_heard, coverage.machines),
                (2, 5),
                "{name}"
            );
            assert_eq!(reflected.sources_total, 1, "{name}");
            let source = &reflected.sources[0];
            assert_eq!(
                (source.source.as_str(), source.live),
                ("gateway-1#1", true),
                "{name}"
            );
            assert!(source.age_ns.is_some(), "{name}");
        }
        if name == "ListPlants" {
            continue;
        }
        let before = pb::Instant {
            known: Some(Known::KnownPosition(end - 1)),
            ..Default::default()
        };
        for reflected in ask_twin(&served, name, Some(before)).await.unwrap() {
            assert_eq!(reflected.position, end - 1, "{name}");
            let coverage = reflected
                .coverage
                .unwrap_or_else(|| panic!("{name} has no coverage"));
            assert_eq!(
                coverage.machines_heard, 1,
                "{name}: press-2 had said nothing yet"
            );
        }
    }
    served.end().await;
}

#[tokio::test]
async fn no_read_answers_for_an_instant_that_it_cannot_know() {
    let (served, end) = serve_said().await;
    let future = pb::Instant {
        known: Some(Known::KnownRecordedAt(i64::MAX)),
        ..Default::default()
    };
    let beyond = pb::Instant {
        known: Some(Known::KnownPosition(end + 1)),
        ..Default::default()
    };
    let nonsense = pb::Instant {
        at_text: "the day after".into(),
        ..Default::default()
    };
    for name in READS {
        for instant in [&future, &beyond, &nonsense] {
            let asked = ask_twin(&served, name, Some(instant.clone())).await;
            let status = asked
                .err()
                .unwrap_or_else(|| panic!("{name} answers {instant:?}"));
            assert_eq!(reason(&status), Reason::InvalidInstant, "{name}: {status}");
        }
    }
    // A batch of samples that was recorded later, or happened later, is not there yet.
    for instant in [
        pb::Instant {
            known: Some(Known::KnownPosition(BATCH - 1)),
            ..Default::default()
        },
        pb::Instant {
            at_text: "-1h".into(),
            ..Default::default()
        },
    ] {
        let asked = ask_twin(&served, "GetSampleBody", Some(instant)).await;
        assert_eq!(reason(&asked.unwrap_err()), Reason::InvalidInstant);
    }
    served.end().await;
}
