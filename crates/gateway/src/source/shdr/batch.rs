//! Gathers samples into batches of one minute.

use super::body::{SampleValue, encode};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::BTreeMap;
use werkbuch_model::event::{SampleItem, SampleReported};
use werkbuch_model::time::{SECOND_NS, Timestamp};

/// How long the period of a batch is.
const PERIOD_NS: i64 = 60 * SECOND_NS;
const PERIOD_MS: u64 = 60_000;
/// How many items a batch has at most.
const ITEMS_MAX: usize = 200;
/// The greatest size of the figures in the event, by a bound for each item, well below 32 KiB.
const FIGURES_BYTES_MAX: usize = 28 * 1024;
/// What an item's figures take beside its name and unit: three numbers of eleven bytes and four of ten.
const FIGURES_BYTES: usize = 80;
/// How many values a batch has at most: at 21 bytes at most each, a body stays below 1 MiB.
const VALUES_MAX: usize = 48_000;

/// The figures of one item as they grow.
#[derive(Debug)]
struct Figures {
    name: Box<str>,
    unit: Box<str>,
    n: u64,
    unavailable: u64,
    min: f64,
    max: f64,
    sum: f64,
    /// The sum scaled down, for values whose sum is beyond the greatest number.
    small_sum: f64,
    last_time: u64,
    last: Option<f64>,
}

/// A power of two, so that scaling by it is exact.
const SCALE: f64 = 1.0 / (1u64 << 40) as f64;

/// One window of samples of a machine.
#[derive(Debug)]
pub(super) struct Batch {
    window: i64,
    start: Timestamp,
    latest: Timestamp,
    places: BTreeMap<Box<str>, usize>,
    figures: Vec<Figures>,
    figures_bytes: usize,
    values: Vec<SampleValue>,
    pub(super) suspect: bool,
    pub(super) last_line: u64,
}

/// A batch that is complete: its event, the greatest time in it, and the body of single values.
#[derive(Debug)]
pub(super) struct Closed {
    pub(super) event: SampleReported<'static>,
    pub(super) latest: Timestamp,
    pub(super) body: Vec<u8>,
}

impl Batch {
    /// An empty batch for the window of this time.
    pub(super) fn open(time: Timestamp) -> Self {
        let window = time.nanos().div_euclid(PERIOD_NS);
        Self {
            window,
            start: Timestamp(window.saturating_mul(PERIOD_NS)),
            latest: Timestamp::MIN,
            places: BTreeMap::new(),
            figures: Vec::new(),
            figures_bytes: 0,
            values: Vec::new(),
            suspect: false,
            last_line: 0,
        }
    }

    /// Whether a sample belongs to this batch: it is of its window, and there is room.
    pub(super) fn takes(&self, time: Timestamp, item: &str, unit: &str) -> bool {
        let known = self.places.contains_key(item);
        let room = self.figures.len() < ITEMS_MAX
            && self.figures_bytes + FIGURES_BYTES + item.len() + unit.len() <= FIGURES_BYTES_MAX;
        time.nanos().div_euclid(PERIOD_NS) == self.window
            && self.values.len() < VALUES_MAX
            && (known || room)
    }

    pub(super) fn add(&mut self, time: Timestamp, item: &str, unit: &str, value: Option<f64>) {
        let place = match self.places.get(item) {
            Some(place) => *place,
            None => self.begin(item, unit),
        };
        let time_ns = u64::try_from(time.since(self.start)).unwrap_or_default();
        self.latest = self.latest.max(time);
        if let Some(figures) = self.figures.get_mut(place) {
            figures.add(time_ns, value);
        }
        self.values.push(SampleValue {
            time_ns,
            item: place,
            value,
        });
    }

    fn begin(&mut self, item: &str, unit: &str) -> usize {
        let place = self.figures.len();
        self.places.insert(item.into(), place);
        self.figures_bytes += FIGURES_BYTES + item.len() + unit.len();
        self.figures.push(Figures {
            name: item.into(),
            unit: unit.into(),
            n: 0,
            unavailable: 0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            sum: 0.0,
            small_sum: 0.0,
            last_time: 0,
            last: None,
        });
        place
    }

    /// Closes the batch.
    pub(super) fn close(self) -> Closed {
        let names: Vec<&str> = self.figures.iter().map(|figures| &*figures.name).collect();
        let body = encode(&names, &self.values);
        let in_order = self
            .places
            .values()
            .filter_map(|place| self.figures.get(*place));
        Closed {
            latest: self.latest,
            event: SampleReported {
                period_start: self.start,
                period_ms: PERIOD_MS,
                items: in_order.map(Figures::item).collect(),
                body_hash: Cow::Owned(Sha256::digest(&body).to_vec()),
                body_bytes: body.len() as u64,
            },
            body,
        }
    }
}

