//! The power-cut test: whatever was acknowledged is there afterwards, and nothing else is served.

use super::*;
use crate::disk::FaultKind;

const SEEDS: u64 = 1_000;

#[derive(Debug)]
struct Works {
    plants: Vec<Plant>,
    /// Per plant, the last position that was acknowledged.
    acknowledged: Vec<u64>,
    /// Per plant, the last position whose sample body was acknowledged.
    bodies: Vec<Vec<u64>>,
    /// How many files were sealed.
    sealed: u64,
    /// How many torn ends there were.
    cuts: usize,
    chance: u64,
}

impl Works {
    fn new(seed: u64) -> Self {
        let plants = ["a", "bb", "ccc"].map(Plant::new).to_vec();
        Self {
            acknowledged: vec![0; plants.len()],
            bodies: vec![Vec::new(); plants.len()],
            plants,
            sealed: 0,
            cuts: 0,
            chance: seed,
        }
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.chance = self
            .chance
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.chance >> 33) % limit
    }

    /// Opens, commits groups, sometimes closes, until something fails or the rounds are over.
    fn run(&mut self, disk: &SimulatedDisk, rounds: u64) -> Result<(), StoreError> {
        let mut store = self.open(disk)?;
        for _ in 0..rounds {
            if self.below(8) == 0 {
                if self.below(2) == 0 {
                    store.close()?;
                }
                drop(store);
                store = self.open(disk)?;
            }
            self.group(&store)?;
            if self.below(9) == 0 {
                self.sealed += store.seal()?;
            }
        }
        Ok(())
    }

    fn open(&mut self, disk: &SimulatedDisk) -> Result<Segments, StoreError> {
        let disk = Arc::new(disk.clone());
        let (store, report) = Segments::open(disk, Path::new(DIR), &small_files())?;
        self.cuts += report.cuts.len();
        self.check(&store)?;
        Ok(store)
    }

    fn group(&mut self, store: &dyn Store) -> Result<(), StoreError> {
        let mut plants = self.plants.clone();
        let mut group = Vec::new();
        let mut named = Vec::new();
        for _ in 0..1 + self.below(4) {
            let at = self.below(plants.len() as u64) as usize;
            let mut proposal = plants[at].proposal(1 + self.below(4));
            if self.below(4) == 0 {
                let position = plants[at].last();
                proposal.bodies = vec![plants[at].body(position)];
                named.push((at, position));
            }
            group.push(proposal);
        }
        if !committed(&store.commit(group)?) {
            return Ok(());
        }
        self.acknowledged = plants.iter().map(Plant::last).collect();
        self.plants = plants;
        for (at, position) in named {
            self.bodies[at].push(position);
        }
        Ok(())
    }

    /// Everything acknowledged is served, and the plants go on from what is there.
    fn check(&mut self, store: &dyn Store) -> Result<(), StoreError> {
        for (at, plant) in self.plants.iter_mut().enumerate() {
            let last = try_served(store, plant, self.acknowledged[at])?;
            self.acknowledged[at] = last;
            for position in &self.bodies[at] {
                assert!(plant.has_body(store, *position)?, "{} {position}", plant.id);
            }
            plant.resume(store);
        }
        Ok(())
    }
}

#[test]
fn what_was_acknowledged_survives_every_power_cut() {
    let (mut cuts, mut kept_behind_tears, mut sealed) = (0, 0, 0);
    for seed in 0..SEEDS {
        let mut works = Works::new(seed);
        let mut disk = SimulatedDisk::new();
        // Power goes again and again, also while the log is being recovered.
        for life in 0..4 {
            let nth = 1 + works.below(if life == 0 { 60 } else { 25 });
            disk.fail(FaultKind::Power, nth);
            let run = works.run(&disk, 30);
            let failed = matches!(
                run,
                Ok(()) | Err(StoreError::Io { .. } | StoreError::Stopped { .. })
            );
            assert!(failed, "seed {seed} life {life}: {run:?}");
            disk = disk.crash(seed * 10 + life);
        }
        works
            .run(&disk, 3)
            .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        kept_behind_tears += usize::from(has_void(&disk));
        cuts += works.cuts;
        sealed += works.sealed;
    }
    // The test must reach what it is about.
    eprintln!("{cuts} cuts, {kept_behind_tears} kept behind tears, {sealed} files sealed");
    assert!(sealed > 100, "{sealed} files sealed");
    assert!(cuts > 50, "{cuts} cuts");
    assert!(
        kept_behind_tears > 10,
        "{kept_behind_tears} kept behind tears"
    );
}

fn has_void(disk: &SimulatedDisk) -> bool {
    (1..99)
        .map_while(|generation| {
            disk.bytes(&Path::new(DIR).join(format!("log/wal-{generation:010}.log")))
        })
        .any(|bytes| bytes.windows(4).any(|window| window == b"WVOI"))
}
