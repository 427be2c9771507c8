//! What one scrape reads, with the bounds on how much of it is shown by name.

use super::families::Labels;
use crate::context::Context;
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};
use werkbuch_engine::{Figures, Lag, PlantFigures};
use werkbuch_model::id::{PlantId, Position};
use werkbuch_model::time::Timestamp;
use werkbuch_wire::reason::Reason;

/// The most plants that have rows of their own; the others are counted.
pub(crate) const PLANTS_SHOWN_MAX: usize = 512;
/// The most sources that have rows of their own, over all plants and of one plant.
const SOURCES_SHOWN_MAX: usize = 2_048;
const PLANT_SOURCES_SHOWN_MAX: usize = 64;
/// The name under which the worst of the other sources of a plant is shown.
const OTHERS: &str = "(others)";

/// What one scrape reads.
#[derive(Debug)]
pub(crate) struct Scrape {
    pub(super) figures: Figures,
    pub(super) store: &'static str,
    pub(super) started_at: Timestamp,
    now: Timestamp,
    pub(super) calls: u64,
    pub(super) refused: Vec<(Reason, u64)>,
    /// Name, in use, capacity.
    pub(super) places: Vec<(&'static str, u64, u64)>,
    pub(super) resident_bytes: Option<u64>,
    /// How often rules were looked at and how far, for plants that have had any.
    pub(super) rules: BTreeMap<PlantId, (u64, Position)>,
}

impl Scrape {
    /// Reads everything now. It takes some milliseconds with a hundred large plants.
    pub(crate) fn read(context: &Context) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = since.unwrap_or_default().as_nanos();
        Self {
            figures: context.engine.figures(),
            store: context.engine.store_name(),
            started_at: context.started_at,
            now: Timestamp(i64::try_from(now).unwrap_or(i64::MAX)),
            calls: context.calls.taken(),
            refused: context.calls.refused(),
            places: context.places_used().to_vec(),
            resident_bytes: resident_bytes(),
            rules: context.rules.all(),
        }
    }

    /// The plants that have rows of their own.
    pub(super) fn shown(&self) -> &[PlantFigures] {
        let plants = &self.figures.plants;
        plants.get(..PLANTS_SHOWN_MAX).unwrap_or(plants)
    }

    /// How many sources of a plant have rows of their own.
    pub(super) fn sources_shown(&self) -> usize {
        let plants = self.shown().len().max(1);
        (SOURCES_SHOWN_MAX / plants).clamp(1, PLANT_SOURCES_SHOWN_MAX)
    }

    /// A row for each source shown, and one for the worst of the others.
    pub(super) fn per_source(&self, seconds: fn(&Lag, Timestamp) -> f64) -> Vec<(Labels, f64)> {
        let mut rows = Vec::new();
        for plant in self.shown() {
            let mut row = |source: &str, value| {
                let labels = vec![
                    ("plant", plant.plant.to_string()),
                    ("source", source.to_owned()),
                ];
                rows.push((labels, value));
            };
            let shown = self.sources_shown();
            for (source, lag) in plant.sources.iter().take(shown) {
                row(source, seconds(lag, self.now));
            }
            let others = plant.sources.values().skip(shown);
            let worst = others.map(|lag| seconds(lag, self.now)).reduce(f64::max);
            if let Some(worst) = worst {
                row(OTHERS, worst);
            }
        }
        rows
    }
}

/// How far what was last heard was behind, in seconds.
pub(super) fn behind(lag: &Lag, _: Timestamp) -> f64 {
    lag.behind_ns as f64 / 1e9
}

/// How long nothing was heard, in seconds.
pub(super) fn silence(lag: &Lag, now: Timestamp) -> f64 {
    now.since(lag.heard_at).max(0) as f64 / 1e9
}

