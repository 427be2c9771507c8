//! When a command that follows ends: when its time is over, or when somebody asks it to.

use std::time::{Duration, Instant};
use tokio::sync::watch;

/// The end of a command that would else go on.
#[derive(Clone, Debug)]
pub(crate) struct End {
    asked: watch::Receiver<bool>,
    over: Option<Instant>,
}

impl End {
    /// After so long, if there is a bound, and at the first Ctrl-C from now on.
    pub(crate) fn after(duration: Option<Duration>) -> Self {
        let (ask, asked) = watch::channel(false);
        let over = duration.and_then(|duration| Instant::now().checked_add(duration));
        tokio::spawn(async move {
            let time = async {
                match over {
                    Some(over) => tokio::time::sleep_until(over.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = time => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            let _ = ask.send(true);
        });
        Self { asked, over }
    }

    /// Whether it is there: for those who have so much to write that they never wait.
    pub(crate) fn is_there(&self) -> bool {
        *self.asked.borrow() || self.over.is_some_and(|over| Instant::now() >= over)
    }

    /// Waits for it.
    pub(crate) async fn come(mut self) {
        if self.asked.wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
