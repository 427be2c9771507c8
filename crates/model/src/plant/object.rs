//! The fields of each object, once, with the keys under which files and diffs show them.

use super::spec::*;
use super::words::{aspect_word, level_word, vocabulary_word};
use crate::event::{AspectKind, PartMeaning, Vocabulary};
use crate::id::{ElementId, MachineNumber};
use std::borrow::Cow;

/// One field of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Field<'a> {
    /// Its key in plant files. That of a duration ends in `ms`.
    pub key: &'static str,
    /// What it holds.
    pub value: Value<'a>,
    /// What it holds when a file does not name it.
    pub otherwise: Value<'static>,
}

/// What a field holds, in the form in which files show it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// Nothing.
    Absent,
    /// A text or a word.
    Text(Cow<'a, str>),
    /// A whole number.
    Number(u64),
    /// A duration in milliseconds.
    Millis(u64),
    /// A decimal number.
    Decimal(Decimal),
    /// Several texts.
    Texts(Vec<Cow<'a, str>>),
    /// Several tables.
    Tables(Vec<Vec<Field<'a>>>),
}

/// An object that shows its fields.
pub(super) trait Fields {
    /// Shows every field in the order in which files write them.
    fn visit(&self, see: &mut dyn FnMut(Field<'_>));
}

/// An object that people know by something.
pub(super) trait Labelled {
    /// What tells it from others of its kind, as people read it.
    fn label(&self) -> String;
}

/// An object that is known by a key.
pub(super) trait Keyed: Labelled + Clone + PartialEq {
    /// The key.
    type Key: Ord + Clone;
    /// The kind of object.
    const KIND: ObjectKind;
    /// What tells it from others of its kind.
    fn key(&self) -> Self::Key;
}

/// A value of a field.
trait AsValue {
    fn as_value(&self) -> Value<'_>;
}

impl AsValue for String {
    fn as_value(&self) -> Value<'_> {
        match self.is_empty() {
            true => Value::Absent,
            false => Value::Text(Cow::Borrowed(self)),
        }
    }
}

impl AsValue for ElementId {
    fn as_value(&self) -> Value<'_> {
        Value::Text(Cow::Borrowed(self.as_str()))
    }
}

impl<T: AsValue> AsValue for Option<T> {
    fn as_value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Absent, AsValue::as_value)
    }
}

impl AsValue for u32 {
    fn as_value(&self) -> Value<'_> {
        Value::Number(u64::from(*self))
    }
}

/// Whole numbers of 64 bits are durations.
impl AsValue for u64 {
    fn as_value(&self) -> Value<'_> {
        Value::Millis(*self)
    }
}

impl AsValue for MachineNumber {
    fn as_value(&self) -> Value<'_> {
        Value::Number(u64::from(self.get()))
    }
}

impl AsValue for Decimal {
    fn as_value(&self) -> Value<'_> {
        Value::Decimal(*self)
    }
}

impl AsValue for Days {
    fn as_value(&self) -> Value<'_> {
        Value::Texts(self.names().into_iter().map(Cow::Borrowed).collect())
    }
}

fn texts<'a>(texts: impl ExactSizeIterator<Item = &'a str>) -> Value<'a> {
    match texts.len() {
        0 => Value::Absent,
        _ => Value::Texts(texts.map(Cow::Borrowed).collect()),
    }
}

impl AsValue for Vec<String> {
    fn as_value(&self) -> Value<'_> {
        texts(self.iter().map(String::as_str))
    }
}

impl AsValue for Vec<ElementId> {
    fn as_value(&self) -> Value<'_> {
        texts(self.iter().map(ElementId::as_str))
    }
}

macro_rules! shown {
    ($($kind:ty),+) => {$(
        impl AsValue for $kind {
            fn as_value(&self) -> Value<'_> { Value::Text(Cow::Owned(self.to_string())) }
        }
    )+};
}

shown!(TimeOfDay, Date);

macro_rules! worded {
    ($($kind:ident),+) => {$(
        impl AsValue for $kind {
            fn as_value(&self) -> Value<'_> {
                match self {
                    $kind::Unspecified => Value::Absent,
                    other => Value::Text(Cow::Owned(other.name().to_ascii_lowercase())),
                }
            }
        }
    )+};
}

