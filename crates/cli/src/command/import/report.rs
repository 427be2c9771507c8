//! The account of an import: every observation and every event under exactly one heading.

use super::file::Imported;
use crate::output::Answer;
use indicatif::TermLike;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// The account of one file, or of all.
#[derive(Clone, Debug, Default)]
struct Account {
    lines: u64,
    observations: u64,
    events: u64,
    unchanged: u64,
    sampled: u64,
    batches: u64,
    gaps: u64,
    ignored: u64,
    /// Observations that are recorded nowhere, by reason: those that the reader could not take, and
    /// those that the server refused.
    refused: BTreeMap<String, u64>,
    suspect_clock: u64,
    recorded: u64,
    repeats: u64,
    /// Events that the server refused, by reason; batches and gaps too.
    refused_by_server: BTreeMap<String, u64>,
    unmapped: BTreeMap<String, u64>,
    truncated: bool,
    position: u64,
}

/// The account of an import.
#[derive(Debug)]
pub(crate) struct Report {
    plant: String,
    machine: String,
    files: Vec<(Imported, Account)>,
    total: Account,
    mistakes: Vec<String>,
}

impl Report {
    pub(crate) fn new(plant: &str, machine: &str) -> Self {
        Self {
            plant: plant.to_owned(),
            machine: machine.to_owned(),
            files: Vec::new(),
            total: Account::default(),
            mistakes: Vec::new(),
        }
    }

    /// Adds a file and checks its sums.
    pub(crate) fn add(&mut self, imported: Imported) {
        let account = Account::of(&imported);
        let shown = imported.path.display();
        if !imported.counts.reconcile() || !account.reconciles() {
            self.mistakes
                .push(format!("\"{shown}\": the observations do not add up"));
        }
        let (emitted, outcomes) = (imported.counts.emitted(), &imported.outcomes);
        if outcomes.sent != emitted || outcomes.acknowledged() != emitted {
            self.mistakes.push(format!(
                "\"{shown}\": {emitted} events were read, {} sent, {} acknowledged",
                outcomes.sent,
                outcomes.acknowledged()
            ));
        }
        self.total.add(&account);
        self.files.push((imported, account));
    }

    /// What does not add up; empty when all is well.
    pub(crate) fn mistakes(&self) -> &[String] {
        &self.mistakes
    }

    pub(crate) fn answer(&self) -> Answer {
        let mut rows: Vec<_> = self
            .files
            .iter()
            .map(|(imported, account)| {
                let file = imported.path.display().to_string();
                let mut item = account.json();
                item.insert("file".to_owned(), json!(file));
                item.insert("source".to_owned(), json!(imported.source));
                item.insert("content".to_owned(), json!(imported.content.to_string()));
                item.insert("examples".to_owned(), examples(imported));
                (account.row(&file), Value::Object(item))
            })
            .collect();
        let files: Vec<_> = rows.iter().map(|(_, item)| item.clone()).collect();
        let sources: Vec<_> = self
            .files
            .iter()
            .map(|(file, _)| file.source.clone())
            .collect();
        let mut whole = self.total.json();
        whole.insert("plant".to_owned(), json!(self.plant));
        whole.insert("machine".to_owned(), json!(self.machine));
        let source = match sources.as_slice() {
            [one] => json!(one),
            many => json!(many),
        };
        whole.insert("source".to_owned(), source);
        whole.insert("reconciles".to_owned(), json!(self.mistakes.is_empty()));
        whole.insert("files".to_owned(), Value::Array(files));
        if rows.len() > 1 {
            rows.push((self.total.row("total"), Value::Null));
        }
        let answer = Answer::list(&COLUMNS, rows).whole(Value::Object(whole));
        answer.note(self.notes())
    }

