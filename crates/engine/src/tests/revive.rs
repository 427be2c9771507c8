//! A plant answers as soon as it is back, while another is still being folded from its log.

use super::*;
use crate::EngineError;
use std::time::Duration;

const EVENTS: u64 = 6_000;

/// A folder without snapshots: P has thousands of events, Q next to none.
async fn crashed() -> (Bench, [u8; 32]) {
    let bench = Bench::new().await;
    bench.apply(&PLANT.replace("\"P\"", "\"Q\"")).await;
    let session = bench.open("s", None).await.session;
    for first in (1..=EVENTS).step_by(1_000) {
        let texts: Vec<_> = (first..first + 1_000).map(|n| n.to_string()).collect();
        let events = (first..).zip(&texts);
        let events: Vec<_> = events
            .map(|(n, text)| event(n, i64::try_from(n).unwrap(), item(text)))
            .collect();
        bench.report(session, &events).await;
    }
    let digest = bench.digest().await;
    bench.engine.close().await.unwrap();
    std::fs::remove_dir_all(bench.folder.path().join("snapshots")).unwrap();
    (bench, digest)
}

async fn begin(bench: &mut Bench, recovery_rate: Option<u64>) {
    let options = Options {
        recovery_rate,
        ..options(&bench.folder, &bench.clock, None)
    };
    bench.engine = Engine::begin(options).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn plants_that_are_back_answer_while_another_is_folded() {
    let (mut bench, digest) = crashed().await;
    // So slowly that nobody waits for its end.
    begin(&mut bench, Some(100)).await;
    let [long, short] = ["P", "Q"].map(|id| PlantId::new(id).unwrap());
    while bench.engine.plant(&short).is_err() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let source = OpenSource {
        source: SourceName::new("s").unwrap(),
        kind: SourceKind::Live,
        epoch: None,
        tolerance_ns: None,
        machines: Vec::new(),
    };
    let opened = bench.engine.open_source(&short, source.clone()).await;
    assert_eq!(opened.unwrap().epoch, Epoch(1));
    let refused = bench.engine.open_source(&long, source).await.unwrap_err();
    let EngineError::Recovering {
        plant, last, retry, ..
    } = &refused
    else {
        panic!("{refused}");
    };
    assert!(*plant == long && *last > EVENTS && !retry.is_zero());
    assert!(refused.to_string().contains("% are done"), "{refused}");
    // Its description does not make a second plant of the name.
    let applied = bench.engine.apply(apply(PLANT, false)).await;
    assert!(matches!(applied, Err(EngineError::Recovering { .. })));
    let left = bench.engine.recovering();
    assert_eq!((left.len(), &left[0].plant), (1, &long));
    assert!(left[0].percent < 100 && left[0].done < left[0].last);
    assert_eq!(bench.engine.plants().len(), 1);
    let unknown = bench.engine.plant(&PlantId::new("R").unwrap());
    assert!(matches!(unknown, Err(EngineError::UnknownPlant { .. })));

    // A stop does not wait for it, and the next start has it all.
    bench.engine.close().await.unwrap();
    assert!(bench.engine.recovered().await.is_err());
    begin(&mut bench, None).await;
    bench.engine.recovered().await.unwrap();
    assert_eq!(bench.engine.recovering(), []);
    assert_eq!(bench.digest().await, digest);
    assert_eq!(bench.engine.plants().len(), 2);
    bench.engine.close().await.unwrap();
}
