//! A table on its way: rows become bytes in threads for blocking work, and bytes become messages.

use crate::context::{Context, shutting_down};
use crate::error;
use crate::limits::TABLE_PART_BYTES;
use crate::outbound::{Ended, Outbound};
use std::sync::Arc;
use tonic::Status;
use werkbuch_engine::EngineError;
use werkbuch_table::{About, Column, Encoder, TableError};
use werkbuch_wire::pb::{Cut, StreamTableResponse};

/// Why a stream ends before its end.
pub(super) enum End {
    Reader(Ended),
    Status(Status),
}

/// A table on its way to its reader.
pub(super) struct Sending {
    context: Arc<Context>,
    out: Outbound<StreamTableResponse>,
    /// Away only while a thread appends to it.
    encoder: Option<Encoder>,
    done: u64,
    total: u64,
}

impl Sending {
    pub(super) fn new(
        context: Arc<Context>,
        out: Outbound<StreamTableResponse>,
        columns: &[Column],
        about: &About,
    ) -> Result<Self, Status> {
        let encoder = Encoder::new(columns, about).map_err(|cause| error::status(made(&cause)))?;
        Ok(Self {
            context,
            out,
            encoder: Some(encoder),
            done: 0,
            total: 0,
        })
    }

    pub(super) fn context(&self) -> &Arc<Context> {
        &self.context
    }

    /// How much there is to look at.
    pub(super) fn expect(&mut self, total: u64) {
        self.total = total;
    }

    /// The first message.
    pub(super) async fn head(&mut self, cut: Cut) -> Result<(), End> {
        let head = StreamTableResponse {
            cut: Some(cut),
            ..StreamTableResponse::default()
        };
        self.out.send(head).await.map_err(End::Reader)
    }

    /// Lets a job append rows in a thread, and sends what comes of it. The step answers with how much it
    /// has looked at.
    pub(super) async fn step<J: Send + 'static>(
        &mut self,
        mut job: J,
        step: impl FnOnce(&mut J, &mut Encoder) -> Result<u64, EngineError> + Send + 'static,
    ) -> Result<J, End> {
        let mut encoder = self.encoder.take().ok_or_else(gone)?;
        let work = move || {
            let done = step(&mut job, &mut encoder)?;
            Ok((job, encoder, done))
        };
        let (job, encoder, done) = self.work(work).await?;
        self.encoder = Some(encoder);
        self.done = self.done.saturating_add(done);
        self.send(false, false).await?;
        Ok(job)
    }

    /// Does blocking work, unless nobody waits for it any more.
    pub(super) async fn work<R: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<R, EngineError> + Send + 'static,
    ) -> Result<R, End> {
        tokio::select! {
            biased;
            () = self.context.stopping() => Err(End::Status(shutting_down())),
            () = self.out.gone() => Err(End::Reader(Ended::Gone)),
            done = self.context.stream_blocking(work) => done.map_err(End::Status),
        }
    }

    /// Ends the table: all rows are in it.
    pub(super) async fn whole(&mut self, complete: bool) -> Result<(), End> {
        let encoder = self.encoder.as_mut().ok_or_else(gone)?;
        let finished = encoder.finish();
        finished.map_err(|cause| End::Status(error::status(made(&cause))))?;
        self.send(true, complete).await
    }

    /// Ends the stream.
    pub(super) fn end(self, sent: Result<(), End>) {
        match sent {
            Ok(()) => {}
            Err(End::Status(status)) => self.out.end(status),
            Err(End::Reader(ended)) => self.out.give_up(&ended),
        }
    }

    /// Sends the bytes that wait, in messages of a bounded size.
    async fn send(&mut self, whole: bool, complete: bool) -> Result<(), End> {
        let encoder = self.encoder.as_mut().ok_or_else(gone)?;
        let mut bytes = encoder.take();
        let rows = encoder.rows();
        loop {
            let rest = bytes.split_off(bytes.len().min(TABLE_PART_BYTES));
            let last = rest.is_empty();
            let part = StreamTableResponse {
                cut: None,
                arrow: std::mem::replace(&mut bytes, rest),
                rows,
                done: self.done,
                total: self.total,
                whole: whole && last,
                complete: complete && last,
            };
            self.out.send(part).await.map_err(End::Reader)?;
            if last {
                return Ok(());
            }
        }
    }
}

fn gone() -> End {
    End::Status(error::internal())
}

/// A table that could not be made, as the engine's own mistakes.
pub(super) fn made(cause: &TableError) -> EngineError {
    EngineError::Internal {
        what: cause.to_string(),
    }
}
