//! Tests that blocks round-trip, keep their limits and refuse every damaged byte.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;
use werkbuch_model::id::{LogId, PlantId, Position, Sequence, SourceNumber, WriterEpoch};
use werkbuch_model::time::Timestamp;

use super::*;

fn builder() -> BlockBuilder {
    BlockBuilder::new(
        LogId([7; 16]),
        PlantId::new("PLT-07").unwrap(),
        WriterEpoch(3),
        Position(101),
        [9; 32],
    )
}

fn push(block: &mut BlockBuilder, event: &[u8], at: i64, source: u32, sequence: u64) {
    block
        .push(
            event,
            Timestamp(at),
            Timestamp(-at),
            SourceNumber(source),
            Sequence(sequence),
        )
        .unwrap();
}

fn encoded(block: BlockBuilder) -> Vec<u8> {
    let mut sealed = block.finish();
    sealed.place(4, 17, 1, 3);
    let mut bytes = Vec::new();
    sealed.encode(&mut bytes);
    assert_eq!(bytes.len(), sealed.encoded_bytes());
    bytes
}

fn read(bytes: &[u8]) -> Result<(BlockHeader, BlockBody), BlockError> {
    let (header, length) = BlockHeader::decode(bytes)?;
    let body = decode_body(&header, bytes.get(length..).unwrap_or_default())?;
    Ok((header, body))
}

#[test]
fn every_field_comes_back() {
    let mut block = builder();
    for (at, (source, sequence)) in [(1, 5), (1, 6), (0, 0), (1, 7), (2, 9), (2, 8)]
        .into_iter()
        .enumerate()
    {
        push(&mut block, &[at as u8; 3], at as i64 + 10, source, sequence);
    }
    assert_eq!((block.len(), block.next_position()), (6, Position(107)));
    let (header, body) = read(&encoded(block)).unwrap();
    assert_eq!(header.generation, 4);
    assert_eq!(header.group, 17);
    assert_eq!((header.group_index, header.group_blocks), (1, 3));
    assert_eq!(header.epoch, WriterEpoch(3));
    assert_eq!(
        (header.first, header.last()),
        (Position(101), Position(106))
    );
    assert_eq!(header.log_id, LogId([7; 16]));
    assert_eq!(header.root_before, [9; 32]);
    assert_eq!(header.plant.as_str(), "PLT-07");
    assert!(!header.clean_close);
    let times = [header.recorded_min, header.recorded_max];
    assert_eq!(times, [Timestamp(10), Timestamp(15)]);
    let times = [header.effective_min, header.effective_max];
    assert_eq!(times, [Timestamp(-15), Timestamp(-10)]);
    let runs: Vec<_> = header
        .runs
        .iter()
        .map(|run| (run.source.0, run.first.0, run.count, run.offset))
        .collect();
    assert_eq!(
        runs,
        [(1, 5, 2, 0), (1, 7, 1, 3), (2, 9, 1, 4), (2, 8, 1, 5)]
    );
    assert_eq!(body.len(), 6);
    assert_eq!(body.event(2), Some([2; 3].as_slice()));
    assert_eq!(body.event(6), None);
    assert!(
        body.events()
            .enumerate()
            .all(|(at, event)| event == [at as u8; 3])
    );
}

#[test]
fn the_first_bytes_are_those_of_the_drawing() {
    let mut block = builder();
    push(&mut block, b"abc", 1, 1, 1);
    let bytes = encoded(block);
    assert_eq!(&bytes[..8], b"WBLK\x01\x00\x00\x00");
    let header_bytes = FIXED_BYTES + 6 + RUN_BYTES + CRC_BYTES;
    assert_eq!(bytes[8..12], (header_bytes as u32).to_le_bytes());
    assert_eq!(bytes[24..32], 4_u64.to_le_bytes());
    assert_eq!(bytes[56..64], 101_u64.to_le_bytes());
    assert_eq!(bytes[152], 6);
    assert_eq!(&bytes[153..159], b"PLT-07");
    assert_eq!(&bytes[header_bytes..], b"\x03abc");
}

#[test]
fn an_empty_block_is_a_clean_close_mark() {
    let (header, body) = read(&encoded(builder())).unwrap();
    assert!(header.clean_close && body.is_empty());
    assert_eq!(
        (header.first, header.last()),
        (Position(101), Position(100))
    );
}

