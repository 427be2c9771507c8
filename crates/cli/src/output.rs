//! The one way out: rows for people and spreadsheets, JSON for programs, notes on standard error.

use crate::failure::Outcome;
use crate::plain;
use clap::ValueEnum;
use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, ContentArrangement, Table};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;
use std::io::{IsTerminal, Write};

/// How data are written to standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// Aligned columns for people.
    Table,
    /// One JSON value.
    Json,
    /// One JSON value a line.
    Jsonl,
    /// Comma-separated values with a header.
    Csv,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Format {
    /// The name as it is written.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
        }
    }
}

impl Color {
    /// Whether a stream that is a terminal, or is none, gets colours.
    pub(crate) fn on(self, terminal: bool) -> bool {
        let asked_not_to = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => terminal && !asked_not_to,
        }
    }
}

/// What a command answers.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// The names of the columns, for a list; for a single thing the names of its parts.
    columns: Vec<Cow<'static, str>>,
    /// The rows, for a list; one row for a single thing.
    rows: Vec<Vec<String>>,
    /// The answer as JSON.
    whole: Value,
    /// The answer as JSON, line by line.
    items: Vec<Value>,
    /// Whether it is a single thing, shown as one line for each part.
    single: bool,
    /// What else a person should know, on standard error.
    note: String,
}

impl Answer {
    /// A list: columns, and for each row its cells and its JSON.
    pub(crate) fn list(columns: &[&'static str], rows: Vec<(Vec<String>, Value)>) -> Self {
        let (rows, items): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        Self {
            columns: columns.iter().map(|name| Cow::Borrowed(*name)).collect(),
            rows,
            whole: Value::Array(items.clone()),
            items,
            ..Self::default()
        }
    }

    /// A list whose columns are known when it is asked for.
    pub(crate) fn table(columns: Vec<String>, rows: Vec<(Vec<String>, Value)>) -> Self {
        Self {
            columns: columns.into_iter().map(Cow::Owned).collect(),
            ..Self::list(&[], rows)
        }
    }

    /// A single thing: its parts with their names, and its JSON.
    pub(crate) fn single(parts: Vec<(&'static str, String)>, whole: Value) -> Self {
        let (columns, row): (Vec<_>, _) = parts.into_iter().unzip();
        Self {
            columns: columns.into_iter().map(Cow::Borrowed).collect(),
            rows: vec![row],
            items: vec![whole.clone()],
            whole,
            single: true,
            note: String::new(),
        }
    }

    /// The same, with another JSON value for the whole.
    pub(crate) fn whole(mut self, whole: Value) -> Self {
        self.whole = whole;
        self
    }

    /// The same, with a note for a person.
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }
}

/// Where and how to write.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    pub(crate) format: Format,
    pub(crate) quiet: bool,
    color: bool,
}

impl Output {
    pub(crate) fn new(format: Format, color: Color, quiet: bool) -> Self {
        let color = color.on(std::io::stdout().is_terminal());
        Self {
            format,
            quiet,
            color,
        }
    }

    /// The same in another form, where one was asked for.
    pub(crate) fn asked(mut self, format: Option<Format>) -> Self {
        self.format = format.unwrap_or(self.format);
        self
    }

    /// Whether what is written to standard output has colours.
    pub(crate) fn color(&self) -> bool {
        self.color
    }

    /// Writes an answer. Errors: when standard output cannot be written.
    pub(crate) fn answer(&self, answer: &Answer) -> Outcome<()> {
        match self.format {
            Format::Table => self.text(&self.table(answer))?,
            Format::Json => self.text(&format!("{:#}\n", answer.whole))?,
            Format::Jsonl => {
                let items = answer.items.iter().filter(|item| !item.is_null());
                let lines = items.map(|item| format!("{item}\n"));
                self.text(&lines.collect::<String>())?;
            }
            Format::Csv => self.csv(answer)?,
        }
        if self.format == Format::Table && !answer.note.is_empty() {
            self.note(&answer.note);
        }
        Ok(())
    }

    /// Writes one thing of a stream as it comes: a line of cells with fixed widths, or of JSON.
    pub(crate) fn streamed(&self, cells: &[(&str, usize)], item: &Value) -> Outcome<()> {
        match self.format {
            Format::Table => {
                let padded = cells
                    .iter()
                    .map(|(cell, width)| format!("{:<width$}", plain::line(cell)));
                let line = padded.collect::<Vec<_>>().join("  ");
                self.text(&format!("{}\n", line.trim_end()))
            }
            Format::Csv => {
                let mut writer = csv::Writer::from_writer(Vec::new());
                let written = writer.write_record(cells.iter().map(|(cell, _)| cell));
                written.map_err(std::io::Error::other)?;
                let bytes = writer.into_inner().map_err(|error| error.into_error())?;
                self.bytes(&bytes)
            }
            Format::Json | Format::Jsonl => self.text(&format!("{item}\n")),
        }
    }

    /// Writes text as it is to standard output. Errors: when that cannot be written.
    pub(crate) fn text(&self, text: &str) -> Outcome<()> {
        self.bytes(text.as_bytes())
    }

    fn bytes(&self, bytes: &[u8]) -> Outcome<()> {
        let mut out = std::io::stdout().lock();
        out.write_all(bytes)?;
        out.flush()?;
        Ok(())
    }

