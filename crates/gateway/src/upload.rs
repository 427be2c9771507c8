//! Sends the events of one source upward, in batches, until each is acknowledged.

mod outcomes;
mod retry;
#[cfg(test)]
mod tests;

pub use outcomes::{Outcomes, RefusedEvents};

use bytes::Bytes;
use futures::FutureExt;
use retry::{Backoff, is_final};
use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};
use werkbuch_model::event::{Reported, SourceKind};
use werkbuch_model::id::{
    Epoch, MachineNumber, PlantId, Position, Sequence, SourceName, SourceNumber,
};
use werkbuch_wire::pb::ingest_service_client::IngestServiceClient;
use werkbuch_wire::{name, pb};

/// What reports, and to which plant.
#[derive(Clone, Debug)]
pub struct Source {
    /// The plant.
    pub plant: PlantId,
    /// The source's name, without its epoch.
    pub name: SourceName,
    /// What the source is.
    pub kind: SourceKind,
    /// The life that it resumes; absent when its counter is lost, or it is new.
    pub epoch: Option<Epoch>,
    /// How far its clock may lie from its gateway's, in nanoseconds; absent: the default of its kind.
    pub tolerance_ns: Option<u64>,
    /// Machines whose numbers it wants to know.
    pub machines: Vec<String>,
}

/// What the server said when the source was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The handle that stands for plant, source and epoch.
    pub session: u64,
    /// The source's life.
    pub epoch: Epoch,
    /// The number that the next new event should have.
    pub next_sequence: Sequence,
    /// The source's number in the plant's log.
    pub source_number: SourceNumber,
    /// The numbers of the machines asked for, in the order of the request.
    pub machine_numbers: Vec<MachineNumber>,
}

/// How much is under way at once, and how long trouble is borne.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The most batches that are not acknowledged.
    pub window: usize,
    /// The most events of a batch.
    pub batch_events: usize,
    /// The most bytes of a batch, of its events and bodies. A single larger event goes alone.
    pub batch_bytes: usize,
    /// For how long it is tried again without any progress.
    pub patience: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            window: 16,
            batch_events: 1_000,
            batch_bytes: 1024 * 1024,
            patience: Duration::from_secs(60),
        }
    }
}

/// Why sending ended before everything was acknowledged.
#[derive(Clone, Debug, thiserror::Error)]
pub enum UploadError {
    /// The server refused the source or a batch as a whole, and will refuse it again: the status says
    /// why. Fencing is of this kind: a newer session has taken over and has the say.
    #[error("{}", .0.message())]
    Refused(Status),
    /// The server could not be reached, or had no room, for longer than the patience. Start again
    /// later: what was recorded before comes back as repeats.
    #[error("no progress for {} s: {}", .patience.as_secs(), .status.message())]
    GaveUp {
        /// How long it was tried.
        patience: Duration,
        /// What the server, or the way to it, said last.
        status: Status,
    },
    /// The server's answer does not cover the batch. Report it: nothing can be said about the batch.
    #[error("the server's answer covers {covered} of {sent} events of a batch")]
    Uncovered {
        /// How many events the batch had.
        sent: u64,
        /// How many the answer is about.
        covered: u64,
    },
}

impl UploadError {
    /// The status behind it, if there is one.
    #[must_use]
    pub fn status(&self) -> Option<&Status> {
        match self {
            Self::Refused(status) | Self::GaveUp { status, .. } => Some(status),
            Self::Uncovered { .. } => None,
        }
    }
}

/// A client for one source: numbers are the caller's, order and acknowledgement are kept here.
///
/// Batches that are not acknowledged are kept. When the line or the server fails, the source is opened
/// again in the same epoch and they are sent again; that each event is recorded once is the
/// server's doing, by its number.
pub struct Uploader {
    client: IngestServiceClient<Channel>,
    source: Source,
    pace: Pace,
    opened: Opened,
    filling: Batch,
    waiting: VecDeque<Batch>,
    line: Option<Line>,
    outcomes: Outcomes,
}

#[derive(Clone, Default)]
struct Batch {
    events: Vec<Bytes>,
    bodies: Vec<Bytes>,
    bytes: usize,
}

/// An open stream: batches go out, answers come in the same order.
struct Line {
    requests: mpsc::Sender<pb::AppendRequest>,
    answers: Streaming<pb::AppendResponse>,
}

