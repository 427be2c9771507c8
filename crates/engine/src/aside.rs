//! Work that gives way to whoever reports and asks about now: in threads of the least importance.

use crate::error::EngineError;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
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
pub(crate) fn run(work: impl FnOnce() + Send + 'static) -> Result<(), EngineError> {
    add(Box::new(work), VecDeque::push_back)
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

    #[tokio::test]
    async fn who_ends_without_an_answer_is_told_of() {
        let ended = answer(|reply: oneshot::Sender<()>| drop(reply)).await;
        assert!(
            matches!(ended, Err(EngineError::Internal { .. })),
            "{ended:?}"
        );
    }
}
