//! Checks that everything an object names is there, and of the right kind.

use super::objects::{Found, Raw};
use super::reader::{Reader, Spot};
use crate::id::ElementId;
use crate::plant::authority::in_class;
use crate::plant::object::{Keyed, Labelled};
use crate::plant::spec::{keyed_objects, *};
use std::collections::{BTreeMap, BTreeSet};

/// Attributes of set-ups that are not attributes of variants.
const BUILT_IN: [&str; 3] = ["product", "variant", "tool"];

pub(super) fn check(reader: &mut Reader<'_>, raw: &Raw<'_>) {
    check_twice(reader, raw);
    let mut names = Names::new(reader, raw);
    names.check_calendars_of(raw);
    names.check_machines(raw);
    names.check_products(raw);
    names.check_setups(raw);
    names.check_supplies(raw);
    names.check_units(raw);
}

macro_rules! twice {
    ($($kind:ident $list:ident $table:literal,)+) => {
        fn check_twice(reader: &mut Reader<'_>, raw: &Raw<'_>) {
            $(twice(reader, $table, &raw.$list);)+
        }
    };
}

keyed_objects!(twice);

fn twice<T: Keyed + Labelled>(reader: &mut Reader<'_>, kind: &str, all: &[Found<'_, T>]) {
    let mut first: BTreeMap<T::Key, Spot> = BTreeMap::new();
    for found in all {
        let at = match kind {
            "flow" => found.spot("from"),
            _ => found.spot("id"),
        };
        if let Some(earlier) = first.get(&found.value.key()) {
            let kind = kind.replace('_', " ");
            let what = match kind.as_str() {
                "flow" => format!(
                    "the flow {} is declared twice",
                    quoted_ends(&found.value.label())
                ),
                kind => format!("the {kind} \"{}\" is declared twice", found.value.label()),
            };
            let hint = format!("see {}", reader.line(*earlier));
            reader.mistake(at, what, hint);
        } else {
            first.insert(found.value.key(), at);
        }
    }
}

/// `a -> b` with both names in quotes.
fn quoted_ends(label: &str) -> String {
    format!("\"{}\"", label.replace(" -> ", "\" -> \""))
}

/// The names of one kind.
type Set<'a> = BTreeSet<&'a str>;

/// Everything that can be named.
struct Names<'a, 'r, 't> {
    reader: &'r mut Reader<'t>,
    misspelled: &'a BTreeSet<String>,
    machines: Set<'a>,
    buffers: Set<'a>,
    units: BTreeMap<&'a str, Option<&'a str>>,
    parents: BTreeMap<&'a str, Option<&'a str>>,
    stop_groups: Set<'a>,
    products: Set<'a>,
    variants: BTreeMap<&'a str, &'a str>,
    carriers: Set<'a>,
    calendars: Set<'a>,
    has_parts: Set<'a>,
}

fn ids<'a, T: Keyed<Key = ElementId>>(
    all: &'a [Found<'a, T>],
    id: fn(&T) -> &ElementId,
) -> Set<'a> {
    all.iter().map(|found| id(&found.value).as_str()).collect()
}

fn text(id: &Option<ElementId>) -> Option<&str> {
    id.as_ref().map(ElementId::as_str)
}

impl<'a, 'r, 't> Names<'a, 'r, 't> {
    fn new(reader: &'r mut Reader<'t>, raw: &'a Raw<'a>) -> Self {
        let machines = raw.machines.iter().map(|found| &found.value.spec);
        let units = raw.units.iter().map(|found| &found.value);
        let variants = raw.variants.iter().map(|found| &found.value);
        let flows = raw.flows.iter().map(|found| &found.value);
        Self {
            reader,
            misspelled: &raw.misspelled,
            machines: machines
                .clone()
                .map(|machine| machine.id.as_str())
                .collect(),
            buffers: ids(&raw.buffers, |buffer| &buffer.id),
            units: units
                .map(|unit| (unit.id.as_str(), text(&unit.parent)))
                .collect(),
            parents: machines
                .map(|one| (one.id.as_str(), text(&one.parent)))
                .collect(),
            stop_groups: ids(&raw.stop_groups, |group| &group.id),
            products: ids(&raw.products, |product| &product.id),
            variants: variants
                .map(|one| (one.id.as_str(), one.product.as_str()))
                .collect(),
            carriers: ids(&raw.carriers, |carrier| &carrier.id),
            calendars: ids(&raw.calendars, |calendar| &calendar.id),
            has_parts: flows
                .flat_map(|flow| [flow.from.as_str(), flow.to.as_str()])
                .collect(),
        }
    }

