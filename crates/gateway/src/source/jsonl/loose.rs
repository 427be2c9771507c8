//! Reads JSON as people and scripts write it: bytes as hexadecimal digits, numbers also in quotes.

use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Error, Map, Value};

/// A JSON value of which a text may stand for what the field really is: a number or truth value
/// (`"500"`), bytes in hexadecimal digits, a list or an object written as JSON, and for a field
/// about a person its plain text.
pub(super) struct Loose(pub(super) Value);

/// The struct of fields about people (`model`), and its field for what was said in plain.
const PROTECTED: (&str, &str) = ("Protected", "plain");

impl Loose {
    /// The value that a text holds as JSON, where it may be meant so.
    fn parsed(self) -> Value {
        match &self.0 {
            Value::String(text) => match serde_json::from_str(text) {
                Ok(value) => value,
                Err(_) => self.0,
            },
            _ => self.0,
        }
    }

    fn visit<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Array(items) => visitor.visit_seq(Items(items.into_iter())),
            Value::Object(members) => visitor.visit_map(Members::new(members)),
            value => value.deserialize_any(visitor),
        }
    }
}

/// Methods that read a text as the text that it is.
macro_rules! as_it_is {
    ($($name:ident)+) => {$(
        fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.visit(visitor)
        }
    )+};
}

/// Two digits for each byte.
fn bytes_of(digits: &str) -> Option<Vec<Value>> {
    let digits = digits.as_bytes();
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let bytes = digits.chunks(2).map(|pair| match pair {
        [high, low] => Some(Value::from(digit(high)? * 16 + digit(low)?)),
        _ => None,
    });
    bytes.collect()
}

macro_rules! parsed {
    ($($name:ident)+) => {$(
        fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.parsed().$name(visitor)
        }
    )+};
}

impl<'de> Deserializer<'de> for Loose {
    type Error = Error;

    parsed! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_f32
        deserialize_f64
    }

    as_it_is! { deserialize_char deserialize_str deserialize_string deserialize_identifier }

    /// What may be anything is an object when it is written as one, such as what a correction replaces
    /// an event by.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let is_object = matches!(&self.0, Value::String(text) if text.starts_with('{'));
        let value = if is_object { self.parsed() } else { self.0 };
        Self(value).visit(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            value => visitor.visit_some(Self(value)),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let items = match &self.0 {
            Value::String(text) => bytes_of(text),
            _ => None,
        };
        match items {
            Some(items) => visitor.visit_seq(Items(items.into_iter())),
            None => Self(self.parsed()).deserialize_any(visitor),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        Self(self.parsed()).deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let value = match self.parsed() {
            Value::String(text) if name == PROTECTED.0 => {
                Value::Object(Map::from_iter([(PROTECTED.1.to_owned(), text.into())]))
            }
            value => value,
        };
        Self(value).deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        i128 u128 bytes byte_buf unit unit_struct tuple tuple_struct enum ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Error> for Loose {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

struct Items(std::vec::IntoIter<Value>);

impl<'de> SeqAccess<'de> for Items {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        let next = self.0.next();
        next.map(|value| seed.deserialize(Loose(value))).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

struct Members {
    rest: serde_json::map::IntoIter,
    value: Option<(String, Value)>,
}

impl Members {
    fn new(members: Map<String, Value>) -> Self {
        Self {
            rest: members.into_iter(),
            value: None,
        }
    }
}

impl<'de> MapAccess<'de> for Members {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let Some((name, value)) = self.rest.next() else {
            return Ok(None);
        };
        let key = seed.deserialize(Value::String(name.clone()))?;
        self.value = Some((name, value));
        Ok(Some(key))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let (name, value) = self.value.take().unwrap_or_default();
        let read = seed.deserialize(Loose(value));
        // The innermost field is named once: that is where to look.
        read.map_err(|error| match error.to_string() {
            told if told.starts_with("in \"") => error,
            told => serde::de::Error::custom(format!("in \"{name}\": {told}")),
        })
    }
}
