//! Material at the line out of what was recorded: how long deliveries take, how many are late, when they are
//! called and what lies there at the instant.

use super::fork::{Fitted, Part, some};
use super::model::Model;
use super::recorded::{PlantRecord, StockRecord};
use crate::fit::{OWN_VALUES_MIN, Observation, fit_pooled};
use crate::kernel::{Stream, normal};
use crate::layout::{Feed, Layout};
use crate::truth::Truth;
use std::sync::Arc;

/// A delivery is late that takes more than so many times the median.
const LATE: f64 = 3.0;

/// What is known of how many deliveries are late: drawn anew in every replication.
#[derive(Clone, Debug)]
pub(super) struct LateShare {
    feeds: Vec<usize>,
    late: usize,
    of: usize,
}

/// What was recorded of the stock of a feed.
#[derive(Default)]
struct Evidence {
    leads: Vec<Observation>,
    /// Since when a delivery is under way.
    coming_ns: Option<u64>,
    levels: Option<Levels>,
}

/// Pieces at the times that matter, counted from how many there were when the window began.
#[derive(Clone, Copy, Debug)]
struct Levels {
    /// After a delivery, and at its call: medians.
    full: i64,
    call: i64,
    now: i64,
    /// How far it fell: when the window began no fewer lay there.
    fell: i64,
    /// How many there were when the window began, where a count or a shortage tells it.
    began: Option<i64>,
}

/// Deliveries in time, how many times as long as these the late ones took, and how many there were in all.
#[derive(Default)]
struct Split {
    body: Vec<Observation>,
    late: Vec<f64>,
    /// Late ones that are not there yet.
    open: usize,
}

impl LateShare {
    /// Draws the share anew, on the scale of the logit, where it stays between 0 and 1.
    pub(super) fn draw(&self, truth: &mut Truth, stream: &mut Stream) {
        let (late, of) = (self.late as f64 + 0.5, self.of as f64 + 1.0);
        let error = libm::sqrt(of / (late * (of - late)));
        let logit = libm::log(late / (of - late)) + error * normal(stream);
        let share = 1.0 / (1.0 + libm::exp(-logit));
        for feed in &self.feeds {
            if let Some(feed) = truth.feeds.get_mut(*feed) {
                feed.late = share;
            }
        }
    }
}

impl Model {
    /// Fits deliveries, and lets stocks begin as they were. A stock of which nothing tells when it is filled up
    /// never runs out, which is said.
    pub(super) fn fit_material(&mut self, recorded: &PlantRecord, sheet: &mut Vec<Fitted>) {
        let layout = Arc::clone(&self.layout);
        let all = layout.feeds.iter().map(|feed| {
            let record = recorded.stock(&feed.part_number, place(&layout, feed));
            let found = record.map(|record| evidence(record, recorded.at_ns));
            found.unwrap_or_default()
        });
        let all: Vec<Evidence> = all.collect();
        self.start.stocks = vec![None; layout.feeds.len()];
        self.start.coming_ns = vec![None; layout.feeds.len()];
        let mut plenty = Vec::new();
        let mut guessed = Vec::new();
        for (at, feed) in layout.feeds.iter().enumerate() {
            let name = format!("{} at {}", feed.part_number, place(&layout, feed));
            let alike = (0..all.len()).filter(|other| {
                layout
                    .feeds
                    .get(*other)
                    .is_some_and(|one| one.kind == feed.kind)
            });
            let alike: Vec<usize> = alike.collect();
            match self.fit_feed((at, &name), &all, &alike, sheet) {
                None => plenty.push(name),
                Some(false) => guessed.push(name),
                Some(true) => {}
            }
        }
        // Stations that take a part number in several ways have one stock of it.
        sheet.dedup();
        for names in [&mut plenty, &mut guessed] {
            names.dedup();
        }
        if !plenty.is_empty() {
            self.assumptions.push(format!(
                "{} of {} stocks at the line never run out, since no delivery to them was recorded from its call \
                 on: {}",
                plenty.len(),
                layout.feeds.len(),
                some(&plenty)
            ));
        }
        if !guessed.is_empty() {
            self.assumptions.push(format!(
                "of {} of {} stocks at the line nobody counted the pieces, nor did they run out: they hold the \
                 fewest that what was used allows: {}",
                guessed.len(),
                layout.feeds.len(),
                some(&guessed)
            ));
        }
    }

