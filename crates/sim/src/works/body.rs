//! The body shop: underbody and sides, framing, measuring, doors; robots in every welding station.

use super::sheet::{Sheet, Station, Step};
use super::{CarPlant, Size, around};
use crate::kernel::Stream;

/// Stations whose number does not grow: three geo stations, measuring, two of doors, finish.
pub(super) const FIXED: usize = 7;
/// Robot stations beside the respot stations.
pub(super) const ROBOT_STATIONS: usize = 3;

/// How many welding stations share one safety zone.
const ZONE: usize = 3;

/// A station: name, full name, sort, vocabulary, cycle in milliseconds, people, operation.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    u64,
    u32,
    &'static str,
);

/// The stations behind the welding lines.
const ENDS: [Row; 4] = [
    (
        "measuring",
        "Inline measuring",
        "measuring",
        "PACKML_STATE",
        44_000,
        0,
        "measuring",
    ),
    (
        "door-1",
        "Doors 1",
        "manual",
        "CANONICAL",
        52_000,
        2,
        "hang doors",
    ),
    (
        "door-2",
        "Doors 2",
        "manual",
        "CANONICAL",
        53_000,
        2,
        "adjust doors",
    ),
    (
        "finish",
        "Metal finish",
        "manual",
        "CANONICAL",
        50_000,
        3,
        "finish",
    ),
];

struct Stretch<'a> {
    unit: &'a str,
    name: &'a str,
    prefix: &'a str,
    product: &'a str,
    respot: usize,
    carrier: &'a str,
}

pub(super) fn write(sheet: &mut Sheet, plant: &CarPlant, size: &mut Size, chance: &mut Stream) {
    let model = plant.model();
    carriers(sheet, size);
    let [under, sides, framing] = size.respot;
    let stretch = |unit, name, prefix, product, respot, carrier| Stretch {
        unit,
        name,
        prefix,
        product,
        respot,
        carrier,
    };
    let under = stretch(
        "underbody",
        "Underbody line",
        "under",
        model,
        under,
        "body-skid",
    );
    let sides = stretch("sides", "Side line", "side", "side", sides, "side-rack");
    let framing = stretch(
        "framing",
        "Framing line",
        "frame",
        model,
        framing,
        "body-skid",
    );
    let last_under = welding(sheet, &under, size, chance);
    let last_side = welding(sheet, &sides, size, chance);
    let last_frame = welding(sheet, &framing, size, chance);
    for (geo, product) in [("under-geo", model), ("side-geo", "side")] {
        sheet.source(geo, product);
    }
    sheet
        .buffer(
            "underbodies",
            "Underbody conveyor",
            "underbody",
            8,
            "conveyor",
        )
        .value("transit_ms", 20_000);
    sheet.chain(&[&last_under, "underbodies", "frame-geo"]);
    sheet.buffer("side-racks", "Racks of sides", "sides", 14, "fifo");
    sheet.chain(&[&last_side, "side-racks", "frame-geo"]);
    joins(sheet);
    doors(sheet, model, &last_frame);
}

/// What is taken from stores and racks and becomes one with a body.
fn joins(sheet: &mut Sheet) {
    for (part_number, at, from) in [
        ("floor-panel", "under-geo", "floor-panel-store"),
        ("side-panel", "side-geo", "side-panel-store"),
        ("roof-panel", "frame-geo", "roof-panel-store"),
        ("side", "frame-geo", "side-racks"),
        ("door-panel", "door-1", "door-panel-store"),
    ] {
        if part_number != "side" {
            sheet.flow(from, at);
        }
        sheet
            .object("feed")
            .text("part_number", part_number)
            .text("at", at)
            .value("quantity", 1)
            .text("from", from)
            .text(
                "kind",
                if part_number == "side" {
                    "sequence"
                } else {
                    "bulk"
                },
            );
    }
}

fn carriers(sheet: &mut Sheet, size: &Size) {
    let skids = 90 + size.respot.iter().sum::<usize>();
    for (id, name, kind, count, capacity, home, back_ms) in [
        (
            "body-skid",
            "Body skid",
            "skid",
            skids,
            1,
            "skid-return",
            90_000,
        ),
        (
            "side-rack",
            "Side rack",
            "rack",
            20 + size.respot[1],
            1,
            "rack-return",
            60_000,
        ),
    ] {
        sheet.buffer(
            home,
            &format!("Return of empties: {name}"),
            "body",
            count,
            "pool",
        );
        sheet
            .object("carrier")
            .text("id", id)
            .text("name", name)
            .text("kind", kind)
            .value("count", count)
            .value("capacity", capacity)
            .text("home", home)
            .value("return_ms", back_ms);
    }
    for (from, home, to) in [
        ("pretreatment", "skid-return", "under-geo"),
        ("frame-geo", "rack-return", "side-geo"),
    ] {
        sheet.side_flow(from, home, "empties");
        sheet.side_flow(home, to, "empties");
    }
}

