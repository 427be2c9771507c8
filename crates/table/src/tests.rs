//! Tables in every form, read back; what columns there are is held to a golden list.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::aggregates::{FigureLine, Measured, Yields};
use crate::events::EventLine;
use crate::machines::MachineLine;
use crate::timelines::IntervalLine;
use crate::{About, Column, Decoder, Encoder, Form, Line, Sink, TableError};
use crate::{aggregates, buckets, events, machines, timelines};
use arrow_array::RecordBatch;
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::Cursor;
use werkbuch_model::event::{
    AlarmAcknowledged, Body, DigestRecorded, Flags, ModeChanged, PartProduced, Protected, Recorded,
    Reported, State, StateChanged,
};
use werkbuch_model::filter::Filter;
use werkbuch_model::id::{MachineNumber, Position, Sequence, SourceNumber};
use werkbuch_model::time::Timestamp;
use werkbuch_wire::pb;

fn about(table: &'static str) -> About {
    let cut = pb::Cut {
        token: "cut-1".to_owned(),
        as_of: 1_000_000_007,
        at: Some(1_000_000_007),
        plants: vec![pb::PlantReflected {
            plant: "tenants/default/plants/T1".to_owned(),
            reflected: Some(pb::Reflected {
                position: 17,
                ..pb::Reflected::default()
            }),
        }],
        absent: vec![pb::PlantAbsent {
            plant: "tenants/default/plants/T2".to_owned(),
            kind: pb::AbsenceKind::NotYet.into(),
            because: "so".to_owned(),
        }],
        plants_total: 2,
        ..pb::Cut::default()
    };
    About::new(table, cut)
        .asked("filter", "a = 'b'")
        .asked("kinds", Vec::<String>::new())
}

/// The bytes of a stream of these rows.
fn stream(columns: &[Column], about: &About, lines: &[&dyn Line]) -> Vec<u8> {
    let mut encoder = Encoder::new(columns, about).unwrap();
    for line in lines {
        assert_eq!(line.columns(), columns.len());
        encoder.push(*line).unwrap();
    }
    encoder.finish().unwrap();
    assert_eq!(encoder.rows(), lines.len() as u64);
    encoder.take()
}

/// A file of a stream, in parts of so many bytes.
fn file(form: Form, stream: &[u8], part: usize) -> Vec<u8> {
    let mut decoder = Decoder::default();
    let mut batches = Vec::new();
    for part in stream.chunks(part) {
        batches.extend(decoder.decode(part.to_vec()).unwrap());
    }
    decoder.finish().unwrap();
    let mut sink = Sink::new(form, decoder.schema().unwrap(), Vec::new()).unwrap();
    batches.iter().for_each(|batch| sink.write(batch).unwrap());
    sink.close().unwrap()
}

fn one_batch(batches: &[RecordBatch]) -> RecordBatch {
    let schema = batches[0].schema();
    arrow_select::concat::concat_batches(&schema, batches).unwrap()
}

/// A file as lines of JSON, whatever its form.
fn rows(form: Form, file: Vec<u8>) -> Vec<BTreeMap<String, serde_json::Value>> {
    let batches: Vec<RecordBatch> = match form {
        Form::Parquet => {
            let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(file)).unwrap();
            reader.build().unwrap().map(Result::unwrap).collect()
        }
        Form::Arrow => {
            let reader = arrow_ipc::reader::FileReader::try_new(Cursor::new(file), None).unwrap();
            reader.map(Result::unwrap).collect()
        }
        Form::Arrows => {
            let reader = arrow_ipc::reader::StreamReader::try_new(Cursor::new(file), None).unwrap();
            reader.map(Result::unwrap).collect()
        }
        Form::Jsonl => {
            let text = String::from_utf8(file).unwrap();
            let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
            return lines.collect();
        }
        Form::Csv => panic!("a text without types"),
    };
    let mut sink = Sink::new(Form::Jsonl, batches[0].schema(), Vec::new()).unwrap();
    batches.iter().for_each(|batch| sink.write(batch).unwrap());
    rows(Form::Jsonl, sink.close().unwrap())
}

