//! Events: one immutable fact about a plant each, one file for each kind.

mod alarm;
mod aspect;
mod asset;
mod body;
mod check;
mod condition;
mod connection;
mod correction;
mod description;
mod gap;
mod item;
mod mode;
mod overrides;
mod part;
mod program;
mod recorded;
mod refusal;
mod sample;
mod state;
mod tool;
mod writer;

pub use alarm::{AlarmAcknowledged, AlarmCleared, AlarmRaised, Protected};
pub use aspect::{Aspect, AspectKind};
pub use asset::{AssetDeclared, DeclaredItem, ItemCategory};
pub use body::{Body, Kind};
pub use check::{NAME_TEXT_BYTES_MAX, TEXT_BYTES_MAX};
pub use condition::{ConditionChanged, ConditionLevel, Qualifier};
pub use connection::{Connection, ConnectionChanged};
pub use correction::{CORRECTION_TARGETS_MAX, Correction, CorrectionAction};
pub use description::DescriptionChanged;
pub use gap::{GapCause, GapDetected};
pub use item::ItemChanged;
pub use mode::{Mode, ModeChanged};
pub use overrides::{OverrideChanged, OverrideKind};
pub use part::{PartMeaning, PartProduced};
pub use program::ProgramChanged;
pub use recorded::{
    Corrected, EVENT_BYTES_MAX, Flags, OrderKey, Recorded, Reported, Restored, SEQUENCE_MAX,
    UNLISTED_AUTHORITY,
};
pub use refusal::{Refusal, RefusalReason};
pub use sample::{SampleItem, SampleReported};
pub use state::{State, StateChanged, Vocabulary};
pub use tool::{ToolChanged, ToolLifeUnit};
pub use writer::{
    ClockJumped, DigestRecorded, EventRefused, FormatRaised, SourceKind, SourceOpened, WriterOpened,
};

/// Text inside an event: borrowed from the log on replay, owned where it is made.
pub type Text<'a> = std::borrow::Cow<'a, str>;
/// Bytes inside an event: borrowed from the log on replay, owned where they are made.
pub type Blob<'a> = std::borrow::Cow<'a, [u8]>;
