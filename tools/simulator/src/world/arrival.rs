// SPDX-License-Identifier: GPL-2.0

//! What is under way, in the order of its arrival.

use crate::middlebox::Way;
use crate::segment::{Segment, Time};

/// A segment under way.
pub(super) struct Arrival {
    pub(super) at: Time,
    pub(super) order: u64,
    pub(super) way: Way,
    pub(super) route: usize,
    pub(super) segment: Segment,
}

impl PartialEq for Arrival {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl Eq for Arrival {}

impl PartialOrd for Arrival {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Arrival {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}
