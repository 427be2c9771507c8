//! Questions to all plants at one instant: machines, counts, figures.

use super::twin::listed;
use crate::asked::Mark;
use crate::context::{Context, answer};
use crate::error;
use crate::page::{Cursor, Question, of_another, size};
use crate::view;
use crate::view::aggregate::{Measures, figures};
use crate::view::fields::LISTED_FIELDS;
use crate::view::twin::Page;
use tonic::{Response, Status};
use werkbuch_model::filter::OrderBy;
use werkbuch_model::id::Position;
use werkbuch_model::time::Timestamp;
use werkbuch_wire::reason::Reason;
use werkbuch_wire::{name, pb};

/// The machines of all plants. A page token is that of a page and the cut that the first page was of.
pub(super) async fn list(
    context: &Context,
    request: pb::ListMachinesRequest,
) -> Result<Response<pb::ListMachinesResponse>, Status> {
    let filter = listed(&request.filter)?;
    let order = OrderBy::parse(&request.order_by, &LISTED_FIELDS)
        .map_err(|cause| error::filter("order_by", &cause))?;
    let size = size(request.page_size, 1_000, 10_000)?;
    let question = Question::new(
        "ListMachines",
        &[&request.parent, &request.filter, &request.order_by],
    );
    let (instant, from, mark) = go_on(question, &request.page_token, request.instant.as_ref())?;
    let group = context.group(&request.parent, instant.as_ref()).await?;
    let find = move || {
        let found = group.found()?;
        let page = Page::of(group.standing(&found), &filter, &order, from, size);
        Ok((page, group.message()))
    };
    let (page, cut) = context.blocking(find).await?;
    let next = page.next.map(|offset| behind(question, offset, &cut, mark));
    answer(pb::ListMachinesResponse {
        machines: page.machines,
        next_page_token: next.unwrap_or_default(),
        total_size: view::count(page.total),
        plant_size: view::count(page.plant_size),
        reflected: None,
        cut: Some(cut),
    })
}

/// How many machines of all plants are in which state.
pub(super) async fn count(
    context: &Context,
    request: pb::CountMachinesRequest,
) -> Result<Response<pb::CountMachinesResponse>, Status> {
    let filter = listed(&request.filter)?;
    let instant = request.instant.as_ref();
    let group = context.group(&request.parent, instant).await?;
    let find = move || {
        let found = group.found()?;
        let counts = view::twin::counts(group.standing(&found), &filter);
        Ok((counts, group.message()))
    };
    let (counts, cut) = context.blocking(find).await?;
    answer(pb::CountMachinesResponse {
        total_size: counts.iter().map(|count| count.machines).sum(),
        counts,
        reflected: None,
        cut: Some(cut),
    })
}

/// Figures over the machines of a plant, or of all.
pub(super) async fn aggregate(
    context: &Context,
    request: pb::AggregateMachinesRequest,
) -> Result<Response<pb::AggregateMachinesResponse>, Status> {
    let filter = listed(&request.filter)?;
    let measures = Measures::of(&request.measures, &request.group_by)?;
    let instant = request.instant.as_ref();
    let group = context.group(&request.parent, instant).await?;
    let find = move || {
        let found = group.found()?;
        let figures = figures(group.standing(&found), &filter, &measures);
        Ok((figures, group.message()))
    };
    let (figures, cut) = context.blocking(find).await?;
    let figures = figures?;
    answer(pb::AggregateMachinesResponse {
        cut: Some(cut),
        ..figures
    })
}

/// The plants as they were described at an instant.
pub(super) async fn plants(
    context: &Context,
    request: pb::ListPlantsRequest,
    size: usize,
) -> Result<Response<pb::ListPlantsResponse>, Status> {
    let question = Question::new("ListPlantsAt", &[&request.parent]);
    let (instant, from, mark) = go_on(question, &request.page_token, request.instant.as_ref())?;
    let group = context
        .group(&name::of_plant("-"), instant.as_ref())
        .await?;
    let page = group.members.iter().skip(from).take(size);
    let mut found = Vec::new();
    for member in page {
        let mut shown = view::model::plant(&member.twin);
        let plant = context.plant_of(member.twin.plant())?;
        view::model::complete(&mut shown, &plant, &member.answered);
        found.push(shown);
    }
    let cut = group.message();
    let next = from.saturating_add(found.len());
    let next = (next < group.members.len()).then(|| behind(question, next, &cut, mark));
    answer(pb::ListPlantsResponse {
        plants: found,
        next_page_token: next.unwrap_or_default(),
        total_size: i32::try_from(cut.plants_total).unwrap_or(i32::MAX),
        unreachable: cut.absent.iter().map(|one| one.plant.clone()).collect(),
        cut: Some(cut),
    })
}

/// The instant of a page, how far the pages are and how the instant was written: in the request, or in
/// that of the page before. Errors: `INVALID_PAGE_TOKEN`, also when both say another instant.
fn go_on(
    question: Question,
    token: &str,
    instant: Option<&pb::Instant>,
) -> Result<(Option<pb::Instant>, usize, Mark), Status> {
    let mark = Mark::of(instant);
    if token.is_empty() {
        return Ok((instant.cloned(), 0, mark));
    }
    let (page, cut) = token.split_once('.').ok_or_else(|| {
        Reason::InvalidPageToken.status("the page token is not one of this server's")
    })?;
    let cursor = question.cursor(page)?;
    let (offset, before) = cursor.map_or((0, mark), |cursor| (cursor.offset, cursor.mark));
    if !mark.is_none() && mark != before && mark != Mark::of(Some(&known(cut))) {
        return Err(of_another());
    }
    let offset = usize::try_from(offset).unwrap_or(usize::MAX);
    Ok((Some(known(cut)), offset, before))
}

/// The token of the next page: of a page, and of the cut that all pages are of.
fn behind(question: Question, offset: usize, cut: &pb::Cut, mark: Mark) -> String {
    let cursor = Cursor {
        offset: offset as u64,
        position: Position(0),
        at: None,
        as_of: Timestamp(cut.as_of),
        mark,
    };
    format!("{}.{}", question.token(&cursor), cut.token)
}

/// The instant of a cut.
pub(super) fn known(cut: &str) -> pb::Instant {
    pb::Instant {
        known: Some(pb::instant::Known::KnownText(cut.to_owned())),
        ..pb::Instant::default()
    }
}
