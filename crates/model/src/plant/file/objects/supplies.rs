//! Reads carriers, crews, feeds, boundaries and count points.

use super::Readable;
use super::places::COUNT_MAX;
use super::values::{LIST_MAX, Values};
use crate::id::ElementId;
use crate::plant::spec::*;

impl Readable for Carrier {
    fn read(values: &mut Values<'_, '_, '_>) -> Option<Self> {
        values.only(Self::KEYS);
        let id = values.id("\"skid\"");
        values.reader.must_have(&values.table, "count", "40");
        let rest = (
            values.short("name"),
            values.word("kind"),
            values.count("count", 1, COUNT_MAX),
            values.count("capacity", 1, COUNT_MAX),
            values.reference("home"),
            values.duration("return"),
        );
        let (name, carrier_kind, count, capacity, home, return_ms) = rest;
        Some(Self {
            id: id?,
            name,
            carrier_kind,
            count,
            capacity,
            home,
            return_ms,
        })
    }
}

impl Readable for Crew {
    fn read(values: &mut Values<'_, '_, '_>) -> Option<Self> {
        values.only(Self::KEYS);
        let id = values.id("\"repair-a\"");
        values.reader.must_have(&values.table, "size", "4");
        let (name, crew_kind) = (values.short("name"), values.word("kind"));
        let size = values.count("size", 1, COUNT_MAX);
        let skills = values.shorts("skills");
        let mut serves = values.list("serves", true);
        serves.truncate(LIST_MAX);
        serves.retain(|class| values.is_class(*class, ElementId::new));
        let calendar = values.reference("calendar");
        Some(Self {
            id: id?,
            name,
            crew_kind,
            size,
            skills,
            serves: serves.iter().map(|class| class.value.to_owned()).collect(),
            calendar,
        })
    }
}

impl Readable for Feed {
    fn read(values: &mut Values<'_, '_, '_>) -> Option<Self> {
        values.only(Self::KEYS);
        let part_number = values.must_say("part_number", "\"4711-02\"");
        let at = values.must_refer("at", "\"station-12\"");
        let quantity = values.reader.decimal(&values.table, "quantity");
        if let Some(zero) = quantity.filter(|found| found.value == Decimal::ZERO) {
            values
                .reader
                .mistake(zero.at, "quantity is 0", "how much one part takes");
        }
        let (product, variant) = (values.reference("product"), values.reference("variant"));
        let (from, site) = (values.reference("from"), values.short("site"));
        let feed_kind = values.word("kind");
        Some(Self {
            part_number: part_number?,
            at: at?,
            quantity: quantity.map_or(Decimal::ONE, |found| found.value),
            product,
            variant,
            from,
            site,
            feed_kind,
        })
    }
}

impl Readable for Boundary {
    fn read(values: &mut Values<'_, '_, '_>) -> Option<Self> {
        values.only(Self::KEYS);
        let at = values.must_refer("at", "\"coil-store\"");
        let boundary_kind = values.must_choose("kind", "\"source\"");
        let release = values.word("release");
        let rate = values.reader.decimal(&values.table, "rate_per_hour");
        if release == Release::Rate && rate.is_none() && !values.table.has("rate_per_hour") {
            let spot = values.spot("release");
            let hint = "add rate_per_hour = 60";
            values
                .reader
                .mistake(spot, "the boundary's rate is not given", hint);
        }
        let products = values.references("products");
        Some(Self {
            at: at?,
            boundary_kind,
            release,
            rate_per_hour: rate.map(|found| found.value),
            products,
        })
    }
}

impl Readable for CountPoint {
    fn read(values: &mut Values<'_, '_, '_>) -> Option<Self> {
        values.only(Self::KEYS);
        let unit = values.must_refer("unit", "\"line-1\"");
        let at = values.must_refer("at", "\"station-12\"");
        let meaning = values.must_choose("meaning", "\"good\"");
        let counter = values.short("counter");
        Some(Self {
            unit: unit?,
            at: at?,
            meaning,
            counter,
        })
    }
}
