//! Families that follow without chance.

use super::params::Params;
use super::queues::unknown;
use crate::fit::{Family, Observation, fit_families};
use crate::statistics::{Interval, budget_shares, mean_interval, paired_interval};

/// The confidence of the intervals of this family, as its convention says.
const CONFIDENCE: f64 = 0.95;

/// What many replications say.
pub(super) fn statistics(params: &Params<'_>, model: &str) -> Result<Vec<f64>, String> {
    let both = |interval: Interval| vec![interval.mean, interval.half_width];
    match model {
        "mean +- t*s/sqrt(n)" => Ok(both(mean_interval(&params.numbers("data")?, CONFIDENCE))),
        "paired t" => {
            let (a, b) = (params.numbers("a")?, params.numbers("b")?);
            if a.len() != b.len() {
                return Err("the lists are no pairs".to_owned());
            }
            Ok(both(paired_interval(&a, &b, CONFIDENCE)))
        }
        "optimal computing budget allocation" => {
            let shares = budget_shares(&params.numbers("mean")?, &params.numbers("sd")?);
            shares.ok_or_else(|| "there is no best scenario".to_owned())
        }
        _ => Err(format!("the model \"{model}\" is not known")),
    }
}

/// What distributions fitted to data come to: parameters, or what Akaike's criterion says of families.
pub(super) fn fitting(
    params: &Params<'_>,
    model: &str,
    quantity: &str,
) -> Result<Vec<f64>, String> {
    let exact = match params.has("failures") {
        true => params.numbers("failures")?,
        false => params.numbers("data")?,
    };
    let censored = match params.has("censored_at") {
        true => params.numbers("censored_at")?,
        false => Vec::new(),
    };
    let exact = exact.into_iter().map(Observation::exact);
    let all: Vec<Observation> = exact
        .chain(censored.into_iter().map(Observation::censored))
        .collect();
    let one = |family: Family| {
        let mut fits = fit_families(&all, &[family]).map_err(|error| error.to_string())?;
        fits.pop()
            .ok_or_else(|| "nothing could be fitted".to_owned())
    };
    let asked = quantity.trim_matches(['[', ']', '{', '}']);
    let names: Vec<&str> = asked.split(',').map(str::trim).collect();
    if model.starts_with("AIC") {
        let aics = names.iter().map(|name| {
            let family = family(name).ok_or_else(|| unknown(quantity))?;
            one(family).map(|fit| fit.aic)
        });
        return aics.collect();
    }
    let word: String = model
        .chars()
        .take_while(|c| c.is_ascii_alphabetic())
        .collect();
    let fit = one(family(&word).ok_or_else(|| format!("the model \"{model}\" is not known"))?)?;
    let value = |name: &&str| {
        let mean = fit.distribution.mean_s();
        let value = match name.to_ascii_lowercase().as_str() {
            "mtbf" | "mttr" | "mean" => Some(mean),
            "rate" | "lambda" => Some(1.0 / mean),
            "aic" => Some(fit.aic),
            "lnl" | "log-likelihood" => Some(fit.log_likelihood),
            "ks" => Some(fit.ks_distance),
            name => fit.parameter(name),
        };
        value.ok_or_else(|| unknown(quantity))
    };
    names.iter().map(value).collect()
}

/// A family by the name or the beginning of the name that cases give it.
fn family(name: &str) -> Option<Family> {
    let names = [
        ("exponential", Family::Exponential),
        ("weibull", Family::Weibull),
        ("lognormal", Family::Lognormal),
        ("gamma", Family::Gamma),
        ("loglogistic", Family::LogLogistic),
        ("normal", Family::Normal),
        ("erlang", Family::Erlang),
    ];
    let name = name.to_ascii_lowercase();
    let found = names
        .iter()
        .find(|(known, _)| name.len() > 2 && known.starts_with(&name));
    found.map(|(_, family)| *family)
}
