//! Draws a plant's flow in letters, as wide as the terminal.

use super::layout::{Block, Drawing, kind_of};
use comfy_table::Table;
use werkbuch_model::id::ElementId;
use werkbuch_model::plant::{Description, Flow, FlowKind};

/// How wide a drawing is where no terminal says.
const WIDTH: usize = 100;
/// Less than this is no use to anybody.
const WIDTH_MIN: usize = 40;

/// The width of the terminal, as `COLUMNS` or the terminal itself say.
pub(super) fn width() -> usize {
    let said = std::env::var("COLUMNS")
        .ok()
        .and_then(|text| text.parse().ok());
    let said = said.or_else(|| Table::new().width().map(usize::from));
    said.unwrap_or(WIDTH).max(WIDTH_MIN)
}

/// The drawing, a block for each unit.
pub(super) fn draw(description: &Description, drawing: &Drawing<'_>, width: usize) -> String {
    let mut out = String::new();
    let pen = Pen {
        description,
        drawing,
        width,
    };
    for block in &drawing.blocks {
        pen.block(block, 0, &mut out);
    }
    out
}

struct Pen<'a, 'd> {
    description: &'d Description,
    drawing: &'a Drawing<'d>,
    width: usize,
}

impl Pen<'_, '_> {
    fn block(&self, block: &Block<'_>, depth: usize, out: &mut String) {
        let indent = "  ".repeat(depth);
        if let Some(unit) = block.unit {
            let name = match unit.name.as_str() {
                "" => String::new(),
                name => format!(" {name}"),
            };
            let level = unit.level.name().to_ascii_lowercase().replace('_', " ");
            out.push_str(&format!("{indent}{} ({level}){name}\n", unit.id));
        }
        let inside = format!("{indent}  ");
        for row in &block.rows {
            self.row(row, &inside, out);
        }
        for flow in &block.others {
            out.push_str(&format!("{inside}  {}\n", self.arrow(flow)));
        }
        for inner in &block.inner {
            self.block(inner, depth + 1, out);
        }
    }

    fn row(&self, row: &[&ElementId], indent: &str, out: &mut String) {
        let mut line = String::from(indent);
        let mut is_first = true;
        for id in row {
            let place = self.place(id);
            let piece = if is_first {
                place
            } else {
                format!(" > {place}")
            };
            let length = line.chars().count() + piece.chars().count();
            if !is_first && length > self.width {
                out.push_str(&line);
                out.push('\n');
                line = format!("{indent} ");
            }
            line.push_str(&piece);
            is_first = false;
        }
        out.push_str(&line);
        out.push('\n');
    }

    fn place(&self, id: &ElementId) -> String {
        if let Some(buffer) = self.description.buffer(id.as_str()) {
            let lanes = match buffer.lanes {
                0 | 1 => String::new(),
                lanes => format!(" in {lanes} lanes"),
            };
            return format!("({id} {}{lanes})", buffer.capacity);
        }
        let resources = match self.drawing.resources(id) {
            0 => String::new(),
            count => format!(" [{count}]"),
        };
        let constraint = if self.drawing.is_constraint(id) {
            "*"
        } else {
            ""
        };
        format!("{id}{constraint}{resources}")
    }

    /// An arrow that is not between two neighbours of a row.
    fn arrow(&self, flow: &Flow) -> String {
        let mut notes = Vec::new();
        if !matches!(flow.flow_kind, FlowKind::Unspecified | FlowKind::Main) {
            notes.push(kind_of(flow).to_owned());
        }
        notes.extend(flow.share.map(|share| format!("share {share}")));
        if !flow.variants.is_empty() {
            let names: Vec<&str> = flow.variants.iter().map(ElementId::as_str).collect();
            notes.push(format!("only {}", names.join(", ")));
        }
        let notes = match notes.is_empty() {
            true => String::new(),
            false => format!("  {}", notes.join(", ")),
        };
        let outside = match self.drawing.holds(&flow.to) {
            true => "",
            false => " (outside)",
        };
        let glyph = match flow.flow_kind {
            FlowKind::Rework => "~>",
            FlowKind::Scrap => "x>",
            FlowKind::Empties => "o>",
            FlowKind::Unspecified | FlowKind::Main => "->",
        };
        format!("{} {glyph} {}{outside}{notes}", flow.from, flow.to)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use werkbuch_model::plant::parse;

    const PLANT: &str = r#"
        plant.id = "P"
        unit = [{ id = "line", level = "line", constraint = "b", name = "Line 1" }]
        machine = [
            { id = "a", in = "line" }, { id = "b", in = "line" }, { id = "c", in = "line" },
            { id = "r1", in = "line", node = "b" }, { id = "r2", in = "line", node = "b" },
            { id = "fix", in = "line" }, { id = "out" },
        ]
        buffer = [{ id = "x", in = "line", capacity = 4, lanes = 2 }]
        flow = [
            { from = "a", to = "x" }, { from = "x", to = "b" }, { from = "b", to = "c", share = 0.9 },
            { from = "b", to = "fix", share = 0.1, kind = "rework" },
            { from = "fix", to = "b", kind = "rework" }, { from = "c", to = "out" },
        ]
    "#;

    fn drawn(unit: Option<&str>, width: usize) -> String {
        let description = parse(PLANT, "p").unwrap().to_description().unwrap();
        draw(&description, &Drawing::new(&description, unit), width)
    }

    #[test]
    fn a_line_reads_from_left_to_right() {
        assert_eq!(
            drawn(Some("line"), 80),
            "line (production line) Line 1\n\
             \x20 a > (x 4 in 2 lanes) > b* [2] > c\n\
             \x20 fix\n\
             \x20   b ~> fix  rework, share 0.1\n\
             \x20   c -> out (outside)\n\
             \x20   fix ~> b  rework\n"
        );
    }

    #[test]
    fn rows_keep_to_the_width() {
        let narrow = drawn(None, WIDTH_MIN);
        assert!(
            narrow.lines().all(|line| line.chars().count() <= WIDTH_MIN),
            "{narrow}"
        );
        assert!(narrow.starts_with("  out\n"), "{narrow}");
        assert!(
            drawn(Some("line"), 20).contains("a\n    > (x"),
            "{}",
            drawn(Some("line"), 20)
        );
    }
}