fn recorded(position: u64, body: Body<'static>) -> Recorded<'static> {
    Recorded {
        position: Position(position),
        recorded_at: Timestamp(1_700_000_000_000_000_001),
        effective_at: Timestamp(1_700_000_000_123_456_789),
        source: SourceNumber(3),
        previous: Position(0),
        flags: Flags::SUSPECT_CLOCK,
        authority: 0,
        reported: Reported {
            sequence: Sequence(9),
            machine: MachineNumber(4),
            occurred_at: Timestamp(-1),
            observed_at: None,
            historical: false,
            body,
        },
        corrected: Vec::new(),
    }
}

fn some_events() -> Vec<Recorded<'static>> {
    let bodies = [
        Body::StateChanged(StateChanged {
            to: State::Faulted,
            reason: "E12 \"hot\", \nü".into(),
            ..StateChanged::default()
        }),
        Body::ModeChanged(ModeChanged::default()),
        Body::PartProduced(PartProduced {
            counter: "good".into(),
            value: Some(u64::MAX),
            ..PartProduced::default()
        }),
        Body::DigestRecorded(DigestRecorded {
            at_position: Position(6),
            fold_version: 1,
            digest: vec![0xab, 0x01].into(),
        }),
        Body::AlarmAcknowledged(AlarmAcknowledged {
            key: "k".into(),
            who: Protected {
                key: 2,
                ciphertext: vec![1, 2].into(),
                ..Protected::default()
            },
            ..AlarmAcknowledged::default()
        }),
    ];
    let numbered = bodies.into_iter().enumerate();
    numbered
        .map(|(at, body)| recorded(at as u64 + 1, body))
        .collect()
}

fn lines<'e>(events: &'e [Recorded<'static>]) -> Vec<EventLine<'e>> {
    let line = |event| EventLine::new("T1", event, "m-4", Some(("gateway", 1))).unwrap();
    events.iter().map(line).collect()
}

fn dynamic<L: Line>(lines: &[L]) -> Vec<&dyn Line> {
    lines.iter().map(|line| line as &dyn Line).collect()
}

#[test]
fn columns_are_those_that_were_published() {
    let mut seen = format!("version {}\n", crate::about::SCHEMA);
    let measures = [(pb::AggregateFunction::Sum, "counter:good", Yields::Whole)];
    let figures = aggregates::columns(&["state".to_owned()], &measured(&measures));
    for (table, columns) in [
        (machines::NAME, machines::COLUMNS),
        (events::NAME, events::COLUMNS),
        (timelines::NAME, timelines::COLUMNS),
        (buckets::NAME, buckets::COLUMNS),
        ("aggregates of sum:counter:good by state", &figures),
    ] {
        writeln!(seen, "\n{table}").unwrap();
        for column in columns {
            let (name, kind) = (&column.name, column.kind.name());
            let arrow = column.kind.data_type();
            writeln!(seen, "  {name}: {kind} = {arrow}\n    {}", column.meaning).unwrap();
        }
    }
    let golden = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../snapshots/tables/columns.txt"
    );
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(golden, &seen).unwrap();
    }
    let expected = std::fs::read_to_string(golden).unwrap_or_default();
    assert_eq!(
        seen, expected,
        "columns changed: a new one may be added at the end, another change needs a new version"
    );
}

fn measured(of: &[(pb::AggregateFunction, &str, Yields)]) -> Vec<Measured> {
    let one = |(function, field, yields): &(pb::AggregateFunction, &str, Yields)| Measured {
        function: *function,
        field: (*field).to_owned(),
        yields: *yields,
    };
    of.iter().map(one).collect()
}

