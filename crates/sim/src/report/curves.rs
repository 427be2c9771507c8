//! Curves now and then: the single values of a stroke or a weld, beside the figures of their batch.

use super::figures::rounded;
use super::{Beside, Reporter, Said};
use crate::kernel::normal;
use std::borrow::Cow;
use werkbuch_model::event::{Body, SampleItem, SampleReported};

/// What a curve shows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Curve {
    item: &'static str,
    unit: &'static str,
    /// How many values.
    count: u32,
    /// The time between two values, in nanoseconds.
    every_ns: u64,
    /// Its highest value, and how far single values lie from their place.
    peak: f64,
    deviation: f64,
    /// Which share of it is the rise, and which the fall.
    rise: f64,
    fall: f64,
}

/// The force of the ram over the working part of a stroke.
pub(super) const STROKE: Curve = Curve {
    item: "stroke_force",
    unit: "KILONEWTON",
    count: 48,
    every_ns: 50_000_000,
    peak: 18_200.0,
    deviation: 45.0,
    rise: 0.7,
    fall: 0.1,
};
/// The current of a spot weld.
pub(super) const WELD: Curve = Curve {
    item: "weld_current",
    unit: "KILOAMPERE",
    count: 32,
    every_ns: 10_000_000,
    peak: 9.2,
    deviation: 0.06,
    rise: 0.15,
    fall: 0.05,
};

impl Reporter {
    /// A machine says a curve that ends now.
    pub(super) fn curve(&mut self, machine: usize, of: &Curve) {
        let count = f64::from(of.count.max(1));
        let value = |at: u32| {
            let share = (f64::from(at) + 0.5) / count;
            let height = (share / of.rise).min((1.0 - share) / of.fall).min(1.0);
            rounded((of.peak * height + of.deviation * normal(&mut self.figures)).max(0.0))
        };
        let heights: Vec<f64> = (0..of.count).map(value).collect();
        let sum: f64 = heights.iter().sum();
        let length_ns = of.every_ns.saturating_mul(u64::from(of.count));
        let item = SampleItem {
            item: Cow::Borrowed(of.item),
            unit: Cow::Borrowed(of.unit),
            n: u64::from(of.count),
            unavailable: 0,
            min: heights.iter().copied().reduce(f64::min),
            max: heights.iter().copied().reduce(f64::max),
            mean: Some(sum / count),
            last: heights.last().copied(),
        };
        let body = SampleReported {
            period_start: self.time(self.now_ns.saturating_sub(length_ns)),
            period_ms: length_ns / 1_000_000,
            items: vec![item],
            ..SampleReported::default()
        };
        let times = (0..).map(|at: u64| at.saturating_mul(of.every_ns));
        let source = self.sources.machines.get(machine).copied().unwrap_or(0);
        self.out.push_back(Said {
            at_ns: self.now_ns,
            source,
            machine: Some(machine),
            body: Body::SampleReported(body),
            beside: Beside {
                values: times.zip(heights).collect(),
                ..Beside::default()
            },
        });
    }
}
