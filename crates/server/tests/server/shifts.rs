//! Shifts as instants: by the calendar that was in force on their day, as it was known.

use crate::harness::{PLANT, Served, apply, reason, serve};
use werkbuch_model::time::Timestamp;
use werkbuch_wire::pb;
use werkbuch_wire::reason::Reason;

const DAYS: &str = r#"["mon", "tue", "wed", "thu", "fri", "sat", "sun"]"#;

/// A plant in Berlin whose shifts begin at these times; the second has this name.
fn plant(shifts: [&str; 3], second: &str) -> String {
    let [early, late, night] = shifts;
    format!(
        r#"
[plant]
id = "PLT-07"
time_zone = "Europe/Berlin"
calendar = "days"
[[calendar]]
id = "days"
shifts = [
    {{ name = "early", from = "{early}", to = "{late}", days = {DAYS} }},
    {{ name = "{second}", from = "{late}", to = "{night}", days = {DAYS} }},
    {{ name = "night", from = "{night}", to = "{early}", days = {DAYS} }},
]
[[machine]]
id = "press-1"
"#
    )
}

fn nanos(text: &str) -> i64 {
    Timestamp::parse(text).unwrap().nanos()
}

async fn change(served: &Served, file: &str, from: Option<&str>) -> u64 {
    let request = pb::ApplyPlantRequest {
        valid_from: from.map(nanos),
        ..apply(file)
    };
    let applied = served.model().await.apply_plant(request).await.unwrap();
    let applied = applied.into_inner();
    assert!(applied.recorded, "{applied:?}");
    let request = pb::GetTwinRequest {
        name: PLANT.into(),
        instant: None,
    };
    let twin = served.twin().await.get_twin(request).await.unwrap();
    twin.into_inner().reflected.unwrap().position
}

/// Three shifts from 06:00 on; an hour later from Wednesday, 2025-10-22, 06:00 on; as before from Monday,
/// 2025-10-27, 06:00 on, the clocks being set back in the night before Sunday; and later again
/// from Wednesday, 2025-10-29, noon on. Answers with the position
/// before the changes.
async fn serve_changes() -> (Served, u64) {
    let served = serve().await;
    let usual = plant(["06:00", "14:00", "22:00"], "late");
    let position = change(&served, &usual, None).await;
    let winter = plant(["07:00", "15:00", "23:00"], "spaet");
    change(&served, &winter, Some("2025-10-22T04:00:00Z")).await;
    change(&served, &usual, Some("2025-10-27T05:00:00Z")).await;
    let later = plant(["08:00", "15:00", "23:00"], "late");
    change(&served, &later, Some("2025-10-29T11:00:00Z")).await;
    (served, position)
}

async fn resolve(served: &Served, text: &str, known: &str) -> Result<i64, tonic::Status> {
    let request = pb::ResolveTimesRequest {
        parent: PLANT.into(),
        texts: vec![text.into()],
        known_text: known.into(),
        ..pb::ResolveTimesRequest::default()
    };
    let found = served.twin().await.resolve_times(request).await?;
    Ok(found.into_inner().times[0])
}

#[tokio::test]
async fn a_shift_is_by_the_calendar_of_its_day() {
    let (served, before) = serve_changes().await;
    for (shift, now, known_before) in [
        (
            "early@2025-10-21",
            "2025-10-21T04:00:00Z",
            "2025-10-21T04:00:00Z",
        ),
        (
            "late@2025-10-21",
            "2025-10-21T12:00:00Z",
            "2025-10-21T12:00:00Z",
        ),
        // The last shift before the change ends with it.
        (
            "night@2025-10-21",
            "2025-10-21T20:00:00Z",
            "2025-10-21T20:00:00Z",
        ),
        (
            "night@2025-10-21..end",
            "2025-10-22T04:00:00Z",
            "2025-10-22T04:00:00Z",
        ),
        (
            "early@2025-10-22",
            "2025-10-22T05:00:00Z",
            "2025-10-22T04:00:00Z",
        ),
        (
            "early@2025-10-22..end",
            "2025-10-22T13:00:00Z",
            "2025-10-22T12:00:00Z",
        ),
        (
            "night@2025-10-22",
            "2025-10-22T21:00:00Z",
            "2025-10-22T20:00:00Z",
        ),
        (
            "night@2025-10-22..end",
            "2025-10-23T05:00:00Z",
            "2025-10-23T04:00:00Z",
        ),
        // The calendar changes between two shifts of one day.
        (
            "early@2025-10-29",
            "2025-10-29T05:00:00Z",
            "2025-10-29T05:00:00Z",
        ),
        (
            "late@2025-10-29",
            "2025-10-29T14:00:00Z",
            "2025-10-29T13:00:00Z",
        ),
        (
            "night@2025-10-29",
            "2025-10-29T22:00:00Z",
            "2025-10-29T21:00:00Z",
        ),
        // Nine hours, because the clocks are set back in it.
        (
            "night@2025-10-25",
            "2025-10-25T21:00:00Z",
            "2025-10-25T20:00:00Z",
        ),
        (
            "night@2025-10-25..end",
            "2025-10-26T06:00:00Z",
            "2025-10-26T05:00:00Z",
        ),
        (
            "night@2025-10-26",
            "2025-10-26T22:00:00Z",
            "2025-10-26T21:00:00Z",
        ),
        (
            "night@2025-10-27",
            "2025-10-27T21:00:00Z",
            "2025-10-27T21:00:00Z",
        ),
        (
            "late@2025-10-27",
            "2025-10-27T13:00:00Z",
            "2025-10-27T13:00:00Z",
        ),
    ] {
        let text = format!("shift:{shift}");
        let found = resolve(&served, &text, "").await.unwrap();
        assert_eq!(found, nanos(now), "{text}: {}", Timestamp(found));
        let found = resolve(&served, &text, &before.to_string()).await.unwrap();
        assert_eq!(
            found,
            nanos(known_before),
            "{text} as known at {before}: {}",
            Timestamp(found)
        );
    }
    served.end().await;
}

#[tokio::test]
async fn a_shift_of_another_calendar_is_none() {
    let (served, before) = serve_changes().await;
    for (text, known, says) in [
        ("shift:late@2025-10-22", "", "late"),
        ("shift:spaet@2025-10-21", "", "spaet"),
        ("shift:spaet@2025-10-28", "", "spaet"),
        ("shift:spaet@2025-10-23", "before", "spaet"),
    ] {
        let known = known.replace("before", &before.to_string());
        let status = resolve(&served, text, &known).await.unwrap_err();
        assert_eq!(reason(&status), Reason::InvalidInstant, "{text}");
        assert!(
            status.message().contains(says),
            "{text}: {}",
            status.message()
        );
    }
    let found = resolve(&served, "shift:spaet@2025-10-23", "")
        .await
        .unwrap();
    assert_eq!(found, nanos("2025-10-23T13:00:00Z"));
    // The same of every call: the instant is that of the calendar known then.
    let ask = |known: Option<u64>| pb::GetPlantRequest {
        name: PLANT.into(),
        instant: Some(pb::Instant {
            at_text: "shift:night@2025-10-22".into(),
            known: known.map(pb::instant::Known::KnownPosition),
            ..pb::Instant::default()
        }),
    };
    let mut model = served.model().await;
    for (known, expected) in [
        (None, "2025-10-22T21:00:00Z"),
        (Some(before), "2025-10-22T20:00:00Z"),
    ] {
        let plant = model.get_plant(ask(known)).await.unwrap().into_inner();
        assert_eq!(plant.reflected.unwrap().at, Some(nanos(expected)));
    }
    served.end().await;
}
