// SPDX-License-Identifier: GPL-2.0

//! The term that the coupled algorithms have in common.

use super::fixed::Fixed;
use super::{Member, Members};

/// `(w / rtt²) / (Σ wₖ / rttₖ)²` with the window and round-trip time of `of`: by how many segments
/// the window of `of` grows for each segment acknowledged, if all subflows together are to grow as
/// one TCP would.
///
/// With all windows counted in segments per round-trip time of `of`, whose sum is `s`, this is
/// `w / s²`, or `1 / (s · s/w)`: no number in it is very large or very small.
#[inline]
pub(super) fn coupled_increase(members: &Members<'_>, of: Member) -> Fixed {
    let total = members.total_in_round_of(of);
    let share = total.per(Fixed::whole(of.cwnd));
    Fixed::ONE.per(total.times(share))
}
