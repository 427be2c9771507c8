//! The file of a mark: what the interval before it holds, what came late in it, and the state.
//!
//! A file holds: magic (8 bytes), version, length of the head and its checksum (u32 each, big-endian),
//! the head (bincode), the late events that reach no further than the interval before, and the state:
//! what it holds beside the machines, the table of their pages, the pages. Late events that reach
//! further stand in one file for all marks, one after the other, so that a question reads those of many
//! intervals at once. Each part and each page has a CRC-32C of its own.

use super::interval::{Described, Interval, Lates};
use super::row::Link;
use crate::error::EngineError;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::{Range, RangeInclusive};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use werkbuch_model::id::{LogId, Position};
use werkbuch_model::time::Timestamp;
use werkbuch_twin::{FOLD_VERSION, Mark, MarkBase};

const MAGIC: &[u8; 8] = b"WBMARK\r\n";
const VERSION: u32 = 4;
const FIXED: usize = 8 + 4 + 4 + 4;
/// No part may ask for more memory than this when it is read.
const PART_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// A head has seldom more bytes.
const HEAD_BYTES: u64 = 1024;
const CONTRADICTION: &str = "it contradicts itself";

/// So many bytes are read in vain rather than sought over.
const FAR_WAY_MAX: u64 = 64 * 1024;

/// What a mark says of the interval that it ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    log_id: [u8; 16],
    /// The version of the fold that made the state.
    fold: u32,
    after: u64,
    position: u64,
    /// The position of the mark that the state is the change since; 0 where it is whole.
    since: u64,
    /// Its number in its row.
    number: u32,
    /// What it is to those that are the change since it.
    base: Option<MarkBase>,
    before: i64,
    front: i64,
    top: i64,
    reach: i64,
    /// Whether what came late is in the file; else the interval is read from the log.
    pub(super) has_late: bool,
    pub(super) described: Vec<Described>,
    /// Positions and numbers of the sources that were opened.
    pub(super) opened: Vec<(u64, u32)>,
    near: Part,
    far: Part,
    /// Where the far ones begin in the file of all marks.
    far_at: u64,
    /// How far back those reach; the greatest time where there are none.
    far_reach: i64,
    rest: Part,
    table: Part,
    /// How many bytes all pages have.
    pages: u64,
}

/// Where a part ends and what guards it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Part {
    bytes: u64,
    crc: u32,
}

impl Part {
    fn of(bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.len() as u64,
            crc: crc32c::crc32c(bytes),
        }
    }
}

impl Head {
    /// The head of an interval that ends here; its file is not written yet.
    pub(super) fn of(interval: &Interval, log_id: LogId) -> Self {
        Self {
            log_id: log_id.0,
            fold: FOLD_VERSION,
            after: interval.after.get(),
            position: interval.last.get(),
            since: 0,
            number: 0,
            base: None,
            before: interval.before.nanos(),
            front: interval.front.nanos(),
            top: interval.top.nanos(),
            reach: interval.reach.nanos(),
            has_late: interval.late.is_some(),
            described: interval.described.clone(),
            opened: interval
                .opened
                .iter()
                .map(|(position, number)| (position.get(), number.get()))
                .collect(),
            near: Part::default(),
            far: Part::default(),
            far_at: 0,
            far_reach: interval
                .late
                .as_ref()
                .map_or(interval.reach, |late| late.far.reach)
                .nanos(),
            rest: Part::default(),
            table: Part::default(),
            pages: 0,
        }
    }

    /// Whether it belongs to the log and to this build's fold.
    pub(super) fn is_of(&self, log_id: LogId) -> bool {
        self.log_id == log_id.0 && self.fold == FOLD_VERSION
    }

    /// Says what the state is the change since, if it is not whole.
    pub(super) fn follow(&mut self, mark: Option<(Link, u32)>, base: MarkBase) {
        (self.since, self.number) =
            mark.map_or((0, 0), |(link, number)| (link.position.get(), number));
        self.base = Some(base);
    }

    /// The mark that the state is the change since, if it is not whole.
    pub(super) fn since(&self) -> Option<Position> {
        (self.since > 0).then_some(Position(self.since))
    }

    /// It as one that others are the change since.
    pub(super) fn link(&self) -> Option<Link> {
        self.base.map(|base| Link {
            number: self.number,
            position: self.position(),
            base,
        })
    }

