//! The answers of a stream: a bounded queue, an end that is always heard, a reader that must read.

use crate::context::StreamPlace;
use crate::limits::STREAM_ANSWERS_MAX;
use futures::{FutureExt, Stream, StreamExt};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use tonic::codegen::BoxStream;
use werkbuch_wire::reason::Reason;

/// The sending side of a stream of answers. The stream ends when it is dropped.
pub(crate) struct Outbound<T> {
    answers: mpsc::Sender<T>,
    last_word: oneshot::Sender<Status>,
    patience: Duration,
    place: StreamPlace,
}

/// Why nothing more can be sent.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The reader is gone.
    Gone,
    /// The reader took nothing for too long.
    Slow,
}

/// A queue of answers; the stream of them is what the handler answers with.
pub(crate) fn outbound<T: Send + 'static>(
    place: StreamPlace,
    patience: Duration,
) -> (Outbound<T>, BoxStream<T>) {
    let (answers, waiting) = mpsc::channel(STREAM_ANSWERS_MAX);
    let (last_word, word) = oneshot::channel();
    let end = word
        .into_stream()
        .filter_map(|word| async { word.ok().map(Err) });
    let stream = ReceiverStream::new(waiting).map(Ok).chain(end);
    let sender = Outbound {
        answers,
        last_word,
        patience,
        place,
    };
    (sender, boxed(stream))
}

fn boxed<T>(stream: impl Stream<Item = Result<T, Status>> + Send + 'static) -> BoxStream<T> {
    Box::pin(stream)
}

impl<T> Outbound<T> {
    /// Sends an answer, waiting for its reader as long as patience lasts.
    pub(crate) async fn send(&self, answer: T) -> Result<(), Ended> {
        match self.answers.send_timeout(answer, self.patience).await {
            Ok(()) => Ok(()),
            Err(mpsc::error::SendTimeoutError::Closed(_)) => Err(Ended::Gone),
            Err(mpsc::error::SendTimeoutError::Timeout(_)) => Err(Ended::Slow),
        }
    }

    /// Returns when the reader is gone.
    pub(crate) async fn gone(&self) {
        self.answers.closed().await;
    }

    /// Ends the stream with an error after the answers that wait.
    pub(crate) fn end(self, status: Status) {
        self.place.calls.ended(&status);
        // A reader that is gone needs no last word.
        let _ = self.last_word.send(status);
    }

    /// Ends the stream after a failed sending.
    pub(crate) fn give_up(self, ended: &Ended) {
        if matches!(ended, Ended::Slow) {
            let text = format!("no answer was taken for {} s", self.patience.as_secs_f32());
            self.end(Reason::SlowReader.status(text));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::sync::Arc;
    use tokio::sync::Semaphore;

    async fn place(places: &Arc<Semaphore>) -> StreamPlace {
        StreamPlace {
            calls: Arc::default(),
            _place: Arc::clone(places).acquire_owned().await.unwrap(),
        }
    }

    #[tokio::test]
    async fn a_full_queue_ends_with_its_reason_after_what_waits() {
        let place = place(&Arc::new(Semaphore::new(1))).await;
        let calls = Arc::clone(&place.calls);
        let (sender, stream) = outbound(place, Duration::from_millis(20));
        for number in 0..STREAM_ANSWERS_MAX {
            sender.send(number).await.unwrap();
        }
        let ended = sender.send(99).await.unwrap_err();
        sender.give_up(&ended);
        let mut items: Vec<_> = stream.collect().await;
        let last = items.pop().unwrap().unwrap_err();
        assert_eq!(Reason::of(&last), Some(Reason::SlowReader));
        assert_eq!(calls.refused(), [(Reason::SlowReader, 1)]);
        let read: Vec<usize> = items.into_iter().map(Result::unwrap).collect();
        assert_eq!(read, (0..STREAM_ANSWERS_MAX).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_dropped_sender_ends_well_and_a_dropped_stream_is_noticed() {
        let places = Arc::new(Semaphore::new(2));
        let (sender, stream) = outbound(place(&places).await, Duration::from_secs(1));
        sender.send(1).await.unwrap();
        drop(sender);
        assert_eq!(stream.map(Result::unwrap).collect::<Vec<_>>().await, [1]);
        let (sender, stream) = outbound(place(&places).await, Duration::from_secs(1));
        drop(stream);
        sender.gone().await;
        assert!(matches!(sender.send(1).await, Err(Ended::Gone)));
    }
}
