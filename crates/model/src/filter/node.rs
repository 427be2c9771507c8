//! A filter as a tree that is evaluated row by row, with SQL's three truth values.

use super::field::{Row, Value, compare};
use super::like::Pattern;
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operand {
    Field(usize),
    Literal(Value<'static>),
}

/// A condition. Its depth is bounded by the parser's limit, so that it may be walked recursively.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Truth(Operand),
    Compare {
        comparison: Comparison,
        left: Operand,
        right: Operand,
        ignore_case: bool,
    },
    OneOf {
        operand: Operand,
        list: Vec<Operand>,
        ignore_case: bool,
    },
    Like {
        field: usize,
        pattern: Pattern,
    },
    IsNull(Operand),
}

impl Node {
    /// Adds the fields that it asks for.
    pub(super) fn fields(&self, found: &mut BTreeSet<usize>) {
        let mut of = |operand: &Operand| match operand {
            Operand::Field(field) => {
                found.insert(*field);
            }
            Operand::Literal(_) => {}
        };
        match self {
            Self::All(nodes) | Self::Any(nodes) => nodes.iter().for_each(|one| one.fields(found)),
            Self::Not(node) => node.fields(found),
            Self::Truth(operand) | Self::IsNull(operand) => of(operand),
            Self::Compare { left, right, .. } => {
                of(left);
                of(right);
            }
            Self::OneOf { operand, list, .. } => {
                of(operand);
                list.iter().for_each(of);
            }
            Self::Like { field, .. } => {
                found.insert(*field);
            }
        }
    }

    /// Adds the texts that fields are said to be equal to or not.
    pub(super) fn names<'n>(&'n self, found: &mut BTreeSet<(usize, &'n str)>) {
        let mut pair = |field: &'n Operand, value: &'n Operand| {
            if let (Operand::Field(field), Operand::Literal(Value::Text(text))) = (field, value) {
                found.insert((*field, text.as_ref()));
            }
        };
        match self {
            Self::All(nodes) | Self::Any(nodes) => nodes.iter().for_each(|one| one.names(found)),
            Self::Not(node) => node.names(found),
            Self::Compare {
                comparison: Comparison::Equal | Comparison::NotEqual,
                left,
                right,
                ..
            } => {
                pair(left, right);
                pair(right, left);
            }
            Self::OneOf { operand, list, .. } => list.iter().for_each(|item| pair(operand, item)),
            Self::Compare { .. } | Self::Truth(_) | Self::Like { .. } | Self::IsNull(_) => {}
        }
    }

    /// True, false, or unknown.
    pub(super) fn evaluate(&self, row: &dyn Row) -> Option<bool> {
        match self {
            Self::All(nodes) => decide(nodes.iter().map(|node| node.evaluate(row)), false),
            Self::Any(nodes) => decide(nodes.iter().map(|node| node.evaluate(row)), true),
            Self::Not(node) => node.evaluate(row).map(|truth| !truth),
            Self::Truth(operand) => match operand.value(row) {
                Value::Bool(truth) => Some(truth),
                _ => None,
            },
            Self::Compare {
                comparison,
                left,
                right,
                ignore_case,
            } => compare(&left.value(row), &right.value(row), *ignore_case)
                .map(|order| comparison.holds(order)),
            Self::OneOf {
                operand,
                list,
                ignore_case,
            } => {
                let value = operand.value(row);
                let equal = |other: &Operand| {
                    compare(&value, &other.value(row), *ignore_case)
                        .map(|order| order == Ordering::Equal)
                };
                decide(list.iter().map(equal), true)
            }
            Self::Like { field, pattern } => match row.value(*field) {
                Value::Text(text) => Some(pattern.matches(&text)),
                _ => None,
            },
            Self::IsNull(operand) => Some(operand.value(row).is_null()),
        }
    }
}

/// What a condition can be, when not all of a row is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chances {
    pub(super) is_true: bool,
    pub(super) is_false: bool,
    pub(super) unknown: bool,
}

impl Chances {
    const ANY: Self = Self {
        is_true: true,
        is_false: true,
        unknown: true,
    };

    fn certain(truth: Option<bool>) -> Self {
        Self {
            is_true: truth == Some(true),
            is_false: truth == Some(false),
            unknown: truth.is_none(),
        }
    }

    fn opposite(self) -> Self {
        Self {
            is_true: self.is_false,
            is_false: self.is_true,
            unknown: self.unknown,
        }
    }

    /// Both must be true.
    fn and(self, other: Self) -> Self {
        let known = |one: Self| one.is_true || one.unknown;
        Self {
            is_true: self.is_true && other.is_true,
            is_false: self.is_false || other.is_false,
            unknown: self.unknown && known(other) || other.unknown && known(self),
        }
    }
}

impl Node {
    /// What the condition can be of rows that agree with this one in the fields that are fixed.
    pub(super) fn chances(&self, row: &dyn Row, fixed: &dyn Fn(usize) -> bool) -> Chances {
        let all = |nodes: &[Self], turned: bool| {
            let certain = Chances::certain(Some(true));
            let chances = nodes.iter().map(|node| node.chances(row, fixed));
            let turn = |one: Chances| if turned { one.opposite() } else { one };
            turn(chances.map(turn).fold(certain, Chances::and))
        };
        match self {
            Self::All(nodes) => all(nodes, false),
            // One is true unless all are not.
            Self::Any(nodes) => all(nodes, true),
            Self::Not(node) => node.chances(row, fixed).opposite(),
            _ => {
                let mut fields = BTreeSet::new();
                self.fields(&mut fields);
                match fields.into_iter().all(fixed) {
                    true => Chances::certain(self.evaluate(row)),
                    false => Chances::ANY,
                }
            }
        }
    }
}

impl Operand {
    fn value<'a>(&'a self, row: &'a dyn Row) -> Value<'a> {
        match self {
            Self::Field(field) => row.value(*field),
            Self::Literal(value) => value.borrowed(),
        }
    }
}

impl Comparison {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

/// `decisive` when one of the truths is, else unknown when one is unknown, else the opposite.
fn decide(truths: impl Iterator<Item = Option<bool>>, decisive: bool) -> Option<bool> {
    let mut unknown = false;
    for truth in truths {
        match truth {
            Some(truth) if truth == decisive => return Some(decisive),
            Some(_) => {}
            None => unknown = true,
        }
    }
    (!unknown).then_some(!decisive)
}
