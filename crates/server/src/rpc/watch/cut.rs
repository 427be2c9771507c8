//! Begins behind what an answer about a group reflected: the cut of a question becomes a place in each log.

use crate::error;
use crate::group::{Cut, Stood};
use tonic::Status;
use werkbuch_engine::EngineError;
use werkbuch_model::id::{LogId, PlantId, Position};
use werkbuch_wire::pb;

/// The last position of a plant that the answer with this cut reflected; 0 of a plant that had nothing
/// then. `now` is the log that the plant has now, and its end.
/// Errors: `INVALID_INSTANT` when the token is none, of another log, ahead of it, bounded in plant time,
/// or of an answer without this plant.
pub(super) fn before(
    token: &str,
    plant: &PlantId,
    now: (LogId, Position),
) -> Result<Position, Status> {
    let Some(cut) = Cut::read(token.trim()) else {
        let what =
            "the cut is not one of this server's, or not whole; take it whole from an answer";
        return wrong(what.to_owned());
    };
    if let Some(at) = cut.at {
        return wrong(format!(
            "the cut has a bound in plant time, {at}, and changes are told in the order of the log; take \
             the cut of a question without one, or begin at the time"
        ));
    }
    let (log, end) = now;
    match cut.stood(plant) {
        None | Some(Stood::Absent(pb::AbsenceKind::NotYet, _)) => Ok(Position(0)),
        Some(Stood::At(of, _)) if *of != crate::token::short(log) => wrong(format!(
            "plant \"{plant}\" has another log now than when the cut was taken; begin at a position or a \
             time"
        )),
        Some(Stood::At(_, position)) if *position > end => wrong(format!(
            "the cut is of position {position} of plant \"{plant}\", but its log ends at {end}; it seems \
             to have been restored from a backup; begin at a position or a time"
        )),
        Some(Stood::At(_, position)) => Ok(*position),
        Some(Stood::Absent(_, because)) => wrong(format!(
            "plant \"{plant}\" is not in the answer with this cut ({because}); say where it begins, by \
             a position or a time of its own"
        )),
    }
}

fn wrong(what: String) -> Result<Position, Status> {
    Err(error::status(EngineError::InvalidInstant { what }))
}
