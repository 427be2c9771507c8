//! One search on its way: plant after plant, what is found as it is found, and how far it is.

use super::ask::Asked;
use super::basis::{Basis, Question, Unavailable};
use super::choice::Hit;
use super::search::{Part, Search};
use super::token::{self, Resumed};
use crate::context::Context;
use crate::limits::FOUND_PART;
use crate::outbound::Outbound;
use crate::sweep::{self as pace, End, Gauge};
use crate::view::{code, unsigned};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use werkbuch_engine::EngineError;
use werkbuch_model::id::MachineNumber;
use werkbuch_model::time::Timestamp;
use werkbuch_twin::quality::Window;
use werkbuch_wire::name;
use werkbuch_wire::pb::{
    FindEnd, FindHead, FindIntervalsResponse, FindProgress, FindWhich, FoundInterval,
};

/// A search on its way.
pub(super) struct Stream {
    context: Arc<Context>,
    asked: Arc<Asked>,
    head: FindHead,
    left: VecDeque<Part>,
    gauge: Arc<Gauge>,
    /// How many were told by an earlier stream of the same question.
    skip: u64,
    found: u64,
    /// The machines of which something was found, with their plants by their order.
    machines: BTreeSet<(usize, MachineNumber)>,
    events_total: u64,
    plants: usize,
    /// The plants that were begun.
    begun: usize,
    plant: String,
}

type Out = Outbound<FindIntervalsResponse>;

impl Stream {
    pub(super) fn new(
        context: Arc<Context>,
        asked: Asked,
        (head, parts): (FindHead, Vec<Part>),
        skip: u64,
    ) -> Self {
        Self {
            context,
            asked: Arc::new(asked),
            head,
            plants: parts.len(),
            left: parts.into(),
            gauge: Arc::default(),
            skip,
            found: 0,
            machines: BTreeSet::new(),
            events_total: 0,
            begun: 0,
            plant: String::new(),
        }
    }

    /// Searches until all is found or nobody waits.
    pub(super) async fn run(mut self, out: Out) {
        let gauge = Arc::clone(&self.gauge);
        let ended = self.search(&out).await;
        // What still runs in a thread gives up.
        gauge.stop();
        match ended {
            Ok(()) => {}
            Err(End::Status(status)) => out.end(status),
            Err(End::Reader(ended)) => out.give_up(&ended),
        }
    }

    async fn search(&mut self, out: &Out) -> Result<(), End> {
        let first = FindIntervalsResponse {
            head: Some(self.head.clone()),
            resume_token: self.token(),
            ..FindIntervalsResponse::default()
        };
        out.send(first).await?;
        self.survey(out).await?;
        let mut best: Vec<(usize, Part, Hit)> = Vec::new();
        let mut searched: Vec<(Part, Unavailable)> = Vec::new();
        while let Some(part) = self.left.pop_front() {
            self.plant = name::of_plant(part.plant.id().as_str());
            self.begun += 1;
            let of = part.clone();
            let mut search = Search::new(part, Arc::clone(&self.asked), Arc::clone(&self.gauge));
            while !search.is_done() {
                let step = move || {
                    let hits = search.step()?;
                    Ok((search, hits))
                };
                let hits;
                (search, hits) = self.work(step, out).await?;
                self.tell((self.begun, &of), hits, out).await?;
            }
            let (hits, unavailable) = search.into_best();
            let hits = hits.into_iter();
            best.extend(hits.map(|hit| (self.begun, of.clone(), hit)));
            searched.push((of, unavailable));
        }
        let begin = self.tell_best(best, out).await?;
        let basis = self.basis(searched, begin, out).await?;
        let last = FindIntervalsResponse {
            progress: Some(FindProgress {
                plants_done: unsigned(self.plants),
                ..self.progress()
            }),
            end: Some(FindEnd {
                found: self.found,
                machines: unsigned(self.machines.len()),
                basis: Some(basis.message()),
            }),
            resume_token: self.token(),
            ..FindIntervalsResponse::default()
        };
        Ok(out.send(last).await?)
    }

    /// What the answer rests on: of all plants, over the time that it depends on.
    async fn basis(
        &self,
        searched: Vec<(Part, Unavailable)>,
        begin: Option<Timestamp>,
        out: &Out,
    ) -> Result<Basis, End> {
        let (mut from, mut to) = (Timestamp(self.head.from_time), Timestamp(self.head.to_time));
        match (self.asked.which, begin.filter(|_| !self.asked.per_machine)) {
            // What comes after the first could not have been it, and what comes before the last neither.
            (FindWhich::First, Some(begin)) => to = begin.max(from),
            (FindWhich::Last, Some(begin)) => from = begin.max(from),
            _ => {}
        }
        let mut basis = Basis::new(Window { from, to });
        for (part, unavailable) in searched {
            let (asked, gauge) = (Arc::clone(&self.asked), Arc::clone(&self.gauge));
            let add = move || {
                let question = Question {
                    filter: &asked.filter,
                    silent_after_ns: asked.silent_after_ns,
                    gauge: &gauge,
                };
                basis.add(&part, &unavailable, &question)?;
                Ok(basis)
            };
            basis = self.work(add, out).await?;
        }
        Ok(basis)
    }

