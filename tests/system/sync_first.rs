//! At the level of system calls: between the write of an event and its acknowledgement on the socket a
//! sync of the file it was written to has begun and returned.

use crate::support::{PLANT, Server};
use crate::system_calls::{Call, messages, read};
use prost::Message;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use werkbuch_model::event::{Body, ItemChanged, Reported, SourceKind};
use werkbuch_model::id::{MachineNumber, Sequence};
use werkbuch_model::time::{SECOND_NS, Timestamp};
use werkbuch_record::encode_reported;
use werkbuch_wire::{name, pb};

const CLIENTS: u64 = 3;
const BATCHES: u64 = 25;
const BATCH: u64 = 2;

/// The marks in the events, by position.
type Marks = BTreeMap<u64, String>;

#[test]
fn a_sync_stands_between_each_write_and_its_acknowledgement() {
    for store in ["segments", "sled"] {
        let Some((calls, told)) = trace(store) else {
            return;
        };
        let acknowledged = acknowledgements(&calls);
        let positions: BTreeSet<u64> = acknowledged.keys().copied().collect();
        let expected: BTreeSet<u64> = told.keys().copied().collect();
        assert_eq!(
            positions, expected,
            "{store}: the trace and the clients tell different tales"
        );
        let faults = unsynced(&calls, &acknowledged, &told);
        assert!(faults.is_empty(), "{store}: {faults:#?}");
        eprintln!(
            "{store}: {} acknowledgements, each after its sync",
            told.len()
        );
    }
}

/// Runs a server under strace while clients report. Answers its calls, and which event each client was
/// told to stand where. Nothing, said loudly, where nothing can be traced.
fn trace(store: &str) -> Option<(Vec<Call>, Marks)> {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("trace"));
    if let Err(why) = may_trace(&folder.path().join("probe")) {
        let required = std::env::var("WERKBUCH_REQUIRE_STRACE").is_ok_and(|value| value == "1");
        assert!(!required, "WERKBUCH_REQUIRE_STRACE=1, but {why}");
        eprintln!("SKIPPED: system calls cannot be traced here, because {why}");
        return None;
    }
    // Described beforehand, so that nobody but the clients speaks to the server that is watched.
    let server = Server::on(&data, &["--store", store]);
    server.apply(PLANT);
    assert!(server.stop().success());
    let calls =
        "trace=write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,sendmmsg,fsync,fdatasync";
    let tracer = [
        "strace",
        "-D",
        "-f",
        "-y",
        "-xx",
        "-s",
        "4194304",
        "-e",
        calls,
        "-o",
        file.to_str().unwrap(),
        "--",
    ];
    // Small files, so that acknowledgements also meet the beginning of a new one.
    let server = Server::traced(&data, &["--write-ahead-mib", "1"], &tracer);
    let process = server.process();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let url = server.url.clone();
            std::thread::spawn(move || report(&url, client))
        })
        .collect();
    let told: Marks = clients
        .into_iter()
        .flat_map(|client| client.join().unwrap())
        .collect();
    assert_eq!(told.len() as u64, CLIENTS * BATCHES * BATCH);
    assert!(server.stop().success());
    Some((read(&whole(&file, process)), told))
}