    /// A mistake unless `name` is among those of one kind.
    fn must_be(&mut self, known: Kind, name: &str, at: Spot) {
        let set: Vec<&str> = match known {
            _ if self.has(known, name) || self.misspelled.contains(name) => return,
            Kind::Machine => self.machines.iter().copied().collect(),
            Kind::Buffer => self.buffers.iter().copied().collect(),
            Kind::Place => self.machines.iter().chain(&self.buffers).copied().collect(),
            Kind::Unit => self.units.keys().copied().collect(),
            Kind::StopGroup => self.stop_groups.iter().copied().collect(),
            Kind::Product => self.products.iter().copied().collect(),
            Kind::Variant => self.variants.keys().copied().collect(),
            Kind::Carrier => self.carriers.iter().copied().collect(),
            Kind::Calendar => self.calendars.iter().copied().collect(),
        };
        let (word, table) = known.words();
        let what = format!("there is no {word} \"{name}\"");
        let otherwise = match self.other_kind(name) {
            Some(other) => format!("\"{name}\" is a {other}"),
            None => format!("declare it with {table}"),
        };
        self.reader.unknown(at, what, name, set, otherwise);
    }

    fn has(&self, known: Kind, name: &str) -> bool {
        match known {
            Kind::Machine => self.machines.contains(name),
            Kind::Buffer => self.buffers.contains(name),
            Kind::Place => self.machines.contains(name) || self.buffers.contains(name),
            Kind::Unit => self.units.contains_key(name),
            Kind::StopGroup => self.stop_groups.contains(name),
            Kind::Product => self.products.contains(name),
            Kind::Variant => self.variants.contains_key(name),
            Kind::Carrier => self.carriers.contains(name),
            Kind::Calendar => self.calendars.contains(name),
        }
    }

