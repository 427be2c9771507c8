//! Clears the table of texts of those that no slot uses any more, so that it cannot grow for ever.

use crate::Twin;
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
            Arc::make_mut(machine).renumber(&mut renumber);
        }
        self.symbols_used = table.len();
        self.cleared = self.cleared.wrapping_add(1);
        self.symbols = Arc::new(table);
    }
}
