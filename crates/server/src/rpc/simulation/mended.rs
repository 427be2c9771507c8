//! When somebody was at a machine to mend it, gathered from the events of a window.

use super::span::Machines;
use std::collections::BTreeMap;
use werkbuch_model::event::{Body, MaintenanceKind, Planned, State};
use werkbuch_model::id::MachineNumber;
use werkbuch_sim::whatif::Attended;

/// Who came, as far as events have told.
#[derive(Default)]
pub(super) struct Mended {
    attended: BTreeMap<MachineNumber, Vec<Attended>>,
    /// Work orders that are open: whose, and which of its times.
    orders: BTreeMap<String, (MachineNumber, usize)>,
    acknowledged: BTreeMap<MachineNumber, Vec<i64>>,
}

impl Mended {
    /// Takes in what happened to a machine.
    pub(super) fn take(&mut self, machine: MachineNumber, at_ns: i64, body: &Body<'_>) {
        match body {
            Body::MaintenanceStarted(one)
                if one.maintenance == MaintenanceKind::Corrective
                    && one.planned != Planned::Planned =>
            {
                let attended = self.attended.entry(machine).or_default();
                attended.push(Attended {
                    from_ns: at_ns,
                    to_ns: None,
                });
                let order = one.work_order.to_string();
                self.orders.insert(order, (machine, attended.len() - 1));
            }
            Body::MaintenanceEnded(one) => {
                if let Some((machine, at)) = self.orders.remove(&*one.work_order)
                    && let Some(attended) = self.attended.get_mut(&machine)
                    && let Some(time) = attended.get_mut(at)
                {
                    time.to_ns = Some(at_ns);
                }
            }
            Body::AlarmAcknowledged(_) => {
                self.acknowledged.entry(machine).or_default().push(at_ns);
            }
            _ => {}
        }
    }

    /// Says of each machine when somebody came: by work orders, or where there are none by acknowledgements of what
    /// it was faulted for.
    pub(super) fn finish(mut self, machines: &mut Machines) {
        for (number, record) in machines {
            let orders = self.attended.remove(number).unwrap_or_default();
            let acknowledged = self.acknowledged.remove(number).unwrap_or_default();
            record.attended = match orders.is_empty() {
                false => orders,
                true => {
                    let faulted = |at_ns: &i64| {
                        record.intervals.iter().any(|one| {
                            one.state == State::Faulted && (one.from_ns..one.to_ns).contains(at_ns)
                        })
                    };
                    let times = acknowledged.into_iter().filter(faulted);
                    let times = times.map(|from_ns| Attended {
                        from_ns,
                        to_ns: None,
                    });
                    times.collect()
                }
            };
            record.attended.sort_by_key(|one| one.from_ns);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use werkbuch_model::event::{AlarmAcknowledged, MaintenanceEnded, MaintenanceStarted};
    use werkbuch_sim::whatif::{MachineRecord, Spent};

    #[test]
    fn who_came_is_known_from_orders_or_else_from_acknowledgements() {
        let (one, two) = (MachineNumber(1), MachineNumber(2));
        let mut mended = Mended::default();
        let started = |order: &'static str, kind| {
            Body::MaintenanceStarted(MaintenanceStarted {
                work_order: order.into(),
                maintenance: kind,
                ..MaintenanceStarted::default()
            })
        };
        mended.take(one, 5, &started("w0", MaintenanceKind::Preventive));
        mended.take(one, 10, &started("w1", MaintenanceKind::Corrective));
        mended.take(one, 40, &started("w2", MaintenanceKind::Corrective));
        let ended = MaintenanceEnded {
            work_order: "w1".into(),
            ..MaintenanceEnded::default()
        };
        mended.take(one, 30, &Body::MaintenanceEnded(ended));
        let acknowledged = Body::AlarmAcknowledged(AlarmAcknowledged::default());
        for (machine, at_ns) in [(one, 12), (two, 12), (two, 50)] {
            mended.take(machine, at_ns, &acknowledged);
        }
        let faulted = Spent {
            state: State::Faulted,
            from_ns: 10,
            to_ns: 20,
            is_covered: true,
        };
        let record = MachineRecord {
            intervals: vec![faulted],
            ..MachineRecord::default()
        };
        let mut machines: Machines = [(one, record.clone()), (two, record)].into();
        mended.finish(&mut machines);
        let times = |machine| -> Vec<(i64, Option<i64>)> {
            let record: &MachineRecord = &machines[&machine];
            let attended = record.attended.iter();
            attended.map(|time| (time.from_ns, time.to_ns)).collect()
        };
        assert_eq!(times(one), [(10, Some(30)), (40, None)]);
        assert_eq!(times(two), [(12, None)]);
    }
}
