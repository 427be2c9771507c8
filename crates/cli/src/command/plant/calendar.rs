//! `werkbuch plant calendar`: when is planned to be worked.

use super::source::Of;
use crate::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::Answer;
use crate::when;
use serde_json::json;
use werkbuch_model::plant::{CalendarError, Planned};
use werkbuch_model::time::SECOND_NS;

/// How many days are shown unless the end is given.
const DAYS: i64 = 7;

/// Show when is planned to be worked: shifts, breaks, overtime, closed days.
///
/// Times are shown by the plant's clocks; hours are elapsed ones, so that the night of a change to
/// or from summer time has one less or more.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    of: Of,
    /// The unit or machine; without one, the plant.
    #[arg(long, value_name = "NAME")]
    unit: Option<String>,
    /// From when on.
    #[arg(
        long,
        value_name = "TIME",
        default_value = "now",
        allow_hyphen_values = true
    )]
    from: String,
    /// Until when; seven days when left out.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    to: Option<String>,
}

pub(super) async fn run(context: &Context, args: Args) -> Outcome<()> {
    let now = when::now();
    let from = when::time(&args.from, now)?;
    let to = match &args.to {
        Some(to) => when::time(to, now)?,
        None => from.plus(DAYS * 86_400 * SECOND_NS),
    };
    let (_, description) = args.of.load(context).await?;
    let table = description
        .timetable(args.unit.as_deref())
        .map_err(failure)?;
    let planned = table.planned(from, to).map_err(failure)?;
    let mut rows = Vec::with_capacity(planned.len());
    for one in &planned {
        let (from, to) = (table.shown(one.from), table.shown(one.to));
        let cells = vec![
            from.clone(),
            to.clone(),
            one.kind.to_string(),
            one.key(),
            one.team.clone(),
            hours(one.nanos()),
        ];
        let item = json!({
            "from": from,
            "to": to,
            "kind": one.kind.name(),
            "key": one.key(),
            "name": one.name,
            "day": one.day.to_string(),
            "team": one.team,
            "seconds": one.nanos() / SECOND_NS,
        });
        rows.push((cells, item));
    }
    let worked: i64 = planned
        .iter()
        .filter(|one| one.is_worked())
        .map(Planned::nanos)
        .sum();
    let note = format!(
        "{} of {} stretches are worked, {} h in all; calendar \"{}\"",
        planned.iter().filter(|one| one.is_worked()).count(),
        planned.len(),
        hours(worked),
        table.calendar
    );
    let columns = ["from", "to", "kind", "key", "team", "hours"];
    context
        .output
        .answer(&Answer::list(&columns, rows).note(note))
}

/// Hours with two digits after the point.
fn hours(nanos: i64) -> String {
    let hundredths = nanos / (36 * SECOND_NS);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

fn failure(error: CalendarError) -> Failure {
    let (exit, reason, hint) = match error {
        CalendarError::Unknown(_) => (
            Exit::NotFound,
            "UNKNOWN_UNIT",
            "name a unit or a machine of the plant",
        ),
        CalendarError::None(_) => (
            Exit::NotFound,
            "NO_CALENDAR",
            "add [[calendar]] with shifts, and calendar = to [plant], a unit or a machine",
        ),
        CalendarError::Zone(_) => (Exit::Failed, "UNKNOWN_ZONE", "correct time_zone of [plant]"),
        CalendarError::Range { .. } => (
            Exit::Usage,
            "INVALID_ARGUMENT",
            "give an earlier --from or a nearer --to",
        ),
    };
    Failure::new(exit, reason, error.to_string()).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_have_two_digits() {
        for (minutes, shown) in [(480, "8.00"), (20, "0.33"), (0, "0.00"), (615, "10.25")] {
            assert_eq!(hours(minutes * 60 * SECOND_NS), shown);
        }
    }
}
