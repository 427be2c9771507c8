//! Paired differences and the tornado as SVG drawings of their own.

use super::paper::{Scale, open};
use super::show::interval;
use crate::plain::markup;
use std::fmt::Write;
use werkbuch_sim::whatif::{Difference, Outcome, Tornado};

const LEFT: f64 = 280.0;
const WIDTH: f64 = 640.0;
const RIGHT: f64 = 260.0;
const ROW: f64 = 24.0;
/// Between two measures.
const GAP: f64 = 56.0;
const COLOURS: [&str; 2] = ["#2f6fd1", "#c4362c"];

/// How far each scenario is from the baseline: a panel for each measure, a row for each scenario.
pub(super) fn differences(found: &Outcome) -> String {
    let measures = found.cases.first().map_or(&[][..], |case| &case.measures);
    let panels = measures.iter().map(|measure| {
        let of = found.differences.iter();
        let of = of.filter(|one| one.measure == measure.name);
        (measure, of.collect::<Vec<&Difference>>())
    });
    let panels: Vec<_> = panels.filter(|(_, rows)| !rows.is_empty()).collect();
    let height = panels.iter().map(|(_, rows)| GAP + ROW * rows.len() as f64);
    let height = 70.0 + height.sum::<f64>();
    let title = format!(
        "Scenarios of {} less the baseline, pair by pair, with intervals of {:.0} %",
        found.plant,
        found.confidence * 100.0
    );
    let mut out = open(&title, LEFT + WIDTH + RIGHT, height);
    let mut top = 60.0;
    for (measure, rows) in panels {
        let _ = writeln!(
            out,
            "<text x=\"12\" y=\"{}\" font-weight=\"600\">{}, {}</text>",
            top - 8.0,
            markup(&measure.name),
            measure.unit
        );
        let ends = rows.iter().flat_map(|one| ends(&one.interval));
        let scale = Scale::over(ends, (LEFT, LEFT + WIDTH));
        let bottom = top + ROW * rows.len() as f64;
        scale.axis(&mut out, (top, bottom));
        for (at, one) in rows.iter().enumerate() {
            row(&mut out, one, &scale, top + ROW * (at as f64 + 0.5));
        }
        top = bottom + GAP;
    }
    let _ = writeln!(
        out,
        "<text x=\"12\" y=\"{}\">A full point can be told from chance, a hollow one cannot.</text>\n</svg>",
        height - 12.0
    );
    out
}

fn ends(of: &werkbuch_sim::statistics::Interval) -> [f64; 3] {
    [of.mean - of.half_width, of.mean, of.mean + of.half_width]
}

fn row(out: &mut String, one: &Difference, scale: &Scale, y: f64) {
    let colour = COLOURS[usize::from(one.interval.mean < 0.0)];
    let fill = if one.is_distinguishable {
        colour
    } else {
        "var(--paper)"
    };
    let _ = writeln!(
        out,
        "<text x=\"12\" y=\"{}\">{}</text>",
        y + 4.0,
        markup(&one.scenario)
    );
    if one.interval.mean.is_finite() {
        let [low, mean, high] = ends(&one.interval).map(|end| scale.at(end));
        let _ = writeln!(
            out,
            "<path d=\"M{low:.1} {y}H{high:.1}M{low:.1} {top}v10M{high:.1} {top}v10\" stroke=\"{colour}\" \
             stroke-width=\"2\"/><circle cx=\"{mean:.1}\" cy=\"{y}\" r=\"5\" fill=\"{fill}\" stroke=\"{colour}\" \
             stroke-width=\"2\"/>",
            top = y - 5.0,
        );
    }
    let _ = writeln!(
        out,
        "<text x=\"{}\" y=\"{}\">{} {}</text>",
        LEFT + WIDTH + 14.0,
        y + 4.0,
        interval(&one.interval, true),
        one.unit
    );
}

/// What output depends on most.
pub(super) fn tornado(plant: &str, of: &Tornado) -> String {
    let bottom = 50.0 + ROW * of.bars.len() as f64;
    let title = format!(
        "What the output of {plant} depends on: {} of {} parameters",
        of.bars.len(),
        of.of
    );
    let mut out = open(&title, LEFT + WIDTH + RIGHT, bottom + 60.0);
    out.push_str(
        "<defs><pattern id=\"low\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\">\
         <path d=\"M0 5L5 0\" stroke=\"#2f6fd1\" stroke-width=\"1.5\"/></pattern></defs>\n",
    );
    let ends = of
        .bars
        .iter()
        .flat_map(|bar| [bar.at_low.mean, bar.at_high.mean]);
    let scale = Scale::over(ends, (LEFT, LEFT + WIDTH));
    scale.axis(&mut out, (50.0, bottom));
    for (at, bar) in of.bars.iter().enumerate() {
        let y = 53.0 + ROW * at as f64;
        let _ = writeln!(
            out,
            "<text x=\"12\" y=\"{}\">{}</text>",
            y + 14.0,
            markup(&bar.name)
        );
        for (fill, end) in [
            (COLOURS[1], bar.at_high.mean),
            ("url(#low)", bar.at_low.mean),
        ] {
            let (zero, end) = (scale.at(0.0), scale.at(end));
            let _ = writeln!(
                out,
                "<rect x=\"{:.1}\" y=\"{y}\" width=\"{:.1}\" height=\"18\" fill=\"{fill}\" stroke=\"#2f6fd1\"/>",
                zero.min(end),
                (end - zero).abs(),
            );
        }
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{}\">x{:.2}: {}, x{:.2}: {}</text>",
            LEFT + WIDTH + 14.0,
            y + 14.0,
            bar.low,
            interval(&bar.at_low, true),
            bar.high,
            interval(&bar.at_high, true),
        );
    }
    let _ = writeln!(
        out,
        "<text x=\"12\" y=\"{}\">Hatched: the low value; full: the high one, as multiples of what is given. Parts more \
         or fewer than the baseline.</text>\n</svg>",
        bottom + 44.0
    );
    out
}
