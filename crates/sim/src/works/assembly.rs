//! Assembly: trim line, kitting, marriage with the powertrain, final line, tests and a rework bay.

use super::sheet::{Sheet, Station, Step};
use super::{CarPlant, Size, around};
use crate::kernel::Stream;

/// How many machines it has beside the stretches that grow.
pub(super) const FIXED: usize = 9;

/// How many stations of a moving line are one section, behind which a few bodies may stand.
const STRETCH: usize = 5;
/// How long a body is in a station of a moving line, in milliseconds, and the least work there.
const PITCH_MS: u64 = 56_000;
const WORK_MS: u64 = 45_000;

/// A station: name, full name, unit, sort, vocabulary, cycle in seconds, slots, people, operation,
/// carrier.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    u64,
    u32,
    u32,
    &'static str,
    &'static str,
);

const STATIONS: [Row; 9] = [
    (
        "kitting",
        "Kitting",
        "supermarket",
        "manual",
        "CANONICAL",
        49,
        1,
        1,
        "pick a kit",
        "kit-cart",
    ),
    (
        "powertrain-prep",
        "Powertrain preparation",
        "supermarket",
        "manual",
        "CANONICAL",
        50,
        1,
        2,
        "dress the powertrain",
        "agv",
    ),
    (
        "marriage",
        "Marriage",
        "final-line",
        "marriage",
        "PACKML_STATE",
        52,
        1,
        0,
        "marry",
        "hanger",
    ),
    (
        "wheels",
        "Wheels",
        "final-line",
        "filling",
        "PACKML_STATE",
        51,
        1,
        0,
        "mount wheels",
        "hanger",
    ),
    (
        "filling",
        "Filling",
        "final-line",
        "filling",
        "PACKML_STATE",
        52,
        1,
        0,
        "fill",
        "hanger",
    ),
    (
        "test-1",
        "Roller test bench 1",
        "test-line",
        "test-bench",
        "MTCONNECT_EXECUTION",
        101,
        1,
        1,
        "test",
        "",
    ),
    (
        "test-2",
        "Roller test bench 2",
        "test-line",
        "test-bench",
        "MTCONNECT_EXECUTION",
        101,
        1,
        1,
        "test",
        "",
    ),
    (
        "final-check",
        "Final inspection",
        "test-line",
        "inspection",
        "CANONICAL",
        50,
        1,
        2,
        "inspect",
        "",
    ),
    (
        "rework-bay",
        "Rework bay",
        "test-line",
        "rework",
        "CANONICAL",
        1_320,
        5,
        5,
        "rework",
        "",
    ),
];

pub(super) fn write(sheet: &mut Sheet, plant: &CarPlant, size: &mut Size, chance: &mut Stream) {
    let model = plant.model();
    units(sheet);
    carriers(sheet, size);
    moving_line(sheet, model, "trim", size.trim, chance);
    let before_marriage = |row: &Row| matches!(row.0, "kitting" | "powertrain-prep" | "marriage");
    for row in STATIONS.iter().filter(|row| before_marriage(row)) {
        station(sheet, model, row);
    }
    moving_line(sheet, model, "final", size.finals, chance);
    for row in STATIONS.iter().filter(|row| !before_marriage(row)) {
        station(sheet, model, row);
    }
    sheet.step(&Step {
        product: model,
        operation: "test",
        at: &["test-1", "test-2"],
        work_ms: 101_000,
        carrier: "",
    });
    sheet.step(&Step {
        product: model,
        operation: "inspect",
        at: &["final-check"],
        work_ms: 50_000,
        carrier: "",
    });
    flows(sheet, size);
    supply(sheet, size);
    for vehicle in 1..=size.vehicles {
        sheet
            .object("machine")
            .text("id", &format!("tugger-{vehicle}"))
            .text("name", &format!("Tugger {vehicle}"))
            .text("in", "logistics")
            .text("type", "agv")
            .text("vocabulary", "CANONICAL")
            .text("role", "none");
    }
}

