//! Fields about people are stored encrypted and shown only after the reading is noted.

use super::*;
use werkbuch_model::event::{AlarmAcknowledged, Protected};

fn acknowledgement(who: &'static str, comment: &'static str) -> Body<'static> {
    let plain = |text: &'static str| Protected {
        plain: text.into(),
        ..Protected::default()
    };
    Body::AlarmAcknowledged(AlarmAcknowledged {
        key: "door".into(),
        who: plain(who),
        comment: plain(comment),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn names_never_reach_the_log() {
    let bench = Bench::new().await;
    let session = bench.open("s", None).await.session;
    let events = [event(
        1,
        0,
        acknowledgement("Rosalinde", "Quittung um sechs"),
    )];
    assert_eq!(
        bench.report(session, &events).await,
        ["1 from 1 recorded at 5"]
    );
    assert_eq!(
        bench.report(session, &events).await,
        ["1 from 1 repeated at 5"]
    );
    let changed = [event(1, 0, acknowledgement("Rosalinde", "etwas anderes"))];
    assert_eq!(
        bench.report(session, &changed).await,
        [reason(RefusalReason::ContentChanged, 1)]
    );
    let other = [event(1, 0, acknowledgement("Waldemar", ""))];
    assert_eq!(
        bench.report(session, &other).await,
        [reason(RefusalReason::ContentChanged, 1)]
    );
    let ring = std::fs::read_to_string(bench.folder.path().join("keys/ring.json")).unwrap();
    assert!(
        !ring.contains("Waldemar"),
        "nobody gets a key for what is not recorded"
    );
    let bench = bench.reopen().await;
    for (path, bytes) in files(bench.folder.path()) {
        if path.starts_with(bench.folder.path().join("keys")) {
            continue;
        }
        for word in ["Rosalinde", "Quittung", "anna"] {
            let found = bytes
                .windows(word.len())
                .any(|window| window == word.as_bytes());
            assert!(!found, "{word} stands in {}", path.display());
        }
    }
    let stored = bench.plant().event(Position(5)).unwrap().unwrap();
    let shown = bench
        .plant()
        .reveal(&stored.bytes, "meister", "audit 7")
        .unwrap();
    let event = decode_recorded(&shown).unwrap();
    let Body::AlarmAcknowledged(body) = &event.reported.body else {
        panic!("another kind")
    };
    assert_eq!(
        (body.who.plain.as_ref(), body.comment.plain.as_ref()),
        ("Rosalinde", "Quittung um sechs")
    );
    let log = std::fs::read_to_string(bench.folder.path().join("access.jsonl")).unwrap();
    assert!(
        log.contains("meister") && log.contains("audit 7") && log.contains("\"position\":5"),
        "{log}"
    );
    let description = bench.plant().event(Position(3)).unwrap().unwrap();
    let shown = bench
        .plant()
        .reveal(&description.bytes, "meister", "audit 7")
        .unwrap();
    let event = decode_recorded(&shown).unwrap();
    let Body::DescriptionChanged(body) = &event.reported.body else {
        panic!("another kind")
    };
    assert_eq!(body.who.plain, "anna");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_protected_is_shown_when_the_reading_cannot_be_noted() {
    let bench = Bench::new().await;
    let session = bench.open("s", None).await.session;
    bench
        .report(session, &[event(1, 0, acknowledgement("Rosalinde", ""))])
        .await;
    std::fs::create_dir(bench.folder.path().join("access.jsonl")).unwrap();
    let stored = bench.plant().event(Position(5)).unwrap().unwrap();
    let error = bench
        .plant()
        .reveal(&stored.bytes, "meister", "audit")
        .unwrap_err();
    assert!(
        matches!(error, crate::EngineError::AccessLog { .. }),
        "{error}"
    );
    // What holds nothing protected needs no note.
    let opened = bench.plant().event(Position(2)).unwrap().unwrap();
    assert_eq!(
        bench
            .plant()
            .reveal(&opened.bytes, "meister", "audit")
            .unwrap(),
        opened.bytes
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_comes_encrypted_is_refused() {
    let bench = Bench::new().await;
    let session = bench.open("s", None).await.session;
    let body = Body::AlarmAcknowledged(AlarmAcknowledged {
        key: "door".into(),
        who: Protected {
            key: 1,
            ciphertext: vec![1, 2].into(),
            ..Protected::default()
        },
        comment: Protected::default(),
    });
    assert_eq!(
        bench.report(session, &[event(1, 0, body)]).await,
        [reason(RefusalReason::ProtectedField, 1)]
    );
}

fn files(folder: &std::path::Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.clone(), std::fs::read(&path).unwrap()));
        }
    }
    found
}
