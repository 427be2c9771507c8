//! Decides about each event of a batch: recorded, a repeat, or refused with its own reason.

use crate::api::{Batch, Outcome, OutcomeResult};
use crate::correct::{Corrector, History};
use crate::error::EngineError;
use crate::identity::{OpenKind, Place};
use crate::keyring::{KeyRing, Keys};
use crate::limits::{BATCH_CORRECTIONS_MAX, BODY_BYTES_MAX, PLAUSIBLE_FROM_NS};
use crate::names;
use crate::protect::{Owner, needs_protection, protect};
use crate::recorder::{Decision, Recorder};
use crate::writer::SourceEntry;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;
use werkbuch_model::event::{
    Body, Corrected, Correction, EVENT_BYTES_MAX, EventRefused, Flags, GapCause, GapDetected,
    Recorded, Refusal, RefusalReason, Reported, SEQUENCE_MAX, SourceKind, UNLISTED_AUTHORITY,
};
use werkbuch_model::id::{Position, Sequence, SourceNumber};
use werkbuch_model::plant::Description;
use werkbuch_model::time::Timestamp;
use werkbuch_proof::{Hash, sha256};
use werkbuch_record::{
    DecodeError, decode_reported, encode_recorded, encode_reported, peek_sequence,
};

/// What became of one event, as far as it is known before the disk has answered.
#[derive(Debug)]
pub(crate) enum Draft {
    /// It is recorded once the batch is synced.
    Recorded(Position),
    /// Its number is known; these canonical bytes are to be compared with what is recorded.
    Known(Vec<u8>),
    /// It is refused.
    Refused(Refusal),
}

/// A batch on its way through the writer, in as many stages as it needs.
#[derive(Debug)]
pub(crate) struct Staging {
    batch: Arc<Batch>,
    bodies: BTreeMap<Hash, Bytes>,
    source: SourceNumber,
    next: usize,
    corrections: usize,
    full: bool,
    pub(crate) drafts: Vec<(Sequence, Draft)>,
    refusals: Option<RefusedRun>,
}

/// A run of refused numbers of one reason that is not yet recorded.
#[derive(Debug)]
struct RefusedRun {
    first: u64,
    last: u64,
    reason: RefusalReason,
    hasher: Sha256,
}

impl Staging {
    /// A batch of a source.
    pub(crate) fn new(source: SourceNumber, batch: Batch) -> Self {
        let bodies = batch
            .bodies
            .iter()
            .map(|body| (sha256(body), body.clone()))
            .collect();
        let drafts = Vec::with_capacity(batch.events.len());
        Self {
            batch: Arc::new(batch),
            bodies,
            source,
            next: 0,
            corrections: 0,
            full: false,
            drafts,
            refusals: None,
        }
    }

    /// Stages events until the batch is through (`true`), or until a correction comes that must
    /// wait until everything before it is synced (`false`): call again then.
    /// Errors: what concerns the batch as a whole, such as a key ring that cannot be written.
    pub(crate) fn stage(
        &mut self,
        recorder: &mut Recorder<'_>,
        ring: &KeyRing,
        corrector: Option<&Corrector<'_>>,
    ) -> Result<bool, EngineError> {
        let batch = Arc::clone(&self.batch);
        while let Some(bytes) = batch.events.get(self.next) {
            let read = read(bytes);
            let is_correction = matches!(
                &read,
                Ok(Reported {
                    body: Body::CorrectionRecorded(_),
                    ..
                })
            );
            let one_more = self.corrections >= BATCH_CORRECTIONS_MAX && is_correction;
            if one_more || self.full {
                // What follows is turned away as well: recorded, it would leave a gap that was none.
                self.full = true;
                self.next += 1;
                let sequence = read.map_or(Sequence(0), |event| event.sequence);
                self.drafts
                    .push((sequence, Draft::Refused(too_many_corrections())));
                continue;
            }
            let settled = corrector.is_some() && recorder.len() == 0 && self.refusals.is_none();
            if is_correction && !settled {
                self.flush_refusals(recorder)?;
                return Ok(false);
            }
            self.next += 1;
            self.corrections += usize::from(is_correction);
            // What is decided by must be what is recorded; only bytes that are no event are peeked at.
            let sequence = match &read {
                Ok(event) => event.sequence,
                Err(_) => peek_sequence(bytes).unwrap_or_default(),
            };
            let mut step = Step {
                recorder: &mut *recorder,
                ring,
                corrector,
                source: self.source,
            };
            let draft = self.event(&mut step, sequence, read, bytes)?;
            self.drafts.push((sequence, draft));
        }
        self.flush_refusals(recorder)?;
        Ok(true)
    }

