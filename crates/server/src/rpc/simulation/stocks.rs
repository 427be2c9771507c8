//! What was brought to the line and used up there, gathered from the events of a window.

use std::collections::BTreeMap;
use werkbuch_model::event::{AndonKind, Body};
use werkbuch_sim::whatif::{CallRecord, StockMove, StockRecord};

/// A part number at a place.
type Of = (String, String);

/// The stocks of a plant, as far as events have told.
#[derive(Default)]
pub(super) struct Stocks {
    stocks: BTreeMap<Of, StockRecord>,
    /// Transports under way: whose they are, and which call of it.
    transports: BTreeMap<String, (Of, usize)>,
    /// What was called out as missing: when, where, and in which words.
    missing: Vec<(i64, [String; 2], String)>,
}

impl Stocks {
    /// Takes in what happened; `machine` names the one that it is about.
    pub(super) fn take(&mut self, at_ns: i64, machine: &str, body: &Body<'_>) {
        let mut moved = |place: &str, part: &str, pieces: f64| {
            if !place.is_empty() {
                let moves = &mut self.stock(part, place).moves;
                moves.push(pieces_at(at_ns, pieces));
            }
        };
        match body {
            Body::MaterialConsumed(used) => {
                let place = if used.at.is_empty() {
                    machine
                } else {
                    &used.at
                };
                moved(place, &used.part_number, -used.quantity);
            }
            Body::MaterialMoved(one) => {
                moved(&one.from, &one.part_number, -one.quantity);
                moved(&one.to, &one.part_number, one.quantity);
            }
            Body::MaterialArrived(one) => moved(&one.to, &one.part_number, one.quantity),
            Body::InventoryCounted(one) if !one.part_number.is_empty() => {
                let counts = &mut self.stock(&one.part_number, &one.location).counts;
                counts.push(pieces_at(at_ns, one.quantity));
            }
            Body::TransportStarted(one) if !one.part_number.is_empty() => {
                let calls = &mut self.stock(&one.part_number, &one.to).calls;
                calls.push(CallRecord {
                    called_ns: at_ns,
                    came_ns: None,
                });
                let of = (one.part_number.to_string(), one.to.to_string());
                let call = (of, calls.len() - 1);
                self.transports.insert(one.transport.to_string(), call);
            }
            Body::TransportEnded(one) => {
                if let Some((of, call)) = self.transports.remove(&*one.transport)
                    && let Some(stock) = self.stocks.get_mut(&of)
                    && let Some(call) = stock.calls.get_mut(call)
                {
                    call.came_ns = Some(at_ns);
                }
            }
            Body::AndonRaised(one) if one.andon == AndonKind::Material => {
                let places = [machine.to_owned(), one.location.to_string()];
                let words = format!("{} {}", one.key, one.text);
                self.missing.push((at_ns, places, words));
            }
            _ => {}
        }
    }

    fn stock(&mut self, part_number: &str, place: &str) -> &mut StockRecord {
        let of = (part_number.to_owned(), place.to_owned());
        let new = || StockRecord {
            part_number: part_number.to_owned(),
            place: place.to_owned(),
            ..StockRecord::default()
        };
        self.stocks.entry(of).or_insert_with(new)
    }

    /// All of them, by part number and place.
    pub(super) fn finish(mut self) -> Vec<StockRecord> {
        for (at_ns, places, words) in &self.missing {
            for stock in self.stocks.values_mut() {
                if places.contains(&stock.place) && words.contains(&stock.part_number) {
                    stock.missing_ns.push(*at_ns);
                }
            }
        }
        for stock in self.stocks.values_mut() {
            // The log has what came late behind what it came before.
            stock.moves.sort_by_key(|one| one.at_ns);
            stock.counts.sort_by_key(|one| one.at_ns);
            stock.calls.sort_by_key(|one| one.called_ns);
        }
        self.stocks.into_values().collect()
    }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "casts from floats stay within the bounds, and part pieces are rounded"
)]
fn pieces_at(at_ns: i64, pieces: f64) -> StockMove {
    StockMove {
        at_ns,
        pieces: pieces.round() as i64,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use werkbuch_model::event::{
        AndonRaised, InventoryCounted, MaterialConsumed, MaterialMoved, TransportEnded,
        TransportStarted,
    };

    fn take(stocks: &mut Stocks, at_ns: i64, body: Body<'static>) {
        stocks.take(at_ns, "m1", &body);
    }

    #[test]
    fn what_is_called_comes_is_used_counted_and_missed() {
        let mut stocks = Stocks::default();
        let started = |transport: &'static str| {
            Body::TransportStarted(TransportStarted {
                transport: transport.into(),
                to: "m1".into(),
                part_number: "bolt".into(),
                ..TransportStarted::default()
            })
        };
        take(&mut stocks, 1, started("t1"));
        take(&mut stocks, 2, started("t2"));
        let ended = TransportEnded {
            transport: "t1".into(),
            at: "m1".into(),
            ..TransportEnded::default()
        };
        take(&mut stocks, 5, Body::TransportEnded(ended));
        let moved = MaterialMoved {
            part_number: "bolt".into(),
            quantity: 40.0,
            from: "store".into(),
            to: "m1".into(),
            ..MaterialMoved::default()
        };
        take(&mut stocks, 5, Body::MaterialMoved(moved));
        let used = MaterialConsumed {
            part_number: "bolt".into(),
            quantity: 2.4,
            ..MaterialConsumed::default()
        };
        take(&mut stocks, 6, Body::MaterialConsumed(used));
        let counted = InventoryCounted {
            location: "m1".into(),
            part_number: "bolt".into(),
            quantity: 37.0,
            ..InventoryCounted::default()
        };
        take(&mut stocks, 7, Body::InventoryCounted(counted));
        for (at_ns, text) in [(8, "bolt is missing"), (9, "nut is missing")] {
            let missing = AndonRaised {
                key: "k".into(),
                andon: AndonKind::Material,
                text: text.into(),
                ..AndonRaised::default()
            };
            take(&mut stocks, at_ns, Body::AndonRaised(missing));
        }
        let found = stocks.finish();
        let of = |place: &str| found.iter().find(|one| one.place == place).unwrap();
        let moves = |place: &str| -> Vec<(i64, i64)> {
            let moves = of(place).moves.iter();
            moves.map(|one| (one.at_ns, one.pieces)).collect()
        };
        assert_eq!(moves("m1"), [(5, 40), (6, -2)]);
        assert_eq!(moves("store"), [(5, -40)]);
        let calls = of("m1")
            .calls
            .iter()
            .map(|one| (one.called_ns, one.came_ns));
        assert_eq!(calls.collect::<Vec<_>>(), [(1, Some(5)), (2, None)]);
        assert_eq!(of("m1").counts.len(), 1);
        assert_eq!(of("m1").missing_ns, [8]);
    }
}
