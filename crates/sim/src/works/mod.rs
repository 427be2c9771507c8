//! Invented car plants: descriptions of press, body and paint shop and assembly, of any size.

mod assembly;
mod body;
mod frame;
mod paint;
mod press;
mod sheet;
#[cfg(test)]
pub(crate) mod tests;

use crate::kernel::{Purpose, Stream, Streams};
use sheet::Sheet;

/// The fewest machines that a car plant is made of.
pub const MACHINES_MIN: usize = 48;

/// Which car plant: the same three values give the same description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CarPlant {
    /// Its number among the plants of a company, from 0.
    pub number: usize,
    /// How many machines it has: exactly so many, and at least [`MACHINES_MIN`].
    pub machines: usize,
    /// What else differs between plants.
    pub seed: u64,
}

/// A plant's place: name of the plant, its full name, time zone, the model that it builds.
const PLACES: [(&str, &str, &str, &str); 8] = [
    ("nordfeld", "Nordfeld", "Europe/Berlin", "kestrel"),
    ("puente", "Puente Nuevo", "America/Mexico_City", "gavilan"),
    ("qinghe", "Qinghe", "Asia/Shanghai", "heron"),
    ("kasteel", "Kasteelbrug", "Europe/Brussels", "merlin"),
    ("palmeira", "Palmeira", "America/Sao_Paulo", "harrier"),
    ("bystrica", "Bystrica", "Europe/Bratislava", "osprey"),
    ("rosewood", "Rosewood", "America/Chicago", "falcon"),
    ("uitenberg", "Uitenberg", "Africa/Johannesburg", "buzzard"),
];

/// How many stations of each stretch, and robots at each robot station.
#[derive(Clone, Debug)]
struct Size {
    /// Respot stations of the underbody, the sides, the framing line.
    respot: [usize; 3],
    trim: usize,
    finals: usize,
    vehicles: usize,
    /// Robots still to be placed.
    robots: usize,
    /// Robot stations still without theirs.
    robot_stations: usize,
}

impl CarPlant {
    /// The plant's name, as it is used in resource names.
    #[must_use]
    pub fn id(&self) -> String {
        let (id, ..) = self.place();
        match self.number / PLACES.len() {
            0 => id.to_owned(),
            round => format!("{id}-{}", round + 1),
        }
    }

    /// The plant's time zone.
    #[must_use]
    pub fn time_zone(&self) -> &'static str {
        self.place().2
    }

    /// The plant's description as a plant file.
    #[must_use]
    pub fn file(&self) -> String {
        let mut sheet = Sheet::default();
        let mut size = self.size();
        let number = u32::try_from(self.number).unwrap_or(0);
        let mut chance = Streams::new(self.seed, 0).stream(number + (3 << 20), Purpose::Parameters);
        frame::write(&mut sheet, self, &mut chance);
        press::write(&mut sheet);
        body::write(&mut sheet, self, &mut size, &mut chance);
        paint::write(&mut sheet, self, &mut size);
        assembly::write(&mut sheet, self, &mut size, &mut chance);
        sheet.text
    }

    fn place(&self) -> (&'static str, &'static str, &'static str, &'static str) {
        let at = self.number % PLACES.len();
        PLACES
            .get(at)
            .copied()
            .unwrap_or(("plant", "Plant", "UTC", "model"))
    }

    /// The model that it builds.
    fn model(&self) -> &'static str {
        self.place().3
    }

    /// Whether it works in two shifts and not around the clock.
    const fn is_closed_at_night(&self) -> bool {
        self.number % 3 == 1
    }

    fn size(&self) -> Size {
        let machines = self.machines.max(MACHINES_MIN);
        let part = |of_200: usize, least: usize| (of_200 * machines / 200).max(least);
        let respot = [part(5, 1), part(3, 1), part(8, 1)];
        let (trim, finals, vehicles) = (part(14, 2), part(12, 2), part(6, 1));
        // What does not grow: presses, geo stations, paint shop, the ends of assembly.
        let fixed = press::MACHINES + body::FIXED + paint::FIXED + assembly::FIXED;
        let stations = fixed + respot.iter().sum::<usize>() + trim + finals + vehicles;
        Size {
            respot,
            trim,
            finals,
            vehicles,
            robots: machines.saturating_sub(stations),
            robot_stations: body::ROBOT_STATIONS
                + paint::ROBOT_STATIONS
                + respot.iter().sum::<usize>(),
        }
    }
}

impl Size {
    /// How many robots stand at the next robot station, so that all of them find a place.
    fn robots_here(&mut self) -> usize {
        let here = self
            .robots
            .div_ceil(self.robot_stations.max(1))
            .min(self.robots);
        self.robots -= here;
        self.robot_stations = self.robot_stations.saturating_sub(1);
        here
    }
}

/// Milliseconds around a planned cycle, in steps of a tenth of a second.
fn around(chance: &mut Stream, least_ms: u64, steps: u64) -> u64 {
    least_ms + chance.below(steps) * 100
}
