//! What happens in a factory, as it truly is: before any machine or gateway says something about it.

use crate::layout::Place;
use werkbuch_model::event::State;

/// Something that happened at a time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Happening {
    /// When, in nanoseconds from the start.
    pub(crate) at_ns: u64,
    /// What.
    pub(crate) fact: Fact,
}

/// A part, as long as it is in the plant; the number is given to another part afterwards.
pub(crate) type PartIndex = u32;

/// What is known of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// The product.
    pub(crate) product: usize,
    /// The variant.
    pub(crate) variant: usize,
    /// When it came into being, in nanoseconds from the start; absent when it was there before.
    pub(crate) born_ns: Option<u64>,
    /// Its number among all parts of its product, from 1; never given again.
    pub(crate) serial: u32,
    /// The carrier that it rides on: which, and the number of that one.
    pub(crate) carrier: Option<(usize, u32)>,
    /// How often it was sent to rework.
    pub(crate) reworks: u32,
    /// Where it is.
    pub(crate) place: Place,
    /// Whether it is spoilt, and nobody has found it yet.
    pub(crate) is_spoilt: bool,
    /// Whether it was found to be spoilt, and is on its way out.
    pub(crate) is_scrap: bool,
}

/// How a part left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gone {
    /// Finished.
    Finished,
    /// Thrown away.
    Scrapped,
    /// It became one with another.
    Joined,
}

/// What a cycle made of its part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is all right.
    Good,
    /// It has to be reworked.
    Rework,
    /// It is to be thrown away.
    Scrap,
}

/// Why a machine stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// By itself, in the way with this index of the truth's.
    Own(usize),
    /// With a zone.
    Zone(usize),
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fact {
    /// A machine's true state is another.
    State {
        machine: usize,
        from: State,
        to: State,
    },
    /// A part came into being at a station.
    Made {
        part: PartIndex,
        about: Part,
        station: usize,
    },
    /// A part is at a place now.
    Entered {
        part: PartIndex,
        about: Part,
        from: Option<Place>,
    },
    /// A part left a station towards a place.
    Left {
        part: PartIndex,
        about: Part,
        station: usize,
        to: Option<Place>,
    },
    /// A part was taken out of the plant at a buffer.
    TakenOut { about: Part, buffer: usize },
    /// A part is no more.
    Gone {
        part: PartIndex,
        about: Part,
        at: Place,
        how: Gone,
    },
    /// Parts became one with a part.
    Joined {
        into: Part,
        parts: Vec<Part>,
        station: usize,
    },
    /// How many parts a buffer holds now.
    Level { buffer: usize, level: u32 },
    /// A cycle began.
    Started {
        station: usize,
        about: Part,
        cycle: u64,
    },
    /// A cycle ended.
    Ended {
        station: usize,
        about: Part,
        cycle: u64,
        took_ns: u64,
        verdict: Verdict,
    },
    /// A change of variant began at a station.
    SetupBegan {
        station: usize,
        from: usize,
        to: usize,
    },
    /// It ended.
    SetupEnded { station: usize, to: usize },
    /// A machine failed.
    Failed { machine: usize, way: usize },
    /// A crew came to a failed machine.
    CrewCame {
        machine: usize,
        crew: usize,
        number: u32,
    },
    /// A failed machine works again, after so long.
    Repaired {
        machine: usize,
        way: usize,
        stood_ns: u64,
        crew: Option<(usize, u32)>,
    },
    /// A zone stopped.
    ZoneStopped { zone: usize },
    /// It goes on, after so long.
    ZoneFreed { zone: usize, stood_ns: u64 },
    /// The hours of stations turned.
    Hours { hours: usize, toggle: usize },
    /// Line-side stock was used.
    Used {
        feed: usize,
        pieces: u32,
        left: u32,
        about: Part,
    },
    /// More was called for.
    Called { feed: usize, delivery: u32 },
    /// It came.
    Delivered {
        feed: usize,
        delivery: u32,
        pieces: u32,
        stock: u32,
    },
    /// A station stands for want of material.
    Short { feed: usize },
    /// People at a station call.
    Andon {
        station: usize,
        number: u32,
        about_quality: bool,
    },
    /// Their call was answered.
    AndonEnded { station: usize, number: u32 },
}
