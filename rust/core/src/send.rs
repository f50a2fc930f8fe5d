// SPDX-License-Identifier: GPL-2.0

//! Sending at the data level: window, acknowledgement, retransmission.

mod buffer;
mod resend;
mod timer;

pub use buffer::{send_buffer, SubflowBuffer};
pub use resend::MAX_RANGES;
pub use timer::{retransmit_timeout, LONGEST_WAIT, MAX_BACKOFF, UNKNOWN_RTO};

use crate::num::saturate32;
use crate::seq::Dsn;
use resend::Resend;

/// What a data acknowledgement changed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct AckOutcome {
    /// Bytes of data newly acknowledged, the DATA_FIN not counted.
    pub acked: u64,
    /// Whether the window's right edge moved forward.
    pub window_grew: bool,
    /// Whether the DATA_FIN was acknowledged by this.
    pub fin_acked: bool,
}

/// A data acknowledgement of what was never sent; the answer is to ignore it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rejected;

/// The sequence variables of the sending direction, named as TCP's (RFC 9293 section 3.3.1) but
/// counting data sequence numbers (RFC 8684 section 3.3).
///
/// Invariant: `una <= nxt <= write` without a DATA_FIN, and at most one more with a DATA_FIN, which
/// occupies the number `write`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct SendState {
    una: Dsn,
    nxt: Dsn,
    write: Dsn,
    wnd_end: Dsn,
    resend: Resend,
    fin: Fin,
    /// The number after the last segment that was not full.
    small_end: Dsn,
}

/// How far the DATA_FIN is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Fin {
    #[default]
    None,
    Queued,
    Sent,
    Acked,
}

impl SendState {
    /// The state before any data. `first` is the number of the first byte of data, our initial
    /// data sequence number plus one; `window` the peer's first window in bytes.
    // rfc8684:3.1-21
    #[inline]
    pub const fn new(first: Dsn, window: u32) -> Self {
        Self {
            una: first,
            nxt: first,
            write: first,
            wnd_end: first.plus(window as u64),
            resend: Resend::new(),
            fin: Fin::None,
            small_end: first,
        }
    }

    /// The oldest number that is not acknowledged.
    #[inline]
    pub const fn una(&self) -> Dsn {
        self.una
    }

    /// The next number to give to a subflow for the first time.
    #[inline]
    pub const fn nxt(&self) -> Dsn {
        self.nxt
    }

    /// The number that the next byte from the application gets.
    #[inline]
    pub const fn write(&self) -> Dsn {
        self.write
    }

    /// The right edge of the peer's window.
    #[inline]
    pub const fn wnd_end(&self) -> Dsn {
        self.wnd_end
    }

    /// Takes note of `count` bytes that the application wrote. After it closed its sending side
    /// it cannot write, and the number of the DATA_FIN stands.
    #[inline]
    pub fn on_written(&mut self, count: u32) {
        if self.fin == Fin::None {
            self.write = self.write.plus(u64::from(count));
        }
    }

    /// Bytes of data that wait to be given to a subflow, whatever the window says.
    #[inline]
    pub const fn unsent(&self) -> u64 {
        self.write.since(self.nxt)
    }

    /// Bytes of data that were sent and are not acknowledged.
    #[inline]
    pub const fn in_flight(&self) -> u64 {
        self.nxt.earliest(self.write).since(self.una)
    }

    /// Bytes of data that may be given to a subflow now.
    ///
    /// RFC 8684 section 3.3.5: the sender obeys the window relative to the largest DATA_ACK.
    // rfc8684:3.3.5-5
    #[inline]
    pub const fn available(&self) -> u32 {
        saturate32(self.write.earliest(self.wnd_end).since(self.nxt))
    }

    /// Bytes of data that are worth being given to a subflow with segments of `mss` bytes now: where the window cuts
    /// data off, whole segments only, as long as something is in flight whose acknowledgement moves the window.
    ///
    /// RFC 9293 section 3.8.6.2.1: a sender that fills each small gap of the window has nothing but small segments in
    /// flight in the end (the silly window syndrome).
    #[inline]
    pub fn admitted(&self, mss: u32) -> u32 {
        let available = self.available();
        let cut = u64::from(available) < self.unsent();
        match available.checked_rem(mss) {
            Some(part) if cut && self.in_flight() > 0 => available.saturating_sub(part),
            _ => available,
        }
    }

    /// Takes note of `count` bytes given to a subflow for the first time.
    #[inline]
    pub fn on_pushed(&mut self, count: u32) {
        let end = self.nxt.plus(u64::from(count)).earliest(self.write);
        self.nxt = self.nxt.latest(end);
    }

    /// As [`on_pushed`](Self::on_pushed), in segments of `mss` bytes, of which the last may not be full.
    #[inline]
    pub fn on_segments_pushed(&mut self, count: u32, mss: u32) {
        self.on_pushed(count);
        if count.checked_rem(mss) != Some(0) {
            self.small_end = self.nxt;
        }
    }

    /// Whether a segment that was not full is not acknowledged.
    #[inline]
    pub const fn small_in_flight(&self) -> bool {
        self.small_end.after(self.una)
    }

    /// Whether the peer's window is closed for waiting data while nothing is in flight, so that no
    /// acknowledgement will open it: one byte beyond the window must be sent to ask
    /// (RFC 9293 section 3.8.6.1).
    #[inline]
    pub const fn probe_due(&self) -> bool {
        self.unsent() > 0 && self.available() == 0 && self.una.distance(self.nxt) == 0
    }

