// SPDX-License-Identifier: GPL-2.0

//! Sockets of any protocol: references, state and the fields that applications set.
//!
//! C header: `include/net/sock.h`.

use crate::bindings;
use crate::netns::Net;
use core::ptr::{addr_of, addr_of_mut, NonNull};
use kernel::prelude::*;
use kernel::sync::aref::{ARef, AlwaysRefCounted};
use kernel::types::Opaque;

/// Half of a connection that was shut down (bits of `sk_shutdown`).
pub mod shutdown {
    /// Nothing more is received.
    pub const RECEIVE: u8 = 1;
    /// Nothing more is sent.
    pub const SEND: u8 = 2;
    /// Both.
    pub const BOTH: u8 = 3;
}

/// TCP states as the kernel numbers them (`include/net/tcp_states.h`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum State {
    Established = 1,
    SynSent = 2,
    SynRecv = 3,
    FinWait1 = 4,
    FinWait2 = 5,
    TimeWait = 6,
    Close = 7,
    CloseWait = 8,
    LastAck = 9,
    Listen = 10,
    Closing = 11,
    NewSynRecv = 12,
}

impl State {
    /// The state with the kernel's number; unknown numbers are closed.
    pub const fn from_raw(raw: u8) -> Self {
        match raw {
            1 => Self::Established,
            2 => Self::SynSent,
            3 => Self::SynRecv,
            4 => Self::FinWait1,
            5 => Self::FinWait2,
            6 => Self::TimeWait,
            8 => Self::CloseWait,
            9 => Self::LastAck,
            10 => Self::Listen,
            11 => Self::Closing,
            12 => Self::NewSynRecv,
            _ => Self::Close,
        }
    }
}

/// A `struct sock`.
///
/// # Invariants
///
/// A reference to it is a reference to a live socket whose reference count is not zero.
#[repr(transparent)]
pub struct Sock(Opaque<bindings::sock>);

// SAFETY: A socket may be referenced from all contexts; what is not synchronised by itself is only
// reachable through the guards of its locks.
unsafe impl Send for Sock {}
// SAFETY: As above.
unsafe impl Sync for Sock {}

// SAFETY: `sk_refcnt` keeps a socket alive from `sock_hold` to `sock_put`.
unsafe impl AlwaysRefCounted for Sock {
    fn inc_ref(&self) {
        // SAFETY: By the type invariant the reference count is not zero.
        unsafe { bindings::knet_helper_sock_hold(self.as_ptr()) }
    }

    unsafe fn dec_ref(obj: NonNull<Self>) {
        // SAFETY: The caller owns one reference.
        unsafe { bindings::knet_helper_sock_put(obj.as_ptr().cast()) }
    }
}

impl Sock {
    /// # Safety
    ///
    /// `ptr` is a live full socket for the whole of `'a`.
    pub(crate) unsafe fn from_ptr<'a>(ptr: *mut bindings::sock) -> &'a Self {
        // SAFETY: By the caller's promise; the type is a transparent wrapper.
        unsafe { &*ptr.cast::<Self>() }
    }

    pub(crate) fn as_ptr(&self) -> *mut bindings::sock {
        self.0.get()
    }

    /// Another reference to the socket.
    pub fn hold(&self) -> ARef<Self> {
        ARef::from(self)
    }

    /// The network namespace of the socket.
    pub fn net(&self) -> &Net {
        // SAFETY: A live socket holds its namespace.
        unsafe { Net::from_raw(bindings::knet_helper_sock_net(self.as_ptr())) }
    }

    /// The limit of automatic receive buffers in bytes (`net.ipv4.tcp_rmem`).
    pub fn largest_receive_buffer(&self) -> i32 {
        // SAFETY: The socket is live.
        unsafe { bindings::knet_helper_tcp_rmem_max(self.as_ptr()) }
    }

    /// The limit of automatic send buffers in bytes (`net.ipv4.tcp_wmem`).
    pub fn largest_send_buffer(&self) -> i32 {
        // SAFETY: The socket is live.
        unsafe { bindings::knet_helper_tcp_wmem_max(self.as_ptr()) }
    }

