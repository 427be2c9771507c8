//! Arrivals whose rate changes with the time of day: a Poisson process that is not stationary.

use super::{Stream, to_ns};
use std::sync::Arc;

/// A rate of arrivals that is constant between given times, and may repeat. A clone shares the table.
///
/// The next arrival is found by inverting the cumulated rate (Çinlar, Introduction to Stochastic Processes,
/// 1975), which is exact and takes one draw.
#[derive(Clone, Debug, PartialEq)]
pub struct ArrivalRates {
    steps: Arc<[Step]>,
    period_ns: Option<u64>,
    /// How many arrivals there are in a period on average.
    per_period: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Step {
    from_ns: u64,
    per_s: f64,
    /// How many arrivals there are before it on average.
    before: f64,
}

/// Why a table of rates is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArrivalRatesError {
    /// There is no step at time 0.
    #[error("the first rate has to begin at time 0")]
    Beginning,
    /// Times do not ascend, or lie at or after the end of the period.
    #[error("rates have to begin one after the other, and before the period ends")]
    Order,
    /// A rate is negative, infinite or no number.
    #[error("a rate is negative, infinite or no number")]
    Rate,
}

impl ArrivalRates {
    /// Rates per second, each with the time in nanoseconds at which it begins to hold. The last one holds for
    /// ever, or until the period ends and the first one holds again.
    ///
    /// # Errors
    ///
    /// [`ArrivalRatesError`]: no rate at time 0, times that do not ascend, a rate that is none.
    pub fn new(rates: &[(u64, f64)], period_ns: Option<u64>) -> Result<Self, ArrivalRatesError> {
        if rates.first().map(|(from_ns, _)| *from_ns) != Some(0) {
            return Err(ArrivalRatesError::Beginning);
        }
        let ends = |last: u64| period_ns.is_none_or(|period| last < period);
        if !rates.is_sorted_by(|a, b| a.0 < b.0) || !rates.last().is_some_and(|last| ends(last.0)) {
            return Err(ArrivalRatesError::Order);
        }
        if rates
            .iter()
            .any(|(_, per_s)| !(per_s.is_finite() && *per_s >= 0.0))
        {
            return Err(ArrivalRatesError::Rate);
        }
        let mut before = 0.0;
        let mut steps: Vec<Step> = Vec::with_capacity(rates.len());
        for (from_ns, per_s) in rates.iter().copied() {
            before += steps.last().map_or(0.0, |last| last.arrivals(from_ns));
            steps.push(Step {
                from_ns,
                per_s,
                before,
            });
        }
        let in_last = |last: &Step| last.arrivals(period_ns.unwrap_or(last.from_ns));
        let per_period = before + steps.last().map_or(0.0, in_last);
        Ok(Self {
            steps: steps.into(),
            period_ns,
            per_period,
        })
    }

    /// So many times these rates.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        let steps = self.steps.iter().map(|step| Step {
            from_ns: step.from_ns,
            per_s: step.per_s * factor,
            before: step.before * factor,
        });
        Self {
            steps: steps.collect(),
            period_ns: self.period_ns,
            per_period: self.per_period * factor,
        }
    }

    /// How many arrivals there are on average from time 0 to a time in nanoseconds.
    #[must_use]
    pub fn expected_until(&self, at_ns: u64) -> f64 {
        let (periods, at_ns) = self.place(at_ns);
        periods as f64 * self.per_period + self.within(at_ns)
    }

    /// The time of the next arrival after a time, both in nanoseconds from the start; absent where the rate
    /// is 0 for ever. Held at the end of the range.
    pub fn next_ns(&self, now_ns: u64, stream: &mut Stream) -> Option<u64> {
        let (mut periods, place_ns) = self.place(now_ns);
        let mut target = self.within(place_ns) - libm::log(stream.unit());
        if self.period_ns.is_some() {
            if self.per_period <= 0.0 {
                return None;
            }
            let more = libm::floor(target / self.per_period);
            target -= more * self.per_period;
            periods = periods.saturating_add(more as u64);
        }
        let after = self.steps.partition_point(|step| step.before <= target);
        let step = self.steps.get(after.checked_sub(1)?)?;
        if step.per_s <= 0.0 && self.period_ns.is_none() {
            return None;
        }
        // Rounding may leave the end of a period to a step without arrivals: then it is that step's beginning.
        let into_s = match step.per_s > 0.0 {
            true => (target - step.before) / step.per_s,
            false => 0.0,
        };
        let start_ns = periods.saturating_mul(self.period_ns.unwrap_or(0));
        let at_ns = start_ns
            .saturating_add(step.from_ns)
            .saturating_add(to_ns(into_s));
        Some(at_ns.max(now_ns))
    }

    /// Whole periods before a time, and how far it lies in its own.
    fn place(&self, at_ns: u64) -> (u64, u64) {
        match self.period_ns {
            Some(period) if period > 0 => (at_ns / period, at_ns % period),
            _ => (0, at_ns),
        }
    }

    fn within(&self, at_ns: u64) -> f64 {
        let after = self.steps.partition_point(|step| step.from_ns <= at_ns);
        let step = after.checked_sub(1).and_then(|at| self.steps.get(at));
        step.map_or(0.0, |step| step.before + step.arrivals(at_ns))
    }
}

