//! The table of figures over machines, at one instant or at several that lie equally far apart.

use super::sending::{End, Sending, made};
use crate::asked::Asked;
use crate::context::Context;
use crate::group::Group;
use crate::rpc::twin::filter;
use crate::view::aggregate::{Measures, figures};
use crate::view::found::Standing;
use std::sync::Arc;
use tonic::Status;
use werkbuch_engine::{EngineError, Plant};
use werkbuch_model::filter::Filter;
use werkbuch_model::id::Position;
use werkbuch_model::instant::{Instant, Known};
use werkbuch_model::time::Timestamp;
use werkbuch_table::aggregates::{FigureLine, Measured, NAME, columns};
use werkbuch_table::{About, Column, Encoder};
use werkbuch_twin::Twin;
use werkbuch_wire::pb;
use werkbuch_wire::reason::Reason;

/// The most instants of one table.
const INSTANTS_MAX: i64 = 10_000;

/// Figures over the machines of a group.
pub(super) struct Job {
    question: Arc<Question>,
    keys: Vec<String>,
    group: Group,
    plants: Vec<(Plant, Position)>,
    /// The instants in the plants; none for that of the group alone.
    instants: Vec<Timestamp>,
}

/// What is asked at every instant.
struct Question {
    filter: Filter,
    measures: Measures,
    measured: Vec<Measured>,
}

impl Job {
    pub(super) fn of(
        context: &Context,
        asked: pb::AggregateTable,
        group: Group,
        cut: pb::Cut,
    ) -> Result<(Self, About), Status> {
        let filter = filter(&asked.filter)?;
        let measures = Measures::of(&asked.measures, &asked.group_by)?;
        if measures.are_of_rules() {
            let text = "what rules have found is told by AggregateMachines, at one instant, and not by \
                 tables over time; RULE_RAISED and RULE_CLEARED stand in the table of events";
            return Err(invalid("measures.field", "is of rules", text.to_owned()));
        }
        let measured = asked.measures.iter().zip(measures.yields());
        let measured = measured.map(|(measure, yields)| Measured {
            function: measure.function(),
            field: measure.field.clone(),
            yields,
        });
        let measured: Vec<Measured> = measured.collect();
        let instants = instants(&asked, group.cut.as_of)?;
        let mut plants = Vec::new();
        for member in &group.members {
            let plant = context.plant_of(member.twin.plant())?;
            plants.push((plant, member.answered.reflected.position));
        }
        let said = asked.measures.iter().map(|measure| {
            let function = measure.function().as_str_name();
            let function = function.strip_prefix("AGGREGATE_FUNCTION_");
            format!("{} {}", function.unwrap_or_default(), measure.field)
        });
        let shown = |time: Option<&Timestamp>| time.map(Timestamp::to_string);
        let about = About::new(NAME, cut)
            .asked("measures", said.collect::<Vec<_>>())
            .asked("group_by", asked.group_by.clone())
            .asked("filter", asked.filter)
            .asked("from_time", shown(instants.first()))
            .asked("to_time", shown(instants.last()))
            .asked("every_ns", Some(asked.every_ns).filter(|every| *every > 0));
        let job = Self {
            question: Arc::new(Question {
                filter,
                measures,
                measured,
            }),
            keys: asked.group_by,
            group,
            plants,
            instants,
        };
        Ok((job, about))
    }

    pub(super) fn columns(&self) -> Vec<Column> {
        columns(&self.keys, &self.question.measured)
    }

    pub(super) async fn send(self, sending: &mut Sending) -> Result<bool, End> {
        let as_of = self.group.cut.as_of;
        if self.instants.is_empty() {
            sending.expect(1);
            let twins = self.group.members.into_iter().map(|member| member.twin);
            step(sending, as_of, twins.collect(), self.question).await?;
            return Ok(true);
        }
        sending.expect(self.instants.len() as u64);
        for at in self.instants {
            let mut twins = Vec::new();
            for (plant, position) in &self.plants {
                let asked = Asked {
                    instant: Instant {
                        known: Known::Position(*position),
                        at: Some(at),
                    },
                    as_of: Some(at),
                    known_recorded_at: None,
                    zone: String::new(),
                };
                let stood = sending.context().ask(plant, &asked, Twin::clone).await;
                twins.push(stood.map_err(End::Status)?.0);
            }
            step(sending, at, twins, Arc::clone(&self.question)).await?;
        }
        Ok(true)
    }
}

/// Appends the figures of an instant.
async fn step(
    sending: &mut Sending,
    at: Timestamp,
    twins: Vec<Twin>,
    question: Arc<Question>,
) -> Result<(), End> {
    let find = move || {
        let plants = twins.iter().map(|twin| Standing { twin, raised: None });
        let found = figures(plants, &question.filter, &question.measures);
        Ok(found.map(|found| (found, question)))
    };
    let (found, question) = sending.work(find).await?.map_err(End::Status)?;
    let append = move |(): &mut (), encoder: &mut Encoder| -> Result<u64, EngineError> {
        for group in &found.groups {
            let line = FigureLine {
                at,
                measures: &question.measured,
                group,
            };
            encoder.push(&line).map_err(|cause| made(&cause))?;
        }
        Ok(1)
    };
    sending.step((), append).await
}

/// The instants of several; none for one. Errors: `INVALID_REQUEST`.
fn instants(asked: &pb::AggregateTable, as_of: Timestamp) -> Result<Vec<Timestamp>, Status> {
    let Some(from) = asked.from_time.map(Timestamp) else {
        if asked.every_ns == 0 && asked.to_time.is_none() {
            return Ok(Vec::new());
        }
        let text = "several instants begin somewhere: give their first one too".to_owned();
        return Err(invalid("from_time", "is missing", text));
    };
    let every = asked.every_ns;
    if every <= 0 {
        let text = "several instants lie apart: say how far".to_owned();
        return Err(invalid("every_ns", "is missing or not above 0", text));
    }
    let to = asked.to_time.map_or(as_of, |to| Timestamp(to).min(as_of));
    if from > to {
        let text = format!(
            "the first instant, {from}, lies behind the last one, {to}; that is at the latest the time \
             that is asked about, {as_of}"
        );
        return Err(invalid("from_time", "is behind the last instant", text));
    }
    let steps = to.since(from) / every;
    if steps >= INSTANTS_MAX {
        let text = format!(
            "these are {} instants, the limit is {INSTANTS_MAX}; let them lie further apart",
            steps.saturating_add(1)
        );
        return Err(invalid("every_ns", "is too small", text));
    }
    Ok((0..=steps)
        .map(|step| from.plus(step.saturating_mul(every)))
        .collect())
}

fn invalid(field: &str, what: &str, text: String) -> Status {
    let field = (format!("aggregates.{field}"), what.to_owned());
    Reason::InvalidRequest.violations(text, [field])
}
