//! What an event is about: the part of a machine's state that it sets.

use crate::codes::codes;

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
    pub(super) const fn single(kind: AspectKind) -> Self {
        Self {
            kind,
            item: "",
            sub: "",
        }
    }

    pub(super) const fn keyed(kind: AspectKind, item: &'a str) -> Self {
        Self {
            kind,
            item,
            sub: "",
        }
    }
}
