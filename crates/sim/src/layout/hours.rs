//! When a station works: shifts and breaks of a calendar as turns of a clock that runs from 0.

use super::is_of_class;
use werkbuch_model::plant::{Calendar, Description, ExceptionKind, Shift};
use werkbuch_model::time::Timestamp;

/// For how many days ahead the calendar is laid out.
const DAYS: i64 = 370;
const MINUTE_NS: i64 = 60 * 1_000_000_000;
const DAY_MINUTES: i64 = 24 * 60;

/// When a station works, and why not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hours {
    /// The calendar's name.
    pub calendar: String,
    /// The turns, in order of time.
    pub toggles: Vec<Toggle>,
}

/// A turn from one time to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toggle {
    /// When, in nanoseconds from the start of the simulation.
    pub at_ns: u64,
    /// What begins.
    pub turn: Turn,
    /// The shift's name.
    pub shift: String,
    /// Its team.
    pub team: String,
}

/// What begins at a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Work.
    Open,
    /// A break.
    Break,
    /// Nothing is worked.
    Closed,
}

/// Minutes of local time from the midnight of the first day, and what holds in them.
struct Span<'c> {
    from: i64,
    to: i64,
    shift: &'c str,
    team: &'c str,
}

impl Hours {
    /// Lays out a calendar for a machine, from `start` on.
    ///
    /// `utc_offset_s` is how far the plant's clocks are ahead of UTC at the start. It holds for the
    /// whole run: a simulated plant does not change to summer time on the way.
    #[must_use]
    pub fn of(
        description: &Description,
        calendar: &Calendar,
        machine: &str,
        start: Timestamp,
        utc_offset_s: i32,
    ) -> Self {
        let whole = Whole::of(description, calendar);
        let local_ns = start
            .nanos()
            .saturating_add(i64::from(utc_offset_s) * 1_000_000_000);
        let first_day = local_ns.div_euclid(DAY_MINUTES * MINUTE_NS);
        let into_day_ns = local_ns.rem_euclid(DAY_MINUTES * MINUTE_NS);
        let shifts = whole.shifts(first_day);
        let breaks = whole.breaks(machine, &shifts);
        let mut toggles = Vec::new();
        for (at, span) in shifts.iter().enumerate() {
            let mut push = |minute: i64, turn| {
                let at_ns = minute.saturating_mul(MINUTE_NS).saturating_sub(into_day_ns);
                toggles.push((at_ns, turn, span.shift, span.team));
            };
            push(span.from, Turn::Open);
            for (from, to) in breaks
                .iter()
                .filter(|(from, to)| *from > span.from && *to < span.to)
            {
                push(*from, Turn::Break);
                push(*to, Turn::Open);
            }
            let next = shifts.get(at + 1).map_or(i64::MAX, |next| next.from);
            if next > span.to {
                push(span.to, Turn::Closed);
            }
        }
        Self {
            calendar: calendar.id.to_string(),
            toggles: from_zero(toggles),
        }
    }
}

/// Turns from time 0 on, the first of them being what holds at 0.
fn from_zero(toggles: Vec<(i64, Turn, &str, &str)>) -> Vec<Toggle> {
    let begins = toggles.iter().rposition(|(at_ns, ..)| *at_ns <= 0);
    let toggle = |(at_ns, turn, shift, team): &(i64, Turn, &str, &str)| Toggle {
        at_ns: u64::try_from(*at_ns).unwrap_or(0),
        turn: *turn,
        shift: (*shift).to_owned(),
        team: (*team).to_owned(),
    };
    let closed = Toggle {
        at_ns: 0,
        turn: Turn::Closed,
        shift: String::new(),
        team: String::new(),
    };
    let before = begins.is_none().then_some(closed);
    let later = toggles.iter().skip(begins.unwrap_or(0)).map(toggle);
    before.into_iter().chain(later).collect()
}

/// A calendar with what it takes over from the one above it.
struct Whole<'c> {
    chain: Vec<&'c Calendar>,
}