fn units(sheet: &mut Sheet) {
    for (id, name, constraint) in [
        ("trim-line", "Trim line", "trim-1"),
        ("supermarket", "Supermarket", "powertrain-prep"),
        ("final-line", "Final line", "marriage"),
        ("test-line", "Test and finish", "final-check"),
    ] {
        sheet
            .unit(id, name, "line", "assembly")
            .text("constraint", constraint)
            .value("takt_ms", 60_000);
    }
}

fn carriers(sheet: &mut Sheet, size: &Size) {
    let hangers = size.trim + size.finals + 50;
    for (id, name, kind, count, back_ms, from, to) in [
        (
            "hanger", "Hanger", "skid", hangers, 100_000, "test-1", "trim-1",
        ),
        (
            "agv",
            "Powertrain vehicle",
            "agv",
            16,
            80_000,
            "marriage",
            "powertrain-prep",
        ),
        (
            "kit-cart", "Kit cart", "kit_cart", 22, 90_000, "final-1", "kitting",
        ),
    ] {
        let home = format!("{id}-pool");
        sheet.buffer(
            &home,
            &format!("Waiting: {name}"),
            "assembly",
            count,
            "pool",
        );
        sheet
            .object("carrier")
            .text("id", id)
            .text("name", name)
            .text("kind", kind)
            .value("count", count)
            .text("home", &home)
            .value("return_ms", back_ms);
        sheet.side_flow(from, &home, "empties");
        sheet.side_flow(&home, to, "empties");
    }
}

/// A line that moves: sections of stations that stop together, a few places between them.
fn moving_line(sheet: &mut Sheet, model: &str, prefix: &str, count: usize, chance: &mut Stream) {
    let unit = format!("{prefix}-line");
    let title = if prefix == "trim" { "Trim" } else { "Final" };
    for number in 1..=count {
        let id = format!("{prefix}-{number}");
        let section = (number - 1) / STRETCH + 1;
        let group = [format!("{prefix}-section-{section}")];
        if (number - 1) % STRETCH == 0 {
            sheet.group(
                &group[0],
                &format!("{title} line, section {section}"),
                "plc",
            );
        }
        sheet.station(&Station {
            id: &id,
            name: &format!("{title} station {number}"),
            unit: &unit,
            sort: "manual",
            vocabulary: "CANONICAL",
            cycle_ms: PITCH_MS,
            operators: 2,
            transfer: "moving",
            groups: &group,
            ..Station::default()
        });
        let operation = format!("{prefix} {number}");
        sheet.step(&Step {
            product: model,
            operation: &operation,
            at: &[&id],
            work_ms: around(chance, WORK_MS, 50),
            carrier: "hanger",
        });
        if number == 1 {
            continue;
        }
        let before = format!("{prefix}-{}", number - 1);
        if (number - 1) % STRETCH == 0 {
            let gap = format!("{prefix}-gap-{}", (number - 1) / STRETCH);
            sheet.buffer(
                &gap,
                &format!("{title} line, gap {}", (number - 1) / STRETCH),
                &unit,
                5,
                "fifo",
            );
            sheet.chain(&[&before, &gap, &id]);
        } else {
            sheet.flow(&before, &id);
        }
    }
}

fn station(sheet: &mut Sheet, model: &str, row: &Row) {
    let (id, name, unit, sort, vocabulary, cycle_s, slots, operators, operation, carrier) = *row;
    let cycle_ms = cycle_s * 1_000;
    sheet.station(&Station {
        id,
        name,
        unit,
        sort,
        vocabulary,
        cycle_ms,
        slots,
        operators,
        ..Station::default()
    });
    let product = match id {
        "kitting" => "kit",
        "powertrain-prep" => "powertrain",
        "marriage" | "wheels" | "filling" => model,
        _ => return,
    };
    sheet.step(&Step {
        product,
        operation,
        at: &[id],
        work_ms: cycle_ms,
        carrier,
    });
}

