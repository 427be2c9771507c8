//! What a study tries beside its scenarios, as options.

use werkbuch_sim::whatif::Tried as Asked;

/// What is tried beside the scenarios.
#[derive(Clone, Debug, PartialEq, clap::Args)]
pub(crate) struct Tried {
    /// Let each station of every case work faster by this share [default: 1%], and tell what that brings: the
    /// station that brings most is the bottleneck.
    #[arg(long, value_name = "PERCENT", num_args = 0..=1, require_equals = true,
          default_missing_value = "1%", value_parser = percent)]
    sensitivity: Option<f64>,
    /// Try each parameter of the baseline this far below and above what is given [default: 10%], or as far as the
    /// data leave it open, and tell what output depends on most.
    #[arg(long, value_name = "PERCENT", num_args = 0..=1, require_equals = true,
          default_missing_value = "10%", value_parser = percent)]
    tornado: Option<f64>,
    /// How many stations, and how many parameters, are tried: those of the busiest stations.
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    most: u32,
}

impl Tried {
    /// The same for a study.
    pub(super) const fn asked(&self) -> Asked {
        Asked {
            sensitivity: self.sensitivity,
            tornado: self.tornado,
            most: self.most,
        }
    }
}

/// A percentage above 0 and below 100.
pub(super) fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%').parse::<f64>();
    let share = number.map_err(|_| "it is no percentage: write for example 1%".to_owned())? / 100.0;
    match share > 0.0 && share < 1.0 {
        true => Ok(share),
        false => Err("it lies between 0% and 100%".to_owned()),
    }
}
