// SPDX-License-Identifier: GPL-2.0

//! Data that came before what it follows, as packets in the core's account of it.

use kernel::prelude::*;
use knet::skb::{Packet, PacketQueue, Span};
use mptcp_core::reassembly::{Divisible, Piece, Reassembly, Slot};

/// Room for so many stretches at first, which suffices but for many subflows.
const FEW: usize = 8;
/// Room for so many at most. Subflows deliver in order, so that honest peers leave few gaps; what
/// others send beyond is thrown away.
const MOST: usize = 512;

/// All that waits.
pub(crate) type OutOfOrder = Reassembly<Stretch, Slots>;

/// Nothing waits.
pub(crate) const fn nothing() -> OutOfOrder {
    Reassembly::new(Slots(KVec::new()))
}

/// Packets with data of the stream without a gap; a single one at first.
pub(crate) struct Stretch(pub(crate) PacketQueue);

impl Stretch {
    pub(crate) fn of(packet: Packet) -> Self {
        let mut packets = PacketQueue::new();
        packets.push(packet);
        Self(packets)
    }

    /// Bytes of memory that the packets keep.
    pub(crate) fn memory(&self) -> i32 {
        let mut memory = 0_i32;
        self.0.for_each(|packet| {
            memory = memory.saturating_add(packet.memory());
            true
        });
        memory
    }
}

impl Piece for Stretch {
    fn cut(&mut self, skip: u32, take: u32) {
        if let Some(mut packet) = self.0.pop() {
            let span = packet.span();
            packet.set_span(Span {
                position: span.position.wrapping_add(u64::from(skip)),
                offset: span.offset.saturating_add(skip),
                len: take,
            });
            self.0.push_front(packet);
        }
    }

    fn append(&mut self, mut next: Self) {
        self.0.append(&mut next.0);
    }
}

impl Divisible for Stretch {
    fn take_last(&mut self) -> Option<(Self, u32)> {
        let last = self.0.pop_last()?;
        if self.0.is_empty() {
            self.0.push(last);
            return None;
        }
        let len = last.span().len;
        Some((Self::of(last), len))
    }
}

/// Memory for stretches. Most connections never need any.
pub(crate) struct Slots(KVec<Slot<Stretch>>);

impl Slots {
    /// Makes more room; `false`: there is enough, or no memory. Any context.
    pub(crate) fn grow(&mut self) -> bool {
        let more = self.0.len().clamp(FEW, MOST);
        let whole = self.0.len().saturating_add(more);
        if self.0.len() >= MOST {
            return false;
        }
        let Ok(mut slots) = KVec::with_capacity(whole, GFP_ATOMIC) else {
            return false;
        };
        let free = core::iter::repeat_with(|| Slot::FREE).take(more);
        let all = core::mem::replace(&mut self.0, KVec::new()).into_iter();
        for slot in Iterator::chain(all, free) {
            // There is room for all of them.
            if slots.push_within_capacity(slot).is_err() {
                break;
            }
        }
        self.0 = slots;
        true
    }
}

impl AsRef<[Slot<Stretch>]> for Slots {
    fn as_ref(&self) -> &[Slot<Stretch>] {
        &self.0
    }
}

impl AsMut<[Slot<Stretch>]> for Slots {
    fn as_mut(&mut self) -> &mut [Slot<Stretch>] {
        &mut self.0
    }
}