    /// Finds out about how much there is to read.
    async fn survey(&mut self, out: &Out) -> Result<(), End> {
        let parts: Vec<Part> = self.left.iter().cloned().collect();
        let survey = move || {
            let mut total = 0_u64;
            for part in parts {
                let events = part.plant.reading_of(part.window, part.known)?;
                total = total.saturating_add(events);
            }
            // Once for what is found, and once for what it rests on.
            Ok(total.saturating_mul(2))
        };
        self.events_total = self.work(survey, out).await?;
        Ok(())
    }

    /// Does a piece of blocking work, and tells now and then how far it is.
    async fn work<R: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<R, EngineError> + Send + 'static,
        out: &Out,
    ) -> Result<R, End> {
        let tell = || FindIntervalsResponse {
            progress: Some(self.progress()),
            resume_token: self.token(),
            ..FindIntervalsResponse::default()
        };
        pace::work(&self.context, out, work, tell).await
    }

    /// Tells what was found, as far as it is wanted; all of it is counted.
    async fn tell(
        &mut self,
        (number, of): (usize, &Part),
        hits: Vec<Hit>,
        out: &Out,
    ) -> Result<(), End> {
        for some in hits.chunks(FOUND_PART) {
            let mut intervals = Vec::new();
            for hit in some {
                self.found += 1;
                self.machines.insert((number, hit.machine));
                if self.is_told(self.found) {
                    intervals.push(message(of, hit));
                }
            }
            if !intervals.is_empty() {
                let message = FindIntervalsResponse {
                    intervals,
                    progress: Some(self.progress()),
                    resume_token: self.token(),
                    ..FindIntervalsResponse::default()
                };
                out.send(message).await?;
            }
        }
        Ok(())
    }

    /// Tells the best of all plants. Answers when the first of them began.
    async fn tell_best(
        &mut self,
        mut best: Vec<(usize, Part, Hit)>,
        out: &Out,
    ) -> Result<Option<Timestamp>, End> {
        // Plants come by name, and the sort is stable.
        best.sort_by_key(|(.., hit)| hit.begin);
        if !self.asked.per_machine {
            match self.asked.which {
                FindWhich::Last => {
                    // Of equals the first.
                    let latest = best.last().map(|(.., hit)| hit.begin);
                    best.retain(|(.., hit)| Some(hit.begin) == latest);
                    best.truncate(1);
                }
                _ => best.truncate(1),
            }
        }
        let begin = best.first().map(|(.., hit)| hit.begin);
        for (number, part, hit) in best {
            self.tell((number, &part), vec![hit], out).await?;
        }
        Ok(begin)
    }

    /// Whether the one with this number, from 1, is told by this stream.
    fn is_told(&self, number: u64) -> bool {
        let limit = self.asked.limit.unwrap_or(u64::MAX);
        number > self.skip && number <= self.skip.saturating_add(limit)
    }

    fn progress(&self) -> FindProgress {
        let reached = self.gauge.reached().nanos();
        let from = self.head.from_time;
        FindProgress {
            plant: self.plant.clone(),
            reached_time: reached,
            events_read: self.gauge.events(),
            events_total: self.events_total,
            plants_done: unsigned(self.begun.saturating_sub(1)),
            plants_total: unsigned(self.plants),
            found: self.found,
            looking_back: reached != 0 && reached < from,
        }
    }

    /// Behind what has been told.
    fn token(&self) -> String {
        if self.asked.which != FindWhich::All {
            return String::new();
        }
        let limit = self.asked.limit.unwrap_or(u64::MAX);
        let told = self
            .found
            .max(self.skip)
            .min(self.skip.saturating_add(limit));
        let cut = self.head.cut.as_ref();
        let window = Window {
            from: Timestamp(self.head.from_time),
            to: Timestamp(self.head.to_time),
        };
        let resumed = Resumed {
            cut: cut.map(|cut| cut.token.clone()).unwrap_or_default(),
            window,
            told,
            mark: self.asked.mark,
        };
        token::write(self.asked.question, &resumed)
    }
}

fn message(of: &Part, hit: &Hit) -> FoundInterval {
    FoundInterval {
        machine: of.name_of(hit.machine),
        number: hit.machine.get(),
        begin: hit.begin.nanos(),
        begin_open: hit.why.open,
        end: (!hit.holds).then(|| hit.end.nanos()),
        duration_ns: hit.length_ns(),
        state: code(hit.why.state.code()),
        reason: hit.why.reason.to_string(),
        position: hit.why.position.get(),
    }
}
