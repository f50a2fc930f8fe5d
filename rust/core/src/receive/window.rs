// SPDX-License-Identifier: GPL-2.0

//! The connection-level receive window (RFC 8684 section 3.3.1: all subflows share one, and it is
//! relative to the DATA_ACK).

use crate::num::{low16, saturate32};
use crate::seq::Dsn;

/// A window to put into a segment.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Advertised {
    /// The value of the TCP header's window field.
    pub field: u16,
    /// The right edge that is promised once the segment is sent; never before the one that was
    /// promised earlier.
    pub promised: Dsn,
    /// The right edge that the field says: the promise, rounded up.
    pub said: Dsn,
}

/// The largest window scale; larger ones count as this (RFC 7323 section 2.3).
const LARGEST_SCALE: u8 = 14;

/// The bytes that the window field of a segment means where the scale is `scale`.
#[inline]
pub const fn scaled(field: u16, scale: u8) -> u32 {
    (field as u32) << bounded(scale)
}

#[inline]
const fn bounded(scale: u8) -> u8 {
    if scale > LARGEST_SCALE {
        LARGEST_SCALE
    } else {
        scale
    }
}

/// The window to advertise in a segment whose DATA_ACK is `rcv_nxt`.
///
/// `promised` is the right edge promised so far by any subflow, `free` the bytes of receive buffer
/// that are free behind `rcv_nxt`, `scale` the window scale of the subflow that sends the segment
/// (RFC 7323 section 2).
///
/// RFC 9293 section 3.8.6: the right edge must not move back, so a buffer that shrank does not
/// shrink the window; and a new promise is rounded down to what the field can say, an old one up.
/// What is gained by rounding up is not promised: else segments smaller than the unit would move
/// the edge on for ever, however full the buffer is.
// rfc8684:3.3.4-1
#[inline]
pub const fn advertise(promised: Dsn, rcv_nxt: Dsn, free: u32, scale: u8) -> Advertised {
    let scale = bounded(scale);
    let offered = at_most(free >> scale, 0xffff);
    let due = saturate32(promised.since(rcv_nxt));
    let rest = if due.trailing_zeros() < scale as u32 {
        1
    } else {
        0
    };
    let owed = (due >> scale).saturating_add(rest);
    let units = at_most(if offered > owed { offered } else { owed }, 0xffff);
    Advertised {
        field: low16(units),
        promised: promised.latest(rcv_nxt.plus((offered as u64) << scale)),
        said: rcv_nxt.plus((units as u64) << scale),
    }
}

#[inline]
const fn at_most(units: u32, most: u32) -> u32 {
    if units > most {
        most
    } else {
        units
    }
}

/// Whether the window has opened so much since the last promise that a segment of its own should
/// tell the peer.
///
/// `left` is what remains of the promised window in bytes, `free` what could be promised now,
/// `capacity` the size of the whole receive buffer, `mss` the largest segment.
/// RFC 9293 section 3.8.6.2.2: worth it is a growth that makes the window [lag](window_lags), or by half the
/// buffer; a window smaller than one segment is not worth opening.
#[inline]
pub const fn update_due(left: u32, free: u32, capacity: u32, mss: u32) -> bool {
    let growth = free.saturating_sub(left);
    if growth == 0 {
        return false;
    }
    let half = capacity / 2;
    window_lags(left, free, mss) || (half > 0 && growth >= half)
}

/// Whether `free` bytes are so many more than the `left` ones that the peer may still send: by two segments of
/// `mss` bytes or more, and at least twice as many.
#[inline]
pub const fn window_lags(left: u32, free: u32, mss: u32) -> bool {
    free.saturating_sub(left) >= mss.saturating_mul(2) && free >= left.saturating_mul(2)
}

/// Fewer bytes than this are little.
const LITTLE: u32 = 1024;

/// Whether so few bytes of a buffer of `capacity` were read that the window need not be reckoned anew.
///
/// RFC 9293 section 3.8.6.2.2: the window does not move by small steps. What is little for most buffers may be a
/// good part of a tiny one.
#[inline]
pub const fn is_little(read: u32, capacity: u32) -> bool {
    read < LITTLE && read < capacity / 8
}

/// The promised right edge together with the rules above, for callers that hold a lock.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ReceiveWindow {
    promised: Dsn,
    edge: Dsn,
}

impl ReceiveWindow {
    /// The window whose right edge is `edge`.
    #[inline]
    pub const fn new(edge: Dsn) -> Self {
        Self {
            promised: edge,
            edge,
        }
    }

    /// The furthest right edge that any segment has said. The peer may send data until there; it is
    /// less than a unit behind what was promised.
    #[inline]
    pub const fn edge(&self) -> Dsn {
        self.edge
    }

    /// Promises what [`advertise`] says and returns the header's window field.
    #[inline]
    pub fn advertise(&mut self, rcv_nxt: Dsn, free: u32, scale: u8) -> u16 {
        let advertised = advertise(self.promised, rcv_nxt, free, scale);
        self.promised = advertised.promised;
        self.edge = self.edge.latest(advertised.said);
        advertised.field
    }

    /// See [`update_due`].
    #[inline]
    pub const fn update_due(&self, rcv_nxt: Dsn, free: u32, capacity: u32, mss: u32) -> bool {
        update_due(saturate32(self.edge.since(rcv_nxt)), free, capacity, mss)
    }
}
