//! What the reader makes of fixtures, of damaged files and of arbitrary bytes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use werkbuch_gateway::source::mapping::Mapping;
use werkbuch_gateway::source::shdr::{
    Counts, Emit, LINE_BYTES_MAX, ReadError, ShdrReader, What, decode_body, open,
};
use werkbuch_model::event::{Body, Connection, GapCause, GapDetected, State};
use werkbuch_model::id::MachineNumber;
use werkbuch_model::time::Timestamp;

const MACHINE: MachineNumber = MachineNumber(7);

fn read(input: impl BufRead) -> (Vec<Emit>, Counts) {
    let mapping = Arc::new(Mapping::builtin());
    let mut reader = ShdrReader::new(input, "a.shdr", mapping, MACHINE);
    let emits = reader.by_ref().collect::<Result<Vec<_>, _>>().unwrap();
    assert!(reader.counts().reconcile(), "{:?}", reader.counts());
    assert_eq!(reader.counts().emitted(), emits.len() as u64);
    for (at, emit) in emits.iter().enumerate() {
        assert_eq!(emit.event.sequence.get(), at as u64 + 1);
        assert_eq!(emit.event.machine, MACHINE);
        emit.event.validate().unwrap();
    }
    (emits, reader.counts().clone())
}

fn read_file(path: &Path) -> (Vec<Emit>, Counts) {
    read(open(path).unwrap().0)
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn gaps(emits: &[Emit]) -> Vec<&GapDetected<'static>> {
    emits
        .iter()
        .filter_map(|emit| match &emit.event.body {
            Body::GapDetected(gap) => Some(gap),
            _ => None,
        })
        .collect()
}

/// The lines of a text, from 1, both ends included.
fn lines(text: &[u8], first: u64, last: u64) -> Vec<u8> {
    let all = text.split_inclusive(|byte| *byte == b'\n');
    let wanted = all
        .skip(first as usize - 1)
        .take((last - first + 1) as usize);
    wanted.flatten().copied().collect()
}

fn states(emits: &[Emit]) -> Vec<(State, u64)> {
    emits
        .iter()
        .filter_map(|emit| match &emit.event.body {
            Body::StateChanged(state) => Some((state.to, emit.line)),
            _ => None,
        })
        .collect()
}

#[test]
fn a_controller_that_says_2002_is_observed_when_its_neighbours_are() {
    let (emits, counts) = read_file(&fixture("clock_2002.shdr"));
    let suspects: Vec<&Emit> = emits.iter().filter(|e| e.suspect).collect();
    assert_eq!((counts.suspect_clock, counts.suspect_samples), (2, 1));
    let state = suspects[0];
    assert_eq!(state.event.occurred_at, time("2002-01-01T00:03:17Z"));
    assert_eq!(state.event.observed_at, Some(time("2017-06-07T08:00:39Z")));
    // The sample of 2002 goes into the minute of its neighbours.
    assert_eq!(counts.batches, 2);
    for emit in emits.iter().filter(|emit| emit.what == What::Batch) {
        assert!(emit.event.occurred_at > time("2017-06-07T08:00:00Z"));
    }
}

#[test]
fn a_line_ahead_of_all_that_follow_is_suspect() {
    let (emits, counts) = read_file(&fixture("clock_2035.shdr"));
    assert_eq!(counts.suspect_clock, 1);
    let state = emits.iter().find(|emit| emit.suspect).unwrap();
    assert_eq!(state.event.occurred_at, time("2035-03-03T03:03:03Z"));
    assert_eq!(state.event.observed_at, Some(time("2017-06-07T08:00:00Z")));
    // As the first line it is given the least of the times that follow.
    let text = std::fs::read_to_string(fixture("clock_2035.shdr")).unwrap();
    let (_, rest) = text.split_once('\n').unwrap();
    let (emits, counts) = read(rest.as_bytes());
    assert_eq!(counts.suspect_clock, 1);
    assert_eq!(
        emits[0].event.observed_at,
        Some(time("2017-06-07T08:00:01Z"))
    );
    // A jump that the following lines confirm is a pause of the recorder.
    let jump = "2017-06-07T08:00:00Z|mode|MANUAL\n2018-06-07T08:00:00Z|mode|AUTOMATIC\n\
                2018-06-07T08:00:00Z|execution|READY\n";
    assert_eq!(read(jump.as_bytes()).1.suspect_clock, 0);
}

