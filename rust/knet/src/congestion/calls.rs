// SPDX-License-Identifier: GPL-2.0

//! What TCP calls when a socket has chosen an algorithm of ours.

use super::CongestionControl;
use crate::bindings;
use crate::context::Context;
use crate::meta::Meta;
use crate::subflow::Tcp;
use core::mem::{align_of, size_of, MaybeUninit};
use core::ptr::addr_of_mut;
use kernel::prelude::*;

/// What lies in the place that TCP gives an algorithm in each socket. The place is zero at first.
struct Private<A> {
    begun: bool,
    /// Initialised if `begun`.
    state: MaybeUninit<A>,
}

/// The functions that TCP calls, and the name.
pub(super) fn table<A: CongestionControl>(
    module: &'static ThisModule,
) -> bindings::tcp_congestion_ops {
    const {
        assert!(size_of::<Private<A>>() <= bindings::ICSK_CA_PRIV_SIZE as usize);
        assert!(align_of::<Private<A>>() <= align_of::<u64>());
        assert!(A::NAME.len() < bindings::TCP_CA_NAME_MAX as usize);
    }
    let mut ops = bindings::tcp_congestion_ops {
        init: Some(init::<A>),
        release: Some(release::<A>),
        cong_avoid: Some(cong_avoid::<A>),
        ssthresh: Some(ssthresh::<A>),
        undo_cwnd: Some(bindings::tcp_reno_undo_cwnd),
        set_state: Some(set_state::<A>),
        cwnd_event: Some(cwnd_event::<A>),
        pkts_acked: Some(pkts_acked::<A>),
        owner: module.as_ptr().cast(),
        // No algorithm of ours takes more than TCP's own, so nobody must be kept from it.
        flags: bindings::TCP_CONG_NON_RESTRICTED,
        ..Default::default()
    };
    for (to, from) in ops.name.iter_mut().zip(A::NAME.bytes()) {
        *to = from as c_char;
    }
    ops
}

/// The place of an algorithm in a socket.
///
/// # Safety
///
/// `sk` is a live TCP socket that chose `A` and whose lock the current context holds for all of `'a`.
unsafe fn private<'a, A: CongestionControl>(sk: *mut bindings::sock) -> &'a mut Private<A> {
    let icsk = sk.cast::<bindings::inet_connection_sock>();
    // SAFETY: By the caller's promise. The place is large enough and aligned (`table`); zeros are a
    // state that has not begun.
    unsafe { &mut *addr_of_mut!((*icsk).icsk_ca_priv).cast::<Private<A>>() }
}

/// Calls `f` for a subflow whose state has begun.
///
/// # Safety
///
/// As for [`private`], for the time of the call.
unsafe fn with_state<A: CongestionControl, R>(
    sk: *mut bindings::sock,
    f: impl FnOnce(&mut A, &Meta<A::Protocol>, &mut Tcp<'_>) -> R,
) -> Option<R> {
    // SAFETY: By the caller's promise.
    unsafe {
        let private = private::<A>(sk);
        if !private.begun {
            return None;
        }
        let meta = Context::<A::Protocol>::of(sk)?.meta()?;
        let state = private.state.assume_init_mut();
        Some(f(state, meta, &mut Tcp::assume_locked(sk)))
    }
}

/// The socket may send, or has chosen the algorithm while it could.
///
/// # Safety
///
/// TCP passes a locked socket that chose `A`.
unsafe extern "C" fn init<A: CongestionControl>(sk: *mut bindings::sock) {
    // SAFETY: TCP passes a locked socket that chose `A`.
    unsafe {
        let private = private::<A>(sk);
        private.begun = Context::<A::Protocol>::of(sk).is_some();
        if private.begun {
            private.state.write(A::new());
        } else {
            A::chosen_by_stranger();
        }
    }
}

/// The socket ends, or chose another algorithm.
///
/// # Safety
///
/// As for [`init`].
unsafe extern "C" fn release<A: CongestionControl>(sk: *mut bindings::sock) {
    // SAFETY: TCP passes a locked socket that chose `A`.
    unsafe {
        with_state::<A, _>(sk, |state, meta, tcp| state.end(meta, tcp));
        private::<A>(sk).begun = false;
    }
}

/// New data was acknowledged, and TCP does not recover from a loss.
///
/// # Safety
///
/// As for [`init`].
unsafe extern "C" fn cong_avoid<A: CongestionControl>(
    sk: *mut bindings::sock,
    ack: u32,
    acked: u32,
) {
    // SAFETY: TCP passes a locked socket that chose `A`.
    unsafe {
        let done = with_state::<A, _>(sk, |state, meta, tcp| {
            let window = state.on_ack(meta, tcp, &tcp.ack(acked));
            tcp.set_congestion_window(window);
        });
        if done.is_none() {
            bindings::tcp_reno_cong_avoid(sk, ack, acked);
        }
    }
}

/// A loss or a congestion mark: the new slow-start threshold.
///
/// # Safety
///
/// As for [`init`].
unsafe extern "C" fn ssthresh<A: CongestionControl>(sk: *mut bindings::sock) -> u32 {
    // SAFETY: TCP passes a locked socket that chose `A`.
    unsafe {
        with_state::<A, _>(sk, |state, meta, tcp| state.ssthresh(meta, tcp))
            .unwrap_or_else(|| bindings::tcp_reno_ssthresh(sk))
    }
}

/// TCP is about to change the state of its recovery.
///
/// # Safety
///
/// As for [`init`].
unsafe extern "C" fn set_state<A: CongestionControl>(sk: *mut bindings::sock, new: u8) {
    // SAFETY: TCP passes a locked socket that chose `A`.
    unsafe {
        with_state::<A, _>(sk, |state, meta, tcp| match u32::from(new) {
            bindings::tcp_ca_state_TCP_CA_CWR
            | bindings::tcp_ca_state_TCP_CA_Recovery
            | bindings::tcp_ca_state_TCP_CA_Loss => state.on_loss(meta, tcp),
            // After mere disorder nothing has changed.
            bindings::tcp_ca_state_TCP_CA_Open
                if tcp.congestion_state() > bindings::tcp_ca_state_TCP_CA_Disorder =>
            {
                state.on_recovered();
            }
            _ => {}
        });
    }
}

/// Something happened to the window.
///
/// # Safety
///
/// As for [`init`].
unsafe extern "C" fn cwnd_event<A: CongestionControl>(
    sk: *mut bindings::sock,
    event: bindings::tcp_ca_event,
) {
    if event == bindings::tcp_ca_event_CA_EVENT_CWND_RESTART {
        // SAFETY: TCP passes a locked socket that chose `A`.
        unsafe { with_state::<A, _>(sk, |state, _, _| state.on_restart()) };
    }
}

/// Segments were acknowledged; the sample has their round-trip time, or a negative number.
///
/// # Safety
///
/// As for [`init`]; `sample` is valid during the call.
unsafe extern "C" fn pkts_acked<A: CongestionControl>(
    sk: *mut bindings::sock,
    sample: *const bindings::ack_sample,
) {
    // SAFETY: TCP passes a locked socket that chose `A`, and a sample.
    unsafe {
        if let Ok(rtt_us) = u32::try_from((*sample).rtt_us) {
            with_state::<A, _>(sk, |state, _, _| state.on_rtt(rtt_us));
        }
    }
}