    /// Address of the socket, to tell sockets apart; never to be dereferenced.
    pub fn identity(&self) -> usize {
        self.as_ptr() as usize
    }

    /// The state; another CPU may change it at any time unless a lock is held.
    pub fn state(&self) -> State {
        // SAFETY: The socket is live; the kernel reads this field without lock too.
        let raw = unsafe { addr_of!((*self.as_ptr()).__sk_common.skc_state).read_volatile() };
        State::from_raw(raw)
    }

    /// Changes the state with release semantics.
    pub fn set_state(&self, state: State) {
        // SAFETY: The socket is live.
        unsafe { bindings::knet_helper_state_store(self.as_ptr(), state as c_int) }
    }

    /// Address family of the socket: `AF_INET` or `AF_INET6`.
    pub fn family(&self) -> u16 {
        // SAFETY: The socket is live and its family is set once.
        unsafe { (*self.as_ptr()).__sk_common.skc_family }
    }

    /// Bits of [`shutdown`].
    pub fn shutdown(&self) -> u8 {
        // SAFETY: The socket is live; the kernel reads this field without lock too.
        unsafe { addr_of!((*self.as_ptr()).sk_shutdown).read_volatile() }
    }

    /// The pending error as a positive errno, left pending.
    pub fn peek_error(&self) -> i32 {
        // SAFETY: The socket is live; the kernel reads this field without lock too.
        unsafe { addr_of!((*self.as_ptr()).sk_err).read_volatile() }
    }

    /// Takes the pending error (`sock_error`).
    pub fn take_error(&self) -> Result {
        // SAFETY: The socket is live.
        kernel::error::to_result(unsafe { bindings::knet_helper_sock_error(self.as_ptr()) })
    }

    /// Sets the pending error, a positive errno.
    pub fn set_error(&self, errno: i32) {
        // SAFETY: The socket is live.
        unsafe { addr_of_mut!((*self.as_ptr()).sk_err).write_volatile(errno) }
    }

    /// Whether no application holds the socket any more.
    pub fn is_orphan(&self) -> bool {
        self.has_flag(bindings::sock_flags_SOCK_DEAD)
    }

    /// Whether TCP has taken the peer's FIN.
    pub(crate) fn has_taken_fin(&self) -> bool {
        self.has_flag(bindings::sock_flags_SOCK_DONE)
    }

    /// Whether one of the kernel's flags of sockets is set (`sock_flag`).
    fn has_flag(&self, flag: bindings::sock_flags) -> bool {
        // SAFETY: The socket is live; the kernel reads the word without lock too.
        let flags = unsafe {
            addr_of!((*self.as_ptr()).__sk_common.__bindgen_anon_5.skc_flags).read_volatile()
        };
        flags & 1_usize.wrapping_shl(flag) != 0
    }

    /// Whether the application wants to be told when what it receives arrived (SO_TIMESTAMP and others).
    pub fn wants_timestamps(&self) -> bool {
        let flags = [
            bindings::sock_flags_SOCK_RCVTSTAMP,
            bindings::sock_flags_SOCK_TIMESTAMPING_ANY,
        ];
        flags.into_iter().any(|flag| self.has_flag(flag))
    }

    /// Whether SO_LINGER is on with a time of zero: close means abort.
    pub fn lingers_zero(&self) -> bool {
        let on = self.has_flag(bindings::sock_flags_SOCK_LINGER);
        // SAFETY: The socket is live.
        on && unsafe { (*self.as_ptr()).sk_lingertime } == 0
    }

    /// The receive buffer's limit in bytes (`SO_RCVBUF`).
    pub fn receive_buffer(&self) -> i32 {
        // SAFETY: The socket is live; the kernel reads this field without lock too.
        unsafe { addr_of!((*self.as_ptr()).sk_rcvbuf).read_volatile() }
    }

    /// Sets the receive buffer's limit in bytes.
    pub fn set_receive_buffer(&self, bytes: i32) {
        // SAFETY: The socket is live.
        unsafe { addr_of_mut!((*self.as_ptr()).sk_rcvbuf).write_volatile(bytes) }
    }

