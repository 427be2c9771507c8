//! A connection that must begin to speak in time, holds its place, and can be cut at the end.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Sleep, sleep};
use tonic::transport::server::{Connected, TcpConnectInfo};

/// The length of the preface of HTTP/2, which no request of HTTP/1 is shorter than.
const PREFACE_BYTES: usize = 24;

/// A socket with a deadline for its first bytes.
pub(crate) struct Socket {
    stream: TcpStream,
    opening: Option<Opening>,
    cut: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    _place: OwnedSemaphorePermit,
}

/// A connection that has not yet said enough to be taken for one.
struct Opening {
    deadline: Pin<Box<Sleep>>,
    missing: usize,
}

impl Socket {
    /// `cut` becomes true when no connection may go on.
    pub(crate) fn new(
        stream: TcpStream,
        place: OwnedSemaphorePermit,
        handshake: Duration,
        mut cut: watch::Receiver<bool>,
    ) -> Self {
        let cut = async move {
            if cut.wait_for(|cut| *cut).await.is_err() {
                // Nobody is left who could cut.
                std::future::pending::<()>().await;
            }
        };
        Self {
            stream,
            opening: Some(Opening {
                deadline: Box::pin(sleep(handshake)),
                missing: PREFACE_BYTES,
            }),
            cut: Some(Box::pin(cut)),
            _place: place,
        }
    }

    /// Whether the connection must end, and why.
    fn must_end(&mut self, cx: &mut Context<'_>) -> Option<io::Error> {
        let is_cut = self
            .cut
            .as_mut()
            .is_none_or(|cut| cut.as_mut().poll(cx).is_ready());
        if is_cut {
            self.cut = None;
            return Some(io::Error::from(io::ErrorKind::ConnectionAborted));
        }
        let opening = self.opening.as_mut()?;
        let is_late = opening.deadline.as_mut().poll(cx).is_ready();
        is_late.then(|| io::Error::from(io::ErrorKind::TimedOut))
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(error) = self.must_end(cx) {
            return Poll::Ready(Err(error));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        let read = buf.filled().len().saturating_sub(before);
        if let Some(opening) = &mut self.opening {
            opening.missing = opening.missing.saturating_sub(read);
            if opening.missing == 0 {
                self.opening = None;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Connected for Socket {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.stream.connect_info()
    }
}
