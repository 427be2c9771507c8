//! `werkbuch server metrics`: the page that monitors read, as a list or as it is.

use super::{NO_PAST, NO_PAST_HELP};
use crate::Context;
use crate::command::NoInstant;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::Answer;
use serde_json::{Map, Value, json};

const COLUMNS: [&str; 3] = ["metric", "labels", "value"];

#[derive(Debug, clap::Args)]
#[command(after_help = NO_PAST_HELP)]
pub(crate) struct Args {
    /// Only metrics whose names begin so, for example werkbuch_ack.
    #[arg(value_name = "PREFIX")]
    prefix: Option<String>,
    /// The page as monitors read it, with help and types.
    #[arg(long, conflicts_with = "prefix")]
    raw: bool,
    #[command(flatten)]
    no_instant: NoInstant,
}

/// One row of the page.
#[derive(Debug, PartialEq)]
struct Sample {
    name: String,
    labels: Vec<(String, String)>,
    /// As written: some numbers are larger than JSON readers take exactly.
    value: String,
}

pub(crate) async fn run(args: Args, context: &Context) -> Outcome<()> {
    args.no_instant.refuse(NO_PAST.0, NO_PAST.1)?;
    let page = context.client().await?.page("/metrics").await?;
    if args.raw {
        return context.output.text(&page);
    }
    let all = samples(&page)?;
    let total = all.len();
    let prefix = args.prefix.unwrap_or_default();
    let shown: Vec<Sample> = all
        .into_iter()
        .filter(|sample| sample.name.starts_with(&prefix))
        .collect();
    let note = format!("{} of {total} rows", shown.len());
    let rows = shown.into_iter().map(row).collect();
    context
        .output
        .answer(&Answer::list(&COLUMNS, rows).note(note))
}

fn row(sample: Sample) -> (Vec<String>, Value) {
    let labels = sample.labels.iter();
    let shown: Vec<String> = labels
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let labels: Map<String, Value> = sample
        .labels
        .into_iter()
        .map(|(name, value)| (name, json!(value)))
        .collect();
    let number = sample.value.parse::<u64>().map(|number| json!(number));
    let number = number.or_else(|_| sample.value.parse::<f64>().map(|number| json!(number)));
    let value = number.unwrap_or(Value::Null);
    let item = json!({ "metric": sample.name, "labels": labels, "value": value });
    (vec![sample.name, shown.join(" "), sample.value], item)
}

/// The rows of a page. Errors: a line that is none, as from another server than ours.
fn samples(page: &str) -> Outcome<Vec<Sample>> {
    let lines = page.lines().filter(|line| !line.starts_with('#'));
    let read = lines.map(|line| {
        sample(line).ok_or_else(|| {
            let what = format!("the page of metrics has a line that is none: {line}");
            Failure::new(Exit::Failed, "PAGE_MALFORMED", what)
        })
    });
    read.collect()
}

fn sample(line: &str) -> Option<Sample> {
    let (name, value) = line.rsplit_once(' ')?;
    let (name, labels) = match name.split_once('{') {
        None => (name, Vec::new()),
        Some((name, labels)) => (name, read_labels(labels.strip_suffix('}')?)?),
    };
    Some(Sample {
        name: name.to_owned(),
        labels,
        value: value.to_owned(),
    })
}

/// `name="value",...`, with the quote, the backslash and the line break escaped by a backslash.
fn read_labels(mut text: &str) -> Option<Vec<(String, String)>> {
    let mut labels = Vec::new();
    while !text.is_empty() {
        let (name, rest) = text.split_once("=\"")?;
        let mut value = String::new();
        let mut chars = rest.char_indices();
        let end = loop {
            match chars.next()? {
                (at, '"') => break at,
                (_, '\\') => value.push(match chars.next()?.1 {
                    'n' => '\n',
                    other => other,
                }),
                (_, other) => value.push(other),
            }
        };
        labels.push((name.to_owned(), value));
        text = rest.get(end + 1..)?;
        text = text.strip_prefix(',').unwrap_or(text);
    }
    Some(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_taken_apart() {
        let label = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        for (line, name, labels, value) in [
            ("up 1", "up", vec![], "1"),
            (
                r#"a_total{plant="P 1",why="a \"b\", c\\d}"} 2.5"#,
                "a_total",
                vec![label("plant", "P 1"), label("why", r#"a "b", c\d}"#)],
                "2.5",
            ),
        ] {
            let found = sample(line);
            let expected = Sample {
                name: name.to_owned(),
                labels,
                value: value.to_owned(),
            };
            assert_eq!(found, Some(expected), "{line}");
        }
        for bad in ["", "name", "a{b} 1", "a{b=\"c} 1"] {
            assert!(sample(bad).is_none(), "{bad}");
        }
    }
}
