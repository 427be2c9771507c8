//! Mistakes of plant files, each with its place, and the limits.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::event::Vocabulary;
use crate::plant::{Description, to_toml};
use crate::plant::{Level, diff, tests::described};
use proptest::prelude::*;

fn mistakes(text: &str) -> Vec<String> {
    let found = parse(text, "p.toml").err().unwrap_or_default();
    found.iter().map(ToString::to_string).collect()
}

const WHOLE: &str = r#"valid_from = 2026-01-01T01:00:00+01:00
[plant]
id = "PLT-07"
name = "Werk Nord"
time_zone = "europe/berlin"
[[unit]]
id = "body"
level = "Area"
[[unit]]
id = "press-line-1"
level = "production line"
parent = "body"
name = "Press line 1"
[[machine]]
id = "press-3"
in = "press-line-1"
type = "press"
vocabulary = "PackML"
number = 0x11
formerly = ["old-1", "old-2"]
name = "Press 3"
[[machine]]
id = "robot-1"
vocabulary = "MTCONNECT_EXECUTION"
formerly = "arm-1"
[[buffer]]
id = "b1"
in = "body"
capacity = 4
[[flow]]
from = "press-3"
to = "b1"
[[authority]]
machines = "press-*"
aspect = "alarm"
sources = ["gateway-7", "import:*"]
"#;

#[test]
fn a_whole_file_is_read() {
    let file = parse(WHOLE, "p.toml").unwrap();
    assert_eq!(file.plant_id.as_str(), "PLT-07");
    assert_eq!(file.valid_from.unwrap().to_string(), "2026-01-01T00:00:00Z");
    assert_eq!(file.plant.time_zone, "Europe/Berlin");
    assert_eq!(file.units[1].level, Level::ProductionLine);
    assert_eq!(file.units[1].parent.as_ref().unwrap().as_str(), "body");
    let press = &file.machines[0];
    assert_eq!(press.fixed, Some(MachineNumber(17)));
    assert_eq!(press.spec.vocabulary, Vocabulary::PackmlState);
    assert_eq!(press.formerly.len(), 2);
    assert_eq!(
        press.place,
        Place {
            line: 15,
            column: 6
        }
    );
    assert_eq!(file.machines[1].formerly[0].as_str(), "arm-1");
    assert_eq!(
        file.machines[1].spec.vocabulary,
        Vocabulary::MtconnectExecution
    );
    assert_eq!(file.buffers[0].capacity, 4);
    assert_eq!(file.flows.len(), 1);
    assert_eq!(file.authorities[0].sources.len(), 2);
    let bare = parse("plant.id = \"P\"", "p").unwrap();
    assert_eq!(
        (bare.plant.time_zone.as_str(), bare.valid_from),
        ("UTC", None)
    );
}

