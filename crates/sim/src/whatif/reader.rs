//! Reads the tables of a TOML file key by key, and collects what is wrong with their places.

use crate::kernel::Distribution;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use werkbuch_model::instant::duration_ns;
use werkbuch_model::nearest::did_you_mean;
use werkbuch_model::plant::{Lines, Mistake};

/// The greatest size of a file of scenarios or of a model in bytes.
pub(super) const FILE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// No mean time is longer: a hundred years, in seconds.
const LONGEST_S: f64 = 100.0 * 366.0 * 86_400.0;
/// The shortest mean of a cycle, in seconds: with none at all time would stand still.
const CYCLE_LEAST_S: f64 = 0.001;

/// A file that is read, and what was wrong so far.
pub(super) struct Reader<'t> {
    lines: Lines<'t>,
    file: &'t str,
    pub(super) mistakes: Vec<Mistake>,
}

/// A table of the file.
#[derive(Clone, Copy)]
pub(super) struct Table<'a> {
    /// What it is called in mistakes.
    pub(super) kind: &'a str,
    /// Where it begins.
    pub(super) at: usize,
    keys: &'a DeTable<'a>,
    /// Of each list of values that one is to be chosen from: where it stands, and which one.
    chosen: &'a [(usize, usize)],
}

/// The tables of a file; absent with a mistake where it is no TOML.
pub(super) fn document<'t>(reader: &mut Reader<'t>, text: &'t str) -> Option<Spanned<DeTable<'t>>> {
    if text.len() > FILE_BYTES_MAX {
        let what = format!("the file has {} bytes", text.len());
        reader.mistake(0, what, format!("the limit is {FILE_BYTES_MAX}"));
        return None;
    }
    match DeTable::parse(text) {
        Ok(table) => Some(table),
        Err(error) => {
            let what = error.message().lines().collect::<Vec<_>>().join(", ");
            reader.mistake(error.span().map_or(0, |span| span.start), what, "");
            None
        }
    }
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str, file: &'t str) -> Self {
        Self {
            lines: Lines::new(text),
            file,
            mistakes: Vec::new(),
        }
    }

    pub(super) fn line(&self, at: usize) -> usize {
        self.lines.place(at).line
    }

    pub(super) fn mistake(&mut self, at: usize, what: impl Into<String>, hint: impl Into<String>) {
        let place = self.lines.place(at);
        self.mistakes.push(Mistake {
            file: self.file.to_owned(),
            line: place.line,
            column: place.column,
            what: what.into(),
            hint: hint.into(),
        });
    }

    /// Ends with all that was wrong, by line.
    pub(super) fn finish<T>(mut self, read: T) -> Result<T, Vec<Mistake>> {
        self.mistakes.sort_by_key(|one| (one.line, one.column));
        match self.mistakes.is_empty() {
            true => Ok(read),
            false => Err(self.mistakes),
        }
    }

    /// Refuses keys that the table does not have.
    pub(super) fn only(&mut self, table: Table<'_>, known: &[&str]) {
        for key in table.keys.keys() {
            let name: &str = key.get_ref();
            if known.contains(&name) {
                continue;
            }
            let hint = did_you_mean(name, known.iter().copied())
                .unwrap_or_else(|| format!("it has {}", known.join(", ")));
            let what = format!("{} has no key \"{name}\"", table.kind);
            self.mistake(key.span().start, what, hint);
        }
    }

    /// The tables of a list such as `[[change]]`; none where there is none.
    pub(super) fn tables<'a>(&mut self, of: Table<'a>, name: &'a str) -> Vec<Table<'a>> {
        let Some(value) = of.keys.get(name) else {
            return Vec::new();
        };
        let at = value.span().start;
        let Some(list) = value.get_ref().as_array() else {
            self.mistake(
                at,
                format!("{name} is no list"),
                format!("write [[{name}]]"),
            );
            return Vec::new();
        };
        let mut tables = Vec::new();
        for entry in list {
            let at = entry.span().start;
            match entry.get_ref().as_table() {
                Some(keys) => tables.push(Table {
                    kind: name,
                    at,
                    keys,
                    chosen: of.chosen,
                }),
                None => self.mistake(
                    at,
                    format!("{name} is no table"),
                    format!("write [[{name}]]"),
                ),
            }
        }
        tables
    }

    /// A text.
    pub(super) fn text<'a>(&mut self, table: Table<'a>, key: &str) -> Option<&'a str> {
        let value = table.get(key)?;
        let text = value.get_ref().as_str();
        if text.is_none() {
            let what = format!("{key} is no text");
            self.mistake(value.span().start, what, "write it in quotes");
        }
        text
    }

    /// A text that must be there.
    pub(super) fn needs_text<'a>(&mut self, table: Table<'a>, key: &str) -> Option<&'a str> {
        if !table.has(key) {
            let what = format!("{} has no {key}", table.kind);
            self.mistake(table.at, what, format!("add {key} = \"...\""));
        }
        self.text(table, key)
    }

    /// A text, or a list of them.
    pub(super) fn texts<'a>(&mut self, table: Table<'a>, key: &str) -> Vec<&'a str> {
        let Some(value) = table.get(key) else {
            return Vec::new();
        };
        let list: Option<Vec<&str>> = match value.get_ref() {
            DeValue::String(text) => Some(vec![text]),
            DeValue::Array(list) => list.iter().map(|one| one.get_ref().as_str()).collect(),
            _ => None,
        };
        if list.is_none() {
            let what = format!("{key} is no text and no list of texts");
            self.mistake(
                value.span().start,
                what,
                "write \"one\" or [\"one\", \"two\"]",
            );
        }
        list.unwrap_or_default()
    }

    /// A number.
    pub(super) fn number(&mut self, table: Table<'_>, key: &str) -> Option<f64> {
        let value = table.get(key)?;
        let number = match value.get_ref() {
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .ok()
                .map(|number| number as f64),
            DeValue::Float(number) => number.as_str().parse().ok(),
            _ => None,
        };
        let number = number.filter(|number: &f64| number.is_finite());
        if number.is_none() {
            self.mistake(value.span().start, format!("{key} is no number"), "");
        }
        number
    }

    /// A number from a range.
    pub(super) fn within(
        &mut self,
        table: Table<'_>,
        key: &str,
        (least, most): (f64, f64),
    ) -> Option<f64> {
        let number = self.number(table, key)?;
        if number >= least && number <= most {
            return Some(number);
        }
        let what = format!("{key} is {number}");
        let hint = format!("it lies from {least} to {most}");
        self.mistake(table.spot(key), what, hint);
        None
    }

    /// Shares of scrap and rework, which together are at most all parts.
    pub(super) fn verdicts(&mut self, table: Table<'_>) -> (Option<f64>, Option<f64>) {
        let scrap = self.within(table, "scrap", (0.0, 1.0));
        let rework = self.within(table, "rework", (0.0, 1.0));
        let both = scrap.unwrap_or(0.0) + rework.unwrap_or(0.0);
        if both > 1.0 {
            let what = format!("scrap and rework are {both} of the parts");
            self.mistake(table.spot("rework"), what, "together at most 1");
        }
        (scrap, rework)
    }

    /// A whole number from a range.
    pub(super) fn count(
        &mut self,
        table: Table<'_>,
        key: &str,
        (least, most): (u32, u32),
    ) -> Option<u32> {
        let number = self.within(table, key, (f64::from(least), f64::from(most)))?;
        if number.fract() == 0.0 {
            return Some(number as u32);
        }
        self.mistake(
            table.spot(key),
            format!("{key} is {number}"),
            "it is a whole number",
        );
        None
    }

    /// Yes or no.
    pub(super) fn flag(&mut self, table: Table<'_>, key: &str) -> Option<bool> {
        let value = table.get(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            let what = format!("{key} is neither true nor false");
            self.mistake(value.span().start, what, "");
        }
        flag
    }

    /// A duration such as "90s" or "1h30m", in nanoseconds.
    pub(super) fn duration(&mut self, table: Table<'_>, key: &str) -> Option<u64> {
        let text = self.text(table, key)?;
        let found = duration_ns(text).and_then(|ns| u64::try_from(ns).ok());
        if found.is_none() {
            let what = format!("{key} = \"{text}\" is no duration");
            self.mistake(
                table.spot(key),
                what,
                "write for example 90s, 5m, 1h30m or 2d",
            );
        }
        found
    }

    /// Times of a cycle: as [`Reader::times`], and some time passes.
    pub(super) fn cycle_times(&mut self, table: Table<'_>, key: &str) -> Option<Distribution> {
        let times = self.times(table, key)?;
        if times.mean_s() >= CYCLE_LEAST_S {
            return Some(times);
        }
        let what = format!("{key}: a cycle takes {} s on average", times.mean_s());
        self.mistake(table.spot(key), what, "give it at least a millisecond");
        None
    }

    /// Times by chance, such as "lognormal(mean=62s, cv=0.05)".
    pub(super) fn times(&mut self, table: Table<'_>, key: &str) -> Option<Distribution> {
        let text = self.text(table, key)?;
        match text.parse::<Distribution>() {
            Ok(times) if !times.mean_s().is_finite() => {
                let what = format!("{key} = \"{text}\" has no finite mean");
                self.mistake(table.spot(key), what, "it would never come about");
                None
            }
            Ok(times) if times.mean_s() > LONGEST_S => {
                let what = format!("{key} = \"{text}\" has a mean of more than a hundred years");
                self.mistake(
                    table.spot(key),
                    what,
                    "leave it out where it never comes about",
                );
                None
            }
            Ok(Distribution::Normal(mean, deviation)) if deviation > mean => {
                let what = format!("{key} = \"{text}\" would often be less than no time");
                let hint = format!("take lognormal(mean={mean}s, cv=...)");
                self.mistake(table.spot(key), what, hint);
                None
            }
            Ok(times) => Some(times),
            Err(error) => {
                self.mistake(table.spot(key), format!("{key}: {error}"), "");
                None
            }
        }
    }
}

