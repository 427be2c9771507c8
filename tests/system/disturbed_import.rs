//! An import of a real recording, killed again and again, ends as an undisturbed one.

use crate::recordings::recording;
use crate::support::{PLANT, Server, werkbuch};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use werkbuch_model::event::Body;
use werkbuch_record::decode_recorded;
use werkbuch_wire::{name, pb};

const FILE: &str = "nist-sms-state/GFAgie01.shdr.gz";

#[test]
fn a_killed_import_ends_as_an_undisturbed_one() {
    let Some(file) = recording(FILE) else { return };
    let undisturbed = Server::with_plant();
    let report = import(&undisturbed, &file);
    let expected = reported(&undisturbed);
    assert_eq!(report["recorded"], expected.len());

    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut server = Server::on(&data, &[]);
    server.apply(PLANT);
    for milliseconds in [40, 90, 150, 220, 300, 400] {
        let mut importer = werkbuch(&arguments(&file))
            .env("WERKBUCH_SERVER", &server.url)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(milliseconds));
        // Now the importer dies first, now the server.
        if milliseconds % 20 == 0 {
            importer.kill().unwrap();
            let _ = server.kill();
        } else {
            let _ = server.kill();
            importer.kill().unwrap();
        }
        importer.wait().unwrap();
        server = Server::on(&data, &[]);
    }
    let report = import(&server, &file);
    let total = report["recorded"].as_u64().unwrap() + report["repeats"].as_u64().unwrap();
    assert_eq!(total, expected.len() as u64);
    assert_ne!(report["repeats"], 0, "something had been recorded before");
    assert_eq!(
        reported(&server),
        expected,
        "the same events, once each, in the same order"
    );
    let digest = |server: &Server| server.json(&["twin", "get", "T1"])["digest"].clone();
    assert_eq!(digest(&server), digest(&undisturbed));
    let again = import(&server, &file);
    assert_eq!(
        (&again["recorded"], &again["repeats"]),
        (&0.into(), &expected.len().into())
    );
}

fn arguments(file: &Path) -> Vec<&str> {
    let file = file.to_str().unwrap();
    vec![
        "import",
        "shdr",
        "--plant",
        "T1",
        "--machine",
        "m1",
        file,
        "-o",
        "json",
        "-q",
    ]
}

fn import(server: &Server, file: &Path) -> serde_json::Value {
    server.run(&arguments(file)).json()
}

/// The reported events in the order of the log, each as its bytes, without its position.
fn reported(server: &Server) -> Vec<Vec<u8>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let connect = pb::history_service_client::HistoryServiceClient::connect(server.url.clone());
        let mut client = connect.await.unwrap().max_decoding_message_size(16 << 20);
        let parent = name::of_plant("T1");
        let mut request = pb::ListEventsRequest {
            parent,
            page_size: 10_000,
            ..Default::default()
        };
        let mut found = Vec::new();
        loop {
            let page = client
                .list_events(request.clone())
                .await
                .unwrap()
                .into_inner();
            for bytes in &page.events {
                let event = decode_recorded(bytes).unwrap();
                if event.is_reported() {
                    assert!(!matches!(event.reported.body, Body::GapDetected(_)));
                    found.push(werkbuch_record::reported_part(bytes).unwrap().to_vec());
                }
            }
            if page.next_page_token.is_empty() {
                return found;
            }
            request.page_token = page.next_page_token;
        }
    })
}
