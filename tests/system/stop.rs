//! The server stops in good order when it is asked to, and at once when it is asked twice.

use crate::support::Server;
use std::io::Write;
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

fn terminate(server: &Server) {
    let sent = Command::new("kill")
        .args(["-TERM", &server.process().to_string()])
        .status();
    assert!(sent.unwrap().success());
}

#[test]
fn a_server_that_is_asked_to_stop_closes_its_log() {
    let mut server = Server::with_plant();
    let (data, before) = (server.data.clone(), server.json(&["twin", "get", "T1"]));
    let keep = server.keep();
    assert!(server.stop().success());
    // What it wrote is there, and the log says that it was closed in good order.
    let server = Server::on(&data, &[]);
    let opened = server.json(&["event", "ls", "--plant", "T1", "--kind", "WRITER_OPENED"]);
    let opened = opened["events"].as_array().unwrap();
    assert_eq!(opened.len(), 2, "{opened:#?}");
    assert_eq!(
        opened[1]["reported"]["after_clean_close"], true,
        "{opened:#?}"
    );
    let machines = server.json(&["machine", "ls", "--plant", "T1"]);
    assert_eq!(machines["total"], before["machines"]);
    drop(keep);
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut server = Server::start();
    // A client that says nothing more and never hangs up: the grace period is for such.
    let address = server.url.strip_prefix("http://").unwrap().to_owned();
    let mut silent = TcpStream::connect(address).unwrap();
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    silent
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        .unwrap();
    silent.write_all(&settings).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    terminate(&server);
    std::thread::sleep(Duration::from_millis(500));
    assert!(
        server.is_running(),
        "nothing held it up, so this test shows nothing"
    );
    let asked = Instant::now();
    terminate(&server);
    let status = server.wait();
    assert_eq!(status.code(), Some(1));
    assert!(
        asked.elapsed() < Duration::from_secs(5),
        "it took {:?}",
        asked.elapsed()
    );
}