    pub(super) fn after(&self) -> Position {
        Position(self.after)
    }

    pub(super) fn position(&self) -> Position {
        Position(self.position)
    }

    pub(super) fn top(&self) -> Timestamp {
        Timestamp(self.top)
    }

    pub(super) fn reach(&self) -> Timestamp {
        Timestamp(self.reach)
    }

    pub(super) fn front(&self) -> Timestamp {
        Timestamp(self.front)
    }

    /// What near late events reach behind: the front of the interval that came before when it was written.
    pub(super) fn before(&self) -> Timestamp {
        Timestamp(self.before)
    }

    /// How many events the interval has.
    pub(super) fn len(&self) -> u64 {
        self.position.saturating_sub(self.after)
    }

    /// How far back those late events reach that reach further than the interval before.
    pub(super) fn far_reach(&self) -> Timestamp {
        Timestamp(self.far_reach)
    }

    /// The bytes that it takes, but for the head.
    pub(super) fn bytes(&self) -> u64 {
        self.in_file().saturating_add(self.far.bytes)
    }

    /// Where in the file of all marks its far ones end.
    pub(super) fn far_end(&self) -> u64 {
        self.far_at.saturating_add(self.far.bytes)
    }

    fn in_file(&self) -> u64 {
        let parts = [
            self.near.bytes,
            self.rest.bytes,
            self.table.bytes,
            self.pages,
        ];
        parts.into_iter().fold(0, u64::saturating_add)
    }

    /// Whether it can be: whatever wrote it.
    fn is_sound(&self) -> bool {
        self.after < self.position
            && self.since <= self.after
            && self.front <= self.top
            && self.near.bytes <= PART_BYTES_MAX
            && self.far.bytes <= PART_BYTES_MAX
            && self.rest.bytes <= PART_BYTES_MAX
            && self.table.bytes <= PART_BYTES_MAX
            && self.pages <= PART_BYTES_MAX
    }
}

/// The file of the mark at a position.
pub(super) fn path(folder: &Path, position: Position) -> PathBuf {
    folder.join(format!("{:020}.mark", position.get()))
}

/// The file of what reaches far, of all marks of a plant.
fn far_path(folder: &Path) -> PathBuf {
    folder.join("far.late")
}

/// A mark that is written and not in its place yet.
#[derive(Debug)]
pub(super) struct Written {
    head: Head,
    temporary: PathBuf,
    path: PathBuf,
}

impl Written {
    /// Puts it in its place, whole or not at all. Answers the head as it stands in the file.
    pub(super) fn place(self) -> Result<Head, EngineError> {
        let fail = |error| EngineError::io("write the mark", &self.path, error);
        std::fs::rename(&self.temporary, &self.path).map_err(fail)?;
        Ok(self.head)
    }

    /// Removes it.
    pub(super) fn give_up(self) {
        let _ = std::fs::remove_file(&self.temporary);
    }
}

/// Writes a mark beside its place. Nothing waits for it to be synced: it is folded anew if it is lost. Of a
/// plant one is written at a time.
pub(super) fn write(
    folder: &Path,
    mut head: Head,
    late: &Lates,
    mark: &Mark,
) -> Result<Written, EngineError> {
    let path = path(folder, head.position());
    let fail = |error| EngineError::io("write the mark", &path, error);
    std::fs::create_dir_all(folder).map_err(fail)?;
    let mut far = File::options()
        .append(true)
        .create(true)
        .open(far_path(folder))
        .map_err(fail)?;
    head.far_at = far.seek(SeekFrom::End(0)).map_err(fail)?;
    head.near = Part::of(&late.near.bytes);
    head.far = Part::of(&late.far.bytes);
    far.write_all(&late.far.bytes).map_err(fail)?;
    let config = bincode::config::standard();
    let coding = |error| EngineError::internal(format!("a mark: {error}"));
    let table = bincode::serde::encode_to_vec(pages(mark), config).map_err(coding)?;
    head.rest = Part::of(&mark.rest);
    head.table = Part::of(&table);
    head.pages = mark.machines.len() as u64;
    let encoded = bincode::serde::encode_to_vec(&head, config).map_err(coding)?;
    let length = u32::try_from(encoded.len())
        .map_err(|_| EngineError::internal("the head of a mark is too long"))?;
    let mut begin = Vec::with_capacity(FIXED + encoded.len());
    begin.extend_from_slice(MAGIC);
    begin.extend_from_slice(&VERSION.to_be_bytes());
    begin.extend_from_slice(&length.to_be_bytes());
    begin.extend_from_slice(&crc32c::crc32c(&encoded).to_be_bytes());
    begin.extend_from_slice(&encoded);
    let temporary = path.with_extension("new");
    let mut file = File::create(&temporary).map_err(fail)?;
    let parts = [&begin, &late.near.bytes, &mark.rest, &table, &mark.machines];
    for part in parts {
        file.write_all(part).map_err(fail)?;
    }
    Ok(Written {
        head,
        temporary,
        path,
    })
}

