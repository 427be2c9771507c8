//! How far a search is, on standard error for a person who waits.

use crate::command::last;
use indicatif::{ProgressBar, ProgressStyle};
use werkbuch_model::time::Timestamp;
use werkbuch_wire::pb;

/// A line that tells how far a search is; nothing where standard error is no terminal.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    pub(crate) fn new(quiet: bool) -> Self {
        let bar = match quiet {
            true => ProgressBar::hidden(),
            false => ProgressBar::new(0),
        };
        let style = ProgressStyle::with_template("{bar:24} {percent}%  {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self(bar)
    }

    pub(crate) fn show(&self, progress: &pb::FindProgress) {
        self.0.set_length(progress.events_total.max(1));
        self.0
            .set_position(progress.events_read.min(progress.events_total));
        self.0.set_message(line(progress));
    }

    /// Writes something else in between.
    pub(crate) fn aside<R>(&self, write: impl FnOnce() -> R) -> R {
        self.0.suspend(write)
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn line(progress: &pb::FindProgress) -> String {
    let mut line = format!(
        "{} of about {} events",
        progress.events_read, progress.events_total
    );
    if progress.plants_total > 1 {
        line.push_str(&format!(
            ", plant {} ({} of {})",
            last(&progress.plant),
            progress
                .plants_done
                .saturating_add(1)
                .min(progress.plants_total),
            progress.plants_total
        ));
    }
    if progress.reached_time != 0 {
        line.push_str(&format!(", at {}", Timestamp(progress.reached_time)));
    }
    if progress.looking_back {
        line.push_str(" (looking back)");
    }
    line.push_str(&format!(", {} found", progress.found));
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_how_far_it_is() {
        let progress = pb::FindProgress {
            plant: "tenants/default/plants/B".to_owned(),
            reached_time: 1_000_000_000,
            events_read: 5,
            events_total: 9,
            plants_done: 1,
            plants_total: 3,
            found: 2,
            looking_back: true,
        };
        assert_eq!(
            line(&progress),
            "5 of about 9 events, plant B (2 of 3), at 1970-01-01T00:00:01Z (looking back), 2 found"
        );
    }
}
