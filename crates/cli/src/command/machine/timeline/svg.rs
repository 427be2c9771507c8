//! Timelines as an SVG drawing of its own: a row for each machine, a time axis, a legend.

use super::fetch::Lines;
use super::legend::{Legend, Sum};
use crate::plain::markup;
use crate::view::inferred;
use crate::view::machine::state;
use crate::view::timeline::{look, spelt};
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
/// Below this width nobody can point at a piece: it is drawn with those of its colour, without a title of its own.
const POINTED: u64 = 4;
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
struct Run<'b> {
    first: u32,
    last: u32,
    dominant: i32,
    worst: i32,
    uncovered: bool,
    /// The inferred state that most of the dominant one was, with its cause.
    inferred: Option<(i32, &'b str)>,
    /// What is inferred of the worst state and not shown by that, however short.
    hidden: Option<(i32, &'b str)>,
}

/// The drawing as a document of its own.
pub(super) fn draw(lines: &Lines) -> String {
    draw_of("", lines)
}

/// The same of something that its title names.
pub(crate) fn draw_of(what: &str, lines: &Lines) -> String {
    let rows = lines.machines.len() as u64;
    let legend_top = TOP + rows * ROW + 22;
    let legend = Legend::of(lines);
    let height = legend_top + 20 * (height(&legend) + 1) + 10;
    let width = LEFT + WIDTH + 20;
    let (from, to) = (
        Timestamp(lines.head.from_time),
        Timestamp(lines.head.to_time),
    );
    let machines = crate::command::counted(rows, "machine");
    let machines = format!("{}{machines}", markup(what));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\" aria-labelledby=\"title desc\">\n\
         <title id=\"title\">Timeline of {machines} from {from} to {to}</title>\n\
         <desc id=\"desc\">{}</desc>\n<style>{STYLE}</style>\n\
         <defs><pattern id=\"lost\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\">\
         <path d=\"M0 6L6 0\" stroke=\"var(--soft)\"/></pattern>\
         <pattern id=\"starved\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\">\
         <path d=\"M2 0V5\" stroke=\"var(--wait)\" stroke-width=\"2\"/></pattern>\
         <pattern id=\"blocked\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\">\
         <path d=\"M0 2H5\" stroke=\"var(--wait)\" stroke-width=\"2\"/></pattern></defs>\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"var(--paper)\"/>\n\
         <text class=\"title\" x=\"12\" y=\"22\">{machines}, {from} to {to}</text>\n",
        markup(&described(&legend)),
    );
    axis(&mut out, lines, TOP + rows * ROW);
    for (at, machine) in lines.machines.iter().enumerate() {
        row(&mut out, lines, machine, TOP + at as u64 * ROW);
    }
    key(&mut out, &legend, legend_top);
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
    let (mut bands, mut strips) = (BTreeMap::new(), BTreeMap::new());
    for run in runs(&machine.buckets) {
        let (x, width) = place(lines, run);
        let is_plain = !run.uncovered && run.inferred.is_none() && run.hidden.is_none();
        if width >= POINTED || !is_plain {
            piece(out, lines, run, y);
            continue;
        }
        let add = |to: &mut BTreeMap<&'static str, String>, of: i32, (y, height): (u64, u64)| {
            let path = to.entry(look(of).1.class()).or_default();
            let _ = write!(path, "M{x} {y}h{width}v{height}h-{width}z");
        };
        if run.dominant != 0 {
            add(&mut bands, run.dominant, (y, BAND));
        }
        if run.worst != run.dominant {
            add(&mut strips, run.worst, (y + BAND - STRIP, STRIP));
        }
    }
    for (class, path) in bands.into_iter().chain(strips) {
        let _ = write!(out, "<path class=\"{class}\" d=\"{path}\"/>");
    }
    out.push_str("</g>\n");
}

/// Where a piece begins, and how wide it is.
fn place(lines: &Lines, run: Run<'_>) -> (u64, u64) {
    let place = |bucket: u32| LEFT + WIDTH * u64::from(bucket) / u64::from(lines.buckets.max(1));
    let x = place(run.first);
    (x, place(run.last + 1).saturating_sub(x).max(1))
}

