//! The way in: sources open, and append batches one by one or as a stream.

use super::{Ingest, append};
use crate::{error, outbound::outbound, view};
use std::sync::Arc;
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status, Streaming};
use werkbuch_engine::{EngineError, OpenSource};
use werkbuch_model::event::SourceKind;
use werkbuch_model::id::{Epoch, SourceName};
use werkbuch_twin::Twin;
use werkbuch_wire::pb::ingest_service_server::IngestService;
use werkbuch_wire::pb::{AppendRequest, AppendResponse, OpenSourceRequest, OpenSourceResponse};
use werkbuch_wire::{name, reason::Reason};

#[tonic::async_trait]
impl IngestService for Ingest {
    type AppendStreamStream = BoxStream<AppendResponse>;

    async fn open_source(
        &self,
        request: Request<OpenSourceRequest>,
    ) -> Result<Response<OpenSourceResponse>, Status> {
        let request = request.into_inner();
        let plant = name::plant(&request.parent)?;
        let opening = opening(request)?;
        let plant = self.0.plant_of(&plant)?;
        match self.0.engine.open_source(plant.id(), opening).await {
            Ok(opened) => Ok(Response::new(view::ingest::opened(opened))),
            Err(EngineError::UnknownMachine { machine, .. }) => {
                let tell = move |twin: &Twin| error::unknown_machine(twin, &machine);
                Err(self.0.glance(&plant, tell).await?)
            }
            Err(error) => Err(error::status(error)),
        }
    }

    async fn append(
        &self,
        request: Request<AppendRequest>,
    ) -> Result<Response<AppendResponse>, Status> {
        let (session, batch) = append::batch(request.into_inner())?;
        let done = self
            .0
            .engine
            .append(session, batch)
            .await
            .map_err(error::status)?;
        Ok(Response::new(view::ingest::appended(done)))
    }

    async fn append_stream(
        &self,
        request: Request<Streaming<AppendRequest>>,
    ) -> Result<Response<BoxStream<AppendResponse>>, Status> {
        let (out, answers) = outbound(self.0.stream()?, self.0.limits.slow_reader);
        tokio::spawn(append::relay(
            Arc::clone(&self.0),
            request.into_inner(),
            out,
        ));
        Ok(Response::new(answers))
    }
}

fn opening(request: OpenSourceRequest) -> Result<OpenSource, Status> {
    let source = SourceName::new(&request.source)
        .map_err(|cause| Reason::InvalidName.status(error::short(&cause.to_string())))?;
    let kind = u32::try_from(request.source_kind)
        .ok()
        .and_then(SourceKind::from_code);
    let Some(kind) = kind.filter(|kind| *kind != SourceKind::Unspecified) else {
        let field = ("source_kind".to_owned(), "is not LIVE or IMPORT".to_owned());
        let text = "source_kind does not say whether the source is LIVE or an IMPORT";
        return Err(Reason::InvalidRequest.violations(text, [field]));
    };
    Ok(OpenSource {
        source,
        kind,
        epoch: request.epoch.map(Epoch),
        tolerance_ns: request.tolerance_ns,
        machines: request.machines,
    })
}
