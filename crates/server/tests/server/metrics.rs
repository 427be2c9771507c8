//! The page of metrics, read by a strict parser: families, counters that move exactly, its bounds.

use crate::harness::{Served, append, event, open, serve, serve_plant, state};
use std::collections::{BTreeMap, BTreeSet};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use werkbuch_model::event::{Body, ItemChanged, State};
use werkbuch_server::METRICS;
use werkbuch_wire::pb;

async fn ask(served: &Served, method: &str, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let head = format!("{method} {path} HTTP/1.1\r\nHost: werkbuch\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_ascii_lowercase(), body.to_owned())
}

/// A page, taken apart.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// Type and help of each family.
    families: BTreeMap<String, (String, String)>,
    /// Name with labels, as written, and value.
    samples: BTreeMap<String, f64>,
}

impl Page {
    /// Reads a page and holds it to the text form of OpenMetrics.
    fn read(text: &str) -> Self {
        let mut page = Self::default();
        let (mut family, mut help) = (String::new(), None);
        let body = text.strip_suffix("# EOF\n").expect("it ends in EOF");
        for line in body.lines() {
            if let Some(said) = line.strip_prefix("# HELP ") {
                let (name, said) = said.split_once(' ').expect(line);
                assert!(said.len() > 10, "{line}");
                help = Some((name.to_owned(), said.to_owned()));
            } else if let Some(said) = line.strip_prefix("# TYPE ") {
                let (name, kind) = said.split_once(' ').expect(line);
                let (helped, said) = help.take().expect("HELP stands before TYPE");
                assert_eq!(helped, name);
                assert!(
                    ["counter", "gauge", "histogram", "info"].contains(&kind),
                    "{line}"
                );
                let new = page
                    .families
                    .insert(name.to_owned(), (kind.to_owned(), said));
                assert!(new.is_none(), "{name} comes twice");
                family = name.to_owned();
            } else {
                page.sample(line, &family);
            }
        }
        page.check_histograms();
        page
    }

    fn sample(&mut self, line: &str, family: &str) {
        let (name, value) = line.rsplit_once(' ').expect(line);
        let value: f64 = value.parse().expect(line);
        let bare = name.split('{').next().unwrap();
        let endings: &[&str] = match self.families[family].0.as_str() {
            "counter" => &["_total"],
            "info" => &["_info"],
            "histogram" => &["_sum", "_count", "_bucket"],
            _ => &[""],
        };
        let ending = bare.strip_prefix(family).expect("a sample of its family");
        assert!(endings.contains(&ending), "{line} is no sample of {family}");
        if let Some(labels) = name.strip_prefix(bare).filter(|labels| !labels.is_empty()) {
            check_labels(labels);
        }
        assert!(value >= 0.0 && value.is_finite(), "{line}");
        let new = self.samples.insert(name.to_owned(), value);
        assert!(new.is_none(), "{name} comes twice");
    }

    /// Buckets grow, and the last holds everything.
    fn check_histograms(&self) {
        let all = self.families.iter();
        for (name, _) in all.filter(|(_, (kind, _))| kind == "histogram") {
            let prefix = format!("{name}_bucket{{le=\"");
            let bound = |sample: &str| {
                let bound = sample.strip_prefix(&prefix)?.strip_suffix("\"}")?;
                let infinite = bound == "+Inf";
                Some(if infinite {
                    f64::INFINITY
                } else {
                    bound.parse().unwrap()
                })
            };
            let samples = self.samples.iter();
            let mut buckets: Vec<(f64, f64)> = samples
                .filter_map(|(sample, count)| Some((bound(sample)?, *count)))
                .collect();
            buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
            assert!(buckets.len() > 10, "{name}: {buckets:?}");
            assert!(
                buckets.is_sorted_by(|a, b| a.1 <= b.1),
                "{name}: {buckets:?}"
            );
            let last = buckets.last().unwrap();
            assert_eq!(
                *last,
                (f64::INFINITY, self.samples[&format!("{name}_count")])
            );
        }
    }

    pub(crate) fn value(&self, sample: &str) -> f64 {
        let found = self.samples.get(sample);
        *found.unwrap_or_else(|| panic!("no {sample} in {:#?}", self.samples))
    }
}

