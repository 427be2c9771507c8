//! Parts that leave a station go its ways by their shares, and come back as often as those say.

use super::{described, effort, output, scenarios, studied};
use crate::whatif::Model;
use werkbuch_model::event::State;

/// A station in front of two others, a share of the parts to each, with room so that nobody waits.
fn fork(flows: &str) -> Model {
    let machine = |id: &str| format!("[[machine]]\nid = \"{id}\"\nrole = \"node\"\ncycle_s = 60\n");
    described(&format!(
        "[plant]\nid = \"P\"\n[[product]]\nid = \"part\"\n{}{}{}{flows}\
         [[boundary]]\nat = \"a\"\nkind = \"source\"\n[[boundary]]\nat = \"b\"\nkind = \"sink\"\n",
        machine("a"),
        machine("b"),
        machine("c"),
    ))
}

fn flow(from: &str, to: &str, share: &str) -> String {
    format!("[[flow]]\nfrom = \"{from}\"\nto = \"{to}\"\n{share}")
}

#[test]
fn shares_say_where_parts_go_and_a_closed_way_leaves_its_own_to_the_others() {
    let sink = "[[boundary]]\nat = \"c\"\nkind = \"sink\"\n";
    for (share, rest) in [(0.9, "share = 0.1\n"), (0.9, ""), (0.2, "share = 0.8\n")] {
        let flows = flow("a", "b", &format!("share = {share}\n")) + &flow("a", "c", rest) + sink;
        let model = fork(&flows);
        let closed = "[[change]]\ndo = \"route\"\nstart = \"a\"\nend = \"c\"\n";
        let found = studied(&model, &scenarios(&model, closed), &effort(24, 10));
        let works = |case: usize, at: usize| {
            let shares = &found.cases[case].stations[at].shares;
            let works = shares.iter().find(|(state, _)| *state == State::Executing);
            works.map_or(0.0, |(_, share)| *share)
        };
        let of_b = works(0, 1) / (works(0, 1) + works(0, 2));
        assert!((of_b - share).abs() < 0.02, "{of_b} of {share}");
        assert!(works(1, 2) < 1e-9 && works(1, 1) > 0.95);
    }
}

#[test]
fn parts_that_go_round_are_worked_on_as_often_as_the_shares_say() {
    // Of what b finishes a half goes back: each part is at both stations twice, so that a makes 30 parts an hour.
    let flows = format!(
        "[[buffer]]\nid = \"q\"\ncapacity = 40\n{}{}{}{}",
        flow("q", "a", ""),
        flow("a", "b", ""),
        flow("b", "q", "share = 0.5\n"),
        flow("b", "c", "share = 0.5\n"),
    );
    let flows = flows + "[[boundary]]\nat = \"c\"\nkind = \"sink\"\n";
    let mut model = fork(&flows.replace("at = \"b\"", "at = \"c\""));
    model.assumptions.clear();
    let limit = "[[change]]\ndo = \"limit\"\nmachines = \"a\"\ncount = 6\n";
    let found = studied(&model, &scenarios(&model, limit), &effort(48, 10));
    let rate = output(&found, 1) / 48.0;
    assert!((rate - 30.0).abs() < 1.5, "{rate} parts an hour");
}
