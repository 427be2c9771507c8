//! Mistakes of products, routings, carriers, crews, calendars and tables, each with its place.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::plant::tests::described;
use crate::plant::{diff, to_toml};

const BASE: &str = r#"[plant]
id = "P"
[[unit]]
id = "line"
level = "line"
[[unit]]
id = "other"
level = "line"
[[machine]]
id = "m1"
in = "line"
[[machine]]
id = "m2"
in = "line"
[[machine]]
id = "far"
in = "other"
[[buffer]]
id = "b"
capacity = 4
[[flow]]
from = "m1"
to = "b"
[[flow]]
from = "b"
to = "m2"
[[flow]]
from = "far"
to = "m1"
[[product]]
id = "p"
[[product]]
id = "q"
[[variant]]
id = "red"
product = "p"
attributes = ["colour=red"]
[[calendar]]
id = "day"
shifts = [{ name = "early", days = ["mon"], from = "06:00", to = "14:00" }]
"#;

/// Each is one mistake in a file that is otherwise in order: the text, its line, what is said.
const MISTAKES: &[(&str, usize, &str)] = &[
    (
        "[[machine]]\nid = \"x\"\nrole = \"noed\"",
        3,
        "unknown role \"noed\" (did you mean \"node\"?)",
    ),
    (
        "[[unit]]\nid = \"x\"\nlevel = \"line\"\ntakt_s = 0",
        4,
        "takt_s is 0",
    ),
    (
        "[[crew]]\nid = \"x\"\nsize = 1\nskills = [\"we\\u001bld\"]",
        4,
        "skills holds the control character '\\u{1b}'",
    ),
    (
        "[[machine]]\nid = \"x\"\nrole = \"resource\"",
        3,
        "a resource, but of no node",
    ),
    (
        "[[machine]]\nid = \"x\"\nnode = \"m3\"",
        3,
        "no machine \"m3\" (did you mean",
    ),
    (
        "[[machine]]\nid = \"x\"\nrole = \"node\"\nnode = \"m1\"",
        3,
        "but is no resource",
    ),
    (
        "[[machine]]\nid = \"x\"\nstop_groups = [\"zone\"]",
        3,
        "no stop group \"zone\"",
    ),
    ("[[machine]]\nid = \"x\"\nslots = 0", 3, "slots is 0"),
    (
        "[[machine]]\nid = \"x\"\ncycle_s = -4",
        3,
        "cycle_s = -4 is out of range",
    ),
    (
        "[[machine]]\nid = \"x\"\ncycle_s = 0.0005",
        3,
        "whole milliseconds",
    ),
    (
        "[[machine]]\nid = \"x\"\ncycle_s = 1\ncycle_ms = 1",
        4,
        "both cycle_s and cycle_ms",
    ),
    (
        "[[machine]]\nid = \"x\"\ncycle_m = 1",
        3,
        "did you mean \"cycle_",
    ),
    (
        "[[machine]]\nid = \"x\"\ncalendar = \"dya\"",
        3,
        "no calendar \"dya\" (did you mean \"day\"?)",
    ),
    (
        "[[unit]]\nid = \"x\"\nlevel = \"line\"\nconstraint = \"m1\"",
        4,
        "does not lie in \"x\"",
    ),
    (
        "[[flow]]\nfrom = \"m2\"\nto = \"far\"\nshare = 1.5",
        4,
        "more than all",
    ),
    (
        "[[flow]]\nfrom = \"m2\"\nto = \"far\"\nshare = 0.5",
        4,
        "sum to 0.5, not to 1",
    ),
    (
        "[[flow]]\nfrom = \"m2\"\nto = \"far\"\nvariants = [\"blue\"]",
        4,
        "no variant \"blue\"",
    ),
    (
        "[[flow]]\nfrom = \"m1\"\nto = \"b\"\nkind = \"scrap\"",
        2,
        "declared twice (see line 22)",
    ),
    (
        "[[product]]\nid = \"p\"",
        2,
        "the product \"p\" is declared twice",
    ),
    (
        "[[variant]]\nid = \"v\"\nproduct = \"r\"",
        3,
        "no product \"r\"",
    ),
    (
        "[[variant]]\nid = \"v\"\nproduct = \"p\"\nattributes = [\"red\"]",
        4,
        "the attribute \"red\" has no name",
    ),
    (
        "[[variant]]\nid = \"v\"\nproduct = \"q\"\nshare = 0.7",
        4,
        "sum to 0.7, not to 1",
    ),
    (
        "[[step]]\nproduct = \"p\"\nnumber = 10\nat = \"m9\"\nwork_s = 5",
        4,
        "no machine \"m9\"",
    ),
    (
        "[[step]]\nproduct = \"p\"\nnumber = 10\nat = []\nwork_s = 5",
        4,
        "at no machine",
    ),
    (
        "[[step]]\nproduct = \"p\"\nnumber = 10\nat = \"m1\"",
        1,
        "step has no work_s",
    ),
    (
        "[[step]]\nproduct = \"q\"\nvariant = \"red\"\nnumber = 1\nat = \"m1\"\nwork_s = 1",
        3,
        "variant of \"p\", not of \"q\"",
    ),
    (
        "[[step]]\nproduct = \"p\"\nnumber = 10\nat = \"m2\"\nwork_s = 5\n\
         [[step]]\nproduct = \"p\"\nnumber = 20\nat = \"m1\"\nwork_s = 5",
        9,
        "no flow leads from step 10 of \"p\" at m2 to its step 20 at m1",
    ),
    (
        "[[setup]]\nmachines = \"x-*\"\nattribute = \"colour\"\nfrom = \"*\"\nto = \"*\"\ns = 4",
        2,
        "of no machine",
    ),
    (
        "[[setup]]\nmachines = \"m1\"\nattribute = \"color\"\nfrom = \"*\"\nto = \"*\"\ns = 4",
        3,
        "did you mean \"colour\"?",
    ),
    (
        "[[setup]]\nmachines = \"m1\"\nattribute = \"colour\"\nfrom = \"*\"\nto = \"blue\"\ns = 4",
        5,
        "no variant has colour \"blue\"",
    ),
    (
        "[[carrier]]\nid = \"c\"\ncount = 4\nhome = \"m1\"",
        4,
        "no buffer \"m1\" (\"m1\" is a machine)",
    ),
    ("[[carrier]]\nid = \"c\"", 1, "carrier has no count"),
    (
        "[[crew]]\nid = \"c\"\nsize = 2\nserves = [\"hall\"]",
        4,
        "of no machine or unit",
    ),
    (
        "[[rework]]\nid = \"r\"\nfrom = \"m2\"\nthrough = [\"far\"]\nback_to = \"m2\"",
        4,
        "no flow leads from \"m2\" to \"far\"",
    ),
    (
        "[[feed]]\npart_number = \"x\"\nat = \"b\"",
        3,
        "no machine \"b\" (\"b\" is a buffer)",
    ),
    (
        "[[feed]]\npart_number = \"x\"\nat = \"m1\"\nquantity = 0",
        4,
        "quantity is 0",
    ),
    (
        "[[boundary]]\nat = \"m1\"\nkind = \"source\"\nrelease = \"rate\"",
        4,
        "rate is not given",
    ),
    ("[[boundary]]\nat = \"m1\"", 1, "boundary has no kind"),
    (
        "[[count_point]]\nunit = \"other\"\nat = \"m1\"\nmeaning = \"good\"",
        3,
        "does not lie in \"other\"",
    ),
    (
        "[[calendar]]\nid = \"c\"\nparent = \"dy\"",
        3,
        "no calendar \"dy\" (did you mean \"day\"?)",
    ),
    (
        "[[calendar]]\nid = \"c\"\nparent = \"c\"",
        3,
        "its own parent",
    ),
    (
        "[[calendar]]\nid = \"c\"\nshifts = [\n{ name = \"a\", days = [\"sun\"], from = \"22:00\", to = \"06:00\" },\n\
         { name = \"b\", days = [\"mon\"], from = \"05:00\", to = \"13:00\" }]",
        5,
        "the shifts \"a\" and \"b\" of \"c\" overlap",
    ),
    (
        "[[calendar]]\nid = \"c\"\nshifts = [{ name = \"a\", days = [\"mo\"], from = \"6:00\", to = \"14:00\" }]",
        3,
        "unknown day \"mo\"",
    ),
    (
        "[[calendar]]\nid = \"c\"\nparent = \"day\"\nbreaks = [{ shift = \"early\", at = \"13:50\", minutes = 20 }]",
        4,
        "the break at 13:50 does not lie in the shift \"early\"",
    ),
    (
        "[[calendar]]\nid = \"c\"\nparent = \"day\"\nbreaks = [{ shift = \"erly\", at = \"9:00\", minutes = 20 }]",
        4,
        "no shift \"erly\" in \"c\" (did you mean \"early\"?)",
    ),
    (
        "[[calendar]]\nid = \"c\"\nexceptions = [{ date = \"2026-02-30\", kind = \"closed\" }]",
        3,
        "is no date",
    ),
    (
        "[[calendar]]\nid = \"c\"\nexceptions = [{ date = \"2026-02-20\", kind = \"shift\" }]",
        3,
        "the shift has no times",
    ),
];

