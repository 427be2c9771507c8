//! Reads a JSON value in which no object has a key twice: one of the two would be lost silently.

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// A JSON value. Errors: the text is not JSON, or an object in it has a key twice.
pub fn value(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str::<Unique>(text).map(|unique| unique.0)
}

struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reading).map(Unique)
    }
}

struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(Unique(item)) = items.next_element()? {
            all.push(item);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut all = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if all.contains_key(&name) {
                let shown: String = name.chars().take(64).collect();
                return Err(Error::custom(format_args!("\"{shown}\" is said twice")));
            }
            let Unique(value) = members.next_value()?;
            all.insert(name, value);
        }
        Ok(Value::Object(all))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn values_are_those_of_json() {
        for text in [
            "null",
            "[1, -2, 2.5, 18446744073709551615, 1e300, \"a\\n\", true, {}]",
            "{\"a\": {\"a\": [{\"a\": 1}, {\"a\": 2}]}, \"b\": null}",
        ] {
            let plain: Value = serde_json::from_str(text).unwrap();
            assert_eq!(value(text).unwrap(), plain, "{text}");
        }
        for bad in ["", "{", "1 2", "{\"a\":}", "nan"] {
            assert!(value(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_key_that_is_said_twice_is_named_at_any_depth() {
        for (text, says) in [
            (
                "{\"a\":1,\"b\":2,\"a\":1}",
                "\"a\" is said twice at line 1 column 16",
            ),
            ("{\"a\":[{\"c\":1,\"c\":2}]}", "\"c\" is said twice"),
        ] {
            let error = value(text).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