/// `{name="value",...}`, names as they may be, values quoted and escaped.
fn check_labels(labels: &str) {
    let inner = labels.strip_prefix('{').and_then(|l| l.strip_suffix('}'));
    let mut rest = inner.expect(labels);
    while !rest.is_empty() {
        let (name, value) = rest.split_once("=\"").expect(labels);
        let plain = |c: char| c.is_ascii_lowercase() || c == '_';
        assert!(!name.is_empty() && name.chars().all(plain), "{labels}");
        let mut escaped = false;
        let end = value.find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        rest = &value[end.expect(labels) + 1..];
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
}

pub(crate) async fn scrape(served: &Served) -> Page {
    let (head, body) = ask(served, "GET", "/metrics").await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert!(
        head.contains("content-type: application/openmetrics-text; version=1.0.0; charset=utf-8"),
        "{head}"
    );
    Page::read(&body)
}

/// Three events that are recorded, the same three again, and two that are refused.
async fn report(served: &Served) {
    let session = served.session("gateway-1").await;
    let states = [State::Executing, State::Idle, State::Executing];
    let events: Vec<_> = (1..).zip(states).map(|(n, to)| state(n, 1, to)).collect();
    let item = |item: &str| ItemChanged {
        item: item.to_owned().into(),
        text: None,
    };
    let refused = [
        event(4, 99, Body::ItemChanged(item("x"))),
        event(5, 1, Body::ItemChanged(item(""))),
    ];
    let mut ingest = served.ingest().await;
    for batch in [events.clone(), events, refused.to_vec()] {
        ingest.append(append(session, batch)).await.unwrap();
    }
}

#[tokio::test]
async fn counters_move_by_exactly_what_happened() {
    let served = serve_plant().await;
    let before = scrape(&served).await;
    report(&served).await;
    let unknown = pb::OpenSourceRequest {
        parent: "tenants/default/plants/NONE".into(),
        ..open("gateway-2")
    };
    served
        .ingest()
        .await
        .open_source(unknown)
        .await
        .unwrap_err();
    let after = scrape(&served).await;
    let moved = |sample: &str| after.value(sample) - before.samples.get(sample).unwrap_or(&0.0);
    for (sample, by) in [
        ("werkbuch_ingest_batches_total{plant=\"PLT-07\"}", 3.0),
        (
            "werkbuch_ingest_events_total{plant=\"PLT-07\",outcome=\"recorded\"}",
            3.0,
        ),
        (
            "werkbuch_ingest_events_total{plant=\"PLT-07\",outcome=\"repeated\"}",
            3.0,
        ),
        (
            "werkbuch_ingest_events_total{plant=\"PLT-07\",outcome=\"refused\"}",
            2.0,
        ),
        (
            "werkbuch_refusals_total{plant=\"PLT-07\",reason=\"UNKNOWN_MACHINE\"}",
            1.0,
        ),
        (
            "werkbuch_refusals_total{plant=\"PLT-07\",reason=\"MISSING_FIELD\"}",
            1.0,
        ),
        ("werkbuch_ack_seconds_count", 3.0),
        (
            "werkbuch_call_refusals_total{reason=\"UNKNOWN_PLANT\"}",
            1.0,
        ),
        // Opening the source, three batches, and the source of a plant that is not there.
        ("werkbuch_calls_total", 5.0),
        ("werkbuch_commit_failures_total", 0.0),
        ("werkbuch_overloads_total{plant=\"PLT-07\"}", 0.0),
    ] {
        assert!(
            (moved(sample) - by).abs() < 1e-9,
            "{sample} moved by {}",
            moved(sample)
        );
    }
    // The source's opening and three events, and the refusals are records of the writer: at least.
    assert!(moved("werkbuch_position{plant=\"PLT-07\"}") >= 4.0);
    assert!(moved("werkbuch_commit_blocks_total") >= 2.0);
    assert!(moved("werkbuch_commit_sync_seconds_count") >= 2.0);
    assert!(moved("werkbuch_written_bytes_total") > 100.0);
    assert!(moved("werkbuch_log_bytes") > 100.0);
    assert!((after.value("werkbuch_machines{plant=\"PLT-07\"}") - 5.0).abs() < 1e-9);
    // The harness lets its events happen some 300 seconds ago.
    let lag = after.value("werkbuch_source_lag_seconds{plant=\"PLT-07\",source=\"gateway-1\"}");
    assert!((299.0..400.0).contains(&lag), "{lag}");
    let silent =
        after.value("werkbuch_source_silence_seconds{plant=\"PLT-07\",source=\"gateway-1\"}");
    assert!(silent < 60.0, "{silent}");
    served.end().await;
}

#[tokio::test]
async fn followers_and_streams_are_counted_while_they_last() {
    let served = serve_plant().await;
    let mut history = served.history().await;
    let request = pb::TailEventsRequest {
        parent: crate::harness::PLANT.into(),
        from_position: 1,
        ..Default::default()
    };
    let mut stream = history.tail_events(request).await.unwrap().into_inner();
    stream.message().await.unwrap();
    let page = scrape(&served).await;
    assert!((page.value("werkbuch_subscribers{plant=\"PLT-07\"}") - 1.0).abs() < 1e-9);
    assert!((page.value("werkbuch_queue_length{queue=\"streams\"}") - 1.0).abs() < 1e-9);
    assert!((page.value("werkbuch_queue_capacity{queue=\"streams\"}") - 1024.0).abs() < 1e-9);
    drop(stream);
    served.end().await;
}

/// The names in the first column of the table of metrics in `OPERATING.md`, with their types.
fn documented() -> BTreeSet<(String, String)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../OPERATING.md");
    let text = std::fs::read_to_string(path).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    let rows = rows.filter_map(|row| {
        let (name, rest) = row.split_once('`')?;
        let kind = rest.split('|').nth(1)?.trim();
        let name = name.split('{').next()?;
        let is_ours = name.starts_with("werkbuch_") || name.starts_with("process_");
        is_ours.then(|| (name.to_owned(), kind.to_owned()))
    });
    rows.collect()
}