impl<'a> Table<'a> {
    pub(super) fn whole(document: &'a Spanned<DeTable<'a>>) -> Self {
        Self {
            kind: "the file",
            at: document.span().start,
            keys: document.get_ref(),
            chosen: &[],
        }
    }

    /// The same, with one value chosen of each of these lists.
    pub(super) fn choosing(self, chosen: &'a [(usize, usize)]) -> Self {
        Self { chosen, ..self }
    }

    fn get(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        let value = self.keys.get(key)?;
        let start = value.span().start;
        let chosen = self.chosen.iter().find(|(at, _)| *at == start);
        match (chosen, value.get_ref()) {
            (Some((_, index)), DeValue::Array(list)) => list.get(*index),
            _ => Some(value),
        }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Where the value of a key stands, else where the table does.
    pub(super) fn spot(&self, key: &str) -> usize {
        self.get(key).map_or(self.at, |value| value.span().start)
    }

    /// The keys, where their values stand, and the values.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a str, usize, &'a DeValue<'a>)> {
        self.keys.iter().map(|(key, value)| {
            let name: &'a str = key.get_ref();
            (name, value.span().start, value.get_ref())
        })
    }

    /// The table behind a key.
    pub(super) fn inner(&self, key: &'a str) -> Option<Self> {
        let value = self.get(key)?;
        Some(Self {
            kind: key,
            at: value.span().start,
            keys: value.get_ref().as_table()?,
            chosen: self.chosen,
        })
    }
}
