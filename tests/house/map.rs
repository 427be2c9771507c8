//! Reads the tables of `crates/README.md`.

use std::collections::BTreeSet;

/// One row of a table, its cells without their spaces around.
pub(crate) type Row = Vec<String>;

/// The rows of the first table below a heading, without the table's head.
pub(crate) fn table(text: &str, heading: &str) -> Vec<Row> {
    let below = text
        .lines()
        .skip_while(|line| line.trim() != heading)
        .skip(1);
    let rows = below
        .take_while(|line| !line.starts_with("## "))
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'));
    rows.skip(2).map(cells).collect()
}

/// The words between backticks.
pub(crate) fn quoted(cell: &str) -> BTreeSet<String> {
    cell.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// The text below a heading, up to the next heading of its level or above.
pub(crate) fn section<'t>(text: &'t str, heading: &str) -> &'t str {
    let Some((_, below)) = text.split_once(&format!("\n{heading}\n")) else {
        return "";
    };
    let level = heading.chars().take_while(|c| *c == '#').count();
    let ends = (1..=level).filter_map(|n| below.find(&format!("\n{} ", "#".repeat(n))));
    &below[..ends.min().unwrap_or(below.len())]
}

fn cells(line: &str) -> Row {
    let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
    inner
        .split('|')
        .map(|cell| cell.trim().to_owned())
        .collect()
}

#[test]
fn tables_and_sections_are_found() {
    let text =
        "# M\n\n## A\n\nwords\n\n| h | i |\n|---|---|\n| `a` `b` | 2 |\n\n## B\n\n| j |\n|--|\n";
    assert_eq!(table(text, "## A"), [["`a` `b`", "2"]]);
    assert_eq!(table(text, "## B"), Vec::<Row>::new());
    assert_eq!(table(text, "## C"), Vec::<Row>::new());
    assert_eq!(quoted("`a` and `b`"), ["a", "b"].map(str::to_owned).into());
    assert!(section(text, "## A").contains("words"));
    assert!(!section(text, "## A").contains('j'));
}
