//! The API as it was promised: its reasons and its messages, compared with files in `snapshots/api`.
//!
//! A change of the API changes a file: run with `UPDATE_SNAPSHOTS=1`, and look at the difference.

use prost::Message;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorSet,
    MethodDescriptorProto,
};
use std::fmt::Write;
use std::path::PathBuf;
use werkbuch_wire::reason::Reason;

fn compare(name: &str, found: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../snapshots/api")
        .join(name);
    if std::env::var("UPDATE_SNAPSHOTS").is_ok_and(|value| value == "1") {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, found).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; run with UPDATE_SNAPSHOTS=1", path.display()));
    let difference = kept
        .lines()
        .zip(found.lines())
        .find(|(kept, found)| kept != found);
    assert!(
        kept == found,
        "the API is not the one of snapshots/api/{name}, first at {difference:?}; if that is meant, run \
         with UPDATE_SNAPSHOTS=1"
    );
}

#[test]
fn the_reasons_are_the_promised_ones() {
    let lines = Reason::ALL
        .iter()
        .map(|reason| format!("{} {:?}\n", reason.name(), reason.code()));
    let mut lines: Vec<String> = lines.collect();
    lines.sort();
    let unique = lines.windows(2).all(|pair| pair[0] != pair[1]);
    assert!(unique, "a reason stands twice");
    compare("reasons.txt", &lines.concat());
}

#[test]
fn the_messages_are_the_promised_ones() {
    compare(
        "werkbuch.v1.txt",
        &render(werkbuch_wire::DESCRIPTOR_SET).unwrap(),
    );
}

/// All services, messages and enums of the package by name, fields by number.
fn render(set: &[u8]) -> Result<String, std::fmt::Error> {
    let set = FileDescriptorSet::decode(set).unwrap();
    let mut parts = Vec::new();
    for file in &set.file {
        for service in &file.service {
            let methods = service.method.iter().map(method);
            parts.push(format!(
                "service {}\n{}",
                service.name(),
                methods.collect::<String>()
            ));
        }
        for message in &file.message_type {
            messages("", message, &mut parts)?;
        }
        parts.extend(file.enum_type.iter().map(|one| enumeration("", one)));
    }
    parts.sort();
    Ok(parts.join("\n"))
}

fn method(method: &MethodDescriptorProto) -> String {
    let stream = |is: bool| if is { "stream " } else { "" };
    format!(
        "  rpc {}({}{}) returns ({}{})\n",
        method.name(),
        stream(method.client_streaming()),
        short(method.input_type()),
        stream(method.server_streaming()),
        short(method.output_type())
    )
}

fn messages(
    outer: &str,
    message: &DescriptorProto,
    parts: &mut Vec<String>,
) -> Result<(), std::fmt::Error> {
    let name = format!("{outer}{}", message.name());
    let mut text = format!("message {name}\n");
    let mut fields: Vec<&FieldDescriptorProto> = message.field.iter().collect();
    fields.sort_by_key(|field| field.number());
    for field in fields {
        writeln!(
            text,
            "  {} = {}: {}",
            field.name(),
            field.number(),
            kind(message, field)
        )?;
    }
    parts.push(text);
    let inner = format!("{name}.");
    for nested in &message.nested_type {
        messages(&inner, nested, parts)?;
    }
    parts.extend(message.enum_type.iter().map(|one| enumeration(&inner, one)));
    Ok(())
}

fn kind(message: &DescriptorProto, field: &FieldDescriptorProto) -> String {
    let base = match field.r#type() {
        Type::Message | Type::Enum => short(field.type_name()).to_owned(),
        plain => plain
            .as_str_name()
            .trim_start_matches("TYPE_")
            .to_lowercase(),
    };
    let oneof = field
        .oneof_index
        .and_then(|index| message.oneof_decl.get(index as usize));
    match (field.label(), oneof) {
        (Label::Repeated, _) => format!("repeated {base}"),
        (_, _) if field.proto3_optional() => format!("optional {base}"),
        (_, Some(oneof)) => format!("{base} (oneof {})", oneof.name()),
        _ => base,
    }
}

fn enumeration(outer: &str, one: &EnumDescriptorProto) -> String {
    let values = one
        .value
        .iter()
        .map(|value| format!("  {} = {}\n", value.name(), value.number()));
    format!("enum {outer}{}\n{}", one.name(), values.collect::<String>())
}

fn short(name: &str) -> &str {
    name.trim_start_matches(".werkbuch.v1.")
}
