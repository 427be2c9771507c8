//! The canonical encoding of a plant's description, for the digest.

use crate::digest::Canon;
use werkbuch_model::plant::{Description, Field, SpecRef, Value};

/// Everything in the description, in the order in which it lists its objects, then the machines
/// that are gone.
pub(crate) fn encode(description: &Description, out: &mut Canon) {
    let objects: Vec<SpecRef<'_>> = description.objects().collect();
    let removed: Vec<SpecRef<'_>> = description.removed().map(SpecRef::Machine).collect();
    for list in [objects, removed] {
        out.length(list.len());
        for object in list {
            out.u32(object.kind().code());
            object.visit(&mut |field| encode_field(&field, out));
            // No key is empty: this ends the object.
            out.text("");
        }
    }
}

/// A field with its key, so that no field can be taken for another. One that holds nothing leaves
/// no bytes, so that a field that is added later changes no digest of what does not use it.
fn encode_field(field: &Field<'_>, out: &mut Canon) {
    if field.value != Value::Absent {
        out.text(field.key);
        encode_value(&field.value, out);
    }
}

fn encode_value(value: &Value<'_>, out: &mut Canon) {
    match value {
        Value::Absent => out.u32(0),
        Value::Text(text) => {
            out.u32(1);
            out.text(text);
        }
        Value::Number(number) => {
            out.u32(2);
            out.u64(*number);
        }
        Value::Millis(millis) => {
            out.u32(3);
            out.u64(*millis);
        }
        Value::Decimal(decimal) => {
            out.u32(4);
            out.u64(decimal.millionths());
        }
        Value::Texts(texts) => {
            out.u32(5);
            out.length(texts.len());
            texts.iter().for_each(|text| out.text(text));
        }
        Value::Tables(tables) => {
            out.u32(6);
            out.length(tables.len());
            for table in tables {
                table.iter().for_each(|field| encode_field(field, out));
                // No key is empty: this ends the table.
                out.text("");
            }
        }
    }
}
