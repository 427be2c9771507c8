//! The plants of a question at one instant: all of a group, or one, with those that do not answer named.

mod cut;

pub(crate) use cut::{Cut, PREFIX, Stood};

use crate::asked::{Answered, Asked, Reach, Said};
use crate::context::Context;
use crate::view::found::{Found, Standing};
use crate::{error, view};
use cut::Entry;
use std::collections::BTreeSet;
use tonic::Status;
use werkbuch_engine::{EngineError, Plant};
use werkbuch_model::id::PlantId;
use werkbuch_model::instant::Known;
use werkbuch_model::time::Timestamp;
use werkbuch_twin::Twin;
use werkbuch_wire::reason::Reason;
use werkbuch_wire::{name, pb};

/// The most of a reason that a token keeps.
const BECAUSE_MAX: usize = 120;

/// Twins of plants at one instant.
#[derive(Debug)]
pub(crate) struct Group {
    /// By the plants' names.
    pub(crate) members: Vec<Member>,
    pub(crate) cut: Cut,
}

/// A plant of a group, as it stood.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) plant: Plant,
    pub(crate) twin: Twin,
    pub(crate) answered: Answered,
}

impl Group {
    /// What rules have found of each plant. Blocking. Errors: those of the logs.
    pub(crate) fn found(&self) -> Result<Vec<Found>, EngineError> {
        let members = self.members.iter();
        let found = members.map(|member| Found::of(&member.plant, &member.twin));
        found.collect()
    }

    /// The plants with what rules have found.
    pub(crate) fn standing<'t>(
        &'t self,
        found: &'t [Found],
    ) -> impl Iterator<Item = Standing<'t>> + Clone {
        let members = self.members.iter().zip(found);
        members.map(|(member, found)| Standing {
            twin: &member.twin,
            raised: Some(found),
        })
    }
}

/// A plant that does not answer.
type Absent = (PlantId, pb::AbsenceKind, String);

impl Context {
    /// The plant of a parent, or all plants of `plants/-`, at the instant of a request.
    ///
    /// Of `plants/-` those that cannot answer are named in the cut. A cut that is given back is answered
    /// whole or not at all, so that it yields the same for ever. Errors: `INVALID_INSTANT`; of one
    /// plant, and of a cut given back, whatever keeps it from answering.
    pub(crate) async fn group(
        &self,
        parent: &str,
        instant: Option<&pb::Instant>,
    ) -> Result<Group, Status> {
        match name::plant_or_all(parent)? {
            Some(plant) => {
                let plant = self.plant_of(&plant)?;
                let asked = self.asked(&plant, instant, Reach::Happened).await?;
                let member = self.member(&plant, &asked).await?;
                let entries = vec![stands(&plant, &member)];
                let as_of = member.answered.as_of;
                Ok(Group {
                    cut: cut_of(&asked, as_of, entries),
                    members: vec![member],
                })
            }
            None => {
                let said = Said::of(instant)?;
                match said.cut()? {
                    Some(cut) => {
                        let cut = self.at_time(cut.clone(), &said).await?;
                        self.again(cut).await
                    }
                    None => self.all(said).await,
                }
            }
        }
    }

    async fn member(&self, plant: &Plant, asked: &Asked) -> Result<Member, Status> {
        let (twin, answered) = self.ask(plant, asked, Twin::clone).await?;
        let plant = plant.clone();
        Ok(Member {
            plant,
            twin,
            answered,
        })
    }

    /// All plants at an instant.
    async fn all(&self, said: Said) -> Result<Group, Status> {
        // In this order: a plant that comes back in between stands in both rather than in none.
        let mut absent: Vec<Absent> = self.engine.recovering().into_iter().map(recovers).collect();
        let plants = self.engine.plants();
        absent.retain(|(id, ..)| plants.iter().all(|plant| plant.id() != id));
        let asked = self.asked_of_all(&plants, said).await?;
        let mut members = Vec::new();
        let mut entries = Vec::new();
        for plant in &plants {
            match self.of_group(plant, &asked).await {
                Ok(member) => {
                    entries.push(stands(plant, &member));
                    members.push(member);
                }
                Err((kind, because)) => absent.push((plant.id().clone(), kind, because)),
            }
        }
        entries.extend(absent.into_iter().map(|(plant, kind, because)| Entry {
            plant,
            stood: Stood::Absent(kind, because),
        }));
        entries.sort_by(|a, b| a.plant.cmp(&b.plant));
        let as_of = asked.as_of.unwrap_or_default();
        Ok(Group {
            cut: cut_of(&asked, as_of, entries),
            members,
        })
    }

    /// One instant for all plants. Errors: `INVALID_INSTANT`, also for what means another time in each.
    async fn asked_of_all(&self, plants: &[Plant], said: Said) -> Result<Asked, Status> {
        let mut zones = BTreeSet::new();
        let mut now: Option<Timestamp> = None;
        for plant in plants {
            let look = |twin: &Twin| {
                let zone = twin.description().plant().time_zone.clone();
                (zone, twin.last_recorded_at())
            };
            let (zone, last) = self.glance(plant, look).await?;
            zones.insert(zone);
            now = now.max(Some(plant.wall())).max(last);
        }
        said.resolve_for_all(now.unwrap_or(self.started_at), &zones)
    }