#[test]
fn a_clock_that_was_never_set_is_suspect_wherever_it_stands() {
    let (emits, counts) = read_file(&fixture("clock_never_set.shdr"));
    let observed: Vec<_> = emits
        .iter()
        .map(|emit| (emit.event.observed_at, emit.suspect))
        .collect();
    let (first, last) = (
        Some(time("2017-03-08T08:00:00Z")),
        Some(time("2017-03-08T08:00:05Z")),
    );
    assert_eq!(
        observed,
        [(first, true), (first, false), (last, false), (last, true)]
    );
    assert_eq!(counts.suspect_clock, 2);
}

#[test]
fn the_look_ahead_asks_64_lines() {
    // A line of 2035 that the 64th line behind it confirms is accepted, and then all between them
    // lie behind; one line further away, it is the one that is suspect.
    for (between, suspect) in [(63, 63), (64, 1)] {
        let mut text =
            "2017-06-07T08:00:00Z|mode|MANUAL\n2035-01-01T00:00:00Z|mode|EDIT\n".to_owned();
        for n in 0..between {
            text += &format!("2017-06-07T08:{:02}:{:02}Z|line|{n}\n", n / 60, n % 60);
        }
        text += "2035-01-01T00:00:01Z|execution|ACTIVE\n";
        assert_eq!(read(text.as_bytes()).1.suspect_clock, suspect, "{between}");
    }
}

#[test]
fn fields_are_read_by_what_their_keys_mean() {
    let (emits, counts) = read_file(&fixture("three_pairs.shdr"));
    assert_eq!(
        (counts.observations, counts.sampled, counts.events),
        (8, 3, 5)
    );
    let conditions: Vec<(&str, &str, &str)> = emits
        .iter()
        .filter_map(|emit| match &emit.event.body {
            Body::ConditionChanged(c) => Some((c.level.name(), c.code.as_ref(), c.text.as_ref())),
            _ => None,
        })
        .collect();
    assert_eq!(
        conditions,
        [
            ("FAULT", "3AA", "spindle too hot"),
            ("UNAVAILABLE", "", ""),
            ("NORMAL", "", "")
        ]
    );
    assert_eq!(states(&emits), [(State::Executing, 5)]);
    assert_eq!(counts.devices.get("press7"), Some(&1));
}

#[test]
fn asset_bodies_are_lines_without_observations() {
    let (emits, counts) = read_file(&fixture("asset.shdr"));
    let text = std::fs::read(fixture("asset.shdr")).unwrap();
    assert_eq!((counts.lines, counts.ignored, counts.events), (13, 7, 2));
    // The second body is cut by a line with a time, the third by the end of the file.
    let gaps = gaps(&emits);
    let ranges: Vec<_> = gaps
        .iter()
        .map(|gap| (gap.first_line, gap.last_line))
        .collect();
    assert_eq!(ranges, [(9, 10), (12, 13)]);
    for gap in gaps {
        let hash = Sha256::digest(lines(&text, gap.first_line, gap.last_line));
        assert_eq!(gap.content_hash, hash.to_vec());
    }
    // After a gap a value is affirmed, though it did not change.
    assert_eq!(
        states(&emits),
        [(State::Executing, 7), (State::Executing, 11)]
    );
}