impl Figures {
    fn add(&mut self, time_ns: u64, value: Option<f64>) {
        match value {
            Some(value) => {
                self.n += 1;
                self.min = self.min.min(value);
                self.max = self.max.max(value);
                self.sum += value;
                self.small_sum += value * SCALE;
            }
            None => self.unavailable += 1,
        }
        if time_ns >= self.last_time {
            self.last_time = time_ns;
            self.last = value;
        }
    }

    fn item(&self) -> SampleItem<'static> {
        let some = |value: f64| (self.n > 0).then_some(value);
        let n = self.n.max(1) as f64;
        let mean = if self.sum.is_finite() {
            self.sum / n
        } else {
            self.small_sum / n / SCALE
        };
        SampleItem {
            item: Cow::Owned(self.name.to_string()),
            unit: Cow::Owned(self.unit.to_string()),
            n: self.n,
            unavailable: self.unavailable,
            min: some(self.min),
            max: some(self.max),
            // Rounding may carry a mean past the values that it is of.
            mean: some(mean.max(self.min).min(self.max)),
            last: self.last,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::super::body::decode_body;
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp(seconds * SECOND_NS)
    }

    #[test]
    fn figures_are_of_the_values_of_the_window() {
        let mut batch = Batch::open(at(65));
        for (time, item, value) in [
            (65, "b", Some(1.0)),
            (70, "a", Some(4.0)),
            (68, "a", Some(2.0)),
            (66, "b", None),
            (69, "c", None),
        ] {
            assert!(batch.takes(at(time), item, ""));
            batch.add(at(time), item, "", value);
        }
        assert!(!batch.takes(at(59), "a", "") && !batch.takes(at(120), "a", ""));
        let closed = batch.close();
        assert_eq!((closed.event.period_start, closed.latest), (at(60), at(70)));
        let items = &closed.event.items;
        let names: Vec<&str> = items.iter().map(|item| item.item.as_ref()).collect();
        assert_eq!(names, ["a", "b", "c"]);
        let (a, b, c) = (&items[0], &items[1], &items[2]);
        assert_eq!(
            (a.n, a.min, a.max, a.mean),
            (2, Some(2.0), Some(4.0), Some(3.0))
        );
        assert_eq!((a.last, b.last, b.unavailable), (Some(4.0), None, 1));
        assert_eq!((c.n, c.min, c.mean), (0, None, None));
        assert!(
            werkbuch_model::event::Body::SampleReported(closed.event.clone())
                .validate()
                .is_ok()
        );
        let body = decode_body(&closed.body).unwrap();
        assert_eq!(body.items, ["a", "b", "c"]);
        assert_eq!(body.values.len(), 5);
        assert_eq!(
            closed.event.body_hash,
            Sha256::digest(&closed.body).to_vec()
        );
    }

    #[test]
    fn windows_are_whole_minutes_before_1970_too() {
        for (time, start) in [(0, 0), (59, 0), (60, 60), (-1, -60), (-60, -60)] {
            assert_eq!(Batch::open(at(time)).start, at(start), "{time}");
        }
        for time in [Timestamp::MIN, Timestamp::MAX] {
            let mut batch = Batch::open(time);
            assert!(batch.takes(time, "a", ""));
            batch.add(time, "a", "", Some(1.0));
            assert_eq!(batch.close().latest, time);
        }
    }

    #[test]
    fn a_mean_is_finite_where_the_sum_is_not() {
        let mut batch = Batch::open(at(0));
        for _ in 0..3 {
            batch.add(at(0), "a", "", Some(f64::MAX));
        }
        let closed = batch.close();
        assert_eq!(closed.event.items[0].mean, Some(f64::MAX));
    }

    #[test]
    fn a_batch_is_full_before_its_event_is_too_large() {
        let mut batch = Batch::open(at(0));
        let mut taken = 0;
        for item in (0..1000).map(|n| format!("{n:0>256}")) {
            if !batch.takes(at(0), &item, "") {
                break;
            }
            batch.add(at(0), &item, "", Some(1.0));
            taken += 1;
        }
        assert_eq!(taken, FIGURES_BYTES_MAX / (FIGURES_BYTES + 256));
        let mut batch = Batch::open(at(0));
        while batch.takes(at(59), "a", "") {
            batch.add(at(59), "a", "", Some(1.0));
        }
        assert!(batch.close().body.len() < 1024 * 1024);
    }
}
