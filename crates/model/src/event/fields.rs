//! Asks a type that can be read for the names of its fields, so that no list of them is kept by hand.

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::forward_to_deserialize_any;
use std::fmt;

/// The names of the fields of a struct; none of anything else.
pub(super) fn of<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    let mut names: &'static [&'static str] = &[];
    // It always "fails": the names are told before the first value is asked for.
    let _ = T::deserialize(Asked { names: &mut names });
    names
}

/// Holds nothing; takes down which fields are asked for.
struct Asked<'n> {
    names: &'n mut &'static [&'static str],
}

/// That there is nothing to read.
#[derive(Debug)]
struct Nothing;

impl<'de> Deserializer<'de> for Asked<'_> {
    type Error = Nothing;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Nothing> {
        Err(Nothing)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Nothing> {
        *self.names = fields;
        Err(Nothing)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

impl fmt::Display for Nothing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is nothing to read")
    }
}

impl std::error::Error for Nothing {}

impl Error for Nothing {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::event::{Body, Kind, State, Text};
    use serde::de::value::{Error, MapDeserializer};

    #[test]
    fn every_kind_tells_its_fields() {
        assert_eq!(
            Body::fields(Kind::StateChanged),
            ["to", "from", "native", "vocabulary", "reason"]
        );
        assert!(Body::fields(Kind::Unspecified).is_empty());
        for kind in Kind::ALL.iter().skip(1) {
            assert!(!Body::fields(*kind).is_empty(), "{kind} has no fields");
        }
        assert!(super::of::<Text<'_>>().is_empty(), "a text has no fields");
    }

    #[test]
    fn a_body_is_read_from_its_fields() {
        let read = |kind, fields: &[(&str, &str)]| {
            let fields = fields.iter().copied();
            Body::read(kind, MapDeserializer::<_, Error>::new(fields))
        };
        let body = read(Kind::StateChanged, &[("to", "held"), ("reason", "E7")]).unwrap();
        let Body::StateChanged(state) = body else {
            unreachable!("{body:?}");
        };
        assert_eq!((state.to, state.reason.as_ref()), (State::Held, "E7"));
        assert!(read(Kind::StateChanged, &[("reason", "E7")]).is_err());
        assert!(read(Kind::Unspecified, &[("to", "HELD")]).is_err());
    }
}