    fn notes(&self) -> String {
        let total = &self.total;
        let mut notes = vec![format!(
            "{} recorded, {} repeats",
            total.recorded, total.repeats
        )];
        if let (Some(first), true) = (notes.first_mut(), total.position > 0) {
            let at = total.position;
            first.push_str(&format!(
                "; the log of plant \"{}\" is at position {at}",
                self.plant
            ));
        }
        if !total.unmapped.is_empty() {
            let keys: Vec<_> = total.unmapped.keys().take(8).map(String::as_str).collect();
            let count = total.unmapped.len();
            let keys = keys.join(", ");
            notes.push(format!(
                "{count} keys are not mapped (see --mapping): {keys}"
            ));
        }
        for (reason, count) in &total.refused {
            notes.push(format!("{count} observations refused: {reason}"));
        }
        if total.truncated {
            notes.push("a compressed file ends early or is damaged; a gap tells where".to_owned());
        }
        notes.join("\n")
    }
}

const COLUMNS: [&str; 12] = [
    "file",
    "lines",
    "observations",
    "events",
    "unchanged",
    "sampled",
    "batches",
    "ignored",
    "refused",
    "gaps",
    "recorded",
    "repeats",
];

/// The first example of each reason for which the server refused events.
fn examples(imported: &Imported) -> Value {
    let examples = imported.outcomes.refused.iter().map(|(reason, refused)| {
        json!({
            "reason": reason,
            "events": refused.events,
            "first_sequence": refused.first_sequence,
            "field": refused.field,
            "message": refused.message,
        })
    });
    Value::Array(examples.collect())
}

impl Account {
    fn of(imported: &Imported) -> Self {
        let (counts, outcomes) = (&imported.counts, &imported.outcomes);
        let mut account = Self {
            lines: counts.lines,
            observations: counts.observations,
            events: counts.events,
            unchanged: counts.unchanged,
            sampled: counts.sampled,
            batches: counts.batches,
            gaps: counts.gaps,
            ignored: counts.ignored,
            refused: counts.refused.clone(),
            suspect_clock: counts.suspect_clock,
            recorded: outcomes.recorded,
            repeats: outcomes.repeated,
            refused_by_server: BTreeMap::new(),
            unmapped: counts.unmapped.clone(),
            truncated: counts.truncated,
            position: outcomes.position.get(),
        };
        for (reason, refused) in &outcomes.refused {
            account
                .refused_by_server
                .insert((*reason).to_owned(), refused.events);
            // An observation that the server refused is no event any more.
            let others = refused
                .sequences
                .iter()
                .map(|range| within(&imported.others, *range));
            let observations = refused.events.saturating_sub(others.sum());
            account.events = account.events.saturating_sub(observations);
            *account.refused.entry((*reason).to_owned()).or_default() += observations;
        }
        account.refused.retain(|_, count| *count > 0);
        account
    }

    fn reconciles(&self) -> bool {
        let refused: u64 = self.refused.values().sum();
        self.observations == self.events + self.unchanged + self.sampled + self.ignored + refused
    }

    fn add(&mut self, other: &Self) {
        let sums = [
            (&mut self.lines, other.lines),
            (&mut self.observations, other.observations),
            (&mut self.events, other.events),
            (&mut self.unchanged, other.unchanged),
            (&mut self.sampled, other.sampled),
            (&mut self.batches, other.batches),
            (&mut self.gaps, other.gaps),
            (&mut self.ignored, other.ignored),
            (&mut self.suspect_clock, other.suspect_clock),
            (&mut self.recorded, other.recorded),
            (&mut self.repeats, other.repeats),
        ];
        for (sum, more) in sums {
            *sum += more;
        }
        let tables = [
            (&mut self.refused, &other.refused),
            (&mut self.refused_by_server, &other.refused_by_server),
            (&mut self.unmapped, &other.unmapped),
        ];
        for (table, more) in tables {
            for (name, count) in more {
                *table.entry(name.clone()).or_default() += count;
            }
        }
        self.truncated |= other.truncated;
        self.position = self.position.max(other.position);
    }

    fn json(&self) -> Map<String, Value> {
        let value = json!({
            "lines": self.lines,
            "observations": self.observations,
            "events": self.events,
            "unchanged": self.unchanged,
            "sampled": self.sampled,
            "batches": self.batches,
            "gaps": self.gaps,
            "ignored": self.ignored,
            "refused": self.refused,
            "suspect_clock": self.suspect_clock,
            "recorded": self.recorded,
            "repeats": self.repeats,
            "refused_by_server": self.refused_by_server,
            "unmapped": self.unmapped,
            "truncated": self.truncated,
            "position": self.position,
        });
        match value {
            Value::Object(map) => map,
            _ => Map::new(),
        }
    }

