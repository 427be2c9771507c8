//! What a plant's log says up to an instant, asked of the server: the description, what machines did, the cycles
//! that they completed, and what lay where.

use crate::Context;
use crate::client::Client;
use crate::command::Instant;
use crate::command::last;
use crate::command::machine::timeline::fetch::all;
use crate::failure::{Failure, Outcome};
use crate::view::event::decode;
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use werkbuch_model::event::{Body, State};
use werkbuch_model::id::MachineNumber;
use werkbuch_sim::whatif::{CycleRecord, MachineRecord, PlaceRecord, PlantRecord, Spent};
use werkbuch_wire::{name, pb};

/// The most events of a page.
const PAGE: i32 = 10_000;

/// Which plant is forked, when, and how much of its past tells how it behaves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ForkAt {
    pub(crate) plant: String,
    /// The position of the log that was known.
    pub(crate) position: u64,
    /// The plant time of the fork, in nanoseconds since 1970.
    pub(crate) at_ns: i64,
    /// How far back the evidence goes, in nanoseconds.
    pub(crate) window_ns: u64,
}

/// What is forked: a description and a record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Forked {
    pub(crate) at: ForkAt,
    pub(crate) content: String,
    pub(crate) record: PlantRecord,
}

impl ForkAt {
    /// Finds out what an instant is. Errors: those of the server.
    pub(crate) async fn find(
        context: &Context,
        plant: &str,
        instant: &Instant,
        window_ns: u64,
    ) -> Outcome<Self> {
        let request = pb::CountMachinesRequest {
            parent: name::of_plant(plant),
            instant: instant.message(context)?,
            ..pb::CountMachinesRequest::default()
        };
        let client = context.client().await?;
        let answer = client.twin().count_machines(request).await?.into_inner();
        let reflected = answer.reflected.unwrap_or_default();
        Ok(Self {
            plant: plant.to_owned(),
            position: reflected.position,
            at_ns: reflected.at.unwrap_or(reflected.as_of),
            window_ns,
        })
    }

    fn instant(&self) -> pb::Instant {
        pb::Instant {
            known: Some(pb::instant::Known::KnownPosition(self.position)),
            at: Some(self.at_ns),
            as_of: Some(self.at_ns),
            ..pb::Instant::default()
        }
    }

    /// Reads what there is to know. Errors: those of the server, and a plant of which nothing is recorded.
    pub(crate) async fn read(self, context: &Context) -> Outcome<Forked> {
        let client = context.client().await?;
        let bar = ProgressBar::new_spinner();
        if context.output.quiet {
            bar.set_draw_target(indicatif::ProgressDrawTarget::hidden());
        }
        bar.set_message("reading the description");
        let request = pb::GetPlantRequest {
            name: name::of_plant(&self.plant),
            instant: Some(self.instant()),
        };
        let plant = client.model().get_plant(request).await?.into_inner();
        bar.set_message("reading what the machines did");
        let mut machines = self.intervals(&client).await?;
        self.cycles(&client, &mut machines, &bar).await?;
        bar.set_message("reading what lies where");
        let places = self.places(&client).await?;
        bar.finish_and_clear();
        let window = i64::try_from(self.window_ns).unwrap_or(i64::MAX);
        let record = PlantRecord {
            from_ns: self.at_ns.saturating_sub(window),
            at_ns: self.at_ns,
            position: self.position,
            machines: machines.into_values().collect(),
            places,
        };
        if record
            .machines
            .iter()
            .all(|one| one.intervals.iter().all(|spent| !spent.is_covered))
        {
            let what = format!("nothing is recorded of {} in the window", self.plant);
            return Err(Failure::usage(what)
                .hint("take a longer --window or another --at, or simulate a described model: --model FILE"));
        }
        Ok(Forked {
            at: self,
            content: plant.content,
            record,
        })
    }

