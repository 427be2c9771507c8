//! Runs on the disk: of each a message of what it is, and its result beside it.

use prost::Message;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use werkbuch_model::id::PlantId;
use werkbuch_wire::{name, pb};

/// The folder that runs are kept in.
pub(super) struct Kept(PathBuf);

impl Kept {
    pub(super) const fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    fn run_file(&self, number: u64) -> PathBuf {
        self.0.join(format!("{number}.run"))
    }

    fn result_file(&self, number: u64) -> PathBuf {
        self.0.join(format!("{number}.json"))
    }

    /// All that can be read, by number. They can be made again: what cannot be read is said and left out.
    pub(super) fn all(&self) -> BTreeMap<u64, (PlantId, pb::Run)> {
        let mut runs = BTreeMap::new();
        let Ok(files) = std::fs::read_dir(&self.0) else {
            return runs;
        };
        for file in files.flatten().map(|file| file.path()) {
            if file.extension().is_none_or(|one| one != "run") {
                continue;
            }
            let number = file
                .file_stem()
                .and_then(|stem| stem.to_str()?.parse().ok());
            let number: Option<u64> = number;
            match (number, read(&file)) {
                (Some(number), Some((plant, named, run))) if named == number => {
                    runs.insert(number, (plant, run));
                }
                _ => {
                    tracing::warn!(file = %file.display(), "a kept run cannot be read, it is left out")
                }
            }
        }
        runs
    }

    /// Writes what a run is; the result first, so that a run never claims one that is not there.
    pub(super) fn write(&self, number: u64, run: &pb::Run, result: Option<&str>) {
        let written = std::fs::create_dir_all(&self.0).and_then(|()| {
            if let Some(result) = result {
                whole(&self.result_file(number), result.as_bytes())?;
            }
            whole(&self.run_file(number), &run.encode_to_vec())
        });
        if let Err(error) = written {
            tracing::warn!(%error, run = run.name, "a run cannot be kept; it is gone when the server ends");
        }
    }

    pub(super) fn remove(&self, number: u64) {
        for file in [self.run_file(number), self.result_file(number)] {
            match std::fs::remove_file(&file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(%error, file = %file.display(), "a kept run cannot be removed");
                }
                _ => {}
            }
        }
    }

    /// A result, if it is the one of that digest.
    pub(super) fn result(&self, number: u64, digest: &str) -> Option<String> {
        let text = std::fs::read_to_string(self.result_file(number)).ok()?;
        let found = format!("sha256:{}", werkbuch_proof::sha256(text.as_bytes()));
        (found == digest).then_some(text)
    }
}

fn read(file: &Path) -> Option<(PlantId, u64, pb::Run)> {
    let run = pb::Run::decode(&*std::fs::read(file).ok()?).ok()?;
    let (plant, number) = name::run(&run.name).ok()?;
    Some((plant?, number, run))
}

/// Writes a file that takes its name when it is whole.
fn whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("part");
    std::fs::write(&beside, bytes)?;
    std::fs::rename(&beside, path)
}
