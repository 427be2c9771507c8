//! A cut through the logs of a group: where each plant stood, as a token that can be given back.

use crate::asked::Asked;
use crate::token::{Rest, open, seal, text, varint};
use werkbuch_model::id::{PlantId, Position};
use werkbuch_model::instant::{Instant, Known};
use werkbuch_model::time::Timestamp;
use werkbuch_wire::pb;

/// What a token begins with, so that it can be told from a position and from a time.
pub(crate) const PREFIX: &str = "cut-";
/// The form of the tokens; another form is refused.
const VERSION: u8 = 1;

/// Where the plants of a group stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    /// The bound in plant time, if there was one.
    pub(crate) at: Option<Timestamp>,
    /// The bound on the writers' clocks, if there was one.
    pub(crate) known_recorded_at: Option<Timestamp>,
    /// The time that ages count from.
    pub(crate) as_of: Timestamp,
    /// The time zone by which local times were read.
    pub(crate) zone: String,
    /// By name.
    pub(crate) plants: Vec<Entry>,
}

/// A plant of a cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) plant: PlantId,
    pub(crate) stood: Stood,
}

/// How a plant stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stood {
    /// At this position of the log whose number begins so.
    At([u8; 8], Position),
    /// It did not answer, and why.
    Absent(pb::AbsenceKind, String),
}

impl Cut {
    /// How a plant stood; absent when the cut has none of that name.
    pub(crate) fn stood(&self, plant: &PlantId) -> Option<&Stood> {
        let mut plants = self.plants.iter();
        plants
            .find(|entry| entry.plant == *plant)
            .map(|entry| &entry.stood)
    }

    /// The question about a plant that stood at this position.
    pub(crate) fn asked(&self, position: Position) -> Asked {
        Asked {
            instant: Instant {
                known: Known::Position(position),
                at: self.at,
            },
            as_of: Some(self.as_of),
            known_recorded_at: self.known_recorded_at,
            zone: self.zone.clone(),
        }
    }

    /// The token.
    pub(crate) fn token(&self) -> String {
        let mut bytes = vec![VERSION];
        for time in [self.at, self.known_recorded_at, Some(self.as_of)] {
            bytes.push(u8::from(time.is_some()));
            bytes.extend(time.unwrap_or_default().nanos().to_be_bytes());
        }
        text(&mut bytes, &self.zone);
        varint(&mut bytes, self.plants.len() as u64);
        for entry in &self.plants {
            text(&mut bytes, entry.plant.as_str());
            match &entry.stood {
                Stood::At(log, position) => {
                    bytes.push(0);
                    bytes.extend(log);
                    varint(&mut bytes, position.get());
                }
                Stood::Absent(kind, because) => {
                    bytes.push(u8::try_from(i32::from(*kind)).unwrap_or_default());
                    text(&mut bytes, because);
                }
            }
        }
        format!("{PREFIX}{}", seal(bytes))
    }

    /// The cut of a token; none when it is none, or not whole.
    pub(crate) fn read(token: &str) -> Option<Self> {
        let bytes = open(token.strip_prefix(PREFIX)?)?;
        let mut rest = Rest(&bytes);
        if rest.byte()? != VERSION {
            return None;
        }
        let at = time(&mut rest)?;
        let known_recorded_at = time(&mut rest)?;
        let as_of = time(&mut rest)??;
        let zone = rest.text()?.to_owned();
        let count = rest.varint()?;
        let mut plants = Vec::new();
        for _ in 0..count {
            let plant = rest.plant()?;
            let stood = match rest.byte()? {
                0 => Stood::At(rest.eight()?, Position(rest.varint()?)),
                kind => {
                    let kind = pb::AbsenceKind::try_from(i32::from(kind)).ok()?;
                    Stood::Absent(kind, rest.text()?.to_owned())
                }
            };
            plants.push(Entry { plant, stood });
        }
        rest.0.is_empty().then_some(Self {
            at,
            known_recorded_at,
            as_of,
            zone,
            plants,
        })
    }
}

/// A time that may be absent; the outer option tells whether the token goes on at all.
fn time(rest: &mut Rest<'_>) -> Option<Option<Timestamp>> {
    let is_there = rest.byte()?;
    let nanos = i64::from_be_bytes(rest.eight()?);
    Some((is_there == 1).then_some(Timestamp(nanos)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn tokens_round_trip_and_a_slip_is_seen() {
        let entry = |plant: &str, stood| Entry {
            plant: PlantId::new(plant).unwrap(),
            stood,
        };
        let cut = Cut {
            at: None,
            known_recorded_at: Some(Timestamp(-7)),
            as_of: Timestamp(i64::MAX),
            zone: "Europe/Berlin".to_owned(),
            plants: vec![
                entry("a", Stood::At([7; 8], Position(300))),
                entry(
                    "b",
                    Stood::Absent(pb::AbsenceKind::Recovering, "so".to_owned()),
                ),
            ],
        };
        let token = cut.token();
        assert_eq!(Cut::read(&token), Some(cut.clone()));
        assert!(matches!(
            cut.stood(&PlantId::new("b").unwrap()),
            Some(Stood::Absent(..))
        ));
        assert_eq!(cut.stood(&PlantId::new("c").unwrap()), None);
        for at in PREFIX.len()..token.len() {
            let mut slip = token.clone().into_bytes();
            slip[at] = if slip[at] == b'0' { b'1' } else { b'0' };
            let slip = String::from_utf8(slip).unwrap();
            assert_eq!(Cut::read(&slip), None, "{at}");
            assert_eq!(Cut::read(&token[..at]), None, "{at}");
        }
        for bad in ["", "cut-", "cut-zz", "17", &token[4..]] {
            assert_eq!(Cut::read(bad), None, "{bad}");
        }
    }
}
