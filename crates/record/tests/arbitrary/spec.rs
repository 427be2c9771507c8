//! Draws every object of a description, with all its fields.

use super::Dice;
use werkbuch_model::event::{AspectKind, PartMeaning, Vocabulary};
use werkbuch_model::id::MachineNumber;
use werkbuch_model::plant::*;

/// A change of every kind of object.
pub(super) fn changes(d: &mut Dice) -> Vec<Change> {
    let mut specs = places(d);
    specs.extend(products(d));
    specs.extend(supplies(d));
    let change = |spec: Spec| Change {
        action: d.one_of(ChangeAction::ALL),
        spec,
    };
    specs.into_iter().map(change).collect()
}

fn places(d: &mut Dice) -> Vec<Spec> {
    vec![
        Spec::Plant(Plant {
            name: d.text().into_owned(),
            time_zone: d.text().into_owned(),
            calendar: d.maybe(Dice::element),
            sample_days: d.small(),
            day_start: TimeOfDay(d.small()),
        }),
        Spec::Unit(Unit {
            id: d.element(),
            name: d.text().into_owned(),
            level: d.one_of(Level::ALL),
            parent: d.maybe(Dice::element),
            calendar: d.maybe(Dice::element),
            constraint: d.maybe(Dice::element),
            takt_ms: d.maybe(Dice::number),
        }),
        Spec::Machine(machine(d)),
        Spec::Buffer(Buffer {
            id: d.element(),
            name: d.text().into_owned(),
            parent: d.maybe(Dice::element),
            capacity: d.small(),
            buffer_kind: d.one_of(BufferKind::ALL),
            lanes: d.small(),
            transit_ms: d.maybe(Dice::number),
        }),
        Spec::Flow(Flow {
            from: d.element(),
            to: d.element(),
            flow_kind: d.one_of(FlowKind::ALL),
            transit_ms: d.maybe(Dice::number),
            share: d.maybe(|d| Decimal(d.number())),
            priority: d.maybe(Dice::small),
            variants: d.list(Dice::element),
        }),
        Spec::Authority(Authority {
            machines: d.text().into_owned(),
            aspect: d.one_of(AspectKind::ALL),
            sources: d.list(|d| d.text().into_owned()),
        }),
        Spec::StopGroup(StopGroup {
            id: d.element(),
            name: d.text().into_owned(),
            stop_kind: d.one_of(StopKind::ALL),
        }),
    ]
}

fn products(d: &mut Dice) -> Vec<Spec> {
    vec![
        Spec::Product(Product {
            id: d.element(),
            name: d.text().into_owned(),
        }),
        Spec::Variant(Variant {
            id: d.element(),
            product: d.element(),
            name: d.text().into_owned(),
            share: d.maybe(|d| Decimal(d.number())),
            attributes: d.list(|d| d.text().into_owned()),
        }),
        Spec::Step(Step {
            product: d.element(),
            variant: d.maybe(Dice::element),
            number: d.small(),
            operation: d.text().into_owned(),
            at: d.list(Dice::element),
            work_ms: d.number(),
            min_ms: d.maybe(Dice::number),
            units_per_cycle: d.small(),
            carrier: d.maybe(Dice::element),
            skill: d.text().into_owned(),
        }),
        Spec::Setup(Setup {
            machines: d.text().into_owned(),
            attribute: d.text().into_owned(),
            from: d.text().into_owned(),
            to: d.text().into_owned(),
            ms: d.number(),
        }),
        Spec::Rework(Rework {
            id: d.element(),
            from: d.element(),
            through: d.list(Dice::element),
            back_to: d.element(),
            limit: d.maybe(Dice::small),
            share: d.maybe(|d| Decimal(d.number())),
        }),
    ]
}

fn supplies(d: &mut Dice) -> Vec<Spec> {
    vec![
        Spec::Carrier(Carrier {
            id: d.element(),
            name: d.text().into_owned(),
            carrier_kind: d.one_of(CarrierKind::ALL),
            count: d.small(),
            capacity: d.small(),
            home: d.maybe(Dice::element),
            return_ms: d.maybe(Dice::number),
        }),
        Spec::Crew(Crew {
            id: d.element(),
            name: d.text().into_owned(),
            crew_kind: d.one_of(CrewKind::ALL),
            size: d.small(),
            skills: d.list(|d| d.text().into_owned()),
            serves: d.list(|d| d.text().into_owned()),
            calendar: d.maybe(Dice::element),
        }),
        Spec::Feed(Feed {
            part_number: d.text().into_owned(),
            at: d.element(),
            quantity: Decimal(d.number()),
            product: d.maybe(Dice::element),
            variant: d.maybe(Dice::element),
            from: d.maybe(Dice::element),
            site: d.text().into_owned(),
            feed_kind: d.one_of(FeedKind::ALL),
        }),
        Spec::Boundary(Boundary {
            at: d.element(),
            boundary_kind: d.one_of(BoundaryKind::ALL),
            release: d.one_of(Release::ALL),
            rate_per_hour: d.maybe(|d| Decimal(d.number())),
            products: d.list(Dice::element),
        }),
        Spec::CountPoint(CountPoint {
            unit: d.element(),
            at: d.element(),
            meaning: d.one_of(PartMeaning::ALL),
            counter: d.text().into_owned(),
        }),
        Spec::Calendar(Calendar {
            id: d.element(),
            parent: d.maybe(Dice::element),
            shifts: d.list(shift),
            breaks: d.list(pause),
            exceptions: d.list(exception),
        }),
    ]
}

fn machine(d: &mut Dice) -> Machine {
    Machine {
        id: d.element(),
        number: MachineNumber(d.small()),
        name: d.text().into_owned(),
        parent: d.maybe(Dice::element),
        machine_type: d.text().into_owned(),
        vocabulary: d.one_of(Vocabulary::ALL),
        aliases: d.list(Dice::element),
        role: d.one_of(FlowRole::ALL),
        node: d.maybe(Dice::element),
        stop_effect: d.one_of(StopEffect::ALL),
        slots: d.small(),
        parts_per_cycle: d.small(),
        transfer: d.one_of(Transfer::ALL),
        cycle_ms: d.maybe(Dice::number),
        cycle_min_ms: d.maybe(Dice::number),
        stop_groups: d.list(Dice::element),
        operators: d.small(),
        skill: d.text().into_owned(),
        calendar: d.maybe(Dice::element),
        micro_stop_ms: d.maybe(Dice::number),
        flicker_ms: d.maybe(Dice::number),
    }
}

fn shift(d: &mut Dice) -> Shift {
    Shift {
        name: d.text().into_owned(),
        days: Days(d.small()),
        from: TimeOfDay(d.small()),
        to: TimeOfDay(d.small()),
        team: d.text().into_owned(),
    }
}

fn pause(d: &mut Dice) -> Break {
    Break {
        shift: d.text().into_owned(),
        at: TimeOfDay(d.small()),
        minutes: d.small(),
        machines: d.text().into_owned(),
    }
}

fn exception(d: &mut Dice) -> CalendarException {
    CalendarException {
        date: Date(d.small()),
        exception_kind: d.one_of(ExceptionKind::ALL),
        from: d.maybe(|d| TimeOfDay(d.small())),
        to: d.maybe(|d| TimeOfDay(d.small())),
        name: d.text().into_owned(),
    }
}
