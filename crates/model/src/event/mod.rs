//! Events: one immutable fact about a plant each, one file for each kind, all kinds listed here.

mod alarm;
mod asset;
mod check;
mod condition;
mod connection;
mod correction;
mod description;
mod fields;
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
pub use asset::{AssetDeclared, DeclaredItem, ItemCategory};
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

use crate::codes::codes;
use serde::{Deserialize, Deserializer, Serialize};

/// Text inside an event: borrowed from the log on replay, owned where it is made.
pub type Text<'a> = std::borrow::Cow<'a, str>;
/// Bytes inside an event: borrowed from the log on replay, owned where they are made.
pub type Blob<'a> = std::borrow::Cow<'a, [u8]>;

macro_rules! bodies {
    ($($(#[$meta:meta])* $variant:ident($ty:ty) = $code:literal $name:literal $reportable:literal,)+) => {
        codes! {
            /// The kinds of events; a kind's number is stored (its field number is 16 more).
            pub enum Kind {
                /// No kind.
                Unspecified = 0 "UNSPECIFIED",
                $($(#[$meta])* $variant = $code $name,)+
            }
        }

        /// What an event says, one variant for each kind.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "kind")]
        pub enum Body<'a> {
            $($(#[$meta])* #[serde(rename = $name)] $variant($ty),)+
        }

        impl Body<'_> {
            /// The kind of this body.
            #[must_use]
            pub const fn kind(&self) -> Kind {
                match self { $(Self::$variant(_) => Kind::$variant,)+ }
            }

            /// Checks the body by itself, without the plant's description.
            /// Errors: a [`Refusal`] that names the reason and the field.
            pub fn validate(&self) -> Result<(), Refusal> {
                match self { $(Self::$variant(body) => body.validate(),)+ }
            }

            /// Calls `f` with each aspect of the machine that the body sets.
            pub fn for_each_aspect<'s>(&'s self, f: &mut dyn FnMut(Aspect<'s>)) {
                match self { $(Self::$variant(body) => body.for_each_aspect(f),)+ }
            }
        }

        impl<'a> Body<'a> {
            /// The names of the fields that an event of a kind may have, in the order of its type.
            #[must_use]
            pub fn fields(kind: Kind) -> &'static [&'static str] {
                match kind { Kind::Unspecified => &[], $(Kind::$variant => fields::of::<$ty>(),)+ }
            }

            /// Reads the fields of a kind, from whatever holds them by their names. Fields that the
            /// kind does not have are passed over; [`Body::fields`] tells them.
            ///
            /// # Errors
            ///
            /// That of the deserializer: a field is missing, or is not what it should be. Of no kind
            /// there are no fields to read.
            pub fn read<'de, D: Deserializer<'de>>(kind: Kind, fields: D) -> Result<Body<'a>, D::Error> {
                match kind {
                    Kind::Unspecified => Err(serde::de::Error::custom("no kind is said")),
                    $(Kind::$variant => <$ty>::deserialize(fields).map(Self::$variant),)+
                }
            }
        }

        impl Kind {
            /// Whether a source may report it; the others are the plant writer's own records.
            #[must_use]
            pub const fn reportable(self) -> bool {
                match self { Self::Unspecified => false, $(Self::$variant => $reportable,)+ }
            }
        }
    };
}

bodies! {
    /// What the machine says it is made of.
    AssetDeclared(AssetDeclared<'a>) = 1 "ASSET_DECLARED" true,
    /// Whether the machine can be reached.
    ConnectionChanged(ConnectionChanged<'a>) = 2 "CONNECTION_CHANGED" true,
    /// What the machine does.
    StateChanged(StateChanged<'a>) = 3 "STATE_CHANGED" true,
    /// How the machine is being used.
    ModeChanged(ModeChanged<'a>) = 4 "MODE_CHANGED" true,
    /// A counter of parts, or one part.
    PartProduced(PartProduced<'a>) = 7 "PART_PRODUCED" true,
    /// An alarm came.
    AlarmRaised(AlarmRaised<'a>) = 8 "ALARM_RAISED" true,
    /// A person acknowledged an alarm.
    AlarmAcknowledged(AlarmAcknowledged<'a>) = 9 "ALARM_ACKNOWLEDGED" true,
    /// An alarm went.
    AlarmCleared(AlarmCleared<'a>) = 10 "ALARM_CLEARED" true,
    /// A condition of an item of the machine.
    ConditionChanged(ConditionChanged<'a>) = 11 "CONDITION_CHANGED" true,
    /// A tool was put in, or its life moved on.
    ToolChanged(ToolChanged<'a>) = 12 "TOOL_CHANGED" true,
    /// The program that runs.
    ProgramChanged(ProgramChanged<'a>) = 13 "PROGRAM_CHANGED" true,
    /// An override of feed, rapid or spindle.
    OverrideChanged(OverrideChanged<'a>) = 14 "OVERRIDE_CHANGED" true,
    /// A batch of samples.
    SampleReported(SampleReported<'a>) = 22 "SAMPLE_REPORTED" true,
    /// Something was lost on the way.
    GapDetected(GapDetected<'a>) = 26 "GAP_DETECTED" true,
    /// Earlier events were wrong.
    CorrectionRecorded(Correction<'a>) = 27 "CORRECTION_RECORDED" true,
    /// A source was opened in a new life.
    SourceOpened(SourceOpened<'a>) = 40 "SOURCE_OPENED" false,
    /// The log was opened for writing.
    WriterOpened(WriterOpened<'a>) = 41 "WRITER_OPENED" false,
    /// Events were refused and used up their numbers.
    EventRefused(EventRefused<'a>) = 42 "EVENT_REFUSED" false,
    /// The writer's wall clock jumped.
    ClockJumped(ClockJumped) = 43 "CLOCK_JUMPED" false,
    /// Readers of at least this format version are needed from here on.
    FormatRaised(FormatRaised) = 44 "FORMAT_RAISED" false,
    /// The plant's description changed.
    DescriptionChanged(DescriptionChanged<'a>) = 46 "DESCRIPTION_CHANGED" false,
    /// The digest of the state at a position.
    DigestRecorded(DigestRecorded<'a>) = 47 "DIGEST_RECORDED" false,
    /// A value that fits no other kind.
    ItemChanged(ItemChanged<'a>) = 48 "ITEM_CHANGED" true,
}

codes! {
    /// The kinds of aspects. Names are those of the plant description's `aspect` keys.
    pub enum AspectKind {
        /// No aspect: the event sets no machine state.
        Unspecified = 0 "NONE",
        /// What the machine says it is made of.
        Declaration = 1 "DECLARATION",
        /// Whether the machine can be reached.
        Connection = 2 "CONNECTION",
        /// What the machine does.
        State = 3 "STATE",
        /// How the machine is being used; one for each vocabulary of modes.
        Mode = 4 "MODE",
        /// What it is told to do; one for each program slot.
        Program = 5 "PROGRAM",
        /// A counter of parts; one for each counter.
        Part = 6 "PART",
        /// The last raise of an alarm; one for each alarm key.
        AlarmRaise = 7 "ALARM_RAISE",
        /// The last acknowledgement of an alarm; one for each alarm key.
        AlarmAcknowledge = 8 "ALARM_ACKNOWLEDGE",
        /// The last clearing of an alarm; one for each alarm key.
        AlarmClear = 9 "ALARM_CLEAR",
        /// A condition; one for each item and native code.
        Condition = 10 "CONDITION",
        /// An override; one for each item.
        Override = 11 "OVERRIDE",
        /// A tool; one for each slot.
        Tool = 12 "TOOL",
        /// A value that fits no other kind; one for each item.
        Item = 13 "ITEM",
        /// The last samples; one for each item.
        Sample = 14 "SAMPLE",
    }
}

/// One aspect of a machine: the unit of which the event latest in order holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Aspect<'a> {
    /// The kind of aspect.
    pub kind: AspectKind,
    /// What tells aspects of one kind apart (item, counter, alarm key), empty where there is one.
    pub item: &'a str,
    /// A second key (a condition's native code), else empty.
    pub sub: &'a str,
}

impl<'a> Aspect<'a> {
    const fn single(kind: AspectKind) -> Self {
        Self {
            kind,
            item: "",
            sub: "",
        }
    }

    const fn keyed(kind: AspectKind, item: &'a str) -> Self {
        Self {
            kind,
            item,
            sub: "",
        }
    }
}
