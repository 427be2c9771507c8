//! Sealed blocks hold the same bytes as the blocks they were made of, and fewer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod arbitrary;

use arbitrary::Dice;
use proptest::prelude::*;
use werkbuch_model::event::{Body, Flags, Kind, Recorded, Reported, State, StateChanged};
use werkbuch_model::id::{
    LogId, MachineNumber, PlantId, Position, Sequence, SourceNumber, WriterEpoch,
};
use werkbuch_model::time::Timestamp;
use werkbuch_record::block::{BlockBody, BlockBuilder, BlockHeader, Codec, decode_body, join};
use werkbuch_record::encode_recorded;

type Block = (BlockHeader, BlockBody);

fn blocks(events: &[Vec<u8>], each: usize) -> (Vec<Block>, usize) {
    let (mut blocks, mut bytes, mut next) = (Vec::new(), 0, Position(1));
    for (group, some) in events.chunks(each).enumerate() {
        let plant = PlantId::new("P").unwrap();
        let mut builder = BlockBuilder::new(LogId([1; 16]), plant, WriterEpoch(1), next, [0; 32]);
        for event in some {
            let at = Timestamp(i64::try_from(builder.next_position().get()).unwrap());
            builder
                .push(event, at, at, SourceNumber(1), Sequence(1))
                .unwrap();
        }
        next = builder.next_position();
        let mut sealed = builder.finish();
        sealed.place(1, group as u64 + 1, 0, 1);
        let mut encoded = Vec::new();
        sealed.encode(&mut encoded);
        bytes += encoded.len();
        blocks.push(read(&encoded));
    }
    (blocks, bytes)
}

fn read(encoded: &[u8]) -> Block {
    let (header, at) = BlockHeader::decode(encoded).unwrap();
    let body = decode_body(&header, &encoded[at..]).unwrap();
    (header, body)
}

fn joined(blocks: &[Block]) -> (Block, usize) {
    let mut encoded = Vec::new();
    join(blocks).unwrap().encode(&mut encoded);
    (read(&encoded), encoded.len())
}

/// A plant of regular machines: 40 machines and two sources that take turns.
fn regular(position: u64) -> Vec<u8> {
    let machine = position * 7 % 40 + 1;
    let time = Timestamp(1_700_000_000_000_000_000 + i64::try_from(position).unwrap() * 3_000_017);
    let body = StateChanged {
        to: if position.is_multiple_of(3) {
            State::Executing
        } else {
            State::Idle
        },
        native: "EXECUTE".into(),
        ..StateChanged::default()
    };
    encode_recorded(&Recorded {
        position: Position(position),
        recorded_at: Timestamp(time.nanos() + 90_000_000),
        effective_at: time,
        source: SourceNumber(u32::try_from(position % 2).unwrap() + 1),
        previous: Position(position.saturating_sub(40)),
        flags: Flags::default(),
        authority: 0,
        reported: Reported {
            sequence: Sequence(position / 2 + 1),
            machine: MachineNumber(u32::try_from(machine).unwrap()),
            occurred_at: time,
            observed_at: Some(Timestamp(time.nanos() + 5_000_000)),
            historical: false,
            body: Body::StateChanged(body),
        },
        corrected: Vec::new(),
    })
}

#[test]
fn what_machines_say_all_day_takes_a_fraction() {
    let events: Vec<_> = (1..=3_000).map(regular).collect();
    let (blocks, hot) = blocks(&events, 500);
    let ((header, body), sealed) = joined(&blocks);
    assert_eq!(header.codec, Codec::Dense);
    assert_eq!(
        (header.first, header.last()),
        (Position(1), Position(3_000))
    );
    assert!(body.events().eq(events.iter().map(Vec::as_slice)));
    assert!(sealed * 8 < hot, "{sealed} bytes of {hot}");
}

#[test]
fn an_event_that_is_not_in_its_shortest_form_stays_as_it_is() {
    // Field 1 as a number of two bytes where one would do.
    let events = vec![vec![0x08, 0x81, 0x00]; 200];
    let ((header, body), _) = joined(&blocks(&events, 50).0);
    assert_eq!(header.codec, Codec::Lz4);
    assert!(body.events().eq(events.iter().map(Vec::as_slice)));
}

#[test]
fn blocks_that_do_not_follow_each_other_are_not_joined() {
    let events: Vec<_> = (1..=9).map(regular).collect();
    let (blocks, _) = blocks(&events, 3);
    assert!(join(&[]).is_none());
    assert!(join(&[blocks[0].clone(), blocks[2].clone()]).is_none());
    assert!(join(&[blocks[1].clone(), blocks[0].clone()]).is_none());
    let mut other = blocks[1].clone();
    other.0.epoch = WriterEpoch(2);
    assert!(join(&[blocks[0].clone(), other]).is_none());
}

proptest! {
    #[test]
    fn every_event_comes_back_from_a_sealed_block(
        seed in any::<u64>(), each in 1_usize..20,
    ) {
        let mut dice = Dice::new(seed);
        let kinds = Kind::ALL.iter().filter(|kind| **kind != Kind::Unspecified);
        let recorded = kinds.map(|kind| {
            let reported = dice.reported(*kind);
            encode_recorded(&dice.recorded(reported))
        });
        let events: Vec<_> = recorded.collect();
        let ((header, body), _) = joined(&blocks(&events, each).0);
        prop_assert_eq!(header.codec, Codec::Dense);
        prop_assert_eq!(header.count as usize, events.len());
        prop_assert!(body.events().eq(events.iter().map(Vec::as_slice)));
    }

    #[test]
    fn a_damaged_dense_body_never_panics(
        at in any::<prop::sample::Index>(), bit in 0..8_u8, cut in any::<prop::sample::Index>(),
    ) {
        let events: Vec<_> = (1..=200).map(regular).collect();
        let mut encoded = Vec::new();
        join(&blocks(&events, 50).0).unwrap().encode(&mut encoded);
        let (mut header, body_at) = BlockHeader::decode(&encoded).unwrap();
        let mut stored = encoded.split_off(body_at);
        let at = at.index(stored.len());
        stored[at] ^= 1 << bit;
        stored.truncate(cut.index(stored.len()) + 1);
        // With a right checksum, so that what lies behind it is reached.
        header.stored_body_bytes = u32::try_from(stored.len()).unwrap();
        header.body_crc = crc32c::crc32c(&stored);
        let _ = decode_body(&header, &stored);
    }
}
