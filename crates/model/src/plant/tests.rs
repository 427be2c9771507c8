//! Descriptions, their changes, and the way from file to description and back.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::id::{ElementId, MachineNumber, PlantId};
use proptest::prelude::*;

/// The description that a file makes of an empty plant.
pub(super) fn described(file: &PlantFile) -> Description {
    let mut description = Description::default();
    let changes = diff(&description, file).unwrap();
    apply_all(&mut description, &changes);
    description
}

fn apply_all(description: &mut Description, changes: &[Change]) {
    for change in changes {
        let line = describe(change, description);
        description
            .apply(change)
            .unwrap_or_else(|error| panic!("{line}: {error}"));
    }
}

fn file(body: &str) -> PlantFile {
    let text = format!("[plant]\nid = \"P\"\n{body}");
    parse(&text, "p.toml").unwrap_or_else(|mistakes| panic!("{text}\n{mistakes:?}"))
}

fn id(name: &str) -> ElementId {
    ElementId::new(name).unwrap()
}

fn machine(name: &str, number: u32) -> Machine {
    Machine::new(id(name), MachineNumber(number))
}

fn apply(
    description: &mut Description,
    action: ChangeAction,
    spec: Spec,
) -> Result<(), DescriptionError> {
    let before = description.clone();
    let result = description.apply(&Change { action, spec });
    if result.is_err() {
        assert_eq!(*description, before, "a refused change changed something");
    }
    result
}

#[test]
fn changes_must_fit() {
    use ChangeAction::{Add, Change, Remove, Unspecified};
    let mut d = described(&file(
        "[[unit]]\nid = \"u\"\nlevel = \"area\"\n[[machine]]\nid = \"m\"\n[[machine]]\nid = \"n\"\n\
         [[buffer]]\nid = \"b\"\ncapacity = 1\n[[flow]]\nfrom = \"m\"\nto = \"b\"\n\
         [[authority]]\nmachines = \"m\"\naspect = \"*\"\nsources = [\"s\"]",
    ));
    let unit = |name: &str| Spec::Unit(Unit::new(id(name), Level::Area));
    let buffer = |name: &str| Spec::Buffer(Buffer::new(id(name), 2));
    let flow = |from: &str, to: &str| Spec::Flow(Flow::new(id(from), id(to)));
    let own = |name: &str, number| Spec::Machine(machine(name, number));
    let plant = Spec::Plant(Plant::default());
    let gone = |d: &mut Description| apply(d, Remove, own("n", 2)).unwrap();
    gone(&mut d);
    for (action, spec, part) in [
        (Unspecified, unit("u"), "does not say"),
        (Add, plant, "PLANT \"\" is there already"),
        (Add, unit("u"), "UNIT \"u\" is there already"),
        (Add, unit("m"), "\"m\" belongs to something else"),
        (Add, buffer("u"), "\"u\" belongs to something else"),
        (Change, unit("x"), "no UNIT \"x\""),
        (Remove, unit("m"), "no UNIT \"m\""),
        (Change, buffer("x"), "no BUFFER \"x\""),
        (Add, own("m", 1), "MACHINE \"m\" is there already"),
        (Add, own("x", 1), "number 1 belongs to \"m\""),
        (Add, own("m", 9), "\"m\" belongs to something else"),
        (Add, own("x", 0), "outside 1 to"),
        (Add, own("x", MACHINE_NUMBER_MAX + 1), "outside 1 to"),
        (Add, own("n", 2), "number 2 belonged to \"n\""),
        (Change, own("n", 2), "number 2 belonged to \"n\""),
        (Change, own("x", 9), "no MACHINE \"x (number 9)\""),
        (Change, own("b", 1), "\"b\" belongs to something else"),
        (Remove, own("x", 1), "no MACHINE \"x (number 1)\""),
        (Remove, own("n", 2), "belonged to \"n\""),
        (Add, flow("m", "b"), "FLOW \"m -> b\" is there already"),
        (Remove, flow("b", "m"), "no FLOW \"b -> m\""),
    ] {
        let error = apply(&mut d, action, spec).unwrap_err().to_string();
        assert!(error.contains(part), "{error} lacks {part}");
    }
}

