//! Where the parts are, as messages.

use tonic::Status;
use werkbuch_model::time::Timestamp;
use werkbuch_twin::Twin;
use werkbuch_twin::line::{Graph, Method, WipKind, WipRow};
use werkbuch_wire::pb;
use werkbuch_wire::reason::Reason;

/// The kinds of a request; none asked for are buffers and machines. Errors: `INVALID_REQUEST`.
pub(crate) fn kinds_of(asked: &[i32]) -> Result<Vec<WipKind>, Status> {
    if asked.is_empty() {
        return Ok(vec![WipKind::Buffer, WipKind::Machine]);
    }
    let kind = |asked: &i32| match pb::WipKind::try_from(*asked) {
        Ok(pb::WipKind::Buffer) => Ok(WipKind::Buffer),
        Ok(pb::WipKind::Machine) => Ok(WipKind::Machine),
        Ok(pb::WipKind::Unit) => Ok(WipKind::Unit),
        Ok(pb::WipKind::Variant) => Ok(WipKind::Variant),
        Ok(pb::WipKind::Unspecified) | Err(_) => {
            let text = format!("there is no kind {asked} of places; see the enum WipKind");
            let field = ("kinds".to_owned(), "is unknown".to_owned());
            Err(Reason::InvalidRequest.violations(text, [field]))
        }
    };
    asked.iter().map(kind).collect()
}

/// Whether a row is of a unit, or of a place in it. Variants are of the whole plant.
pub(crate) fn lies_in(twin: &Twin, row: &WipRow, unit: &str) -> bool {
    let description = twin.description();
    let place = match row.kind {
        WipKind::Variant => return false,
        WipKind::Unit => {
            let found = description.unit(&row.location);
            found.map(|found| description.place(Some(&found.id)))
        }
        WipKind::Buffer | WipKind::Machine => {
            let graph = Graph::of(description);
            let element = graph.element(&row.location);
            element.map(|element| description.place(element.parent.as_ref()))
        }
    };
    place
        .unwrap_or_default()
        .iter()
        .any(|above| above.id.as_str() == unit)
}

/// One row.
pub(crate) fn row(row: &WipRow) -> pb::Wip {
    let kind = match row.kind {
        WipKind::Buffer => pb::WipKind::Buffer,
        WipKind::Machine => pb::WipKind::Machine,
        WipKind::Unit => pb::WipKind::Unit,
        WipKind::Variant => pb::WipKind::Variant,
    };
    let method = match row.method {
        Method::Tracked => pb::WipMethod::Tracked,
        Method::Reported => pb::WipMethod::Reported,
        Method::Counted => pb::WipMethod::Counted,
        Method::Estimated => pb::WipMethod::Estimated,
        Method::Unknown => pb::WipMethod::Unknown,
    };
    pb::Wip {
        kind: kind.into(),
        location: row.location.clone(),
        parts: row.parts,
        lower: row.lower,
        upper: row.upper,
        method: method.into(),
        capacity: row.capacity,
        oldest_since: row.oldest_since.map(Timestamp::nanos),
        drift: row.drift,
        since: row.since.map(Timestamp::nanos),
        because: row.because.clone(),
    }
}