#[test]
fn noise_becomes_gaps_that_say_where_it_lies() {
    let (emits, counts) = read_file(&fixture("noise.shdr"));
    let text = std::fs::read(fixture("noise.shdr")).unwrap();
    let told: Vec<_> = gaps(&emits)
        .iter()
        .map(|gap| (gap.first_line, gap.last_line, gap.lost))
        .collect();
    assert_eq!(
        told,
        [
            (2, 5, None),
            (9, 9, Some(1)),
            (10, 10, Some(1)),
            (11, 11, None),
            (12, 12, None)
        ]
    );
    for gap in gaps(&emits) {
        assert_eq!(
            (gap.cause, gap.file.as_ref()),
            (GapCause::Unreadable, "a.shdr")
        );
        let hash = Sha256::digest(lines(&text, gap.first_line, gap.last_line));
        assert_eq!(gap.content_hash, hash.to_vec(), "{gap:?}");
    }
    assert_eq!(states(&emits), [(State::Idle, 1), (State::Idle, 6)]);
    assert_eq!(counts.refused.get("NOT_A_NUMBER"), Some(&1));
    assert_eq!(counts.refused.get("NOT_FINITE"), Some(&1));
    assert_eq!(counts.unmapped.get("nobody_knows"), Some(&1));
    assert_eq!((counts.commands, counts.lines), (1, 12));
}

#[test]
fn gaps_have_the_time_of_what_was_accepted_or_follows() {
    for (text, at) in [
        (
            "noise\n2017-01-01T00:00:00Z|mode|EDIT\n",
            "2017-01-01T00:00:00Z",
        ),
        (
            "2017-01-01T00:00:00Z|mode|EDIT\nnoise\n",
            "2017-01-01T00:00:00Z",
        ),
        ("noise\n", "1970-01-01T00:00:00Z"),
    ] {
        let (emits, _) = read(text.as_bytes());
        let gap = emits.iter().find(|emit| emit.what == What::Gap).unwrap();
        assert_eq!(gap.event.occurred_at, time(at), "{text}");
        assert_eq!(gap.event.observed_at, Some(time(at)), "{text}");
    }
}

#[test]
fn long_runs_and_long_lines_are_bounded() {
    let (emits, counts) = read("noise\n".repeat(25_000).as_bytes());
    let told: Vec<_> = gaps(&emits)
        .iter()
        .map(|g| (g.first_line, g.last_line))
        .collect();
    assert_eq!(told, [(1, 10_000), (10_001, 20_000), (20_001, 25_000)]);
    assert_eq!(counts.lines, 25_000);

    let start = "2017-01-01T00:00:00Z|program_cmt|";
    for (length, gap) in [(LINE_BYTES_MAX, 1), (LINE_BYTES_MAX + 1, 1), (16_000, 0)] {
        let text = format!("{start}{}\n", "x".repeat(length - start.len() - 1));
        let (emits, counts) = read(text.as_bytes());
        let refused = u64::from(length == LINE_BYTES_MAX);
        assert_eq!(
            (counts.gaps, counts.refused_total()),
            (gap, refused),
            "{length}"
        );
        let hash = Sha256::digest(text.as_bytes()).to_vec();
        assert!(gaps(&emits).iter().all(|gap| gap.content_hash == hash));
    }
}

#[test]
fn a_file_cut_in_a_line_tells_the_loss() {
    let (emits, counts) = read_file(&fixture("cut.shdr"));
    assert_eq!((counts.lines, counts.events, counts.gaps), (2, 2, 1));
    assert_eq!(gaps(&emits)[0].first_line, 2);
}

#[test]
fn a_snapshot_written_again_begins_a_session() {
    let (emits, counts) = read_file(&fixture("sessions.shdr"));
    assert_eq!((counts.sessions, counts.suspect_clock), (2, 0));
    // Of the second snapshot only the mode, which had not changed, and availability are repeats of
    // the last value of their keys.
    assert_eq!((counts.ignored, counts.unchanged, counts.events), (2, 3, 6));
    assert_eq!(states(&emits).len(), 3);
}

/// The old times of a snapshot are believed, and do not make those before it look ahead.
#[test]
fn a_session_has_a_clock_of_its_own() {
    let old = "2017-01-23T00:00:00Z|mode|MANUAL\n2017-01-24T00:00:00Z|line|1\n";
    let day = "2017-06-07T08:00:00Z|mode|AUTOMATIC\n2017-06-07T08:00:01Z|line|2\n";
    let (emits, counts) = read([old, day, old].concat().as_bytes());
    assert_eq!(
        (counts.sessions, counts.events, counts.suspect_clock),
        (2, 6, 0)
    );
    for emit in emits {
        assert_eq!(emit.event.observed_at, Some(emit.event.occurred_at));
    }
}

