//! What every store must do, over a store that a factory opens.

use super::*;
use crate::disk::RealDisk;
use werkbuch_record::block::BlockHeader;

/// Opens the same log again and again.
type Factory<'a> = &'a dyn Fn() -> Box<dyn Store>;

type Case = (&'static str, fn(Factory<'_>));

const CASES: &[Case] = &[
    ("blocks come back and stay", blocks_come_back_and_stay),
    ("two plants share a group", two_plants_share_a_group),
    (
        "refusals leave the others alone",
        refusals_leave_the_others_alone,
    ),
    (
        "blocks that contradict the log are invalid",
        blocks_that_contradict_the_log_are_invalid,
    ),
    ("times lead to blocks", times_lead_to_blocks),
    (
        "sample bodies lie beside the log",
        sample_bodies_lie_beside_the_log,
    ),
    (
        "sample bodies expire by the file",
        sample_bodies_expire_by_the_file,
    ),
    ("readers follow the writer", readers_follow_the_writer),
    ("a closed store takes nothing", a_closed_store_takes_nothing),
];

#[test]
fn segments_on_a_simulated_disk_keep_the_contract() {
    for (name, case) in CASES {
        eprintln!("{name}");
        let disk = SimulatedDisk::new();
        case(&|| {
            let opened = Segments::open(Arc::new(disk.clone()), Path::new(DIR), &small_files());
            Box::new(opened.unwrap().0)
        });
    }
}

#[test]
fn segments_on_the_real_disk_keep_the_contract() {
    for (name, case) in CASES {
        eprintln!("{name}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        case(&|| {
            let opened = Segments::open(Arc::new(RealDisk), &path, &small_files());
            Box::new(opened.unwrap().0)
        });
    }
}

#[test]
fn segments_that_are_sealed_at_every_start_keep_the_contract() {
    for (name, case) in CASES {
        eprintln!("{name}");
        let disk = SimulatedDisk::new();
        let options = Options {
            wal_bytes_max: 64,
            ..small_files()
        };
        case(&|| {
            let opened = Segments::open(Arc::new(disk.clone()), Path::new(DIR), &options);
            let (store, _) = opened.unwrap();
            store.seal().unwrap();
            Box::new(store)
        });
    }
}

#[test]
fn sled_keeps_the_contract() {
    for (name, case) in CASES {
        eprintln!("{name}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        case(&|| {
            let opened = Sled::open(Arc::new(RealDisk), &path, &small_files(), false);
            Box::new(opened.unwrap().0)
        });
    }
}

fn blocks_come_back_and_stay(open: Factory<'_>) {
    let mut plant = Plant::new("PLT-07");
    for round in 0..6 {
        let store = open();
        assert_eq!(check_served(&*store, &plant, plant.last()), plant.last());
        for count in 1..5 {
            let outcomes = store.commit(vec![plant.proposal(count)]).unwrap();
            let [Outcome::Committed { last, .. }] = outcomes[..] else {
                panic!("{outcomes:?}");
            };
            assert_eq!(last.0, plant.last());
        }
        check_served(&*store, &plant, plant.last());
        if round % 2 == 0 {
            store.close().unwrap();
        }
        drop(store);
        assert_eq!(open().ends()[0].closed, round % 2 == 0);
    }
    let store = open();
    for from in 0..=plant.last() + 1 {
        let mut blocks = store.read(&plant.id, Position(from)).unwrap();
        let first = blocks.next().map(|block| block.unwrap().header);
        let holds =
            |header: &BlockHeader| header.first.0 <= from.max(1) && from.max(1) <= header.last().0;
        assert_eq!(
            first.as_ref().is_some_and(holds),
            from <= plant.last(),
            "{from}"
        );
    }
    let unknown = PlantId::new("other").unwrap();
    assert!(matches!(
        store.read(&unknown, Position(1)),
        Err(StoreError::UnknownPlant { .. })
    ));
}

fn two_plants_share_a_group(open: Factory<'_>) {
    let (mut a, mut b) = (Plant::new("a"), Plant::new("bb"));
    let store = open();
    let group = vec![a.proposal(2), b.proposal(1), a.proposal(3)];
    let outcomes = store.commit(group).unwrap();
    let group = 1;
    let expected = [2, 1, 5].map(|last| Outcome::Committed {
        group,
        last: Position(last),
    });
    assert_eq!(outcomes, expected);
    drop(store);
    let store = open();
    check_served(&*store, &a, 5);
    check_served(&*store, &b, 1);
}

