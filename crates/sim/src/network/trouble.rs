//! What keeps servers from working: failures, the crews that repair them, planned stops.

use super::{Clock, NONE, OPENS, Phase, Run, STOPS};

impl Run {
    /// Draws when a server fails next in a way.
    pub(super) fn plan_failure(&mut self, mode: usize) {
        let of = &mut self.modes[mode];
        let failures = &self.network.stations[of.station as usize].failures;
        let up_ns = failures[of.way as usize].up.draw_ns(&mut of.up);
        match of.clock {
            Clock::Work => of.up_left_ns = up_ns,
            Clock::Calendar => {
                of.up_left_ns = u64::MAX;
                let thing = self.mode_timer(mode);
                let at_ns = self.now_ns.saturating_add(up_ns);
                self.timers.plan(thing, at_ns, STOPS);
            }
        }
    }

    /// The timer of a way to fail is due.
    pub(super) fn mode_turns(&mut self, mode: usize) {
        match self.modes[mode].is_down {
            true => self.repaired(mode),
            false => self.fail(mode, None),
        }
    }

    /// A server fails; it stands for so long, or for as long as chance says.
    pub(super) fn fail(&mut self, mode: usize, down_ns: Option<u64>) {
        let server = self.modes[mode].server as usize;
        self.rest(server);
        let of = &mut self.modes[mode];
        of.is_down = true;
        // Until it is up again its clock does not run.
        of.up_left_ns = u64::MAX;
        let crew = of.crew;
        self.servers[server].down += 1;
        match crew {
            Some(crew) if self.crews[crew].free == 0 => self.call(mode, crew),
            Some(crew) => {
                self.engage(crew, -1);
                self.repair(mode, down_ns);
            }
            None => self.repair(mode, down_ns),
        }
        self.update(server);
    }

    /// Somebody begins with the repair.
    fn repair(&mut self, mode: usize, down_ns: Option<u64>) {
        let of = &mut self.modes[mode];
        let failures = &self.network.stations[of.station as usize].failures;
        let times = &failures[of.way as usize].repair;
        let repair_ns = down_ns.unwrap_or_else(|| times.draw_ns(&mut of.repair));
        let thing = self.mode_timer(mode);
        self.timers
            .plan(thing, self.now_ns.saturating_add(repair_ns), OPENS);
    }

    fn repaired(&mut self, mode: usize) {
        let of = &mut self.modes[mode];
        of.is_down = false;
        let (server, crew) = (of.server as usize, of.crew);
        self.servers[server].down -= 1;
        self.plan_failure(mode);
        if let Some(crew) = crew {
            self.next_call(crew);
        }
        self.update(server);
        self.resume(server);
    }

    /// What is at hand goes on, or the next part is looked for.
    fn resume(&mut self, server: usize) {
        match self.servers[server].phase {
            Phase::Working => self.go_on(server),
            Phase::Starved => self.look(server),
            _ => {}
        }
    }

    /// A failure waits for somebody to come.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "there are fewer ways to fail than that"
    )]
    fn call(&mut self, mode: usize, crew: usize) {
        let server = self.modes[mode].server as usize;
        self.servers[server].called += 1;
        self.modes[mode].next = NONE;
        let waiting = &mut self.crews[crew].waiting;
        match std::mem::replace(&mut waiting.tail, mode as u32) {
            NONE => waiting.head = mode as u32,
            last => self.modes[last as usize].next = mode as u32,
        }
    }

    /// Somebody of a crew is free, and goes to whoever has waited longest.
    fn next_call(&mut self, crew: usize) {
        let mode = self.crews[crew].waiting.head;
        if mode == NONE {
            return self.engage(crew, 1);
        }
        let next = self.modes[mode as usize].next;
        let waiting = &mut self.crews[crew].waiting;
        waiting.head = next;
        if next == NONE {
            waiting.tail = NONE;
        }
        let server = self.modes[mode as usize].server as usize;
        self.servers[server].called -= 1;
        self.repair(mode as usize, None);
        self.update(server);
    }

    /// So many more of a crew are free.
    pub(super) fn engage(&mut self, crew: usize, more: i32) {
        let size = self.network.crews[crew].size;
        let of = &mut self.crews[crew];
        let busy = size - of.free;
        of.free = of.free.saturating_add_signed(more);
        self.counts.engage(crew, (busy, size), self.now_ns);
    }

    /// A planned stop begins or ends.
    pub(super) fn window_turns(&mut self, window: usize) {
        let of = self.network.windows[window];
        let begins = std::mem::replace(&mut self.windows[window], false);
        let thing = self.window_timer(window);
        let station = &mut self.stations[of.station];
        if begins {
            station.held += 1;
            self.timers.plan(thing, of.to_ns, OPENS);
        } else {
            station.held -= 1;
        }
        let servers = station.first as usize..station.end as usize;
        for server in servers {
            if begins {
                self.rest(server);
            }
            self.update(server);
            self.resume(server);
        }
    }

    /// A station becomes faster or slower.
    pub(super) fn speed_changes(&mut self, change: usize) {
        let of = self.network.changes[change];
        let station = &self.stations[of.station];
        let servers = station.first as usize..station.end as usize;
        for server in servers.clone() {
            self.rest(server);
        }
        self.stations[of.station].speed = of.speed;
        for server in servers {
            self.update(server);
            self.resume(server);
        }
    }
}
