//! Where the drawings of a study go: to the terminal, and into a folder.

use super::kept::write;
use super::{Told, chart, fan, screen, states};
use crate::command::machine::timeline::{band, svg};
use crate::failure::{Failure, Outcome};
use std::fmt::Write;
use std::path::PathBuf;
use werkbuch_model::time::Timestamp;
use werkbuch_sim::whatif::Outcome as Found;

/// The buckets of a drawing as SVG.
const SVG_BUCKETS: u32 = 1_600;
/// So many cases are drawn in a terminal.
pub(super) const CASES_SHOWN: usize = 8;

/// What is drawn.
#[derive(Debug, clap::Args)]
pub(crate) struct Drawn {
    /// Draw in the terminal too: how the output grows, where the time of the stations goes, and how far scenarios are
    /// from the baseline.
    #[arg(long)]
    draw: bool,
    /// Run the median replication of each case and a bad one (a tenth are worse) again, and show what every station
    /// did: as bands in the terminal, as intervals in JSON.
    #[arg(long)]
    pub(super) gantt: bool,
    /// Write all drawings into this folder, as SVG: output, differences, the states of a median and of a bad
    /// replication of each case, the tornado where it was asked for.
    #[arg(long, value_name = "DIR")]
    drawings: Option<PathBuf>,
}

impl Drawn {
    /// The replications of a case that are shown, by their numbers; none where they are not asked for.
    pub(super) fn wanted(&self, found: &Found) -> Vec<(usize, u32)> {
        if !self.gantt && self.drawings.is_none() {
            return Vec::new();
        }
        let cases = found.cases.iter().enumerate();
        cases
            .flat_map(|(at, case)| [(at, case.median_run), (at, case.bad_run)])
            .collect()
    }

    /// Writes the drawings. Errors: files that cannot be written.
    pub(super) fn write(&self, told: &Told, begins: Timestamp) -> Outcome<()> {
        let (found, gantts) = (&told.found, &told.gantts);
        let Some(folder) = &self.drawings else {
            return Ok(());
        };
        std::fs::create_dir_all(folder).map_err(|error| Failure::file(folder, &error))?;
        write(&folder.join("output.svg"), &fan::draw(found))?;
        if !found.differences.is_empty() {
            write(&folder.join("differences.svg"), &chart::differences(found))?;
        }
        if let Some(of) = &found.tornado {
            write(
                &folder.join("tornado.svg"),
                &chart::tornado(&found.plant, of),
            )?;
        }
        let times = (begins, found.horizon_ns);
        for (pair, case) in gantts.chunks(states::WHICH.len()).zip(&found.cases) {
            for (of, which) in pair.iter().zip(states::WHICH) {
                let lines = states::lines(of, times, SVG_BUCKETS);
                let title = format!("{}: ", states::title(found, of, which));
                let name = format!("gantt-{}-{}-{which}.svg", of.case, plain(&case.name));
                write(&folder.join(name), &svg::draw_of(&title, &lines))?;
            }
        }
        Ok(())
    }

    /// What a terminal shows before the table.
    pub(super) fn shown(&self, told: &Told, begins: Timestamp, color: bool) -> String {
        let (found, gantts) = (&told.found, &told.gantts);
        let columns = band::columns();
        let screen = screen::Screen {
            columns: columns as usize,
            color,
        };
        let mut out = String::new();
        if self.draw {
            out += &screen.fans(found);
            out += &screen.shares(found);
            out += &screen.differences(found);
        }
        out += &screen.sensitivities(found);
        if let Some(of) = &found.tornado {
            out += &screen.tornado(of);
        }
        if self.gantt {
            let times = (begins, found.horizon_ns);
            let pairs = gantts.chunks(states::WHICH.len()).take(CASES_SHOWN);
            for (of, which) in pairs.flat_map(|pair| pair.iter().zip(states::WHICH)) {
                let lines = states::lines(of, times, columns);
                let _ = writeln!(out, "{}", states::title(found, of, which));
                let _ = writeln!(out, "{}", band::draw(&lines, color));
            }
            out += &screen::left_out(found.cases.len());
        }
        out
    }
}

/// A name as one of a file: letters, digits, points and dashes.
fn plain(name: &str) -> String {
    let plain = |letter: char| match letter.is_ascii_alphanumeric() || letter == '.' {
        true => letter,
        false => '-',
    };
    name.chars().take(60).map(plain).collect()
}
