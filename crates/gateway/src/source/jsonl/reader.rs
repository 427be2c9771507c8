//! Reads a file of lines as a stream; what cannot be read is told as gaps.

use super::line::{Entry, Line, parse};
use crate::source::ReadError;
use crate::source::gap::Lost;
use crate::source::lines::{LINE_BYTES_MAX, Lines, Raw};
use sha2::{Digest, Sha256};
use std::collections::VecDeque;
use std::fmt;
use std::io::BufRead;
use werkbuch_model::event::GapDetected;

/// What comes next in a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Read {
    /// An event, and the number of its line.
    Event(u64, Box<Entry>),
    /// A record of a writer, by the name of its kind.
    WritersOwn(String),
    /// Lines that cannot be read: how many they are, what tells of them, and a sentence about the first.
    Lost {
        /// How many lines.
        lines: u64,
        /// The event that tells of them.
        gap: Box<GapDetected<'static>>,
        /// What is wrong with the first of them.
        why: String,
        /// What else is wrong with those behind it: each mistake once, with its first line.
        others: Vec<(u64, String)>,
    },
}

/// Reads lines. Memory is bounded by the longest line.
pub struct Reader<R> {
    lines: Lines<R>,
    file: String,
    number: u64,
    blank: u64,
    lost: Option<Losing>,
    ready: VecDeque<Read>,
    check: Check,
    ended: bool,
}

/// Lines in a row that cannot be read.
struct Losing {
    lost: Lost,
    why: String,
    others: Vec<(u64, String)>,
}

/// The most mistakes of lines in a row that are told apart.
const OTHERS_MAX: usize = 10;

/// Says what is wrong with an event that can be read.
type Check = Box<dyn Fn(&Entry) -> Result<(), String> + Send>;

impl<R: BufRead> Reader<R> {
    /// Reads `reader`. `file` is what gaps call it: give the same name each time, because it is part
    /// of what gap events say.
    pub fn new(reader: R, file: &str) -> Self {
        Self {
            lines: Lines::new(reader),
            file: file.to_owned(),
            number: 0,
            blank: 0,
            lost: None,
            ready: VecDeque::new(),
            check: Box::new(|_| Ok(())),
            ended: false,
        }
    }

    /// The same, which takes a line for lost also when `check` says what is wrong with its event.
    #[must_use]
    pub fn checked(self, check: impl Fn(&Entry) -> Result<(), String> + Send + 'static) -> Self {
        let check = Box::new(check);
        Self { check, ..self }
    }

    /// How many lines have been read, and how many of them were blank.
    #[must_use]
    pub fn lines(&self) -> (u64, u64) {
        (self.number, self.blank)
    }

    /// How many bytes of the decompressed file have been read.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.lines.bytes
    }

    fn take(&mut self, raw: Raw) {
        self.number += 1;
        if let Some(damage) = raw.damage {
            let why = format!("the compressed file is damaged or ends early ({damage})");
            let hash = raw
                .too_long
                .unwrap_or_else(|| Sha256::new_with_prefix(&raw.bytes));
            self.lose_hashed(hash, why);
            self.ended = true;
            return;
        }
        if let Some(hash) = raw.too_long {
            return self.lose_hashed(hash, format!("it is longer than {LINE_BYTES_MAX} bytes"));
        }
        let Ok(text) = std::str::from_utf8(&raw.bytes) else {
            return self.lose(&raw.bytes, "it is not UTF-8".to_owned());
        };
        let text = text.trim();
        if text.is_empty() {
            self.blank += 1;
            return self.tell();
        }
        let checked = parse(text).and_then(|line| match &line {
            Line::Event(entry) => (self.check)(entry).map(|()| line),
            Line::WritersOwn(_) => Ok(line),
        });
        match checked {
            Ok(line) => {
                self.tell();
                self.ready.push_back(match line {
                    Line::Event(entry) => Read::Event(self.number, entry),
                    Line::WritersOwn(kind) => Read::WritersOwn(kind),
                });
            }
            Err(why) => self.lose(&raw.bytes, why),
        }
    }

    fn lose(&mut self, bytes: &[u8], why: String) {
        match &mut self.lost {
            Some(losing) if losing.lost.joins(self.number) => {
                losing.lost.add(self.number, bytes, None);
                let is_told = why == losing.why || losing.others.iter().any(|(_, one)| *one == why);
                if !is_told && losing.others.len() < OTHERS_MAX {
                    losing.others.push((self.number, why));
                }
            }
            _ => self.lose_hashed(Sha256::new_with_prefix(bytes), why),
        }
    }

    fn lose_hashed(&mut self, hash: Sha256, why: String) {
        self.tell();
        let lost = Lost::hashed(self.number, hash, None, why.clone());
        self.lost = Some(Losing {
            lost,
            why,
            others: Vec::new(),
        });
    }

    /// Tells of the lines that were lost so far.
    fn tell(&mut self) {
        if let Some(losing) = self.lost.take() {
            let gap = Box::new(losing.lost.event(&self.file));
            self.ready.push_back(Read::Lost {
                lines: gap.last_line.saturating_sub(gap.first_line) + 1,
                gap,
                why: losing.why,
                others: losing.others,
            });
        }
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Read, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() && !self.ended {
            match self.lines.next() {
                Ok(Some(raw)) => self.take(raw),
                Ok(None) => self.ended = true,
                Err(source) => {
                    self.ended = true;
                    return Some(Err(ReadError::Read {
                        file: self.file.clone(),
                        line: self.number,
                        source,
                    }));
                }
            }
            if self.ended {
                self.tell();
            }
        }
        self.ready.pop_front().map(Ok)
    }
}

