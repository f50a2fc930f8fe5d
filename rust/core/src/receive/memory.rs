// SPDX-License-Identifier: GPL-2.0

//! Memory for received data: how much of it may be held, and when to copy data to save it.
//!
//! A packet keeps more memory than it has data, a packet with a single byte hundreds of times as much.
//! The window promises bytes of data; the buffer's limit is in bytes of memory. So packets are copied
//! together once they could use up the memory that the promised data will need.

use crate::num::saturate32;

/// The receive buffer: bytes of memory in use, and the limit that the application or the system set.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ReceiveMemory {
    /// Bytes in use.
    pub used: u32,
    /// Bytes that may be used.
    pub limit: u32,
}

/// Unread packets that keep less memory than this are of no account to a subflow's TCP. It is what a large segment
/// brings; where less waits, few acknowledgements could be saved, and short connections have none to save.
const SMALLEST_CLAIM: u32 = 56 * 1024;
/// The least receive buffer of a subflow in which anything is claimed: a small one needs all of its memory for
/// packets that come.
const SMALLEST_BUFFER: u32 = 128 * 1024;

/// By how many bytes a subflow's window has to be smaller than the one it told last for TCP to wait with an
/// acknowledgement: more than what it loses by rounding to its window scale.
pub const LESS_WINDOW: u32 = 16 * 1024;

/// How much of its receive buffer of `limit` bytes a subflow's TCP is to count as taken, while packets that keep
/// `unread` bytes of memory wait for the application and `enough` bytes would make it wait with its acknowledgement
/// ([`LESS_WINDOW`]). RFC 9293 section 3.8.6.3 lets a receiver wait for the application, which makes an
/// acknowledgement and a window update one segment.
///
/// No more than needed, because TCP tells a smaller window for it; and at most half, because what comes out of
/// order at the subflow has to have room.
#[inline]
pub fn claim(unread: u32, enough: u32, limit: u32) -> u32 {
    if unread < SMALLEST_CLAIM || limit < SMALLEST_BUFFER {
        0
    } else {
        unread.min(enough).min(limit / 2)
    }
}

/// Data bytes of the largest packet into which others are copied: two pages with what a packet itself
/// needs.
const LARGEST_COPY: u32 = 7680;
/// Data bytes of the smallest one.
const SMALLEST_COPY: u32 = 512;

impl ReceiveMemory {
    /// Whether another packet may be taken. One may exceed the limit, as with TCP: its size is not
    /// known before it comes.
    #[inline]
    pub const fn admits(&self) -> bool {
        self.used <= self.limit
    }

    /// Whether another packet may be taken because the window promised room for its bytes, and others wait
    /// for them or are waited for. What was promised was reckoned from packets before; those that came may
    /// keep more memory. To throw data away that the peer's TCP has forgotten already would cost the
    /// connection a timeout, so for this twice the limit may be used.
    #[inline]
    pub const fn keeps_promise(&self) -> bool {
        self.used / 2 <= self.limit
    }

    /// Whether `len` bytes of data in a packet that keeps `memory` bytes are to be copied, so that the
    /// packet can be freed: half of the buffer is in use, and the packet keeps more memory for its
    /// data than was reckoned with when the window was promised. `reckoned` is the data that this
    /// memory was to hold, in bytes.
    #[inline]
    pub const fn copy_due(&self, memory: u32, len: u32, reckoned: u32) -> bool {
        saturate32(self.used as u64 + memory as u64) > self.limit / 2 && len < reckoned
    }

    /// Bytes of data for which a packet to copy to has room: few of them fill a small buffer.
    #[inline]
    pub const fn copy_room(&self) -> u32 {
        let room = self.limit / 16;
        if room < SMALLEST_COPY {
            SMALLEST_COPY
        } else if room > LARGEST_COPY {
            LARGEST_COPY
        } else {
            room
        }
    }

    /// Bytes of data that one packet may gather from others: memory is given back by whole packets,
    /// so a packet must be small beside the buffer.
    #[inline]
    pub const fn largest_gather(&self) -> u32 {
        self.limit / 8
    }
}
