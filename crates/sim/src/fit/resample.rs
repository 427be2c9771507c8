//! Fitted parameters by chance, as far as the data leave them open.

use super::Fit;
use super::mixture::{self, Sort};
use super::model::{Model, Point};
use crate::kernel::{Distribution, Stream, normal};

/// How sure a fit is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Uncertainty {
    /// A point and the covariance of its coordinates; absent where the data do not tell it.
    Normal {
        model: Model,
        at: Point,
        covariance: Option<[Point; 2]>,
    },
    /// Two sorts in so many values.
    Mixture { sorts: [Sort; 2], count: f64 },
    /// The values themselves.
    Values(Vec<f64>),
}

/// So many draws are tried until one can be drawn from.
const TRIES: usize = 20;

impl Fit {
    /// A distribution of the family with parameters by chance, so that a replication with its own draw tells
    /// how much of a result is not known because of few data.
    ///
    /// Parameters are drawn from their asymptotic normal distribution (logarithms of shapes, scales and
    /// deviations), an empirical one is drawn anew from its values with replacement. Where the data do not tell
    /// how sure a fit is, it is the fit itself. A draw whose variance is infinite or whose mean lies more than three
    /// standard errors beside that of the observations is drawn again: few long values let shapes of a heavy tail
    /// vary so much that means explode.
    #[must_use]
    pub fn resample(&self, stream: &mut Stream) -> Distribution {
        for _ in 0..TRIES {
            let drawn = self.draw(stream);
            if let Some(drawn) = drawn.filter(|of| of.check().is_ok() && self.may_be(of)) {
                return drawn;
            }
        }
        self.distribution.clone()
    }

    /// What is drawn from the values themselves has a tail that they speak for; a family is held by their mean.
    fn may_be(&self, drawn: &Distribution) -> bool {
        match &self.uncertainty {
            Uncertainty::Values(_) => drawn.mean_s().is_finite(),
            _ => self.tail.allows_instead(drawn, &self.distribution),
        }
    }

    fn draw(&self, stream: &mut Stream) -> Option<Distribution> {
        match &self.uncertainty {
            Uncertainty::Normal {
                model,
                at,
                covariance,
            } => {
                let [[a, b], [_, c]] = (*covariance)?;
                // The root of the covariance after Cholesky.
                let first = libm::sqrt(a);
                let across = if first > 0.0 { b / first } else { 0.0 };
                let second = libm::sqrt((c - across * across).max(0.0));
                let (x, y) = (normal(stream), normal(stream));
                let drawn = [at[0] + first * x, at[1] + across * x + second * y];
                Some(model.distribution(drawn))
            }
            Uncertainty::Mixture { sorts, count } => {
                let [short, long] = *sorts;
                // On the scale of the logit a share stays between 0 and 1.
                let error = 1.0 / libm::sqrt(count * short.weight * long.weight);
                let logit = libm::log(short.weight / long.weight) + error * normal(stream);
                let weight = 1.0 / (1.0 + libm::exp(-logit));
                let mut drawn = |sort: Sort, weight: f64| {
                    let values = sort.weight * count;
                    Sort {
                        weight,
                        mu: sort.mu + sort.sigma / libm::sqrt(values) * normal(stream),
                        sigma: sort.sigma * libm::exp(normal(stream) / libm::sqrt(2.0 * values)),
                    }
                };
                mixture::distribution([drawn(short, weight), drawn(long, 1.0 - weight)])
            }
            Uncertainty::Values(values) => {
                let count = u64::try_from(values.len()).unwrap_or(0);
                let drawn = (0..count).filter_map(|_| {
                    let at = usize::try_from(stream.below(count)).ok()?;
                    values.get(at).copied()
                });
                Distribution::empirical(drawn.collect::<Vec<f64>>()).ok()
            }
        }
    }
}
