//! Checks of calendars: parents, shifts that overlap, breaks outside of their shifts.

use super::objects::{Found, Raw};
use super::reader::Reader;
use crate::plant::spec::*;
use std::collections::BTreeMap;

const DAY: u32 = 24 * 60;
const WEEK: u32 = 7 * DAY;

pub(super) fn check(reader: &mut Reader<'_>, raw: &Raw<'_>) {
    let mut all: BTreeMap<&str, &Found<'_, Calendar>> = BTreeMap::new();
    for found in &raw.calendars {
        all.entry(found.value.id.as_str()).or_insert(found);
    }
    for found in &raw.calendars {
        check_parent(reader, &all, found);
        check_overlaps(reader, found);
        check_breaks(reader, &all, found);
        check_exceptions(reader, found);
    }
}

fn check_parent(
    reader: &mut Reader<'_>,
    all: &BTreeMap<&str, &Found<'_, Calendar>>,
    found: &Found<'_, Calendar>,
) {
    let Some(parent) = &found.value.parent else {
        return;
    };
    let at = found.spot("parent");
    if !all.contains_key(parent.as_str()) {
        let what = format!("there is no calendar \"{parent}\"");
        let known = all.keys().copied();
        reader.unknown(
            at,
            what,
            parent.as_str(),
            known,
            "declare it with [[calendar]]",
        );
        return;
    }
    let mut above = found.value.parent.as_ref();
    for _ in 0..=all.len() {
        let Some(name) = above else { return };
        if *name == found.value.id {
            let what = format!("the calendar \"{name}\" is its own parent, directly or by others");
            reader.mistake(at, what, "take one of the parents away");
            return;
        }
        above = all
            .get(name.as_str())
            .and_then(|next| next.value.parent.as_ref());
    }
}

/// How long a shift is, in minutes; one that ends when it begins takes a day.
pub(super) fn minutes(from: TimeOfDay, to: TimeOfDay) -> u32 {
    match to.minutes().saturating_sub(from.minutes()) {
        0 => (DAY + to.minutes()).saturating_sub(from.minutes()),
        length => length,
    }
}

/// Where a shift lies in the week, in minutes after Monday's midnight.
fn spans(shift: &Shift) -> impl Iterator<Item = (u32, u32)> {
    let length = minutes(shift.from, shift.to);
    let days = (0..7).filter(|day| shift.days.has(*day));
    days.map(move |day| (day * DAY + shift.from.minutes(), length))
}

fn overlap((from, length): (u32, u32), (other, other_length): (u32, u32)) -> bool {
    // A week is a circle: Sunday's night shift reaches into Monday.
    let behind = |a: u32, b: u32| (b + WEEK - a) % WEEK;
    behind(from, other) < length || behind(other, from) < other_length
}

fn check_overlaps(reader: &mut Reader<'_>, found: &Found<'_, Calendar>) {
    let calendar = &found.value;
    for (index, shift) in calendar.shifts.iter().enumerate() {
        let at = found.nested("shifts", index);
        if shift.days == Days::default() {
            let what = format!("the shift \"{}\" is on no day", shift.name);
            reader.mistake(at, what, "name its days, such as days = [\"mon\", \"tue\"]");
        }
        let earlier = calendar.shifts.get(..index).unwrap_or_default();
        let clash = earlier
            .iter()
            .find(|other| spans(other).any(|a| spans(shift).any(|b| overlap(a, b))));
        if let Some(other) = clash {
            let what = format!(
                "the shifts \"{}\" and \"{}\" of \"{}\" overlap",
                other.name, shift.name, calendar.id
            );
            reader.mistake(at, what, "let one end when the other begins");
        }
    }
}

/// The shifts of a calendar: its own, else those of the nearest calendar above that has some.
fn shifts_of<'a>(
    all: &BTreeMap<&str, &'a Found<'a, Calendar>>,
    calendar: &'a Calendar,
) -> &'a [Shift] {
    let mut at = Some(calendar);
    for _ in 0..=all.len() {
        let Some(one) = at else { break };
        if !one.shifts.is_empty() {
            return &one.shifts;
        }
        let parent = one.parent.as_ref();
        at = parent
            .and_then(|parent| all.get(parent.as_str()))
            .map(|found| &found.value);
    }
    &[]
}

fn check_breaks(
    reader: &mut Reader<'_>,
    all: &BTreeMap<&str, &Found<'_, Calendar>>,
    found: &Found<'_, Calendar>,
) {
    let shifts = shifts_of(all, &found.value);
    for (index, one) in found.value.breaks.iter().enumerate() {
        let at = found.nested("breaks", index);
        let named = |shift: &&Shift| one.shift.is_empty() || shift.name == one.shift;
        let meant: Vec<&Shift> = shifts.iter().filter(named).collect();
        if meant.is_empty() && !one.shift.is_empty() {
            let what = format!(
                "there is no shift \"{}\" in \"{}\"",
                one.shift, found.value.id
            );
            let known = shifts.iter().map(|shift| shift.name.as_str());
            let otherwise = "breaks are named with a shift of the calendar or of its parents";
            reader.unknown(at, what, &one.shift, known, otherwise);
        } else if !meant.iter().any(|shift| lies_in(one, shift)) {
            let what = match one.shift.as_str() {
                "" => format!("the break at {} lies in no shift", one.at),
                shift => format!(
                    "the break at {} does not lie in the shift \"{shift}\"",
                    one.at
                ),
            };
            reader.mistake(at, what, "a break begins and ends within its shift");
        }
    }
}

fn lies_in(one: &Break, shift: &Shift) -> bool {
    let after = (DAY + one.at.minutes()).saturating_sub(shift.from.minutes()) % DAY;
    after.saturating_add(one.minutes) <= minutes(shift.from, shift.to)
}

fn check_exceptions(reader: &mut Reader<'_>, found: &Found<'_, Calendar>) {
    let mut closed = BTreeMap::new();
    for (index, one) in found.value.exceptions.iter().enumerate() {
        let whole = one.exception_kind == ExceptionKind::Closed && one.from.is_none();
        if whole && closed.insert(one.date, index).is_some() {
            let what = format!("{} is closed twice", one.date);
            reader.mistake(found.nested("exceptions", index), what, "once is enough");
        }
    }
}
