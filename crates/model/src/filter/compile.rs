//! Turns a parsed condition into a tree of known fields and values of matching kinds.

use super::error::{FilterError, Spot};
use super::field::{Field, FieldKind, FieldList, Value};
use super::like::Pattern;
use super::node::{Comparison, Node, Operand};
use crate::time::Timestamp;
use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator, Value as Literal};
use std::borrow::Cow;

/// Turns an expression into a condition. The recursion is bounded by the parser's limit of depth:
/// chains of AND and OR, which the parser nests without a limit, are taken apart in loops.
pub(super) fn condition(expr: &Expr, fields: &FieldList) -> Result<Node, FilterError> {
    match expr {
        Expr::Nested(inner) => condition(inner, fields),
        Expr::UnaryOp {
            op: UnaryOperator::Not,
            expr,
        } => Ok(not(condition(expr, fields)?)),
        Expr::BinaryOp { left, op, right } => match op {
            BinaryOperator::And => chain(expr, &BinaryOperator::And, fields).map(Node::All),
            BinaryOperator::Or => chain(expr, &BinaryOperator::Or, fields).map(Node::Any),
            op => {
                let (left, right) = (side(left, fields)?, side(right, fields)?);
                comparison(left, comparison_of(op)?, right)
            }
        },
        Expr::InList {
            expr,
            list,
            negated,
        } => Ok(maybe_not(*negated, one_of(expr, list, fields)?)),
        Expr::Between {
            expr,
            negated,
            low,
            high,
        } => Ok(maybe_not(*negated, between(expr, low, high, fields)?)),
        Expr::IsNull(inner) => Ok(Node::IsNull(side(inner, fields)?.operand())),
        Expr::IsNotNull(inner) => Ok(not(Node::IsNull(side(inner, fields)?.operand()))),
        Expr::Like {
            negated,
            any: false,
            expr,
            pattern,
            escape_char,
        } => {
            let node = like(expr, pattern, escape_char.as_deref(), false, fields)?;
            Ok(maybe_not(*negated, node))
        }
        Expr::ILike {
            negated,
            any: false,
            expr,
            pattern,
            escape_char,
        } => {
            let node = like(expr, pattern, escape_char.as_deref(), true, fields)?;
            Ok(maybe_not(*negated, node))
        }
        other => truth(other, fields),
    }
}

