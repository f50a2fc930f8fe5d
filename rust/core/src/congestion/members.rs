// SPDX-License-Identifier: GPL-2.0

//! What the subflows of a connection know of each other.

use super::fixed::Fixed;

/// The most subflows that are coupled.
pub const MAX_MEMBERS: usize = 32;

/// What the others must know of a subflow. By default nothing is known, and the subflow takes no part.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Member {
    /// The congestion window in segments. In fast recovery it is the slow-start threshold, because
    /// the window itself says nothing then (RFC 6356 section 3).
    pub cwnd: u32,
    /// The smoothed round-trip time in microseconds; 0 if unknown.
    pub srtt_us: u32,
    /// [`Olia`](super::Olia): how many bytes pass without loss.
    pub gap: u64,
    /// [`Wvegas`](super::Wvegas): the rate at which the subflow is content, in segments per
    /// microsecond and 2⁻³²; 0 if there is none yet.
    pub rate: u64,
}

impl Member {
    /// Whether the subflow takes part: it may send, and its round-trip time is known.
    #[inline]
    fn counts(&self) -> bool {
        self.cwnd > 0 && self.srtt_us > 0
    }

    /// How many segments the subflow sends in `time_us`.
    #[inline]
    fn segments_in(&self, time_us: u32) -> Fixed {
        let product = u64::from(self.cwnd).saturating_mul(u64::from(time_us));
        Fixed::ratio(product, u64::from(self.srtt_us))
    }
}

/// All subflows of a connection, from the point of view of one of them.
#[derive(Clone, Copy, Debug)]
pub struct Members<'a> {
    all: &'a [Member],
    own: Member,
}

impl<'a> Members<'a> {
    /// The subflows `all`, of which no more than the first [`MAX_MEMBERS`] count, seen from `own`,
    /// which is the one among them that the call is about.
    #[inline]
    pub fn new(all: &'a [Member], own: Member) -> Self {
        Self {
            all: all.get(..MAX_MEMBERS).unwrap_or(all),
            own,
        }
    }

    /// The subflow that the call is about.
    #[inline]
    pub const fn own(&self) -> Member {
        self.own
    }

    /// The subflows that take part.
    #[inline]
    pub fn active(self) -> impl Iterator<Item = &'a Member> {
        self.all.iter().filter(|member| member.counts())
    }

    /// Whether more than one subflow takes part.
    #[inline]
    pub fn several(self) -> bool {
        self.active().nth(1).is_some()
    }

    /// How many segments all together send in a round-trip time of `member`; at least its own
    /// window.
    #[inline]
    pub(super) fn total_in_round_of(self, member: Member) -> Fixed {
        let each = self.active().map(|other| other.segments_in(member.srtt_us));
        each.fold(Fixed::ZERO, Fixed::plus)
            .max(Fixed::whole(member.cwnd))
    }

    /// How many segments the fastest sends in a round-trip time of `member`; at least its window.
    #[inline]
    pub(super) fn most_in_round_of(self, member: Member) -> Fixed {
        let each = self.active().map(|other| other.segments_in(member.srtt_us));
        each.fold(Fixed::whole(member.cwnd), Fixed::max)
    }
}
