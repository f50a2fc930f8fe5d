// SPDX-License-Identifier: GPL-2.0

//! Subflows that join a connection.
//!
//! Which port a joining SYN goes to does not matter: the listener there may be gone, be the application's
//! or another program's. So each namespace has listeners of its own, which nobody can reach by address.
//! A SYN that names one of our connections is handed to them. TCP does the handshake, and what comes of it
//! never enters an accept queue.

use crate::bindings;
use crate::context::{Callbacks, Context};
use crate::hooks;
use crate::meta::Protocol;
use crate::netns::Net;
use crate::protocol::Rst;
use crate::segment::{ChildRequest, Handshake, Header};
use crate::sock::{Sock, State};
use crate::subflow::{Subflow, Tcp};
use core::ptr::{addr_of, null_mut};
use kernel::error::to_result;
use kernel::prelude::*;

/// How many handshakes can be under way in a namespace and family before TCP answers with SYN cookies,
/// which joins cannot use.
const BACKLOG: c_int = 256;

/// Marks the listeners by their `sk_user_data`.
static MARK: u8 = 0;

/// The hidden listeners of a namespace, one per family. Dropping closes them.
pub(crate) struct Acceptors {
    v4: *mut bindings::socket,
    /// Null without IPv6.
    v6: *mut bindings::socket,
}

impl Acceptors {
    /// Opens them. Process context.
    pub(crate) fn open<P: Protocol>(net: &Net) -> Result<Self> {
        let v4 = listen::<P>(net, crate::sock::AF_INET)?;
        let v6 = listen::<P>(net, crate::sock::AF_INET6).unwrap_or(null_mut());
        Ok(Self { v4, v6 })
    }

    /// The listener for a family; `None` without IPv6.
    fn listener(&self, ipv6: bool) -> Option<*mut bindings::sock> {
        let socket = if ipv6 { self.v6 } else { self.v4 };
        // SAFETY: A socket that is not null is live until `self` is dropped.
        unsafe { socket.as_ref().map(|socket| socket.sk) }
    }

    /// Answers a SYN, whose TCP header lies `offset` bytes behind its start, with a RST.
    ///
    /// # Safety
    ///
    /// `skb` is a live packet on its way to TCP.
    pub(crate) unsafe fn refuse(
        &self,
        skb: *mut bindings::sk_buff,
        ipv6: bool,
        offset: u32,
        rst: Rst,
    ) {
        if let Some(listener) = self.listener(ipv6) {
            // SAFETY: By the caller's promise; the listener is live.
            unsafe {
                bindings::knet_helper_send_reset(listener, skb, offset, rst.reason, rst.transient);
            }
        }
    }

    /// Hands a SYN to the listener of its family. `false`: there is none.
    ///
    /// # Safety
    ///
    /// `skb` is a live packet on its way to TCP.
    pub(crate) unsafe fn take(&self, skb: *mut bindings::sk_buff, ipv6: bool) -> bool {
        let Some(listener) = self.listener(ipv6) else {
            return false;
        };
        // SAFETY: By the caller's promise; the packet takes a reference to the live listener.
        unsafe { bindings::knet_helper_give_to_socket(skb, listener) };
        true
    }
}

impl Drop for Acceptors {
    fn drop(&mut self) {
        for socket in [self.v4, self.v6] {
            if socket.is_null() {
                continue;
            }
            // SAFETY: Opened in `open` and released only here. No more SYNs come: the hooks that hand
            // them over are gone.
            unsafe {
                hooks::remove((*socket).sk);
                bindings::sock_release(socket);
            }
        }
    }
}

