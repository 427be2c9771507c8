//! Holds encoder, decoder and the published messages equal, for every kind of event.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod arbitrary;

use arbitrary::Dice;
use proptest::prelude::*;
use prost::Message;
use werkbuch_model::event::{Body, Kind, Outline, Recorded, Reported};
use werkbuch_model::id::Position;
use werkbuch_record::{
    DecodeError, decode_body, decode_recorded, decode_reported, encode_recorded, encode_reported,
    outline, pb, peek_sequence, reported_part,
};

fn kinds() -> impl Iterator<Item = Kind> {
    Kind::ALL
        .iter()
        .copied()
        .filter(|kind| *kind != Kind::Unspecified)
}

/// Every kind, reported and recorded: our bytes are what the generated types write, and both
/// decoders read the same event from them.
fn check_equal(seed: u64) {
    let mut dice = Dice::new(seed);
    for kind in kinds() {
        let reported = dice.reported(kind);
        let bytes = encode_reported(&reported);
        let theirs = pb::Event::decode(bytes.as_slice()).expect("generated types read our bytes");
        assert_eq!(theirs.encode_to_vec(), bytes, "canonical bytes of {kind}");
        assert_eq!(decode_reported(&bytes).unwrap(), reported);

        let body = werkbuch_record::body_message(&reported.body).unwrap();
        let alone = werkbuch_record::body_bytes(&body);
        assert_eq!(decode_body(&alone).unwrap(), reported.body);

        let recorded = dice.recorded(reported);
        let bytes = encode_recorded(&recorded);
        let theirs = pb::RecordedEvent::decode(bytes.as_slice()).unwrap();
        assert_eq!(
            theirs.encode_to_vec(),
            bytes,
            "canonical bytes of recorded {kind}"
        );
        assert_eq!(decode_recorded(&bytes).unwrap(), recorded);
        assert_eq!(
            reported_part(&bytes).unwrap(),
            encode_reported(&recorded.reported)
        );
        assert_eq!(
            peek_sequence(reported_part(&bytes).unwrap()).unwrap_or_default(),
            recorded.reported.sequence
        );
        let expected = Outline {
            position: recorded.position,
            recorded_at: recorded.recorded_at,
            effective_at: recorded.effective_at,
            source: recorded.source,
            machine: recorded.reported.machine,
            kind,
        };
        let expected = recorded.corrected.is_empty().then_some(expected);
        assert_eq!(outline(&bytes), expected);
        assert!(!kind.is_of_machine() || is_of_machine(&recorded.reported.body));
    }
}

/// Whether a body sets something, and nothing of the plant.
fn is_of_machine(body: &Body<'_>) -> bool {
    let (mut any, mut of_plant) = (false, false);
    body.for_each_aspect(&mut |aspect| {
        any = true;
        of_plant |= aspect.kind.of_plant();
    });
    any && !of_plant
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn our_bytes_are_the_published_messages(seed in any::<u64>()) {
        check_equal(seed);
    }

    #[test]
    fn any_bytes_are_an_event_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode_reported(&bytes);
        let _ = decode_recorded(&bytes);
        let _ = reported_part(&bytes);
        let _ = peek_sequence(&bytes);
        let _ = outline(&bytes);
    }

    #[test]
    fn damaged_events_never_panic(seed in any::<u64>(), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let mut dice = Dice::new(seed);
        for kind in kinds() {
            let reported = dice.reported(kind);
            let mut bytes = encode_recorded(&dice.recorded(reported));
            let at = at.index(bytes.len());
            let _ = decode_recorded(&bytes[..at]);
            bytes[at] ^= 1 << bit;
            let _ = decode_recorded(&bytes);
            let _ = outline(&bytes);
        }
    }
}

/// What says nothing still sets what it always sets; then a kind that may leave its machine is told.
#[test]
fn kinds_that_are_of_their_machine_are_all_told() {
    for kind in kinds().filter(|kind| kind.reportable()) {
        let mut bytes = Vec::new();
        prost::encoding::encode_key(
            kind.code(),
            prost::encoding::WireType::LengthDelimited,
            &mut bytes,
        );
        bytes.push(0);
        let body = decode_body(&bytes).unwrap();
        assert_eq!(kind.is_of_machine(), is_of_machine(&body), "{kind}");
    }
}

