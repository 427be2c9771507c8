//! `werkbuch export columns`: what the columns of a table are.

use crate::Context;
use crate::failure::Outcome;
use crate::output::Answer;
use serde_json::json;
use werkbuch_table::{buckets, events, machines, timelines};

pub(super) fn run(context: &Context, table: &str) -> Outcome<()> {
    let columns = match table {
        "machines" => machines::COLUMNS,
        "events" => events::COLUMNS,
        "buckets" => buckets::COLUMNS,
        _ => timelines::COLUMNS,
    };
    let rows = columns.iter().map(|column| {
        let cells = [&*column.name, column.kind.name(), &*column.meaning];
        let item = json!({
            "column": column.name,
            "type": column.kind.name(),
            "meaning": column.meaning,
        });
        (cells.map(str::to_owned).to_vec(), item)
    });
    let rows: Vec<_> = rows.collect();
    let note = format!("{} of {} columns of {table}", rows.len(), columns.len());
    let answer = Answer::list(&["column", "type", "meaning"], rows).note(note);
    context.output.answer(&answer)
}
