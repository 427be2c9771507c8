//! Writes a description as a plant file.

use super::description::Description;
use super::object::{Field, Value};
use super::spec::{Decimal, SpecRef};
use crate::id::PlantId;
use std::fmt;

/// A plant file that declares this description, with the numbers and old names of its machines.
/// Machines that are gone are not in it: a file says what is there.
#[must_use]
pub fn to_toml(description: &Description, plant_id: &PlantId) -> String {
    let mut file = File::default();
    file.table("[plant]");
    file.text("id", plant_id.as_str());
    let plant = SpecRef::Plant(description.plant());
    plant.visit(&mut |field| file.field("plant", &field));
    let others = description.objects();
    for object in others.filter(|object| !matches!(object, SpecRef::Plant(_))) {
        let name = object.kind().name().to_ascii_lowercase();
        file.table(&format!("[[{name}]]"));
        object.visit(&mut |field| file.field(&name, &field));
    }
    file.out
}

/// A duration in seconds, with as many digits as it needs.
pub(super) fn seconds(millis: u64) -> String {
    let decimal = Decimal((millis % 1_000).saturating_mul(1_000)).to_string();
    let fraction = decimal.strip_prefix('0').unwrap_or_default();
    format!("{}{fraction}", millis / 1_000)
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

    /// A field, unless it holds what reading would put there by itself. Lists of tables come last
    /// in their objects, because what follows their header belongs to them.
    fn field(&mut self, object: &str, field: &Field<'_>) {
        if field.value == field.otherwise {
            return;
        }
        match &field.value {
            Value::Absent => {}
            Value::Text(text) => self.text(field.key, text),
            Value::Number(number) => self.plain(field.key, number),
            Value::Millis(millis) => {
                let bare = field.key.strip_suffix("ms").unwrap_or(field.key);
                self.plain(&format!("{bare}s"), seconds(*millis));
            }
            Value::Decimal(decimal) => self.plain(field.key, decimal),
            Value::Texts(texts) => {
                let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
                self.plain(field.key, format!("[{}]", texts.join(", ")));
            }
            Value::Tables(tables) => {
                for fields in tables {
                    self.table(&format!("[[{object}.{}]]", field.key));
                    fields.iter().for_each(|field| self.field(object, field));
                }
            }
        }
    }

    fn plain(&mut self, key: &str, value: impl fmt::Display) {
        self.out.push_str(&format!("{key} = {value}\n"));
    }

    fn text(&mut self, key: &str, text: &str) {
        self.plain(key, quoted(text));
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
                ..Plant::default()
            });
            let action = ChangeAction::Add;
            description.apply(&Change { action, spec }).unwrap();
            let text = to_toml(&description, &PlantId::new("P").unwrap());
            let table: toml::Table = text.parse().unwrap();
            assert_eq!(table["plant"]["name"].as_str(), Some(name));
            if name.contains(char::is_control) {
                // It may stand in an older log; a file is refused, and says where.
                assert!(parse(&text, "p").is_err());
                continue;
            }
            let file = parse(&text, "p").unwrap();
            assert_eq!(diff(&description, &file), Ok(Vec::new()));
        }
    }
}
