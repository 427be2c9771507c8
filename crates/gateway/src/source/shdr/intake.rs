//! Cuts a stream of bytes into lines, and tells readable lines, asset bodies and noise apart.

use super::Counts;
use super::parse::{opened_body, time_of};
use super::session::Sessions;
use crate::source::gap::Lost;
use crate::source::lines::{LINE_BYTES_MAX, Lines, Raw};
use crate::source::mapping::Mapping;
use sha2::{Digest, Sha256};
use std::collections::VecDeque;
use std::io::{self, BufRead};
use werkbuch_model::time::Timestamp;

/// A line with a time.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) time: Timestamp,
    pub(super) begins_session: bool,
    /// The whole line with its terminator.
    pub(super) text: String,
    /// Where in `text` the first key begins.
    pub(super) at: usize,
}

/// The next thing that a recording holds.
#[derive(Debug)]
pub(super) enum Item {
    Line(Line),
    Lost(Lost),
}

impl Item {
    pub(super) fn line(&self) -> Option<&Line> {
        match self {
            Self::Line(line) => Some(line),
            Self::Lost(_) => None,
        }
    }
}

/// An asset's body that has been opened: its closing line, and its lines so far.
struct AssetBody {
    tag: String,
    lost: Lost,
}

/// Reads lines.
pub(super) struct Intake<R> {
    lines: Lines<R>,
    ready: VecDeque<Item>,
    unreadable: Option<Lost>,
    body: Option<AssetBody>,
    sessions: Sessions,
    ended: bool,
}

impl<R: BufRead> Intake<R> {
    pub(super) fn new(reader: R) -> Self {
        Self {
            lines: Lines::new(reader),
            ready: VecDeque::new(),
            unreadable: None,
            body: None,
            sessions: Sessions::default(),
            ended: false,
        }
    }

    /// How many bytes have been read.
    pub(super) fn bytes(&self) -> u64 {
        self.lines.bytes
    }

    /// The next item, none at the end. Errors: reading failed.
    pub(super) fn pull(
        &mut self,
        mapping: &Mapping,
        counts: &mut Counts,
    ) -> io::Result<Option<Item>> {
        while self.ready.is_empty() && !self.ended {
            match self.lines.next()? {
                Some(raw) => self.take(raw, mapping, counts),
                None => self.end(),
            }
        }
        Ok(self.ready.pop_front())
    }

    fn take(&mut self, raw: Raw, mapping: &Mapping, counts: &mut Counts) {
        if let Some(damage) = &raw.damage {
            let number = counts.lines + 1;
            counts.truncated = true;
            counts.lines += u64::from(!raw.bytes.is_empty() || raw.too_long.is_some());
            let reason = format!("the compressed file is damaged or ends early ({damage})");
            self.end();
            let hash = raw
                .too_long
                .unwrap_or_else(|| Sha256::new_with_prefix(&raw.bytes));
            self.ready
                .push_back(Item::Lost(Lost::hashed(number, hash, None, reason)));
            return;
        }
        counts.lines += 1;
        let number = counts.lines;
        if let Some(hash) = raw.too_long {
            self.give_up_body();
            self.flush_unreadable();
            let reason = format!("it is longer than {LINE_BYTES_MAX} bytes");
            self.ready
                .push_back(Item::Lost(Lost::hashed(number, hash, None, reason)));
            return;
        }
        match String::from_utf8(raw.bytes) {
            Ok(text) => self.take_text(number, text, mapping, counts),
            Err(error) => match &mut self.body {
                Some(body) => body.lost.add(number, error.as_bytes(), None),
                None => self.unreadable(number, error.as_bytes(), "it is not UTF-8"),
            },
        }
    }

    fn take_text(&mut self, number: u64, text: String, mapping: &Mapping, counts: &mut Counts) {
        let content = text.trim_end_matches(['\r', '\n']);
        let time = time_of(content);
        if let Some(body) = &mut self.body {
            if content == body.tag {
                self.body = None;
                return;
            }
            if time.is_err() {
                body.lost.add(number, text.as_bytes(), None);
                return;
            }
            self.give_up_body();
        }
        if content.trim().is_empty() {
            return;
        }
        if content.starts_with('*') && !content.contains('|') {
            counts.commands += 1;
            return;
        }
        let (time, at) = match time {
            Ok(found) => found,
            Err(reason) => return self.unreadable(number, text.as_bytes(), reason),
        };
        self.flush_unreadable();
        if let Some(tag) = content.get(at..).and_then(opened_body) {
            self.body = Some(AssetBody {
                tag: tag.to_owned(),
                lost: Lost::new(
                    number,
                    text.as_bytes(),
                    None,
                    "its asset body does not end".into(),
                ),
            });
        }
        let begins_session = self.sessions.begins(time, content, at, mapping);
        counts.sessions += u64::from(begins_session);
        self.ready.push_back(Item::Line(Line {
            number,
            time,
            begins_session,
            text,
            at,
        }));
    }

    fn unreadable(&mut self, number: u64, bytes: &[u8], reason: &str) {
        match &mut self.unreadable {
            Some(run) if run.joins(number) => run.add(number, bytes, None),
            _ => {
                self.flush_unreadable();
                self.unreadable = Some(Lost::new(number, bytes, None, reason.to_owned()));
            }
        }
    }

    fn flush_unreadable(&mut self) {
        self.ready.extend(self.unreadable.take().map(Item::Lost));
    }

    fn give_up_body(&mut self) {
        self.flush_unreadable();
        self.ready
            .extend(self.body.take().map(|body| Item::Lost(body.lost)));
    }

    fn end(&mut self) {
        self.give_up_body();
        self.ended = true;
    }
}
