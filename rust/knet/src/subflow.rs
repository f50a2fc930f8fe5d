// SPDX-License-Identifier: GPL-2.0

//! Subflows: kernel TCP sockets under a meta-socket.
//!
//! C headers: `include/net/tcp.h`, `include/linux/tcp.h`.

mod claim;
mod enqueue;
mod locked;
mod snapshot;

pub use claim::{owes_acknowledgement, window_state, Claim, WindowState};
pub use enqueue::Burst;
pub use locked::{lock, with_softirq_lock, PacketView, Tcp, TcpGuard};
pub use snapshot::{
    has_connection_waiting, load, pace, rto_us, snapshot, window_of_space, Load, Pace, Snapshot,
    TcpInfo,
};

use crate::address::SocketAddress;
use crate::bindings;
use crate::context::Context;
use crate::meta::{Meta, Protocol};
use crate::sock::Sock;
use core::marker::PhantomData;
use kernel::error::to_result;
use kernel::prelude::*;
use kernel::sync::aref::ARef;

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

/// Sets a TCP-level option with an integer value. Process context.
///
/// # Safety
///
/// `sk` is a live TCP socket whose lock the caller does not hold.
pub(crate) unsafe fn set_tcp_option(
    sk: *mut bindings::sock,
    option: c_int,
    mut value: c_int,
) -> Result {
    // SAFETY: By the caller's promise; the value is read during the call.
    to_result(unsafe {
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

impl<P: Protocol> Subflow<P> {
    /// The holder's handle of a socket that a hidden listener made. Softirq.
    pub(crate) fn of_child(child: &Sock) -> Self {
        Self {
            sk: child.hold(),
            socket: core::ptr::null_mut(),
            _protocol: PhantomData,
        }
    }

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
        // SAFETY: The socket is live and not locked.
        unsafe { set_tcp_option(self.sk.as_ptr(), bindings::TCP_SAVE_SYN as c_int, 1)? };
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

    /// Lets it leave through the interface of this index alone; 0 leaves that to routing.
    pub fn bind_to_interface(&self, index: u32) -> Result {
        let index = c_int::try_from(index).map_err(|_| EINVAL)?;
        // SAFETY: The socket is live; the function takes its lock.
        to_result(unsafe { bindings::sock_bindtoindex(self.sk.as_ptr(), index, true) })
    }

    /// Closes it as `close(2)` would: FIN after all data. Process context.
    pub fn close(self) {
        // SAFETY: The holder owns the socket; this is the only close of it.
        unsafe {
            if self.socket.is_null() {
                // What a hidden listener made does not hold its namespace yet, and TCP closes such a
                // socket without waiting for its peer.
                if (*self.sk.as_ptr()).__sk_common.skc_net_refcnt() == 0 {
                    bindings::sk_net_refcnt_upgrade(self.sk.as_ptr());
                }
                bindings::tcp_close(self.sk.as_ptr(), 0);
            } else {
                bindings::sock_release(self.socket);
            }
        }
    }

    /// As [`Subflow::close`], but TCP gives up what the peer did not acknowledge for so many milliseconds
    /// (`TCP_USER_TIMEOUT`), which otherwise takes it minutes. Process context.
    pub fn close_within(self, milliseconds: c_int) {
        // SAFETY: The socket is live; the function writes one number, for which it needs no lock.
        unsafe { bindings::tcp_sock_set_user_timeout(self.sk.as_ptr(), milliseconds) };
        self.close();
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
