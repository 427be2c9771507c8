//! Every command in every form of output, parsed; a command without a row here fails.
//!
//! To add a command, add a line to `ROWS`: its words, what else it needs, what it answers with. The
//! server has the plant T1 of `support.rs` with some events, and T1 is the plant that is meant where
//! none is named. In what else it needs stand for themselves: `{form}` the form of output, `{dir}` a
//! folder, `{log}` a data folder that no server holds, `{plant}` a plant file, `{shdr}` a recording, `{jsonl}` lines of events, `{batch}` the position of
//! a batch of samples, `{rules}` a file of rules, `{cases}` a file of exact results, `{run}` a run of the server, `{model}` a model
//! and `{scenario}` and `{other}`
//! changes to it.

use crate::support::{PLANT, Server, werkbuch};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

/// What a command answers with.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Answer {
    /// A list, which says how many of how many it shows.
    List,
    /// Rows that are no choice out of more: changes, counts, files.
    Rows,
    /// A single thing.
    One,
    /// One thing after another, as they come.
    Stream,
    /// A text of its own kind, such as a script.
    Text,
    /// It answers and goes on until it is told to stop.
    Server,
}
use Answer::{List, One, Rows, Stream, Text};

const ROWS: &[(&str, &str, Answer)] = &[
    (
        "serve",
        "--data {dir}/{form} --listen 127.0.0.1:0 --log-level error",
        Answer::Server,
    ),
    ("plant apply", "{plant}", Rows),
    ("log ls", "--data {log}", List),
    ("log stat", "--data {log}", List),
    ("log verify", "--data {log}", One),
    (
        "log copy",
        "--from {log} --to {dir}/copy-{form} --store sled",
        List,
    ),
    ("plant check", "{plant}", One),
    ("plant diff", "{plant}", Rows),
    ("plant calendar", "{example}", Rows),
    ("plant graph", "--plant T1", Rows),
    ("plant get", "T1", One),
    ("plant ls", "", List),
    ("plant ls", "--known now", List),
    ("plant confirm-clock", "T1", One),
    ("machine ls", "--order-by state", List),
    ("machine get", "m1", One),
    ("machine count", "", Rows),
    ("machine ls", "--all-plants", List),
    ("machine count", "--by area,state", List),
    ("machine sum", "parts --all-plants --by plant", List),
    ("machine avg", "parts", List),
    ("machine min", "since", List),
    ("machine max", "active_alarms --by type", List),
    (
        "machine timeline",
        "m1 --from 2017-06-07T00:00:00Z --list",
        List,
    ),
    (
        "machine timeline",
        "--from 2017-06-07T00:00:00Z --buckets 40",
        List,
    ),
    (
        "machine timeline",
        "--all-plants --from 2017-06-07T00:00:00Z --list",
        List,
    ),
    (
        "find first",
        "state='FAULTED' --from 2016-01-01T00:00:00Z --per-machine",
        Rows,
    ),
    ("find last", "state<>'FAULTED' --all-plants", Rows),
    (
        "find all",
        "state<>'FAULTED' --from 2016-01-01T00:00:00Z --for 1s",
        List,
    ),
    (
        "sim conformance",
        "{cases} --relative 0.1 --events 100000",
        List,
    ),
    (
        "sim run",
        "--model {model} --scenario {scenario} --horizon 2h --replications 2 --save {dir}/result-{form}",
        List,
    ),
    (
        "sim model",
        "--plant T9 --at 2026-01-06T00:00:00Z --window 1d",
        List,
    ),
    ("sim rerun", "{dir}/result-{form} --stations", List),
    (
        "sim run",
        "--plant T9 --at 2026-01-06T00:00:00Z --window 1d --horizon 1h --replications 2 --detach",
        One,
    ),
    ("sim get", "{run}", List),
    ("sim ls", "", List),
    ("sim cancel", "{run}", One),
    ("sim rm", "{run}", One),
    ("scenario new", "", Text),
    ("scenario check", "{scenario} --model {model}", One),
    ("scenario ls", "{scenario} --model {model}", List),
    ("scenario diff", "{scenario} {other} --model {model}", List),
    ("rule check", "{rules}", List),
    ("rule apply", "{rules} --why test --who anna", Rows),
    ("rule ls", "", List),
    ("rule ls", "--raised --all-plants", List),
    ("rule get", "r", One),
    ("rule rm", "r --dry-run", Rows),
    (
        "rule test",
        "{rules} --from 2016-01-01T00:00:00Z --lead 1h",
        List,
    ),
    ("machine watch", "--from 1 --for 2s", Stream),
    ("machine watch", "--from 1 --present --until-live", Stream),
    (
        "machine watch",
        "--all-plants --from 1 --every 100ms --screen --heartbeat --for 2s",
        Stream,
    ),
    ("quality", "", Rows),
    ("quality", "--all-plants", Rows),
    // The data have no flaws, so the list is empty.
    ("quality", "--findings --all", Rows),
    ("plant wip", "--by buffer,machine,unit,variant", List),
    ("event ls", "--limit 3", List),
    ("event get", "2", One),
    ("event tail", "--from 1 --for 1s", Stream),
    ("event export", "", Stream),
    (
        "export machines",
        "--all-plants --out {dir}/machines-{form}.parquet",
        One,
    ),
    ("export events", "--out {dir}/events-{form}.arrow", One),
    (
        "export timelines",
        "m1 --from 2017-06-07T00:00:00Z --out {dir}/timelines-{form}.csv.gz",
        One,
    ),
    (
        "export aggregates",
        "--by state --out {dir}/states-{form}.jsonl",
        One,
    ),
    ("export columns", "machines", List),
    (
        "event append",
        "--machine m2 --kind STATE_CHANGED --set to=HELD --set native=a,b",
        One,
    ),
    (
        "event append",
        "--kind ORDER_RELEASED --set order=O-{form} --set planned=5",
        One,
    ),
    (
        "event append",
        "--kind PART_ENTERED --machine m1 --set part=V-{form}",
        One,
    ),
    (
        "event append",
        "--kind INVENTORY_COUNTED --set location=rack --set part_number=n1 --set quantity=3.0",
        One,
    ),
    (
        "event append",
        "--kind MATERIAL_ARRIVED --set part_number=n1 --set quantity=3.0 --set to=dock",
        One,
    ),
    (
        "event append",
        "--kind SUPPLY_STATUS_REPORTED --set part_number=n1 --set stock=3.0",
        One,
    ),
    (
        "event append",
        "--kind TRANSPORT_STARTED --set transport=t1 --set to=m1",
        One,
    ),
    (
        "event append",
        "--kind ANDON_RAISED --machine m1 --set key=k1 --set andon=HELP",
        One,
    ),
    (
        "event append",
        "--kind PLAN_PUBLISHED --set plan=week --set plan_kind=SEQUENCE --set version=1 --set chunk=1 --set chunks=1",
        One,
    ),
    (
        "event append",
        "--kind CALENDAR_CHANGED --set key=k1 --set from=2026-11-22T06:00:00Z --set to=2026-11-22T14:00:00Z",
        One,
    ),
    (
        "event append",
        "--kind STAFFING_CHANGED --set crew=early --set present=4",
        One,
    ),
    (
        "event append",
        "--kind PERIOD_CLOSED --set key=k1 --set from=2026-11-22T06:00:00Z --set to=2026-11-22T14:00:00Z --set at_position=1",
        One,
    ),
    (
        "event append",
        "--kind DOWNTIME_REASON_ASSIGNED --machine m1 --set key=d1 --set code=jam --set from=2026-11-22T06:00:00Z",
        One,
    ),
    (
        "event append",
        "--kind MAINTENANCE_STARTED --machine m1 --set work_order=w1",
        One,
    ),
    // The plant has no buffers, so the list is empty.
    ("buffer ls", "", Rows),
    ("order ls", "", List),
    ("part ls", "", List),
    ("inventory ls", "", List),
    ("material ls", "", List),
    ("supply ls", "", List),
    ("transport ls", "", List),
    ("andon ls", "", List),
    ("plan ls", "", List),
    ("calendar ls", "", List),
    ("staffing ls", "", List),
    ("period ls", "", List),
    ("downtime ls", "", List),
    ("maintenance ls", "", List),
    ("order get", "O-{form}", One),
    ("part get", "V-{form}", One),
    ("event body", "{batch}", List),
    ("source ls", "", List),
    ("diff", "--known-from 3 --full", Rows),
    ("twin get", "T1", One),
    ("import shdr", "--machine m1 {shdr}", Rows),
    ("import jsonl", "{jsonl}", Rows),
    ("replay", "--check", Rows),
    ("server status", "", One),
    ("server metrics", "", Rows),
    ("bench replay", "--events 2000", One),
    ("bench fleet", "--plants 2 --machines 10", One),
    ("bench restart", "--events 300 --plants 2 --machines 4", One),
    (
        "bench query",
        "--plants 2 --machines 10 --gets 20 --lists 5",
        One,
    ),
    (
        "bench timeline",
        "--intervals 2000 --machines 20 --buckets 50",
        One,
    ),
    ("bench sim", "--events 10000 --machines 60 --pairs 2", One),
    ("bench watch", "--events 1000 --machines 10", One),
    ("bench rules", "--events 1000 --machines 10 --rules 6", One),
    (
        "bench instant",
        "--events 2000 --machines 20 --questions 3",
        One,
    ),
    (
        "bench ingest",
        "--events 1000 --plants 1 --machines 10 --singles 2",
        One,
    ),
    ("demo", "--for 2s", One),
    ("context set", "c-{form} --plant T1", One),
    ("context ls", "", List),
    ("context use", "c-{form}", One),
    ("context get", "", One),
    ("context rm", "c-{form}", One),
    ("completion", "zsh", Text),
    ("man", "machine ls", Text),
];