    /// The send buffer's limit in bytes (`SO_SNDBUF`).
    pub fn send_buffer(&self) -> i32 {
        // SAFETY: The socket is live; the kernel reads this field without lock too.
        unsafe { addr_of!((*self.as_ptr()).sk_sndbuf).read_volatile() }
    }

    /// Sets the send buffer's limit in bytes.
    pub fn set_send_buffer(&self, bytes: i32) {
        // SAFETY: The socket is live.
        unsafe { addr_of_mut!((*self.as_ptr()).sk_sndbuf).write_volatile(bytes) }
    }

    /// Whether the application fixed the receive buffer's size itself.
    pub fn receive_buffer_locked(&self) -> bool {
        // SAFETY: The socket is live.
        let locks = unsafe { addr_of!((*self.as_ptr()).sk_userlocks).read_volatile() };
        u32::from(locks) & bindings::SOCK_RCVBUF_LOCK != 0
    }

    /// Whether the application fixed the send buffer's size itself.
    pub fn send_buffer_locked(&self) -> bool {
        // SAFETY: The socket is live.
        let locks = unsafe { addr_of!((*self.as_ptr()).sk_userlocks).read_volatile() };
        u32::from(locks) & bindings::SOCK_SNDBUF_LOCK != 0
    }

    /// Bytes of packet memory that wait to be received.
    pub fn receive_memory(&self) -> i32 {
        // SAFETY: The socket is live; the kernel reads the number without lock too.
        unsafe { addr_of!((*self.as_ptr()).sk_backlog.rmem_alloc.counter).read_volatile() }
    }

    /// Whether the send buffer has room (`sk_stream_memory_free`).
    pub fn has_send_room(&self) -> bool {
        // SAFETY: The socket is live.
        unsafe { bindings::knet_helper_sk_stream_memory_free(self.as_ptr()) }
    }

    /// Whether the send buffer has so much room that a writer is woken.
    pub fn is_writeable(&self) -> bool {
        // SAFETY: The socket is live.
        unsafe { bindings::knet_helper_sk_stream_is_writeable(self.as_ptr()) }
    }

    /// The application's minimum for a receive of `len` bytes (`SO_RCVLOWAT`, `MSG_WAITALL`).
    pub fn receive_target(&self, wait_all: bool, len: usize) -> usize {
        let len = c_int::try_from(len).unwrap_or(c_int::MAX);
        // SAFETY: The socket is live.
        let target = unsafe {
            bindings::knet_helper_sock_rcvlowat(self.as_ptr(), c_int::from(wait_all), len)
        };
        usize::try_from(target).unwrap_or(1)
    }

    /// Tells waiters that data came (`sk_data_ready`).
    pub fn notify_readable(&self) {
        // SAFETY: The socket is live.
        if let Some(ready) = unsafe { (*self.as_ptr()).sk_data_ready } {
            // SAFETY: The callback that the kernel or this crate installed for this socket.
            unsafe { ready(self.as_ptr()) }
        }
    }

    /// Tells waiters that the state changed (`sk_state_change`).
    pub fn notify_state(&self) {
        // SAFETY: The socket is live.
        if let Some(change) = unsafe { (*self.as_ptr()).sk_state_change } {
            // SAFETY: The callback that the kernel or this crate installed for this socket.
            unsafe { change(self.as_ptr()) }
        }
    }

    /// Whether a writer found no room since the last was woken: it waits, or will poll.
    pub fn wants_room(&self) -> bool {
        // SAFETY: The socket is live; its `struct socket` is freed a grace period after it was let
        // go, and TCP's callbacks run under RCU.
        unsafe { bindings::knet_helper_wants_room(self.as_ptr()) }
    }

    /// Lets TCP call [`crate::protocol::Protocol::write_space`] after the segment that is on its
    /// way to it. For a subflow; any context.
    pub fn ask_for_report(&self) {
        // SAFETY: As above.
        unsafe { bindings::knet_helper_report_room(self.as_ptr(), true) }
    }