fn flows(sheet: &mut Sheet, size: &Size) {
    for (id, name, unit, capacity) in [
        ("trimmed", "Trimmed bodies", "trim-line", 8),
        ("married", "Behind the marriage", "final-line", 4),
        ("kits", "Kits", "supermarket", 14),
        ("powertrains", "Powertrains", "supermarket", 10),
        ("finished", "Before the wheels", "final-line", 4),
        ("wheeled", "Behind the wheels", "final-line", 4),
        ("test-queue", "Before the test benches", "test-line", 14),
        ("tested", "Before the final inspection", "test-line", 6),
        ("rework-queue", "Before the rework bay", "test-line", 12),
    ] {
        sheet.buffer(id, name, unit, capacity, "fifo");
    }
    let (last_trim, last_final) = (
        format!("trim-{}", size.trim),
        format!("final-{}", size.finals),
    );
    sheet
        .flow("painted-store", "trim-1")
        .value("transit_ms", 20_000);
    sheet.chain(&[&last_trim, "trimmed", "marriage", "married", "final-1"]);
    sheet.chain(&["powertrain-prep", "powertrains", "marriage"]);
    sheet.chain(&["kitting", "kits", "final-1"]);
    sheet.chain(&[
        &last_final,
        "finished",
        "wheels",
        "wheeled",
        "filling",
        "test-queue",
    ]);
    for bench in ["test-1", "test-2"] {
        sheet.chain(&["test-queue", bench, "tested"]);
    }
    sheet.flow("tested", "final-check");
    sheet.side_flow("final-check", "rework-queue", "rework");
    sheet.chain(&["rework-queue", "rework-bay", "test-queue"]);
    sheet
        .object("rework")
        .text("id", "test-loop")
        .text("from", "final-check")
        .texts("through", &["rework-queue", "rework-bay"])
        .text("back_to", "test-queue")
        .value("limit", 3)
        .value("share", "0.04");
    sheet.source("powertrain-prep", "powertrain");
    sheet.source("kitting", "kit");
    sheet.sink("final-check");
    sheet.count_point("assembly", "final-check");
    sheet.count_point("trim-line", &last_trim);
    sheet.count_point("supermarket", "powertrain-prep");
    sheet.count_point("supermarket", "kitting");
    sheet.count_point("final-line", "filling");
    sheet.count_point("test-line", "final-check");
}

fn supply(sheet: &mut Sheet, size: &Size) {
    for (part_number, at, from) in [
        ("powertrain", "marriage", "powertrains"),
        ("kit", "final-1", "kits"),
    ] {
        let kind = if part_number == "kit" {
            "kit"
        } else {
            "sequence"
        };
        sheet
            .object("feed")
            .text("part_number", part_number)
            .text("at", at)
            .value("quantity", 1);
        sheet.text("from", from).text("kind", kind);
    }
    let fixed = [
        ("engine", "powertrain-prep", 1, "motorenwerk-ost"),
        ("gearbox", "powertrain-prep", 1, "getriebe-donau"),
        ("trim-set", "kitting", 1, "innenraum-west"),
        ("wheel", "wheels", 4, "raeder-nord"),
        ("coolant", "filling", 1, "chemie-mitte"),
    ];
    for (part_number, at, quantity, site) in fixed {
        feed(sheet, part_number, at, quantity, site);
    }
    let sites = [
        "kabelwerk-a",
        "glas-sued",
        "sitze-plus",
        "cockpit-union",
        "teppich-werk",
        "schrauben-ost",
    ];
    let goods = [
        "harness",
        "windscreen",
        "seat-set",
        "cockpit",
        "carpet",
        "bolt-kit",
    ];
    let lines = [("trim", size.trim), ("final", size.finals)];
    let mut count = 0;
    for (prefix, stations) in lines {
        for number in (1..=stations).step_by(2) {
            let pick = count % goods.len();
            if let (Some(good), Some(site)) = (goods.get(pick), sites.get(pick)) {
                feed(
                    sheet,
                    &format!("{good}-{}", count / goods.len() + 1),
                    &format!("{prefix}-{number}"),
                    1,
                    site,
                );
            }
            count += 1;
        }
    }
}

fn feed(sheet: &mut Sheet, part_number: &str, at: &str, quantity: u32, site: &str) {
    sheet
        .object("feed")
        .text("part_number", part_number)
        .text("at", at)
        .value("quantity", quantity)
        .text("site", site)
        .text("kind", "bulk");
}
