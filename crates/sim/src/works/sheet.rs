//! Writes the objects of a plant file.

use std::fmt::Display;
use std::fmt::Write;

/// A plant file as it is written.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    pub(super) text: String,
    steps: Vec<(String, u32)>,
}

/// A station as the invented plants need it.
#[derive(Clone, Debug, Default)]
pub(super) struct Station<'a> {
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    pub(super) unit: &'a str,
    pub(super) sort: &'a str,
    pub(super) vocabulary: &'a str,
    pub(super) cycle_ms: u64,
    pub(super) slots: u32,
    pub(super) operators: u32,
    pub(super) transfer: &'a str,
    pub(super) groups: &'a [String],
}

/// A step of a routing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step<'a> {
    pub(super) product: &'a str,
    pub(super) operation: &'a str,
    pub(super) at: &'a [&'a str],
    pub(super) work_ms: u64,
    pub(super) carrier: &'a str,
}

impl Sheet {
    /// Begins an object.
    pub(super) fn object(&mut self, kind: &str) -> &mut Self {
        let header = if kind == "plant" {
            "[plant]".to_owned()
        } else {
            format!("[[{kind}]]")
        };
        self.line(&header, true)
    }

    /// A field with a text; nothing for an empty one.
    pub(super) fn text(&mut self, key: &str, text: &str) -> &mut Self {
        if text.is_empty() {
            return self;
        }
        self.line(&format!("{key} = \"{text}\""), false)
    }

    /// A field with a number or another bare value.
    pub(super) fn value(&mut self, key: &str, value: impl Display) -> &mut Self {
        self.line(&format!("{key} = {value}"), false)
    }

    /// A field with several texts; nothing for none.
    pub(super) fn texts(&mut self, key: &str, texts: &[impl AsRef<str>]) -> &mut Self {
        if texts.is_empty() {
            return self;
        }
        let quoted: Vec<String> = texts
            .iter()
            .map(|text| format!("\"{}\"", text.as_ref()))
            .collect();
        self.line(&format!("{key} = [{}]", quoted.join(", ")), false)
    }

    fn line(&mut self, line: &str, apart: bool) -> &mut Self {
        if apart && !self.text.is_empty() {
            self.text.push('\n');
        }
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{line}");
        self
    }

    pub(super) fn unit(&mut self, id: &str, name: &str, level: &str, parent: &str) -> &mut Self {
        self.object("unit")
            .text("id", id)
            .text("name", name)
            .text("level", level)
            .text("parent", parent)
    }

    pub(super) fn station(&mut self, station: &Station<'_>) -> &mut Self {
        let micro_ms = 3 * station.cycle_ms;
        self.object("machine")
            .text("id", station.id)
            .text("name", station.name)
            .text("in", station.unit)
            .text("type", station.sort)
            .text("vocabulary", station.vocabulary)
            .text("role", "node")
            .value("cycle_ms", station.cycle_ms)
            .value("cycle_min_ms", station.cycle_ms * 93 / 100)
            .text(
                "transfer",
                if station.transfer.is_empty() {
                    "asynchronous"
                } else {
                    station.transfer
                },
            )
            .value("micro_stop_ms", micro_ms)
            .value("flicker_ms", 500)
            .texts("stop_groups", station.groups);
        if station.slots > 1 {
            self.value("slots", station.slots);
        }
        if station.operators > 0 {
            self.value("operators", station.operators)
                .text("skill", "line-work");
        }
        self
    }

    /// The robots inside a station; the last of several only slows it.
    pub(super) fn robots(
        &mut self,
        station: &Station<'_>,
        count: usize,
        vocabulary: &str,
    ) -> &mut Self {
        for robot in 1..=count {
            let effect = if robot > 3 && robot == count {
                "slows"
            } else {
                "stops"
            };
            self.object("machine")
                .text("id", &format!("{}-r{robot}", station.id))
                .text("name", &format!("{} robot {robot}", station.name))
                .text("in", station.unit)
                .text("type", "robot")
                .text("vocabulary", vocabulary)
                .text("role", "resource")
                .text("node", station.id)
                .text("stop_effect", effect)
                .texts("stop_groups", station.groups);
        }
        self
    }

    pub(super) fn buffer(
        &mut self,
        id: &str,
        name: &str,
        unit: &str,
        capacity: usize,
        kind: &str,
    ) -> &mut Self {
        self.object("buffer")
            .text("id", id)
            .text("name", name)
            .text("in", unit)
            .value("capacity", capacity)
            .text("kind", kind)
    }

    pub(super) fn flow(&mut self, from: &str, to: &str) -> &mut Self {
        self.object("flow")
            .text("from", from)
            .text("to", to)
            .text("kind", "main")
    }

    /// A flow of another kind than the main one.
    pub(super) fn side_flow(&mut self, from: &str, to: &str, kind: &str) -> &mut Self {
        self.object("flow")
            .text("from", from)
            .text("to", to)
            .text("kind", kind)
    }

    /// A chain of flows.
    pub(super) fn chain(&mut self, places: &[&str]) {
        for pair in places.windows(2) {
            if let [from, to] = pair {
                self.flow(from, to);
            }
        }
    }

    /// The next step of a product's routing.
    pub(super) fn step(&mut self, step: &Step<'_>) {
        let known = self
            .steps
            .iter()
            .position(|(product, _)| product == step.product);
        let at = known.unwrap_or_else(|| {
            self.steps.push((step.product.to_owned(), 0));
            self.steps.len() - 1
        });
        let number = self.steps.get_mut(at).map_or(10, |(_, number)| {
            *number += 10;
            *number
        });
        self.object("step")
            .text("product", step.product)
            .value("number", number)
            .text("operation", step.operation)
            .texts("at", step.at)
            .value("work_ms", step.work_ms)
            .value("min_ms", step.work_ms * 93 / 100)
            .text("carrier", step.carrier);
    }

    pub(super) fn source(&mut self, at: &str, product: &str) -> &mut Self {
        self.object("boundary")
            .text("at", at)
            .text("kind", "source")
            .text("release", "saturated")
            .texts("products", &[product])
    }

    pub(super) fn sink(&mut self, at: &str) -> &mut Self {
        self.object("boundary")
            .text("at", at)
            .text("kind", "sink")
            .text("release", "saturated")
    }

    pub(super) fn crew(
        &mut self,
        id: &str,
        kind: &str,
        size: u32,
        skill: &str,
        serves: &str,
    ) -> &mut Self {
        self.object("crew")
            .text("id", id)
            .text("kind", kind)
            .value("size", size)
            .texts("skills", &[skill])
            .texts("serves", &[serves])
    }

    pub(super) fn group(&mut self, id: &str, name: &str, kind: &str) -> &mut Self {
        self.object("stop_group")
            .text("id", id)
            .text("name", name)
            .text("kind", kind)
    }

    /// Where a unit's parts are counted, the good ones and the scrap: together all that it made.
    pub(super) fn count_point(&mut self, unit: &str, at: &str) {
        for meaning in ["good", "scrap"] {
            self.object("count_point")
                .text("unit", unit)
                .text("at", at)
                .text("meaning", meaning)
                .text("counter", meaning);
        }
    }
}
