//! Rules speak of a plant as it is described at each time: also of what becomes valid when nothing happens.

use crate::harness::{PLANT_FILE, Served, apply, config, serve_as, serve_plant, short};
use crate::rules::{SECOND, Said, applied, at, now, report, state, wait_for};
use std::time::Duration;
use werkbuch_model::event::State;
use werkbuch_wire::pb;

const RULES: &str = r#"
[[rule]]
id = "at-once"
raise = "state = 'FAULTED' AND area = 'paint'"
[[rule]]
id = "held"
raise = "state = 'FAULTED' AND area = 'paint'"
hold = "500ms"
[[rule]]
id = "left"
raise = "state = 'FAULTED' AND area = 'body'"
"#;

/// A plant with the rules whose press 1 faults, and when it does.
async fn faulted() -> (Served, i64) {
    let served = serve_plant().await;
    applied(&served, RULES).await;
    let session = served.session("gateway-1").await;
    let begin = now();
    let faulted = at(1, 1, begin, state(State::Faulted));
    report(&served, session, vec![faulted]).await;
    (served, begin)
}

/// Press 1 moves to the paint shop at a time.
async fn moves(served: &Served, valid_from: i64) {
    let moved = PLANT_FILE.replacen("in = \"body\"", "in = \"paint\"", 1);
    let later = pb::ApplyPlantRequest {
        valid_from: Some(valid_from),
        ..apply(&moved)
    };
    served.model().await.apply_plant(later).await.unwrap();
}

/// What follows from the move, in order of time.
fn expected(begin: i64, moves_at: i64) -> Vec<(i64, String, u32, bool, i64)> {
    let turn = |at, rule: &str, raised, since| (at, rule.to_owned(), 1, raised, since);
    vec![
        turn(begin, "left", true, begin),
        turn(moves_at, "at-once", true, moves_at),
        turn(moves_at, "left", false, moves_at),
        turn(moves_at + SECOND / 2, "held", true, moves_at),
    ]
}

fn turns(found: &[Said]) -> Vec<(i64, String, u32, bool, i64)> {
    let mut turns: Vec<_> = found.iter().map(Said::turn).collect();
    turns.sort();
    turns
}

#[tokio::test]
async fn a_description_counts_from_its_time_though_nothing_is_reported() {
    let (served, begin) = faulted().await;
    let soon = now() + SECOND;
    moves(&served, soon).await;
    let found = wait_for(&served, 4).await;
    assert_eq!(turns(&found), expected(begin, soon));
    let ahead = found.iter().find(|one| one.recorded_at < one.turn().0);
    assert_eq!(ahead, None, "never ahead of time");
    // After a start the log says it, and nothing is said again.
    let folder = served.end().await;
    let shape = config(folder.path());
    let served = serve_as(folder, short(), shape).await;
    assert_eq!(wait_for(&served, 4).await, found);
    served.end().await;
}

#[tokio::test]
async fn a_description_that_became_valid_while_the_server_was_down_counts_from_its_time() {
    let (served, begin) = faulted().await;
    wait_for(&served, 1).await;
    let soon = now() + 2 * SECOND;
    moves(&served, soon).await;
    let folder = served.end().await;
    while now() < soon + SECOND {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let shape = config(folder.path());
    let served = serve_as(folder, short(), shape).await;
    let found = wait_for(&served, 4).await;
    assert_eq!(turns(&found), expected(begin, soon));
    served.end().await;
}
