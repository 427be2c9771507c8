//! Tables in CSV that stand beside a plant file: one object a line, one key a column.

use super::reader::{Keys, Reader, Spot, Table};
use crate::plant::spec::*;
use std::sync::Arc;
use toml::de::DeTable;

/// A table beside a plant file, as the caller read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableText {
    /// Its name under `[tables]`, such as `machines`.
    pub name: String,
    /// The file's name, for mistakes.
    pub file_name: String,
    /// The file's text.
    pub content: String,
}

/// The names of tables, with the kind of their objects and its keys.
const KINDS: [(&str, &str, &[&str]); 20] = [
    ("units", "unit", Unit::KEYS),
    ("machines", "machine", Machine::KEYS),
    ("buffers", "buffer", Buffer::KEYS),
    ("flows", "flow", Flow::KEYS),
    ("stop_groups", "stop_group", StopGroup::KEYS),
    ("products", "product", Product::KEYS),
    ("variants", "variant", Variant::KEYS),
    ("steps", "step", Step::KEYS),
    ("setups", "setup", Setup::KEYS),
    ("carriers", "carrier", Carrier::KEYS),
    ("crews", "crew", Crew::KEYS),
    ("reworks", "rework", Rework::KEYS),
    ("feeds", "feed", Feed::KEYS),
    ("boundaries", "boundary", Boundary::KEYS),
    ("count_points", "count_point", CountPoint::KEYS),
    ("calendars", "calendar", &["id", "parent"]),
    (
        "shifts",
        "shift",
        &["calendar", "name", "days", "from", "to", "team"],
    ),
    (
        "breaks",
        "break",
        &["calendar", "shift", "at", "minutes", "machines"],
    ),
    (
        "exceptions",
        "exception",
        &["calendar", "date", "kind", "from", "to", "name"],
    ),
    ("authorities", "authority", Authority::KEYS),
];

/// The names of all tables that may stand beside a plant file.
fn table_names() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|(name, ..)| *name)
}

/// A table that was read.
pub(super) struct CsvTable {
    /// The kind of its objects, as their tables in TOML are named.
    pub(super) kind: &'static str,
    rows: Vec<Row>,
}

impl CsvTable {
    /// Its lines as objects.
    pub(super) fn tables(&self) -> impl Iterator<Item = Table<'_>> {
        self.rows.iter().map(|row| Table {
            kind: self.kind,
            at: row.at,
            keys: Keys::Csv(row),
        })
    }
}

/// One line of a table.
pub(super) struct Row {
    /// Where the line begins.
    at: Spot,
    /// Columns with what stands in them, and where; empty cells are left out.
    cells: Vec<(Arc<str>, String, Spot)>,
}

impl Row {
    /// What stands in a column, unless it is empty.
    pub(super) fn get(&self, key: &str) -> Option<(&str, Spot)> {
        let mut cells = self.cells.iter();
        let found = cells.find(|(column, ..)| **column == *key);
        found.map(|(_, text, at)| (text.as_str(), *at))
    }
}

/// Names a table under `[tables]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableRef {
    /// Its name, such as `machines`.
    pub name: String,
    /// The file, as the plant file names it.
    pub file_name: String,
}

/// The tables that a document names under `[tables]`, with the place of each.
pub(super) fn named<'a>(
    reader: &mut Reader<'_>,
    document: &'a DeTable<'a>,
) -> Vec<(TableRef, Spot)> {
    let Some(value) = document.get("tables") else {
        return Vec::new();
    };
    let Some(keys) = value.get_ref().as_table() else {
        let hint = "write [tables], then machines = \"machines.csv\"";
        reader.mistake(value.span().start, "tables is not a table", hint);
        return Vec::new();
    };
    let table = Table::of_toml("tables", value.span().start, keys);
    let known: Vec<&str> = table_names().collect();
    reader.only(&table, &known);
    let mut all = Vec::new();
    for name in table_names() {
        for found in reader.texts(&table, name, true).unwrap_or_default() {
            let table = TableRef {
                name: name.to_owned(),
                file_name: found.value.to_owned(),
            };
            all.push((table, found.at));
        }
    }
    all
}