impl Uploader {
    /// Opens the source.
    /// Errors: [`UploadError::Refused`], and [`UploadError::GaveUp`] after the patience.
    pub async fn open(channel: Channel, source: Source, pace: Pace) -> Result<Self, UploadError> {
        let mut client = IngestServiceClient::new(channel);
        let mut backoff = Backoff::new(pace.patience);
        let opened = loop {
            match open_source(&mut client, &source).await {
                Ok(opened) => break opened,
                Err(status) => backoff.pause(status).await?,
            }
        };
        let source = Source {
            epoch: Some(opened.epoch),
            ..source
        };
        Ok(Self {
            client,
            source,
            pace,
            opened,
            filling: Batch::default(),
            waiting: VecDeque::new(),
            line: None,
            outcomes: Outcomes::default(),
        })
    }

    /// What the server said when the source was last opened.
    #[must_use]
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// What has become of the events so far.
    #[must_use]
    pub fn outcomes(&self) -> &Outcomes {
        &self.outcomes
    }

    /// Notes where the event with this number comes to stand; to be said before it is handed in.
    pub fn watch(&mut self, sequence: Sequence) {
        self.outcomes
            .watched
            .insert(sequence.get(), Position::default());
    }

    /// Hands in an event with the body of its samples. It leaves with its batch: when that is full, or
    /// at the next [`flush`](Self::flush). Errors: those of sending; then the uploader is of no more use.
    pub async fn send(
        &mut self,
        event: &Reported<'_>,
        body: Option<Vec<u8>>,
    ) -> Result<(), UploadError> {
        let event = Bytes::from(werkbuch_record::encode_reported(event));
        let body = body.map(Bytes::from);
        let bytes = event.len() + body.as_ref().map_or(0, Bytes::len) + 16;
        let full = self.filling.events.len() >= self.pace.batch_events;
        if full || self.filling.bytes + bytes > self.pace.batch_bytes {
            self.flush().await?;
        }
        self.filling.events.push(event);
        self.filling.bodies.extend(body);
        self.filling.bytes += bytes;
        self.outcomes.sent += 1;
        Ok(())
    }

    /// Sends what has been handed in, waiting only while the window is full.
    pub async fn flush(&mut self) -> Result<(), UploadError> {
        self.poll()?;
        if self.filling.events.is_empty() {
            return Ok(());
        }
        while self.waiting.len() >= self.pace.window.max(1) {
            self.take_answer().await?;
        }
        let batch = std::mem::take(&mut self.filling);
        let request = self.request(&batch);
        self.waiting.push_back(batch);
        let sent = match &self.line {
            Some(line) => line.requests.send(request).await.is_ok(),
            None => return self.connect().await,
        };
        if sent {
            return Ok(());
        }
        // The stream is gone. What it said last tells why; it is read as an answer.
        self.take_answer().await
    }

    /// Takes in the answers that are there, without waiting for others.
    pub fn poll(&mut self) -> Result<(), UploadError> {
        while let Some(line) = &mut self.line {
            match line.answers.message().now_or_never() {
                None => break,
                Some(Ok(Some(answer))) => self.note(&answer)?,
                // The next flush connects again.
                Some(Ok(None)) => self.line = None,
                Some(Err(status)) => {
                    self.line = None;
                    if is_final(&status) {
                        return Err(UploadError::Refused(status));
                    }
                }
            }
        }
        Ok(())
    }

    /// Sends what is left and waits until everything is acknowledged.
    pub async fn settle(&mut self) -> Result<(), UploadError> {
        self.flush().await?;
        while !self.waiting.is_empty() {
            self.take_answer().await?;
        }
        Ok(())
    }

