// SPDX-License-Identifier: GPL-2.0

//! Packets that were taken from a subflow, and queues of them.
//!
//! C header: `include/linux/skbuff.h`.

use crate::bindings;
use core::mem::{size_of, ManuallyDrop};
use core::ptr::{addr_of_mut, null_mut, NonNull};
use kernel::prelude::*;

/// Which bytes of a packet count, and where they lie in the stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(C)]
pub struct Span {
    /// Position of the first byte in the connection's stream (a data sequence number).
    pub position: u64,
    /// Offset of the first byte in the packet.
    pub offset: u32,
    /// Number of bytes.
    pub len: u32,
}

const _: () = assert!(size_of::<Span>() <= 48);

/// A packet without owner. Its control block holds a [`Span`].
///
/// # Invariants
///
/// The packet is live, in no list, and reachable by nobody else (its data may be shared).
pub struct Packet(NonNull<bindings::sk_buff>);

// SAFETY: The packet is reachable through the value alone.
unsafe impl Send for Packet {}

impl Packet {
    /// # Safety
    ///
    /// The caller gives its exclusive reference to `skb`, which is in no list.
    pub(crate) unsafe fn from_raw(skb: NonNull<bindings::sk_buff>) -> Self {
        let mut this = Self(skb);
        // INVARIANT: By the caller's promise.
        this.set_span(Span {
            position: 0,
            offset: 0,
            len: 0,
        });
        this
    }

    fn span_ptr(&self) -> *mut Span {
        // SAFETY: The control block is 48 bytes, aligned to 8, and ours while we own the packet.
        unsafe { addr_of_mut!((*self.0.as_ptr()).cb).cast() }
    }

    /// Which bytes count.
    pub fn span(&self) -> Span {
        // SAFETY: Written when the packet was taken.
        unsafe { self.span_ptr().read() }
    }

    /// Sets which bytes count; what lies outside of the packet's data is not delivered.
    pub fn set_span(&mut self, span: Span) {
        // SAFETY: See `span_ptr`.
        unsafe { self.span_ptr().write(span) }
    }

    /// Bytes of memory that the packet keeps.
    pub fn memory(&self) -> i32 {
        // SAFETY: The packet is live.
        i32::try_from(unsafe { (*self.0.as_ptr()).truesize }).unwrap_or(i32::MAX)
    }

    /// Ones'-complement sum, not folded to 16 bits, of `len` bytes from `offset`.
    pub fn checksum(&self, offset: u32, len: u32) -> u32 {
        // SAFETY: The packet is live; the kernel checks the range.
        unsafe {
            bindings::knet_helper_skb_checksum(self.0.as_ptr(), offset as c_int, len as c_int)
        }
    }

    pub(crate) fn as_ptr(&self) -> *mut bindings::sk_buff {
        self.0.as_ptr()
    }

    fn into_raw(self) -> NonNull<bindings::sk_buff> {
        let skb = self.0;
        core::mem::forget(self);
        skb
    }
}

impl Drop for Packet {
    fn drop(&mut self) {
        // SAFETY: The packet is ours alone.
        unsafe { bindings::knet_helper_consume_skb(self.0.as_ptr()) }
    }
}

/// A queue of packets, linked through the packets themselves.
///
/// # Invariants
///
/// The pair is the first and the last packet of a list that is linked both ways and ends in null
/// both ways. The queue owns the list's packets as [`Packet`] would, and each carries a [`Span`].
pub struct PacketQueue(Option<(NonNull<bindings::sk_buff>, NonNull<bindings::sk_buff>)>);

// SAFETY: The packets are reachable through the value alone.
unsafe impl Send for PacketQueue {}
// SAFETY: A shared reference only reads.
unsafe impl Sync for PacketQueue {}

impl PacketQueue {
    /// An empty queue.
    pub const fn new() -> Self {
        // INVARIANT: There is no packet.
        Self(None)
    }

    /// Whether there is no packet.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The span of the first packet.
    pub fn front(&self) -> Option<Span> {
        let (first, _) = self.0?;
        Some(lend(&first).span())
    }

    /// Takes the first packet.
    pub fn pop(&mut self) -> Option<Packet> {
        let (first, last) = self.0?;
        // SAFETY: By the type invariant; without its links the packet is in no list.
        unsafe {
            let next = NonNull::new(*next_of(first));
            *next_of(first) = null_mut();
            if let Some(next) = next {
                *previous_of(next) = null_mut();
            }
            // INVARIANT: The rest of the list is closed where the packet was.
            self.0 = next.map(|next| (next, last));
        }
        // INVARIANT: The queue owned the packet and gives it up.
        Some(Packet(first))
    }

    /// Appends a packet.
    pub fn push(&mut self, packet: Packet) {
        let last = self.0.map(|(_, last)| last);
        self.insert_after(last, packet);
    }

