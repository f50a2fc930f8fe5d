// SPDX-License-Identifier: GPL-2.0

//! Packets that were taken from a subflow, and queues of them.
//!
//! C header: `include/linux/skbuff.h`.

use crate::bindings;
use core::cell::UnsafeCell;
use core::mem::size_of;
use core::ptr::NonNull;
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
        unsafe { core::ptr::addr_of_mut!((*self.0.as_ptr()).cb).cast() }
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

/// A queue of packets. Whoever reaches it exclusively may change it.
pub struct PacketQueue(UnsafeCell<bindings::sk_buff_head>, bool);

// SAFETY: The list is only reached through `&mut`, but for `&self` reads of its head pointer.
unsafe impl Send for PacketQueue {}
// SAFETY: As above.
unsafe impl Sync for PacketQueue {}

impl PacketQueue {
    /// An empty queue. Its list is initialised where it lies, at the first use.
    pub const fn new() -> Self {
        // SAFETY: An all-zero list head is only used after `ready` initialised it.
        Self(UnsafeCell::new(unsafe { core::mem::zeroed() }), false)
    }

    fn list(&mut self) -> *mut bindings::sk_buff_head {
        if !self.1 {
            // SAFETY: The list is empty; from here on the queue does not move, because it lies in
            // a socket's state.
            unsafe { bindings::knet_helper_skb_queue_init(self.0.get()) };
            self.1 = true;
        }
        self.0.get()
    }

    /// Whether there is no packet.
    pub fn is_empty(&mut self) -> bool {
        self.front().is_none()
    }

    /// The span of the first packet.
    pub fn front(&mut self) -> Option<Span> {
        let list = self.list();
        // SAFETY: The list is initialised; packets in it are ours and carry a span.
        unsafe {
            let skb = NonNull::new(bindings::knet_helper_skb_peek(list))?;
            Some(
                core::ptr::addr_of!((*skb.as_ptr()).cb)
                    .cast::<Span>()
                    .read(),
            )
        }
    }

    /// Takes the first packet.
    pub fn pop(&mut self) -> Option<Packet> {
        let list = self.list();
        // SAFETY: The list is initialised; a packet taken from it is ours alone.
        NonNull::new(unsafe { bindings::knet_helper_skb_dequeue(list) }).map(Packet)
    }

    /// Appends a packet.
    pub fn push(&mut self, packet: Packet) {
        let list = self.list();
        // SAFETY: The list is initialised, and the packet is in no list.
        unsafe { bindings::knet_helper_skb_queue_tail(list, packet.into_raw().as_ptr()) }
    }

    /// Puts a packet first.
    pub fn push_front(&mut self, packet: Packet) {
        let list = self.list();
        // SAFETY: The list is initialised, and the packet is in no list.
        unsafe { bindings::knet_helper_skb_queue_head(list, packet.into_raw().as_ptr()) }
    }

    /// Inserts a packet in the order of positions, searching from the end.
    pub fn insert_ordered(&mut self, packet: Packet) {
        let mut later = Self::new();
        let position = packet.span().position;
        while let Some(last) = self.pop_back() {
            let before = (last.span().position.wrapping_sub(position) as i64) <= 0;
            if before {
                self.push(last);
                break;
            }
            later.push_front(last);
        }
        self.push(packet);
        self.append(&mut later);
    }

    fn pop_back(&mut self) -> Option<Packet> {
        let list = self.list();
        // SAFETY: The list is initialised; a packet taken from it is ours alone.
        NonNull::new(unsafe { bindings::knet_helper_skb_dequeue_tail(list) }).map(Packet)
    }

    /// Moves all packets of `other` to the end of this queue.
    pub fn append(&mut self, other: &mut Self) {
        let (to, from) = (self.list(), other.list());
        // SAFETY: Both lists are initialised and reached exclusively.
        unsafe { bindings::knet_helper_skb_queue_splice_tail_init(from, to) }
    }

    /// Calls `f` for each packet from the first on until it breaks.
    pub fn for_each(&mut self, mut f: impl FnMut(&Packet) -> bool) {
        let list = self.list();
        // SAFETY: The list is initialised and nobody changes it during the loop.
        unsafe {
            let mut skb = bindings::knet_helper_skb_peek(list);
            while let Some(at) = NonNull::new(skb) {
                let packet = core::mem::ManuallyDrop::new(Packet(at));
                if !f(&packet) {
                    return;
                }
                skb = bindings::knet_helper_skb_peek_next(at.as_ptr(), list);
            }
        }
    }
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

impl PacketQueue {
    /// Moves all packets of a list to the end of this queue.
    ///
    /// # Safety
    ///
    /// `from` is an initialised list whose lock the caller holds, and all its packets carry a
    /// [`Span`].
    pub(crate) unsafe fn append_list(&mut self, from: *mut bindings::sk_buff_head) {
        let to = self.list();
        // SAFETY: By the caller's promise.
        unsafe { bindings::knet_helper_skb_queue_splice_tail_init(from, to) }
    }
}
