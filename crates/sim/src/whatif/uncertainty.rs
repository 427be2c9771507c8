//! What is open about a forecast, told apart: what more simulation would narrow, and what it would not.

use super::collect::is_active;
use super::outcome::{CaseOutcome, Outcome, StationOutcome};
use werkbuch_model::event::State;

impl Outcome {
    /// How far the mean output of a case may be off by simulating too little, and between which outputs runs lie
    /// whatever is simulated, in a sentence.
    #[must_use]
    pub fn uncertainty(&self, case: &CaseOutcome) -> String {
        let Some(output) = case.measures.first() else {
            return String::new();
        };
        let [low, _, high] = output.quantiles;
        let holds = match self.is_uncertain {
            true => "chance, and what the data leave open of the fitted times and of the start",
            false => "chance alone: the model is taken as it is given",
        };
        format!(
            "the simulation's own error of the mean output is \u{b1} {:.1} {} ({} %), and more replications narrow it; \
             80 % of the runs lie from {low:.1} to {high:.1}, which they do not narrow: this holds {holds}",
            output.interval.half_width,
            output.unit,
            (self.confidence * 1_000.0).round() / 10.0,
        )
    }
}

impl CaseOutcome {
    /// The station that holds up the others for the greatest share of time, if any does.
    #[must_use]
    pub fn bottleneck(&self) -> Option<&StationOutcome> {
        let most = |a: &&StationOutcome, b: &&StationOutcome| a.bottleneck.total_cmp(&b.bottleneck);
        // Of several the first.
        let found = self.stations.iter().rev().max_by(most);
        found.filter(|one| one.bottleneck > 0.0)
    }
}

impl StationOutcome {
    /// The share of time at work by itself, of the time in which it is so or waits for parts or room.
    pub(super) fn busy(&self) -> f64 {
        let sum = |wanted: &dyn Fn(State) -> bool| -> f64 {
            let shares = self.shares.iter().filter(|(state, _)| wanted(*state));
            shares.map(|(_, share)| share).sum()
        };
        let active = sum(&is_active);
        let waits = sum(&|state| matches!(state, State::Starved | State::Blocked));
        match active > 0.0 {
            true => active / (active + waits),
            false => 0.0,
        }
    }
}
