//! Declares an enum together with its stable numbers and names.

/// Declares a fieldless enum whose numbers are stored and whose names are shown: both never change.
///
/// The first variant is the default. Unknown numbers have no variant: the decoder refuses them.
macro_rules! codes {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$vmeta:meta])* $variant:ident = $code:literal $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { #[default] $($(#[$vmeta])* $variant = $code,)+ }

        impl $name {
            /// All values in the order of their numbers.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];

            /// The names of all values, in the order of their numbers.
            pub const NAMES: &'static [&'static str] = &[$($text,)+];

            /// The stored number.
            #[must_use]
            pub const fn code(self) -> u32 { self as u32 }

            /// The value with this stored number, if there is one.
            #[must_use]
            pub const fn from_code(code: u32) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)+ _ => None }
            }

            /// The name as shown and accepted, in capitals.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// The value with this name, in any case of letters, if there is one.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|v| v.name().eq_ignore_ascii_case(name))
            }
        }

        impl<'a> crate::event::Fields<'a> for $name {
            fn give(&self, to: &mut dyn crate::event::FieldSink) { to.number(u64::from(self.code())); }

            fn take(from: &mut dyn crate::event::FieldSource<'a>) -> Option<Self> {
                Self::from_code(u32::try_from(from.number()?).ok()?)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.pad(self.name()) }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(self.name())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = String::deserialize(d)?;
                Self::from_name(&text).ok_or_else(|| {
                    serde::de::Error::custom(format!(
                        "unknown {} \"{text}\", expected one of {}",
                        stringify!($name),
                        Self::ALL.iter().map(|v| v.name()).collect::<Vec<_>>().join(", ")
                    ))
                })
            }
        }
    };
}

pub(crate) use codes;
