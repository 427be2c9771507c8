//! The service that answers with tables: who asks for what, and of which cut it is.

mod aggregates;
mod events;
mod machines;
mod sending;
mod timelines;

use super::Tables;
use crate::group::Group;
use crate::outbound::outbound;
use sending::{End, Sending};
use std::sync::Arc;
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status};
use werkbuch_table::{About, Column};
use werkbuch_wire::pb::stream_table_request::Table;
use werkbuch_wire::pb::table_service_server::TableService;
use werkbuch_wire::pb::{StreamTableRequest, StreamTableResponse};
use werkbuch_wire::{name, reason::Reason};

/// A table that is to be made, all that was asked checked.
enum Job {
    Machines(machines::Job),
    Events(Box<events::Job>),
    Timelines(timelines::Job),
    Aggregates(Box<aggregates::Job>),
}

#[tonic::async_trait]
impl TableService for Tables {
    type StreamTableStream = BoxStream<StreamTableResponse>;

    async fn stream_table(
        &self,
        request: Request<StreamTableRequest>,
    ) -> Result<Response<BoxStream<StreamTableResponse>>, Status> {
        let request = request.into_inner();
        let all = name::plant_or_all(&request.parent)?.is_none();
        let table = request.table.ok_or_else(|| {
            let text =
                "the request names no table; ask for machines, events, timelines or aggregates";
            let field = ("table".to_owned(), "is missing".to_owned());
            Reason::InvalidRequest.violations(text, [field])
        })?;
        let group = self.0.group(&request.parent, request.instant.as_ref());
        let group = group.await?;
        let cut = group.message();
        let (job, about) = Job::of(&self.0, table, group, all, cut.clone()).await?;
        let columns = job.columns();
        let (out, answers) = outbound(self.0.stream()?, self.0.limits.slow_reader);
        let sending = Sending::new(Arc::clone(&self.0), out, &columns, &about)?;
        tokio::spawn(run(job, cut, sending));
        Ok(Response::new(answers))
    }
}

impl Job {
    /// Checks what is asked. Errors: `INVALID_REQUEST`, `INVALID_FILTER` and the like.
    async fn of(
        context: &Arc<crate::context::Context>,
        table: Table,
        group: Group,
        all: bool,
        cut: werkbuch_wire::pb::Cut,
    ) -> Result<(Self, About), Status> {
        Ok(match table {
            Table::Machines(asked) => {
                let (job, about) = machines::Job::of(asked, group, cut)?;
                (Self::Machines(job), about)
            }
            Table::Events(asked) => {
                let (job, about) = events::Job::of(context, asked, group, all, cut).await?;
                (Self::Events(Box::new(job)), about)
            }
            Table::Timelines(asked) => {
                let (job, about) = timelines::Job::of(context, asked, group, all, cut)?;
                (Self::Timelines(job), about)
            }
            Table::Aggregates(asked) => {
                let (job, about) = aggregates::Job::of(context, asked, group, cut)?;
                (Self::Aggregates(Box::new(job)), about)
            }
        })
    }

    fn columns(&self) -> Vec<Column> {
        match self {
            Self::Machines(_) => werkbuch_table::machines::COLUMNS.to_vec(),
            Self::Events(_) => werkbuch_table::events::COLUMNS.to_vec(),
            Self::Timelines(job) => job.columns(),
            Self::Aggregates(job) => job.columns(),
        }
    }
}

async fn run(job: Job, cut: werkbuch_wire::pb::Cut, mut sending: Sending) {
    let sent = async {
        sending.head(cut).await?;
        let complete = match job {
            Job::Machines(job) => job.send(&mut sending).await?,
            Job::Events(job) => job.send(&mut sending).await?,
            Job::Timelines(job) => job.send(&mut sending).await?,
            Job::Aggregates(job) => job.send(&mut sending).await?,
        };
        sending.whole(complete).await
    };
    let sent: Result<(), End> = sent.await;
    sending.end(sent);
}