/// Reads the tables that the document names. One that the caller did not bring is a mistake, and so
/// is one that the document does not name.
pub(super) fn read<'t>(
    reader: &mut Reader<'t>,
    document: &DeTable<'_>,
    texts: &'t [TableText],
) -> Vec<CsvTable> {
    let wanted = named(reader, document);
    let mut tables = Vec::new();
    for (table, at) in &wanted {
        let same = |text: &&TableText| text.name == table.name && text.file_name == table.file_name;
        match texts.iter().find(same) {
            Some(text) => tables.extend(read_one(reader, text)),
            None => {
                let what = format!("the table \"{}\" was not sent along", table.file_name);
                let hint = "`werkbuch plant apply` reads it beside the plant file";
                reader.mistake(*at, what, hint);
            }
        }
    }
    let is_named = |text: &TableText| {
        wanted
            .iter()
            .any(|(table, _)| table.name == text.name && table.file_name == text.file_name)
    };
    for text in texts.iter().filter(|text| !is_named(text)) {
        let what = format!("the table \"{}\" was sent but is not named", text.file_name);
        let hint = format!(
            "write {} = \"{}\" under [tables]",
            text.name, text.file_name
        );
        reader.mistake(0, what, hint);
    }
    tables
}

fn read_one<'t>(reader: &mut Reader<'t>, text: &'t TableText) -> Option<CsvTable> {
    let (_, kind, keys) = KINDS.into_iter().find(|(name, ..)| *name == text.name)?;
    let content = text
        .content
        .strip_prefix('\u{feff}')
        .unwrap_or(&text.content);
    let file = reader.add_file(content, &text.file_name);
    let mut lines = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(content.as_bytes());
    let mut columns: Option<Vec<Arc<str>>> = None;
    let mut rows = Vec::new();
    for line in lines.records() {
        let record = match line {
            Ok(record) => record,
            Err(error) => {
                let byte = error
                    .position()
                    .map_or(0, |position| offset(position.byte()));
                reader.mistake(Spot { file, byte }, "the line cannot be read as CSV", "");
                return None;
            }
        };
        let begin = record
            .position()
            .map_or(0, |position| offset(position.byte()));
        let begin = skip_empty_lines(content, begin);
        match &columns {
            None => columns = Some(header(reader, file, kind, keys, &record)),
            Some(columns) => rows.extend(row(reader, (file, begin), content, columns, &record)),
        }
    }
    if columns.is_none() {
        let hint = format!("the first line names the columns: {}", keys.join(","));
        reader.mistake(Spot { file, byte: 0 }, "the table is empty", hint);
    }
    Some(CsvTable { kind, rows })
}

fn offset(byte: u64) -> usize {
    usize::try_from(byte).unwrap_or(usize::MAX)
}

/// The position of a record includes the empty lines before it.
fn skip_empty_lines(content: &str, begin: usize) -> usize {
    let rest = content.get(begin..).unwrap_or_default();
    begin + (rest.len() - rest.trim_start_matches(['\n', '\r']).len())
}

fn header(
    reader: &mut Reader<'_>,
    file: usize,
    kind: &str,
    keys: &[&str],
    record: &csv::StringRecord,
) -> Vec<Arc<str>> {
    let at = Spot { file, byte: 0 };
    let mut columns: Vec<Arc<str>> = Vec::new();
    for name in record {
        if columns.iter().any(|column| **column == *name) {
            let what = format!("the column \"{name}\" stands there twice");
            reader.mistake(at, what, "leave one out");
        }
        reader.known_key(kind, name, at, keys);
        columns.push(name.into());
    }
    columns
}

fn row(
    reader: &mut Reader<'_>,
    (file, begin): (usize, usize),
    content: &str,
    columns: &[Arc<str>],
    record: &csv::StringRecord,
) -> Option<Row> {
    let at = Spot { file, byte: begin };
    if record.iter().all(str::is_empty) {
        return None;
    }
    if record.len() != columns.len() {
        let (cells, wanted) = (record.len(), columns.len());
        let what = format!("the line has {cells} cells for {wanted} columns");
        let hint = match cells > wanted {
            true => "put a cell with a comma in it in double quotes",
            false => "a cell may be empty, but its comma must be there",
        };
        reader.mistake(at, what, hint);
    }
    let line = content.get(begin..).unwrap_or_default();
    let line = line.lines().next().unwrap_or_default();
    // Cells stand where the commas say, unless quotes make it uncertain: then the line will do.
    let mut starts = Vec::with_capacity(columns.len());
    if !line.contains('"') {
        let mut next = begin;
        for cell in line.split(',') {
            starts.push(next + (cell.len() - cell.trim_start().len()));
            next += cell.len() + 1;
        }
    }
    let mut cells = Vec::with_capacity(columns.len());
    for (index, (column, cell)) in columns.iter().zip(record).enumerate() {
        if !cell.is_empty() {
            let byte = starts.get(index).copied().unwrap_or(begin);
            cells.push((Arc::clone(column), cell.to_owned(), Spot { file, byte }));
        }
    }
    Some(Row { at, cells })
}