    /// What machines did, by their numbers.
    async fn intervals(&self, client: &Client) -> Outcome<BTreeMap<MachineNumber, MachineRecord>> {
        let window = i64::try_from(self.window_ns).unwrap_or(i64::MAX);
        let request = pb::StreamTimelinesRequest {
            parent: name::of_plant(&self.plant),
            from_time: Some(self.at_ns.saturating_sub(window)),
            to_time: Some(self.at_ns),
            instant: Some(self.instant()),
            ..pb::StreamTimelinesRequest::default()
        };
        let lines = all(client, request, 0).await?;
        let machines = lines.machines.into_iter().map(|line| {
            let mut record = MachineRecord {
                machine: last(&line.name).to_owned(),
                ..MachineRecord::default()
            };
            for interval in &line.intervals {
                let counts = [interval.good, interval.rework, interval.scrap];
                for (sum, more) in record.parts.iter_mut().zip(counts) {
                    *sum += more;
                }
                push(&mut record.intervals, spent(interval));
            }
            (MachineNumber(line.number), record)
        });
        Ok(machines.collect())
    }

    /// The cycles that were completed.
    async fn cycles(
        &self,
        client: &Client,
        machines: &mut BTreeMap<MachineNumber, MachineRecord>,
        bar: &ProgressBar,
    ) -> Outcome<()> {
        let window = i64::try_from(self.window_ns).unwrap_or(i64::MAX);
        let mut request = pb::ListEventsRequest {
            parent: name::of_plant(&self.plant),
            kinds: vec!["CYCLE_COMPLETED".to_owned()],
            from_time: Some(self.at_ns.saturating_sub(window)),
            page_size: PAGE,
            instant: Some(self.instant()),
            ..pb::ListEventsRequest::default()
        };
        let mut read = 0;
        loop {
            let page = client
                .history()
                .list_events(request.clone())
                .await?
                .into_inner();
            for bytes in &page.events {
                let event = decode(bytes)?;
                let Body::CycleCompleted(cycle) = &event.reported.body else {
                    continue;
                };
                if let Some(record) = machines.get_mut(&event.reported.machine) {
                    record.cycles.push(CycleRecord {
                        at_ns: event.effective_at.nanos(),
                        took_ns: cycle.duration_ms.map(|ms| ms.saturating_mul(1_000_000)),
                        variant: cycle.variant.to_string(),
                    });
                }
            }
            read += page.events.len();
            bar.set_message(format!("{read} cycles read"));
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        for record in machines.values_mut() {
            record.cycles.sort_by_key(|cycle| cycle.at_ns);
        }
        Ok(())
    }

    async fn places(&self, client: &Client) -> Outcome<Vec<PlaceRecord>> {
        let mut request = pb::ListWipRequest {
            parent: name::of_plant(&self.plant),
            kinds: [pb::WipKind::Buffer, pb::WipKind::Machine]
                .map(i32::from)
                .to_vec(),
            page_size: PAGE,
            instant: Some(self.instant()),
            ..pb::ListWipRequest::default()
        };
        let mut places = Vec::new();
        loop {
            let page = client.wip().list_wip(request.clone()).await?.into_inner();
            places.extend(page.rows.iter().map(|row| {
                let method = row.method().as_str_name();
                PlaceRecord {
                    place: row.location.clone(),
                    lower: row.lower,
                    upper: row.upper,
                    method: method
                        .strip_prefix("WIP_METHOD_")
                        .unwrap_or(method)
                        .to_owned(),
                }
            }));
            if page.next_page_token.is_empty() {
                return Ok(places);
            }
            request.page_token = page.next_page_token;
        }
    }
}

fn spent(interval: &pb::TimelineInterval) -> Spent {
    let code = u32::try_from(interval.state).ok();
    Spent {
        state: code.and_then(State::from_code).unwrap_or_default(),
        from_ns: interval.begin,
        to_ns: interval.end,
        is_covered: !interval.uncovered,
    }
}

/// Intervals that differ in something else alone are one.
fn push(intervals: &mut Vec<Spent>, next: Spent) {
    match intervals.last_mut() {
        Some(before) if (before.state, before.is_covered) == (next.state, next.is_covered) => {
            before.to_ns = next.to_ns;
        }
        _ => intervals.push(next),
    }
}
