//! The what-ifs that are run: which there are, how far each is, and what became of it.

mod kept;
mod live;

use crate::limits::RETRY_AFTER;
use kept::Kept;
pub(crate) use live::{Live, is_over};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Semaphore;
use tonic::Status;
use werkbuch_model::id::PlantId;
use werkbuch_wire::reason::Reason;
use werkbuch_wire::{name, pb};

/// The most runs that are kept; of more the oldest that have ended are forgotten.
const RUNS_MAX: usize = 1_000;
/// The most runs that wait or are under way.
const OPEN_MAX: usize = 32;

/// The runs of all plants.
pub(crate) struct Runs {
    book: Mutex<Book>,
    kept: Kept,
    /// One run at a time has the processors; others wait.
    turn: Arc<Semaphore>,
}

struct Book {
    /// By number, which counts up for all plants together.
    runs: BTreeMap<u64, Arc<Live>>,
    next: u64,
}

impl Runs {
    /// Those that are kept in a folder. What cannot be read there is left out, and said in the log file.
    pub(crate) fn open(folder: PathBuf) -> Self {
        let kept = Kept::new(folder);
        let runs: BTreeMap<u64, Arc<Live>> = kept
            .all()
            .into_iter()
            .map(|(number, (plant, run))| (number, Arc::new(Live::ended(plant, run))))
            .collect();
        let next = runs.last_key_value().map_or(1, |(last, _)| last + 1);
        Self {
            book: Mutex::new(Book { runs, next }),
            kept,
            turn: Arc::new(Semaphore::new(1)),
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new run, which waits for its turn; or the one that the same request has begun before.
    /// Errors: `OVERLOADED` when too many wait.
    pub(crate) fn add(
        &self,
        plant: &PlantId,
        request_id: &str,
        mut run: pb::Run,
    ) -> Result<(Arc<Live>, bool), Status> {
        let mut book = self.book();
        let same = |one: &&Arc<Live>| {
            !request_id.is_empty() && one.request_id == request_id && one.plant == *plant
        };
        if let Some(before) = book.runs.values().find(same) {
            return Ok((Arc::clone(before), false));
        }
        if book.runs.values().filter(|one| !one.has_ended()).count() >= OPEN_MAX {
            let text = format!("{OPEN_MAX} runs wait or are under way; cancel one, or wait");
            return Err(Reason::Overloaded.retry(text, RETRY_AFTER));
        }
        let number = book.next;
        book.next += 1;
        run.name = of_run(plant.as_str(), number);
        run.state = pb::RunState::Queued.into();
        let live = Arc::new(Live::new(plant.clone(), request_id.to_owned(), run));
        book.runs.insert(number, Arc::clone(&live));
        let forgotten = forgotten(&mut book.runs);
        drop(book);
        for number in forgotten {
            self.kept.remove(number);
        }
        Ok((live, true))
    }

    /// Waits for the processors.
    pub(crate) async fn turn(&self) -> Option<tokio::sync::OwnedSemaphorePermit> {
        Arc::clone(&self.turn).acquire_owned().await.ok()
    }

    /// A run by its name. Errors: `INVALID_NAME`, `UNKNOWN_RUN`.
    pub(crate) fn get(&self, name: &str) -> Result<Arc<Live>, Status> {
        let (plant, number) = name::run(name)?;
        let found = self.book().runs.get(&number).cloned();
        let is_of = |one: &Arc<Live>| plant.as_ref().is_none_or(|plant| one.plant == *plant);
        found.filter(is_of).ok_or_else(|| {
            let of = plant.as_ref().map_or(String::new(), |plant| format!(" of plant \"{plant}\""));
            Reason::UnknownRun.status(format!(
                "there is no run {number}{of}; those that are kept are listed by ListRuns (werkbuch sim ls)"
            ))
        })
    }

    /// The runs of a plant or of all with a smaller number, the newest first.
    pub(crate) fn list(&self, plant: Option<&PlantId>, below: u64) -> Vec<(u64, Arc<Live>)> {
        let book = self.book();
        let of = |one: &Arc<Live>| plant.is_none_or(|plant| one.plant == *plant);
        let found = book.runs.range(..below).rev().filter(|(_, one)| of(one));
        found
            .map(|(number, one)| (*number, Arc::clone(one)))
            .collect()
    }

    /// Forgets a run. Errors: as for [`Self::get`]; one that has not ended.
    pub(crate) fn delete(&self, name: &str) -> Result<(), Status> {
        let live = self.get(name)?;
        if !live.has_ended() {
            let field = ("name".to_owned(), "has not ended".to_owned());
            let text = format!("{name} has not ended; cancel it first");
            return Err(Reason::InvalidRequest.violations(text, [field]));
        }
        let (_, number) = name::run(name)?;
        self.book().runs.remove(&number);
        self.kept.remove(number);
        Ok(())
    }

    /// Writes down what a run is, and its result if it has one. Blocking.
    pub(crate) fn keep(&self, run: &pb::Run, result: Option<&str>) {
        if let Ok((_, number)) = name::run(&run.name) {
            self.kept.write(number, run, result);
        }
    }

    /// The result of a run, as kept. Blocking. Errors: it has none, or another than it had.
    pub(crate) fn result(&self, live: &Live) -> Result<String, Status> {
        let run = live.run();
        let (_, number) = name::run(&run.name)?;
        if run.state() != pb::RunState::Succeeded {
            let field = ("name".to_owned(), "has no result".to_owned());
            let text = format!("{} has no result", run.name);
            return Err(Reason::InvalidRequest.violations(text, [field]));
        }
        self.kept.result(number, &run.digest).ok_or_else(|| {
            Reason::UnknownRun.status(format!(
                "the result of {} is lost or was changed on the disk; run it again",
                run.name
            ))
        })
    }
}

/// Takes the oldest that have ended out of too many.
fn forgotten(runs: &mut BTreeMap<u64, Arc<Live>>) -> Vec<u64> {
    let beyond = runs.len().saturating_sub(RUNS_MAX);
    let ended = runs.iter().filter(|(_, one)| one.has_ended());
    let oldest: Vec<u64> = ended.map(|(number, _)| *number).take(beyond).collect();
    for number in &oldest {
        runs.remove(number);
    }
    oldest
}

/// The name of a run.
pub(crate) fn of_run(plant: &str, number: u64) -> String {
    format!("{}/runs/{number}", name::of_plant(plant))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn plant() -> PlantId {
        PlantId::new("nordfeld").unwrap()
    }

    fn begin(runs: &Runs, request: &str) -> Arc<Live> {
        runs.add(&plant(), request, pb::Run::default()).unwrap().0
    }

    #[test]
    fn runs_outlive_the_server_and_a_broken_result_is_not_served() {
        let folder = tempfile::tempdir().unwrap();
        let runs = Runs::open(folder.path().join("runs"));
        let (done, open) = (begin(&runs, "a"), begin(&runs, "b"));
        let digest = format!("sha256:{}", werkbuch_proof::sha256(b"{}"));
        done.change(|run| {
            run.state = pb::RunState::Succeeded.into();
            run.digest.clone_from(&digest);
        });
        runs.keep(&done.run(), Some("{}"));
        runs.keep(&open.run(), None);
        let again = Runs::open(folder.path().join("runs"));
        let name = done.run().name;
        assert_eq!(again.get(&name).unwrap().run().digest, digest);
        assert_eq!(again.result(&again.get(&name).unwrap()).unwrap(), "{}");
        // What was under way when the server ended says so.
        let other = again.get(&open.run().name).unwrap().run();
        assert_eq!(other.state(), pb::RunState::Failed);
        assert_eq!(other.reason, "INTERRUPTED");
        std::fs::write(folder.path().join("runs/1.json"), "[]").unwrap();
        assert!(again.result(&again.get(&name).unwrap()).is_err());
        // Numbers are not given twice.
        assert!(begin(&again, "c").run().name.ends_with("/runs/3"));
        again.delete(&name).unwrap();
        assert!(again.get(&name).is_err());
        assert_eq!(
            Runs::open(folder.path().join("runs"))
                .list(None, u64::MAX)
                .len(),
            1
        );
    }

    #[test]
    fn a_request_begins_one_run_and_too_many_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let runs = Runs::open(folder.path().join("runs"));
        let first = begin(&runs, "a");
        let (again, is_new) = runs.add(&plant(), "a", pb::Run::default()).unwrap();
        assert!(!is_new && again.run().name == first.run().name);
        for number in 1..OPEN_MAX {
            begin(&runs, &format!("r{number}"));
        }
        let refused = runs.add(&plant(), "z", pb::Run::default()).err().unwrap();
        assert_eq!(Reason::of(&refused), Some(Reason::Overloaded));
        assert!(runs.delete(&first.run().name).is_err());
        first.cancel();
        first.change(|run| run.state = pb::RunState::Cancelled.into());
        runs.add(&plant(), "z", pb::Run::default()).unwrap();
        assert_eq!(runs.list(Some(&plant()), u64::MAX).len(), OPEN_MAX + 1);
        let other = PlantId::new("other").unwrap();
        assert!(runs.list(Some(&other), u64::MAX).is_empty());
    }
}
