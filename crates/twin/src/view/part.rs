//! Single parts: where each is and what was decided about it.

use super::ValueView;
use crate::Twin;
use std::collections::BTreeMap;
use werkbuch_model::event::{AspectKind, Body, Disposition};
use werkbuch_model::id::MachineNumber;
use werkbuch_model::time::Timestamp;

/// Where a part is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartPlace<'t> {
    /// At a machine or in a buffer: its name, or empty for the machine with this number.
    At(&'t str, MachineNumber),
    /// It left there and has not been seen since; where it goes, empty when that was not said.
    Left(&'t str),
    /// In a transport.
    InTransport(&'t str),
    /// It became a part of another one.
    In(&'t str),
    /// It was split into others.
    Split,
    /// It is known only by what was decided about it.
    Unknown,
}

/// A part that the twin tracks.
#[derive(Clone, Debug, PartialEq)]
pub struct PartView<'t> {
    /// Its serial or vehicle number.
    pub part: &'t str,
    /// Where it is.
    pub place: PartPlace<'t>,
    /// Since when; absent when that is not known.
    pub since: Option<Timestamp>,
    /// What was decided about it last; unspecified when nothing was.
    pub disposition: Disposition,
}

impl Twin {
    /// The parts that are tracked, in the order of their names.
    #[must_use]
    pub fn parts(&self) -> Vec<PartView<'_>> {
        let mut parts: BTreeMap<&str, PartView<'_>> = BTreeMap::new();
        for value in self.plant_values(AspectKind::PartPlace) {
            let view = self.placed(&value);
            parts.insert(value.item, view);
        }
        for value in self.plant_values(AspectKind::PartDisposition) {
            let view = parts.entry(value.item).or_insert(PartView {
                part: value.item,
                place: PartPlace::Unknown,
                since: None,
                disposition: Disposition::Unspecified,
            });
            if let Body::PartDispositioned(said) = &value.body {
                view.disposition = said.disposition;
            }
        }
        parts.into_values().collect()
    }

    fn placed<'t>(&'t self, value: &ValueView<'t>) -> PartView<'t> {
        let (place, since) = self.place_of(value);
        PartView {
            part: value.item,
            place,
            since: Some(since),
            disposition: Disposition::Unspecified,
        }
    }

    fn place_of<'t>(&'t self, value: &ValueView<'t>) -> (PartPlace<'t>, Timestamp) {
        let at = |location| PartPlace::At(location, value.machine);
        let place = match &value.body {
            Body::PartEntered(said) => at(borrowed(&said.location)),
            Body::PartLeft(said) => PartPlace::Left(borrowed(&said.to)),
            Body::PartsJoined(said) if said.part != value.item => {
                PartPlace::In(borrowed(&said.part))
            }
            Body::PartsJoined(said) => at(borrowed(&said.location)),
            Body::PartSplit(said) if said.part == value.item => PartPlace::Split,
            Body::PartSplit(said) => at(borrowed(&said.location)),
            Body::TransportStarted(said) => {
                return self.carried(borrowed(&said.transport), borrowed(&said.to), value);
            }
            _ => PartPlace::Unknown,
        };
        (place, value.since)
    }

    /// Where a part is that a transport took: in it, or where it ended.
    fn carried<'t>(
        &'t self,
        transport: &'t str,
        to: &'t str,
        started: &ValueView<'t>,
    ) -> (PartPlace<'t>, Timestamp) {
        let last = self.plant_value(AspectKind::Transport, transport, "");
        match last {
            Some(ValueView {
                body: Body::TransportEnded(said),
                since,
                ..
            }) if since >= started.since => {
                let at = borrowed(&said.at);
                let at = if at.is_empty() { to } else { at };
                (PartPlace::At(at, MachineNumber(0)), since)
            }
            _ => (PartPlace::InTransport(transport), started.since),
        }
    }
}

/// The text of a content that the twin holds: it is borrowed from there.
fn borrowed<'t>(text: &werkbuch_model::event::Text<'t>) -> &'t str {
    match text {
        std::borrow::Cow::Borrowed(text) => text,
        std::borrow::Cow::Owned(_) => "",
    }
}
