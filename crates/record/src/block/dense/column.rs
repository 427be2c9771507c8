//! The columns of a body: each holds one field of all its events.

use super::known::Known;
use super::walk::{BYTES, FIXED64, Reader, Shape, Step, machine_of, put_varint};
use std::collections::BTreeMap;

/// Where a field stands: how deep, in which kind of event (its key in `Body`; 0 outside), its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Path {
    pub(super) depth: u8,
    pub(super) kind: u64,
    pub(super) key: u64,
}

const fn path(depth: u8, key: u64) -> Path {
    let kind = 0;
    Path { depth, kind, key }
}

const POSITION: Path = path(0, 1 << 3);
const SOURCE: Path = path(0, 4 << 3);
const PREVIOUS: Path = path(0, 5 << 3);
const MACHINE: Path = path(1, 2 << 3);

/// How the numbers of a column are foretold; what is stored is the difference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mode {
    /// Not at all.
    #[default]
    Plain,
    /// The number before in the column.
    Last,
    /// The number before in the column of the same machine.
    OfMachine,
    /// The number before in the column of the same source.
    OfSource,
    /// The last number of eight bytes in the same event: most times are near each other.
    InEvent,
    /// The position of the event before of the same machine.
    Chain,
    /// Not at all, in eight bytes each: for numbers that look like chance.
    Wide,
}

const MODES: [Mode; 7] = [
    Mode::Plain,
    Mode::Last,
    Mode::OfMachine,
    Mode::OfSource,
    Mode::InEvent,
    Mode::Chain,
    Mode::Wide,
];

/// What is known of the event that is being read or written.
#[derive(Clone, Copy, Debug, Default)]
struct Event {
    position: u64,
    source: u64,
    machine: u64,
    /// The position of the event before of the machine.
    chained: Option<u64>,
    /// The last number of eight bytes.
    wide: u64,
}

#[derive(Debug, Default)]
struct Column {
    /// Going in: each number. Coming out: what is stored of each.
    numbers: Vec<u64>,
    /// Going in: the context of each number.
    events: Vec<Event>,
    bytes: Vec<u8>,
    mode: Mode,
    /// Coming out: how many numbers and bytes were taken.
    taken: usize,
    bytes_taken: usize,
    memory: Memory,
}

/// What a prediction remembers of a column.
#[derive(Debug, Default)]
struct Memory {
    last: u64,
    of_machine: Known,
    of_source: Known,
}

impl Memory {
    fn foretold(&self, mode: Mode, event: &Event) -> u64 {
        let of = |known: &Known, key| known.get(key).unwrap_or(self.last);
        match mode {
            Mode::Plain | Mode::Wide => 0,
            Mode::Last => self.last,
            Mode::OfMachine => of(&self.of_machine, event.machine),
            Mode::OfSource => of(&self.of_source, event.source),
            Mode::InEvent => event.wide,
            Mode::Chain => event.chained.unwrap_or(event.position),
        }
    }

    fn learn(&mut self, mode: Mode, event: &Event, number: u64) {
        self.last = number;
        match mode {
            Mode::OfMachine => self.of_machine.insert(event.machine, number),
            Mode::OfSource => self.of_source.insert(event.source, number),
            _ => {}
        }
    }
}

/// The columns of a body by their paths, in the order in which they are met.
#[derive(Debug, Default)]
pub(super) struct Columns {
    by_path: BTreeMap<Path, usize>,
    columns: Vec<(Path, Column)>,
    event: Event,
    /// The last position of each machine before this event.
    chain: Known,
}

impl Columns {
    /// Going in: the numbers and bytes that come belong to this event.
    pub(super) fn next_event(&mut self, event: &[u8]) {
        self.begin(machine_of(event).unwrap_or(0));
    }

    /// Going in: takes a number.
    pub(super) fn number(&mut self, path: Path, number: u64) {
        let (at, event) = (self.index(path), self.event);
        if let Some((_, column)) = self.columns.get_mut(at) {
            column.numbers.push(number);
            column.events.push(event);
        }
        self.note(path, number);
    }

