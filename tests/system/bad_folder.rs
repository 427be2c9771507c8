//! Data folders that somebody put together wrongly: each is told with the file, what is wrong and what to
//! do next, nothing in it is changed, and nothing that is not the book is served.

use crate::kill::{Acknowledged, SOURCES, check_events, report};
use crate::log::sealed_folder;
use crate::support::{PLANT, Ran, Server, run, werkbuch};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use werkbuch_journal::disk::RealDisk;
use werkbuch_journal::{Proposal, Segments, Store};
use werkbuch_model::id::{LogId, PlantId, Position, Sequence, SourceNumber, WriterEpoch};
use werkbuch_model::time::Timestamp;
use werkbuch_proof::{CompactRange, leaf_hash};
use werkbuch_record::block::BlockBuilder;

/// Copies a folder as an operator does.
fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-r").arg(from).arg(to).status();
    assert!(status.expect("cp is there").success());
}

/// What the files below a folder hold, but for the lock.
fn content(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(content(&path));
        } else if path.file_name().is_some_and(|name| name != "LOCK") {
            found.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    found
}

/// The files of a folder whose names end so, in order.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let all = content(folder).into_keys();
    all.filter(|path| path.to_string_lossy().ends_with(ending))
        .collect()
}

/// Starts a server on the folder. One that comes up is ended at once, so that a test that expects a
/// refusal fails instead of waiting; its code is then 0, and its first line is there.
fn start(data: &Path) -> Ran {
    let (data, listen) = (data.to_str().unwrap(), "127.0.0.1:0");
    let arguments = [
        "serve",
        "--data",
        data,
        "--listen",
        listen,
        "--log-level",
        "error",
    ];
    let mut child = werkbuch(&arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    let came_up = line.starts_with("werkbuch listening on ");
    if came_up {
        let _ = child.kill();
    }
    let output = child.wait_with_output().unwrap();
    Ran {
        code: if came_up {
            0
        } else {
            output.status.code().unwrap_or(-1)
        },
        stdout: line,
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn verify(data: &Path) -> Ran {
    run(&["log", "verify", "--data", data.to_str().unwrap()])
}

/// Puts the checksum of a header right, as whoever wrote the file would have.
fn with_checksum(mut bytes: Vec<u8>) -> Vec<u8> {
    let crc = crc32c::crc32c(&bytes[..60]);
    bytes[60..64].copy_from_slice(&crc.to_le_bytes());
    bytes
}

fn change(path: &Path, by: impl FnOnce(Vec<u8>) -> Vec<u8>) {
    std::fs::write(path, by(std::fs::read(path).unwrap())).unwrap();
}

/// The header says that another build wrote the file.
fn newer(path: &Path) {
    change(path, |mut bytes| {
        bytes[4] = 2;
        with_checksum(bytes)
    });
}

fn cut(path: &Path) {
    change(path, |bytes| bytes[..30].to_vec());
}

/// How a folder is spoilt, given its segments and its write-ahead files.
type Spoil = fn(&[PathBuf], &[PathBuf]);

/// What happens to the folder, how it is done, who tells it, and what is said.
type Case = (
    &'static str,
    Spoil,
    fn(&Path) -> Ran,
    &'static [&'static str],
);

const SPOILT: &[Case] = &[
    (
        "a segment of a newer version",
        |segments, _| newer(&segments[1]),
        verify,
        &["another version", "use the build that wrote it", ".seg"],
    ),
    (
        "a write-ahead file of a newer version",
        |_, logs| newer(logs.last().unwrap()),
        start,
        &["another version", "use the build that wrote it", "wal-"],
    ),
    (
        "a segment in the place of another",
        |segments, _| {
            let (one, two) = (&segments[0], &segments[1]);
            let mut bytes = std::fs::read(one).unwrap();
            bytes.resize(std::fs::read(two).unwrap().len(), 0);
            std::fs::write(two, bytes).unwrap();
        },
        verify,
        &[
            "another segment stands there: it begins at position 1, not",
            ".seg",
            "restore",
        ],
    ),
    (
        "a segment of another length",
        |segments, _| assert!(std::fs::copy(&segments[0], &segments[1]).is_ok()),
        start,
        &["the segment has", "bytes, not", ".seg", "restore"],
    ),
    (
        "a segment missing in the middle",
        |segments, _| std::fs::remove_file(&segments[1]).unwrap(),
        start,
        &["the segment is missing", ".seg", "restore"],
    ),
    (
        "a segment cut in its header",
        |segments, _| cut(&segments[1]),
        start,
        &["the segment has 30 bytes, not", ".seg", "restore"],
    ),
    (
        "a write-ahead file cut in its header",
        |_, logs| cut(logs.last().unwrap()),
        start,
        &["the file's header is damaged", "wal-", "restore"],
    ),
    (
        "no catalogue",
        |segments, _| {
            let log = segments[0].ancestors().nth(3).unwrap();
            std::fs::remove_file(log.join("catalogue")).unwrap();
        },
        start,
        &["no catalogue says that it was sealed", "wal-", "restore"],
    ),
    (
        "no write-ahead file",
        |_, logs| {
            logs.iter()
                .for_each(|log| std::fs::remove_file(log).unwrap())
        },
        start,
        &[
            "which follows what is sealed, is missing",
            "wal-",
            "restore",
        ],
    ),
    (
        "neither catalogue nor write-ahead files",
        |segments, logs| {
            let log = segments[0].ancestors().nth(3).unwrap();
            std::fs::remove_file(log.join("catalogue")).unwrap();
            logs.iter()
                .for_each(|log| std::fs::remove_file(log).unwrap());
        },
        start,
        &[
            "without the catalogue that names it",
            "the log ends at position 0",
            ".seg",
        ],
    ),
];

/// A log of one plant, without a snapshot that would vouch for it: four segments, and one write-ahead
/// file behind them.
fn many_segments(data: &Path) {
    let options = werkbuch_journal::Options {
        wal_bytes_max: 100,
        seal: false,
        ..Default::default()
    };
    let (store, _) = Segments::open(Arc::new(RealDisk), data, &options).unwrap();
    let mut tree = CompactRange::new();
    for round in 0..5 {
        // Of different lengths.
        let (first, root) = (tree.size() + 1, *tree.root().as_bytes());
        let (log_id, plant) = (LogId([1; 16]), PlantId::new("T1").unwrap());
        let mut block = BlockBuilder::new(log_id, plant, WriterEpoch(1), Position(first), root);
        for position in first..first + 20 + round * 3 {
            let (event, at) = (position.to_be_bytes(), Timestamp(position as i64));
            let source = SourceNumber(1);
            block
                .push(&event, at, at, source, Sequence(position))
                .unwrap();
            tree.append(leaf_hash(&event));
        }
        store
            .commit(vec![Proposal::new(block.finish(), tree.clone())])
            .unwrap();
        store.seal().unwrap();
    }
}

#[test]
fn a_folder_that_is_not_whole_is_refused_and_left_as_it_is() {
    let place = tempfile::tempdir().unwrap();
    let whole = place.path().join("whole");
    many_segments(&whole);
    assert_eq!(files(&whole, ".seg").len(), 4);
    assert_eq!(verify(&whole).code, 0);
    for (at, (name, spoil, tell, says)) in SPOILT.iter().enumerate() {
        let data = place.path().join(format!("case-{at}"));
        copy(&whole, &data);
        spoil(&files(&data, ".seg"), &files(&data, ".log"));
        let before = content(&data);
        let ran = tell(&data);
        assert_eq!(ran.code, 5, "{name}: {ran:#?}");
        assert!(
            ran.stderr.contains("reason: LOG_DAMAGED"),
            "{name}: {ran:#?}"
        );
        for text in *says {
            assert!(
                ran.stderr.contains(text),
                "{name} does not say {text}: {ran:#?}"
            );
        }
        assert!(
            content(&data) == before,
            "{name}: the folder is not as it was"
        );
    }
}

#[test]
fn a_copy_of_a_segment_under_another_name_is_no_part_of_the_log() {
    let place = tempfile::tempdir().unwrap();
    let data = sealed_folder(place.path());
    let segments = files(&data, ".seg");
    let beside = segments[0].with_file_name("copy of a segment.seg");
    std::fs::copy(&segments[0], &beside).unwrap();
    // One whose name overlaps what the log holds, as a seal that was interrupted leaves it.
    let overlapping = segments[0].with_file_name(format!("{:020}-{:020}.seg", 7, 900));
    std::fs::copy(&segments[0], &overlapping).unwrap();
    let before = run(&[
        "log",
        "stat",
        "--data",
        data.to_str().unwrap(),
        "-o",
        "json",
    ])
    .json();
    let log = std::fs::File::create(place.path().join("said")).unwrap();
    let server = Server::logging(&data, &["--log-level", "info"], log.into());
    let twin = server.json(&["twin", "get", "T1"]);
    assert!(server.stop().success());
    let said = std::fs::read_to_string(place.path().join("said")).unwrap();
    for (what, name) in [
        (
            "a file that is no part of the log lies there",
            "copy of a segment.seg",
        ),
        (
            "what an interrupted seal left is removed",
            "00000000000000000900.seg",
        ),
    ] {
        let line = said.lines().find(|line| line.contains(what));
        assert!(
            line.is_some_and(|line| line.contains(name)),
            "{what}: {said}"
        );
    }
    assert!(beside.exists() && !overlapping.exists());
    let events = before["plants"][0]["events"].as_u64().unwrap();
    assert!(
        twin["position"].as_u64().unwrap() >= events,
        "{twin} {before}"
    );
    let verified = verify(&data);
    assert_eq!(verified.code, 0, "{verified:#?}");
}

#[test]
fn a_folder_that_is_copied_while_the_server_runs_is_whole_or_refused() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    let options = ["--snapshot-every", "400", "--write-ahead-mib", "1"];
    let server = Server::on(&data, &options);
    server.apply(PLANT);
    let told: Vec<Acknowledged> = (0..SOURCES).map(|_| Acknowledged::default()).collect();
    let stop = Arc::new(AtomicBool::new(false));
    let reporters: Vec<_> = (0..SOURCES)
        .map(|source| {
            let (url, told, stop) = (server.url.clone(), told[source].clone(), stop.clone());
            std::thread::spawn(move || report(&url, source, &told, &stop))
        })
        .collect();
    let mut copies = Vec::new();
    for number in 0..12 {
        std::thread::sleep(Duration::from_millis(60));
        // What was acknowledged before the copying began.
        let before: Vec<Acknowledged> = told
            .iter()
            .map(|told| Acknowledged::new(told.lock().unwrap().clone().into()))
            .collect();
        let copied = place.path().join(format!("copy-{number}"));
        // A file may be sealed and gone between its listing and its copying; cp then says so.
        let _ = Command::new("cp")
            .arg("-r")
            .arg(&data)
            .arg(&copied)
            .output();
        copies.push((copied, before));
    }
    stop.store(true, Ordering::SeqCst);
    reporters
        .into_iter()
        .for_each(|reporter| reporter.join().unwrap());
    assert!(server.stop().success());
    let (mut whole, mut refused) = (0, 0);
    for (copied, before) in copies {
        let held = before
            .iter()
            .map(|told| told.lock().unwrap().len())
            .sum::<usize>();
        // A server that comes up answers with all of it; one that does not says why.
        let looked = verify(&copied);
        let started = start(&copied);
        if started.code == 0 {
            check_events(&Server::on(&copied, &[]), &before);
            whole += 1;
        } else {
            assert!(started.stderr.contains("restore"), "{started:#?}");
            assert!(started.stderr.contains("copy-"), "no place: {started:#?}");
            eprintln!(
                "refused: {}",
                started.stderr.lines().next().unwrap_or_default()
            );
            refused += 1;
        }
        assert!(looked.code == 0 || looked.code == 5, "{held}: {looked:#?}");
    }
    eprintln!("of 12 copies of a running folder {whole} were whole, {refused} were refused");
}

#[cfg(unix)]
#[test]
fn symbolic_links_lead_to_the_same_folder_or_are_told() {
    use std::os::unix::fs::symlink;
    let place = tempfile::tempdir().unwrap();
    let (data, link) = (place.path().join("data"), place.path().join("link"));
    let server = Server::on(&data, &[]);
    server.apply(PLANT);
    symlink(&data, &link).unwrap();
    // One folder, whichever way one comes to it.
    let second = start(&link);
    assert_eq!(second.code, 4, "{second:#?}");
    assert!(second.stderr.contains("reason: FOLDER_HELD"), "{second:#?}");
    assert!(server.stop().success());
    // The log lies on another disk, as operators like it.
    let elsewhere = place.path().join("elsewhere");
    std::fs::rename(data.join("log"), &elsewhere).unwrap();
    symlink(&elsewhere, data.join("log")).unwrap();
    let server = Server::on(&link, &[]);
    server.apply(&PLANT.replace("mill", "lathe"));
    let twin = server.json(&["twin", "get", "T1"]);
    assert!(server.stop().success());
    let verified = verify(&data);
    assert_eq!(verified.code, 0, "{verified:#?}");
    let again = Server::on(&data, &[]);
    assert_eq!(again.json(&["twin", "get", "T1"])["digest"], twin["digest"]);
    assert!(again.stop().success());
    // The other disk is not mounted, or the folder itself is gone: no new log is begun in its place.
    std::fs::rename(&elsewhere, place.path().join("away")).unwrap();
    let ran = start(&data);
    assert_eq!(ran.code, 1, "{ran:#?}");
    let says = format!(
        "\"{}\" is a symbolic link to a place",
        data.join("log").display()
    );
    assert!(ran.stderr.contains(&says), "{ran:#?}");
    assert!(
        ran.stderr.contains("mount or restore that place"),
        "{ran:#?}"
    );
    std::fs::rename(&data, place.path().join("gone")).unwrap();
    let ran = start(&link);
    assert_eq!(ran.code, 1, "{ran:#?}");
    let says = format!("\"{}\" is a symbolic link to a place", link.display());
    assert!(ran.stderr.contains(&says), "{ran:#?}");
    assert!(!elsewhere.exists() && !data.exists());
}

/// Files without rights, asked for by a user who has none; whoever may read everywhere asks as such a
/// user.
#[cfg(unix)]
#[test]
fn files_without_rights_are_told_and_left() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    const NOBODY: u32 = 65_534;
    let rights = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let place = tempfile::tempdir().unwrap();
    rights(place.path(), 0o755);
    let data = place.path().join("data");
    let server = Server::on(&data, &[]);
    server.apply(PLANT);
    assert!(server.stop().success());
    let probe = place.path().join("probe");
    std::fs::write(&probe, "").unwrap();
    rights(&probe, 0o400);
    let mut other = werkbuch(&["--version"]);
    let other = other.uid(NOBODY).gid(NOBODY).current_dir("/").output();
    if other.is_err() {
        eprintln!("SKIPPED: the binary cannot be run as \"nobody\", so rights cannot be tried");
        return;
    }
    let as_nobody = |arguments: &[&str]| {
        let mut command = werkbuch(arguments);
        command.uid(NOBODY).gid(NOBODY).current_dir("/");
        crate::support::finish(command)
    };
    let before = content(&data);
    let folder = data.to_str().unwrap();
    let serve = ["serve", "--data", folder, "--listen", "127.0.0.1:0"];
    // Whoever may only read may look, and may not serve.
    let ran = as_nobody(&serve);
    assert_eq!(ran.code, 7, "{ran:#?}");
    assert!(
        ran.stderr.contains("reason: FOLDER_NOT_ALLOWED"),
        "{ran:#?}"
    );
    assert!(
        ran.stderr
            .contains("give the user of this program that right"),
        "{ran:#?}"
    );
    assert!(ran.stderr.contains(folder), "no place: {ran:#?}");
    let ran = as_nobody(&["log", "verify", "--data", folder]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    // One file that nobody may read.
    let wal = files(&data, ".log").remove(0);
    rights(&wal, 0o600);
    let ran = as_nobody(&["log", "verify", "--data", folder]);
    assert_ne!(ran.code, 0, "{ran:#?}");
    assert!(ran.stderr.contains("no right to open"), "{ran:#?}");
    assert!(
        ran.stderr.contains("wal-0000000001.log"),
        "no place: {ran:#?}"
    );
    assert!(content(&data) == before);
}
