//! What a scenario costs against the baseline, pair by pair: parts that are not made, and how long it takes until as
//! many are made again.
//!
//! Output has come back at the first time from which on it stays back: no stretch from there on holds less than 95 %
//! of what the baseline makes in it, but for one part, or for 5 % of what the scenario was behind at worst. That time
//! is moved on to the end of a stretch in which parts are lost in every window. It counts only where the baseline
//! makes at least an eighth of its parts afterwards: an end at which nobody works tells nothing.

use super::collect::{Collected, FINE};
use super::outcome::{Measured, measured};
use super::scenario::Scenario;
use super::study::Effort;
use crate::statistics::wilson;
use serde_json::{Value, json};

/// Output is back where it is at least this share of the baseline's.
const BACK: f64 = 0.95;
/// Of what the scenario was behind at worst so much may still be lost.
const LEFT: f64 = 0.05;
/// Of the baseline's parts after the change so many must be made after the recovery.
const AFTERWARDS: f64 = 0.125;

/// What a scenario costs against the baseline.
#[derive(Clone, Debug, PartialEq)]
pub struct Loss {
    /// The scenario.
    pub scenario: String,
    /// When its first change begins, in nanoseconds from the start.
    pub from_ns: u64,
    /// How many parts it is behind when it is furthest behind.
    pub at_worst: Measured,
    /// How many parts it is behind at the end; fewer than none where it is ahead.
    pub at_end: Measured,
    /// From the begin of the first change until output is back, in seconds; not a number for a run in which it does
    /// not come back within the horizon, 0 for one that never falls behind.
    pub recovery: Measured,
    /// In how many runs output does not come back within the horizon.
    pub not_recovered: usize,
    /// How likely that is, with its interval.
    pub not_recovered_share: (f64, f64, f64),
}

/// One run beside the baseline's with the same chance.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Course {
    worst: f64,
    end: f64,
    recovery_s: f64,
}

/// What each scenario costs; runs have the baseline first.
pub(super) fn losses(
    scenarios: &[&Scenario],
    runs: &[Vec<Collected>],
    effort: &Effort,
) -> Vec<Loss> {
    let mut all = Vec::new();
    for (case, scenario) in scenarios.iter().enumerate().skip(1) {
        let begins = scenario.changes.iter().map(|change| change.from_ns);
        let from_ns = begins.min().unwrap_or(0).min(effort.horizon_ns);
        let courses = runs.iter().filter_map(|run| {
            let (base, other) = (run.first()?, run.get(case)?);
            let times = (from_ns, effort.horizon_ns);
            Some(course(&base.curve, &other.curve, times))
        });
        let courses: Vec<Course> = courses.collect();
        let of = |name: &str, unit, value: &dyn Fn(&Course) -> f64| {
            let values = courses.iter().map(value).collect();
            measured(name.to_owned(), unit, values, effort.confidence)
        };
        let lost = courses.iter().filter(|one| one.recovery_s.is_nan()).count();
        all.push(Loss {
            scenario: scenario.name.clone(),
            from_ns,
            at_worst: of("behind at worst", "parts", &|one| one.worst),
            at_end: of("behind at the end", "parts", &|one| one.end),
            recovery: of("recovery time", "s", &|one| one.recovery_s),
            not_recovered: lost,
            not_recovered_share: wilson(lost as u64, courses.len() as u64, effort.confidence),
        });
    }
    all
}

/// Two curves of parts finished by the end of each window, and what lies between them.
fn course(base: &[u64], other: &[u64], (from_ns, horizon_ns): (u64, u64)) -> Course {
    let at = |curve: &[u64], window: usize| match window {
        0 => 0.0,
        _ => curve.get(window - 1).map_or(0.0, |count| *count as f64),
    };
    let begin = u128::from(from_ns) * FINE as u128 / u128::from(horizon_ns.max(1));
    let begin = usize::try_from(begin).unwrap_or(FINE).min(FINE);
    let behind: Vec<f64> = (0..=FINE)
        .map(|at_window| at(base, at_window) - at(other, at_window))
        .collect();
    let worst = behind.iter().copied().fold(0.0, f64::max);
    let end = behind.last().copied().unwrap_or(0.0);
    let room = (LEFT * worst).max(1.0);
    // What is lost beyond the share that may be: where it grows no more, output is back.
    let beyond = |window: usize| {
        behind.get(window).copied().unwrap_or(end) - (1.0 - BACK) * at(base, window)
    };
    let mut most = f64::NEG_INFINITY;
    let mut back = FINE;
    for window in (begin..=FINE).rev() {
        most = most.max(beyond(window));
        if most - beyond(window) <= room {
            back = window;
        }
    }
    while back > begin && back < FINE && behind.get(back + 1) > behind.get(back) {
        back += 1;
    }
    let made = at(base, FINE) - at(base, begin);
    let is_back = at(base, FINE) - at(base, back) >= AFTERWARDS * made;
    let since_ns = horizon_ns as f64 * back as f64 / FINE as f64 - from_ns as f64;
    Course {
        worst,
        end,
        recovery_s: match is_back {
            true => (since_ns / 1e9).max(0.0),
            false => f64::NAN,
        },
    }
}

