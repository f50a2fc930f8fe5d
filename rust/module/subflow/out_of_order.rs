// SPDX-License-Identifier: GPL-2.0

//! Data that arrived before what it follows.

use knet::skb::{Packet, PacketQueue, Span};

/// Packets in the order of their positions, and how many bytes they hold.
pub(crate) struct OutOfOrder {
    packets: PacketQueue,
    bytes: u32,
}

impl OutOfOrder {
    /// Nothing.
    pub(crate) const fn new() -> Self {
        Self {
            packets: PacketQueue::new(),
            bytes: 0,
        }
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// How many bytes wait. The window behind the last byte in order has room for them already: they lie in it.
    pub(crate) fn bytes(&self) -> u32 {
        self.bytes
    }

    /// Whether all these bytes wait already, in one packet.
    pub(crate) fn holds(&self, span: Span) -> bool {
        self.packets.holds(span)
    }

    /// Inserts a packet. Returns whether it is the last one now.
    pub(crate) fn insert(&mut self, packet: Packet) -> bool {
        self.bytes = self.bytes.saturating_add(packet.span().len);
        self.packets.insert_ordered(packet)
    }

    /// Where the first packet belongs.
    pub(crate) fn front(&self) -> Option<Span> {
        self.packets.front()
    }

    /// Takes the first packet.
    pub(crate) fn pop(&mut self) -> Option<Packet> {
        let packet = self.packets.pop();
        self.taken(packet)
    }

    /// Takes the last packet.
    pub(crate) fn pop_last(&mut self) -> Option<Packet> {
        let packet = self.packets.pop_last();
        self.taken(packet)
    }

    /// Calls `f` for each packet from the first on until it returns `false`.
    pub(crate) fn for_each(&self, f: impl FnMut(&Packet) -> bool) {
        self.packets.for_each(f);
    }

    fn taken(&mut self, packet: Option<Packet>) -> Option<Packet> {
        let len = packet.as_ref().map_or(0, |packet| packet.span().len);
        self.bytes = self.bytes.saturating_sub(len);
        packet
    }
}
