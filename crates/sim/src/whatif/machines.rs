//! How machines fail and are repaired, and how long set-ups take, out of what was recorded.

use super::evidence::{Evidence, Way, evidence};
use super::fork::{Fitted, Part, VALUES_MAX, last};
use super::model::Model;
use super::recorded::{MachineRecord, PlantRecord, Spent};
use super::setups;
use crate::factory::Failed;
use crate::fit::{OWN_VALUES_MIN, Observation, fit_pooled, fit_repairs};
use crate::layout::Layout;
use std::sync::Arc;
use werkbuch_model::event::State;

/// What is known of all machines, and of those of other plants.
pub(super) struct Known {
    /// By machine.
    pub(super) here: Vec<Evidence>,
    /// Of other plants, with what sort of machine it is.
    elsewhere: Vec<(String, Evidence)>,
    /// Whether the log says when somebody came to mend a machine.
    pub(super) says_who_came: bool,
}

/// The two ways in which machines fail: parts of the fit, and how the review sheet goes on about them.
const WAYS: [(Part, Part); 2] = [
    (Part::Up, Part::Repair),
    (Part::UpAttended, Part::RepairAttended),
];

impl Known {
    pub(super) fn of(layout: &Layout, recorded: &PlantRecord) -> Self {
        let says_who_came = recorded.machines.iter().any(|one| !one.attended.is_empty());
        let reactions: Vec<f64> = (0..layout.crews.len())
            .map(|crew| reaction_s(layout, crew, recorded))
            .collect();
        let here = layout.machines.iter().map(|machine| {
            let Some(record) = recorded.machine(&machine.id) else {
                return Evidence::default();
            };
            let reaction = machine.crew.and_then(|crew| reactions.get(crew).copied());
            let mut found = evidence(record, reaction.filter(|_| says_who_came));
            found.setups = setups::recorded(record, layout);
            found
        });
        let others = recorded.others.iter().map(|other| {
            let splits = says_who_came && !other.record.attended.is_empty();
            let mut found = evidence(&other.record, splits.then_some(0.0));
            found.cycles.clear();
            found.setups = setups::recorded(&other.record, layout);
            (other.sort.clone(), found)
        });
        Self {
            here: here.collect(),
            elsewhere: others.collect(),
            says_who_came,
        }
    }

    /// The values of all machines of a machine's type, and whether those of other plants are among them: they are
    /// where this plant has too few.
    pub(super) fn pool(
        &self,
        layout: &Layout,
        at: usize,
        of: &dyn Fn(&Evidence) -> Vec<Observation>,
    ) -> (Vec<Observation>, bool) {
        let sort = layout.machines.get(at).map(|one| one.sort.as_str());
        // What is of no type is like nothing else.
        let sort = sort.filter(|sort| !sort.is_empty());
        let alike = layout.machines.iter().zip(&self.here).enumerate();
        let alike = alike
            .filter(|(other, (one, _))| *other == at || Some(one.sort.as_str()) == sort)
            .map(|(_, alike)| alike);
        let values = alike.flat_map(|(_, one)| last(&of(one)).to_vec());
        let mut pool: Vec<Observation> = values.take(VALUES_MAX).collect();
        if exact(&pool) >= OWN_VALUES_MIN {
            return (pool, false);
        }
        let others = self.elsewhere.iter();
        let others = others.filter(|(one, _)| Some(one.as_str()) == sort);
        let before = pool.len();
        pool.extend(
            others
                .flat_map(|(_, one)| last(&of(one)).to_vec())
                .take(VALUES_MAX),
        );
        let is_more = pool.len() > before;
        (pool, is_more)
    }
}

fn exact(values: &[Observation]) -> usize {
    values.iter().filter(|one| !one.is_censored).count()
}

/// How long it takes on average until somebody of a crew comes where somebody is free, in seconds.
fn reaction_s(layout: &Layout, crew: usize, recorded: &PlantRecord) -> f64 {
    let machines = layout.machines.iter().filter(|one| one.crew == Some(crew));
    let records: Vec<&MachineRecord> = machines
        .filter_map(|one| recorded.machine(&one.id))
        .collect();
    let size = layout.crews.get(crew).map_or(1, |one| one.size as usize);
    let faults = |record: &'_ MachineRecord| -> Vec<(i64, i64, i64)> {
        let faults = record.intervals.iter();
        let faults = faults.filter(|one| one.state == State::Faulted && one.is_covered);
        let came = |one: &Spent| Some((one.from_ns, record.came_within(one)?, one.to_ns));
        faults.filter_map(came).collect()
    };
    let all: Vec<(i64, i64, i64)> = records.into_iter().flat_map(faults).collect();
    let busy = |at_ns: i64| {
        let at_work = all
            .iter()
            .filter(|(_, came, end)| *came < at_ns && at_ns < *end);
        at_work.count()
    };
    let free = all.iter().filter(|(from, ..)| busy(*from) < size);
    let waits: Vec<f64> = free
        .map(|(from, came, _)| (came - from) as f64 / 1e9)
        .collect();
    match waits.len() {
        0 => 0.0,
        count => waits.iter().sum::<f64>() / count as f64,
    }
}

