//! The plain pages on the port of the services: metrics for Prometheus, and health for a look.

use crate::context::Context;
use crate::metrics::{self, Scrape};
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use tokio::sync::Semaphore;
use tonic::body::Body;
use tower::{Layer, Service};

const METRICS: &str = "/metrics";
const HEALTH: &str = "/healthz";
/// Scrapes at once: two monitors, each of which waits for its answer.
const SCRAPES_MAX: usize = 2;
const TEXT: &str = "text/plain; charset=utf-8";

/// The layer. It lies before gRPC-Web, which answers whatever is not gRPC with an error.
#[derive(Clone)]
pub(crate) struct FrontLayer {
    context: Arc<Context>,
    scrapes: Arc<Semaphore>,
}

/// The service behind the layer.
#[derive(Clone)]
pub(crate) struct Front<S> {
    inner: S,
    layer: FrontLayer,
}

impl FrontLayer {
    pub(crate) fn new(context: Arc<Context>) -> Self {
        Self {
            context,
            scrapes: Arc::new(Semaphore::new(SCRAPES_MAX)),
        }
    }
}

impl<S> Layer<S> for FrontLayer {
    type Service = Front<S>;

    fn layer(&self, inner: S) -> Front<S> {
        Front {
            inner,
            layer: self.clone(),
        }
    }
}

impl<S> Service<Request<Body>> for Front<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut std::task::Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let path = request.uri().path();
        if path != METRICS && path != HEALTH {
            return Box::pin(self.inner.call(request));
        }
        let is_head = request.method() == Method::HEAD;
        if request.method() != Method::GET && !is_head {
            return Box::pin(async { Ok(not_that_way()) });
        }
        let FrontLayer { context, scrapes } = self.layer.clone();
        let is_metrics = path == METRICS;
        Box::pin(async move {
            let page = if is_metrics {
                scraped(context, scrapes).await
            } else {
                health(&context)
            };
            Ok(if is_head {
                page.map(|_| Body::empty())
            } else {
                page
            })
        })
    }
}

async fn scraped(context: Arc<Context>, scrapes: Arc<Semaphore>) -> Response<Body> {
    let Ok(_place) = scrapes.try_acquire_owned() else {
        let text = "the page is being read by as many monitors as may at once; try again\n";
        let mut page = page(StatusCode::SERVICE_UNAVAILABLE, TEXT, text.to_owned());
        let headers = page.headers_mut();
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        return page;
    };
    let read = move || metrics::page(Scrape::read(&context));
    match tokio::task::spawn_blocking(read).await {
        Ok(Ok(text)) => page(StatusCode::OK, metrics::CONTENT_TYPE, text),
        failed => {
            tracing::error!(?failed, "the metrics could not be put together");
            let text = "the metrics could not be put together; the log of the server says more\n";
            page(StatusCode::INTERNAL_SERVER_ERROR, TEXT, text.to_owned())
        }
    }
}

fn health(context: &Context) -> Response<Body> {
    let (status, text) = if context.is_stopping() {
        (StatusCode::SERVICE_UNAVAILABLE, "the server is closing\n")
    } else if context.engine.stopped().is_some() {
        let text = "writing has stopped; reads go on, start the server anew\n";
        (StatusCode::SERVICE_UNAVAILABLE, text)
    } else {
        (StatusCode::OK, "ok\n")
    };
    let left = context.engine.recovering().len();
    if left > 0 && status == StatusCode::OK {
        let text = format!("ok; {left} plants are being folded from their logs\n");
        return page(status, TEXT, text);
    }
    page(status, TEXT, text.to_owned())
}

fn not_that_way() -> Response<Body> {
    let text = "this page can only be read: GET or HEAD\n".to_owned();
    let mut page = page(StatusCode::METHOD_NOT_ALLOWED, TEXT, text);
    let headers = page.headers_mut();
    headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    page
}

fn page(status: StatusCode, kind: &'static str, text: String) -> Response<Body> {
    let mut page = Response::new(Body::new(text));
    *page.status_mut() = status;
    let headers = page.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    page
}
