// SPDX-License-Identifier: GPL-2.0

//! Processors: which there are, how they share caches, and when they come and go.
//!
//! C headers: [`include/linux/cpuhotplug.h`](srctree/include/linux/cpuhotplug.h),
//! [`include/linux/sched/isolation.h`](srctree/include/linux/sched/isolation.h)

use crate::bindings;
use core::marker::PhantomData;
use kernel::{
    error::to_result,
    prelude::*,
    sync::rcu, //
};

/// The number of the processor that runs this. In process context it may be another one at once. Any
/// context.
#[inline]
#[cfg(all(CONFIG_X86_64, CONFIG_SMP))]
pub fn current() -> u32 {
    let number: u32;
    // SAFETY: The kernel keeps the segment base so that every processor reads the number of its own in the
    // variable, which nobody changes. This is what the kernel's macro does; a call of it would cost more than
    // the rest of what is done for a segment.
    unsafe {
        kernel::asm!(
            "movl %gs:{}(%rip), {:e}";
            sym bindings::cpu_number,
            out(reg) number,
            options(nostack, preserves_flags, readonly)
        );
    }
    number
}

/// The number of the processor that runs this. In process context it may be another one at once. Any
/// context.
#[inline]
#[cfg(not(all(CONFIG_X86_64, CONFIG_SMP)))]
pub fn current() -> u32 {
    kernel::cpu::CpuId::current().as_u32()
}

/// One more than the largest number of a processor that this system can have.
pub fn limit() -> u32 {
    kernel::cpu::nr_cpu_ids()
}

/// Whether the system can have a processor of this number. Any context.
pub fn is_possible(cpu: u32) -> bool {
    // SAFETY: Any number may be asked for.
    unsafe { bindings::knet_helper_cpu_possible(cpu) }
}

/// While it lives, this context stays on its processor, and no processor that is online goes offline: the
/// kernel takes one away while nobody is in such a place.
pub(crate) struct Stay(PhantomData<*mut ()>);

impl Stay {
    /// Any context; the holder must not sleep.
    pub(crate) fn new() -> Self {
        // SAFETY: It is enabled again when the value goes, which cannot leave this context.
        unsafe { bindings::knet_helper_preempt_disable() };
        Self(PhantomData)
    }

    /// Whether a processor is online, and stays so as long as `self` lives.
    pub(crate) fn is_online(&self, cpu: u32) -> bool {
        // SAFETY: A number in the range of the mask that is looked at.
        is_possible(cpu) && unsafe { bindings::knet_helper_cpu_online(cpu) }
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        // SAFETY: The value's maker disabled it in this context.
        unsafe { bindings::knet_helper_preempt_enable() };
    }
}

/// Whether the administrator keeps the kernel's general work off a processor (`isolcpus=`,
/// `nohz_full=`, isolated partitions of cpusets). Any context.
pub fn is_isolated(cpu: u32) -> bool {
    if !is_possible(cpu) {
        return false;
    }
    let _section = rcu::read_lock();
    // SAFETY: A number in the range of the masks that are looked at, which live during the section.
    unsafe {
        !bindings::knet_helper_cpu_runs_tasks(cpu) || !bindings::knet_helper_cpu_runs_work(cpu)
    }
}

/// What tells the last-level caches apart: the same for all processors that share one. Known once the
/// processor was online. Any context.
pub fn cache(cpu: u32) -> u32 {
    match is_possible(cpu) {
        // SAFETY: A possible processor has its record.
        true => unsafe { bindings::knet_helper_cpu_cache(cpu) },
        false => 0,
    }
}

/// Somebody who is told when processors come and go.
pub trait Watcher: 'static {
    /// Name in the kernel's list of those (`/sys/devices/system/cpu/hotplug/states`).
    const NAME: &'static CStr;

    /// A processor is online. Process context.
    fn came(cpu: u32);
    /// A processor is about to go offline. Process context, on that processor.
    fn goes(cpu: u32);
}

/// While it lives, `W` is told. At first of all processors that are online.
///
/// # Invariants
///
/// The number is that of a registered state.
pub struct Watch<W: Watcher>(c_int, PhantomData<W>);

impl<W: Watcher> Watch<W> {
    /// Begins to watch. Process context.
    pub fn new() -> Result<Self> {
        // SAFETY: The functions are code of this module, which outlives the value.
        let state = unsafe {
            bindings::knet_helper_watch_cpus(
                W::NAME.as_char_ptr(),
                Some(came::<W>),
                Some(goes::<W>),
            )
        };
        to_result(state.min(0))?;
        // INVARIANT: It was just registered.
        Ok(Self(state, PhantomData))
    }
}

impl<W: Watcher> Drop for Watch<W> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant. The call waits for functions that run.
        unsafe { bindings::knet_helper_unwatch_cpus(self.0) }
    }
}

/// A processor came.
///
/// # Safety
///
/// For the kernel to call.
unsafe extern "C" fn came<W: Watcher>(cpu: c_uint) -> c_int {
    W::came(cpu);
    0
}

/// A processor goes.
///
/// # Safety
///
/// For the kernel to call.
unsafe extern "C" fn goes<W: Watcher>(cpu: c_uint) -> c_int {
    W::goes(cpu);
    0
}
