//! The other aspects of a machine: connection, declaration, programs, counters, tools, values.

use super::MachineTwin;
use crate::value::SlotValue;
use serde::Serialize;
use werkbuch_model::event::{
    AspectKind, Connection, ItemCategory, OverrideKind, PartMeaning, ToolLifeUnit,
};
use werkbuch_model::time::Timestamp;

/// Whether the machine can be reached.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConnectionView<'t> {
    /// Whether it can be reached.
    pub to: Connection,
    /// Why, in the source's words.
    pub cause: &'t str,
    /// When the event that says so took effect.
    pub since: Timestamp,
}

/// What the machine says it is made of: an observation, to compare with the plant's description.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeclarationView<'t> {
    /// Who made it.
    pub manufacturer: &'t str,
    /// The maker's model.
    pub model: &'t str,
    /// The serial number.
    pub serial: &'t str,
    /// What it can report.
    pub items: Vec<DeclaredItemView<'t>>,
    /// When the declaration took effect.
    pub at: Timestamp,
}

/// One item that a machine declares.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeclaredItemView<'t> {
    /// The item's name at the source.
    pub id: &'t str,
    /// The item's type in the source's vocabulary.
    pub item_type: &'t str,
    /// The unit's code, empty when it has none.
    pub unit: &'t str,
    /// The sort of its values.
    pub category: ItemCategory,
    /// The absolute deadband within which the source stays silent, in `unit`.
    pub deadband: Option<f64>,
}

/// What the machine is told to do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProgramView<'t> {
    /// Which of the machine's programs: empty for the main one.
    pub slot: &'t str,
    /// The program's name; absent when the source cannot say.
    pub program: Option<&'t str>,
    /// The program's revision, empty when it is not said.
    pub revision: &'t str,
    /// The block or line that runs, empty when it is not said.
    pub block: &'t str,
    /// When the event that says so took effect.
    pub since: Timestamp,
}

/// Where a counter of parts stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CounterView<'t> {
    /// The counter's name at the source.
    pub counter: &'t str,
    /// What it counts.
    pub meaning: PartMeaning,
    /// Where it stands, in parts; absent when the source cannot say.
    pub value: Option<u64>,
    /// The value at which it begins again at zero; 0 when it never does.
    pub modulus: u64,
    /// The count of its resets.
    pub reset_epoch: u32,
    /// The type of the last part, empty when it is not said.
    pub part_type: &'t str,
    /// The serial of the last single part, empty for a mere count.
    pub part: &'t str,
    /// When the event that says so took effect.
    pub at: Timestamp,
}

/// How an override is set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OverrideView<'t> {
    /// The source's name of the override.
    pub item: &'t str,
    /// What it overrides.
    pub what: OverrideKind,
    /// Percent of the programmed value; absent when the source cannot say.
    pub percent: Option<f64>,
    /// When the event that says so took effect.
    pub since: Timestamp,
}

/// The tool in a slot.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ToolView<'t> {
    /// The slot; empty for the machine's one tool.
    pub slot: &'t str,
    /// The tool's id; absent when the source cannot say.
    pub tool: Option<&'t str>,
    /// How much of its life is used, in `life_unit`.
    pub life_used: Option<f64>,
    /// Its whole life, in `life_unit`.
    pub life_limit: Option<f64>,
    /// What its life is counted in.
    pub life_unit: ToolLifeUnit,
    /// When the event that says so took effect.
    pub since: Timestamp,
}

/// A value that fits no other kind.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ItemView<'t> {
    /// The item's name at the source.
    pub item: &'t str,
    /// Its text; absent when the source cannot say.
    pub text: Option<&'t str>,
    /// When the event that says so took effect.
    pub since: Timestamp,
}

/// The figures of an item over the last batch that holds it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SampleView<'t> {
    /// The item's name at the source.
    pub item: &'t str,
    /// The unit's code, empty when it is not said.
    pub unit: &'t str,
    /// How many values the figures are of.
    pub n: u64,
    /// How often the source said that it cannot say.
    pub unavailable: u64,
    /// The least value; absent when `n` is 0.
    pub min: Option<f64>,
    /// The greatest value; absent when `n` is 0.
    pub max: Option<f64>,
    /// The arithmetic mean; absent when `n` is 0.
    pub mean: Option<f64>,
    /// The last value; absent when the last thing said was "unavailable".
    pub last: Option<f64>,
    /// When the batch's period begins.
    pub period_start: Timestamp,
    /// How long the period is, in milliseconds.
    pub period_ms: u64,
    /// When the batch took effect.
    pub at: Timestamp,
}