/// Forgets what reaches far of marks that are gone.
pub(super) fn cut_far(folder: &Path, end: u64) {
    // What cannot be cut is not read either: the marks that named it are gone.
    let file = File::options().write(true).open(far_path(folder));
    let _ = file.and_then(|file| {
        let length = file.metadata()?.len();
        file.set_len(length.min(end))
    });
}

/// What reaches far of several marks.
#[derive(Debug)]
pub(super) struct Far {
    /// Pieces of the file of all marks.
    runs: Vec<Vec<u8>>,
    /// Of each mark in their order: the number of its piece, and where in it its own begins and ends.
    places: Vec<(usize, Range<usize>)>,
}

impl Far {
    /// The late events of each mark, in the order in which the marks were named.
    pub(super) fn each(&self) -> impl Iterator<Item = &[u8]> {
        let own = |(run, range): &(usize, Range<usize>)| self.runs.get(*run)?.get(range.clone());
        self.places
            .iter()
            .map(move |place| own(place).unwrap_or_default())
    }
}

/// Reads what reaches far of several marks. Errors: the mark of which it is not what was written.
pub(super) fn far(folder: &Path, heads: &[Arc<Head>]) -> Result<Far, (Arc<Head>, String)> {
    let mut far = Far {
        runs: Vec::new(),
        places: vec![(0, 0..0); heads.len()],
    };
    let Some(first) = heads.first() else {
        return Ok(far);
    };
    // Marks of an interval that was divided stand behind those that follow it.
    let mut order: Vec<(usize, &Arc<Head>)> = heads.iter().enumerate().collect();
    order.sort_by_key(|(_, head)| head.far_at);
    let is_near = |one: &(usize, &Arc<Head>), next: &(usize, &Arc<Head>)| {
        next.1.far_at <= one.1.far_end().saturating_add(FAR_WAY_MAX)
    };
    let io = |head: &Arc<Head>, error: std::io::Error| (Arc::clone(head), error.to_string());
    let mut file = File::open(far_path(folder)).map_err(|error| io(first, error))?;
    for run in order.chunk_by(is_near) {
        let (Some((_, first)), Some((_, last))) = (run.first(), run.last()) else {
            continue;
        };
        let mut read = || {
            file.seek(SeekFrom::Start(first.far_at))?;
            let length = last.far_end().saturating_sub(first.far_at);
            let mut bytes = Vec::new();
            (&mut file).take(length).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let bytes = read().map_err(|error| io(first, error))?;
        for (at, head) in run {
            let from = usize::try_from(head.far_at.saturating_sub(first.far_at)).ok();
            let length = usize::try_from(head.far.bytes).ok();
            let end = from
                .zip(length)
                .and_then(|(from, length)| from.checked_add(length));
            let range = from.zip(end).map(|(from, end)| from..end);
            let own = range.clone().and_then(|range| bytes.get(range));
            match (
                own.filter(|own| Part::of(own) == head.far),
                far.places.get_mut(*at),
            ) {
                (Some(_), Some(place)) => *place = (far.runs.len(), range.unwrap_or_default()),
                _ => {
                    let what = "what came late is not what was written".to_owned();
                    return Err((Arc::clone(head), what));
                }
            }
        }
        far.runs.push(bytes);
    }
    Ok(far)
}

/// The head of a file. Errors: a sentence that says why it is none.
pub(super) fn head(path: &Path) -> Result<Head, String> {
    let mut file = File::open(path).map_err(|error| error.to_string())?;
    begin(&mut file).map(|(head, _)| head)
}

/// The late events of a mark's file that reach no further than the interval before.
pub(super) fn near(folder: &Path, head: &Head) -> Result<Vec<u8>, String> {
    let (mut file, at) = open_as(folder, head)?;
    part(&mut file, at, head.near)
}

/// A page as the table of a file has it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Page {
    number: u32,
    part: Part,
}

