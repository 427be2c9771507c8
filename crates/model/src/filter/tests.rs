//! Tables of filters and orders, and the promise that no text makes them panic.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::time::Timestamp;
use proptest::prelude::*;
use std::cmp::Ordering;

const FIELDS: FieldList = FieldList::new(&[
    field("name", FieldKind::Text),
    field("state", FieldKind::Word),
    field("number", FieldKind::Number),
    field("stale", FieldKind::Bool),
    field("since", FieldKind::Time),
    field("area", FieldKind::Text),
    // A word of SQL on purpose.
    field("position", FieldKind::Number),
]);

const fn field(name: &'static str, kind: FieldKind) -> Field {
    Field {
        name,
        kind,
        meaning: "a field",
    }
}

struct Cells([Value<'static>; 7]);

impl Row for Cells {
    fn value(&self, field: usize) -> Value<'_> {
        self.0.get(field).map_or(Value::Null, Value::borrowed)
    }
}

fn press() -> Cells {
    Cells([
        Value::Text("press-3".into()),
        Value::Text("HELD".into()),
        Value::Int(17),
        Value::Bool(false),
        Value::Time(Timestamp::parse("2026-11-22T06:00:00Z").unwrap()),
        Value::Null,
        Value::Float(2.5),
    ])
}

fn parse(text: &str) -> Filter {
    Filter::parse(text, &FIELDS).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn what_may_match_is_what_some_row_with_the_same_fixed_fields_does() {
    // `name`, `number` and `area` are fixed: press-3, 17 and none.
    let fixed = |field: usize| [0, 2, 5].contains(&field);
    let states = ["HELD", "IDLE"].map(|one| Value::Text(one.into()));
    let mut rows = Vec::new();
    for state in states.into_iter().chain([Value::Null]) {
        for stale in [Value::Bool(true), Value::Bool(false), Value::Null] {
            let mut row = press();
            row.0[1] = state.clone();
            row.0[3] = stale;
            rows.push(row);
        }
    }
    for (text, may) in [
        ("", true),
        ("name = 'press-3'", true),
        ("name = 'press-4'", false),
        ("state = 'HELD'", true),
        ("NOT state = 'HELD'", true),
        ("state = 'HELD' AND name = 'press-4'", false),
        ("state = 'HELD' OR name = 'press-4'", true),
        ("NOT (state = 'HELD' OR name = 'press-3')", false),
        ("NOT (state = 'HELD' AND name = 'press-4')", true),
        ("area = 'body' AND state = 'HELD'", false),
        ("NOT (area = 'body') AND state = 'HELD'", false),
        ("area IS NULL AND stale", true),
        ("area IS NOT NULL AND stale", false),
        ("number IN (1, 2) OR number = 17 AND NOT stale", true),
        ("number BETWEEN 1 AND 16 AND state LIKE 'H%'", false),
        ("state = 'HELD' AND state = 'IDLE'", true),
    ] {
        let filter = parse(text);
        let any = rows.iter().any(|row| filter.matches(row));
        for row in &rows {
            assert_eq!(filter.may_match(row, &fixed), may, "{text}");
        }
        // Two tests of one field are taken apart, so that more may match than does.
        assert!(may || !any, "{text}");
        assert!(any || !may || text.contains("state = 'IDLE'"), "{text}");
    }
}

#[test]
fn conditions_decide_as_sql_does() {
    for (text, fits) in [
        ("", true),
        ("  ", true),
        ("name = 'press-3'", true),
        ("name = 'PRESS-3'", false),
        ("NAME = 'press-3'", true),
        ("\"name\" = 'press-3'", true),
        ("'press-3' = name", true),
        ("name <> 'press-4'", true),
        ("name != 'press-3'", false),
        ("name < 'press-4' and name > 'press-2'", true),
        ("state = 'held'", true),
        ("state <> 'held'", false),
        ("state IN ('Stopped', 'Held')", true),
        ("state not in ('Stopped', 'Held')", false),
        ("name IN ('PRESS-3')", false),
        ("number = 17", true),
        ("number = 17.0", true),
        ("number > -1", true),
        ("number >= 17.5", false),
        ("18 > number", true),
        ("17 < number", false),
        ("number <= 17 and number >= 17", true),
        ("position > 2 and position < 3", true),
        ("position between 2 and 3", true),
        ("position NOT BETWEEN 2 AND 3", false),
        ("number between 18 and 20", false),
        ("number = position", false),
        ("number > position", true),
        ("stale", false),
        ("not stale", true),
        ("stale = false", true),
        ("stale <> TRUE", true),
        ("TRUE", true),
        ("since = '2026-11-22T07:00:00+01:00'", true),
        ("since >= '2026-11-22T06:00:00Z'", true),
        ("since < '2026-11-22T06:00:00Z'", false),
        (
            "since between '2026-01-01T00:00:00Z' and '2027-01-01T00:00:00Z'",
            true,
        ),
        ("name like 'press-%'", true),
        ("name like 'PRESS-%'", false),
        ("name ilike 'PRESS-_'", true),
        ("state like 'h%'", true),
        ("name not like '%-3'", false),
        ("name not ilike 'robot%'", true),
        ("name like 'press!-3' escape '!'", true),
        ("name like 'press!_3' escape '!'", false),
        ("number = 1 or number = 17 and name = 'x'", false),
        ("(number = 17 or number = 1) and not (name = 'x')", true),
        ("NOT number = 1 AND NOT NOT number = 17", true),
        ("name = 'it''s' or number = 17", true),
        ("number = 17 -- a remark", true),
        ("number\n=\n17", true),
    ] {
        assert_eq!(parse(text).matches(&press()), fits, "{text}");
    }
}

#[test]
fn a_missing_value_is_neither_true_nor_false() {
    for (text, fits) in [
        ("area = 'x'", false),
        ("area <> 'x'", false),
        ("not area = 'x'", false),
        ("area like '%'", false),
        ("area not like '%'", false),
        ("area in ('x')", false),
        ("area not in ('x')", false),
        ("area between 'a' and 'z'", false),
        ("area not between 'a' and 'z'", false),
        ("area = name", false),
        ("area is null", true),
        ("area is not null", false),
        ("name is null", false),
        ("name is not null", true),
        ("area = 'x' or number = 17", true),
        ("not (area = 'x' and number = 1)", true),
        ("not (area = 'x' or number = 1)", false),
        ("not (area = 'x' and number = 17)", false),
    ] {
        assert_eq!(parse(text).matches(&press()), fits, "{text}");
    }
    let odd = Cells([const { Value::Null }; 7]);
    assert!(!parse("stale or not stale").matches(&odd));
    // A value of another kind than the field's counts as none.
    let odd = Cells([const { Value::Bool(true) }; 7]);
    assert!(!parse("name = 'x' or not name = 'x' or number < 5 or number >= 5").matches(&odd));
    let odd = Cells([const { Value::Float(f64::NAN) }; 7]);
    assert!(parse("number is null").matches(&odd));
}

/// A text that is no filter, and what the error says.
const ERRORS: &[(&str, &[&str])] = &[
    (
        "stat = 'x'",
        &[
            "\"stat\"",
            "column 1",
            "did you mean \"state\"?",
            "name, state",
        ],
    ),
    (
        "number = 1\nAND colour = 'x'",
        &["\"colour\"", "line 2, column 5"],
    ),
    (
        "state = EXECUTING",
        &["\"EXECUTING\"", "single quotes: 'EXECUTING'"],
    ),
    ("state = \"HELD\"", &["single quotes: 'HELD'"]),
    ("number = '17'", &["\"number\"", "number without quotes"]),
    ("name = 17", &["\"name\"", "single quotes"]),
    (
        "since > 'yesterday'",
        &["\"since\"", "'yesterday'", "2026-11-22T06:00:00Z"],
    ),
    ("stale = 'true'", &["TRUE or FALSE"]),
    ("stale > 1", &["TRUE or FALSE"]),
    ("number = since", &["\"number\"", "the time \"since\""]),
    ("name", &["\"name\"", "not a condition"]),
    ("'x'", &["'x'", "not a condition"]),
    ("1 = 1", &["fixed values"]),
    ("name = NULL", &["IS NULL"]),
    ("name in ('a', NULL)", &["IS NULL"]),
    ("name in (area)", &["values, not fields", "\"area\""]),
    ("name in ()", &["not well-formed"]),
    ("'x' in ('x')", &["before IN"]),
    ("number like '1%'", &["\"number\"", "pattern"]),
    ("name like area", &["after LIKE"]),
    ("name like 'a!' escape '!'", &["ends with its escape"]),
    ("name like 'a' escape '!!'", &["one character"]),
    ("lower(name) = 'x'", &["function \"lower\"", "column 1"]),
    ("name = upper('x')", &["function \"upper\"", "column 8"]),
    ("position('x' in name) = 1", &["function \"position\""]),
    ("number + 1 = 2", &["arithmetic", "column 8"]),
    ("number -1 = 2", &["arithmetic"]),
    ("number * 2 = 2", &["arithmetic"]),
    ("name in (select name)", &["SELECT"]),
    ("exists (select 1)", &["function \"exists\""]),
    ("case when stale then 1 end = 1", &["CASE"]),
    ("a.name = 'x'", &["\"a\""]),
    ("name.area = 'x'", &["names with a dot"]),
    ("name == 'x'", &["write \"=\""]),
    ("name = 'x'; drop", &["second statement"]),
    ("name = $1", &["\"$1\""]),
    ("name = N'x'", &["column 8"]),
    ("stale is true", &["never a condition"]),
    ("(stale and stale) = true", &["never a condition"]),
    ("name = name = name", &["never a condition"]),
    ("number = 1e999", &["1e999", "out of range"]),
    ("name = 'x", &["not well-formed", "column 8"]),
    ("name =", &["not well-formed", "the end"]),
    ("(name = 'x'", &["not well-formed"]),
    ("name = 'x')", &["left over", "column 11"]),
    ("name 'x'", &["left over", "column 6"]),
    ("and", &["no field \"and\""]),
];

#[test]
fn errors_name_what_and_where() {
    for (text, parts) in ERRORS {
        let error = Filter::parse(text, &FIELDS).err();
        let error = error
            .unwrap_or_else(|| panic!("{text} is no error"))
            .to_string();
        for part in *parts {
            assert!(error.contains(part), "{text}: {error} lacks {part}");
        }
    }
}

/// A small stack shows what a big one hides.
fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(1024 * 1024);
    thread.spawn(work).unwrap().join().unwrap();
}

#[test]
fn depth_is_an_error_and_never_an_overflow() {
    on_a_small_stack(|| {
        for text in ["(".repeat(100_000), "NOT ".repeat(100_000)] {
            assert!(matches!(
                Filter::parse(&text, &FIELDS),
                Err(FilterError::TooLong { .. })
            ));
        }
        for text in [
            "(".repeat(8_000),
            "NOT ".repeat(2_000),
            "not(".repeat(2_000),
            format!("{}stale{}", "(".repeat(4_000), ")".repeat(4_000)),
            format!("{}stale", "NOT ".repeat(2_000)),
        ] {
            let error = Filter::parse(&text, &FIELDS).unwrap_err();
            assert!(matches!(error, FilterError::TooDeep { .. }), "{error}");
        }
        for text in [
            format!("{}stale", "stale=".repeat(1_300)),
            format!("1{}", "=1".repeat(4_000)),
            format!("stale {}", "IS NULL ".repeat(1_000)),
            format!("name {}", "LIKE 'a' ".repeat(900)),
            format!("name {}", "IN ('') ".repeat(1_000)),
            format!("number {}", "between 1 and 1 ".repeat(500)),
            "-".repeat(8_000),
            "'".repeat(8_001),
        ] {
            assert!(Filter::parse(&text, &FIELDS).is_err(), "{}", &text[..20]);
        }
        let flat = format!("{}stale", "stale OR ".repeat(900));
        assert!(!parse(&flat).matches(&press()));
        let flat = format!("{}stale", "stale OR NOT stale AND ".repeat(300));
        assert!(!parse(&flat).matches(&press()));
        for open in ["(", "NOT (", "stale AND (", "NOT NOT ("] {
            let levels = FILTER_DEPTH_MAX / open.split(' ').count().clamp(1, 3);
            let deep = format!("{}stale{}", open.repeat(levels), ")".repeat(levels));
            let _ = parse(&deep).matches(&press());
        }
        let deep = format!("{}stale", "NOT ".repeat(FILTER_DEPTH_MAX));
        assert!(!parse(&deep).matches(&press()));
    });
}

#[test]
fn orders_put_missing_values_last() {
    let row = |name: &str, number: Option<i64>, state: &str| {
        let mut row = Cells([const { Value::Null }; 7]);
        row.0[0] = Value::Text(name.to_owned().into());
        row.0[1] = Value::Text(state.to_owned().into());
        row.0[2] = number.map_or(Value::Null, Value::Int);
        row
    };
    let (a, b, none) = (
        row("a", Some(2), "held"),
        row("b", Some(10), "HELD"),
        row("c", None, "idle"),
    );
    for (text, first, second, order) in [
        ("", &a, &b, Ordering::Equal),
        ("name", &a, &b, Ordering::Less),
        ("name desc", &a, &b, Ordering::Greater),
        ("NAME DESC", &a, &b, Ordering::Greater),
        ("\"name\" asc", &a, &b, Ordering::Less),
        ("number", &a, &b, Ordering::Less),
        ("number", &a, &none, Ordering::Less),
        ("number desc", &a, &none, Ordering::Less),
        ("number desc", &none, &a, Ordering::Greater),
        ("state", &a, &b, Ordering::Equal),
        ("state, name desc", &a, &b, Ordering::Greater),
        ("state desc, name", &a, &none, Ordering::Greater),
        ("area, name", &a, &b, Ordering::Less),
    ] {
        let found = OrderBy::parse(text, &FIELDS)
            .unwrap()
            .compare(first, second);
        assert_eq!(found, order, "{text}");
    }
    for (text, part) in [
        ("nmae", "did you mean \"name\"?"),
        ("name, ", "missing in the order at column 7"),
        (",", "missing"),
        ("name up", "not \"up\""),
        ("name desc now", "not \"now\""),
        ("name, state, name", "twice"),
        ("name; state", "\"name;\""),
    ] {
        let error = OrderBy::parse(text, &FIELDS).unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
    assert!(OrderBy::parse(&"a".repeat(9_000), &FIELDS).is_err());
}

fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "name",
        "state",
        "number",
        "stale",
        "since",
        "area",
        "position",
        "x",
        "=",
        "<>",
        "<",
        ">=",
        "(",
        ")",
        ",",
        "AND",
        "OR",
        "NOT",
        "IN",
        "LIKE",
        "ILIKE",
        "ESCAPE",
        "BETWEEN",
        "IS",
        "NULL",
        "TRUE",
        "'a'",
        "'%'",
        "1",
        "-",
        "2.5",
        "\"",
        "'",
        "--",
        "/*",
        "$",
        ".",
        ";",
        "SELECT",
        "CASE",
        "INTERVAL",
        "'2026-11-22T06:00:00Z'",
        "\n",
        "\u{e4}",
    ])
}

