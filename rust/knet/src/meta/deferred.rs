// SPDX-License-Identifier: GPL-2.0

//! What a meta-socket lets run later: work in process context, work in softirq, its timer.

use super::{DataGuard, Meta, Protocol};
use crate::{bindings, cpu};
use core::mem::offset_of;
use core::ptr::{addr_of_mut, NonNull};
use core::sync::atomic::{AtomicU32, Ordering};
use kernel::prelude::*;
use kernel::sync::aref::ARef;

/// Stands for whichever processor asks.
const ANY: u32 = u32::MAX;

/// Where deferred work of a meta-socket runs.
pub(super) struct Place(AtomicU32);

impl Place {
    /// Wherever it is asked for.
    pub(super) const fn new() -> Self {
        Self(AtomicU32::new(ANY))
    }
}

impl<P: Protocol> Meta<P> {
    /// From now on what is deferred runs on this processor while it is online; otherwise, and for `None`, on
    /// the one that asks for it. Any context.
    pub fn defer_to(&self, cpu: Option<u32>) {
        self.place.0.store(cpu.unwrap_or(ANY), Ordering::Relaxed);
    }

    /// Calls `queue` with the processor to run on, which is online meanwhile; `None` for this one.
    #[inline]
    fn in_place<T>(&self, queue: impl FnOnce(Option<c_int>) -> T) -> T {
        let cpu = self.place.0.load(Ordering::Relaxed);
        if cpu == ANY {
            return queue(None);
        }
        let stay = cpu::Stay::new();
        queue(c_int::try_from(cpu).ok().filter(|_| stay.is_online(cpu)))
    }

    /// Lets [`Protocol::work`] run soon in process context. Any context.
    pub fn schedule_work(&self) {
        let held = self.hold();
        let work = self.work.get();
        let queued = self.in_place(|cpu| match cpu {
            // SAFETY: The work was initialised with the socket; the reference taken above is the work's own
            // until it ran. The processor is online.
            Some(cpu) => unsafe { bindings::queue_work_on(cpu, bindings::system_percpu_wq, work) },
            // SAFETY: As above.
            None => unsafe { bindings::knet_helper_queue_work(work) },
        });
        if queued {
            core::mem::forget(held);
        }
    }

    /// Lets [`Protocol::softirq_work`] run as soon as the locks that are held now are given up. Any context.
    pub fn schedule_softirq_work(&self) {
        let held = self.hold();
        let work = self.softirq_work.get();
        let queued = if self.place.0.load(Ordering::Relaxed) == cpu::current() {
            // SAFETY: As in `schedule_work`.
            unsafe { bindings::knet_helper_queue_softirq_work(work) }
        } else {
            self.in_place(|cpu| match cpu {
                // SAFETY: As in `schedule_work`.
                Some(cpu) => unsafe { bindings::queue_work_on(cpu, bindings::system_bh_wq, work) },
                // SAFETY: As in `schedule_work`.
                None => unsafe { bindings::knet_helper_queue_softirq_work(work) },
            })
        };
        if queued {
            core::mem::forget(held);
        }
    }

    /// Forgets the timer; a run that has begun goes on.
    pub fn stop_timer(&self) {
        let sk = self.sock().as_ptr();
        // SAFETY: `sk_timer` was set up with the socket; `sk_stop_timer` gives the reference back that a
        // pending timer owns.
        unsafe { bindings::sk_stop_timer(sk, knet_timer(sk)) }
    }
}

impl<P: Protocol> DataGuard<'_, P> {
    /// Lets [`Protocol::timer`] run in `delay` microseconds from now, whatever was set before.
    pub fn set_timer(&self, delay: u64) {
        let sk = self.sk();
        // SAFETY: The socket is live.
        let timer = unsafe { knet_timer(sk) };
        // SAFETY: Pure functions.
        let at = unsafe {
            bindings::knet_helper_jiffies()
                .wrapping_add(bindings::knet_helper_usecs_to_jiffies(delay).max(1))
        };
        self.meta().in_place(|cpu| match cpu {
            Some(cpu) => self.set_timer_on(timer, at, cpu),
            // SAFETY: The timer was set up with the socket; `sk_reset_timer` owns a reference while it is
            // pending.
            None => unsafe { bindings::sk_reset_timer(sk, timer, at) },
        });
    }

    /// Lets the socket's timer run at `at` on a processor that is online.
    fn set_timer_on(&self, timer: *mut bindings::timer_list, at: c_ulong, cpu: c_int) {
        // SAFETY: The timer was set up with the socket.
        let was_pending = unsafe { bindings::timer_delete(timer) } != 0;
        if !was_pending {
            // SAFETY: The socket is live. A pending timer owns a reference; one that was still pending hands
            // its own on.
            unsafe { bindings::knet_helper_sock_hold(self.sk()) };
        }
        // SAFETY: The timer is not pending, and who sets it holds the data lock as this caller does, so nobody
        // else writes to the field.
        unsafe { (*timer).expires = at };
        // SAFETY: As above; the processor is online.
        unsafe { bindings::add_timer_on(timer, cpu) };
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
