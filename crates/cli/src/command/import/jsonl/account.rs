//! The account of an import of lines: every line under exactly one heading.

use crate::command::counted;
use crate::output::Answer;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use werkbuch_gateway::source::ContentHash;
use werkbuch_gateway::upload::Outcomes;
use werkbuch_model::id::SourceName;

/// How many lines are told with what is wrong with them.
const EXAMPLES_MAX: usize = 20;

/// What became of the lines of a file. Always
/// `lines = blank + writers_own + events + numbered + over + bad_lines + refused here`, and
/// `events + numbered + gaps = recorded + repeats + refused by the server`.
#[derive(Clone, Debug, Default)]
pub(super) struct Account {
    file: String,
    source: String,
    content: String,
    pub(super) lines: u64,
    pub(super) blank: u64,
    /// Records of the other book's writer.
    pub(super) writers_own: u64,
    /// Events sent under their own numbers.
    pub(super) events: u64,
    /// Events numbered by the source of the content.
    pub(super) numbered: u64,
    /// Events of lives that are over here with all their numbers.
    pub(super) over: u64,
    /// Lines that cannot be read, told by gaps.
    pub(super) bad_lines: u64,
    pub(super) gaps: u64,
    /// Sample batches of which the single values are in no line.
    pub(super) bodies_left: u64,
    refused_here: BTreeMap<String, u64>,
    refused: BTreeMap<String, u64>,
    recorded: u64,
    repeats: u64,
    position: u64,
    examples: Vec<(u64, String, String)>,
}

/// The account of all files.
pub(super) struct Report {
    plant: String,
    files: Vec<Account>,
}

const COLUMNS: [&str; 11] = [
    "file",
    "lines",
    "events",
    "numbered",
    "writers_own",
    "blank",
    "bad_lines",
    "refused",
    "recorded",
    "repeats",
    "over",
];

impl Account {
    pub(super) fn new(path: &Path, source: &SourceName, content: ContentHash) -> Self {
        Self {
            file: path.display().to_string(),
            source: source.to_string(),
            content: content.to_string(),
            ..Self::default()
        }
    }

    /// Notes a line with what is wrong with it.
    pub(super) fn example(&mut self, line: u64, reason: &str, why: String) {
        if self.examples.len() < EXAMPLES_MAX {
            self.examples.push((line, reason.to_owned(), why));
        }
    }

    /// Refuses an event before it is sent.
    pub(super) fn refuse(&mut self, line: u64, reason: &str, why: String) {
        *self.refused_here.entry(reason.to_owned()).or_default() += 1;
        self.example(line, reason, why);
    }

    /// Adds what became of the events of a source.
    pub(super) fn outcomes(&mut self, outcomes: &Outcomes) {
        self.recorded += outcomes.recorded;
        self.repeats += outcomes.repeated;
        self.position = self.position.max(outcomes.position.get());
        for (reason, refused) in &outcomes.refused {
            *self.refused.entry((*reason).to_owned()).or_default() += refused.events;
            let why = format!("number {}: {}", refused.first_sequence, refused.message);
            // A line is not known any more once its event is with the server.
            self.example(0, reason, why);
        }
    }

    fn refused_total(&self) -> u64 {
        self.refused
            .values()
            .chain(self.refused_here.values())
            .sum()
    }

    fn reconciles(&self) -> bool {
        let here: u64 = self.refused_here.values().sum();
        let by_server: u64 = self.refused.values().sum();
        let lines = [
            self.blank,
            self.writers_own,
            self.events,
            self.numbered,
            self.over,
            self.bad_lines,
            here,
        ];
        self.lines == lines.iter().sum::<u64>()
            && self.events + self.numbered + self.gaps == self.recorded + self.repeats + by_server
    }

    fn all_refused(&self) -> BTreeMap<&str, u64> {
        let mut all = BTreeMap::new();
        for (reason, events) in self.refused.iter().chain(&self.refused_here) {
            *all.entry(reason.as_str()).or_default() += events;
        }
        all
    }

    fn row(&self) -> Vec<String> {
        let counts = [
            self.lines,
            self.events,
            self.numbered,
            self.writers_own,
            self.blank,
            self.bad_lines,
            self.refused_total(),
            self.recorded,
            self.repeats,
            self.over,
        ];
        let counts = counts.iter().map(ToString::to_string);
        [self.file.clone()].into_iter().chain(counts).collect()
    }

