// SPDX-License-Identifier: GPL-2.0

//! A link, and one subflow's TCP on it: a congestion window that knows its limit, loss found out by
//! timeout.

use super::{MSS, SECOND};
use mptcp_core::scheduler::{Health, Path, PathId, Standing};
use std::collections::{BTreeSet, VecDeque};
use std::ops::Range;

#[derive(Clone)]
pub(crate) struct Link {
    /// Megabits per second.
    pub(crate) rate: u64,
    /// The round-trip time without queues.
    pub(crate) rtt: u64,
    /// How many segments wait before the link drops some.
    pub(crate) queue: u64,
    pub(crate) backup: bool,
    /// When everything is lost.
    pub(crate) down: Range<u64>,
}

impl Link {
    pub(crate) fn new(rate: u64, rtt_ms: u64) -> Self {
        let rtt = rtt_ms * 1000;
        Self {
            rate,
            rtt,
            queue: rate * rtt / 8 / u64::from(MSS) / 4 + 4,
            backup: false,
            down: 0..0,
        }
    }

    /// Segments that fill the link and its queue.
    fn most_segments(&self) -> u32 {
        let fill = self.rate * self.rtt / 8 / u64::from(MSS);
        u32::try_from(fill + self.queue).unwrap()
    }
}

/// One subflow's TCP, over one link.
pub(crate) struct Subflow {
    pub(crate) link: Link,
    pub(crate) path: Path,
    pub(crate) health: Health,
    pub(crate) ssthresh: u32,
    pub(crate) growth: u32,
    pub(crate) busy_until: u64,
    /// Data sequence numbers in segments that the link swallowed, to be sent again.
    pub(crate) lost: VecDeque<u64>,
    /// Doublings of the retransmission timeout, and when it ends.
    pub(crate) backoff: u32,
    pub(crate) next_rto: u64,
    pub(crate) in_flight: BTreeSet<u64>,
}

impl Subflow {
    pub(crate) fn new(number: u8, link: &Link) -> Self {
        let rtt = u32::try_from(link.rtt).unwrap();
        Self {
            path: Path {
                id: PathId::new(number).unwrap(),
                srtt_us: rtt,
                rttvar_us: rtt / 2,
                min_rtt_us: rtt,
                cwnd: 10,
                slow_start: true,
                in_flight: 0,
                mss: MSS,
                queued: 0,
                send_room: u32::MAX,
                pacing_rate: 0,
                delivery_rate: 0,
                last_progress_us: 0,
                backup: link.backup,
                standing: Standing::Active,
            },
            link: link.clone(),
            health: Health::new(),
            ssthresh: u32::MAX,
            growth: 0,
            busy_until: 0,
            lost: VecDeque::new(),
            backoff: 0,
            next_rto: 0,
            in_flight: BTreeSet::new(),
        }
    }

    /// What the scheduler sees. TCP does not know of a loss before its timeout.
    pub(crate) fn seen(&self) -> Path {
        let in_flight = self.in_flight.len() + self.lost.len();
        Path {
            in_flight: u32::try_from(in_flight).unwrap(),
            slow_start: self.path.cwnd < self.ssthresh,
            standing: self.health.standing(),
            ..self.path
        }
    }

    /// RFC 6298 section 2.3.
    pub(crate) fn measure(&mut self, rtt: u64) {
        let rtt = u32::try_from(rtt).unwrap();
        let path = &mut self.path;
        path.delivery_rate = self.link.rate * SECOND / 8;
        path.rttvar_us = (3 * path.rttvar_us + path.srtt_us.abs_diff(rtt)) / 4;
        path.srtt_us = (7 * path.srtt_us + rtt) / 8;
        path.min_rtt_us = path.min_rtt_us.min(rtt);
    }

    pub(crate) fn grow(&mut self) {
        let most = self.link.most_segments();
        if self.path.cwnd < self.ssthresh {
            self.path.cwnd += 1;
        } else {
            self.growth += 1;
            if self.growth >= self.path.cwnd {
                self.growth = 0;
                self.path.cwnd += 1;
            }
        }
        if self.path.cwnd > most {
            self.path.cwnd = most;
            self.ssthresh = self.ssthresh.min(most);
        }
    }
}
