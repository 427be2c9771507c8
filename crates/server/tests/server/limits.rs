//! What the server does not take: too large, too many, too silent, unreadable.

use crate::harness::{append, reason, serve, serve_in, short};
use bytes::Bytes;
use http::uri::PathAndQuery;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::metadata::MetadataValue;
use tonic::{Code, Request};
use tonic_prost::ProstCodec;
use werkbuch_server::Limits;
use werkbuch_wire::pb;
use werkbuch_wire::reason::{Reason, retry_delay_of};

const SOON: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_message_beyond_the_limit_is_refused_with_its_reason() {
    let served = serve().await;
    let mut client = served.ingest().await;
    let mut request = append(1, Vec::new());
    request.bodies = vec![Bytes::from(vec![7; 5 * 1024 * 1024])];
    let status = client.append(request.clone()).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange);
    assert_eq!(reason(&status), Reason::MessageTooLarge);
    assert!(status.message().contains("4194304"), "{status}");
    let requests = tokio_stream::iter([request]);
    let mut answers = client.append_stream(requests).await.unwrap().into_inner();
    assert_eq!(
        reason(&answers.message().await.unwrap_err()),
        Reason::MessageTooLarge
    );
    served.end().await;
}

#[tokio::test]
async fn what_cannot_be_read_is_the_callers_mistake() {
    let served = serve().await;
    let mut client = tonic::client::Grpc::new(served.channel().await);
    client.ready().await.unwrap();
    // A number in field 1, where ListPlants has a text.
    let codec = ProstCodec::<pb::AppendRequest, pb::ListPlantsResponse>::default();
    let path = PathAndQuery::from_static("/werkbuch.v1.ModelService/ListPlants");
    let request = Request::new(append(5, Vec::new()));
    let status = client.unary(request, path, codec).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(reason(&status), Reason::MalformedRequest);

    client.ready().await.unwrap();
    let codec = ProstCodec::<pb::AppendRequest, pb::ListPlantsResponse>::default();
    let path = PathAndQuery::from_static("/werkbuch.v1.ModelService/Nothing");
    let status = client
        .unary(Request::new(append(5, Vec::new())), path, codec)
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
    served.end().await;
}

#[tokio::test]
async fn headers_are_bounded() {
    let served = serve().await;
    let mut client = served.admin().await;
    let mut request = Request::new(pb::GetServerRequest {});
    let long = MetadataValue::try_from("x".repeat(20 * 1024)).unwrap();
    request.metadata_mut().insert("x-long", long);
    assert!(client.get_server(request).await.is_err());
    client
        .get_server(pb::GetServerRequest {})
        .await
        .expect("others are not disturbed");
    served.end().await;
}

#[tokio::test]
async fn silent_connections_are_dropped_and_hold_up_nobody() {
    let served = serve().await;
    let mut silent = TcpStream::connect(served.address).await.unwrap();
    let mut dripping = TcpStream::connect(served.address).await.unwrap();
    served
        .admin()
        .await
        .get_server(pb::GetServerRequest {})
        .await
        .expect("nobody is held up");
    let mut buffer = [0; 64];
    let end = tokio::time::timeout(SOON, silent.read(&mut buffer))
        .await
        .expect("it is dropped");
    assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
    let drip = async {
        while dripping.write_all(b"P").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(SOON, drip)
        .await
        .expect("one byte now and then is not enough");
    served.end().await;
}

#[tokio::test]
async fn connections_are_counted() {
    let limits = Limits {
        connections: 2,
        ..short()
    };
    let served = serve_in(tempfile::tempdir().unwrap(), limits).await;
    let mut first = served.admin().await;
    let second = served.admin().await;
    first.get_server(pb::GetServerRequest {}).await.unwrap();
    let mut third = TcpStream::connect(served.address).await.unwrap();
    let mut buffer = [0; 8];
    let end = tokio::time::timeout(Duration::from_millis(200), third.read(&mut buffer)).await;
    assert!(matches!(end, Ok(Ok(0) | Err(_))), "closed at once: {end:?}");
    drop(second);
    let again = async {
        while served.endpoint().connect().await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(SOON, again)
        .await
        .expect("a place is free again");
    served.end().await;
}

#[tokio::test]
async fn calls_and_streams_are_counted() {
    let limits = Limits {
        calls: 0,
        ..short()
    };
    let served = serve_in(tempfile::tempdir().unwrap(), limits).await;
    let status = served
        .admin()
        .await
        .get_server(pb::GetServerRequest {})
        .await
        .unwrap_err();
    assert_eq!(
        (status.code(), reason(&status)),
        (Code::ResourceExhausted, Reason::Overloaded)
    );
    assert!(retry_delay_of(&status).is_some());
    let mut health = tonic_health::pb::health_client::HealthClient::new(served.channel().await);
    let check = tonic_health::pb::HealthCheckRequest::default();
    health
        .check(check)
        .await
        .expect("who watches gets an answer");
    served.end().await;

    let limits = Limits {
        streams: 0,
        blocking: 0,
        ..short()
    };
    let served = serve_in(tempfile::tempdir().unwrap(), limits).await;
    let none = tokio_stream::empty::<pb::AppendRequest>();
    let status = served.ingest().await.append_stream(none).await.unwrap_err();
    assert_eq!(reason(&status), Reason::Overloaded);
    let apply = crate::harness::apply(crate::harness::PLANT_FILE);
    let status = served.model().await.apply_plant(apply).await.unwrap_err();
    assert_eq!(reason(&status), Reason::Overloaded);
    served.end().await;
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_ended() {
    let limits = Limits {
        call: Duration::from_millis(100),
        ..short()
    };
    let served = serve_in(tempfile::tempdir().unwrap(), limits).await;
    // The request's head comes, its message never does.
    let mut client = tonic::client::Grpc::new(served.channel().await);
    client.ready().await.unwrap();
    let codec = ProstCodec::<pb::GetServerRequest, pb::Server>::default();
    let path = PathAndQuery::from_static("/werkbuch.v1.AdminService/GetServer");
    let never = Request::new(tokio_stream::pending());
    let call = client.client_streaming(never, path, codec);
    let status = tokio::time::timeout(SOON, call)
        .await
        .expect("it is ended")
        .unwrap_err();
    assert_eq!(reason(&status), Reason::CallTimeout);
    served.end().await;
}
