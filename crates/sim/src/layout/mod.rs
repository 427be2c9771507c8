//! A plant as flat arrays that refer to each other by index, ready to be simulated.

mod compile;
mod hours;
#[cfg(test)]
mod tests;

pub use compile::LayoutError;
pub use hours::{Hours, Toggle, Turn};

use werkbuch_model::event::Vocabulary;
use werkbuch_model::id::MachineNumber;
use werkbuch_model::plant::{
    BufferKind, CarrierKind, CrewKind, FeedKind, FlowKind, StopKind, Transfer,
};

/// A plant, ready to be simulated; made by [`Layout::of`] from a plant's description.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    /// All machines, in the order of their numbers.
    pub machines: Vec<Machine>,
    /// The machines that parts pass.
    pub stations: Vec<Station>,
    /// Stations that advance together.
    pub sections: Vec<Section>,
    /// The places between them.
    pub buffers: Vec<Buffer>,
    /// The ways that parts go.
    pub ways: Vec<Way>,
    /// What is used up from line-side stock.
    pub feeds: Vec<Feed>,
    /// What parts ride on.
    pub carriers: Vec<Carrier>,
    /// Who repairs.
    pub crews: Vec<Crew>,
    /// What stops several at once.
    pub zones: Vec<Zone>,
    /// What is made.
    pub products: Vec<Product>,
    /// The variants of all products.
    pub variants: Vec<Variant>,
    /// When is worked: one entry for each pattern that some station follows.
    pub hours: Vec<Hours>,
}

/// A machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    /// Its name.
    pub id: String,
    /// Its number in the description that the layout was made of.
    pub number: MachineNumber,
    /// The names of the units around it, from the innermost outward.
    pub units: Vec<String>,
    /// What sort of machine it is.
    pub sort: String,
    /// The vocabulary of its state signal.
    pub vocabulary: Vocabulary,
    /// The station that it is, or in which it works.
    pub station: Option<usize>,
    /// For a machine inside a station: whether its stop stops the station (else it slows it).
    pub stops_station: bool,
    /// The crew that repairs it; absent when nobody is declared.
    pub crew: Option<usize>,
    /// The zones that it stops with.
    pub zones: Vec<usize>,
}

/// A station: a machine that parts pass, with the machines inside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Station {
    /// The machine that it is.
    pub machine: usize,
    /// The machines inside it.
    pub resources: Vec<usize>,
    /// How many parts it works on at once: each by itself, or one behind the other in a section.
    pub slots: u32,
    /// How parts move through it.
    pub transfer: Transfer,
    /// The section that it advances with; absent when its parts move each by itself.
    pub section: Option<usize>,
    /// The other stations whose stop stops it: those of its belt, and of its stop groups' belts.
    pub stops_with: Vec<usize>,
    /// The planned time of a cycle, in nanoseconds.
    pub cycle_ns: u64,
    /// Work content by variant, where the routing has its own, in nanoseconds.
    pub work_ns: Vec<(usize, u64)>,
    /// Work content of all other variants, where the routing says it, in nanoseconds. It counts on a
    /// belt, where the cycle is how long a part is there, worked on or not.
    pub content_ns: Option<u64>,
    /// What the routing calls the work.
    pub operation: String,
    /// The ways that lead in, the first ones are looked at first.
    pub ins: Vec<usize>,
    /// The ways that lead out, the first ones are tried first.
    pub outs: Vec<usize>,
    /// The buffers from which each cycle takes so many parts, which become one with its part.
    pub joins: Vec<(usize, u32)>,
    /// The stocks it uses up.
    pub feeds: Vec<usize>,
    /// What a change of variant costs.
    pub setups: Vec<Setup>,
    /// The carrier that its parts ride on.
    pub carrier: Option<usize>,
    /// How many people run it.
    pub operators: u32,
    /// When it works; absent: always.
    pub hours: Option<usize>,
    /// The products that a part without a name of its own becomes here, as their routings begin.
    pub begins: Vec<usize>,
    /// For a station at which parts come in: what and how fast.
    pub source: Option<Source>,
    /// Whether parts leave the plant here.
    pub is_sink: bool,
    /// How often a part may leave here to be reworked; 0 when none does.
    pub rework_limit: u32,
    /// The planned share of its parts that is reworked.
    pub rework_share: f64,
}

impl Station {
    /// Whether its parts move all the time, together with those of other stations.
    #[must_use]
    pub fn is_on_a_belt(&self) -> bool {
        self.transfer == Transfer::Moving && self.section.is_some()
    }
}

/// Stations whose parts advance together.
///
/// An indexed section makes a step as soon as the part at each of its places has had its time there
/// and can go on; one station that is not ready holds up all. A moving section does the same, but
/// not before its pace has passed, and it stands as soon as one of its stations does. Places without a
/// part travel along. A part that comes in gets in with a step, or when the section is empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// [`Transfer::Indexed`] or [`Transfer::Moving`].
    pub transfer: Transfer,
    /// The stations in the order of the flow; the slots of each are places one behind the other.
    pub stations: Vec<usize>,
    /// The least time between two steps of a moving section, in nanoseconds: the longest cycle of its
    /// stations, divided by their slots. 0 for an indexed one.
    pub pace_ns: u64,
}

/// Where parts come in.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// The products that begin here.
    pub products: Vec<usize>,
    /// The time between two parts, in nanoseconds; 0: there is always one.
    pub every_ns: u64,
    /// No part comes in while so many parts of its products are in the plant; absent without such a limit.
    pub limit: Option<u32>,
}

/// What a change of an attribute costs at a station.
#[derive(Clone, Debug, PartialEq)]
pub struct Setup {
    /// The attribute, such as `colour`; `variant` and `product` are attributes of every variant.
    pub attribute: String,
    /// The value before; `*` for any.
    pub from: String,
    /// The value afterwards; `*` for any.
    pub to: String,
    /// How long it takes, in nanoseconds.
    pub ns: u64,
}

