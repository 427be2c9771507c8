//! What several commands take to choose what is read: events, machines, a window, fields about people.

// None of them is a group of clap's: a command may be called as one of them is, and names are unique.

use crate::failure::{Failure, Outcome};
use crate::when::{Bound, Clocks};
use werkbuch_model::time::Timestamp;

/// Events by where they stand and what they are of.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub(crate) struct Events {
    /// Only from this position, or plant time, on.
    #[arg(long, value_name = "POSITION|TIME", allow_hyphen_values = true)]
    from: Option<String>,
    /// Only to this position, or before this plant time.
    #[arg(long, value_name = "POSITION|TIME", allow_hyphen_values = true)]
    to: Option<String>,
    /// Only of this machine (name or number).
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) machine: String,
    /// Only of this kind, such as STATE_CHANGED; can be given several times.
    #[arg(long)]
    pub(crate) kind: Vec<String>,
}

/// Where a choice of events begins and ends, each in one of two ways; 0 and none are open ends.
#[derive(Debug, Default)]
pub(crate) struct Range {
    pub(crate) from_position: u64,
    pub(crate) to_position: u64,
    pub(crate) from_time: Option<i64>,
    pub(crate) to_time: Option<i64>,
}

impl Range {
    /// Errors: it ends before it begins.
    fn check(&self) -> Outcome<()> {
        let hint = "nothing can lie between; exchange --from and --to";
        let (from, to) = (self.from_position, self.to_position);
        if to > 0 && from > to {
            let what = format!("the range ends at position {to}, before it begins, at {from}");
            return Err(Failure::usage(what).hint(hint));
        }
        match (self.from_time.map(Timestamp), self.to_time.map(Timestamp)) {
            (Some(from), Some(to)) if from >= to => {
                let what = format!("the range ends at {to}, not after it begins, at {from}");
                Err(Failure::usage(what).hint(hint))
            }
            _ => Ok(()),
        }
    }
}

impl Events {
    /// Where they begin and end, by these clocks.
    pub(crate) async fn range(&self, clocks: &Clocks<'_>) -> Outcome<Range> {
        let mut range = Range::default();
        match clocks.bound_if_any(self.from.as_deref()).await? {
            Some(Bound::Position(position)) => range.from_position = position,
            Some(Bound::Time(time)) => range.from_time = Some(time.nanos()),
            None => {}
        }
        match clocks.bound_if_any(self.to.as_deref()).await? {
            Some(Bound::Position(position)) => range.to_position = position,
            Some(Bound::Time(time)) => range.to_time = Some(time.nanos()),
            None => {}
        }
        range.check()?;
        Ok(range)
    }
}

/// Machines of which something holds.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub(crate) struct Machines {
    /// Only machines for which this holds; over a window, at the time asked about.
    #[arg(
        long = "where",
        value_name = "SQL",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) filter: String,
}

/// A window of plant time.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub(crate) struct Window {
    /// The first plant time of the window [default: 24 hours before its end].
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    from: Option<String>,
    /// The first plant time behind the window [default: the time asked about].
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    to: Option<String>,
}

impl Window {
    /// Where it begins and ends, in nanoseconds, by these clocks.
    pub(crate) async fn times(&self, clocks: &Clocks<'_>) -> Outcome<(Option<i64>, Option<i64>)> {
        let from = clocks.time_if_any(self.from.as_deref()).await?;
        let to = clocks.time_if_any(self.to.as_deref()).await?;
        Ok((from.map(Timestamp::nanos), to.map(Timestamp::nanos)))
    }

    /// What is told of a window that was asked to end later than it does; nothing else.
    pub(crate) fn cut(asked: Option<i64>, to: i64) -> String {
        match asked.filter(|asked| *asked > to) {
            None => String::new(),
            Some(asked) => format!(
                "; the window ends at the time that is asked about, not at {}",
                Timestamp(asked)
            ),
        }
    }
}

/// Whether fields about people are shown, to whom and why.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub(crate) struct Reveal {
    /// Decrypt fields about people; the reading is written to the access log first.
    #[arg(long, requires_all = ["reader", "purpose"])]
    pub(crate) reveal: bool,
    /// Who reads, for the access log.
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        requires = "reveal"
    )]
    pub(crate) reader: String,
    /// Why, for the access log.
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        requires = "reveal"
    )]
    pub(crate) purpose: String,
}
