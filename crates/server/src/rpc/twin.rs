//! The service that answers what machines do, or did.

use super::Twins;
use crate::asked::{Asked, Mark, Reach};
use crate::context::answer;
use crate::page::{Cursor, Question, size};
use crate::view::aspect::{Page as AspectPage, Wanted};
use crate::view::fields::{LISTED_FIELDS, MACHINE_FIELDS};
use crate::view::found::{self, Found, Standing};
use crate::view::twin::Page;
use crate::{error, view};
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status};
use werkbuch_engine::Plant;
use werkbuch_model::event::AspectKind;
use werkbuch_model::filter::{Filter, FilterError, OrderBy};
use werkbuch_model::time::Timestamp;
use werkbuch_wire::name;
use werkbuch_wire::pb::twin_service_server::TwinService;
use werkbuch_wire::pb::{
    AggregateMachinesRequest, AggregateMachinesResponse, CountMachinesRequest,
    CountMachinesResponse, DiffMachinesRequest, DiffMachinesResponse, GetMachineRequest,
    GetMachineResponse, GetTwinRequest, Instant, ListAspectsRequest, ListAspectsResponse,
    ListMachinesRequest, ListMachinesResponse, ResolveTimesRequest, ResolveTimesResponse, Twin,
    WatchMachinesRequest, WatchMachinesResponse,
};
use werkbuch_wire::reason::Reason;

#[tonic::async_trait]
impl TwinService for Twins {
    type WatchMachinesStream = BoxStream<WatchMachinesResponse>;

    async fn watch_machines(
        &self,
        request: Request<WatchMachinesRequest>,
    ) -> Result<Response<BoxStream<WatchMachinesResponse>>, Status> {
        super::watch::watch(&self.0, request.into_inner()).await
    }

    async fn get_machine(
        &self,
        request: Request<GetMachineRequest>,
    ) -> Result<Response<GetMachineResponse>, Status> {
        let request = request.into_inner();
        let (id, machine) = name::machine(&request.name)?;
        let plant = self.0.plant_of(&id)?;
        let asked = self.asked(&plant, request.instant.as_ref()).await?;
        let (name, of) = (machine.clone(), plant.clone());
        let pick = move |described: &werkbuch_twin::Twin| view::twin::find(described, &name);
        let look = move |twin: &werkbuch_twin::Twin| {
            let Some(found) = view::twin::find(twin, &machine) else {
                return Some(Err(error::unknown_machine(twin, &machine)));
            };
            // Why it waits may follow from its neighbours.
            let enough = !twin.is_alone() || !view::twin::asks_around(twin, found);
            enough.then(|| {
                let raised = found::raised(&of, twin).map_err(error::status)?;
                let mut shown = view::twin::in_full(twin, found);
                found::show(&mut shown, &of, &raised);
                Ok(shown)
            })
        };
        let (found, reflected) = self.0.ask_machine(&plant, &asked, pick, look).await?;
        answer(GetMachineResponse {
            machine: Some(found?),
            reflected: Some(view::reflected(&reflected)),
        })
    }

    async fn list_machines(
        &self,
        request: Request<ListMachinesRequest>,
    ) -> Result<Response<ListMachinesResponse>, Status> {
        let request = request.into_inner();
        if name::plant_or_all(&request.parent)?.is_none() {
            return super::group::list(&self.0, request).await;
        }
        let plant = self.0.plant(&request.parent)?;
        let filter = listed(&request.filter)?;
        let order = OrderBy::parse(&request.order_by, &LISTED_FIELDS)
            .map_err(|cause| error::filter("order_by", &cause))?;
        let size = size(request.page_size, 1_000, 10_000)?;
        let question = Question::new(
            "ListMachines",
            &[&request.parent, &request.filter, &request.order_by],
        );
        let cursor = question.cursor(&request.page_token)?;
        let instant = request.instant.as_ref();
        let asked = self.0.asked_of_page(&plant, instant, cursor.as_ref());
        let asked = asked.await?;
        let mark = Mark::of_page(instant, cursor.as_ref());
        let from = cursor.map_or(0, |cursor| {
            usize::try_from(cursor.offset).unwrap_or(usize::MAX)
        });
        let of = plant.clone();
        let look = move |twin: &werkbuch_twin::Twin| {
            let found = Found::of(&of, twin)?;
            Ok(Page::of(alone(twin, &found), &filter, &order, from, size))
        };
        let (page, reflected) = self.0.ask(&plant, &asked, look).await?;
        let page = page.map_err(error::status)?;
        let next = page
            .next
            .map(|offset| Cursor::behind(&reflected, mark, offset as u64));
        answer(ListMachinesResponse {
            machines: page.machines,
            next_page_token: next.map(|next| question.token(&next)).unwrap_or_default(),
            total_size: view::count(page.total),
            plant_size: view::count(page.plant_size),
            reflected: Some(view::reflected(&reflected)),
            cut: None,
        })
    }

