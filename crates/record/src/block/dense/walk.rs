//! Takes an event apart into shape and values, and puts it together again.

use super::column::{Columns, Path, Plan, Take};

/// The wire types that are used; groups are not.
pub(super) const VARINT: u64 = 0;
pub(super) const FIXED64: u64 = 1;
pub(super) const BYTES: u64 = 2;
pub(super) const FIXED32: u64 = 5;

/// The keys of the fields that are opened, by the depth at which they stand: `RecordedEvent.event`,
/// `Event.body`. In `Body`, at depth 2, every field is.
const OPENED: [u64; 2] = [8 << 3 | BYTES, 6 << 3 | BYTES];
/// The depth of the fields of an event's kind.
const INNERMOST: u8 = 3;
/// The step that ends a message; no field has this key.
const END: u64 = 0;
/// No event has more steps: it has at most 32 KiB, and each step takes two bytes at least.
const STEPS_MAX: u64 = 16 * 1024;

/// The fields of an event, in their order: keys, and [`END`] where a message ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Shape(Vec<u64>);

/// The unread rest of some bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn take(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn varint(&mut self) -> Option<u64> {
        if let [byte @ 0..=0x7f, rest @ ..] = self.0 {
            self.0 = rest;
            return Some(u64::from(*byte));
        }
        let mut value = 0_u64;
        for (at, byte) in self.0.iter().enumerate().take(10) {
            value |= u64::from(byte & 0x7f) << (7 * at);
            if *byte < 0x80 {
                self.0 = self.0.get(at + 1..)?;
                return Some(value);
            }
        }
        None
    }

    pub(super) fn fixed(&mut self, bytes: usize) -> Option<u64> {
        let mut value = [0; 8];
        value.get_mut(..bytes)?.copy_from_slice(self.take(bytes)?);
        Some(u64::from_le_bytes(value))
    }
}

pub(super) fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

impl Shape {
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        put_varint(self.0.len() as u64, out);
        for step in &self.0 {
            put_varint(*step, out);
        }
    }

    /// Reads a shape whose messages are all ended; nothing where it is not one.
    pub(super) fn decode(input: &mut Reader<'_>) -> Option<Self> {
        let steps = input.varint()?;
        if steps > STEPS_MAX {
            return None;
        }
        let steps: Vec<u64> = (0..steps).map(|_| input.varint()).collect::<Option<_>>()?;
        let shape = Self(steps);
        shape.walk(&mut |_| Some(())).map(|()| shape)
    }

    /// Calls `f` with each step and the path it stands at.
    pub(super) fn walk(&self, f: &mut impl FnMut(Step) -> Option<()>) -> Option<()> {
        let (mut depth, mut kind) = (0_u8, 0);
        for key in &self.0 {
            if *key == END {
                depth = depth.checked_sub(1)?;
                f(Step::End)?;
            } else if is_opened(depth, *key) {
                if depth == INNERMOST - 1 {
                    kind = *key;
                }
                depth += 1;
                f(Step::Open(*key))?;
            } else {
                matches!(key & 7, VARINT | FIXED64 | BYTES | FIXED32).then_some(())?;
                let kind = if depth == INNERMOST { kind } else { 0 };
                let key = *key;
                f(Step::Field(Path { depth, kind, key }))?;
            }
        }
        (depth == 0).then_some(())
    }
}

/// A step of a shape.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// A message begins in the field of this key.
    Open(u64),
    /// The message ends.
    End,
    /// A value stands here.
    Field(Path),
}

fn is_opened(depth: u8, key: u64) -> bool {
    match OPENED.get(usize::from(depth)) {
        Some(opened) => key == *opened,
        None => depth < INNERMOST && key & 7 == BYTES,
    }
}

/// Hands the values of an event to the columns, and answers its shape.
pub(super) fn take_apart(event: &[u8], columns: &mut Columns) -> Option<Shape> {
    let mut shape = Shape::default();
    columns.next_event(event);
    message(Reader::new(event), 0, 0, columns, &mut shape)?;
    Some(shape)
}