/// Each is one mistake in a file that is otherwise in order: the text, its line, what is said.
const MISTAKES: &[(&str, usize, &str)] = &[
    (
        "[[machin]]\nid = \"x\"",
        1,
        "unknown key \"machin\" in the file (did you mean \"machine\"?)",
    ),
    (
        "[[buffer]]\nid = \"x\"\ncapasity = 4\ncapacity = 4",
        3,
        "did you mean \"capacity\"?",
    ),
    (
        "[[machine]]\nid = \"x\"\ncolour = 1",
        3,
        "known are id, in, type",
    ),
    (
        "[[machine]]\nid = 5",
        2,
        "id of machine is a whole number (it must be a text in quotes)",
    ),
    (
        "[[machine]]\nid = \"x\"\nnumber = \"7\"",
        3,
        "number of machine is a text",
    ),
    ("[[machine]]\nid = \"x\"\nnumber = -1", 3, "out of range"),
    ("[[machine]]\nid = \"x\"\nnumber = 0", 3, "number 0"),
    (
        "[[machine]]\nid = \"x\"\nnumber = 99999999999",
        3,
        "from 1 to 1000000",
    ),
    (
        "[[machine]]\nid = \"x\"\nnumber = 3",
        3,
        "number 3 is given twice (the machine \"m\" has it)",
    ),
    (
        "[[machine]]\nname = \"x\"",
        1,
        "machine has no id (add id = \"press-3\")",
    ),
    ("[[machine]]\nid = \"ä\"", 2, "holds \"ä\""),
    ("[[machine]]\nid = \"\"", 2, "must not be empty"),
    (
        "[[machine]]\nid = \"b\"",
        2,
        "\"b\" is given twice (the buffer in line 15 has it",
    ),
    (
        "[[unit]]\nid = \"m\"\nlevel = \"other\"",
        2,
        "\"m\" is given twice",
    ),
    (
        "[[machine]]\nid = \"x\"\nin = \"aera\"",
        3,
        "no unit \"aera\" (did you mean \"area\"?)",
    ),
    (
        "[[machine]]\nid = \"x\"\nin = \"m\"",
        3,
        "\"m\" is a machine, nothing lies in a machine",
    ),
    (
        "[[buffer]]\nid = \"x\"\nin = \"b\"\ncapacity = 1",
        3,
        "\"b\" is a buffer",
    ),
    (
        "[[machine]]\nid = \"x\"\nvocabulary = \"latin\"",
        3,
        "unknown vocabulary \"latin\"",
    ),
    (
        "[[machine]]\nid = \"x\"\nvocabulary = \"pacml\"",
        3,
        "did you mean \"packml\"?",
    ),
    (
        "[[machine]]\nid = \"x\"\nformerly = \"m\"",
        3,
        "\"m\" cannot be an old name, a machine has it",
    ),
    (
        "[[machine]]\nid = \"x\"\nformerly = [\"x\"]",
        3,
        "cannot be an old name",
    ),
    (
        "[[machine]]\nid = \"x\"\nformerly = [1]",
        3,
        "a list of texts",
    ),
    ("[[unit]]\nid = \"x\"", 1, "unit has no level"),
    (
        "[[unit]]\nid = \"x\"\nlevel = \"aera\"",
        3,
        "did you mean \"area\"?",
    ),
    (
        "[[unit]]\nid = \"x\"\nlevel = \"area\"\nparent = \"cell\"",
        3,
        "the area \"x\" cannot lie in the cell \"cell\"",
    ),
    (
        "[[unit]]\nid = \"x\"\nlevel = \"line\"\nparent = \"x\"",
        4,
        "circle: x in x",
    ),
    ("[[buffer]]\nid = \"x\"", 1, "buffer has no capacity"),
    ("[[buffer]]\nid = \"x\"\ncapacity = 0", 3, "capacity is 0"),
    (
        "[[buffer]]\nid = \"x\"\ncapacity = 1.5",
        3,
        "a decimal number",
    ),
    ("[[flow]]\nfrom = \"m\"", 1, "flow has no to"),
    (
        "[[flow]]\nfrom = \"m\"\nto = \"bb\"",
        3,
        "no machine or buffer \"bb\" (did you mean \"b\"?)",
    ),
    (
        "[[flow]]\nfrom = \"area\"\nto = \"b\"",
        2,
        "\"area\" is a unit",
    ),
    ("[[flow]]\nfrom = \"m\"\nto = \"m\"", 3, "to itself"),
    (
        "[[flow]]\nfrom = \"m\"\nto = \"b\"\n[[flow]]\nfrom = \"m\"\nto = \"b\"",
        5,
        "declared twice (see line 18)",
    ),
    (
        "[[authority]]\nmachines = \"m\"\naspect = \"stat\"\nsources = [\"s\"]",
        3,
        "did you mean \"state\"?",
    ),
    (
        "[[authority]]\nmachines = \"m\"\naspect = \"alarm_raise\"\nsources = [\"s\"]",
        3,
        "alarm",
    ),
    (
        "[[authority]]\nmachines = \"m\"\nsources = [\"s\"]",
        1,
        "authority has no aspect",
    ),
    (
        "[[authority]]\nmachines = \"m\"\naspect = \"*\"",
        1,
        "authority has no sources",
    ),
    (
        "[[authority]]\nmachines = \"m\"\naspect = \"*\"\nsources = []",
        4,
        "sources has 0 entries",
    ),
    (
        "[[authority]]\nmachines = \"m\"\naspect = \"*\"\nsources = \"s\"",
        4,
        "a list of texts",
    ),
    (
        "[[authority]]\nmachines = \"m\"\naspect = \"*\"\nsources = [\"s#1\"]",
        4,
        "without their epoch",
    ),
    (
        "[[authority]]\nmachines = \"x-*\"\naspect = \"*\"\nsources = [\"s\"]",
        2,
        "\"x-*\" is the name or class of no machine",
    ),
    (
        "[[authority]]\nmachines = \"m\"\naspect = \"*\"\nsources = [\"s\"]\n\
             [[authority]]\nmachines = \"m\"\naspect = \"*\"\nsources = [\"t\"]",
        6,
        "declared twice (see line 18",
    ),
];

