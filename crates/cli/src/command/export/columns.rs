//! `werkbuch export columns`: what the columns of a table are.

use crate::Context;
use crate::failure::Outcome;
use crate::output::Answer;
use serde_json::json;
use werkbuch_table::aggregates::{self, Measured, Yields};
use werkbuch_table::{Column, buckets, events, machines, timelines};
use werkbuch_wire::pb::AggregateFunction as Function;

pub(super) fn run(context: &Context, table: &str) -> Outcome<()> {
    let of_figures = figures();
    let columns = match table {
        "machines" => machines::COLUMNS,
        "events" => events::COLUMNS,
        "buckets" => buckets::COLUMNS,
        "aggregates" => &of_figures,
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
    let mut note = format!("{} of {} columns of {table}", rows.len(), columns.len());
    if table == "aggregates" {
        note.push_str(
            ", with --by state --measure count,sum:parts: others follow from what is asked",
        );
    }
    let answer = Answer::list(&["column", "type", "meaning"], rows).note(note);
    context.output.answer(&answer)
}

/// The columns of figures, which follow from the question: of one that has all sorts of them.
fn figures() -> Vec<Column> {
    let measure = |function, field: &str, yields| Measured {
        function,
        field: field.to_owned(),
        yields,
    };
    let measures = [
        measure(Function::Count, "", Yields::Count),
        measure(Function::Sum, "parts", Yields::Whole),
    ];
    aggregates::columns(&["state".to_owned()], &measures)
}
