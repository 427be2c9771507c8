//! Tables of times as people write them, with the changes of the clocks and the shifts around them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::event::{CalendarChanged, IntervalKind, PlannedInterval};
use crate::plant::{Description, diff, parse};
use crate::time::Timestamp;
use proptest::prelude::*;

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// A Sunday: 2026-11-22 at 15:30 in Berlin.
fn now() -> Timestamp {
    time("2026-11-22T14:30:00Z")
}

fn read(text: &str, zone: &str) -> Result<Timestamp, InstantError> {
    Spoken::read(text)?.time(now(), zone)
}

#[test]
fn times_are_read_in_every_form() {
    let berlin = "Europe/Berlin";
    for (text, zone, expected) in [
        ("now", berlin, "2026-11-22T14:30:00Z"),
        ("NOW", berlin, "2026-11-22T14:30:00Z"),
        ("-2h", berlin, "2026-11-22T12:30:00Z"),
        ("-90min", berlin, "2026-11-22T13:00:00Z"),
        ("-1h30m", berlin, "2026-11-22T13:00:00Z"),
        ("-250ms", berlin, "2026-11-22T14:29:59.75Z"),
        ("-1w", berlin, "2026-11-15T14:30:00Z"),
        ("2026-11-21T06:00:00Z", berlin, "2026-11-21T06:00:00Z"),
        ("2026-11-21T06:00:00+01:00", berlin, "2026-11-21T05:00:00Z"),
        ("2026-11-21T06:00:00-05:00", berlin, "2026-11-21T11:00:00Z"),
        ("2026-11-21 06:00:00Z", berlin, "2026-11-21T06:00:00Z"),
        ("2026-11-21 06:00", berlin, "2026-11-21T05:00:00Z"),
        ("2026-11-21T06:00", berlin, "2026-11-21T05:00:00Z"),
        ("2026-11-21 06:00:30.5", berlin, "2026-11-21T05:00:30.5Z"),
        ("2026-07-21 06:00", berlin, "2026-07-21T04:00:00Z"),
        ("2026-11-21 06:00", "", "2026-11-21T06:00:00Z"),
        ("2026-11-21 06:00", "Asia/Kolkata", "2026-11-21T00:30:00Z"),
        (
            "2026-11-21 06:00 America/Mexico_City",
            berlin,
            "2026-11-21T12:00:00Z",
        ),
        (
            "2026-11-21T06:00[America/Mexico_City]",
            berlin,
            "2026-11-21T12:00:00Z",
        ),
        ("2026-11-21 06:00 UTC", berlin, "2026-11-21T06:00:00Z"),
        ("2026-11-21", berlin, "2026-11-20T23:00:00Z"),
        ("today", berlin, "2026-11-21T23:00:00Z"),
        ("today 14:00", berlin, "2026-11-22T13:00:00Z"),
        ("Today 14:00", "Asia/Shanghai", "2026-11-22T06:00:00Z"),
        ("14:00", berlin, "2026-11-22T13:00:00Z"),
        ("6:05", berlin, "2026-11-22T05:05:00Z"),
        ("yesterday 06:00", berlin, "2026-11-21T05:00:00Z"),
        ("yesterday", berlin, "2026-11-20T23:00:00Z"),
        // It is still Saturday there.
        ("today 01:00", "Pacific/Pago_Pago", "2026-11-22T12:00:00Z"),
        ("monday 06:00", berlin, "2026-11-16T05:00:00Z"),
        ("sat 06:00", berlin, "2026-11-21T05:00:00Z"),
        ("Sunday 06:00", berlin, "2026-11-22T05:00:00Z"),
        // Later than now today: that of a week ago.
        ("sunday 18:00", berlin, "2026-11-15T17:00:00Z"),
    ] {
        assert_eq!(
            read(text, zone).map(|time| time.to_string()),
            Ok(expected.to_owned()),
            "{text}"
        );
    }
}