    /// Waits for the answer to the oldest batch, through as many failures as the patience allows.
    async fn take_answer(&mut self) -> Result<(), UploadError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let Some(line) = &mut self.line else {
            self.connect().await?;
            return Ok(());
        };
        let answer = tokio::time::timeout(self.pace.patience, line.answers.message()).await;
        let trouble = match answer {
            Ok(Ok(Some(answer))) => return self.note(&answer),
            Ok(Ok(None)) => Status::unavailable("the server ended the stream"),
            Ok(Err(status)) => status,
            Err(_) => Status::deadline_exceeded("the server did not answer"),
        };
        self.line = None;
        if is_final(&trouble) {
            return Err(UploadError::Refused(trouble));
        }
        self.reopen(trouble).await
    }

    /// Opens the source anew after a failure and sends again what is not acknowledged.
    async fn reopen(&mut self, trouble: Status) -> Result<(), UploadError> {
        let mut backoff = Backoff::new(self.pace.patience);
        let mut trouble = trouble;
        loop {
            backoff.pause(trouble).await?;
            match open_source(&mut self.client, &self.source).await {
                Ok(opened) => self.opened = opened,
                Err(status) => {
                    trouble = status;
                    continue;
                }
            }
            match self.try_connect().await {
                // The first answer shows that the way is open; until then patience runs on.
                Ok(mut line) => match self.first_answer(&mut line).await {
                    Ok(answer) => {
                        self.line = Some(line);
                        return answer.map_or(Ok(()), |answer| self.note(&answer));
                    }
                    Err(status) => trouble = status,
                },
                Err(status) => trouble = status,
            }
        }
    }

    async fn first_answer(&self, line: &mut Line) -> Result<Option<pb::AppendResponse>, Status> {
        if self.waiting.is_empty() {
            return Ok(None);
        }
        match tokio::time::timeout(self.pace.patience, line.answers.message()).await {
            Ok(Ok(Some(answer))) => Ok(Some(answer)),
            Ok(Ok(None)) => Err(Status::unavailable("the server ended the stream")),
            Ok(Err(status)) => Err(status),
            Err(_) => Err(Status::deadline_exceeded("the server did not answer")),
        }
    }

    async fn connect(&mut self) -> Result<(), UploadError> {
        match self.try_connect().await {
            Ok(line) => {
                self.line = Some(line);
                Ok(())
            }
            Err(status) if is_final(&status) => Err(UploadError::Refused(status)),
            Err(status) => self.reopen(status).await,
        }
    }

    /// Opens a stream that begins with everything that waits.
    async fn try_connect(&mut self) -> Result<Line, Status> {
        let room = self.pace.window.max(1).max(self.waiting.len()) + 1;
        let (requests, stream) = mpsc::channel(room);
        for batch in &self.waiting {
            let sent = requests.try_send(self.request(batch));
            sent.map_err(|_| Status::internal("the window has no room for what waits"))?;
        }
        let stream = ReceiverStream::new(stream);
        let answers = self.client.append_stream(stream).await?.into_inner();
        Ok(Line { requests, answers })
    }

    fn request(&self, batch: &Batch) -> pb::AppendRequest {
        pb::AppendRequest {
            session: self.opened.session,
            events: batch.events.clone(),
            bodies: batch.bodies.clone(),
            unknown_field: None,
        }
    }

    fn note(&mut self, answer: &pb::AppendResponse) -> Result<(), UploadError> {
        let Some(batch) = self.waiting.pop_front() else {
            return Ok(());
        };
        let sent = batch.events.len() as u64;
        let covered = self.outcomes.note(answer);
        if covered == sent {
            return Ok(());
        }
        Err(UploadError::Uncovered { sent, covered })
    }
}

async fn open_source(
    client: &mut IngestServiceClient<Channel>,
    source: &Source,
) -> Result<Opened, Status> {
    let request = pb::OpenSourceRequest {
        parent: name::of_plant(source.plant.as_str()),
        source: source.name.as_str().to_owned(),
        source_kind: i32::try_from(source.kind.code()).unwrap_or_default(),
        epoch: source.epoch.map(Epoch::get),
        tolerance_ns: source.tolerance_ns,
        machines: source.machines.clone(),
    };
    let opened = client.open_source(request).await?.into_inner();
    let numbers = opened.machine_numbers.into_iter().map(MachineNumber);
    let machine_numbers: Vec<_> = numbers.collect();
    if machine_numbers.len() != source.machines.len() {
        let said = "the server did not give the numbers of all machines asked for";
        return Err(Status::new(Code::DataLoss, said));
    }
    Ok(Opened {
        session: opened.session,
        epoch: Epoch(opened.epoch),
        next_sequence: Sequence(opened.next_sequence),
        source_number: SourceNumber(opened.source_number),
        machine_numbers,
    })
}

impl fmt::Debug for Uploader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Uploader")
            .field("source", &self.source.name)
            .field("waiting", &self.waiting.len())
            .field("outcomes", &self.outcomes)
            .finish_non_exhaustive()
    }
}