#[test]
fn a_removed_machine_leaves_its_number_and_frees_its_name() {
    let mut d = Description::default();
    for (name, number) in [("a", 1), ("b", 2), ("c", 4)] {
        apply(
            &mut d,
            ChangeAction::Add,
            Spec::Machine(machine(name, number)),
        )
        .unwrap();
    }
    assert_eq!(d.next_machine_number(), MachineNumber(3));
    apply(&mut d, ChangeAction::Remove, Spec::Machine(machine("b", 2))).unwrap();
    assert!(d.is_removed(MachineNumber(2)) && d.machine(MachineNumber(2)).is_none());
    assert!(d.machine_named("b").is_none());
    assert_eq!(
        d.removed().map(|m| m.id.as_str()).collect::<Vec<_>>(),
        ["b"]
    );
    assert_eq!(d.next_machine_number(), MachineNumber(3));
    apply(&mut d, ChangeAction::Add, Spec::Machine(machine("b", 3))).unwrap();
    assert_eq!(d.machine_named("b").unwrap().number, MachineNumber(3));
    assert_eq!(d.next_machine_number(), MachineNumber(5));
    assert_eq!(
        Description::default().next_machine_number(),
        MachineNumber(1)
    );
}

#[test]
fn a_renamed_machine_is_found_by_its_old_names_until_they_are_given_anew() {
    let mut d = Description::default();
    apply(&mut d, ChangeAction::Add, Spec::Machine(machine("a", 1))).unwrap();
    for name in ["b", "c"] {
        apply(
            &mut d,
            ChangeAction::Change,
            Spec::Machine(machine(name, 1)),
        )
        .unwrap();
    }
    for name in ["a", "b", "c"] {
        assert_eq!(d.machine_named(name).unwrap().id, id("c"), "{name}");
    }
    assert_eq!(
        d.machine(MachineNumber(1)).unwrap().aliases,
        [id("a"), id("b")]
    );
    apply(&mut d, ChangeAction::Change, Spec::Machine(machine("a", 1))).unwrap();
    assert_eq!(
        d.machine(MachineNumber(1)).unwrap().aliases,
        [id("b"), id("c")]
    );
    apply(&mut d, ChangeAction::Add, Spec::Machine(machine("b", 2))).unwrap();
    assert_eq!(d.machine_named("b").unwrap().number, MachineNumber(2));
    assert_eq!(d.machine(MachineNumber(1)).unwrap().aliases, [id("c")]);
    apply(&mut d, ChangeAction::Remove, Spec::Machine(machine("a", 1))).unwrap();
    assert!(d.machine_named("c").is_none());
}

#[test]
fn places_run_from_the_top_and_survive_circles() {
    let mut d = described(&file(
        "[[unit]]\nid = \"hall\"\nlevel = \"area\"\n\
         [[unit]]\nid = \"l1\"\nlevel = \"line\"\nparent = \"hall\"\n\
         [[unit]]\nid = \"l2\"\nlevel = \"line\"\nparent = \"l1\"\n\
         [[machine]]\nid = \"m\"\nin = \"l2\"\n[[machine]]\nid = \"n\"",
    ));
    let names = |d: &Description, machine: &str| -> Vec<String> {
        let parent = d.machine_named(machine).unwrap().parent.clone();
        let place = d.place(parent.as_ref());
        place.iter().map(|unit| unit.id.to_string()).collect()
    };
    assert_eq!(names(&d, "m"), ["hall", "l1", "l2"]);
    assert!(names(&d, "n").is_empty());
    let m = d.machine_named("m").unwrap().clone();
    let at = |d: &Description, level| d.place_at(&m, level).map(|unit| unit.id.to_string());
    assert_eq!(at(&d, Level::ProductionLine).as_deref(), Some("l2"));
    assert_eq!(at(&d, Level::Area).as_deref(), Some("hall"));
    assert_eq!(at(&d, Level::WorkCell), None);
    let mut hall = d.unit("hall").unwrap().clone();
    hall.parent = Some(id("l2"));
    apply(&mut d, ChangeAction::Change, Spec::Unit(hall)).unwrap();
    assert_eq!(names(&d, "m"), ["hall", "l1", "l2"]);
}

