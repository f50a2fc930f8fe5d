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
use crate::subflow::{pace, window_of_space, Pace, Tcp};
use core::ptr::addr_of_mut;
use kernel::prelude::*;
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

    /// The bytes to claim for the window of this TCP to become `less` bytes smaller than the one it told last, whatever
    /// is claimed now. Its lock is held.
    pub fn enough(&self, tcp: &Tcp<'_>, less: u32) -> u32 {
        let sock = tcp.sock();
        let others = sock.receive_memory().saturating_sub(self.bytes);
        let space = sock.receive_buffer().saturating_sub(others);
        let open = window_of_space(sock, space);
        let excess = open.saturating_sub(tcp.rcv_wnd()).saturating_add(less);
        let excess = c_int::try_from(excess).unwrap_or(c_int::MAX);
        // SAFETY: The socket is live; the estimate is one number that TCP updates.
        let space = unsafe { bindings::knet_helper_tcp_space_from_win(sock.as_ptr(), excess) };
        u32::try_from(space).unwrap_or(u32::MAX)
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

/// How a subflow's receive window stands, read without its lock.
#[derive(Clone, Copy, Debug)]
pub struct WindowState {
    /// Bytes that the peer may still send by what TCP told.
    pub left: u32,
    /// Bytes that TCP would let it send now.
    pub free: u32,
    /// Bytes of data in a segment.
    pub mss: u32,
}

/// Reads how the receive window of a subflow stands.
pub fn window_state(sock: &Sock) -> WindowState {
    let space = sock.receive_buffer().saturating_sub(sock.receive_memory());
    let open = window_of_space(sock, space);
    let Pace {
        window_limit, mss, ..
    } = pace(sock);
    WindowState {
        // SAFETY: The socket is live; a stale number leads to a segment more or less.
        left: unsafe { bindings::knet_helper_tcp_receive_window(sock.as_ptr()) },
        free: open.min(window_limit),
        mss,
    }
}

/// Whether TCP owes the peer an acknowledgement for more than a segment, and waits for the application to read.
/// Read without the subflow's lock.
pub fn owes_acknowledgement(sock: &Sock) -> bool {
    // SAFETY: The socket is live; stale numbers lead to a segment more, or to one that comes with the next data or
    // TCP's own timer.
    unsafe { bindings::knet_helper_owes_ack(sock.as_ptr()) }
}