fn runs(buckets: &[pb::TimelineBucket]) -> Vec<Run<'_>> {
    let mut runs: Vec<Run<'_>> = Vec::new();
    for bucket in buckets {
        let one = Run {
            first: bucket.bucket,
            last: bucket.bucket,
            dominant: bucket.dominant,
            worst: bucket.worst,
            uncovered: bucket.uncovered_ns > 0,
            inferred: told(inferred::most(bucket, bucket.dominant)),
            hidden: told(inferred::hidden(bucket)),
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

/// What is inferred, for a title.
fn told(one: Option<&pb::TimelineInferred>) -> Option<(i32, &str)> {
    one.map(|one| (one.state, one.because.as_str()))
}

/// What held the longest, over it what was not watched, below it the worst where that is another.
fn piece(out: &mut String, lines: &Lines, run: Run<'_>, y: u64) {
    let (x, width) = place(lines, run);
    let (begin, end) = (lines.border(run.first), lines.border(run.last + 1));
    let length = spelt(u64::try_from(end.saturating_sub(begin)).unwrap_or(0));
    let times = format!("{} to {} ({length})", Timestamp(begin), Timestamp(end));
    let _ = write!(out, "<g><title>{}, {times}</title>", markup(&title(run)));
    let mut shape = |fill: &str, (y, height): (u64, u64)| {
        let _ = write!(
            out,
            "<rect {fill} x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"/>"
        );
    };
    let (band, strip) = ((y, BAND), (y + BAND - STRIP, STRIP));
    let (mut glyph, tone) = look(run.dominant);
    if run.dominant != 0 {
        shape(&format!("class=\"{}\"", tone.class()), band);
    }
    if let Some((of, _)) = run.inferred {
        shape(&pattern(of), band);
        glyph = inferred::look(of).0;
    }
    if run.uncovered {
        shape("fill=\"url(#lost)\"", band);
    }
    if run.worst != run.dominant {
        let class = look(run.worst).1.class();
        shape(&format!("class=\"{class}\""), strip);
    }
    if let Some((of, _)) = run.hidden {
        shape(&pattern(of), strip);
    }
    if width >= LETTER && (glyph.is_ascii_alphabetic() || run.inferred.is_some()) {
        let (x, y) = (x + width / 2, y + 13);
        let _ = write!(
            out,
            "<text class=\"letter\" x=\"{x}\" y=\"{y}\">{}</text>",
            markup(&glyph.to_string())
        );
    }
    out.push_str("</g>\n");
}

/// What a piece shows, in words.
fn title(run: Run<'_>) -> String {
    let mut title = match run.dominant {
        0 => "not covered".to_owned(),
        dominant => state(dominant).to_owned(),
    };
    let inferred = |title: &mut String, told: Option<(i32, &str)>, partly: &str| {
        if let Some((of, because)) = told {
            let _ = write!(title, "{partly} inferred {}: {because}", inferred::word(of));
        }
    };
    inferred(&mut title, run.inferred, ",");
    if run.worst != run.dominant {
        let _ = write!(title, ", worst {}", state(run.worst));
    }
    inferred(&mut title, run.hidden, ", partly");
    if run.uncovered && run.dominant != 0 {
        title.push_str(", partly not covered");
    }
    title
}

/// The drawing in words, for who cannot see it.
fn described(legend: &Legend) -> String {
    let said = |name: &str, of: &Sum| {
        let (share, duration) = (legend.share(of), spelt(of.duration_ns));
        let stays = crate::command::counted(of.stays, "time");
        format!("{name} {share} ({duration}, {stays})")
    };
    let states = legend.states.iter();
    let mut parts: Vec<String> = states.map(|of| said(state(of.state), of)).collect();
    parts.extend(legend.inferred.iter().map(|of| {
        let name = format!("inferred {}", inferred::word(of.state));
        said(&name, of)
    }));
    if legend.uncovered_ns > 0 {
        parts.push(format!("not covered {}", spelt(legend.uncovered_ns)));
    }
    parts.join("; ")
}

/// How many lines it has.
fn height(legend: &Legend) -> u64 {
    let lines = legend.states.len() + legend.inferred.len() + legend.causes.len();
    let more = usize::from(legend.uncovered_ns > 0) + usize::from(legend.left_out().is_some());
    (1 + lines + more) as u64
}

fn key(out: &mut String, legend: &Legend, top: u64) {
    let mut y = top;
    let mut line = |fill: &str, cells: [&str; 4]| {
        y += 20;
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
            if !cell.is_empty() {
                let _ = write!(
                    out,
                    "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{}</text>",
                    markup(cell)
                );
            }
        }
        out.push_str("</g>\n");
    };
    line("fill=\"none\"", ["State", "Duration", "Share", "Count"]);
    for of in &legend.states {
        let (glyph, tone) = look(of.state);
        let fill = format!("class=\"{}\"", tone.class());
        let name = match glyph.is_ascii_alphabetic() {
            true => format!("{} ({glyph})", state(of.state)),
            false => state(of.state).to_owned(),
        };
        let (duration, share) = (spelt(of.duration_ns), legend.share(of));
        line(&fill, [&name, &duration, &share, &of.stays.to_string()]);
    }
    if legend.uncovered_ns > 0 {
        let duration = spelt(legend.uncovered_ns);
        line("fill=\"url(#lost)\"", ["not covered", &duration, "", ""]);
    }
    for of in &legend.inferred {
        let name = format!(
            "inferred {} ({})",
            inferred::word(of.state),
            inferred::look(of.state).0
        );
        let (duration, share) = (spelt(of.duration_ns), legend.share(of));
        let stays = of.stays.to_string();
        line(&pattern(of.state), [&name, &duration, &share, &stays]);
    }
    for (state, cause) in &legend.causes {
        line(&pattern(*state), [cause, "", "", ""]);
    }
    if let Some(note) = legend.left_out() {
        line("fill=\"none\"", [&note, "", "", ""]);
    }
}

/// What covers a state of which a wait is inferred.
fn pattern(state: i32) -> String {
    let name = inferred::word(state);
    format!("fill=\"url(#{name})\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use werkbuch_model::event::State;

    #[test]
    fn pieces_that_nobody_can_point_at_are_drawn_together_and_none_is_left_out() {
        let code = |state: State| i32::try_from(state.code()).unwrap_or(0);
        let bucket = |bucket: u32| pb::TimelineBucket {
            bucket,
            dominant: code([State::Executing, State::Blocked][bucket as usize % 2]),
            worst: code(match bucket {
                700 => State::Faulted,
                _ => [State::Executing, State::Blocked][bucket as usize % 2],
            }),
            ..pb::TimelineBucket::default()
        };
        let lines = Lines {
            head: pb::TimelineHead {
                to_time: 1_600_000_000_000,
                ..pb::TimelineHead::default()
            },
            machines: vec![pb::Timeline {
                buckets: (0..1_600).map(bucket).collect(),
                ..pb::Timeline::default()
            }],
            buckets: 1_600,
            cut: None,
        };
        let drawn = draw(&lines);
        assert!(drawn.len() < 50_000, "{}", drawn.len());
        assert_eq!(drawn.matches(&format!("h1v{BAND}h-1z")).count(), 1_600);
        assert_eq!(drawn.matches(&format!("h1v{STRIP}h-1z")).count(), 1);
    }
}