/// A place between stations.
#[derive(Clone, Debug, PartialEq)]
pub struct Buffer {
    /// Its name.
    pub id: String,
    /// The names of the units around it, from the innermost outward.
    pub units: Vec<String>,
    /// How many parts it holds.
    pub capacity: u32,
    /// In which order parts leave it.
    pub kind: BufferKind,
    /// How many lanes it has.
    pub lanes: u32,
    /// The least time that a part stays, in nanoseconds.
    pub transit_ns: u64,
    /// How many places are kept free for parts that come back from rework.
    pub reserve: u32,
    /// Whether parts are taken out of the plant here.
    pub is_sink: bool,
    /// Where parts come in: what and how fast.
    pub source: Option<Source>,
}

/// A station or a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A station, by index.
    Station(usize),
    /// A buffer, by index.
    Buffer(usize),
}

/// A way that parts go.
#[derive(Clone, Debug, PartialEq)]
pub struct Way {
    /// Where it begins.
    pub from: Place,
    /// Where it ends.
    pub to: Place,
    /// What goes along it.
    pub kind: FlowKind,
    /// How long a part is on it, in nanoseconds; counted as time in the buffer at its end.
    pub transit_ns: u64,
    /// The variants that go this way; empty for all.
    pub variants: Vec<usize>,
    /// Which is looked at first: the least number.
    pub priority: u32,
    /// The share of what leaves a station that goes this way; absent where it goes wherever there is room. Out of a
    /// buffer parts go to whoever takes them.
    pub share: Option<f64>,
    /// Whether nothing goes this way now.
    pub is_closed: bool,
}

/// Line-side stock that a station uses up.
#[derive(Clone, Debug, PartialEq)]
pub struct Feed {
    /// The part number.
    pub part_number: String,
    /// The station.
    pub station: usize,
    /// Pieces for one part.
    pub quantity: u32,
    /// Only for this variant.
    pub variant: Option<usize>,
    /// The supplier's site, or empty.
    pub site: String,
    /// How it is brought.
    pub kind: FeedKind,
}

/// Things that parts ride on.
#[derive(Clone, Debug, PartialEq)]
pub struct Carrier {
    /// Its name.
    pub id: String,
    /// What it is.
    pub kind: CarrierKind,
    /// How many there are.
    pub count: u32,
    /// How long an empty one is on its way back, in nanoseconds.
    pub return_ns: u64,
    /// The buffer in which empties wait, by name; empty when none is declared.
    pub home: String,
}

/// People.
#[derive(Clone, Debug, PartialEq)]
pub struct Crew {
    /// Its name.
    pub id: String,
    /// What it does.
    pub kind: CrewKind,
    /// How many machines it can see to at once.
    pub size: u32,
    /// Its first skill, or empty.
    pub skill: String,
}

/// Machines that stop together.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone {
    /// Its name.
    pub id: String,
    /// What they share.
    pub kind: StopKind,
    /// The machines.
    pub machines: Vec<usize>,
}

/// What is made.
#[derive(Clone, Debug, PartialEq)]
pub struct Product {
    /// Its name.
    pub id: String,
    /// Its variants.
    pub variants: Vec<usize>,
    /// Whether its parts have an identity of their own (they ride on a carrier or are joined).
    pub is_tracked: bool,
    /// Whether no description names it: parts that come in where no product is declared.
    pub is_unnamed: bool,
}

/// A variant of a product.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// Its name.
    pub id: String,
    /// Its product.
    pub product: usize,
    /// Its share of the product's parts.
    pub share: f64,
    /// What tells it apart: key and value.
    pub attributes: Vec<(String, String)>,
}

impl Variant {
    /// The value of an attribute; `variant` is the variant's name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> &str {
        if name == "variant" {
            return &self.id;
        }
        let mut all = self.attributes.iter();
        all.find(|(key, _)| key == name)
            .map_or("", |(_, value)| value)
    }
}

impl Layout {
    /// How long a change from one variant to another takes at a station, in nanoseconds: the first
    /// entry that fits, of each attribute that differs, and the longest of these.
    #[must_use]
    pub fn setup_ns(&self, station: usize, from: usize, to: usize) -> u64 {
        let (Some(station), Some(from), Some(to)) = (
            self.stations.get(station),
            self.variants.get(from),
            self.variants.get(to),
        ) else {
            return 0;
        };
        let cost = |setup: &Setup| {
            let (before, after) = (
                from.attribute(&setup.attribute),
                to.attribute(&setup.attribute),
            );
            let fits = |wanted: &str, is: &str| wanted == "*" || wanted == is;
            (before != after && fits(&setup.from, before) && fits(&setup.to, after))
                .then_some(setup.ns)
        };
        // What is said exactly goes before what is said of any.
        let exact = |setup: &&Setup| setup.from != "*" && setup.to != "*";
        let named = station.setups.iter().filter(exact).find_map(cost);
        named
            .or_else(|| station.setups.iter().filter_map(cost).max())
            .unwrap_or(0)
    }

    /// The index of the machine with this name.
    #[must_use]
    pub fn machine(&self, id: &str) -> Option<usize> {
        self.machines.iter().position(|machine| machine.id == id)
    }
}

/// Whether a name is of a class such as `press-*`, where `*` stands for any text.
pub(crate) fn is_of_class(class: &str, name: &str) -> bool {
    let mut parts = class.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let mut open = false;
    let mut last = "";
    for part in parts {
        open = true;
        last = part;
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    if open {
        last.is_empty() || name.ends_with(last)
    } else {
        rest.is_empty()
    }
}
