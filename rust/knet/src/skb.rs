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

    /// An empty packet with room for `room` bytes, which will lie at `position` in the stream. Any
    /// context; `None` if there is no memory.
    pub fn with_room(room: u32, position: u64) -> Option<Self> {
        // SAFETY: The call has no requirements.
        let skb = unsafe { bindings::knet_helper_alloc_skb(room, bindings::GFP_ATOMIC) };
        // SAFETY: A fresh packet is ours and in no list.
        let mut this = unsafe { Self::from_raw(NonNull::new(skb)?) };
        this.set_span(Span {
            position,
            offset: 0,
            len: 0,
        });
        Some(this)
    }

    /// A packet that somebody else owns, to be looked at or added to.
    pub(crate) fn lend(skb: NonNull<bindings::sk_buff>) -> ManuallyDrop<Self> {
        ManuallyDrop::new(Self(skb))
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

    /// Whether the bytes that count end where the packet's data ends.
    fn counts_to_its_end(&self) -> bool {
        let span = self.span();
        // SAFETY: The packet is live.
        span.offset.checked_add(span.len) == Some(unsafe { (*self.0.as_ptr()).len })
    }

    /// Takes over the bytes of `next`, which follow its own, and what memory they lie in. Returns how
    /// much more memory this packet keeps now, in bytes.
    ///
    /// # Errors
    /// Gives `next` back if its bytes are not the next ones of the stream or not all of that packet, if
    /// both together are more than `most` bytes, or if the kernel cannot join them.
    pub fn join(&mut self, next: Self, most: u32) -> core::result::Result<i32, Self> {
        let (own, other) = (self.span(), next.span());
        let len = own.len.saturating_add(other.len);
        let follows = own.position.wrapping_add(u64::from(own.len)) == other.position;
        let whole = other.offset == 0 && next.counts_to_its_end() && self.counts_to_its_end();
        if !follows || !whole || len > most {
            return Err(next);
        }
        let (mut stolen, mut more) = (false, 0);
        // SAFETY: Both packets are live and ours to change.
        let joined = unsafe {
            bindings::skb_try_coalesce(self.as_ptr(), next.as_ptr(), &mut stolen, &mut more)
        };
        if !joined {
            return Err(next);
        }
        // SAFETY: The packet is ours; its head lives on in this packet if it was stolen.
        unsafe { bindings::kfree_skb_partial(next.into_raw().as_ptr(), stolen) };
        self.set_span(Span { len, ..own });
        Ok(more)
    }

    /// Copies bytes of `next` behind its own, as many as there is room for, and cuts them off `next`.
    /// Returns how many; none if they are not the next ones of the stream, or if this packet's data is
    /// shared with another.
    pub fn copy_from(&mut self, next: &mut Self) -> u32 {
        let (own, other) = (self.span(), next.span());
        if own.position.wrapping_add(u64::from(own.len)) != other.position
            || !self.counts_to_its_end()
        {
            return 0;
        }
        // SAFETY: Both packets are live and this one ours to change; the kernel checks the ranges.
        let copied = unsafe {
            bindings::knet_helper_skb_copy_behind(
                self.as_ptr(),
                next.as_ptr(),
                other.offset,
                other.len,
            )
        };
        self.set_span(Span {
            len: own.len.saturating_add(copied),
            ..own
        });
        next.set_span(Span {
            position: other.position.wrapping_add(u64::from(copied)),
            offset: other.offset.saturating_add(copied),
            len: other.len.saturating_sub(copied),
        });
        copied
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

    /// Takes the last packet.
    pub fn pop_last(&mut self) -> Option<Packet> {
        let (first, last) = self.0?;
        // SAFETY: By the type invariant; without its links the packet is in no list.
        unsafe {
            let previous = NonNull::new(*previous_of(last));
            *previous_of(last) = null_mut();
            if let Some(previous) = previous {
                *next_of(previous) = null_mut();
            }
            // INVARIANT: The rest of the list is closed where the packet was.
            self.0 = previous.map(|previous| (first, previous));
        }
        // INVARIANT: The queue owned the packet and gives it up.
        Some(Packet(last))
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
            if !f(&Packet::lend(packet)) {
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
            let Some(first) = NonNull::new(first_of(from)) else {
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

/// The first packet of a list of the kernel, or null (`skb_peek`).
///
/// # Safety
///
/// `list` is an initialised list that nobody changes meanwhile.
#[inline]
pub(crate) unsafe fn first_of(list: *const bindings::sk_buff_head) -> *mut bindings::sk_buff {
    // SAFETY: By the caller's promise. The list is a ring that its head closes.
    let first = unsafe { (*list).__bindgen_anon_1.__bindgen_anon_1.next };
    if core::ptr::eq(first.cast(), list) {
        return null_mut();
    }
    first
}

/// What TCP keeps in a packet (`TCP_SKB_CB`).
///
/// # Safety
///
/// `skb` is live and in TCP's hands.
#[inline]
pub(crate) unsafe fn control_block(skb: *mut bindings::sk_buff) -> *mut bindings::tcp_skb_cb {
    // SAFETY: By the caller's promise; only the address is taken.
    unsafe { addr_of_mut!((*skb).cb).cast() }
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
