//! Tables as files: the same rows as the lists have, whole or not there at all, the same bytes again.

use crate::support::{PLANT, Server, finish, werkbuch};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Two plants in which something happened.
pub(crate) fn two_plants() -> Server {
    let server = Server::with_plant();
    server.apply(&PLANT.replace("\"T1\"", "\"T2\""));
    let said = [
        "T1 m1 STATE_CHANGED --set to=EXECUTING --set native=ACTIVE --at -3h",
        "T1 m1 PART_PRODUCED --set counter=good --set meaning=GOOD --set value=40 --at -2h",
        "T1 m1 PROGRAM_CHANGED --set program=O1,\"x --at -2h",
        "T1 m1 STATE_CHANGED --set to=FAULTED --set reason=E12 --at -1h",
        "T1 m1 ALARM_RAISED --set key=k --set code=E12 --set severity=500 --at -1h",
        "T1 m1 ALARM_ACKNOWLEDGED --set key=k --set who=Anna --at -30m",
        "T2 m2 STATE_CHANGED --set to=HELD --at -2h",
        "T2 m2 ORDER_STARTED --set order=O-7 --at -1h",
    ];
    for words in said {
        server.append(words);
    }
    server
}

/// Writes a table to a file; answers with what was said.
pub(crate) fn export(server: &Server, what: &[&str], file: &Path) -> Value {
    let out = ["--out", file.to_str().unwrap()];
    server.json(&[&["export"][..], what, &out].concat())
}

pub(crate) type Cells = BTreeMap<String, Value>;

