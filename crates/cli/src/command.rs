//! The commands, one module for each noun.

pub(crate) mod aspect;
pub(crate) mod completion;
pub(crate) mod context;
pub(crate) mod event;
pub(crate) mod import;
pub(crate) mod log;
pub(crate) mod machine;
pub(crate) mod man;
pub(crate) mod paging;
pub(crate) mod plant;
pub(crate) mod quality;
pub(crate) mod replay;
pub(crate) mod serve;
pub(crate) mod server;
pub(crate) mod twin;
pub(crate) mod wip;

use crate::when;
use serde_json::{Value, json};
use werkbuch_wire::pb;

/// The point that a question is asked about.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Instant {
    /// Plant time: leave out events that took effect after it.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    at: Option<String>,
    /// Know only what had been recorded up to this position or time.
    #[arg(long, value_name = "POSITION|TIME", allow_hyphen_values = true)]
    known: Option<String>,
}

impl Instant {
    pub(crate) fn message(&self) -> crate::failure::Outcome<Option<pb::Instant>> {
        when::instant(self.at.as_deref(), self.known.as_deref())
    }
}

/// What an answer reflects, as JSON members.
pub(crate) fn reflected(reflected: Option<&pb::Reflected>) -> [(&'static str, Value); 3] {
    let position = reflected.map_or(0, |reflected| reflected.position);
    let recorded_at = reflected
        .map(|reflected| reflected.recorded_at)
        .filter(|time| *time != 0);
    let at = reflected.and_then(|reflected| reflected.at);
    [
        ("position", json!(position)),
        ("recorded_at", time(recorded_at)),
        ("at", time(at)),
    ]
}

/// A time as JSON: RFC 3339 or null.
pub(crate) fn time(nanos: Option<i64>) -> Value {
    nanos.map_or(Value::Null, |nanos| json!(when::shown(Some(nanos))))
}

/// So many of something, whose word is counted with an `s`.
pub(crate) fn counted(number: u64, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

/// The last part of a name such as tenants/default/plants/P.
pub(crate) fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// What an answer reflects, as the end of a note; nothing where it does not say.
pub(crate) fn at_position(reflected: Option<&pb::Reflected>) -> String {
    reflected.map_or_else(String::new, |reflected| {
        format!(", at position {}", reflected.position)
    })
}

/// How the rest of a list is had, as the end of a note; nothing on the last page.
pub(crate) fn more(next_page_token: &str) -> String {
    match next_page_token {
        "" => String::new(),
        token => format!("; more with --page-token {token} or --all"),
    }
}

/// An object with these members behind its own.
pub(crate) fn with(
    mut object: Value,
    members: impl IntoIterator<Item = (&'static str, Value)>,
) -> Value {
    if let Value::Object(map) = &mut object {
        map.extend(
            members
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value)),
        );
    }
    object
}
