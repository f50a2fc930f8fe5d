// SPDX-License-Identifier: GPL-2.0

//! Settings of a network namespace under `/proc/sys/net`.
//!
//! C header: [`include/linux/sysctl.h`](srctree/include/linux/sysctl.h)

mod text;

pub use text::{
    Text,
    TextSetting, //
};

use crate::{
    bindings,
    netns::Net, //
};
use core::ptr::NonNull;
use kernel::{
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

/// One setting: a number that the administrator of the namespace may change within its bounds. A write
/// of anything else fails with `EINVAL` and changes nothing.
#[derive(Clone, Copy)]
pub struct Setting {
    /// Name of the file.
    pub name: &'static CStr,
    /// Value in a new namespace.
    pub default: u32,
    /// Smallest value.
    pub min: u32,
    /// Largest value.
    pub max: u32,
}

/// The settings of one namespace and their files, which go away when this is dropped.
pub struct Table<const N: usize> {
    /// Removed from the kernel before the memory that the files point to.
    _header: Header,
    memory: KBox<Memory<N>>,
}

/// A registered table.
///
/// # Invariants
///
/// The pointer came from `register_net_sysctl_sz` and has not been unregistered.
struct Header(NonNull<bindings::ctl_table_header>);

/// What the kernel's table points into.
struct Memory<const N: usize> {
    values: [Atomic<u32>; N],
    bounds: [(u32, u32); N],
    entries: [bindings::ctl_table; N],
}

// SAFETY: The values are atomic, everything else is constant once it is registered.
unsafe impl<const N: usize> Send for Table<N> {}
// SAFETY: As above.
unsafe impl<const N: usize> Sync for Table<N> {}

impl<const N: usize> Table<N> {
    /// Makes the settings visible in a namespace, in a directory such as `net/example`.
    pub fn register(net: &Net, directory: &CStr, settings: &[Setting; N]) -> Result<Self> {
        let mut memory = KBox::new(
            Memory {
                values: settings.map(|setting| Atomic::new(setting.default)),
                bounds: settings.map(|setting| (setting.min, setting.max)),
                entries: [bindings::ctl_table::default(); N],
            },
            GFP_KERNEL,
        )?;
        let Memory {
            values,
            bounds,
            entries,
        } = &mut *memory;
        for (((entry, value), (min, max)), setting) in
            entries.iter_mut().zip(values).zip(bounds).zip(settings)
        {
            *entry = bindings::ctl_table {
                procname: setting.name.as_char_ptr(),
                data: value.as_ptr().cast(),
                maxlen: size_of::<u32>() as c_int,
                mode: 0o644,
                proc_handler: Some(bindings::proc_douintvec_minmax),
                extra1: core::ptr::from_mut(min).cast(),
                extra2: core::ptr::from_mut(max).cast(),
                ..Default::default()
            };
        }
        // SAFETY: The table and all that it points to live on the heap until after it is unregistered;
        // `maxlen` is the size of each value and both bounds are present.
        let header = unsafe {
            bindings::register_net_sysctl_sz(
                net.as_raw(),
                directory.as_char_ptr(),
                memory.entries.as_ptr(),
                N,
            )
        };
        // INVARIANT: It was just registered.
        let header = Header(NonNull::new(header).ok_or(ENOMEM)?);
        Ok(Self {
            _header: header,
            memory,
        })
    }

    /// The present value of a setting; zero if there is no such setting. Any context.
    #[inline]
    pub fn value(&self, index: usize) -> u32 {
        match self.memory.values.get(index) {
            Some(value) => value.load(Relaxed),
            None => 0,
        }
    }
}

impl Drop for Header {
    fn drop(&mut self) {
        // SAFETY: By the type invariant. The call waits for readers and writers to leave.
        unsafe { bindings::unregister_net_sysctl_table(self.0.as_ptr()) };
    }
}
