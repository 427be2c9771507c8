//! What is searched for, read from a request.

use super::time;
use crate::asked::Mark;
use crate::limits::LOOK_BACK_NS;
use crate::page::Question;
use crate::sweep::Needs;
use tonic::Status;
use werkbuch_model::filter::Filter;
use werkbuch_model::time::Timestamp;
use werkbuch_wire::pb::{FindIntervalsRequest, FindWhich};
use werkbuch_wire::reason::Reason;

/// What is searched for.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) filter: Filter,
    pub(super) needs: Needs,
    pub(super) from: Option<Timestamp>,
    pub(super) to: Option<Timestamp>,
    pub(super) which: FindWhich,
    pub(super) per_machine: bool,
    pub(super) hold_ns: u64,
    pub(super) look_back_ns: u64,
    /// What holds of machines that cannot be reached.
    pub(super) unavailable: Filter,
    /// How long a source may be silent, in nanoseconds; absent for what its rhythm says.
    pub(super) silent_after_ns: Option<i64>,
    /// The most that are told; absent for no bound.
    pub(super) limit: Option<u64>,
    pub(super) question: Question,
    /// The instant as the request wrote it; of one that goes on as the first did.
    pub(super) mark: Mark,
}

impl Asked {
    /// Errors: `INVALID_FILTER`, `INVALID_REQUEST` for a window that ends before it begins, an unknown
    /// choice, and what does not go with it.
    pub(super) fn of(request: &FindIntervalsRequest) -> Result<Self, Status> {
        let filter = crate::rpc::twin::filter(&request.filter)?;
        let which = match FindWhich::try_from(request.which) {
            Ok(FindWhich::Unspecified) => FindWhich::All,
            Ok(which) => which,
            Err(_) => return Err(invalid("which", &format!("{} is none", request.which))),
        };
        if which == FindWhich::All && request.per_machine {
            return Err(invalid("per_machine", "is for FIRST and LAST alone"));
        }
        if which != FindWhich::All && (request.limit > 0 || !request.resume_token.is_empty()) {
            return Err(invalid("which", "limit and resume_token are for ALL alone"));
        }
        let (from, to) = (time(request.from_time), time(request.to_time));
        if let (Some(from), Some(to)) = (from, to)
            && from >= to
        {
            let text = format!("the window ends at {to}, not after it begins, at {from}");
            let field = ("to_time".to_owned(), "is not after from_time".to_owned());
            return Err(Reason::InvalidRequest.violations(text, [field]));
        }
        let look_back = request.look_back_ns.unwrap_or(LOOK_BACK_NS);
        Ok(Self {
            needs: Needs::of([&filter]),
            filter,
            from,
            to,
            which,
            per_machine: request.per_machine,
            hold_ns: request.hold_ns,
            look_back_ns: look_back.max(request.hold_ns),
            unavailable: crate::rpc::twin::filter("state = 'UNAVAILABLE'")?,
            silent_after_ns: request.silent_after_ms.map(|millis| {
                let millis = i64::try_from(millis).unwrap_or(i64::MAX);
                millis.saturating_mul(1_000_000)
            }),
            limit: (request.limit > 0).then(|| request.limit.into()),
            question: question(request),
            mark: Mark::of(request.instant.as_ref()),
        })
    }
}

fn invalid(field: &str, what: &str) -> Status {
    let text = format!("{field}: {what}");
    Reason::InvalidRequest.violations(text, [(field.to_owned(), what.to_owned())])
}

/// What decides about what is found, apart from the instant and the window, which a token carries, and
/// from how much of it is told.
fn question(request: &FindIntervalsRequest) -> Question {
    let numbers = format!("{} {:?}", request.hold_ns, request.look_back_ns);
    Question::new(
        "FindIntervals",
        &[&request.parent, &request.filter, &numbers],
    )
}
