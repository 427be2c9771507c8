//! Where a watch begins: a position, a time of recording, a time of the plant, or the cut of an answer.

use crate::Context;
use crate::command::last;
use crate::failure::{Failure, Outcome};
use crate::when::Bound;
use werkbuch_wire::pb::watch_start::From as Start;
use werkbuch_wire::{name, pb};

/// What the token of a cut begins with.
const CUT: &str = "cut-";

/// The starts of `--from` and `--at`. Errors: a text is none, or means another time in each plant; a
/// plant has two.
pub(super) async fn all(
    context: &Context,
    plants: &[String],
    (from, at): (&[String], &[String]),
) -> Outcome<Vec<pb::WatchStart>> {
    let mut starts: Vec<pb::WatchStart> = Vec::new();
    for text in from {
        let (plant, place) = named(text, plants);
        if place.starts_with(CUT) {
            starts.push(begin(plant, Start::Cut(place.to_owned())));
            continue;
        }
        let clocks = context.clocks(Some(plant).filter(|plant| *plant != "-"));
        starts.push(start(plant, clocks.bound(place).await?)?);
    }
    for text in at {
        let (plant, place) = named(text, plants);
        let clocks = context.clocks(Some(plant).filter(|plant| *plant != "-"));
        let time = clocks.time(place).await?;
        starts.push(begin(plant, Start::EffectiveAt(time.nanos())));
    }
    once(&starts)?;
    Ok(starts)
}

/// Errors: a plant begins at two places.
fn once(starts: &[pb::WatchStart]) -> Outcome<()> {
    for (at, start) in starts.iter().enumerate() {
        if starts.iter().take(at).any(|one| one.plant == start.plant) {
            let of = match last(&start.plant) {
                "-" => "it".to_owned(),
                plant => format!("plant \"{plant}\""),
            };
            let what = format!("where {of} begins is said twice, by --from or --at");
            return Err(Failure::usage(what).hint("give one of the two"));
        }
    }
    Ok(())
}

/// For which plant a text is: `POSITION`, `TIME`, or one of them for one plant, as in `PLANT=POSITION`.
fn named<'a>(text: &'a str, plants: &'a [String]) -> (&'a str, &'a str) {
    match (text.split_once('='), plants) {
        (Some((plant, place)), _) => (plant, place),
        (None, [plant]) => (plant.as_str(), text),
        (None, _) => ("-", text),
    }
}

fn start(plant: &str, place: Bound) -> Outcome<pb::WatchStart> {
    let from = match place {
        Bound::Position(0) => {
            let what = "--from 0: positions count from 1";
            return Err(Failure::usage(what).hint("--from 1 begins with the first event"));
        }
        Bound::Position(position) if plant == "-" && position != 1 => {
            let what = format!("position {position} means another time in each plant");
            let hint = format!("name the plant, as in --from PLANT={position}, or give a time");
            return Err(Failure::usage(what).hint(hint));
        }
        Bound::Position(position) => Start::Position(position),
        Bound::Time(time) => Start::RecordedAt(time.nanos()),
    };
    Ok(begin(plant, from))
}

fn begin(plant: &str, from: Start) -> pb::WatchStart {
    pb::WatchStart {
        plant: name::of_plant(plant),
        from: Some(from),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]
    use super::*;
    use werkbuch_model::time::Timestamp;

    #[test]
    fn a_start_is_for_the_plant_it_names_or_the_only_one_or_all() {
        let two = ["A".to_owned(), "B".to_owned()];
        for (text, plants, plant, position) in [
            ("7", &two[..1], "A", "7"),
            ("B=7", &two, "B", "7"),
            ("1", &two, "-", "1"),
            ("now", &[], "-", "now"),
            ("A=-2h", &two, "A", "-2h"),
            ("cut-07", &two, "-", "cut-07"),
        ] {
            assert_eq!(named(text, plants), (plant, position), "{text}");
        }
        for (plant, place, fits) in [
            ("A", Bound::Position(7), true),
            ("-", Bound::Position(1), true),
            ("-", Bound::Position(7), false),
            ("-", Bound::Time(Timestamp(7)), true),
        ] {
            let start = start(plant, place);
            assert_eq!(start.is_ok(), fits, "{plant} {place:?}");
            let from = start.ok().and_then(|start| start.from);
            match (from, place) {
                (Some(Start::Position(found)), Bound::Position(place)) => assert_eq!(found, place),
                (Some(Start::RecordedAt(found)), Bound::Time(place)) => {
                    assert_eq!(found, place.nanos());
                }
                (None, _) => assert!(!fits),
                other => panic!("{other:?}"),
            }
        }
    }
}
