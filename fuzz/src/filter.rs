//! Any text is a filter or an error; what is taken follows the logic of three values.

use werkbuch_model::filter::{Field, FieldKind, FieldList, Filter, OrderBy, Row, Value};
use werkbuch_model::time::Timestamp;

const FIELDS: FieldList = FieldList::new(&[
    field("name", FieldKind::Text),
    field("state", FieldKind::Word),
    field("number", FieldKind::Number),
    field("stale", FieldKind::Bool),
    field("since", FieldKind::Time),
    // A word of SQL on purpose.
    field("position", FieldKind::Number),
])
.with_words(&[("state", &["HELD", "EXECUTING", "IDLE"])]);

const fn field(name: &'static str, kind: FieldKind) -> Field {
    Field {
        name,
        kind,
        meaning: "a field",
    }
}

struct Cells([Value<'static>; 6]);

impl Row for Cells {
    fn value(&self, field: usize) -> Value<'_> {
        match self.0.get(field) {
            Some(Value::Text(text)) => Value::Text(text.as_ref().into()),
            Some(Value::Int(number)) => Value::Int(*number),
            Some(Value::Float(number)) => Value::Float(*number),
            Some(Value::Bool(truth)) => Value::Bool(*truth),
            Some(Value::Time(time)) => Value::Time(*time),
            _ => Value::Null,
        }
    }
}

fn rows() -> [Cells; 4] {
    [
        Cells([
            Value::Text("press-3".into()),
            Value::Text("HELD".into()),
            Value::Int(17),
            Value::Bool(false),
            Value::Time(Timestamp(1_795_327_200_000_000_000)),
            Value::Float(2.5),
        ]),
        Cells([
            Value::Text("".into()),
            Value::Text("IDLE".into()),
            Value::Int(i64::MIN),
            Value::Bool(true),
            Value::Time(Timestamp(i64::MIN)),
            Value::Float(f64::NAN),
        ]),
        Cells([
            Value::Text("漢%_'".into()),
            Value::Null,
            Value::Int(i64::MAX),
            Value::Null,
            Value::Time(Timestamp(i64::MAX)),
            Value::Float(-0.0),
        ]),
        Cells([const { Value::Null }; 6]),
    ]
}

/// The bytes are a text, read as a filter and as an order.
pub fn body(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    order(&text);
    let filter = match Filter::parse(&text, &FIELDS) {
        Ok(filter) => filter,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return false;
        }
    };
    let parse = |text: String| Filter::parse(&text, &FIELDS).ok();
    // The line break ends a remark, which would swallow the parenthesis.
    let negated = parse(format!("NOT ({text}\n)")).filter(|_| !filter.is_blank());
    let doubled = parse(format!("({text}\n) OR ({text}\n)")).filter(|_| !filter.is_blank());
    for row in &rows() {
        let holds = filter.matches(row);
        if let Some(negated) = &negated {
            assert!(
                !(holds && negated.matches(row)),
                "{text} holds and does not"
            );
        }
        if let Some(doubled) = &doubled {
            assert_eq!(doubled.matches(row), holds, "{text} or itself is another");
        }
    }
    true
}

/// An order that is taken is one: nothing comes before itself, and before is the reverse of after.
fn order(text: &str) {
    let Ok(order) = OrderBy::parse(text, &FIELDS) else {
        return;
    };
    let rows = rows();
    for a in &rows {
        for b in &rows {
            let (there, back) = (order.compare(a, b), order.compare(b, a));
            assert_eq!(there, back.reverse(), "{text}");
            for c in &rows {
                if there.is_lt() && order.compare(b, c).is_lt() {
                    assert!(order.compare(a, c).is_lt(), "{text}");
                }
            }
        }
    }
}
