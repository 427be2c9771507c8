//! Conversions between the messages and `model`.

use crate::reason::Reason;
use tonic::Status;
use werkbuch_model::nearest::did_you_mean;

/// The kinds of a request's list of names. Errors: `UNKNOWN_KIND` with the names there are.
pub fn kinds_of(names: &[String]) -> Result<Vec<werkbuch_model::event::Kind>, Status> {
    use werkbuch_model::event::Kind;
    let kind = |name: &String| {
        Kind::from_name(name)
            .filter(|kind| *kind != Kind::Unspecified)
            .ok_or_else(|| {
                let all = Kind::ALL
                    .iter()
                    .skip(1)
                    .map(|kind| kind.name())
                    .collect::<Vec<_>>();
                let shown: String = name.chars().take(48).collect();
                let near = did_you_mean(name, all.iter().copied());
                let near = near.unwrap_or_else(|| format!("there are {}", all.join(", ")));
                Reason::UnknownKind.status(format!("there is no event kind \"{shown}\"; {near}"))
            })
    };
    names.iter().map(kind).collect()
}
