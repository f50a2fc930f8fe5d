// SPDX-License-Identifier: GPL-2.0

//! The TCP socket of a subflow while its lock is held.

use crate::bindings;
use crate::fragments::Gathered;
use crate::skb::{control_block, first_of, Packet};
use crate::sock::Sock;
use crate::subflow::window_of_space;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::ptr::{addr_of, addr_of_mut, NonNull};
use kernel::prelude::*;

/// A TCP socket whose lock is held by the current context, in one of three ways: a process owns
/// it, a softirq holds its spinlock, or a process works off its backlog.
pub struct Tcp<'a> {
    sk: NonNull<bindings::sock>,
    _lifetime: PhantomData<&'a Sock>,
}

impl Tcp<'_> {
    /// # Safety
    ///
    /// `sk` is a live TCP socket whose lock the current context holds for longer than the value
    /// lives.
    pub(crate) unsafe fn assume_locked(sk: *mut bindings::sock) -> Self {
        Self {
            // SAFETY: By the caller's promise it is not null.
            sk: unsafe { NonNull::new_unchecked(sk) },
            _lifetime: PhantomData,
        }
    }

    pub(crate) fn as_ptr(&self) -> *mut bindings::sock {
        self.sk.as_ptr()
    }

    /// The socket.
    pub fn sock(&self) -> &Sock {
        // SAFETY: It is live while its lock is held.
        unsafe { Sock::from_ptr(self.as_ptr()) }
    }

    pub(super) fn tcp(&self) -> &bindings::tcp_sock {
        // SAFETY: A TCP socket is a `struct tcp_sock`; the lock is held.
        unsafe { &*self.as_ptr().cast::<bindings::tcp_sock>() }
    }

    /// Sequence number after the last byte given to TCP.
    pub fn write_seq(&self) -> u32 {
        self.tcp().write_seq
    }

    /// Sequence number that TCP expects next.
    pub fn rcv_nxt(&self) -> u32 {
        self.tcp().rcv_nxt
    }

    /// Bytes of receive window that TCP promised.
    pub fn rcv_wnd(&self) -> u32 {
        self.tcp().rcv_wnd
    }

    /// First sequence number that the peer has not acknowledged.
    pub fn snd_una(&self) -> u32 {
        self.tcp().snd_una
    }

    /// Sequence number of the first byte not taken from the receive queue.
    pub fn copied_seq(&self) -> u32 {
        self.tcp().copied_seq
    }

    /// Bytes of data that a segment carries now, timestamps and extension headers accounted for.
    pub fn mss(&self) -> u32 {
        self.tcp().mss_cache
    }

    /// Smoothed round-trip time in microseconds.
    pub fn srtt_us(&self) -> u32 {
        self.tcp().srtt_us >> 3
    }

    /// How often the oldest segment was sent again.
    pub fn retransmits(&self) -> u8 {
        // SAFETY: A TCP socket begins with an `inet_connection_sock`.
        unsafe { (*self.as_ptr().cast::<bindings::inet_connection_sock>()).icsk_retransmits }
    }

    /// Shift of the window field in segments that this side sends.
    pub fn receive_window_scale(&self) -> u8 {
        // SAFETY: The socket is live.
        unsafe { bindings::knet_helper_rcv_wscale(self.as_ptr()) }
    }

    /// Shift of the window field in segments that the peer sends.
    pub fn send_window_scale(&self) -> u8 {
        // SAFETY: The socket is live.
        unsafe { bindings::knet_helper_snd_wscale(self.as_ptr()) }
    }

    /// Lets TCP keep `bytes` of packet memory at least, and tell a window for them, as when it enlarges its
    /// buffer by itself.
    pub fn raise_receive_buffer(&mut self, bytes: i32) {
        if bytes <= self.sock().receive_buffer() {
            return;
        }
        self.sock().set_receive_buffer(bytes);
        let window = window_of_space(self.sock(), bytes);
        // SAFETY: A TCP socket is a `struct tcp_sock`; the lock is held, and the kernel reads the field
        // without it too.
        unsafe {
            let tcp = self.as_ptr().cast::<bindings::tcp_sock>();
            addr_of_mut!((*tcp).window_clamp).write_volatile(window);
        }
    }

    /// Calls `f` with sum and length of the pieces of the `len` bytes from `seq` on in the receive
    /// queue, in order; `false` if they are not all there.
    pub fn checksum_queue(&self, seq: u32, len: u32, mut f: impl FnMut(u32, u32)) -> bool {
        let (mut at, mut left) = (seq, len);
        // SAFETY: The socket is live and locked, so the queue and its packets stay as they are.
        unsafe {
            let queue = addr_of!((*self.as_ptr()).sk_receive_queue);
            let mut skb = first_of(queue);
            while left > 0 && !skb.is_null() {
                let start = (*control_block(skb)).seq;
                let offset = at.wrapping_sub(start);
                let have = (*skb).len.saturating_sub(offset).min(left);
                if (offset as i32) >= 0 && have > 0 {
                    let sum =
                        bindings::knet_helper_skb_checksum(skb, offset as c_int, have as c_int);
                    f(sum, have);
                    at = at.wrapping_add(have);
                    left = left.saturating_sub(have);
                }
                skb = bindings::knet_helper_skb_peek_next(skb, queue);
            }
        }
        left == 0
    }

    /// Whether TCP has sent and got acknowledged all that it was given.
    pub fn is_drained(&self) -> bool {
        // SAFETY: The socket is live and locked.
        unsafe { bindings::knet_helper_rtx_empty(self.as_ptr()) }
    }

    /// Keeps `bytes` of every segment free for options and lets TCP reckon its segment size anew.
    pub fn reserve_option_space(&mut self, bytes: i32) {
        // SAFETY: The socket is live and locked.
        unsafe { bindings::knet_helper_add_ext_hdr_len(self.as_ptr(), bytes) }
    }

    /// Lets TCP send small segments at once: the meta-socket coalesces.
    pub fn disable_nagle(&mut self) {
        // SAFETY: The socket is live and locked.
        unsafe { bindings::knet_helper_set_nodelay(self.as_ptr()) }
    }

    /// Says whether TCP shall call [`crate::protocol::Protocol::write_space`] after every segment
    /// that arrives.
    pub fn report_room(&mut self, wanted: bool) {
        // SAFETY: The socket is live and locked.
        unsafe { bindings::knet_helper_report_room(self.as_ptr(), wanted) }
    }

    /// Sends a segment without data now, after the data that may leave.
    pub fn send_ack(&mut self) {
        self.push_now();
        // SAFETY: The socket is live and locked.
        unsafe { bindings::__tcp_send_ack(self.as_ptr(), self.rcv_nxt(), 0) }
    }

    /// Sends a segment that the peer must answer, if nothing is in flight that it must answer anyway: one
    /// from before the window, as TCP's keep-alives are.
    pub fn send_probe(&mut self) {
        // SAFETY: The socket is live and locked, so nobody sees the number in between.
        unsafe {
            let next = addr_of_mut!((*self.as_ptr().cast::<bindings::tcp_sock>()).snd_nxt);
            *next = (*next).wrapping_sub(1);
            self.send_ack();
            *next = (*next).wrapping_add(1);
        }
    }

    /// Gives `pieces` to TCP without copying; TCP takes references to their pages, and sends what it
    /// may. Returns how many bytes it took, which are fewer if its send buffer is full. This is the way
    /// for what [`Tcp::enqueue`] does not take. The data lock must be free.
    pub fn splice(&mut self, pieces: &mut Gathered) -> Result<usize> {
        let len = pieces.len();
        let flags = bindings::MSG_EOR as c_int;
        let (vectors, count) = pieces.vectors();
        // SAFETY: The pieces hold references to their pages for the whole call; the socket is live
        // and locked; its allocations are atomic and never use the task's fragment.
        let taken = unsafe {
            bindings::knet_helper_splice_pages(self.as_ptr(), vectors, count, len, flags)
        };
        let taken = usize::try_from(taken).map_err(|_| Error::from_errno(taken))?;
        pieces.advance(taken);
        Ok(taken)
    }

    /// The first packet of the receive queue: its sequence numbers and length.
    pub fn peek_packet(&self) -> Option<PacketView> {
        // SAFETY: The socket is live and locked.
        unsafe {
            let queue = addr_of!((*self.as_ptr()).sk_receive_queue);
            let skb = NonNull::new(first_of(queue))?;
            let cb = control_block(skb.as_ptr());
            Some(PacketView {
                seq: (*cb).seq,
                end_seq: (*cb).end_seq,
                len: (*skb.as_ptr()).len,
                memory: i32::try_from((*skb.as_ptr()).truesize).unwrap_or(i32::MAX),
                fin: (*cb).tcp_flags & u16::from(bindings::TCPHDR_FIN) != 0,
                skb,
            })
        }
    }

    /// Takes the first packet of the receive queue, which `view` described, out of TCP's hands.
    pub fn take_packet(&mut self, view: PacketView) -> Packet {
        // SAFETY: The packet is the head of the queue, under the socket's lock; once unlinked and
        // orphaned it is ours alone.
        unsafe {
            let queue = addr_of_mut!((*self.as_ptr()).sk_receive_queue);
            bindings::knet_helper_skb_unlink(view.skb.as_ptr(), queue);
            bindings::knet_helper_skb_orphan(view.skb.as_ptr());
            Packet::from_raw(view.skb)
        }
    }

    /// A packet that shares the data of the first packet of the receive queue.
    pub fn clone_packet(&self, view: &PacketView) -> Option<Packet> {
        // SAFETY: The packet is live while it is in the queue of the locked socket.
        let clone = unsafe { bindings::skb_clone(view.skb.as_ptr(), bindings::GFP_ATOMIC) };
        // SAFETY: A fresh clone is ours.
        NonNull::new(clone).map(|skb| unsafe { Packet::from_raw(skb) })
    }

    /// Says that everything before `seq` was taken from the receive queue.
    pub fn set_copied_seq(&mut self, seq: u32) {
        // SAFETY: The socket is live and locked; the kernel reads the field without lock too.
        unsafe {
            addr_of_mut!((*self.as_ptr().cast::<bindings::tcp_sock>()).copied_seq)
                .write_volatile(seq);
        }
    }

    /// Lets TCP adapt its receive buffer to what was taken.
    pub fn reads_done(&mut self) {
        // SAFETY: The socket is live and locked.
        unsafe { bindings::tcp_read_done(self.as_ptr(), 0) }
    }

    /// Sends FIN after all data (`shutdown(SHUT_WR)`).
    pub fn shut_down_send(&mut self) {
        // SAFETY: The socket is live and locked, as `tcp_shutdown` wants it.
        unsafe {
            if let Some(shutdown) = (*(*self.as_ptr()).__sk_common.skc_prot).shutdown {
                shutdown(self.as_ptr(), bindings::SEND_SHUTDOWN as c_int);
            }
        }
    }

    /// Breaks the connection, with a RST where TCP owes one. Process context.
    ///
    /// A socket that was closed ends by itself: broken like this TCP would never destroy it.
    pub fn disconnect(&mut self) {
        if self.sock().is_orphan() {
            return;
        }
        // SAFETY: The socket is live and owned by this process, as `tcp_disconnect` wants it.
        unsafe {
            if let Some(disconnect) = (*(*self.as_ptr()).__sk_common.skc_prot).disconnect {
                disconnect(self.as_ptr(), 0);
            }
        }
    }

    /// The retransmission timeout in microseconds.
    pub fn rto_us(&self) -> u32 {
        // SAFETY: The socket is live and locked.
        unsafe { bindings::knet_helper_rto_us(self.as_ptr()) }
    }
}

