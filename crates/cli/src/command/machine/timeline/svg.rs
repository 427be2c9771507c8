//! Timelines as an SVG drawing of its own: a row for each machine, a time axis, a legend.

use super::fetch::Lines;
use crate::plain::markup;
use crate::view::machine::state;
use crate::view::timeline::{STATES, look, percent, spelt};
use std::collections::BTreeMap;
use std::fmt::Write;
use werkbuch_model::time::Timestamp;
use werkbuch_wire::pb;

const WIDTH: u64 = 1_600;
const LEFT: u64 = 190;
const TOP: u64 = 56;
const ROW: u64 = 26;
const BAND: u64 = 18;
/// The height of the strip that shows the worst state below what hides it.
const STRIP: u64 = 6;
const TICKS: u64 = 6;
/// From this width on a band has its letter.
const LETTER: u64 = 16;
const NAME_SHOWN: usize = 24;

/// Colours for light and dark; what they say is also said in letters and titles.
const STYLE: &str = "\
:root{--ink:#1c2330;--soft:#5b6577;--paper:#fff;--line:#c3cad6;--run:#2f9e64;--ready:#8fc7cf;\
--wait:#e0a526;--planned:#4f7fd1;--down:#c4362c;--dim:#c9ced8}\
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ef;--soft:#a3adbd;--paper:#14181f;--line:#39424f;\
--run:#3fae74;--ready:#3f7f88;--wait:#c9921c;--planned:#5d8be0;--down:#e0564b;--dim:#3a4250}}\
text{font:12px system-ui,sans-serif;fill:var(--ink)}.small{font-size:10px;fill:var(--soft)}\
.title{font-size:15px;font-weight:600}.run{fill:var(--run)}.ready{fill:var(--ready)}\
.wait{fill:var(--wait)}.planned{fill:var(--planned)}.down{fill:var(--down)}.dim{fill:var(--dim)}\
.tick{stroke:var(--line)}.letter{font-size:11px;text-anchor:middle;fill:#10141b;pointer-events:none}";

/// Neighbouring buckets that look the same.
#[derive(Clone, Copy, PartialEq)]
struct Run {
    first: u32,
    last: u32,
    dominant: i32,
    worst: i32,
    uncovered: bool,
}

/// The drawing as a document of its own.
pub(super) fn draw(lines: &Lines) -> String {
    let rows = lines.machines.len() as u64;
    let legend_top = TOP + rows * ROW + 22;
    let (sums, uncovered) = sums(lines);
    let height = legend_top + 20 * (sums.len() as u64 + 2) + 10;
    let width = LEFT + WIDTH + 20;
    let (from, to) = (
        Timestamp(lines.head.from_time),
        Timestamp(lines.head.to_time),
    );
    let machines = crate::command::counted(rows, "machine");
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\" aria-labelledby=\"title desc\">\n\
         <title id=\"title\">Timeline of {machines} from {from} to {to}</title>\n\
         <desc id=\"desc\">{}</desc>\n<style>{STYLE}</style>\n\
         <defs><pattern id=\"lost\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\">\
         <path d=\"M0 6L6 0\" stroke=\"var(--soft)\"/></pattern></defs>\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"var(--paper)\"/>\n\
         <text class=\"title\" x=\"12\" y=\"22\">{machines}, {from} to {to}</text>\n",
        described(&sums, uncovered),
    );
    axis(&mut out, lines, TOP + rows * ROW);
    for (at, machine) in lines.machines.iter().enumerate() {
        row(&mut out, lines, machine, TOP + at as u64 * ROW);
    }
    legend(&mut out, &sums, uncovered, legend_top);
    out.push_str("</svg>\n");
    out
}

/// The times below the title, with lines through all rows.
fn axis(out: &mut String, lines: &Lines, bottom: u64) {
    let length = i128::from(lines.head.to_time) - i128::from(lines.head.from_time);
    for tick in 0..=TICKS {
        let x = LEFT + WIDTH * tick / TICKS;
        let at = i128::from(lines.head.from_time) + length * i128::from(tick) / i128::from(TICKS);
        // Of a long window the fractions of a second are of no use.
        let at = match length > 1_000_000_000 * 60 {
            true => at - at.rem_euclid(1_000_000_000),
            false => at,
        };
        let at = Timestamp(i64::try_from(at).unwrap_or(i64::MAX));
        let anchor = match tick {
            0 => "start",
            TICKS => "end",
            _ => "middle",
        };
        let (y, top) = (TOP - 10, TOP - 6);
        let _ = writeln!(
            out,
            "<path class=\"tick\" d=\"M{x} {top}V{bottom}\"/>\
             <text class=\"small\" text-anchor=\"{anchor}\" x=\"{x}\" y=\"{y}\">{at}</text>"
        );
    }
}

fn row(out: &mut String, lines: &Lines, machine: &pb::Timeline, y: u64) {
    let name = &lines.label(machine);
    let mut shown: String = name.chars().take(NAME_SHOWN).collect();
    if name.chars().count() > NAME_SHOWN {
        shown.push('\u{2026}');
    }
    let _ = writeln!(
        out,
        "<g><title>{}</title><text x=\"12\" y=\"{}\">{}</text>",
        markup(name),
        y + 13,
        markup(&shown)
    );
    for run in runs(&machine.buckets) {
        piece(out, lines, run, y);
    }
    out.push_str("</g>\n");
}

