//! Calendars: inheritance, midnight, days of 23 and 25 hours, breaks, exceptions.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::plant::{parse, tests::described};
use proptest::prelude::*;

const PLANT: &str = r#"
[plant]
id = "P"
time_zone = "Europe/Berlin"
calendar = "plant"
[[calendar]]
id = "plant"
shifts = [
  { name = "early", days = ["mon", "tue", "wed", "thu", "fri"], from = "06:00", to = "14:00", team = "A" },
  { name = "late", days = ["mon", "tue", "wed", "thu", "fri"], from = "14:00", to = "22:00" },
]
breaks = [
  { shift = "early", at = "09:00", minutes = 20, machines = "press-*" },
  { shift = "early", at = "09:30", minutes = 20, machines = "robot-*" },
  { at = "18:00", minutes = 30 },
]
exceptions = [
  { date = "2026-12-25", kind = "closed", name = "Christmas" },
  { date = "2026-11-28", kind = "overtime", from = "06:00", to = "12:00", name = "saturday" },
  { date = "2026-11-23", kind = "closed", from = "20:00", to = "22:00", name = "meeting" },
]
[[calendar]]
id = "nights"
parent = "plant"
shifts = [{ name = "night", days = "mon; tue" , from = "22:00", to = "06:00" }]
breaks = [{ at = "02:00", minutes = 45 }]
[[calendar]]
id = "every-night"
shifts = [{ name = "night", days = ["mon","tue","wed","thu","fri","sat","sun"], from = "22:00", to = "06:00" }]
[[unit]]
id = "body"
level = "area"
[[unit]]
id = "line"
level = "line"
parent = "body"
calendar = "nights"
[[unit]]
id = "paint"
level = "area"
calendar = "every-night"
[[machine]]
id = "press-1"
in = "body"
[[machine]]
id = "robot-1"
in = "body"
[[machine]]
id = "m"
in = "line"
[[machine]]
id = "own"
in = "line"
calendar = "every-night"
"#;

fn plant() -> Description {
    let text = PLANT.replace("\"mon; tue\"", "[\"mon\", \"tue\"]");
    described(&parse(&text, "p").unwrap_or_else(|mistakes| panic!("{mistakes:#?}")))
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// What is planned, with times by Berlin's clocks.
fn shown(name: Option<&str>, from: &str, to: &str) -> Vec<String> {
    let table = plant().timetable(name).unwrap();
    let clock = |time: Timestamp| table.zoned(time).strftime("%d %H:%M").to_string();
    let planned = table.planned(at(from), at(to)).unwrap();
    let line = |one: &Planned| {
        let kind = one.kind.name().to_ascii_lowercase();
        format!("{}-{} {kind} {}", clock(one.from), clock(one.to), one.key())
    };
    planned.iter().map(line).collect()
}

#[test]
fn calendars_are_inherited_from_above() {
    let plant = plant();
    for (name, calendar) in [
        (None, "plant"),
        (Some("body"), "plant"),
        (Some("press-1"), "plant"),
        (Some("line"), "nights"),
        (Some("m"), "nights"),
        (Some("own"), "every-night"),
    ] {
        assert_eq!(
            plant
                .timetable(name)
                .unwrap()
                .calendar
                .map(|id| id.to_string())
                .as_deref(),
            Some(calendar)
        );
    }
    let unknown = plant.timetable(Some("nowhere")).unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "there is no unit or machine \"nowhere\""
    );
    let bare = described(&parse("plant.id = \"P\"", "p").unwrap());
    let none = bare.timetable(None).unwrap_err();
    assert_eq!(none.to_string(), "no calendar is declared for the plant");
}

#[test]
fn a_day_has_its_shifts_and_breaks() {
    let day = ("2026-11-24T00:00:00+01:00", "2026-11-25T00:00:00+01:00");
    assert_eq!(
        shown(Some("press-1"), day.0, day.1),
        [
            "24 06:00-24 09:00 shift 2026-11-24/early",
            "24 09:00-24 09:20 break 2026-11-24/early",
            "24 09:20-24 14:00 shift 2026-11-24/early",
            "24 14:00-24 18:00 shift 2026-11-24/late",
            "24 18:00-24 18:30 break 2026-11-24/late",
            "24 18:30-24 22:00 shift 2026-11-24/late",
        ]
    );
    // Staggered: robots pause later, and of the unit as a whole only what all do counts.
    assert!(shown(Some("robot-1"), day.0, day.1)[1].starts_with("24 09:30-24 09:50 break"));
    assert_eq!(shown(Some("body"), day.0, day.1).len(), 4);
    // The ends of the range cut.
    assert_eq!(
        shown(
            None,
            "2026-11-24T17:00:00+01:00",
            "2026-11-24T18:10:00+01:00"
        ),
        [
            "24 17:00-24 18:00 shift 2026-11-24/late",
            "24 18:00-24 18:10 break 2026-11-24/late",
        ]
    );
}

