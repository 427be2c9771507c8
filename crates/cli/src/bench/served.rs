//! A real server in a process of its own, on the data of a benchmark.

use super::measure::{process_cpu_seconds, resident_bytes};
use crate::client::Client;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;
use werkbuch_wire::pb;
use werkbuch_wire::reason::Reason;

/// A server; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Served {
    child: Child,
    pub(super) client: Client,
    url: String,
    /// When it was started.
    pub(super) begun: Instant,
}

impl Served {
    /// Starts this same program as a server and connects to it as soon as it listens.
    /// Errors: it does not start, with what it said.
    pub(super) async fn start(data: &Path) -> Outcome<Self> {
        let program = std::env::current_exe().map_err(|error| failed(&error.to_string()))?;
        let mut command = Command::new(program);
        command.arg("serve").arg("--data").arg(data);
        command.args(["--listen", "127.0.0.1:0", "--log-level", "warn"]);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("WERKBUCH_SERVE") {
                command.env_remove(name);
            }
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let begun = Instant::now();
        let mut child = command
            .spawn()
            .map_err(|error| failed(&error.to_string()))?;
        let stdout = child.stdout.take();
        // From here on it ends with this guard, whatever happens.
        let mut guard = Guard(Some(child));
        let line = tokio::task::spawn_blocking(move || first_line(stdout)).await;
        let line = line.map_err(|error| failed(&error.to_string()))?;
        let Some(url) = line.trim().strip_prefix("werkbuch listening on ") else {
            return Err(failed(&format!("it said \"{}\"", line.trim())));
        };
        let client = Client::connect(url).await?;
        let child = guard.0.take().ok_or_else(|| failed("it is gone"))?;
        Ok(Self {
            child,
            client,
            url: url.to_owned(),
            begun,
        })
    }

    /// One more connection. Errors: it takes no more.
    pub(super) async fn connect(&self) -> Outcome<Client> {
        Client::connect(&self.url).await
    }

    /// Whether the plant of a machine answers, or is still being folded from its log.
    /// Errors: anything else than an answer.
    pub(super) async fn answers(&self, machine: String) -> Outcome<bool> {
        let request = pb::GetMachineRequest {
            name: machine,
            ..Default::default()
        };
        match self.client.twin().get_machine(request).await {
            Ok(_) => Ok(true),
            Err(status) if Reason::of(&status) == Some(Reason::PlantRecovering) => Ok(false),
            Err(status) => Err(Failure::from(status).hint(
                "data of this size are expected in the folder: give the same --plants and --machines as \
                 when they were made, or another --data",
            )),
        }
    }

    /// The number of its process.
    pub(super) fn process(&self) -> u32 {
        self.child.id()
    }

    /// For how long all its threads have been on a core, in seconds, where the system tells.
    pub(super) fn cpu_seconds(&self) -> Option<f64> {
        process_cpu_seconds(self.child.id())
    }

    /// Its resident memory in bytes, where the system tells.
    pub(super) fn resident_bytes(&self) -> Option<u64> {
        resident_bytes(self.child.id())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

struct Guard(Option<Child>);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            end(child);
        }
    }
}

/// A killed server has lost nothing; it is only started to be measured.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

fn first_line(stdout: Option<std::process::ChildStdout>) -> String {
    let mut line = String::new();
    if let Some(stdout) = stdout {
        let mut reader = BufReader::new(stdout);
        let _ = reader.read_line(&mut line);
        // Whatever else it says must not block it.
        std::thread::spawn(move || reader.read_to_end(&mut Vec::new()));
    }
    line
}

fn failed(what: &str) -> Failure {
    let what = format!("the server of the benchmark did not start: {what}");
    Failure::new(Exit::Failed, "SERVE_FAILED", what)
}