const FORMS: [&str; 4] = ["table", "json", "jsonl", "csv"];

#[test]
fn every_command_answers_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let server = Server::with_plant();
    server.apply(&format!(
        "{}\n[[product]]\nid = \"part\"\n[[boundary]]\nat = \"m1\"\nkind = \"source\"\n\
         [[boundary]]\nat = \"m2\"\nkind = \"sink\"\n",
        PLANT.replace("\"T1\"", "\"T9\"")
    ));
    for (time, state) in [("06", "EXECUTING"), ("07", "FAULTED"), ("08", "EXECUTING")] {
        let said = format!("T9 m1 STATE_CHANGED --set to={state} --at 2026-01-05T{time}:00:00Z");
        server.append(&said);
    }
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let shdr = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios/mill.shdr");
    let example = Path::new(env!("CARGO_MANIFEST_DIR"));
    let example = example.join("../../examples/plants/car-plant.toml");
    let model = Path::new(env!("CARGO_MANIFEST_DIR"));
    let model = model.join("../../examples/models/engine-line.toml");
    let other = model.with_file_name("hot-test-down.toml");
    let line =
        r#"{"machine":"m1","time":"2026-01-05T06:00:00Z","kind":"STATE_CHANGED","to":"HELD"}"#;
    let words = [
        ("{dir}", dir.to_owned()),
        (
            "{plant}",
            file("plant.toml", &PLANT.replace("mill", "lathe")),
        ),
        ("{shdr}", shdr.to_str().unwrap().to_owned()),
        (
            "{cases}",
            file(
                "cases.json",
                r#"{"cases": [{"id": "one", "family": "mm1", "model": "M/M/1", "quantity": "Wq",
                    "params": {"lam": 0.5, "mu": 1.0}, "value": 1.0}]}"#,
            ),
        ),
        (
            "{rules}",
            file(
                "rules.toml",
                "[[rule]]\nid = \"r\"\nraise = \"state <> 'FAULTED'\"\nhold = \"1ms\"\n",
            ),
        ),
        ("{other}", other.to_str().unwrap().to_owned()),
        ("{model}", model.to_str().unwrap().to_owned()),
        (
            "{scenario}",
            file(
                "scenario.toml",
                "[[change]]\ndo = \"down\"\nmachines = \"op10-1\"\nfrom = \"1h\"\nfor = \"30m\"\n",
            ),
        ),
        ("{example}", example.to_str().unwrap().to_owned()),
        ("{jsonl}", file("events.jsonl", line)),
        (
            "{log}",
            format!(
                "{}/../../snapshots/format/v1/data",
                env!("CARGO_MANIFEST_DIR")
            ),
        ),
    ];
    let imported = server.run(&[
        "import",
        "shdr",
        "--plant",
        "T1",
        "--machine",
        "m1",
        &words[2].1,
    ]);
    assert_eq!(imported.code, 0, "{imported:#?}");

    let batches = server.json(&["event", "ls", "--plant", "T1", "--kind", "SAMPLE_REPORTED"]);
    let batch = batches["events"][0]["position"].to_string();
    let words: Vec<_> = words.into_iter().chain([("{batch}", batch)]).collect();

    let mut faults = Vec::new();
    for (command, more, answer) in ROWS {
        for (number, form) in (1..).zip(FORMS) {
            let mut arguments = format!("{command} {more}").replace("{form}", form);
            arguments = arguments.replace("{run}", &format!("{number}"));
            for (word, value) in &words {
                arguments = arguments.replace(word, value);
            }
            let arguments: Vec<&str> = arguments.split_whitespace().collect();
            let mut process = werkbuch(&arguments);
            process
                .args(["-o", form])
                .env("WERKBUCH_SERVER", &server.url);
            process.env("WERKBUCH_PLANT", "T1");
            process.env("WERKBUCH_CONFIG", folder.path().join("config.toml"));
            let (code, stdout, stderr) = outcome(process, *answer);
            let fault = match code {
                0 => fault(form, *answer, &stdout, &stderr),
                code => Some(format!("exit code {code}: {stderr}")),
            };
            faults.extend(fault.map(|fault| format!("{command} -o {form}: {fault}")));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_command_has_a_row() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let output = werkbuch(&["man", "--dir", dir, "-o", "json"])
        .output()
        .unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let pages = answer["pages"].as_array().unwrap();
    for page in pages {
        let text = std::fs::read_to_string(folder.path().join(page["file"].as_str().unwrap()));
        assert!(text.unwrap().contains(".SH NAME"), "{page}");
    }
    let leaves = pages.iter().filter(|page| page["leaf"] == true);
    let there: BTreeSet<&str> = leaves
        .map(|page| page["command"].as_str().unwrap())
        .collect();
    let rows: BTreeSet<&str> = ROWS.iter().map(|(command, ..)| *command).collect();
    let missing: Vec<_> = there.symmetric_difference(&rows).collect();
    assert!(
        missing.is_empty(),
        "without a row, or without a command: {missing:?}"
    );
}

/// Runs to the end; a server is told to stop once it has answered.
fn outcome(mut process: Command, answer: Answer) -> (i32, String, String) {
    process.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = process.spawn().unwrap();
    let mut first = [0_u8; 1];
    if answer == Answer::Server {
        child
            .stdout
            .as_mut()
            .unwrap()
            .read_exact(&mut first)
            .unwrap();
        let sent = Command::new("kill")
            .args(["-TERM", &child.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
    }
    let output = child.wait_with_output().unwrap();
    let mut stdout = String::from_utf8(output.stdout).unwrap();
    if answer == Answer::Server {
        stdout.insert(0, char::from(first[0]));
    }
    let stderr = String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap_or(-1), stdout, stderr)
}

/// What is wrong with an answer in a form.
fn fault(form: &str, answer: Answer, stdout: &str, stderr: &str) -> Option<String> {
    // Nothing has changed, and so no line tells of a change.
    let nothing = answer == Rows && form == "jsonl";
    if stdout.trim().is_empty() && !nothing {
        return Some("it says nothing".to_owned());
    }
    if stdout.contains('\x1b') || stderr.contains('\x1b') {
        return Some("it has colours where there is no terminal".to_owned());
    }
    match form {
        "table" if answer == List && !says_how_many(stderr) => {
            Some(format!("it does not say \"n of N\": {stderr:?}"))
        }
        "json" if answer == Stream => {
            let values = serde_json::Deserializer::from_str(stdout).into_iter::<Value>();
            let wrong = values.filter_map(Result::err).next();
            wrong.map(|error| format!("{error}: {stdout}"))
        }
        "json" => {
            let read: Result<Value, _> = serde_json::from_str(stdout);
            read.err().map(|error| format!("{error}: {stdout}"))
        }
        "jsonl" => stdout.lines().find_map(|line| {
            let read: Result<Value, _> = serde_json::from_str(line);
            read.err().map(|error| format!("{error}: {line}"))
        }),
        "csv" => {
            // Lines of another number of columns than the first are errors.
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .from_reader(stdout.as_bytes());
            let records: Vec<_> = reader.records().collect();
            let wrong = records.iter().find_map(|record| record.as_ref().err());
            match wrong {
                Some(error) => Some(format!("{error}: {stdout}")),
                None if records.len() < 2 && answer != Rows => {
                    Some(format!("a head alone: {stdout}"))
                }
                None => None,
            }
        }
        _ => None,
    }
}

/// Whether a text says `3 of 17`.
fn says_how_many(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_number = |word: &str| word.parse::<u64>().is_ok();
    words
        .windows(3)
        .any(|three| is_number(three[0]) && three[1] == "of" && is_number(three[2]))
}
