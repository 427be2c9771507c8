//! The import of one recording: read on a thread of its own, sent as it comes.

use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::mpsc;
use tonic::transport::Channel;
use werkbuch_gateway::source::mapping::Mapping;
use werkbuch_gateway::source::shdr::{self, Counts, Emit, ReadError, ShdrReader, What};
use werkbuch_gateway::source::{ContentHash, other_mapping, source_name};
use werkbuch_gateway::upload::{Outcomes, Pace, Source, Uploader};
use werkbuch_model::event::SourceKind;
use werkbuch_model::id::{Epoch, MachineNumber, PlantId};

/// How many events go from the reader to the sender at once, and how many such loads may wait.
const LOAD: usize = 512;
const LOADS: usize = 8;

/// What one recording came to.
#[derive(Debug)]
pub(crate) struct Imported {
    pub(crate) path: PathBuf,
    pub(crate) source: String,
    pub(crate) content: ContentHash,
    pub(crate) counts: Counts,
    pub(crate) outcomes: Outcomes,
    /// The numbers of the events that are not an observation each: batches and gaps, in order.
    pub(crate) others: Vec<u64>,
}

/// What an import needs.
pub(crate) struct Importing {
    pub(crate) channel: Channel,
    pub(crate) plant: PlantId,
    pub(crate) machine: String,
    pub(crate) number: MachineNumber,
    pub(crate) mapping: Arc<Mapping>,
    /// The sources that the plant has, unless the same recording may come again in another reading.
    pub(crate) known: Option<Arc<Vec<String>>>,
    pub(crate) bars: MultiProgress,
    pub(crate) pace: Pace,
}

/// From the reader to the sender.
enum Load {
    Events { emits: Vec<Emit>, bytes: u64 },
    End(Box<Counts>),
    Failed(ReadError),
}

impl Importing {
    /// Imports one recording. Errors: it cannot be read, or sending ended early.
    pub(crate) async fn run(self, path: &Path) -> Outcome<Imported> {
        let opening = path.to_owned();
        let opened = tokio::task::spawn_blocking(move || shdr::open(&opening)).await;
        let (reader, content) = opened
            .map_err(|error| broken(&error))?
            .map_err(unreadable)?;
        let source = source_name(content, self.number, self.mapping.version())
            .map_err(|error| Failure::usage(error.to_string()))?;
        let known = self.known.as_deref().map_or(&[][..], Vec::as_slice);
        let again = known.iter().any(|known| known == source.as_str());
        let other = known.iter().find_map(|known| other_mapping(known, &source));
        if let (false, Some(version)) = (again, other) {
            return Err(read_before(path, version, self.mapping.version()));
        }
        let bar = self.bar(path);
        let opened = Source {
            plant: self.plant,
            name: source.clone(),
            kind: SourceKind::Import,
            epoch: Some(Epoch(1)),
            tolerance_ns: None,
            machines: vec![self.machine],
        };
        let mut uploader = Uploader::open(self.channel, opened, self.pace).await?;
        let number = uploader
            .opened()
            .machine_numbers
            .first()
            .copied()
            .unwrap_or_default();
        let (loads, mut from_reader) = mpsc::channel(LOADS);
        let (mapping, called) = (self.mapping, called(content));
        tokio::task::spawn_blocking(move || read(reader, &called, mapping, number, &loads));
        let mut others = Vec::new();
        let counts = loop {
            match from_reader.recv().await {
                Some(Load::Events { emits, bytes }) => {
                    bar.set_position(bytes);
                    send(&mut uploader, emits, &mut others).await?;
                }
                Some(Load::End(counts)) => break *counts,
                Some(Load::Failed(error)) => return Err(unreadable(error)),
                None => return Err(broken(&"the reader ended early")),
            }
        };
        uploader.settle().await?;
        bar.finish_and_clear();
        Ok(Imported {
            path: path.to_owned(),
            source: source.as_str().to_owned(),
            content,
            counts,
            outcomes: uploader.outcomes().clone(),
            others,
        })
    }

    /// Bytes read, of all where that is known: a compressed file does not say.
    fn bar(&self, path: &Path) -> ProgressBar {
        let compressed = path.extension().is_some_and(|extension| extension == "gz");
        let length = std::fs::metadata(path).map_or(0, |about| about.len());
        let (bar, template) = if compressed {
            (
                ProgressBar::no_length(),
                "{spinner} {msg} {bytes} {bytes_per_sec}",
            )
        } else {
            (
                ProgressBar::new(length),
                "{bar:30} {msg} {bytes} of {total_bytes} {bytes_per_sec}",
            )
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        let name = path.file_name().unwrap_or(path.as_os_str());
        bar.set_message(name.to_string_lossy().into_owned());
        self.bars.add(bar)
    }
}

/// The recording is in the log already, read with another mapping.
fn read_before(path: &Path, version: &str, new: &str) -> Failure {
    let what = format!(
        "\"{}\" has been imported for this machine with mapping {version}, not {new}",
        path.display()
    );
    Failure::new(Exit::Conflict, "OTHER_MAPPING", what).hint(
        "with --new-mapping it is imported once more; what it says then stands twice in the log",
    )
}

/// What gaps call the recording. A file's name would make the same recording another content.
fn called(content: ContentHash) -> String {
    let digits: String = content.to_string().chars().take(16).collect();
    format!("sha256:{digits}")
}

async fn send(uploader: &mut Uploader, emits: Vec<Emit>, others: &mut Vec<u64>) -> Outcome<()> {
    for emit in emits {
        if emit.what != What::Observation {
            others.push(emit.event.sequence.get());
        }
        uploader.send(&emit.event, emit.body).await?;
    }
    Ok(())
}

/// Reads to the end, or until nobody listens any more.
fn read(
    reader: Box<dyn BufRead + Send>,
    called: &str,
    mapping: Arc<Mapping>,
    machine: MachineNumber,
    loads: &mpsc::Sender<Load>,
) {
    let mut events = ShdrReader::new(reader, called, mapping, machine);
    loop {
        let mut emits = Vec::with_capacity(LOAD);
        let mut failed = None;
        for emit in events.by_ref().take(LOAD) {
            match emit {
                Ok(emit) => emits.push(emit),
                Err(error) => failed = Some(error),
            }
        }
        let is_last = emits.len() < LOAD;
        let bytes = events.bytes_read();
        if loads.blocking_send(Load::Events { emits, bytes }).is_err() {
            return;
        }
        if is_last {
            let last = match failed {
                Some(error) => Load::Failed(error),
                None => Load::End(Box::new(events.counts().clone())),
            };
            let _ = loads.blocking_send(last);
            return;
        }
    }
}

fn unreadable(error: ReadError) -> Failure {
    match &error {
        ReadError::Open { path, source } => Failure::file(path, source),
        ReadError::Read { .. } => Failure::new(Exit::Failed, "FILE_FAILED", error.to_string())
            .hint(
                "mend the cause and import the file again; what was recorded is not recorded twice",
            ),
    }
}

fn broken(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(Exit::Failed, "INTERNAL", format!("reading broke: {error}"))
}
