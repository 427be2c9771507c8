//! Writes the enums and times of `model` to snapshots as numbers: their own form is text.

use serde::{Deserialize, Deserializer, Serializer};
use werkbuch_model::event::{
    AspectKind, ConditionLevel, Connection, ItemCategory, Mode, OverrideKind, PartMeaning,
    Qualifier, SourceKind, State, ToolLifeUnit, Vocabulary,
};

/// An enum with stored numbers.
pub(crate) trait Coded: Copy {
    fn number(self) -> u32;
    fn of_number(number: u32) -> Option<Self>;
}

macro_rules! coded {
    ($($ty:ty),+ $(,)?) => {$(
        impl Coded for $ty {
            fn number(self) -> u32 { self.code() }
            fn of_number(number: u32) -> Option<Self> { Self::from_code(number) }
        }
    )+};
}

coded!(
    AspectKind,
    ConditionLevel,
    Connection,
    ItemCategory,
    Mode,
    OverrideKind,
    PartMeaning,
    Qualifier,
    SourceKind,
    State,
    ToolLifeUnit,
    Vocabulary,
);

pub(crate) fn serialize<T: Coded, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u32(value.number())
}

pub(crate) fn deserialize<'de, T: Coded, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    let number = u32::deserialize(from)?;
    T::of_number(number).ok_or_else(|| serde::de::Error::custom("a number that no value has"))
}

/// Times as nanoseconds.
pub(crate) mod nanos {
    use serde::{Deserialize, Deserializer, Serializer};
    use werkbuch_model::time::Timestamp;

    pub(crate) fn serialize<S: Serializer>(time: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_i64(time.nanos())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        i64::deserialize(from).map(Timestamp)
    }
}

/// Times that may be absent, as nanoseconds.
pub(crate) mod nanos_option {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use werkbuch_model::time::Timestamp;

    #[allow(
        clippy::ref_option,
        reason = "serde calls it with a reference to the field"
    )]
    pub(crate) fn serialize<S: Serializer>(
        time: &Option<Timestamp>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        time.map(Timestamp::nanos).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        Ok(Option::<i64>::deserialize(from)?.map(Timestamp))
    }
}

/// Bytes as one piece; serde's own way takes them one by one.
pub(crate) mod bytes {
    use serde::de::{Error, Visitor};
    use serde::{Deserializer, Serializer};
    use std::fmt;

    #[allow(
        clippy::ptr_arg,
        reason = "serde calls it with a reference to the field"
    )]
    pub(crate) fn serialize<S: Serializer>(bytes: &Vec<u8>, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(bytes)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        from.deserialize_byte_buf(Piece)
    }

    struct Piece;

    impl Visitor<'_> for Piece {
        type Value = Vec<u8>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("bytes")
        }

        fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
            Ok(bytes.to_vec())
        }

        fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
            Ok(bytes)
        }
    }
}
