//! What is shown while the demo runs, asked of the server.

use super::feed::Sent;
use super::plant::DemoPlant;
use super::size;
use crate::Context;
use crate::client::Client;
use crate::command::last;
use crate::failure::Outcome;
use crate::output::Output;
use crate::view::{event, machine};
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;
use werkbuch_wire::{name, pb};

/// How many alarms are shown.
const ALARMS: usize = 4;

/// The plant at one moment, as its server says.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    pub(crate) plants: u32,
    pub(crate) machines: usize,
    pub(crate) by_state: BTreeMap<&'static str, usize>,
    pub(crate) parts_good: u64,
    pub(crate) position: u64,
    pub(crate) sent: Sent,
    alarms: Vec<String>,
}

impl Reading {
    /// The machines by state, in one line.
    pub(crate) fn states(&self) -> String {
        let states = self
            .by_state
            .iter()
            .map(|(state, count)| format!("{count} {state}"));
        states.collect::<Vec<_>>().join(", ")
    }
}

/// Asks and shows.
pub(crate) struct Watch {
    client: Client,
    plant: String,
    last_machines: Vec<String>,
    data: PathBuf,
    output: Output,
    terminal: bool,
    /// How many lines stand on the terminal.
    drawn: usize,
    before: (Duration, u64),
}

impl Watch {
    pub(crate) fn new(
        client: &Client,
        plant: &DemoPlant,
        data: &std::path::Path,
        context: &Context,
    ) -> Self {
        Self {
            client: client.clone(),
            plant: plant.id().to_string(),
            last_machines: plant
                .last_machines()
                .into_iter()
                .map(str::to_owned)
                .collect(),
            data: data.to_owned(),
            output: context.output,
            terminal: std::io::stderr().is_terminal(),
            drawn: 0,
            before: (Duration::ZERO, 0),
        }
    }

    pub(crate) fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Asks the server how the plant does. Errors: those of the calls.
    pub(crate) async fn read(&self, sent: Sent) -> Outcome<Reading> {
        let server = self
            .client
            .admin()
            .get_server(pb::GetServerRequest {})
            .await?
            .into_inner();
        let request = pb::ListMachinesRequest {
            parent: name::of_plant(&self.plant),
            ..pb::ListMachinesRequest::default()
        };
        let page = self
            .client
            .twin()
            .list_machines(request)
            .await?
            .into_inner();
        let mut reading = Reading {
            plants: server.plants,
            machines: page.machines.len(),
            position: page.reflected.map_or(0, |of| of.position),
            sent,
            ..Reading::default()
        };
        let mut names = event::Names::new();
        for one in &page.machines {
            let name = last(&one.name);
            *reading
                .by_state
                .entry(machine::state(one.state))
                .or_default() += 1;
            if self.last_machines.iter().any(|last| last == name) {
                let good = one
                    .counters
                    .iter()
                    .find(|counter| counter.counter == "good");
                reading.parts_good += good.and_then(|counter| counter.value).unwrap_or(0);
            }
            names.insert(one.number, name.to_owned());
        }
        reading.alarms = self.alarms(&names).await?;
        Ok(reading)
    }

    async fn alarms(&self, names: &event::Names) -> Outcome<Vec<String>> {
        let request = pb::ListEventsRequest {
            parent: name::of_plant(&self.plant),
            kinds: vec!["ALARM_RAISED".to_owned()],
            page_size: i32::try_from(ALARMS).unwrap_or(1),
            newest_first: true,
            ..pb::ListEventsRequest::default()
        };
        let page = self
            .client
            .history()
            .list_events(request)
            .await?
            .into_inner();
        let alarm = |bytes: &[u8]| -> Outcome<String> {
            let event = event::decode(bytes)?;
            let machine = names
                .get(&event.reported.machine.get())
                .cloned()
                .unwrap_or_default();
            let at = event.effective_at.to_string();
            let clock: String = at.chars().skip(11).take(8).collect();
            Ok(format!(
                "{clock} {machine}: {}",
                event::what(&event.reported.body)
            ))
        };
        page.events.iter().map(|bytes| alarm(bytes)).collect()
    }

    /// Shows how the plant does: redrawn on a terminal, as a line elsewhere.
    pub(crate) async fn show(&mut self, sent: Sent, elapsed: Duration) -> Outcome<()> {
        if self.output.quiet {
            return Ok(());
        }
        let reading = self.read(sent).await?;
        let (then, before) = std::mem::replace(&mut self.before, (elapsed, sent.acknowledged));
        let millis = u64::try_from((elapsed - then).as_millis())
            .unwrap_or(u64::MAX)
            .max(1);
        let rate = sent
            .acknowledged
            .saturating_sub(before)
            .saturating_mul(1_000)
            / millis;
        let (states, parts, position) = (reading.states(), reading.parts_good, reading.position);
        if !self.terminal {
            let alarm = reading
                .alarms
                .first()
                .map(|one| format!("; last alarm {one}"))
                .unwrap_or_default();
            let line = format!(
                "{}s position {position}, {rate} events/s, {parts} good parts, {states}{alarm}",
                elapsed.as_secs()
            );
            self.output.note(&line);
            return Ok(());
        }
        let mut lines = vec![
            format!(
                "plant     {} ({} machines), running {} s; Ctrl-C stops",
                self.plant,
                reading.machines,
                elapsed.as_secs()
            ),
            format!("states    {states}"),
            format!("parts     {parts} good"),
            format!(
                "events    {} sent, {} acknowledged, {rate} a second",
                sent.events, sent.acknowledged
            ),
            format!("log       position {position}, {} bytes", size(&self.data)),
        ];
        let alarms = reading
            .alarms
            .iter()
            .map(|alarm| format!("alarm     {alarm}"));
        lines.extend(alarms);
        self.draw(&lines);
        Ok(())
    }

    fn draw(&mut self, lines: &[String]) {
        self.clear();
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        // Nobody can be told that standard error is gone.
        let _ = std::io::stderr().write_all(text.as_bytes());
        self.drawn = lines.len();
    }

    /// Takes away what was drawn.
    pub(crate) fn clear(&mut self) {
        if self.drawn > 0 {
            let _ = write!(std::io::stderr(), "\x1b[{}A\x1b[J", self.drawn);
            self.drawn = 0;
        }
    }
}
