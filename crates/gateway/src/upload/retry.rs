//! Which failures pass, and how long to wait before trying again.

use super::UploadError;
use std::time::{Duration, Instant};
use tonic::{Code, Status};
use werkbuch_wire::reason::{Reason, retry_delay_of};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Whether trying again cannot help.
pub(super) fn is_final(status: &Status) -> bool {
    match Reason::of(status) {
        Some(reason) => !matches!(
            reason,
            Reason::Overloaded
                | Reason::PlantRecovering
                | Reason::CallTimeout
                | Reason::SlowReader
                | Reason::ShuttingDown
                | Reason::StoreStopped
                | Reason::DiskFull
                | Reason::UnknownSession
        ),
        // Without a reason it is the way to the server that speaks.
        None => !matches!(
            status.code(),
            Code::Unavailable
                | Code::Unknown
                | Code::Cancelled
                | Code::DeadlineExceeded
                | Code::ResourceExhausted
                | Code::Internal
        ),
    }
}

/// Pauses that grow, until patience ends.
pub(super) struct Backoff {
    started: Instant,
    patience: Duration,
    next: Duration,
}

impl Backoff {
    pub(super) fn new(patience: Duration) -> Self {
        Self {
            started: Instant::now(),
            patience,
            next: FIRST_PAUSE,
        }
    }

    /// Waits as long as the status asks for, and at least as long as it is this try's turn.
    pub(super) async fn pause(&mut self, status: Status) -> Result<(), UploadError> {
        if is_final(&status) {
            return Err(UploadError::Refused(status));
        }
        let pause = retry_delay_of(&status).unwrap_or_default().max(self.next);
        if self.started.elapsed() + pause > self.patience {
            return Err(UploadError::GaveUp {
                patience: self.patience,
                status,
            });
        }
        self.next = (self.next * 2).min(LONGEST_PAUSE);
        tokio::time::sleep(pause).await;
        Ok(())
    }
}
