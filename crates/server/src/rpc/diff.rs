//! What differs between two instants: machines and descriptions, of one plant or all.

use super::group::known;
use super::twin::filter;
use crate::asked::Mark;
use crate::context::{Context, answer};
use crate::group::Group;
use crate::page::{Cursor, Question, of_another, size};
use crate::view::diff::{Compared, Wanted, descriptions};
use crate::{error, view};
use tonic::{Response, Status};
use werkbuch_model::id::Position;
use werkbuch_model::time::Timestamp;
use werkbuch_twin::Twin;
use werkbuch_wire::pb;
use werkbuch_wire::reason::Reason;

/// Answers with a page of what differs. Its token is that of a page and of the two cuts.
pub(super) async fn diff(
    context: &Context,
    request: pb::DiffMachinesRequest,
) -> Result<Response<pb::DiffMachinesResponse>, Status> {
    let wanted = Wanted {
        filter: filter(&request.filter)?,
        machine: request.machine.clone(),
        full: request.full || !request.machine.is_empty(),
        size: size(request.page_size, 1_000, 10_000)?,
        from: 0,
    };
    let full = request.full.to_string();
    let question = Question::new(
        "DiffMachines",
        &[&request.parent, &request.filter, &request.machine, &full],
    );
    let (from, to, offset, mark) = points(question, &request)?;
    let wanted = Wanted {
        from: offset,
        ..wanted
    };
    let from = context.group(&request.parent, from.as_ref()).await?;
    let to = context.group(&request.parent, to.as_ref()).await?;
    check_machine(&from, &to, &wanted.machine)?;
    let find = move || {
        let compared = Compared::of(&from.twins(), &to.twins(), &wanted);
        let described = match wanted.is_of_all() {
            true => descriptions(&from.twins(), &to.twins()),
            false => Vec::new(),
        };
        Ok((compared, described, from.message(), to.message()))
    };
    let (compared, described, from, to) = context.blocking(find).await?;
    let next = compared.next.map(|offset| {
        let cursor = Cursor {
            offset: offset as u64,
            position: Position(0),
            at: None,
            as_of: Timestamp(to.as_of),
            mark,
        };
        format!("{}.{}.{}", question.token(&cursor), from.token, to.token)
    });
    answer(pb::DiffMachinesResponse {
        machines: compared.machines,
        next_page_token: next.unwrap_or_default(),
        differing: view::unsigned(compared.differing),
        compared: view::unsigned(compared.compared),
        descriptions: described,
        from: Some(from),
        to: Some(to),
    })
}

/// The two points of a request, how far the pages are, and how the points were written at first.
type Points = (Option<pb::Instant>, Option<pb::Instant>, usize, Mark);

fn points(question: Question, request: &pb::DiffMachinesRequest) -> Result<Points, Status> {
    let mark = Mark::of_all(&[request.from.as_ref(), request.to.as_ref()]);
    if request.page_token.is_empty() {
        return Ok((request.from.clone(), request.to.clone(), 0, mark));
    }
    let mut parts = request.page_token.splitn(3, '.');
    let (Some(page), Some(from), Some(to)) = (parts.next(), parts.next(), parts.next()) else {
        let text = "the page token is not one of this server's";
        return Err(Reason::InvalidPageToken.status(text));
    };
    let cursor = question.cursor(page)?;
    let (offset, before) = cursor.map_or((0, mark), |cursor| (cursor.offset, cursor.mark));
    if !mark.is_none() && mark != before {
        return Err(of_another());
    }
    let offset = usize::try_from(offset).unwrap_or(usize::MAX);
    Ok((Some(known(from)), Some(known(to)), offset, before))
}

/// Errors: `UNKNOWN_MACHINE` when neither side has it; `INVALID_REQUEST` when more plants are asked.
fn check_machine(from: &Group, to: &Group, machine: &str) -> Result<(), Status> {
    if machine.is_empty() {
        return Ok(());
    }
    let (from, to) = (from.twins(), to.twins());
    let ([before], [after]) = (from.as_slice(), to.as_slice()) else {
        let text = "one machine is compared in one plant; name the plant";
        let field = ("machine".to_owned(), "is of one plant".to_owned());
        return Err(Reason::InvalidRequest.violations(text, [field]));
    };
    let is_there = |twin: &Twin| view::twin::find(twin, machine).is_some();
    if is_there(before) || is_there(after) {
        return Ok(());
    }
    Err(error::unknown_machine(after, machine))
}
