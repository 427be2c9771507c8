//! How parts move: into places, into servers, out.

use super::{ARRIVES, Hold, NONE, Part, Phase, Run, Target, WORK};

impl Run {
    /// A new part.
    #[inline]
    pub(super) fn make(&mut self, class: u8) -> u32 {
        self.counts.hold_parts(1, self.now_ns);
        let part = Part {
            next: NONE,
            class,
            born_ns: self.now_ns,
            since_ns: self.now_ns,
        };
        let at = self.free;
        if let Some(room) = self.parts.get_mut(at as usize) {
            self.free = room.next;
            *room = part;
            return at;
        }
        self.parts.push(part);
        u32::try_from(self.parts.len() - 1).unwrap_or(NONE)
    }

    /// A part is no more.
    #[inline]
    fn end(&mut self, part: u32) {
        self.counts.hold_parts(-1, self.now_ns);
        self.parts[part as usize].next = self.free;
        self.free = part;
    }

    /// The next batch of a source is planned.
    pub(super) fn plan_source(&mut self, source: usize) {
        let between = &self.network.sources[source].between;
        let after_ns = between.draw_ns(&mut self.sources[source]);
        let thing = self.source_timer(source);
        self.timers
            .plan(thing, self.now_ns.saturating_add(after_ns), ARRIVES);
    }

    /// A batch comes; what finds no room is lost.
    pub(super) fn arrive(&mut self, source: usize) {
        let of = &self.network.sources[source];
        let (batch, class, to) = (of.batch, of.class, of.to);
        for _ in 0..batch {
            let part = self.make(class);
            self.counts.arrived[source][0] += 1;
            if !self.offer(to, part) {
                self.counts.arrived[source][1] += 1;
                self.end(part);
            }
        }
        self.plan_source(source);
    }

    /// Puts a part into a place, or into a server that waits for one. Answers whether there was room.
    #[inline]
    pub(super) fn offer(&mut self, place: usize, part: u32) -> bool {
        let of = &self.places[place];
        if of.length == 0 && of.waiting.head == NONE {
            for taker in 0..of.takers.len() {
                let station = self.places[place].takers[taker] as usize;
                if self.stations[station].input.is_some()
                    && let Some(server) = self.starved(station)
                {
                    self.count_wait(place, part, true);
                    self.load(server, part);
                    return true;
                }
            }
        }
        let of = &self.places[place];
        if of.length >= of.capacity {
            return false;
        }
        self.enqueue(place, part);
        // Who takes several parts for a cycle looks whether all are there now.
        for taker in 0..self.places[place].takers.len() {
            let station = self.places[place].takers[taker] as usize;
            if self.stations[station].input.is_none()
                && let Some(server) = self.starved(station)
            {
                self.look(server);
            }
        }
        true
    }

    /// The server of a station that has been without a part for longest, among those that would take one.
    #[inline]
    fn starved(&self, station: usize) -> Option<usize> {
        let of = &self.stations[station];
        let servers = of.first as usize..of.end as usize;
        let starved = servers.filter(|server| self.servers[*server].phase == Phase::Starved);
        starved.min_by_key(|server| self.servers[*server].phase_since_ns)
    }

    /// Puts a part behind those of its class.
    #[inline]
    pub(super) fn enqueue(&mut self, place: usize, part: u32) {
        let length = self.places[place].length;
        self.counts.hold(place, length, self.now_ns);
        self.places[place].length = length + 1;
        let of = &mut self.parts[part as usize];
        (of.next, of.since_ns) = (NONE, self.now_ns);
        let queue = place * usize::from(self.network.classes) + usize::from(of.class);
        let queue = &mut self.queues[queue];
        match std::mem::replace(&mut queue.tail, part) {
            NONE => queue.head = part,
            last => self.parts[last as usize].next = part,
        }
    }

    /// Takes the next part out of a place; a server that waited for room there gives up its own.
    #[inline]
    fn take(&mut self, place: usize) -> Option<u32> {
        let length = self.places[place].length;
        if length == 0 {
            // A place without room hands over what waits for it.
            let server = self.first_waiting(place)?;
            let part = self.give_up(server);
            self.count_wait(place, part, true);
            return Some(part);
        }
        let classes = usize::from(self.network.classes);
        let queues = &mut self.queues[place * classes..(place + 1) * classes];
        let queue = queues.iter_mut().find(|queue| queue.head != NONE)?;
        let part = queue.head;
        queue.head = self.parts[part as usize].next;
        if queue.head == NONE {
            queue.tail = NONE;
        }
        self.counts.hold(place, length, self.now_ns);
        self.places[place].length = length - 1;
        self.count_wait(place, part, false);
        if let Some(server) = self.first_waiting(place) {
            let next = self.give_up(server);
            self.enqueue(place, next);
        }
        Some(part)
    }

