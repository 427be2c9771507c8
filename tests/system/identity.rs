//! Numbers are known for ever: sources send millions of old events again, out of a past that is sealed
//! long since, and each is answered with its first position, by a server whose memory stays bounded.

use crate::support::{PLANT, Server};
use std::collections::BTreeMap;
use werkbuch_model::event::{Body, ItemChanged, Reported, SourceKind};
use werkbuch_model::id::{MachineNumber, Sequence};
use werkbuch_model::time::{SECOND_NS, Timestamp};
use werkbuch_record::encode_reported;
use werkbuch_wire::{name, pb};

/// Sources that report in turns, each a few events at a time, so that their numbers lie scattered.
const SOURCES: u64 = 4;
const BATCH: u64 = 5_000;
/// A source leaves so many numbers open.
const GAPS: u64 = 1_000;
/// By how much the server's memory may grow while the past comes again. A table of all numbers would
/// take more than this in the long run, and what is measured in a short one is mostly the allocator.
const GROWTH_MAX_KIB: u64 = 48 * 1024;

type Client = pb::ingest_service_client::IngestServiceClient<tonic::transport::Channel>;

fn events() -> u64 {
    if std::env::var_os("WERKBUCH_LONG").is_some() {
        10_000_000
    } else {
        300_000
    }
}

/// A source and the positions that its numbers were given, as runs: first number, position, count.
struct Source {
    session: u64,
    runs: BTreeMap<u64, (u64, u64)>,
}

impl Source {
    /// The position that a number was given.
    fn position(&self, number: u64) -> u64 {
        let (first, (position, count)) = self.runs.range(..=number).next_back().unwrap();
        assert!(number < first + count, "{number} was never acknowledged");
        position + (number - first)
    }

    /// Notes new positions, and holds repeated ones against those of the first time. Answers how many
    /// were new and how many repeated.
    fn take(&mut self, answer: &pb::AppendResponse) -> (u64, u64) {
        let (mut new, mut repeated) = (0, 0);
        for outcome in &answer.outcomes {
            let (number, count) = (outcome.first_sequence, u64::from(outcome.count));
            match outcome.result.as_ref().unwrap() {
                pb::outcome::Result::Recorded(position) => {
                    self.runs.insert(number, (*position, count));
                    new += count;
                }
                pb::outcome::Result::RepeatedAt(position) => {
                    for k in 0..count {
                        assert_eq!(
                            self.position(number + k),
                            position + k,
                            "number {}",
                            number + k
                        );
                    }
                    repeated += count;
                }
                pb::outcome::Result::Refused(refused) => panic!("{number}: {refused:?}"),
            }
        }
        (new, repeated)
    }
}

#[test]
fn old_numbers_are_answered_for_ever_in_bounded_memory() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let options = ["--write-ahead-mib", "1"];
    let server = Server::on(&data, &options);
    server.apply(PLANT);
    // A thread of its own lets go of closed connections between the calls: a server that is asked to stop
    // waits for them as long as it may.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let (mut sources, mut gappy) = runtime.block_on(report_all(&server));
    let before = server.json(&["twin", "get", "T1"])["position"]
        .as_u64()
        .unwrap();
    assert!(server.stop().success());

    // A later life of the server, which has not seen any of it.
    let server = Server::on(&data, &options);
    let process = server.process();
    runtime.block_on(async {
        let mut client = connect(&server).await;
        for (number, source) in sources.iter_mut().enumerate() {
            source.session = open(&mut client, &format!("source-{number}")).await;
        }
        gappy.session = open(&mut client, "gappy").await;
        // Once, so that what every repeat needs is there when the measurement begins.
        repeat(&mut client, &mut sources, 1, BATCH).await;
        let start = resident(process);
        reset_peak(process);
        repeat(&mut client, &mut sources, 1, events() / SOURCES).await;
        let grown = peak(process).saturating_sub(start);
        eprintln!(
            "{} repeats: {start} KiB, and {grown} KiB more at most",
            events()
        );
        assert!(grown <= GROWTH_MAX_KIB, "{start} KiB grew by {grown} KiB");

        // What was recorded comes again; what never came is still open, and is taken once.
        let numbers: Vec<u64> = (1..=GAPS + 1).map(|k| k * 2).collect();
        assert_eq!(send(&mut client, &mut gappy, &numbers).await, (0, GAPS + 1));
        let open: Vec<u64> = (1..=GAPS).map(|k| k * 2 + 1).collect();
        assert_eq!(send(&mut client, &mut gappy, &open).await, (GAPS, 0));
        assert_eq!(send(&mut client, &mut gappy, &open).await, (0, GAPS));
    });
    let listed = server.json(&["source", "ls", "--plant", "T1"]);
    let gappy = listed["sources"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["source"] == "gappy")
        .unwrap();
    assert_eq!(gappy["missing"], 1, "{gappy}");
    let after = server.json(&["twin", "get", "T1"])["position"]
        .as_u64()
        .unwrap();
    // Beside what filled the gaps the log has grown by what the writer and the sources say of
    // themselves, and by no repeat.
    assert!(
        (GAPS..GAPS + 40).contains(&(after - before)),
        "{before} to {after}"
    );
}

