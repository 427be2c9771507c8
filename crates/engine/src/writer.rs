//! What the writer of one plant knows: a fold over its own log that decides about what comes next.

use crate::heads::Heads;
use crate::identity::Identity;
use crate::limits::{TOLERANCE_IMPORT_NS, TOLERANCE_LIVE_NS};
use crate::rules::RuleBook;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use werkbuch_model::event::{Aspect, AspectKind, Body, Recorded, SourceKind};
use werkbuch_model::id::{
    Epoch, LogId, MachineNumber, PlantId, Position, SourceName, SourceNumber, WriterEpoch,
};
use werkbuch_model::plant::{Change, Description};
use werkbuch_model::time::Timestamp;
use werkbuch_proof::{CompactRange, Hash, leaf_hash};

/// A source as the writer knows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SourceEntry {
    pub(crate) name: SourceName,
    pub(crate) epoch: Epoch,
    /// The code of its [`SourceKind`].
    kind: u32,
    pub(crate) tolerance_ns: u64,
    pub(crate) identity: Identity,
    /// The latest effective time of its events; the least there is before the first.
    latest_ns: i64,
    /// The source as `name#epoch`, to which protected fields are bound.
    pub(crate) label: String,
}

impl SourceEntry {
    pub(crate) fn kind(&self) -> SourceKind {
        SourceKind::from_code(self.kind).unwrap_or_default()
    }

    /// The latest effective time of its events so far.
    pub(crate) fn latest(&self) -> Option<Timestamp> {
        (self.latest_ns > i64::MIN).then_some(Timestamp(self.latest_ns))
    }
}

/// A source's number, machine and aspect: what an authority's rank depends on.
type RankKey = (u32, u32, u32);

/// The writer's knowledge after a position.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    pub(crate) plant: PlantId,
    pub(crate) log_id: LogId,
    pub(crate) epoch: WriterEpoch,
    pub(crate) position: Position,
    pub(crate) recorded_at: Timestamp,
    pub(crate) tree: CompactRange,
    /// By number, from 1.
    sources: Vec<SourceEntry>,
    /// The last position of each machine.
    heads: Heads,
    /// The same as the twin's, unless a revision is on its way.
    pub(crate) description: Arc<Description>,
    staged: Vec<Change>,
    pub(crate) revision: u32,
    /// Reported events since the last recorded digest.
    pub(crate) since_digest: u64,
    ranks: BTreeMap<RankKey, u32>,
    /// What of the description holds now, where part of it lies ahead.
    pub(crate) held: Option<Held>,
    /// The rules that apply, and what is raised.
    pub(crate) rules: Arc<RuleBook>,
}

/// What of a description holds, as long as more of it lies ahead.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) description: Arc<Description>,
    pub(crate) revision: u32,
    pub(crate) until: Timestamp,
}

/// What of a writer is kept in a snapshot; the rest follows from it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WriterImage {
    log_id: LogId,
    epoch: u64,
    pub(crate) position: u64,
    recorded_at: i64,
    peaks: Vec<[u8; 32]>,
    sources: Vec<SourceEntry>,
    heads: BTreeMap<u32, u64>,
    staged: Vec<Change>,
    revision: u32,
    since_digest: u64,
    rules: RuleBook,
}

impl Writer {
    /// A writer of an empty log.
    pub(crate) fn new(plant: PlantId, log_id: LogId) -> Self {
        Self {
            plant,
            log_id,
            epoch: WriterEpoch(0),
            position: Position(0),
            recorded_at: Timestamp::MIN,
            tree: CompactRange::new(),
            sources: Vec::new(),
            heads: Heads::default(),
            description: Arc::default(),
            staged: Vec::new(),
            revision: 0,
            since_digest: 0,
            ranks: BTreeMap::new(),
            held: None,
            rules: Arc::default(),
        }
    }

    /// What a snapshot keeps.
    pub(crate) fn image(&self) -> WriterImage {
        WriterImage {
            log_id: self.log_id,
            epoch: self.epoch.get(),
            position: self.position.get(),
            recorded_at: self.recorded_at.nanos(),
            peaks: self
                .tree
                .peaks()
                .iter()
                .map(|peak| *peak.as_bytes())
                .collect(),
            sources: self.sources.clone(),
            heads: self.heads.image(),
            staged: self.staged.clone(),
            revision: self.revision,
            since_digest: self.since_digest,
            rules: RuleBook::clone(&self.rules),
        }
    }