    fn event(
        &mut self,
        step: &mut Step<'_, '_>,
        sequence: Sequence,
        read: Result<Reported<'_>, Refusal>,
        bytes: &Bytes,
    ) -> Result<Draft, EngineError> {
        let number = sequence.get();
        if number == 0 || number > SEQUENCE_MAX {
            // Without a number that can be used up there is nothing to record.
            let refusal = read.and_then(|event| event.validate()).err();
            return Ok(Draft::Refused(refusal.unwrap_or_else(|| {
                Refusal::new(
                    RefusalReason::MalformedEvent,
                    "sequence",
                    "the event has no sequence",
                )
            })));
        }
        if !self.continues_refusals(number) {
            self.flush_refusals(step.recorder)?;
        }
        let place = self.place(step, number);
        if place == Place::Known {
            return Ok(Draft::Known(step.canonical(read, bytes)?));
        }
        if place == Place::TooManyGaps {
            return Ok(Draft::Refused(Refusal::new(
                RefusalReason::TooManyGaps,
                "sequence",
                format!(
                    "sequence {number} would leave more than 1,024 open gaps; send the missing numbers first"
                ),
            )));
        }
        let refusal = match read {
            Err(refusal) => refusal,
            Ok(event) => match self.admit(step, event, place, bytes)? {
                Ok(position) => return Ok(Draft::Recorded(position)),
                Err(refusal) => refusal,
            },
        };
        self.refuse(step, number, place, &refusal, bytes)
    }

    fn place(&self, step: &Step<'_, '_>, number: u64) -> Place {
        if self.continues_refusals(number) {
            return Place::New { gap: None };
        }
        let source = step.recorder.writer.source(self.source);
        source.map_or(Place::Known, |source| source.identity.place(number))
    }

    /// Whether a number is the one after a run of refused numbers at the head of the source.
    fn continues_refusals(&self, number: u64) -> bool {
        self.refusals
            .as_ref()
            .is_some_and(|run| run.last.saturating_add(1) == number)
    }

