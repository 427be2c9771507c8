//! The service that simulates what would be if: it begins runs, tells how far they are, and hands out results.

mod evidence;
mod mended;
mod others;
mod span;
mod states;
mod stocks;
mod study;
mod work;

use super::Simulations;
use crate::context::{answer, shutting_down};
use crate::limits::TABLE_PART_BYTES;
use crate::outbound::outbound;
use crate::page::{Question, size};
use crate::runs::is_over;
use crate::view;
use evidence::Fork;
use std::sync::Arc;
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status};
use werkbuch_sim::whatif::{Asked, Inputs};
use werkbuch_wire::name;
use werkbuch_wire::pb::simulation_service_server::SimulationService;
use werkbuch_wire::pb::{
    CancelRunRequest, CreateRunRequest, DeleteRunRequest, DeleteRunResponse, GetRunRequest,
    Instant, ListRunsRequest, ListRunsResponse, ReadRunResultRequest, ReadRunResultResponse,
    ReadRunStatesRequest, ReadRunStatesResponse, ReviewModelRequest, ReviewModelResponse, Run,
    WatchRunRequest,
};

/// What is forked, as a request says it.
struct ForkOf<'r> {
    parent: &'r str,
    instant: Option<&'r Instant>,
    window_ns: u64,
}

#[tonic::async_trait]
impl SimulationService for Simulations {
    async fn create_run(
        &self,
        request: Request<CreateRunRequest>,
    ) -> Result<Response<Run>, Status> {
        let request = request.into_inner();
        let mut study = request.study.unwrap_or_default();
        study::complete(&mut study);
        study::check(&study, &request.request_id)?;
        let of = ForkOf {
            parent: &request.parent,
            instant: study.instant.as_ref(),
            window_ns: study.window_ns,
        };
        let fork = Fork::find(&self.0, of).await?;
        study.instant = Some(fork.instant());
        let inputs = study::inputs(&study, &fork);
        // What the log says changes times, not names: whether the files fit is known without it.
        let planned = inputs.clone();
        let checked = move || Ok(study::fits(&planned));
        self.0.blocking(checked).await??;
        let run = Run {
            study: Some(study),
            reflected: Some(view::reflected(&fork.answered)),
            create_time: fork.plant.wall().nanos(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..Run::default()
        };
        if request.validate_only {
            return answer(run);
        }
        let runs = &self.0.runs;
        let (live, is_new) = runs.add(fork.plant.id(), &request.request_id, run)?;
        if is_new {
            let work = work::Work {
                context: Arc::clone(&self.0),
                live: Arc::clone(&live),
                fork,
                inputs,
                threads: request.threads as usize,
            };
            tokio::spawn(work.run());
        }
        answer(live.run())
    }

    async fn get_run(&self, request: Request<GetRunRequest>) -> Result<Response<Run>, Status> {
        answer(self.0.runs.get(&request.into_inner().name)?.run())
    }

    async fn list_runs(
        &self,
        request: Request<ListRunsRequest>,
    ) -> Result<Response<ListRunsResponse>, Status> {
        let request = request.into_inner();
        let plant = name::plant_or_all(&request.parent)?;
        if let Some(plant) = &plant {
            self.0.plant_of(plant)?;
        }
        let size = size(request.page_size, 100, 1_000)?;
        let question = Question::new("ListRuns", &[&request.parent]);
        let below = question.behind(&request.page_token)?;
        let below = below.and_then(|text| text.parse().ok()).unwrap_or(u64::MAX);
        let runs = &self.0.runs;
        let total = runs.list(plant.as_ref(), u64::MAX).len();
        let found = runs.list(plant.as_ref(), below);
        let page = found.iter().take(size);
        let last = page.clone().next_back().filter(|_| found.len() > size);
        let next_page_token = last.map(|(number, _)| question.token_behind(&number.to_string()));
        answer(ListRunsResponse {
            runs: page.map(|(_, live)| study::short(live.run())).collect(),
            next_page_token: next_page_token.unwrap_or_default(),
            total_size: view::count(total),
        })
    }

    type WatchRunStream = BoxStream<Run>;

    async fn watch_run(
        &self,
        request: Request<WatchRunRequest>,
    ) -> Result<Response<BoxStream<Run>>, Status> {
        let live = self.0.runs.get(&request.into_inner().name)?;
        let (out, answers) = outbound(self.0.stream()?, self.0.limits.slow_reader);
        let context = Arc::clone(&self.0);
        tokio::spawn(async move {
            let mut watched = live.watch();
            loop {
                let run = watched.borrow_and_update().clone();
                let over = is_over(&run);
                if let Err(ended) = out.send(run).await {
                    return out.give_up(&ended);
                }
                if over {
                    return;
                }
                tokio::select! {
                    biased;
                    () = out.gone() => return,
                    () = context.stopping() => return out.end(shutting_down()),
                    changed = watched.changed() => if changed.is_err() { return },
                }
            }
        });
        Ok(Response::new(answers))
    }

    async fn cancel_run(
        &self,
        request: Request<CancelRunRequest>,
    ) -> Result<Response<Run>, Status> {
        let live = self.0.runs.get(&request.into_inner().name)?;
        live.cancel();
        answer(live.run())
    }

    async fn delete_run(
        &self,
        request: Request<DeleteRunRequest>,
    ) -> Result<Response<DeleteRunResponse>, Status> {
        let name = request.into_inner().name;
        let context = Arc::clone(&self.0);
        let delete = move || Ok(context.runs.delete(&name));
        self.0.blocking(delete).await??;
        answer(DeleteRunResponse {})
    }

    type ReadRunResultStream = BoxStream<ReadRunResultResponse>;

    async fn read_run_result(
        &self,
        request: Request<ReadRunResultRequest>,
    ) -> Result<Response<BoxStream<ReadRunResultResponse>>, Status> {
        let live = self.0.runs.get(&request.into_inner().name)?;
        let context = Arc::clone(&self.0);
        let read = move || Ok(context.runs.result(&live));
        let text = self.0.stream_blocking(read).await??;
        let (out, answers) = outbound(self.0.stream()?, self.0.limits.slow_reader);
        tokio::spawn(async move {
            for part in text.as_bytes().chunks(TABLE_PART_BYTES) {
                let json = part.to_vec();
                if let Err(ended) = out.send(ReadRunResultResponse { json }).await {
                    return out.give_up(&ended);
                }
            }
        });
        Ok(Response::new(answers))
    }

    type ReadRunStatesStream = BoxStream<ReadRunStatesResponse>;

    async fn read_run_states(
        &self,
        request: Request<ReadRunStatesRequest>,
    ) -> Result<Response<BoxStream<ReadRunStatesResponse>>, Status> {
        states::read(&self.0, request.into_inner()).await
    }

    async fn review_model(
        &self,
        request: Request<ReviewModelRequest>,
    ) -> Result<Response<ReviewModelResponse>, Status> {
        let request = request.into_inner();
        let of = ForkOf {
            parent: &request.parent,
            instant: request.instant.as_ref(),
            window_ns: study::window(request.window_ns),
        };
        let fork = Fork::find(&self.0, of).await?;
        let evidence = fork.read(&self.0).await?;
        let inputs = Inputs {
            plant: study::described(&fork),
            tables: Vec::new(),
            behaviour: request.behaviour.as_ref().map(study::text),
            scenarios: Vec::new(),
            start_ns: fork.at().nanos(),
            asked: Asked::LEAST,
        };
        let reflected = view::reflected(&fork.answered);
        let work = move || {
            let modelled = inputs.model(Some(&evidence.record));
            Ok(modelled.map(|(model, sheet)| ReviewModelResponse {
                fits: sheet.iter().map(study::fitted).collect(),
                assumptions: model.assumptions,
                fork_digest: evidence.digest,
                reflected: Some(reflected),
            }))
        };
        let reviewed = self.0.blocking(work).await?;
        answer(reviewed.map_err(|error| study::refused(&error))?)
    }
}
