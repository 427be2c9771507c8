//! Starts the real binary, runs commands against it and looks at what they say.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(dead_code)]

use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long a server may take to listen, and to stop: longer than it gives to calls that do not end.
const PATIENCE: Duration = Duration::from_secs(60);

/// A plant for tests: two machines with a buffer between them.
pub(crate) const PLANT: &str = r#"
[plant]
id = "T1"
name = "Test plant"
time_zone = "Europe/Berlin"

[[unit]]
id = "body"
level = "area"

[[machine]]
id = "m1"
in = "body"
type = "mill"
vocabulary = "MTCONNECT_EXECUTION"

[[machine]]
id = "m2"
in = "body"

[[buffer]]
id = "b"
capacity = 4

[[flow]]
from = "m1"
to = "b"

[[flow]]
from = "b"
to = "m2"
"#;

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Standard output as JSON, of a command that ended well.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{self:#?}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// The `error` object on standard error, of a command with `-o json` that failed.
    pub(crate) fn error(&self) -> Value {
        assert_ne!(self.code, 0, "{self:#?}");
        let line = self.stderr.lines().last().unwrap_or_default();
        let mut value: Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {self:#?}"));
        value["error"].take()
    }
}

/// The binary with these arguments, away from the environment of whoever runs the tests.
pub(crate) fn werkbuch(arguments: &[&str]) -> Command {
    alone(Command::new(BINARY), arguments)
}

/// The binary that is tested.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_werkbuch");

/// A command with these arguments more, away from the environment of whoever runs the tests.
fn alone(mut command: Command, arguments: &[&str]) -> Command {
    for (name, _) in std::env::vars() {
        if name.starts_with("WERKBUCH_") {
            command.env_remove(name);
        }
    }
    // No contexts, unless a test names a file of them.
    command.env("WERKBUCH_CONFIG", "");
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub(crate) fn run(arguments: &[&str]) -> Ran {
    finish(werkbuch(arguments))
}

/// Replays the plant of the tests from a folder that nobody holds, with all comparisons.
pub(crate) fn replay_offline(data: &Path) -> Value {
    let data = data.to_str().expect("a plain path");
    run(&[
        "replay", "--plant", "T1", "--check", "--data", data, "-o", "json",
    ])
    .json()
}

pub(crate) fn finish(mut command: Command) -> Ran {
    let output = command.output().expect("the binary starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is UTF-8");
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// A running server with its folder. It is killed when it goes out of scope.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
    pub(crate) data: PathBuf,
    /// The temporary folder, unless the folder is somebody else's.
    folder: Option<tempfile::TempDir>,
}

impl Server {
    /// A server on a new folder.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut server = Self::on(&folder.path().join("data"), &[]);
        server.folder = Some(folder);
        server
    }

    /// A server on this folder, with more options.
    pub(crate) fn on(data: &Path, options: &[&str]) -> Self {
        Self::at("127.0.0.1:0", data, options)
    }

    /// A server at this address, so that clients find it again.
    pub(crate) fn at(listen: &str, data: &Path, options: &[&str]) -> Self {
        Self::launch(listen, data, options, Stdio::inherit())
    }

    /// A server on a free port with its log lines going elsewhere.
    pub(crate) fn logging(data: &Path, options: &[&str], log: Stdio) -> Self {
        Self::launch("127.0.0.1:0", data, options, log)
    }

    /// A server on this folder that another program watches: `tracer` ends where the path of the binary
    /// goes, and the process that it starts is the server itself.
    pub(crate) fn traced(data: &Path, options: &[&str], tracer: &[&str]) -> Self {
        let [program, arguments @ ..] = tracer else {
            panic!("no tracer")
        };
        let mut command = Command::new(program);
        command.args(arguments).arg(BINARY);
        Self::spawn(command, "127.0.0.1:0", data, options, Stdio::inherit())
    }

    fn launch(listen: &str, data: &Path, options: &[&str], log: Stdio) -> Self {
        Self::spawn(Command::new(BINARY), listen, data, options, log)
    }

    fn spawn(command: Command, listen: &str, data: &Path, options: &[&str], log: Stdio) -> Self {
        let data_text = data.to_str().expect("a plain path");
        let mut arguments = vec!["serve", "--data", data_text, "--listen", listen];
        arguments.extend(options);
        if !options.contains(&"--log-level") {
            arguments.extend(["--log-level", "warn"]);
        }
        let mut child = alone(command, &arguments)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the server starts");
        let stdout = child.stdout.take().expect("its output");
        let (sender, line) = mpsc::sync_channel(1);
        std::thread::spawn(move || {
            let mut reader = BufReader::new(stdout);
            let mut line = String::new();
            let _ = reader.read_line(&mut line);
            let _ = sender.send(line);
            // Whatever else it says must not block it.
            let _ = reader.read_to_end(&mut Vec::new());
        });
        let line = line
            .recv_timeout(PATIENCE)
            .expect("the server says where it listens");
        let url = line
            .trim()
            .strip_prefix("werkbuch listening on ")
            .map(str::to_owned);
        let Some(url) = url else {
            let _ = child.kill();
            panic!("the server said {line:?}");
        };
        Self {
            child,
            url,
            data: data.to_owned(),
            folder: None,
        }
    }

    /// A server on a new folder with the plant of the tests.
    pub(crate) fn with_plant() -> Self {
        let server = Self::start();
        server.apply(PLANT);
        server
    }

    /// Applies a description.
    pub(crate) fn apply(&self, description: &str) -> Value {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("plant.toml");
        std::fs::write(&file, description).expect("a file");
        self.run(&["plant", "apply", file.to_str().unwrap(), "-o", "json"])
            .json()
    }

    /// Runs a command against this server.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = werkbuch(arguments);
        command.env("WERKBUCH_SERVER", &self.url);
        finish(command)
    }

    /// Reports an event, in words: plant, machine, kind, and what else the command takes.
    pub(crate) fn append(&self, said: &str) {
        let mut words = said.split(' ');
        let mut next = || words.next().expect("plant, machine and kind");
        let begin = [
            "event",
            "append",
            "--plant",
            next(),
            "--machine",
            next(),
            "--kind",
            next(),
        ];
        let all: Vec<&str> = begin.into_iter().chain(words).collect();
        let ran = self.run(&all);
        assert_eq!(ran.code, 0, "{ran:#?}");
    }

    /// Runs a command against this server and reads its JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let mut all = arguments.to_vec();
        all.extend(["-o", "json"]);
        self.run(&all).json()
    }

    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to stop, as an operator does, and waits for its end.
    pub(crate) fn stop(mut self) -> ExitStatus {
        self.terminate();
        self.wait()
    }

    /// Asks it to stop, as an operator does.
    pub(crate) fn terminate(&self) {
        let sent = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        assert!(sent.expect("kill is there").success());
    }

    /// Kills it, as a power cut of the process, and gives back its folder.
    pub(crate) fn kill(mut self) -> (PathBuf, Option<tempfile::TempDir>) {
        self.child.kill().expect("it can be killed");
        let _ = self.child.wait();
        (self.data.clone(), self.folder.take())
    }

    /// Keeps its folder beyond its own end, as long as what is given back.
    pub(crate) fn keep(&mut self) -> Option<tempfile::TempDir> {
        self.folder.take()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_none()
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            assert!(begin.elapsed() < PATIENCE, "the server does not stop");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
