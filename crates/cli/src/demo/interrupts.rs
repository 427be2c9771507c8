//! Ctrl-C during the demo: the first ends it in order, the second at once.

use crate::command::serve::asked_to_stop;
use tokio::sync::watch;

/// How often somebody has asked the demo to stop.
pub(super) struct Interrupts(watch::Receiver<u32>);

impl Interrupts {
    /// Listens from now on; until then the signal ends the process at once.
    pub(super) fn listen() -> Self {
        let (asked, heard) = watch::channel(0_u32);
        let mut next = asked_to_stop();
        tokio::spawn(async move {
            loop {
                next.await;
                next = asked_to_stop();
                asked.send_modify(|times| *times = times.saturating_add(1));
            }
        });
        Self(heard)
    }

    /// How often it was, for whoever wants to watch it.
    pub(super) fn heard(&self) -> watch::Receiver<u32> {
        self.0.clone()
    }

    /// Waits until somebody insists.
    pub(super) async fn second(&self) {
        let mut heard = self.0.clone();
        if heard.wait_for(|times| *times > 1).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