    /// Tells waiters that there is room to write, if there is enough (`sk_write_space`).
    pub fn notify_writeable(&self) {
        // SAFETY: The socket is live.
        if let Some(space) = unsafe { (*self.as_ptr()).sk_write_space } {
            // SAFETY: The callback that the kernel or this crate installed for this socket.
            unsafe { space(self.as_ptr()) }
        }
    }

    /// Tells waiters that an error is pending (`sk_error_report`).
    pub fn notify_error(&self) {
        // SAFETY: The socket is live.
        unsafe { bindings::sk_error_report(self.as_ptr()) }
    }

    /// Lets this socket's addresses and ports be those of `other`. The socket is locked, or nothing else than these
    /// addresses can be written to it.
    pub fn copy_addresses(&self, other: &Sock) {
        // SAFETY: Both sockets are live full inet sockets.
        unsafe { bindings::knet_helper_copy_addresses(self.as_ptr(), other.as_ptr()) }
    }

    /// How long a receive may wait, in jiffies; 0 if it must not.
    pub fn receive_timeout(&self, no_wait: bool) -> c_long {
        if no_wait {
            return 0;
        }
        // SAFETY: The socket is live; the kernel reads this field without lock too.
        unsafe { addr_of!((*self.as_ptr()).sk_rcvtimeo).read_volatile() }
    }

    /// How long a send may wait, in jiffies; 0 if it must not.
    pub fn send_timeout(&self, no_wait: bool) -> c_long {
        if no_wait {
            return 0;
        }
        // SAFETY: The socket is live; the kernel reads this field without lock too.
        unsafe { addr_of!((*self.as_ptr()).sk_sndtimeo).read_volatile() }
    }

    /// The addresses and ports of the connection, in network byte order.
    pub fn tuple(&self) -> Tuple {
        // SAFETY: The socket is live; the fields are plain numbers set before it is connected.
        let sk = unsafe { &*self.as_ptr() };
        // SAFETY: As above; every socket that this crate sees is an inet socket.
        let inet = unsafe { &*self.as_ptr().cast::<bindings::inet_sock>() };
        // SAFETY: The two views of these unions have the same size; any bits are valid.
        let (remote_v4, local_v4, remote_port, local_port) = unsafe {
            let common = &sk.__sk_common;
            (
                common.__bindgen_anon_1.__bindgen_anon_1.skc_daddr,
                common.__bindgen_anon_1.__bindgen_anon_1.skc_rcv_saddr,
                common.__bindgen_anon_3.__bindgen_anon_1.skc_dport,
                inet.inet_sport,
            )
        };
        if self.family() == AF_INET6 {
            // SAFETY: The union holds 16 bytes in each of its views.
            let (remote, local) = unsafe {
                (
                    sk.__sk_common.skc_v6_daddr.in6_u.u6_addr8,
                    sk.__sk_common.skc_v6_rcv_saddr.in6_u.u6_addr8,
                )
            };
            return Tuple {
                local: Address::V6(local),
                remote: Address::V6(remote),
                local_port: u16::from_be(local_port),
                remote_port: u16::from_be(remote_port),
            };
        }
        Tuple {
            local: Address::V4(local_v4.to_ne_bytes()),
            remote: Address::V4(remote_v4.to_ne_bytes()),
            local_port: u16::from_be(local_port),
            remote_port: u16::from_be(remote_port),
        }
    }
}

/// The family number of IPv4 sockets.
pub const AF_INET: u16 = bindings::AF_INET as u16;
/// The family number of IPv6 sockets.
pub const AF_INET6: u16 = bindings::AF_INET6 as u16;

/// An address in network byte order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Address {
    /// IPv4.
    V4([u8; 4]),
    /// IPv6.
    V6([u8; 16]),
}

/// Addresses and ports (host byte order) of a connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[allow(missing_docs)]
pub struct Tuple {
    pub local: Address,
    pub remote: Address,
    pub local_port: u16,
    pub remote_port: u16,
}