    /// Takes note that the application closed its sending side: a DATA_FIN follows the data.
    #[inline]
    pub fn on_fin_queued(&mut self) {
        if self.fin == Fin::None {
            self.fin = Fin::Queued;
        }
    }

    /// The number of the DATA_FIN, once the application closed its sending side.
    #[inline]
    pub const fn fin(&self) -> Option<Dsn> {
        match self.fin {
            Fin::None => None,
            Fin::Queued | Fin::Sent | Fin::Acked => Some(self.write),
        }
    }

    /// Whether the DATA_FIN may be sent now: all data before it was given to subflows. It fits any
    /// window, as TCP's FIN does.
    #[inline]
    pub const fn fin_due(&self) -> bool {
        matches!(self.fin, Fin::Queued) && self.unsent() == 0
    }

    /// Takes note that the DATA_FIN was sent for the first time.
    #[inline]
    pub fn on_fin_sent(&mut self) {
        if self.fin_due() {
            self.fin = Fin::Sent;
            self.nxt = self.write.plus(1);
        }
    }

    /// Whether the DATA_FIN was acknowledged.
    #[inline]
    pub const fn fin_acked(&self) -> bool {
        matches!(self.fin, Fin::Acked)
    }

    /// Takes note of a data acknowledgement `ack` that came with a window of `window` bytes.
    ///
    /// An old acknowledgement changes nothing, but the window it brings may still reach further.
    ///
    /// # Errors
    /// [`Rejected`] if `ack` acknowledges what was never sent.
    // rfc8684:3.3.2-1 rfc8684:3.3.2-3 rfc8684:3.3.5-1 rfc8684:3.3.5-2
    // rfc8684:3.3.2-6 rfc8684:3.3.6-4 rfc8684:4-1
    #[inline]
    pub fn on_data_ack(&mut self, ack: Dsn, window: u32) -> Result<AckOutcome, Rejected> {
        if ack.after(self.nxt) {
            return Err(Rejected);
        }
        let edge = ack.plus(u64::from(window));
        let window_grew = edge.after(self.wnd_end);
        self.wnd_end = self.wnd_end.latest(edge);
        if !ack.after(self.una) {
            return Ok(AckOutcome {
                window_grew,
                ..AckOutcome::default()
            });
        }
        let acked = ack.earliest(self.write).since(self.una);
        let fin_acked = self.fin == Fin::Sent && ack.after(self.write);
        if fin_acked {
            self.fin = Fin::Acked;
        }
        self.una = ack;
        self.resend.forget_before(ack);
        Ok(AckOutcome {
            acked,
            window_grew,
            fin_acked,
        })
    }

    /// Goes on as plain TCP: what was given to the subflow is the subflow's business, its window
    /// is the only one, and the end of the stream has to be told by its FIN, even if a DATA_FIN
    /// was sent that the peer did not acknowledge. Returns the bytes of data that were not
    /// acknowledged until now.
    ///
    /// RFC 8684 section 3.7: after fallback no data-level acknowledgement comes any more.
    // rfc8684:3.7-17
    #[inline]
    pub fn fall_back(&mut self) -> u64 {
        if self.fin == Fin::Sent {
            self.fin = Fin::Queued;
            self.nxt = self.write;
        }
        let acked = self.in_flight();
        self.una = self.nxt;
        self.resend = Resend::new();
        self.wnd_end = self.wnd_end.latest(self.nxt.plus(u64::from(u32::MAX)));
        acked
    }

    /// Whether anything that was sent, data or DATA_FIN, is not acknowledged.
    #[inline]
    pub const fn needs_retransmit(&self) -> bool {
        self.una.before(self.nxt)
    }

    /// Starts to send again everything that was sent and is not acknowledged
    /// (RFC 8684 section 3.3.6).
    #[inline]
    pub fn start_retransmit(&mut self) {
        self.send_again(self.una, self.nxt);
    }

    /// Has the data from `from` up to `end` sent again, as far as it was sent and is not
    /// acknowledged: the subflow that carried it is gone, or does not answer
    /// (RFC 8684 section 3.3.6).
    #[inline]
    pub fn send_again(&mut self, from: Dsn, end: Dsn) {
        let sent = self.nxt.earliest(self.write);
        self.resend.add(from.latest(self.una), end.earliest(sent));
    }

    /// The data to send again: where it starts and how many bytes it has. `None` when all of it
    /// was sent again, or acknowledged meanwhile.
    #[inline]
    pub fn retransmit_next(&self) -> Option<(Dsn, u32)> {
        let piece = self.resend.first()?;
        Some((piece.from, saturate32(piece.end.since(piece.from))))
    }

    /// Takes note of `count` bytes from the start of [`Self::retransmit_next`] sent again.
    #[inline]
    pub fn on_retransmitted(&mut self, count: u32) {
        if let Some(piece) = self.resend.first() {
            let end = piece.from.plus(u64::from(count));
            self.resend.forget_before(end.earliest(piece.end));
        }
    }

    /// Whether the DATA_FIN was sent and is not acknowledged.
    #[inline]
    pub const fn fin_in_flight(&self) -> bool {
        matches!(self.fin, Fin::Sent)
    }
}

#[cfg(test)]
mod tests;
