//! Draws a plant's flow as SVG: units as boxes, places along rows, arrows between them.

use super::layout::{Block, Drawing, kind_of};
use crate::plain::markup;
use std::collections::BTreeMap;
use std::fmt::Write;
use werkbuch_model::id::ElementId;
use werkbuch_model::plant::{Description, Flow};

const PLACE_W: usize = 118;
const PLACE_H: usize = 34;
const GAP_X: usize = 26;
const GAP_Y: usize = 22;
const PAD: usize = 14;
const TITLE_H: usize = 20;
/// How many places stand in a row before it goes on below.
const ROW_MAX: usize = 12;
/// How many letters of a name fit into a place.
const NAME_SHOWN: usize = 16;

/// Colours for light and dark; what they say is also said in letters.
const STYLE: &str = "\
:root{--ink:#1c2330;--soft:#5b6577;--paper:#fff;--box:#f3f5f8;--line:#9aa4b5;--place:#fff;\
--buffer:#e4ecf7;--run:#1a7f4b;--wait:#a86400;--down:#b3261e}\
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ef;--soft:#a3adbd;--paper:#14181f;--box:#1c222c;\
--line:#66728a;--place:#242c38;--buffer:#22344d;--run:#4cc38a;--wait:#f0b44c;--down:#ff8a80}}\
text{font:12px system-ui,sans-serif;fill:var(--ink)}.unit{fill:var(--box);stroke:var(--line)}\
.title{font-weight:600}.small{font-size:10px;fill:var(--soft)}\
.machine{fill:var(--place);stroke:var(--line)}.buffer{fill:var(--buffer);stroke:var(--line)}\
.constraint{stroke-width:3}.flow{fill:none;stroke:var(--line);stroke-width:1.5}\
.rework{stroke-dasharray:6 3}.scrap{stroke-dasharray:2 3}.empties{stroke-dasharray:1 5}\
.executing{stroke:var(--run);stroke-width:3}\
.starved,.blocked,.waiting,.held,.setup,.maintenance{stroke:var(--wait);stroke-width:3}\
.faulted,.stopped,.aborted{stroke:var(--down);stroke-width:3}";

/// The drawing as a document of its own.
pub(super) fn draw(
    description: &Description,
    drawing: &Drawing<'_>,
    states: &BTreeMap<String, String>,
) -> String {
    let mut pen = Pen {
        description,
        drawing,
        states,
        at: BTreeMap::new(),
        boxes: String::new(),
        places: String::new(),
    };
    let (mut width, mut y) = (0, PAD);
    for block in &drawing.blocks {
        let (w, h) = pen.block(block, PAD, y);
        width = width.max(w);
        y += h + PAD;
    }
    let (width, height) = (width + 2 * PAD, y);
    let arrows = pen.arrows();
    let name = markup(&description.plant().name);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\" role=\"img\">\n<title>{name}</title>\n\
         <style>{STYLE}</style>\n<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" \
         markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" \
         fill=\"var(--line)\"/></marker></defs>\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"var(--paper)\"/>\n{}{arrows}{}</svg>\n",
        pen.boxes, pen.places
    )
}

struct Pen<'a, 'd> {
    description: &'d Description,
    drawing: &'a Drawing<'d>,
    states: &'a BTreeMap<String, String>,
    /// The upper left corner of each place.
    at: BTreeMap<&'d ElementId, (usize, usize)>,
    boxes: String,
    places: String,
}

