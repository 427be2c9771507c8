//! A client in another language, generated from the proto files, reports, lists and watches.
//!
//! It needs a Python with grpcio-tools. `WERKBUCH_PYTHON` names one; else a virtual environment is
//! made in the target folder, once, if the packages can be had. `WERKBUCH_REQUIRE_PYTHON=1` makes it
//! a failure that there is none.

use crate::support::Server;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/python")
}

fn runs(command: &mut Command) -> bool {
    let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

fn has_tools(python: &Path) -> bool {
    runs(Command::new(python).args(["-c", "import grpc, grpc_tools.protoc, google.protobuf"]))
}

/// A Python with the packages; none where it cannot be had.
fn python() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("WERKBUCH_PYTHON") {
        let named = PathBuf::from(named);
        assert!(has_tools(&named), "{} has no grpcio-tools", named.display());
        return Some(named);
    }
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python");
    let python = place.join("bin/python");
    if !has_tools(&python) {
        let place = place.to_str().unwrap();
        let made = runs(Command::new("python3").args(["-m", "venv", place]));
        let packages = [
            "-m",
            "pip",
            "install",
            "-q",
            "grpcio",
            "grpcio-tools",
            "protobuf",
        ];
        if !made || !runs(Command::new(&python).args(packages)) {
            let required = std::env::var_os("WERKBUCH_REQUIRE_PYTHON").is_some();
            assert!(
                !required,
                "no Python with grpcio-tools, which WERKBUCH_REQUIRE_PYTHON asks for"
            );
            eprintln!("SKIPPED: no Python with grpcio-tools could be made ready");
            return None;
        }
    }
    Some(python)
}

/// The example with its generated code, against a server.
struct Client<'s> {
    python: PathBuf,
    stubs: tempfile::TempDir,
    server: &'s Server,
}

impl<'s> Client<'s> {
    fn new(python: PathBuf, server: &'s Server) -> Self {
        let stubs = tempfile::tempdir().unwrap();
        let generated = Command::new("sh")
            .arg(examples().join("generate.sh"))
            .arg(stubs.path())
            .env("PYTHON", &python)
            .output()
            .unwrap();
        assert!(generated.status.success(), "{generated:?}");
        Self {
            python,
            stubs,
            server,
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.python);
        command.arg(examples().join("client.py")).args(arguments);
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
    let Some(python) = python() else {
        return;
    };
    let server = Server::with_plant();
    let client = Client::new(python, &server);
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
