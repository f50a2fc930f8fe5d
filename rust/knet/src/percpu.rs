// SPDX-License-Identifier: GPL-2.0

//! Counters that every CPU counts for itself.
//!
//! C header: [`include/linux/percpu.h`](srctree/include/linux/percpu.h)

use crate::bindings;
use core::ptr::NonNull;
use kernel::prelude::*;

/// `N` counters of 64 bits, each with one cell per CPU: counting costs one instruction and touches no
/// cache line of another CPU. Values wrap.
///
/// # Invariants
///
/// The pointer is to per-CPU memory of `N` numbers that belongs to this value.
pub struct Counters<const N: usize>(NonNull<u64>);

// SAFETY: Cells are only changed by their own CPU in one instruction.
unsafe impl<const N: usize> Send for Counters<N> {}
// SAFETY: As above.
unsafe impl<const N: usize> Sync for Counters<N> {}

impl<const N: usize> Counters<N> {
    /// Counters that stand at zero.
    pub fn new() -> Result<Self> {
        // SAFETY: The call has no requirements.
        let cells = unsafe { bindings::knet_helper_alloc_percpu_u64(N) };
        // INVARIANT: The memory was just allocated for `N` numbers.
        Ok(Self(NonNull::new(cells).ok_or(ENOMEM)?))
    }

    /// Adds to a counter, modulo 2^64; nothing happens if there is no such counter. Any context.
    #[inline]
    pub fn add(&self, index: usize, amount: u64) {
        if index < N {
            // SAFETY: By the type invariant and the test above, the cell exists.
            unsafe { bindings::knet_helper_this_cpu_add_u64(self.0.as_ptr(), index, amount) };
        }
    }

    /// The sum over all CPUs, modulo 2^64; zero if there is no such counter. Any context.
    pub fn sum(&self, index: usize) -> u64 {
        if index >= N {
            return 0;
        }
        // SAFETY: By the type invariant and the test above, the cell exists.
        unsafe { bindings::knet_helper_sum_percpu_u64(self.0.as_ptr(), index) }
    }

    /// What one CPU has counted, modulo 2^64; zero if there is no such counter or CPU. Any context.
    pub fn on(&self, index: usize, cpu: u32) -> u64 {
        if index >= N || !crate::cpu::is_possible(cpu) {
            return 0;
        }
        // SAFETY: By the type invariant and the test above, the cell exists.
        unsafe { bindings::knet_helper_percpu_u64(self.0.as_ptr(), index, cpu) }
    }
}

impl<const N: usize> Drop for Counters<N> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant the memory is ours, and nobody can use it after this.
        unsafe { bindings::free_percpu(self.0.as_ptr().cast()) };
    }
}
