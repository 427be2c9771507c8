//! Sends the events of a file, each under the source that it is of.

use super::Machines;
use super::account::Account;
use super::sources::{Life, Lives};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use std::collections::{BTreeMap, BTreeSet};
use tonic::transport::Channel;
use werkbuch_gateway::source::jsonl::{Entry, Identity, Read};
use werkbuch_gateway::upload::{Pace, Source, Uploader};
use werkbuch_model::event::{Body, GapDetected, Reported, SourceKind};
use werkbuch_model::id::{Epoch, MachineNumber, PlantId, Position, Sequence, SourceName};
use werkbuch_model::time::Timestamp;

/// How many sources are open at once.
const OPEN_MAX: usize = 64;

/// A life of a source that is open.
pub(super) struct Open {
    uploader: Uploader,
    /// The source's name in the file.
    source: SourceName,
}

/// Sends the events of a file.
pub(super) struct Sender {
    pub(super) channel: Channel,
    pub(super) plant: PlantId,
    pub(super) pace: Pace,
    pub(super) lives: Lives,
    /// The source that is named after the content, with its next number.
    pub(super) own_name: SourceName,
    pub(super) own: Option<(Uploader, u64)>,
    pub(super) renumber: bool,
    pub(super) open: BTreeMap<(SourceName, Epoch), Open>,
    /// Where corrected events stand whose source is not open any more.
    pub(super) places: BTreeMap<Identity, Position>,
    pub(super) machines: Machines,
    /// The strictest that a source of the file was held to; it holds for what is numbered anew.
    pub(super) tolerance_ns: Option<u64>,
    /// The new numbers of corrected events.
    pub(super) numbers: BTreeMap<Identity, u64>,
    pub(super) last_time: Timestamp,
    pub(super) corrected: BTreeSet<Identity>,
    pub(super) account: Account,
}

impl Sender {
    /// Takes what comes next in the file. Errors: sending ended early.
    pub(super) async fn take(&mut self, read: Read) -> Outcome<()> {
        match read {
            Read::Event(line, entry) => self.event(line, *entry).await,
            Read::WritersOwn(_) => {
                self.account.writers_own += 1;
                Ok(())
            }
            Read::Lost {
                lines,
                gap,
                why,
                others,
            } => {
                self.account.bad_lines += lines;
                // One gap stands for all such lines in a row, and is told with the first of them.
                let why = match gap.last_line > gap.first_line {
                    true => format!(
                        "{why}; it and all lines to {} cannot be read",
                        gap.last_line
                    ),
                    false => why,
                };
                self.account.example(gap.first_line, "UNREADABLE", why);
                for (line, other) in others {
                    self.account.example(line, "UNREADABLE", other);
                }
                self.gap(*gap).await
            }
        }
    }

    /// Waits until everything is acknowledged. Errors: sending ended early.
    pub(super) async fn finish(mut self) -> Outcome<Account> {
        while let Some(key) = self.open.keys().next().cloned() {
            self.close(&key).await?;
        }
        if let Some((mut uploader, _)) = self.own.take() {
            uploader.settle().await?;
            self.account.outcomes(uploader.outcomes());
        }
        Ok(self.account)
    }

    async fn gap(&mut self, gap: GapDetected<'static>) -> Outcome<()> {
        self.account.gaps += 1;
        let reported = Reported {
            sequence: Sequence(0),
            machine: MachineNumber(0),
            occurred_at: self.last_time,
            observed_at: Some(self.last_time),
            historical: false,
            body: Body::GapDetected(gap),
        };
        self.send_own(reported, None).await
    }

    async fn event(&mut self, line: u64, entry: Entry) -> Outcome<()> {
        self.last_time = entry.occurred_at;
        let machine = entry
            .machine
            .as_ref()
            .and_then(|name| self.machines.get(name));
        // The first book's clock stood in for a gateway that was not there.
        let recorded_at = entry.recording.and_then(|recording| recording.recorded_at);
        let mut reported = Reported {
            sequence: Sequence(0),
            machine: machine.copied().flatten().unwrap_or_default(),
            occurred_at: entry.occurred_at,
            observed_at: entry.observed_at.or(recorded_at),
            historical: entry.historical,
            body: entry.body,
        };
        if let Body::SampleReported(sample) = &mut reported.body
            && !sample.body_hash.is_empty()
        {
            (sample.body_hash, sample.body_bytes) = (Vec::new().into(), 0);
            self.account.bodies_left += 1;
        }
        if let Body::CorrectionRecorded(correction) = &mut reported.body
            && !entry.corrects.is_empty()
        {
            let mut targets = Vec::new();
            for target in &entry.corrects {
                targets.extend(self.place_of(target).await?);
            }
            if targets.len() != entry.corrects.len() {
                let why = "what it corrects is not in this file".to_owned();
                self.account.refuse(line, "CORRECTION_TARGET", why);
                return Ok(());
            }
            correction.targets = targets;
        }
        match entry.identity {
            Some(identity) if !self.renumber => self.send_as(line, identity, reported).await,
            identity => {
                reported.observed_at = reported.observed_at.or(Some(reported.occurred_at));
                self.account.numbered += 1;
                self.send_own(reported, identity).await
            }
        }
    }

