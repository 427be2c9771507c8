//! Finds words that a field never has: a slip of the hand, of which no row would ever tell.

use super::error::FilterError;
use super::field::{FieldList, Value};
use super::node::{Comparison, Node, Operand};
use crate::nearest::did_you_mean;

/// Checks the words with which fields are said to be equal or not. The walk is as deep as the parser
/// allows. Errors: [`FilterError::UnknownWord`] for the first that the field does not have.
pub(super) fn check(node: &Node, fields: &FieldList) -> Result<(), FilterError> {
    match node {
        Node::All(nodes) | Node::Any(nodes) => {
            nodes.iter().try_for_each(|node| check(node, fields))
        }
        Node::Not(node) => check(node, fields),
        Node::Compare {
            comparison: Comparison::Equal | Comparison::NotEqual,
            left,
            right,
            ..
        } => pair(left, right, fields).and_then(|()| pair(right, left, fields)),
        Node::OneOf { operand, list, .. } => {
            list.iter().try_for_each(|item| pair(operand, item, fields))
        }
        Node::Compare { .. } | Node::Truth(_) | Node::Like { .. } | Node::IsNull(_) => Ok(()),
    }
}

fn pair(field: &Operand, value: &Operand, fields: &FieldList) -> Result<(), FilterError> {
    let (Operand::Field(index), Operand::Literal(Value::Text(word))) = (field, value) else {
        return Ok(());
    };
    let Some((field, words)) = fields.words(*index) else {
        return Ok(());
    };
    if words.iter().any(|known| known.eq_ignore_ascii_case(word)) {
        return Ok(());
    }
    let hint = did_you_mean(word, words.iter().copied());
    Err(FilterError::UnknownWord {
        field,
        word: word.chars().take(48).collect(),
        hint: hint.map_or_else(String::new, |hint| format!(", {hint}")),
        known: words.join(", "),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::filter::{Field, FieldKind, FieldList, Filter};

    const STATE: Field = Field {
        name: "state",
        kind: FieldKind::Word,
        meaning: "a state",
    };
    const FIELDS: FieldList =
        FieldList::new(&[STATE]).with_words(&[("state", &["HELD", "STOPPED"])]);

    #[test]
    fn words_that_a_field_never_has_are_mistakes() {
        for (text, says) in [
            ("state = 'HLED'", Some("did you mean \"HELD\"?")),
            (
                "NOT ('x' <> state)",
                Some("there is no state 'x'; there are HELD, STOPPED"),
            ),
            (
                "state IN ('held', 'stoped')",
                Some("did you mean \"STOPPED\"?"),
            ),
            ("state = 'held' OR state LIKE 'X%' OR state IS NULL", None),
            ("state > 'I'", None),
        ] {
            let told = Filter::parse(text, &FIELDS).map_err(|error| error.to_string());
            match says {
                Some(says) => assert!(told.unwrap_err().contains(says), "{text}"),
                None => assert!(told.is_ok(), "{text}"),
            }
        }
    }
}