#[test]
fn changes_read_as_one_line() {
    let before = described(&file(
        "[[unit]]\nid = \"line-1\"\nlevel = \"line\"\n[[unit]]\nid = \"line-2\"\nlevel = \"line\"\n\
         [[machine]]\nid = \"old\"\nin = \"line-1\"\ntype = \"press\"\n[[machine]]\nid = \"gone\"\n\
         [[buffer]]\nid = \"b1\"\ncapacity = 4\n[[flow]]\nfrom = \"old\"\nto = \"b1\"\n\
         [[authority]]\nmachines = \"old\"\naspect = \"state\"\nsources = [\"a\"]",
    ));
    let after = parse(
        "[plant]\nid = \"P\"\nname = \"Works\"\n[[unit]]\nid = \"line-2\"\nlevel = \"cell\"\n\
         [[machine]]\nid = \"press-3\"\nformerly = \"old\"\nin = \"line-2\"\ntype = \"press\"\n\
         vocabulary = \"packml\"\n[[machine]]\nid = \"new\"\nnumber = 17\nin = \"line-2\"\n\
         [[buffer]]\nid = \"b1\"\ncapacity = 6\n[[flow]]\nfrom = \"b1\"\nto = \"new\"\n\
         [[authority]]\nmachines = \"old\"\naspect = \"state\"\nsources = [\"a\", \"import:*\"]\n\
         [[authority]]\nmachines = \"*\"\naspect = \"alarm\"\nsources = [\"g\"]",
        "p",
    )
    .unwrap();
    let mut now = before.clone();
    let mut lines = Vec::new();
    for change in diff(&before, &after).unwrap() {
        lines.push(describe(&change, &now));
        now.apply(&change).unwrap();
    }
    assert_eq!(
        lines,
        [
            "~ plant name \"\" -> \"Works\"",
            "~ unit line-2 level line -> cell",
            "~ machine press-3 (number 1) renamed from old, in line-1 -> line-2, vocabulary none -> packml",
            "+ machine new (number 17) in line-2",
            "~ buffer b1 capacity 4 -> 6",
            "+ flow b1 -> new",
            "~ authority old state sources [a] -> [a, import:*]",
            "+ authority * alarm sources [g]",
            "- flow old -> b1",
            "- machine gone (number 2)",
            "- unit line-1 level line",
        ]
    );
}

#[test]
fn numbers_are_for_ever() {
    let mut d = described(&file(
        "[[machine]]\nid = \"a\"\n[[machine]]\nid = \"b\"\nnumber = 5\n[[machine]]\nid = \"c\"",
    ));
    let number = |d: &Description, name: &str| d.machine_named(name).unwrap().number.get();
    assert_eq!(
        ["a", "b", "c"].map(|name| number(&d, name)),
        [1, 5, 2],
        "new machines take the lowest free numbers in the order of the file"
    );
    let without_c = file("[[machine]]\nid = \"a\"\n[[machine]]\nid = \"b\"");
    let changes = diff(&d, &without_c).unwrap();
    apply_all(&mut d, &changes);
    for (body, part) in [
        (
            "[[machine]]\nid = \"c\"\nnumber = 2",
            "number 2 belonged to \"c\"",
        ),
        (
            "[[machine]]\nid = \"a\"\nnumber = 7",
            "\"a\" has the number 1 for ever",
        ),
        (
            "[[machine]]\nid = \"a\"\n[[machine]]\nid = \"x\"\nnumber = 1",
            "number 1 belongs to \"a\"",
        ),
        (
            "[[machine]]\nid = \"a\"\nformerly = \"b\"",
            "several machines",
        ),
        (
            "[[machine]]\nid = \"x\"\nformerly = [\"a\", \"b\"]",
            "several machines",
        ),
        (
            "[[machine]]\nid = \"x\"\nformerly = \"a\"\n[[machine]]\nid = \"y\"\nnumber = 1",
            "would both be machine 1",
        ),
    ] {
        let mistakes = diff(&d, &file(body)).unwrap_err();
        assert_eq!(mistakes.len(), 1, "{body}: {mistakes:?}");
        let shown = mistakes[0].to_string();
        assert!(
            shown.starts_with("p.toml:") && shown.contains(part),
            "{shown}"
        );
    }
    for (body, names) in [
        ("[[machine]]\nid = \"c\"", [("c", 3)]),
        ("[[machine]]\nid = \"x\"\nnumber = 5", [("x", 5)]),
        ("[[machine]]\nid = \"x\"\nformerly = \"b\"", [("x", 5)]),
        (
            "[[machine]]\nid = \"b\"\nformerly = \"never-heard\"",
            [("b", 5)],
        ),
    ] {
        let mut then = d.clone();
        apply_all(&mut then, &diff(&d, &file(body)).unwrap());
        for (name, wanted) in names {
            assert_eq!(number(&then, name), wanted, "{body}");
        }
    }
}

