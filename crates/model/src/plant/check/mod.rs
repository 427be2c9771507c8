//! What a described plant can answer: each kind of question with what is missing for it.

mod needs;
mod questions;
mod remarks;
#[cfg(test)]
mod tests;

use super::description::Description;
use crate::codes::codes;

codes! {
    /// Whether a kind of question can be answered.
    pub enum Answerable {
        /// Not at all.
        No = 0 "NO",
        /// For some of the plant.
        Partly = 1 "PARTLY",
        /// For all of it.
        Yes = 2 "YES",
    }
}

/// A kind of question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Its name, such as `oee-of-lines`.
    pub name: &'static str,
    /// What it asks.
    pub asks: &'static str,
    /// Whether it can be answered.
    pub answer: Answerable,
    /// What is missing for a full answer.
    pub missing: Vec<Missing>,
}

/// Something that a question needs and that the description does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// What is missing, such as `a planned cycle (cycle_s)`.
    pub what: &'static str,
    /// What it is missing of, such as `machines`.
    pub of: &'static str,
    /// The names of those without it, in the order of the description; empty when the plant as a
    /// whole lacks it.
    pub names: Vec<String>,
    /// How many there are with and without it; 0 when the plant as a whole lacks it.
    pub total: usize,
    /// Whether there is no answer at all without it.
    pub is_needed: bool,
}

/// Something about a description that is no mistake and that its owner should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// What it is, such as `deadlock`.
    pub kind: &'static str,
    /// In full.
    pub text: String,
}

impl Description {
    /// Every kind of question with whether this plant can answer it, and what is missing.
    #[must_use]
    pub fn questions(&self) -> Vec<Question> {
        questions::all(self)
    }

    /// What is no mistake and still worth knowing.
    #[must_use]
    pub fn remarks(&self) -> Vec<Remark> {
        remarks::all(self)
    }
}

impl Missing {
    /// Whether nothing of its kind has it.
    #[must_use]
    pub fn is_total(&self) -> bool {
        self.names.len() == self.total
    }
}
