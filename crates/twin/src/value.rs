//! What a slot holds: the content of an event's aspect, in the least space.

use crate::coded;
use crate::program::ProgramValue;
use crate::symbol::Symbol;
use serde::{Deserialize, Serialize};
use werkbuch_model::event::{
    ConditionLevel, Connection, ItemCategory, Mode, OverrideKind, PartMeaning, Qualifier, State,
    ToolLifeUnit, Vocabulary,
};

/// The content of one aspect. Kept to 24 bytes: what is larger lies in a box.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum SlotValue {
    Declaration(Box<DeclarationValue>),
    Connection {
        #[serde(with = "coded")]
        to: Connection,
        cause: Box<str>,
    },
    State {
        #[serde(with = "coded")]
        to: State,
        #[serde(with = "coded")]
        from: State,
        #[serde(with = "coded")]
        vocabulary: Vocabulary,
        native: Symbol,
        reason: Symbol,
    },
    Mode {
        #[serde(with = "coded")]
        to: Mode,
        #[serde(with = "coded")]
        vocabulary: Vocabulary,
        native: Symbol,
    },
    Program(ProgramValue),
    Part(Box<PartValue>),
    AlarmRaise(Box<AlarmValue>),
    AlarmAcknowledge(Box<AcknowledgeValue>),
    AlarmClear {
        duration_ms: Option<u64>,
    },
    Condition {
        #[serde(with = "coded")]
        level: ConditionLevel,
        #[serde(with = "coded")]
        qualifier: Qualifier,
        severity: Symbol,
        text: Box<str>,
    },
    Override {
        #[serde(with = "coded")]
        what: OverrideKind,
        percent: Option<f64>,
    },
    Tool(Box<ToolValue>),
    Item {
        text: Option<Box<str>>,
    },
    Sample(Box<SampleValue>),
    /// A content as packed fields, see `fact.rs`.
    Fact(Box<[u8]>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct DeclarationValue {
    pub(crate) manufacturer: Box<str>,
    pub(crate) model: Box<str>,
    pub(crate) serial: Box<str>,
    pub(crate) items: Vec<DeclaredItemValue>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct DeclaredItemValue {
    pub(crate) id: Symbol,
    pub(crate) item_type: Symbol,
    pub(crate) unit: Symbol,
    #[serde(with = "coded")]
    pub(crate) category: ItemCategory,
    pub(crate) deadband: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PartValue {
    pub(crate) value: Option<u64>,
    pub(crate) modulus: u64,
    pub(crate) reset_epoch: u32,
    pub(crate) part_type: Symbol,
    pub(crate) part: Box<str>,
    #[serde(with = "coded")]
    pub(crate) meaning: PartMeaning,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct AlarmValue {
    pub(crate) text: Box<str>,
    pub(crate) code: Symbol,
    pub(crate) native: Symbol,
    pub(crate) severity: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct AcknowledgeValue {
    pub(crate) who: ProtectedValue,
    pub(crate) comment: ProtectedValue,
}

/// A protected text as stored. A text in plain is not kept: the writer protects it before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ProtectedValue {
    pub(crate) present: bool,
    pub(crate) key: u64,
    pub(crate) ciphertext: Box<[u8]>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ToolValue {
    pub(crate) tool: Option<Box<str>>,
    pub(crate) life_used: Option<f64>,
    pub(crate) life_limit: Option<f64>,
    #[serde(with = "coded")]
    pub(crate) life_unit: ToolLifeUnit,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SampleValue {
    pub(crate) period_start_ns: i64,
    pub(crate) period_ms: u64,
    pub(crate) n: u64,
    pub(crate) unavailable: u64,
    pub(crate) min: Option<f64>,
    pub(crate) max: Option<f64>,
    pub(crate) mean: Option<f64>,
    pub(crate) last: Option<f64>,
    pub(crate) unit: Symbol,
}

impl SlotValue {
    /// Calls `f` with each symbol of the value, so that a table can be checked or made anew.
    pub(crate) fn for_each_symbol(&mut self, f: &mut dyn FnMut(&mut Symbol)) {
        match self {
            Self::Declaration(value) => value.items.iter_mut().for_each(|item| {
                [&mut item.id, &mut item.item_type, &mut item.unit]
                    .into_iter()
                    .for_each(&mut *f);
            }),
            Self::State { native, reason, .. } => {
                f(native);
                f(reason);
            }
            Self::Mode { native, .. } => f(native),
            Self::Part(value) => f(&mut value.part_type),
            Self::AlarmRaise(value) => {
                f(&mut value.code);
                f(&mut value.native);
            }
            Self::Condition { severity, .. } => f(severity),
            Self::Sample(value) => f(&mut value.unit),
            Self::Connection { .. }
            | Self::Program(_)
            | Self::AlarmAcknowledge(_)
            | Self::AlarmClear { .. }
            | Self::Override { .. }
            | Self::Tool(_)
            | Self::Item { .. }
            | Self::Fact(_) => {}
        }
    }
}
