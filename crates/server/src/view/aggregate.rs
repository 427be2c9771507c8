//! Figures over machines: counts, sums, averages, least and greatest values, by what they have in common.

use super::fields::{LISTED_FIELDS, MACHINE_FIELDS};
use super::found::Standing;
use super::row::MachineRow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use tonic::Status;
use werkbuch_model::filter::{FieldKind, Filter, Row, Value};
use werkbuch_model::nearest::did_you_mean;
use werkbuch_model::time::Timestamp;
use werkbuch_table::aggregates::Yields;
use werkbuch_wire::pb;
use werkbuch_wire::pb::aggregate_value::Value as Answer;
use werkbuch_wire::reason::Reason;

/// The most measures of one request.
const MEASURES_MAX: usize = 16;
/// The most fields that groups have in common.
const KEYS_MAX: usize = 8;
/// The most groups of one answer.
const GROUPS_MAX: usize = 10_000;
/// A number that is a name: it is counted and compared, and not added.
const NAMING: &str = "number";
/// How sources call percent.
const PERCENT: [&str; 3] = ["%", "P1", "PERCENT"];
const ADDED: [pb::AggregateFunction; 2] = [pb::AggregateFunction::Sum, pb::AggregateFunction::Avg];

/// What is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Measures {
    measures: Vec<Measure>,
    /// Indexes of fields.
    keys: Vec<usize>,
}

#[derive(Clone, Debug)]
struct Measure {
    function: pb::AggregateFunction,
    of: Of,
}

/// What of a machine is measured.
#[derive(Clone, Debug)]
enum Of {
    /// The machine itself.
    Machine,
    /// A field, by its index.
    Field(usize),
    /// The counter of this name.
    Counter(String),
    /// The last value of the samples of this item.
    Sample(String),
    /// The override of this item, a ratio.
    Override(String),
}

/// What a machine has of what is measured.
#[derive(Clone, Copy, Debug)]
enum Figure {
    Whole(i64),
    Float(f64),
    Time(Timestamp),
    /// Something that is counted, and no more.
    There,
}

impl Measures {
    /// Reads what is asked for. Errors: `INVALID_REQUEST`.
    pub(crate) fn of(measures: &[pb::Measure], keys: &[String]) -> Result<Self, Status> {
        if measures.is_empty() || measures.len() > MEASURES_MAX {
            let text = format!("{} measures; ask for 1 to {MEASURES_MAX}", measures.len());
            return Err(invalid("measures", text));
        }
        if keys.len() > KEYS_MAX {
            let text = format!("{} fields to group by are more than {KEYS_MAX}", keys.len());
            return Err(invalid("group_by", text));
        }
        Ok(Self {
            measures: measures.iter().map(Measure::of).collect::<Result<_, _>>()?,
            keys: keys
                .iter()
                .map(|key| key_of(key))
                .collect::<Result<_, _>>()?,
        })
    }
}

impl Measures {
    /// Whether one is about what rules have found.
    pub(crate) fn are_of_rules(&self) -> bool {
        let beyond = MACHINE_FIELDS.fields().len();
        let mut all = self.measures.iter();
        all.any(|one| matches!(one.of, Of::Field(index) if index >= beyond))
    }

    /// What each measure yields, whatever the machines have.
    pub(crate) fn yields(&self) -> Vec<Yields> {
        self.measures.iter().map(Measure::yields).collect()
    }
}

impl Measure {
    fn yields(&self) -> Yields {
        let averages = self.function == pb::AggregateFunction::Avg;
        let kind = |index: usize| LISTED_FIELDS.fields().get(index).map(|field| field.kind);
        match &self.of {
            _ if self.function == pb::AggregateFunction::Count => Yields::Count,
            Of::Field(index) if kind(*index) == Some(FieldKind::Time) => Yields::Time,
            Of::Sample(_) | Of::Override(_) => Yields::Number,
            Of::Field(_) | Of::Counter(_) | Of::Machine if averages => Yields::Number,
            Of::Field(_) | Of::Counter(_) | Of::Machine => Yields::Whole,
        }
    }

