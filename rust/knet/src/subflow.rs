// SPDX-License-Identifier: GPL-2.0

//! Subflows: kernel TCP sockets under a meta-socket.
//!
//! C headers: `include/net/tcp.h`, `include/linux/tcp.h`.

use crate::address::SocketAddress;
use crate::bindings;
use crate::context::Context;
use crate::fragments::Gathered;
use crate::meta::{Meta, Protocol};
use crate::skb::Packet;
use crate::sock::{Sock, State};
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::ptr::{addr_of, NonNull};
use kernel::error::to_result;
use kernel::prelude::*;
use kernel::sync::aref::ARef;

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
        // SAFETY: By the caller's promise it is not null.
        Self {
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

    fn tcp(&self) -> &bindings::tcp_sock {
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

    /// Calls `f` with sum and length of the pieces of the `len` bytes from `seq` on in the receive
    /// queue, in order; `false` if they are not all there.
    pub fn checksum_queue(&self, seq: u32, len: u32, mut f: impl FnMut(u32, u32)) -> bool {
        let (mut at, mut left) = (seq, len);
        // SAFETY: The socket is live and locked, so the queue and its packets stay as they are.
        unsafe {
            let queue = addr_of!((*self.as_ptr()).sk_receive_queue);
            let mut skb = bindings::knet_helper_skb_peek(queue);
            while left > 0 && !skb.is_null() {
                let start = (*bindings::knet_helper_tcp_skb_cb(skb)).seq;
                let offset = at.wrapping_sub(start);
                let have = (*skb).len.saturating_sub(offset).min(left);
                if (offset as i32) >= 0 && have > 0 {
                    let sum =
                        bindings::knet_helper_skb_checksum(skb, offset as c_int, have as c_int);
                    f(sum, have);
                    at = at.wrapping_add(have);
                    left -= have;
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

    /// Whether the application asked for TCP_NODELAY or TCP_CORK: bits of `tcp_sock.nonagle`.
    pub fn nagle_bits(&self) -> u8 {
        // SAFETY: The socket is live and locked.
        unsafe { bindings::knet_helper_nonagle(self.as_ptr()) }
    }

    /// Sends a segment without data now.
    pub fn send_ack(&mut self) {
        // SAFETY: The socket is live and locked.
        unsafe { bindings::__tcp_send_ack(self.as_ptr(), self.rcv_nxt(), 0) }
    }

    /// Gives `pieces` to TCP without copying; TCP takes references to their pages. Returns how many
    /// bytes it took, which are fewer if its send buffer is full.
    pub fn splice(&mut self, pieces: &mut Gathered, more: bool) -> Result<usize> {
        let mut flags = bindings::MSG_EOR as c_int;
        if more {
            flags |= bindings::MSG_MORE as c_int;
        }
        // SAFETY: The pieces hold references to their pages for the whole call; the socket is live
        // and locked; its allocations are atomic and never use the task's fragment.
        let (vectors, count) = pieces.vectors();
        let taken = unsafe {
            bindings::knet_helper_splice_pages(self.as_ptr(), vectors, count, pieces.len(), flags)
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
            let skb = NonNull::new(bindings::knet_helper_skb_peek(queue))?;
            let cb = bindings::knet_helper_tcp_skb_cb(skb.as_ptr());
            Some(PacketView {
                seq: (*cb).seq,
                end_seq: (*cb).end_seq,
                len: (*skb.as_ptr()).len,
                fin: Self::flags_of(cb) & 1 != 0,
                skb,
            })
        }
    }

    /// # Safety
    ///
    /// `cb` is the control block of a packet in a TCP receive queue.
    unsafe fn flags_of(cb: *mut bindings::tcp_skb_cb) -> u16 {
        // SAFETY: By the caller's promise.
        unsafe { (*cb).tcp_flags }
    }

    /// Takes the first packet of the receive queue, which `view` described, out of TCP's hands.
    pub fn take_packet(&mut self, view: PacketView) -> Packet {
        // SAFETY: The packet is the head of the queue, under the socket's lock; once unlinked and
        // orphaned it is ours alone.
        unsafe {
            let queue = core::ptr::addr_of_mut!((*self.as_ptr()).sk_receive_queue);
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
            core::ptr::addr_of_mut!((*self.as_ptr().cast::<bindings::tcp_sock>()).copied_seq)
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
    pub fn disconnect(&mut self) {
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

    /// Initial sequence number of the peer, once a segment of it was accepted and before the
    /// first byte was: `rcv_nxt - 1`.
    pub fn expected_isn(&self) -> u32 {
        self.rcv_nxt().wrapping_sub(1)
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
    /// Whether a FIN follows its data.
    pub fin: bool,
    skb: NonNull<bindings::sk_buff>,
}

/// Numbers of a TCP socket read without its lock, each for itself.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct Snapshot {
    pub state: State,
    pub rcv_nxt: u32,
    pub rcv_wup: u32,
    /// What is left of the promised window behind `rcv_nxt`.
    pub rcv_wnd: u32,
    pub snd_una: u32,
    /// Not `snd_nxt`, which lags behind segments that are just being sent.
    pub write_seq: u32,
    pub max_window: u32,
    pub snd_wscale: u8,
    /// Timestamps are in use, and the last one is not too old to be compared.
    pub timestamps: bool,
    pub ts_recent: u32,
}

/// Reads the numbers of a TCP socket that the current context need not have locked.
pub fn snapshot(sock: &Sock) -> Snapshot {
    let tcp = sock.as_ptr().cast::<bindings::tcp_sock>();
    // SAFETY: A TCP socket is a `struct tcp_sock`; torn or stale numbers are possible and the
    // caller's business.
    unsafe {
        Snapshot {
            state: sock.state(),
            rcv_nxt: addr_of!((*tcp).rcv_nxt).read_volatile(),
            rcv_wup: addr_of!((*tcp).rcv_wup).read_volatile(),
            rcv_wnd: bindings::knet_helper_tcp_receive_window(sock.as_ptr()),
            snd_una: addr_of!((*tcp).snd_una).read_volatile(),
            write_seq: addr_of!((*tcp).write_seq).read_volatile(),
            max_window: addr_of!((*tcp).max_window).read_volatile(),
            snd_wscale: bindings::knet_helper_snd_wscale(sock.as_ptr()),
            timestamps: bindings::knet_helper_timestamps_comparable(sock.as_ptr()),
            ts_recent: addr_of!((*tcp).rx_opt.ts_recent).read_volatile(),
        }
    }
}

/// Bytes of data that `space` bytes of packet memory of a subflow hold, as TCP estimates it.
pub fn window_of_space(sock: &Sock, space: i32) -> i32 {
    // SAFETY: The socket is live; the estimate is one number that TCP updates.
    unsafe { bindings::knet_helper_tcp_win_from_space(sock.as_ptr(), space) }
}

/// Speed of a subflow, read without its lock.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Smoothed round-trip time in microseconds: the sender's, or the receiver's estimate.
    pub rtt_us: u32,
    /// Bytes of data in a segment.
    pub mss: u32,
}

/// Reads the speed of a subflow.
pub fn pace(sock: &Sock) -> Pace {
    let tcp = sock.as_ptr().cast::<bindings::tcp_sock>();
    // SAFETY: A TCP socket is a `struct tcp_sock`; stale numbers do no harm.
    unsafe {
        let sent = addr_of!((*tcp).srtt_us).read_volatile() >> 3;
        let received = addr_of!((*tcp).rcv_rtt_est.rtt_us).read_volatile() >> 3;
        Pace {
            rtt_us: sent.max(received),
            mss: addr_of!((*tcp).mss_cache).read_volatile(),
        }
    }
}

/// Whether a listening subflow has a connection that nobody accepted yet.
pub fn has_connection_waiting(sock: &Sock) -> bool {
    // SAFETY: The socket is live; the kernel reads the queue without lock too.
    unsafe { bindings::knet_helper_has_connection_waiting(sock.as_ptr()) }
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
    // SAFETY: Locked above until the guard is dropped.
    TcpGuard {
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

/// A TCP socket that its holder owns: to be closed by it exactly once, in process context.
pub struct Subflow<P: Protocol> {
    sk: ARef<Sock>,
    /// Null for a socket that a listener accepted.
    socket: *mut bindings::socket,
    _protocol: PhantomData<P>,
}

// SAFETY: The socket is synchronised by its own lock; the struct socket is only used by the owner.
unsafe impl<P: Protocol> Send for Subflow<P> {}
// SAFETY: As above.
unsafe impl<P: Protocol> Sync for Subflow<P> {}

/// A subflow that a listener accepted, with the meta-socket that was made for it.
pub struct AcceptedSubflow<P: Protocol> {
    /// The subflow.
    pub subflow: Subflow<P>,
    /// The meta-socket, with the reference that belongs to the application.
    pub meta: ARef<Meta<P>>,
}

/// The next connection of a listening subflow; waits up to `timeout` jiffies. Process context.
pub fn accept<P: Protocol>(listener: &Sock, timeout: c_long) -> Result<AcceptedSubflow<P>> {
    let sk = listener.as_ptr();
    let mut argument = bindings::proto_accept_arg {
        flags: if timeout == 0 {
            bindings::O_NONBLOCK as c_int
        } else {
            0
        },
        err: 0,
        is_empty: 0,
        kern: true,
    };
    // SAFETY: The socket is live; `inet_csk_accept` locks it itself. The accepted socket comes
    // with one reference, which `Subflow::close` gives back.
    let child = unsafe {
        core::ptr::addr_of_mut!((*sk).sk_rcvtimeo).write_volatile(timeout);
        let Some(accept) = (*(*sk).__sk_common.skc_prot).accept else {
            return Err(EOPNOTSUPP);
        };
        let child = accept(sk, &mut argument);
        if child.is_null() {
            return Err(Error::from_errno(argument.err));
        }
        Sock::from_ptr(child)
    };
    let subflow = Subflow {
        sk: child.hold(),
        socket: core::ptr::null_mut(),
        _protocol: PhantomData,
    };
    match Context::<P>::take(&subflow.sk) {
        Some(meta) => Ok(AcceptedSubflow { subflow, meta }),
        None => {
            subflow.close();
            Err(ECONNABORTED)
        }
    }
}

impl<P: Protocol> Subflow<P> {
    /// Makes a TCP socket of `family` in the namespace of `meta` and lets its hooks lead to `meta`.
    /// Process context.
    pub fn open(meta: &Meta<P>, family: u16) -> Result<Self> {
        let mut socket = core::ptr::null_mut();
        // SAFETY: The meta-socket is live and so is its namespace; `socket` receives the new one.
        to_result(unsafe {
            bindings::sock_create_kern(
                bindings::knet_helper_sock_net(meta.sock().as_ptr()),
                c_int::from(family),
                bindings::sock_type_SOCK_STREAM as c_int,
                bindings::IPPROTO_TCP as c_int,
                &mut socket,
            )
        })?;
        // SAFETY: `sock_create_kern` succeeded, so both are live, and nobody else knows them.
        let this = unsafe {
            let sk = (*socket).sk;
            bindings::sk_net_refcnt_upgrade(sk);
            (*sk).sk_allocation = bindings::GFP_ATOMIC;
            (*sk).sk_use_task_frag = false;
            Self {
                sk: Sock::from_ptr(sk).hold(),
                socket,
                _protocol: PhantomData,
            }
        };
        if let Err(error) = Context::<P>::attach(meta, socket) {
            this.close();
            return Err(error);
        }
        Ok(this)
    }

    /// The socket.
    pub fn sock(&self) -> &Sock {
        &self.sk
    }

    /// Takes its lock. Process context.
    pub fn lock(&self) -> TcpGuard<'_> {
        lock(&self.sk)
    }

    /// Binds it.
    pub fn bind(&self, address: &SocketAddress) -> Result {
        let (address, length) = address.raw();
        // SAFETY: The socket is live, and the address valid for its length.
        to_result(unsafe { bindings::kernel_bind(self.socket, address, length) })
    }

    /// Lets it listen and keep the SYN of each request.
    pub fn listen(&self, backlog: i32) -> Result {
        self.set_tcp_option(bindings::TCP_SAVE_SYN as c_int, 1)?;
        // SAFETY: The socket is live.
        to_result(unsafe { bindings::kernel_listen(self.socket, backlog) })
    }

    /// Begins to connect (`tcp_v4_connect`, `tcp_v6_connect`).
    /// `first_seq` fixes the initial sequence number, for tests.
    pub fn connect(&self, address: &SocketAddress, first_seq: Option<u32>) -> Result {
        let (address, length) = address.raw();
        let guard = self.lock();
        if let Some(seq) = first_seq {
            // SAFETY: The socket is live and locked. TCP keeps a number that is not zero.
            unsafe { (*guard.as_ptr().cast::<bindings::tcp_sock>()).write_seq = seq };
        }
        // SAFETY: The socket is live and locked, and the address valid for its length.
        to_result(unsafe {
            let sk = guard.as_ptr();
            (*self.socket).state = bindings::socket_state_SS_CONNECTING;
            match (*(*sk).__sk_common.skc_prot).connect {
                Some(connect) => connect(sk, address.cast(), length),
                None => return Err(EOPNOTSUPP),
            }
        })
    }

    /// Sets a TCP-level option with an integer value.
    pub fn set_tcp_option(&self, option: c_int, mut value: c_int) -> Result {
        // SAFETY: The socket is live; the value is read during the call.
        to_result(unsafe {
            let sk = self.sk.as_ptr();
            let Some(set) = (*(*sk).__sk_common.skc_prot).setsockopt else {
                return Err(EOPNOTSUPP);
            };
            set(
                sk,
                bindings::SOL_TCP as c_int,
                option,
                bindings::knet_helper_kernel_sockptr(core::ptr::addr_of_mut!(value).cast()),
                core::mem::size_of::<c_int>() as c_uint,
            )
        })
    }

    /// Closes it as `close(2)` would: FIN after all data. Process context.
    pub fn close(self) {
        // SAFETY: The holder owns the socket; this is the only close of it.
        unsafe {
            if self.socket.is_null() {
                bindings::tcp_close(self.sk.as_ptr(), 0);
            } else {
                bindings::sock_release(self.socket);
            }
        }
    }

    /// Its `struct socket`, for options of the socket level: its own or the context's shell.
    pub(crate) fn socket(&self) -> *mut bindings::socket {
        if self.socket.is_null() {
            // SAFETY: The socket is live; an accepted one has the shell of its context.
            unsafe { (*self.sk.as_ptr()).sk_socket }
        } else {
            self.socket
        }
    }
}