#[test]
fn every_form_holds_the_same_rows() {
    let events = some_events();
    let lines = lines(&events);
    let bytes = stream(events::COLUMNS, &about(events::NAME), &dynamic(&lines));
    let expected = rows(Form::Jsonl, file(Form::Jsonl, &bytes, bytes.len()));
    assert_eq!(expected.len(), 5);
    let first = &expected[0];
    assert_eq!(first["state"], "FAULTED");
    assert_eq!(first["reason"], "E12 \"hot\", \nü");
    assert_eq!(first["effective_at"], "2023-11-14T22:13:20.123456789Z");
    assert_eq!(first["occurred_at"], "1969-12-31T23:59:59.999999999Z");
    assert_eq!(first["observed_at"], serde_json::Value::Null);
    assert_eq!(
        (&first["suspect"], &first["late"]),
        (&true.into(), &false.into())
    );
    assert_eq!(expected[2]["item"], "good");
    assert_eq!(expected[2]["fields"]["value"], u64::MAX);
    assert_eq!(expected[3]["fields"]["digest"], "ab01");
    assert_eq!(expected[4]["fields"]["who"]["ciphertext"], "0102");
    for form in [Form::Parquet, Form::Arrow, Form::Arrows, Form::Jsonl] {
        // Wherever the messages end.
        for part in [1, 7, bytes.len()] {
            let found = rows(form, file(form, &bytes, part));
            assert_eq!(found, expected, "{form:?} in parts of {part}");
        }
    }
    let csv = file(Form::Csv, &bytes, 100);
    let mut reader = csv::Reader::from_reader(csv.as_slice());
    let head: Vec<String> = reader
        .headers()
        .unwrap()
        .iter()
        .map(str::to_owned)
        .collect();
    let names: Vec<&str> = events::COLUMNS.iter().map(|column| &*column.name).collect();
    assert_eq!(head, names);
    for (record, row) in reader.records().map(Result::unwrap).zip(&expected) {
        for (name, cell) in head.iter().zip(&record) {
            let expected = match &row[name] {
                serde_json::Value::Null => String::new(),
                serde_json::Value::String(text) => text.clone(),
                other if name == "fields" => {
                    let cell: serde_json::Value = serde_json::from_str(cell).unwrap();
                    assert_eq!(cell, *other);
                    continue;
                }
                other => other.to_string(),
            };
            assert_eq!(cell, expected, "{name}");
        }
    }
}

/// Words that come with later batches are sent once, and are there in files that are read from anywhere.
#[test]
fn many_batches_keep_their_words() {
    let names: Vec<String> = (0..20_000).map(|at| format!("m{}", at / 3)).collect();
    let interval = pb::TimelineInterval {
        begin: 1,
        end: 5,
        state: 3,
        alarms: vec!["a".to_owned(), "b,\"c".to_owned()],
        ..pb::TimelineInterval::default()
    };
    let lines = names.iter().enumerate().map(|(at, name)| IntervalLine {
        plant: "T1",
        machine: name,
        number: at as u32,
        interval: &interval,
        waits: false,
    });
    let lines: Vec<_> = lines.collect();
    let bytes = stream(
        timelines::COLUMNS,
        &about(timelines::NAME),
        &dynamic(&lines),
    );
    for form in [Form::Parquet, Form::Arrow, Form::Arrows] {
        let found = rows(form, file(form, &bytes, 4_096));
        assert_eq!(found.len(), names.len(), "{form:?}");
        let wrong = found
            .iter()
            .zip(&names)
            .find(|(row, name)| row["machine"] != **name);
        assert!(wrong.is_none(), "{form:?}: {wrong:?}");
        assert_eq!(found[19_999]["alarms"], serde_json::json!(["a", "b,\"c"]));
        assert_eq!(found[19_999]["duration_ns"], 4);
    }
    assert!(bytes.len() < 4_000_000, "{}", bytes.len());
}