/// A welding line: a geo station, then respot stations. The name of its last station.
fn welding(sheet: &mut Sheet, line: &Stretch<'_>, size: &mut Size, chance: &mut Stream) -> String {
    let geo = format!("{}-geo", line.prefix);
    sheet
        .unit(line.unit, line.name, "line", "body")
        .text("constraint", &geo)
        .value("takt_ms", 60_000);
    let ids: Vec<String> = std::iter::once(geo)
        .chain((1..=line.respot).map(|number| format!("{}-respot-{number}", line.prefix)))
        .collect();
    for (at, id) in ids.iter().enumerate() {
        let zone = format!("zone-{}-{}", line.prefix, at / ZONE + 1);
        if at % ZONE == 0 {
            sheet.group(
                &zone,
                &format!("{}, safety zone {}", line.name, at / ZONE + 1),
                "safety_zone",
            );
        }
        let is_geo = at == 0;
        let name = if is_geo {
            format!("{} geo station", line.name)
        } else {
            format!("{} respot station {at}", line.name)
        };
        let groups = [zone];
        let cycle_ms = if is_geo {
            53_000
        } else {
            around(chance, 48_000, 50)
        };
        let station = Station {
            id,
            name: &name,
            unit: line.unit,
            sort: if is_geo {
                "geo-station"
            } else {
                "respot-station"
            },
            vocabulary: "PACKML_STATE",
            cycle_ms,
            groups: &groups,
            ..Station::default()
        };
        sheet.station(&station);
        sheet.robots(&station, size.robots_here(), "CANONICAL");
        let operation = if is_geo {
            "geo welding"
        } else {
            "respot welding"
        };
        sheet.step(&Step {
            product: line.product,
            operation,
            at: &[id],
            work_ms: cycle_ms,
            carrier: line.carrier,
        });
        if let Some(before) = at.checked_sub(1).and_then(|at| ids.get(at)) {
            lift(sheet, line, at, before, id);
        }
    }
    let last = ids.last().cloned().unwrap_or_default();
    sheet.count_point(line.unit, &last);
    last
}

/// Between two stations stand two bodies at most.
fn lift(sheet: &mut Sheet, line: &Stretch<'_>, at: usize, before: &str, id: &str) {
    let lift = format!("{}-lift-{at}", line.prefix);
    sheet.buffer(
        &lift,
        &format!("{} lift {at}", line.name),
        line.unit,
        2,
        "fifo",
    );
    sheet.chain(&[before, &lift, id]);
}

fn doors(sheet: &mut Sheet, model: &str, last_frame: &str) {
    sheet
        .unit("door-line", "Doors and finish", "line", "body")
        .text("constraint", "door-2")
        .value("takt_ms", 60_000);
    for (id, name, sort, vocabulary, cycle_ms, operators, operation) in ENDS {
        let unit = if id == "measuring" {
            "framing"
        } else {
            "door-line"
        };
        sheet.station(&Station {
            id,
            name,
            unit,
            sort,
            vocabulary,
            cycle_ms,
            operators,
            ..Station::default()
        });
        sheet.step(&Step {
            product: model,
            operation,
            at: &[id],
            work_ms: cycle_ms,
            carrier: "body-skid",
        });
    }
    sheet.buffer("framed", "Framed bodies", "framing", 6, "fifo");
    sheet.buffer("measured", "Measured bodies", "door-line", 10, "fifo");
    sheet.buffer("doors", "Between the doors", "door-line", 3, "fifo");
    sheet.buffer("hung", "Bodies with doors", "door-line", 4, "fifo");
    sheet.buffer("body-scrap", "Bodies to be scrapped", "framing", 20, "pool");
    sheet.sink("body-scrap");
    sheet.chain(&[
        last_frame,
        "framed",
        "measuring",
        "measured",
        "door-1",
        "doors",
        "door-2",
        "hung",
        "finish",
    ]);
    sheet.side_flow("measuring", "body-scrap", "scrap");
    sheet.buffer("body-store", "Body store", "body", 60, "resequencing");
    sheet
        .flow("finish", "body-store")
        .value("transit_ms", 60_000);
    sheet.count_point("body", "finish");
    sheet.count_point("door-line", "finish");
}
