//! The log lines of a server on standard error: text for people, or JSON, one object a line.

use tracing_subscriber::EnvFilter;
use werkbuch_server::{Config, LogFormat};

/// Begins to log. A second logger in one process is refused, which is no harm.
pub(crate) fn start(config: &Config) {
    let filter = EnvFilter::new(config.log_directives());
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let begun = match config.log_format {
        LogFormat::Json => builder
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .try_init(),
        LogFormat::Text => builder.with_ansi(false).try_init(),
    };
    if begun.is_ok() {
        // An error in the product is a line like any other, so that readers of JSON see it.
        std::panic::set_hook(Box::new(|panic| {
            let place = panic.location().map(ToString::to_string);
            let payload = panic.payload();
            let text = payload.downcast_ref::<&str>().copied();
            let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
            let what = text.unwrap_or("no message");
            let thread = std::thread::current().name().map(str::to_owned);
            tracing::error!(what, place, thread, "the server met an error of its own");
        }));
    }
}
