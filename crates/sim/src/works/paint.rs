//! The paint shop: tanks, ovens, sealing, booths that change colour, inspection, and a rework loop.

use super::frame::COLOURS;
use super::sheet::{Sheet, Station, Step};
use super::{CarPlant, Size};

/// How many machines it has beside robots.
pub(super) const FIXED: usize = 9;
/// The stations with robots: sealing and the two booths.
pub(super) const ROBOT_STATIONS: usize = 3;

/// A station: name, full name, sort, cycle in seconds, slots, people, operation.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    u64,
    u32,
    u32,
    &'static str,
);

const STATIONS: [Row; 9] = [
    (
        "pretreatment",
        "Pretreatment",
        "dip-tank",
        208,
        4,
        0,
        "pretreat",
    ),
    ("ecoat", "Electrocoat", "dip-tank", 210, 4, 0, "electrocoat"),
    (
        "ecoat-oven",
        "Electrocoat oven",
        "oven",
        1_060,
        20,
        0,
        "bake",
    ),
    ("sealing", "Sealing", "sealing", 51, 1, 0, "seal"),
    (
        "basecoat",
        "Base coat booth",
        "paint-booth",
        49,
        1,
        0,
        "base coat",
    ),
    (
        "clearcoat",
        "Clear coat booth",
        "paint-booth",
        50,
        1,
        0,
        "clear coat",
    ),
    (
        "topcoat-oven",
        "Top coat oven",
        "oven",
        1_080,
        21,
        0,
        "bake",
    ),
    (
        "paint-check",
        "Paint inspection",
        "inspection",
        51,
        1,
        2,
        "inspect paint",
    ),
    (
        "spot-repair",
        "Spot repair",
        "rework",
        660,
        3,
        3,
        "repair paint",
    ),
];

/// A buffer: name, full name, unit, capacity, kind.
type Room = (
    &'static str,
    &'static str,
    &'static str,
    usize,
    &'static str,
);

const BUFFERS: [Room; 9] = [
    (
        "rinsed",
        "Behind the pretreatment",
        "coating",
        3,
        "conveyor",
    ),
    ("dipped", "Behind the electrocoat", "coating", 3, "conveyor"),
    (
        "baked",
        "Behind the electrocoat oven",
        "coating",
        12,
        "conveyor",
    ),
    ("colour-store", "Colour store", "topcoat", 36, "lanes"),
    ("based", "Flash-off", "topcoat", 4, "conveyor"),
    (
        "cleared",
        "Before the top coat oven",
        "topcoat",
        4,
        "conveyor",
    ),
    ("cooled", "Cooling zone", "topcoat", 10, "conveyor"),
    (
        "paint-rework",
        "Bodies to be repaired",
        "topcoat",
        10,
        "fifo",
    ),
    (
        "painted-store",
        "Store of painted bodies",
        "paint",
        70,
        "resequencing",
    ),
];

pub(super) fn write(sheet: &mut Sheet, plant: &CarPlant, size: &mut Size) {
    sheet
        .unit("coating", "Coating", "line", "paint")
        .text("constraint", "ecoat-oven")
        .value("takt_ms", 58_000);
    sheet
        .unit("topcoat", "Top coat", "line", "paint")
        .text("constraint", "basecoat")
        .value("takt_ms", 58_000);
    sheet.group("exhaust-air", "Exhaust air of the booths", "utility");
    let skids = 175;
    sheet.buffer(
        "paint-skids",
        "Return of paint skids",
        "paint",
        skids,
        "pool",
    );
    sheet
        .object("carrier")
        .text("id", "paint-skid")
        .text("name", "Paint skid")
        .text("kind", "skid")
        .value("count", skids)
        .text("home", "paint-skids")
        .value("return_ms", 120_000);
    sheet.side_flow("trim-1", "paint-skids", "empties");
    sheet.side_flow("paint-skids", "pretreatment", "empties");
    for row in STATIONS {
        station(sheet, plant, size, &row);
    }
    flows(sheet);
    sheet
        .object("setup")
        .text("machines", "basecoat")
        .text("attribute", "colour")
        .text("from", "*")
        .text("to", "*")
        .value("ms", 45_000);
    sheet
        .object("setup")
        .text("machines", "basecoat")
        .text("attribute", "colour")
        .text("from", "black")
        .text("to", "white")
        .value("ms", 75_000);
    for (colour, _) in COLOURS {
        for body in ["saloon", "estate"] {
            sheet
                .object("feed")
                .text("part_number", &format!("paint-{colour}"))
                .text("at", "basecoat")
                .value("quantity", 1)
                .text("variant", &format!("{body}-{colour}"))
                .text("product", plant.model())
                .text("site", "lackwerke-sued")
                .text("kind", "bulk");
        }
    }
    sheet.count_point("paint", "paint-check");
    sheet.count_point("coating", "sealing");
    sheet.count_point("topcoat", "paint-check");
}

fn station(sheet: &mut Sheet, plant: &CarPlant, size: &mut Size, row: &Row) {
    let (id, name, sort, cycle_s, slots, operators, operation) = *row;
    let exhaust = ["exhaust-air".to_owned()];
    let groups: &[String] = if sort == "paint-booth" { &exhaust } else { &[] };
    let coating = matches!(id, "pretreatment" | "ecoat" | "ecoat-oven" | "sealing");
    let station = Station {
        id,
        name,
        unit: if coating { "coating" } else { "topcoat" },
        sort,
        vocabulary: if operators > 0 {
            "CANONICAL"
        } else {
            "PACKML_STATE"
        },
        cycle_ms: cycle_s * 1_000,
        slots,
        operators,
        transfer: if slots > 1 && operators == 0 {
            "moving"
        } else {
            ""
        },
        groups,
    };
    sheet.station(&station);
    if matches!(sort, "sealing" | "paint-booth") {
        sheet.robots(&station, size.robots_here(), "MACHINERY_ITEM_STATE");
    }
    let (product, work_ms) = (plant.model(), cycle_s * 1_000);
    if id != "spot-repair" {
        sheet.step(&Step {
            product,
            operation,
            at: &[id],
            work_ms,
            carrier: "paint-skid",
        });
    }
}

fn flows(sheet: &mut Sheet) {
    for (id, name, unit, capacity, kind) in BUFFERS {
        sheet.buffer(id, name, unit, capacity, kind);
        if kind == "conveyor" {
            sheet.value("transit_ms", 25_000);
        }
        if kind == "lanes" {
            sheet.value("lanes", 6);
        }
    }
    sheet
        .flow("body-store", "pretreatment")
        .value("transit_ms", 15_000);
    sheet.chain(&[
        "pretreatment",
        "rinsed",
        "ecoat",
        "dipped",
        "ecoat-oven",
        "baked",
        "sealing",
        "colour-store",
    ]);
    sheet.chain(&[
        "colour-store",
        "basecoat",
        "based",
        "clearcoat",
        "cleared",
        "topcoat-oven",
        "cooled",
        "paint-check",
    ]);
    sheet
        .flow("paint-check", "painted-store")
        .value("transit_ms", 60_000);
    sheet
        .side_flow("paint-check", "paint-rework", "rework")
        .value("share", "0.05");
    sheet.chain(&["paint-rework", "spot-repair", "colour-store"]);
    sheet
        .object("rework")
        .text("id", "paint-loop")
        .text("from", "paint-check")
        .texts("through", &["paint-rework", "spot-repair"])
        .text("back_to", "colour-store")
        .value("limit", 2)
        .value("share", "0.05");
}
