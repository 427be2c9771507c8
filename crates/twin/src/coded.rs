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
