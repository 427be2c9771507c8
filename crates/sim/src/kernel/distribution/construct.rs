//! Distributions from the arguments that stand in a text.

use super::parse::{Argument, Parameter, Parsed, Value, fail};
use super::{Distribution, DistributionError};
use werkbuch_model::nearest::did_you_mean;

pub(super) fn checked(
    at: usize,
    built: Result<Distribution, DistributionError>,
) -> Parsed<Distribution> {
    let built = built.and_then(Distribution::checked);
    built.or_else(|error| fail(at, error.to_string()))
}

pub(super) fn no_unit<T>(at: usize, what: &str, number: f64) -> Parsed<T> {
    fail(
        at,
        format!("{what} needs a unit: {number}s, {number}min, {number}h"),
    )
}

/// A distribution from the arguments of its family; `at` is where it begins and `end` where it ends.
pub(super) fn build(
    (family, parameters, least): &(&'static str, &[Parameter], usize),
    mut arguments: Vec<Argument<'_>>,
    at: usize,
    end: usize,
) -> Parsed<Distribution> {
    if parameters.is_empty() {
        return checked(at, build_list(family, arguments)?);
    }
    let inner = match *family {
        "scaled" | "shifted" => Some(of_whom(arguments.pop(), end)?),
        _ => None,
    };
    let values = assign(family, parameters, arguments)?;
    let missing = parameters.iter().zip(&values).take(*least);
    if let Some(((name, _), _)) = missing.into_iter().find(|(_, value)| value.is_none()) {
        return fail(end, format!("{family}: its {name} is missing"));
    }
    let location = values.get(2).copied().flatten();
    let value = |index: usize| values.get(index).copied().flatten().unwrap_or(0.0);
    let (a, b, c) = (value(0), value(1), value(2));
    let built = match (*family, inner) {
        ("scaled", Some(of)) => of.scaled(a),
        ("shifted", Some(of)) => of.shifted(a),
        ("uniform", _) => Distribution::Uniform(a, b),
        ("triangular", _) => Distribution::Triangular(a, b, c),
        ("pert", _) => Distribution::Pert(a, b, c),
        ("beta", _) => Distribution::Beta {
            alpha: a,
            beta: b,
            least: c,
            most: value(3),
        },
        ("normal", _) => Distribution::Normal(a, b),
        ("lognormal", _) => Distribution::Lognormal(a, b),
        ("exponential", _) => Distribution::Exponential(a),
        ("erlang", _) => Distribution::Erlang(whole(at, "stages", a)?, b),
        ("gamma", _) => Distribution::Gamma(a, b),
        ("weibull", _) => match location {
            Some(location) => Distribution::ShiftedWeibull(a, b, location),
            None => Distribution::Weibull(a, b),
        },
        ("log-logistic", _) => Distribution::LogLogistic(a, b),
        ("geometric", _) => Distribution::Geometric(a),
        ("bernoulli", _) => Distribution::Bernoulli(a),
        ("poisson", _) => Distribution::Poisson(a),
        ("binomial", _) => Distribution::Binomial(whole(at, "n", a)?, b),
        ("negative-binomial", _) => Distribution::NegativeBinomial(a, b),
        _ => Distribution::Constant(a),
    };
    checked(at, Ok(built))
}

/// The distribution that is scaled or shifted: the last argument.
fn of_whom(argument: Option<Argument<'_>>, end: usize) -> Parsed<Distribution> {
    match argument.map(|argument| (argument.at, argument.weight, argument.value)) {
        Some((_, None, Value::Of(of))) => Ok(of),
        // "scaled(0.5 exponential(...))" lacks no more than a comma.
        Some((at, Some(_), _)) => fail(at, "a \",\" is missing after the number"),
        Some((at, ..)) => fail(
            at,
            "here a distribution is to be given, as in constant(60s)",
        ),
        None => fail(end, "here a distribution is missing, as in constant(60s)"),
    }
}

fn whole(at: usize, name: &str, number: f64) -> Parsed<u32> {
    let is_whole = number >= 0.0 && number <= f64::from(u32::MAX) && libm::floor(number) == number;
    match is_whole {
        true => Ok(number as u32),
        false => fail(
            at,
            format!("{name} is {number} and has to be a whole number"),
        ),
    }
}

/// The values in the order of the parameters.
fn assign(
    family: &str,
    parameters: &[Parameter],
    arguments: Vec<Argument<'_>>,
) -> Parsed<Vec<Option<f64>>> {
    let mut values: Vec<Option<f64>> = vec![None; parameters.len()];
    let names = || parameters.iter().map(|(name, _)| *name);
    for argument in arguments {
        let at = argument.at;
        let index = match argument.name {
            Some(name) => names().position(|known| known == name),
            None => values.iter().position(Option::is_none),
        };
        let place = index.and_then(|index| Some((parameters.get(index)?, values.get_mut(index)?)));
        let Some(((name, is_time), place)) = place else {
            let list = names().collect::<Vec<_>>().join(", ");
            return match argument.name {
                Some(name) => {
                    let hint = did_you_mean(name, names());
                    let hint = hint.unwrap_or_else(|| format!("there are {list}"));
                    fail(at, format!("{family} has no parameter \"{name}\": {hint}"))
                }
                None => fail(at, format!("{family} has no more parameters than {list}")),
            };
        };
        if place.is_some() {
            return fail(at, format!("{family}: its {name} is given twice"));
        }
        *place = Some(match argument.value {
            _ if argument.weight.is_some() => {
                return fail(at, format!("{family} takes no weights: a \",\" is missing"));
            }
            Value::Time(seconds) if *is_time => seconds,
            Value::Number(0.0) => 0.0,
            Value::Number(number) if *is_time => return no_unit(at, name, number),
            Value::Number(number) => number,
            Value::Time(_) => return fail(at, format!("{family}: its {name} has no unit")),
            Value::Of(_) => {
                let what = if *is_time { "time" } else { "number" };
                return fail(at, format!("{family}: its {name} is a {what}"));
            }
        });
    }
    Ok(values)
}

/// Those whose arguments are a list.
fn build_list(
    family: &str,
    arguments: Vec<Argument<'_>>,
) -> Parsed<Result<Distribution, DistributionError>> {
    let is_mixture = family == "mixture";
    let takes_weights = is_mixture || matches!(family, "discrete" | "hyper-exponential");
    let (mut times, mut parts) = (Vec::new(), Vec::new());
    for argument in arguments {
        let at = argument.at;
        if let Some(name) = argument.name {
            return fail(at, format!("{family} has no parameter \"{name}\""));
        }
        let weight = match (argument.weight, takes_weights) {
            (Some(weight), true) => weight,
            (None, false) => 1.0,
            (None, true) => {
                return fail(at, format!("{family}: a weight is missing, as in 0.9 60s"));
            }
            (Some(_), false) => return fail(at, format!("{family} takes no weights")),
        };
        match argument.value {
            Value::Of(of) if is_mixture => parts.push((weight, of)),
            Value::Time(time) if is_mixture => parts.push((weight, Distribution::Constant(time))),
            Value::Time(time) => times.push((weight, time)),
            Value::Number(0.0) => times.push((weight, 0.0)),
            Value::Number(number) => return no_unit(at, "a time", number),
            Value::Of(_) => return fail(at, format!("{family} takes times")),
        }
    }
    let values = times.iter().map(|(_, time)| *time);
    Ok(match family {
        "mixture" => Distribution::mixture(parts),
        "discrete" => Distribution::discrete(times),
        "hyper-exponential" => Distribution::hyper_exponential(times),
        "empirical" => Distribution::empirical(values),
        "continuous-empirical" => Distribution::continuous_empirical(values),
        _ => Distribution::trace(values),
    })
}
