// SPDX-License-Identifier: GPL-2.0

//! The subflows that a network namespace has now, found where TCP keeps its connections: no list of
//! our own has to be kept while connections come and go.
//!
//! C header: [`include/net/inet_hashtables.h`](srctree/include/net/inet_hashtables.h)

use crate::{
    bindings,
    context::Context,
    meta::{
        Meta,
        Protocol, //
    },
    netns::Net,
    sock::Sock, //
};
use kernel::sync::rcu;

/// Calls `each` for every subflow of `P` in TCP's table of connections, with its meta-socket. Process
/// context; `each` must not sleep.
///
/// Connections that come, go or move meanwhile may be missed or seen twice.
pub fn for_each_subflow<P: Protocol>(net: &Net, mut each: impl FnMut(&Meta<P>, &Sock)) {
    // SAFETY: The namespace is alive.
    let slots = unsafe { bindings::knet_helper_established_slots(net.as_raw()) };
    for slot in 0..slots {
        visit::<P>(net, slot, &mut each);
        // SAFETY: Process context without locks.
        unsafe { bindings::knet_helper_cond_resched() };
    }
}

/// One slot of the table.
fn visit<P: Protocol>(net: &Net, slot: u32, each: &mut impl FnMut(&Meta<P>, &Sock)) {
    let _section = rcu::read_lock();
    // SAFETY: The slot is one of the table's, and the section is open.
    let mut next = unsafe { bindings::knet_helper_established_first(net.as_raw(), slot) };
    while !next.is_null() {
        let sk = next;
        // SAFETY: Entries of the table stay memory of their own type until the section ends. Those that
        // are full sockets are TCP sockets; one whose reference count could be raised is live.
        unsafe {
            if bindings::knet_helper_sk_fullsock(sk) && bindings::knet_helper_sock_try_hold(sk) {
                let here = core::ptr::eq(bindings::knet_helper_sock_net(sk), net.as_raw());
                if let (true, Some(meta)) = (here, Context::<P>::of(sk).and_then(Context::meta)) {
                    each(meta, Sock::from_ptr(sk));
                }
                next = bindings::knet_helper_established_next(sk);
                bindings::knet_helper_sock_gen_put(sk);
            } else {
                next = bindings::knet_helper_established_next(sk);
            }
        }
    }
}