impl<'t> MachineTwin<'t> {
    /// Whether the machine can be reached; absent when nobody said.
    #[must_use]
    pub fn connection(&self) -> Option<ConnectionView<'t>> {
        let pick = self.single(AspectKind::Connection)?;
        match pick.value()? {
            SlotValue::Connection { to, cause } => Some(ConnectionView {
                to,
                cause,
                since: pick.at(),
            }),
            _ => None,
        }
    }

    /// What the machine says it is made of; absent when it never said.
    #[must_use]
    pub fn declaration(&self) -> Option<DeclarationView<'t>> {
        let pick = self.single(AspectKind::Declaration)?;
        let SlotValue::Declaration(said) = pick.value()? else {
            return None;
        };
        let symbols = &self.twin.symbols;
        let items = said.items.iter().map(|item| DeclaredItemView {
            id: symbols.text(item.id),
            item_type: symbols.text(item.item_type),
            unit: symbols.text(item.unit),
            category: item.category,
            deadband: item.deadband,
        });
        Some(DeclarationView {
            items: items.collect(),
            manufacturer: said.manufacturer,
            model: said.model,
            serial: said.serial,
            at: pick.at(),
        })
    }

    /// The programs by slot.
    #[must_use]
    pub fn programs(&self) -> Vec<ProgramView<'t>> {
        let picks = self.picks(AspectKind::Program).into_iter();
        picks
            .filter_map(|pick| match pick.value()? {
                SlotValue::Program(said) => Some(ProgramView {
                    slot: pick.item,
                    program: said.program,
                    revision: said.revision,
                    block: said.block,
                    since: pick.at(),
                }),
                _ => None,
            })
            .collect()
    }

    /// The counters of parts by name.
    #[must_use]
    pub fn counters(&self) -> Vec<CounterView<'t>> {
        let picks = self.picks(AspectKind::Part).into_iter();
        picks
            .filter_map(|pick| match pick.value()? {
                SlotValue::Part(said) => Some(CounterView {
                    counter: pick.item,
                    meaning: said.meaning,
                    value: said.value,
                    modulus: said.modulus,
                    reset_epoch: said.reset_epoch,
                    part_type: self.twin.symbols.text(said.part_type),
                    part: said.part,
                    at: pick.at(),
                }),
                _ => None,
            })
            .collect()
    }

    /// The overrides by item.
    #[must_use]
    pub fn overrides(&self) -> Vec<OverrideView<'t>> {
        let picks = self.picks(AspectKind::Override).into_iter();
        picks
            .filter_map(|pick| match pick.value()? {
                SlotValue::Override { what, percent } => Some(OverrideView {
                    item: pick.item,
                    what,
                    percent,
                    since: pick.at(),
                }),
                _ => None,
            })
            .collect()
    }

    /// The tools by slot.
    #[must_use]
    pub fn tools(&self) -> Vec<ToolView<'t>> {
        let picks = self.picks(AspectKind::Tool).into_iter();
        picks
            .filter_map(|pick| match pick.value()? {
                SlotValue::Tool(said) => Some(ToolView {
                    slot: pick.item,
                    tool: said.tool,
                    life_used: said.life_used,
                    life_limit: said.life_limit,
                    life_unit: said.life_unit,
                    since: pick.at(),
                }),
                _ => None,
            })
            .collect()
    }

    /// The values that fit no other kind, by item.
    #[must_use]
    pub fn items(&self) -> Vec<ItemView<'t>> {
        let picks = self.picks(AspectKind::Item).into_iter();
        picks
            .filter_map(|pick| match pick.value()? {
                SlotValue::Item { text } => Some(ItemView {
                    item: pick.item,
                    text,
                    since: pick.at(),
                }),
                _ => None,
            })
            .collect()
    }

    /// The last samples by item.
    #[must_use]
    pub fn samples(&self) -> Vec<SampleView<'t>> {
        let picks = self.picks(AspectKind::Sample).into_iter();
        picks
            .filter_map(|pick| match pick.value()? {
                SlotValue::Sample(said) => Some(SampleView {
                    item: pick.item,
                    unit: self.twin.symbols.text(said.unit),
                    n: said.n,
                    unavailable: said.unavailable,
                    min: said.min,
                    max: said.max,
                    mean: said.mean,
                    last: said.last,
                    period_start: Timestamp(said.period_start_ns),
                    period_ms: said.period_ms,
                    at: pick.at(),
                }),
                _ => None,
            })
            .collect()
    }
}
