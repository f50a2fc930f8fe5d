// SPDX-License-Identifier: GPL-2.0

//! What a scheduler knows of a path.

use super::Standing;
use crate::connection::push::MAX_PIECE;
use crate::num::saturate32;

/// The most paths of a connection.
pub const MAX_PATHS: usize = 32;

/// The least time without an answer after which TCP retransmits, beyond the round-trip time, in
/// microseconds: 200 ms, as in Linux.
const MIN_RTO_MARGIN_US: u32 = 200_000;

/// The retransmission timeout of a path whose round-trip time is unknown, in microseconds
/// (RFC 6298 section 2.1).
const INITIAL_RTO_US: u32 = 1_000_000;

/// The most that may wait for a congestion window: two of the largest pieces, in bytes.
const MAX_BURST: u32 = 2 * MAX_PIECE;

/// The number of a path within its connection, below [`MAX_PATHS`].
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PathId(u8);

impl PathId {
    /// The first path: that of the subflow with which the connection began.
    pub const FIRST: Self = Self(0);

    /// The path of this number; `None` if there is none of it.
    #[inline]
    pub const fn new(number: u8) -> Option<Self> {
        if number < 32 {
            Some(Self(number))
        } else {
            None
        }
    }

    /// Its number.
    #[inline]
    pub const fn number(self) -> u8 {
        self.0
    }

    #[inline]
    pub(super) fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// A set of paths.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PathSet(u32);

impl PathSet {
    /// No path.
    pub const EMPTY: Self = Self(0);

    /// The one path.
    #[inline]
    pub const fn only(path: PathId) -> Self {
        Self(1 << (path.0 & 31))
    }

    /// Whether there is no path in it.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether `path` is in it.
    #[inline]
    pub const fn contains(self, path: PathId) -> bool {
        self.0 & Self::only(path).0 != 0
    }

    /// The set with `path` in it.
    #[inline]
    pub const fn with(self, path: PathId) -> Self {
        Self(self.0 | Self::only(path).0)
    }

    /// The set without `path`.
    #[inline]
    pub const fn without(self, path: PathId) -> Self {
        Self(self.0 & !Self::only(path).0)
    }

    /// Its paths in ascending order.
    #[inline]
    pub fn iter(self) -> impl Iterator<Item = PathId> {
        let mut left = self.0;
        core::iter::from_fn(move || {
            let lowest = u8::try_from(left.trailing_zeros()).ok()?;
            left &= left.wrapping_sub(1);
            PathId::new(lowest)
        })
    }
}

impl FromIterator<PathId> for PathSet {
    #[inline]
    fn from_iter<I: IntoIterator<Item = PathId>>(paths: I) -> Self {
        paths.into_iter().fold(Self::EMPTY, Self::with)
    }
}

/// One path: what its subflow's TCP knows, and what the peers and [`Health`](super::Health) say of
/// it. A subflow whose handshake is not complete is no path yet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Path {
    /// Its number.
    pub id: PathId,
    /// The smoothed round-trip time (RFC 6298) in microseconds; 0 if unknown.
    pub srtt_us: u32,
    /// The round-trip time's mean deviation (RTTVAR of RFC 6298) in microseconds.
    pub rttvar_us: u32,
    /// The least round-trip time that was seen lately in microseconds; 0 if unknown.
    pub min_rtt_us: u32,
    /// The congestion window in segments.
    pub cwnd: u32,
    /// Whether the congestion window is below its slow-start threshold.
    pub slow_start: bool,
    /// Segments that are in the network.
    pub in_flight: u32,
    /// The payload of a full segment in bytes.
    pub mss: u32,
    /// Bytes that TCP was given and has not sent for the first time.
    pub queued: u32,
    /// Bytes that TCP's send buffer still takes.
    pub send_room: u32,
    /// The rate at which TCP sends, in bytes per second; 0 if unknown.
    pub pacing_rate: u64,
    /// The rate at which the peer acknowledged when TCP last had enough to send, in bytes per second; 0 if
    /// unknown.
    pub delivery_rate: u64,
    /// When the peer last acknowledged something here, or, if later, when data was sent while
    /// none was in flight: microseconds of a monotonic clock.
    pub last_progress_us: u64,
    /// Whether one of the peers wants it used only as a backup (RFC 8684 section 3.3.8).
    pub backup: bool,
    /// Whether it is known to work.
    pub standing: Standing,
}

impl Path {
    /// A path of which nothing is known.
    pub const UNKNOWN: Self = Self {
        id: PathId::FIRST,
        srtt_us: 0,
        rttvar_us: 0,
        min_rtt_us: 0,
        cwnd: 0,
        slow_start: false,
        in_flight: 0,
        mss: 0,
        queued: 0,
        send_room: 0,
        pacing_rate: 0,
        delivery_rate: 0,
        last_progress_us: 0,
        backup: false,
        standing: Standing::Active,
    };

    /// The round-trip time to expect, in microseconds; the largest number if it is unknown.
    ///
    /// The smoothed time of a path that just returned still tells of the outage, in which
    /// everything took long; what it was in good times is the better guess.
    #[inline]
    pub const fn rtt_us(&self) -> u32 {
        match (self.standing, self.min_rtt_us, self.srtt_us) {
            (Standing::Returned, 0, 0) | (Standing::Active | Standing::Stale, _, 0) => u32::MAX,
            (Standing::Returned, 0, srtt) => srtt,
            (Standing::Returned, min_rtt, _) => min_rtt,
            (_, _, srtt) => srtt,
        }
    }

