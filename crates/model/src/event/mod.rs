//! Events: one immutable fact about a plant each, one file for each kind, all kinds listed here.

mod alarm;
mod andon;
mod asset;
mod buffer;
mod calendar;
mod check;
mod condition;
mod connection;
mod correction;
mod cycle;
mod description;
mod downtime;
mod energy;
mod facts;
mod fields;
mod gap;
mod item;
mod maintenance;
mod material;
mod mode;
mod order;
mod overrides;
mod part;
mod people;
mod period;
mod plan;
mod process;
mod program;
mod quality;
mod recorded;
mod refusal;
mod rule;
mod sample;
mod staffing;
mod state;
mod supply;
mod tool;
mod tracking;
mod transport;
mod writer;

pub use alarm::{AlarmAcknowledged, AlarmCleared, AlarmRaised, Protected};
pub use andon::{AndonCleared, AndonKind, AndonRaised};
pub use asset::{AssetDeclared, DeclaredItem, ItemCategory};
pub use buffer::BufferLevelChanged;
pub use calendar::{CalendarChanged, IntervalKind, PlannedInterval};
pub use check::{NAME_TEXT_BYTES_MAX, TEXT_BYTES_MAX};
pub use condition::{ConditionChanged, ConditionLevel, Qualifier};
pub use connection::{Connection, ConnectionChanged};
pub use correction::{CORRECTION_TARGETS_MAX, Correction, CorrectionAction};
pub use cycle::{CycleCompleted, CycleStarted, WorkOutcome};
pub use description::DescriptionChanged;
pub use downtime::DowntimeReasonAssigned;
pub use energy::{EnergyCounter, Medium};
pub use facts::{FieldSink, FieldSource, Fields};
pub use gap::{GapCause, GapDetected};
pub use item::ItemChanged;
pub use maintenance::{MaintenanceEnded, MaintenanceKind, MaintenanceStarted, Planned};
pub use material::{InventoryCounted, MaterialArrived, MaterialConsumed, MaterialMoved};
pub use mode::{Mode, ModeChanged};
pub use order::{OrderAborted, OrderCompleted, OrderReleased, OrderStarted};
pub use overrides::{OverrideChanged, OverrideKind};
pub use part::{PartMeaning, PartProduced};
pub use period::PeriodClosed;
pub use plan::{PlanEntry, PlanKind, PlanPublished};
pub use process::{Figure, ProcessResult, ResultVerdict};
pub use program::ProgramChanged;
pub use quality::QualityResult;
pub use recorded::{
    Corrected, EVENT_BYTES_MAX, Flags, OrderKey, Outline, Recorded, Reported, Restored,
    SEQUENCE_MAX, UNLISTED_AUTHORITY,
};
pub use refusal::{Refusal, RefusalReason};
pub use rule::{ActionRecorded, DeclaredRule, RuleCleared, RuleRaised, RulesChanged};
pub use sample::{SampleItem, SampleReported};
pub use staffing::StaffingChanged;
pub use state::{State, StateChanged, Vocabulary};
pub use supply::SupplyStatusReported;
pub use tool::{ToolChanged, ToolLifeUnit};
pub use tracking::{Disposition, PartDispositioned, PartEntered, PartLeft, PartSplit, PartsJoined};
pub use transport::{TransportEnded, TransportStarted};
pub use writer::{
    ClockJumped, DigestRecorded, EventRefused, FormatRaised, LineageStarted, SourceKind,
    SourceOpened, WriterOpened,
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
            /// The kinds of events; a kind's number is stored: it is that of its field in the message `Body`.
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

            /// Calls `f` with each aspect that the body sets.
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
            /// Whether it says nothing without a machine.
            #[must_use]
            pub const fn needs_machine(self) -> bool {
                self.code() < Self::BufferLevelChanged.code()
                    || matches!(self, Self::SampleReported | Self::ProcessResult | Self::ItemChanged)
                    || matches!(self, Self::DowntimeReasonAssigned | Self::MaintenanceEnded)
            }

            /// Whether it is about nothing but its machine, if it has one: it sets aspects of it, and
            /// none of the plant.
            #[must_use]
            pub const fn is_of_machine(self) -> bool {
                (self.code() != 0 && self.code() < Self::BufferLevelChanged.code())
                    || matches!(self, Self::ProcessResult | Self::QualityResult | Self::EnergyCounter)
                    || matches!(self, Self::DowntimeReasonAssigned | Self::MaintenanceEnded)
                    || matches!(self, Self::ItemChanged | Self::AndonRaised | Self::AndonCleared)
            }

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
    /// A cycle began.
    CycleStarted(CycleStarted<'a>) = 5 "CYCLE_STARTED" true,
    /// A cycle ended.
    CycleCompleted(CycleCompleted<'a>) = 6 "CYCLE_COMPLETED" true,
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
    /// Maintenance began.
    MaintenanceStarted(MaintenanceStarted<'a>) = 15 "MAINTENANCE_STARTED" true,
    /// The level of a buffer.
    BufferLevelChanged(BufferLevelChanged<'a>) = 16 "BUFFER_LEVEL_CHANGED" true,
    /// Material came into the plant.
    MaterialArrived(MaterialArrived<'a>) = 17 "MATERIAL_ARRIVED" true,
    /// An order may be worked on.
    OrderReleased(OrderReleased<'a>) = 18 "ORDER_RELEASED" true,
    /// The result of an operation on a part.
    ProcessResult(ProcessResult<'a>) = 19 "PROCESS_RESULT" true,
    /// A measurement of quality.
    QualityResult(QualityResult<'a>) = 20 "QUALITY_RESULT" true,
    /// A meter of energy or of another medium.
    EnergyCounter(EnergyCounter<'a>) = 21 "ENERGY_COUNTER" true,
    /// A batch of samples.
    SampleReported(SampleReported<'a>) = 22 "SAMPLE_REPORTED" true,
    /// Why a machine stood, over a range of time.
    DowntimeReasonAssigned(DowntimeReasonAssigned<'a>) = 23 "DOWNTIME_REASON_ASSIGNED" true,
    /// What the calendar says of a range of time.
    CalendarChanged(CalendarChanged<'a>) = 24 "CALENDAR_CHANGED" true,
    /// What a supplier or a site says about supply.
    SupplyStatusReported(SupplyStatusReported<'a>) = 25 "SUPPLY_STATUS_REPORTED" true,
    /// Something was lost on the way.
    GapDetected(GapDetected<'a>) = 26 "GAP_DETECTED" true,
    /// Earlier events were wrong.
    CorrectionRecorded(Correction<'a>) = 27 "CORRECTION_RECORDED" true,
    /// Maintenance ended.
    MaintenanceEnded(MaintenanceEnded<'a>) = 28 "MAINTENANCE_ENDED" true,
    /// Material was moved.
    MaterialMoved(MaterialMoved<'a>) = 29 "MATERIAL_MOVED" true,
    /// Material was used up.
    MaterialConsumed(MaterialConsumed<'a>) = 30 "MATERIAL_CONSUMED" true,
    /// Work on an order began.
    OrderStarted(OrderStarted<'a>) = 31 "ORDER_STARTED" true,
    /// An order is done.
    OrderCompleted(OrderCompleted<'a>) = 32 "ORDER_COMPLETED" true,
    /// An order was broken off.
    OrderAborted(OrderAborted<'a>) = 33 "ORDER_ABORTED" true,
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
    /// The log goes on from a restored backup of another.
    LineageStarted(LineageStarted<'a>) = 45 "LINEAGE_STARTED" false,
    /// The plant's description changed.
    DescriptionChanged(DescriptionChanged<'a>) = 46 "DESCRIPTION_CHANGED" false,
    /// The digest of the state at a position.
    DigestRecorded(DigestRecorded<'a>) = 47 "DIGEST_RECORDED" false,
    /// A value that fits no other kind.
    ItemChanged(ItemChanged<'a>) = 48 "ITEM_CHANGED" true,
    /// A part came to a place.
    PartEntered(PartEntered<'a>) = 49 "PART_ENTERED" true,
    /// A part left a place.
    PartLeft(PartLeft<'a>) = 50 "PART_LEFT" true,
    /// Parts became one.
    PartsJoined(PartsJoined<'a>) = 51 "PARTS_JOINED" true,
    /// One part became several.
    PartSplit(PartSplit<'a>) = 52 "PART_SPLIT" true,
    /// What was decided about a part.
    PartDispositioned(PartDispositioned<'a>) = 53 "PART_DISPOSITIONED" true,
    /// Stock was counted.
    InventoryCounted(InventoryCounted<'a>) = 54 "INVENTORY_COUNTED" true,
    /// A transport began.
    TransportStarted(TransportStarted<'a>) = 55 "TRANSPORT_STARTED" true,
    /// A transport ended.
    TransportEnded(TransportEnded<'a>) = 56 "TRANSPORT_ENDED" true,
    /// A version of a plan, or a chunk of it.
    PlanPublished(PlanPublished<'a>) = 57 "PLAN_PUBLISHED" true,
    /// A person called for help.
    AndonRaised(AndonRaised<'a>) = 58 "ANDON_RAISED" true,
    /// A call for help was answered.
    AndonCleared(AndonCleared<'a>) = 59 "ANDON_CLEARED" true,
    /// Who is there.
    StaffingChanged(StaffingChanged<'a>) = 60 "STAFFING_CHANGED" true,
    /// The official figures of a period.
    PeriodClosed(PeriodClosed<'a>) = 61 "PERIOD_CLOSED" true,
    /// A rule found something.
    RuleRaised(RuleRaised<'a>) = 62 "RULE_RAISED" false,
    /// What a rule found is over.
    RuleCleared(RuleCleared<'a>) = 63 "RULE_CLEARED" false,
    /// A person or a program did something in Werkbuch.
    ActionRecorded(ActionRecorded<'a>) = 64 "ACTION_RECORDED" false,
    /// Other rules apply.
    RulesChanged(RulesChanged<'a>) = 65 "RULES_CHANGED" false,
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
        /// The last cycle that began.
        CycleStart = 15 "CYCLE_START",
        /// The last cycle that ended.
        CycleEnd = 16 "CYCLE_END",
        /// Maintenance; one for each work order, its start and its end share it.
        Maintenance = 17 "MAINTENANCE",
        /// What was last said about an order at the machine.
        Order = 18 "ORDER",
        /// The last result of an operation; one for each operation.
        ProcessResult = 19 "PROCESS_RESULT",
        /// The last measurement; one for each characteristic.
        QualityResult = 20 "QUALITY_RESULT",
        /// A meter; one for each.
        Energy = 21 "ENERGY",
        /// A reason for downtime; one for each key.
        Downtime = 22 "DOWNTIME",
        /// The last part that came; one for each place of the machine.
        PartEntry = 23 "PART_ENTRY",
        /// The last part that left; one for each place of the machine.
        PartExit = 24 "PART_EXIT",
        /// A call for help; one for each key, its raise and its clear share it.
        Andon = 25 "ANDON",
        /// Of the plant: the level of a buffer; one for each buffer and lane.
        Buffer = 26 "BUFFER",
        /// Of the plant: where a part is; one for each part.
        PartPlace = 27 "PART_PLACE",
        /// Of the plant: what was decided about a part; one for each part.
        PartDisposition = 28 "PART_DISPOSITION",
        /// Of the plant: the release of an order; one for each order.
        OrderRelease = 29 "ORDER_RELEASE",
        /// Of the plant: start or end of an order; one for each order.
        OrderProgress = 30 "ORDER_PROGRESS",
        /// Of the plant: counted stock; one for each place and part number.
        Inventory = 31 "INVENTORY",
        /// Of the plant: the last arrival; one for each part number and place.
        MaterialArrival = 32 "MATERIAL_ARRIVAL",
        /// Of the plant: the last move; one for each part number and place.
        MaterialMove = 33 "MATERIAL_MOVE",
        /// Of the plant: the last use; one for each part number and place.
        MaterialUse = 34 "MATERIAL_USE",
        /// Of the plant: the status of a supply; one for each part number and site.
        Supply = 35 "SUPPLY",
        /// Of the plant: a transport; its start and its end share it.
        Transport = 36 "TRANSPORT",
        /// Of the plant: a chunk of a plan; one for each plan, version and chunk.
        Plan = 37 "PLAN",
        /// Of the plant: a change of the calendar; one for each unit and key.
        Calendar = 38 "CALENDAR",
        /// Of the plant: who is there; one for each unit and crew.
        Staffing = 39 "STAFFING",
        /// Of the plant: closed figures; one for each unit and key.
        Period = 40 "PERIOD",
    }
}

impl AspectKind {
    /// Whether it is an aspect of the plant, whatever machine reports it; the others are of the
    /// machine that an event is about, or of the plant when it is about none.
    #[must_use]
    pub const fn of_plant(self) -> bool {
        self.code() >= Self::Buffer.code()
    }
}

/// One aspect of a machine or of the plant: the unit of which the event latest in order holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Aspect<'a> {
    /// The kind of aspect.
    pub kind: AspectKind,
    /// What tells aspects of one kind apart (item, counter, alarm key), empty where there is one.
    pub item: &'a str,
    /// A second key (a condition's native code), else empty.
    pub sub: &'a str,
    /// A third key (the version and chunk of a plan), else 0.
    pub number: u64,
}

impl<'a> Aspect<'a> {
    const fn single(kind: AspectKind) -> Self {
        Self {
            kind,
            item: "",
            sub: "",
            number: 0,
        }
    }

    const fn keyed(kind: AspectKind, item: &'a str) -> Self {
        Self {
            kind,
            item,
            sub: "",
            number: 0,
        }
    }

    const fn pair(kind: AspectKind, item: &'a str, sub: &'a str) -> Self {
        Self {
            kind,
            item,
            sub,
            number: 0,
        }
    }
}

#[cfg(test)]
mod tests;
