//! Valid inputs of each target, which the mutations begin with.

use crate::arbitrary::Dice;
use crate::bodies::{book, snapshot};
use std::path::Path;
use werkbuch_engine::{Apply, Batch, Engine, OpenSource, Options};
use werkbuch_model::event::{Body, Kind, SourceKind};
use werkbuch_model::id::{MachineNumber, PlantId, Sequence, SourceName};
use werkbuch_record::{encode_recorded, encode_reported};

/// The examples of a target.
pub(crate) fn of(target: &str) -> Vec<Vec<u8>> {
    match target {
        "block" => blocks(),
        "event" => events(),
        "filter" => FILTERS.map(|text| text.as_bytes().to_vec()).to_vec(),
        "plant_file" => files("examples/plants", "toml")
            .into_iter()
            .chain([PLANT_FILE.as_bytes().to_vec()])
            .filter(|text| !String::from_utf8_lossy(text).contains("[tables]"))
            .collect(),
        "recovery" => recovery(),
        "shdr" => files("crates/gateway/tests/fixtures", "shdr")
            .into_iter()
            .chain([RECORDING.as_bytes().to_vec()])
            .collect(),
        "snapshot" => with_mode(&[snapshot_file()]),
        _ => Vec::new(),
    }
}

/// The blocks of the book's files, hot and dense.
fn blocks() -> Vec<Vec<u8>> {
    let disk = book::disk();
    let mut found = Vec::new();
    for path in book::files(&disk) {
        let bytes = disk.bytes(&path).unwrap();
        let starts = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(b"WBLK"));
        found.extend(starts.map(|at| {
            let length = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
            bytes[at..at + (length(at + 8) + length(at + 12)) as usize].to_vec()
        }));
    }
    with_mode(&found)
}

/// Each as it is, and once more with its checksums mended after it was changed.
fn with_mode(all: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let modes = [0, 1].into_iter();
    modes
        .flat_map(|mode| {
            all.iter()
                .map(move |bytes| [&[mode], bytes.as_slice()].concat())
        })
        .collect()
}

/// Events of every kind, as reported and as recorded.
fn events() -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for seed in 0..4 {
        let mut dice = Dice::new(seed);
        for kind in Kind::ALL.iter().filter(|kind| **kind != Kind::Unspecified) {
            let reported = dice.reported(*kind);
            found.push([&[0], encode_reported(&reported).as_slice()].concat());
            found.push([&[1], encode_recorded(&dice.recorded(reported)).as_slice()].concat());
        }
    }
    found
}

/// Every file of the book, in its place.
fn recovery() -> Vec<Vec<u8>> {
    let disk = book::disk();
    let files = book::files(&disk);
    let mut found = Vec::new();
    for (which, path) in files.iter().enumerate() {
        for mode in [0, 1] {
            let bytes = disk.bytes(path).unwrap();
            found.push([&[which as u8, mode], bytes.as_slice()].concat());
        }
    }
    found
}

/// The snapshot of a plant that has heard events of every kind that a source can report.
fn snapshot_file() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let engine = Engine::open(Options::new(folder.path())).await.unwrap();
        let file = werkbuch_model::plant::parse(PLANT_FILE, "plant.toml").unwrap();
        let apply = Apply {
            file,
            file_name: "plant.toml".into(),
            file_hash: [7; 32],
            dry_run: false,
            who: "anna".into(),
            why: "first".into(),
        };
        engine.apply(apply).await.unwrap();
        let plant = PlantId::new(snapshot::PLANT).unwrap();
        let open = OpenSource {
            source: SourceName::new("s").unwrap(),
            kind: SourceKind::Live,
            epoch: None,
            tolerance_ns: None,
            machines: Vec::new(),
        };
        let session = engine.open_source(&plant, open).await.unwrap().session;
        let mut dice = Dice::new(7);
        let mut events = Vec::new();
        for (at, kind) in Kind::ALL.iter().enumerate() {
            if *kind != Kind::Unspecified {
                let mut event = dice.reported(*kind);
                event.sequence = Sequence(at as u64 * 2 + 1);
                event.machine = MachineNumber(if matches!(event.body, Body::GapDetected(_)) {
                    0
                } else {
                    1
                });
                events.push(bytes::Bytes::from(encode_reported(&event)));
            }
        }
        let batch = Batch {
            events,
            bodies: Vec::new(),
        };
        engine.append(session, batch).await.unwrap();
        engine.close().await.unwrap();
    });
    let found = files_in(&folder.path().join("snapshots/P"), "snapshot");
    found.into_iter().next().expect("closing writes a snapshot")
}

fn files(folder: &str, extension: &str) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    files_in(&root.join(folder), extension)
}

fn files_in(folder: &Path, extension: &str) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|found| found == extension));
    paths.sort();
    paths
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

const FILTERS: [&str; 14] = [
    "name LIKE 'press-%' AND state IN ('held', 'idle')",
    "number BETWEEN 1 AND 17 OR position >= 2.5",
    "NOT (stale) AND since > '2026-11-22T06:00:00Z'",
    "name ILIKE '_ress!_3' ESCAPE '!'",
    "state IS NOT NULL AND stale = TRUE",
    "\"position\" < -1e3 AND name <> 'it''s'",
    "((number = 17) AND ((name = 'x'))) -- a remark",
    "number NOT IN (1, 2, 3) OR name NOT LIKE '%'",
    "17 < number",
    "number > position",
    "since BETWEEN '2026-01-01T00:00:00Z' AND '2027-01-01T00:00:00Z'",
    "",
    "state, since desc",
    "name asc, number DESC, stale",
];

const PLANT_FILE: &str = r#"
[plant]
id = "P"
name = "Test plant"
time_zone = "Europe/Berlin"

[[unit]]
id = "body"
level = "area"

[[machine]]
id = "m1"
number = 1
in = "body"
type = "mill"
formerly = ["m0"]

[[machine]]
id = "m2"
in = "body"

[[buffer]]
id = "b"
capacity = 4

[[flow]]
from = "m1"
to = "b"

[[flow]]
from = "b"
to = "m2"
"#;

const RECORDING: &str = "2017-06-07T08:00:00Z|execution|ACTIVE|Fovr|90\n\
    2017-06-07T08:00:09.5Z|Fovr|90|mode|AUTOMATIC\n\
    2017-06-07T08:00:10Z@1.5|dev:Xact|1.25|part_count|7\n\
    2017-06-07T08:00:11Z|system|FAULT|E7|900|HIGH|too hot\n\
    2017-06-07T08:00:12Z|@ASSET@|t1|CuttingTool|--multiline--AB\n<Tool/>\n--multiline--AB\n\
    * PONG 10000\n\
    2017-06-07T08:00:13Z|Xload|UNAVAILABLE|program|\n";
