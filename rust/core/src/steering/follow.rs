// SPDX-License-Identifier: GPL-2.0

//! Where the application is, with hysteresis.

use super::Cpu;

/// How often in succession the application must be seen on another processor before it counts as
/// having moved there.
pub const STEADY_CALLS: u8 = 4;

/// How long it must have been seen there and nowhere else, in microseconds. So many microseconds
/// lie at least between two moves.
pub const STEADY_US: u64 = 10_000;

/// How long after a read a write says nothing about where received data is used, in microseconds.
pub const READER_RULES_US: u64 = 100_000;

/// What the application did with the connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Access {
    /// It asked for received data.
    Read,
    /// It wrote data to send. It last read so long ago, in microseconds; `None` if it never did.
    Write {
        /// Microseconds since the last read.
        since_read_us: Option<u64>,
    },
}

/// Follows the application from processor to processor, but not at every step: each move of the
/// flows costs cold caches, and a thread that hops comes back.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Follow {
    here: Option<Cpu>,
    elsewhere: Option<Sighting>,
}

/// The application was seen elsewhere, `calls` times in succession since `since_us`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Sighting {
    cpu: Cpu,
    calls: u8,
    since_us: u64,
}

impl Follow {
    /// The application was not seen yet.
    #[inline]
    pub const fn new() -> Self {
        Self {
            here: None,
            elsewhere: None,
        }
    }

    /// Where the application is, once it was seen.
    #[inline]
    pub const fn cpu(&self) -> Option<Cpu> {
        self.here
    }

    /// Where the application was seen last. As long as it is seen only there, nothing changes by it.
    #[inline]
    pub const fn steady(&self) -> Option<Cpu> {
        match self.elsewhere {
            None => self.here,
            Some(_) => None,
        }
    }

    /// Takes note of a system call on `cpu` at `now_us` (microseconds of any monotonic clock).
    /// Returns whether [`Self::cpu`] changed by it.
    ///
    /// A thread that writes and another that reads may sit on two processors. Steering is about
    /// received data, so the reader wins.
    pub fn on_access(&mut self, access: Access, cpu: Cpu, now_us: u64) -> bool {
        if let Access::Write { since_read_us } = access {
            if since_read_us.is_some_and(|since| since < READER_RULES_US) {
                return false;
            }
        }
        if self.here == Some(cpu) {
            self.elsewhere = None;
            return false;
        }
        if self.here.is_some() && !self.is_steady(cpu, now_us) {
            return false;
        }
        self.here = Some(cpu);
        self.elsewhere = None;
        true
    }

    /// Counts a sighting elsewhere; whether there were enough of them.
    fn is_steady(&mut self, cpu: Cpu, now_us: u64) -> bool {
        let mut sighting = match self.elsewhere {
            Some(sighting) if sighting.cpu == cpu => sighting,
            _ => Sighting {
                cpu,
                calls: 0,
                since_us: now_us,
            },
        };
        sighting.calls = sighting.calls.saturating_add(1);
        self.elsewhere = Some(sighting);
        sighting.calls >= STEADY_CALLS && now_us.saturating_sub(sighting.since_us) >= STEADY_US
    }
}