    /// How long a byte that is given to the path now takes to be acknowledged, in microseconds: it
    /// queues behind others, then it travels.
    #[inline]
    pub fn delivery_us(&self) -> u64 {
        let rtt = u64::from(self.rtt_us());
        match self.queued {
            0 => rtt,
            queued => u64::from(queued)
                .saturating_mul(1_000_000)
                .checked_div(self.pacing_rate)
                .unwrap_or(0)
                .saturating_add(rtt),
        }
    }

    /// How many of `len` bytes may be given to the path now, for TCP to send at once or in a moment: as many as
    /// congestion window and send buffer admit, and beyond the window a [burst](Self::burst); whole segments where
    /// that is more than one. None if there is only room for less than a full segment, or for less than half of a
    /// burst, and less than all.
    #[inline]
    pub fn takes(&self, len: u32) -> u32 {
        let burst = self.burst();
        let window = self.window_room(burst);
        let room = self.room_in(window);
        let worthwhile = window >= len.min(burst / 2);
        if room < len.min(self.mss) || !worthwhile {
            0
        } else {
            room.min(len)
        }
    }

    /// As much as a window admits of so many bytes, and the send buffer.
    #[inline]
    fn room_in(&self, window: u32) -> u32 {
        let room = window.min(self.send_room);
        match room.checked_rem(self.mss) {
            Some(part) if room > self.mss => room.saturating_sub(part),
            Some(_) => room,
            None => 0,
        }
    }

    /// What congestion window and burst admit.
    #[inline]
    fn window_room(&self, burst: u32) -> u32 {
        let free = u64::from(self.cwnd.saturating_sub(self.in_flight));
        let free = free.saturating_mul(u64::from(self.mss));
        let free = free.saturating_add(u64::from(burst));
        saturate32(free).saturating_sub(self.queued)
    }

    /// How many bytes may wait for the congestion window: an eighth of it, or those that TCP sends in a
    /// millisecond if that is more, for so much it puts into one segment for the device to cut. Given less,
    /// whenever an acknowledgement makes room, it has nothing but small segments to send, each of a piece of
    /// its own. 0 if that is less than two segments, or if the path's speed is not known.
    #[inline]
    fn burst(&self) -> u32 {
        if self.pacing_rate == 0 {
            return 0;
        }
        let window = saturate32(self.cwnd_bytes());
        let sent = saturate32(self.pacing_rate / 1000);
        let burst = sent.max(window / 8).min(window).min(MAX_BURST);
        if burst < self.mss.saturating_mul(2) {
            0
        } else {
            burst
        }
    }

    /// Bytes of the path that are not acknowledged or not even sent, about.
    #[inline]
    pub fn outstanding(&self) -> u64 {
        u64::from(self.in_flight)
            .saturating_mul(u64::from(self.mss))
            .saturating_add(u64::from(self.queued))
    }

    /// The congestion window in bytes.
    #[inline]
    pub fn cwnd_bytes(&self) -> u64 {
        u64::from(self.cwnd).saturating_mul(u64::from(self.mss))
    }

    /// How much the path delivers, in bytes per second: as measured, or else a window in each round trip;
    /// 0 if nothing is known.
    #[inline]
    pub(super) fn rate(&self) -> u64 {
        let in_a_round = self.cwnd_bytes().saturating_mul(1_000_000);
        match self.delivery_rate {
            0 => in_a_round.checked_div(u64::from(self.srtt_us)).unwrap_or(0),
            measured => measured,
        }
    }

    /// How long the path takes to deliver what it has and `bytes` more, in microseconds; `None` if its rate is
    /// not known.
    #[inline]
    pub(super) fn done_us(&self, bytes: u64) -> Option<u64> {
        let all = self.outstanding().saturating_add(bytes);
        let time = all.saturating_mul(1_000_000).checked_div(self.rate())?;
        Some(time.max(u64::from(self.rtt_us())))
    }

    /// How long TCP waits for an answer before it sends again, in microseconds (RFC 6298
    /// section 2.3, with the minimum of Linux).
    #[inline]
    pub const fn rto_us(&self) -> u32 {
        let deviation = self.rttvar_us.saturating_mul(4);
        match self.srtt_us {
            0 => INITIAL_RTO_US,
            srtt if deviation > MIN_RTO_MARGIN_US => srtt.saturating_add(deviation),
            srtt => srtt.saturating_add(MIN_RTO_MARGIN_US),
        }
    }

    /// Whether the path has not answered for longer than TCP waits: it may have died a moment
    /// ago, and what is given to it now may be lost.
    #[inline]
    pub fn is_silent(&self, now_us: u64) -> bool {
        self.in_flight > 0 && now_us >= self.silence_us()
    }

    /// From when on a path with data in flight counts as silent.
    #[inline]
    pub(super) fn silence_us(&self) -> u64 {
        self.last_progress_us
            .saturating_add(u64::from(self.rto_us()))
    }

    /// Whether the path can be relied on.
    #[inline]
    pub fn responds(&self, now_us: u64) -> bool {
        self.standing != Standing::Stale && !self.is_silent(now_us)
    }
}
