//! A client in another language, generated from the proto files, reports, lists and watches.
//!
//! It needs a Python with grpcio-tools. `WERKBUCH_PYTHON` names one; else a virtual environment is
//! made in the target folder, once, if the packages can be had. `WERKBUCH_REQUIRE_PYTHON=1` makes it
//! a failure that there is none.

use crate::support::Server;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
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
    let watch = [
        "watch",
        "--plant",
        "T1",
        "--from",
        "1",
        "--kind",
        "STATE_CHANGED",
        "--count",
        "2",
    ];
    let mut watching = client.command(&watch).spawn().unwrap();
    let second = client.run(&[&append[..], &["IDLE", "--epoch", "1"]].concat());
    assert_eq!(second[0]["sequence"], 2, "{second:?}");
    let begin = Instant::now();
    while watching.try_wait().unwrap().is_none() {
        if begin.elapsed() > PATIENCE {
            let _ = watching.kill();
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let output = watching.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let positions: Vec<_> = lines(&output)
        .iter()
        .map(|line| line["position"].clone())
        .collect();
    assert_eq!(
        positions,
        [first[0]["position"].clone(), second[0]["position"].clone()]
    );

    let wrong = client
        .command(&[&append[..5], &["--state", "IDLE", "--source", "a b"]].concat())
        .output();
    let wrong = wrong.unwrap();
    assert!(
        !wrong.status.success() && !wrong.stderr.is_empty(),
        "{wrong:?}"
    );
}