    #[inline]
    fn count_wait(&mut self, place: usize, part: u32, at_once: bool) {
        let of = self.parts[part as usize];
        let class = place * usize::from(self.network.classes) + usize::from(of.class);
        let waits = &mut self.counts.taken[class];
        waits.parts += 1;
        if !at_once {
            let ns = self.now_ns - of.since_ns;
            waits.waited += u64::from(ns > 0);
            waits.ns += u128::from(ns);
        }
    }

    /// The server that has waited longest for room in a place; it waits no longer.
    #[inline]
    fn first_waiting(&mut self, place: usize) -> Option<usize> {
        let waiting = &mut self.places[place].waiting;
        let server = waiting.head;
        if server == NONE {
            return None;
        }
        waiting.head = self.servers[server as usize].next;
        if waiting.head == NONE {
            waiting.tail = NONE;
        }
        Some(server as usize)
    }

    /// The finished part of a server goes; the server looks for the next one when all has settled.
    #[inline]
    fn give_up(&mut self, server: usize) -> u32 {
        let of = &mut self.servers[server];
        of.hold = Hold::Nothing;
        let part = std::mem::replace(&mut of.part, NONE);
        self.free_server(server);
        part
    }

    #[inline]
    #[allow(
        clippy::cast_possible_truncation,
        reason = "there are fewer servers than that"
    )]
    fn free_server(&mut self, server: usize) {
        self.update(server);
        self.freed.push(server as u32);
    }

    /// A server without a part looks for one.
    #[inline]
    pub(super) fn look(&mut self, server: usize) {
        let of = self.servers[server];
        if of.phase != Phase::Starved {
            return;
        }
        let station = &self.stations[of.station as usize];
        if station.makes {
            let part = self.make(0);
            return self.load(server, part);
        }
        if let Some(place) = station.input {
            if let Some(part) = self.take(place as usize) {
                self.load(server, part);
            }
            return;
        }
        self.gather(server, of.station as usize);
    }

    /// Takes several parts, if all of them are there; the first one stands for them.
    fn gather(&mut self, server: usize, station: usize) {
        let network = std::sync::Arc::clone(&self.network);
        let inputs = &network.stations[station].inputs;
        let there = |(place, count): &(usize, u32)| self.places[*place].length >= *count;
        if !inputs.iter().all(there) {
            return;
        }
        let mut first = NONE;
        for (place, count) in inputs {
            for _ in 0..*count {
                let Some(part) = self.take(*place) else {
                    continue;
                };
                if first == NONE {
                    first = part;
                } else {
                    self.end(part);
                }
            }
        }
        self.load(server, first);
    }

    /// Work on a part begins.
    #[inline]
    pub(super) fn load(&mut self, server: usize, part: u32) {
        let station = self.servers[server].station as usize;
        let left_ns = self.cycle_ns(station);
        let of = &mut self.servers[server];
        (of.part, of.hold, of.left_ns) = (part, Hold::Begun, left_ns);
        self.update(server);
        self.go_on(server);
    }

    /// How long the next cycle of a station takes.
    #[inline]
    fn cycle_ns(&mut self, station: usize) -> u64 {
        let (told, of) = (&self.network.stations[station], &mut self.stations[station]);
        match told.trace.get(of.traced) {
            Some(known_ns) => {
                of.traced += 1;
                *known_ns
            }
            None => told.work.draw_ns(&mut of.work),
        }
    }

    /// The timer of a server is due: its part is done, or it fails.
    #[inline]
    pub(super) fn work_ends(&mut self, server: usize) {
        let fails = self.servers[server].fails;
        self.stop(server);
        if fails != NONE {
            return self.fail(fails as usize, None);
        }
        self.servers[server].hold = Hold::Done;
        let station = self.servers[server].station as usize;
        self.counts.finished[station] += 1;
        let part = self.servers[server].part;
        let target = self.route(station);
        match target {
            Target::Place(place) => {
                if !self.offer_from(place, server, part) {
                    return;
                }
            }
            Target::Exit(exit) => {
                self.leave(exit, part);
                self.end(part);
            }
            Target::Replaced { exit, place } => {
                self.leave(exit, part);
                self.parts[part as usize].born_ns = self.now_ns;
                if !self.offer_from(place, server, part) {
                    return;
                }
            }
        }
        let of = &mut self.servers[server];
        (of.hold, of.part) = (Hold::Nothing, NONE);
        self.free_server(server);
    }

    /// Offers the part of a server to a place; where there is no room, the server waits for it.
    #[inline]
    #[allow(
        clippy::cast_possible_truncation,
        reason = "there are fewer servers than that"
    )]
    fn offer_from(&mut self, place: usize, server: usize, part: u32) -> bool {
        if self.offer(place, part) {
            return true;
        }
        self.servers[server].next = NONE;
        let waiting = &mut self.places[place].waiting;
        match std::mem::replace(&mut waiting.tail, server as u32) {
            NONE => waiting.head = server as u32,
            last => self.servers[last as usize].next = server as u32,
        }
        self.update(server);
        false
    }

    #[inline]
    fn route(&mut self, station: usize) -> Target {
        if let Some(only) = self.stations[station].only {
            return only;
        }
        let route = &self.network.stations[station].route;
        let sum: f64 = route.iter().map(|(weight, _)| weight).sum();
        let mut left = self.stations[station].routing.unit() * sum;
        let mut chosen = route[0].1;
        for (weight, target) in route {
            if *weight > 0.0 {
                chosen = *target;
            }
            left -= weight;
            if left < 0.0 {
                break;
            }
        }
        chosen
    }

    #[inline]
    fn leave(&mut self, exit: usize, part: u32) {
        let ns = self.now_ns - self.parts[part as usize].born_ns;
        let limit = self.network.exits[exit].late_ns;
        let left = &mut self.counts.exits[exit];
        left.parts += 1;
        left.ns += u128::from(ns);
        left.late += u64::from(limit.is_some_and(|limit| ns > limit));
    }

    /// Work goes on, if nothing stands in its way: until the part is done or the server fails.
    #[inline]
    pub(super) fn go_on(&mut self, server: usize) {
        let of = self.servers[server];
        if of.phase != Phase::Working || of.is_working {
            return;
        }
        let speed = self.stations[of.station as usize].speed;
        let (mut after_ns, mut fails) = (scaled(of.left_ns, 1.0 / speed), NONE);
        for mode in of.first_mode..of.end_mode {
            let one = &self.modes[mode as usize];
            if one.up_left_ns < after_ns {
                (after_ns, fails) = (one.up_left_ns, mode);
            }
        }
        let of = &mut self.servers[server];
        (of.is_working, of.work_since_ns, of.fails) = (true, self.now_ns, fails);
        let at_ns = self.now_ns.saturating_add(after_ns);
        self.timers
            .plan(u32::try_from(server).unwrap_or(NONE), at_ns, WORK);
    }

    /// Work rests, if there is any.
    pub(super) fn rest(&mut self, server: usize) {
        if self.servers[server].is_working {
            self.stop(server);
            self.timers.cancel(u32::try_from(server).unwrap_or(NONE));
        }
    }

    /// What was done of the work is done.
    #[inline]
    fn stop(&mut self, server: usize) {
        let of = &mut self.servers[server];
        of.is_working = false;
        let done_ns = self.now_ns - of.work_since_ns;
        let speed = self.stations[of.station as usize].speed;
        of.left_ns = of.left_ns.saturating_sub(scaled(done_ns, speed));
        for mode in of.first_mode..of.end_mode {
            let one = &mut self.modes[mode as usize];
            one.up_left_ns = one.up_left_ns.saturating_sub(done_ns);
        }
    }

    /// What a server does follows from what it holds and what holds it.
    #[inline]
    pub(super) fn update(&mut self, server: usize) {
        let of = &self.servers[server];
        let phase = if of.down > 0 {
            if of.called == of.down {
                Phase::WaitingForCrew
            } else {
                Phase::Down
            }
        } else if self.stations[of.station as usize].held > 0 {
            Phase::Held
        } else {
            match of.hold {
                Hold::Nothing => Phase::Starved,
                Hold::Begun if self.stations[of.station as usize].speed == 0.0 => Phase::Held,
                Hold::Begun => Phase::Working,
                Hold::Done => Phase::Blocked,
            }
        };
        if phase == of.phase {
            return;
        }
        let (was, since_ns) = (of.phase, of.phase_since_ns);
        self.counts.spend(server, was, (since_ns, self.now_ns));
        let of = &mut self.servers[server];
        (of.phase, of.phase_since_ns) = (phase, self.now_ns);
    }
}

/// A time by a factor; exactly itself where that is 1.
#[inline]
fn scaled(ns: u64, factor: f64) -> u64 {
    match factor == 1.0 {
        true => ns,
        false => (ns as f64 * factor) as u64,
    }
}
