// SPDX-License-Identifier: GPL-2.0

//! Read-only files of a network namespace under `/proc/net`.
//!
//! C headers: [`include/linux/proc_fs.h`](srctree/include/linux/proc_fs.h),
//! [`include/linux/seq_file.h`](srctree/include/linux/seq_file.h)

use crate::{
    bindings,
    netns::Net, //
};
use core::ptr::{
    null_mut,
    NonNull, //
};
use kernel::prelude::*;

pub use kernel::seq_file::SeqFile;

/// The contents of a file.
pub trait Show {
    /// Writes the contents for one namespace, with [`kernel::seq_print!`]. Process context.
    ///
    /// It is called again with a larger buffer when the output did not fit.
    fn show(net: &Net, out: &SeqFile);
}

/// A directory of a namespace in `/proc/net`. It goes away with its files when this is dropped, after the
/// last reader has left them.
///
/// # Invariants
///
/// The pointer is to a directory that is registered.
pub struct Directory(NonNull<bindings::proc_dir_entry>);

// SAFETY: Directory entries are shared by all CPUs and synchronised by the kernel.
unsafe impl Send for Directory {}
// SAFETY: As above.
unsafe impl Sync for Directory {}

impl Directory {
    /// Makes a directory in `/proc/net`.
    pub fn new(net: &Net, name: &CStr) -> Result<Self> {
        // SAFETY: The namespace is alive and the name ends with a zero byte.
        let entry =
            unsafe { bindings::knet_helper_proc_net_mkdir(net.as_raw(), name.as_char_ptr()) };
        // INVARIANT: It was just registered.
        Ok(Self(NonNull::new(entry).ok_or(ENOMEM)?))
    }

    /// Adds a file that everybody may read.
    pub fn add<S: Show>(&self, name: &CStr) -> Result {
        // SAFETY: The directory is registered by the type invariant, and the callback suits a file that
        // shows one thing.
        let entry = unsafe {
            bindings::proc_create_net_single(
                name.as_char_ptr(),
                0o444,
                self.0.as_ptr(),
                Some(show::<S>),
                null_mut(),
            )
        };
        NonNull::new(entry).ok_or(ENOMEM)?;
        Ok(())
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // SAFETY: By the type invariant. The call removes all files of the directory and waits for their
        // readers.
        unsafe { bindings::proc_remove(self.0.as_ptr()) };
    }
}

/// Shows a file.
///
/// # Safety
///
/// For the kernel to call, as the callback of a file made by `proc_create_net_single`.
unsafe extern "C" fn show<S: Show>(file: *mut bindings::seq_file, _unused: *mut c_void) -> c_int {
    // SAFETY: The kernel calls with a valid `seq_file` that nobody else uses meanwhile; the private data
    // of a file made by `proc_create_net_single` is the namespace, on which the open file has a
    // reference. A registered file is a service of that namespace, so its data is set up.
    let (net, out) = unsafe {
        (
            Net::from_raw((*file).private.cast()),
            SeqFile::from_raw(file.cast()),
        )
    };
    S::show(net, out);
    0
}
