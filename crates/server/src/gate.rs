//! The layer that every call passes: a bounded number at once, a bounded time, errors with reasons.

use crate::context;
use crate::limits::RETRY_AFTER;
use crate::metrics::Calls;
use crate::plain::explained;
use http::{Request, Response};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::Semaphore;
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};
use werkbuch_wire::reason::Reason;

/// Whoever watches over the server must get an answer also when it is busy.
const HEALTH: &str = "/grpc.health.v1.Health/";

/// The layer.
#[derive(Clone, Debug)]
pub(crate) struct GateLayer {
    calls: Arc<Calls>,
    places: Arc<Semaphore>,
    time: Duration,
}

/// The service behind the layer.
#[derive(Clone, Debug)]
pub(crate) struct Gate<S> {
    inner: S,
    layer: GateLayer,
}

impl GateLayer {
    pub(crate) fn new(context: &context::Context) -> Self {
        Self {
            calls: Arc::clone(&context.calls),
            places: Arc::clone(&context.call_places),
            time: context.limits.call,
        }
    }
}

impl<S> Layer<S> for GateLayer {
    type Service = Gate<S>;

    fn layer(&self, inner: S) -> Gate<S> {
        Gate {
            inner,
            layer: self.clone(),
        }
    }
}

impl<S> Service<Request<Body>> for Gate<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let is_health = request.uri().path().starts_with(HEALTH);
        let place = if is_health {
            None
        } else {
            self.layer.calls.took();
            match Arc::clone(&self.layer.places).try_acquire_owned() {
                Ok(place) => Some(place),
                Err(_) => {
                    let full = full();
                    self.layer.calls.ended(&full);
                    return Box::pin(async move { Ok(full.into_http()) });
                }
            }
        };
        let time = self.layer.time;
        let calls = Arc::clone(&self.layer.calls);
        // Streams answer at once and go on in their bodies, so this bounds unary calls alone.
        let answer = tokio::time::timeout(time, self.inner.call(request));
        Box::pin(async move {
            let _place = place;
            match answer.await {
                Ok(response) => response.map(|response| with_reason(response, &calls)),
                Err(_) => {
                    let late = too_long(time);
                    calls.ended(&late);
                    Ok(late.into_http())
                }
            }
        })
    }
}

fn with_reason(response: Response<Body>, calls: &Calls) -> Response<Body> {
    let Some(status) = Status::from_header_map(response.headers()) else {
        return response;
    };
    if let Some(explained) = explained(&status) {
        calls.ended(&explained);
        return explained.into_http();
    }
    calls.ended(&status);
    response
}

fn full() -> Status {
    Reason::Overloaded.retry(
        "the server has as many calls at once as it takes",
        RETRY_AFTER,
    )
}

fn too_long(time: Duration) -> Status {
    let text = format!(
        "the call took longer than {} s; ask for less at once, send what was to be written again under the same numbers",
        time.as_secs_f32()
    );
    Reason::CallTimeout.retry(text, RETRY_AFTER)
}
