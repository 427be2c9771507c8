//! From the start to the end: health, reflection, ports, an end in good order.

use crate::harness::{config, serve, serve_plant, short};
use prost::Message;
use std::time::Duration;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::{v1, v1alpha};
use werkbuch_server::{ConfigError, ServeError, run_with};
use werkbuch_wire::pb;
use werkbuch_wire::reason::Reason;

const SERVICES: [&str; 14] = [
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
    "werkbuch.v1.AdminService",
    "werkbuch.v1.HistoryService",
    "werkbuch.v1.IngestService",
    "werkbuch.v1.ModelService",
    "werkbuch.v1.QualityService",
    "werkbuch.v1.RuleService",
    "werkbuch.v1.SimulationService",
    "werkbuch.v1.TableService",
    "werkbuch.v1.TimelineService",
    "werkbuch.v1.TwinService",
    "werkbuch.v1.WipService",
];

#[tokio::test]
async fn health_is_known_of_the_server_and_of_each_service() {
    let served = serve().await;
    let mut health = HealthClient::new(served.channel().await);
    for service in SERVICES
        .iter()
        .filter(|name| name.starts_with("werkbuch"))
        .chain([&""])
    {
        let request = HealthCheckRequest {
            service: (*service).to_owned(),
        };
        let answer = health.check(request).await.unwrap().into_inner();
        assert_eq!(answer.status(), ServingStatus::Serving, "{service}");
    }
    let request = HealthCheckRequest {
        service: "werkbuch.v1.Nothing".into(),
    };
    assert_eq!(
        health.check(request).await.unwrap_err().code(),
        Code::NotFound
    );
    let server = served
        .admin()
        .await
        .get_server(pb::GetServerRequest {})
        .await
        .unwrap();
    let server = server.into_inner();
    assert_eq!(server.version, env!("CARGO_PKG_VERSION"));
    assert_eq!((server.store.as_str(), server.plants), ("segments", 0));
    assert!(server.started_at > 0 && server.stopped.is_empty());
    served.end().await;
}

/// Both versions of reflection have the same messages under different names.
macro_rules! reflection_tells_all {
    ($test:ident, $version:ident) => {
        #[tokio::test]
        async fn $test() {
            use $version::server_reflection_client::ServerReflectionClient;
            use $version::server_reflection_request::MessageRequest;
            use $version::server_reflection_response::MessageResponse;
            let served = serve().await;
            let mut client = ServerReflectionClient::new(served.channel().await);
            let mut ask = async |request| {
                let request = $version::ServerReflectionRequest {
                    host: String::new(),
                    message_request: Some(request),
                };
                let requests = tokio_stream::iter([request]);
                let answers = client.server_reflection_info(requests).await;
                let answer = answers.unwrap().into_inner().message().await.unwrap();
                answer.unwrap().message_response.unwrap()
            };
            let MessageResponse::ListServicesResponse(list) =
                ask(MessageRequest::ListServices(String::new())).await
            else {
                panic!("no list of services");
            };
            let mut names: Vec<String> = list.service.into_iter().map(|one| one.name).collect();
            names.sort();
            assert_eq!(names, SERVICES);
            for symbol in [
                "werkbuch.v1.Machine",
                "werkbuch.v1.RecordedEvent",
                SERVICES[0],
                SERVICES[1],
            ] {
                let asked = MessageRequest::FileContainingSymbol(symbol.into());
                let MessageResponse::FileDescriptorResponse(files) = ask(asked).await else {
                    panic!("nothing about {symbol}");
                };
                let file = files.file_descriptor_proto.first().unwrap();
                let file = prost_types::FileDescriptorProto::decode(file.as_slice()).unwrap();
                assert!(
                    symbol.starts_with(file.package()),
                    "{symbol} in {}",
                    file.name()
                );
            }
            served.end().await;
        }
    };
}

reflection_tells_all!(reflection_v1_tells_all, v1);
reflection_tells_all!(reflection_v1alpha_tells_all, v1alpha);

#[tokio::test]
async fn a_port_in_use_is_named_with_what_to_do() {
    let served = serve().await;
    let folder = tempfile::tempdir().unwrap();
    let mut other = config(folder.path());
    other.listen = Some(served.address.to_string());
    let error = run_with(other.resolve().unwrap(), short(), async {}, |_| ())
        .await
        .unwrap_err();
    assert!(matches!(error, ServeError::PortInUse { .. }), "{error}");
    assert!(error.to_string().contains("--listen 127.0.0.1:"), "{error}");
    let mut other = config(served.folder.path());
    other.listen = Some("0.0.0.0:0".into());
    assert!(matches!(
        other.resolve().unwrap_err(),
        ConfigError::Remote { .. }
    ));
    let same = config(served.folder.path()).resolve().unwrap();
    let error = run_with(same, short(), async {}, |_| ()).await.unwrap_err();
    assert!(matches!(error, ServeError::Engine(_)), "{error}");
    served.end().await;
}

#[tokio::test]
async fn at_the_end_streams_are_told_and_the_log_is_closed() {
    let served = serve_plant().await;
    let tail = pb::TailEventsRequest {
        parent: crate::harness::PLANT.into(),
        from_position: 1,
        ..Default::default()
    };
    let mut tail = served
        .history()
        .await
        .tail_events(tail)
        .await
        .unwrap()
        .into_inner();
    assert!(!tail.message().await.unwrap().unwrap().events.is_empty());
    let (_keep, requests) = tokio::sync::mpsc::channel::<pb::AppendRequest>(1);
    let requests = tokio_stream::wrappers::ReceiverStream::new(requests);
    let mut append = served
        .ingest()
        .await
        .append_stream(requests)
        .await
        .unwrap()
        .into_inner();
    let (task, folder) = served.tell();
    let end = loop {
        match tail.message().await {
            Ok(Some(_)) => {}
            other => break other.unwrap_err(),
        }
    };
    assert_eq!(Reason::of(&end), Some(Reason::ShuttingDown));
    assert_eq!(
        Reason::of(&append.message().await.unwrap_err()),
        Some(Reason::ShuttingDown)
    );
    drop((tail, append));
    tokio::time::timeout(Duration::from_secs(10), task)
        .await
        .unwrap()
        .unwrap()
        .unwrap();

    let again = crate::harness::serve_in(folder, short()).await;
    let request = pb::ListPlantsRequest {
        parent: crate::harness::TENANT.into(),
        ..Default::default()
    };
    let plants = again
        .model()
        .await
        .list_plants(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(plants.total_size, 1);
    again.end().await;
}

#[tokio::test]
async fn connections_that_stay_are_cut_after_the_grace_period() {
    let served = serve().await;
    let mut health = HealthClient::new(served.channel().await);
    let request = HealthCheckRequest {
        service: String::new(),
    };
    let mut watch = health.watch(request).await.unwrap().into_inner();
    assert_eq!(
        watch.message().await.unwrap().unwrap().status(),
        ServingStatus::Serving
    );
    let begun = std::time::Instant::now();
    let (task, _folder) = served.tell();
    assert_eq!(
        watch.message().await.unwrap().unwrap().status(),
        ServingStatus::NotServing
    );
    let cut = tokio::time::timeout(Duration::from_secs(10), watch.message()).await;
    assert!(cut.expect("the watch is cut").is_err());
    tokio::time::timeout(Duration::from_secs(10), task)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(
        begun.elapsed() >= Duration::from_secs(2),
        "the grace period was kept"
    );
}
