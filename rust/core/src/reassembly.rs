// SPDX-License-Identifier: GPL-2.0

//! Putting the data of several subflows into the order of the connection's stream.
//!
//! What continues the stream goes straight through. What came too early is held in *runs*: stretches
//! without a gap, each a queue of pieces that belongs to the caller. Runs never touch or overlap, so
//! there are as many as there are gaps in front of data, and eight subflows that deliver in turn
//! make about eight of them.
//!
//! | case | cost |
//! |---|---|
//! | the expected next byte, nothing to join | constant |
//! | any other piece, `n` runs held | O(log n), and the same for each run that it covers whole |
//!
//! A run that a piece covers whole, and more behind it, is given back, so each run pays for its
//! end once. Else the bytes that came first stay.
//!
//! Memory is bounded twice: runs by the slots that the caller provides, bytes by the window that
//! was promised. When no slot is free, a piece that would need one is refused; the next expected
//! byte never needs one, so the stream goes on whatever is held.

mod runs;

pub use runs::Slot;

use crate::num::saturate32;
use crate::receive::{FinConflict, Placement, ReceiveState};
use crate::seq::Dsn;
use runs::{Link, Run, Runs};

/// How far ahead of the next expected byte data is held, in bytes. Within half of what 32 bits
/// can tell, lengths of runs fit them.
const REACH: u64 = 1 << 31;

/// A queue of data, in order and without gaps; a single packet at first.
pub trait Piece {
    /// Cuts to the `take` bytes after the first `skip`. Called only for a piece as it was offered.
    fn cut(&mut self, skip: u32, take: u32);

    /// Puts `next` behind. It continues the data, except among pieces that are given back.
    fn append(&mut self, next: Self);
}

/// A queue from which the end can be taken again.
pub trait Divisible: Piece {
    /// Takes off what was appended last, a single packet, and says how many bytes it has. `None` if
    /// there is no more than one packet.
    fn take_last(&mut self) -> Option<(Self, u32)>
    where
        Self: Sized;
}

/// What became of a piece.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// It continues the stream, and so do the bytes that had waited for it.
    Delivered {
        /// How many bytes are ready in all.
        len: u32,
        /// Whether the DATA_FIN is consumed too (RFC 8684 section 3.3.3).
        finished: bool,
    },
    /// It waits for data before it.
    Held {
        /// How many of its bytes were kept: from the first to the last that was new.
        len: u32,
    },
    /// Every byte was received before.
    Duplicate,
    /// Some of it lies outside the window or behind the end of the stream.
    Beyond,
    /// It would need a slot, and none is free; the peer will send it again.
    Full,
}

/// The answer to an offered piece.
#[derive(Debug)]
pub struct Offer<P> {
    /// What became of the piece.
    pub verdict: Verdict,
    /// What the application can have now: there exactly if the verdict is
    /// [`Verdict::Delivered`].
    pub ready: Option<P>,
    /// What is not needed: the piece itself if it was refused, else pieces whose bytes it
    /// brought again. In no particular order.
    pub unneeded: Option<P>,
}

impl<P> Offer<P> {
    #[inline]
    const fn refused(verdict: Verdict, piece: P) -> Self {
        Self {
            verdict,
            ready: None,
            unneeded: Some(piece),
        }
    }
}

/// The data of a connection that came before what it follows (RFC 8684 section 3.3).
///
/// `S` is the memory for the runs, an array or any other owner of a slice of [`Slot`]s; what lies
/// beyond the first 65535 slots is not used.
#[derive(Debug)]
pub struct Reassembly<P, S> {
    runs: Runs<P, S>,
    bytes: u64,
}

impl<P: Piece, S: AsRef<[Slot<P>]> + AsMut<[Slot<P>]>> Reassembly<P, S> {
    /// Holds nothing yet; all of `slots` are [`Slot::FREE`].
    #[inline]
    pub const fn new(slots: S) -> Self {
        Self {
            runs: Runs::new(slots),
            bytes: 0,
        }
    }

    /// How many runs are held.
    #[inline]
    pub const fn len(&self) -> usize {
        self.runs.len()
    }

