//! Says a change in one line: `~ buffer b1 capacity 4 -> 6`.

use super::description::Description;
use super::spec::{Authority, Buffer, Change, ChangeAction, Machine, Plant, Spec, Unit};
use super::words::{aspect_word, level_word, vocabulary_word};
use crate::id::ElementId;
use std::fmt;

/// The change in one line, with old and new of what differs from `before`, the description that
/// the change is about to be applied to.
#[must_use]
pub fn describe(change: &Change, before: &Description) -> String {
    let sign = match change.action {
        ChangeAction::Add => '+',
        ChangeAction::Change => '~',
        ChangeAction::Remove => '-',
        ChangeAction::Unspecified => '?',
    };
    let mut line = match &change.spec {
        Spec::Plant(plant) => describe_plant(plant, sign, before),
        Spec::Unit(unit) => describe_unit(unit, sign, before),
        Spec::Machine(machine) => describe_machine(machine, sign, before),
        Spec::Buffer(buffer) => describe_buffer(buffer, sign, before),
        Spec::Flow(flow) => Line::new(sign, format!("flow {} -> {}", flow.from, flow.to)),
        Spec::Authority(authority) => describe_authority(authority, sign, before),
    };
    line.finish();
    line.text
}

/// One line that grows by the fields that differ.
struct Line {
    text: String,
    changed: bool,
    separator: &'static str,
}

impl Line {
    fn new(sign: char, head: impl fmt::Display) -> Self {
        Self {
            text: format!("{sign} {head}"),
            changed: sign == '~',
            separator: " ",
        }
    }

    fn say(&mut self, text: impl fmt::Display) {
        self.text.push_str(self.separator);
        self.text.push_str(&text.to_string());
        self.separator = ", ";
    }

    /// `what old -> new` when the two differ.
    fn compare(&mut self, what: &str, old: impl fmt::Display, new: impl fmt::Display) {
        let (old, new) = (old.to_string(), new.to_string());
        if old != new {
            self.say(format!("{what} {old} -> {new}"));
        }
    }

    /// A change without a difference must not look as if it had been cut off.
    fn finish(&mut self) {
        if self.changed && self.separator == " " {
            self.say("unchanged");
        }
    }
}

fn inside(parent: Option<&ElementId>) -> String {
    parent.map_or_else(|| "the plant".to_owned(), ToString::to_string)
}

fn quoted(text: &str) -> String {
    format!("{text:?}")
}

fn describe_plant(new: &Plant, sign: char, before: &Description) -> Line {
    let mut line = Line::new(sign, "plant");
    if sign == '~' {
        let old = before.plant();
        line.compare("name", quoted(&old.name), quoted(&new.name));
        line.compare("time zone", &old.time_zone, &new.time_zone);
    } else {
        line.say(quoted(&new.name));
        line.say(format!("time zone {}", new.time_zone));
    }
    line
}

fn describe_unit(new: &Unit, sign: char, before: &Description) -> Line {
    let mut line = Line::new(sign, format!("unit {}", new.id));
    match before.unit(new.id.as_str()).filter(|_| sign == '~') {
        Some(old) => {
            line.compare("level", level_word(old.level), level_word(new.level));
            line.compare(
                "in",
                inside(old.parent.as_ref()),
                inside(new.parent.as_ref()),
            );
            line.compare("name", quoted(&old.name), quoted(&new.name));
        }
        None => line.say(format!(
            "({}) in {}",
            level_word(new.level),
            inside(new.parent.as_ref())
        )),
    }
    line
}

fn describe_machine(new: &Machine, sign: char, before: &Description) -> Line {
    let head = format!("machine {} (number {})", new.id, new.number);
    let mut line = Line::new(sign, head);
    let Some(old) = before.machine(new.number).filter(|_| sign == '~') else {
        line.say(format!("in {}", inside(new.parent.as_ref())));
        return line;
    };
    if old.id != new.id {
        line.say(format!("renamed from {}", old.id));
    }
    line.compare(
        "in",
        inside(old.parent.as_ref()),
        inside(new.parent.as_ref()),
    );
    line.compare("type", quoted(&old.machine_type), quoted(&new.machine_type));
    line.compare(
        "vocabulary",
        vocabulary_word(old.vocabulary),
        vocabulary_word(new.vocabulary),
    );
    line.compare("name", quoted(&old.name), quoted(&new.name));
    let news = new.aliases.iter();
    for alias in news.filter(|alias| **alias != old.id && !old.aliases.contains(alias)) {
        line.say(format!("formerly {alias}"));
    }
    line
}

fn describe_buffer(new: &Buffer, sign: char, before: &Description) -> Line {
    let mut line = Line::new(sign, format!("buffer {}", new.id));
    match before.buffer(new.id.as_str()).filter(|_| sign == '~') {
        Some(old) => {
            line.compare("capacity", old.capacity, new.capacity);
            line.compare(
                "in",
                inside(old.parent.as_ref()),
                inside(new.parent.as_ref()),
            );
            line.compare("name", quoted(&old.name), quoted(&new.name));
        }
        None => line.say(format!(
            "(capacity {}) in {}",
            new.capacity,
            inside(new.parent.as_ref())
        )),
    }
    line
}

fn describe_authority(new: &Authority, sign: char, before: &Description) -> Line {
    let head = format!("authority {} {}", new.machines, aspect_word(new.aspect));
    let mut line = Line::new(sign, head);
    let mut olds = before.authorities();
    match olds
        .find(|old| old.key() == new.key())
        .filter(|_| sign == '~')
    {
        Some(old) => line.compare("sources", old.sources.join(", "), new.sources.join(", ")),
        None => line.say(format!("sources {}", new.sources.join(", "))),
    }
    line
}
