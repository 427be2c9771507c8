//! Work that gives way to whoever reports and asks about now: in threads of the least importance.

use crate::error::EngineError;
use std::collections::VecDeque;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// How far such a thread stands back, from 0 (not at all) to 19. A tenth of what others get of a core
/// is left to it where both want it; on an idle machine it is as fast as any.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// The most such threads: some questions and some marks at once.
const THREADS_MAX: usize = 8;

/// A thread without work ends after this time. Until then it keeps the memory that it has worked with:
/// to get that of a whole plant from the system anew takes longer than to fill it.
const IDLE: Duration = Duration::from_secs(10);

type Work = Box<dyn FnOnce() + Send>;

/// The threads of the process that stand back, and what waits for them. Each question has a place of
/// its own before it comes here, and each plant has one mark under way: that bounds the queue.
struct Threads {
    waiting: VecDeque<Work>,
    running: usize,
    idle: usize,
}

static THREADS: Mutex<Threads> = Mutex::new(Threads {
    waiting: VecDeque::new(),
    running: 0,
    idle: 0,
});
static CALLED: Condvar = Condvar::new();

/// Does blocking work aside and waits for its answer. What the work does after it has answered is not
/// waited for.
/// Errors: `Internal` where no thread is to be had, or where the work ended without an answer.
pub(crate) async fn answer<R: Send + 'static>(
    work: impl FnOnce(oneshot::Sender<R>) + Send + 'static,
) -> Result<R, EngineError> {
    let (reply, answer) = oneshot::channel();
    // Somebody waits for it: it goes before what nobody waits for.
    add(Box::new(move || work(reply)), VecDeque::push_front)?;
    answer
        .await
        .map_err(|_| EngineError::internal("work aside ended without an answer"))
}

/// Does blocking work aside; nobody waits for it.
/// Errors: `Internal` where no thread is to be had.
pub fn run(work: impl FnOnce() + Send + 'static) -> Result<(), EngineError> {
    add(Box::new(work), VecDeque::push_back)
}

/// Does pieces of blocking work in this thread and, as far as they come to it, in those that have nothing
/// to do. Answers in the order of the pieces.
/// Errors: `Internal` where a piece panicked.
pub(crate) fn shared<R: Send + 'static>(
    pieces: usize,
    work: impl Fn(usize) -> R + Send + Sync + 'static,
) -> Result<Vec<R>, EngineError> {
    let share = Arc::new(Share {
        work,
        pieces,
        next: AtomicUsize::new(0),
        done: Mutex::new((Vec::new(), 0)),
        one_more: Condvar::new(),
    });
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    for _ in 1..cores.min(pieces) {
        let other = Arc::clone(&share);
        // Without a thread more is left to this one.
        let _ = add(Box::new(move || other.help()), VecDeque::push_front);
    }
    share.help();
    let done = share.done.lock().unwrap_or_else(PoisonError::into_inner);
    let done = share
        .one_more
        .wait_while(done, |(_, ended)| *ended < pieces);
    let (mut done, _) = std::mem::take(&mut *done.unwrap_or_else(PoisonError::into_inner));
    if done.len() < pieces {
        return Err(EngineError::internal("a piece of work aside panicked"));
    }
    done.sort_by_key(|(piece, _)| *piece);
    Ok(done.into_iter().map(|(_, answer)| answer).collect())
}

/// Pieces of work, and what came of them.
struct Share<R, W> {
    work: W,
    pieces: usize,
    next: AtomicUsize,
    /// The answers, and how many pieces have ended with or without one.
    done: Mutex<(Vec<(usize, R)>, usize)>,
    one_more: Condvar,
}

impl<R, W: Fn(usize) -> R> Share<R, W> {
    /// Does one piece after the other until there is none to begin. Whoever comes late finds none.
    fn help(&self) {
        loop {
            let piece = self.next.fetch_add(1, Ordering::Relaxed);
            if piece >= self.pieces {
                return;
            }
            let answer = catch_unwind(AssertUnwindSafe(|| (self.work)(piece)));
            let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
            done.1 += 1;
            done.0.extend(answer.ok().map(|answer| (piece, answer)));
            self.one_more.notify_one();
        }
    }
}