#[test]
fn unknown_fields_are_refused_at_every_level() {
    let mut dice = Dice::new(7);
    let mut bytes = encode_reported(&dice.reported(Kind::StateChanged));
    bytes.extend([0x98, 0x06, 0x01]); // Field 99, varint 1.
    assert_eq!(
        decode_reported(&bytes),
        Err(DecodeError::UnknownField {
            message: "Event",
            tag: 99
        })
    );
    let inner = pb::Event {
        body: None,
        ..pb::Event::default()
    }
    .encode_to_vec();
    assert_eq!(decode_reported(&inner), Err(DecodeError::NoBody));
    let unknown_kind = [0x32, 0x03, 0xfa, 0x06, 0x00]; // Body with field 111.
    assert_eq!(decode_reported(&unknown_kind), Err(DecodeError::NoBody));
    let state = pb::Event {
        body: Some(pb::Body {
            kind: Some(pb::body::Kind::StateChanged(pb::StateChanged {
                to: 77,
                ..Default::default()
            })),
        }),
        ..pb::Event::default()
    };
    assert!(matches!(
        decode_reported(&state.encode_to_vec()),
        Err(DecodeError::UnknownValue {
            message: "StateChanged",
            tag: 1,
            value: 77
        })
    ));
}

#[test]
fn nesting_has_an_end() {
    let mut body = Body::ItemChanged(Default::default());
    for _ in 0..40 {
        body = Body::CorrectionRecorded(werkbuch_model::event::Correction {
            replacement: Some(Box::new(body)),
            ..Default::default()
        });
    }
    let mut dice = Dice::new(1);
    let event = Reported {
        body,
        ..dice.reported(Kind::ItemChanged)
    };
    assert_eq!(
        decode_reported(&encode_reported(&event)),
        Err(DecodeError::TooDeep)
    );
}

#[test]
fn fields_in_another_order_mean_the_same_but_are_not_canonical() {
    let mut dice = Dice::new(3);
    let event = dice.reported(Kind::ItemChanged);
    let canonical = encode_reported(&event);
    let parts = [
        pb::Event {
            sequence: 0,
            ..pb::Event::decode(canonical.as_slice()).unwrap()
        }
        .encode_to_vec(),
        pb::Event {
            sequence: event.sequence.get(),
            ..pb::Event::default()
        }
        .encode_to_vec(),
    ];
    let shuffled = parts.concat();
    assert_ne!(shuffled, canonical);
    assert_eq!(decode_reported(&shuffled).unwrap(), event);
}

#[test]
fn what_is_stored_reads_the_same_whatever_comes_first_and_how_often() {
    let mut dice = Dice::new(5);
    for kind in kinds() {
        let reported = dice.reported(kind);
        let mut event = dice.recorded(reported);
        event.position = Position(300);
        let usual = encode_recorded(&event);
        assert_eq!(usual.first(), Some(&0x08), "the position comes first");
        let number = usual.iter().skip(1).position(|byte| *byte < 0x80).unwrap();
        let (position, rest) = usual.split_at(number + 2);
        let turned = [rest, position].concat();
        assert_eq!(decode_recorded(&turned).unwrap(), event);

        let mut twice = encode_reported(&event.reported);
        let body = twice.len();
        put_empty_body(&mut twice);
        assert_eq!(
            decode_reported(&twice),
            Err(DecodeError::NoBody),
            "the last one holds"
        );
        let before = twice.split_off(body);
        assert!(
            decode_reported(&[before, twice].concat()).is_err(),
            "the first one is read too"
        );
    }
}

/// The field of `Event` that holds its body, with nothing in it.
fn put_empty_body(out: &mut Vec<u8>) {
    out.extend_from_slice(&[6 << 3 | 2, 0]);
}

#[test]
fn the_generator_reaches_every_kind() {
    let mut dice = Dice::new(11);
    for kind in kinds() {
        let event: Recorded<'_> = {
            let r = dice.reported(kind);
            dice.recorded(r)
        };
        assert_eq!(event.reported.body.kind(), kind);
    }
}

#[test]
fn every_field_about_a_person_is_visited() {
    let mut dice = Dice::new(5);
    for _ in 0..32 {
        for kind in kinds() {
            let mut body = dice.reported(kind).body;
            let written = format!("{body:?}").matches("Protected {").count();
            let mut paths = std::collections::BTreeSet::new();
            let visited = body.for_each_protected::<()>(&mut |path, _, field| {
                assert!(paths.insert(path), "{kind}: {path} twice");
                field.key = 7;
                Ok(())
            });
            assert_eq!((visited, paths.len()), (Ok(()), written), "{kind}");
            assert_eq!(body.any_protected(&|field| field.key == 7), written > 0);
            assert!(!body.any_protected(&|field| field.key != 7), "{kind}");
        }
    }
}
