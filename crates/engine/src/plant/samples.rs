//! The single values of sample batches, which lie beside the log for a time: present, or why not.

use super::handle::Plant;
use crate::error::EngineError;
use crate::lifetime;
use werkbuch_journal::{BodyPlace, FoundBody};
use werkbuch_model::event::Body;
use werkbuch_model::id::Position;
use werkbuch_model::time::Timestamp;
use werkbuch_proof::Hash;
use werkbuch_record::decode_recorded;

/// The single values of a batch, or why they are not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SampleBody {
    /// They are there, as bytes that match the hash in the event.
    Present(Vec<u8>),
    /// The event names none: its source keeps single values to itself.
    NeverUploaded,
    /// Their lifetime is over, counted from when the event was recorded.
    Expired {
        /// When it ended.
        at: Timestamp,
        /// The lifetime, as the description declared it when they were deleted.
        days: u32,
    },
    /// They have not expired, and their file is gone or does not reach so far.
    Lost(BodyPlace),
    /// They have not expired, and what lies in their place is something else or cannot be read.
    Damaged(BodyPlace),
}

impl Plant {
    /// The single values of the batch at a position; absent when no batch of samples is there.
    /// Errors: those of the log and of the store of bodies.
    pub async fn sample_body(&self, at: Position) -> Result<Option<SampleBody>, EngineError> {
        let plant = self.clone();
        let read = tokio::task::spawn_blocking(move || plant.read_body(at));
        read.await
            .map_err(|error| EngineError::internal(format!("a read of a body: {error}")))?
    }

    fn read_body(&self, at: Position) -> Result<Option<SampleBody>, EngineError> {
        let Some(stored) = self.event(at)? else {
            return Ok(None);
        };
        let unreadable = |error| EngineError::internal(format!("a stored event: {error}"));
        let event = decode_recorded(&stored.bytes).map_err(unreadable)?;
        let Body::SampleReported(batch) = &event.reported.body else {
            return Ok(None);
        };
        let Ok(hash) = Hash::try_from(batch.body_hash.as_ref()) else {
            return Ok(Some(SampleBody::NeverUploaded));
        };
        let (shared, recorded_at) = (&*self.shared, event.recorded_at);
        let expired = |lifetime_ns| SampleBody::Expired {
            at: recorded_at.plus(lifetime_ns),
            days: lifetime::days(lifetime_ns),
        };
        let absent = match shared.store.body(&shared.id, hash, recorded_at)? {
            FoundBody::Present(body) => return Ok(Some(SampleBody::Present(body))),
            FoundBody::Expired { lifetime_ns } => return Ok(Some(expired(lifetime_ns))),
            FoundBody::Lost(place) => SampleBody::Lost(place),
            FoundBody::Damaged(place) => SampleBody::Damaged(place),
        };
        // What would be deleted with its file one of these days is missed by nobody.
        let (days, _) = shared.ask_live(|twin| twin.description().plant().sample_days);
        let now = self.body_time();
        let over = lifetime::lifetime_ns(days).filter(|ns| recorded_at.plus(*ns) <= now);
        Ok(Some(over.map_or(absent, expired)))
    }
}
