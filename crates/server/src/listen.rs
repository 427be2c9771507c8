//! Binds the port and takes connections, a bounded number of them, none waiting for another.

use crate::limits::Limits;
use crate::serve::ServeError;
use crate::socket::Socket;
use futures::Stream;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

/// After an error of the system (too many open files) the next attempt waits this long.
const PAUSE: Duration = Duration::from_millis(50);

/// Takes the address. Errors: [`ServeError::PortInUse`] and [`ServeError::Listen`].
pub(crate) async fn bind(listen: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(listen)
        .await
        .map_err(|cause| match cause.kind() {
            io::ErrorKind::AddrInUse => ServeError::PortInUse { listen },
            _ => ServeError::Listen { listen, cause },
        })
}

/// The connections as they come. It never ends by itself.
pub(crate) fn connections(
    listener: TcpListener,
    limits: &Limits,
    cut: watch::Receiver<bool>,
) -> impl Stream<Item = io::Result<Socket>> + use<> {
    let places = Arc::new(Semaphore::new(limits.connections));
    let handshake = limits.handshake;
    futures::stream::unfold(
        (listener, places, cut),
        move |(listener, places, cut)| async move {
            let socket = next(&listener, &places, handshake, &cut).await;
            Some((Ok(socket), (listener, places, cut)))
        },
    )
}

async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    handshake: Duration,
    cut: &watch::Receiver<bool>,
) -> Socket {
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "could not take a connection");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(places).try_acquire_owned() else {
            tracing::warn!(%peer, "closed a connection: there are as many as there may be");
            continue;
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%peer, %error, "a connection was gone before it began");
            continue;
        }
        return Socket::new(stream, place, handshake, cut.clone());
    }
}
