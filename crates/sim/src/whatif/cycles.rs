//! Cycle times out of what was recorded: of the machine, and of each variant where these differ.

use super::evidence::{Evidence, LEAST_S};
use super::fork::{Fitted, Part, last};
use super::model::Model;
use crate::fit::{
    Observation, PARAMETRIC_VALUES_MIN, differ, fit_pooled, low_quantile, select, steady_from,
};
use crate::kernel::Distribution;
use std::sync::Arc;

/// Cycles of which it is not known whether they waited are taken for as long as one of this share at least.
const LOW: f64 = 0.1;

/// Variants differ where they would do so by chance less often than this.
const DIFFER: f64 = 0.01;

impl Model {
    /// Fits the cycles of a station: those with nothing inside but work, since the last drift.
    pub(super) fn fit_cycle(
        &mut self,
        at: usize,
        own: &Evidence,
        pool: &[Observation],
        sheet: &mut Vec<Fitted>,
    ) {
        let Some(name) = self.layout.machines.get(at).map(|one| one.id.clone()) else {
            return;
        };
        let (all, sorts) = (last(&own.cycles), last(&own.sorts));
        let seconds: Vec<f64> = all.iter().map(|one| one.seconds).collect();
        let from = steady_from(&seconds, sorts);
        let window = all.get(from..).unwrap_or_default();
        if !window.is_empty()
            && let Ok(selection) = fit_pooled(window, pool)
        {
            self.use_fit((at, &name), Part::Cycle, window, selection, sheet);
            if let Some(row) = sheet.last_mut().filter(|_| from > 0) {
                row.basis += &format!(", after a drift: {from} cycles before it are left out");
            }
            let sorts = sorts.get(from..).unwrap_or_default();
            self.fit_variants((at, &name), (window, sorts), &own.variants, sheet);
            return;
        }
        if let Some(low) = low_quantile(&own.paces, LOW).filter(|low| *low > LEAST_S) {
            let times = Distribution::Constant(low);
            self.set((at, Part::Cycle), times.clone());
            sheet.push(Fitted {
                machine: name,
                what: "cycle",
                distribution: times,
                values: own.paces.len(),
                censored: 0,
                ks_distance: None,
                basis: "upper bound, may contain waiting: one of ten times between two parts is shorter"
                    .to_owned(),
            });
            return;
        }
        self.assumptions.push(format!(
            "{name} completed no cycle in the window: it takes what is planned"
        ));
    }

    /// Fits each variant by itself where one of them is not as the others: each has so many cycles that a family
    /// can be told, and one differs from all others by the test of Kolmogorov and Smirnov at a level of 1 %, divided
    /// by how many are compared.
    fn fit_variants(
        &mut self,
        (at, name): (usize, &str),
        (window, sorts): (&[Observation], &[usize]),
        variants: &[String],
        sheet: &mut Vec<Fitted>,
    ) {
        let layout = Arc::clone(&self.layout);
        let of = |sort: usize, is_of: bool| -> Vec<Observation> {
            let pairs = window.iter().zip(sorts);
            let chosen = pairs.filter(|(_, one)| (**one == sort) == is_of);
            chosen.map(|(value, _)| *value).collect()
        };
        let known = variants.iter().enumerate().filter_map(|(sort, name)| {
            let variant = layout.variants.iter().position(|one| one.id == *name)?;
            let own = of(sort, true);
            (own.len() >= PARAMETRIC_VALUES_MIN).then_some((sort, variant, own))
        });
        let mut known: Vec<(usize, usize, Vec<Observation>)> = known.collect();
        known.sort_by_key(|(_, variant, _)| *variant);
        let seconds =
            |of: &[Observation]| -> Vec<f64> { of.iter().map(|one| one.seconds).collect() };
        let level = DIFFER / known.len().max(1) as f64;
        let differs = known
            .iter()
            .any(|(sort, _, own)| differ(&seconds(own), &seconds(&of(*sort, false)), level));
        if known.len() < 2 || !differs {
            return;
        }
        if let Some(row) = sheet.last_mut() {
            row.basis += ", of variants that have too few cycles of their own";
        }
        for (sort, variant, own) in &known {
            let Ok(selection) = select(own) else { continue };
            let what = Part::CycleOf(*variant);
            self.use_fit((at, name), what, own, selection, sheet);
            if let (Some(row), Some(variant)) = (sheet.last_mut(), variants.get(*sort)) {
                row.basis = format!("variant {variant}: {}", row.basis);
            }
        }
    }
}