    /// Whether it is known how many pieces there are; absent where nothing can be fitted.
    fn fit_feed(
        &mut self,
        (at, name): (usize, &str),
        all: &[Evidence],
        alike: &[usize],
        sheet: &mut Vec<Fitted>,
    ) -> Option<bool> {
        let own = all.get(at)?;
        let levels = own.levels.filter(|of| of.full > of.call)?;
        let of_kind: Vec<&Evidence> = alike.iter().filter_map(|one| all.get(*one)).collect();
        let pool: Vec<Observation> = of_kind.iter().flat_map(|one| &one.leads).copied().collect();
        let mine = split(&own.leads, &pool);
        let mut body = Vec::new();
        let (mut factors, mut open, mut of) = (Vec::new(), 0, 0);
        for one in &of_kind {
            let split = split(&one.leads, &pool);
            body.extend(split.body.iter().copied());
            factors.extend(split.late.iter().copied());
            open += split.open;
            of += split.counted();
        }
        let selection = fit_pooled(&mine.body, &body).ok()?;
        self.use_fit((at, name), Part::Delivery, &mine.body, selection, sheet);
        let is_own = mine.late.len() >= OWN_VALUES_MIN;
        let (factors, late, of) = match is_own {
            true => (
                mine.late.clone(),
                mine.late.len() + mine.open,
                mine.counted(),
            ),
            false => (factors.clone(), factors.len() + open, of),
        };
        self.share_late(at, (late, of), is_own, alike);
        let (began, how) = began(levels, &of_kind);
        let pieces = |level: i64| u32::try_from((level + began).max(0)).unwrap_or(u32::MAX);
        let factor = mean(&factors).filter(|factor| *factor > 1.0);
        if let Some(feed) = Arc::make_mut(&mut self.truth).feeds.get_mut(at) {
            feed.full = pieces(levels.full).max(1);
            feed.call_at = pieces(levels.call).min(feed.full - 1);
            feed.late = late as f64 / of.max(1) as f64;
            feed.late_factor = factor.unwrap_or(LATE);
        }
        self.start.stocks[at] = Some(pieces(levels.now));
        self.start.coming_ns[at] = own.coming_ns;
        let row = sheet.last_mut()?;
        row.basis = row
            .basis
            .replacen("machines of its type", "stocks of its kind", 1);
        row.values += mine.late.len() + mine.open;
        row.basis += &format!(
            "; {late} of {of} deliveries {} were late, {:.1} times as long; called at {} of {} pieces, {} there \
             at the instant{}, {how}",
            if is_own { "to it" } else { "of its kind" },
            factor.unwrap_or(1.0),
            pieces(levels.call),
            pieces(levels.full),
            pieces(levels.now),
            match own.coming_ns {
                Some(ns) => format!(" and more under way for {:.0} s", ns as f64 / 1e9),
                None => String::new(),
            },
        );
        Some(levels.began.is_some())
    }

    /// What the data leave open of a share that several stocks have in common is drawn for all of them at once.
    fn share_late(&mut self, at: usize, (late, of): (usize, usize), is_own: bool, alike: &[usize]) {
        let common = self.late.iter_mut().find(|one| {
            !is_own
                && (one.late, one.of) == (late, of)
                && one.feeds.iter().all(|feed| alike.contains(feed))
        });
        match common {
            Some(share) => share.feeds.push(at),
            None => self.late.push(LateShare {
                feeds: vec![at],
                late,
                of,
            }),
        }
    }
}

impl Split {
    fn counted(&self) -> usize {
        let exact = self.body.iter().filter(|one| !one.is_censored).count();
        exact + self.late.len() + self.open
    }
}

/// Where a feed's stock lies, as the log calls it.
fn place<'l>(layout: &'l Layout, feed: &Feed) -> &'l str {
    let station = layout.stations.get(feed.station);
    let machine = station.and_then(|one| layout.machines.get(one.machine));
    machine.map_or("", |one| one.id.as_str())
}