impl<'d> Pen<'_, 'd> {
    /// Draws a block with its upper left corner there, and gives its width and height.
    fn block(&mut self, block: &Block<'d>, x: usize, y: usize) -> (usize, usize) {
        // The box lies below what is in it, and is known only afterwards.
        let below = std::mem::take(&mut self.boxes);
        let mut bottom = y + if block.unit.is_some() {
            TITLE_H + PAD
        } else {
            PAD
        };
        let mut right = x + PLACE_W;
        for row in &block.rows {
            for line in row.chunks(ROW_MAX) {
                let mut left = x + PAD;
                for id in line {
                    self.place(id, left, bottom);
                    right = right.max(left + PLACE_W);
                    left += PLACE_W + GAP_X;
                }
                bottom += PLACE_H + GAP_Y;
            }
        }
        for inner in &block.inner {
            let (w, h) = self.block(inner, x + PAD, bottom);
            right = right.max(x + PAD + w);
            bottom += h + PAD;
        }
        let (width, height) = (right + PAD - x, bottom - y);
        let inner = std::mem::replace(&mut self.boxes, below);
        if let Some(unit) = block.unit {
            let title = match unit.name.as_str() {
                "" => unit.id.to_string(),
                name => format!("{name} ({})", unit.id),
            };
            let title = markup(&title);
            let (tx, ty) = (x + PAD, y + TITLE_H);
            let _ = writeln!(
                self.boxes,
                "<g><title>{title}</title><rect class=\"unit\" x=\"{x}\" y=\"{y}\" \
                 width=\"{width}\" height=\"{height}\" rx=\"6\"/>\
                 <text class=\"title\" x=\"{tx}\" y=\"{ty}\">{title}</text></g>"
            );
        }
        self.boxes.push_str(&inner);
        (width, height)
    }

    fn place(&mut self, id: &'d ElementId, x: usize, y: usize) {
        self.at.insert(id, (x, y));
        let (class, small, title) = self.says(id);
        let rx = if class.starts_with("buffer") {
            PLACE_H / 2
        } else {
            4
        };
        let name = markup(&clipped(id.as_str()));
        let (tx, first, second) = (x + PLACE_W / 2, y + 15, y + 28);
        let _ = writeln!(
            self.places,
            "<g><title>{}</title><rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{PLACE_W}\" \
             height=\"{PLACE_H}\" rx=\"{rx}\"/><text text-anchor=\"middle\" x=\"{tx}\" \
             y=\"{first}\">{name}</text><text class=\"small\" text-anchor=\"middle\" x=\"{tx}\" \
             y=\"{second}\">{}</text></g>",
            markup(&title),
            markup(&small),
        );
    }

    /// The class of a place, its small line and its tooltip.
    fn says(&self, id: &ElementId) -> (String, String, String) {
        if let Some(buffer) = self.description.buffer(id.as_str()) {
            let holds = format!("holds {}", buffer.capacity);
            let title = format!(
                "buffer {id} {}: {holds}, {} lanes",
                buffer.name, buffer.lanes
            );
            return ("buffer".to_owned(), holds, title);
        }
        let machine = self.description.machine_named(id.as_str());
        let mut small = Vec::new();
        if let Some(cycle) = machine.and_then(|machine| machine.cycle_ms) {
            small.push(format!("{}.{} s", cycle / 1_000, cycle % 1_000 / 100));
        }
        match self.drawing.resources(id) {
            0 => {}
            count => small.push(format!("{count} resources")),
        }
        let mut class = "machine".to_owned();
        if self.drawing.is_constraint(id) {
            class.push_str(" constraint");
            small.push("constraint".to_owned());
        }
        if let Some(state) = self.states.get(id.as_str()) {
            let word = state.to_ascii_lowercase();
            if word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
            {
                class = format!("{class} {word}");
            }
            small.insert(0, word);
        }
        let name = machine.map_or("", |machine| machine.name.as_str());
        let title = format!("machine {id} {name}: {}", small.join(", "));
        (class, small.first().cloned().unwrap_or_default(), title)
    }

    fn arrows(&self) -> String {
        let mut out = String::new();
        for flow in self.description.flows() {
            let ends = self.at.get(&flow.from).zip(self.at.get(&flow.to));
            if let Some((from, to)) = ends {
                let _ = writeln!(
                    out,
                    "<path class=\"flow {}\" d=\"{}\" marker-end=\"url(#tip)\"><title>{}</title></path>",
                    kind_of(flow),
                    way(*from, *to),
                    markup(&said(flow)),
                );
            }
        }
        out
    }
}