#[test]
fn units_come_before_what_lies_in_them_and_go_after() {
    let full = file(
        "[[unit]]\nid = \"a\"\nlevel = \"cell\"\nparent = \"b\"\n\
         [[unit]]\nid = \"b\"\nlevel = \"line\"\nparent = \"c\"\n[[unit]]\nid = \"c\"\nlevel = \"area\"\n\
         [[machine]]\nid = \"m\"\nin = \"a\"\n[[flow]]\nfrom = \"m\"\nto = \"s\"\n\
         [[buffer]]\nid = \"s\"\ncapacity = 1\nin = \"a\"",
    );
    let names = |changes: &[Change]| -> String {
        let names = changes.iter().map(|change| match &change.spec {
            Spec::Unit(unit) => unit.id.to_string(),
            Spec::Machine(machine) => machine.id.to_string(),
            Spec::Buffer(buffer) => buffer.id.to_string(),
            Spec::Flow(_) => "->".to_owned(),
            _ => String::new(),
        });
        names.collect::<Vec<_>>().concat()
    };
    assert_eq!(
        names(&diff(&Description::default(), &full).unwrap()),
        "cbams->"
    );
    let d = described(&full);
    assert_eq!(names(&diff(&d, &file("")).unwrap()), "->smabc");
}

#[test]
fn names_pass_from_one_kind_to_another_in_one_step() {
    let before = file(
        "[[machine]]\nid = \"b\"\nnumber = 1\n[[buffer]]\nid = \"c\"\ncapacity = 1\n\
         [[unit]]\nid = \"u\"\nlevel = \"area\"\n[[machine]]\nid = \"m\"\nin = \"u\"",
    );
    // The buffer's name goes to the machine, the machine's to a unit, the unit's to a machine.
    let after = file(
        "[[machine]]\nid = \"c\"\nnumber = 1\n[[unit]]\nid = \"b\"\nlevel = \"area\"\n\
         [[machine]]\nid = \"u\"\nin = \"b\"\n[[buffer]]\nid = \"m\"\ncapacity = 1",
    );
    let mut d = described(&before);
    let changes = diff(&d, &after).unwrap();
    apply_all(&mut d, &changes);
    assert_holds(&d, &after);
    assert_eq!(d.machine_named("c").unwrap().number, MachineNumber(1));
    assert!(d.machine_named("b").is_none(), "a unit has the name now");
    assert_eq!(d.machine_named("u").unwrap().number, MachineNumber(3));
    assert!(d.is_removed(MachineNumber(2)));
    assert_eq!(diff(&d, &after), Ok(Vec::new()));
}

/// What a thing of a random plant is; parents and others are chosen by index.
#[derive(Clone, Debug)]
enum Role {
    Nothing,
    Unit(Option<usize>),
    Machine(Option<usize>, Option<u32>, Option<usize>),
    Buffer(u32),
}

const NAMES: [&str; 7] = ["a", "b", "c", "d", "e", "f", "g"];

fn role() -> impl Strategy<Value = Role> {
    let index = || prop::option::of(0..NAMES.len());
    prop_oneof![
        1 => Just(Role::Nothing),
        1 => index().prop_map(Role::Unit),
        3 => (index(), prop::option::weighted(0.3, 1..9_u32), index())
            .prop_map(|(parent, number, old)| Role::Machine(parent, number, old)),
        1 => (1..4_u32).prop_map(Role::Buffer),
    ]
}