    /// Tells a person something on standard error, unless told to be quiet.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            // Nobody can be told that standard error is gone.
            let _ = writeln!(std::io::stderr(), "{}", plain::lines(text));
        }
    }

    fn table(&self, answer: &Answer) -> String {
        let mut table = Table::new();
        table.load_style(NOTHING);
        let terminal = std::io::stdout().is_terminal();
        if terminal {
            table.set_content_arrangement(ContentArrangement::Dynamic);
        } else {
            table.force_no_tty();
        }
        if self.color {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        let head = |name: &Cow<'static, str>| {
            let cell = Cell::new(name.to_ascii_uppercase());
            if self.color {
                cell.add_attribute(Attribute::Bold)
            } else {
                cell
            }
        };
        if answer.single {
            let row = answer.rows.first().into_iter().flatten();
            for (name, value) in answer.columns.iter().zip(row) {
                table.add_row(vec![Cell::new(name), self.cell(value)]);
            }
        } else {
            table.set_header(answer.columns.iter().map(head).collect::<Vec<_>>());
            for row in &answer.rows {
                table.add_row(row.iter().map(|text| self.cell(text)).collect::<Vec<_>>());
            }
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        let lines = table.lines().map(|line| format!("{}\n", line.trim_end()));
        lines.collect()
    }

    /// A cell; words that an eye looks for have a colour beside what they say.
    fn cell(&self, text: &str) -> Cell {
        let cell = Cell::new(plain::line(text));
        match shade(text).filter(|_| self.color) {
            Some(shade) => cell.fg(shade),
            None => cell,
        }
    }

    fn csv(&self, answer: &Answer) -> Outcome<()> {
        let bytes = csv_bytes(answer).map_err(std::io::Error::other)?;
        self.bytes(&bytes)
    }
}

/// The colour of a word: what runs, what waits, what is down.
fn shade(word: &str) -> Option<comfy_table::Color> {
    match word {
        "EXECUTING" | "NORMAL" | "EQUAL" | "ONLINE" => Some(comfy_table::Color::Green),
        "STARVED" | "BLOCKED" | "WAITING" | "HELD" | "SETUP" | "MAINTENANCE" | "WARNING" => {
            Some(comfy_table::Color::Yellow)
        }
        "FAULTED" | "STOPPED" | "FAULT" | "DIFFERENT" | "OFFLINE" => Some(comfy_table::Color::Red),
        _ => None,
    }
}

/// A list is a line for each row under its columns. A single thing is a line for each part, because
/// some parts come more than once.
fn csv_bytes(answer: &Answer) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    if answer.single {
        writer.write_record(["part", "value"])?;
        let cells = answer.rows.iter().flatten();
        for (part, value) in answer.columns.iter().zip(cells) {
            writer.write_record([part.as_ref(), value.as_str()])?;
        }
    } else {
        writer.write_record(answer.columns.iter().map(AsRef::as_ref))?;
        for row in &answer.rows {
            writer.write_record(row)?;
        }
    }
    writer
        .into_inner()
        .map_err(|error| error.into_error().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_single_thing_is_a_line_for_each_part() {
        let part = |name, value: &str| (name, value.to_owned());
        let parts = vec![
            part("machine", "m, 1"),
            part("value", "a"),
            part("value", "b"),
        ];
        let bytes = csv_bytes(&Answer::single(parts, json!({}))).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert_eq!(text, "part,value\nmachine,\"m, 1\"\nvalue,a\nvalue,b\n");
    }

    #[test]
    fn tables_are_aligned_without_borders() {
        let rows = vec![
            (vec!["press-3".to_owned(), "EXECUTING".to_owned()], json!(1)),
            (vec!["r".to_owned(), String::new()], json!(2)),
        ];
        let answer = Answer::list(&["machine", "state"], rows);
        let output = Output {
            format: Format::Table,
            quiet: true,
            color: false,
        };
        assert_eq!(
            output.table(&answer),
            "MACHINE  STATE\npress-3  EXECUTING\nr\n"
        );
        let parts = vec![("position", "7".to_owned()), ("at", "x".to_owned())];
        let single = Answer::single(parts, json!({}));
        assert_eq!(output.table(&single), "position  7\nat        x\n");
    }

    #[test]
    fn what_machines_say_cannot_move_the_cursor() {
        let rows = vec![(vec!["a\u{1b}[2J\nb".to_owned()], json!("a\u{1b}"))];
        let output = Output {
            format: Format::Table,
            quiet: true,
            color: false,
        };
        let shown = output.table(&Answer::list(&["text"], rows));
        assert_eq!(shown, "TEXT\na\\u{1b}[2J\\nb\n");
    }

    /// Whoever sees no colours reads the same.
    #[test]
    fn colours_only_repeat_what_words_say() {
        let row = |state: &str| (vec!["m".to_owned(), state.to_owned()], json!(1));
        let rows = vec![row("EXECUTING"), row("FAULTED"), row("IDLE")];
        let answer = Answer::list(&["machine", "state"], rows);
        let [plain, coloured] = [false, true].map(|color| {
            let (format, quiet) = (Format::Table, true);
            Output {
                format,
                quiet,
                color,
            }
            .table(&answer)
        });
        assert!(
            !plain.contains('\x1b') && coloured.contains('\x1b'),
            "{coloured:?}"
        );
        let mut bare = String::new();
        let mut rest = coloured.as_str();
        while let Some((before, after)) = rest.split_once('\x1b') {
            bare.push_str(before);
            rest = after.split_once('m').unwrap_or_default().1;
        }
        bare.push_str(rest);
        let lines: Vec<_> = bare.lines().map(str::trim_end).collect();
        assert_eq!(lines, plain.lines().collect::<Vec<_>>());
    }

    #[test]
    fn colours_follow_the_flag_and_the_terminal() {
        assert!(Color::Always.on(false) && !Color::Never.on(true) && !Color::Auto.on(false));
    }
}
