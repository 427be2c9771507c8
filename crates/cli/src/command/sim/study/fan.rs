//! How the output of each case grows, as an SVG drawing of its own: the median, and between which 80 % of the runs
//! lie.

use super::paper;
use crate::plain::markup;
use std::fmt::Write;
use werkbuch_sim::whatif::Outcome;

const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 460.0;
const LEFT: f64 = 70.0;
const TOP: f64 = 50.0;
const LINE: f64 = 20.0;
const TICKS: u32 = 6;
/// Of each case a colour and a pattern of its line, so that nobody needs to see colours.
const LOOKS: [(&str, &str); 6] = [
    ("#2f6fd1", ""),
    ("#c4362c", "7 4"),
    ("#2f9e64", "2 3"),
    ("#8a4fc4", "10 3 2 3"),
    ("#b37a12", "4 4"),
    ("#3a7f88", "1 4"),
];

/// The drawing as a document of its own.
pub(super) fn draw(found: &Outcome) -> String {
    let most = found.cases.iter().flat_map(|case| &case.curve);
    let most = most.map(|point| point[3]).fold(1.0, f64::max);
    let height = TOP + HEIGHT + 50.0 + LINE * found.cases.len() as f64;
    let width = LEFT + WIDTH + 20.0;
    let title = format!("Output of {} with and without scenarios", found.plant);
    let mut out = paper::open(&title, width, height);
    axes(&mut out, most, found.horizon_ns as f64 / 3.6e12);
    for (case, look) in found.cases.iter().zip(LOOKS.iter().cycle()) {
        band(&mut out, &case.curve, most, look);
    }
    for (at, (case, (colour, dashes))) in found.cases.iter().zip(LOOKS.iter().cycle()).enumerate() {
        let y = TOP + HEIGHT + 45.0 + LINE * at as f64;
        let last = case.curve.last().copied().unwrap_or_default();
        let _ = writeln!(
            out,
            "<path d=\"M{LEFT} {y}h40\" stroke=\"{colour}\" stroke-width=\"2\" stroke-dasharray=\"{dashes}\"/>\
             <text x=\"{}\" y=\"{}\">{}: {:.0} at the end, 80 % of the runs from {:.0} to {:.0}</text>",
            LEFT + 50.0,
            y + 4.0,
            markup(&case.name),
            last[2],
            last[1],
            last[3],
        );
    }
    out.push_str("</svg>\n");
    out
}

fn axes(out: &mut String, most: f64, hours: f64) {
    for tick in 0..=TICKS {
        let share = f64::from(tick) / f64::from(TICKS);
        let (x, y) = (LEFT + WIDTH * share, TOP + HEIGHT * (1.0 - share));
        let (right, bottom) = (LEFT + WIDTH, TOP + HEIGHT);
        let _ = writeln!(
            out,
            "<path d=\"M{LEFT} {y}H{right}M{x} {TOP}V{bottom}\" stroke=\"var(--line)\"/>\
             <text x=\"{}\" y=\"{}\" text-anchor=\"end\">{:.0}</text>\
             <text x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{:.1} h</text>",
            LEFT - 6.0,
            y + 4.0,
            most * share,
            bottom + 16.0,
            hours * share,
        );
    }
}

fn band(out: &mut String, curve: &[[f64; 4]], most: f64, (colour, dashes): &(&str, &str)) {
    let count = curve.len().max(1) as f64;
    let point = |at: usize, value: f64| {
        let x = LEFT + WIDTH * (at as f64 + 1.0) / count;
        format!("{x:.1} {:.1}", TOP + HEIGHT * (1.0 - value / most))
    };
    let begin = format!("{LEFT} {}", TOP + HEIGHT);
    let all = curve.iter().enumerate();
    let upper = all.clone().map(|(at, one)| point(at, one[3]));
    let lower = all.clone().rev().map(|(at, one)| point(at, one[1]));
    let round: Vec<String> = upper.chain(lower).collect();
    let middle: Vec<String> = all.map(|(at, one)| point(at, one[2])).collect();
    let _ = writeln!(
        out,
        "<path d=\"M{begin}L{}Z\" fill=\"{colour}\" opacity=\"0.18\"/>\
         <path d=\"M{begin}L{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" stroke-dasharray=\"{dashes}\"/>",
        round.join("L"),
        middle.join("L"),
    );
}
