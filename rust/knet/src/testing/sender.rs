// SPDX-License-Identifier: GPL-2.0

//! Who sends a test packet: a TCP socket, or the request of a listener.

use crate::bindings;
use core::ptr::NonNull;
use kernel::prelude::*;

/// What a packet's `skb->sk` is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// A TCP socket.
    Socket,
    /// A request, which answers with a SYN/ACK.
    Request,
}

/// A sender with documentation addresses of its family.
pub struct Sender {
    sk: NonNull<bindings::sock>,
    /// Null for a request.
    socket: *mut bindings::socket,
    ipv6: bool,
}

impl Sender {
    const LOCAL: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];
    const REMOTE: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];
    const LOCAL_V4: [u8; 4] = [192, 0, 2, 7];
    const REMOTE_V4: [u8; 4] = [198, 51, 100, 9];

    /// A sender of IPv4 or IPv6. Process context.
    pub fn new(kind: Kind, ipv6: bool) -> Result<Self> {
        let (local, remote) = Self::addresses_of(ipv6);
        let (local, remote) = (local.as_ptr().cast(), remote.as_ptr().cast());
        let (sk, socket) = match kind {
            // SAFETY: The addresses are as long as the family wants.
            Kind::Request => unsafe {
                let sk = bindings::knet_helper_test_request(ipv6, local, remote);
                (sk, core::ptr::null_mut())
            },
            // SAFETY: As above; the new socket is live.
            Kind::Socket => unsafe {
                let socket = bindings::knet_helper_test_socket(ipv6, local, remote);
                (socket.as_ref().ok_or(ENOMEM)?.sk, socket)
            },
        };
        Ok(Self {
            sk: NonNull::new(sk).ok_or(ENOMEM)?,
            socket,
            ipv6,
        })
    }

    fn addresses_of(ipv6: bool) -> (&'static [u8], &'static [u8]) {
        if ipv6 {
            (&Self::LOCAL, &Self::REMOTE)
        } else {
            (&Self::LOCAL_V4, &Self::REMOTE_V4)
        }
    }

    /// The sender's address and the receiver's, in network byte order.
    pub fn addresses(&self) -> (&'static [u8], &'static [u8]) {
        Self::addresses_of(self.ipv6)
    }

    /// Whether the family is IPv6.
    pub fn is_ipv6(&self) -> bool {
        self.ipv6
    }

    pub(crate) fn as_ptr(&self) -> *mut bindings::sock {
        self.sk.as_ptr()
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        // SAFETY: Made in `new`; packets borrow the sender, so none is left.
        unsafe {
            if self.socket.is_null() {
                bindings::kfree(self.sk.as_ptr().cast());
            } else {
                bindings::sock_release(self.socket);
            }
        }
    }
}
