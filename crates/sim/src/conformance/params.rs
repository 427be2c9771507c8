//! What a case's parameters are, by their names.

use serde_json::Value;

/// The parameters of a case.
pub(super) struct Params<'v>(pub(super) &'v Value);

impl Params<'_> {
    /// Whether there is one of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some()
    }

    /// A number. Errors: there is none of this name.
    pub(super) fn number(&self, name: &str) -> Result<f64, String> {
        let number = self.0.get(name).and_then(Value::as_f64);
        number.ok_or_else(|| format!("the parameter \"{name}\" is missing or no number"))
    }

    /// A rate as the mean time between. Errors: it is not greater than zero.
    pub(super) fn mean_of_rate(&self, name: &str) -> Result<f64, String> {
        mean_of(name, self.number(name)?)
    }

    /// A whole number.
    pub(super) fn count(&self, name: &str) -> Result<u32, String> {
        count_of(name, self.number(name)?)
    }

    /// A list of numbers; one number stands for a list of it alone.
    pub(super) fn numbers(&self, name: &str) -> Result<Vec<f64>, String> {
        let missing = || format!("the parameter \"{name}\" is missing or no list of numbers");
        super::numbers(self.0.get(name).ok_or_else(missing)?).ok_or_else(missing)
    }

    /// A list of lists of numbers.
    pub(super) fn lists(&self, name: &str) -> Result<Vec<Vec<f64>>, String> {
        let missing =
            || format!("the parameter \"{name}\" is missing or no list of lists of numbers");
        let lists = self.0.get(name).and_then(Value::as_array);
        let lists: Option<Vec<_>> = lists
            .ok_or_else(missing)?
            .iter()
            .map(super::numbers)
            .collect();
        lists.ok_or_else(missing)
    }

    /// A list of rates as mean times between.
    pub(super) fn means_of_rates(&self, name: &str) -> Result<Vec<f64>, String> {
        let rates = self.numbers(name)?;
        rates.into_iter().map(|rate| mean_of(name, rate)).collect()
    }

    /// A list of whole numbers.
    pub(super) fn counts(&self, name: &str) -> Result<Vec<u32>, String> {
        let numbers = self.numbers(name)?;
        numbers
            .into_iter()
            .map(|number| count_of(name, number))
            .collect()
    }

    /// A whole number or a list of them, in which null is no limit. Without any there is none either.
    pub(super) fn limits(&self, name: &str) -> Result<Vec<Option<u32>>, String> {
        let one = |value: &Value| match value {
            Value::Null => Ok(None),
            value => {
                let number = value.as_f64();
                let number = number.ok_or_else(|| format!("\"{name}\" is no number"))?;
                count_of(name, number).map(Some)
            }
        };
        match self.0.get(name) {
            Some(Value::Array(values)) => values.iter().map(one).collect(),
            value => Ok(vec![one(value.unwrap_or(&Value::Null))?]),
        }
    }

    /// A list of groups of parameters.
    pub(super) fn groups(&self, name: &str) -> Result<Vec<Params<'_>>, String> {
        let groups = self.0.get(name).and_then(Value::as_array);
        let groups = groups.ok_or_else(|| format!("the parameter \"{name}\" is no list"))?;
        Ok(groups.iter().map(Params).collect())
    }

    /// A text.
    pub(super) fn text(&self, name: &str) -> Result<&str, String> {
        let text = self.0.get(name).and_then(Value::as_str);
        text.ok_or_else(|| format!("the parameter \"{name}\" is missing or no text"))
    }
}

/// A rate as the mean time between. Errors: it is not greater than zero.
pub(super) fn mean_of(name: &str, rate: f64) -> Result<f64, String> {
    match rate > 0.0 {
        true => Ok(1.0 / rate),
        false => Err(format!("the rate \"{name}\" is not greater than zero")),
    }
}

fn count_of(name: &str, number: f64) -> Result<u32, String> {
    match (0.0..=1e9).contains(&number) && number.fract() == 0.0 {
        true => Ok(number as u32),
        false => Err(format!("the parameter \"{name}\" is no whole number")),
    }
}
