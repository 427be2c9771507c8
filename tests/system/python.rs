//! Clients in another language, generated from the proto files, report, list, watch and ask in SQL.
//!
//! They need a Python with grpcio-tools, and the one that asks in SQL pyarrow, pandas and DuckDB. `WERKBUCH_PYTHON` names one; else a virtual environment is
//! made in the target folder, once, if the packages can be had. `WERKBUCH_REQUIRE_PYTHON=1` makes it
//! a failure that there is none.

use crate::support::{PLANT, Server};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/python")
}

fn runs(command: &mut Command) -> bool {
    let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// What a client needs: what it imports, and the packages that bring it.
type Tools = (&'static str, &'static [&'static str]);

const CLIENT: Tools = (
    "import grpc, grpc_tools.protoc, google.protobuf",
    &["grpcio", "grpcio-tools", "protobuf"],
);
const TABLES: Tools = (
    "import grpc, grpc_tools.protoc, google.protobuf, pyarrow, pandas, duckdb",
    &[
        "grpcio",
        "grpcio-tools",
        "protobuf",
        "pyarrow",
        "pandas",
        "duckdb",
    ],
);

const WHAT_IF: Tools = (
    "import grpc, grpc_tools.protoc, google.protobuf, matplotlib",
    &["grpcio", "grpcio-tools", "protobuf", "matplotlib"],
);

fn has(python: &Path, tools: Tools) -> bool {
    runs(Command::new(python).args(["-c", tools.0]))
}

/// A Python with the packages; none where it cannot be had.
fn python(tools: Tools) -> Option<PathBuf> {
    let required = std::env::var_os("WERKBUCH_REQUIRE_PYTHON").is_some();
    let skipped = || {
        let missing = format!("no Python with {}", tools.1.join(", "));
        assert!(
            !required,
            "{missing}, which WERKBUCH_REQUIRE_PYTHON asks for"
        );
        eprintln!("SKIPPED: {missing}");
        None
    };
    if let Some(named) = std::env::var_os("WERKBUCH_PYTHON") {
        let named = PathBuf::from(named);
        if has(&named, tools) {
            return Some(named);
        }
        assert!(tools != CLIENT, "{} has no grpcio-tools", named.display());
        return skipped();
    }
    // Two tests may want it at once.
    static MAKING: Mutex<()> = Mutex::new(());
    let _alone = MAKING.lock();
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python");
    let python = place.join("bin/python");
    if has(&python, tools) {
        return Some(python);
    }
    let made = runs(Command::new("python3").args(["-m", "venv", place.to_str().unwrap()]));
    let install = [&["-m", "pip", "install", "-q"][..], tools.1].concat();
    if made && runs(Command::new(&python).args(install)) && has(&python, tools) {
        return Some(python);
    }
    skipped()
}

/// An example with its generated code, against a server.
struct Client<'s> {
    script: &'static str,
    python: PathBuf,
    stubs: tempfile::TempDir,
    server: &'s Server,
}

impl<'s> Client<'s> {
    fn new(script: &'static str, python: PathBuf, server: &'s Server) -> Self {
        let stubs = tempfile::tempdir().unwrap();
        let generated = Command::new("sh")
            .arg(examples().join("generate.sh"))
            .arg(stubs.path())
            .env("PYTHON", &python)
            .output()
            .unwrap();
        assert!(generated.status.success(), "{generated:?}");
        Self {
            script,
            python,
            stubs,
            server,
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.python);
        command.arg(examples().join(self.script)).args(arguments);
        command.env("PYTHONPATH", self.stubs.path());
        command.env("WERKBUCH_SERVER", &self.server.url);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.command(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        lines(&output)
    }
}

fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The output of a client that is to end by itself.
fn ended(mut watching: Child) -> Output {
    let begin = Instant::now();
    while watching.try_wait().unwrap().is_none() {
        if begin.elapsed() > PATIENCE {
            let _ = watching.kill();
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let output = watching.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    output
}

/// A change in short: position, machine, kind, state before and after.
type Change = (u64, String, String, String, String);

fn change(of: (&Value, &str, &str, &str, &str)) -> Change {
    let text = str::to_owned;
    let (position, machine, kind, from, to) = of;
    let position = position.as_u64().unwrap();
    (position, text(machine), text(kind), text(from), text(to))
}

fn changes(lines: &[Value]) -> Vec<Change> {
    let text = |line: &Value, name: &str| line[name].as_str().unwrap().to_owned();
    let of = |line: &Value| {
        (
            line["position"].as_u64().unwrap(),
            text(line, "machine"),
            text(line, "change"),
            text(line, "from"),
            text(line, "to"),
        )
    };
    lines.iter().map(of).collect()
}

#[test]
fn a_generated_client_reports_lists_and_watches() {
    let Some(python) = python(CLIENT) else {
        return;
    };
    let server = Server::with_plant();
    let client = Client::new("client.py", python, &server);
    let append = ["append", "--plant", "T1", "--machine", "m1", "--state"];
    let first = client.run(&[&append[..], &["FAULTED", "--reason", "E12"]].concat());
    assert_eq!(
        (&first[0]["epoch"], &first[0]["sequence"]),
        (&1.into(), &1.into()),
        "{first:?}"
    );
    let machine = server.json(&["machine", "get", "m1", "--plant", "T1"]);
    assert_eq!(
        (&machine["state"], &machine["reason"]),
        (&"FAULTED".into(), &"E12".into())
    );

    let all = client.run(&["list", "--plant", "T1"]);
    assert_eq!(all.len(), 2, "{all:?}");
    let down = client.run(&["list", "--plant", "T1", "--where", "state = 'FAULTED'"]);
    assert_eq!(
        (down.len(), &down[0]["machine"]),
        (1, &"m1".into()),
        "{down:?}"
    );
    let before = (first[0]["position"].as_u64().unwrap() - 1).to_string();
    let down = client.run(&[
        "list",
        "--plant",
        "T1",
        "--where",
        "state = 'FAULTED'",
        "--known",
        &before,
    ]);
    assert!(down.is_empty(), "{down:?}");

    // What was there comes first, then what happens while it is watched.
    let watch = ["watch", "--plant", "T1", "--where", "state <> 'HELD'"];
    let until = [&watch[..], &["--from", "1", "--count", "4"]].concat();
    let watching = client.command(&until).spawn().unwrap();
    let second = client.run(&[&append[..], &["IDLE", "--epoch", "1"]].concat());
    assert_eq!(second[0]["sequence"], 2, "{second:?}");
    let output = ended(watching);
    let seen = changes(&lines(&output));
    let (enters, off) = ("ENTERED", "UNAVAILABLE");
    let (one, two) = (&first[0]["position"], &second[0]["position"]);
    let expected = [
        (one, "m1", "CHANGED", off, "FAULTED"),
        (two, "m1", "CHANGED", "FAULTED", "IDLE"),
    ];
    assert_eq!(seen[2..], expected.map(change));
    let described = seen[..2].iter().map(|change| (&*change.1, &*change.2));
    let described: Vec<_> = described.collect();
    assert_eq!(described, [("m1", enters), ("m2", enters)]);

    // It goes on by its token: with what has happened since, and nothing else.
    let said = String::from_utf8(output.stderr).unwrap();
    let (_, token) = said.trim().rsplit_once("--resume ").expect("the token");
    let third = client.run(&[&append[..], &["HELD", "--epoch", "1"]].concat());
    let resumed = [&watch[..], &["--resume", token, "--count", "1"]].concat();
    let again = changes(&client.run(&resumed));
    let left = change((&third[0]["position"], "m1", "LEFT", "IDLE", "HELD"));
    assert_eq!(again, [left]);
    let broken = client.command(&[&watch[..], &["--resume", "77"]].concat());
    let broken = { broken }.output().unwrap();
    assert!(!broken.status.success(), "{broken:?}");
    let said = String::from_utf8_lossy(&broken.stderr).into_owned();
    assert!(said.contains("resume token"), "{said}");

    let wrong = client
        .command(&[&append[..5], &["--state", "IDLE", "--source", "a b"]].concat())
        .output();
    let wrong = wrong.unwrap();
    assert!(
        !wrong.status.success() && !wrong.stderr.is_empty(),
        "{wrong:?}"
    );
}

#[test]
fn a_generated_client_asks_the_group_in_sql() {
    let Some(python) = python(TABLES) else {
        return;
    };
    let server = Server::with_plant();
    server.apply(&PLANT.replace("\"T1\"", "\"T2\""));
    let append = |plant: &str, machine: &str, words: &[&str]| {
        let begin = ["event", "append", "--plant", plant, "--machine", machine];
        server.json(&[&begin[..], words].concat());
    };
    let fault = ["--kind", "STATE_CHANGED", "--set", "to=FAULTED", "--at"];
    append("T1", "m1", &[&fault[..], &["-3h"]].concat());
    append("T2", "m1", &[&fault[..], &["-3h"]].concat());
    append("T2", "m2", &[&fault[..], &["-1h"]].concat());
    let client = Client::new("tables.py", python, &server);
    let by_area = |rows: &[Value]| -> Vec<(String, u64, u64, String)> {
        let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let row = |row: &Value| {
            let count = |name: &str| row[name].as_u64().unwrap();
            (
                text(row, "plant"),
                count("machines"),
                count("faulted"),
                text(row, "which"),
            )
        };
        assert!(rows.iter().all(|row| row["area"] == "body"), "{rows:?}");
        rows.iter().map(row).collect()
    };
    let row = |plant: &str, faulted, which: &str| (plant.to_owned(), 2, faulted, which.to_owned());
    let now = by_area(&client.run(&["sql"]));
    assert_eq!(now, [row("T1", 1, "m1"), row("T2", 2, "m1, m2")]);
    let before = ["--at", "-2h", "sql"];
    let output = client.command(&["--at=-2h", "sql"]).output().unwrap();
    assert!(output.status.success(), "{before:?}: {output:?}");
    let then = by_area(&lines(&output));
    assert_eq!(then, [row("T1", 1, "m1"), row("T2", 1, "m1")]);

    // The cut gives the same again, whatever has been recorded since.
    let said = String::from_utf8(output.stderr).unwrap();
    let (_, cut) = said.trim().rsplit_once("--known ").expect("the cut");
    append("T1", "m2", &[&fault[..], &["-150m"]].concat());
    assert_eq!(by_area(&client.run(&["--known", cut, "sql"])), then);

    let wrong = client
        .command(&["--where", "colour = 'red'", "sql"])
        .output();
    let wrong = wrong.unwrap();
    let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(!wrong.status.success() && said.contains("colour"), "{said}");
    same_as_lists_and_files(&client);
}

#[test]
fn a_generated_client_asks_what_if_and_plots_it() {
    let Some(python) = python(WHAT_IF) else {
        return;
    };
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
    let client = Client::new("what_if.py", python, &server);
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (scenario, picture) = (file("down.toml"), file("what-if.svg"));
    let down = "[[change]]\ndo = \"down\"\nmachines = \"m1\"\nfor = \"30m\"\n";
    std::fs::write(&scenario, down).unwrap();
    let ask = [
        "--plant",
        "T9",
        "--at",
        "2026-01-06T00:00:00Z",
        "--horizon-hours",
        "1",
        "--replications",
        "3",
        "--out",
        &picture,
        "--scenario",
        &scenario,
    ];
    let told = client.run(&ask);
    let cases: Vec<&str> = told
        .iter()
        .filter_map(|line| line["case"].as_str())
        .collect();
    assert_eq!(cases, ["baseline", "down"], "{told:?}");
    assert!(told[0]["mean"].as_f64() > told[1]["mean"].as_f64());
    assert!(told[2]["difference"].as_f64().unwrap() < 0.0, "{told:?}");
    let drawn = std::fs::read_to_string(&picture).unwrap();
    assert!(drawn.contains("<svg") && drawn.len() > 5_000);
    std::fs::write(&scenario, down.replace("m1", "m9")).unwrap();
    let wrong = client.command(&ask).output().unwrap();
    let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(
        !wrong.status.success() && said.contains("mistake"),
        "{said}"
    );
}

fn same_as_lists_and_files(client: &Client<'_>) {
    let server = client.server;
    // What Arrow holds is what the list shows, and a file that we wrote reads the same.
    let listed = server.json(&["machine", "ls", "--plant", "T2"]);
    let query =
        "SELECT machine, state, epoch_ns(since) AS since, program FROM machines ORDER BY number";
    let found = client.run(&["--plant", "T2", "sql", query]);
    let file = tempfile::tempdir().unwrap();
    let path = file.path().join("m.parquet");
    let path = path.to_str().unwrap();
    server.json(&["export", "machines", "--plant", "T2", "--out", path]);
    let from_file = query.replace("FROM machines", &format!("FROM '{path}'"));
    assert_eq!(client.run(&["--plant", "T2", "sql", &from_file]), found);
    let machines = listed["machines"].as_array().unwrap();
    assert_eq!(found.len(), machines.len());
    for (row, machine) in found.iter().zip(machines) {
        assert_eq!(
            (&row["machine"], &row["state"]),
            (&machine["machine"], &machine["state"])
        );
        assert_eq!(
            (&row["program"], row["since"].is_i64()),
            (&Value::Null, true)
        );
    }
    let events = "SELECT count(*) AS n, max(position) AS last FROM events";
    let counted = client.run(&["--table", "events", "--plant", "T2", "sql", events]);
    let log = server.json(&["event", "ls", "--plant", "T2"]);
    assert_eq!(
        (&counted[0]["n"], &counted[0]["last"]),
        (&log["log_size"], &log["log_size"])
    );
    let output = client.command(&["pandas"]).output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.contains("FAULTED") && shown.contains("T2"), "{shown}");
}
