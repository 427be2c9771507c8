//! `werkbuch event body`: the single values of a batch of samples, or why they are not there.

use crate::Context;
use crate::client::Client;
use crate::command::{Instant, at_position, reflected, with};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::Answer;
use crate::view::event;
use crate::when;
use serde_json::json;
use werkbuch_model::event::Body;
use werkbuch_model::time::Timestamp;
use werkbuch_wire::{name, pb};

/// Shows them as a list.
pub(super) async fn run(
    context: &Context,
    plant: &str,
    position: u64,
    instant: &Instant,
) -> Outcome<()> {
    let client = context.client().await?;
    let request = pb::GetSampleBodyRequest {
        parent: name::of_plant(plant),
        position,
        instant: instant.message(context)?,
    };
    let found = client
        .history()
        .get_sample_body(request)
        .await?
        .into_inner();
    if let Some(failure) = absent(&found, plant, position) {
        return Err(failure);
    }
    let unreadable = |cause: String| Failure::new(Exit::Failed, "BODY_UNREADABLE", cause);
    let values = werkbuch_gateway::source::shdr::decode_body(&found.body)
        .map_err(|error| unreadable(error.to_string()))?;
    let start = period_start(&client, plant, position).await?;
    let rows: Vec<_> = values
        .values
        .iter()
        .map(|one| {
            let item = values.items.get(one.item).cloned().unwrap_or_default();
            let at = start.plus(i64::try_from(one.time_ns).unwrap_or(i64::MAX));
            let number = one
                .value
                .map_or_else(|| "unavailable".to_owned(), |n| n.to_string());
            let json = json!({ "at": at.to_string(), "item": item, "value": one.value });
            (vec![at.to_string(), item, number], json)
        })
        .collect();
    let bounded = found.reflected.as_ref().filter(|_| instant.is_given());
    let note = format!(
        "{} of {} values{}",
        rows.len(),
        rows.len(),
        at_position(bounded)
    );
    let whole = json!({
        "values": rows.iter().map(|(_, item)| item).collect::<Vec<_>>(),
        "shown": rows.len(),
        "total": rows.len(),
    });
    let whole = with(whole, reflected(found.reflected.as_ref()));
    let answer = Answer::list(&["at", "item", "value"], rows)
        .whole(whole)
        .note(note);
    context.output.answer(&answer)
}

/// Why the single values are not there, each reason with its own next step.
fn absent(found: &pb::GetSampleBodyResponse, plant: &str, position: u64) -> Option<Failure> {
    let place = &found.place;
    let figures = "the figures (n, min, max, mean, last) are in the event";
    let restore = format!("restore {place} from a backup and start the server again; {figures}");
    let (exit, reason, why, hint) = match found.presence() {
        pb::BodyPresence::Present => return None,
        pb::BodyPresence::NeverUploaded => (
            Exit::NotFound,
            "SAMPLE_BODY_NEVER_UPLOADED",
            "were never uploaded".to_owned(),
            figures.to_owned(),
        ),
        pb::BodyPresence::Expired => (
            Exit::NotFound,
            "SAMPLE_BODY_EXPIRED",
            format!(
                "have expired since {}, {} days after they were recorded",
                when::shown(found.expired_at),
                found.lifetime_days()
            ),
            format!(
                "{figures}; to keep others longer, raise `sample_days` of the plant's description \
                 before they expire"
            ),
        ),
        pb::BodyPresence::Lost => (
            Exit::NotFound,
            "SAMPLE_BODY_LOST",
            format!("are lost: they should lie in {place} of the server's data folder"),
            restore,
        ),
        pb::BodyPresence::Damaged => (
            Exit::Verification,
            "SAMPLE_BODY_DAMAGED",
            format!("are damaged in {place} of the server's data folder"),
            restore,
        ),
        pb::BodyPresence::Unspecified => (
            Exit::NotFound,
            "SAMPLE_BODY_ABSENT",
            "are not there, for a reason that this build does not know".to_owned(),
            "use a client of the server's version".to_owned(),
        ),
    };
    let what = format!("the single values of event {position} of plant \"{plant}\" {why}");
    Some(Failure::new(exit, reason, what).hint(hint))
}

/// When the period of a batch begins.
async fn period_start(client: &Client, plant: &str, position: u64) -> Outcome<Timestamp> {
    let request = pb::ListEventsRequest {
        parent: name::of_plant(plant),
        from_position: position,
        to_position: position,
        page_size: 1,
        ..pb::ListEventsRequest::default()
    };
    let page = client.history().list_events(request).await?.into_inner();
    let event = match page.events.first() {
        Some(bytes) => event::decode(bytes)?,
        None => return Ok(Timestamp::default()),
    };
    Ok(match event.reported.body {
        Body::SampleReported(batch) => batch.period_start,
        _ => Timestamp::default(),
    })
}
