//! The closed list of event kinds.

use super::aspect::Aspect;
use super::*;
use serde::{Deserialize, Serialize};

macro_rules! bodies {
    ($($(#[$meta:meta])* $variant:ident($ty:ty) = $code:literal $name:literal $reportable:literal,)+) => {
        crate::codes::codes! {
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
