//! What holds for a whole car plant: its areas, products, people and when is worked.

use super::CarPlant;
use super::sheet::Sheet;
use crate::kernel::Stream;

/// The colours a car comes in, with their shares in thousandths.
pub(super) const COLOURS: [(&str, u64); 5] = [
    ("white", 320),
    ("black", 240),
    ("silver", 200),
    ("red", 140),
    ("blue", 100),
];

/// The bodies, with their shares in thousandths.
const BODIES: [(&str, u64); 2] = [("saloon", 620), ("estate", 380)];

/// The areas: name, full name, calendar.
const AREAS: [(&str, &str, &str); 5] = [
    ("press", "Press shop", "works"),
    ("body", "Body shop", "works"),
    ("paint", "Paint shop", "coating"),
    ("assembly", "Assembly", "line"),
    ("logistics", "Logistics", "works"),
];

pub(super) fn write(sheet: &mut Sheet, plant: &CarPlant, chance: &mut Stream) {
    let (_, name, ..) = plant.place();
    sheet
        .object("plant")
        .text("id", &plant.id())
        .text("name", &format!("{name} car plant"))
        .text("time_zone", plant.time_zone())
        .text("calendar", "works")
        .value("sample_days", 14)
        .text("day_start", "06:00");
    calendars(sheet, plant);
    for (id, name, calendar) in AREAS {
        sheet.unit(id, name, "area", "").text("calendar", calendar);
    }
    products(sheet, plant.model(), chance);
    people(sheet);
    for (class, area) in [
        ("press-*", "press"),
        ("trim-*", "assembly"),
        ("final-*", "assembly"),
    ] {
        sheet
            .object("authority")
            .text("machines", class)
            .text("aspect", "part")
            .texts("sources", &[format!("gw-{area}"), "import:*".to_owned()]);
    }
}

fn products(sheet: &mut Sheet, model: &str, chance: &mut Stream) {
    let mut named = model.to_owned();
    if let Some(first) = named.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    sheet
        .object("product")
        .text("id", model)
        .text("name", &named);
    let kinds = || {
        BODIES
            .iter()
            .flat_map(|body| COLOURS.iter().map(move |colour| (body, colour)))
    };
    let weights: Vec<u64> = kinds()
        .map(|(body, colour)| body.1 * colour.1 + chance.below(20_000))
        .collect();
    let whole: u64 = weights.iter().sum();
    let mut left = 1_000_000;
    for (at, ((body, _), (colour, _))) in kinds().enumerate() {
        let part = weights
            .get(at)
            .map_or(0, |weight| weight * 1_000_000 / whole);
        // The last one takes what rounding has left.
        let share = if at + 1 == weights.len() { left } else { part };
        left -= share;
        sheet
            .object("variant")
            .text("id", &format!("{body}-{colour}"))
            .text("product", model)
            .text("name", &format!("{named} {body}, {colour}"))
            .value("share", format_args!("0.{share:06}"))
            .texts(
                "attributes",
                &[format!("body={body}"), format!("colour={colour}")],
            );
    }
    for (id, name) in [
        ("side", "Side pair"),
        ("powertrain", "Powertrain"),
        ("kit", "Interior kit"),
    ] {
        sheet.object("product").text("id", id).text("name", name);
    }
    for (product, name, dies) in [
        ("outer-panel", "Outer panel", ["side-panel", "door-panel"]),
        ("inner-panel", "Inner panel", ["floor-panel", "roof-panel"]),
    ] {
        sheet
            .object("product")
            .text("id", product)
            .text("name", name);
        for die in dies {
            sheet
                .object("variant")
                .text("id", die)
                .text("product", product)
                .value("share", "0.5")
                .texts("attributes", &[format!("die={die}")]);
        }
    }
}

fn people(sheet: &mut Sheet) {
    for (area, repairers, workers) in [
        ("press", 2, 6),
        ("body", 4, 12),
        ("paint", 3, 10),
        ("assembly", 3, 48),
        ("logistics", 1, 14),
    ] {
        sheet.crew(
            &format!("repair-{area}"),
            "repair",
            repairers,
            "maintenance",
            area,
        );
        let kind = if area == "logistics" {
            "logistics"
        } else {
            "operation"
        };
        sheet.crew(&format!("crew-{area}"), kind, workers, "line-work", area);
    }
}

fn calendars(sheet: &mut Sheet, plant: &CarPlant) {
    let shifts: &[(&str, &str, &str, &str)] = if plant.is_closed_at_night() {
        &[
            ("early", "06:00", "14:00", "A"),
            ("late", "14:00", "22:00", "B"),
        ]
    } else {
        &[
            ("early", "06:00", "14:00", "A"),
            ("late", "14:00", "22:00", "B"),
            ("night", "22:00", "06:00", "C"),
        ]
    };
    let week = "\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"";
    let shift = |(name, from, to, team): &(&str, &str, &str, &str)| {
        format!(
            "  {{ name = \"{name}\", days = [{week}], from = \"{from}\", to = \"{to}\", team = \"{team}\" }},\n"
        )
    };
    let shifts: String = shifts.iter().map(shift).collect();
    let pause = |shift: &str, at: &str, minutes: u32, machines: &str| {
        let machines = if machines.is_empty() {
            String::new()
        } else {
            format!(", machines = \"{machines}\"")
        };
        format!("  {{ shift = \"{shift}\", at = \"{at}\", minutes = {minutes}{machines} }},\n")
    };
    let night = if plant.is_closed_at_night() {
        String::new()
    } else {
        pause("night", "02:00", 30, "")
    };
    let works = [
        pause("early", "08:30", 15, ""),
        pause("early", "11:00", 30, ""),
        pause("late", "18:00", 30, ""),
    ];
    let line = [
        // The line pauses in two halves, one after the other, so that help is left for each.
        pause("early", "08:30", 15, "trim-*"),
        pause("early", "08:45", 15, "final-*"),
        pause("early", "11:00", 30, ""),
        pause("late", "18:00", 30, ""),
    ];
    let closed =
        "exceptions = [{ date = \"2025-12-25\", kind = \"closed\", name = \"Christmas\" }]";
    sheet
        .object("calendar")
        .text("id", "works")
        .value("shifts", format_args!("[\n{shifts}]"))
        .value(
            "breaks",
            format_args!("[\n{}{night}]\n{closed}", works.concat()),
        );
    sheet
        .object("calendar")
        .text("id", "line")
        .text("parent", "works")
        .value("breaks", format_args!("[\n{}{night}]", line.concat()));
    // Tanks and ovens are not let cool down for a break.
    let coating = format!(
        "[\n  {{ name = \"day\", days = [{week}], from = \"05:30\", to = \"22:30\", team = \"P\" }},\n  {{ name = \"night\", days = [{week}], from = \"22:30\", to = \"05:30\", team = \"Q\" }},\n]"
    );
    sheet
        .object("calendar")
        .text("id", "coating")
        .value("shifts", coating);
}
