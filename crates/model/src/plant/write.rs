//! Writes a description as a plant file.

use super::description::Description;
use super::words::{aspect_word, level_word, vocabulary_word};
use crate::event::Vocabulary;
use crate::id::{ElementId, PlantId};
use std::fmt;

/// A plant file that declares this description, with the numbers and old names of its machines.
/// Machines that are gone are not in it: a file says what is there.
#[must_use]
pub fn to_toml(description: &Description, plant_id: &PlantId) -> String {
    let mut file = File::default();
    let plant = description.plant();
    file.table("[plant]");
    file.text("id", plant_id.as_str());
    file.some_text("name", &plant.name);
    file.some_text("time_zone", &plant.time_zone);
    for unit in description.units() {
        file.table("[[unit]]");
        file.text("id", unit.id.as_str());
        file.text("level", &level_word(unit.level));
        file.some_id("parent", unit.parent.as_ref());
        file.some_text("name", &unit.name);
    }
    for machine in description.machines() {
        file.table("[[machine]]");
        file.text("id", machine.id.as_str());
        file.plain("number", machine.number);
        file.some_id("in", machine.parent.as_ref());
        file.some_text("type", &machine.machine_type);
        if machine.vocabulary != Vocabulary::Unspecified {
            file.text("vocabulary", &vocabulary_word(machine.vocabulary));
        }
        file.some_text("name", &machine.name);
        if !machine.aliases.is_empty() {
            file.texts("formerly", machine.aliases.iter().map(ElementId::as_str));
        }
    }
    for buffer in description.buffers() {
        file.table("[[buffer]]");
        file.text("id", buffer.id.as_str());
        file.some_id("in", buffer.parent.as_ref());
        file.plain("capacity", buffer.capacity);
        file.some_text("name", &buffer.name);
    }
    for flow in description.flows() {
        file.table("[[flow]]");
        file.text("from", flow.from.as_str());
        file.text("to", flow.to.as_str());
    }
    for authority in description.authorities() {
        file.table("[[authority]]");
        file.text("machines", &authority.machines);
        file.text("aspect", &aspect_word(authority.aspect));
        file.texts("sources", authority.sources.iter().map(String::as_str));
    }
    file.out
}

#[derive(Default)]
struct File {
    out: String,
}

impl File {
    fn table(&mut self, header: &str) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        self.out.push_str(header);
        self.out.push('\n');
    }

    fn plain(&mut self, key: &str, value: impl fmt::Display) {
        self.out.push_str(&format!("{key} = {value}\n"));
    }

    fn text(&mut self, key: &str, text: &str) {
        self.plain(key, quoted(text));
    }

    fn some_text(&mut self, key: &str, text: &str) {
        if !text.is_empty() {
            self.text(key, text);
        }
    }

    fn some_id(&mut self, key: &str, id: Option<&ElementId>) {
        if let Some(id) = id {
            self.text(key, id.as_str());
        }
    }

    fn texts<'a>(&mut self, key: &str, texts: impl Iterator<Item = &'a str>) {
        let texts: Vec<String> = texts.map(quoted).collect();
        self.plain(key, format!("[{}]", texts.join(", ")));
    }
}

/// A text in double quotes, in one line whatever it holds.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => {
                out.push('\\');
                out.push(letter);
            }
            letter if letter.is_control() => {
                out.push_str(&format!("\\u{:04X}", u32::from(letter)));
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::plant::{Change, ChangeAction, Plant, Spec, diff, parse};

    #[test]
    fn every_text_reads_back() {
        for name in [
            "Werk \"Nord\"",
            "a\\b",
            "a\nb\tc\r\u{7f}\u{85}\u{0}",
            "'''",
            "\"\"\"",
            "# ü 車",
        ] {
            let mut description = Description::default();
            let spec = Spec::Plant(Plant {
                name: name.to_owned(),
                time_zone: "UTC".to_owned(),
            });
            let action = ChangeAction::Add;
            description.apply(&Change { action, spec }).unwrap();
            let text = to_toml(&description, &PlantId::new("P").unwrap());
            let file = parse(&text, "p").unwrap();
            assert_eq!(file.plant.name, name);
            assert_eq!(diff(&description, &file), Ok(Vec::new()));
        }
    }
}