worded!(
    BoundaryKind,
    BufferKind,
    CarrierKind,
    CrewKind,
    ExceptionKind,
    FeedKind,
    FlowKind,
    FlowRole,
    PartMeaning,
    Release,
    StopEffect,
    StopKind,
    Transfer
);

impl AsValue for Level {
    fn as_value(&self) -> Value<'_> {
        Value::Text(Cow::Owned(level_word(*self)))
    }
}

impl AsValue for Vocabulary {
    fn as_value(&self) -> Value<'_> {
        match self {
            Self::Unspecified => Value::Absent,
            other => Value::Text(Cow::Owned(vocabulary_word(*other))),
        }
    }
}

impl AsValue for AspectKind {
    fn as_value(&self) -> Value<'_> {
        Value::Text(Cow::Owned(aspect_word(*self)))
    }
}

macro_rules! tables {
    ($($kind:ident),+) => {$(
        impl AsValue for Vec<$kind> {
            fn as_value(&self) -> Value<'_> {
                if self.is_empty() {
                    return Value::Absent;
                }
                Value::Tables(self.iter().map($kind::fields).collect())
            }
        }
    )+};
}

tables!(Shift, Break, CalendarException);

macro_rules! fields {
    ($($kind:ident { $($key:literal $(or $otherwise:expr)? => $field:ident,)+ })+) => {$(
        impl $kind {
            /// The keys of its fields in plant files.
            pub(super) const KEYS: &'static [&'static str] = &[$($key),+];

            fn fields(&self) -> Vec<Field<'_>> {
                vec![$(Field {
                    key: $key,
                    value: self.$field.as_value(),
                    otherwise: fields!(@ $($otherwise)?),
                },)+]
            }
        }

        impl Fields for $kind {
            fn visit(&self, see: &mut dyn FnMut(Field<'_>)) {
                self.fields().into_iter().for_each(see);
            }
        }
    )+};
    (@) => { Value::Absent };
    (@ $otherwise:expr) => { $otherwise };
}

const ONE: Value<'static> = Value::Number(1);

fields! {
    Plant {
        "name" => name, "time_zone" => time_zone, "calendar" => calendar,
        "sample_days" or Value::Number(0) => sample_days,
        "day_start" or Value::Text(Cow::Borrowed("06:00")) => day_start,
    }
    Unit {
        "id" => id, "level" => level, "parent" => parent, "name" => name, "calendar" => calendar,
        "constraint" => constraint, "takt_ms" => takt_ms,
    }
    Machine {
        "id" => id, "in" => parent, "type" => machine_type, "number" => number,
        "vocabulary" => vocabulary, "name" => name, "formerly" => aliases, "role" => role,
        "node" => node, "stop_effect" => stop_effect, "slots" or ONE => slots,
        "parts_per_cycle" or ONE => parts_per_cycle, "transfer" => transfer,
        "cycle_ms" => cycle_ms, "cycle_min_ms" => cycle_min_ms, "stop_groups" => stop_groups,
        "operators" or Value::Number(0) => operators, "skill" => skill, "calendar" => calendar,
        "micro_stop_ms" => micro_stop_ms, "flicker_ms" => flicker_ms,
    }
    Buffer {
        "id" => id, "in" => parent, "capacity" => capacity, "name" => name, "kind" => buffer_kind,
        "lanes" or ONE => lanes, "transit_ms" => transit_ms,
    }
    Flow {
        "from" => from, "to" => to, "kind" => flow_kind, "transit_ms" => transit_ms,
        "share" => share, "priority" => priority, "variants" => variants,
    }
    Authority { "machines" => machines, "aspect" => aspect, "sources" => sources, }
    StopGroup { "id" => id, "kind" => stop_kind, "name" => name, }
    Product { "id" => id, "name" => name, }
    Variant {
        "id" => id, "product" => product, "name" => name, "share" => share,
        "attributes" => attributes,
    }
    Step {
        "product" => product, "variant" => variant, "number" => number, "operation" => operation,
        "at" => at, "work_ms" => work_ms, "min_ms" => min_ms,
        "units_per_cycle" or ONE => units_per_cycle, "carrier" => carrier, "skill" => skill,
    }
    Setup {
        "machines" => machines, "attribute" => attribute, "from" => from, "to" => to, "ms" => ms,
    }
    Carrier {
        "id" => id, "kind" => carrier_kind, "count" => count, "capacity" or ONE => capacity,
        "home" => home, "return_ms" => return_ms, "name" => name,
    }
    Crew {
        "id" => id, "kind" => crew_kind, "size" => size, "skills" => skills, "serves" => serves,
        "calendar" => calendar, "name" => name,
    }
    Rework {
        "id" => id, "from" => from, "through" => through, "back_to" => back_to, "limit" => limit,
        "share" => share,
    }
    Feed {
        "part_number" => part_number, "at" => at,
        "quantity" or Value::Decimal(Decimal::ONE) => quantity, "product" => product,
        "variant" => variant, "from" => from, "site" => site, "kind" => feed_kind,
    }
    Boundary {
        "at" => at, "kind" => boundary_kind, "release" => release,
        "rate_per_hour" => rate_per_hour, "products" => products,
    }
    CountPoint { "unit" => unit, "at" => at, "meaning" => meaning, "counter" => counter, }
    Calendar {
        "id" => id, "parent" => parent, "shifts" => shifts, "breaks" => breaks,
        "exceptions" => exceptions,
    }
    Shift { "name" => name, "days" => days, "from" => from, "to" => to, "team" => team, }
    Break { "shift" => shift, "at" => at, "minutes" => minutes, "machines" => machines, }
    CalendarException {
        "date" => date, "kind" => exception_kind, "from" => from, "to" => to, "name" => name,
    }
}