fn add(work: Work, push: fn(&mut VecDeque<Work>, Work)) -> Result<(), EngineError> {
    let mut threads = threads();
    if threads.idle > threads.waiting.len() || threads.running >= THREADS_MAX {
        push(&mut threads.waiting, work);
        CALLED.notify_one();
        return Ok(());
    }
    let thread = std::thread::Builder::new().name("aside".to_owned());
    let spawned = thread.spawn(move || {
        stand_back();
        let mut work = Some(work);
        while let Some(now) = work {
            // What panics has no answer, and its caller is told; what waits behind it goes on.
            let _ = catch_unwind(AssertUnwindSafe(now));
            work = next();
        }
    });
    spawned.map_err(|error| EngineError::internal(format!("a thread for work aside: {error}")))?;
    threads.running += 1;
    Ok(())
}

fn threads() -> MutexGuard<'static, Threads> {
    THREADS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is to be done next; nothing when there has been nothing for a while, and then the thread is no
/// longer counted: who adds work sees either a thread that takes it or that there is none.
fn next() -> Option<Work> {
    let mut threads = threads();
    if threads.waiting.is_empty() {
        threads.idle += 1;
        let waited = CALLED.wait_timeout_while(threads, IDLE, |threads| threads.waiting.is_empty());
        threads = waited.unwrap_or_else(PoisonError::into_inner).0;
        threads.idle -= 1;
    }
    let work = threads.waiting.pop_front();
    if work.is_none() {
        threads.running -= 1;
    }
    work
}

/// A thread that may not stand back works all the same.
#[cfg(target_os = "linux")]
fn stand_back() {
    let own = rustix::thread::gettid();
    let _ = rustix::process::setpriority_process(Some(own), NICENESS);
}

#[cfg(not(target_os = "linux"))]
fn stand_back() {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[tokio::test]
    async fn it_stands_back_and_answers_before_it_ends() {
        let (go_on, wait) = std::sync::mpsc::sync_channel::<()>(1);
        let answered = answer(move |reply| {
            #[cfg(target_os = "linux")]
            let niceness = {
                let own = rustix::thread::gettid();
                rustix::process::getpriority_process(Some(own)).unwrap()
            };
            #[cfg(not(target_os = "linux"))]
            let niceness = 10;
            reply.send(niceness).unwrap();
            wait.recv().unwrap();
        });
        assert_eq!(answered.await.unwrap(), 10);
        go_on.send(()).unwrap();
    }

    /// More work than threads, from many sides at once, some of which panics.
    #[tokio::test(flavor = "multi_thread")]
    async fn everything_is_done_once_though_some_of_it_panics() {
        let asked: Vec<_> = (0..400_u64)
            .map(|number| {
                tokio::spawn(answer(move |reply| {
                    assert!(!number.is_multiple_of(10), "as it should");
                    reply.send(number).unwrap();
                }))
            })
            .collect();
        let mut sum = 0;
        for (number, asked) in (0..).zip(asked) {
            match asked.await.unwrap() {
                Ok(answered) => sum += answered,
                Err(_) => assert_eq!(number % 10, 0),
            }
        }
        let lost: u64 = (0..400).step_by(10).sum();
        assert_eq!(sum, (0..400).sum::<u64>() - lost);
        assert!(threads().running <= THREADS_MAX);
    }

    #[test]
    fn pieces_are_each_done_once_and_answered_in_order() {
        let squares = shared(1_000, |piece| piece * piece).unwrap();
        assert!(
            squares
                .iter()
                .enumerate()
                .all(|(at, square)| *square == at * at)
        );
        assert_eq!(squares.len(), 1_000);
        assert_eq!(shared(0, |piece| piece).unwrap(), [0; 0]);
        let panicked = shared(100, |piece| assert_ne!(piece, 50));
        assert!(matches!(panicked, Err(EngineError::Internal { .. })));
    }

    #[tokio::test]
    async fn who_ends_without_an_answer_is_told_of() {
        let ended = answer(|reply: oneshot::Sender<()>| drop(reply)).await;
        assert!(
            matches!(ended, Err(EngineError::Internal { .. })),
            "{ended:?}"
        );
    }
}
