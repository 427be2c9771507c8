//! Reads the part of a log in which events of a window of plant time can lie.

use super::handle::Plant;
use crate::error::EngineError;
use std::ops::ControlFlow;
use std::sync::PoisonError;
use werkbuch_model::event::Recorded;
use werkbuch_model::id::{MachineNumber, Position};
use werkbuch_model::time::Timestamp;
use werkbuch_record::decode_recorded;

/// Which part of a log a survey has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Survey {
    /// The first position read; 0 when none was.
    pub first: Position,
    /// The last position read; 0 when none was.
    pub last: Position,
    /// Whether everything was read that could matter.
    pub complete: bool,
}

impl Plant {
    /// The time of the plant writer's clock.
    #[must_use]
    pub fn wall(&self) -> Timestamp {
        self.shared.clock.wall()
    }

    /// Calls `take` with the recorded events, in the order of their positions, from the first on that
    /// can have taken effect at or after `from`, up to `bound`. It ends early after `most` events, or
    /// when `take` breaks. Blocking. Errors: those of the log.
    ///
    /// An event takes effect ahead of its record by less than its source's tolerance twice: once from
    /// the writer's clock to the gateway's, once from there to the source's. Behind it there is no
    /// bound, so everything recorded since has to be read.
    pub fn survey(
        &self,
        from: Timestamp,
        bound: Position,
        most: u64,
        take: &mut dyn FnMut(&Recorded<'_>) -> ControlFlow<()>,
    ) -> Result<Survey, EngineError> {
        self.survey_of(from, bound, (None, most), take)
    }

    /// The same of one machine's events alone, or with number 0 of those that are about none. Blocks that
    /// hold nothing of it need not be read. `most` counts the events that are read.
    pub fn survey_near(
        &self,
        from: Timestamp,
        bound: Position,
        (machine, most): (MachineNumber, u64),
        take: &mut dyn FnMut(&Recorded<'_>) -> ControlFlow<()>,
    ) -> Result<Survey, EngineError> {
        self.survey_of(from, bound, (Some(machine), most), take)
    }

    fn survey_of(
        &self,
        from: Timestamp,
        bound: Position,
        (machine, most): (Option<MachineNumber>, u64),
        take: &mut dyn FnMut(&Recorded<'_>) -> ControlFlow<()>,
    ) -> Result<Survey, EngineError> {
        let shared = &*self.shared;
        let begin = self.recorded_around(from)?;
        let mut survey = Survey {
            first: Position(0),
            last: Position(0),
            complete: true,
        };
        if bound.get() == 0 || begin > bound {
            return Ok(survey);
        }
        // What was left out is known not to matter.
        let whole = |survey: Survey| match machine {
            Some(_) => Survey {
                first: begin,
                last: bound,
                ..survey
            },
            None => survey,
        };
        let mut taken = 0_u64;
        let blocks = match machine {
            Some(machine) => shared.store.read_machine(&shared.id, begin, machine)?,
            None => shared.store.read(&shared.id, begin)?,
        };
        for block in blocks {
            let block = block?;
            for (position, bytes) in block.events() {
                if position < begin {
                    continue;
                }
                if position > bound {
                    return Ok(whole(survey));
                }
                if taken >= most {
                    survey.complete = false;
                    return Ok(survey);
                }
                let event = decode_recorded(bytes).map_err(|error| EngineError::FormatNewer {
                    plant: shared.id.clone(),
                    cause: format!("event {position}: {error}"),
                })?;
                if survey.first.get() == 0 {
                    survey.first = position;
                }
                survey.last = position;
                taken += 1;
                if machine.is_some_and(|machine| event.reported.machine != machine) {
                    continue;
                }
                if take(&event).is_break() && position < bound {
                    survey.complete = false;
                    return Ok(survey);
                }
            }
        }
        Ok(whole(survey))
    }

    /// The position from which on events can have taken effect at or after a time.
    /// Errors: the log cannot be read.
    pub(super) fn recorded_around(&self, from: Timestamp) -> Result<Position, EngineError> {
        let shared = &*self.shared;
        let tolerance = {
            let twin = shared.twin.read().unwrap_or_else(PoisonError::into_inner);
            let tolerances = twin.sources().iter().map(|source| source.tolerance_ns);
            i64::try_from(tolerances.max().unwrap_or(0)).unwrap_or(i64::MAX)
        };
        let earliest = from.plus(tolerance.saturating_mul(-2));
        let block = shared.store.block_at(&shared.id, earliest)?;
        Ok(block.map_or(Position(1), |block| block.first))
    }
}
