//! Draws events about plans, calendars and people, and the newer ones of the writer.

use super::Dice;
use werkbuch_model::event::*;
use werkbuch_model::id::Position;

impl Dice {
    pub(super) fn draw_office_kind(&mut self, kind: Kind) -> Option<Body<'static>> {
        self.draw_calendar(kind)
            .or_else(|| self.draw_plan(kind))
            .or_else(|| self.draw_andon(kind))
            .or_else(|| self.draw_staffing(kind))
            .or_else(|| self.draw_period(kind))
            .or_else(|| self.draw_writer(kind))
            .or_else(|| self.draw_rule(kind))
    }

    fn draw_calendar(&mut self, kind: Kind) -> Option<Body<'static>> {
        Some(match kind {
            Kind::CalendarChanged => Body::CalendarChanged(CalendarChanged {
                unit: self.text(),
                key: self.text(),
                from: self.time(),
                to: self.time(),
                intervals: self.list(Self::planned_interval),
            }),
            _ => return None,
        })
    }

    fn draw_plan(&mut self, kind: Kind) -> Option<Body<'static>> {
        Some(match kind {
            Kind::PlanPublished => Body::PlanPublished(PlanPublished {
                plan: self.text(),
                plan_kind: self.one_of(PlanKind::ALL),
                version: self.small(),
                chunk: self.small(),
                chunks: self.small(),
                from: self.maybe(Self::time),
                to: self.maybe(Self::time),
                entries: self.list(Self::plan_entry),
            }),
            _ => return None,
        })
    }

    fn draw_andon(&mut self, kind: Kind) -> Option<Body<'static>> {
        Some(match kind {
            Kind::AndonRaised => Body::AndonRaised(AndonRaised {
                key: self.text(),
                andon: self.one_of(AndonKind::ALL),
                location: self.text(),
                text: self.text(),
                who: self.protected(),
            }),
            Kind::AndonCleared => Body::AndonCleared(AndonCleared {
                key: self.text(),
                who: self.protected(),
                comment: self.protected(),
            }),
            _ => return None,
        })
    }

    fn draw_staffing(&mut self, kind: Kind) -> Option<Body<'static>> {
        Some(match kind {
            Kind::StaffingChanged => Body::StaffingChanged(StaffingChanged {
                unit: self.text(),
                crew: self.text(),
                shift: self.text(),
                skill: self.text(),
                present: self.maybe(Self::number),
                required: self.maybe(Self::number),
                who: self.protected(),
            }),
            _ => return None,
        })
    }

    fn draw_period(&mut self, kind: Kind) -> Option<Body<'static>> {
        Some(match kind {
            Kind::PeriodClosed => Body::PeriodClosed(PeriodClosed {
                unit: self.text(),
                key: self.text(),
                from: self.time(),
                to: self.time(),
                at_position: Position(self.number()),
                figures: self.list(Self::figure),
            }),
            _ => return None,
        })
    }

    fn draw_writer(&mut self, kind: Kind) -> Option<Body<'static>> {
        Some(match kind {
            Kind::LineageStarted => Body::LineageStarted(LineageStarted {
                parent: self.blob(16),
                size: self.number(),
                root: self.blob(32),
                lost_first: Position(self.number()),
                lost_last: Position(self.number()),
            }),
            _ => return None,
        })
    }

    fn draw_rule(&mut self, kind: Kind) -> Option<Body<'static>> {
        Some(match kind {
            Kind::RuleRaised => Body::RuleRaised(RuleRaised {
                rule: self.text(),
                key: self.text(),
                severity: self.small(),
                text: self.text(),
                since: self.time(),
                before: Position(self.number()),
            }),
            Kind::RuleCleared => Body::RuleCleared(RuleCleared {
                rule: self.text(),
                key: self.text(),
                since: self.time(),
                before: Position(self.number()),
                raised: Position(self.number()),
                withdrawn: self.flip(),
            }),
            Kind::RulesChanged => Body::RulesChanged(RulesChanged {
                revision: self.small(),
                part: self.small(),
                commit: self.flip(),
                file_hash: self.blob(32),
                who: self.protected(),
                why: self.text(),
                rules: self.list(|draw| DeclaredRule {
                    rule: draw.text(),
                    raise: draw.text(),
                    hold_ns: draw.number(),
                    clear: draw.text(),
                    clear_hold_ns: draw.number(),
                    severity: draw.small(),
                    text: draw.text(),
                    since_revision: draw.small(),
                }),
            }),
            Kind::ActionRecorded => Body::ActionRecorded(ActionRecorded {
                action: self.text(),
                target: self.text(),
                who: self.protected(),
                why: self.text(),
                old_position: Position(self.number()),
                detail: self.text(),
            }),
            _ => return None,
        })
    }

    pub(super) fn planned_interval(&mut self) -> PlannedInterval<'static> {
        PlannedInterval {
            from: self.time(),
            to: self.time(),
            kind: self.one_of(IntervalKind::ALL),
            name: self.text(),
            team: self.text(),
        }
    }

    pub(super) fn plan_entry(&mut self) -> PlanEntry<'static> {
        PlanEntry {
            at: self.time(),
            until: self.maybe(Self::time),
            order: self.text(),
            product: self.text(),
            variant: self.text(),
            part: self.text(),
            quantity: self.float(),
            part_number: self.text(),
            site: self.text(),
            location: self.text(),
            text: self.text(),
        }
    }
}