fn evidence(record: &StockRecord, at_ns: i64) -> Evidence {
    let mut found = Evidence::default();
    for (number, call) in record.calls.iter().enumerate() {
        let until_ns = call.came_ns.unwrap_or(at_ns);
        let seconds = (until_ns - call.called_ns) as f64 / 1e9;
        if let (Some(_), true) = (call.came_ns, seconds > 0.0) {
            found.leads.push(Observation::exact(seconds));
        }
        // One that was called before others that came was lost, or nobody said that it ended.
        let is_last = number + 1 == record.calls.len();
        if call.came_ns.is_none() && is_last && seconds >= 0.0 {
            found.leads.push(Observation::censored(seconds));
            found.coming_ns = u64::try_from(until_ns - call.called_ns).ok();
        }
    }
    found.levels = levels(record);
    found
}

/// Pieces at the times that matter; absent where no delivery came with its pieces, or none was called.
fn levels(record: &StockRecord) -> Option<Levels> {
    let (mut level, mut fell) = (0_i64, 0_i64);
    let mut filled = Vec::new();
    let mut after = Vec::with_capacity(record.moves.len());
    for one in &record.moves {
        level = level.saturating_add(one.pieces);
        fell = fell.max(-level);
        after.push((one.at_ns, level));
        if one.pieces > 0 {
            filled.push(level);
        }
    }
    let level_at = |at_ns: i64| {
        let before = after.partition_point(|(of_ns, _)| *of_ns <= at_ns);
        before
            .checked_sub(1)
            .and_then(|at| after.get(at))
            .map_or(0, |(_, level)| *level)
    };
    let counted = record
        .counts
        .last()
        .map(|one| one.pieces - level_at(one.at_ns));
    let missed = record.missing_ns.last().map(|at_ns| -level_at(*at_ns));
    let called = record.calls.iter().map(|call| level_at(call.called_ns));
    Some(Levels {
        full: median(filled)?,
        call: median(called.collect())?,
        now: level,
        fell,
        // What was used before it ran out was there, whatever was brought unseen.
        began: counted.or(missed.map(|began| began.max(fell))),
    })
}

/// How many pieces there were when the window began, and how that is known: a count or a shortage tells it, else
/// what stocks of the same kind call at beside what they hold, else it is the fewest that there can have been.
fn began(levels: Levels, of_kind: &[&Evidence]) -> (i64, &'static str) {
    if let Some(began) = levels.began {
        return (began, "known from a count or from running out");
    }
    let known = of_kind.iter().filter_map(|one| one.levels);
    let shares = known.filter_map(|of| {
        let call = (of.call + of.began?) as f64;
        let span = (of.full - of.call) as f64;
        (span > 0.0).then(|| call / span)
    });
    let shares: Vec<f64> = shares.collect();
    match mean(&shares) {
        Some(share) => {
            let call = share * (levels.full - levels.call) as f64;
            let began = libm::round(call) as i64 - levels.call;
            (
                began.max(levels.fell),
                "by what stocks of its kind call at that ran out or were counted",
            )
        }
        None => (levels.fell, "no fewer, which may be too few"),
    }
}

/// Parts deliveries in time from late ones, by the median of its own, or of all where there are too few.
fn split(own: &[Observation], pool: &[Observation]) -> Split {
    let middle = |of: &[Observation]| {
        let exact = of.iter().filter(|one| !one.is_censored);
        let mut seconds: Vec<f64> = exact.map(|one| one.seconds).collect();
        seconds.sort_unstable_by(f64::total_cmp);
        let middle = seconds.get(seconds.len() / 2).copied();
        (seconds.len(), middle)
    };
    let (count, of_own) = middle(own);
    let median = of_own
        .filter(|_| count >= OWN_VALUES_MIN)
        .or_else(|| middle(pool).1);
    let Some(most) = median.map(|median| LATE * median) else {
        return Split::default();
    };
    let (late, body): (Vec<_>, Vec<_>) = own.iter().partition(|one| one.seconds > most);
    let exact = body.iter().filter(|one: &&Observation| !one.is_censored);
    let in_time: Vec<f64> = exact.map(|one| one.seconds).collect();
    let usual = mean(&in_time).unwrap_or(most / LATE);
    let ended = late.iter().filter(|one| !one.is_censored);
    Split {
        late: ended.map(|one| one.seconds / usual).collect(),
        open: late.iter().filter(|one| one.is_censored).count(),
        body,
    }
}

fn median(mut values: Vec<i64>) -> Option<i64> {
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

fn mean(values: &[f64]) -> Option<f64> {
    let count = values.len();
    (count > 0).then(|| values.iter().sum::<f64>() / count as f64)
}