    /// The writer of a snapshot, with the description of the twin in it; nothing when the snapshot contradicts itself.
    pub(crate) fn of_image(
        plant: PlantId,
        image: WriterImage,
        description: Arc<Description>,
    ) -> Option<Self> {
        let peaks = image.peaks.into_iter().map(Hash::from_bytes).collect();
        let tree = CompactRange::from_parts(image.position, peaks).ok()?;
        Some(Self {
            plant,
            log_id: image.log_id,
            epoch: WriterEpoch(image.epoch),
            position: Position(image.position),
            recorded_at: Timestamp(image.recorded_at),
            tree,
            sources: image.sources,
            heads: Heads::of_image(image.heads),
            description,
            staged: image.staged,
            revision: image.revision,
            since_digest: image.since_digest,
            ranks: BTreeMap::new(),
            held: None,
            rules: Arc::new(image.rules),
        })
    }

    /// Takes in the next event of the log, with its stored bytes.
    pub(crate) fn absorb(&mut self, event: &Recorded<'_>, bytes: &[u8]) {
        self.position = event.position;
        self.recorded_at = event.recorded_at;
        self.tree.append(leaf_hash(bytes));
        let reported = &event.reported;
        // What sources report about no machine is a chain too, the plant's, under the number 0.
        if reported.machine.get() != 0 || event.is_reported() {
            self.heads.set(reported.machine.get(), event.position.get());
        }
        if event.is_reported() {
            self.since_digest += 1;
            let sequence = reported.sequence.get();
            if let Some(source) = self.source_mut(event.source) {
                source.identity.take(sequence);
                source.latest_ns = source.latest_ns.max(event.effective_at.nanos());
            }
        }
        self.absorb_own(&reported.body, event.is_reported());
        if RuleBook::says(&reported.body) {
            Arc::make_mut(&mut self.rules).absorb(event);
        }
    }

    /// Commits what is staged. What holds from a time on that lies ahead leaves what holds now as it is,
    /// also until the twin has applied it.
    fn revise(&mut self, revision: u32, valid_from: Option<Timestamp>) {
        let changes = std::mem::take(&mut self.staged);
        let apply = |description: &mut Arc<Description>| {
            for change in &changes {
                // What does not apply was never recorded; the twin's fold reports it.
                let _ = Arc::make_mut(description).apply(change);
            }
        };
        let ahead = valid_from.filter(|from| *from > self.recorded_at);
        match (&mut self.held, ahead) {
            (Some(held), Some(from)) => held.until = held.until.min(from),
            (Some(held), None) => apply(&mut held.description),
            (None, Some(until)) => {
                self.held = Some(Held {
                    description: Arc::clone(&self.description),
                    revision,
                    until,
                });
            }
            (None, None) => {}
        }
        if let Some(held) = &mut self.held {
            held.revision = revision;
        }
        apply(&mut self.description);
        self.revision = revision;
        self.ranks.clear();
    }

    /// Takes what of the description holds now, where part of it lies ahead.
    pub(crate) fn hold(&mut self, held: Option<Held>) {
        if self.held.is_some() || held.is_some() {
            self.ranks.clear();
        }
        self.held = held;
    }

    /// The writer's own records change what it knows; a source's of the same kind do not.
    fn absorb_own(&mut self, body: &Body<'_>, reported: bool) {
        match body {
            Body::SourceOpened(opened) => self.add_source(opened),
            Body::WriterOpened(opened) => self.epoch = opened.epoch,
            Body::GapDetected(gap) if !reported => {
                if let Some(source) = self.source_mut(gap.source) {
                    source.identity.skip_to(gap.last);
                }
            }
            Body::EventRefused(refused) => {
                let numbers = refused.first..=refused.last;
                if let Some(source) = self.source_mut(refused.source) {
                    numbers.for_each(|number| source.identity.refuse(number));
                }
            }
            Body::DigestRecorded(_) => self.since_digest = 0,
            Body::DescriptionChanged(changed) => {
                if changed.part == 1 {
                    self.staged.clear();
                }
                self.staged.extend(changed.changes.iter().cloned());
                if changed.commit {
                    self.revise(changed.revision, changed.valid_from);
                }
            }
            _ => {}
        }
    }