fn runs(buckets: &[pb::TimelineBucket]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for bucket in buckets {
        let one = Run {
            first: bucket.bucket,
            last: bucket.bucket,
            dominant: bucket.dominant,
            worst: bucket.worst,
            uncovered: bucket.uncovered_ns > 0,
        };
        match runs.last_mut() {
            Some(run)
                if run.last + 1 == one.first
                    && Run {
                        first: one.first,
                        last: one.last,
                        ..*run
                    } == one =>
            {
                run.last = one.last;
            }
            _ => runs.push(one),
        }
    }
    runs
}

/// What held the longest, over it what was not watched, below it the worst where that is another.
fn piece(out: &mut String, lines: &Lines, run: Run, y: u64) {
    let place = |bucket: u32| LEFT + WIDTH * u64::from(bucket) / u64::from(lines.buckets.max(1));
    let x = place(run.first);
    let width = place(run.last + 1).saturating_sub(x).max(1);
    let (begin, end) = (lines.border(run.first), lines.border(run.last + 1));
    let length = spelt(u64::try_from(end.saturating_sub(begin)).unwrap_or(0));
    let times = format!("{} to {} ({length})", Timestamp(begin), Timestamp(end));
    let hidden = run.worst != run.dominant;
    let mut title = match run.dominant {
        0 => "not covered".to_owned(),
        dominant => state(dominant).to_owned(),
    };
    if hidden {
        let _ = write!(title, ", worst {}", state(run.worst));
    }
    if run.uncovered && run.dominant != 0 {
        title.push_str(", partly not covered");
    }
    let _ = write!(out, "<g><title>{title}, {times}</title>");
    let (glyph, tone) = look(run.dominant);
    if run.dominant != 0 {
        let class = tone.class();
        let _ = write!(
            out,
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{BAND}\"/>"
        );
    }
    if run.uncovered {
        let _ = write!(
            out,
            "<rect fill=\"url(#lost)\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{BAND}\"/>"
        );
    }
    if hidden {
        let (class, y) = (look(run.worst).1.class(), y + BAND - STRIP);
        let _ = write!(
            out,
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{STRIP}\"/>"
        );
    }
    if width >= LETTER && glyph.is_ascii_alphabetic() {
        let (x, y) = (x + width / 2, y + 13);
        let _ = write!(
            out,
            "<text class=\"letter\" x=\"{x}\" y=\"{y}\">{glyph}</text>"
        );
    }
    out.push_str("</g>\n");
}

/// By state: how long, and how many times; and how long nobody watched.
fn sums(lines: &Lines) -> (Vec<(i32, u64, u64)>, u64) {
    let mut by_state: BTreeMap<i32, (u64, u64)> = BTreeMap::new();
    let mut uncovered = 0_u64;
    for machine in &lines.machines {
        uncovered = uncovered.saturating_add(machine.uncovered_ns);
        for sum in &machine.sums {
            let (duration, stays) = by_state.entry(sum.state).or_default();
            *duration = duration.saturating_add(sum.duration_ns);
            *stays = stays.saturating_add(sum.stays);
        }
    }
    let states = STATES.iter().map(|(state, ..)| *state as i32);
    let sums = states.filter_map(|state| {
        let (duration, stays) = by_state.get(&state)?;
        Some((state, *duration, *stays))
    });
    (sums.collect(), uncovered)
}

fn total(sums: &[(i32, u64, u64)]) -> u64 {
    sums.iter()
        .fold(0, |sum, (_, duration, _)| sum.saturating_add(*duration))
}

/// The drawing in words, for who cannot see it.
fn described(sums: &[(i32, u64, u64)], uncovered: u64) -> String {
    let all = total(sums);
    let mut parts: Vec<String> = sums
        .iter()
        .map(|(of, duration, stays)| {
            let (share, duration) = (percent(*duration, all), spelt(*duration));
            let stays = crate::command::counted(*stays, "time");
            format!("{} {share} ({duration}, {stays})", state(*of))
        })
        .collect();
    if uncovered > 0 {
        parts.push(format!("not covered {}", spelt(uncovered)));
    }
    parts.join("; ")
}

fn legend(out: &mut String, sums: &[(i32, u64, u64)], uncovered: u64, top: u64) {
    let all = total(sums);
    let mut line = |at: usize, fill: &str, cells: [&str; 4]| {
        let y = top + 20 * (at as u64 + 1);
        let _ = write!(
            out,
            "<g><rect {fill} x=\"12\" y=\"{}\" width=\"14\" height=\"12\"/>",
            y - 10
        );
        for (x, anchor, cell) in [
            (34, "start", cells[0]),
            (220, "end", cells[1]),
            (290, "end", cells[2]),
            (350, "end", cells[3]),
        ] {
            let _ = write!(
                out,
                "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{cell}</text>"
            );
        }
        out.push_str("</g>\n");
    };
    line(0, "fill=\"none\"", ["State", "Duration", "Share", "Count"]);
    for (at, (of, duration, stays)) in sums.iter().enumerate() {
        let (glyph, tone) = look(*of);
        let fill = format!("class=\"{}\"", tone.class());
        let name = match glyph.is_ascii_alphabetic() {
            true => format!("{} ({glyph})", state(*of)),
            false => state(*of).to_owned(),
        };
        let (duration, share) = (spelt(*duration), percent(*duration, all));
        line(
            at + 1,
            &fill,
            [&name, &duration, &share, &stays.to_string()],
        );
    }
    if uncovered > 0 {
        let duration = spelt(uncovered);
        line(
            sums.len() + 1,
            "fill=\"url(#lost)\"",
            ["not covered", &duration, "", ""],
        );
    }
}
