//! What is shown while the demo runs: a table on a terminal, a line now and then elsewhere.

use super::feed::{Sent, Standing};
use super::reading::Reading;
use crate::output::Output;
use std::io::{IsTerminal, Write};
use std::time::Duration;
use werkbuch_model::time::Timestamp;

/// One plant, as it is shown.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) plant: String,
    pub(super) reading: Reading,
    pub(super) parts_good: u64,
    pub(super) sent: Sent,
    pub(super) standing: Standing,
    pub(super) plant_time: Timestamp,
    /// How far plant time lies behind where it should be, in nanoseconds.
    pub(super) lag_ns: u64,
}

/// The states as columns: glyph and word.
const STATES: [(&str, &str); 9] = [
    ("EXECUTING", "▶works"),
    ("STARVED", "◁starv"),
    ("BLOCKED", "▷block"),
    ("WAITING", "…waits"),
    ("IDLE", "○idle"),
    ("HELD", "‖held"),
    ("FAULTED", "✖fault"),
    ("SETUP", "⚙setup"),
    ("STOPPED", "■stop"),
];

/// Where it is shown.
pub(super) struct Screen {
    output: Output,
    terminal: bool,
    /// How many lines stand on the terminal.
    drawn: usize,
    /// Elapsed time and acknowledged events when it was shown last.
    before: (Duration, u64),
    /// What to try next, below the table.
    hints: Vec<String>,
}

impl Screen {
    pub(super) fn new(output: Output, hints: Vec<String>) -> Self {
        Self {
            output,
            terminal: std::io::stderr().is_terminal(),
            drawn: 0,
            before: (Duration::ZERO, 0),
            hints,
        }
    }

    pub(super) fn is_terminal(&self) -> bool {
        self.terminal
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.output.quiet
    }

    /// Shows how the plants do.
    pub(super) fn show(&mut self, rows: &[Row], elapsed: Duration) {
        let acknowledged: u64 = rows.iter().map(|row| row.sent.acknowledged).sum();
        let (then, before) = std::mem::replace(&mut self.before, (elapsed, acknowledged));
        let millis = u64::try_from((elapsed.saturating_sub(then)).as_millis())
            .unwrap_or(u64::MAX)
            .max(1);
        let rate = acknowledged.saturating_sub(before).saturating_mul(1_000) / millis;
        if self.terminal {
            let lines = self.table(rows, elapsed, rate);
            self.draw(&lines);
        } else {
            self.output.note(&line(rows, elapsed, rate));
        }
    }

    fn table(&self, rows: &[Row], elapsed: Duration, rate: u64) -> Vec<String> {
        let mut lines = vec![cells(
            "plant",
            "UTC",
            ["cars", "cars/h"].map(str::to_owned),
            STATES.map(|(_, word)| word.to_owned()),
            ["inside", "alarms", "calls", "lag s"].map(str::to_owned),
        )];
        for row in rows {
            let by_state = row.reading.by_state();
            let count = |state: &str| by_state.get(state).copied().unwrap_or(0).to_string();
            let cars = [row.parts_good, row.per_hour()];
            let figures = [
                row.standing.parts,
                row.reading.alarms,
                row.standing.calls,
                row.lag_ns / 1_000_000_000,
            ];
            lines.push(cells(
                &row.plant,
                &clock(row.plant_time),
                cars.map(|figure| figure.to_string()),
                STATES.map(|(state, _)| count(state)),
                figures.map(|figure| figure.to_string()),
            ));
        }
        let acknowledged: u64 = rows.iter().map(|row| row.sent.acknowledged).sum();
        lines.push(format!(
            "{} s; {acknowledged} events acknowledged, {rate} a second; Ctrl-C ends it",
            elapsed.as_secs()
        ));
        lines.extend(self.hints.iter().cloned());
        lines
    }

    fn draw(&mut self, lines: &[String]) {
        self.clear();
        // A line that is too long for the terminal is cut, because one that went on in the next row
        // would not be taken away again.
        let lines_of_text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let text = format!("\x1b[?7l{lines_of_text}\x1b[?7h");
        // Nobody can be told that standard error is gone.
        let _ = std::io::stderr().write_all(text.as_bytes());
        self.drawn = lines.len();
    }

    /// Takes away what was drawn.
    pub(super) fn clear(&mut self) {
        if self.drawn > 0 {
            let _ = write!(std::io::stderr(), "\x1b[{}A\x1b[J", self.drawn);
            self.drawn = 0;
        }
    }
}

impl Row {
    /// Good parts per hour of plant time; 0 before the first minute.
    fn per_hour(&self) -> u64 {
        let minutes = self.standing.plant_ns / 60_000_000_000;
        (self.parts_good * 60).checked_div(minutes).unwrap_or(0)
    }
}

/// One line of the table.
fn cells(
    plant: &str,
    clock: &str,
    cars: [String; 2],
    states: [String; 9],
    figures: [String; 4],
) -> String {
    let cars = cars.map(|cell| format!("{cell:>6}")).join(" ");
    let states = states.map(|cell| format!("{cell:>6}")).join(" ");
    let figures = figures.map(|cell| format!("{cell:>6}")).join(" ");
    format!("{plant:<9} {clock:<8} {cars} {states} {figures}")
}

/// One line about all plants.
fn line(rows: &[Row], elapsed: Duration, rate: u64) -> String {
    let plants = rows.iter().map(|row| {
        let by_state = row.reading.by_state();
        let count = |state: &str| by_state.get(state).copied().unwrap_or(0);
        format!(
            "{} {} {} good, {} of {} working, {} faulted",
            row.plant,
            clock(row.plant_time),
            row.parts_good,
            count("EXECUTING"),
            row.reading.states.len(),
            count("FAULTED"),
        )
    });
    let plants: Vec<String> = plants.collect();
    format!(
        "{} s, {rate} events/s; {}",
        elapsed.as_secs(),
        plants.join("; ")
    )
}

/// A time of day to the second.
fn clock(at: Timestamp) -> String {
    at.to_string().chars().skip(11).take(8).collect()
}