    /// Puts a packet first.
    pub fn push_front(&mut self, packet: Packet) {
        self.insert_after(None, packet);
    }

    /// Inserts a packet in the order of positions, searching from the end; behind others of its
    /// position. Returns whether it is the last one now.
    pub fn insert_ordered(&mut self, packet: Packet) -> bool {
        let position = packet.span().position;
        let last = self.0.map(|(_, last)| last);
        let mut before = last;
        while let Some(at) = before {
            let distance = lend(&at).span().position.wrapping_sub(position) as i64;
            if distance <= 0 {
                break;
            }
            // SAFETY: By the type invariant.
            before = NonNull::new(unsafe { *previous_of(at) });
        }
        self.insert_after(before, packet);
        before == last
    }

    /// Inserts a packet behind `before`, a packet of this queue; `None` puts it first.
    fn insert_after(&mut self, before: Option<NonNull<bindings::sk_buff>>, packet: Packet) {
        let new = packet.into_raw();
        // SAFETY: By the type invariant; the new packet is ours and in no list.
        unsafe {
            let after = match before {
                Some(before) => NonNull::new(*next_of(before)),
                None => self.0.map(|(first, _)| first),
            };
            *previous_of(new) = before.map_or(null_mut(), NonNull::as_ptr);
            *next_of(new) = after.map_or(null_mut(), NonNull::as_ptr);
            if let Some(before) = before {
                *next_of(before) = new.as_ptr();
            }
            if let Some(after) = after {
                *previous_of(after) = new.as_ptr();
            }
            // INVARIANT: The packet is linked both ways, and an end where it has no neighbour.
            self.0 = match (self.0, before, after) {
                (Some((_, last)), None, _) => Some((new, last)),
                (Some((first, _)), _, None) => Some((first, new)),
                (None, _, _) => Some((new, new)),
                (ends, _, _) => ends,
            };
        }
    }

    /// Moves all packets of `other` to the end of this queue.
    pub fn append(&mut self, other: &mut Self) {
        let Some((first, last)) = other.0.take() else {
            return;
        };
        // INVARIANT: Both lists are closed, and joined both ways here.
        self.0 = match self.0 {
            // SAFETY: By the type invariant.
            Some((own_first, own_last)) => unsafe {
                *next_of(own_last) = first.as_ptr();
                *previous_of(first) = own_last.as_ptr();
                Some((own_first, last))
            },
            None => Some((first, last)),
        };
    }

    /// Calls `f` for each packet from the first on until it returns `false`.
    pub fn for_each(&self, mut f: impl FnMut(&Packet) -> bool) {
        let mut at = self.0.map(|(first, _)| first);
        while let Some(packet) = at {
            if !f(&lend(&packet)) {
                return;
            }
            // SAFETY: By the type invariant.
            at = NonNull::new(unsafe { *next_of(packet) });
        }
    }

    /// Moves all packets of a list of the kernel to the end of this queue.
    ///
    /// # Safety
    ///
    /// `from` is an initialised list whose lock the caller holds, and all its packets are its own
    /// and carry a [`Span`].
    pub(crate) unsafe fn append_list(&mut self, from: *mut bindings::sk_buff_head) {
        // SAFETY: By the caller's promise. The list is a ring that its head closes.
        unsafe {
            let Some(first) = NonNull::new(bindings::knet_helper_skb_peek(from)) else {
                return;
            };
            let Some(last) = NonNull::new(bindings::knet_helper_skb_peek_tail(from)) else {
                return;
            };
            bindings::knet_helper_skb_queue_init(from);
            *previous_of(first) = null_mut();
            *next_of(last) = null_mut();
            // INVARIANT: The head is out of the ring, whose ends are closed.
            self.append(&mut Self(Some((first, last))));
        }
    }
}

/// The packet at `at`, not owned.
fn lend(at: &NonNull<bindings::sk_buff>) -> ManuallyDrop<Packet> {
    ManuallyDrop::new(Packet(*at))
}

/// Where a packet keeps the one after it.
///
/// # Safety
///
/// `skb` is live and ours while the result is used.
unsafe fn next_of(skb: NonNull<bindings::sk_buff>) -> *mut *mut bindings::sk_buff {
    // SAFETY: By the caller's promise.
    unsafe { addr_of_mut!((*skb.as_ptr()).__bindgen_anon_1.__bindgen_anon_1.next) }
}

/// Where a packet keeps the one before it.
///
/// # Safety
///
/// `skb` is live and ours while the result is used.
unsafe fn previous_of(skb: NonNull<bindings::sk_buff>) -> *mut *mut bindings::sk_buff {
    // SAFETY: By the caller's promise.
    unsafe { addr_of_mut!((*skb.as_ptr()).__bindgen_anon_1.__bindgen_anon_1.prev) }
}

impl Default for PacketQueue {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for PacketQueue {
    fn drop(&mut self) {
        while self.pop().is_some() {}
    }
}
