//! What an event says, as JSON: fields by their names, bytes as hexadecimal digits.

use serde_json::Value;
use werkbuch_model::event::Body;

/// The members that hold bytes, shown as hexadecimal digits.
const BYTES: [&str; 9] = [
    "root",
    "parent",
    "hash",
    "digest",
    "body_hash",
    "content_hash",
    "file_hash",
    "ciphertext",
    "leaf",
];

/// The fields of a body, without its kind. Errors: that of the serializer, for a number that JSON does
/// not have.
pub fn fields(body: &Body<'_>) -> Result<Value, serde_json::Error> {
    let mut value = serde_json::to_value(body)?;
    if let Value::Object(members) = &mut value {
        members.remove("kind");
    }
    hex_bytes(&mut value);
    Ok(value)
}

/// Writes the bytes in a value as hexadecimal digits.
pub fn hex_bytes(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(hex_bytes),
        Value::Object(members) => {
            for (name, member) in members {
                match (BYTES.contains(&name.as_str()), digits(member)) {
                    (true, Some(digits)) => *member = Value::String(digits),
                    _ => hex_bytes(member),
                }
            }
        }
        _ => {}
    }
}

fn digits(value: &Value) -> Option<String> {
    let bytes = value
        .as_array()?
        .iter()
        .map(|byte| u8::try_from(byte.as_u64()?).ok());
    let bytes = bytes.collect::<Option<Vec<u8>>>()?;
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