    /// A plant of a group. Errors: why it cannot answer.
    async fn of_group(
        &self,
        plant: &Plant,
        asked: &Asked,
    ) -> Result<Member, (pb::AbsenceKind, String)> {
        if let Known::Recorded(time) = asked.instant.known
            && let Err(status) = self.check_recorded(plant, time).await
        {
            return Err(absence(&status));
        }
        let member = self.member(plant, asked).await;
        member.map_err(|status| absence(&status))
    }

    /// A cut of the present about a time in the plants, if one is asked. Errors: `INVALID_INSTANT`.
    async fn at_time(&self, cut: Cut, said: &Said) -> Result<Cut, Status> {
        let Some(said) = said.at_alone().filter(|_| cut.at.is_none()) else {
            return Ok(cut);
        };
        let plants = cut.plants.iter();
        let plants = plants.filter(|entry| matches!(entry.stood, Stood::At(..)));
        let plants = plants.map(|entry| self.plant_of(&entry.plant));
        let plants: Vec<Plant> = plants.collect::<Result<_, _>>()?;
        let asked = self.asked_of_all(&plants, said).await?;
        Ok(Cut {
            at: asked.instant.at,
            as_of: asked.as_of.unwrap_or(cut.as_of),
            zone: asked.zone,
            ..cut
        })
    }

    /// A cut that is given back.
    async fn again(&self, cut: Cut) -> Result<Group, Status> {
        let mut members = Vec::new();
        for entry in &cut.plants {
            let Stood::At(log, position) = entry.stood else {
                continue;
            };
            let plant = self.plant_of(&entry.plant)?;
            check_log(&plant, log)?;
            let asked = cut.asked(position);
            members.push(self.member(&plant, &asked).await?);
        }
        Ok(Group { members, cut })
    }
}

/// Errors: `INVALID_INSTANT` when a cut is of another log of a plant.
pub(crate) fn check_log(plant: &Plant, log: [u8; 8]) -> Result<(), Status> {
    if crate::token::short(plant.log_id()) == log {
        return Ok(());
    }
    let what = format!(
        "plant \"{}\" has another log now than when the cut was taken",
        plant.id()
    );
    Err(error::status(EngineError::InvalidInstant { what }))
}

fn stands(plant: &Plant, member: &Member) -> Entry {
    let log = crate::token::short(plant.log_id());
    Entry {
        plant: plant.id().clone(),
        stood: Stood::At(log, member.twin.position()),
    }
}

fn cut_of(asked: &Asked, as_of: Timestamp, plants: Vec<Entry>) -> Cut {
    Cut {
        at: asked.instant.at,
        known_recorded_at: asked.known_recorded_at,
        as_of,
        zone: asked.zone.clone(),
        plants,
    }
}

fn recovers(one: werkbuch_engine::Recovering) -> Absent {
    let because = "it is being folded from its log since the server started";
    (one.plant, pb::AbsenceKind::Recovering, because.to_owned())
}

/// Why a plant of a group does not answer.
fn absence(status: &Status) -> (pb::AbsenceKind, String) {
    let kind = match Reason::of(status) {
        Some(Reason::PlantRecovering) => pb::AbsenceKind::Recovering,
        Some(Reason::InvalidInstant) => pb::AbsenceKind::NotYet,
        Some(Reason::Overloaded | Reason::ShuttingDown) => pb::AbsenceKind::Busy,
        _ => pb::AbsenceKind::Failed,
    };
    let because = status.message().chars().take(BECAUSE_MAX).collect();
    (kind, because)
}

impl Group {
    /// The twins, by the plants' names.
    pub(crate) fn twins(&self) -> Vec<&Twin> {
        self.members.iter().map(|member| &member.twin).collect()
    }

    /// The cut as a message.
    pub(crate) fn message(&self) -> pb::Cut {
        let name_of = |plant: &PlantId| name::of_plant(plant.as_str());
        let plants = self.members.iter().map(|member| pb::PlantReflected {
            plant: name_of(member.twin.plant()),
            reflected: Some(view::reflected(&member.answered)),
        });
        let absent = self
            .cut
            .plants
            .iter()
            .filter_map(|entry| match &entry.stood {
                Stood::At(..) => None,
                Stood::Absent(kind, because) => Some(pb::PlantAbsent {
                    plant: name_of(&entry.plant),
                    kind: i32::from(*kind),
                    because: because.clone(),
                }),
            });
        let honesty = || {
            let members = self.members.iter();
            members.filter_map(|member| member.answered.honesty.as_ref())
        };
        let silent = self.members.iter().filter(|member| {
            let honesty = member.answered.honesty.as_ref();
            honesty.is_some_and(|honesty| honesty.machines_heard == 0)
        });
        pb::Cut {
            token: self.cut.token(),
            as_of: self.cut.as_of.nanos(),
            at: self.cut.at.map(Timestamp::nanos),
            known_recorded_at: self.cut.known_recorded_at.map(Timestamp::nanos),
            plants: plants.collect(),
            absent: absent.collect(),
            silent: silent.map(|member| name_of(member.twin.plant())).collect(),
            plants_total: u32::try_from(self.cut.plants.len()).unwrap_or(u32::MAX),
            coverage: Some(pb::Coverage {
                machines_heard: sum(honesty().map(|one| one.machines_heard)),
                machines: sum(honesty().map(|one| one.machines)),
            }),
        }
    }
}

fn sum(numbers: impl Iterator<Item = u32>) -> u32 {
    numbers.fold(0, u32::saturating_add)
}
