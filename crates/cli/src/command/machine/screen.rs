//! The machines that match on a terminal, drawn again when they change.

use crate::command::last;
use crate::failure::Outcome;
use crate::output::Output;
use crate::view::{change, machine};
use crate::when;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use werkbuch_wire::pb::{MachineChangeKind, WatchMachinesResponse};

/// How many machines are shown: those that changed last.
const SHOWN: usize = 18;
/// The width of the column of names, unless they need more.
const NAME_WIDTH: usize = 18;
/// The shortest time between two drawings: faster than anyone reads.
const PAUSE: Duration = Duration::from_millis(200);

/// What is drawn.
pub(crate) struct Screen {
    /// The width of the column of names.
    name_width: usize,
    /// The machines by plant and number: the order of their last change, state, and the line shown.
    machines: BTreeMap<(String, u32), (u64, i32, String)>,
    changes: u64,
    positions: BTreeMap<String, (u64, u64)>,
    note: String,
    drawn: usize,
    drawn_at: Option<Instant>,
}

impl Default for Screen {
    fn default() -> Self {
        Self {
            name_width: NAME_WIDTH,
            machines: BTreeMap::new(),
            changes: 0,
            positions: BTreeMap::new(),
            note: String::new(),
            drawn: 0,
            drawn_at: None,
        }
    }
}

impl Screen {
    /// Makes room for these names of machines.
    pub(crate) fn fit<'n>(&mut self, names: impl Iterator<Item = &'n str>) {
        self.name_width = change::name_width(NAME_WIDTH, names);
    }

    /// Takes a message and draws, unless it has just been done. Errors: those of writing.
    pub(crate) fn show(&mut self, message: &WatchMachinesResponse, output: &Output) -> Outcome<()> {
        for change in &message.changes {
            let Some(found) = &change.machine else {
                continue;
            };
            let plant = last(&change.plant).to_owned();
            let key = (plant.clone(), found.number);
            self.changes += 1;
            if change.change_kind() == MachineChangeKind::Left {
                self.machines.remove(&key);
                continue;
            }
            let (name, width) = (last(&found.name), self.name_width);
            let (before, now) = (
                machine::state(change.previous_state),
                machine::state(found.state),
            );
            let step = if before == now {
                machine::shown_state(found)
            } else {
                format!("{before} -> {}", machine::shown_state(found))
            };
            let line = format!(
                "{plant:<12}  {name:<width$}  {step:<36}  {:<30}  {}",
                when::shown(change.effective_at.or(found.since)),
                found.reason
            );
            let line = crate::plain::line(line.trim_end()).into_owned();
            self.machines.insert(key, (self.changes, found.state, line));
        }
        for at in &message.plants {
            let plant = last(&at.plant).to_owned();
            self.positions.insert(plant, (at.position, at.end));
        }
        let just = self.drawn_at.is_some_and(|at| at.elapsed() < PAUSE);
        if just && !message.heartbeat {
            return Ok(());
        }
        let lines = self.lines();
        let up = match self.drawn {
            0 => String::new(),
            drawn => format!("\x1b[{drawn}A\x1b[J"),
        };
        output.text(&format!("{up}{}\n", lines.join("\n")))?;
        self.drawn = lines.len();
        self.drawn_at = Some(Instant::now());
        Ok(())
    }

    /// Shows a note below the machines, from the next drawing on.
    pub(crate) fn note(&mut self, text: &str) {
        text.clone_into(&mut self.note);
    }

    fn lines(&self) -> Vec<String> {
        let mut states: BTreeMap<&'static str, usize> = BTreeMap::new();
        for (_, state, _) in self.machines.values() {
            *states.entry(machine::state(*state)).or_default() += 1;
        }
        let states = states
            .iter()
            .map(|(state, count)| format!("{count} {state}"));
        let position: u64 = self.positions.values().map(|(position, _)| position).sum();
        let behind = self.positions.values();
        let behind: u64 = behind
            .map(|(position, end)| end.saturating_sub(*position))
            .sum();
        let mut lines = vec![
            format!(
                "{} machines of {} plants, {position} events, {behind} to go; Ctrl-C ends it",
                self.machines.len(),
                self.positions.len()
            ),
            states.collect::<Vec<_>>().join(", "),
        ];
        let mut rows: Vec<_> = self.machines.values().collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.0));
        lines.extend(rows.iter().take(SHOWN).map(|(_, _, line)| line.clone()));
        lines.push(format!(
            "{} of {} machines shown",
            rows.len().min(SHOWN),
            rows.len()
        ));
        if !self.note.is_empty() {
            lines.push(self.note.clone());
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use werkbuch_wire::pb;

    #[test]
    fn machines_come_change_and_go() {
        let change = |number: u32, state: pb::State, kind: MachineChangeKind| pb::MachineChange {
            plant: "tenants/default/plants/P".into(),
            change_kind: kind.into(),
            machine: Some(pb::Machine {
                name: format!("tenants/default/plants/P/machines/m{number}"),
                number,
                state: state.into(),
                ..pb::Machine::default()
            }),
            ..pb::MachineChange::default()
        };
        let mut screen = Screen {
            drawn_at: Some(Instant::now()),
            ..Screen::default()
        };
        let message = WatchMachinesResponse {
            changes: vec![
                change(1, pb::State::Idle, MachineChangeKind::Present),
                change(2, pb::State::Idle, MachineChangeKind::Entered),
                change(1, pb::State::Held, MachineChangeKind::Changed),
                change(2, pb::State::Idle, MachineChangeKind::Left),
            ],
            ..WatchMachinesResponse::default()
        };
        let output = Output::new(
            crate::output::Format::Table,
            crate::output::Color::Never,
            true,
        );
        assert!(screen.show(&message, &output).is_ok());
        let lines = screen.lines();
        assert_eq!(lines[1], "1 HELD");
        assert!(
            lines[2].contains("m1") && lines[2].contains("HELD"),
            "{lines:?}"
        );
        assert_eq!(
            lines.last().map(String::as_str),
            Some("1 of 1 machines shown")
        );
    }
}