/// The table of a mark's pages.
fn pages(mark: &Mark) -> Vec<Page> {
    let mut at = 0;
    let page = |page: &werkbuch_twin::Page| {
        let bytes = mark.machines.get(at..at + page.length);
        at += page.length;
        Page {
            number: page.number,
            part: Part::of(bytes.unwrap_or_default()),
        }
    };
    mark.pages.iter().map(page).collect()
}

/// The state of a file whose pages are still to be read.
#[derive(Debug)]
pub(super) struct State {
    /// What it holds beside the machines.
    pub(super) rest: Vec<u8>,
    /// The pages and where they lie in the file, in the order of their numbers.
    table: Vec<(Page, u64)>,
    file: File,
}

/// Some of the pages of a state.
#[derive(Debug)]
pub(super) struct Pages<'s> {
    table: &'s [(Page, u64)],
    /// What lies in the file from the first of them to the last.
    bytes: Vec<u8>,
}

impl State {
    /// The numbers of its pages, in order.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> {
        self.table.iter().map(|(page, _)| page.number)
    }

    /// Reads those of its pages whose numbers lie in a range. Errors: they are not what was written.
    pub(super) fn pages(&self, numbers: RangeInclusive<u32>) -> Result<Pages<'_>, String> {
        let table = self.table.as_slice();
        let begin = table.partition_point(|(page, _)| page.number < *numbers.start());
        let end = table.partition_point(|(page, _)| page.number <= *numbers.end());
        let table = table.get(begin..end).unwrap_or_default();
        let mut bytes = Vec::new();
        if let (Some((_, from)), Some((last, at))) = (table.first(), table.last()) {
            let length = at.saturating_add(last.part.bytes).saturating_sub(*from);
            bytes = vec![0; usize::try_from(length).map_err(|_| CONTRADICTION.to_owned())?];
            let read = self.file.read_exact_at(&mut bytes, *from);
            read.map_err(|error| error.to_string())?;
        }
        Ok(Pages { table, bytes })
    }
}

impl Pages<'_> {
    /// The bytes of a page, where it has it. Errors: they are not what was written.
    pub(super) fn page(&self, number: u32) -> Result<Option<&[u8]>, String> {
        let place = self
            .table
            .binary_search_by_key(&number, |(page, _)| page.number);
        let from = self.table.first().map_or(0, |(_, from)| *from);
        let Some((page, at)) = place.ok().and_then(|place| self.table.get(place)) else {
            return Ok(None);
        };
        let begin = usize::try_from(at.saturating_sub(from)).ok();
        let end = usize::try_from(at.saturating_sub(from).saturating_add(page.part.bytes)).ok();
        let range = begin.zip(end).map(|(begin, end)| begin..end);
        match range.and_then(|range| self.bytes.get(range)) {
            Some(bytes) if Part::of(bytes) == page.part => Ok(Some(bytes)),
            _ => Err("the checksum of a page does not fit".to_owned()),
        }
    }
}

/// The states of the marks of a row, to read all of their pages or one. What will be read is asked of the
/// disk before, of all of them at once: a page that the system does not have in its cache takes the disk
/// longer than all else takes us. Errors: the number of the mark that is not what was written, and why.
pub(super) fn states(
    folder: &Path,
    row: &[Arc<Head>],
    only: Option<u32>,
) -> Result<Vec<State>, (usize, String)> {
    let mut files = Vec::with_capacity(row.len());
    for (at, head) in row.iter().enumerate() {
        let file = File::open(path(folder, head.position()));
        let file = file.map_err(|error| (at, error.to_string()))?;
        let pages = if only.is_none() { head.pages } else { 0 };
        let length = HEAD_BYTES.saturating_add(head.in_file() - head.pages);
        will_need(&file, 0, length.saturating_add(pages));
        files.push(file);
    }
    let states = row.iter().zip(files).enumerate();
    let states =
        states.map(|(at, (head, file))| state(file, head, only).map_err(|what| (at, what)));
    let states: Vec<State> = states.collect::<Result<_, _>>()?;
    if only.is_some() {
        for state in &states {
            if let Some((page, at)) = state.table.first() {
                will_need(&state.file, *at, page.part.bytes);
            }
        }
    }
    Ok(states)
}

