//! Speaks gRPC-Web over HTTP/1.1, by hand.

use crate::harness::{Served, serve};
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use werkbuch_wire::pb;

async fn post(served: &Served, path: &str, content_type: &str, body: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: werkbuch\r\nContent-Type: {content_type}\r\nX-Grpc-Web: 1\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    answer
}

fn contains(answer: &[u8], part: &[u8]) -> bool {
    answer.windows(part.len()).any(|window| window == part)
}

#[tokio::test]
async fn a_browser_can_ask() {
    let served = serve().await;
    let path = "/werkbuch.v1.AdminService/GetServer";
    let answer = post(&served, path, "application/grpc-web+proto", &[0; 5]).await;
    assert!(
        answer.starts_with(b"HTTP/1.1 200"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    assert!(contains(&answer, b"application/grpc-web+proto"));
    let server = pb::Server {
        version: env!("CARGO_PKG_VERSION").into(),
        ..Default::default()
    };
    assert!(
        contains(&answer, &server.encode_to_vec()),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    assert!(
        contains(&answer, b"grpc-status:0"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    served.end().await;
}

#[tokio::test]
async fn a_browser_hears_reasons_too() {
    let served = serve().await;
    // Field 1 as a number where a text belongs.
    let body = [0, 0, 0, 0, 2, 0x08, 0x05];
    let path = "/werkbuch.v1.ModelService/ListPlants";
    let answer = post(&served, path, "application/grpc-web+proto", &body).await;
    let shown = String::from_utf8_lossy(&answer);
    assert!(
        contains(&answer, b"grpc-status: 3") || contains(&answer, b"grpc-status:3"),
        "{shown}"
    );
    let plain = post(&served, path, "text/plain", b"hello").await;
    assert!(
        plain.starts_with(b"HTTP/1.1 400"),
        "{}",
        String::from_utf8_lossy(&plain)
    );
    served.end().await;
}
