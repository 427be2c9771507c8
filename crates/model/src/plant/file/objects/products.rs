//! Reads products, variants, steps of routings, set-ups and rework loops.

use super::Readable;
use super::places::COUNT_MAX;
use super::values::Values;
use crate::plant::spec::*;

impl Readable for Product {
    fn read(values: &mut Values<'_, '_, '_>) -> Option<Self> {
        values.only(Self::KEYS);
        let id = values.id("\"sedan\"");
        let name = values.short("name");
        Some(Self { id: id?, name })
    }
}

impl Readable for Variant {
    fn read(values: &mut Values<'_, '_, '_>) -> Option<Self> {
        values.only(Self::KEYS);
        let id = values.id("\"sedan-red\"");
        let product = values.must_refer("product", "\"sedan\"");
        let name = values.short("name");
        let share = values.share("share");
        let mut attributes = values.shorts("attributes");
        let at = values.spot("attributes");
        for attribute in &attributes {
            let named = attribute
                .split_once('=')
                .is_some_and(|(key, _)| !key.trim().is_empty());
            if !named {
                let what = format!("the attribute \"{attribute}\" has no name");
                values
                    .reader
                    .mistake(at, what, "write it as \"colour=red\"");
            }
        }
        attributes.sort_unstable();
        attributes.dedup();
        Some(Self {
            id: id?,
            product: product?,
            name,
            share,
            attributes,
        })
    }
}

impl Readable for Step {
    fn read(values: &mut Values<'_, '_, '_>) -> Option<Self> {
        values.only(Self::KEYS);
        let product = values.must_refer("product", "\"sedan\"");
        let variant = values.reference("variant");
        values.reader.must_have(&values.table, "number", "10");
        let number = values.count("number", 1, COUNT_MAX);
        let operation = values.short("operation");
        values
            .reader
            .must_have(&values.table, "at", "[\"press-3\"]");
        let at = values.references("at");
        if at.is_empty() && values.table.has("at") {
            let spot = values.spot("at");
            values
                .reader
                .mistake(spot, "a step is done at no machine", "name one or more");
        }
        let (work_ms, min_ms) = (values.must_last("work", "58.5"), values.duration("min"));
        let units_per_cycle = values.count("units_per_cycle", 1, COUNT_MAX);
        let (carrier, skill) = (values.reference("carrier"), values.short("skill"));
        Some(Self {
            product: product?,
            variant,
            number,
            operation,
            at,
            work_ms,
            min_ms,
            units_per_cycle,
            carrier,
            skill,
        })
    }
}

impl Readable for Setup {
    fn read(values: &mut Values<'_, '_, '_>) -> Option<Self> {
        values.only(Self::KEYS);
        let machines = values.class("machines", "\"press-*\"");
        let attribute = values.must_say("attribute", "\"colour\"");
        let from = values.must_say("from", "\"*\"");
        let to = values.must_say("to", "\"*\"");
        let ms = values.must_last("", "12");
        Some(Self {
            machines: machines?,
            attribute: attribute?,
            from: from?,
            to: to?,
            ms,
        })
    }
}

impl Readable for Rework {
    fn read(values: &mut Values<'_, '_, '_>) -> Option<Self> {
        values.only(Self::KEYS);
        let id = values.id("\"polish\"");
        let from = values.must_refer("from", "\"inspection-1\"");
        let through = values.references("through");
        let back_to = values.must_refer("back_to", "\"inspection-1\"");
        let limit = values.reader.number(&values.table, "limit", COUNT_MAX);
        let share = values.share("share");
        Some(Self {
            id: id?,
            from: from?,
            through,
            back_to: back_to?,
            limit: limit.map(|found| found.value),
            share,
        })
    }
}
