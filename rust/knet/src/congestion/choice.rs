// SPDX-License-Identifier: GPL-2.0

//! An algorithm that an application chose, for subflows that are still to come.

use crate::bindings;
use crate::subflow::Tcp;
use core::ptr::{addr_of_mut, NonNull};

/// An algorithm of the system, ours or another. It stays as long as the value lives.
///
/// # Invariants
///
/// The value owns a reference to the algorithm's module.
pub struct Choice(NonNull<bindings::tcp_congestion_ops>);

// SAFETY: The table is constant but for what the kernel guards by a lock of its own.
unsafe impl Send for Choice {}
// SAFETY: As above.
unsafe impl Sync for Choice {}

impl Choice {
    /// What was chosen for a subflow by TCP_CONGESTION; `None` where the default holds.
    pub fn of(tcp: &Tcp<'_>) -> Option<Self> {
        let icsk = tcp.as_ptr().cast::<bindings::inet_connection_sock>();
        // SAFETY: A TCP socket begins with an `inet_connection_sock`; it is locked, so it keeps its
        // algorithm, whose module it holds.
        unsafe {
            if (*icsk).icsk_ca_setsockopt() == 0 {
                return None;
            }
            let ops = NonNull::new((*icsk).icsk_ca_ops.cast_mut())?;
            // INVARIANT: The reference was taken.
            bindings::knet_helper_congestion_get(ops.as_ptr()).then_some(Self(ops))
        }
    }

    /// Lets a subflow whose handshake is not done use it, unless its route says which algorithm to use.
    /// Any context.
    pub fn apply(&self, tcp: &mut Tcp<'_>) {
        let icsk = tcp.as_ptr().cast::<bindings::inet_connection_sock>();
        // SAFETY: As above. Before it may send, a socket's algorithm has not begun, and is exchanged by
        // exchanging the references to both modules; a state of zeros has not begun either.
        unsafe {
            let fixed = (*icsk).icsk_ca_dst_locked() != 0 || (*icsk).icsk_ca_initialized() != 0;
            if fixed || !bindings::knet_helper_congestion_get(self.0.as_ptr()) {
                return;
            }
            bindings::knet_helper_congestion_put((*icsk).icsk_ca_ops);
            addr_of_mut!((*icsk).icsk_ca_ops).write_volatile(self.0.as_ptr());
            (*icsk).set_icsk_ca_setsockopt(1);
            (*icsk).icsk_ca_priv.fill(0);
        }
    }
}

impl Drop for Choice {
    fn drop(&mut self) {
        // SAFETY: By the type invariant.
        unsafe { bindings::knet_helper_congestion_put(self.0.as_ptr()) }
    }
}