impl Model {
    /// Fits what is known of a machine.
    pub(super) fn fit_machine(
        &mut self,
        at: usize,
        record: &MachineRecord,
        known: &Known,
        sheet: &mut Vec<Fitted>,
    ) {
        let layout = Arc::clone(&self.layout);
        let (Some(machine), Some(own)) = (layout.machines.get(at), known.here.get(at)) else {
            return;
        };
        let name = machine.id.as_str();
        let is_station = layout.stations.iter().any(|one| one.machine == at);
        if is_station {
            // What another plant makes says nothing of these cycles: the others have none.
            let (pool, _) = known.pool(&layout, at, &|one| one.cycles.clone());
            self.fit_cycle(at, own, &pool, sheet);
            self.fit_setups((at, name), own, known, sheet);
        }
        let mut fails = false;
        for way in 0..WAYS.len() {
            fails |= self.fit_way((at, name), way, known, sheet);
        }
        if is_station && !fails {
            let worked = own.ways.first().map_or(0.0, worked_s);
            self.assumptions.push(format!(
                "{name} never failed in {:.1} h of work that were recorded, nor did any of its type: it does not fail",
                (worked / 3_600.0).max(0.0)
            ));
        }
        self.count_parts(at, record);
    }

    /// Fits a way in which a machine fails; false where neither it nor any of its type did so in the window.
    fn fit_way(
        &mut self,
        (at, name): (usize, &str),
        way: usize,
        known: &Known,
        sheet: &mut Vec<Fitted>,
    ) -> bool {
        let layout = Arc::clone(&self.layout);
        let of = |one: &Evidence| one.ways.get(way).cloned().unwrap_or_default();
        let (Some(own), Some((up, repair))) = (known.here.get(at).map(of), WAYS.get(way)) else {
            return false;
        };
        let (up_pool, ups_of_others) = known.pool(&layout, at, &|one| of(one).ups);
        if exact(&up_pool) == 0 {
            return false;
        }
        let (repair_pool, repairs_of_others) = known.pool(&layout, at, &|one| of(one).repairs);
        let ups = fit_pooled(last(&own.ups), &up_pool);
        let repairs = match exact(&own.repairs) >= OWN_VALUES_MIN {
            true => fit_repairs(last(&own.repairs)),
            false => fit_pooled(last(&own.repairs), &repair_pool),
        };
        let (Ok(ups), Ok(repairs)) = (ups, repairs) else {
            return false;
        };
        self.use_fit((at, name), *up, &own.ups, ups, sheet);
        say_others(sheet, ups_of_others);
        self.use_fit((at, name), *repair, &own.repairs, repairs, sheet);
        say_others(sheet, repairs_of_others);
        true
    }

    /// Lets machines stand as they stood at the instant: those that somebody is at first, in the order in which they
    /// were come to, so that who else waits does so for these people.
    pub(super) fn stand_as(&mut self, recorded: &PlantRecord, known: &Known) {
        let layout = Arc::clone(&self.layout);
        let ages = known.here.iter().map(|one| {
            let [first, second] = one.ways.each_ref().map(|way| way.age_ns);
            [first, second, 0]
        });
        self.start.ages_ns = ages.collect();
        let stand = layout
            .machines
            .iter()
            .enumerate()
            .filter_map(|(at, machine)| {
                let record = recorded.machine(&machine.id)?;
                let now = record.intervals.last()?;
                let is_split = known.says_who_came && machine.crew.is_some();
                let came = record.came_within(now).filter(|_| is_split);
                let spent_ns =
                    |since_ns: i64| u64::try_from(recorded.at_ns - since_ns).unwrap_or(0);
                let short = known.here.get(at)?.ways.first()?.repairs.iter();
                let longest = short.filter(|one| !one.is_censored).map(|one| one.seconds);
                let longest_ns = longest.fold(0.0, f64::max) * 1e9;
                let stood_ns = spent_ns(now.from_ns);
                // Who has stood for longer than anybody did without help waits for it.
                let (way, spent_ns) = match came {
                    Some(came_ns) => (1, spent_ns(came_ns)),
                    None if is_split && stood_ns as f64 > longest_ns => (1, 0),
                    None => (0, stood_ns),
                };
                let failed = Failed {
                    machine: at,
                    way,
                    spent_ns,
                };
                let stands = now.is_covered && now.state == State::Faulted;
                stands.then_some((came.unwrap_or(i64::MAX), failed))
            });
        let mut stand: Vec<(i64, Failed)> = stand.collect();
        stand.sort_by_key(|(came_ns, _)| *came_ns);
        self.start.failed = stand.into_iter().map(|(_, failed)| failed).collect();
    }

    fn count_parts(&mut self, at: usize, record: &MachineRecord) {
        let made: u64 = record.parts.iter().sum();
        if let Some(truth) = Arc::make_mut(&mut self.truth)
            .machines
            .get_mut(at)
            .filter(|_| made > 0)
        {
            let share = |of: u64| of as f64 / made as f64;
            truth.scrap = share(record.parts[2]);
            if record.parts[1] > 0 {
                truth.rework = share(record.parts[1]);
            }
        }
    }
}

fn worked_s(way: &Way) -> f64 {
    way.ups.iter().map(|one| one.seconds).sum()
}

/// The last row says where its values come from, if they are pooled with those of other plants.
pub(super) fn say_others(sheet: &mut [Fitted], of_others: bool) {
    let row = sheet.last_mut().filter(|_| of_others);
    if let Some(row) = row.filter(|row| row.basis.starts_with("pooled with machines of its type")) {
        row.basis = row.basis.replacen(
            "machines of its type",
            "machines of its type, those of other plants among them",
            1,
        );
    }
}