    fn of(asked: &pb::Measure) -> Result<Self, Status> {
        let function = asked.function();
        if function == pb::AggregateFunction::Unspecified {
            let text = "a measure says how it is found: COUNT, SUM, AVG, MIN or MAX";
            return Err(invalid("measures.function", text.to_owned()));
        }
        let of = Of::read(&asked.field, function)?;
        let ratio = matches!(of, Of::Override(_)) && ADDED.contains(&function);
        if ratio {
            let text = format!(
                "\"{}\" is a ratio, in percent, and ratios are neither summed nor averaged; ask for its \
                 least or greatest value, or count the machines that have one",
                short(&asked.field)
            );
            return Err(invalid("measures.field", text));
        }
        Ok(Self { function, of })
    }
}

impl Of {
    fn read(text: &str, function: pb::AggregateFunction) -> Result<Self, Status> {
        let counts = function == pb::AggregateFunction::Count;
        if text.is_empty() && counts {
            return Ok(Self::Machine);
        }
        match text.split_once(':') {
            Some(("counter", name)) if !name.is_empty() => return Ok(Self::Counter(name.into())),
            Some(("sample", name)) if !name.is_empty() => return Ok(Self::Sample(name.into())),
            Some(("override", name)) if !name.is_empty() => return Ok(Self::Override(name.into())),
            _ => {}
        }
        let (index, field) = LISTED_FIELDS
            .find(text)
            .ok_or_else(|| unknown("measures.field", text))?;
        let fits = match field.kind {
            _ if counts => true,
            FieldKind::Number => field.name != NAMING || !ADDED.contains(&function),
            FieldKind::Time => !ADDED.contains(&function),
            FieldKind::Text | FieldKind::Word | FieldKind::Bool => false,
        };
        if fits {
            return Ok(Self::Field(index));
        }
        let text = format!(
            "\"{}\" is {}, of which there is no {}; numbers are {}, counter:NAME and sample:ITEM",
            field.name,
            match field.kind {
                FieldKind::Number => "a name".to_owned(),
                kind => format!("a {kind}"),
            },
            word(function),
            numbers()
        );
        Err(invalid("measures.field", text))
    }

    /// What a machine has of it, with its unit.
    fn figure<'r>(&self, row: &'r MachineRow<'_>) -> Option<(Figure, &'r str)> {
        let plain = |figure| Some((figure, ""));
        match self {
            Self::Machine => plain(Figure::There),
            Self::Field(index) => match row.value(*index) {
                Value::Null => None,
                Value::Int(value) => plain(Figure::Whole(value)),
                Value::Float(value) => plain(Figure::Float(value)),
                Value::Time(time) => plain(Figure::Time(time)),
                Value::Text(_) | Value::Bool(_) => plain(Figure::There),
            },
            Self::Counter(name) => {
                let found = row.counters().iter().find(|one| one.counter == name);
                let value = i64::try_from(found?.value?).unwrap_or(i64::MAX);
                plain(Figure::Whole(value))
            }
            Self::Sample(item) => {
                let samples = row.machine.samples();
                let found = samples.into_iter().find(|one| one.item == item)?;
                Some((Figure::Float(found.last?), found.unit))
            }
            Self::Override(item) => {
                let overrides = row.machine.overrides();
                let found = overrides.into_iter().find(|one| one.item == item)?;
                Some((Figure::Float(found.percent?), "%"))
            }
        }
    }
}