fn refusals_leave_the_others_alone(open: Factory<'_>) {
    let (mut a, mut b) = (Plant::new("a"), Plant::new("bb"));
    let store = open();
    a.epoch = WriterEpoch(4);
    assert!(committed(
        &store.commit(vec![a.proposal(2), b.proposal(2)]).unwrap()
    ));
    let bad = |change: fn(&mut Plant, &mut Proposal)| {
        let mut writer = a.clone();
        let mut proposal = writer.clone().proposal(1);
        change(&mut writer, &mut proposal);
        proposal
    };
    let group = vec![
        bad(|w, p| {
            w.epoch = WriterEpoch(3);
            *p = w.proposal(1);
        }),
        bad(|w, p| {
            w.proposal(1);
            *p = w.proposal(1);
        }),
        bad(|w, p| {
            w.tree = CompactRange::new();
            *p = w.proposal(1);
        }),
        bad(|w, p| {
            w.log_id = LogId([99; 16]);
            *p = w.proposal(1);
        }),
        bad(|w, p| *p = w.proposal(0)),
        bad(|w, p| p.tree = w.tree.clone()),
        bad(|_, p| p.bodies = vec![(sha256(b"x"), Bytes::from_static(b"y"))]),
        b.proposal(1),
    ];
    let outcomes = store.commit(group).unwrap();
    let last = Position(2);
    assert_eq!(
        outcomes[0],
        Outcome::Fenced {
            epoch: WriterEpoch(4)
        }
    );
    assert_eq!(outcomes[1..3], [Outcome::WrongPosition { last }; 2]);
    assert!(
        outcomes[3..7]
            .iter()
            .all(|o| matches!(o, Outcome::Invalid { .. })),
        "{outcomes:?}"
    );
    assert_eq!(
        outcomes[7],
        Outcome::Committed {
            group: 2,
            last: Position(3)
        }
    );
    // The old epoch is fenced after a restart too.
    drop(store);
    let store = open();
    assert_eq!(check_served(&*store, &a, 2), 2);
    assert_eq!(check_served(&*store, &b, 3), 3);
    a.epoch = WriterEpoch(3);
    let outcomes = store.commit(vec![a.proposal(1)]).unwrap();
    assert_eq!(
        outcomes,
        [Outcome::Fenced {
            epoch: WriterEpoch(4)
        }]
    );
}

fn blocks_that_contradict_the_log_are_invalid(open: Factory<'_>) {
    let mut a = Plant::new("a");
    let store = open();
    store.commit(vec![a.proposal(2)]).unwrap();
    // A root from nowhere, and a block recorded before the last one.
    let mut root = a.clone();
    root.tree = CompactRange::new();
    root.tree.append(leaf_hash(b"other"));
    root.tree.append(leaf_hash(b"events"));
    let mut early = BlockBuilder::new(
        a.log_id,
        a.id.clone(),
        a.epoch,
        Position(3),
        *a.tree.root().as_bytes(),
    );
    let (at, none) = (Timestamp(20), (SourceNumber(0), Sequence(0)));
    early.push(b"early", at, at, none.0, none.1).unwrap();
    let mut tree = a.tree.clone();
    tree.append(leaf_hash(b"early"));
    for proposal in [root.proposal(1), Proposal::new(early.finish(), tree)] {
        let outcomes = store.commit(vec![proposal]).unwrap();
        assert!(
            matches!(outcomes[..], [Outcome::Invalid { .. }]),
            "{outcomes:?}"
        );
    }
    check_served(&*store, &a, 2);
}

fn times_lead_to_blocks(open: Factory<'_>) {
    let mut plant = Plant::new("a");
    let store = open();
    for count in [3, 1, 4] {
        store.commit(vec![plant.proposal(count)]).unwrap();
    }
    drop(store);
    let store = open();
    let at = |time| store.block_at(&plant.id, Timestamp(time)).unwrap();
    assert_eq!(at(9), None);
    for time in 10..90 {
        // The event at position p is recorded at p * 10. A store may join blocks.
        let bounds = at(time).unwrap();
        let recorded_by = (time / 10).min(8) as u64;
        assert!(
            bounds.first.0 <= recorded_by && recorded_by <= bounds.last.0,
            "{time}: {bounds:?}"
        );
        let [first, last] = [bounds.first.0, bounds.last.0].map(|p| p as i64 * 10);
        assert_eq!(
            (bounds.recorded_min, bounds.recorded_max),
            (Timestamp(first), Timestamp(last))
        );
        assert_eq!(
            (bounds.effective_min, bounds.effective_max),
            (Timestamp(first - 3), Timestamp(last - 3))
        );
    }
    assert_eq!(at(1_000_000).unwrap().last, Position(8));
}