    /// Whether nothing is held.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.runs.len() == 0
    }

    /// How many bytes are held.
    #[inline]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The number behind the last byte that is held.
    #[inline]
    pub fn end(&self) -> Option<Dsn> {
        self.runs.get(self.runs.last()).map(|run| run.end)
    }

    /// The memory for the runs. Free slots may be put behind those that are there.
    #[inline]
    pub fn slots_mut(&mut self) -> &mut S {
        self.runs.slots_mut()
    }

    /// Takes `piece`, `len` bytes of data from `dsn` on, and moves `state` on by what is ready.
    /// `window_end` is the right edge of the window that was promised. Between two calls nothing
    /// else may move `state` over data.
    // rfc8684:3.3.4-4
    pub fn offer(
        &mut self,
        state: &mut ReceiveState,
        window_end: Dsn,
        dsn: Dsn,
        len: u32,
        piece: P,
    ) -> Offer<P> {
        match state.classify(dsn, len, window_end) {
            Placement::Next { skip, take } => self.deliver(state, skip, take, piece),
            Placement::Later if dsn.since(state.rcv_nxt()) > REACH => {
                Offer::refused(Verdict::Beyond, piece)
            }
            Placement::Later => self.hold(dsn, len, piece),
            Placement::Old => Offer::refused(Verdict::Duplicate, piece),
            Placement::Beyond => Offer::refused(Verdict::Beyond, piece),
        }
    }

    /// Takes note of the peer's DATA_FIN at `fin`, as [`ReceiveState::on_data_fin`] does.
    ///
    /// # Errors
    /// [`FinConflict`] also if data at or behind `fin` is held: data outweighs a DATA_FIN.
    pub fn on_data_fin(
        &self,
        state: &mut ReceiveState,
        fin: Dsn,
        window_end: Dsn,
    ) -> Result<bool, FinConflict> {
        match self.end() {
            Some(end) if end.after(fin) => Err(FinConflict),
            _ => state.on_data_fin(fin, window_end),
        }
    }

    /// Takes out what is held first, in the order of the stream: the end of a connection whose
    /// data nobody waits for.
    #[inline]
    pub fn pop(&mut self) -> Option<P> {
        self.take(self.runs.first()).map(|run| run.piece)
    }

    /// Delivers what follows the first `skip` bytes of `piece`, and the run that it reaches.
    #[inline]
    fn deliver(
        &mut self,
        state: &mut ReceiveState,
        skip: u32,
        take: u32,
        mut piece: P,
    ) -> Offer<P> {
        let start = state.rcv_nxt();
        let mut unneeded = None;
        let mut end = start.plus(u64::from(take));
        let reached = self.clear(Link::NIL, &mut end, &mut unneeded);
        piece.cut(skip, saturate32(end.since(start)));
        if let Some(run) = self.take(reached) {
            end = run.end;
            piece.append(run.piece);
        }
        let len = saturate32(end.since(start));
        Offer {
            verdict: Verdict::Delivered {
                len,
                finished: state.advance(len),
            },
            ready: Some(piece),
            unneeded,
        }
    }

    /// Holds the bytes of `piece` that are new.
    fn hold(&mut self, dsn: Dsn, len: u32, mut piece: P) -> Offer<P> {
        let mut end = dsn.plus(u64::from(len));
        let before = self.runs.at_or_before(dsn);
        // Until its end the run before has the bytes already.
        let known = self.runs.get(before).map_or(dsn, |run| run.end);
        if len == 0 || !end.after(known) {
            return Offer::refused(Verdict::Duplicate, piece);
        }
        let continues = before != Link::NIL && !known.before(dsn);
        let start = known.latest(dsn);
        let mut unneeded = None;
        let after = self.clear(before, &mut end, &mut unneeded);
        if !continues && after == Link::NIL && self.runs.is_full() {
            // Nothing was cleared, or there would be a slot.
            return Offer::refused(Verdict::Full, piece);
        }
        let fresh = saturate32(end.since(start));
        piece.cut(saturate32(start.since(dsn)), fresh);
        self.bytes = self.bytes.saturating_add(u64::from(fresh));
        if continues {
            self.fill_gap(before, end, piece, after);
        } else if let Some(run) = self.runs.get_mut(after) {
            run.start = start;
            core::mem::swap(&mut run.piece, &mut piece);
            run.piece.append(piece);
        } else {
            self.runs.insert(before, Run { start, end, piece });
        }
        Offer {
            verdict: Verdict::Held { len: fresh },
            ready: None,
            unneeded,
        }
    }

    /// Appends `piece`, whose data ends at `end`, to the run `before`, and joins the run `after`
    /// to them if there is one.
    #[inline]
    fn fill_gap(&mut self, before: Link, end: Dsn, mut piece: P, after: Link) {
        // The run before stays where it is in memory: only later ones move.
        let joined = self.runs.remove(after);
        let end = joined.as_ref().map_or(end, |run| run.end);
        if let Some(run) = joined {
            piece.append(run.piece);
        }
        if let Some(run) = self.runs.get_mut(before) {
            run.end = end;
            run.piece.append(piece);
        }
    }

    /// Clears the way for data behind the run `before` up to `end`. A run that ends earlier is
    /// taken out; one that the data reaches stays and is returned, and the data ends where it
    /// begins.
    #[inline]
    fn clear(&mut self, before: Link, end: &mut Dsn, unneeded: &mut Option<P>) -> Link {
        loop {
            let next = self.runs.after(before);
            let Some(run) = self.runs.get(next) else {
                return Link::NIL;
            };
            if run.start.after(*end) {
                return Link::NIL;
            }
            if !run.end.before(*end) {
                *end = run.start;
                return next;
            }
            if let Some(covered) = self.take(next) {
                match unneeded {
                    Some(pieces) => pieces.append(covered.piece),
                    None => *unneeded = Some(covered.piece),
                }
            }
        }
    }

    /// Takes a run out.
    #[inline]
    fn take(&mut self, at: Link) -> Option<Run<P>> {
        let run = self.runs.remove(at)?;
        self.bytes = self.bytes.saturating_sub(run.end.since(run.start));
        Some(run)
    }
}

impl<P: Divisible, S: AsRef<[Slot<P>]> + AsMut<[Slot<P>]>> Reassembly<P, S> {
    /// Takes out the packet that is held last in the order of the stream: whoever has not the memory
    /// for all gives up what is needed last.
    pub fn pop_last(&mut self) -> Option<P> {
        let last = self.runs.last();
        let run = self.runs.get_mut(last)?;
        let Some((piece, len)) = run.piece.take_last() else {
            return self.take(last).map(|run| run.piece);
        };
        run.end = run.end.minus(len.into());
        self.bytes = self.bytes.saturating_sub(len.into());
        Some(piece)
    }
}

#[cfg(test)]
mod tests;