#[test]
fn unavailable_machines_are_offline_and_counters_tell_their_resets() {
    let text = "2017-01-01T00:00:00Z|avail|UNAVAILABLE\n\
        2017-01-01T00:00:01Z|part_count|5\n2017-01-01T00:00:02Z|part_count|2\n\
        2017-01-01T00:00:01Z|part_count|1\n2017-01-01T00:00:03Z|part_count|UNAVAILABLE\n\
        2017-01-01T00:00:04Z|part_count|1\n";
    let (emits, _) = read(text.as_bytes());
    let Body::ConnectionChanged(connection) = &emits[0].event.body else {
        panic!("{:?}", emits[0])
    };
    assert_eq!(connection.to, Connection::Offline);
    let counters: Vec<_> = emits
        .iter()
        .filter_map(|emit| match &emit.event.body {
            Body::PartProduced(part) => Some((part.value, part.reset_epoch)),
            _ => None,
        })
        .collect();
    // The late value of 00:00:01 is no reset.
    assert_eq!(
        counters,
        [
            (Some(5), 0),
            (Some(2), 1),
            (Some(1), 1),
            (None, 1),
            (Some(1), 2)
        ]
    );
}

#[test]
fn samples_of_another_minute_close_the_batch_before_them() {
    let text = "2017-01-01T00:00:10Z|Xload|1|Yload|2\n2017-01-01T00:00:50Z|Xload|3\n\
        2017-01-01T00:01:00Z|mode|EDIT\n2017-01-01T00:01:00Z|Xload|UNAVAILABLE\n\
        2017-01-01T00:00:20Z|Xload|4\n";
    let (emits, counts) = read(text.as_bytes());
    assert_eq!((counts.sampled, counts.batches), (5, 3));
    let whats: Vec<What> = emits.iter().map(|emit| emit.what).collect();
    assert_eq!(
        whats,
        [What::Observation, What::Batch, What::Batch, What::Batch]
    );
    assert_eq!(emits[1].event.occurred_at, time("2017-01-01T00:00:50Z"));
    let Body::SampleReported(batch) = &emits[1].event.body else {
        panic!("{:?}", emits[1])
    };
    assert_eq!((batch.items.len(), batch.items[0].mean), (2, Some(2.0)));
    let body = emits[1].body.as_ref().unwrap();
    assert_eq!(batch.body_hash, Sha256::digest(body).to_vec());
    assert_eq!(batch.body_bytes, body.len() as u64);
    assert_eq!(decode_body(body).unwrap().values.len(), 3);
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// Some 200 KB that do not compress to nothing.
fn recording() -> String {
    (0..5_000u64)
        .map(|n| {
            format!(
                "2017-01-01T{:02}:{:02}:00Z|line|{}\n",
                n / 60 % 24,
                n % 60,
                n * 7919 % 10_007
            )
        })
        .collect()
}

#[test]
fn gzip_of_several_members_reads_as_the_plain_text() {
    let folder = tempfile::tempdir().unwrap();
    let text = recording();
    let (first, second) = text.split_at(70_001);
    let plain = folder.path().join("plain");
    let packed = folder.path().join("packed");
    std::fs::write(&plain, &text).unwrap();
    std::fs::write(
        &packed,
        [gzip(first.as_bytes()), gzip(second.as_bytes())].concat(),
    )
    .unwrap();
    assert_eq!(open(&plain).unwrap().1, open(&packed).unwrap().1);
    assert_eq!(
        open(&plain).unwrap().1.0,
        <[u8; 32]>::from(Sha256::digest(&text))
    );
    assert_eq!(read_file(&plain), read_file(&packed));
    assert!(matches!(
        open(&folder.path().join("none")),
        Err(ReadError::Open { .. })
    ));
}

#[test]
fn a_damaged_gzip_gives_what_can_be_read_and_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.gz");
    let text = recording();
    let whole = gzip(text.as_bytes());
    let (all, _) = read(text.as_bytes());
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 0x55;
    let mut bad_sum = whole.clone();
    *bad_sum.iter_mut().rev().nth(5).unwrap() ^= 1;
    let cases = [
        whole[..whole.len() / 2].to_vec(),
        whole[..whole.len() - 3].to_vec(),
        whole[..12].to_vec(),
        flipped,
        bad_sum,
        [&whole[..], b"trailing noise"].concat(),
    ];
    for (case, bytes) in cases.iter().enumerate() {
        std::fs::write(&path, bytes).unwrap();
        let (emits, counts) = read_file(&path);
        assert!(counts.truncated, "{case}");
        let last = emits.last().unwrap();
        assert_eq!(last.what, What::Gap, "{case}");
        assert_eq!(gaps(&emits).last().unwrap().first_line, last.line, "{case}");
        // What comes before the damage is what it always was (a flipped bit may show later).
        if case != 3 {
            assert_eq!(emits[..emits.len() - 1], all[..emits.len() - 1], "{case}");
        }
        assert_eq!((emits, counts), read_file(&path), "{case}");
        assert_eq!(open(&path).unwrap().1, open(&path).unwrap().1);
    }
}