#[tokio::test]
async fn every_family_is_there_and_documented() {
    let served = serve_plant().await;
    report(&served).await;
    let nowhere = pb::ListEventsRequest {
        parent: "tenants/default/plants/nowhere".to_owned(),
        ..Default::default()
    };
    let refused = served.history().await.list_events(nowhere).await;
    assert!(refused.is_err());
    let page = scrape(&served).await;
    let listed: BTreeSet<(String, String)> = METRICS
        .iter()
        .map(|(name, kind, _)| ((*name).to_owned(), (*kind).to_owned()))
        .collect();
    assert_eq!(
        documented(),
        listed,
        "OPERATING.md lists other metrics than there are"
    );
    let shown: BTreeSet<(String, String)> = page
        .families
        .iter()
        .map(|(name, (kind, _))| match kind.as_str() {
            "counter" => (format!("{name}_total"), kind.clone()),
            "info" => (format!("{name}_info"), kind.clone()),
            _ => (name.clone(), kind.clone()),
        })
        .collect();
    assert_eq!(shown, listed);
    // A family without a sample is one that nobody reads; snapshots come later, and memory not everywhere.
    for (name, _) in &listed {
        let seldom = ["werkbuch_snapshot_position", "werkbuch_snapshot_bytes"];
        let seldom = seldom.contains(&name.as_str()) || name == "process_resident_memory_bytes";
        let has = page
            .samples
            .keys()
            .any(|sample| sample.starts_with(name.as_str()));
        assert!(has || seldom, "{name} has no sample");
    }
    served.end().await;
}

#[tokio::test]
async fn the_pages_are_read_and_nothing_else() {
    let served = serve().await;
    let (head, body) = ask(&served, "GET", "/healthz").await;
    assert!(
        head.starts_with("http/1.1 200") && body == "ok\n",
        "{head} {body}"
    );
    let (head, body) = ask(&served, "HEAD", "/metrics").await;
    assert!(
        head.starts_with("http/1.1 200") && body.is_empty(),
        "{head} {body}"
    );
    let (head, _) = ask(&served, "POST", "/metrics").await;
    assert!(
        head.starts_with("http/1.1 405") && head.contains("allow: get, head"),
        "{head}"
    );
    let (head, _) = ask(&served, "GET", "/nothing").await;
    assert!(!head.starts_with("http/1.1 200"), "{head}");
    served.end().await;
}