#[test]
fn a_night_shift_belongs_to_the_day_on_which_it_begins() {
    assert_eq!(
        shown(
            Some("m"),
            "2026-11-23T12:00:00+01:00",
            "2026-11-24T12:00:00+01:00"
        ),
        [
            "23 20:00-23 22:00 closed 2026-11-23/meeting",
            "23 22:00-24 02:00 shift 2026-11-23/night",
            "24 02:00-24 02:45 break 2026-11-23/night",
            "24 02:45-24 06:00 shift 2026-11-23/night",
        ]
    );
    let table = plant().timetable(Some("m")).unwrap();
    let day = |text: &str| table.production_day(at(text)).to_string();
    assert_eq!(day("2026-11-24T05:59:00+01:00"), "2026-11-23");
    assert_eq!(day("2026-11-24T06:00:00+01:00"), "2026-11-24");
    // Outside of shifts the day begins at the plant's day_start.
    assert_eq!(day("2026-11-29T05:59:00+01:00"), "2026-11-28");
    assert_eq!(day("2026-11-29T06:00:00+01:00"), "2026-11-29");
    let shift = table.shift_at(at("2026-11-24T02:10:00+01:00")).unwrap();
    assert_eq!(
        (shift.key().as_str(), shift.nanos()),
        ("2026-11-23/night", 8 * HOUR)
    );
    let now = table.at(at("2026-11-24T02:10:00+01:00")).unwrap();
    assert_eq!(now.kind, IntervalKind::Break);
    assert_eq!(table.at(at("2026-11-24T06:00:00+01:00")), None);
    assert_eq!(table.at(at("2026-11-23T21:00:00+01:00")), None);
}

const HOUR: i64 = 3_600 * crate::time::SECOND_NS;

#[test]
fn days_have_23_24_or_25_hours() {
    let table = plant().timetable(Some("paint")).unwrap();
    for (evening, hours) in [
        ("2026-03-27T22:00:00+01:00", 8),
        ("2026-03-28T22:00:00+01:00", 7),
        ("2026-03-29T22:00:00+02:00", 8),
        ("2026-10-24T22:00:00+02:00", 9),
        ("2026-10-25T22:00:00+01:00", 8),
    ] {
        let shift = table.shift_at(at(evening)).unwrap();
        assert_eq!(shift.nanos(), hours * HOUR, "{evening}");
        assert_eq!(shift.from, at(evening));
    }
    let worked = |from: &str, to: &str| -> i64 {
        let planned = table.planned(at(from), at(to)).unwrap();
        planned
            .iter()
            .filter(|one| one.is_worked())
            .map(Planned::nanos)
            .sum()
    };
    // Midnight to midnight of the three sorts of days: two of them lose or gain in the shift.
    assert_eq!(
        worked("2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00"),
        7 * HOUR
    );
    assert_eq!(
        worked("2026-06-29T00:00:00+02:00", "2026-06-30T00:00:00+02:00"),
        8 * HOUR
    );
    assert_eq!(
        worked("2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00"),
        9 * HOUR
    );
}

#[test]
fn exceptions_close_and_add() {
    let day = |day: &str, next: &str| {
        shown(
            None,
            &format!("{day}T00:00:00+01:00"),
            &format!("{next}T00:00:00+01:00"),
        )
    };
    assert_eq!(
        day("2026-12-25", "2026-12-26"),
        ["25 06:00-26 00:00 closed 2026-12-25/Christmas"]
    );
    assert_eq!(
        day("2026-11-28", "2026-11-29"),
        ["28 06:00-28 12:00 overtime 2026-11-28/saturday"]
    );
    assert_eq!(
        day("2026-11-23", "2026-11-24")[1..],
        [
            "23 14:00-23 18:00 shift 2026-11-23/late",
            "23 18:00-23 18:30 break 2026-11-23/late",
            "23 18:30-23 20:00 shift 2026-11-23/late",
            "23 20:00-23 22:00 closed 2026-11-23/meeting",
        ]
    );
    assert_eq!(day("2026-11-29", "2026-11-30"), Vec::<String>::new());
}

