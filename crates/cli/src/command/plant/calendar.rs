//! `werkbuch plant calendar`: when is planned to be worked.

use super::source::Of;
use crate::Context;
use crate::command::counted;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::Answer;
use crate::view::aspect;
use serde_json::{Value, json};
use werkbuch_model::event::{AspectKind, Body};
use werkbuch_model::plant::{CalendarError, Description, Planned, Timetable};
use werkbuch_model::time::{SECOND_NS, Timestamp};
use werkbuch_wire::{name, pb};

/// How many days are shown unless the end is given.
const DAYS: i64 = 7;
/// How many changes are asked for at once.
const PAGE: i32 = 10_000;

/// Show when is planned to be worked: shifts, breaks, overtime, closed days.
///
/// Times are shown by the plant's clocks; hours are elapsed ones, so that the night of a change to
/// or from summer time has one less or more. Of a plant of the server it shows what its description
/// says with the changes laid over it that sources reported (see `werkbuch calendar ls`).
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
    let (_, description) = args.of.load(context).await?;
    let zone = Some(description.plant().time_zone.clone()).filter(|zone| !zone.is_empty());
    let clocked = Context {
        tz: context
            .tz
            .clone()
            .or(zone)
            .or_else(|| Some("UTC".to_owned())),
        ..context.clone()
    };
    let clocks = clocked.clocks(args.of.plant.as_deref());
    let from = clocks.time(&args.from).await?;
    let to = match &args.to {
        Some(to) => clocks.time(to).await?,
        None => from.plus(DAYS * 86_400 * SECOND_NS),
    };
    let unit = args.unit.as_deref();
    let changes = match &args.of.plant {
        Some(plant) => Some(Changes::of(context, plant, args.of.instant.message(context)?).await?),
        None => None,
    };
    let reported = changes
        .as_ref()
        .is_some_and(|changes| !changes.0.is_empty());
    let table = match description.timetable(unit) {
        // What was reported holds also where no calendar is declared.
        Err(CalendarError::None(_)) if reported => description.timetable_without(),
        table => table,
    }
    .map_err(failure)?;
    let mut planned = table.planned(from, to).map_err(failure)?;
    let mut laid = String::new();
    if let Some(changes) = &changes {
        let of = (&table, &description, unit);
        let count = changes.lay(&mut planned, of, (from, to))?;
        laid = format!(
            ", with {} laid over it",
            counted(count as u64, "reported change")
        );
    }
    let calendar = match &table.calendar {
        Some(calendar) => format!("calendar \"{calendar}\""),
        None => "no calendar is declared".to_owned(),
    };
    let rows = planned.iter().map(|one| row(&table, one)).collect();
    let worked: i64 = planned
        .iter()
        .filter(|one| one.is_worked())
        .map(Planned::nanos)
        .sum();
    let note = format!(
        "{} of {} stretches are worked, {} h in all; {calendar}{laid}",
        planned.iter().filter(|one| one.is_worked()).count(),
        planned.len(),
        hours(worked)
    );
    let columns = ["from", "to", "kind", "key", "team", "hours"];
    context
        .output
        .answer(&Answer::list(&columns, rows).note(note))
}

fn row(table: &Timetable, one: &Planned) -> (Vec<String>, Value) {
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
    (cells, item)
}

/// The changes of the calendar that sources of a plant reported, in their order in plant time.
struct Changes(Vec<pb::AspectValue>);

impl Changes {
    async fn of(context: &Context, plant: &str, instant: Option<pb::Instant>) -> Outcome<Self> {
        let client = context.client().await?;
        let calendar = i32::try_from(AspectKind::Calendar.code());
        let mut request = pb::ListAspectsRequest {
            parent: name::of_plant(plant),
            aspects: calendar.into_iter().collect(),
            page_size: PAGE,
            instant,
            ..pb::ListAspectsRequest::default()
        };
        let mut values = Vec::new();
        loop {
            let page = client.twin().list_aspects(request.clone()).await?;
            let page = page.into_inner();
            values.extend(page.values);
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        values.sort_by(|a, b| {
            (a.since, &a.source, a.position).cmp(&(b.since, &b.source, b.position))
        });
        Ok(Self(values))
    }

    /// Lays those over a plan that are about a unit or machine and reach into the range. Answers how
    /// many they are.
    fn lay(
        &self,
        planned: &mut Vec<Planned>,
        (table, description, unit): (&Timetable, &Description, Option<&str>),
        (from, to): (Timestamp, Timestamp),
    ) -> Outcome<usize> {
        let mut count = 0;
        for value in &self.0 {
            let bytes = aspect::body(value)?;
            let body = aspect::decoded(&bytes)?;
            if let Body::CalendarChanged(said) = &body
                && said.from < to
                && from < said.to
                && description.is_changed(unit, said)
            {
                *planned = table.changed(std::mem::take(planned), said);
                count += 1;
            }
        }
        planned.retain_mut(|one| {
            one.from = one.from.max(from);
            one.to = one.to.min(to);
            one.from < one.to
        });
        Ok(count)
    }
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