/// The figures of the machines of these twins that match.
/// Errors: `INVALID_REQUEST` when there are more groups than an answer tells.
pub(crate) fn figures<'t>(
    plants: impl Iterator<Item = Standing<'t>> + Clone,
    filter: &Filter,
    asked: &Measures,
) -> Result<pb::AggregateMachinesResponse, Status> {
    let mut groups: BTreeMap<Vec<String>, (u32, Vec<Tally>)> = BTreeMap::new();
    let mut matched = 0_u32;
    let rows = plants.clone().flat_map(Standing::rows);
    for row in rows.filter(|row| filter.matches(row)) {
        matched = matched.saturating_add(1);
        let keys = asked.keys.iter().map(|key| shown(&row.value(*key)));
        let (machines, tallies) = groups
            .entry(keys.collect())
            .or_insert_with(|| (0, vec![Tally::default(); asked.measures.len()]));
        *machines = machines.saturating_add(1);
        for (measure, tally) in asked.measures.iter().zip(tallies) {
            if let Some((figure, unit)) = measure.of.figure(&row) {
                tally.take(figure, unit);
            }
        }
        if groups.len() > GROUPS_MAX {
            let text = format!("there are more than {GROUPS_MAX} groups; group by fewer fields");
            return Err(invalid("group_by", text));
        }
    }
    // Of no machines there is one group too, where nothing tells them apart.
    if groups.is_empty() && asked.keys.is_empty() {
        groups.insert(
            Vec::new(),
            (0, vec![Tally::default(); asked.measures.len()]),
        );
    }
    let machines = |plant: Standing<'_>| plant.twin.description().machines().count();
    let all: usize = plants.map(machines).sum();
    Ok(pb::AggregateMachinesResponse {
        groups: groups
            .into_iter()
            .map(|(keys, (machines, tallies))| pb::AggregateGroup {
                keys,
                machines,
                values: asked
                    .measures
                    .iter()
                    .zip(tallies)
                    .map(|(measure, tally)| tally.value(measure.function))
                    .collect(),
            })
            .collect(),
        machines_matched: matched,
        machines: super::unsigned(all),
        cut: None,
    })
}

/// What has been taken of the machines of one group.
#[derive(Clone, Debug, Default)]
struct Tally {
    machines: u32,
    /// The sum of whole numbers, exact.
    whole: i128,
    /// The sum of decimal numbers, and what its rounding has lost.
    float: f64,
    lost: f64,
    is_float: bool,
    least: Option<Figure>,
    greatest: Option<Figure>,
    unit: Option<String>,
    /// Another unit, when there are two.
    other_unit: Option<String>,
}

impl Tally {
    fn take(&mut self, figure: Figure, unit: &str) {
        self.machines = self.machines.saturating_add(1);
        match figure {
            Figure::Whole(value) => self.whole = self.whole.saturating_add(value.into()),
            Figure::Float(value) => {
                self.is_float = true;
                self.add(value);
            }
            Figure::Time(_) | Figure::There => {}
        }
        if self
            .least
            .is_none_or(|least| compare(figure, least).is_lt())
        {
            self.least = Some(figure);
        }
        if self
            .greatest
            .is_none_or(|most| compare(figure, most).is_gt())
        {
            self.greatest = Some(figure);
        }
        match &self.unit {
            None => self.unit = Some(unit.to_owned()),
            Some(known) if known != unit && self.other_unit.is_none() => {
                self.other_unit = Some(unit.to_owned());
            }
            Some(_) => {}
        }
    }

    /// Adds with what rounding loses kept apart, so that the sum does not depend on how large its parts
    /// are. The order is that of plants and machines, so the same machines give the same sum everywhere.
    fn add(&mut self, value: f64) {
        let sum = self.float + value;
        self.lost += if self.float.abs() >= value.abs() {
            (self.float - sum) + value
        } else {
            (value - sum) + self.float
        };
        self.float = sum;
    }

    fn value(self, function: pb::AggregateFunction) -> pb::AggregateValue {
        let unit = self.unit.clone().unwrap_or_default();
        let mut answer = pb::AggregateValue {
            machines: self.machines,
            ..pb::AggregateValue::default()
        };
        if function == pb::AggregateFunction::Count {
            answer.value = Some(Answer::Whole(self.machines.into()));
            return answer;
        }
        if let Some(other) = &self.other_unit {
            answer.not_computable = format!(
                "the values have different units (\"{unit}\", \"{other}\"): ask for the machines of each"
            );
            return answer;
        }
        let is_ratio = PERCENT.iter().any(|one| unit.eq_ignore_ascii_case(one));
        answer.unit = unit;
        if is_ratio && ADDED.contains(&function) {
            answer.not_computable =
                "the values are ratios, in percent, which are neither summed nor averaged"
                    .to_owned();
            return answer;
        }
        answer.value = self.figure(function);
        if answer.value.is_none() && self.machines > 0 {
            answer.not_computable = "the sum is too large".to_owned();
        }
        answer
    }