    async fn count_machines(
        &self,
        request: Request<CountMachinesRequest>,
    ) -> Result<Response<CountMachinesResponse>, Status> {
        let request = request.into_inner();
        if name::plant_or_all(&request.parent)?.is_none() {
            return super::group::count(&self.0, request).await;
        }
        let plant = self.0.plant(&request.parent)?;
        let filter = listed(&request.filter)?;
        let asked = self.asked(&plant, request.instant.as_ref()).await?;
        let of = plant.clone();
        let count = move |twin: &werkbuch_twin::Twin| {
            let found = Found::of(&of, twin)?;
            Ok(view::twin::counts(alone(twin, &found), &filter))
        };
        let (counts, reflected) = self.0.ask(&plant, &asked, count).await?;
        let counts = counts.map_err(error::status)?;
        answer(CountMachinesResponse {
            total_size: counts.iter().map(|count| count.machines).sum(),
            counts,
            reflected: Some(view::reflected(&reflected)),
            cut: None,
        })
    }

    async fn aggregate_machines(
        &self,
        request: Request<AggregateMachinesRequest>,
    ) -> Result<Response<AggregateMachinesResponse>, Status> {
        super::group::aggregate(&self.0, request.into_inner()).await
    }

    async fn diff_machines(
        &self,
        request: Request<DiffMachinesRequest>,
    ) -> Result<Response<DiffMachinesResponse>, Status> {
        super::diff::diff(&self.0, request.into_inner()).await
    }

    async fn list_aspects(
        &self,
        request: Request<ListAspectsRequest>,
    ) -> Result<Response<ListAspectsResponse>, Status> {
        let request = request.into_inner();
        let plant = self.0.plant(&request.parent)?;
        let kinds = kinds(&request.aspects)?;
        let size = size(request.page_size, 1_000, 10_000)?;
        let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
        let question = Question::new(
            "ListAspects",
            &[
                &request.parent,
                &names.join(","),
                &request.item,
                &request.machine,
            ],
        );
        let cursor = question.cursor(&request.page_token)?;
        let instant = request.instant.as_ref();
        let asked = self.0.asked_of_page(&plant, instant, cursor.as_ref());
        let asked = asked.await?;
        let mark = Mark::of_page(instant, cursor.as_ref());
        let from = cursor.map_or(0, |cursor| {
            usize::try_from(cursor.offset).unwrap_or(usize::MAX)
        });
        let (item, machine) = (request.item, request.machine);
        let look = move |twin: &werkbuch_twin::Twin| {
            let of_machine = match machine.as_str() {
                "" => None,
                name => {
                    let found = view::twin::find(twin, name);
                    Some(found.ok_or_else(|| error::unknown_machine(twin, name))?)
                }
            };
            let wanted = Wanted {
                kinds,
                item,
                machine: of_machine,
            };
            Ok::<_, Status>(AspectPage::of(twin, &wanted, from, size))
        };
        let (page, reflected) = self.0.ask(&plant, &asked, look).await?;
        let page = page?;
        let next = page
            .next
            .map(|offset| Cursor::behind(&reflected, mark, offset as u64));
        answer(ListAspectsResponse {
            values: page.values,
            next_page_token: next.map(|next| question.token(&next)).unwrap_or_default(),
            total_size: page.total,
            kinds_size: page.of_kinds,
            reflected: Some(view::reflected(&reflected)),
        })
    }

