//! The service that runs the server.

use super::Admin;
use crate::error;
use tonic::{Request, Response, Status};
use werkbuch_engine::Recovering;
use werkbuch_wire::name;
use werkbuch_wire::pb::admin_service_server::AdminService;
use werkbuch_wire::pb::{
    ConfirmClockRequest, ConfirmClockResponse, GetServerRequest, RecoveringPlant, Server,
};

fn recovering(plant: &Recovering) -> RecoveringPlant {
    RecoveringPlant {
        name: name::of_plant(plant.plant.as_str()),
        position: plant.done.get(),
        last_position: plant.last.get(),
        percent: u32::try_from(plant.percent).unwrap_or(100),
    }
}

#[tonic::async_trait]
impl AdminService for Admin {
    async fn get_server(&self, _: Request<GetServerRequest>) -> Result<Response<Server>, Status> {
        let engine = &self.0.engine;
        Ok(Response::new(Server {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            store: engine.store_name().to_owned(),
            started_at: self.0.started_at.nanos(),
            plants: u32::try_from(engine.plants().len()).unwrap_or(u32::MAX),
            stopped: match (engine.stopped(), engine.trouble()) {
                (Some(_), _) => {
                    "the disk failed; start the server anew, its log says more".to_owned()
                }
                (None, Some(cause)) => cause,
                (None, None) => String::new(),
            },
            recovering: engine.recovering().iter().map(recovering).collect(),
        }))
    }

    async fn confirm_clock(
        &self,
        request: Request<ConfirmClockRequest>,
    ) -> Result<Response<ConfirmClockResponse>, Status> {
        let plant = name::plant(&request.get_ref().name)?;
        let position = self
            .0
            .engine
            .confirm_clock(&plant)
            .await
            .map_err(error::status)?;
        Ok(Response::new(ConfirmClockResponse {
            position: position.get(),
        }))
    }
}
