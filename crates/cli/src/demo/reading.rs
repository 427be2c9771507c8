//! A plant at one moment, as its server says.

use crate::client::Client;
use crate::command::last;
use crate::failure::Outcome;
use crate::view::{event, machine};
use std::collections::BTreeMap;
use werkbuch_model::event::Body;
use werkbuch_model::time::Timestamp;
use werkbuch_wire::{name, pb};

/// The events that move parts.
const PART_KINDS: [&str; 4] = ["PART_ENTERED", "PART_LEFT", "PARTS_JOINED", "PART_SPLIT"];
/// How many events are asked for at once.
const PAGE: i32 = 10_000;

/// A plant at one moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Reading {
    pub(super) position: u64,
    pub(super) alarms: u64,
    /// By machine: the state as shown.
    pub(super) states: BTreeMap<String, &'static str>,
    /// By machine and counter: where it stands, and how often it was set back.
    pub(super) counters: BTreeMap<(String, String), (Option<u64>, u32)>,
    /// By part: where it is; only after [`Reading::find_parts`].
    pub(super) parts: BTreeMap<String, String>,
    names: BTreeMap<u32, String>,
}

impl Reading {
    /// Asks the server how a plant does. Errors: those of the call.
    pub(super) async fn of(client: &Client, plant: &str) -> Outcome<Self> {
        let request = pb::ListMachinesRequest {
            parent: name::of_plant(plant),
            page_size: PAGE,
            ..pb::ListMachinesRequest::default()
        };
        let page = client.twin().list_machines(request).await?.into_inner();
        let mut reading = Self {
            position: page.reflected.map_or(0, |of| of.position),
            ..Self::default()
        };
        for one in page.machines {
            let name = last(&one.name).to_owned();
            reading.alarms += u64::from(one.active_alarms);
            reading
                .states
                .insert(name.clone(), machine::state(one.state));
            for counter in one.counters {
                let stands = (counter.value, counter.reset_epoch);
                reading
                    .counters
                    .insert((name.clone(), counter.counter), stands);
            }
            reading.names.insert(one.number, name);
        }
        Ok(reading)
    }

    /// How many machines are in which state.
    pub(super) fn by_state(&self) -> BTreeMap<&'static str, u64> {
        self.states
            .values()
            .fold(BTreeMap::new(), |mut counts, state| {
                *counts.entry(*state).or_default() += 1;
                counts
            })
    }

    /// The good parts that the machines at the end of the flow have counted.
    pub(super) fn parts_good(&self, sinks: &[String]) -> u64 {
        let good = |sink: &String| {
            let counter = self.counters.get(&(sink.clone(), "good".to_owned()));
            counter.and_then(|(value, _)| *value).unwrap_or(0)
        };
        sinks.iter().map(good).sum()
    }

    /// Finds where the parts are, from all that was recorded of their ways up to the position.
    /// Errors: those of the calls.
    pub(super) async fn find_parts(&mut self, client: &Client, plant: &str) -> Outcome<()> {
        let mut ways: BTreeMap<String, (Order, String)> = BTreeMap::new();
        let mut page_token = String::new();
        loop {
            let request = pb::ListEventsRequest {
                parent: name::of_plant(plant),
                kinds: PART_KINDS.map(str::to_owned).to_vec(),
                page_size: PAGE,
                page_token,
                ..pb::ListEventsRequest::default()
            };
            let page = client.history().list_events(request).await?.into_inner();
            for bytes in &page.events {
                self.note(&event::decode(bytes)?, &mut ways);
            }
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        let inside = ways.into_iter().filter(|(_, (_, place))| !place.is_empty());
        self.parts = inside.map(|(part, (_, place))| (part, place)).collect();
        Ok(())
    }

    fn note(
        &self,
        recorded: &werkbuch_model::event::Recorded<'_>,
        ways: &mut BTreeMap<String, (Order, String)>,
    ) {
        let order = (
            recorded.effective_at,
            recorded.source.get(),
            recorded.reported.sequence.get(),
        );
        let machine = self
            .names
            .get(&recorded.reported.machine.get())
            .cloned()
            .unwrap_or_default();
        let at = |location: &str| {
            if location.is_empty() {
                machine.clone()
            } else {
                location.to_owned()
            }
        };
        let mut set = |part: &str, place: String| {
            let known = ways
                .entry(part.to_owned())
                .or_insert_with(|| (order, String::new()));
            if known.0 <= order {
                *known = (order, place);
            }
        };
        match &recorded.reported.body {
            Body::PartEntered(body) => set(&body.part, at(&body.location)),
            Body::PartLeft(body) => set(&body.part, body.to.to_string()),
            Body::PartSplit(body) => {
                set(&body.part, String::new());
                for half in &body.into {
                    set(half, at(&body.location));
                }
            }
            Body::PartsJoined(body) => {
                set(&body.part, at(&body.location));
                for part in &body.parts {
                    set(part, String::new());
                }
            }
            _ => {}
        }
    }
}

/// The order of events in plant time, as far as one run needs it.
type Order = (Timestamp, u32, u64);