#[test]
fn what_is_no_time_is_said_to_be_none() {
    for text in [
        "",
        "-",
        "-2",
        "-2x",
        "-1.5h",
        "+2h",
        "yesteday 06:00",
        "yesterday 6",
        "yesterday 25:00",
        "yesterday 06:60",
        "yesterday 06:00:60",
        "yesterday 06:0",
        "yesterday 06:00:0",
        "2026-11-31",
        "2026-11-21T",
        "2026-11-21 06:00 CET",
        "21.11.2026 06:00",
        "17",
        "1.5",
        "shift:",
        "shift:@today",
        "shift:night/@today",
        "shift:night@todai",
        "shifty",
        "Ünow",
    ] {
        let read = read(text, "Europe/Berlin");
        assert!(
            matches!(read, Err(InstantError::Syntax(_))),
            "{text}: {read:?}"
        );
    }
    let said = |text: &str, zone: &str| read(text, zone).unwrap_err().to_string();
    assert!(said("yesteday", "").starts_with("\"yesteday\" is no time; times are 2026-"));
    assert!(said("06:00 Europe/Atlantis", "").contains("no time zone \"Europe/Atlantis\""));
    assert!(said("06:00", "Europe/Atlantis").contains("no time zone"));
    assert!(said("2500-01-01T00:00:00Z", "").contains("1677 to 2262"));
    assert!(said("2500-01-01 06:00", "").contains("1677 to 2262"));
    assert!(said(&"9".repeat(5_000), "").len() < 400);
}

#[test]
fn the_hour_that_comes_twice_and_the_one_that_never_comes_are_errors() {
    let said = |text: &str, zone: &str| read(text, zone).map_err(|error| error.to_string());
    assert_eq!(
        said("2026-10-25 02:30", "Europe/Berlin"),
        Err(
            "the clocks of Europe/Berlin showed \"2026-10-25 02:30\" twice, because they were put \
             back; say which: 2026-10-25T02:30:00+02:00 or 2026-10-25T02:30:00+01:00"
                .to_owned()
        )
    );
    assert_eq!(
        said("2026-03-29 02:30", "Europe/Berlin"),
        Err(
            "the clocks of Europe/Berlin never showed \"2026-03-29 02:30\", because they were put \
             forward; the nearest are 2026-03-29T01:30:00+01:00 and 2026-03-29T03:30:00+02:00"
                .to_owned()
        )
    );
    // Half an hour on Lord Howe, and midnight itself in Santiago.
    assert!(matches!(
        read("2026-04-05 01:45", "Australia/Lord_Howe"),
        Err(InstantError::Twice { .. })
    ));
    assert!(matches!(
        read("2026-09-06", "America/Santiago"),
        Err(InstantError::Skipped { .. })
    ));
    for (text, expected) in [
        ("2026-10-25 01:59:59.999", "2026-10-24T23:59:59.999Z"),
        ("2026-10-25 03:00", "2026-10-25T02:00:00Z"),
        ("2026-03-29 01:59", "2026-03-29T00:59:00Z"),
        ("2026-03-29 03:00", "2026-03-29T01:00:00Z"),
        // With its offset each is one instant.
        ("2026-10-25T02:30:00+02:00", "2026-10-25T00:30:00Z"),
        ("2026-10-25T02:30:00+01:00", "2026-10-25T01:30:00Z"),
    ] {
        assert_eq!(said(text, "Europe/Berlin"), Ok(time(expected)), "{text}");
    }
}