#[test]
fn the_same_rows_are_the_same_bytes_and_say_what_they_are_of() {
    let events = some_events();
    let lines = lines(&events);
    let make = || stream(events::COLUMNS, &about(events::NAME), &dynamic(&lines));
    let bytes = make();
    for form in Form::ALL {
        assert_eq!(
            file(form, &bytes, 64),
            file(form, &make(), 1_000),
            "{form:?}"
        );
    }
    let reader =
        ParquetRecordBatchReaderBuilder::try_new(Bytes::from(file(Form::Parquet, &bytes, 64)));
    let reader = reader.unwrap();
    let said = reader.schema().metadata();
    for (key, value) in [
        ("werkbuch.table", "events"),
        ("werkbuch.schema", "1"),
        ("werkbuch.positions", "{\"T1\":17}"),
        ("werkbuch.cut", "cut-1"),
        ("werkbuch.at", "1970-01-01T00:00:01.000000007Z"),
        ("werkbuch.question", "{\"filter\":\"a = 'b'\"}"),
        ("werkbuch.version", env!("CARGO_PKG_VERSION")),
    ] {
        assert_eq!(said.get(key).map(String::as_str), Some(value), "{key}");
    }
    assert!(said.get("werkbuch.absent").unwrap().contains("NOT_YET"));
    let field = reader.schema().field_with_name("position").unwrap();
    assert_eq!(
        field.metadata().get("comment").unwrap(),
        "its number in the plant's log"
    );
}

#[test]
fn no_rows_are_a_table_too() {
    for (name, columns) in [
        (machines::NAME, machines::COLUMNS),
        (events::NAME, events::COLUMNS),
        (timelines::NAME, timelines::COLUMNS),
    ] {
        let bytes = stream(columns, &about(name), &[]);
        let parquet = file(Form::Parquet, &bytes, 9);
        let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(parquet)).unwrap();
        assert_eq!(reader.schema().fields().len(), columns.len());
        assert_eq!(reader.build().unwrap().count(), 0);
        let arrow = file(Form::Arrow, &bytes, 9);
        let reader = arrow_ipc::reader::FileReader::try_new(Cursor::new(arrow), None).unwrap();
        assert_eq!(reader.num_batches(), 0);
        let csv = String::from_utf8(file(Form::Csv, &bytes, 9)).unwrap();
        assert_eq!(csv.lines().count(), 1);
        assert!(file(Form::Jsonl, &bytes, 9).is_empty());
    }
}

/// Bytes that were lost or mixed up are an error or fewer rows, and never a crash.
#[test]
fn what_is_broken_is_said_to_be() {
    let events = some_events();
    let lines = lines(&events);
    let bytes = stream(events::COLUMNS, &about(events::NAME), &dynamic(&lines));
    for end in 0..bytes.len() {
        let mut decoder = Decoder::default();
        let rows = decoder.decode(bytes[..end].to_vec()).unwrap();
        // The rows are there before the mark of eight bytes at the end; that it came, the server says.
        assert_eq!(rows.len() == 1, end + 8 >= bytes.len(), "{end}");
    }
    let error = Decoder::default().decode(b"no table at all, but long enough".to_vec());
    assert!(error.is_err() || error.unwrap().is_empty());
    let full = Sink::new(Form::Csv, one_batch_of(&bytes).schema(), Full);
    let mut full = full.unwrap();
    full.write(&one_batch_of(&bytes)).ok();
    let error = full.close().unwrap_err();
    assert!(matches!(error, TableError::Write(_)), "{error:?}");
    for form in [Form::Parquet, Form::Arrow, Form::Arrows, Form::Jsonl] {
        let error = match Sink::new(form, one_batch_of(&bytes).schema(), Full) {
            Ok(mut sink) => {
                let written = sink.write(&one_batch_of(&bytes));
                written.and_then(|()| sink.close().map(drop)).unwrap_err()
            }
            Err(error) => error,
        };
        assert!(matches!(error, TableError::Write(_)), "{form:?}: {error:?}");
    }
}

fn one_batch_of(stream: &[u8]) -> RecordBatch {
    one_batch(&Decoder::default().decode(stream.to_vec()).unwrap())
}

/// A disk without room.
#[derive(Debug)]
struct Full;