    fn figure(&self, function: pb::AggregateFunction) -> Option<Answer> {
        let total = self.float + self.lost;
        let finite = |value: f64| value.is_finite().then_some(Answer::Number(value));
        match function {
            _ if self.machines == 0 => None,
            pb::AggregateFunction::Sum if self.is_float => finite(total),
            pb::AggregateFunction::Sum => i64::try_from(self.whole).ok().map(Answer::Whole),
            pb::AggregateFunction::Avg if self.is_float => finite(total / f64::from(self.machines)),
            #[allow(clippy::cast_precision_loss, reason = "an average is a decimal number")]
            pb::AggregateFunction::Avg => finite(self.whole as f64 / f64::from(self.machines)),
            pb::AggregateFunction::Min => self.least.and_then(answer_of),
            pb::AggregateFunction::Max => self.greatest.and_then(answer_of),
            pb::AggregateFunction::Count | pb::AggregateFunction::Unspecified => None,
        }
    }
}

fn answer_of(figure: Figure) -> Option<Answer> {
    match figure {
        Figure::Whole(value) => Some(Answer::Whole(value)),
        Figure::Float(value) => Some(Answer::Number(value)),
        Figure::Time(time) => Some(Answer::Time(time.nanos())),
        Figure::There => None,
    }
}

fn compare(a: Figure, b: Figure) -> Ordering {
    match (a, b) {
        (Figure::Whole(a), Figure::Whole(b)) => a.cmp(&b),
        (Figure::Float(a), Figure::Float(b)) => a.total_cmp(&b),
        (Figure::Time(a), Figure::Time(b)) => a.cmp(&b),
        _ => Ordering::Equal,
    }
}

/// A key as it is shown; empty where there is no value.
fn shown(value: &Value<'_>) -> String {
    match value {
        Value::Text(text) => text.to_string(),
        _ => String::new(),
    }
}

fn key_of(name: &str) -> Result<usize, Status> {
    let (index, field) = LISTED_FIELDS
        .find(name)
        .ok_or_else(|| unknown("group_by", name))?;
    match field.kind {
        FieldKind::Text | FieldKind::Word => Ok(index),
        kind => {
            let text = format!("\"{}\" is a {kind}; group by texts and words", field.name);
            Err(invalid("group_by", text))
        }
    }
}

fn unknown(of: &str, name: &str) -> Status {
    let names = LISTED_FIELDS.fields().iter().map(|field| field.name);
    let near = did_you_mean(name, names).unwrap_or_else(|| {
        format!("there are {LISTED_FIELDS}, counter:NAME, sample:ITEM, override:ITEM")
    });
    invalid(of, format!("there is no field \"{}\"; {near}", short(name)))
}

/// The names of the fields that are numbers to add.
fn numbers() -> String {
    let fields = LISTED_FIELDS.fields().iter();
    let numbers = fields.filter(|field| field.kind == FieldKind::Number && field.name != NAMING);
    let names: Vec<&str> = numbers.map(|field| field.name).collect();
    names.join(", ")
}

fn word(function: pb::AggregateFunction) -> &'static str {
    match function {
        pb::AggregateFunction::Sum => "sum",
        pb::AggregateFunction::Avg => "average",
        pb::AggregateFunction::Min => "least value",
        pb::AggregateFunction::Max => "greatest value",
        pb::AggregateFunction::Count | pb::AggregateFunction::Unspecified => "figure",
    }
}

fn short(text: &str) -> String {
    text.chars().take(48).collect()
}