#[test]
fn each_mistake_is_told_with_its_place() {
    let base = "[plant]\nid = \"P\"\n[[unit]]\nid = \"area\"\nlevel = \"area\"\n[[unit]]\n\
                id = \"cell\"\nlevel = \"cell\"\nparent = \"area\"\n[[machine]]\nid = \"m\"\n\
                in = \"cell\"\nnumber = 3\n[[buffer]]\nid = \"b\"\ncapacity = 1\n";
    let before = base.lines().count();
    for (body, line, part) in MISTAKES {
        let found = mistakes(&format!("{base}{body}\n"));
        assert_eq!(found.len(), 1, "{body}: {found:?}");
        let place = format!("p.toml:{}:", before + line);
        assert!(
            found[0].starts_with(&place),
            "{body}: {} is not in {place}",
            found[0]
        );
        assert!(found[0].contains(part), "{body}: {} lacks {part}", found[0]);
    }
}

#[test]
fn mistakes_of_the_head_are_told() {
    for (text, place, part) in [
        ("", "1:1", "no [plant]"),
        ("plant = 3", "1:9", "plant is not a table"),
        ("[plant]\nname = \"x\"", "1:1", "plant has no id"),
        ("[plant]\nid = \"a b\"", "2:6", "holds \" \""),
        ("[[plant]]\nid = \"P\"", "1:1", "single brackets"),
        ("machine = 4\nplant.id = \"P\"", "1:11", "write [[machine]]"),
        (
            "machine = [4]\nplant.id = \"P\"",
            "1:12",
            "write [[machine]]",
        ),
        (
            "plant.id = \"P\"\nplant.time_zone = \"Europe/Berlim\"",
            "2:19",
            "did you mean \"Europe/Berlin\"?",
        ),
        (
            "valid_from = 2026-01-01\nplant.id = \"P\"",
            "1:14",
            "is not a time",
        ),
        (
            "valid_from = 7\nplant.id = \"P\"",
            "1:14",
            "valid_from of the file is a whole number",
        ),
        ("plant.id = \"P\"\nx = = 3", "2:5", ""),
        ("plant.id = \"P\"\nplant.id = \"Q\"", "2:7", "duplicate key"),
        ("plant.id = \"P", "1:12", "not closed"),
        ("plant.id = \"P\\\"", "1:12", "not closed"),
        ("plant.id = 'P\n'", "1:12", "not closed"),
        ("plant.id = \"\"\"P\"\"\"", "1:12", "several lines"),
        ("x = [[[[[[[[[", "1:13", "nested too deeply"),
        ("x = a\"[[[[[[[[[", "1:15", "nested too deeply"),
    ] {
        let found = mistakes(text);
        let place = format!("p.toml:{place}: ");
        assert!(
            found[0].starts_with(&place),
            "{text:?}: {found:?} is not in {place}"
        );
        assert!(found[0].contains(part), "{text:?}: {found:?} lacks {part}");
    }
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_the_file() {
    let found = mistakes(
        "[plant]\nid = \"P\"\ntime_zone = \"Mars/Olympus\"\n[[machine]]\nid = \"x y\"\nin = \"nowhere\"\n\
         [[buffer]]\nid = \"b\"\ncapacity = 0\n[[flow]]\nfrom = \"x y\"\nto = \"b\"\n\
         [[unit]]\nid = \"p\"\nlevel = \"line\"\nparent = \"q\"\n\
         [[unit]]\nid = \"q\"\nlevel = \"line\"\nparent = \"r\"\n\
         [[unit]]\nid = \"r\"\nlevel = \"line\"\nparent = \"p\"\n",
    );
    let lines: Vec<&str> = found
        .iter()
        .map(|text| text.split(':').nth(1).unwrap())
        .collect();
    assert_eq!(lines, ["3", "5", "9", "11", "16"], "{found:#?}");
    assert!(found[4].contains("p in q in r in p"), "{}", found[4]);
}

fn large(machines: usize) -> String {
    let mut text = "[plant]\nid = \"P\"\n[[unit]]\nid = \"u0\"\nlevel = \"line\"\n".to_owned();
    for unit in 1..2_000 {
        let parent = unit - 1;
        text += &format!("[[unit]]\nid = \"u{unit}\"\nlevel = \"line\"\nparent = \"u{parent}\"\n");
    }
    for machine in 0..machines {
        let unit = machine % 2_000;
        text += &format!("[[machine]]\nid = \"m{machine}\"\nin = \"u{unit}\"\ntype = \"robot\"\n");
    }
    text + "[[authority]]\nmachines = \"m*\"\naspect = \"*\"\nsources = [\"gateway-*\"]\n"
}

#[test]
fn a_plant_has_at_most_ten_thousand_machines() {
    let file = parse(&large(MACHINES_MAX), "p").unwrap();
    let d = described(&file);
    assert_eq!(d.machines().count(), MACHINES_MAX);
    assert_eq!(diff(&d, &file), Ok(Vec::new()));
    let machine = d.machine_named("m1999").unwrap();
    assert_eq!(d.place(machine.parent.as_ref()).len(), 2_000);
    let text = to_toml(&d, &file.plant_id);
    assert_eq!(described(&parse(&text, "p").unwrap()), d);
    let found = mistakes(&large(MACHINES_MAX + 1));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("10001 machines"), "{found:?}");
}

