//! Tables as files: every figure is that of the command of the same name, in its unit and type, and none is lost.

use crate::export::{export, jsonl, parquet_rows, said, text, two_plants};
use crate::support::Server;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use serde_json::Value;
use std::collections::BTreeMap;
use werkbuch_model::time::Timestamp;

/// A cut of all plants, and the four hours before it.
fn four_hours(server: &Server) -> (String, String, String) {
    let counted = server.json(&["machine", "count", "--all-plants"]);
    let cut = counted["cut"]["token"].as_str().unwrap();
    let to = counted["cut"]["as_of"].as_str().unwrap();
    let from = Timestamp::parse(to).unwrap().plus(-4 * 3_600_000_000_000);
    (cut.to_owned(), from.to_string(), to.to_owned())
}

#[test]
fn buckets_are_those_of_the_machines() {
    let server = two_plants();
    let folder = tempfile::tempdir().unwrap();
    let (lines, packed) = (
        folder.path().join("b.jsonl"),
        folder.path().join("b.parquet"),
    );
    let (cut, from, to) = four_hours(&server);
    let asked = [
        "--all-plants",
        "--known",
        &cut,
        "--from",
        &from,
        "--to",
        &to,
    ];
    let asked = [&asked[..], &["--buckets", "7"]].concat();
    for file in [&lines, &packed] {
        export(&server, &[&["timelines"][..], &asked].concat(), file);
    }
    let shown = server.json(&[&["machine", "timeline"][..], &asked].concat());
    let found = jsonl(&lines);
    let typed = parquet_rows(&packed);
    assert_eq!((found.len(), typed.len()), (28, 28));
    let mut rows = found.iter().zip(&typed);
    let mut states = 0;
    for machine in shown["machines"].as_array().unwrap() {
        for bucket in machine["buckets"].as_array().unwrap() {
            let (row, typed) = rows.next().unwrap();
            assert_eq!(row["plant"], machine["plant"]);
            assert_eq!(row["machine"], machine["machine"]);
            for name in ["bucket", "begin", "end", "uncovered_ns"] {
                assert_eq!(row[name], bucket[name], "{name}: {bucket}");
            }
            for name in ["dominant", "worst"] {
                assert_eq!(row[name], said(&bucket[name]), "{name}: {bucket}");
            }
            let shares = bucket["shares_ns"].as_object().unwrap();
            let columns = row
                .iter()
                .filter(|(name, _)| name.ends_with("_ns") && !name.starts_with("uncovered"));
            for (name, nanos) in columns.filter(|(name, _)| *name != "duration_ns") {
                let state = name.trim_end_matches("_ns").to_ascii_uppercase();
                let expected = shares.get(&state).cloned().unwrap_or(0.into());
                assert_eq!(*nanos, expected, "{name}: {bucket}");
                assert_eq!(text(typed, name), Some(expected.to_string()), "{name}");
                states += usize::from(expected != 0);
            }
            let all: u64 = shares.values().map(|one| one.as_u64().unwrap()).sum();
            let uncovered = bucket["uncovered_ns"].as_u64().unwrap();
            assert_eq!(row["duration_ns"], all + uncovered, "{bucket}");
        }
    }
    assert!(rows.next().is_none());
    assert!(states > 28, "{states}: some have several states");
}

#[test]
fn a_file_holds_its_figures_in_their_units_and_types() {
    let server = two_plants();
    let folder = tempfile::tempdir().unwrap();
    let (lines, packed) = (
        folder.path().join("t.jsonl"),
        folder.path().join("t.parquet"),
    );
    let (cut, from, to) = four_hours(&server);
    let asked = [
        "timelines",
        "--all-plants",
        "--known",
        &cut,
        "--from",
        &from,
        "--to",
        &to,
    ];
    for file in [&lines, &packed] {
        export(&server, &asked, file);
    }
    let reader = SerializedFileReader::new(std::fs::File::open(&packed).unwrap()).unwrap();
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let kinds: BTreeMap<String, String> = schema
        .columns()
        .iter()
        .map(|column| {
            let kind = format!("{:?}", column.logical_type_ref());
            (column.path().string(), kind)
        })
        .collect();
    for name in ["begin", "end", "since"] {
        let kind = &kinds[name];
        assert!(
            kind.contains("is_adjusted_to_u_t_c: true") && kind.contains("NANOS"),
            "{name}: {kind}"
        );
    }
    // The nanoseconds themselves, without anybody's idea of a unit or a zone.
    for (row, line) in parquet_rows(&packed).iter().zip(jsonl(&lines)) {
        for name in ["begin", "end", "since"] {
            let mut columns = row.get_column_iter();
            let nanos = match columns.find(|(column, _)| *column == name).unwrap().1 {
                Field::Long(nanos) => Some(*nanos),
                Field::Null => None,
                other => panic!("{name} is {other:?}"),
            };
            let shown = line[name].as_str();
            let expected = shown.map(|text| {
                let time = Timestamp::parse(text);
                time.unwrap().nanos()
            });
            assert_eq!(nanos, expected, "{name}: {line:?}");
        }
    }
}