    /// Going in: takes a text.
    pub(super) fn bytes(&mut self, path: Path, bytes: &[u8]) {
        self.number(path, bytes.len() as u64);
        let at = self.index(path);
        if let Some((_, column)) = self.columns.get_mut(at) {
            column.bytes.extend_from_slice(bytes);
        }
    }

    /// Coming out: the steps of a shape with the columns that they take from.
    pub(super) fn plan(&mut self, shape: &Shape) -> Option<Plan> {
        let mut plan = Plan::default();
        shape.walk(&mut |step| {
            plan.steps.push(match step {
                Step::Open(key) => Take::Open(key),
                Step::End => Take::End,
                Step::Field(path) => {
                    let at = self.index(path);
                    plan.has_machine |= path == MACHINE;
                    Take::Field(path, at)
                }
            });
            Some(())
        })?;
        Some(plan)
    }

    /// Coming out: the next event has this plan.
    pub(super) fn next_planned(&mut self, plan: &Plan) {
        // The machine stands behind what is foretold from it.
        let at = plan.has_machine.then(|| self.by_path.get(&MACHINE));
        let column = at.flatten().and_then(|at| self.columns.get(*at));
        let machine = column.and_then(|(_, column)| {
            let stored = column.numbers.get(column.taken)?;
            let foretold = column.memory.foretold(column.mode, &Event::default());
            Some(whole(column.mode, foretold, *stored))
        });
        self.begin(machine.unwrap_or(0));
    }

    /// Coming out: the next number of a column.
    pub(super) fn next(&mut self, path: Path, at: usize) -> Option<u64> {
        let (_, column) = self.columns.get_mut(at)?;
        let stored = *column.numbers.get(column.taken)?;
        column.taken += 1;
        let foretold = column.memory.foretold(column.mode, &self.event);
        let number = whole(column.mode, foretold, stored);
        column.memory.learn(column.mode, &self.event, number);
        self.note(path, number);
        Some(number)
    }

    /// Coming out: the text behind a length.
    pub(super) fn next_bytes(&mut self, at: usize, length: u64) -> Option<&[u8]> {
        let (_, column) = self.columns.get_mut(at)?;
        let from = column.bytes_taken;
        let to = from.checked_add(usize::try_from(length).ok()?)?;
        column.bytes_taken = to;
        column.bytes.get(from..to)
    }

    fn begin(&mut self, machine: u64) {
        if self.event.machine > 0 {
            self.chain.insert(self.event.machine, self.event.position);
        }
        self.event = Event {
            machine,
            chained: self.chain.get(machine),
            ..Event::default()
        };
    }

    fn index(&mut self, path: Path) -> usize {
        let next = self.columns.len();
        let at = *self.by_path.entry(path).or_insert(next);
        if at == next {
            self.columns.push((path, Column::default()));
        }
        at
    }

    fn note(&mut self, path: Path, number: u64) {
        match path {
            POSITION => self.event.position = number,
            SOURCE => self.event.source = number,
            _ => {}
        }
        if path.key & 7 == FIXED64 {
            self.event.wide = number;
        }
    }

    /// Writes all columns, each in the mode that takes the least.
    pub(super) fn encode(self, out: &mut Vec<u8>) {
        for (path, column) in self.columns {
            let (mode, stored) = column.best(path);
            let code = MODES.iter().position(|known| *known == mode);
            out.push(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(0));
            for number in stored {
                match mode {
                    Mode::Wide => out.extend_from_slice(&number.to_le_bytes()),
                    _ => put_varint(number, out),
                }
            }
            out.extend_from_slice(&column.bytes);
        }
    }