fn invalid(field: &str, text: String) -> Status {
    let violation = (field.to_owned(), "cannot be had".to_owned());
    Reason::InvalidRequest.violations(text, [violation])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn tally(figures: &[(Figure, &str)]) -> Tally {
        let mut tally = Tally::default();
        for (figure, unit) in figures {
            tally.take(*figure, unit);
        }
        tally
    }

    #[test]
    fn sums_keep_what_rounding_loses() {
        let floats = [1e16, 1.0, -1e16, 0.1].map(|value| (Figure::Float(value), "W"));
        let sum = tally(&floats).value(pb::AggregateFunction::Sum);
        assert_eq!((sum.value, sum.machines), (Some(Answer::Number(1.1)), 4));
        assert_eq!(sum.unit, "W");
        let average = tally(&floats).value(pb::AggregateFunction::Avg);
        assert_eq!(average.value, Some(Answer::Number(0.275)));
        let wholes = [7, i64::MAX, -i64::MAX].map(|value| (Figure::Whole(value), ""));
        for (function, expected) in [
            (pb::AggregateFunction::Count, Answer::Whole(3)),
            (pb::AggregateFunction::Sum, Answer::Whole(7)),
            (pb::AggregateFunction::Min, Answer::Whole(-i64::MAX)),
            (pb::AggregateFunction::Max, Answer::Whole(i64::MAX)),
        ] {
            assert_eq!(tally(&wholes).value(function).value, Some(expected));
        }
        let too_large = [(Figure::Whole(i64::MAX), ""); 2];
        let sum = tally(&too_large).value(pb::AggregateFunction::Sum);
        assert_eq!(
            (sum.value, sum.not_computable.as_str()),
            (None, "the sum is too large")
        );
        let none = tally(&[]).value(pb::AggregateFunction::Sum);
        assert_eq!((none.value, none.not_computable.as_str()), (None, ""));
    }

    #[test]
    fn ratios_and_units_are_not_mixed() {
        for (units, function, says) in [
            (["W", "kW"], pb::AggregateFunction::Max, "different units"),
            (["PERCENT", "PERCENT"], pb::AggregateFunction::Avg, "ratios"),
            (["%", "%"], pb::AggregateFunction::Sum, "ratios"),
        ] {
            let value = tally(&units.map(|unit| (Figure::Float(1.0), unit))).value(function);
            assert!(value.value.is_none(), "{units:?}");
            assert!(value.not_computable.contains(says), "{value:?}");
        }
        let most = tally(&[(Figure::Float(1.0), "%")]).value(pb::AggregateFunction::Max);
        assert_eq!(most.value, Some(Answer::Number(1.0)));
    }

    #[test]
    fn what_cannot_be_measured_is_said_to_be_so() {
        let measure = |function: pb::AggregateFunction, field: &str| pb::Measure {
            function: function.into(),
            field: field.to_owned(),
        };
        for (function, field, says) in [
            (pb::AggregateFunction::Sum, "state", "\"state\" is a word"),
            (pb::AggregateFunction::Sum, "number", "\"number\" is a name"),
            (pb::AggregateFunction::Avg, "since", "\"since\" is a time"),
            (
                pb::AggregateFunction::Sum,
                "part",
                "did you mean \"parts\"?",
            ),
            (pb::AggregateFunction::Avg, "override:Fovr", "is a ratio"),
            (pb::AggregateFunction::Sum, "", "there is no field \"\""),
            (pb::AggregateFunction::Unspecified, "parts", "COUNT, SUM"),
        ] {
            let status = Measures::of(&[measure(function, field)], &[]).unwrap_err();
            assert!(status.message().contains(says), "{field}: {status:?}");
        }
        let count = [measure(pb::AggregateFunction::Count, "")];
        for (keys, says) in [
            (vec!["since"], "is a time"),
            (vec!["aera"], "did you mean \"area\"?"),
            (vec!["area"; 9], "more than 8"),
        ] {
            let keys: Vec<String> = keys.into_iter().map(str::to_owned).collect();
            let status = Measures::of(&count, &keys).unwrap_err();
            assert!(status.message().contains(says), "{status:?}");
        }
        assert!(Measures::of(&[], &[]).is_err());
        assert!(Measures::of(&vec![count[0].clone(); 17], &[]).is_err());
    }
}
