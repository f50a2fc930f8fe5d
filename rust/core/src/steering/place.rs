// SPDX-License-Identifier: GPL-2.0

//! The choice of processors for the subflows of one connection.

use super::{Access, Cpu, Follow, Machine, Mode};

/// Where the subflows of one connection go, and why.
///
/// A choice stands as long as it may stand: until the application moves, the mode changes or the
/// processor is no longer allowed. Load decides where to begin, it does not move anything later.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Steering {
    mode: Mode,
    token: u32,
    follow: Follow,
    /// What was chosen, in [`Mode::Spread`] as the representative of its group.
    chosen: Option<Cpu>,
    moves: u32,
}

impl Steering {
    /// Nothing is chosen yet. `token` is the connection's, or any other number by which equal
    /// choices fall differently for different connections.
    #[inline]
    pub const fn new(mode: Mode, token: u32) -> Self {
        Self {
            mode,
            token,
            follow: Follow::new(),
            chosen: None,
            moves: 0,
        }
    }

    /// How often a choice was changed after it had been made.
    #[inline]
    pub const fn moves(&self) -> u32 {
        self.moves
    }

    /// Changes the mode of a connection that lives. The next [`Self::place`] chooses anew.
    #[inline]
    pub fn set_mode(&mut self, mode: Mode) {
        if mode != self.mode {
            self.mode = mode;
            self.chosen = None;
        }
    }

    /// Takes note of a system call of the application on `cpu` at `now_us` (microseconds of any
    /// monotonic clock). Returns whether [`Self::place`] must be asked again for each subflow.
    #[inline]
    pub fn on_access(&mut self, access: Access, cpu: Cpu, now_us: u64) -> bool {
        self.follow.on_access(access, cpu, now_us) && self.mode == Mode::Follow
    }

    /// As long as the application is seen only there, [`Self::on_access`] has nothing to take note of.
    #[inline]
    pub const fn steady(&self) -> Option<Cpu> {
        self.follow.steady()
    }

    /// The processor for the connection's subflow number `subflow`, counted from 0. `None` leaves
    /// it to the kernel: steering is off, or no processor is allowed.
    ///
    /// To be asked when a subflow comes to be, before its first data, and again after a change of
    /// what is allowed. Before anybody reads, [`Mode::Follow`] chooses as [`Mode::Pin`] does.
    pub fn place(&mut self, subflow: u8, machine: &Machine<'_>) -> Option<Cpu> {
        if self.mode == Mode::Off {
            return None;
        }
        if !self.chosen.is_some_and(|cpu| self.stands(cpu, machine)) {
            let chosen = match (self.mode, self.follow.cpu()) {
                (Mode::Follow, Some(cpu)) => near(cpu, self.token, machine),
                (Mode::Spread, _) => least_loaded_group(self.token, machine),
                _ => least_loaded(machine.cpus(), self.token, machine),
            };
            self.settle(chosen);
        }
        let chosen = self.chosen?;
        match self.mode {
            Mode::Spread => nth_of_group(machine.group(chosen), self.token, subflow, machine),
            _ => Some(chosen),
        }
    }

    /// Whether the choice of `cpu` may stand.
    #[inline]
    fn stands(&self, cpu: Cpu, machine: &Machine<'_>) -> bool {
        match (self.mode, self.follow.cpu()) {
            (Mode::Spread, _) => machine.cpus_of(machine.group(cpu)).next().is_some(),
            (Mode::Follow, Some(here)) => is_near(cpu, here, machine),
            _ => machine.allows(cpu),
        }
    }

    #[inline]
    fn settle(&mut self, cpu: Option<Cpu>) {
        if self.chosen.is_some() && self.chosen != cpu {
            self.moves = self.moves.saturating_add(1);
        }
        self.chosen = cpu;
    }
}

/// Whether [`near`] could have chosen `cpu` for an application on `here`.
fn is_near(cpu: Cpu, here: Cpu, machine: &Machine<'_>) -> bool {
    if machine.allows(here) {
        return cpu == here;
    }
    let group = machine.group(here);
    let closed = machine.cpus_of(group).next().is_none();
    machine.allows(cpu) && (closed || machine.group(cpu) == group)
}

/// `cpu` itself if it is allowed, else a neighbour that shares its cache, else any.
fn near(cpu: Cpu, token: u32, machine: &Machine<'_>) -> Option<Cpu> {
    if machine.allows(cpu) {
        return Some(cpu);
    }
    least_loaded(machine.cpus_of(machine.group(cpu)), token, machine)
        .or_else(|| least_loaded(machine.cpus(), token, machine))
}

/// The least loaded of `cpus`; among equals the token decides, for each connection differently.
fn least_loaded(cpus: impl Iterator<Item = Cpu>, token: u32, machine: &Machine<'_>) -> Option<Cpu> {
    cpus.min_by_key(|cpu| (machine.load(*cpu), draw(token, cpu.number())))
}

/// A processor of the group with the lowest mean load.
fn least_loaded_group(token: u32, machine: &Machine<'_>) -> Option<Cpu> {
    let mut before = None;
    machine
        .cpus()
        // Neighbours mostly are of one group, and need not be judged one by one.
        .filter(|cpu| before.replace(machine.group(*cpu)) != Some(machine.group(*cpu)))
        .min_by_key(|cpu| {
            let group = machine.group(*cpu);
            (mean_load(group, machine), draw(token, group))
        })
}

fn mean_load(group: u16, machine: &Machine<'_>) -> u64 {
    let sum = machine.cpus_of(group).fold(0u64, |sum, cpu| {
        sum.saturating_add(u64::from(machine.load(cpu)))
    });
    sum.checked_div(size_of_group(group, machine)).unwrap_or(0)
}

fn size_of_group(group: u16, machine: &Machine<'_>) -> u64 {
    machine
        .cpus_of(group)
        .fold(0, |size: u64, _| size.saturating_add(1))
}

/// Deals the processors of a group to the subflows in turn, beginning where the token says.
fn nth_of_group(group: u16, token: u32, subflow: u8, machine: &Machine<'_>) -> Option<Cpu> {
    let size = size_of_group(group, machine);
    let turn = draw(token, group).wrapping_add(u64::from(subflow));
    let nth = usize::try_from(turn.checked_rem(size)?).ok()?;
    machine.cpus_of(group).nth(nth)
}

/// A number that looks random and is the same for the same two (the finisher of SplitMix64).
#[inline]
fn draw(token: u32, number: u16) -> u64 {
    let mixed = ((u64::from(token) << 16) | u64::from(number)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
