//! A study as drawings in letters: how the output grows, where the time goes, how far scenarios are from the baseline,
//! what output depends on.

use super::drawn::CASES_SHOWN;
use super::paper::Scale;
use super::show::{interval, number, percent};
use crate::command::machine::timeline::band::painted;
use crate::plain::line;
use crate::view::timeline::{STATES, Tone, look};
use std::fmt::Write;
use werkbuch_sim::statistics::Interval;
use werkbuch_sim::whatif::{CaseOutcome, Outcome as Found, StationOutcome, Tornado};

/// How many lines a drawing of the output has.
const HEIGHT: usize = 12;
/// The room for names.
const NAME: usize = 24;
/// So many scenarios are drawn beside the baseline.
const SCENARIOS_SHOWN: usize = 40;

/// Where it is drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Screen {
    /// The width of what is drawn beside names.
    pub(super) columns: usize,
    pub(super) color: bool,
}

/// A remark where not all cases are drawn.
pub(super) fn left_out(cases: usize) -> String {
    match cases > CASES_SHOWN {
        true => format!("{CASES_SHOWN} of {cases} cases are drawn\n\n"),
        false => String::new(),
    }
}

fn name(text: &str) -> String {
    let mut shown: String = line(text).chars().take(NAME).collect();
    if line(text).chars().count() > NAME {
        shown.pop();
        shown.push('\u{2026}');
    }
    shown
}

impl Screen {
    /// How the output of each case grows: the mean, and between which 80 % of the runs lie.
    pub(super) fn fans(&self, found: &Found) -> String {
        let most = found.cases.iter().flat_map(|case| &case.curve);
        let most = most.map(|point| point[3]).fold(1.0, f64::max);
        let mut out = String::new();
        for case in found.cases.iter().take(CASES_SHOWN) {
            self.fan(&mut out, case, (most, found.horizon_ns as f64 / 3.6e12));
        }
        out + &left_out(found.cases.len())
    }

    fn fan(&self, out: &mut String, case: &CaseOutcome, (most, hours): (f64, f64)) {
        let _ = writeln!(
            out,
            "output of {} (* mean, : 80 % of the runs)",
            line(&case.name)
        );
        let row = |value: f64| ((value / most * HEIGHT as f64) as usize).min(HEIGHT - 1);
        for from_top in 0..HEIGHT {
            let at = HEIGHT - 1 - from_top;
            let cell = |column: usize| {
                let window = (column + 1) * case.curve.len() / self.columns.max(1);
                let Some([mean, low, _, high]) = case.curve.get(window.max(1) - 1) else {
                    return (' ', Tone::None);
                };
                match (row(*mean) == at, (row(*low)..=row(*high)).contains(&at)) {
                    (true, _) => ('*', Tone::Run),
                    (false, true) => (':', Tone::Ready),
                    (false, false) => (' ', Tone::None),
                }
            };
            let cells: Vec<_> = (0..self.columns).map(cell).collect();
            let label = match from_top {
                0 => number(most),
                _ if at == 0 => "0".to_owned(),
                _ => String::new(),
            };
            let drawn = painted(&cells, self.color);
            let _ = writeln!(out, "{label:>8} |{}", drawn.trim_end());
        }
        let end = format!("{hours:.1} h");
        let _ = writeln!(
            out,
            "{:>8} +0 h{end:>room$}\n",
            "",
            room = self.columns.saturating_sub(3)
        );
    }

    /// Where the time of each station goes, with the share for which it held up the others.
    pub(super) fn shares(&self, found: &Found) -> String {
        let mut out = String::new();
        let room = self.columns.saturating_sub(9).max(10);
        for case in found.cases.iter().take(CASES_SHOWN) {
            let _ = writeln!(
                out,
                "states of {}, and for how much of the time each held up the others",
                line(&case.name)
            );
            for station in &case.stations {
                let cells = painted(&cells(station, room), self.color);
                let _ = writeln!(
                    out,
                    "{:<NAME$}  {cells} {:>7}",
                    name(&station.machine),
                    percent(station.bottleneck)
                );
            }
            out.push('\n');
        }
        out += &left_out(found.cases.len());
        let all = found.cases.iter().flat_map(|case| &case.stations);
        let occurs: Vec<i32> = all
            .flat_map(|one| &one.shares)
            .map(|(state, _)| code(*state))
            .collect();
        let states = STATES
            .iter()
            .filter(|(state, ..)| occurs.contains(&(*state as i32)));
        let legend = states.map(|(state, glyph, tone)| {
            let name = crate::view::machine::state(*state as i32).to_lowercase();
            format!("{} {name}", painted(&[(*glyph, *tone)], self.color))
        });
        let legend: Vec<String> = legend.collect();
        let _ = writeln!(out, "{}\n", legend.join("  "));
        out
    }

