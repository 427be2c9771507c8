//! The sessions of a plant's sources: one open for each source, and those it fenced not long ago.

use crate::limits::FENCED_SESSIONS_KEPT;
use dashmap::DashMap;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use werkbuch_model::id::{PlantId, SourceNumber};

/// What a session is to its plant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Session {
    /// It may report for this source.
    Open(SourceNumber),
    /// A newer session has opened this source.
    Fenced(SourceNumber),
    /// It was fenced long ago, or never was.
    Forgotten,
}

/// The sessions of a plant.
#[derive(Debug)]
pub(super) struct Sessions {
    /// The plant of each session of the engine, by which its calls find their way here.
    directory: Arc<DashMap<u64, PlantId>>,
    open: BTreeMap<u64, SourceNumber>,
    fenced: VecDeque<(u64, SourceNumber)>,
}

impl Sessions {
    pub(super) fn new(directory: Arc<DashMap<u64, PlantId>>) -> Self {
        Self {
            directory,
            open: BTreeMap::new(),
            fenced: VecDeque::new(),
        }
    }

    /// Opens a session for a source and fences those of which `is_same` says that they are of the
    /// same source, in whichever life. Answers those.
    pub(super) fn open(
        &mut self,
        plant: &PlantId,
        session: u64,
        source: SourceNumber,
        is_same: impl Fn(SourceNumber) -> bool,
    ) -> Vec<(u64, SourceNumber)> {
        let mut fenced = Vec::new();
        self.open.retain(|session, open| {
            let same = is_same(*open);
            if same {
                fenced.push((*session, *open));
            }
            !same
        });
        self.fenced.extend(&fenced);
        while self.fenced.len() > FENCED_SESSIONS_KEPT {
            if let Some((forgotten, _)) = self.fenced.pop_front() {
                self.directory.remove(&forgotten);
            }
        }
        self.open.insert(session, source);
        self.directory.insert(session, plant.clone());
        fenced
    }

    /// Undoes the opening of a session that came to nothing.
    pub(super) fn take_back(&mut self, session: u64, fenced: &[(u64, SourceNumber)]) {
        self.open.remove(&session);
        self.directory.remove(&session);
        self.fenced.retain(|known| !fenced.contains(known));
        self.open.extend(fenced.iter().copied());
    }

    pub(super) fn get(&self, session: u64) -> Session {
        if let Some(source) = self.open.get(&session) {
            return Session::Open(*source);
        }
        let fenced = self.fenced.iter().find(|(fenced, _)| *fenced == session);
        fenced.map_or(Session::Forgotten, |(_, source)| Session::Fenced(*source))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn fenced_sessions_are_known_for_a_while_and_then_forgotten() {
        let directory = Arc::new(DashMap::new());
        let plant = PlantId::new("P").unwrap();
        let mut sessions = Sessions::new(Arc::clone(&directory));
        let last = FENCED_SESSIONS_KEPT as u64 + 10;
        for session in 1..=last {
            sessions.open(&plant, session, SourceNumber(7), |source| {
                source == SourceNumber(7)
            });
        }
        assert_eq!(sessions.get(last), Session::Open(SourceNumber(7)));
        assert_eq!(sessions.get(last - 1), Session::Fenced(SourceNumber(7)));
        assert_eq!(sessions.get(1), Session::Forgotten);
        assert_eq!(directory.len(), FENCED_SESSIONS_KEPT + 1);
        let fenced = sessions.open(&plant, last + 1, SourceNumber(7), |_| true);
        assert_eq!(fenced, [(last, SourceNumber(7))]);
        sessions.take_back(last + 1, &fenced);
        assert_eq!(sessions.get(last), Session::Open(SourceNumber(7)));
        assert_eq!(sessions.get(last + 1), Session::Forgotten);
        sessions.open(&plant, 0, SourceNumber(8), |source| {
            source == SourceNumber(8)
        });
        assert_eq!(sessions.get(last), Session::Open(SourceNumber(7)));
    }
}