struct Failing;

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("the disk is gone"))
    }
}

#[test]
fn a_failing_disk_is_an_error_and_no_gap() {
    let text = recording();
    let whole = read(text.as_bytes()).0;
    let input = BufReader::new(text.as_bytes().chain(Failing));
    let mapping = Arc::new(Mapping::builtin());
    let mut reader = ShdrReader::new(input, "a.shdr", mapping, MACHINE);
    let mut delivered = Vec::new();
    let error = loop {
        match reader.next().unwrap() {
            Ok(emit) => delivered.push(emit),
            Err(error) => break error,
        }
    };
    assert!(
        matches!(error, ReadError::Read { line: 5_000, .. }),
        "{error}"
    );
    assert!(reader.next().is_none());
    // The lines whose look-ahead was not complete are not delivered.
    assert!(delivered.len() < whole.len());
    assert_eq!(delivered[..], whole[..delivered.len()]);
}

/// Lines as adapters write them, and lines as they should not.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let stamp = (0u32..3, 0u32..60).prop_map(|(day, second)| {
        format!(
            "20{:02}-06-0{}T08:00:{second:02}Z",
            [17, 2, 35][day as usize],
            day + 1
        )
    });
    let key = prop::sample::select(vec![
        "execution",
        "mode",
        "avail",
        "Xload",
        "Fovr",
        "part_count",
        "system",
        "line",
        "@ASSET@",
        "CuttingTool",
        "nobody",
        "d:mode",
        "",
    ]);
    let value = prop::sample::select(vec![
        "ACTIVE",
        "UNAVAILABLE",
        "AVAILABLE",
        "1",
        "2.5",
        "nan",
        "Fault",
        "",
        "--multiline--A",
        "x|y",
    ]);
    let pairs = prop::collection::vec((key, value), 0..4);
    let written = (stamp, pairs).prop_map(|(stamp, pairs)| {
        let pairs: String = pairs.iter().map(|(k, v)| format!("|{k}|{v}")).collect();
        format!("{stamp}{pairs}").into_bytes()
    });
    prop_oneof![
        8 => written,
        1 => Just(b"--multiline--A".to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ]
}

fn holds(bytes: &[u8]) -> Result<(), TestCaseError> {
    let (emits, counts) = read(bytes);
    let newlines = bytes.iter().filter(|byte| **byte == b'\n').count();
    let unended = usize::from(!bytes.is_empty() && !bytes.ends_with(b"\n"));
    prop_assert_eq!(counts.lines, (newlines + unended) as u64);
    // However the bytes come in, the events are the same.
    let again = read(BufReader::with_capacity(3, bytes));
    prop_assert_eq!((emits, counts), again);
    Ok(())
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_counted_and_read_alike_twice(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        holds(&bytes)?;
    }

    #[test]
    fn dirty_recordings_are_counted_and_read_alike_twice(lines in prop::collection::vec(line(), 0..200)) {
        holds(&lines.join(&b'\n'))?;
    }
}
