// SPDX-License-Identifier: GPL-2.0

//! What a meta-socket lets run later: work in process context, work in softirq, its timer.

use super::{Meta, Protocol};
use crate::bindings;
use core::mem::offset_of;
use core::ptr::{addr_of_mut, NonNull};
use kernel::sync::aref::ARef;

impl<P: Protocol> Meta<P> {
    /// Lets [`Protocol::work`] run soon in process context. Any context.
    pub fn schedule_work(&self) {
        let held = self.hold();
        // SAFETY: The work was initialised with the socket; the reference taken above is the
        // work's own until it ran.
        if unsafe { bindings::knet_helper_queue_work(self.work.get()) } {
            core::mem::forget(held);
        }
    }

    /// Lets [`Protocol::softirq_work`] run on this CPU as soon as the locks that are held now are
    /// given up. Any context.
    pub fn schedule_softirq_work(&self) {
        let held = self.hold();
        // SAFETY: As in `schedule_work`.
        if unsafe { bindings::knet_helper_queue_softirq_work(self.softirq_work.get()) } {
            core::mem::forget(held);
        }
    }

    /// Lets [`Protocol::timer`] run in `delay` microseconds from now, whatever was set before.
    pub fn set_timer(&self, delay: u64) {
        // SAFETY: `sk_timer` was set up with the socket; `sk_reset_timer` owns a reference while
        // the timer is pending.
        unsafe {
            let at = bindings::knet_helper_jiffies()
                .wrapping_add(bindings::knet_helper_usecs_to_jiffies(delay).max(1));
            let sk = self.sock().as_ptr();
            bindings::sk_reset_timer(sk, knet_timer(sk), at);
        }
    }

    /// Forgets the timer; a run that has begun goes on.
    pub fn stop_timer(&self) {
        let sk = self.sock().as_ptr();
        // SAFETY: As in `set_timer`.
        unsafe { bindings::sk_stop_timer(sk, knet_timer(sk)) }
    }
}

/// The timer of a socket.
///
/// # Safety
///
/// `sk` is live.
unsafe fn knet_timer(sk: *mut bindings::sock) -> *mut bindings::timer_list {
    // SAFETY: By the caller's promise.
    unsafe { addr_of_mut!((*sk).__bindgen_anon_3.sk_timer) }
}

/// The timer of a meta-socket ran out. Softirq.
///
/// # Safety
///
/// `timer` is the `sk_timer` of a live meta-socket of `P`, whose reference the timer gives away.
pub(super) unsafe extern "C" fn run_timer<P: Protocol>(timer: *mut bindings::timer_list) {
    // SAFETY: The timer is the `sk_timer` of a socket of `P`, whose reference the timer holds.
    let sk = unsafe { bindings::knet_helper_sock_of_timer(timer) };
    // SAFETY: As above.
    let meta = unsafe { ARef::from_raw(NonNull::new_unchecked(sk.cast::<Meta<P>>())) };
    P::timer(&meta);
}

/// The work of a meta-socket is due. Process context.
///
/// # Safety
///
/// `work` is the work item of a live meta-socket of `P`, whose reference it gives away.
pub(super) unsafe extern "C" fn run_work<P: Protocol>(work: *mut bindings::work_struct) {
    // SAFETY: The work item is the member of a live meta-socket, held by the reference that
    // `schedule_work` left to it.
    let meta = unsafe {
        let meta = work.byte_sub(offset_of!(Meta<P>, work)).cast::<Meta<P>>();
        ARef::from_raw(NonNull::new_unchecked(meta))
    };
    P::work(&meta);
}

/// The work of a meta-socket that runs in softirq is due.
///
/// # Safety
///
/// As for [`run_work`], with the other work item.
pub(super) unsafe extern "C" fn run_softirq_work<P: Protocol>(work: *mut bindings::work_struct) {
    // SAFETY: As in `run_work`.
    let meta = unsafe {
        let offset = offset_of!(Meta<P>, softirq_work);
        let meta = work.byte_sub(offset).cast::<Meta<P>>();
        ARef::from_raw(NonNull::new_unchecked(meta))
    };
    P::softirq_work(&meta);
}