/// The first packet of a TCP receive queue.
#[derive(Clone, Copy)]
pub struct PacketView {
    /// Sequence number of its first byte.
    pub seq: u32,
    /// Sequence number after its last byte or FIN.
    pub end_seq: u32,
    /// Bytes of data.
    pub len: u32,
    /// Bytes of memory that it keeps.
    pub memory: i32,
    /// Whether a FIN follows its data.
    pub fin: bool,
    skb: NonNull<bindings::sk_buff>,
}

/// Takes the lock of a subflow from a softirq (a timer) and calls `f`, unless a process owns it.
pub fn with_softirq_lock<R>(sock: &Sock, f: impl FnOnce(&mut Tcp<'_>) -> R) -> Option<R> {
    let sk = sock.as_ptr();
    // SAFETY: The socket is live, and softirqs do not nest.
    unsafe { bindings::knet_helper_bh_lock_sock(sk) };
    // SAFETY: The spinlock is held.
    let result = if unsafe { bindings::knet_helper_sock_owned_by_user(sk) } {
        None
    } else {
        // SAFETY: The spinlock is held and no process owns the lock.
        Some(f(&mut unsafe { Tcp::assume_locked(sk) }))
    };
    // SAFETY: Taken above.
    unsafe { bindings::knet_helper_bh_unlock_sock(sk) };
    result
}

/// Takes the lock of a subflow. Process context; may sleep.
pub fn lock(sock: &Sock) -> TcpGuard<'_> {
    // SAFETY: The socket is live.
    unsafe { bindings::knet_helper_lock_sock(sock.as_ptr()) };
    TcpGuard {
        // SAFETY: Locked above until the guard is dropped.
        tcp: unsafe { Tcp::assume_locked(sock.as_ptr()) },
    }
}

/// The lock of a subflow, owned by a process.
pub struct TcpGuard<'a> {
    tcp: Tcp<'a>,
}

impl<'a> Deref for TcpGuard<'a> {
    type Target = Tcp<'a>;

    fn deref(&self) -> &Tcp<'a> {
        &self.tcp
    }
}

impl DerefMut for TcpGuard<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.tcp
    }
}

impl Drop for TcpGuard<'_> {
    fn drop(&mut self) {
        // SAFETY: Taken in `lock`.
        unsafe { bindings::release_sock(self.tcp.as_ptr()) }
    }
}
