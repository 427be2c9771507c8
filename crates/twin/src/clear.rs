//! Clears the table of texts of those that no slot uses any more, so that it cannot grow for ever.

use crate::Twin;
use crate::machine::MachineState;
use crate::symbol::{Symbol, Symbols};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Texts that may be added before it is worth looking for those no longer used.
const SLACK: usize = 4096;

impl Twin {
    /// Makes the table anew once it has more than doubled; that is rare, so its cost is shared by
    /// the many events that added texts.
    pub(crate) fn clear_symbols(&mut self) {
        if self.symbols.len() <= self.symbols_used.saturating_mul(2).saturating_add(SLACK) {
            return;
        }
        let mut table = Symbols::default();
        let mut renumbered = BTreeMap::new();
        let old = Arc::clone(&self.symbols);
        let mut renumber = |symbol: &mut Symbol| {
            *symbol = *renumbered.entry(*symbol).or_insert_with(|| {
                let text = old.text(*symbol);
                table.find(text).unwrap_or_else(|| table.add(text))
            });
        };
        for machine in &mut self.machines {
            for_each_symbol(Arc::make_mut(machine), &mut renumber);
            // The order of the slots follows the numbers.
            Arc::make_mut(machine).slots.sort_by_key(|slot| slot.key);
        }
        self.symbols_used = table.len();
        self.symbols = Arc::new(table);
    }
}

/// Calls `f` with each symbol of a machine.
pub(crate) fn for_each_symbol(machine: &mut MachineState, f: &mut dyn FnMut(&mut Symbol)) {
    for slot in &mut machine.slots {
        f(&mut slot.key.item);
        f(&mut slot.key.sub);
        slot.value.for_each_symbol(f);
    }
}
