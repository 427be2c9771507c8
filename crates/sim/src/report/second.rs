//! Second thoughts: what was booked wrongly is put right by whoever looks at it later.

use super::{Beside, Reporter, Said, names, person, text};
use werkbuch_model::event::{Body, Correction, CorrectionAction};
use werkbuch_model::time::Timestamp;

/// How long it takes until somebody looks at what was booked: from, to, in seconds. It is longer than
/// an event is late at most, and shorter than the time between two counts of a store.
const AFTER_S: (f64, f64) = (720.0, 1_800.0);

/// How a booking is put right.
#[derive(Clone, Debug)]
pub(super) enum Remedy {
    /// This should have been booked.
    Replace(Box<Body<'static>>),
    /// It should not have been booked.
    Retract,
    /// It happened then.
    Retime(Timestamp),
}

/// A booking that will be put right.
#[derive(Clone, Debug)]
pub(super) struct Second {
    at_ns: u64,
    source: usize,
    machine: Option<usize>,
    mark: u64,
    remedy: Remedy,
    why: &'static str,
}

impl Reporter {
    /// Whether somebody books wrongly now, with this probability.
    pub(super) fn errs(&mut self, probability: f64) -> bool {
        self.seconds.chance(probability)
    }

    /// Books something that is wrong, about a machine or the plant; it will be put right.
    pub(super) fn books_wrongly(
        &mut self,
        machine: Option<usize>,
        body: Body<'static>,
        remedy: Remedy,
        why: &'static str,
    ) {
        let source = machine.map_or(self.sources.mes, |at| {
            self.sources.machines.get(at).copied().unwrap_or(0)
        });
        self.marks += 1;
        let mark = self.marks;
        self.out.push_back(Said {
            at_ns: self.now_ns,
            source,
            machine,
            body,
            beside: Beside {
                mark: Some(mark),
                ..Beside::default()
            },
        });
        let after_ns = crate::kernel::to_ns(self.seconds.between(AFTER_S.0, AFTER_S.1));
        self.wrong.push(Second {
            at_ns: self.now_ns.saturating_add(after_ns),
            source,
            machine,
            mark,
            remedy,
            why,
        });
    }

    /// Puts right what is due.
    pub(super) fn put_right(&mut self) {
        let now_ns = self.now_ns;
        let due = self.wrong.extract_if(.., |one| one.at_ns <= now_ns);
        for second in due.collect::<Vec<_>>() {
            let who = names::somebody(self.seconds.bits());
            let (action, replacement, new_time) = match second.remedy {
                Remedy::Replace(body) => (CorrectionAction::Replace, Some(body), None),
                Remedy::Retract => (CorrectionAction::Retract, None, None),
                Remedy::Retime(to) => (CorrectionAction::Retime, None, Some(to)),
            };
            let correction = Correction {
                action,
                // The gateway knows where its event was recorded.
                targets: Vec::new(),
                replacement,
                new_time,
                who: person(who),
                why: text(second.why),
            };
            self.out.push_back(Said {
                at_ns: now_ns,
                source: second.source,
                machine: second.machine,
                body: Body::CorrectionRecorded(correction),
                beside: Beside {
                    corrects: Some(second.mark),
                    ..Beside::default()
                },
            });
        }
    }
}
