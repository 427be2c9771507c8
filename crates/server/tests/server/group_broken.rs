//! A group of which one plant cannot be read: it is named, and the others answer.

use crate::group::{at, list, report, said, serve_three};
use crate::harness::{Served, reason};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use werkbuch_model::event::{Body, ItemChanged};
use werkbuch_wire::pb;
use werkbuch_wire::reason::Reason;

const TEXT: &str = "stands nowhere but in the log of plant b";

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => files(&entry.path(), found),
            false => found.push(entry.path()),
        }
    }
}

/// Turns a bit of the text, wherever it is stored.
fn damage(folder: &Path) {
    let mut all = Vec::new();
    files(folder, &mut all);
    let mut damaged = 0;
    for path in all {
        let mut file = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        let mut windows = bytes.windows(TEXT.len());
        if let Some(place) = windows.position(|window| window == TEXT.as_bytes()) {
            file.seek(SeekFrom::Start(place as u64)).unwrap();
            file.write_all(&[bytes[place] ^ 1]).unwrap();
            damaged += 1;
        }
    }
    assert_eq!(damaged, 1, "the text stands in one file");
}

/// What each question of all plants says of where they stood.
async fn cuts(served: &Served, instant: &pb::Instant) -> Vec<(&'static str, pb::Cut)> {
    let mut twin = served.twin().await;
    const ALL: &str = "tenants/default/plants/-";
    let listed = twin.list_machines(list(Some(instant.clone()))).await;
    let counted = pb::CountMachinesRequest {
        parent: ALL.into(),
        instant: Some(instant.clone()),
        ..Default::default()
    };
    let counted = twin.count_machines(counted).await;
    let figures = pb::AggregateMachinesRequest {
        parent: ALL.into(),
        measures: vec![pb::Measure {
            function: pb::AggregateFunction::Count.into(),
            field: String::new(),
        }],
        instant: Some(instant.clone()),
        ..Default::default()
    };
    let figures = twin.aggregate_machines(figures).await;
    let differs = pb::DiffMachinesRequest {
        parent: ALL.into(),
        from: Some(instant.clone()),
        ..Default::default()
    };
    let differs = twin.diff_machines(differs).await;
    vec![
        ("list", listed.unwrap().into_inner().cut.unwrap()),
        ("count", counted.unwrap().into_inner().cut.unwrap()),
        ("aggregate", figures.unwrap().into_inner().cut.unwrap()),
        ("diff", differs.unwrap().into_inner().from.unwrap()),
    ]
}

#[tokio::test]
async fn a_plant_whose_log_cannot_be_read_is_named_and_the_others_answer() {
    let served = serve_three().await;
    let text = Body::ItemChanged(ItemChanged {
        item: "note".into(),
        text: Some(TEXT.into()),
    });
    report(&served, "b", "notes", vec![said(1, 1, 60, text)]).await;
    let past = at("2025-10-24T12:00:05Z");
    for (name, cut) in cuts(&served, &past).await {
        assert_eq!((cut.plants.len(), cut.absent.len()), (3, 0), "{name}");
    }
    damage(served.folder.path());
    // Another instant: one that was asked for may be in memory still.
    let past = at("2025-10-24T12:00:06Z");
    for (name, cut) in cuts(&served, &past).await {
        let there: Vec<_> = cut.plants.iter().map(|one| one.plant.as_str()).collect();
        let others = ["tenants/default/plants/a", "tenants/default/plants/c"];
        assert_eq!((there, cut.plants_total), (others.to_vec(), 3), "{name}");
        let absent = &cut.absent[0];
        assert_eq!(absent.plant, "tenants/default/plants/b", "{name}");
        assert_eq!(absent.kind(), pb::AbsenceKind::Failed, "{name}");
        assert!(!absent.because.is_empty(), "{name}");
        // Given back it is the same: what could not be read then is not in it now.
        let again = pb::Instant {
            known: Some(pb::instant::Known::KnownText(cut.token.clone())),
            ..Default::default()
        };
        let listed = served.twin().await.list_machines(list(Some(again))).await;
        let found = listed.unwrap().into_inner().cut.unwrap();
        assert_eq!(found, cut, "{name}");
    }
    // Of the plant alone it is an error, and the present stands in memory.
    let alone = pb::ListMachinesRequest {
        parent: "tenants/default/plants/b".into(),
        instant: Some(past),
        ..Default::default()
    };
    let status = served.twin().await.list_machines(alone).await.unwrap_err();
    assert_ne!(reason(&status), Reason::InvalidInstant, "{status}");
    let now = served.twin().await.list_machines(list(None)).await.unwrap();
    assert_eq!(now.into_inner().cut.unwrap().plants.len(), 3);
    // It cannot close in good order over a log that is damaged.
    let (task, _folder) = served.tell();
    let _ = task.await.unwrap();
}
