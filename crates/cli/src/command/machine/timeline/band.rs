//! Timelines as bands of glyphs for a terminal, with a legend of duration, share and count.

use super::fetch::Lines;
use super::legend::{Legend, Sum};
use crate::plain;
use crate::view::inferred;
use crate::view::timeline::{Tone, look, spelt};
use std::fmt::Write;
use werkbuch_model::time::Timestamp;
use werkbuch_wire::pb;

/// The width of a terminal that does not tell its own.
const WIDTH: usize = 100;
/// The least columns of a band.
const COLUMNS_MIN: usize = 20;
/// The room for names of machines.
const NAME_MAX: usize = 24;
/// What nobody watched.
const UNCOVERED: char = '\u{2591}';

/// How many columns a band has in this terminal.
pub(crate) fn columns() -> u32 {
    let said = std::env::var("COLUMNS")
        .ok()
        .and_then(|text| text.parse().ok());
    let said = said.or_else(|| comfy_table::Table::new().width().map(usize::from));
    let columns = said.unwrap_or(WIDTH).saturating_sub(NAME_MAX + 2);
    u32::try_from(columns.clamp(COLUMNS_MIN, 10_000)).unwrap_or(80)
}

/// The bands of all machines between the times of the window, and the legend.
pub(crate) fn draw(lines: &Lines, color: bool) -> String {
    let names = lines
        .machines
        .iter()
        .map(|one| lines.label(one).chars().count());
    let width = names.max().unwrap_or(0).min(NAME_MAX);
    let mut out = String::new();
    let (from, to) = (
        Timestamp(lines.head.from_time),
        Timestamp(lines.head.to_time),
    );
    let (from, to) = (from.to_string(), to.to_string());
    let columns = lines.buckets as usize;
    let room = columns
        .saturating_sub(from.chars().count())
        .max(to.chars().count() + 1);
    let _ = writeln!(out, "{:<width$}  {from}{to:>room$}", "");
    for machine in &lines.machines {
        let name: String = plain::line(&lines.label(machine))
            .chars()
            .take(width)
            .collect();
        let (band, marks) = band(machine, columns, color);
        let _ = writeln!(out, "{name:<width$}  {}", band.trim_end());
        if !marks.is_empty() {
            let _ = writeln!(out, "{:<width$}  {}", "", marks.trim_end());
        }
    }
    out.push('\n');
    out.push_str(&legend(lines, color));
    out
}

/// What held the longest in each column, and below it the worst where that is another. Where most of a wait is
/// inferred to be for one cause its glyph stands for it, and where less is, below.
fn band(machine: &pb::Timeline, columns: usize, color: bool) -> (String, String) {
    let mut cells = vec![(' ', Tone::None); columns];
    let mut marks = vec![(' ', Tone::None); columns];
    for bucket in &machine.buckets {
        let at = bucket.bucket as usize;
        let covered: u64 = bucket.shares.iter().map(|share| share.duration_ns).sum();
        if let Some(cell) = cells.get_mut(at) {
            *cell = match bucket.uncovered_ns > covered {
                true => (UNCOVERED, Tone::None),
                false => inferred::most(bucket, bucket.dominant)
                    .map_or(look(bucket.dominant), |one| inferred::look(one.state)),
            };
        }
        if let Some(mark) = marks.get_mut(at) {
            let other = bucket.worst != bucket.dominant || bucket.uncovered_ns > covered;
            let inferred = inferred::hidden(bucket).map(|one| inferred::look(one.state));
            if other && bucket.worst != 0 {
                *mark = inferred.unwrap_or(look(bucket.worst));
            } else if bucket.uncovered_ns > 0 && bucket.uncovered_ns <= covered {
                *mark = (UNCOVERED, Tone::None);
            } else if let Some(look) = inferred {
                *mark = look;
            }
        }
    }
    let none = marks.iter().all(|(glyph, _)| *glyph == ' ');
    let marks = if none {
        String::new()
    } else {
        painted(&marks, color)
    };
    (painted(&cells, color), marks)
}

/// The glyphs, with a colour before those of one tone.
pub(crate) fn painted(cells: &[(char, Tone)], color: bool) -> String {
    let mut out = String::new();
    let mut tone = Tone::None;
    for (glyph, now) in cells {
        if color && *now != tone {
            out.push_str(now.escape());
            tone = *now;
        }
        out.push(*glyph);
    }
    if tone != Tone::None {
        out.push_str(Tone::None.escape());
    }
    out
}