#[test]
fn a_file_that_is_wrong_throughout_is_refused_in_full() {
    let text = large(5_000)
        .replace("in = \"u", "in = \"w")
        .replace("type", "tipe");
    assert_eq!(mistakes(&text).len(), 10_000);
}

#[test]
fn no_depth_overflows_the_stack() {
    let thread = std::thread::Builder::new().stack_size(1024 * 1024);
    let work = || {
        let path = vec!["a"; 79].join(".");
        for text in [
            "a = ".to_owned() + &"[".repeat(200_000),
            "a = ".to_owned() + &"{a = ".repeat(200_000),
            format!("[{}]", vec!["a"; 200_000].join(".")),
            format!("{} = 1", vec!["a"; 200_000].join(".")),
            format!("[{path}]\na = {}1{}", "[".repeat(7), "]".repeat(7)),
            format!(
                "[{path}]\n{path} = {}1{}",
                format!("{{{path} = ").repeat(8),
                "}".repeat(8)
            ),
            // Brackets in texts and remarks count for nothing.
            "x = [']]]', # ]]]\n".repeat(200_000),
        ] {
            assert!(!mistakes(&text).is_empty());
        }
        let chain: String = (0..UNITS_MAX)
            .map(|i| {
                let next = (i + 1) % UNITS_MAX;
                format!("[[unit]]\nid = \"u{i}\"\nlevel = \"line\"\nparent = \"u{next}\"\n")
            })
            .collect();
        let found = mistakes(&format!("[plant]\nid = \"P\"\n{chain}"));
        assert_eq!(found.len(), 1, "{:?}", &found[..3.min(found.len())]);
        assert!(found[0].contains("in ... in u0"), "{}", found[0]);
    };
    thread.spawn(work).unwrap().join().unwrap();
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,80}") { let _ = parse(&text, "p"); }

    #[test]
    fn no_damage_makes_it_panic(from in 0..WHOLE.len(), length in 0..40_usize, put in "[a-z\\[\\]\"=\n{}0-9 ]{0,6}") {
        // The file is plain ASCII, so that every byte is a place to cut.
        let to = (from + length).min(WHOLE.len());
        let text = format!("{}{put}{}", &WHOLE[..from], &WHOLE[to..]);
        match parse(&text, "p") {
            Ok(file) => { let _ = diff(&Description::default(), &file); }
            Err(found) => prop_assert!(!found.is_empty() && found.iter().all(|m| m.line >= 1)),
        }
    }
}