    /// How far the output of each scenario is from the baseline's.
    pub(super) fn differences(&self, found: &Found) -> String {
        let all: Vec<_> = found
            .differences
            .iter()
            .filter(|one| one.measure == "output")
            .collect();
        if all.is_empty() {
            return String::new();
        }
        let shown = &all[..all.len().min(SCENARIOS_SHOWN)];
        let mut out = format!(
            "output less the baseline's (o mean, = the interval of {}, | no difference): {} of {} scenarios\n",
            percent(found.confidence),
            shown.len(),
            all.len()
        );
        let room = self.columns.saturating_sub(20).max(10);
        let all_ends = shown.iter().flat_map(|one| ends(&one.interval));
        let scale = Scale::over(all_ends, (0.0, (room - 1) as f64));
        for one in shown {
            let tone = match (one.is_distinguishable, one.interval.mean > 0.0) {
                (false, _) => Tone::Dim,
                (true, true) => Tone::Run,
                (true, false) => Tone::Down,
            };
            let [low, mean, high] = ends(&one.interval).map(|end| scale.at(end).round() as usize);
            let mut cells = vec![(' ', Tone::None); room];
            fill(&mut cells, (low, high), ('=', tone));
            fill(
                &mut cells,
                [scale.at(0.0).round() as usize; 2].into(),
                ('|', Tone::None),
            );
            fill(&mut cells, (mean, mean), ('o', tone));
            let drawn = painted(&cells, self.color);
            let _ = writeln!(
                out,
                "{:<NAME$}  {drawn} {:>18}",
                name(&one.scenario),
                interval(&one.interval, true)
            );
        }
        out.push('\n');
        out
    }

    /// What stations that work faster bring, by case.
    pub(super) fn sensitivities(&self, found: &Found) -> String {
        let mut out = String::new();
        for of in found.sensitivity.iter().take(CASES_SHOWN) {
            let _ = writeln!(
                out,
                "per cent more output of {} for each per cent that a station is faster (tried: {} faster): {} of {} stations, \
                 the busiest",
                line(&of.case),
                percent(of.faster),
                of.stations.len(),
                of.of
            );
            for one in &of.stations {
                let said = if one.is_distinguishable {
                    ""
                } else {
                    "  not distinguishable"
                };
                let _ = writeln!(
                    out,
                    "{:<NAME$}  {:>16}{said}",
                    name(&one.machine),
                    interval(&one.elasticity, true)
                );
            }
            out.push('\n');
        }
        out + &left_out(found.sensitivity.len())
    }

    /// What output depends on most.
    pub(super) fn tornado(&self, of: &Tornado) -> String {
        let mut out = format!(
            "what output depends on (\u{2592} low value, \u{2588} high value, | the baseline): {} of {} parameters, of the \
             busiest stations\n",
            of.bars.len(),
            of.of
        );
        let room = self.columns.saturating_sub(44).max(20);
        let ends = of
            .bars
            .iter()
            .flat_map(|bar| [bar.at_low.mean, bar.at_high.mean]);
        let scale = Scale::over(ends, (0.0, (room - 1) as f64));
        let zero = scale.at(0.0).round() as usize;
        for bar in &of.bars {
            let mut cells = vec![(' ', Tone::None); room];
            for (end, glyph, tone) in [
                (bar.at_high.mean, '\u{2588}', Tone::Wait),
                (bar.at_low.mean, '\u{2592}', Tone::Planned),
            ] {
                let end = scale.at(end).round() as usize;
                if end != zero {
                    fill(&mut cells, (zero.min(end), zero.max(end)), (glyph, tone));
                }
            }
            fill(&mut cells, (zero, zero), ('|', Tone::None));
            let basis = if bar.is_fitted { " (fit)" } else { "" };
            let _ = writeln!(
                out,
                "{:<NAME$}  {} x{:.2}: {}, x{:.2}: {}{basis}",
                name(&bar.name),
                painted(&cells, self.color),
                bar.low,
                interval(&bar.at_low, true),
                bar.high,
                interval(&bar.at_high, true),
            );
        }
        out.push('\n');
        out
    }
}