    fn json(&self) -> Value {
        let examples = self.examples.iter().map(|(line, reason, why)| {
            let line = Some(*line).filter(|line| *line > 0);
            json!({ "line": line, "reason": reason, "what": why })
        });
        json!({
            "file": self.file,
            "source": self.source,
            "content": self.content,
            "lines": self.lines,
            "events": self.events,
            "numbered": self.numbered,
            "writers_own": self.writers_own,
            "blank": self.blank,
            "bad_lines": self.bad_lines,
            "gaps": self.gaps,
            "refused": self.all_refused(),
            "recorded": self.recorded,
            "repeats": self.repeats,
            "over": self.over,
            "bodies_left": self.bodies_left,
            "position": self.position,
            "examples": examples.collect::<Vec<_>>(),
        })
    }
}

impl Report {
    pub(super) fn new(plant: &str) -> Self {
        Self {
            plant: plant.to_owned(),
            files: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, account: Account) {
        self.files.push(account);
    }

    /// The first file whose sums do not add up.
    pub(super) fn mistake(&self) -> Option<String> {
        let file = self.files.iter().find(|file| !file.reconciles())?;
        Some(format!(
            "\"{}\": the lines do not add up: {}",
            file.file,
            file.json()
        ))
    }

    /// How many lines are not recorded for what is wrong with them; nothing when there are none.
    pub(super) fn incomplete(&self) -> Option<String> {
        let bad: u64 = self.files.iter().map(|file| file.bad_lines).sum();
        let refused: u64 = self.files.iter().map(Account::refused_total).sum();
        let verb = |number: u64| if number == 1 { "was" } else { "were" };
        let parts = [
            (bad > 0).then(|| format!("{} could not be read", counted(bad, "line"))),
            (refused > 0).then(|| {
                let events = counted(refused, "event");
                format!("{events} {} refused", verb(refused))
            }),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| format!("{}; all others are recorded", parts.join(" and ")))
    }

    pub(super) fn answer(&self) -> Answer {
        let rows: Vec<_> = self
            .files
            .iter()
            .map(|file| (file.row(), file.json()))
            .collect();
        let sum = |of: fn(&Account) -> u64| self.files.iter().map(of).sum::<u64>();
        let whole = json!({
            "plant": self.plant,
            "lines": sum(|file| file.lines),
            "recorded": sum(|file| file.recorded),
            "repeats": sum(|file| file.repeats),
            "bad_lines": sum(|file| file.bad_lines),
            "refused": sum(Account::refused_total),
            "reconciles": self.mistake().is_none(),
            "files": rows.iter().map(|(_, item)| item).collect::<Vec<_>>(),
        });
        Answer::list(&COLUMNS, rows).whole(whole).note(self.notes())
    }

    fn notes(&self) -> String {
        let sum = |of: fn(&Account) -> u64| self.files.iter().map(of).sum::<u64>();
        let mut notes = vec![format!(
            "{} of {} lines recorded, {} repeats",
            sum(|file| file.recorded.saturating_sub(file.gaps)),
            sum(|file| file.lines),
            sum(|file| file.repeats)
        )];
        let (bad, gaps) = (sum(|file| file.bad_lines), sum(|file| file.gaps));
        if bad > 0 {
            let (lines, gaps) = (counted(bad, "line"), counted(gaps, "gap"));
            notes.push(format!(
                "{lines} that cannot be read, told by {gaps}, which are among what is recorded; of their \
                 mistakes the first of each kind and run are shown"
            ));
        }
        for file in &self.files {
            for (line, reason, why) in &file.examples {
                let line = if *line > 0 {
                    format!(":{line}")
                } else {
                    String::new()
                };
                notes.push(format!("{}{line}: {why} ({reason})", file.file));
            }
        }
        let own = sum(|file| file.writers_own);
        if own > 0 {
            notes.push(format!(
                "{own} records of the other book's writer were passed over"
            ));
        }
        let left = sum(|file| file.bodies_left);
        if left > 0 {
            notes.push(format!(
                "{left} batches of samples came without their single values"
            ));
        }
        notes.join("\n")
    }
}
