//! Rules: named conditions that raise something when they hold for a while, as a file declares them.
//!
//! ```toml
//! [[rule]]
//! id = "paint-stands"
//! raise = "state = 'FAULTED' AND area = 'paint'"
//! hold = "5m"                       # left out: at once
//! clear = "state = 'EXECUTING'"     # left out: when what raises no longer holds
//! clear_hold = "1m"                 # left out: at once
//! severity = 800                    # 1 (least) to 1000; left out: 500
//! message = "a machine of the paint shop stands"
//! ```

use crate::filter::{FieldList, Filter, FilterError};
use crate::id::ElementId;
use crate::instant::duration_ns;
use crate::nearest::did_you_mean;
use crate::plant::{Lines, Mistake};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The greatest size of a file of rules in bytes.
pub const RULE_FILE_BYTES_MAX: usize = 1024 * 1024;
/// How many rules a file may have.
pub const RULES_MAX: usize = 1_000;
/// The longest text of a message, in bytes.
pub const RULE_MESSAGE_BYTES_MAX: usize = 1_024;
/// The severity of a rule that names none.
pub const SEVERITY_DEFAULT: u32 = 500;
/// The greatest severity.
pub const SEVERITY_MAX: u32 = 1_000;
/// The longest time that a condition can have to hold: a hundred days, in nanoseconds.
const HOLD_MAX_NS: u64 = 100 * 86_400 * 1_000_000_000;

/// A rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Its name.
    pub id: ElementId,
    /// What raises, as written.
    pub raise_text: String,
    /// What raises.
    pub raise: Filter,
    /// How long that must hold, in nanoseconds; 0 for at once.
    pub hold_ns: u64,
    /// What clears, as written; empty where it is that what raises no longer holds.
    pub clear_text: String,
    /// What clears; absent where it is that what raises no longer holds.
    pub clear: Option<Filter>,
    /// How long that must hold, in nanoseconds; 0 for at once.
    pub clear_hold_ns: u64,
    /// How severe it is, 1 (least) to 1000.
    pub severity: u32,
    /// What it means, for a person.
    pub message: String,
}

/// The keys of a rule.
const KEYS: [&str; 7] = [
    "id",
    "raise",
    "hold",
    "clear",
    "clear_hold",
    "severity",
    "message",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rule: Vec<Spanned<Raw>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    id: Spanned<String>,
    raise: Spanned<String>,
    hold: Option<Spanned<String>>,
    clear: Option<Spanned<String>>,
    clear_hold: Option<Spanned<String>>,
    severity: Option<Spanned<i64>>,
    message: Option<Spanned<String>>,
}

/// Reads a file of rules about rows with these fields. `file_name` is used in mistakes alone.
///
/// # Errors
///
/// Every mistake that was found, by line; of a text that is no TOML the first, and of a file whose keys are not those
/// of rules these alone.
pub fn parse(text: &str, file_name: &str, fields: &FieldList) -> Result<Vec<Rule>, Vec<Mistake>> {
    let mut reader = Reader {
        lines: Lines::new(text),
        file_name,
        fields,
        mistakes: Vec::new(),
    };
    if text.len() > RULE_FILE_BYTES_MAX {
        let what = format!("the file has {} bytes", text.len());
        reader.mistake(0..0, what, format!("the limit is {RULE_FILE_BYTES_MAX}"));
        return Err(reader.mistakes);
    }
    let file: File = match toml::from_str(text) {
        Ok(file) => file,
        Err(error) => {
            reader.keys(text);
            if reader.mistakes.is_empty() {
                let what = error.message().lines().collect::<Vec<_>>().join(", ");
                reader.mistake(error.span().unwrap_or(0..0), what, "");
            }
            return Err(reader.mistakes);
        }
    };
    if file.rule.is_empty() {
        reader.mistake(
            0..0,
            "the file has no rule",
            "add a [[rule]] with an id and raise",
        );
    }
    if file.rule.len() > RULES_MAX {
        let what = format!("the file has {} rules", file.rule.len());
        reader.mistake(0..0, what, format!("the limit is {RULES_MAX}"));
    }
    let mut names = BTreeSet::new();
    let mut rules = Vec::new();
    for raw in file.rule {
        let place = raw.get_ref().id.span();
        let rule = reader.rule(raw.into_inner());
        if let Some(rule) = rule {
            if !names.insert(rule.id.clone()) {
                let what = format!("there are two rules with the id \"{}\"", rule.id);
                reader.mistake(place, what, "each rule has its own");
            }
            rules.push(rule);
        }
    }
    match reader.mistakes.is_empty() {
        true => Ok(rules),
        false => Err(reader.mistakes),
    }
}

struct Reader<'t> {
    lines: Lines<'t>,
    file_name: &'t str,
    fields: &'t FieldList,
    mistakes: Vec<Mistake>,
}

