//! The service that keeps the descriptions of plants.

use super::Model;
use crate::context::answer;
use crate::page::{Cursor, Question, size};
use crate::{error, view};
use sha2::{Digest, Sha256};
use tonic::{Request, Response, Status};
use werkbuch_engine::{Apply, EngineError};
use werkbuch_model::id::Position;
use werkbuch_model::instant::Instant;
use werkbuch_model::plant::parse;
use werkbuch_wire::pb::model_service_server::ModelService;
use werkbuch_wire::pb::{
    ApplyPlantRequest, ApplyPlantResponse, GetPlantRequest, ListPlantsRequest, ListPlantsResponse,
    Plant,
};
use werkbuch_wire::{convert::instant_of, name};

#[tonic::async_trait]
impl ModelService for Model {
    async fn apply_plant(
        &self,
        request: Request<ApplyPlantRequest>,
    ) -> Result<Response<ApplyPlantResponse>, Status> {
        let request = request.into_inner();
        name::tenant(&request.parent)?;
        let applied = self.0.blocking(move || read(request)).await?;
        let applied = self.0.engine.apply(applied).await.map_err(error::status)?;
        answer(view::model::applied(applied))
    }

    async fn get_plant(
        &self,
        request: Request<GetPlantRequest>,
    ) -> Result<Response<Plant>, Status> {
        let request = request.into_inner();
        let plant = self.0.plant(&request.name)?;
        let instant = instant_of(request.instant.as_ref());
        let (mut found, reflected) = self
            .0
            .ask(&plant, instant, view::model::plant_in_full)
            .await?;
        view::model::complete(&mut found, &plant, &reflected);
        answer(found)
    }

    async fn list_plants(
        &self,
        request: Request<ListPlantsRequest>,
    ) -> Result<Response<ListPlantsResponse>, Status> {
        let request = request.into_inner();
        name::tenant(&request.parent)?;
        let size = size(request.page_size, 100, 1_000)?;
        let question = Question::new("ListPlants", &[&request.parent]);
        let from = question
            .cursor(&request.page_token)?
            .map_or(0, |cursor| cursor.offset);
        let plants = self.0.engine.plants();
        let from = usize::try_from(from)
            .unwrap_or(usize::MAX)
            .min(plants.len());
        let mut page = Vec::new();
        for plant in plants.iter().skip(from).take(size) {
            let (mut found, reflected) =
                self.0.ask(plant, Instant::NOW, view::model::plant).await?;
            view::model::complete(&mut found, plant, &reflected);
            page.push(found);
        }
        let next = from.saturating_add(page.len());
        let cursor = Cursor {
            offset: next as u64,
            position: Position(0),
            at: None,
        };
        let is_last = next >= plants.len();
        answer(ListPlantsResponse {
            plants: page,
            next_page_token: if is_last {
                String::new()
            } else {
                question.token(&cursor)
            },
            total_size: view::count(plants.len()),
        })
    }
}

fn read(request: ApplyPlantRequest) -> Result<Apply, EngineError> {
    let file_name = match request.file_name {
        empty if empty.is_empty() => "plant.toml".to_owned(),
        name => name,
    };
    let file = parse(&request.content, &file_name)
        .map_err(|mistakes| EngineError::PlantFile { mistakes })?;
    Ok(Apply {
        file,
        file_name,
        file_hash: Sha256::digest(request.content.as_bytes()).into(),
        dry_run: request.validate_only,
        who: request.who,
        why: request.why,
    })
}