    fn row(&self, file: &str) -> Vec<String> {
        let refused = self.refused.values().sum();
        let numbers = [
            self.lines,
            self.observations,
            self.events,
            self.unchanged,
            self.sampled,
            self.batches,
            self.ignored,
            refused,
            self.gaps,
            self.recorded,
            self.repeats,
        ];
        let file = std::iter::once(file.to_owned());
        file.chain(numbers.iter().map(u64::to_string)).collect()
    }
}

/// How many of these ascending numbers lie in a range, its ends included.
fn within(numbers: &[u64], (first, last): (u64, u64)) -> u64 {
    let from = numbers.partition_point(|number| *number < first);
    let to = numbers.partition_point(|number| *number <= last);
    to.saturating_sub(from) as u64
}

/// Standard error where it is no terminal: progress as plain lines.
#[derive(Debug)]
pub(crate) struct Plain;

impl TermLike for Plain {
    fn width(&self) -> u16 {
        100
    }

    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        writeln!(io::stderr(), "{}", text.trim_end())
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        let text = text.trim_end();
        if text.is_empty() {
            Ok(())
        } else {
            writeln!(io::stderr(), "{text}")
        }
    }

    fn clear_line(&self) -> io::Result<()> {
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        io::stderr().flush()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::path::PathBuf;
    use werkbuch_gateway::source::ContentHash;
    use werkbuch_gateway::source::shdr::Counts;
    use werkbuch_gateway::upload::{Outcomes, RefusedEvents};

    fn imported(refused: &[(u64, u64)], acknowledged: u64) -> Imported {
        let counts = Counts {
            observations: 10,
            events: 6,
            unchanged: 1,
            sampled: 3,
            batches: 1,
            gaps: 1,
            ..Counts::default()
        };
        let events = refused.iter().map(|(first, last)| last - first + 1).sum();
        let why = RefusedEvents {
            events,
            sequences: refused.to_vec(),
            ..RefusedEvents::default()
        };
        let outcomes = Outcomes {
            sent: 8,
            recorded: acknowledged - events,
            refused: [("TEXT_TOO_LONG", why)]
                .into_iter()
                .filter(|_| events > 0)
                .collect(),
            ..Outcomes::default()
        };
        Imported {
            path: PathBuf::from("a.shdr"),
            source: "import:x:m".to_owned(),
            content: ContentHash([0; 32]),
            counts,
            outcomes,
            others: vec![3, 8],
        }
    }

    #[test]
    fn all_is_well_when_everything_is_acknowledged() {
        let mut report = Report::new("P", "m");
        report.add(imported(&[], 8));
        assert!(report.mistakes().is_empty(), "{:?}", report.mistakes());
    }

    #[test]
    fn what_the_server_refuses_is_refused_and_the_sums_still_add_up() {
        let mut report = Report::new("P", "m");
        // 2, 3 and 4 are refused; 3 is a batch.
        report.add(imported(&[(2, 4)], 8));
        assert!(report.mistakes().is_empty(), "{:?}", report.mistakes());
        let total = &report.total;
        assert_eq!(
            (total.events, total.refused.get("TEXT_TOO_LONG")),
            (4, Some(&2))
        );
        assert_eq!(total.refused_by_server.get("TEXT_TOO_LONG"), Some(&3));
    }

    #[test]
    fn a_lost_event_is_noticed() {
        let mut report = Report::new("P", "m");
        report.add(imported(&[], 7));
        assert_eq!(report.mistakes().len(), 1, "{:?}", report.mistakes());
        let mut wrong = imported(&[], 8);
        wrong.counts.observations += 1;
        let mut report = Report::new("P", "m");
        report.add(wrong);
        assert_eq!(report.mistakes().len(), 1, "{:?}", report.mistakes());
    }
}