impl<R> fmt::Debug for Reader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Reader");
        shown
            .field("file", &self.file)
            .field("number", &self.number);
        shown.finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const GOOD: &str =
        r#"{"machine":"p","time":"1970-01-01T00:00:01Z","kind":"STATE_CHANGED","to":"HELD"}"#;

    fn read(text: &[u8]) -> (Vec<Read>, (u64, u64)) {
        let mut reader = Reader::new(text, "f");
        let all = reader.by_ref().collect::<Result<Vec<_>, _>>().unwrap();
        (all, reader.lines())
    }

    #[test]
    fn every_line_is_accounted_for() {
        let own = r#"{"kind":"WRITER_OPENED"}"#;
        let text = format!("{GOOD}\n\nno\n[]\n{own}\nno\r\n{GOOD}\n{{\"kind\":");
        let (all, (lines, blank)) = read(text.as_bytes());
        let mut seen = blank;
        let mut gaps = Vec::new();
        for one in &all {
            seen += match one {
                Read::Event(..) | Read::WritersOwn(_) => 1,
                Read::Lost {
                    lines, gap, why, ..
                } => {
                    assert!(!why.is_empty());
                    gaps.push((gap.first_line, gap.last_line));
                    *lines
                }
            };
        }
        assert_eq!((lines, seen), (8, 8), "{all:#?}");
        assert_eq!(gaps, [(3, 4), (6, 6), (8, 8)]);
        assert!(matches!(&all[0], Read::Event(1, _)) && matches!(&all[4], Read::Event(7, _)));
    }

    #[test]
    fn each_mistake_of_lines_in_a_row_is_told_once() {
        let unknown = GOOD.replace("HELD", "HELP");
        let text = format!("no\n{unknown}\nno\n{unknown}\n{GOOD}\n");
        let (all, _) = read(text.as_bytes());
        let [
            Read::Lost {
                lines, why, others, ..
            },
            Read::Event(5, _),
        ] = &all[..]
        else {
            unreachable!("{all:?}");
        };
        assert!(*lines == 4 && why.contains("JSON"), "{why}");
        let [(2, other)] = &others[..] else {
            unreachable!("{others:?}");
        };
        assert!(other.contains("HELP"), "{other}");
    }

    /// What `sed -n '3,4p' FILE | sha256sum` shows.
    #[test]
    fn a_gap_holds_the_hash_of_its_whole_lines() {
        let (all, _) = read(b"\n\nno\r\n[]\n");
        let [Read::Lost { gap, .. }] = &all[..] else {
            unreachable!("{all:?}");
        };
        assert_eq!(
            gap.content_hash.as_ref(),
            Sha256::digest(b"no\r\n[]\n").as_slice()
        );
        assert!(
            gap.detail.contains("line 3: it is not JSON"),
            "{}",
            gap.detail
        );
    }

    #[test]
    fn noise_is_lost_and_never_fatal() {
        let long = vec![b'x'; LINE_BYTES_MAX + 10];
        let (all, (lines, _)) = read(&[&long[..], b"\n\xff\xfe\n", GOOD.as_bytes()].concat());
        assert_eq!(lines, 3);
        let gaps = all.iter().filter(|one| matches!(one, Read::Lost { .. }));
        assert_eq!(gaps.count(), 1, "neighbours are one gap: {all:?}");
        assert!(matches!(all.last(), Some(Read::Event(3, _))));
    }
}
