//! The table of machines at an instant, plant by plant.

use super::sending::{End, Sending, made};
use crate::group::{Group, Member};
use crate::rpc::twin::filter;
use crate::view::machine::in_brief;
use crate::view::twin::rows;
use std::sync::Arc;
use tonic::Status;
use werkbuch_engine::EngineError;
use werkbuch_model::filter::Filter;
use werkbuch_table::machines::{MachineLine, NAME};
use werkbuch_table::{About, Encoder};
use werkbuch_wire::pb;

/// The machines of a group that match.
pub(super) struct Job {
    group: Group,
    filter: Arc<Filter>,
}

impl Job {
    pub(super) fn of(
        asked: pb::MachineTable,
        group: Group,
        cut: pb::Cut,
    ) -> Result<(Self, About), Status> {
        let filter = Arc::new(filter(&asked.filter)?);
        let about = About::new(NAME, cut).asked("filter", asked.filter);
        Ok((Self { group, filter }, about))
    }

    pub(super) async fn send(self, sending: &mut Sending) -> Result<bool, End> {
        let as_of = self.group.cut.as_of.nanos();
        let machines = |member: &Member| member.twin.description().machines().count() as u64;
        sending.expect(self.group.members.iter().map(machines).sum());
        // A plant that is done is let go of.
        for member in self.group.members {
            let filter = Arc::clone(&self.filter);
            let step = move |member: &mut Member, encoder: &mut Encoder| {
                plant(member, &filter, as_of, encoder)
            };
            sending.step(member, step).await?;
        }
        Ok(true)
    }
}

/// Appends the machines of a plant; answers with how many it looked at.
fn plant(
    member: &Member,
    filter: &Filter,
    as_of: i64,
    encoder: &mut Encoder,
) -> Result<u64, EngineError> {
    let mut looked_at = 0;
    for row in rows(&member.twin) {
        looked_at += 1;
        if !filter.matches(&row) {
            continue;
        }
        let machine = in_brief(row.plant(), &row);
        let line = MachineLine {
            plant: row.plant(),
            machine: &machine,
            order: &row.machine.order(),
            as_of,
        };
        encoder.push(&line).map_err(|cause| made(&cause))?;
    }
    Ok(looked_at)
}
