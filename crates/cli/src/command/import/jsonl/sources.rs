//! Which lives of which sources the plant has, and whether those of a file may go on in it.

use super::prefixed;
use crate::client::Client;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use std::collections::BTreeMap;
use werkbuch_gateway::source::jsonl::{SourceSeen, Survey};
use werkbuch_model::event::SourceKind;
use werkbuch_model::id::{Epoch, SourceName};
use werkbuch_wire::{name, pb};

/// How many holes the numbers of a source may have: each is recorded as a gap, and the writer keeps
/// no more than 1,024 of them open.
const HOLES_MAX: u64 = 1_000;
/// How many lives of a source a file may leave out.
const LIVES_SKIPPED_MAX: u32 = 64;

/// The sources of the plant, and what a file has shown of its own.
#[derive(Debug)]
pub(super) struct Lives {
    prefix: String,
    /// By name and life: whether it is live, its greatest number, and how many are missing.
    known: BTreeMap<(SourceName, Epoch), (bool, u64, u64)>,
    seen: BTreeMap<(SourceName, Epoch), SourceSeen>,
}

/// What is to be done with an event of a life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    /// Open it: it is the newest one.
    Resume,
    /// Begin it, after so many before it which the plant does not have either.
    Begin(u32),
    /// It is over here, and all of it is recorded.
    Over,
    /// It is over here, and something of it is missing.
    TooLate,
}

impl Lives {
    pub(super) async fn read(client: &Client, plant: &str, prefix: &str) -> Outcome<Self> {
        let request = pb::GetTwinRequest {
            name: name::of_plant(plant),
            instant: None,
        };
        let twin = client.twin().get_twin(request).await?.into_inner();
        let mut known = BTreeMap::new();
        for source in twin.sources {
            let is_live = u32::try_from(source.source_kind) == Ok(SourceKind::Live.code());
            if let Ok(name) = SourceName::new(&source.source) {
                let said = (is_live, source.high_sequence, source.missing);
                known.insert((name, Epoch(source.epoch)), said);
            }
        }
        Ok(Self {
            prefix: prefix.to_owned(),
            known,
            seen: BTreeMap::new(),
        })
    }

    /// Takes in what a file holds. Errors: it cannot go on under the names of its sources.
    pub(super) fn check(mut self, survey: &Survey) -> Outcome<Self> {
        for ((source, epoch), seen) in &survey.sources {
            let name = prefixed(&self.prefix, source)?;
            if let Some((true, ..)) = self.known.get(&(name.clone(), Epoch(1))) {
                let what = format!(
                    "source \"{name}\" reports live to this plant; going on under its name would take \
                     the say from it"
                );
                return Err(Failure::new(Exit::Conflict, "SOURCE_IN_USE", what)
                    .hint("give the file's sources other names, such as --source-prefix old:"));
            }
            if seen.holes > HOLES_MAX {
                let what = format!(
                    "the numbers of source \"{source}#{epoch}\" have {} holes in the file, as in a part of \
                     a book; no more than {HOLES_MAX} can be kept as gaps",
                    seen.holes
                );
                return Err(Failure::new(Exit::Conflict, "TOO_MANY_GAPS", what)
                    .hint("number the events anew with --renumber, or export all of them"));
            }
            self.seen.insert((name, *epoch), seen.clone());
        }
        Ok(self)
    }

    /// The name that a source of the file has here.
    pub(super) fn name(&self, source: &SourceName) -> Outcome<SourceName> {
        prefixed(&self.prefix, source)
    }

    /// What is to be done with a life. Errors: too many before it are not there.
    pub(super) fn of(&self, name: &SourceName, epoch: Epoch) -> Outcome<Life> {
        let lives = self.known.keys().filter(|(known, _)| known == name);
        let latest = lives
            .map(|(_, epoch)| epoch.get())
            .max()
            .unwrap_or_default();
        if epoch.get() == latest {
            return Ok(Life::Resume);
        }
        if epoch.get() < latest {
            let key = (name.clone(), epoch);
            let (_, high, missing) = self.known.get(&key).copied().unwrap_or_default();
            let seen = self.seen.get(&key).cloned().unwrap_or_default();
            // What the file lacks itself cannot be missed.
            let lacking = seen.last.saturating_sub(seen.events);
            let all = seen.last <= high && missing <= lacking;
            return Ok(if all { Life::Over } else { Life::TooLate });
        }
        let skipped = epoch.get() - latest - 1;
        if skipped > LIVES_SKIPPED_MAX {
            let what = format!(
                "the file goes on with life {epoch} of source \"{name}\", of which the plant has {latest}"
            );
            return Err(Failure::new(Exit::Conflict, "UNKNOWN_EPOCH", what)
                .hint("number the events anew with --renumber"));
        }
        Ok(Life::Begin(skipped))
    }

    /// Notes that a life has begun.
    pub(super) fn begun(&mut self, name: &SourceName, epoch: Epoch) {
        let begun = (epoch.get() > 1, 0, 0);
        self.known.insert((name.clone(), epoch), begun);
    }

    /// How far the clock of a source may lie from its gateway's, as the file says.
    pub(super) fn tolerance(&self, name: &SourceName, epoch: Epoch) -> Option<u64> {
        let seen = self.seen.get(&(name.clone(), epoch));
        seen.and_then(|seen| seen.tolerance_ns)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn lives(known: &[(&str, u32, bool, u64, u64)]) -> Lives {
        let known = known.iter().map(|(name, epoch, live, high, missing)| {
            let name = SourceName::new(name).unwrap();
            ((name, Epoch(*epoch)), (*live, *high, *missing))
        });
        Lives {
            prefix: String::new(),
            known: known.collect(),
            seen: BTreeMap::new(),
        }
    }

    fn survey(epoch: u32, last: u64, holes: u64) -> Survey {
        let key = (SourceName::new("g").unwrap(), Epoch(epoch));
        let seen = SourceSeen {
            events: last,
            last,
            holes,
            is_live: true,
            ..SourceSeen::default()
        };
        Survey {
            sources: [(key, seen)].into_iter().collect(),
            ..Survey::default()
        }
    }

    #[test]
    fn a_life_goes_on_begins_or_is_over() {
        let name = SourceName::new("g").unwrap();
        let of = |known: &[_], epoch, last| {
            let lives = lives(known).check(&survey(epoch, last, 0)).unwrap();
            lives.of(&name, Epoch(epoch)).unwrap()
        };
        assert_eq!(of(&[], 1, 5), Life::Begin(0));
        assert_eq!(of(&[], 3, 5), Life::Begin(2));
        let import = ("g", 1, false, 5, 0);
        assert_eq!(of(&[import], 1, 9), Life::Resume);
        let both = [import, ("g", 2, true, 1, 0)];
        assert_eq!(of(&both, 1, 5), Life::Over);
        assert_eq!(of(&both, 1, 6), Life::TooLate);
        assert_eq!(of(&[("g", 1, false, 5, 2), both[1]], 1, 5), Life::TooLate);
        assert!(lives(&[]).of(&name, Epoch(1_000)).is_err());
    }

    #[test]
    fn a_live_source_keeps_its_say() {
        let live = [("g", 1, true, 5, 0)];
        let told = lives(&live).check(&survey(1, 5, 0)).unwrap_err();
        assert!(told.lines(false).contains("--source-prefix"));
        let mut other = lives(&live);
        other.prefix = "old:".to_owned();
        assert!(other.check(&survey(1, 5, 0)).is_ok());
        let told = lives(&[]).check(&survey(1, 5, HOLES_MAX + 1)).unwrap_err();
        assert!(told.lines(false).contains("--renumber"));
    }
}