#[test]
fn every_event_of_many_batches_is_there_once() {
    let server = Server::with_plant();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("said.jsonl");
    let mut said = String::new();
    for number in 1..=40_000_u64 {
        let to = if number % 2 == 0 { "IDLE" } else { "EXECUTING" };
        let (minute, second, milli) = (number / 60_000, number / 1_000 % 60, number % 1_000);
        said.push_str(&format!(
            "{{\"source\":\"g\",\"epoch\":1,\"sequence\":{number},\"machine\":\"m1\",\
             \"occurred_at\":\"2025-10-24T06:{minute:02}:{second:02}.{milli:03}Z\",\
             \"kind\":\"STATE_CHANGED\",\"fields\":{{\"to\":\"{to}\"}}}}\n"
        ));
    }
    std::fs::write(&file, said).unwrap();
    let file = file.to_str().unwrap();
    server.json(&["import", "jsonl", "--plant", "T1", file]);
    let asked = ["events", "--plant", "T1", "--kind", "STATE_CHANGED"];
    for form in ["parquet", "arrow", "arrows", "csv", "jsonl"] {
        let out = folder.path().join(format!("e.{form}"));
        let told = export(&server, &asked, &out);
        assert_eq!(told["rows"], 40_000, "{form}: {told}");
        let sequences: Vec<u64> = match form {
            "parquet" => {
                let rows = parquet_rows(&out);
                let sequence = |row: &Row| text(row, "sequence").unwrap().parse().unwrap();
                rows.iter().map(sequence).collect()
            }
            "jsonl" => {
                let rows = jsonl(&out);
                rows.iter()
                    .map(|row| row["sequence"].as_u64().unwrap())
                    .collect()
            }
            "csv" => {
                let text = std::fs::read_to_string(&out).unwrap();
                let lines: Vec<&str> = text.lines().collect();
                let at = lines[0].split(',').position(|name| name == "sequence");
                let cell = |line: &&str| {
                    let cells: Vec<&str> = line.split(',').collect();
                    cells[at.unwrap()].parse().unwrap()
                };
                lines[1..].iter().map(cell).collect()
            }
            // Read by the Arrow library in the tests of tables.
            _ => continue,
        };
        assert!(sequences.iter().copied().eq(1..=40_000), "{form}");
    }
}

#[test]
fn what_was_not_known_is_not_in_the_book_of_then() {
    let server = two_plants();
    let export = |more: &[&str]| -> Vec<Value> {
        let ran = server.run(&[&["event", "export", "--plant", "T1"][..], more].concat());
        assert_eq!(ran.code, 0, "{ran:#?}");
        let lines = ran.stdout.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let all = export(&[]);
    let some = export(&["--known", "5"]);
    assert_eq!(some[..], all[..5]);
    assert!(all.len() > 5);
    // Of what had taken effect an hour and a half ago, the fault of an hour ago is no part.
    let then = export(&["--at", "-90m"]);
    let kinds: Vec<&str> = then
        .iter()
        .filter_map(|line| line["kind"].as_str())
        .collect();
    assert!(
        kinds.contains(&"PART_PRODUCED") && !kinds.contains(&"ALARM_RAISED"),
        "{kinds:?}"
    );
    server.append("T1 m1 STATE_CHANGED --set to=IDLE --at -100m");
    let positions = all.len().to_string();
    assert_eq!(export(&["--known", &positions]), all);
    assert!(export(&["--at", "-90m"]).len() > then.len());
    let ran = server.run(&["event", "export", "--plant", "T1", "--known", "9999"]);
    assert!(
        ran.code != 0 && ran.stderr.contains("is not recorded yet"),
        "{ran:#?}"
    );
}