impl Step {
    /// How many arrivals there are on average from its beginning to a time.
    fn arrivals(&self, to_ns: u64) -> f64 {
        self.per_s * (to_ns.saturating_sub(self.from_ns) as f64 / 1e9)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Purpose, Streams};
    use super::*;

    const HOUR: u64 = 3_600_000_000_000;

    #[test]
    fn arrivals_follow_their_rates() {
        // Nothing at night, ten an hour in the morning, forty in the afternoon.
        let rates = [
            (0, 0.0),
            (6 * HOUR, 10.0 / 3_600.0),
            (12 * HOUR, 40.0 / 3_600.0),
            (18 * HOUR, 0.0),
        ];
        let table = ArrivalRates::new(&rates, Some(24 * HOUR)).unwrap();
        assert!((table.expected_until(24 * HOUR) - 300.0).abs() < 1e-9);
        assert!((table.expected_until(37 * HOUR) - 400.0).abs() < 1e-9);
        let mut stream = Streams::new(5, 0).stream(0, Purpose::Arrivals);
        let (mut now, mut counts, days) = (0, [0_u32; 24], 200_u64);
        while let Some(next) = table.next_ns(now, &mut stream) {
            assert!(next >= now);
            now = next;
            if now >= days * 24 * HOUR {
                break;
            }
            counts[usize::try_from(now % (24 * HOUR) / HOUR).unwrap()] += 1;
        }
        for (hour, count) in counts.into_iter().enumerate() {
            let mean = [0.0, 10.0, 40.0, 0.0][hour / 6] * days as f64;
            let apart = (f64::from(count) - mean).abs();
            assert!(apart <= 4.0 * libm::sqrt(mean), "{hour}: {count}");
        }
    }

    #[test]
    fn a_rate_that_ends_lets_nothing_come() {
        let mut stream = Streams::new(5, 0).stream(0, Purpose::Arrivals);
        let table = ArrivalRates::new(&[(0, 1.0), (HOUR, 0.0)], None).unwrap();
        assert_eq!(table.next_ns(2 * HOUR, &mut stream), None);
        assert!(table.next_ns(0, &mut stream).is_some_and(|at| at < HOUR));
        let never = ArrivalRates::new(&[(0, 0.0)], Some(HOUR)).unwrap();
        assert_eq!(never.next_ns(5, &mut stream), None);
        for (rates, period, error) in [
            (vec![], None, ArrivalRatesError::Beginning),
            (vec![(5, 1.0)], None, ArrivalRatesError::Beginning),
            (vec![(0, 1.0), (0, 2.0)], None, ArrivalRatesError::Order),
            (vec![(0, 1.0), (9, 2.0)], Some(9), ArrivalRatesError::Order),
            (vec![(0, f64::NAN)], None, ArrivalRatesError::Rate),
        ] {
            assert_eq!(ArrivalRates::new(&rates, period), Err(error));
        }
    }
}