/// Reports the past: many events of several sources in turns, and one source that leaves gaps.
async fn report_all(server: &Server) -> (Vec<Source>, Source) {
    let mut client = connect(server).await;
    let mut sources = Vec::new();
    for number in 0..SOURCES {
        let session = open(&mut client, &format!("source-{number}")).await;
        sources.push(Source {
            session,
            runs: BTreeMap::new(),
        });
    }
    let mut gappy = Source {
        session: open(&mut client, "gappy").await,
        runs: BTreeMap::new(),
    };
    let numbers: Vec<u64> = (1..=GAPS + 1).map(|k| k * 2).collect();
    assert_eq!(send(&mut client, &mut gappy, &numbers).await, (GAPS + 1, 0));
    let each = events() / SOURCES;
    let mut next = 1;
    while next <= each {
        let last = each.min(next + BATCH - 1);
        for source in &mut sources {
            let numbers: Vec<u64> = (next..=last).collect();
            let count = numbers.len() as u64;
            assert_eq!(send(&mut client, source, &numbers).await, (count, 0));
        }
        next = last + 1;
    }
    (sources, gappy)
}

/// Sends the numbers from `first` to `last` of all sources again.
async fn repeat(client: &mut Client, sources: &mut [Source], first: u64, last: u64) {
    let mut next = first;
    while next <= last {
        let numbers: Vec<u64> = (next..=last.min(next + BATCH - 1)).collect();
        for source in sources.iter_mut() {
            let count = numbers.len() as u64;
            assert_eq!(send(client, source, &numbers).await, (0, count));
        }
        next += BATCH;
    }
}

async fn connect(server: &Server) -> Client {
    Client::connect(server.url.clone())
        .await
        .unwrap()
        .max_decoding_message_size(16 << 20)
}

async fn open(client: &mut Client, source: &str) -> u64 {
    let request = pb::OpenSourceRequest {
        parent: name::of_plant("T1"),
        source: source.into(),
        source_kind: SourceKind::Live.code() as i32,
        epoch: Some(1),
        ..Default::default()
    };
    client
        .open_source(request)
        .await
        .unwrap()
        .into_inner()
        .session
}

async fn send(client: &mut Client, source: &mut Source, numbers: &[u64]) -> (u64, u64) {
    let events = numbers.iter().map(|number| event(*number).into());
    let request = pb::AppendRequest {
        session: source.session,
        events: events.collect(),
        ..Default::default()
    };
    let answer = client.append(request).await.unwrap().into_inner();
    source.take(&answer)
}

fn event(number: u64) -> Vec<u8> {
    encode_reported(&Reported {
        sequence: Sequence(number),
        machine: MachineNumber(1 + number as u32 % 2),
        occurred_at: Timestamp(1_790_000_000 * SECOND_NS + number as i64),
        observed_at: Some(Timestamp(1_790_000_000 * SECOND_NS + number as i64)),
        historical: false,
        body: Body::ItemChanged(ItemChanged {
            item: "n".into(),
            text: Some((number % 97).to_string().into()),
        }),
    })
}

/// The memory of a process now, in KiB.
fn resident(process: u32) -> u64 {
    status(process, "VmRSS:")
}

/// The most memory that a process had since its peak was reset, in KiB.
fn peak(process: u32) -> u64 {
    status(process, "VmHWM:")
}

fn reset_peak(process: u32) {
    std::fs::write(format!("/proc/{process}/clear_refs"), "5").unwrap();
}

fn status(process: u32, field: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(field))
        .unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}
