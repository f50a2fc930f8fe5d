// SPDX-License-Identifier: GPL-2.0

//! Memory of a subflow's receive buffer that TCP counts as taken although its queue is empty.
//!
//! A meta-socket takes packets out of TCP's queue as they come. TCP thinks then that the application has read
//! them: each segment opens its window anew and is acknowledged at once. With a claim for what is unread TCP
//! acknowledges as it does when the data lies in its own queue.
//!
//! C header: `include/net/sock.h`.

use crate::bindings;
use crate::sock::Sock;
use core::ptr::addr_of_mut;
use kernel::sync::aref::ARef;

/// A claim on the receive buffer of a TCP socket. Dropping it gives it up.
///
/// # Invariants
///
/// `sk_rmem_alloc` of the socket contains `bytes` for this claim.
pub struct Claim {
    sock: ARef<Sock>,
    bytes: i32,
}

impl Claim {
    /// A claim for nothing yet. From now on TCP asks whether its window has room before it acknowledges. So far
    /// it saw that less than the low-water mark waits in its queue, which is always so, and acknowledged each segment
    /// (`__tcp_ack_snd_check`).
    pub fn new(sock: &Sock) -> Self {
        // SAFETY: The socket is live; the kernel reads the field without lock too. To TCP's queue zero means what
        // one does: that any byte is worth a call.
        unsafe { addr_of_mut!((*sock.as_ptr()).sk_rcvlowat).write_volatile(0) };
        // INVARIANT: Nothing is claimed.
        Self {
            sock: sock.hold(),
            bytes: 0,
        }
    }

    /// Bytes of packet memory that are claimed.
    pub fn bytes(&self) -> i32 {
        self.bytes
    }

    /// Claims so many bytes of packet memory from now on. Any context; the count is atomic, so TCP need not be
    /// locked.
    pub fn set(&mut self, bytes: i32) {
        let bytes = bytes.max(0);
        if bytes == self.bytes {
            return;
        }
        // SAFETY: The socket is live. Both numbers are at least zero, so their difference is a number; the count
        // is not charged to an account of memory, so nobody but this claim depends on it.
        unsafe {
            bindings::knet_helper_rmem_add(self.sock.as_ptr(), bytes.wrapping_sub(self.bytes));
        }
        // INVARIANT: Only the difference was added.
        self.bytes = bytes;
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.set(0);
    }
}

/// Whether TCP owes the peer an acknowledgement for more than a segment, and waits for the application to read.
/// Read without the subflow's lock.
pub fn owes_acknowledgement(sock: &Sock) -> bool {
    // SAFETY: The socket is live; stale numbers lead to a segment more, or to one that comes with the next data or
    // TCP's own timer.
    unsafe { bindings::knet_helper_owes_ack(sock.as_ptr()) }
}