/// One side of a comparison, not yet brought to the kind of the other.
enum Side {
    Field(usize, &'static Field, Spot),
    Literal(Value<'static>),
}

impl Side {
    fn operand(self) -> Operand {
        match self {
            Self::Field(index, ..) => Operand::Field(index),
            Self::Literal(value) => Operand::Literal(value),
        }
    }
}

fn not(node: Node) -> Node {
    Node::Not(Box::new(node))
}

fn maybe_not(negated: bool, node: Node) -> Node {
    if negated { not(node) } else { node }
}

/// The links of `a AND b AND c`, which the parser nests to the left.
fn chain(expr: &Expr, link: &BinaryOperator, fields: &FieldList) -> Result<Vec<Node>, FilterError> {
    let mut nodes = Vec::new();
    let mut rest = expr;
    while let Expr::BinaryOp { left, op, right } = rest {
        if op != link {
            break;
        }
        nodes.push(condition(right, fields)?);
        rest = left;
    }
    nodes.push(condition(rest, fields)?);
    nodes.reverse();
    Ok(nodes)
}

fn truth(expr: &Expr, fields: &FieldList) -> Result<Node, FilterError> {
    match side(expr, fields)? {
        Side::Field(index, field, _) if field.kind == FieldKind::Bool => {
            Ok(Node::Truth(Operand::Field(index)))
        }
        Side::Field(_, field, spot) => Err(FilterError::meaning(format!(
            "the field \"{}\" ({spot}) is a {}, not a condition; compare it with something",
            field.name, field.kind
        ))),
        Side::Literal(value @ Value::Bool(_)) => Ok(Node::Truth(Operand::Literal(value))),
        Side::Literal(value) => Err(FilterError::meaning(format!(
            "{} is not a condition; compare it with a field",
            shown(&value)
        ))),
    }
}

fn comparison_of(op: &BinaryOperator) -> Result<Comparison, FilterError> {
    Ok(match op {
        BinaryOperator::Eq => Comparison::Equal,
        BinaryOperator::NotEq => Comparison::NotEqual,
        BinaryOperator::Lt => Comparison::Less,
        BinaryOperator::LtEq => Comparison::LessOrEqual,
        BinaryOperator::Gt => Comparison::Greater,
        BinaryOperator::GtEq => Comparison::GreaterOrEqual,
        other => {
            return Err(FilterError::meaning(format!(
                "filters have no operator \"{other}\""
            )));
        }
    })
}

fn comparison(left: Side, comparison: Comparison, right: Side) -> Result<Node, FilterError> {
    let (left, right, ignore_case) = match (left, right) {
        (Side::Field(a, field, spot), Side::Field(b, other, _)) => {
            if group(field.kind) != group(other.kind) {
                let found = format!("the {} \"{}\"", other.kind, other.name);
                return Err(mismatch(field, spot, found));
            }
            let words = field.kind == FieldKind::Word || other.kind == FieldKind::Word;
            (Operand::Field(a), Operand::Field(b), words)
        }
        (Side::Field(index, field, spot), Side::Literal(value)) => {
            let value = fit(field, spot, value)?;
            let words = field.kind == FieldKind::Word;
            (Operand::Field(index), Operand::Literal(value), words)
        }
        (Side::Literal(value), Side::Field(index, field, spot)) => {
            let value = fit(field, spot, value)?;
            let words = field.kind == FieldKind::Word;
            (Operand::Literal(value), Operand::Field(index), words)
        }
        (Side::Literal(a), Side::Literal(b)) => {
            return Err(FilterError::meaning(format!(
                "{} and {} are both fixed values; compare a field with a value",
                shown(&a),
                shown(&b)
            )));
        }
    };
    Ok(Node::Compare {
        comparison,
        left,
        right,
        ignore_case,
    })
}

fn one_of(expr: &Expr, list: &[Expr], fields: &FieldList) -> Result<Node, FilterError> {
    let Side::Field(index, field, spot) = side(expr, fields)? else {
        return Err(FilterError::meaning("a field must stand before IN"));
    };
    let fitted = |item: &Expr| match side(item, fields)? {
        Side::Literal(value) => fit(field, spot, value).map(Operand::Literal),
        Side::Field(_, other, spot) => Err(FilterError::meaning(format!(
            "the list after IN holds values, not fields such as \"{}\" ({spot})",
            other.name
        ))),
    };
    Ok(Node::OneOf {
        operand: Operand::Field(index),
        list: list.iter().map(fitted).collect::<Result<_, _>>()?,
        ignore_case: field.kind == FieldKind::Word,
    })
}

fn between(expr: &Expr, low: &Expr, high: &Expr, fields: &FieldList) -> Result<Node, FilterError> {
    let bound = |how, end| comparison(side(expr, fields)?, how, side(end, fields)?);
    Ok(Node::All(vec![
        bound(Comparison::GreaterOrEqual, low)?,
        bound(Comparison::LessOrEqual, high)?,
    ]))
}

fn like(
    expr: &Expr,
    pattern: &Expr,
    escape: Option<&Expr>,
    ignore_case: bool,
    fields: &FieldList,
) -> Result<Node, FilterError> {
    let Side::Field(index, field, spot) = side(expr, fields)? else {
        return Err(FilterError::meaning("a field must stand before LIKE"));
    };
    if group(field.kind) != FieldKind::Text {
        return Err(mismatch(field, spot, "a pattern of text".into()));
    }
    let Side::Literal(Value::Text(text)) = side(pattern, fields)? else {
        return Err(FilterError::meaning(
            "after LIKE stands a text in single quotes, with % for any text and _ for one character",
        ));
    };
    let escape = match escape.map(|escape| side(escape, fields)).transpose()? {
        None => None,
        Some(Side::Literal(Value::Text(text))) if text.chars().count() == 1 => text.chars().next(),
        Some(_) => {
            return Err(FilterError::meaning(
                "after ESCAPE stands one character in single quotes",
            ));
        }
    };
    let ignore_case = ignore_case || field.kind == FieldKind::Word;
    let pattern = Pattern::new(&text, escape, ignore_case).ok_or_else(|| {
        FilterError::meaning(format!(
            "the pattern '{text}' ends with its escape character"
        ))
    })?;
    Ok(Node::Like {
        field: index,
        pattern,
    })
}

fn side(expr: &Expr, fields: &FieldList) -> Result<Side, FilterError> {
    let mut expr = expr;
    while let Expr::Nested(inner) = expr {
        expr = inner;
    }
    match expr {
        Expr::Identifier(name) => {
            let spot = Spot::from(name.span.start);
            match fields.find(&name.value) {
                Some((index, field)) => Ok(Side::Field(index, field, spot)),
                None => Err(FilterError::UnknownField {
                    name: name.value.clone(),
                    spot,
                    hint: String::new(),
                    known: fields.to_string(),
                }),
            }
        }
        Expr::Value(value) => {
            literal(&value.value, Spot::from(value.span.start)).map(Side::Literal)
        }
        _ => Err(FilterError::meaning(
            "on both sides of a comparison, IN, LIKE, BETWEEN or IS stand single fields or values, \
             never a condition; join conditions with AND and OR",
        )),
    }
}

fn literal(literal: &Literal, spot: Spot) -> Result<Value<'static>, FilterError> {
    let out_of_range =
        |text: &str| FilterError::meaning(format!("the number {text} ({spot}) is out of range"));
    match literal {
        Literal::SingleQuotedString(text) => Ok(Value::Text(Cow::Owned(text.clone()))),
        Literal::Boolean(truth) => Ok(Value::Bool(*truth)),
        Literal::Number(text, _) => {
            if let Ok(whole) = text.parse() {
                return Ok(Value::Int(whole));
            }
            match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(Value::Float(number)),
                _ => Err(out_of_range(text)),
            }
        }
        Literal::Null => Err(FilterError::meaning(format!(
            "nothing equals NULL ({spot}); write IS NULL or IS NOT NULL"
        ))),
        _ => Err(FilterError::Unsupported {
            what: "value of this form".into(),
            spot,
        }),
    }
}