#[test]
fn changes_recorded_later_are_laid_over() {
    let table = plant().timetable(None).unwrap();
    let (from, to) = (
        at("2026-11-24T20:00:00+01:00"),
        at("2026-11-25T02:00:00+01:00"),
    );
    let base = table.planned(at("2026-11-24T14:00:00+01:00"), to).unwrap();
    let change = CalendarChanged {
        key: "o".into(),
        from,
        to,
        intervals: vec![crate::event::PlannedInterval {
            from,
            to: at("2026-11-24T23:00:00+01:00"),
            kind: IntervalKind::Overtime,
            name: "rush".into(),
            team: "B".into(),
        }],
        ..CalendarChanged::default()
    };
    let all = table.changed(base, &change);
    let shown: Vec<String> = all
        .iter()
        .map(|one| format!("{} {} {}", table.shown(one.to), one.kind, one.key()))
        .collect();
    assert_eq!(
        shown,
        [
            "2026-11-24T18:00:00+01:00 SHIFT 2026-11-24/late",
            "2026-11-24T18:30:00+01:00 BREAK 2026-11-24/late",
            "2026-11-24T20:00:00+01:00 SHIFT 2026-11-24/late",
            "2026-11-24T23:00:00+01:00 OVERTIME 2026-11-24/rush",
        ]
    );
}

#[test]
fn a_change_is_about_what_it_names_and_what_lies_in_it() {
    let text = "plant.id = \"P\"\n\
         unit = [{ id = \"shop\", level = \"area\" }, { id = \"line\", level = \"line\", parent = \"shop\" }]\n\
         machine = [{ id = \"m1\", in = \"line\", formerly = [\"old\"] }, { id = \"m2\" }]\n";
    let file = parse(text, "p").unwrap();
    let plant = file.to_description().unwrap();
    for (of, concerned) in [
        ("", "plant shop line m1 m2"),
        ("shop", "shop line m1"),
        ("line", "line m1"),
        ("m1", "m1"),
        ("old", "m1"),
        ("nothing", ""),
    ] {
        let change = CalendarChanged {
            unit: of.into(),
            ..CalendarChanged::default()
        };
        let names = ["plant", "shop", "line", "m1", "m2"];
        let found = names.into_iter().filter(|name| {
            let name = Some(*name).filter(|name| *name != "plant");
            plant.is_changed(name, &change)
        });
        assert_eq!(found.collect::<Vec<_>>().join(" "), concerned, "{of}");
    }
}

#[test]
fn ranges_have_a_limit() {
    let table = plant().timetable(None).unwrap();
    let from = at("2026-11-24T00:00:00Z");
    for to in [
        from.plus(-1),
        from.plus((CALENDAR_DAYS_MAX + 1) * 24 * HOUR),
    ] {
        assert_eq!(
            table.planned(from, to),
            Err(CalendarError::Range { from, to })
        );
    }
    assert!(table.planned(from, from).unwrap().is_empty());
}

proptest! {
    #[test]
    fn stretches_do_not_overlap_and_cuts_change_nothing(
        from in 1_767_225_600..1_798_761_600_i64, hours in 1..400_i64, cut in 0..400_i64,
    ) {
        for name in [None, Some("press-1"), Some("m"), Some("paint")] {
            let table = plant().timetable(name).unwrap();
            let from = Timestamp(from * crate::time::SECOND_NS);
            let to = from.plus(hours * HOUR);
            let all = table.planned(from, to).unwrap();
            prop_assert!(all.windows(2).all(|pair| pair[0].to <= pair[1].from), "{all:?}");
            let middle = from.plus(cut.min(hours) * HOUR);
            let (before, after) = (table.planned(from, middle).unwrap(), table.planned(middle, to).unwrap());
            let sum = |list: &[Planned]| -> i64 { list.iter().map(Planned::nanos).sum() };
            prop_assert_eq!(sum(&all), sum(&before) + sum(&after));
            for one in &all {
                let found = table.at(one.from);
                if one.kind != IntervalKind::Closed {
                    let found = found.unwrap();
                    prop_assert_eq!((found.kind, found.key()), (one.kind, one.key()));
                    prop_assert_eq!(table.production_day(one.from), one.day);
                }
            }
        }
    }
}