/// A random file, made fit: a parent is a unit further down the list, an old name one not in use.
fn random_file() -> impl Strategy<Value = PlantFile> {
    let flows = prop::collection::btree_set((0..NAMES.len(), 0..NAMES.len()), 0..4);
    let authority = (0..4_usize, 0..3_usize, 1..3_usize);
    let authorities = prop::collection::vec(authority, 0..5);
    let roles = prop::collection::vec(role(), NAMES.len());
    (roles, flows, authorities).prop_map(|(roles, flows, authorities)| {
        let mut text = "[plant]\nid = \"P\"\n".to_owned();
        let parent = |key: &str, own: usize, parent: Option<usize>| {
            let parent = parent.filter(|p| *p > own && matches!(roles[*p], Role::Unit(_)));
            parent.map_or(String::new(), |p| format!("{key} = \"{}\"\n", NAMES[p]))
        };
        let (mut numbers, mut olds) = (Vec::new(), Vec::new());
        for (at, role) in roles.iter().enumerate() {
            let name = NAMES[at];
            match role {
                Role::Nothing => {}
                Role::Unit(above) => {
                    text += &format!("[[unit]]\nid = \"{name}\"\nlevel = \"other\"\n");
                    text += &parent("parent", at, *above);
                }
                Role::Machine(above, number, old) => {
                    text += &format!("[[machine]]\nid = \"{name}\"\n");
                    text += &parent("in", at, *above);
                    if let Some(number) = number.filter(|n| !numbers.contains(n)) {
                        numbers.push(number);
                        text += &format!("number = {number}\n");
                    }
                    let old = old.filter(|old| matches!(roles[*old], Role::Nothing));
                    if let Some(old) = old.filter(|old| !olds.contains(old)) {
                        olds.push(old);
                        text += &format!("formerly = \"{}\"\n", NAMES[old]);
                    }
                }
                Role::Buffer(capacity) => {
                    text += &format!("[[buffer]]\nid = \"{name}\"\ncapacity = {capacity}\n");
                }
            }
        }
        let flows_through = |at: usize| matches!(roles[at], Role::Machine(..) | Role::Buffer(_));
        for (from, to) in flows {
            if from != to && flows_through(from) && flows_through(to) {
                let (from, to) = (NAMES[from], NAMES[to]);
                text += &format!("[[flow]]\nfrom = \"{from}\"\nto = \"{to}\"\n");
            }
        }
        let mut keys = Vec::new();
        let some = roles.iter().any(|role| matches!(role, Role::Machine(..)));
        for (class, aspect, sources) in authorities {
            if some && !keys.contains(&(class, aspect)) {
                keys.push((class, aspect));
                let class = "*".repeat(class + 1);
                let aspect = ["*", "state", "alarm"][aspect];
                let sources = vec!["\"s\""; sources].join(",");
                text += &format!(
                    "[[authority]]\nmachines = \"{class}\"\naspect = \"{aspect}\"\nsources = [{sources}]\n"
                );
            }
        }
        parse(&text, "p").unwrap_or_else(|mistakes| panic!("{text}\n{mistakes:?}"))
    })
}

/// What the file says must be what the description holds.
fn assert_holds(d: &Description, file: &PlantFile) {
    assert_eq!(*d.plant(), file.plant);
    assert_eq!(d.units().count(), file.units.len());
    assert!(file.units.iter().all(|u| d.unit(u.id.as_str()) == Some(u)));
    assert_eq!(d.buffers().count(), file.buffers.len());
    assert!(
        file.buffers
            .iter()
            .all(|b| d.buffer(b.id.as_str()) == Some(b))
    );
    assert_eq!(d.machines().count(), file.machines.len());
    for declared in &file.machines {
        let machine = d.machine_named(declared.spec.id.as_str()).unwrap();
        assert_eq!(machine.id, declared.spec.id);
        assert_eq!(machine.parent, declared.spec.parent);
        assert!(declared.fixed.is_none_or(|number| number == machine.number));
        assert!(
            declared
                .formerly
                .iter()
                .all(|old| machine.aliases.contains(old))
        );
    }
    assert_eq!(d.flows().count(), file.flows.len());
    for flow in &file.flows {
        assert_eq!(d.flow(&flow.from, &flow.to), Some(flow));
    }
    assert!(d.authorities().eq(file.authorities.iter()));
}

