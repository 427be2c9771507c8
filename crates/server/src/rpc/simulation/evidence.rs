//! What a plant's log says up to an instant, read for a fork: the description, what machines did, the cycles that
//! they completed, and what lay where.

use super::mended::Mended;
use super::others::others;
use super::span::{Machines, Span};
use super::{ForkOf, stocks::Stocks};
use crate::asked::{Answered, Asked, Reach};
use crate::context::Context;
use crate::limits::SURVEY_EVENTS_MAX;
use crate::rpc::Wips;
use crate::view;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use tonic::Status;
use werkbuch_engine::{EngineError, Plant};
use werkbuch_model::event::{Body, Recorded};
use werkbuch_model::id::{MachineNumber, Position};
use werkbuch_model::instant::{Instant, Known};
use werkbuch_model::time::Timestamp;
use werkbuch_sim::whatif::{CycleRecord, MachineRecord, PlaceRecord, PlantRecord, StockRecord};
use werkbuch_twin::line::{Method, WipKind, WipRow};
use werkbuch_wire::pb;
use werkbuch_wire::reason::Reason;

/// The instant that is forked, as resolved: it is the same for ever.
#[derive(Clone, Debug)]
pub(super) struct Fork {
    pub(super) plant: Plant,
    /// The description at the instant, as a file.
    pub(super) content: String,
    pub(super) answered: Answered,
    at: Timestamp,
    window_ns: u64,
    asked: Asked,
}

/// What was read.
pub(super) struct Evidence {
    pub(super) record: PlantRecord,
    /// SHA-256 of all that was read.
    pub(super) digest: String,
}

impl Fork {
    /// Finds out what an instant is, and how the plant was described. Errors: those of the instant.
    pub(super) async fn find(context: &Context, of: ForkOf<'_>) -> Result<Self, Status> {
        let plant = context.plant(of.parent)?;
        let asked = context.asked(&plant, of.instant, Reach::Happened).await?;
        let (found, answered) = context
            .ask(&plant, &asked, view::model::plant_in_full)
            .await?;
        let at = answered.reflected.at.unwrap_or(answered.as_of);
        let asked = Asked {
            instant: Instant {
                known: Known::Position(answered.reflected.position),
                at: Some(at),
            },
            as_of: Some(at),
            known_recorded_at: None,
            zone: String::new(),
        };
        Ok(Self {
            plant,
            content: found.content,
            answered,
            at,
            window_ns: of.window_ns,
            asked,
        })
    }

    pub(super) fn at(&self) -> Timestamp {
        self.at
    }

    /// The same instant, to be asked for again.
    pub(super) fn instant(&self) -> pb::Instant {
        pb::Instant {
            known: Some(pb::instant::Known::KnownPosition(self.position().get())),
            at: Some(self.at.nanos()),
            ..pb::Instant::default()
        }
    }

    fn position(&self) -> Position {
        self.answered.reflected.position
    }

    pub(super) fn from(&self) -> Timestamp {
        self.at
            .plus(-i64::try_from(self.window_ns).unwrap_or(i64::MAX))
    }

    pub(super) fn span(&self) -> Span {
        Span {
            plant: self.plant.clone(),
            asked: self.asked.clone(),
            from: self.from(),
            to: self.at,
        }
    }

    /// Reads it all. Errors: those of the log; a window that holds too much, or nothing.
    pub(super) async fn read(&self, context: &Arc<Context>) -> Result<Evidence, Status> {
        let span = self.span();
        let mut machines = span.intervals(context, |_| true).await?;
        let stocks = self.events(context, &mut machines).await?;
        let places = self.places(context).await?;
        let others = others(context, self, &machines).await;
        let record = PlantRecord {
            from_ns: self.from().nanos(),
            at_ns: self.at.nanos(),
            position: self.position().get(),
            machines: machines.into_values().collect(),
            places,
            stocks,
            others,
        };
        let seen = |one: &MachineRecord| one.intervals.iter().any(|spent| spent.is_covered);
        if !record.machines.iter().any(seen) {
            let what = format!(
                "nothing is recorded of plant \"{}\" in the window that ends at {}: take a longer window or \
                 another instant, or simulate a described model",
                self.plant.id(),
                self.at
            );
            let field = ("window_ns".to_owned(), "holds nothing".to_owned());
            return Err(Reason::InvalidRequest.violations(what, [field]));
        }
        let said = format!("{record:?}{}", self.content);
        let digest = format!("sha256:{}", werkbuch_proof::sha256(said.as_bytes()));
        Ok(Evidence { record, digest })
    }

    /// The cycles that were completed, and what was brought to the line.
    async fn events(
        &self,
        context: &Context,
        machines: &mut Machines,
    ) -> Result<Vec<StockRecord>, Status> {
        let (from, to, bound) = (self.from(), self.at, self.position());
        let plant = self.plant.clone();
        let names = machines.iter().map(|(at, one)| (*at, one.machine.clone()));
        let names: BTreeMap<MachineNumber, String> = names.collect();
        let work = move || -> Result<_, EngineError> {
            let mut cycles: Vec<(MachineNumber, CycleRecord)> = Vec::new();
            let mut stocks = Stocks::default();
            let mut mended = Mended::default();
            let mut take = |event: &Recorded<'_>| {
                if event.effective_at < from || event.effective_at > to {
                    return ControlFlow::Continue(());
                }
                let machine = names.get(&event.reported.machine);
                let (machine, body) = (machine.map_or("", String::as_str), &event.reported.body);
                stocks.take(event.effective_at.nanos(), machine, body);
                mended.take(event.reported.machine, event.effective_at.nanos(), body);
                if let Body::CycleCompleted(cycle) = body {
                    let record = CycleRecord {
                        at_ns: event.effective_at.nanos(),
                        took_ns: cycle.duration_ms.map(|ms| ms.saturating_mul(1_000_000)),
                        variant: cycle.variant.to_string(),
                    };
                    cycles.push((event.reported.machine, record));
                }
                ControlFlow::Continue(())
            };
            let survey = plant.survey(from, bound, SURVEY_EVENTS_MAX, &mut take)?;
            Ok((cycles, stocks.finish(), mended, survey.complete))
        };
        let (cycles, stocks, mended, complete) = context.stream_blocking(work).await?;
        if !complete {
            return Err(self.span().too_much());
        }
        for (machine, cycle) in cycles {
            if let Some(record) = machines.get_mut(&machine) {
                record.cycles.push(cycle);
            }
        }
        mended.finish(machines);
        for record in machines.values_mut() {
            record.cycles.sort_by_key(|cycle| cycle.at_ns);
        }
        Ok(stocks)
    }

    async fn places(&self, context: &Arc<Context>) -> Result<Vec<PlaceRecord>, Status> {
        let wips = Wips(Arc::clone(context));
        let ((rows, _), _) = wips.find(&self.plant, &self.asked, String::new()).await?;
        let holds = |row: &&WipRow| matches!(row.kind, WipKind::Buffer | WipKind::Machine);
        let places = rows.iter().filter(holds).map(|row| PlaceRecord {
            place: row.location.clone(),
            lower: row.lower,
            upper: row.upper,
            method: match row.method {
                Method::Tracked => "TRACKED",
                Method::Reported => "REPORTED",
                Method::Counted => "COUNTED",
                Method::Estimated => "ESTIMATED",
                Method::Unknown => "UNKNOWN",
            }
            .to_owned(),
        });
        Ok(places.collect())
    }
}
