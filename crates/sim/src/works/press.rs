//! The press shop: two lines, each of which makes two panels by turns, into stores.

use super::sheet::{Sheet, Station, Step};

/// How many machines it has.
pub(super) const MACHINES: usize = 8;

/// The two lines: product, then the stores of its two panels.
const LINES: [(&str, [&str; 2]); 2] = [
    ("outer-panel", ["side-panel", "door-panel"]),
    ("inner-panel", ["floor-panel", "roof-panel"]),
];

pub(super) fn write(sheet: &mut Sheet) {
    sheet.buffer("press-scrap", "Scrap container", "press", 500, "pool");
    sheet.sink("press-scrap");
    for (line, (product, panels)) in (1..).zip(LINES) {
        let unit = format!("press-line-{line}");
        let names = ["draw", "trim", "flange", "check"].map(|part| format!("press-{line}-{part}"));
        let [head, .., check] = &names;
        sheet
            .unit(&unit, &format!("Press line {line}"), "line", "press")
            .text("constraint", head)
            .value("takt_ms", 26_000);
        let titles = [
            "drawing press",
            "trimming press",
            "flanging press",
            "panel check",
        ];
        for (id, title) in names.iter().zip(titles) {
            let is_check = id == check;
            sheet.station(&Station {
                id,
                name: &format!("Line {line} {title}"),
                unit: &unit,
                sort: "press",
                vocabulary: "MTCONNECT_EXECUTION",
                cycle_ms: if is_check { 17_000 } else { 20_000 },
                transfer: if is_check { "" } else { "indexed" },
                ..Station::default()
            });
            let work_ms = if is_check { 17_000 } else { 20_000 };
            sheet.step(&Step {
                product,
                operation: title,
                at: &[id],
                work_ms,
                carrier: "",
            });
        }
        sheet.chain(&names.each_ref().map(String::as_str));
        sheet.source(head, product);
        sheet.side_flow(check, "press-scrap", "scrap");
        for panel in panels {
            let store = format!("{panel}-store");
            sheet.buffer(&store, &format!("Store of {panel}s"), "press", 240, "store");
            sheet
                .flow(check, &store)
                .value("transit_ms", 30_000)
                .texts("variants", &[panel]);
        }
        sheet
            .object("setup")
            .text("machines", head)
            .text("attribute", "die")
            .text("from", "*")
            .text("to", "*")
            .value("ms", 300_000);
        sheet.count_point(&unit, check);
        let coil = format!("steel-blank-{line}");
        sheet
            .object("feed")
            .text("part_number", &coil)
            .text("at", head)
            .value("quantity", 1)
            .text("site", "stahlwerk-ruhr")
            .text("kind", "bulk");
    }
}
