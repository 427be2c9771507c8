//! One plant: a loop that alone decides what its log says, and a handle through which it is asked.

mod answer;
mod ask;
mod feed;
mod findings;
mod flight;
mod handle;
mod happened;
mod input;
mod open;
mod repeats;
mod rest;
mod ruled;
mod rules;
mod samples;
mod sessions;
mod state;
mod survey;

pub use ask::{StoredEvents, is_protected};
pub(crate) use feed::feed;
pub use feed::{Follow, Step};
pub(crate) use findings::Findings;
pub use handle::Plant;
pub(crate) use handle::{Shared, Standing};
pub use happened::{Piece, Stored};
pub(crate) use input::{Input, Reply};
pub(crate) use repeats::Repeats;
pub use ruled::Ruled;
pub use rules::{ChangeRules, ChangedRules, RuleSet, RuleTurn};
pub use samples::SampleBody;
pub(crate) use state::{Loop, LoopParts};
pub use survey::Survey;