/// The description without its tombstones, which files do not carry.
fn without_removed(d: &Description) -> Description {
    let text = to_toml(d, &PlantId::new("P").unwrap());
    described(&parse(&text, "p").unwrap_or_else(|m| panic!("{text}\n{m:?}")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn diffs_lead_to_the_file_and_then_there_is_nothing_to_do(
        files in prop::collection::vec(random_file(), 1..6),
    ) {
        let mut d = Description::default();
        let mut retired = std::collections::BTreeSet::new();
        for file in &files {
            // Numbers that are taken are refused; the next file goes on from what is there.
            let Ok(changes) = diff(&d, file) else { continue };
            apply_all(&mut d, &changes);
            assert_holds(&d, file);
            prop_assert_eq!(diff(&d, file), Ok(Vec::new()));
            let text = to_toml(&d, &file.plant_id);
            prop_assert_eq!(diff(&d, &parse(&text, "p").unwrap()), Ok(Vec::new()), "{}", text);
            let again = without_removed(&d);
            prop_assert!(again.machines().eq(d.machines()) && again.units().eq(d.units()));
            prop_assert!(again.buffers().eq(d.buffers()) && again.flows().eq(d.flows()));
            // Once gone, always gone.
            retired.extend(d.removed().map(|machine| machine.number));
            prop_assert!(retired.iter().all(|number| d.machine(*number).is_none()));
            prop_assert!(retired.iter().all(|number| d.is_removed(*number)));
            let bytes = bincode::serde::encode_to_vec(&d, bincode::config::standard()).unwrap();
            let (back, _): (Description, usize) =
                bincode::serde::decode_from_slice(&bytes, bincode::config::standard()).unwrap();
            prop_assert_eq!(back, d.clone());
        }
    }
}

#[test]
fn examples_are_in_order() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/plants/");
    let read = |name: &str| std::fs::read_to_string(format!("{folder}{name}")).unwrap();
    for (name, machines) in [
        ("test-bed.toml", 9),
        ("body-shop.toml", 24),
        ("assembly.toml", 24),
        ("body-line.toml", 25),
        ("car-plant.toml", 123),
        ("machine-shop.toml", 16),
        ("engine-line.toml", 34),
        ("paint-shop.toml", 19),
    ] {
        let text = read(name);
        let tables = tables_of(&text, name).unwrap();
        let tables: Vec<TableText> = tables
            .into_iter()
            .map(|table| TableText {
                content: read(&table.file_name),
                name: table.name,
                file_name: table.file_name,
            })
            .collect();
        let file = parse_with(&text, name, &tables).unwrap_or_else(|mistakes| {
            let shown: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
            panic!("{}", shown.join("\n"))
        });
        assert_eq!(file.machines.len(), machines, "{name}");
        let d = described(&file);
        assert_holds(&d, &file);
        assert_eq!(without_removed(&d), d, "{name}");
        assert_eq!(d.remarks(), [], "{name}");
    }
}

#[test]
fn what_is_gone_keeps_its_last_name_until_another_has_it() {
    use ChangeAction::{Add, Change, Remove};
    let mut d = described(&file("[[machine]]\nid = \"m\"\n[[machine]]\nid = \"n\""));
    let named = |d: &Description| [1, 2, 3].map(|n| d.name_of(MachineNumber(n)).cloned());
    let mut step = |action, name: &str, number| {
        apply(&mut d, action, Spec::Machine(machine(name, number))).unwrap();
        named(&d)
    };
    let [n, last] = ["n", "last"].map(|name| Some(id(name)));
    assert_eq!(step(Change, "last", 1), [last.clone(), n.clone(), None]);
    assert_eq!(step(Remove, "last", 1), [last.clone(), n.clone(), None]);
    assert_eq!(step(Remove, "n", 2), [last.clone(), n.clone(), None]);
    assert_eq!(step(Add, "n", 3), [last.clone(), None, n.clone()]);
    // Of two that are gone the later one is meant.
    assert_eq!(step(Remove, "n", 3), [last, None, n]);
}