#[test]
fn each_mistake_is_told_with_its_place() {
    assert_eq!(parse(BASE, "p").err(), None);
    let before = BASE.lines().count();
    let mut wrong = Vec::new();
    for (body, line, part) in MISTAKES {
        let found = parse(&format!("{BASE}{body}\n"), "p.toml");
        let found = found.err().unwrap_or_default();
        let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
        let place = format!("p.toml:{}:", before + line);
        let is_it = |text: &String| text.starts_with(&place) && text.contains(part);
        // A shift on no known day is on no day, which is a second mistake.
        let alone = shown.len() == 1 || body.contains("\"mo\"");
        if !alone || !shown.iter().any(is_it) {
            wrong.push(format!("{body}: {shown:#?}, not {place} {part}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

fn table(name: &str, content: &str) -> TableText {
    TableText {
        name: name.to_owned(),
        file_name: format!("{name}.csv"),
        content: content.to_owned(),
    }
}

const WITH_TABLES: &str = "plant.id = \"P\"\n[tables]\nmachines = \"machines.csv\"\n\
    buffers = [\"buffers.csv\"]\nshifts = \"shifts.csv\"\n[[calendar]]\nid = \"c\"\n\
    [[stop_group]]\nid = \"z\"\n[[stop_group]]\nid = \"y\"\n";
const MACHINES: &str = "\u{feff}id,type,cycle_s,stop_groups,name\n\
    a, press,58.5,z;y,\"A, the first\"\n\nb,,,,\n";
const SHIFTS: &str = "calendar,name,days,from,to\nc,early,mon;tue,06:00,14:00\n";

#[test]
fn tables_beside_the_file_are_read_as_if_they_stood_in_it() {
    let named = tables_of(WITH_TABLES, "p").unwrap();
    let names: Vec<&str> = named.iter().map(|table| table.file_name.as_str()).collect();
    assert_eq!(names, ["machines.csv", "buffers.csv", "shifts.csv"]);
    let tables = [
        table("machines", MACHINES),
        table("buffers", "id,capacity,kind\nx,4,lifo\n"),
        table("shifts", SHIFTS),
    ];
    let file = parse_with(WITH_TABLES, "p", &tables).unwrap_or_else(|found| panic!("{found:#?}"));
    let first = &file.machines[0].spec;
    assert_eq!(
        (first.name.as_str(), first.machine_type.as_str()),
        ("A, the first", "press")
    );
    assert_eq!((first.cycle_ms, first.stop_groups.len()), (Some(58_500), 2));
    assert_eq!(file.machines[1].place.line, 4);
    assert_eq!(file.buffers[0].buffer_kind, BufferKind::Lifo);
    assert_eq!(file.calendars[0].shifts[0].days, Days::of(&["mon", "tue"]));
    let whole = to_toml(&described(&file), &file.plant_id);
    let again = parse(&whole, "p").unwrap_or_else(|found| panic!("{whole}\n{found:#?}"));
    assert_eq!(described(&again), described(&file));
}

#[test]
fn mistakes_of_tables_name_file_and_line() {
    let buffers = "id,capacity\nx,4\n";
    for (machines, buffers, place, part) in [
        (
            "id,tipe\na,b\n",
            buffers,
            "machines.csv:1:1",
            "unknown key \"tipe\" in machine",
        ),
        (
            "id,id\na,b\n",
            buffers,
            "machines.csv:1:1",
            "stands there twice",
        ),
        (
            "id,in\na,hall\n",
            buffers,
            "machines.csv:2:3",
            "no unit \"hall\"",
        ),
        (
            "id,slots\na,two\n",
            buffers,
            "machines.csv:2:3",
            "slots of machine is another text",
        ),
        (
            "id\na,b\n",
            buffers,
            "machines.csv:2:1",
            "2 cells for 1 columns",
        ),
        (
            "id,name,type\na,b\n",
            buffers,
            "machines.csv:2:1",
            "2 cells for 3 columns",
        ),
        (
            "id,name\n\n,x\n",
            buffers,
            "machines.csv:3:1",
            "machine has no id",
        ),
        ("", buffers, "machines.csv:1:1", "the table is empty"),
        (
            "id\na\n",
            "id,capacity\na,1\n",
            "buffers.csv:2:1",
            "given twice (the machine in line 2 of machines.csv",
        ),
    ] {
        let tables = [
            table("machines", machines),
            table("buffers", buffers),
            table("shifts", SHIFTS),
        ];
        let found = parse_with(WITH_TABLES, "p", &tables).unwrap_err();
        let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
        let told = |text: &String| text.starts_with(&format!("{place}: ")) && text.contains(part);
        assert!(
            shown.iter().any(told),
            "{machines:?}: {shown:#?}, not {place} {part}"
        );
    }
    let found = parse(WITH_TABLES, "p").unwrap_err();
    assert!(
        found[0]
            .to_string()
            .starts_with("p:3:12: the table \"machines.csv\" was not sent"),
        "{found:?}"
    );
    let found = parse_with("plant.id = \"P\"", "p", &[table("flows", "from,to\n")]).unwrap_err();
    assert!(found[0].what.contains("sent but is not named"), "{found:?}");
    let found = parse("plant.id = \"P\"\ntables.machine = \"x\"", "p").unwrap_err();
    assert!(found[0].hint.contains("machines"), "{found:?}");
}

/// A plant of the greatest size, all from tables.
fn large() -> (String, Vec<TableText>) {
    let mut machines = "id,in,type,cycle_s,node,role\n".to_owned();
    let (mut buffers, mut flows) = ("id,capacity\n".to_owned(), "from,to\n".to_owned());
    let mut steps = "product,number,operation,at,work_s\n".to_owned();
    for at in 0..MACHINES_MAX {
        let next = at + 1;
        machines += &format!("m{at},line,press,58.5,,\n");
        if next < MACHINES_MAX {
            buffers += &format!("b{at},4\n");
            flows += &format!("m{at},b{at}\nb{at},m{next}\n");
        }
        steps += &format!("p,{next},work,m{at},58.5\n");
    }
    let text = "plant.id = \"P\"\nunit = [{ id = \"line\", level = \"line\" }]\nproduct = [{ id = \"p\" }]\n\
        [tables]\nmachines = \"machines.csv\"\nbuffers = \"buffers.csv\"\nflows = \"flows.csv\"\nsteps = \"steps.csv\"\n";
    let tables = vec![
        table("machines", &machines),
        table("buffers", &buffers),
        table("flows", &flows),
        table("steps", &steps),
    ];
    (text.to_owned(), tables)
}

#[test]
fn a_plant_of_ten_thousand_machines_is_read_applied_and_compared() {
    let (text, tables) = large();
    let file = parse_with(&text, "p", &tables).unwrap();
    let d = described(&file);
    assert_eq!(
        d.objects().count(),
        1 + 1 + 10_000 + 9_999 + 19_998 + 1 + 10_000
    );
    assert_eq!(diff(&d, &file), Ok(Vec::new()));
    assert_eq!(d.flows_to(&ElementId::new("m5000").unwrap()).count(), 1);
    let whole = to_toml(&d, &file.plant_id);
    assert!(whole.len() < FILE_BYTES_MAX);
    assert_eq!(described(&parse(&whole, "p").unwrap()), d);
    assert!(d.questions().len() > 10 && d.remarks().is_empty());
}