    fn other_kind(&self, name: &str) -> Option<&'static str> {
        let kinds = [Kind::Machine, Kind::Buffer, Kind::Unit];
        let found = kinds.into_iter().find(|kind| self.has(*kind, name));
        found.map(|kind| kind.words().0)
    }

    fn all_must_be(&mut self, known: Kind, names: &[ElementId], at: Spot) {
        for name in names {
            self.must_be(known, name.as_str(), at);
        }
    }

    fn may_be(&mut self, known: Kind, name: &Option<ElementId>, at: Spot) {
        if let Some(name) = name {
            self.must_be(known, name.as_str(), at);
        }
    }

    fn mistake(&mut self, at: Spot, what: String, hint: &str) {
        self.reader.mistake(at, what, hint);
    }

    fn check_calendars_of(&mut self, raw: &Raw<'_>) {
        if let Some(table) = raw.plant_table {
            self.may_be(Kind::Calendar, &raw.plant.calendar, table.spot("calendar"));
        }
        for found in &raw.units {
            self.may_be(
                Kind::Calendar,
                &found.value.calendar,
                found.spot("calendar"),
            );
        }
        for found in &raw.machines {
            self.may_be(
                Kind::Calendar,
                &found.value.spec.calendar,
                found.spot("calendar"),
            );
        }
        for found in &raw.crews {
            self.may_be(
                Kind::Calendar,
                &found.value.calendar,
                found.spot("calendar"),
            );
        }
    }

    fn check_machines(&mut self, raw: &Raw<'_>) {
        let roles: BTreeMap<&str, FlowRole> = raw
            .machines
            .iter()
            .map(|found| (found.value.spec.id.as_str(), found.value.spec.role))
            .collect();
        for found in &raw.machines {
            let machine = &found.value.spec;
            self.all_must_be(
                Kind::StopGroup,
                &machine.stop_groups,
                found.spot("stop_groups"),
            );
            self.may_be(Kind::Machine, &machine.node, found.spot("node"));
            let is_resource = machine.role == FlowRole::Resource;
            let (id, at) = (&machine.id, found.spot("role"));
            if is_resource && machine.node.is_none() {
                let what = format!("\"{id}\" is a resource, but of no node");
                self.mistake(at, what, "add node = and the machine that it works in");
            }
            if !is_resource && machine.node.is_some() {
                let what = format!("\"{id}\" works in a node, but is no resource");
                self.mistake(at, what, "write role = \"resource\", or leave node out");
            }
            if machine.role != FlowRole::Node
                && machine.role != FlowRole::Unspecified
                && self.has_parts.contains(id.as_str())
            {
                let role = machine.role.name().to_ascii_lowercase();
                let what = format!("parts flow through \"{id}\", whose role is {role}");
                self.mistake(at, what, "let the flow pass its node, or leave role out");
            }
            let node = text(&machine.node).and_then(|node| roles.get(node));
            if node == Some(&FlowRole::Resource) {
                let what = format!("the node of \"{id}\" is a resource itself");
                self.mistake(found.spot("node"), what, "name the machine that parts pass");
            }
        }
        for found in &raw.flows {
            self.all_must_be(Kind::Variant, &found.value.variants, found.spot("variants"));
        }
    }

    fn check_products(&mut self, raw: &Raw<'_>) {
        for found in &raw.variants {
            self.must_be(
                Kind::Product,
                found.value.product.as_str(),
                found.spot("product"),
            );
        }
        for found in &raw.steps {
            let step = &found.value;
            self.must_be(Kind::Product, step.product.as_str(), found.spot("product"));
            self.check_variant(found, Some(&step.product), &step.variant);
            self.all_must_be(Kind::Machine, &step.at, found.spot("at"));
            self.may_be(Kind::Carrier, &step.carrier, found.spot("carrier"));
        }
        for found in &raw.reworks {
            let rework = &found.value;
            self.must_be(Kind::Place, rework.from.as_str(), found.spot("from"));
            self.must_be(Kind::Place, rework.back_to.as_str(), found.spot("back_to"));
            self.all_must_be(Kind::Place, &rework.through, found.spot("through"));
        }
    }

    /// The variant must be there, and one of the product.
    fn check_variant<T>(
        &mut self,
        found: &Found<'_, T>,
        product: Option<&ElementId>,
        variant: &Option<ElementId>,
    ) {
        let at = found.spot("variant");
        self.may_be(Kind::Variant, variant, at);
        let (Some(variant), Some(product)) = (variant, product) else {
            return;
        };
        let of = self.variants.get(variant.as_str()).copied();
        if let Some(of) = of.filter(|of| *of != product.as_str()) {
            let what = format!("\"{variant}\" is a variant of \"{of}\", not of \"{product}\"");
            self.mistake(at, what, "name a variant of the product");
        }
    }

    fn check_setups(&mut self, raw: &Raw<'_>) {
        let mut values: BTreeMap<&str, Set<'_>> = BTreeMap::new();
        for found in &raw.variants {
            for attribute in &found.value.attributes {
                if let Some((key, value)) = attribute.split_once('=') {
                    values.entry(key.trim()).or_default().insert(value.trim());
                }
            }
        }
        let products = self.products.clone();
        let variants = self.variants.keys().copied().collect();
        values.insert("product", products);
        values.insert("variant", variants);
        for found in &raw.setups {
            let setup = &found.value;
            self.check_class(&setup.machines, found.spot("machines"), false);
            let attribute = setup.attribute.as_str();
            if attribute == "tool" {
                continue;
            }
            let Some(known) = values.get(attribute) else {
                let what = format!("no variant has the attribute \"{attribute}\"");
                let all = values.keys().copied().chain(BUILT_IN);
                let hint = format!("add attributes = [\"{attribute}=...\"] to the variants");
                self.reader
                    .unknown(found.spot("attribute"), what, attribute, all, hint);
                continue;
            };
            for (key, value) in [("from", &setup.from), ("to", &setup.to)] {
                if value != "*" && !known.contains(value.as_str()) {
                    let what = format!("no variant has {attribute} \"{value}\"");
                    let hint = "a value of a variant, or \"*\" for any";
                    let known = known.iter().copied();
                    self.reader
                        .unknown(found.spot(key), what, value, known, hint);
                }
            }
        }
    }

    fn check_supplies(&mut self, raw: &Raw<'_>) {
        for found in &raw.carriers {
            self.may_be(Kind::Buffer, &found.value.home, found.spot("home"));
        }
        for found in &raw.crews {
            for class in &found.value.serves {
                self.check_class(class, found.spot("serves"), true);
            }
        }
        for found in &raw.feeds {
            let feed = &found.value;
            self.must_be(Kind::Machine, feed.at.as_str(), found.spot("at"));
            self.may_be(Kind::Product, &feed.product, found.spot("product"));
            self.check_variant(found, feed.product.as_ref(), &feed.variant);
            self.may_be(Kind::Buffer, &feed.from, found.spot("from"));
        }
        for found in &raw.boundaries {
            self.must_be(Kind::Place, found.value.at.as_str(), found.spot("at"));
            self.all_must_be(Kind::Product, &found.value.products, found.spot("products"));
        }
    }

    fn check_class(&mut self, class: &str, at: Spot, units_too: bool) {
        let units = self.units.keys().filter(|_| units_too);
        let mut names = self.machines.iter().chain(units);
        if names.any(|name| in_class(class, name)) || !self.misspelled.is_empty() {
            return;
        }
        let kinds = if units_too {
            "machine or unit"
        } else {
            "machine"
        };
        let what = format!("\"{class}\" is the name or class of no {kinds}");
        let known: Vec<&str> = self.machines.iter().copied().collect();
        let otherwise = "* stands for any text";
        self.reader.unknown(at, what, class, known, otherwise);
    }

    fn check_units(&mut self, raw: &Raw<'_>) {
        for found in &raw.units {
            let unit = &found.value;
            if let Some(machine) = &unit.constraint {
                let at = found.spot("constraint");
                self.must_be(Kind::Machine, machine.as_str(), at);
                self.must_lie(machine, &unit.id, "constraint", at);
            }
        }
        for found in &raw.count_points {
            let point = &found.value;
            self.must_be(Kind::Unit, point.unit.as_str(), found.spot("unit"));
            self.must_be(Kind::Machine, point.at.as_str(), found.spot("at"));
            if self.has(Kind::Unit, point.unit.as_str()) {
                self.must_lie(&point.at, &point.unit, "count point", found.spot("at"));
            }
        }
    }

    fn must_lie(&mut self, machine: &ElementId, unit: &ElementId, what: &str, at: Spot) {
        let Some(parent) = self.parents.get(machine.as_str()) else {
            return;
        };
        let mut above = *parent;
        // No chain is longer than there are units; a circle is told elsewhere.
        for _ in 0..=self.units.len() {
            match above {
                Some(name) if name == unit.as_str() => return,
                Some(name) => above = self.units.get(name).copied().flatten(),
                None => break,
            }
        }
        let what = format!("the {what} \"{machine}\" does not lie in \"{unit}\"");
        self.mistake(at, what, "name a machine of the unit, or one below it");
    }
}

/// What a name may stand for.
#[derive(Clone, Copy)]
enum Kind {
    Machine,
    Buffer,
    Place,
    Unit,
    StopGroup,
    Product,
    Variant,
    Carrier,
    Calendar,
}

impl Kind {
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Machine => ("machine", "[[machine]]"),
            Self::Buffer => ("buffer", "[[buffer]]"),
            Self::Place => ("machine or buffer", "[[machine]] or [[buffer]]"),
            Self::Unit => ("unit", "[[unit]]"),
            Self::StopGroup => ("stop group", "[[stop_group]]"),
            Self::Product => ("product", "[[product]]"),
            Self::Variant => ("variant", "[[variant]]"),
            Self::Carrier => ("carrier", "[[carrier]]"),
            Self::Calendar => ("calendar", "[[calendar]]"),
        }
    }
}
