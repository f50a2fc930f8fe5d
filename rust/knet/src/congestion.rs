// SPDX-License-Identifier: GPL-2.0

//! Congestion control of subflows, under a name that a socket option or the administrator chooses.
//!
//! C header: [`include/net/tcp.h`](srctree/include/net/tcp.h) (`struct tcp_congestion_ops`).

mod calls;
mod choice;

pub use choice::Choice;

use crate::bindings;
use crate::meta::{Meta, Protocol};
use crate::subflow::Tcp;
use core::marker::PhantomData;
use core::ptr::addr_of_mut;
use kernel::prelude::*;
use kernel::types::Opaque;

/// The two variables of congestion control (RFC 5681 section 2), in segments.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Window {
    /// The congestion window.
    pub cwnd: u32,
    /// The slow-start threshold.
    pub ssthresh: u32,
}

/// An acknowledgement of new data.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ack {
    /// How many segments were acknowledged.
    pub segments: u32,
    /// The first sequence number that is not acknowledged now.
    pub una: u32,
    /// The next sequence number to be sent.
    pub nxt: u32,
    /// Whether it is the congestion window that limits what is sent.
    pub cwnd_limited: bool,
}

/// An algorithm of congestion control for subflows; a value is its state for one of them.
///
/// A TCP socket that is no subflow may choose it too, since names are known to the whole system. Such a
/// socket has no state and gets TCP's standard algorithm (Reno), as a subflow does before its handshake is
/// done.
///
/// The functions run with the subflow's lock held, in softirq or process context, and take no lock but
/// the data lock of the meta-socket.
pub trait CongestionControl: Copy + Send + Sync + 'static {
    /// Whose subflows.
    type Protocol: Protocol;
    /// The name, of 15 bytes at most.
    const NAME: &'static str;

    /// The state of a subflow that may send from now on.
    fn new() -> Self;
    /// A socket that is no subflow chose the algorithm.
    fn chosen_by_stranger();
    /// The window after an acknowledgement of new data.
    fn on_ack(&mut self, meta: &Meta<Self::Protocol>, tcp: &Tcp<'_>, ack: &Ack) -> Window;
    /// The slow-start threshold after a loss, in segments.
    fn ssthresh(&self, meta: &Meta<Self::Protocol>, tcp: &Tcp<'_>) -> u32;
    /// A round-trip time was measured, in microseconds.
    fn on_rtt(&mut self, rtt_us: u32);
    /// TCP begins to recover from a loss or to obey a congestion mark.
    fn on_loss(&mut self, meta: &Meta<Self::Protocol>, tcp: &Tcp<'_>);
    /// TCP has recovered from that.
    fn on_recovered(&mut self);
    /// Sending begins again after the subflow was idle for a retransmission timeout.
    fn on_restart(&mut self);
    /// The subflow ends, or another algorithm takes over.
    fn end(self, meta: &Meta<Self::Protocol>, tcp: &Tcp<'_>);
}

/// The algorithm `A` as one that sockets can choose. A socket that did holds the module.
pub struct Registration<A: CongestionControl> {
    ops: KBox<Opaque<bindings::tcp_congestion_ops>>,
    _algorithm: PhantomData<A>,
}

// SAFETY: The kernel guards what it changes in the table by a lock of its own.
unsafe impl<A: CongestionControl> Send for Registration<A> {}
// SAFETY: As above; nothing is reached through a shared reference.
unsafe impl<A: CongestionControl> Sync for Registration<A> {}

impl<A: CongestionControl> Registration<A> {
    /// Registers it; `EEXIST` if the system has an algorithm of this name.
    pub fn new(module: &'static ThisModule) -> Result<Self> {
        let ops = KBox::new(Opaque::new(calls::table::<A>(module)), GFP_KERNEL)?;
        // SAFETY: The table is complete and stays in its place until after it is unregistered.
        let error = unsafe { bindings::tcp_register_congestion_control(ops.get()) };
        kernel::error::to_result(error)?;
        Ok(Self {
            ops,
            _algorithm: PhantomData,
        })
    }
}

impl<A: CongestionControl> Drop for Registration<A> {
    fn drop(&mut self) {
        // SAFETY: Registered in `new`. No socket uses it, because each would hold the module; readers of
        // the list are awaited.
        unsafe { bindings::tcp_unregister_congestion_control(self.ops.get()) }
    }
}

impl Tcp<'_> {
    fn socket(&self) -> *mut bindings::tcp_sock {
        self.as_ptr().cast()
    }

    /// The window of its congestion control.
    pub fn congestion_window(&self) -> Window {
        // SAFETY: The socket is live and locked.
        unsafe {
            Window {
                cwnd: (*self.socket()).snd_cwnd,
                ssthresh: (*self.socket()).snd_ssthresh,
            }
        }
    }

    fn congestion_state(&self) -> u32 {
        // SAFETY: A TCP socket begins with an `inet_connection_sock`; it is locked.
        let state =
            unsafe { (*self.as_ptr().cast::<bindings::inet_connection_sock>()).icsk_ca_state() };
        u32::from(state)
    }

    /// An acknowledgement of so many segments, which TCP has just taken.
    fn ack(&self, segments: u32) -> Ack {
        // SAFETY: The socket is live and locked.
        unsafe {
            Ack {
                segments,
                una: (*self.socket()).snd_una,
                nxt: (*self.socket()).snd_nxt,
                cwnd_limited: bindings::knet_helper_is_cwnd_limited(self.as_ptr()),
            }
        }
    }

    /// Lets TCP send by this window, within its own bounds.
    pub fn set_congestion_window(&mut self, window: Window) {
        // SAFETY: The socket is live and locked; the kernel reads both fields without lock too.
        unsafe {
            let tcp = self.socket();
            let cwnd = window.cwnd.min((*tcp).snd_cwnd_clamp).max(1);
            addr_of_mut!((*tcp).snd_cwnd).write_volatile(cwnd);
            addr_of_mut!((*tcp).snd_ssthresh).write_volatile(window.ssthresh);
        }
    }
}