impl std::io::Write for Full {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::Error::from(std::io::ErrorKind::StorageFull))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_is_unknown_is_null_and_no_zero() {
    let machine = pb::Machine {
        name: "tenants/default/plants/T1/machines/m1".to_owned(),
        counters: vec![pb::Counter {
            counter: "good".to_owned(),
            meaning: 2,
            value: Some(7),
            reset_epoch: 1,
            at: 5,
        }],
        last_event_at: Some(40),
        ..pb::Machine::default()
    };
    let line = MachineLine {
        plant: "T1",
        machine: &machine,
        order: "",
        as_of: 42,
    };
    let bytes = stream(machines::COLUMNS, &about(machines::NAME), &[&line]);
    let rows = rows(Form::Parquet, file(Form::Parquet, &bytes, 99));
    let nothing: Vec<&str> = rows[0]
        .iter()
        .filter(|(_, value)| value.is_null())
        .map(|(name, _)| name.as_str())
        .collect();
    for name in [
        "area",
        "mode",
        "program",
        "order",
        "scrap",
        "rework",
        "since",
        "wait_state",
    ] {
        assert!(nothing.contains(&name), "{name}: {rows:?}");
    }
    assert_eq!(
        (&rows[0]["parts"], &rows[0]["good"]),
        (&7.into(), &7.into())
    );
    assert_eq!(rows[0]["silent_ns"], 2);
    let counter = serde_json::json!({
        "counter": "good", "meaning": "GOOD", "value": 7, "reset_epoch": 1,
        "at": "1970-01-01T00:00:00.000000005Z",
    });
    assert_eq!(rows[0]["counters"], serde_json::json!([counter]));
}

#[test]
fn figures_have_columns_of_their_measures() {
    use pb::AggregateFunction::{Avg, Count, Max, Min};
    let measures = measured(&[
        (Count, "", Yields::Count),
        (Avg, "parts", Yields::Number),
        (Min, "since", Yields::Time),
        (Max, "sample:S 1", Yields::Number),
        (Max, "sample:S:1", Yields::Number),
    ]);
    let columns = aggregates::columns(&["state".to_owned(), "machines".to_owned()], &measures);
    let names: Vec<&str> = columns.iter().map(|column| &*column.name).collect();
    assert_eq!(
        names[..6],
        [
            "at",
            "state",
            "machines_2",
            "machines",
            "count",
            "avg_parts"
        ]
    );
    assert!(
        names.contains(&"max_sample_S_1") && names.contains(&"max_sample_S_1_2"),
        "{names:?}"
    );
    let value = |value| pb::AggregateValue {
        value,
        machines: 2,
        unit: "W".to_owned(),
        ..pb::AggregateValue::default()
    };
    use pb::aggregate_value::Value;
    let group = pb::AggregateGroup {
        keys: vec!["IDLE".to_owned(), String::new()],
        machines: 2,
        values: vec![
            value(Some(Value::Whole(2))),
            value(Some(Value::Number(0.5))),
            value(Some(Value::Time(9))),
            value(None),
            value(Some(Value::Number(1.5))),
        ],
    };
    let line = FigureLine {
        at: Timestamp(3),
        measures: &measures,
        group: &group,
    };
    let bytes = stream(&columns, &about(aggregates::NAME), &[&line]);
    let found = rows(Form::Parquet, file(Form::Parquet, &bytes, 99));
    let row = &found[0];
    assert_eq!(
        (&row["state"], &row["machines_2"]),
        (&"IDLE".into(), &serde_json::Value::Null)
    );
    assert_eq!((&row["count"], &row["avg_parts"]), (&2.into(), &0.5.into()));
    assert_eq!(row["min_since"], "1970-01-01T00:00:00.000000009Z");
    assert_eq!(
        (&row["max_sample_S_1"], &row["max_sample_S_1_2"]),
        (&serde_json::Value::Null, &1.5.into())
    );
}

#[test]
fn conditions_ask_for_columns() {
    let events = some_events();
    let lines = lines(&events);
    let matching = |text: &str| {
        let filter = Filter::parse(text, &events::EVENT_FIELDS).unwrap();
        let found = lines.iter().filter(|line| filter.matches(*line));
        found.count()
    };
    assert_eq!(matching("state = 'faulted'"), 1);
    assert_eq!(matching("kind <> 'STATE_CHANGED' AND suspect = true"), 4);
    assert_eq!(matching("item = 'good' OR fields LIKE '%ab01%'"), 2);
    assert_eq!(matching("effective_at > '2023-11-14T22:13:20.2Z'"), 0);
    let error = Filter::parse("kind = 'STATE_CHANGE'", &events::EVENT_FIELDS);
    assert!(error.is_err());
}