    /// Sends an event under the number that it has.
    async fn send_as(
        &mut self,
        line: u64,
        identity: Identity,
        mut reported: Reported<'static>,
    ) -> Outcome<()> {
        let key = (self.lives.name(&identity.source)?, identity.epoch);
        if !self.open.contains_key(&key) {
            match self.lives.of(&key.0, key.1)? {
                Life::Over => {
                    self.account.over += 1;
                    return Ok(());
                }
                Life::TooLate => {
                    let why = format!(
                        "life {} of source \"{}\" is over in this plant",
                        key.1, key.0
                    );
                    self.account.refuse(line, "EPOCH_FENCED", why);
                    return Ok(());
                }
                Life::Resume => self.open(&key, &identity.source, Some(key.1)).await?,
                Life::Begin(skipped) => self.begin(&key, &identity.source, skipped).await?,
            }
        }
        let watched = self.corrected.contains(&identity);
        let Some(open) = self.open.get_mut(&key) else {
            return Ok(());
        };
        reported.sequence = identity.sequence;
        if watched {
            open.uploader.watch(identity.sequence);
        }
        self.account.events += 1;
        Ok(open.uploader.send(&reported, None).await?)
    }

    /// Sends an event under the next number of the source that is named after the content.
    async fn send_own(
        &mut self,
        mut reported: Reported<'static>,
        identity: Option<Identity>,
    ) -> Outcome<()> {
        if self.own.is_none() {
            let (name, kind) = (self.own_name.clone(), SourceKind::Import);
            let tolerance = self.tolerance_ns.filter(|_| self.renumber);
            let uploader = self.opened(name, kind, Some(Epoch(1)), tolerance).await?;
            self.own = Some((uploader, 0));
        }
        let Some((uploader, number)) = &mut self.own else {
            return Ok(());
        };
        *number += 1;
        reported.sequence = Sequence(*number);
        if let Some(identity) = identity.filter(|identity| self.corrected.contains(identity)) {
            uploader.watch(reported.sequence);
            self.numbers.insert(identity, *number);
        }
        Ok(uploader.send(&reported, None).await?)
    }

    /// Begins a life: those before it end, and those that the plant has not seen are passed through.
    async fn begin(
        &mut self,
        key: &(SourceName, Epoch),
        source: &SourceName,
        skipped: u32,
    ) -> Outcome<()> {
        let before = self.open.keys().filter(|(name, _)| *name == key.0);
        for before in before.cloned().collect::<Vec<_>>() {
            self.close(&before).await?;
        }
        for epoch in key.1.get() - skipped..=key.1.get() {
            let life = (key.0.clone(), Epoch(epoch));
            // The first life may be asked for by its number; the next ones are given by the plant.
            let asked = (epoch == 1).then_some(Epoch(1));
            self.open(&life, source, asked).await?;
            if life != *key {
                self.close(&life).await?;
            }
        }
        Ok(())
    }

    async fn open(
        &mut self,
        key: &(SourceName, Epoch),
        source: &SourceName,
        asked: Option<Epoch>,
    ) -> Outcome<()> {
        if self.open.len() >= OPEN_MAX
            && let Some(first) = self.open.keys().next().cloned()
        {
            self.close(&first).await?;
        }
        // Only the first life of an importer can be opened; later ones are lives as of a gateway.
        let import = key.1 == Epoch(1);
        let kind = if import {
            SourceKind::Import
        } else {
            SourceKind::Live
        };
        let tolerance = self.lives.tolerance(&key.0, key.1);
        let uploader = self.opened(key.0.clone(), kind, asked, tolerance).await?;
        let given = uploader.opened().epoch;
        if given != key.1 {
            let what = format!(
                "source \"{}\" began life {given} here, the file has {}",
                key.0, key.1
            );
            return Err(Failure::new(Exit::Conflict, "UNKNOWN_EPOCH", what)
                .hint("somebody else reports under this name; see --source-prefix"));
        }
        self.lives.begun(&key.0, key.1);
        let source = source.clone();
        self.open.insert(key.clone(), Open { uploader, source });
        Ok(())
    }

    async fn opened(
        &self,
        name: SourceName,
        kind: SourceKind,
        epoch: Option<Epoch>,
        tolerance_ns: Option<u64>,
    ) -> Outcome<Uploader> {
        let source = Source {
            plant: self.plant.clone(),
            name,
            kind,
            epoch,
            tolerance_ns,
            machines: Vec::new(),
        };
        Ok(Uploader::open(self.channel.clone(), source, self.pace).await?)
    }

    async fn close(&mut self, key: &(SourceName, Epoch)) -> Outcome<()> {
        let Some(mut open) = self.open.remove(key) else {
            return Ok(());
        };
        open.uploader.settle().await?;
        let outcomes = open.uploader.outcomes();
        let places = outcomes.watched.iter().map(|(sequence, position)| {
            let identity = Identity {
                source: open.source.clone(),
                epoch: key.1,
                sequence: Sequence(*sequence),
            };
            (identity, *position)
        });
        self.places.extend(places);
        self.account.outcomes(outcomes);
        Ok(())
    }

    /// Where an event of the file stands in this plant's log, once it is acknowledged.
    async fn place_of(&mut self, identity: &Identity) -> Outcome<Option<Position>> {
        let (uploader, number) = if self.renumber {
            let number = self.numbers.get(identity).copied();
            (self.own.as_mut().map(|(uploader, _)| uploader), number)
        } else {
            let key = (self.lives.name(&identity.source)?, identity.epoch);
            let open = self.open.get_mut(&key).map(|open| &mut open.uploader);
            (open, Some(identity.sequence.get()))
        };
        let mut place = self.places.get(identity).copied();
        if let (Some(uploader), Some(number)) = (uploader, number) {
            uploader.settle().await?;
            place = uploader.outcomes().watched.get(&number).copied().or(place);
        }
        Ok(place.filter(|place| place.get() > 0))
    }
}
