//! Where one part is, as the last event about its place says and what has become of it since.

use super::stock::TrackedPart;
use crate::Twin;
use crate::view::ValueView;
use werkbuch_model::event::{AspectKind, Body, Disposition};
use werkbuch_model::time::Timestamp;

/// Where a part is, or was last.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Placed {
    /// The place that it left, when that is the last thing heard of it.
    left: Option<String>,
    /// The place that it came to.
    pub(super) at: Option<String>,
    /// The part there; absent when it was scrapped or shipped.
    pub(super) tracked: Option<TrackedPart>,
    /// The transport that took it, when that is the last thing heard of it; else empty.
    pub(super) transport: String,
    /// The time of the oldest fact that this stands on.
    pub(super) oldest: Timestamp,
}

impl Placed {
    /// What holds of a part by the value of its place; nothing when the event says of no place.
    pub(super) fn of(twin: &Twin, value: &ValueView<'_>) -> Option<Self> {
        let (part, since) = (value.item, value.since);
        let here = |location: &str| match location {
            "" => twin
                .description()
                .name_of(value.machine)
                .map_or_else(String::new, ToString::to_string),
            location => location.to_owned(),
        };
        let mut placed = Self {
            left: None,
            at: None,
            tracked: None,
            transport: String::new(),
            oldest: since,
        };
        let (mut came_at, mut variant) = (since, String::new());
        match &value.body {
            Body::PartEntered(said) => {
                placed.at = Some(here(&said.location));
                variant = said.variant.to_string();
            }
            // Where one part left, parts are known one by one, also when none is left.
            Body::PartLeft(said) => placed.left = Some(here(&said.location)),
            Body::PartsJoined(said) if said.part == part => {
                placed.at = Some(here(&said.location));
            }
            Body::PartSplit(said) if said.part != part => {
                placed.at = Some(here(&said.location));
            }
            Body::TransportStarted(said) => {
                placed.transport = said.transport.to_string();
                if let Some((at, ended)) = placed.arrival(twin, since) {
                    let at = if at.is_empty() {
                        said.to.to_string()
                    } else {
                        at
                    };
                    (placed.at, came_at) = (Some(at), ended);
                }
            }
            Body::PartsJoined(_) | Body::PartSplit(_) => {}
            _ => return None,
        }
        placed.at = placed.at.filter(|at| !at.is_empty());
        if !placed.is_gone(twin, part, since) && placed.at.is_some() {
            placed.tracked = Some(TrackedPart {
                since: came_at,
                part: part.to_owned(),
                variant,
            });
        }
        Some(placed)
    }

    /// The places of which this says that single parts are known there.
    pub(super) fn places(&self) -> impl Iterator<Item = &str> {
        self.left.iter().chain(&self.at).map(String::as_str)
    }

    /// Where its transport has ended since it took the part, and when. While it is under way the part
    /// is nowhere.
    fn arrival(&mut self, twin: &Twin, taken_at: Timestamp) -> Option<(String, Timestamp)> {
        if self.transport.is_empty() {
            return None;
        }
        let value = twin.plant_value(AspectKind::Transport, &self.transport, "")?;
        self.oldest = self.oldest.min(value.since);
        match &value.body {
            Body::TransportEnded(said) if value.since >= taken_at => {
                Some((said.at.to_string(), value.since))
            }
            _ => None,
        }
    }

    /// Whether it was scrapped or shipped since.
    fn is_gone(&mut self, twin: &Twin, part: &str, since: Timestamp) -> bool {
        let Some(value) = twin.plant_value(AspectKind::PartDisposition, part, "") else {
            return false;
        };
        self.oldest = self.oldest.min(value.since);
        matches!(&value.body, Body::PartDispositioned(said)
            if matches!(said.disposition, Disposition::Scrap | Disposition::Shipped))
            && value.since >= since
    }
}
