//! What a slot holds: the content of an event's aspect, read from the few bytes that are kept of it.

use crate::packed::{Packer, Unpacker};
use crate::symbol::Symbol;
use werkbuch_model::event::{
    ConditionLevel, Connection, ItemCategory, Mode, OverrideKind, PartMeaning, Qualifier, State,
    ToolLifeUnit, Vocabulary,
};

/// The content of one aspect. It is kept packed and read when it is asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SlotValue<'a> {
    Declaration(DeclarationValue<'a>),
    Connection {
        to: Connection,
        cause: &'a str,
    },
    State {
        to: State,
        from: State,
        vocabulary: Vocabulary,
        native: Symbol,
        reason: Symbol,
    },
    Mode {
        to: Mode,
        vocabulary: Vocabulary,
        native: Symbol,
    },
    Program(ProgramValue<'a>),
    Part(PartValue<'a>),
    AlarmRaise(AlarmValue<'a>),
    AlarmAcknowledge {
        who: ProtectedValue<'a>,
        comment: ProtectedValue<'a>,
    },
    AlarmClear {
        duration_ms: Option<u64>,
    },
    Condition {
        level: ConditionLevel,
        qualifier: Qualifier,
        severity: Symbol,
        text: &'a str,
    },
    Override {
        what: OverrideKind,
        percent: Option<f64>,
    },
    Tool(ToolValue<'a>),
    Item {
        text: Option<&'a str>,
    },
    Sample(SampleValue),
    /// A content as packed fields, see `fact.rs`.
    Fact(&'a [u8]),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DeclarationValue<'a> {
    pub(crate) manufacturer: &'a str,
    pub(crate) model: &'a str,
    pub(crate) serial: &'a str,
    pub(crate) items: Vec<DeclaredItemValue>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DeclaredItemValue {
    pub(crate) id: Symbol,
    pub(crate) item_type: Symbol,
    pub(crate) unit: Symbol,
    pub(crate) category: ItemCategory,
    pub(crate) deadband: Option<f64>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ProgramValue<'a> {
    pub(crate) program: Option<&'a str>,
    pub(crate) revision: &'a str,
    pub(crate) block: &'a str,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PartValue<'a> {
    pub(crate) value: Option<u64>,
    pub(crate) modulus: u64,
    pub(crate) reset_epoch: u32,
    pub(crate) part_type: Symbol,
    pub(crate) part: &'a str,
    pub(crate) meaning: PartMeaning,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AlarmValue<'a> {
    pub(crate) text: &'a str,
    pub(crate) code: Symbol,
    pub(crate) native: Symbol,
    pub(crate) severity: u32,
}

/// A protected text as stored. A text in plain is not kept: the writer protects it before.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ProtectedValue<'a> {
    pub(crate) present: bool,
    pub(crate) key: u64,
    pub(crate) ciphertext: &'a [u8],
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ToolValue<'a> {
    pub(crate) tool: Option<&'a str>,
    pub(crate) life_used: Option<f64>,
    pub(crate) life_limit: Option<f64>,
    pub(crate) life_unit: ToolLifeUnit,
}

#[derive(Clone, Debug, PartialEq)]
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

/// Which content follows; the first byte of one. Only snapshots of the same layout know them.
mod tag {
    pub(super) const DECLARATION: u8 = 1;
    pub(super) const CONNECTION: u8 = 2;
    pub(super) const STATE: u8 = 3;
    pub(super) const MODE: u8 = 4;
    pub(super) const PROGRAM: u8 = 5;
    pub(super) const PART: u8 = 6;
    pub(super) const ALARM_RAISE: u8 = 7;
    pub(super) const ALARM_ACKNOWLEDGE: u8 = 8;
    pub(super) const ALARM_CLEAR: u8 = 9;
    pub(super) const CONDITION: u8 = 10;
    pub(super) const OVERRIDE: u8 = 11;
    pub(super) const TOOL: u8 = 12;
    pub(super) const ITEM: u8 = 13;
    pub(super) const SAMPLE: u8 = 14;
    pub(super) const FACT: u8 = 15;
}

/// Begins a content that is kept as packed fields; they come next and to the end.
pub(crate) fn begin_fact(to: &mut Packer<'_>) {
    to.byte(tag::FACT);
}

impl<'a> SlotValue<'a> {
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
            | Self::AlarmAcknowledge { .. }
            | Self::AlarmClear { .. }
            | Self::Override { .. }
            | Self::Tool(_)
            | Self::Item { .. }
            | Self::Fact(_) => {}
        }
    }

    /// Writes the value down, to be read by [`SlotValue::unpack`].
    pub(crate) fn pack(&self, to: &mut Packer<'_>) {
        match self {
            Self::Declaration(said) => said.pack(to),
            Self::Connection { .. } | Self::State { .. } | Self::Mode { .. } => {
                self.pack_standing(to);
            }
            Self::Program(said) => said.pack(to),
            Self::Part(said) => said.pack(to),
            Self::AlarmRaise(said) => said.pack(to),
            Self::AlarmAcknowledge { who, comment } => {
                to.byte(tag::ALARM_ACKNOWLEDGE);
                who.pack(to);
                comment.pack(to);
            }
            Self::AlarmClear { duration_ms } => {
                to.byte(tag::ALARM_CLEAR);
                to.number_or_none(*duration_ms);
            }
            Self::Condition {
                level,
                qualifier,
                severity,
                text,
            } => {
                to.byte(tag::CONDITION);
                to.code(*level);
                to.code(*qualifier);
                to.symbol(*severity);
                to.text(text);
            }
            Self::Override { what, percent } => {
                to.byte(tag::OVERRIDE);
                to.code(*what);
                to.float_or_none(*percent);
            }
            Self::Tool(said) => said.pack(to),
            Self::Item { text } => {
                to.byte(tag::ITEM);
                to.text_or_none(*text);
            }
            Self::Sample(said) => said.pack(to),
            Self::Fact(fields) => {
                begin_fact(to);
                to.raw(fields);
            }
        }
    }

    /// The same for how a machine stands: these are said most often.
    fn pack_standing(&self, to: &mut Packer<'_>) {
        match self {
            Self::Connection { to: reached, cause } => {
                to.byte(tag::CONNECTION);
                to.code(*reached);
                to.text(cause);
            }
            Self::State {
                to: state,
                from,
                vocabulary,
                native,
                reason,
            } => {
                to.byte(tag::STATE);
                to.code(*state);
                to.code(*from);
                to.code(*vocabulary);
                to.symbol(*native);
                to.symbol(*reason);
            }
            Self::Mode {
                to: mode,
                vocabulary,
                native,
            } => {
                to.byte(tag::MODE);
                to.code(*mode);
                to.code(*vocabulary);
                to.symbol(*native);
            }
            _ => {}
        }
    }

    /// The value that was written; bytes that come after it are not looked at. Absent for bytes that
    /// [`SlotValue::pack`] did not write.
    pub(crate) fn unpack(bytes: &'a [u8]) -> Option<Self> {
        let mut from = Unpacker(bytes);
        let from = &mut from;
        Some(match from.byte()? {
            tag::DECLARATION => Self::Declaration(DeclarationValue::unpack(from)?),
            tag::CONNECTION => Self::Connection {
                to: from.code()?,
                cause: from.text()?,
            },
            tag::STATE => Self::State {
                to: from.code()?,
                from: from.code()?,
                vocabulary: from.code()?,
                native: from.symbol()?,
                reason: from.symbol()?,
            },
            tag::MODE => Self::Mode {
                to: from.code()?,
                vocabulary: from.code()?,
                native: from.symbol()?,
            },
            tag::PROGRAM => Self::Program(ProgramValue::unpack(from)?),
            tag::PART => Self::Part(PartValue::unpack(from)?),
            tag::ALARM_RAISE => Self::AlarmRaise(AlarmValue::unpack(from)?),
            tag::ALARM_ACKNOWLEDGE => Self::AlarmAcknowledge {
                who: ProtectedValue::unpack(from)?,
                comment: ProtectedValue::unpack(from)?,
            },
            tag::ALARM_CLEAR => Self::AlarmClear {
                duration_ms: from.number_or_none()?,
            },
            tag::CONDITION => Self::Condition {
                level: from.code()?,
                qualifier: from.code()?,
                severity: from.symbol()?,
                text: from.text()?,
            },
            tag::OVERRIDE => Self::Override {
                what: from.code()?,
                percent: from.float_or_none()?,
            },
            tag::TOOL => Self::Tool(ToolValue::unpack(from)?),
            tag::ITEM => Self::Item {
                text: from.text_or_none()?,
            },
            tag::SAMPLE => Self::Sample(SampleValue::unpack(from)?),
            tag::FACT => Self::Fact(from.0),
            _ => return None,
        })
    }
}

impl<'a> DeclarationValue<'a> {
    fn pack(&self, to: &mut Packer<'_>) {
        to.byte(tag::DECLARATION);
        to.text(self.manufacturer);
        to.text(self.model);
        to.text(self.serial);
        to.number(self.items.len() as u64);
        for item in &self.items {
            to.symbol(item.id);
            to.symbol(item.item_type);
            to.symbol(item.unit);
            to.code(item.category);
            to.float_or_none(item.deadband);
        }
    }

    fn unpack(from: &mut Unpacker<'a>) -> Option<Self> {
        let (manufacturer, model, serial) = (from.text()?, from.text()?, from.text()?);
        let count = from.number()?;
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(DeclaredItemValue {
                id: from.symbol()?,
                item_type: from.symbol()?,
                unit: from.symbol()?,
                category: from.code()?,
                deadband: from.float_or_none()?,
            });
        }
        Some(Self {
            manufacturer,
            model,
            serial,
            items,
        })
    }
}

impl<'a> ProgramValue<'a> {
    fn pack(&self, to: &mut Packer<'_>) {
        to.byte(tag::PROGRAM);
        to.text_or_none(self.program);
        to.text(self.revision);
        to.text(self.block);
    }

    fn unpack(from: &mut Unpacker<'a>) -> Option<Self> {
        Some(Self {
            program: from.text_or_none()?,
            revision: from.text()?,
            block: from.text()?,
        })
    }
}

impl<'a> PartValue<'a> {
    fn pack(&self, to: &mut Packer<'_>) {
        to.byte(tag::PART);
        to.code(self.meaning);
        to.number_or_none(self.value);
        to.number(self.modulus);
        to.number(u64::from(self.reset_epoch));
        to.symbol(self.part_type);
        to.text(self.part);
    }

    fn unpack(from: &mut Unpacker<'a>) -> Option<Self> {
        Some(Self {
            meaning: from.code()?,
            value: from.number_or_none()?,
            modulus: from.number()?,
            reset_epoch: from.small()?,
            part_type: from.symbol()?,
            part: from.text()?,
        })
    }
}

impl<'a> AlarmValue<'a> {
    fn pack(&self, to: &mut Packer<'_>) {
        to.byte(tag::ALARM_RAISE);
        to.number(u64::from(self.severity));
        to.symbol(self.code);
        to.symbol(self.native);
        to.text(self.text);
    }

    fn unpack(from: &mut Unpacker<'a>) -> Option<Self> {
        Some(Self {
            severity: from.small()?,
            code: from.symbol()?,
            native: from.symbol()?,
            text: from.text()?,
        })
    }
}

impl<'a> ProtectedValue<'a> {
    fn pack(&self, to: &mut Packer<'_>) {
        to.byte(u8::from(self.present));
        to.number(self.key);
        to.bytes(self.ciphertext);
    }

    fn unpack(from: &mut Unpacker<'a>) -> Option<Self> {
        Some(Self {
            present: from.byte()? != 0,
            key: from.number()?,
            ciphertext: from.bytes()?,
        })
    }
}

impl<'a> ToolValue<'a> {
    fn pack(&self, to: &mut Packer<'_>) {
        to.byte(tag::TOOL);
        to.code(self.life_unit);
        to.float_or_none(self.life_used);
        to.float_or_none(self.life_limit);
        to.text_or_none(self.tool);
    }

    fn unpack(from: &mut Unpacker<'a>) -> Option<Self> {
        Some(Self {
            life_unit: from.code()?,
            life_used: from.float_or_none()?,
            life_limit: from.float_or_none()?,
            tool: from.text_or_none()?,
        })
    }
}

impl SampleValue {
    fn pack(&self, to: &mut Packer<'_>) {
        to.byte(tag::SAMPLE);
        to.fixed(self.period_start_ns.cast_unsigned());
        for number in [self.period_ms, self.n, self.unavailable] {
            to.number(number);
        }
        for figure in [self.min, self.max, self.mean, self.last] {
            to.float_or_none(figure);
        }
        to.symbol(self.unit);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Option<Self> {
        Some(Self {
            period_start_ns: from.fixed()?.cast_signed(),
            period_ms: from.number()?,
            n: from.number()?,
            unavailable: from.number()?,
            min: from.float_or_none()?,
            max: from.float_or_none()?,
            mean: from.float_or_none()?,
            last: from.float_or_none()?,
            unit: from.symbol()?,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn values() -> Vec<SlotValue<'static>> {
        let (a, b) = (Symbol::numbered(1), Symbol::numbered(70_000));
        let protected = |present, key| ProtectedValue {
            present,
            key,
            ciphertext: &[1, 2, 3],
        };
        vec![
            SlotValue::Declaration(DeclarationValue {
                manufacturer: "maker",
                model: "",
                serial: "ü-7",
                items: vec![DeclaredItemValue {
                    id: a,
                    item_type: b,
                    unit: Symbol::EMPTY,
                    category: ItemCategory::Sample,
                    deadband: Some(-0.0),
                }],
            }),
            SlotValue::Connection {
                to: Connection::Offline,
                cause: "unplugged",
            },
            SlotValue::State {
                to: State::Executing,
                from: State::Held,
                vocabulary: Vocabulary::Native,
                native: a,
                reason: b,
            },
            SlotValue::Mode {
                to: Mode::Setup,
                vocabulary: Vocabulary::PackmlMode,
                native: b,
            },
            SlotValue::Program(ProgramValue {
                program: None,
                revision: "3",
                block: "N10",
            }),
            SlotValue::Part(PartValue {
                value: Some(u64::MAX),
                modulus: 128,
                reset_epoch: u32::MAX,
                part_type: a,
                part: "P",
                meaning: PartMeaning::Scrap,
            }),
            SlotValue::AlarmRaise(AlarmValue {
                text: "hot",
                code: a,
                native: b,
                severity: 900,
            }),
            SlotValue::AlarmAcknowledge {
                who: protected(true, 300),
                comment: protected(false, 0),
            },
            SlotValue::AlarmClear { duration_ms: None },
            SlotValue::AlarmClear {
                duration_ms: Some(0),
            },
            SlotValue::Condition {
                level: ConditionLevel::Fault,
                qualifier: Qualifier::High,
                severity: a,
                text: "too much",
            },
            SlotValue::Override {
                what: OverrideKind::Feed,
                percent: Some(f64::INFINITY),
            },
            SlotValue::Tool(ToolValue {
                tool: Some("T1"),
                life_used: Some(1.5),
                life_limit: None,
                life_unit: ToolLifeUnit::ALL[1],
            }),
            SlotValue::Item { text: Some("") },
            SlotValue::Sample(SampleValue {
                period_start_ns: i64::MIN,
                period_ms: 60_000,
                n: 7,
                unavailable: 1,
                min: Some(0.5),
                max: None,
                mean: Some(f64::MIN_POSITIVE),
                last: Some(-1.0),
                unit: b,
            }),
        ]
    }

    #[test]
    fn a_value_is_read_as_it_was_written() {
        for value in values() {
            let mut bytes = Vec::new();
            value.pack(&mut Packer(&mut bytes));
            assert_eq!(SlotValue::unpack(&bytes).unwrap(), value);
            for cut in 0..bytes.len() {
                let short = SlotValue::unpack(&bytes[..cut]);
                assert_eq!(short, None, "{value:?} cut at {cut}");
            }
            bytes.extend([0; 5]);
            assert_eq!(SlotValue::unpack(&bytes).unwrap(), value);
        }
        let mut bytes = Vec::new();
        SlotValue::Fact(&[9, 9]).pack(&mut Packer(&mut bytes));
        assert_eq!(SlotValue::unpack(&bytes), Some(SlotValue::Fact(&[9, 9])));
        assert_eq!(SlotValue::unpack(&[0]), None);
        assert_eq!(SlotValue::unpack(&[99, 1, 1]), None);
    }
}