    /// Checks and records an event whose number is free.
    fn admit(
        &mut self,
        step: &mut Step<'_, '_>,
        mut event: Reported<'_>,
        place: Place,
        bytes: &Bytes,
    ) -> Result<Result<Position, Refusal>, EngineError> {
        let body = match step.check(&event).and_then(|()| self.body_of(&event)) {
            Ok(body) => body,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let targets = self.targets_of(&event);
        let history = step.history(&event, &targets)?;
        let resolved = match (&history, &event.body) {
            (Some(history), Body::CorrectionRecorded(correction)) => {
                history.resolve(&*step.recorder.writer, event.machine, correction)
            }
            _ => Ok(Vec::new()),
        };
        let mut corrected = match resolved {
            Ok(corrected) => corrected,
            Err(refusal) => return Ok(Err(refusal)),
        };
        // It must fit before a gap is noted on its behalf, and before a person gets a key for it.
        if let Err(refusal) = check_size(&event, &corrected, bytes.len()) {
            return Ok(Err(refusal));
        }
        step.protect(&mut event, Keys::Make)?;
        hold_protected(&event.body, &mut corrected);
        self.flush_refusals(step.recorder)?;
        if let Place::New {
            gap: Some((first, last)),
        } = place
        {
            step.note_gap(first, last)?;
        }
        let filler = place == Place::Open(OpenKind::Missing);
        Ok(step.record(event, filler, corrected, body))
    }

    /// The targets of all corrections of the batch that are about the machine of this one: their
    /// histories are read together.
    fn targets_of(&self, event: &Reported<'_>) -> Vec<Position> {
        if !matches!(event.body, Body::CorrectionRecorded(_)) {
            return Vec::new();
        }
        let mut targets = Vec::new();
        for bytes in &self.batch.events {
            if let Ok(Reported {
                machine,
                body: Body::CorrectionRecorded(correction),
                ..
            }) = read(bytes)
                && machine == event.machine
            {
                targets.extend(correction.targets);
            }
        }
        targets
    }

    /// The body that a sample batch names. A body that is named and not sent is refused.
    fn body_of(&self, event: &Reported<'_>) -> Result<Option<(Hash, Bytes)>, Refusal> {
        let Body::SampleReported(sample) = &event.body else {
            return Ok(None);
        };
        let Ok(hash) = Hash::try_from(sample.body_hash.as_ref()) else {
            return Ok(None);
        };
        let fail = |detail: String| {
            Err(Refusal::new(
                RefusalReason::BodyMismatch,
                "body_hash",
                detail,
            ))
        };
        match self.bodies.get(&hash) {
            None => fail(format!("the body {hash} did not come with the batch")),
            Some(body) if body.len() > BODY_BYTES_MAX => fail(format!(
                "the body has {} bytes, at most {BODY_BYTES_MAX} are allowed",
                body.len()
            )),
            Some(body) if body.len() as u64 != sample.body_bytes => fail(format!(
                "the body has {} bytes, the event says {}",
                body.len(),
                sample.body_bytes
            )),
            Some(body) => Ok(Some((hash, body.clone()))),
        }
    }

    /// Uses up the number of a refused event, once.
    fn refuse(
        &mut self,
        step: &mut Step<'_, '_>,
        number: u64,
        place: Place,
        refusal: &Refusal,
        bytes: &Bytes,
    ) -> Result<Draft, EngineError> {
        let answered = Ok(Draft::Refused(refusal.clone()));
        if place == Place::Open(OpenKind::Refused) {
            return answered;
        }
        if let Some(run) = &mut self.refusals
            && run.last.checked_add(1) == Some(number)
            && run.reason == refusal.reason
        {
            run.last = number;
            run.hasher.update(sha256(bytes).as_bytes());
            return answered;
        }
        self.flush_refusals(step.recorder)?;
        let Some(source) = step.recorder.writer.source(self.source) else {
            return answered;
        };
        if !source.identity.can_refuse(number) {
            return Ok(Draft::Refused(Refusal::new(
                RefusalReason::TooManyGaps,
                "sequence",
                format!(
                    "{refusal}; and more than 1,024 numbers of the source are open, so sequence {number} is not used up"
                ),
            )));
        }
        if let Place::New {
            gap: Some((first, last)),
        } = place
        {
            step.note_gap(first, last)?;
        }
        let mut hasher = Sha256::new();
        hasher.update(sha256(bytes).as_bytes());
        self.refusals = Some(RefusedRun {
            first: number,
            last: number,
            reason: refusal.reason,
            hasher,
        });
        if place == Place::Open(OpenKind::Missing) {
            // Only numbers at the head of the source are coalesced: what follows one inside a gap
            // may be anything.
            self.flush_refusals(step.recorder)?;
        }
        answered
    }

    fn flush_refusals(&mut self, recorder: &mut Recorder<'_>) -> Result<(), EngineError> {
        let Some(run) = self.refusals.take() else {
            return Ok(());
        };
        let hash: [u8; 32] = run.hasher.finalize().into();
        recorder
            .record_own(Body::EventRefused(EventRefused {
                source: self.source,
                first: run.first,
                last: run.last,
                reason: run.reason,
                hash: hash.to_vec().into(),
            }))
            .map(drop)
    }
}

/// Only answered: the number stays free for the next batch.
fn too_many_corrections() -> Refusal {
    Refusal::new(
        RefusalReason::TooManyCorrections,
        "body",
        format!(
            "a batch takes {BATCH_CORRECTIONS_MAX} corrections; send the others in the next one"
        ),
    )
}

/// What one event needs to be decided.
struct Step<'r, 'w> {
    recorder: &'r mut Recorder<'w>,
    ring: &'r KeyRing,
    corrector: Option<&'r Corrector<'r>>,
    source: SourceNumber,
}

impl Step<'_, '_> {
    fn check(&self, event: &Reported<'_>) -> Result<(), Refusal> {
        event.validate()?;
        self.check_retiming(&event.body)?;
        let writer = &*self.recorder.writer;
        let staged = check_names(event, &writer.description);
        match &writer.held {
            // What is removed from a time on that lies ahead is still there.
            Some(held) if staged.is_err() => check_names(event, &held.description).or(staged),
            _ => staged,
        }
    }