impl Loss {
    /// For programs.
    pub(super) fn to_json(&self) -> Value {
        let of = |one: &Measured| {
            json!({
                "unit": one.unit,
                "mean": one.interval.mean,
                "half_width": one.interval.half_width,
                "p10": one.quantiles[0],
                "p50": one.quantiles[1],
                "p90": one.quantiles[2],
            })
        };
        let (share, low, high) = self.not_recovered_share;
        json!({
            "scenario": self.scenario,
            "from_s": self.from_ns as f64 / 1e9,
            "behind_at_worst": of(&self.at_worst),
            "behind_at_the_end": of(&self.at_end),
            "recovery_time": of(&self.recovery),
            "not_recovered": {
                "runs": self.not_recovered,
                "probability": share,
                "from": low,
                "to": high,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Windows of one second; `rate` says how many parts are made in each.
    fn curve(rate: impl Fn(usize) -> u64) -> Vec<u64> {
        let mut sum = 0;
        let windows = (0..FINE).map(|window| {
            sum += rate(window);
            sum
        });
        windows.collect()
    }

    fn of(rate: impl Fn(usize) -> u64, from_s: u64) -> Course {
        let second = 1_000_000_000;
        let times = (from_s * second, FINE as u64 * second);
        course(&curve(|_| 10), &curve(rate), times)
    }

    #[test]
    fn output_is_back_where_it_stays_back() {
        // Nothing for 30 windows from the 50th on, then as before.
        let stood = of(|window| if (50..80).contains(&window) { 0 } else { 10 }, 50);
        assert_eq!(
            (stood.worst, stood.end, stood.recovery_s),
            (300.0, 300.0, 30.0)
        );
        // Then faster until half of it is caught up.
        let caught = of(
            |window| match window {
                50..80 => 0,
                80..155 => 12,
                _ => 10,
            },
            50,
        );
        assert_eq!(
            (caught.worst, caught.end, caught.recovery_s),
            (300.0, 150.0, 30.0)
        );
        // A pause between two stops is no recovery, though output was as before in it.
        let twice = of(
            |window| {
                if (50..60).contains(&window) || (70..90).contains(&window) {
                    0
                } else {
                    10
                }
            },
            50,
        );
        assert_eq!((twice.worst, twice.recovery_s), (300.0, 40.0));
        // What the change holds up only later is counted from the change on.
        let later = of(|window| if (50..80).contains(&window) { 0 } else { 10 }, 20);
        assert_eq!(later.recovery_s, 60.0);
    }

    #[test]
    fn what_lasts_is_not_recovered_and_what_costs_nothing_is_so_at_once() {
        assert!(of(|_| 8, 50).recovery_s.is_nan());
        assert!(
            of(|window| if window < 270 { 10 } else { 0 }, 250)
                .recovery_s
                .is_nan()
        );
        assert_eq!(
            of(|_| 10, 50),
            Course {
                worst: 0.0,
                end: 0.0,
                recovery_s: 0.0
            }
        );
        let ahead = of(|_| 11, 0);
        assert_eq!(
            (ahead.worst, ahead.end, ahead.recovery_s),
            (0.0, -(FINE as f64), 0.0)
        );
        // Nobody works after the stop: that it is not seen to last says nothing.
        let base = curve(|window| if window < 100 { 10 } else { 0 });
        let other = curve(|window| if window < 50 { 10 } else { 0 });
        assert!(course(&base, &other, (50, FINE as u64)).recovery_s.is_nan());
    }
}
