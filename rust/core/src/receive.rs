// SPDX-License-Identifier: GPL-2.0

//! Receiving at the data level: order, window, buffer size, memory.

mod memory;
mod right_sizing;
mod window;

pub use memory::{claim, ReceiveMemory, LESS_WINDOW};
pub use right_sizing::RightSizing;
pub use window::{
    advertise, is_little, scaled, update_due, window_lags, Advertised, ReceiveWindow,
};

use crate::num::saturate32;
use crate::seq::Dsn;

/// Where arriving data belongs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Placement {
    /// It continues the stream: `take` bytes after the first `skip`, which were received before.
    Next {
        /// Leading bytes that were received before.
        skip: u32,
        /// Bytes that are new.
        take: u32,
    },
    /// It belongs behind data that is still missing, and lies inside the window.
    Later,
    /// All of it was received before.
    Old,
    /// Some of it lies outside the window or behind the end of the stream; drop it.
    Beyond,
}

/// The peer's DATA_FIN contradicts what it said or sent before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FinConflict;

/// What was received in order at the data level (RFC 8684 section 3.3.2).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ReceiveState {
    rcv_nxt: Dsn,
    data_fin: Option<Dsn>,
}

impl ReceiveState {
    /// The state before any data; `first` is the number of the first byte of data, the peer's
    /// initial data sequence number plus one.
    // rfc8684:3.1-21
    #[inline]
    pub const fn new(first: Dsn) -> Self {
        Self {
            rcv_nxt: first,
            data_fin: None,
        }
    }

    /// The next number expected, which is the DATA_ACK to send.
    // rfc8684:3.3.2-2
    #[inline]
    pub const fn rcv_nxt(&self) -> Dsn {
        self.rcv_nxt
    }

    /// The number of the peer's DATA_FIN, once it is known.
    #[inline]
    pub const fn data_fin(&self) -> Option<Dsn> {
        self.data_fin
    }

    /// Whether all data and the DATA_FIN were received.
    #[inline]
    pub const fn finished(&self) -> bool {
        match self.data_fin {
            Some(fin) => self.rcv_nxt.after(fin),
            None => false,
        }
    }

    /// Says where `len` bytes of data starting at `dsn` belong. `window_end` is the right edge of
    /// the window that was promised.
    ///
    /// RFC 8684 section 3.3.5: data outside the connection-level window is not accepted even if
    /// the subflow's TCP did. Data that continues the stream is taken whole if it starts inside
    /// the window: TCP has acknowledged it, so refusing its tail only causes a retransmission.
    /// A single byte is taken even if the window is closed, because it asks for the window
    /// (RFC 9293 section 3.8.6.1).
    // rfc8684:3.3.4-3 rfc8684:3.8-1
    #[inline]
    pub fn classify(&self, dsn: Dsn, len: u32, window_end: Dsn) -> Placement {
        let end = dsn.plus(u64::from(len));
        if !end.after(self.rcv_nxt) {
            return Placement::Old;
        }
        if self.finished() {
            return Placement::Beyond;
        }
        if dsn.after(self.rcv_nxt) {
            return match end.after(window_end) {
                true => Placement::Beyond,
                false => Placement::Later,
            };
        }
        let skip = saturate32(self.rcv_nxt.since(dsn));
        let take = len.saturating_sub(skip);
        if !self.rcv_nxt.before(window_end) && take > 1 {
            return Placement::Beyond;
        }
        Placement::Next { skip, take }
    }

    /// Moves on by `len` bytes of data that were taken in order. Returns whether this also
    /// completed the stream, that is consumed the DATA_FIN.
    ///
    /// Data outweighs a DATA_FIN that it contradicts: an option without data is easier to forge.
    #[inline]
    pub fn advance(&mut self, len: u32) -> bool {
        self.rcv_nxt = self.rcv_nxt.plus(u64::from(len));
        self.data_fin = self.data_fin.filter(|fin| !fin.before(self.rcv_nxt));
        self.consume_fin()
    }

    /// Takes note of a DATA_FIN at `fin`; `window_end` is the right edge of the window that was
    /// promised. Returns whether this completed the stream: all data is here and the DATA_FIN,
    /// which occupies one number (RFC 8684 section 3.3.3), is consumed.
    ///
    /// While data before it is missing, a later DATA_FIN replaces an earlier one: who knows the
    /// sequence numbers of the subflow only must not be able to keep the connection from its end.
    ///
    /// # Errors
    /// [`FinConflict`] if data at or behind `fin` was received, another DATA_FIN was consumed, or
    /// `fin` lies outside the window, where the peer had no leave to send data up to it.
    #[inline]
    pub fn on_data_fin(&mut self, fin: Dsn, window_end: Dsn) -> Result<bool, FinConflict> {
        if self.data_fin == Some(fin) {
            return Ok(false);
        }
        let last = window_end.latest(self.rcv_nxt);
        if self.finished() || fin.before(self.rcv_nxt) || fin.after(last) {
            return Err(FinConflict);
        }
        self.data_fin = Some(fin);
        Ok(self.consume_fin())
    }

    // rfc8684:3.3.3-5
    #[inline]
    fn consume_fin(&mut self) -> bool {
        let complete = self.data_fin == Some(self.rcv_nxt);
        if complete {
            self.rcv_nxt = self.rcv_nxt.plus(1);
        }
        complete
    }
}

#[cfg(test)]
mod tests;