impl Reader<'_> {
    /// Notes every key that is none of a rule's, is missing, or has a value of another kind.
    fn keys(&mut self, text: &str) {
        let Ok(document) = DeTable::parse(text) else {
            return;
        };
        for (key, value) in document.get_ref() {
            match value.get_ref() {
                DeValue::Array(rules) if key.get_ref() == "rule" => {
                    for rule in rules {
                        match rule.get_ref() {
                            DeValue::Table(keys) => self.keys_of(rule.span(), keys),
                            _ => self.mistake(rule.span(), "a rule is a table", "write [[rule]]"),
                        }
                    }
                }
                _ => {
                    let what = format!("\"{}\" is not a list of rules", key.get_ref());
                    self.mistake(key.span(), what, "each rule begins with [[rule]]");
                }
            }
        }
    }

    fn keys_of(&mut self, place: Range<usize>, keys: &DeTable<'_>) {
        for key in ["id", "raise"] {
            if !keys.iter().any(|(found, _)| found.get_ref() == key) {
                self.mistake(place.clone(), format!("the rule has no {key}"), "");
            }
        }
        for (key, value) in keys {
            let name = key.get_ref().as_ref();
            let fits = match (name, value.get_ref()) {
                ("severity", DeValue::Integer(_)) => true,
                ("severity", _) => false,
                (_, DeValue::String(_)) => true,
                _ => false,
            };
            if !KEYS.contains(&name) {
                let what = format!("a rule has no key \"{name}\"");
                let hint = did_you_mean(name, KEYS);
                let hint = hint.unwrap_or_else(|| format!("it has {}", KEYS.join(", ")));
                self.mistake(key.span(), what, hint);
            } else if !fits {
                let kind = match name {
                    "severity" => "a whole number",
                    _ => "a text",
                };
                self.mistake(value.span(), format!("{name} is not {kind}"), "");
            }
        }
    }

    /// A rule; nothing where it has a mistake, which is noted.
    fn rule(&mut self, raw: Raw) -> Option<Rule> {
        let id = self.id(&raw.id);
        let raise = self.filter("raise", &raw.raise);
        let clear = raw.clear.as_ref().map(|clear| self.filter("clear", clear));
        let hold_ns = self.hold(raw.hold.as_ref());
        let clear_hold_ns = self.hold(raw.clear_hold.as_ref());
        let severity = self.severity(raw.severity.as_ref());
        let message = raw.message.as_ref();
        if let Some(long) = message.filter(|text| text.get_ref().len() > RULE_MESSAGE_BYTES_MAX) {
            let what = format!("the message has {} bytes", long.get_ref().len());
            self.mistake(
                long.span(),
                what,
                format!("the limit is {RULE_MESSAGE_BYTES_MAX}"),
            );
            return None;
        }
        let clear = match clear {
            None => None,
            Some(clear) => Some(clear?),
        };
        Some(Rule {
            id: id?,
            raise: raise?,
            raise_text: raw.raise.into_inner(),
            hold_ns: hold_ns?,
            clear,
            clear_text: raw.clear.map(Spanned::into_inner).unwrap_or_default(),
            clear_hold_ns: clear_hold_ns?,
            severity: severity?,
            message: raw.message.map(Spanned::into_inner).unwrap_or_default(),
        })
    }

    fn id(&mut self, text: &Spanned<String>) -> Option<ElementId> {
        let id = ElementId::new(text.get_ref());
        if let Err(error) = &id {
            self.mistake(text.span(), error.to_string(), "");
        }
        id.ok()
    }

    fn filter(&mut self, key: &str, text: &Spanned<String>) -> Option<Filter> {
        if text.get_ref().trim().is_empty() {
            let what = format!("{key} is empty");
            self.mistake(
                text.span(),
                what,
                "write a condition such as \"state = 'FAULTED'\"",
            );
            return None;
        }
        match Filter::parse(text.get_ref(), self.fields) {
            Ok(filter) => Some(filter),
            Err(error) => {
                self.wrong_filter(key, text.span(), &error);
                None
            }
        }
    }

    fn wrong_filter(&mut self, key: &str, span: Range<usize>, error: &FilterError) {
        self.mistake(span, format!("{key}: {error}"), "");
    }

    fn hold(&mut self, text: Option<&Spanned<String>>) -> Option<u64> {
        let Some(text) = text else { return Some(0) };
        let nanos = duration_ns(text.get_ref()).and_then(|nanos| u64::try_from(nanos).ok());
        let Some(nanos) = nanos.filter(|nanos| *nanos <= HOLD_MAX_NS) else {
            let what = format!("\"{}\" is not a time to hold", text.get_ref());
            self.mistake(
                text.span(),
                what,
                "write it like 90s, 5m or 1h30m; at most 100d",
            );
            return None;
        };
        Some(nanos)
    }

    fn severity(&mut self, said: Option<&Spanned<i64>>) -> Option<u32> {
        let Some(said) = said else {
            return Some(SEVERITY_DEFAULT);
        };
        let severity = u32::try_from(*said.get_ref()).ok();
        let severity = severity.filter(|severity| (1..=SEVERITY_MAX).contains(severity));
        if severity.is_none() {
            let what = format!("{} is no severity", said.get_ref());
            self.mistake(said.span(), what, "1 is the least, 1000 the greatest");
        }
        severity
    }

    fn mistake(&mut self, span: Range<usize>, what: impl Into<String>, hint: impl Into<String>) {
        let place = self.lines.place(span.start);
        self.mistakes.push(Mistake {
            file: self.file_name.to_owned(),
            line: place.line,
            column: place.column,
            what: what.into(),
            hint: hint.into(),
        });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::filter::{Field, FieldKind};

    const FIELDS: FieldList = FieldList::new(&[
        Field {
            name: "state",
            kind: FieldKind::Word,
            meaning: "a state",
        },
        Field {
            name: "area",
            kind: FieldKind::Text,
            meaning: "an area",
        },
    ])
    .with_words(&[("state", &["FAULTED", "EXECUTING"])]);

    #[test]
    fn a_rule_has_what_its_file_says_and_defaults_for_the_rest() {
        let text = r#"
[[rule]]
id = "a"
raise = "state = 'FAULTED'"
hold = "1m30s"
clear = "state = 'EXECUTING'"
clear_hold = "10s"
severity = 900
message = "it stands"
[[rule]]
id = "b"
raise = "area = 'x'"
"#;
        let rules = parse(text, "r.toml", &FIELDS).unwrap();
        let [a, b] = rules.as_slice() else {
            panic!("{rules:?}");
        };
        assert_eq!(
            (a.id.as_str(), a.hold_ns, a.clear_hold_ns),
            ("a", 90_000_000_000, 10_000_000_000)
        );
        assert_eq!((a.severity, &*a.message), (900, "it stands"));
        assert_eq!(
            (&*a.raise_text, &*a.clear_text),
            ("state = 'FAULTED'", "state = 'EXECUTING'")
        );
        assert!(a.clear.is_some());
        assert_eq!(
            (b.hold_ns, b.clear_hold_ns, b.severity),
            (0, 0, SEVERITY_DEFAULT)
        );
        assert_eq!((b.clear.is_none(), &*b.message), (true, ""));
    }

    #[test]
    fn mistakes_have_their_place_and_come_all_at_once() {
        let rule = |more: &str| format!("[[rule]]\nid = \"a\"\nraise = \"area = 'x'\"\n{more}");
        let cases = [
            (String::new(), "r.toml:1:1: the file has no rule"),
            (
                "[[rule]]\nid = \"a\"\n".into(),
                "r.toml:1:1: the rule has no raise",
            ),
            (
                rule("colour = 1\n"),
                "r.toml:4:1: a rule has no key \"colour\"",
            ),
            (rule("hodl = \"1m\"\n"), "did you mean \"hold\"?"),
            (rule("hold = 5\n"), "r.toml:4:8: hold is not a text"),
            (
                rule("severity = \"high\"\n"),
                "severity is not a whole number",
            ),
            (
                "rules = 5\n".into(),
                "r.toml:1:1: \"rules\" is not a list of rules",
            ),
            (
                rule("hold = \"soon\"\n"),
                "r.toml:4:8: \"soon\" is not a time to hold",
            ),
            (rule("hold = \"101d\"\n"), "at most 100d"),
            (
                rule("severity = 1001\n"),
                "r.toml:4:12: 1001 is no severity",
            ),
            (rule("severity = 0\n"), "0 is no severity"),
            (rule("clear = \"\"\n"), "r.toml:4:9: clear is empty"),
            (
                rule("clear = \"sate = 'x'\"\n"),
                "clear: there is no field \"sate\"",
            ),
            (
                rule("clear = \"state = 'FALTED'\"\n"),
                "did you mean \"FAULTED\"",
            ),
            (rule(&rule("")), "there are two rules with the id \"a\""),
            (rule("").replace("\"a\"", "\"a b\""), "r.toml:2:6: "),
            (rule("x"), "r.toml:4:"),
            (
                format!("{}message = \"{}\"\n", rule(""), "m".repeat(2_000)),
                "the message has 2000 bytes",
            ),
            ("#".repeat(RULE_FILE_BYTES_MAX + 1), "the limit is"),
        ];
        for (text, says) in cases {
            let mistakes = parse(&text, "r.toml", &FIELDS).unwrap_err();
            let told: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
            assert!(
                told.iter().any(|one| one.contains(says)),
                "{says}: {told:?}"
            );
        }
        let keys = rule("name = \"x\"\nwhen = \"y\"\nseverity = \"z\"\n");
        assert_eq!(parse(&keys, "r.toml", &FIELDS).unwrap_err().len(), 3);
        let two = rule("hold = \"x\"\nseverity = 0\n");
        assert_eq!(parse(&two, "r.toml", &FIELDS).unwrap_err().len(), 2);
    }
}