/// A listener that is found by no look-up.
fn listen<P: Protocol>(net: &Net, family: u16) -> Result<*mut bindings::socket> {
    let mut socket = null_mut();
    // SAFETY: The namespace is live; `socket` receives the new one.
    to_result(unsafe {
        bindings::sock_create_kern(
            net.as_raw(),
            c_int::from(family),
            bindings::sock_type_SOCK_STREAM as c_int,
            bindings::IPPROTO_TCP as c_int,
            &mut socket,
        )
    })?;
    // SAFETY: The socket was made just now and nobody else knows it.
    let listening = unsafe {
        let sk = (*socket).sk;
        (*sk).sk_user_data = addr_of!(MARK).cast_mut().cast();
        hooks::install::<P>(sk);
        // Children inherit it: they must not keep a server that starts anew from its port.
        (*sk)
            .__sk_common
            .set_skc_reuse(bindings::SK_CAN_REUSE as u8);
        crate::subflow::set_tcp_option(sk, bindings::TCP_SAVE_SYN as c_int, 1)
            .and_then(|()| to_result(bindings::kernel_listen(socket, BACKLOG)))
    };
    // SAFETY: As above; it stays in the state LISTEN, but the tables of listeners forget it.
    unsafe {
        if let Err(error) = listening {
            hooks::remove((*socket).sk);
            bindings::sock_release(socket);
            return Err(error);
        }
        bindings::knet_helper_sock_unhash((*socket).sk);
    }
    Ok(socket)
}

/// Whether a listening socket is one of ours.
///
/// # Safety
///
/// `sk` is a live TCP socket.
pub(crate) unsafe fn is_acceptor(sk: *const bindings::sock) -> bool {
    // SAFETY: By the caller's promise.
    unsafe {
        core::ptr::eq((*sk).sk_user_data.cast(), addr_of!(MARK))
            && Sock::from_ptr(sk.cast_mut()).state() == State::Listen
    }
}

/// Makes the socket of a subflow that joins, or answers with a RST. Softirq.
///
/// # Safety
///
/// As for `syn_recv_sock` of `inet_connection_sock_af_ops`, of which `make` calls the kernel's own;
/// `listener` is one of ours.
pub(crate) unsafe fn join<P: Protocol>(
    listener: *const bindings::sock,
    skb: *mut bindings::sk_buff,
    request: *mut bindings::request_sock,
    own_request: *mut bool,
    make: impl FnOnce() -> *mut bindings::sock,
) -> *mut bindings::sock {
    // SAFETY: TCP passes live objects inside an RCU read-side section. The child comes back locked. It is
    // born with a reference of its own, which the subflow's close gives back, and with one that TCP gives
    // back when it learns that the request was another's.
    unsafe {
        let header = Header::new(bindings::knet_helper_tcp_hdr(skb));
        let payload = (*skb).len.saturating_sub(header.length() as u32);
        let asked = ChildRequest {
            handshake: Handshake::new(request),
            syn_options: crate::netfilter::saved_options(request),
            segment: header.incoming(null_mut(), false, 0, payload, skb),
        };
        let net = Net::from_raw(bindings::knet_helper_sock_net(listener));
        let joining = match P::admit(net, &asked) {
            Ok(joining) => joining,
            Err(rst) => {
                bindings::knet_helper_send_reset(listener, skb, 0, rst.reason, rst.transient);
                bindings::knet_helper_request_expire(request);
                return null_mut();
            }
        };
        let callbacks = Callbacks::of(listener);
        let Ok(context) = Context::<P>::new(null_mut(), callbacks, GFP_ATOMIC) else {
            return null_mut();
        };
        let child = make();
        if child.is_null() || !*own_request {
            return child;
        }
        (*child).sk_user_data = null_mut();
        hooks::install::<P>(child);
        let context = Context::equip(context, child);
        let mut tcp = Tcp::assume_locked(child);
        let subflow = Subflow::of_child(Sock::from_ptr(child));
        let meta = P::joined(joining, subflow, &mut tcp);
        context.adopt(child, None, meta);
        bindings::knet_helper_saved_syn_free(child);
        // As if another CPU had been faster: TCP forgets the request and gives the segment to the child.
        bindings::knet_helper_request_withdraw(request);
        *own_request = false;
        child
    }
}
