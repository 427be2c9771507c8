//! Draws events of every kind, with all their fields, from a seed.

mod flow;
mod office;
mod spec;
mod work;

use werkbuch_model::event::*;
use werkbuch_model::id::*;
use werkbuch_model::time::Timestamp;

/// A small generator (SplitMix64, Steele and others 2014), so that a seed is all a failure needs.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn number(&mut self) -> u64 {
        let shift = self.below(64);
        self.next() >> shift
    }

    fn small(&mut self) -> u32 {
        (self.number() >> 32) as u32
    }

    fn flip(&mut self) -> bool {
        self.next() & 1 == 1
    }

    fn text(&mut self) -> Text<'static> {
        let len = if self.below(8) == 0 {
            self.below(300)
        } else {
            self.below(9)
        };
        (0..len)
            .map(|_| ['a', 'Z', '7', 'ä', '|', ' ', '漢'][self.below(7) as usize])
            .collect()
    }

    fn blob(&mut self, len: usize) -> Blob<'static> {
        (0..len)
            .map(|_| self.next() as u8)
            .collect::<Vec<_>>()
            .into()
    }

    fn time(&mut self) -> Timestamp {
        Timestamp(if self.below(8) == 0 {
            0
        } else {
            self.next() as i64
        })
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }

    fn maybe<T>(&mut self, draw: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.flip() { Some(draw(self)) } else { None }
    }

    fn float(&mut self) -> Option<f64> {
        self.maybe(|d| d.next() as i64 as f64 / 1000.0)
    }

    fn list<T>(&mut self, mut draw: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(4)).map(|_| draw(self)).collect()
    }

    fn element(&mut self) -> ElementId {
        ElementId::new(format!("e{}", self.below(1000))).unwrap()
    }

    fn protected(&mut self) -> Protected<'static> {
        Protected {
            plain: self.text(),
            key: self.number(),
            ciphertext: self.blob(5),
        }
    }

    pub(crate) fn reported(&mut self, kind: Kind) -> Reported<'static> {
        Reported {
            sequence: Sequence(self.number()),
            machine: MachineNumber(self.small()),
            occurred_at: self.time(),
            observed_at: self.maybe(Self::time),
            historical: self.flip(),
            body: self.body(kind),
        }
    }

    pub(crate) fn recorded(&mut self, reported: Reported<'static>) -> Recorded<'static> {
        Recorded {
            position: Position(self.number()),
            recorded_at: self.time(),
            effective_at: self.time(),
            source: SourceNumber(self.small()),
            previous: Position(self.number()),
            flags: Flags(self.small()),
            authority: self.small(),
            reported,
            corrected: self.list(|d| Corrected {
                target: Position(d.number()),
                effective_at: d.time(),
                source: SourceNumber(d.small()),
                sequence: Sequence(d.number()),
                authority: d.small(),
                body: d.body(Kind::StateChanged),
                restored: d.list(|d| Restored {
                    position: Position(d.number()),
                    effective_at: d.time(),
                    source: SourceNumber(d.small()),
                    sequence: Sequence(d.number()),
                    authority: d.small(),
                    body: d.body(Kind::ConditionChanged),
                    machine: MachineNumber(d.small()),
                }),
            }),
        }
    }

    fn body(&mut self, kind: Kind) -> Body<'static> {
        match kind {
            Kind::Unspecified => unreachable!("no body has this kind"),
            Kind::AssetDeclared
            | Kind::ConnectionChanged
            | Kind::StateChanged
            | Kind::ModeChanged => self.standing(kind),
            Kind::PartProduced => Body::PartProduced(PartProduced {
                counter: self.text(),
                meaning: self.one_of(PartMeaning::ALL),
                value: self.maybe(Self::number),
                modulus: self.number(),
                reset_epoch: self.small(),
                part_type: self.text(),
                part: self.text(),
            }),
            Kind::AlarmRaised | Kind::AlarmAcknowledged | Kind::AlarmCleared => self.alarm(kind),
            Kind::ConditionChanged => Body::ConditionChanged(ConditionChanged {
                item: self.text(),
                level: self.one_of(ConditionLevel::ALL),
                code: self.text(),
                native_severity: self.text(),
                qualifier: self.one_of(Qualifier::ALL),
                text: self.text(),
            }),
            Kind::ToolChanged => Body::ToolChanged(ToolChanged {
                slot: self.text(),
                tool: self.maybe(Self::text),
                life_used: self.float(),
                life_limit: self.float(),
                life_unit: self.one_of(ToolLifeUnit::ALL),
            }),
            Kind::ProgramChanged => Body::ProgramChanged(ProgramChanged {
                slot: self.text(),
                program: self.maybe(Self::text),
                revision: self.text(),
                block: self.text(),
            }),
            Kind::OverrideChanged => Body::OverrideChanged(OverrideChanged {
                item: self.text(),
                what: self.one_of(OverrideKind::ALL),
                percent: self.float(),
            }),
            Kind::ItemChanged => Body::ItemChanged(ItemChanged {
                item: self.text(),
                text: self.maybe(Self::text),
            }),
            Kind::SampleReported => self.sample(),
            Kind::GapDetected => self.gap(),
            Kind::CorrectionRecorded => Body::CorrectionRecorded(Correction {
                action: self.one_of(CorrectionAction::ALL),
                targets: self.list(|d| Position(d.number())),
                replacement: self.maybe(|d| Box::new(d.body(Kind::ItemChanged))),
                new_time: self.maybe(Self::time),
                who: self.protected(),
                why: self.text(),
            }),
            Kind::DescriptionChanged => self.description(),
            _ => self.writers_own(kind),
        }
    }

    fn standing(&mut self, kind: Kind) -> Body<'static> {
        match kind {
            Kind::AssetDeclared => Body::AssetDeclared(AssetDeclared {
                manufacturer: self.text(),
                model: self.text(),
                serial: self.text(),
                items: self.list(|d| DeclaredItem {
                    id: d.text(),
                    item_type: d.text(),
                    unit: d.text(),
                    category: d.one_of(ItemCategory::ALL),
                    deadband: d.float(),
                }),
            }),
            Kind::ConnectionChanged => Body::ConnectionChanged(ConnectionChanged {
                to: self.one_of(Connection::ALL),
                cause: self.text(),
            }),
            Kind::StateChanged => Body::StateChanged(StateChanged {
                to: self.one_of(State::ALL),
                from: self.one_of(State::ALL),
                native: self.text(),
                vocabulary: self.one_of(Vocabulary::ALL),
                reason: self.text(),
            }),
            _ => Body::ModeChanged(ModeChanged {
                to: self.one_of(Mode::ALL),
                native: self.text(),
                vocabulary: self.one_of(Vocabulary::ALL),
            }),
        }
    }

    fn alarm(&mut self, kind: Kind) -> Body<'static> {
        let key = self.text();
        match kind {
            Kind::AlarmRaised => Body::AlarmRaised(AlarmRaised {
                key,
                code: self.text(),
                severity: self.small(),
                text: self.text(),
                native: self.text(),
            }),
            Kind::AlarmAcknowledged => Body::AlarmAcknowledged(AlarmAcknowledged {
                key,
                who: self.protected(),
                comment: self.protected(),
            }),
            _ => Body::AlarmCleared(AlarmCleared {
                key,
                duration_ms: self.maybe(Self::number),
            }),
        }
    }

    fn sample(&mut self) -> Body<'static> {
        Body::SampleReported(SampleReported {
            period_start: self.time(),
            period_ms: self.number(),
            items: self.list(|d| SampleItem {
                item: d.text(),
                unit: d.text(),
                n: d.number(),
                unavailable: d.number(),
                min: d.float(),
                max: d.float(),
                mean: d.float(),
                last: d.float(),
            }),
            body_hash: self.blob(32),
            body_bytes: self.number(),
        })
    }

    fn gap(&mut self) -> Body<'static> {
        Body::GapDetected(GapDetected {
            cause: self.one_of(GapCause::ALL),
            source: SourceNumber(self.small()),
            first: self.number(),
            last: self.number(),
            lost: self.maybe(Self::number),
            file: self.text(),
            first_line: self.number(),
            last_line: self.number(),
            content_hash: self.blob(32),
            detail: self.text(),
        })
    }

    fn writers_own(&mut self, kind: Kind) -> Body<'static> {
        match kind {
            Kind::SourceOpened => Body::SourceOpened(SourceOpened {
                number: SourceNumber(self.small()),
                name: self.text(),
                epoch: Epoch(self.small()),
                source_kind: self.one_of(SourceKind::ALL),
                tolerance_ns: self.number(),
            }),
            Kind::WriterOpened => Body::WriterOpened(WriterOpened {
                epoch: WriterEpoch(self.number()),
                build: self.text(),
                fold_version: self.small(),
                after_clean_close: self.flip(),
                last_recorded_at: self.maybe(Self::time),
            }),
            Kind::EventRefused => Body::EventRefused(EventRefused {
                source: SourceNumber(self.small()),
                first: self.number(),
                last: self.number(),
                reason: self.one_of(RefusalReason::ALL),
                hash: self.blob(32),
            }),
            Kind::ClockJumped => Body::ClockJumped(ClockJumped {
                expected: self.time(),
                found: self.time(),
                confirmed: self.flip(),
            }),
            Kind::FormatRaised => Body::FormatRaised(FormatRaised {
                minimum_reader: self.small(),
            }),
            Kind::DigestRecorded => Body::DigestRecorded(DigestRecorded {
                at_position: Position(self.number()),
                fold_version: self.small(),
                digest: self.blob(32),
            }),
            other => self
                .draw_work_kind(other)
                .or_else(|| self.draw_flow_kind(other))
                .or_else(|| self.draw_office_kind(other))
                .unwrap_or_else(|| unreachable!("{other} has no generator")),
        }
    }

    fn description(&mut self) -> Body<'static> {
        Body::DescriptionChanged(DescriptionChanged {
            revision: self.small(),
            part: self.small(),
            commit: self.flip(),
            valid_from: self.maybe(Self::time),
            file_hash: self.blob(32),
            who: self.protected(),
            why: self.text(),
            changes: spec::changes(self),
        })
    }
}
