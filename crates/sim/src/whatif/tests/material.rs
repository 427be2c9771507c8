//! Deliveries, stocks and shortages that a plant recorded are found again by its fork.

use super::fork::{recorded, row};
use super::*;
use crate::factory::Fact;
use crate::layout::Layout;
use werkbuch_model::event::State;

/// A record without content of each stock at the line.
pub(super) fn stocks(layout: &Layout) -> Vec<StockRecord> {
    let feeds = layout.feeds.iter().map(|feed| StockRecord {
        part_number: feed.part_number.clone(),
        place: layout.machines[layout.stations[feed.station].machine]
            .id
            .clone(),
        ..StockRecord::default()
    });
    feeds.collect()
}

/// What happens to a stock, as its events tell it.
pub(super) fn note(stocks: &mut [StockRecord], at_ns: i64, fact: &Fact) {
    match *fact {
        Fact::Called { feed, .. } => stocks[feed].calls.push(CallRecord {
            called_ns: at_ns,
            came_ns: None,
        }),
        Fact::Delivered { feed, pieces, .. } => {
            if let Some(call) = stocks[feed].calls.last_mut() {
                call.came_ns = Some(at_ns);
            }
            stocks[feed].moves.push(StockMove {
                at_ns,
                pieces: i64::from(pieces),
            });
        }
        Fact::Used { feed, pieces, .. } => stocks[feed].moves.push(StockMove {
            at_ns,
            pieces: -i64::from(pieces),
        }),
        Fact::Short { feed } => stocks[feed].missing_ns.push(at_ns),
        _ => {}
    }
}

/// A line of two stations whose second one uses what is brought.
fn fed() -> Model {
    described(
        "[plant]\nid = \"P\"\n[[product]]\nid = \"part\"\n\
         [[machine]]\nid = \"m0\"\nrole = \"node\"\ncycle_s = 60\n\
         [[machine]]\nid = \"m1\"\nrole = \"node\"\ncycle_s = 60\n\
         [[buffer]]\nid = \"b1\"\ncapacity = 4\n[[flow]]\nfrom = \"m0\"\nto = \"b1\"\n\
         [[flow]]\nfrom = \"b1\"\nto = \"m1\"\n[[boundary]]\nat = \"m0\"\nkind = \"source\"\n\
         [[boundary]]\nat = \"m1\"\nkind = \"sink\"\n\
         [[feed]]\npart_number = \"seat\"\nat = \"m1\"\nquantity = 2\nkind = \"bulk\"\n\
         [[feed]]\npart_number = \"wheel\"\nat = \"m1\"\nquantity = 1\nkind = \"bulk\"\n",
    )
}

/// The same, with deliveries of which one in twenty takes six times as long.
fn truly() -> Model {
    let mut model = fed();
    let behaviour = "[[supply]]\nparts = \"*\"\nfull = 60\ncall_at = 20\nlate = 0.05\n\
        delivery = \"lognormal(mean=8m, cv=0.3)\"\n";
    model.behave(behaviour, "m.toml").unwrap();
    model
}

fn starved(model: &Model) -> (f64, f64) {
    let found = studied(model, &[], &effort(48, 40));
    let shares = &found.cases[0].stations[1].shares;
    let starved = shares.iter().find(|(state, _)| *state == State::Starved);
    (output(&found, 0), starved.map_or(0.0, |(_, share)| *share))
}

#[test]
fn late_deliveries_are_found_again_and_forecast() {
    let truly = truly();
    let recorded = recorded(&truly, 400);
    let mut model = fed();
    let sheet = model.fork(&recorded);
    for (at, name) in [(0, "seat at m1"), (1, "wheel at m1")] {
        let delivery = row(&sheet, name, "delivery");
        assert!(delivery.values > 300 && delivery.basis.contains("were late"));
        let error = 480.0 * 0.3 / (delivery.values as f64).sqrt();
        let apart = (delivery.distribution.mean_s() - 480.0).abs();
        assert!(apart < 4.0 * error, "{delivery:?}");
        let feed = &model.truth.feeds[at];
        assert!(feed.full.abs_diff(60) <= 2, "{feed:?}");
        assert!(feed.call_at.abs_diff(20) <= 2, "{feed:?}");
        assert!((feed.late - 0.05).abs() < 0.025, "{feed:?}");
        assert!((feed.late_factor - 6.0).abs() < 0.6, "{feed:?}");
    }
    let ((is, stood), (forecast, stands)) = (starved(&truly), starved(&model));
    assert!(stood > 0.03, "{stood}");
    assert!((stands - stood).abs() < 0.3 * stood, "{stands} {stood}");
    assert!(
        (forecast - is).abs() < 0.02 * is,
        "{forecast} instead of {is}"
    );
    // Without the deliveries the forecast is too high by what the station stands.
    let mut silent = recorded.clone();
    silent.stocks.clear();
    let mut model = fed();
    assert!(!model.fork(&silent).iter().any(|row| row.what == "delivery"));
    assert!(
        model
            .assumptions
            .iter()
            .any(|one| one.starts_with("2 of 2 stocks at the line never run out")),
        "{:?}",
        model.assumptions
    );
    assert!(starved(&model).0 > forecast * 1.015);
}

#[test]
fn a_fork_begins_with_what_lies_there_and_what_is_under_way() {
    let mut recorded = recorded(&truly(), 60);
    let second = 1_000_000_000;
    let seats = &mut recorded.stocks[0];
    // Called five minutes ago and not there yet; somebody counted seven pieces just now.
    seats.calls.retain(|one| one.came_ns.is_some());
    seats.calls.push(CallRecord {
        called_ns: recorded.at_ns - 300 * second,
        came_ns: None,
    });
    seats.counts.push(StockMove {
        at_ns: recorded.at_ns,
        pieces: 7,
    });
    let mut model = fed();
    let sheet = model.fork(&recorded);
    assert_eq!(model.start.stocks[0], Some(7));
    assert_eq!(model.start.coming_ns[0], Some(300_000_000_000));
    let seat = row(&sheet, "seat at m1", "delivery");
    assert!(
        seat.censored == 1 && seat.basis.contains("7 there at the instant"),
        "{seat:?}"
    );
    // What is under way comes, as if it had been called five minutes before.
    let found = studied(&model, &[], &effort(1, 40));
    assert!(output(&found, 0) > 40.0, "{}", output(&found, 0));
}

#[test]
fn few_deliveries_are_pooled_and_what_was_never_counted_is_said() {
    let mut recorded = recorded(&truly(), 200);
    let began_ns = recorded.stocks[0].calls[3].called_ns;
    let seats = &mut recorded.stocks[0];
    seats.calls.truncate(4);
    seats.moves.retain(|one| one.at_ns <= began_ns);
    seats.missing_ns.clear();
    recorded.stocks[1].missing_ns.clear();
    let mut model = fed();
    let sheet = model.fork(&recorded);
    let seat = row(&sheet, "seat at m1", "delivery");
    assert!(seat.basis.starts_with("pooled with"), "{seat:?}");
    assert!(seat.basis.contains("no fewer, which may be too few"));
    assert!((seat.distribution.mean_s() - 480.0).abs() < 60.0);
    let said = |what: &str| model.assumptions.iter().any(|one| one.contains(what));
    assert!(
        said("2 of 2 stocks at the line nobody counted"),
        "{:?}",
        model.assumptions
    );
}