/// Errors: why no program can be traced.
fn may_trace(probe: &Path) -> Result<(), String> {
    let output = Command::new("strace")
        .args(["-f", "-e", "trace=write", "-o"])
        .arg(probe)
        .args(["--", "true"])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("there is no strace ({error})"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    output
        .status
        .success()
        .then_some(())
        .ok_or_else(|| format!("strace says {}", said.trim()))
}

/// The trace, once the tracer has written the end of the process.
fn whole(file: &Path, process: u32) -> String {
    let (begin, end) = (Instant::now(), format!("{process} +++ exited"));
    loop {
        let text = std::fs::read_to_string(file).unwrap();
        if text.lines().any(|line| {
            line.split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
                .starts_with(&end)
        }) {
            return text;
        }
        assert!(
            begin.elapsed() < Duration::from_secs(30),
            "the trace does not end"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Reports batch after batch on a connection of its own, and answers where the events stand.
fn report(url: &str, client: u64) -> Marks {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let connected = pb::ingest_service_client::IngestServiceClient::connect(url.to_owned());
        let mut server = connected.await.unwrap();
        let request = pb::OpenSourceRequest {
            parent: name::of_plant("T1"),
            source: format!("client-{client}"),
            source_kind: SourceKind::Live.code() as i32,
            epoch: Some(1),
            ..Default::default()
        };
        let session = server
            .open_source(request)
            .await
            .unwrap()
            .into_inner()
            .session;
        let mut told = Marks::new();
        for batch in 0..BATCHES {
            let first = batch * BATCH + 1;
            let marks: Vec<_> = (first..first + BATCH).map(|n| mark(client, n)).collect();
            let events = marks
                .iter()
                .zip(first..)
                .map(|(mark, n)| event(mark, n).into());
            let request = pb::AppendRequest {
                session,
                events: events.collect(),
                ..Default::default()
            };
            let answer = server.append(request).await.unwrap().into_inner();
            told.extend(positions(&answer).into_iter().zip(marks));
        }
        told
    })
}

fn event(mark: &str, sequence: u64) -> Vec<u8> {
    encode_reported(&Reported {
        sequence: Sequence(sequence),
        machine: MachineNumber(1),
        occurred_at: Timestamp(1_790_000_000 * SECOND_NS),
        observed_at: None,
        historical: false,
        body: Body::ItemChanged(ItemChanged {
            item: "mark".into(),
            text: Some(mark.into()),
        }),
    })
}

/// How many letters at each end of a mark may be packed away.
const ENDS: usize = 3;

/// Letters that stand nowhere else, so that no compression shortens them, but for the ends.
fn mark(client: u64, sequence: u64) -> String {
    let mut z = (client << 32 | sequence).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let letters = (0..16).map(|_| {
        z = (z ^ (z >> 29))
            .wrapping_mul(0xbf58_476d_1ce4_e5b9)
            .wrapping_add(1);
        char::from(b'!' + (z >> 40) as u8 % 90)
    });
    letters.collect()
}

/// The positions that an answer acknowledges as recorded now, in order.
fn positions(answer: &pb::AppendResponse) -> Vec<u64> {
    let runs = answer
        .outcomes
        .iter()
        .flat_map(|outcome| match outcome.result {
            Some(pb::outcome::Result::Recorded(first)) => first..first + u64::from(outcome.count),
            _ => 0..0,
        });
    runs.collect()
}

/// In which line of the trace the call began that acknowledged each position.
fn acknowledgements(calls: &[Call]) -> BTreeMap<u64, usize> {
    let sockets: BTreeSet<&str> = calls
        .iter()
        .map(|call| call.on.as_str())
        .filter(|on| on.starts_with("socket:") || on.starts_with("TCP:"))
        .collect();
    let mut found = BTreeMap::new();
    for socket in sockets {
        // The first answer is to the opening of the source.
        for (_, began, message) in messages(calls, socket)
            .into_iter()
            .filter(|(stream, ..)| *stream > 1)
        {
            let answer = pb::AppendResponse::decode(message.as_slice()).unwrap();
            found.extend(
                positions(&answer)
                    .into_iter()
                    .map(|position| (position, began)),
            );
        }
    }
    found
}

/// The acknowledged events of which no sync is known to have covered their write.
fn unsynced(calls: &[Call], acknowledged: &BTreeMap<u64, usize>, marks: &Marks) -> Vec<String> {
    let mut faults = Vec::new();
    for (position, told) in acknowledged {
        let mark = marks[position].as_bytes();
        let writes: Vec<&Call> = calls
            .iter()
            .filter(|call| call.on.starts_with('/') && holds(&call.bytes, mark))
            .collect();
        if writes.is_empty() {
            faults.push(format!(
                "position {position}: was acknowledged, and never written"
            ));
        }
        let synced = writes.iter().any(|write| {
            let syncs = calls.iter().filter(|call| {
                matches!(call.name.as_str(), "fsync" | "fdatasync") && call.on == write.on
            });
            let mut good = syncs.filter(|sync| sync.result == 0);
            good.any(|sync| sync.began > write.returned && sync.returned < *told)
        });
        if !writes.is_empty() && !synced {
            let places: Vec<_> = writes.iter().map(|w| (&w.on, w.returned)).collect();
            faults.push(format!(
                "position {position}: written at {places:?}, acknowledged at line {told}, and no sync between"
            ));
        }
    }
    faults
}

/// Whether a mark stands there. Its ends are left out: where what stands before them and a letter or two
/// of theirs have stood together before, they are packed away.
fn holds(bytes: &[u8], mark: &[u8]) -> bool {
    let mark = &mark[ENDS..mark.len() - ENDS];
    bytes.windows(mark.len()).any(|window| window == mark)
}

/// The judge of a trace sees each way to acknowledge too early.
#[test]
fn a_sync_that_is_missing_too_early_too_late_elsewhere_or_failed_is_seen() {
    let call = |name: &str, on: &str, bytes: &[u8], began, returned, result| Call {
        name: name.into(),
        on: on.into(),
        bytes: bytes.to_vec(),
        began,
        returned,
        result,
    };
    let write = call("pwrite64", "/wal", b"..mark-of-seven..", 2, 4, 8);
    let marks = Marks::from([(7, "mark-of-seven".to_owned())]);
    let told = BTreeMap::from([(7, 9)]);
    let faults = |calls: &[Call]| unsynced(calls, &told, &marks).len();
    let good = call("fdatasync", "/wal", b"", 5, 8, 0);
    assert_eq!(faults(&[write.clone(), good.clone()]), 0);
    for bad in [
        call("fdatasync", "/wal", b"", 1, 3, 0),
        call("fdatasync", "/wal", b"", 3, 8, 0),
        call("fdatasync", "/wal", b"", 5, 10, 0),
        call("fdatasync", "/other", b"", 5, 8, 0),
        call("fdatasync", "/wal", b"", 5, 8, -1),
        call("pwrite64", "/wal", b"", 5, 8, 0),
    ] {
        assert_eq!(faults(&[write.clone(), bad.clone()]), 1, "{bad:?}");
    }
    assert_eq!(faults(&[good]), 1, "what was never written is not synced");
}