fn message(
    mut input: Reader<'_>,
    depth: u8,
    kind: u64,
    columns: &mut Columns,
    shape: &mut Shape,
) -> Option<()> {
    while !input.is_empty() {
        let key = input.varint()?;
        shape.0.push(key);
        if shape.0.len() as u64 > STEPS_MAX {
            return None;
        }
        if is_opened(depth, key) {
            let length = usize::try_from(input.varint()?).ok()?;
            let kind = if depth == INNERMOST - 1 { key } else { 0 };
            let inner = Reader::new(input.take(length)?);
            message(inner, depth + 1, kind, columns, shape)?;
            shape.0.push(END);
            continue;
        }
        let path = Path { depth, kind, key };
        match key & 7 {
            VARINT => columns.number(path, input.varint()?),
            FIXED64 => columns.number(path, input.fixed(8)?),
            FIXED32 => columns.number(path, input.fixed(4)?),
            BYTES => {
                let length = usize::try_from(input.varint()?).ok()?;
                columns.bytes(path, input.take(length)?);
            }
            _ => return None,
        }
    }
    Some(())
}

/// Appends the next event, of this plan, to `out`.
pub(super) fn put_together(plan: &Plan, columns: &mut Columns, out: &mut Vec<u8>) -> Option<()> {
    columns.next_planned(plan);
    let mut open = [0_usize; INNERMOST as usize];
    let mut depth = 0;
    for step in &plan.steps {
        match *step {
            Take::Open(key) => {
                put_varint(key, out);
                *open.get_mut(depth)? = out.len();
                depth += 1;
            }
            Take::End => {
                depth = depth.checked_sub(1)?;
                close(*open.get(depth)?, out)?;
            }
            Take::Field(path, at) => {
                put_varint(path.key, out);
                let value = columns.next(path, at)?;
                match path.key & 7 {
                    VARINT => put_varint(value, out),
                    FIXED64 => out.extend_from_slice(&value.to_le_bytes()),
                    FIXED32 => out.extend_from_slice(&u32::try_from(value).ok()?.to_le_bytes()),
                    _ => {
                        put_varint(value, out);
                        out.extend_from_slice(columns.next_bytes(at, value)?);
                    }
                }
            }
        }
    }
    Some(())
}

/// The machine that an event is about, if it says so.
pub(super) fn machine_of(event: &[u8]) -> Option<u64> {
    let mut inside = field(event, OPENED[0])?;
    while !inside.is_empty() {
        let key = inside.varint()?;
        if key == 2 << 3 {
            return inside.varint();
        }
        skip(&mut inside, key)?;
    }
    None
}

/// The message in the first field of this key.
fn field(message: &[u8], wanted: u64) -> Option<Reader<'_>> {
    let mut input = Reader::new(message);
    while !input.is_empty() {
        let key = input.varint()?;
        if key == wanted {
            let length = usize::try_from(input.varint()?).ok()?;
            return input.take(length).map(Reader::new);
        }
        skip(&mut input, key)?;
    }
    None
}

fn skip(input: &mut Reader<'_>, key: u64) -> Option<()> {
    match key & 7 {
        VARINT => input.varint().map(drop),
        FIXED64 => input.take(8).map(drop),
        FIXED32 => input.take(4).map(drop),
        BYTES => {
            let length = usize::try_from(input.varint()?).ok()?;
            input.take(length).map(drop)
        }
        _ => None,
    }
}

/// Puts the length of a message that began at `start` before it.
fn close(start: usize, out: &mut Vec<u8>) -> Option<()> {
    let length = out.len().checked_sub(start)?;
    let mut prefix = Vec::with_capacity(4);
    put_varint(length as u64, &mut prefix);
    let width = prefix.len();
    out.extend_from_slice(&prefix);
    out.get_mut(start..)?.rotate_right(width);
    Some(())
}
