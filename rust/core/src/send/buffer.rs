// SPDX-License-Identifier: GPL-2.0

//! The size of the send buffer.

/// What a subflow adds to the send buffer of its connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SubflowBuffer {
    /// The send buffer that its TCP chose, in bytes of memory: what it needs in two round trips.
    pub bytes: u32,
    /// The smoothed round-trip time in microseconds; 0 if unknown.
    pub rtt_us: u32,
}

/// The send buffer that all subflows of a connection need together, in bytes of memory.
///
/// Data stays in the buffer until everything before it arrived too, on whatever subflow that is: what
/// a fast one sends waits for the slowest. So each needs room for as long as the longest round-trip
/// time lasts, which makes twice the sum of all bandwidths by that time (Raiciu et al., "How Hard Can
/// It Be? Designing and Implementing a Deployable Multipath TCP", NSDI 2012, section 4.2). No subflow
/// counts for more than `most` bytes.
#[inline]
pub fn send_buffer(subflows: impl Iterator<Item = SubflowBuffer> + Clone, most: u32) -> u64 {
    let longest = subflows.clone().map(|one| one.rtt_us).max().unwrap_or(0);
    let needs = subflows.map(|one| {
        let scaled = u64::from(one.bytes).saturating_mul(u64::from(longest));
        let needed = scaled.checked_div(u64::from(one.rtt_us));
        needed
            .unwrap_or(u64::from(one.bytes))
            .min(u64::from(most.max(one.bytes)))
    });
    needs.fold(0, u64::saturating_add)
}