#[test]
fn repetitive_events_are_compressed_and_others_are_not() {
    let mut block = builder();
    for sequence in 1..=200 {
        push(&mut block, &[b'x'; 100], 1, 1, sequence);
    }
    let bytes = encoded(block);
    assert!(bytes.len() < 1000, "{}", bytes.len());
    let (header, body) = read(&bytes).unwrap();
    assert_eq!((header.codec, header.runs.len()), (Codec::Lz4, 1));
    assert!(body.events().all(|event| event == [b'x'; 100]));
}

#[test]
fn the_worst_block_keeps_the_limit() {
    let mut block = builder();
    let mut state = 1_u64;
    let mut sequence = 1;
    loop {
        let event: Vec<u8> = (0..60)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (state >> 33) as u8
            })
            .collect();
        if !block.fits(event.len()) {
            assert!(matches!(
                block.push(
                    &event,
                    Timestamp(0),
                    Timestamp(0),
                    SourceNumber(1),
                    Sequence(1)
                ),
                Err(BlockError::Full { bytes: 60 })
            ));
            break;
        }
        push(&mut block, &event, 1, 1 + sequence as u32 % 2, sequence);
        sequence += 1;
    }
    let bytes = encoded(block);
    assert!(bytes.len() <= BLOCK_BYTES_MAX && bytes.len() > BLOCK_BYTES_MAX - 100);
    assert_eq!(read(&bytes).unwrap().1.len() as u64, sequence - 1);
    assert!(!builder().fits(BLOCK_BYTES_MAX));
}

#[test]
fn every_flipped_bit_and_every_truncation_is_refused() {
    let mut block = builder();
    for sequence in 1..=9 {
        push(&mut block, &[sequence as u8; 7], 1, 1, sequence);
    }
    let bytes = encoded(block);
    for bit in 0..bytes.len() * 8 {
        let mut bad = bytes.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(read(&bad).is_err(), "bit {bit}");
    }
    for length in 0..bytes.len() {
        assert!(
            matches!(read(&bytes[..length]), Err(BlockError::Short { .. })),
            "{length}"
        );
    }
}

#[test]
fn fields_that_disagree_are_refused_under_a_right_checksum() {
    let mut block = builder();
    push(&mut block, b"abc", 1, 1, 1);
    push(&mut block, b"abd", 2, 1, 2);
    let (good, body) = (block.clone().finish(), encoded(block));
    type Change = fn(&mut BlockHeader);
    let cases: [(&str, Change); 11] = [
        ("count", |h| h.count = 3),
        ("first position", |h| h.first = Position(0)),
        ("last position", |h| h.first = Position(u64::MAX)),
        ("raw length", |h| h.raw_body_bytes += 1),
        ("bomb", |h| {
            h.codec = Codec::Lz4;
            h.raw_body_bytes = RAW_BODY_BYTES_MAX as u32 + 1;
        }),
        ("stored length", |h| {
            h.stored_body_bytes = BLOCK_BYTES_MAX as u32
        }),
        ("mark with events", |h| h.clean_close = true),
        ("group index", |h| h.group_index = h.group_blocks),
        ("times", |h| h.recorded_min = Timestamp(3)),
        ("run beyond the block", |h| h.runs[0].count = 3),
        ("run without sequence", |h| h.runs[0].first = Sequence(0)),
    ];
    for (name, change) in cases {
        let mut header = good.header().clone();
        change(&mut header);
        let mut bytes = Vec::new();
        header.encode(&mut bytes);
        bytes.extend_from_slice(&body[body.len() - 8..]);
        assert!(read(&bytes).is_err(), "{name}");
    }
}

#[test]
fn a_later_version_is_named() {
    let mut bytes = encoded(builder());
    bytes[4] = 2;
    assert_eq!(read(&bytes), Err(BlockError::Version { found: 2 }));
}

