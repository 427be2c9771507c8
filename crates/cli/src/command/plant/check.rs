//! `werkbuch plant check`: the mistakes of a description, and what it can answer.

use super::source::Of;
use crate::Context;
use crate::command::with;
use crate::failure::Outcome;
use crate::output::Answer;
use serde_json::{Value, json};
use werkbuch_model::plant::{Answerable, Missing, PlantFile, Question, Remark};

/// How many names of what lacks something are shown.
const NAMES_SHOWN: usize = 3;

/// Check a plant's description, and show what the plant can answer.
///
/// All mistakes of a file are shown at once, as file:line:column. Without any, each kind of question
/// is shown with YES, PARTLY or NO, and what is missing for it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    of: Of,
    /// Name all machines, lines and so on that lack something, not only the first.
    #[arg(short, long)]
    verbose: bool,
}

pub(super) async fn run(context: &Context, args: Args) -> Outcome<()> {
    let (file, description) = args.of.load(context).await?;
    let (questions, remarks) = (description.questions(), description.remarks());
    context
        .output
        .answer(&answer(&file, &questions, &remarks, args.verbose))
}

fn answer(file: &PlantFile, questions: &[Question], remarks: &[Remark], verbose: bool) -> Answer {
    let counts = [
        ("units", file.units.len()),
        ("machines", file.machines.len()),
        ("buffers", file.buffers.len()),
        ("flows", file.flows.len()),
        ("products", file.products.len()),
        ("steps", file.steps.len()),
        ("calendars", file.calendars.len()),
        ("authorities", file.authorities.len()),
    ];
    let answered = |wanted| questions.iter().filter(|one| one.answer == wanted).count();
    let (full, partly) = (answered(Answerable::Yes), answered(Answerable::Partly));
    let mut rows = Vec::new();
    for one in questions {
        let missing: Vec<String> = one.missing.iter().map(|one| shown(one, verbose)).collect();
        let cells = vec![
            one.name.to_owned(),
            one.answer.to_string(),
            missing.join("; "),
        ];
        rows.push((cells, question(one)));
    }
    for remark in remarks {
        let cells = vec![
            remark.kind.to_owned(),
            "REMARK".to_owned(),
            remark.text.clone(),
        ];
        rows.push((cells, json!({ "remark": remark.kind, "text": remark.text })));
    }
    let whole = with(
        json!({ "plant": file.plant_id }),
        counts.map(|(name, count)| (name, json!(count))),
    );
    let whole = with(
        whole,
        [
            ("questions", questions.iter().map(question).collect()),
            (
                "remarks",
                remarks
                    .iter()
                    .map(|one| json!({ "remark": one.kind, "text": one.text }))
                    .collect(),
            ),
        ],
    );
    let counted: Vec<String> = counts
        .iter()
        .filter(|(_, n)| *n > 0)
        .map(|(name, n)| format!("{n} {name}"))
        .collect();
    let counted = match counted.is_empty() {
        true => "nothing but the plant".to_owned(),
        false => counted.join(", "),
    };
    let note = format!(
        "plant \"{}\" has no mistakes: {counted}\n{full} of {} kinds of questions can be answered, \
         {partly} more in part",
        file.plant_id,
        questions.len(),
    );
    Answer::list(&["question", "answer", "missing"], rows)
        .whole(whole)
        .note(note)
}

fn question(one: &Question) -> Value {
    let missing: Vec<Value> = one
        .missing
        .iter()
        .map(|missing| {
            json!({
                "what": missing.what,
                "of": missing.of,
                "names": missing.names,
                "total": missing.total,
                "needed": missing.is_needed,
            })
        })
        .collect();
    json!({
        "question": one.name,
        "asks": one.asks,
        "answer": one.answer.name(),
        "missing": missing,
    })
}

/// `a planned cycle (cycle_s) for 3 of 12 machines: a, b, c`.
fn shown(missing: &Missing, verbose: bool) -> String {
    if missing.names.is_empty() {
        return missing.what.to_owned();
    }
    let limit = if verbose { usize::MAX } else { NAMES_SHOWN };
    let mut names: Vec<&str> = missing
        .names
        .iter()
        .take(limit)
        .map(String::as_str)
        .collect();
    if missing.names.len() > names.len() {
        names.push("...");
    }
    format!(
        "{} for {} of {} {}: {}",
        missing.what,
        missing.names.len(),
        missing.total,
        missing.of,
        names.join(", ")
    )
}
