//! What a table is of: which plants, up to which positions, at which instant; as a schema's metadata.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use werkbuch_model::time::Timestamp;
use werkbuch_wire::pb;

/// What every key begins with.
pub const PREFIX: &str = "werkbuch.";
/// The version of all columns; it grows when one is renamed, removed, or means something else.
pub const SCHEMA: u32 = 1;

/// What a table is of. The same question at the same cut gives the same.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct About {
    table: &'static str,
    cut: pb::Cut,
    question: Map<String, Value>,
}

impl About {
    /// A table of this name, of plants that stood at the cut.
    #[must_use]
    pub fn new(table: &'static str, cut: pb::Cut) -> Self {
        Self {
            table,
            cut,
            question: Map::new(),
        }
    }

    /// The same, with a part of the question; an empty text and an empty list are none.
    #[must_use]
    pub fn asked(mut self, name: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        let is_none = value.is_null() || value == json!("") || value == json!([]);
        if !is_none {
            self.question.insert(name.to_owned(), value);
        }
        self
    }

    /// The cut.
    #[must_use]
    pub fn cut(&self) -> &pb::Cut {
        &self.cut
    }

    /// As keys and values, all texts.
    #[must_use]
    pub fn metadata(&self) -> BTreeMap<String, String> {
        let cut = &self.cut;
        let positions = cut.plants.iter().map(|one| {
            let position = one.reflected.as_ref().map_or(0, |of| of.position);
            (last(&one.plant), position)
        });
        let positions: BTreeMap<&str, u64> = positions.collect();
        let absent = cut.absent.iter().map(|one| {
            let kind = one.kind().as_str_name();
            let kind = kind.strip_prefix("ABSENCE_KIND_").unwrap_or(kind);
            json!({ "plant": last(&one.plant), "kind": kind, "because": one.because })
        });
        let silent = cut.silent.iter().map(|name| last(name));
        let coverage = cut
            .coverage
            .as_ref()
            .map(|of| json!({ "machines_heard": of.machines_heard, "machines": of.machines }));
        // By the names of its keys, whichever map holds it.
        let question: BTreeMap<&String, &Value> = self.question.iter().collect();
        let mut all = vec![
            ("table", self.table.to_owned()),
            ("schema", SCHEMA.to_string()),
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
            ("positions", json!(positions).to_string()),
            ("cut", cut.token.clone()),
            ("as_of", Timestamp(cut.as_of).to_string()),
            ("absent", json!(absent.collect::<Vec<_>>()).to_string()),
            ("silent", json!(silent.collect::<Vec<_>>()).to_string()),
            ("question", json!(question).to_string()),
        ];
        let times = [("at", cut.at), ("known_recorded_at", cut.known_recorded_at)];
        for (name, time) in times {
            all.extend(time.map(|time| (name, Timestamp(time).to_string())));
        }
        all.extend(coverage.map(|coverage| ("coverage", coverage.to_string())));
        let keyed = all.into_iter();
        keyed
            .map(|(name, value)| (format!("{PREFIX}{name}"), value))
            .collect()
    }
}

fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}