    fn add_source(&mut self, opened: &werkbuch_model::event::SourceOpened<'_>) {
        let Ok(name) = SourceName::new(&opened.name) else {
            return;
        };
        self.sources.push(SourceEntry {
            label: format!("{name}#{}", opened.epoch),
            name,
            epoch: opened.epoch,
            kind: opened.source_kind.code(),
            tolerance_ns: opened.tolerance_ns,
            identity: Identity::default(),
            latest_ns: i64::MIN,
        });
    }

    /// A source by its number.
    pub(crate) fn source(&self, number: SourceNumber) -> Option<&SourceEntry> {
        self.sources.get((number.get() as usize).checked_sub(1)?)
    }

    fn source_mut(&mut self, number: SourceNumber) -> Option<&mut SourceEntry> {
        self.sources
            .get_mut((number.get() as usize).checked_sub(1)?)
    }

    /// All sources with their numbers.
    pub(crate) fn sources(&self) -> impl Iterator<Item = (SourceNumber, &SourceEntry)> {
        self.sources
            .iter()
            .zip(1..)
            .map(|(source, number)| (SourceNumber(number), source))
    }

    /// A source by name and epoch.
    pub(crate) fn source_named(&self, name: &SourceName, epoch: Epoch) -> Option<SourceNumber> {
        self.sources()
            .find(|(_, source)| source.name == *name && source.epoch == epoch)
            .map(|(number, _)| number)
    }

    /// The newest epoch of a source; 0 when it never was opened.
    pub(crate) fn latest_epoch(&self, name: &SourceName) -> Epoch {
        let epochs = self.sources.iter().filter(|source| source.name == *name);
        epochs.map(|source| source.epoch).max().unwrap_or_default()
    }

    /// The number that the next new source gets.
    pub(crate) fn next_source(&self) -> SourceNumber {
        SourceNumber(
            u32::try_from(self.sources.len())
                .unwrap_or(u32::MAX)
                .saturating_add(1),
        )
    }

    /// The position of the machine's last event; of machine 0 the last one reported about none. 0 when
    /// there is none.
    pub(crate) fn head(&self, machine: MachineNumber) -> Position {
        Position(self.heads.get(machine.get()))
    }

    /// The rank of a source for what a body sets: the worst over its aspects, which share one.
    pub(crate) fn rank(
        &mut self,
        source: SourceNumber,
        machine: MachineNumber,
        body: &Body<'_>,
    ) -> u32 {
        let names_somebody = |known: &Description| known.authorities().next().is_some();
        let held = self.held.as_ref();
        if !names_somebody(&self.description)
            && !held.is_some_and(|held| names_somebody(&held.description))
        {
            // Nobody is named, so everybody has the say; most plants are so.
            return 0;
        }
        let mut first = None;
        body.for_each_aspect(&mut |aspect: Aspect<'_>| {
            first.get_or_insert(aspect.kind);
        });
        first.map_or(0, |kind| self.rank_of(source, machine, kind))
    }

    fn rank_of(&mut self, source: SourceNumber, machine: MachineNumber, kind: AspectKind) -> u32 {
        let key = (source.get(), machine.get(), kind.code());
        if let Some(rank) = self.ranks.get(&key) {
            return *rank;
        }
        let name = self.source(source).map(|entry| entry.name.clone());
        let held = self.held.as_ref().map(|held| &held.description);
        let mut rank = 0;
        // What is declared from a time on that lies ahead does not count yet, but of a machine that is not
        // there before then.
        for description in held.into_iter().chain([&self.description]) {
            if let (Some(name), Some(spec)) = (&name, description.machine(machine)) {
                rank = description.authority_rank(spec, kind, name.as_str());
                break;
            }
        }
        self.ranks.insert(key, rank);
        rank
    }
}

/// The tolerance of a source that names none.
pub(crate) fn default_tolerance(kind: SourceKind) -> u64 {
    if kind == SourceKind::Import {
        TOLERANCE_IMPORT_NS
    } else {
        TOLERANCE_LIVE_NS
    }
}
