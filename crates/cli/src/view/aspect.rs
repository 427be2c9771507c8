//! What holds for an aspect, as JSON, as a row, and in full.

use super::event;
use crate::command::time;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::when;
use serde_json::{Value, json};
use werkbuch_model::event::{AspectKind, Body};
use werkbuch_wire::pb;

/// One of the nouns of the command line: the aspects it shows, and what their keys are.
#[derive(Debug)]
pub(crate) struct Noun {
    pub(crate) name: &'static str,
    pub(crate) kinds: &'static [AspectKind],
    /// What the first key is.
    pub(crate) item: &'static str,
    /// What the second key is; empty when there is none.
    pub(crate) sub: &'static str,
}

impl Noun {
    /// The kinds as a request has them.
    pub(crate) fn codes(&self) -> Vec<i32> {
        let codes = self.kinds.iter().map(|kind| i32::try_from(kind.code()));
        codes.filter_map(Result::ok).collect()
    }

    /// The columns of a list.
    pub(crate) fn columns(&self) -> Vec<&'static str> {
        let mut columns = vec![self.item];
        if !self.sub.is_empty() {
            columns.push(self.sub);
        }
        columns.extend(["kind", "what", "machine", "since", "source", "position"]);
        columns
    }
}

/// A row of a list and its JSON. Errors: what it says cannot be read by this build.
pub(crate) fn shown(noun: &Noun, value: &pb::AspectValue) -> Outcome<(Vec<String>, Value)> {
    let said = Said::of(value)?;
    let mut cells = vec![value.item.clone()];
    if !noun.sub.is_empty() {
        cells.push(value.sub.clone());
    }
    cells.extend([
        said.kind.clone(),
        said.what.clone(),
        value.machine_name.clone(),
        when::shown(Some(value.since)),
        value.source.clone(),
        value.position.to_string(),
    ]);
    Ok((cells, json_of(value, said)))
}

/// The parts of one, each field by itself, and its JSON. Errors: as [`shown`].
pub(crate) fn in_full(
    noun: &Noun,
    value: &pb::AspectValue,
) -> Outcome<(Vec<(&'static str, String)>, Value)> {
    let said = Said::of(value)?;
    let mut parts = vec![
        ("kind", said.kind.clone()),
        ("what", said.what.clone()),
        ("machine", value.machine_name.clone()),
        ("since", when::shown(Some(value.since))),
        ("source", value.source.clone()),
        ("position", value.position.to_string()),
    ];
    if !noun.sub.is_empty() {
        parts.insert(0, (noun.sub, value.sub.clone()));
    }
    Ok((parts, json_of(value, said)))
}

/// What holds, as JSON: its keys, whence it comes, and every field of what it says.
pub(crate) fn json(value: &pb::AspectValue) -> Outcome<Value> {
    Ok(json_of(value, Said::of(value)?))
}

/// What holds in one line: `PROCESS_RESULT weld: verdict=OK ...`.
pub(crate) fn line(value: &pb::AspectValue) -> Outcome<String> {
    let said = Said::of(value)?;
    Ok(format!("{} {}: {}", said.kind, value.item, said.what))
}

/// What a value says, as stored. Errors: it says nothing.
pub(crate) fn body(value: &pb::AspectValue) -> Outcome<Vec<u8>> {
    let body = value.body.as_ref();
    let bytes = body.map(werkbuch_record::body_bytes);
    bytes.ok_or_else(|| unreadable("it says nothing"))
}

/// The same as an event's content. Errors: this build does not know it.
pub(crate) fn decoded(bytes: &[u8]) -> Outcome<Body<'_>> {
    werkbuch_record::decode_body(bytes).map_err(|error| unreadable(&error.to_string()))
}

fn unreadable(cause: &str) -> Failure {
    let what = format!("a value of the server cannot be read: {cause}");
    Failure::new(Exit::Failed, "VALUE_UNREADABLE", what)
        .hint("use a build at least as new as the server's")
}

/// What a value says.
struct Said {
    kind: String,
    what: String,
    fields: Value,
}

impl Said {
    fn of(value: &pb::AspectValue) -> Outcome<Self> {
        let bytes = body(value)?;
        let body = decoded(&bytes)?;
        Ok(Self {
            kind: body.kind().name().to_owned(),
            what: event::what(&body),
            fields: event::fields(&body)?,
        })
    }
}

fn json_of(value: &pb::AspectValue, said: Said) -> Value {
    let aspect = u32::try_from(value.aspect)
        .ok()
        .and_then(AspectKind::from_code);
    json!({
        "aspect": aspect.unwrap_or_default().name(),
        "item": value.item,
        "sub": value.sub,
        "machine": value.machine_name,
        "since": time(Some(value.since)),
        "source": value.source,
        "position": value.position,
        "kind": said.kind,
        "fields": said.fields,
    })
}
