//! The dense codec: the events of a body taken apart into columns, and these deflated.
//!
//! Next to each other in a log stand events that say nearly the same: the next position, a moment
//! later, the same machine. A codec that knows only bytes cannot see that a number is one more than
//! the last. So each field of all events becomes a column, each column of numbers is written as
//! what is left after the best of a few predictions, and DEFLATE takes the rest.
//!
//! ```text
//! body       = DEFLATE of:
//!   shapes   : their number, then each: its number of steps, then the steps
//!   shape of each event, one number each
//!   columns  : in the order in which the shapes meet them, each: mode (1 byte), its numbers, then,
//!              if it holds texts, their bytes
//! step       = a field's key as on the wire (number and wire type), or 0 for the end of a message
//! number     = LEB128; differences are zigzag
//! ```
//!
//! A field of bytes holds its lengths as numbers. `RecordedEvent.event`, `Event.body` and the one
//! field of `Body` are opened, whatever lies deeper is bytes. Lengths of opened messages are not
//! stored. What comes out is compared with what went in before anything is built on it: an event that
//! is not in its shortest form makes [`pack`] answer nothing.

mod column;
mod known;
mod walk;

use super::RAW_BODY_BYTES_MAX;
use column::Columns;
use flate2::Compression;
use flate2::read::{DeflateDecoder, DeflateEncoder};
use std::collections::BTreeMap;
use std::io::Read;
use walk::{Reader, Shape};

/// No body has more shapes; events that are all different are not worth it.
const SHAPES_MAX: usize = 4_096;
/// How much the inflated columns may take, so that a hostile body cannot claim much memory.
const COLUMNS_BYTES_MAX: usize = 4 * RAW_BODY_BYTES_MAX;

/// The dense form of `count` events, each behind its length, as a body holds them. Nothing where the
/// events would not come out byte for byte the same.
pub(super) fn pack(raw: &[u8], count: u32) -> Option<Vec<u8>> {
    let mut shapes: BTreeMap<Shape, u64> = BTreeMap::new();
    let mut columns = Columns::default();
    let mut order = Vec::with_capacity(count as usize);
    let mut input = Reader::new(raw);
    for _ in 0..count {
        let length = usize::try_from(input.varint()?).ok()?;
        let shape = walk::take_apart(input.take(length)?, &mut columns)?;
        let next = shapes.len() as u64;
        order.push(*shapes.entry(shape).or_insert(next));
        if shapes.len() > SHAPES_MAX {
            return None;
        }
    }
    let mut plain = Vec::with_capacity(raw.len() / 2);
    let mut by_number: Vec<_> = shapes.iter().collect();
    by_number.sort_unstable_by_key(|(_, number)| **number);
    walk::put_varint(by_number.len() as u64, &mut plain);
    for (shape, _) in by_number {
        shape.encode(&mut plain);
    }
    for number in order {
        walk::put_varint(number, &mut plain);
    }
    columns.encode(&mut plain);
    let mut packed = Vec::new();
    DeflateEncoder::new(plain.as_slice(), Compression::new(9))
        .read_to_end(&mut packed)
        .ok()?;
    (unpack(&packed, count, raw.len()).as_deref() == Some(raw)).then_some(packed)
}

/// The events of a dense body, each behind its length; nothing where the bytes are no such body, or
/// one of another length. Takes memory in proportion to `raw_bytes` at most.
pub(super) fn unpack(packed: &[u8], count: u32, raw_bytes: usize) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(raw_bytes.min(RAW_BODY_BYTES_MAX));
    let limit = COLUMNS_BYTES_MAX as u64;
    let mut inflated = DeflateDecoder::new(packed).take(limit);
    inflated.read_to_end(&mut plain).ok()?;
    let mut input = Reader::new(&plain);
    let shapes = usize::try_from(input.varint()?).ok()?;
    if shapes > SHAPES_MAX {
        return None;
    }
    let mut columns = Columns::default();
    let mut plans = Vec::with_capacity(shapes);
    for _ in 0..shapes {
        plans.push(columns.plan(&Shape::decode(&mut input)?)?);
    }
    let mut uses = vec![0_usize; shapes];
    let mut order = Vec::with_capacity((count as usize).min(input.len()));
    for _ in 0..count {
        let number = usize::try_from(input.varint()?).ok()?;
        *uses.get_mut(number)? += 1;
        order.push(number);
    }
    columns.read(&plans, &uses, &mut input)?;
    let mut raw = Vec::with_capacity(raw_bytes.min(RAW_BODY_BYTES_MAX));
    let mut event = Vec::new();
    for number in order {
        event.clear();
        walk::put_together(plans.get(number)?, &mut columns, &mut event)?;
        walk::put_varint(event.len() as u64, &mut raw);
        raw.extend_from_slice(&event);
        if raw.len() > raw_bytes {
            return None;
        }
    }
    (input.is_empty() && raw.len() == raw_bytes).then_some(raw)
}