/// Text and word are comparable, every other kind with itself alone.
fn group(kind: FieldKind) -> FieldKind {
    if kind == FieldKind::Word {
        FieldKind::Text
    } else {
        kind
    }
}

/// Brings a value to the kind of the field that it is compared with.
fn fit(
    field: &'static Field,
    spot: Spot,
    value: Value<'static>,
) -> Result<Value<'static>, FilterError> {
    match (field.kind, value) {
        (FieldKind::Time, Value::Text(text)) => Timestamp::parse(&text)
            .map(Value::Time)
            .map_err(|_| mismatch(field, spot, format!("'{text}'"))),
        (FieldKind::Text | FieldKind::Word, value @ Value::Text(_))
        | (FieldKind::Number, value @ (Value::Int(_) | Value::Float(_)))
        | (FieldKind::Bool, value @ Value::Bool(_)) => Ok(value),
        (_, value) => Err(mismatch(field, spot, shown(&value))),
    }
}

fn mismatch(field: &'static Field, spot: Spot, found: String) -> FilterError {
    let hint = match field.kind {
        FieldKind::Text | FieldKind::Word => "write text in single quotes, such as 'press-3'",
        FieldKind::Number => "write a number without quotes, such as 12 or 0.5",
        FieldKind::Bool => "write TRUE or FALSE",
        FieldKind::Time => "write a time in single quotes, such as '2026-11-22T06:00:00Z'",
    };
    FilterError::Mismatch {
        field: field.name,
        spot,
        kind: field.kind,
        found,
        hint: hint.to_owned(),
    }
}

fn shown(value: &Value<'_>) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Bool(truth) => truth.to_string().to_ascii_uppercase(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Text(text) => format!("'{text}'"),
        Value::Time(time) => time.to_string(),
    }
}