impl<'c> Whole<'c> {
    fn of(description: &'c Description, calendar: &'c Calendar) -> Self {
        let mut chain = vec![calendar];
        let mut above = calendar.parent.as_ref();
        while let Some(parent) =
            above.and_then(|id| description.calendars().find(|one| one.id == *id))
        {
            if chain.iter().any(|met| met.id == parent.id) {
                break;
            }
            chain.push(parent);
            above = parent.parent.as_ref();
        }
        Self { chain }
    }

    /// The shifts of all days, in order of time, without overlaps.
    fn shifts(&self, first_day: i64) -> Vec<Span<'c>> {
        let week: &[Shift] = self.first_with(|one| &one.shifts);
        let exceptions = self.first_with(|one| &one.exceptions);
        let mut spans: Vec<Span<'c>> = Vec::new();
        for day in -1..DAYS {
            let date = first_day + day;
            // 1970-01-01 was a Thursday; 0 is Monday.
            let weekday = u32::try_from((date + 3).rem_euclid(7)).unwrap_or(0);
            let mut of_day = exceptions
                .iter()
                .filter(|one| i64::from(one.date.0) == date);
            let is_closed = of_day
                .clone()
                .any(|one| one.exception_kind == ExceptionKind::Closed);
            let regular = week
                .iter()
                .filter(|shift| shift.days.has(weekday) && !is_closed);
            let mut add = |from: u32, to: u32, shift: &'c str, team: &'c str| {
                let begin = day * DAY_MINUTES + i64::from(from);
                let length = (i64::from(to) - i64::from(from)).rem_euclid(DAY_MINUTES);
                let length = if length == 0 { DAY_MINUTES } else { length };
                spans.push(Span {
                    from: begin,
                    to: begin + length,
                    shift,
                    team,
                });
            };
            for shift in regular {
                add(shift.from.0, shift.to.0, &shift.name, &shift.team);
            }
            let extra = of_day
                .by_ref()
                .filter(|one| one.exception_kind != ExceptionKind::Closed);
            for one in extra {
                if let (Some(from), Some(to)) = (one.from, one.to) {
                    add(from.0, to.0, &one.name, "");
                }
            }
        }
        spans.sort_by_key(|span| (span.from, span.to));
        for at in 1..spans.len() {
            let end = spans.get(at - 1).map_or(0, |before| before.to);
            if let Some(span) = spans.get_mut(at) {
                span.from = span.from.max(end);
                span.to = span.to.max(span.from);
            }
        }
        spans.retain(|span| span.to > span.from);
        spans
    }

    /// The breaks that hold for a machine, as minutes like those of the shifts.
    fn breaks(&self, machine: &str, shifts: &[Span<'_>]) -> Vec<(i64, i64)> {
        let all = self.first_with(|one| &one.breaks).iter();
        let its = all.filter(|one| one.machines.is_empty() || is_of_class(&one.machines, machine));
        let mut breaks = Vec::new();
        for one in its {
            for span in shifts
                .iter()
                .filter(|span| one.shift.is_empty() || one.shift == span.shift)
            {
                let day = span.from.div_euclid(DAY_MINUTES);
                for begin in [day, day + 1].map(|day| day * DAY_MINUTES + i64::from(one.at.0)) {
                    let end = begin + i64::from(one.minutes);
                    if begin > span.from && end < span.to {
                        breaks.push((begin, end));
                    }
                }
            }
        }
        breaks.sort_unstable();
        breaks.dedup();
        let mut end = i64::MIN;
        breaks.retain(|(from, to)| {
            let apart = *from > end;
            end = end.max(*to);
            apart
        });
        breaks
    }

    fn first_with<T>(&self, list: impl Fn(&'c Calendar) -> &'c Vec<T>) -> &'c [T] {
        let mut lists = self.chain.iter().map(|one| list(one));
        lists
            .find(|list| !list.is_empty())
            .map_or(&[], Vec::as_slice)
    }
}
