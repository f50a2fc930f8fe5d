// SPDX-License-Identifier: GPL-2.0

//! Ports that are listened on for subflows that join, and for nothing else.
//!
//! SYNs that join are handed to the hidden listeners of [`crate::joining`] before they get here. The
//! listener of a port keeps others from taking it, shows it to who lists listeners, and answers every
//! other SYN with a RST.

use crate::address::SocketAddress;
use crate::bindings;
use crate::hooks;
use crate::meta::Protocol;
use crate::netns::Net;
use crate::sock::Sock;
use core::ptr::{addr_of, null_mut};
use kernel::error::to_result;
use kernel::prelude::*;

/// SYNs are answered at once, so none ever waits.
const BACKLOG: c_int = 1;

/// Marks the listeners by their `sk_user_data`.
static MARK: u8 = 0;

/// A port that this host listens on. Dropping closes it, in process context.
///
/// # Invariants
///
/// The pointer is to a socket that was made by `sock_create_kern` and is released by `drop` alone.
pub struct Port(*mut bindings::socket);

// SAFETY: The kernel synchronises what is done with the socket.
unsafe impl Send for Port {}
// SAFETY: As above.
unsafe impl Sync for Port {}

impl Port {
    /// Listens on a port of an address of the namespace. Process context.
    ///
    /// # Errors
    /// EADDRINUSE if somebody else has the port, EADDRNOTAVAIL if the host does not have the address,
    /// otherwise what the kernel says.
    pub fn listen<P: Protocol>(net: &Net, address: &SocketAddress) -> Result<Self> {
        let mut socket = null_mut();
        // SAFETY: The namespace is live; `socket` receives the new one.
        to_result(unsafe {
            bindings::sock_create_kern(
                net.as_raw(),
                c_int::from(address.family()),
                bindings::sock_type_SOCK_STREAM as c_int,
                bindings::IPPROTO_TCP as c_int,
                &mut socket,
            )
        })?;
        // INVARIANT: It was made just now.
        let this = Self(socket);
        let (address, length) = address.raw();
        // SAFETY: The socket is live and nobody else knows it before it listens; the address is valid for
        // its length.
        unsafe {
            let sk = (*socket).sk;
            (*sk).sk_user_data = addr_of!(MARK).cast_mut().cast();
            hooks::install::<P>(sk);
            // Subflows that came to the port before must not keep it from being listened on again.
            (*sk)
                .__sk_common
                .set_skc_reuse(bindings::SK_CAN_REUSE as u8);
            to_result(bindings::kernel_bind(socket, address, length))?;
            to_result(bindings::kernel_listen(socket, BACKLOG))?;
        }
        Ok(this)
    }

    /// The socket that listens.
    pub fn sock(&self) -> &Sock {
        // SAFETY: By the type invariant the socket is live.
        unsafe { Sock::from_ptr((*self.0).sk) }
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        // SAFETY: By the type invariant. The kernel's tables are good for a listener too.
        unsafe {
            hooks::remove((*self.0).sk);
            bindings::sock_release(self.0);
        }
    }
}

/// Whether a listening socket is that of a [`Port`].
///
/// # Safety
///
/// `sk` is a live TCP socket.
pub(crate) unsafe fn is_port(sk: *const bindings::sock) -> bool {
    // SAFETY: By the caller's promise.
    unsafe { core::ptr::eq((*sk).sk_user_data.cast(), addr_of!(MARK)) }
}
