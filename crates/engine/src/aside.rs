//! Work that gives way to whoever reports and asks about now: in threads of the least importance.

use crate::error::EngineError;
use tokio::sync::oneshot;

/// How far such a thread stands back, from 0 (not at all) to 19. A tenth of what others get of a core
/// is left to it where both want it; on an idle machine it is as fast as any.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Does blocking work aside and waits for its answer. What the work does after it has answered is not
/// waited for.
/// Errors: `Internal` where no thread is to be had, or where it ended without an answer.
pub(crate) async fn answer<R: Send + 'static>(
    work: impl FnOnce(oneshot::Sender<R>) + Send + 'static,
) -> Result<R, EngineError> {
    let (reply, answer) = oneshot::channel();
    run(move || work(reply))?;
    answer
        .await
        .map_err(|_| EngineError::internal("work aside ended without an answer"))
}

/// Does blocking work aside; nobody waits for it.
/// Errors: `Internal` where no thread is to be had.
pub(crate) fn run(work: impl FnOnce() + Send + 'static) -> Result<(), EngineError> {
    let thread = std::thread::Builder::new().name("aside".to_owned());
    thread
        .spawn(move || {
            stand_back();
            work();
        })
        .map(drop)
        .map_err(|error| EngineError::internal(format!("a thread for work aside: {error}")))
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

    #[tokio::test]
    async fn who_ends_without_an_answer_is_told_of() {
        let ended = answer(|reply: oneshot::Sender<()>| drop(reply)).await;
        assert!(
            matches!(ended, Err(EngineError::Internal { .. })),
            "{ended:?}"
        );
    }
}