proptest! {
    #[test]
    fn events_come_back(events in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..300), 0..3_u32, 0..50_u64), 0..60)) {
        let mut block = builder();
        for (event, source, sequence) in &events {
            push(&mut block, event, 5, *source, *sequence);
        }
        let (header, body) = read(&encoded(block)).unwrap();
        prop_assert_eq!(body.len(), events.len());
        for (stored, (event, _, _)) in body.events().zip(&events) {
            prop_assert_eq!(stored, event.as_slice());
        }
        let mut expected: Vec<_> = events.iter().map(|(_, s, q)| (*s, *q)).enumerate()
            .filter(|(_, (s, q))| *s > 0 && *q > 0).collect();
        for run in header.runs.iter().rev() {
            for at in (0..run.count).rev() {
                let found = expected.pop().unwrap();
                prop_assert_eq!(found, ((run.offset + at) as usize, (run.source.0, run.first.0 + u64::from(at))));
            }
        }
        prop_assert!(expected.is_empty());
    }

    #[test]
    fn no_bytes_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..400), fix in any::<bool>(), length in 157..300_u32) {
        if fix && bytes.len() >= 160 {
            // Give random fields a right frame, so that what lies behind the checksum is reached.
            let length = (length as usize).min(bytes.len());
            bytes[..6].copy_from_slice(b"WBLK\x01\x00");
            bytes[6] &= 1;
            bytes[7] &= 1;
            bytes[8..12].copy_from_slice(&(length as u32).to_le_bytes());
            let crc = crc32c::crc32c(&bytes[..length - 4]);
            bytes[length - 4..length].copy_from_slice(&crc.to_le_bytes());
            prop_assert!(!matches!(BlockHeader::decode(&bytes), Err(BlockError::HeaderChecksum)));
        }
        let _ = read(&bytes);
    }

    #[test]
    fn no_body_panics(stored in proptest::collection::vec(any::<u8>(), 0..300), count in any::<u32>(), raw in any::<u32>(), lz4 in any::<bool>()) {
        let mut header = builder().finish().header().clone();
        header.codec = if lz4 { Codec::Lz4 } else { Codec::Raw };
        header.count = count;
        header.raw_body_bytes = raw;
        header.stored_body_bytes = stored.len() as u32;
        header.body_crc = crc32c::crc32c(&stored);
        let _ = decode_body(&header, &stored);
    }
}

/// Pushes events with numbers from `from` to before `to`: of two sources, some of the writer's own.
fn fill(block: &mut BlockBuilder, from: u64, to: u64) {
    for number in from..to {
        let (source, sequence) = [(1, number), (1, number), (2, 7 * number), (0, 0)]
            [usize::try_from(number / 3 % 4).unwrap()];
        let event = vec![number as u8; 5 + (number % 11) as usize];
        push(block, &event, (number as i64 - 40).pow(2), source, sequence);
    }
}

fn at(first: u64) -> BlockBuilder {
    BlockBuilder::new(
        LogId([7; 16]),
        PlantId::new("PLT-07").unwrap(),
        WriterEpoch(3),
        Position(first),
        [9; 32],
    )
}

proptest! {
    #[test]
    fn joined_blocks_are_the_one_that_would_have_held_all(parts in proptest::collection::vec(0_u64..30, 1..6)) {
        let mut whole = at(1);
        let total: u64 = 1 + parts.iter().sum::<u64>();
        fill(&mut whole, 0, total);
        let mut joined = at(1);
        fill(&mut joined, 0, 1);
        let mut next = 1;
        for part in parts {
            let mut block = at(1 + next);
            fill(&mut block, next, next + part);
            next += part;
            prop_assert!(joined.join(block).is_ok());
        }
        prop_assert_eq!(encoded(joined), encoded(whole));
    }
}

#[test]
fn blocks_that_do_not_belong_together_are_not_joined() {
    let mut block = at(1);
    fill(&mut block, 0, 3);
    let before = encoded(block.clone());
    let mut others = vec![("a gap", at(5)), ("again", at(3))];
    others.push((
        "another epoch",
        BlockBuilder::new(
            LogId([7; 16]),
            PlantId::new("PLT-07").unwrap(),
            WriterEpoch(4),
            Position(4),
            [9; 32],
        ),
    ));
    let mut full = at(4);
    for bytes in [1_000, 1] {
        while full.fits(bytes) {
            push(&mut full, &vec![1; bytes], 1, 1, 1);
        }
    }
    others.push(("too long", full));
    for (what, mut other) in others {
        if other.is_empty() {
            fill(&mut other, 0, 1);
        }
        let came_back = block.join(other.clone()).expect_err(what);
        assert_eq!(encoded(*came_back), encoded(other), "{what}");
        assert_eq!(encoded(block.clone()), before, "{what}");
    }
}
