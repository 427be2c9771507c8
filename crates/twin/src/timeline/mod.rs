//! What a machine did over a window of plant time: intervals of its state, and levels of detail of them.
//!
//! # How it is made
//!
//! 1. A twin of the plant as it was right before the window ([`Walk::new`]) holds what came before: the
//!    state of the first interval is folded, not guessed. Its `since` may lie before the window.
//! 2. The events that took effect in the window are put in plant order, corrected ones as they hold by
//!    now ([`History`]), and folded one after another. After each moment at which something took effect
//!    the machine's view is looked at: an interval ends where that differs. So at every time a timeline
//!    shows what a question at that time is answered with.
//! 3. Where something was lost ([`Unseen`]) an interval ends too, and those between are not covered.
//!
//! Intervals are half-open: each begins where the one before it ends, the first begins with the window,
//! and one that nothing ended before the window's end is open.

mod count;
mod hearing;
mod history;
mod interval;
mod levels;
mod unseen;
mod walk;

pub use count::Parts;
pub use hearing::{Hearing, Silent};
pub use history::{History, matters};
pub use interval::{ALARMS_SHOWN, Interval, StateSum, Sums};
pub use levels::{BUCKETS_MAX, Bucket, Levels, severity};
pub use unseen::{Loss, Unseen};
pub use walk::Walk;