/// From the right side of one place to the left side of another; neighbours get a straight line.
fn way((x, y): (usize, usize), (to_x, to_y): (usize, usize)) -> String {
    let half = PLACE_H / 2;
    if y == to_y && to_x > x {
        let (from, line) = (x + PLACE_W, y + half);
        if to_x - from <= GAP_X {
            return format!("M{from} {line}H{to_x}");
        }
    }
    // Below the places, so that no arrow runs behind one of its own row.
    let (from, start) = (x + PLACE_W / 2, y + PLACE_H);
    let (end_x, end) = match to_y > y {
        true => (to_x + PLACE_W / 2, to_y),
        false => (to_x + PLACE_W / 2, to_y + PLACE_H),
    };
    let (first, second) = match to_y > y {
        true => (start + GAP_Y / 2, end.saturating_sub(GAP_Y / 2)),
        false => (start + GAP_Y, end + GAP_Y),
    };
    format!("M{from} {start}C{from} {first} {end_x} {second} {end_x} {end}")
}

fn said(flow: &Flow) -> String {
    let share = flow
        .share
        .map(|share| format!(", share {share}"))
        .unwrap_or_default();
    format!("{} to {}: {}{share}", flow.from, flow.to, kind_of(flow))
}

fn clipped(name: &str) -> String {
    if name.chars().count() <= NAME_SHOWN {
        return name.to_owned();
    }
    let mut shown: String = name.chars().take(NAME_SHOWN - 1).collect();
    shown.push('\u{2026}');
    shown
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use werkbuch_model::plant::parse;

    #[test]
    fn every_place_and_arrow_is_drawn_and_text_stays_text() {
        let text = "plant.id = \"P\"\nplant.name = \"A & <B>\"\n\
             unit = [{ id = \"l\", level = \"line\", name = \"<script>\" }]\n\
             machine = [{ id = \"a\", in = \"l\", cycle_s = 50 }, { id = \"b\", in = \"l\" }]\n\
             buffer = [{ id = \"x\", in = \"l\", capacity = 3 }]\n\
             flow = [{ from = \"a\", to = \"x\" }, { from = \"x\", to = \"b\" },\n\
             { from = \"b\", to = \"a\", kind = \"rework\" }]\n";
        let description = parse(text, "p").unwrap().to_description().unwrap();
        let drawing = Drawing::new(&description, None);
        let states = BTreeMap::from([("a".to_owned(), "EXECUTING".to_owned())]);
        let image = draw(&description, &drawing, &states);
        assert_eq!(image.matches("class=\"flow").count(), 3);
        assert_eq!(image.matches("class=\"machine").count(), 2);
        assert_eq!(image.matches("class=\"buffer\"").count(), 1);
        assert!(image.contains("class=\"machine executing\"") && image.contains(">executing<"));
        assert!(image.contains("A &amp; &lt;B&gt;") && !image.contains("<script>"));
        assert!(image.contains("class=\"flow rework\""));
        assert!(image.contains("prefers-color-scheme:dark"));
    }

    #[test]
    fn what_xml_cannot_hold_is_shown_as_missing() {
        assert_eq!(
            markup("a\u{1b}\0\u{fffe}\u{ffff}b"),
            "a\u{fffd}\u{fffd}\u{fffd}\u{fffd}b"
        );
    }

    #[test]
    fn three_hundred_stations_do_not_overlap() {
        let mut text = "plant.id = \"P\"\n".to_owned();
        for station in 0..300 {
            text += &format!("[[machine]]\nid = \"s{station}\"\n");
        }
        for station in 1..300 {
            text += &format!(
                "[[flow]]\nfrom = \"s{}\"\nto = \"s{station}\"\n",
                station - 1
            );
        }
        let description = parse(&text, "p").unwrap().to_description().unwrap();
        let drawing = Drawing::new(&description, None);
        let states = BTreeMap::new();
        let mut pen = Pen {
            description: &description,
            drawing: &drawing,
            states: &states,
            at: BTreeMap::new(),
            boxes: String::new(),
            places: String::new(),
        };
        pen.block(&drawing.blocks[0], 0, 0);
        assert_eq!(pen.at.len(), 300);
        let mut corners: Vec<_> = pen.at.values().copied().collect();
        corners.sort_unstable();
        corners.dedup();
        assert_eq!(corners.len(), 300);
        let apart = |a: usize, b: usize, size: usize| a == b || a.abs_diff(b) >= size;
        let all = |(x, y): &(usize, usize)| {
            corners
                .iter()
                .all(|(u, v)| apart(*x, *u, PLACE_W) && apart(*y, *v, PLACE_H))
        };
        assert!(corners.iter().all(all));
    }
}