    /// Nothing is moved into the future: like a clock that says 2200, it would hold the state until
    /// then, and what is tracked would fall out of its window at once.
    fn check_retiming(&self, body: &Body<'_>) -> Result<(), Refusal> {
        let Body::CorrectionRecorded(Correction {
            new_time: Some(to), ..
        }) = body
        else {
            return Ok(());
        };
        let tolerance = self.recorder.writer.source(self.source);
        let tolerance = tolerance.map_or(0, |source| source.tolerance_ns);
        let now = self.recorder.clock.reached();
        if *to <= now.plus(i64::try_from(tolerance).unwrap_or(i64::MAX)) {
            return Ok(());
        }
        Err(Refusal::new(
            RefusalReason::OutOfRange,
            "new_time",
            format!("new_time {to} lies ahead of now, {now}: nothing has happened then yet"),
        ))
    }

    /// The history of the machine that a correction is about.
    fn history(
        &self,
        event: &Reported<'_>,
        targets: &[Position],
    ) -> Result<Option<Arc<History>>, EngineError> {
        match (&event.body, self.corrector) {
            (Body::CorrectionRecorded(_), Some(corrector)) => {
                corrector.history(event.machine, targets).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn protect(&self, event: &mut Reported<'_>, keys: Keys) -> Result<(), EngineError> {
        let writer = &*self.recorder.writer;
        let source = writer
            .source(self.source)
            .map_or("", |source| source.label.as_str());
        let owner = Owner {
            plant: writer.plant.as_str(),
            source,
            number: event.sequence.get(),
        };
        protect(&mut event.body, owner, self.ring, keys)
    }

    /// The bytes that a repeat would have been recorded with.
    fn canonical(
        &self,
        read: Result<Reported<'_>, Refusal>,
        bytes: &Bytes,
    ) -> Result<Vec<u8>, EngineError> {
        match read {
            Ok(mut event) if event.validate().is_ok() => {
                // A person whom the log does not know cannot be in the original.
                self.protect(&mut event, Keys::Known)?;
                Ok(encode_reported(&event))
            }
            _ => Ok(bytes.to_vec()),
        }
    }

    fn note_gap(&mut self, first: u64, last: u64) -> Result<(), EngineError> {
        self.recorder
            .record_own(Body::GapDetected(GapDetected {
                cause: GapCause::Sequence,
                source: self.source,
                first,
                last,
                lost: Some(last - first + 1),
                ..GapDetected::default()
            }))
            .map(drop)
    }

    fn record(
        &mut self,
        event: Reported<'_>,
        filler: bool,
        corrected: Vec<Corrected<'_>>,
        body: Option<(Hash, Bytes)>,
    ) -> Result<Position, Refusal> {
        let recorded_at = self.recorder.stamp();
        let source = self.recorder.writer.source(self.source);
        let (effective_at, suspect) = source.map_or((recorded_at, true), |source| {
            effective(&event, source, recorded_at)
        });
        let authority = self
            .recorder
            .writer
            .rank(self.source, event.machine, &event.body);
        let mut flags = Flags::default();
        if suspect {
            flags = flags.with(Flags::SUSPECT_CLOCK);
        }
        if filler {
            flags = flags.with(Flags::LATE_FILLER);
        }
        if authority == UNLISTED_AUTHORITY {
            flags = flags.with(Flags::NOT_AUTHORITATIVE);
        }
        let decision = Decision {
            source: self.source,
            effective_at,
            flags,
            authority,
            corrected,
        };
        self.recorder.record(recorded_at, event, decision, body)
    }
}

/// Checks that the description has the machine of an event and what it names.
fn check_names(event: &Reported<'_>, description: &Description) -> Result<(), Refusal> {
    let machine = event.machine;
    if machine.get() == 0 {
        if !event.body.kind().needs_machine() {
            return names::check(&event.body, machine, description);
        }
        return Err(Refusal::new(
            RefusalReason::MissingField,
            "machine",
            format!("{} is about a machine, but machine is 0", event.body.kind()),
        ));
    }
    if description.machine(machine).is_some() {
        return names::check(&event.body, machine, description);
    }
    if description.is_removed(machine) {
        return Err(Refusal::new(
            RefusalReason::RemovedMachine,
            "machine",
            format!("machine {machine} has been removed from the plant's description"),
        ));
    }
    Err(Refusal::new(
        RefusalReason::UnknownMachine,
        "machine",
        format!("the plant's description has no machine {machine}"),
    ))
}

/// What the writer adds to an event without corrections, and encryption to its protected fields, at
/// the most, in bytes.
const ADDED_BYTES_MAX: usize = 1024;

/// Checks that an event fits as it will be stored, whatever its position. Most are far too small for
/// a question; the others are encoded once more.
fn check_size(
    event: &Reported<'_>,
    corrected: &[Corrected<'_>],
    bytes: usize,
) -> Result<(), Refusal> {
    if corrected.is_empty() && bytes + ADDED_BYTES_MAX <= EVENT_BYTES_MAX {
        return Ok(());
    }
    let stored = encode_recorded(&Recorded {
        position: Position(u64::MAX),
        recorded_at: Timestamp::MAX,
        effective_at: Timestamp::MAX,
        source: SourceNumber(u32::MAX),
        previous: Position(u64::MAX),
        flags: Flags(u32::MAX),
        authority: u32::MAX,
        reported: event.clone(),
        corrected: corrected.to_vec(),
    });
    let protected = if needs_protection(&event.body) {
        ADDED_BYTES_MAX
    } else {
        0
    };
    if stored.len() + protected <= EVENT_BYTES_MAX {
        return Ok(());
    }
    Err(Refusal::new(
        RefusalReason::EventTooLarge,
        "",
        format!(
            "the event takes {} bytes as stored, at most {EVENT_BYTES_MAX} are allowed",
            stored.len()
        ),
    ))
}

/// A replacement holds in its target's place in the form in which it is stored.
fn hold_protected<'e>(body: &Body<'e>, corrected: &mut [Corrected<'e>]) {
    if let (Body::CorrectionRecorded(correction), [corrected]) = (body, corrected)
        && let Some(replacement) = correction.replacement.as_deref()
    {
        corrected.body = replacement.clone();
    }
}

/// The time in the plant that an event is ordered by, and whether its clock is suspect
/// (`semantics.md`, "Time").
///
/// Without a gateway the writer's clock stands in for the gateway's. Beyond the letter of the rule,
/// an event that was "observed" further ahead of the writer's clock than the tolerance does not take
/// effect there: else one clock that says 2200 would hold a machine's state until then. It takes
/// effect when it is recorded; in a recording, which must come out the same whenever it is imported,
/// at the latest time of its source so far.
fn effective(
    event: &Reported<'_>,
    source: &SourceEntry,
    recorded_at: Timestamp,
) -> (Timestamp, bool) {
    let tolerance = i64::try_from(source.tolerance_ns).unwrap_or(i64::MAX);
    let observed = event.observed_at.unwrap_or(recorded_at);
    if observed > recorded_at.plus(tolerance) {
        let import = source.kind() == SourceKind::Import;
        let latest = if import { source.latest() } else { None };
        return (latest.unwrap_or(recorded_at), true);
    }
    let unset = observed.nanos() < PLAUSIBLE_FROM_NS;
    let apart = event.occurred_at.since(observed);
    let believed = apart.saturating_abs() <= tolerance || (event.historical && apart <= tolerance);
    if believed {
        return (event.occurred_at, unset);
    }
    (observed, true)
}

/// Reads an event. Errors: the refusal that says what is wrong with it.
fn read(bytes: &Bytes) -> Result<Reported<'_>, Refusal> {
    if bytes.len() > EVENT_BYTES_MAX {
        return Err(Refusal::new(
            RefusalReason::EventTooLarge,
            "",
            format!(
                "the event has {} bytes, at most {EVENT_BYTES_MAX} are allowed",
                bytes.len()
            ),
        ));
    }
    decode_reported(bytes).map_err(|error| {
        let reason = match error {
            DecodeError::UnknownField { .. } => RefusalReason::UnknownField,
            DecodeError::UnknownValue { .. } => RefusalReason::UnknownValue,
            DecodeError::NoBody => RefusalReason::UnknownKind,
            DecodeError::Missing { .. } => RefusalReason::MissingField,
            _ => RefusalReason::MalformedEvent,
        };
        Refusal::new(reason, "", error.to_string())
    })
}

/// Outcomes as runs: consecutive in the batch, in their numbers and, where recorded, in positions.
pub(crate) fn runs(results: Vec<(Sequence, OutcomeResult)>) -> Vec<Outcome> {
    let mut runs: Vec<Outcome> = Vec::new();
    for (sequence, result) in results {
        if let Some(run) = runs.last_mut()
            && run.takes(sequence, &result)
        {
            run.count += 1;
            continue;
        }
        runs.push(Outcome {
            first_sequence: sequence,
            count: 1,
            result,
        });
    }
    runs
}