/// Has the system read a part of a file, if it likes, while we do something else.
#[cfg(target_os = "linux")]
fn will_need(file: &File, at: u64, length: u64) {
    let length = std::num::NonZero::new(length);
    let _ = rustix::fs::fadvise(file, at, length, rustix::fs::Advice::WillNeed);
}

#[cfg(not(target_os = "linux"))]
fn will_need(_: &File, _: u64, _: u64) {}

/// The state of a mark's file, to read all of its pages or one.
fn state(mut file: File, head: &Head, only: Option<u32>) -> Result<State, String> {
    let at = check(&mut file, head)?;
    let at = at.saturating_add(head.near.bytes);
    let rest = part(&mut file, at, head.rest)?;
    let at = at.saturating_add(head.rest.bytes);
    let table = part(&mut file, at, head.table)?;
    let mut at = at.saturating_add(head.table.bytes);
    let end = at.saturating_add(head.pages);
    let config = bincode::config::standard().with_limit::<{ 64 * 1024 * 1024 }>();
    let (all, _): (Vec<Page>, usize) =
        bincode::serde::decode_from_slice(&table, config).map_err(|error| error.to_string())?;
    let mut table = Vec::with_capacity(if only.is_some() { 1 } else { all.len() });
    for page in all {
        if only.is_none_or(|only| only == page.number) {
            table.push((page, at));
        }
        at = at.saturating_add(page.part.bytes);
    }
    let sorted = table.is_sorted_by(|(a, _), (b, _)| a.number < b.number);
    if !sorted || at != end {
        return Err(CONTRADICTION.to_owned());
    }
    Ok(State { rest, table, file })
}

/// The file of a mark, and where in it the part behind its head begins.
fn open_as(folder: &Path, head: &Head) -> Result<(File, u64), String> {
    let mut file = File::open(path(folder, head.position())).map_err(|error| error.to_string())?;
    let at = check(&mut file, head)?;
    Ok((file, at))
}

/// Checks that a file is the mark that has this head. Answers where the part behind the head begins.
fn check(file: &mut File, head: &Head) -> Result<u64, String> {
    let (found, at) = begin(file)?;
    // What is built on one interval must not be taken for what is built on another.
    if found != *head {
        return Err("it is of another interval".to_owned());
    }
    Ok(at)
}

/// The head of a file, and where in it the next part begins.
fn begin(file: &mut File) -> Result<(Head, u64), String> {
    let io = |error: std::io::Error| error.to_string();
    let mut fixed = [0; FIXED];
    file.read_exact(&mut fixed).map_err(io)?;
    let number = |at: usize| {
        let digits = fixed.iter().skip(at).take(4);
        digits.fold(0_u32, |number, digit| number << 8 | u32::from(*digit))
    };
    if !fixed.starts_with(MAGIC) {
        return Err("it is no mark".to_owned());
    }
    if number(8) != VERSION {
        return Err("it is of another version".to_owned());
    }
    let bytes = u64::from(number(12));
    let length = file.metadata().map_err(io)?.len();
    let encoded = part(
        file,
        FIXED as u64,
        Part {
            bytes,
            crc: number(16),
        },
    )?;
    let config = bincode::config::standard().with_limit::<{ 64 * 1024 * 1024 }>();
    let (head, _): (Head, usize) =
        bincode::serde::decode_from_slice(&encoded, config).map_err(|error| error.to_string())?;
    let at = bytes.saturating_add(FIXED as u64);
    if !head.is_sound() || at.checked_add(head.in_file()) != Some(length) {
        return Err(CONTRADICTION.to_owned());
    }
    Ok((head, at))
}

fn part(file: &mut File, at: u64, part: Part) -> Result<Vec<u8>, String> {
    let io = |error: std::io::Error| error.to_string();
    file.seek(SeekFrom::Start(at)).map_err(io)?;
    let length = file.metadata().map_err(io)?.len().min(part.bytes);
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    file.take(part.bytes).read_to_end(&mut bytes).map_err(io)?;
    if Part::of(&bytes) != part {
        return Err("its checksum does not fit".to_owned());
    }
    Ok(bytes)
}