fn sample_bodies_lie_beside_the_log(open: Factory<'_>) {
    let mut plant = Plant::new("a");
    let store = open();
    let bodies = [plant.body(1), plant.body(2)];
    for (position, (hash, body)) in (1..).zip(&bodies) {
        assert!(!plant.has_body(&*store, position).unwrap());
        let mut proposal = plant.proposal(1);
        proposal.bodies = vec![(*hash, body.clone()), (*hash, body.clone())];
        assert!(committed(&store.commit(vec![proposal]).unwrap()));
    }
    let check = |store: Box<dyn Store>| {
        for position in [1, 2] {
            assert!(plant.has_body(&*store, position).unwrap());
        }
        let other = store.body(&plant.id, sha256(b""), recorded_at(2)).unwrap();
        assert!(matches!(other, FoundBody::Lost(_)), "{other:?}");
    };
    check(store);
    check(open());
}

fn sample_bodies_expire_by_the_file(open: Factory<'_>) {
    let (mut plant, other) = (Plant::new("a"), Plant::new("bb"));
    let mut store = open();
    // Files of 200 ns, that is of 20 positions; and one event a day later that has no body.
    for position in 1..=50 {
        let mut proposal = plant.proposal(1);
        proposal.bodies = vec![plant.body(position)];
        assert!(committed(&store.commit(vec![proposal]).unwrap()));
    }
    let kept = |store: &dyn Store| -> Vec<u64> {
        (1..=50)
            .filter(|at| plant.has_body(store, *at).unwrap())
            .collect()
    };
    let lifetime = 1_000;
    let expire = |store: &dyn Store, now| {
        let end = store.seal_bodies(&plant.id, Timestamp(now)).unwrap();
        let deleted = store.expire_bodies(&plant.id, lifetime, Timestamp(now));
        (end, deleted.unwrap().files)
    };
    let end = Some(Timestamp(201));
    assert_eq!(expire(&*store, 1_200), (end, 0));
    assert_eq!(kept(&*store).len(), 50);
    assert_eq!(
        store.seal_bodies(&other.id, Timestamp(1_200)).unwrap(),
        None
    );
    let before = store.bytes().unwrap();
    assert_eq!(expire(&*store, 1_201), (end, 1));
    assert!(store.bytes().unwrap() < before);
    for _ in 0..2 {
        assert_eq!(kept(&*store), (21..=50).collect::<Vec<_>>());
        let lifetime_ns = lifetime;
        let gone = plant.find_body(&*store, 20).unwrap();
        assert_eq!(gone, FoundBody::Expired { lifetime_ns });
        drop(store);
        store = open();
    }
    // The last file ends as well, though nothing more comes for it.
    assert_eq!(expire(&*store, 1_501), (Some(Timestamp(401)), 2));
    assert_eq!(kept(&*store), [0; 0]);
    assert_eq!(check_served(&*store, &plant, 50), 50);
    let mut again = plant.proposal(1);
    again.bodies = vec![plant.body(51)];
    assert!(committed(&store.commit(vec![again]).unwrap()));
    drop(store);
    assert!(plant.has_body(&*open(), 51).unwrap());
}

fn readers_follow_the_writer(open: Factory<'_>) {
    let mut plant = Plant::new("a");
    let store = open();
    store.commit(vec![plant.proposal(2)]).unwrap();
    let mut blocks = store.read(&plant.id, Position(2)).unwrap();
    assert_eq!(blocks.next().unwrap().unwrap().header.first, Position(1));
    store.commit(vec![plant.proposal(1)]).unwrap();
    assert_eq!(blocks.next().unwrap().unwrap().header.first, Position(3));
    assert!(blocks.next().is_none());
}

fn a_closed_store_takes_nothing(open: Factory<'_>) {
    let mut plant = Plant::new("a");
    let store = open();
    store.close().unwrap();
    store.close().unwrap();
    drop(store);
    let store = open();
    store.commit(vec![plant.proposal(2)]).unwrap();
    store.close().unwrap();
    store.close().unwrap();
    let refused = store.commit(vec![plant.clone().proposal(1)]);
    assert!(matches!(refused, Err(StoreError::Closed { .. })));
    check_served(&*store, &plant, 2);
    // Closing gives the folder free, though the store is still there to read.
    let next = open();
    assert!(committed(&next.commit(vec![plant.proposal(1)]).unwrap()));
    assert!(!next.ends()[0].closed);
}