/// The memory of this process that is resident, where the system says it.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    kib.checked_mul(1_024)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use werkbuch_journal::Usage;
    use werkbuch_journal::disk::Room;

    fn plant(number: usize, sources: usize) -> PlantFigures {
        let lag = |n: usize| Lag {
            heard_at: Timestamp(1_000_000_000),
            behind_ns: 1_000_000_000 * i64::try_from(n).unwrap(),
        };
        PlantFigures {
            plant: PlantId::new(format!("P{number:04}")).unwrap(),
            position: Position(1),
            machines: 0,
            batches: 0,
            recorded: 0,
            repeated: 0,
            refused: Vec::new(),
            overloaded: 0,
            queue: (0, 0),
            subscribers: 0,
            snapshot_position: Position(0),
            snapshot_bytes: 0,
            rules: 0,
            raised: 0,
            marks: werkbuch_engine::Marks::default(),
            sources: (0..sources)
                .map(|n| (format!("s{n:04}"), lag(n)))
                .collect::<BTreeMap<_, _>>(),
        }
    }

    fn scrape(plants: Vec<PlantFigures>) -> Scrape {
        Scrape {
            figures: Figures {
                plants,
                ..Figures::default()
            },
            store: "segments",
            started_at: Timestamp(0),
            now: Timestamp(5_000_000_000),
            calls: 0,
            refused: Vec::new(),
            places: Vec::new(),
            resident_bytes: None,
            rules: BTreeMap::new(),
        }
    }

    #[test]
    fn many_sources_end_in_one_row_with_the_worst() {
        let scrape = scrape(vec![plant(1, 3), plant(2, 100)]);
        let rows = scrape.per_source(behind);
        assert_eq!(rows.len(), 3 + PLANT_SOURCES_SHOWN_MAX + 1);
        let (labels, worst) = rows.last().unwrap();
        assert_eq!(labels[1], ("source", "(others)".to_owned()));
        assert!((worst - 99.0).abs() < 1e-9, "{worst}");
        let silent = scrape.per_source(silence);
        assert!(
            silent
                .iter()
                .all(|(_, seconds)| (seconds - 4.0).abs() < 1e-9)
        );
    }

    #[test]
    fn the_page_stays_bounded_whatever_there_is() {
        let plants = (0..PLANTS_SHOWN_MAX + 10).map(|n| plant(n, 80)).collect();
        let scrape = scrape(plants);
        assert_eq!(scrape.shown().len(), PLANTS_SHOWN_MAX);
        let rows = scrape.per_source(behind).len();
        assert!(rows <= SOURCES_SHOWN_MAX + PLANTS_SHOWN_MAX, "{rows}");
        let page = super::super::page(scrape).unwrap();
        assert!(
            page.contains("\nwerkbuch_plants_omitted 10.0\n"),
            "{page:.2000}"
        );
        assert!(page.contains("werkbuch_sources_omitted{plant=\"P0000\"} 76.0\n"));
    }

    #[test]
    fn what_the_log_takes_stands_under_its_own_name() {
        let mut scrape = scrape(Vec::new());
        let room = Room {
            total: 900,
            free: 800,
        };
        scrape.figures.usage = Some(Usage {
            hot_bytes: 100,
            sealed_bytes: 200,
            segments: 3,
            body_bytes: 400,
            reserve_bytes: 500,
            room: Some(room),
        });
        let page = super::super::page(scrape).unwrap();
        for line in [
            "werkbuch_hot_bytes 100.0",
            "werkbuch_sealed_bytes 200.0",
            "werkbuch_segments 3.0",
            "werkbuch_body_bytes 400.0",
            "werkbuch_disk_reserve_bytes 500.0",
            "werkbuch_disk_free_bytes 800.0",
            "werkbuch_disk_total_bytes 900.0",
        ] {
            assert!(page.lines().any(|found| found == line), "{line}: {page}");
        }
    }

    #[test]
    fn what_the_disk_does_not_tell_is_left_out() {
        let mut scrape = scrape(Vec::new());
        scrape.figures.usage = Some(Usage::default());
        let page = super::super::page(scrape).unwrap();
        let mut samples = page.lines().filter(|line| !line.starts_with('#'));
        assert!(page.contains("\nwerkbuch_hot_bytes 0.0\n"), "{page}");
        assert!(!samples.any(|line| line.starts_with("werkbuch_disk_free")
            || line.starts_with("werkbuch_disk_total")));
    }
}