/// For each state that occurs: its glyph, how long in all, its share of what was watched, how many times; the
/// same of what is inferred, with its causes.
fn legend(lines: &Lines, color: bool) -> String {
    let legend = Legend::of(lines);
    let mut out = String::from("   STATE          DURATION    SHARE  COUNT\n");
    let row = |look: (char, Tone), name: &str, of: &Sum| {
        format!(
            "{}  {name:<12}  {:>9}  {:>7}  {:>5}\n",
            painted(&[look], color),
            spelt(of.duration_ns),
            legend.share(of),
            of.stays,
        )
    };
    for of in &legend.states {
        let name = crate::view::machine::state(of.state);
        out.push_str(&row(look(of.state), name, of));
    }
    if legend.uncovered_ns > 0 {
        let spelt = spelt(legend.uncovered_ns);
        let _ = writeln!(out, "{UNCOVERED}  {:<12}  {spelt:>9}", "not covered");
    }
    if legend.inferred.is_empty() {
        return out;
    }
    out.push_str("   inferred from neighbours and buffers, as parts of WAITING and IDLE:\n");
    for of in &legend.inferred {
        let name = inferred::word(of.state);
        out.push_str(&row(inferred::look(of.state), &name, of));
    }
    for (state, cause) in &legend.causes {
        let glyph = painted(&[inferred::look(*state)], color);
        let _ = writeln!(out, "{glyph}    {cause}");
    }
    if let Some(note) = legend.left_out() {
        let _ = writeln!(out, "     {note}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines() -> Lines {
        let bucket = |bucket, dominant: pb::State, worst: pb::State, shares: u64, uncovered_ns| {
            pb::TimelineBucket {
                bucket,
                dominant: dominant.into(),
                worst: worst.into(),
                shares: vec![pb::TimelineShare {
                    state: dominant.into(),
                    duration_ns: shares,
                }],
                uncovered_ns,
                inferred: Vec::new(),
            }
        };
        let (run, fault) = (pb::State::Executing, pb::State::Faulted);
        let sum = |state: pb::State, duration_ns, stays| pb::TimelineSum {
            state: state.into(),
            duration_ns,
            stays,
        };
        Lines {
            head: pb::TimelineHead {
                from_time: 0,
                to_time: 24_000_000_000,
                ..pb::TimelineHead::default()
            },
            machines: vec![pb::Timeline {
                name: "tenants/default/plants/P/machines/m\u{1b}1".into(),
                buckets: vec![
                    bucket(0, run, run, 6, 0),
                    bucket(1, run, fault, 6, 0),
                    bucket(2, pb::State::Idle, pb::State::Idle, 1, 5),
                    bucket(3, pb::State::Held, pb::State::Held, 6, 0),
                ],
                sums: vec![sum(run, 11_999_000_000, 2), sum(fault, 1_000_000, 1)],
                uncovered_ns: 5_000_000_000,
                ..pb::Timeline::default()
            }],
            buckets: 4,
            cut: None,
        }
    }

    #[test]
    fn the_worst_stands_below_what_hides_it_and_glyphs_need_no_colours() {
        let shown = draw(&lines(), false);
        let rows: Vec<&str> = shown.lines().collect();
        assert!(
            rows[0].contains("1970-01-01T00:00:00Z 1970-01-01T00:00:24Z"),
            "{shown}"
        );
        assert!(
            !shown.contains('\x1b') && rows[1].ends_with("\u{2588}\u{2588}\u{2591}H"),
            "{shown}"
        );
        assert!(rows[2].ends_with("  F\u{b7}"), "{shown}");
        assert_eq!(rows[5], "\u{2588}  EXECUTING         12.0s    99.9%      2");
        assert_eq!(rows[6], "F  FAULTED             1ms     0.1%      1");
        assert_eq!(rows[7], "\u{2591}  not covered        5.0s");
    }

    #[test]
    fn colours_only_repeat_what_glyphs_say() {
        let (plain, coloured) = (draw(&lines(), false), draw(&lines(), true));
        assert!(coloured.contains("\x1b["));
        let mut bare = String::new();
        let mut rest = coloured.as_str();
        while let Some((before, after)) = rest.split_once("\x1b[") {
            bare.push_str(before);
            rest = after.split_once('m').map_or("", |(_, rest)| rest);
        }
        bare.push_str(rest);
        let lines = |text: &str| {
            text.lines()
                .map(|line| line.trim_end().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(lines(&bare), lines(&plain));
    }

    /// Idle, of which a part is inferred to be a wait for parts or a blocked outlet.
    fn idle(at: u32, inferred: &[(pb::State, u64)]) -> pb::TimelineBucket {
        let idle = i32::from(pb::State::Idle);
        let part = |(state, duration_ns): &(pb::State, u64)| pb::TimelineInferred {
            shown: idle,
            state: (*state).into(),
            duration_ns: *duration_ns,
            because: "so".to_owned(),
        };
        pb::TimelineBucket {
            bucket: at,
            dominant: idle,
            worst: idle,
            shares: vec![pb::TimelineShare {
                state: idle,
                duration_ns: 6,
            }],
            inferred: inferred.iter().map(part).collect(),
            uncovered_ns: 0,
        }
    }

    #[test]
    fn what_is_inferred_has_its_own_glyphs_and_its_own_lines_in_the_legend() {
        let (starved, blocked) = (pb::State::Starved, pb::State::Blocked);
        let mut lines = lines();
        let machine = &mut lines.machines[0];
        machine.buckets = vec![
            idle(0, &[(starved, 5)]),
            idle(1, &[(blocked, 1)]),
            idle(2, &[(starved, 1), (blocked, 5)]),
            idle(3, &[]),
        ];
        machine.buckets[3].dominant = starved.into();
        let cause = |because: &str, duration_ns| pb::TimelineCause {
            because: because.to_owned(),
            duration_ns,
            stays: 1,
        };
        machine.inferred = vec![pb::TimelineInferredSum {
            state: starved.into(),
            duration_ns: 3_000_000_000,
            stays: 2,
            causes: vec![cause("b-1 is empty", 2_000_000_000)],
            causes_size: 3,
        }];
        let shown = draw(&lines, false);
        let rows: Vec<&str> = shown.lines().collect();
        assert!(rows[1].ends_with("  <\u{b7}>s"), "{shown}");
        assert!(rows[2].ends_with("   ><\u{b7}"), "{shown}");
        let inferred = "   inferred from neighbours and buffers, as parts of WAITING and IDLE:";
        assert_eq!(rows[8], inferred, "{shown}");
        assert_eq!(rows[9], "<  starved            3.0s    25.0%      2");
        assert!(rows[10].starts_with("<    m"), "{shown}");
        assert!(
            rows[10].ends_with("1 starved 2.0s, 1 time: b-1 is empty"),
            "{shown}"
        );
        assert_eq!(rows[11], "     1 of 3 causes, those that held the longest");
        assert_eq!(rows.len(), 12, "{shown}");
    }
}
