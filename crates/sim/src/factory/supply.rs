//! What work needs beside its part: material at the line, carriers, and people who can be called.

use super::fact::{Fact, Part, PartIndex};
use super::start::beyond;
use super::{Due, FREES, Factory};
use crate::kernel::{Distribution, Purpose, Stream, Streams};
use crate::truth::FeedTruth;

/// A line-side stock as it is.
#[derive(Clone, Debug)]
pub(super) struct FeedState {
    pub(super) stock: u32,
    /// The delivery that is on its way.
    coming: Option<u32>,
    deliveries: u32,
    times: Stream,
}

impl FeedState {
    pub(super) fn new(number: u32, truth: &FeedTruth, streams: &Streams) -> Self {
        let mut times = streams.stream(number + (2 << 20), Purpose::Arrivals);
        let above = u64::from(truth.full.saturating_sub(truth.call_at));
        let stock = truth
            .call_at
            .saturating_add(u32::try_from(times.below(above)).unwrap_or(0));
        Self {
            stock,
            coming: None,
            deliveries: 0,
            times,
        }
    }
}

impl Factory {
    /// The stocks that work on this part uses, with how many pieces.
    fn needs(&self, station: usize, about: Part) -> Vec<(usize, u32)> {
        let Some(spec) = self.layout.stations.get(station) else {
            return Vec::new();
        };
        let feeds = spec
            .feeds
            .iter()
            .filter_map(|feed| Some((*feed, self.layout.feeds.get(*feed)?)));
        let its =
            feeds.filter(|(_, feed)| feed.variant.is_none_or(|variant| variant == about.variant));
        its.map(|(at, feed)| (at, feed.quantity)).collect()
    }

    /// Whether all material is there; if not, the first that is missing is noted.
    pub(super) fn has_material(&mut self, station: usize, about: Part) -> bool {
        let needs = self.needs(station, about);
        let stock = |feed: usize| self.feeds.get(feed).map_or(0, |one| one.stock);
        let short = needs
            .iter()
            .find(|(feed, pieces)| stock(*feed) < *pieces)
            .map(|(feed, _)| *feed);
        let Some(running) = self.stations.get_mut(station) else {
            return false;
        };
        let before = std::mem::replace(&mut running.short, short);
        if let Some(feed) = short
            && before != short
        {
            self.say(Fact::Short { feed });
        }
        short.is_none()
    }

    pub(super) fn use_up(&mut self, station: usize, about: Part) {
        for (feed, pieces) in self.needs(station, about) {
            let Some(state) = self.feeds.get_mut(feed) else {
                continue;
            };
            state.stock = state.stock.saturating_sub(pieces);
            let left = state.stock;
            self.say(Fact::Used {
                feed,
                pieces,
                left,
                about,
            });
            self.call_for(feed);
        }
    }

    /// Calls for a delivery when the stock is low.
    pub(super) fn call_for(&mut self, feed: usize) {
        let (Some(state), Some(truth)) = (self.feeds.get_mut(feed), self.truth.feeds.get(feed))
        else {
            return;
        };
        if state.coming.is_some() || state.stock > truth.call_at {
            return;
        }
        state.deliveries += 1;
        let delivery = state.deliveries;
        state.coming = Some(delivery);
        let time = truth.draw_ns(&mut state.times);
        self.calendar.plan(time, FREES, Due::Deliver { feed });
        self.say(Fact::Called { feed, delivery });
    }

    /// A delivery was called so long before the start, and is not there yet.
    pub(super) fn comes(&mut self, feed: usize, spent_ns: u64) {
        let (Some(state), Some(truth)) = (self.feeds.get_mut(feed), self.truth.feeds.get(feed))
        else {
            return;
        };
        state.deliveries += 1;
        state.coming = Some(state.deliveries);
        let left_ns = beyond(spent_ns, truth.delivery.mean_s(), || {
            truth.draw_ns(&mut state.times)
        });
        self.calendar.plan(left_ns, FREES, Due::Deliver { feed });
    }

    pub(super) fn deliver(&mut self, feed: usize) {
        let (Some(state), Some(truth)) = (self.feeds.get_mut(feed), self.truth.feeds.get(feed))
        else {
            return;
        };
        let pieces = truth.full.saturating_sub(state.stock);
        state.stock = truth.full;
        let stock = state.stock;
        if let Some(delivery) = state.coming.take() {
            self.say(Fact::Delivered {
                feed,
                delivery,
                pieces,
                stock,
            });
        }
        if let Some(station) = self.layout.feeds.get(feed).map(|one| one.station) {
            self.touch(station);
        }
    }

    /// Puts a part on the carrier that its work needs, if it does not ride on one of these already.
    /// Whether it rides on it now.
    pub(super) fn board(&mut self, part: PartIndex, carrier: Option<usize>) -> bool {
        let Some(carrier) = carrier else { return true };
        let before = self.part(part).and_then(|about| about.carrier);
        if before.is_some_and(|(on, _)| on == carrier) {
            return true;
        }
        let Some(number) = self.carriers.get_mut(carrier).and_then(Vec::pop) else {
            return false;
        };
        self.send_back(before);
        if let Some(about) = self.part_mut(part) {
            about.carrier = Some((carrier, number));
        }
        true
    }

    /// Sends an empty carrier back to where parts get on it.
    pub(super) fn send_back(&mut self, carrier: Option<(usize, u32)>) {
        if let Some((carrier, number)) = carrier {
            let time = self
                .layout
                .carriers
                .get(carrier)
                .map_or(0, |one| one.return_ns);
            self.calendar
                .plan(time, FREES, Due::Back { carrier, number });
        }
    }

    pub(super) fn carrier_back(&mut self, carrier: usize, number: u32) {
        if let Some(owed) = self
            .carriers_owed
            .get_mut(carrier)
            .filter(|owed| **owed > 0)
        {
            *owed -= 1;
            return;
        }
        if let Some(free) = self.carriers.get_mut(carrier) {
            free.insert(0, number);
        }
        for rider in self.links.riders.get(carrier).cloned().unwrap_or_default() {
            self.touch(rider);
        }
    }

    /// Whether the people at a station call for help in this cycle: how long it takes until they are
    /// answered, during which the part stays; 0 when they do not call.
    pub(super) fn call(&mut self, station: usize) -> u64 {
        let machine = self
            .layout
            .stations
            .get(station)
            .map_or(usize::MAX, |one| one.machine);
        let Some(truth) = self.truth.machines.get(machine) else {
            return 0;
        };
        let Some(running) = self.stations.get_mut(station) else {
            return 0;
        };
        if running.andon.is_some() || !running.people.chance(truth.andon) {
            return 0;
        }
        running.andons += 1;
        let number = running.andons;
        running.andon = Some(number);
        let about_quality = running.people.chance(0.4);
        let time = Distribution::Lognormal(50.0, 0.6).draw_ns(&mut running.people);
        self.calendar.plan(time, FREES, Due::Answer { station });
        self.say(Fact::Andon {
            station,
            number,
            about_quality,
        });
        time
    }

    /// How many calls are not answered yet.
    pub(crate) fn open_calls(&self) -> u64 {
        self.stations
            .iter()
            .filter(|one| one.andon.is_some())
            .count() as u64
    }

    pub(super) fn answer(&mut self, station: usize) {
        if let Some(number) = self
            .stations
            .get_mut(station)
            .and_then(|one| one.andon.take())
        {
            self.say(Fact::AndonEnded { station, number });
        }
    }
}