#[test]
fn a_filter_tells_which_fields_it_asks_for() {
    let names = |text: &str| -> Vec<&str> {
        let fields = parse(text).fields();
        let named = fields.iter().map(|index| FIELDS.fields()[*index].name);
        named.collect()
    };
    let all: Vec<&str> = FIELDS.fields().iter().map(|field| field.name).collect();
    assert_eq!(names(""), Vec::<&str>::new());
    for name in all {
        assert_eq!(names(&format!("NOT ({name} IS NULL)")), [name]);
        assert_eq!(
            names(&format!("number = 1 OR {name} IS NULL")).len(),
            if name == "number" { 1 } else { 2 }
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,60}") {
        if let Ok(filter) = Filter::parse(&text, &FIELDS) { let _ = filter.matches(&press()); }
        let _ = OrderBy::parse(&text, &FIELDS);
    }

    #[test]
    fn no_sequence_of_words_makes_it_panic(pieces in prop::collection::vec(piece(), 0..14)) {
        let text = pieces.join(" ");
        if let Ok(filter) = Filter::parse(&text, &FIELDS) { let _ = filter.matches(&press()); }
        let _ = OrderBy::parse(&text, &FIELDS);
    }

    #[test]
    fn negation_swaps_and_unknown_stays(number in -3_i64..3, limit in -3_i64..3) {
        let mut row = press();
        row.0[2] = Value::Int(number);
        for (op, truth) in [("=", number == limit), ("<>", number != limit), ("<", number < limit),
            ("<=", number <= limit), (">", number > limit), (">=", number >= limit)] {
            prop_assert_eq!(parse(&format!("number {op} {limit}")).matches(&row), truth);
            prop_assert_eq!(parse(&format!("NOT number {op} {limit}")).matches(&row), !truth);
        }
    }
}
