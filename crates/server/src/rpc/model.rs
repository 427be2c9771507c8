//! The service that keeps the descriptions of plants.

use super::Model;
use crate::asked::Reach;
use crate::context::answer;
use crate::page::{Question, size};
use crate::{error, view};
use sha2::{Digest, Sha256};
use tonic::{Request, Response, Status};
use werkbuch_engine::{Apply, EngineError};
use werkbuch_model::id::PlantId;
use werkbuch_model::plant::{TableText, parse_with};
use werkbuch_model::time::Timestamp;
use werkbuch_wire::name;
use werkbuch_wire::pb::model_service_server::ModelService;
use werkbuch_wire::pb::{
    ApplyPlantRequest, ApplyPlantResponse, GetPlantRequest, ListPlantsRequest, ListPlantsResponse,
    Plant, PlantTable,
};

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
        let asked = self
            .0
            .asked(&plant, request.instant.as_ref(), Reach::Described)
            .await?;
        let (mut found, reflected) = self
            .0
            .ask(&plant, &asked, view::model::plant_in_full)
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
        if request.instant.is_some() || request.page_token.contains('.') {
            return super::group::plants(&self.0, request, size).await;
        }
        let question = Question::new("ListPlants", &[&request.parent]);
        let behind = question.behind(&request.page_token)?;
        // In this order: a plant that comes back in between stands in both rather than in none.
        let mut unreachable: Vec<_> = self.0.engine.recovering();
        let plants = self.0.engine.plants();
        unreachable.retain(|one| plants.iter().all(|plant| *plant.id() != one.plant));
        let total = plants.len() + unreachable.len();
        // Pages go on behind a name: a plant that comes back between two pages moves no other one.
        let beyond = |id: &PlantId| behind.as_deref().is_none_or(|behind| id.as_str() > behind);
        let from = plants.partition_point(|plant| !beyond(plant.id()));
        let left = plants.get(from..).unwrap_or_default();
        let (here, later) = left.split_at_checked(size).unwrap_or((left, &[]));
        let mut page = Vec::new();
        for plant in here {
            let asked = self.0.asked(plant, None, Reach::Described).await?;
            let (mut found, reflected) = self.0.ask(plant, &asked, view::model::plant).await?;
            view::model::complete(&mut found, plant, &reflected);
            page.push(found);
        }
        let last = here.last().filter(|_| !later.is_empty());
        let last = last.map(werkbuch_engine::Plant::id);
        // Each page names those that do not answer among its own, so that over all pages each plant
        // stands in one place.
        unreachable.retain(|one| beyond(&one.plant) && last.is_none_or(|last| one.plant <= *last));
        answer(ListPlantsResponse {
            plants: page,
            next_page_token: last
                .map(|last| question.token_behind(last.as_str()))
                .unwrap_or_default(),
            total_size: view::count(total),
            unreachable: unreachable
                .iter()
                .map(|one| name::of_plant(one.plant.as_str()))
                .collect(),
            cut: None,
        })
    }
}

fn read(request: ApplyPlantRequest) -> Result<Apply, EngineError> {
    let file_name = match request.file_name {
        empty if empty.is_empty() => "plant.toml".to_owned(),
        name => name,
    };
    let tables: Vec<TableText> = request.tables.into_iter().map(table).collect();
    let mut file = parse_with(&request.content, &file_name, &tables)
        .map_err(|mistakes| EngineError::PlantFile { mistakes })?;
    if let Some(valid_from) = request.valid_from {
        file.valid_from = Some(Timestamp(valid_from));
    }
    Ok(Apply {
        file,
        file_name,
        file_hash: hash(&request.content, &tables),
        dry_run: request.validate_only,
        who: request.who,
        why: request.why,
    })
}

fn table(table: PlantTable) -> TableText {
    TableText {
        name: table.name,
        file_name: table.file_name,
        content: table.content,
    }
}

/// SHA-256 of the file; with tables, of the file's hash and that of each table, in their order.
fn hash(content: &str, tables: &[TableText]) -> [u8; 32] {
    let of = |text: &str| -> [u8; 32] { Sha256::digest(text.as_bytes()).into() };
    let first = of(content);
    if tables.is_empty() {
        return first;
    }
    let mut all = Sha256::new();
    all.update(first);
    for table in tables {
        all.update(of(&table.name));
        all.update(of(&table.file_name));
        all.update(of(&table.content));
    }
    all.finalize().into()
}