fn plant() -> Description {
    let text = r#"
        [plant]
        id = "P"
        time_zone = "Europe/Berlin"
        calendar = "three"
        [[calendar]]
        id = "three"
        shifts = [
            { name = "early", from = "06:00", to = "14:00", days = ["mon", "tue", "wed", "thu", "fri"] },
            { name = "late", from = "14:00", to = "22:00", days = ["mon", "tue", "wed", "thu", "fri"] },
            { name = "night", from = "22:00", to = "06:00", days = ["mon", "tue", "wed", "thu", "fri"] },
        ]
        breaks = [{ shift = "early", at = "09:00", minutes = 15 }]
        [[unit]]
        id = "press-line"
        level = "line"
        calendar = "one"
        [[calendar]]
        id = "one"
        shifts = [{ name = "day", from = "07:00", to = "15:30", days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] }]
    "#;
    let file = parse(text, "p.toml").unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
    let mut description = Description::default();
    for change in diff(&description, &file).unwrap() {
        description.apply(&change).unwrap();
    }
    description
}

fn find(
    text: &str,
    now: Timestamp,
    changes: &[CalendarChanged<'_>],
) -> Result<Timestamp, InstantError> {
    let Spoken::Shift(shift) = Spoken::read(text).unwrap() else {
        panic!("{text} is no shift");
    };
    let plant = plant();
    let table = plant.timetable(shift.unit.as_deref())?;
    shift.find(now, &table, changes)
}

#[test]
fn shifts_are_found_in_the_calendar() {
    // 2026-11-20 is a Friday; now is Sunday.
    for (text, expected) in [
        ("shift:early@2026-11-20", "2026-11-20T05:00:00Z"),
        ("shift:early@2026-11-20..begin", "2026-11-20T05:00:00Z"),
        ("shift:early@2026-11-20..end", "2026-11-20T13:00:00Z"),
        ("shift:night@2026-11-20", "2026-11-20T21:00:00Z"),
        ("shift:night@2026-11-20..end", "2026-11-21T05:00:00Z"),
        ("shift:night@friday", "2026-11-20T21:00:00Z"),
        ("shift:night", "2026-11-20T21:00:00Z"),
        ("shift:night..end", "2026-11-21T05:00:00Z"),
        ("shift:day/press-line@today", "2026-11-22T06:00:00Z"),
        (
            "shift:day/press-line@yesterday..end",
            "2026-11-21T14:30:00Z",
        ),
        // The night in which the clocks are put back lasts nine hours.
        ("shift:night@2026-10-23", "2026-10-23T20:00:00Z"),
        (
            "shift:day/press-line@2026-10-25..end",
            "2026-10-25T14:30:00Z",
        ),
    ] {
        assert_eq!(find(text, now(), &[]), Ok(time(expected)), "{text}");
    }
    let at_work = time("2026-11-20T09:00:00Z");
    assert_eq!(
        find("shift", at_work, &[]),
        Ok(time("2026-11-20T05:00:00Z"))
    );
    assert_eq!(
        find("shift..end", at_work, &[]),
        Ok(time("2026-11-20T13:00:00Z"))
    );
    // In the small hours the shift of the day before is worked.
    let at_night = time("2026-11-20T02:00:00Z");
    assert_eq!(
        find("shift", at_night, &[]),
        Ok(time("2026-11-19T21:00:00Z"))
    );
    assert_eq!(
        find("shift:night@today", at_night, &[]),
        Ok(time("2026-11-19T21:00:00Z"))
    );
}

#[test]
fn what_was_reported_of_the_calendar_is_laid_over_it() {
    let change = CalendarChanged {
        key: "swap".into(),
        from: time("2026-11-21T05:00:00Z"),
        to: time("2026-11-21T13:00:00Z"),
        intervals: vec![PlannedInterval {
            from: time("2026-11-21T06:00:00Z"),
            to: time("2026-11-21T12:00:00Z"),
            kind: IntervalKind::Overtime,
            name: "extra".into(),
            team: "".into(),
        }],
        ..CalendarChanged::default()
    };
    assert!(find("shift:extra@2026-11-21", now(), &[]).is_err());
    let found = |text| find(text, now(), std::slice::from_ref(&change));
    assert_eq!(
        found("shift:extra@2026-11-21"),
        Ok(time("2026-11-21T06:00:00Z"))
    );
    assert_eq!(
        found("shift:extra@yesterday..end"),
        Ok(time("2026-11-21T12:00:00Z"))
    );
}

#[test]
fn a_shift_that_is_not_there_is_answered_with_the_nearest() {
    let said = |text: &str| find(text, now(), &[]).unwrap_err().to_string();
    for (text, expected) in [
        (
            "shift:nigth@2026-11-20",
            "the calendar of the plant has no shift \"nigth\"; did you mean \"night\"?",
        ),
        (
            "shift:weekend@2026-11-20",
            "the calendar of the plant has no shift \"weekend\"; there are early, late, night",
        ),
        (
            "shift:early/press-line@2026-11-20",
            "the calendar of \"press-line\" has no shift \"early\"; there are day",
        ),
        (
            "shift:night@2026-11-22",
            "no shift \"night\" begins on the production day 2026-11-22; the nearest is shift:night@2026-11-23",
        ),
        (
            "shift:night@saturday",
            "no shift \"night\" begins on the production day 2026-11-21; the nearest is shift:night@2026-11-20",
        ),
        (
            "shift",
            "no shift is worked at 2026-11-22T15:30:00+01:00; name one with its day, such as shift:early@yesterday",
        ),
        (
            "shift:early/nowhere",
            "there is no unit or machine \"nowhere\"",
        ),
        (
            "shift:early@1969-12-31",
            "the time \"shift:early@1969-12-31\" is outside the years 1677 to 2262",
        ),
    ] {
        assert_eq!(said(text), expected, "{text}");
    }
    let shift = Spoken::read("shift:night@2026-11-20").unwrap();
    assert!(matches!(
        shift.time(now(), ""),
        Err(InstantError::ShiftOfMany(_))
    ));
}

#[test]
fn durations_are_exact() {
    for (text, seconds) in [
        ("90s", Some(90)),
        ("90min", Some(5_400)),
        ("1h30m", Some(5_400)),
        ("2d", Some(172_800)),
        ("1w", Some(604_800)),
        ("0s", Some(0)),
        ("", None),
        ("5", None),
        ("h", None),
        ("5 s", None),
        ("99999999999999999999s", None),
        ("300000d", None),
    ] {
        assert_eq!(
            duration_ns(text),
            seconds.map(|s: i64| s * 1_000_000_000),
            "{text}"
        );
    }
}

proptest! {
    /// Whatever is written, nobody falls over it; and a time that is shown is read as itself.
    #[test]
    fn anything_is_read_or_refused(text in "\\PC{0,40}", zone in "(Europe/Berlin|UTC|Asia/Kolkata|)") {
        let _ = read(&text, &zone);
        let _ = read(&format!("shift:{text}"), &zone);
        let _ = read(&format!("2026-10-25 {text}"), &zone);
    }

    /// What clocks show is one instant, two, or none, and with its offset it is always one.
    #[test]
    fn clocks_and_offsets_agree(minutes in 0_i64..527_040) {
        let at = Timestamp(time("2026-01-01T00:00:00Z").nanos() + minutes * 60_000_000_000);
        let clocks = jiff::tz::TimeZoneDatabase::bundled().get("Europe/Berlin").unwrap();
        let zoned = jiff::Timestamp::from_nanosecond(i128::from(at.nanos())).unwrap().to_zoned(clocks);
        let shown = zoned.strftime("%Y-%m-%d %H:%M").to_string();
        let offset = zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
        prop_assert_eq!(read(&offset, "UTC"), Ok(at));
        match read(&shown, "Europe/Berlin") {
            Ok(found) => prop_assert_eq!(found, at),
            Err(InstantError::Twice { first, second, .. }) => {
                prop_assert!(offset == first || offset == second, "{} {} {}", offset, first, second);
            }
            Err(other) => prop_assert!(false, "{}: {}", shown, other),
        }
    }
}