macro_rules! known_by_id {
    ($($kind:ident),+) => {$(
        impl Keyed for $kind {
            type Key = ElementId;
            const KIND: ObjectKind = ObjectKind::$kind;
            fn key(&self) -> ElementId { self.id.clone() }
        }

        impl Labelled for $kind {
            fn label(&self) -> String { self.id.to_string() }
        }
    )+};
}

known_by_id!(
    Unit, Buffer, StopGroup, Product, Variant, Carrier, Crew, Rework, Calendar
);

macro_rules! known_by {
    ($($kind:ident ($key:ty) |$one:ident| $tuple:expr, $label:expr;)+) => {$(
        impl Keyed for $kind {
            type Key = $key;
            const KIND: ObjectKind = ObjectKind::$kind;
            fn key(&self) -> $key { let $one = self; $tuple }
        }

        impl Labelled for $kind {
            fn label(&self) -> String { let $one = self; $label }
        }
    )+};
}

type Id = ElementId;

known_by! {
    Flow ((Id, Id)) |o| (o.from.clone(), o.to.clone()), format!("{} -> {}", o.from, o.to);
    Step ((Id, Option<Id>, u32)) |o| (o.product.clone(), o.variant.clone(), o.number),
        format!("{} {}", of(Some(&o.product), o.variant.as_ref()), o.number);
    Setup ((String, String, String, String))
        |o| (o.machines.clone(), o.attribute.clone(), o.from.clone(), o.to.clone()),
        format!("{} {} {} -> {}", o.machines, o.attribute, o.from, o.to);
    Feed ((Id, String, Option<Id>, Option<Id>))
        |o| (o.at.clone(), o.part_number.clone(), o.product.clone(), o.variant.clone()),
        format!("{} at {}{}", o.part_number, o.at, for_what(o.product.as_ref(), o.variant.as_ref()));
    Boundary ((Id, BoundaryKind)) |o| (o.at.clone(), o.boundary_kind),
        format!("{} at {}", o.boundary_kind.name().to_ascii_lowercase(), o.at);
    CountPoint ((Id, PartMeaning, Id, String))
        |o| (o.unit.clone(), o.meaning, o.at.clone(), o.counter.clone()),
        format!("{} {} at {}", o.unit, o.meaning.name().to_ascii_lowercase(), o.at);
}

impl Labelled for Plant {
    fn label(&self) -> String {
        self.name.clone()
    }
}

impl Labelled for Machine {
    fn label(&self) -> String {
        self.id.to_string()
    }
}

impl Labelled for Authority {
    fn label(&self) -> String {
        format!("{} {}", self.machines, aspect_word(self.aspect))
    }
}

fn of(product: Option<&ElementId>, variant: Option<&ElementId>) -> String {
    let names: Vec<&str> = product
        .into_iter()
        .chain(variant)
        .map(ElementId::as_str)
        .collect();
    names.join("/")
}

fn for_what(product: Option<&ElementId>, variant: Option<&ElementId>) -> String {
    match of(product, variant) {
        all if all.is_empty() => all,
        some => format!(" for {some}"),
    }
}