fn code(state: werkbuch_model::event::State) -> i32 {
    i32::try_from(state.code()).unwrap_or(0)
}

/// The states of a station in the order of the legend; what there is at all has one column at least.
fn cells(station: &StationOutcome, room: usize) -> Vec<(char, Tone)> {
    let mut shares: Vec<(i32, f64)> = Vec::new();
    for (state, ..) in STATES {
        let of = station
            .shares
            .iter()
            .find(|(one, _)| code(*one) == state as i32);
        shares.extend(of.map(|(_, share)| (state as i32, *share)));
    }
    let mut widths: Vec<usize> = shares
        .iter()
        .map(|(_, share)| ((share * room as f64) as usize).max(1))
        .collect();
    // What is left goes to the longest, and what is too much comes from it.
    let longest = (0..widths.len()).max_by_key(|at| widths[*at]);
    if let Some(longest) = longest {
        let others = widths.iter().sum::<usize>() - widths[longest];
        widths[longest] = room.saturating_sub(others);
    }
    let all = shares.iter().zip(widths);
    all.flat_map(|((state, _), width)| std::iter::repeat_n(look(*state), width))
        .collect()
}

fn ends(of: &Interval) -> [f64; 3] {
    let half = if of.half_width.is_finite() {
        of.half_width
    } else {
        0.0
    };
    [of.mean - half, of.mean, of.mean + half]
}

fn fill(cells: &mut [(char, Tone)], (from, to): (usize, usize), with: (char, Tone)) {
    let all = cells.iter_mut().enumerate();
    for (_, cell) in all.filter(|(at, _)| (from..=to).contains(at)) {
        *cell = with;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use werkbuch_model::event::State;
    use werkbuch_sim::whatif::First;

    #[test]
    fn states_fill_the_line_and_what_is_short_is_seen() {
        let never = First {
            share: 0.0,
            after_s: f64::NAN,
        };
        let station = StationOutcome {
            machine: "m".to_owned(),
            shares: vec![
                (State::Starved, 0.25),
                (State::Executing, 0.749),
                (State::Faulted, 0.001),
            ],
            bottleneck: 0.0,
            starves: never,
            blocks: never,
        };
        let drawn: String = cells(&station, 40)
            .iter()
            .map(|(glyph, _)| *glyph)
            .collect();
        assert_eq!(
            drawn,
            format!("{}{}F", "\u{2588}".repeat(29), "s".repeat(10))
        );
    }

    #[test]
    fn bars_reach_from_the_baseline_to_what_comes_out() {
        let bar = |low: f64, high: f64| werkbuch_sim::whatif::Bar {
            name: "cycle of m".to_owned(),
            what: "cycle",
            of: vec!["m".to_owned()],
            low: 0.9,
            high: 1.1,
            is_fitted: false,
            at_low: Interval {
                mean: low,
                half_width: 0.0,
            },
            at_high: Interval {
                mean: high,
                half_width: 0.0,
            },
        };
        let tornado = Tornado {
            swing: 0.1,
            of: 7,
            bars: vec![bar(10.0, -9.0), bar(0.0, 0.0)],
        };
        let screen = Screen {
            columns: 64,
            color: false,
        };
        let shown = screen.tornado(&tornado);
        let rows: Vec<&str> = shown.lines().collect();
        assert!(
            rows[0].ends_with("2 of 7 parameters, of the busiest stations"),
            "{shown}"
        );
        let drawn = format!("{}|{}", "\u{2588}".repeat(9), "\u{2592}".repeat(10));
        assert!(
            rows[1].contains(&format!("  {drawn} x0.90: +10.0")),
            "{shown}"
        );
        assert!(
            rows[2].contains("|") && !rows[2].contains('\u{2592}'),
            "{shown}"
        );
    }
}
