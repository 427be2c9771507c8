//! Takes the stream of a table and writes it to its file, with progress.

use super::out::{Out, Target};
use crate::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::Answer;
use crate::view::cut;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tonic::Streaming;
use werkbuch_table::{Decoder, Sink, TableError};
use werkbuch_wire::pb;

/// What has been written.
#[derive(Debug, Default)]
struct Written {
    cut: pb::Cut,
    rows: u64,
    done: u64,
    total: u64,
    bytes: u64,
    complete: bool,
}

/// Asks for the table and writes it. Errors: those of the server and of the file; then no file is left.
pub(super) async fn run(
    context: &Context,
    table: &'static str,
    request: pb::StreamTableRequest,
    target: Target,
) -> Outcome<()> {
    let client = context.client().await?;
    let stream = client.table().stream_table(request).await?.into_inner();
    let bar = bar(context, table);
    let receiving = receive(stream, &target, &bar);
    let written = tokio::select! {
        written = receiving => written,
        _ = tokio::signal::ctrl_c() => {
            let what = "the export was interrupted; no file was written";
            Err(Failure::new(Exit::Failed, "INTERRUPTED", what))
        }
    };
    bar.finish_and_clear();
    tell(context, table, &target, &written?)
}

async fn receive(
    mut stream: Streaming<pb::StreamTableResponse>,
    target: &Target,
    bar: &ProgressBar,
) -> Outcome<Written> {
    let mut written = Written::default();
    let mut decoder = Decoder::default();
    let mut sink: Option<Sink<Out>> = None;
    let bytes = Arc::new(AtomicU64::new(0));
    let (mut whole, mut taken) = (false, 0_u64);
    while let Some(part) = stream.message().await? {
        if let Some(cut) = part.cut {
            written.cut = cut;
            continue;
        }
        let batches = decoder
            .decode(part.arrow)
            .map_err(|error| failed(target, error))?;
        if let (None, Some(schema)) = (&sink, decoder.schema()) {
            let out = target.open(&bytes)?;
            let begun = Sink::new(target.form, schema, out);
            sink = Some(begun.map_err(|error| failed(target, error))?);
        }
        for batch in &batches {
            let Some(sink) = &mut sink else {
                return Err(failed(target, TableError::Broken));
            };
            sink.write(batch).map_err(|error| failed(target, error))?;
            taken = taken.saturating_add(batch.num_rows() as u64);
        }
        (written.rows, written.done, written.total) = (part.rows, part.done, part.total);
        (whole, written.complete) = (part.whole, part.complete);
        bar.set_length(part.total.max(1));
        bar.set_position(part.done);
        let so_far = bytes.load(Ordering::Relaxed);
        bar.set_message(format!("{} rows, {so_far} bytes", part.rows));
    }
    decoder.finish().map_err(|error| failed(target, error))?;
    // The server has counted what it made: what was lost on the way is no table.
    let sink = sink.filter(|_| whole && taken == written.rows);
    let sink = sink.ok_or_else(|| failed(target, TableError::Broken))?;
    let out = sink.close().map_err(|error| failed(target, error))?;
    out.close().map_err(|error| failed(target, error.into()))?;
    written.bytes = bytes.load(Ordering::Relaxed);
    Ok(written)
}

/// Why the table is not there; a pipe that was closed is no failure.
fn failed(target: &Target, error: TableError) -> Failure {
    match (error, target.path()) {
        (TableError::Write(cause), Some(path)) => Failure::file(path, &cause)
            .hint("nothing was left of it; make room, or name another place, and try again"),
        (TableError::Write(cause), None) => cause.into(),
        (error @ TableError::File(_), _) => {
            Failure::new(Exit::Failed, "TABLE_UNWRITABLE", error.to_string())
        }
        (error, _) => {
            let what = format!("{error}; no file was written");
            Failure::new(Exit::Unavailable, "TABLE_BROKEN", what).hint("try again")
        }
    }
}

fn bar(context: &Context, table: &str) -> ProgressBar {
    let bar = ProgressBar::new(1);
    if context.output.quiet {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let looked_at = looked_at(table);
    let template =
        format!("{{bar:30}} {{percent}}% of {{human_len}} {looked_at}, {{msg}}, {{elapsed}}");
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style);
    }
    bar
}

/// What the server looks at for a table.
fn looked_at(table: &str) -> &'static str {
    match table {
        "events" => "positions",
        "aggregates" => "instants",
        _ => "machines",
    }
}

/// Says what was written: on standard output, unless the table itself went there.
fn tell(context: &Context, table: &str, target: &Target, written: &Written) -> Outcome<()> {
    let looked_at = looked_at(table);
    let mut note = format!(
        "{} rows, {} of {} {looked_at} looked at{}",
        written.rows,
        written.done,
        written.total,
        cut::note(&written.cut)
    );
    if !written.complete {
        note.push_str("; the window was too large to be read at once, so rows are missing");
    }
    let Some(path) = target.path() else {
        context.output.note(&note);
        return Ok(());
    };
    let (file, form) = (path.display().to_string(), target.form.name());
    let whole = json!({
        "table": table,
        "file": file,
        "form": form,
        "rows": written.rows,
        "bytes": written.bytes,
        "looked_at": written.done,
        "total": written.total,
        "complete": written.complete,
        "cut": cut::json(&written.cut),
    });
    let parts = vec![
        ("table", table.to_owned()),
        ("file", file),
        ("form", form.to_owned()),
        ("rows", written.rows.to_string()),
        ("bytes", written.bytes.to_string()),
        (looked_at, written.total.to_string()),
    ];
    let answer = Answer::single(parts, whole).note(note);
    context.output.answer(&answer)
}