pub(crate) fn jsonl(path: &Path) -> Vec<Cells> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The rows of a Parquet file, read by the library's own rows and not by ours.
pub(crate) fn parquet_rows(path: &Path) -> Vec<Row> {
    let reader = SerializedFileReader::new(std::fs::File::open(path).unwrap()).unwrap();
    reader
        .get_row_iter(None)
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

pub(crate) fn text(row: &Row, name: &str) -> Option<String> {
    let mut columns = row.get_column_iter();
    match columns.find(|(column, _)| *column == name).unwrap().1 {
        Field::Null => None,
        Field::Str(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

pub(crate) fn said(value: &Value) -> Value {
    match value {
        Value::String(text) if text.is_empty() || text == "UNSPECIFIED" => Value::Null,
        value => value.clone(),
    }
}

#[test]
fn machines_are_those_of_the_list() {
    let server = two_plants();
    let folder = tempfile::tempdir().unwrap();
    let listed = server.json(&["machine", "ls", "--all-plants", "--at", "-10m"]);
    let cut = listed["cut"]["token"].as_str().unwrap();
    let (lines, packed) = (
        folder.path().join("m.jsonl"),
        folder.path().join("m.parquet"),
    );
    let asked = ["machines", "--all-plants", "--known", cut];
    let told = export(&server, &asked, &lines);
    export(&server, &asked, &packed);
    assert_eq!(
        (&told["rows"], &told["total"]),
        (&4.into(), &4.into()),
        "{told}"
    );
    assert_eq!(told["cut"]["token"], cut);
    let found = jsonl(&lines);
    let machines = listed["machines"].as_array().unwrap();
    assert_eq!(found.len(), machines.len());
    for (row, machine) in found.iter().zip(machines) {
        for name in [
            "plant",
            "machine",
            "number",
            "type",
            "area",
            "line",
            "cell",
            "state",
            "reported_state",
            "native_state",
            "reason",
            "since",
            "mode",
            "program",
            "connection",
            "condition",
            "active_alarms",
            "last_event_at",
            "counters",
        ] {
            assert_eq!(row[name], said(&machine[name]), "{name}: {machine}");
        }
    }
    let (first, last) = (&found[0], &found[3]);
    assert_eq!(
        (&first["state"], &first["good"]),
        (&"FAULTED".into(), &40.into()),
        "{first:?}"
    );
    assert_eq!(
        (&last["state"], &last["order"]),
        (&"HELD".into(), &"O-7".into()),
        "{last:?}"
    );
    let silent = last["silent_ns"].as_i64().unwrap();
    assert!(
        (2_900_000_000_000..3_600_000_000_000).contains(&silent),
        "{silent}"
    );
    let columns: Vec<&str> = found[0].keys().map(String::as_str).collect();
    for (row, line) in parquet_rows(&packed).iter().zip(&found) {
        for name in &columns {
            let words = [
                "plant",
                "machine",
                "state",
                "reason",
                "program",
                "order",
                "condition",
            ];
            if words.contains(name) {
                let expected = line[*name].as_str().map(str::to_owned);
                assert_eq!(text(row, name), expected, "{name}");
            }
        }
        assert_eq!(row.len(), columns.len());
    }
    let faulted = ["machines", "--all-plants", "--where", "state = 'FAULTED'"];
    let some = folder.path().join("f.arrow");
    let told = export(&server, &faulted, &some);
    assert_eq!((&told["rows"], &told["total"]), (&1.into(), &4.into()));
}

#[test]
fn events_are_those_of_the_book() {
    let server = two_plants();
    let folder = tempfile::tempdir().unwrap();
    let (lines, book) = (
        folder.path().join("e.jsonl"),
        folder.path().join("book.jsonl"),
    );
    let told = export(&server, &["events", "--plant", "T1"], &lines);
    let book_file = book.to_str().unwrap();
    server.json(&["event", "export", "--plant", "T1", "--out", book_file]);
    let (found, book) = (jsonl(&lines), jsonl(&book));
    assert_eq!(told["rows"], book.len(), "{told}");
    for (row, line) in found.iter().zip(&book) {
        for name in [
            "kind",
            "machine",
            "source",
            "epoch",
            "sequence",
            "occurred_at",
            "fields",
        ] {
            let expected = line.get(name).unwrap_or(&Value::Null);
            assert_eq!(row[name], *expected, "{name}: {line:?}");
        }
        for name in ["position", "recorded_at", "effective_at"] {
            assert_eq!(row[name], line["recorded"][name], "{name}: {line:?}");
        }
    }
    let faulted = found.iter().find(|row| row["state"] == "FAULTED").unwrap();
    assert_eq!(faulted["reason"], "E12");
    let parts = found
        .iter()
        .find(|row| row["kind"] == "PART_PRODUCED")
        .unwrap();
    assert_eq!(
        (&parts["item"], &parts["value"]),
        (&"good".into(), &40.0.into())
    );
    let count = |what: &[&str]| {
        let file = folder.path().join("some.parquet");
        let told = export(
            &server,
            &[&["events"][..], what, &["--force"]].concat(),
            &file,
        );
        assert_eq!(told["rows"], parquet_rows(&file).len());
        told["rows"].as_u64().unwrap()
    };
    assert_eq!(count(&["--plant", "T1", "--kind", "STATE_CHANGED"]), 2);
    assert_eq!(count(&["--plant", "T1", "--where", "state = 'FAULTED'"]), 1);
    assert_eq!(count(&["--plant", "T1", "--machine", "m2"]), 0);
    assert_eq!(
        count(&["--plant", "T1", "--from", "-90m", "--kind", "STATE_CHANGED"]),
        1
    );
    assert_eq!(count(&["--plant", "T1", "--from", "2", "--to", "3"]), 2);
    assert_eq!(
        count(&["--all-plants", "--where", "kind = 'STATE_CHANGED'"]),
        3
    );
    // People are not shown unless asked for, and then it is written down.
    let who = |more: &[&str]| {
        let file = folder.path().join("who.jsonl");
        let kind = [
            "events",
            "--plant",
            "T1",
            "--kind",
            "ALARM_ACKNOWLEDGED",
            "--force",
        ];
        export(&server, &[&kind[..], more].concat(), &file);
        jsonl(&file)[0]["fields"]["who"].clone()
    };
    assert!(
        who(&[]).get("plain").is_none() && who(&[])["ciphertext"] != "",
        "{}",
        who(&[])
    );
    assert_eq!(
        who(&["--reveal", "--reader", "me", "--purpose", "test"])["plain"],
        "Anna"
    );
}

#[test]
fn timelines_are_those_of_the_machines() {
    let server = two_plants();
    let folder = tempfile::tempdir().unwrap();
    let lines = folder.path().join("t.jsonl");
    let told = export(
        &server,
        &["timelines", "--plant", "T1", "--from", "-4h"],
        &lines,
    );
    let head = told["cut"]["positions"]["T1"].to_string();
    let at = told["cut"]["as_of"].as_str().unwrap();
    let from = "2020-01-01T00:00:00Z";
    let asked = [
        "--plant", "T1", "--known", &head, "--from", from, "--to", at,
    ];
    let shown = server.json(&[&["machine", "timeline", "--list"][..], &asked].concat());
    export(
        &server,
        &[&["timelines", "--force"][..], &asked].concat(),
        &lines,
    );
    let found = jsonl(&lines);
    let expected: Vec<(&str, &Value)> = shown["machines"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|machine| {
            let name = machine["machine"].as_str().unwrap();
            let intervals = machine["intervals"].as_array().unwrap().iter();
            intervals.map(move |interval| (name, interval))
        })
        .collect();
    assert_eq!(found.len(), expected.len());
    assert!(found.len() >= 4, "{found:?}");
    for (row, (machine, interval)) in found.iter().zip(expected) {
        assert_eq!(row["machine"], machine);
        for name in [
            "begin",
            "end",
            "duration_ns",
            "state",
            "reported_state",
            "native_state",
            "reason",
            "since",
            "mode",
            "program",
            "order",
            "alarms",
            "alarms_total",
            "cycles",
            "open",
        ] {
            assert_eq!(row[name], said(&interval[name]), "{name}: {interval}");
        }
        for name in ["good", "scrap", "rework"] {
            assert_eq!(row[name], interval["parts"][name], "{name}: {interval}");
        }
        assert_eq!(row["parts"], interval["parts"]["all"], "{interval}");
        assert_eq!(row["covered"], interval["covered"], "{interval}");
        let position = interval["position"].as_u64().filter(|at| *at > 0);
        assert_eq!(row["position"], serde_json::json!(position), "{interval}");
    }
}

#[test]
fn figures_are_those_of_the_machines() {
    let server = two_plants();
    let folder = tempfile::tempdir().unwrap();
    let figures = folder.path().join("a.jsonl");
    let by = [
        "aggregates",
        "--all-plants",
        "--by",
        "plant,state",
        "--measure",
    ];
    export(
        &server,
        &[&by[..], &["count,sum:parts,max:since"]].concat(),
        &figures,
    );
    let found = jsonl(&figures);
    let counted = server.json(&["machine", "count", "--all-plants", "--by", "plant,state"]);
    let groups = counted["groups"].as_array().unwrap();
    assert_eq!(found.len(), groups.len());
    for (row, group) in found.iter().zip(groups) {
        assert_eq!(
            (&row["plant"], &row["state"]),
            (&group["by"]["plant"], &group["by"]["state"])
        );
        assert_eq!(row["count"], group["count"]);
    }
    let faulted = found.iter().find(|row| row["state"] == "FAULTED").unwrap();
    assert_eq!(
        (&faulted["sum_parts"], &faulted["sum_parts_machines"]),
        (&40.into(), &1.into())
    );
    // And each function's are those of the command of its name.
    for function in ["sum", "avg", "min", "max"] {
        for field in ["parts", "active_alarms", "since"] {
            if field == "since" && ["sum", "avg"].contains(&function) {
                continue;
            }
            let measure = format!("{function}:{field}");
            let told = export(
                &server,
                &[&by[..], &[&measure, "--force"]].concat(),
                &figures,
            );
            let cut = told["cut"]["token"].as_str().unwrap();
            let asked = [
                "machine",
                function,
                field,
                "--all-plants",
                "--by",
                "plant,state",
            ];
            let shown = server.json(&[&asked[..], &["--known", cut]].concat());
            let groups = shown["groups"].as_array().unwrap();
            let found = jsonl(&figures);
            assert_eq!(found.len(), groups.len(), "{measure}");
            for (row, group) in found.iter().zip(groups) {
                assert_eq!(row["state"], group["by"]["state"], "{measure}");
                let name = format!("{function}_{field}");
                assert_eq!(row[&name], group[function], "{measure}: {group}");
            }
        }
    }
    // Instants of a series are those that each would be asked at alone.
    let series = [
        "aggregates",
        "--plant",
        "T1",
        "--by",
        "state",
        "--where",
        "name = 'm1'",
    ];
    let times = ["--from", "-210m", "--every", "1h", "--force"];
    let told = export(&server, &[&series[..], &times].concat(), &figures);
    assert_eq!(told["total"], 4, "{told}");
    let states = jsonl(&figures);
    let states: Vec<&str> = states
        .iter()
        .map(|row| row["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["UNAVAILABLE", "EXECUTING", "EXECUTING", "FAULTED"]);
}

#[test]
fn a_cut_gives_the_same_bytes_after_anything() {
    let server = two_plants();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let tables: [&[&str]; 5] = [
        &["machines", "--all-plants"],
        &["events", "--all-plants"],
        &[
            "timelines",
            "--all-plants",
            "--from",
            "2020-01-01T00:00:00Z",
        ],
        &["aggregates", "--all-plants", "--by", "plant,state"],
        &["events", "--plant", "T1"],
    ];
    let mut kept = Vec::new();
    for (number, table) in tables.iter().enumerate() {
        for form in ["parquet", "arrow", "arrows", "csv", "jsonl", "csv.gz"] {
            let first = file(&format!("{number}.{form}"));
            let told = export(&server, table, &first);
            let cut = told["cut"]["token"].as_str().unwrap().to_owned();
            let again = file(&format!("{number}-again.{form}"));
            kept.push((*table, cut, first, again));
        }
    }
    server.append("T1 m1 STATE_CHANGED --set to=IDLE --at -90m");
    server.append("T2 m1 STATE_CHANGED --set to=IDLE");
    server.apply(&PLANT.replace("\"T1\"", "\"T3\""));
    for (table, cut, first, again) in kept {
        export(&server, &[table, &["--known", &cut]].concat(), &again);
        let (first, same) = (
            std::fs::read(&first).unwrap(),
            std::fs::read(&again).unwrap(),
        );
        assert!(first == same, "{table:?} as {}", again.display());
    }
}

#[test]
fn empty_windows_are_tables_too() {
    let server = two_plants();
    let folder = tempfile::tempdir().unwrap();
    for form in ["parquet", "arrow", "csv", "jsonl"] {
        let file = folder.path().join(format!("none.{form}"));
        let told = export(
            &server,
            &["events", "--plant", "T1", "--from", "9999"],
            &file,
        );
        assert_eq!(told["rows"], 0, "{told}");
        assert!(file.is_file(), "{form}");
    }
    assert!(parquet_rows(&folder.path().join("none.parquet")).is_empty());
    let none = ["machines", "--all-plants", "--where", "name = 'nobody'"];
    let file = folder.path().join("nobody.parquet");
    assert_eq!(export(&server, &none, &file)["rows"], 0);
}

#[test]
fn what_cannot_be_written_is_said_before_it_begins() {
    let server = two_plants();
    let folder = tempfile::tempdir().unwrap();
    let there = folder.path().join("there.parquet");
    std::fs::write(&there, "mine").unwrap();
    let (there, dir) = (there.to_str().unwrap(), folder.path().to_str().unwrap());
    let missing = format!("{dir}/no/m.csv");
    let packed = format!("{dir}/m.parquet.gz");
    let unnamed = format!("{dir}/m");
    let events = "events --plant T1";
    let cases: [(&str, &[&str], i64, &str); 14] = [
        (
            "machines --plant T1",
            &["--out", there],
            4,
            "is there already",
        ),
        ("machines --plant T1", &["--out", dir], 2, "is a folder"),
        (
            "machines --plant T1",
            &["--out", &missing],
            3,
            "there is no folder",
        ),
        (
            "machines --plant T1",
            &["--out", &packed],
            2,
            "packed in itself",
        ),
        (
            "machines --plant T1",
            &["--out", &unnamed],
            2,
            "does not tell the form",
        ),
        (
            "machines --plant T1",
            &["--format", "parqet"],
            2,
            "did you mean \"parquet\"?",
        ),
        ("machines --plant T9", &["--format", "csv"], 3, "T9"),
        (
            "machines --plant T1 --where stat=1",
            &["--format", "csv"],
            2,
            "did you mean \"state\"?",
        ),
        (
            events,
            &["--where", "colour = 'red'", "--format", "csv"],
            2,
            "colour",
        ),
        (
            "events --all-plants --from 3",
            &["--format", "csv"],
            2,
            "of one plant",
        ),
        (
            "timelines m1 --all-plants",
            &["--format", "csv"],
            2,
            "in one plant",
        ),
        ("timelines m9 --plant T1", &["--format", "csv"], 3, "m9"),
        (
            "aggregates --plant T1 --measure total:parts",
            &["--format", "csv"],
            2,
            "no function",
        ),
        (
            "aggregates --plant T1 --from -2h --every 1ms",
            &["--format", "csv"],
            2,
            "the limit is",
        ),
    ];
    for (what, more, code, says) in cases {
        let words: Vec<&str> = what.split(' ').collect();
        let ran = server.run(&[&["export"][..], &words, more, &["-o", "json"]].concat());
        let error = ran.error();
        assert_eq!(
            (i64::from(ran.code), &error["exit"]),
            (code, &code.into()),
            "{what}: {ran:#?}"
        );
        assert!(
            error["message"].as_str().unwrap().contains(says),
            "{what}: {error}"
        );
        assert!(ran.stdout.is_empty(), "{ran:#?}");
    }
    assert_eq!(std::fs::read_to_string(there).unwrap(), "mine");
    let left: Vec<_> = std::fs::read_dir(dir).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
    let told = export(
        &server,
        &["machines", "--plant", "T1", "--force"],
        Path::new(there),
    );
    assert_eq!(
        parquet_rows(Path::new(there)).len(),
        told["rows"].as_u64().unwrap() as usize
    );
    if Path::new("/dev/full").exists() {
        for form in ["csv", "parquet", "arrow", "arrows", "jsonl"] {
            let ran = server.run(&[
                "export",
                "machines",
                "--plant",
                "T1",
                "--out",
                "/dev/full",
                "--format",
                form,
            ]);
            assert_eq!(ran.code, 1, "{form}: {ran:#?}");
            assert!(ran.stderr.contains("No space left"), "{ran:#?}");
        }
    }
}

/// The binary in a shell that bounds how large a file may become.
fn bounded(server: &Server, before: &str, file: &Path) -> Command {
    let script = format!("{before}; exec \"$0\" \"$@\"");
    let plain = werkbuch(&[]);
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).arg(plain.get_program());
    command.args([
        "export",
        "events",
        "--plant",
        "T1",
        "--out",
        file.to_str().unwrap(),
    ]);
    command.env("WERKBUCH_SERVER", &server.url);
    command.env("WERKBUCH_CONFIG", "");
    command
}

#[test]
fn a_broken_off_export_leaves_nothing_that_looks_whole() {
    let server = two_plants();
    let left = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    for form in ["csv", "parquet", "arrow"] {
        // Told that the file may not grow, it says so and leaves nothing.
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(format!("e.{form}"));
        let ran = finish(bounded(&server, "trap '' XFSZ; ulimit -f 1", &file));
        assert_eq!(ran.code, 1, "{ran:#?}");
        assert!(ran.stderr.contains("FILE_FAILED"), "{ran:#?}");
        assert!(left(folder.path()).is_empty(), "{:?}", left(folder.path()));
        // Killed while it writes, it leaves a hidden part at most.
        let ran = finish(bounded(&server, "ulimit -f 1", &file));
        assert_eq!(ran.code, -1, "killed: {ran:#?}");
        assert!(!file.exists());
        for path in left(folder.path()) {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            assert!(name.starts_with('.') && name.ends_with(".part"), "{name}");
        }
        // And the next one is whole.
        export(&server, &["events", "--plant", "T1"], &file);
        assert!(file.exists());
    }
}
