//! A start is the newest good snapshot and the rest of the log; snapshots can go at any time.

use super::*;
use crate::{ReplayTo, Verdict};
use werkbuch_twin::Twin;

async fn filled() -> Bench {
    let bench = Bench::new().await;
    let session = bench.open("s", None).await.session;
    for n in 0..50_u64 {
        let to = if n % 2 == 0 {
            State::Executing
        } else {
            State::Idle
        };
        let n = i64::try_from(n).unwrap();
        let events = [
            event(n as u64 * 3 + 1, n, state(to)),
            event(n as u64 * 3 + 2, n, item("a")),
            Reported {
                machine: MachineNumber(2),
                ..event(n as u64 * 3 + 3, n, item("b"))
            },
        ];
        bench.report(session, &events).await;
    }
    bench
}

fn snapshots(bench: &Bench) -> Vec<std::path::PathBuf> {
    let folder = bench.folder.path().join("snapshots/P");
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    found.sort();
    found
}

fn check_replay(bench: &Bench) -> usize {
    let replay = bench
        .plant()
        .replay(ReplayTo::End, true, &mut |_, _| {})
        .unwrap();
    for comparison in &replay.comparisons {
        assert_eq!(comparison.verdict, Verdict::Equal, "{comparison:?}");
    }
    assert_eq!(replay.position, bench.plant().position());
    replay.comparisons.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_twin_comes_back() {
    let bench = filled().await;
    let digest = bench.digest().await;
    let bench = bench.reopen().await;
    assert_eq!(bench.digest().await, digest);
    assert_eq!(snapshots(&bench).len(), 1);
    assert!(
        check_replay(&bench) >= 4,
        "live twin, root, recorded digest and snapshot"
    );
    let opened = bench.open("s", Some(1)).await;
    assert_eq!(opened.next_sequence, Sequence(151));
    assert!(
        bench
            .report(opened.session, &[event(1, 0, state(State::Executing))])
            .await[0]
            .contains("repeated at 5")
    );
    let kinds = bench.last_kinds(2);
    assert_eq!(kinds, ["DIGEST_RECORDED", "WRITER_OPENED"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_and_deleted_snapshots_never_harm_a_start() {
    let bench = filled().await.reopen().await;
    let digest = bench.digest().await;
    bench.engine.close().await.unwrap();
    let path = snapshots(&bench).pop().unwrap();
    let whole = std::fs::read(&path).unwrap();
    let step = (whole.len() / 40).max(1);
    let mut damages: Vec<Vec<u8>> = Vec::new();
    for at in (0..whole.len()).step_by(step) {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x10;
        damages.push(flipped);
        damages.push(whole[..at].to_vec());
    }
    for damage in damages {
        for entry in std::fs::read_dir(path.parent().unwrap()).unwrap() {
            std::fs::remove_file(entry.unwrap().path()).unwrap();
        }
        std::fs::write(&path, &damage).unwrap();
        let engine = Engine::open(options(&bench.folder, &bench.clock, None))
            .await
            .unwrap();
        let plant = engine.plant(&PlantId::new("P").unwrap()).unwrap();
        let asked = plant
            .ask(werkbuch_model::instant::Instant::NOW, Twin::digest)
            .await
            .unwrap();
        assert_eq!(asked.0, digest);
        engine.close().await.unwrap();
    }
    std::fs::remove_dir_all(bench.folder.path().join("snapshots")).unwrap();
    let engine = Engine::open(options(&bench.folder, &bench.clock, None))
        .await
        .unwrap();
    let plant = engine.plant(&PlantId::new("P").unwrap()).unwrap();
    let asked = plant
        .ask(werkbuch_model::instant::Instant::NOW, Twin::digest)
        .await
        .unwrap();
    assert_eq!(asked.0, digest);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_offline_needs_a_folder_that_nobody_holds() {
    let bench = filled().await;
    let plant = bench.plant().id().clone();
    let data = bench.folder.path().to_owned();
    let held = crate::replay_folder(&data, &plant, ReplayTo::End, true, &mut |_, _| {});
    assert!(
        held.unwrap_err()
            .to_string()
            .contains("held by another process")
    );
    let digest = bench.digest().await;
    bench.engine.close().await.unwrap();
    let replay = crate::replay_folder(&data, &plant, ReplayTo::End, true, &mut |_, _| {}).unwrap();
    assert_eq!(replay.digest, digest);
    assert!(
        replay
            .comparisons
            .iter()
            .all(|c| c.verdict == Verdict::Equal),
        "{:?}",
        replay.comparisons
    );
    assert!(replay.comparisons.len() >= 3);
    let other = PlantId::new("Q").unwrap();
    assert!(crate::replay_folder(&data, &other, ReplayTo::End, true, &mut |_, _| {}).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_description_of_many_parts_takes_effect_at_once() {
    use std::fmt::Write;
    let bench = Bench::new().await;
    let mut text = String::from("[plant]\nid = \"P\"\n");
    for n in 1..=2_000 {
        write!(
            text,
            "[[machine]]\nid = \"m{n}\"\nname = \"machine number {n} of the hall\"\n"
        )
        .unwrap();
    }
    let dry = bench.engine.apply(apply(&text, true)).await.unwrap();
    assert!(!dry.recorded && !dry.created && dry.changes.len() >= 2_000);
    let before = bench.plant().position();
    assert_eq!(dry.position, Position(0));
    let applied = bench.apply(&text).await;
    assert!(applied.recorded && applied.revision == 2 && applied.position > before.next().next());
    let again = bench.apply(&text).await;
    assert!(!again.recorded && again.changes.is_empty());
    let bench = bench.reopen().await;
    let plant = bench.plant();
    let count = plant.ask(werkbuch_model::instant::Instant::NOW, |twin| {
        twin.description().machines().count()
    });
    assert_eq!(count.await.unwrap().0, 2_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshots_come_while_events_do() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::default());
    clock.pass(MORNING.nanos());
    let mut options = options(&folder, &clock, None);
    options.snapshot_every = 100;
    let engine = Engine::open(options).await.unwrap();
    let bench = Bench {
        folder,
        clock,
        engine,
        disk: None,
    };
    bench.apply(PLANT).await;
    let session = bench.open("s", None).await.session;
    for n in 0..10_u64 {
        let events: Vec<_> = (1..=50).map(|k| event(n * 50 + k, 0, item("x"))).collect();
        bench.report(session, &events).await;
    }
    let digests = bench.each(|e| e.reported.body.kind().name() == "DIGEST_RECORDED");
    assert!(digests.into_iter().filter(|is| *is).count() >= 3);
    let bench = bench.reopen().await;
    assert_eq!(snapshots(&bench).len(), 2, "older ones are removed");
    check_replay(&bench);
}
