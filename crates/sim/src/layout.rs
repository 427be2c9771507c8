//! What a factory is made of: stations, and the buffers between them.

use crate::SECOND_NS;
use werkbuch_model::id::MachineNumber;

/// A place between stations that holds parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buffer {
    /// How many parts it holds at most; at least 1.
    pub capacity: u32,
    /// How many parts it holds at the start; what goes beyond the capacity is not there.
    pub initial: u32,
}

/// A station: works on one part at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Station {
    /// The machine that it is in the plant's description.
    pub machine: MachineNumber,
    /// The buffers (by index) of which it takes one part each per cycle; none: parts come from
    /// outside and never run out.
    pub inputs: Vec<usize>,
    /// The buffer (by index) that it puts its part into; none: parts leave the factory.
    pub output: Option<usize>,
    /// The mean time of one cycle, in nanoseconds.
    pub cycle_ns: u64,
    /// How far a cycle lies from the mean at most, in thousandths of it.
    pub spread_permille: u32,
    /// The mean working time between failures, in nanoseconds; 0: it never fails.
    pub mtbf_ns: u64,
    /// The mean time of a repair, in nanoseconds.
    pub mttr_ns: u64,
    /// How many of a thousand parts are scrap.
    pub scrap_permille: u32,
    /// How many parts it makes between two change-overs; 0: it never changes over.
    pub lot: u32,
    /// The mean time of a change-over, in nanoseconds.
    pub setup_ns: u64,
}

impl Default for Station {
    fn default() -> Self {
        Self {
            machine: MachineNumber(0),
            inputs: Vec::new(),
            output: None,
            cycle_ns: 60 * SECOND_NS,
            spread_permille: 50,
            mtbf_ns: 7_200 * SECOND_NS,
            mttr_ns: 300 * SECOND_NS,
            scrap_permille: 8,
            lot: 0,
            setup_ns: 600 * SECOND_NS,
        }
    }
}

/// The stations and buffers of a factory; they refer to each other by index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// The stations.
    pub stations: Vec<Station>,
    /// The buffers.
    pub buffers: Vec<Buffer>,
}

/// Why a layout cannot run. Mend the station or buffer named.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// A station refers to a buffer that is not there. Add the buffer, or name another.
    #[error("the station of machine {machine} refers to buffer {buffer}, there are {buffers}")]
    UnknownBuffer {
        /// The station's machine.
        machine: MachineNumber,
        /// The index it refers to.
        buffer: usize,
        /// How many buffers there are.
        buffers: usize,
    },
    /// A buffer holds nothing. Give it a capacity of at least 1, or leave it out.
    #[error("buffer {buffer} has no capacity")]
    NoCapacity {
        /// The buffer's index.
        buffer: usize,
    },
    /// A cycle takes no time, so that time would stand still. Give it at least a millisecond.
    #[error("the station of machine {machine} has a cycle below one millisecond")]
    NoCycle {
        /// The station's machine.
        machine: MachineNumber,
    },
}

impl Layout {
    /// Checks that the layout can run. Errors: the first [`LayoutError`] found.
    pub fn check(&self) -> Result<(), LayoutError> {
        if let Some(buffer) = self.buffers.iter().position(|buffer| buffer.capacity == 0) {
            return Err(LayoutError::NoCapacity { buffer });
        }
        let buffers = self.buffers.len();
        for station in &self.stations {
            let machine = station.machine;
            let mut named = station.inputs.iter().chain(&station.output);
            if let Some(&buffer) = named.find(|buffer| **buffer >= buffers) {
                return Err(LayoutError::UnknownBuffer {
                    machine,
                    buffer,
                    buffers,
                });
            }
            if station.cycle_ns < 1_000_000 {
                return Err(LayoutError::NoCycle { machine });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_run_is_refused() {
        let station = Station {
            machine: MachineNumber(3),
            inputs: vec![0],
            output: Some(1),
            ..Station::default()
        };
        let two = vec![
            Buffer {
                capacity: 1,
                initial: 0
            };
            2
        ];
        let layout = |stations, buffers| Layout { stations, buffers };
        assert_eq!(layout(vec![station.clone()], two.clone()).check(), Ok(()));
        let machine = station.machine;
        assert_eq!(
            layout(
                vec![station.clone()],
                vec![Buffer {
                    capacity: 1,
                    initial: 0
                }]
            )
            .check(),
            Err(LayoutError::UnknownBuffer {
                machine,
                buffer: 1,
                buffers: 1
            })
        );
        assert_eq!(
            layout(
                vec![station.clone()],
                vec![
                    Buffer {
                        capacity: 0,
                        initial: 0
                    };
                    2
                ]
            )
            .check(),
            Err(LayoutError::NoCapacity { buffer: 0 })
        );
        let quick = Station {
            cycle_ns: 0,
            ..station
        };
        assert_eq!(
            layout(vec![quick], two).check(),
            Err(LayoutError::NoCycle { machine })
        );
    }
}
