//! The ways that a `PackML` machine goes from one state to another, by the table of its transitions.

use werkbuch_model::packml::{PackmlState, TRANSITIONS, Trigger};

/// The states on the shortest legal way to another, that one last; empty when it is the same.
///
/// Stopping and aborting are possible from nearly everywhere, so they are gone only when they are
/// meant: a machine does not abort to be idle sooner.
pub(crate) fn way(from: PackmlState, to: PackmlState) -> Vec<PackmlState> {
    let is_meant = |trigger: Trigger| match trigger {
        Trigger::Abort => to == PackmlState::Aborted,
        Trigger::Stop => to == PackmlState::Stopped,
        _ => true,
    };
    let mut paths = vec![vec![from]];
    let mut at = 0;
    while let Some(path) = paths.get(at).cloned() {
        at += 1;
        let Some(here) = path.last().copied() else {
            continue;
        };
        if here == to {
            return path.into_iter().skip(1).collect();
        }
        let leading = TRANSITIONS.iter().filter(|one| one.from == here);
        for next in leading
            .filter(|one| is_meant(one.trigger))
            .map(|one| one.to)
        {
            if !paths.iter().any(|known| known.contains(&next)) {
                let mut longer = path.clone();
                longer.push(next);
                paths.push(longer);
            }
        }
    }
    Vec::new()
}