    async fn resolve_times(
        &self,
        request: Request<ResolveTimesRequest>,
    ) -> Result<Response<ResolveTimesResponse>, Status> {
        let request = request.into_inner();
        let plant = self.0.plant(&request.parent)?;
        if request.texts.len() > TEXTS_MAX {
            let text = format!("{} texts are more than {TEXTS_MAX}", request.texts.len());
            let field = ("texts".to_owned(), "are too many".to_owned());
            return Err(Reason::InvalidRequest.violations(text, [field]));
        }
        let mut response = ResolveTimesResponse::default();
        let known = match request.known_text.trim() {
            "" => None,
            // Of a cut the plant's position alone: the time is still to be said.
            text => Some(self.0.known_in(&plant, text)?),
        };
        // The present comes last, so that there is one when there are no texts.
        for text in request.texts.iter().map(String::as_str).chain(["now"]) {
            let instant = Instant {
                at_text: text.to_owned(),
                time_zone: request.time_zone.clone(),
                known: known.clone(),
                ..Instant::default()
            };
            let found = self.0.asked(&plant, Some(&instant), Reach::Described);
            let found = found.await?;
            response.time_zone = found.shown_zone();
            response
                .times
                .extend(found.instant.at.map(Timestamp::nanos));
        }
        response.now = response.times.pop().unwrap_or_default();
        answer(response)
    }

    async fn get_twin(&self, request: Request<GetTwinRequest>) -> Result<Response<Twin>, Status> {
        let request = request.into_inner();
        let plant = self.0.plant(&request.name)?;
        let asked = self.asked(&plant, request.instant.as_ref()).await?;
        let (mut twin, reflected) = self.0.ask(&plant, &asked, view::twin::summary).await?;
        if asked.instant.is_now() {
            let (position, root) = plant.root();
            // The log may have moved on since the twin was asked; a root of another size is none.
            if position == reflected.reflected.position {
                twin.root = view::twin::hash(&root);
            }
            view::twin::number(&mut twin.sources, plant.sources());
        }
        twin.reflected = Some(view::reflected(&reflected));
        answer(twin)
    }
}

/// The most texts of one request.
const TEXTS_MAX: usize = 100;

/// A plant by itself, with what rules have found of it.
fn alone<'t>(
    twin: &'t werkbuch_twin::Twin,
    found: &'t Found,
) -> impl Iterator<Item = Standing<'t>> + Clone {
    let raised = Some(found);
    std::iter::once(Standing { twin, raised })
}

impl Twins {
    async fn asked(&self, plant: &Plant, message: Option<&Instant>) -> Result<Asked, Status> {
        self.0.asked(plant, message, Reach::Happened).await
    }
}

/// The kinds of a request. Errors: `INVALID_REQUEST` when there are none, or a number means none.
fn kinds(numbers: &[i32]) -> Result<Vec<AspectKind>, Status> {
    let kind = |number: &i32| {
        let kind = u32::try_from(*number).ok().and_then(AspectKind::from_code);
        kind.filter(|kind| *kind != AspectKind::Unspecified)
    };
    let kinds: Option<Vec<AspectKind>> = numbers.iter().map(kind).collect();
    kinds.filter(|kinds| !kinds.is_empty()).ok_or_else(|| {
        let text = "aspects must name at least one kind, each by a number of AspectKind";
        let field = ("aspects".to_owned(), "names no kind".to_owned());
        Reason::InvalidRequest.violations(text.to_owned(), [field])
    })
}

/// A filter of machines of a list, also by what rules have found. Errors: `INVALID_FILTER`.
pub(super) fn listed(text: &str) -> Result<Filter, Status> {
    Filter::parse(text, &LISTED_FIELDS).map_err(|cause| error::filter("filter", &cause))
}

/// A filter of machines. Errors: `INVALID_FILTER`.
pub(super) fn filter(text: &str) -> Result<Filter, Status> {
    Filter::parse(text, &MACHINE_FIELDS).map_err(|mut cause| {
        if let FilterError::UnknownField { name, hint, .. } = &mut cause
            && name.eq_ignore_ascii_case("raised_rules")
        {
            "; what rules have found is known to lists, counts and figures of machines (machine ls), not to \
             questions over time"
                .clone_into(hint);
        }
        error::filter("filter", &cause)
    })
}