    /// Coming out: reads the columns, after all shapes are planned; each plan stands for as many
    /// events as `uses` says.
    pub(super) fn read(
        &mut self,
        plans: &[Plan],
        uses: &[usize],
        input: &mut Reader<'_>,
    ) -> Option<()> {
        let mut counts = vec![0_usize; self.columns.len()];
        for (plan, uses) in plans.iter().zip(uses) {
            for step in &plan.steps {
                if let Take::Field(_, at) = step {
                    let count = counts.get_mut(*at)?;
                    *count = count.checked_add(*uses)?;
                }
            }
        }
        for ((path, column), count) in self.columns.iter_mut().zip(counts) {
            column.read(*path, count, input)?;
        }
        Some(())
    }
}

/// The steps of a shape, with the columns that they take from.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) steps: Vec<Take>,
    has_machine: bool,
}

/// A step of a plan.
#[derive(Clone, Copy, Debug)]
pub(super) enum Take {
    /// A message begins in the field of this key.
    Open(u64),
    /// The message ends.
    End,
    /// The next value of the column of this index.
    Field(Path, usize),
}

impl Column {
    fn read(&mut self, path: Path, count: usize, input: &mut Reader<'_>) -> Option<()> {
        let mode = usize::from(*input.take(1)?.first()?);
        self.mode = *MODES.get(mode)?;
        // No more than there is: each number takes a byte at least.
        self.numbers.reserve(count.min(input.len()));
        for _ in 0..count {
            let wide = self.mode == Mode::Wide;
            let number = if wide {
                input.fixed(8)?
            } else {
                input.varint()?
            };
            self.numbers.push(number);
        }
        if path.key & 7 == BYTES {
            // Lengths are never foretold, so that the bytes can be cut out here.
            (self.mode == Mode::Plain).then_some(())?;
            let mut total = 0_usize;
            for length in &self.numbers {
                total = total.checked_add(usize::try_from(*length).ok()?)?;
            }
            self.bytes = input.take(total)?.to_vec();
        }
        Some(())
    }

    /// The mode that takes the least, and the numbers as stored in it.
    fn best(&self, path: Path) -> (Mode, Vec<u64>) {
        let mut best = (Mode::Plain, self.numbers.clone());
        if path.key & 7 == BYTES {
            return best;
        }
        let mut least = size(Mode::Plain, &self.numbers);
        for mode in MODES.into_iter().skip(1) {
            // What the machine is must be known before anything is foretold from it.
            let free = path != MACHINE || matches!(mode, Mode::Last | Mode::Wide);
            let fits = free && (mode != Mode::Chain || path == PREVIOUS);
            if !fits {
                continue;
            }
            let stored = self.stored(mode);
            let bytes = size(mode, &stored);
            if bytes < least {
                (best, least) = ((mode, stored), bytes);
            }
        }
        best
    }

    fn stored(&self, mode: Mode) -> Vec<u64> {
        let mut memory = Memory::default();
        let pairs = self.numbers.iter().zip(&self.events);
        let stored = pairs.map(|(number, event)| {
            let foretold = memory.foretold(mode, event);
            memory.learn(mode, event, *number);
            rest(mode, foretold, *number)
        });
        stored.collect()
    }
}

/// What is stored of a number.
fn rest(mode: Mode, foretold: u64, number: u64) -> u64 {
    match mode {
        Mode::Plain | Mode::Wide => number,
        _ => {
            let difference = number.wrapping_sub(foretold).cast_signed();
            ((difference << 1) ^ (difference >> 63)).cast_unsigned()
        }
    }
}

/// The number of which this is stored.
fn whole(mode: Mode, foretold: u64, stored: u64) -> u64 {
    match mode {
        Mode::Plain | Mode::Wide => stored,
        _ => {
            let difference = (stored >> 1) ^ (stored & 1).wrapping_neg();
            foretold.wrapping_add(difference)
        }
    }
}

/// How many bytes numbers take.
fn size(mode: Mode, stored: &[u64]) -> usize {
    if mode == Mode::Wide {
        return stored.len() * 8;
    }
    let bits = stored
        .iter()
        .map(|number| (64 - number.leading_zeros()).max(1));
    bits.map(|bits| bits.div_ceil(7) as usize).sum()
}
