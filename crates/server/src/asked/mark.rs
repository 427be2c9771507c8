//! Which instant a request writes, so that a page can be told from one of another instant.

use crate::page::Cursor;
use sha2::{Digest, Sha256};
use werkbuch_wire::pb;
use werkbuch_wire::pb::instant::Known;

/// An instant as requests write it: a time that counts from now is the same when it is written again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark(pub(crate) [u8; 8]);

impl Mark {
    /// The mark of an instant; none says nothing but the present.
    pub(crate) fn of(message: Option<&pb::Instant>) -> Self {
        Self::of_all(&[message])
    }

    /// The mark of the instant that a page is of: as the request writes it, or that of the first page did.
    pub(crate) fn of_page(message: Option<&pb::Instant>, cursor: Option<&Cursor>) -> Self {
        cursor.map_or_else(|| Self::of(message), |cursor| cursor.mark)
    }

    /// The mark of several instants together, in their order; none when each says the present.
    pub(crate) fn of_all(messages: &[Option<&pb::Instant>]) -> Self {
        let said: Vec<_> = messages
            .iter()
            .map(|one| one.filter(|one| is_said(one)))
            .collect();
        if said.iter().all(Option::is_none) {
            return Self::default();
        }
        let mut hash = Sha256::new();
        for one in said {
            let (text, zone) = one.map_or_else(Default::default, written);
            for part in [text, zone] {
                hash.update((part.len() as u64).to_be_bytes());
                hash.update(part);
            }
        }
        let mut short = [0; 8];
        let bytes = short.iter_mut().zip(hash.finalize());
        bytes.for_each(|(to, from)| *to = from);
        Self(short)
    }

    /// Whether no instant is said, so that a page may be of any.
    pub(crate) fn is_none(self) -> bool {
        self == Self::default()
    }
}

fn is_said(instant: &pb::Instant) -> bool {
    instant.at.is_some() || !instant.at_text.is_empty() || instant.known.is_some()
}

/// The times of an instant, and the zone by which its texts are read.
fn written(instant: &pb::Instant) -> (String, String) {
    let known = match &instant.known {
        None => String::new(),
        Some(Known::KnownPosition(position)) => position.to_string(),
        Some(Known::KnownRecordedAt(nanos)) => format!("@{nanos}"),
        Some(Known::KnownText(text)) => text.trim().to_owned(),
    };
    let text = format!("{:?} {:?} {known:?}", instant.at, instant.at_text.trim());
    let by_clock =
        !instant.at_text.is_empty() || matches!(instant.known, Some(Known::KnownText(_)));
    let zone = by_clock.then(|| instant.time_zone.clone());
    (text, zone.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_tells_instants_apart_as_they_are_written() {
        let at = |text: &str| pb::Instant {
            at_text: text.to_owned(),
            ..pb::Instant::default()
        };
        let position = pb::Instant {
            known: Some(Known::KnownPosition(7)),
            ..pb::Instant::default()
        };
        let text = pb::Instant {
            known: Some(Known::KnownText(" 7".to_owned())),
            ..pb::Instant::default()
        };
        let elsewhere = pb::Instant {
            time_zone: "Asia/Tokyo".to_owned(),
            ..pb::Instant::default()
        };
        assert!(Mark::of(None).is_none() && Mark::of(Some(&elsewhere)).is_none());
        assert_eq!(Mark::of(Some(&at("-2h"))), Mark::of(Some(&at("-2h"))));
        assert_eq!(Mark::of(Some(&position)), Mark::of(Some(&text)));
        assert_ne!(Mark::of(Some(&at("-2h"))), Mark::of(Some(&at("-1h"))));
        assert_ne!(Mark::of(Some(&at("-2h"))), Mark::of(Some(&position)));
        let (one, other) = (at("-2h"), at("-1h"));
        assert_ne!(
            Mark::of_all(&[Some(&one), Some(&other)]),
            Mark::of_all(&[Some(&other), Some(&one)])
        );
        assert_ne!(
            Mark::of_all(&[Some(&one), None]),
            Mark::of_all(&[None, Some(&one)])
        );
    }
}
