//! The single values of sample batches, which lie beside the log for a time: present, or why not.

use super::handle::Plant;
use crate::error::EngineError;
use werkbuch_model::event::Body;
use werkbuch_model::id::Position;
use werkbuch_model::instant::Instant;
use werkbuch_model::time::Timestamp;
use werkbuch_proof::Hash;
use werkbuch_record::decode_recorded;

const DAY_NS: i64 = 86_400_000_000_000;

/// The single values of a batch, or why they are not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SampleBody {
    /// They are there, as bytes that match the hash in the event.
    Present(Vec<u8>),
    /// The event names none: its source keeps single values to itself.
    NeverUploaded,
    /// Their lifetime, as the plant's description declares it, ended then.
    Expired(Timestamp),
    /// They should be there and are not, or not as they were.
    Damaged,
}

impl Plant {
    /// The single values of the batch at a position; absent when no batch of samples is there.
    /// Errors: those of the log and of the store of bodies.
    pub async fn sample_body(&self, at: Position) -> Result<Option<SampleBody>, EngineError> {
        let now = self.ask(Instant::NOW, |twin| twin.description().plant().sample_days);
        let (days, _) = now.await?;
        let plant = self.clone();
        let read = tokio::task::spawn_blocking(move || plant.read_body(at, days));
        read.await
            .map_err(|error| EngineError::internal(format!("a read of a body: {error}")))?
    }

    fn read_body(&self, at: Position, days: u32) -> Result<Option<SampleBody>, EngineError> {
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
        let found = self.shared.store.body(&self.shared.id, hash);
        if let Some(body) = found.map_err(EngineError::from)? {
            return Ok(Some(SampleBody::Present(body)));
        }
        let ended = event
            .effective_at
            .plus(i64::from(days).saturating_mul(DAY_NS));
        let expired = days > 0 && ended < self.shared.clock.wall();
        Ok(Some(match expired {
            true => SampleBody::Expired(ended),
            false => SampleBody::Damaged,
        }))
    }
}
