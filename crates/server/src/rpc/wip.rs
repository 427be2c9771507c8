//! The service that answers where the parts are.

use super::Wips;
use crate::asked::{Answered, Asked, Mark};
use crate::context::answer;
use crate::limits::SURVEY_EVENTS_MAX;
use crate::page::{Cursor, Question, size};
use crate::view;
use std::ops::ControlFlow;
use tonic::{Request, Response, Status};
use werkbuch_engine::Plant;
use werkbuch_model::event::Recorded;
use werkbuch_twin::Twin;
use werkbuch_twin::line::{Moves, Stocks, WipRow, wip};
use werkbuch_wire::pb::wip_service_server::WipService;
use werkbuch_wire::pb::{ListWipRequest, ListWipResponse};
use werkbuch_wire::reason::Reason;

/// How long before the first count is read too, so that it is known where counters stood: an hour.
const LEAD_NS: i64 = 3_600 * 1_000_000_000;

#[tonic::async_trait]
impl WipService for Wips {
    async fn list_wip(
        &self,
        request: Request<ListWipRequest>,
    ) -> Result<Response<ListWipResponse>, Status> {
        let request = request.into_inner();
        let plant = self.0.plant(&request.parent)?;
        let size = size(request.page_size, 1_000, 10_000)?;
        let kinds = view::wip::kinds_of(&request.kinds)?;
        let numbers: Vec<_> = request.kinds.iter().map(i32::to_string).collect();
        let question = Question::new(
            "ListWip",
            &[&request.parent, &request.unit, &numbers.join(",")],
        );
        let cursor = question.cursor(&request.page_token)?;
        let instant = request.instant.as_ref();
        let asked = self.0.asked_of_page(&plant, instant, cursor.as_ref());
        let asked = asked.await?;
        let mark = Mark::of_page(instant, cursor.as_ref());
        let unit = request.unit.clone();
        let ((rows, complete), reflected) = self.find(&plant, &asked, unit).await?;
        let rows: Vec<&WipRow> = rows
            .iter()
            .filter(|row| kinds.contains(&row.kind))
            .collect();
        let from = cursor.map_or(0, |one| usize::try_from(one.offset).unwrap_or(usize::MAX));
        let page = rows.iter().skip(from).take(size);
        let shown: Vec<_> = page.map(|row| view::wip::row(row)).collect();
        let end = from.saturating_add(shown.len());
        let next = (end < rows.len()).then(|| Cursor::behind(&reflected, mark, end as u64));
        answer(ListWipResponse {
            rows: shown,
            next_page_token: next.map(|next| question.token(&next)).unwrap_or_default(),
            total_size: view::count(rows.len()),
            complete,
            reflected: Some(view::reflected(&reflected)),
        })
    }
}

impl Wips {
    /// All rows of the plant or unit, and whether everything was read for them.
    pub(super) async fn find(
        &self,
        plant: &Plant,
        asked: &Asked,
        unit: String,
    ) -> Result<((Vec<WipRow>, bool), Answered), Status> {
        let (twin, answered) = self.0.ask(plant, asked, Twin::clone).await?;
        if !unit.is_empty() && twin.description().unit(&unit).is_none() {
            let shown: String = unit.chars().take(80).collect();
            let text = format!("plant \"{}\" has no unit \"{shown}\"", plant.id());
            let field = ("unit".to_owned(), "is unknown".to_owned());
            return Err(Reason::InvalidRequest.violations(text, [field]));
        }
        let (at, bound) = (answered.as_of, answered.reflected.position);
        let reading = plant.clone();
        let work = move || {
            let stocks = Stocks::of_twin(&twin);
            let mut moves = Moves::new(&twin);
            let mut complete = true;
            if let Some(since) = stocks.counted_since() {
                let mut take = |event: &Recorded<'_>| {
                    moves.take(event);
                    if moves.is_full() {
                        ControlFlow::Break(())
                    } else {
                        ControlFlow::Continue(())
                    }
                };
                let from = since.plus(-LEAD_NS);
                complete = reading
                    .survey(from, bound, SURVEY_EVENTS_MAX, &mut take)?
                    .complete;
            }
            let mut rows = wip(&twin, &stocks, &moves, at);
            if !unit.is_empty() {
                rows.retain(|row| view::wip::lies_in(&twin, row, &unit));
            }
            Ok((rows, complete))
        };
        Ok((self.0.blocking(work).await?, answered))
    }
}
