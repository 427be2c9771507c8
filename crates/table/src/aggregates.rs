//! The table of figures over machines: one row for each group, at one instant or at several.

use crate::column::{Cell, Column, Kind, Line};
use std::borrow::Cow;
use std::collections::BTreeSet;
use werkbuch_model::time::Timestamp;
use werkbuch_wire::pb;
use werkbuch_wire::pb::AggregateFunction as Function;
use werkbuch_wire::pb::aggregate_value::Value as Found;

/// What the table is called.
pub const NAME: &str = "aggregates";

/// What a measure yields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Yields {
    /// How many machines.
    Count,
    /// A whole number.
    Whole,
    /// A decimal number.
    Number,
    /// A time.
    Time,
}

/// A measure of the question, and what it yields.
#[derive(Clone, Debug)]
pub struct Measured {
    /// How it is found.
    pub function: Function,
    /// Of which field; empty for the machines themselves.
    pub field: String,
    /// What it yields.
    pub yields: Yields,
}

/// The figures of a group at an instant.
#[derive(Clone, Copy, Debug)]
pub struct FigureLine<'f> {
    /// The instant in the plants.
    pub at: Timestamp,
    /// The measures.
    pub measures: &'f [Measured],
    /// The group, with a value for each measure.
    pub group: &'f pb::AggregateGroup,
}

/// The columns of a question: the instant, the fields that it is grouped by, how many machines a group
/// has, and for each measure its value; of what is not counted also how many machines had one, its unit,
/// and why there is none.
#[must_use]
pub fn columns(keys: &[String], measures: &[Measured]) -> Vec<Column> {
    let mut columns = vec![Column::new("at", Kind::Time, "the instant in the plants")];
    let mut taken: BTreeSet<String> = ["at", "machines"].map(str::to_owned).into();
    let mut free = |name: String| {
        let mut found = name.clone();
        let mut number = 2_u32;
        while !taken.insert(found.clone()) {
            found = format!("{name}_{number}");
            number = number.saturating_add(1);
        }
        found
    };
    for key in keys {
        let meaning = format!("the {key} that the machines of the group have in common");
        columns.push(column(free(name_of(key)), Kind::Word, meaning));
    }
    let machines = "how many machines the group has";
    columns.push(Column::new("machines", Kind::Small, machines));
    for measure in measures {
        let said = match measure.field.as_str() {
            "" => word(measure.function).to_owned(),
            field => format!("{} of {field}", word(measure.function)),
        };
        let name = free(name_of(&said.replace(" of ", "_")));
        let kind = match measure.yields {
            Yields::Count => Kind::Count,
            Yields::Whole => Kind::Whole,
            Yields::Number => Kind::Number,
            Yields::Time => Kind::Time,
        };
        columns.push(column(name.clone(), kind, said));
        if measure.yields == Yields::Count {
            continue;
        }
        let had = free(format!("{name}_machines"));
        let unit = free(format!("{name}_unit"));
        let because = free(format!("{name}_because"));
        columns.push(column(
            had,
            Kind::Small,
            "how many machines had a value".to_owned(),
        ));
        columns.push(column(
            unit,
            Kind::Word,
            "the unit of the values".to_owned(),
        ));
        let meaning = "why there is no figure though there are values".to_owned();
        columns.push(column(because, Kind::Text, meaning));
    }
    columns
}

fn column(name: String, kind: Kind, meaning: String) -> Column {
    Column {
        name: Cow::Owned(name),
        kind,
        meaning: Cow::Owned(meaning),
    }
}

/// A name that needs no quotes in SQL.
fn name_of(text: &str) -> String {
    let plain = |letter: char| match letter {
        letter if letter.is_ascii_alphanumeric() => letter,
        _ => '_',
    };
    text.chars().map(plain).collect()
}

fn word(function: Function) -> &'static str {
    match function {
        Function::Sum => "sum",
        Function::Avg => "avg",
        Function::Min => "min",
        Function::Max => "max",
        Function::Count | Function::Unspecified => "count",
    }
}

impl Line for FigureLine<'_> {
    fn cell(&self, column: usize) -> Cell<'_> {
        let keys = self.group.keys.len();
        if column == 0 {
            return Cell::Time(self.at);
        }
        if let Some(key) = self.group.keys.get(column - 1) {
            return Cell::text(key);
        }
        if column == keys + 1 {
            return Cell::Count(self.group.machines.into());
        }
        let Some((measure, part)) = self.part(column - keys - 2) else {
            return Cell::Null;
        };
        let (Some(value), Some(measured)) =
            (self.group.values.get(measure), self.measures.get(measure))
        else {
            return Cell::Null;
        };
        match part {
            0 => figure(measured.yields, value.value),
            1 => Cell::Count(value.machines.into()),
            2 => Cell::text(&value.unit),
            _ => Cell::text(&value.not_computable),
        }
    }

    fn columns(&self) -> usize {
        let own = self.measures.iter().map(|measure| measure.yields.columns());
        2 + self.group.keys.len() + own.sum::<usize>()
    }
}

impl FigureLine<'_> {
    /// The measure, and which of its columns, that a column behind those of the group is.
    fn part(&self, mut column: usize) -> Option<(usize, usize)> {
        for (index, measure) in self.measures.iter().enumerate() {
            let own = measure.yields.columns();
            if column < own {
                return Some((index, column));
            }
            column -= own;
        }
        None
    }
}

impl Yields {
    /// How many columns a measure of this kind has: a count is never without a value or a unit.
    const fn columns(self) -> usize {
        match self {
            Self::Count => 1,
            Self::Whole | Self::Number | Self::Time => 4,
        }
    }
}

#[allow(
    clippy::cast_precision_loss,
    reason = "a whole number among decimal ones is a decimal one"
)]
fn figure(yields: Yields, value: Option<Found>) -> Cell<'static> {
    match (yields, value) {
        (Yields::Count, Some(Found::Whole(count))) => Cell::count(u64::try_from(count).ok()),
        (Yields::Whole, Some(Found::Whole(number))) => Cell::Whole(number),
        (Yields::Number, Some(Found::Whole(number))) => Cell::Number(number as f64),
        (Yields::Number, Some(Found::Number(number))) => Cell::Number(number),
        (Yields::Time, Some(Found::Time(nanos))) => Cell::time(Some(nanos)),
        _ => Cell::Null,
    }
}
