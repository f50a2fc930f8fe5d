// SPDX-License-Identifier: GPL-2.0

//! Settings that are words, not numbers.

use super::Header;
use crate::bindings;
use crate::netns::Net;
use core::fmt;
use core::ops::Deref;
use core::ptr::NonNull;
use kernel::prelude::*;

/// A setting that is read and written as a line of text.
pub trait Text: Send + Sync + 'static {
    /// Name of the file.
    const NAME: &'static CStr;
    /// Whether the administrator may write it.
    const WRITABLE: bool = true;

    /// Writes the present value, without a newline. Process context.
    fn show(&self, out: &mut dyn fmt::Write) -> fmt::Result;

    /// Takes a new value, which may have spaces and a newline around it. Process context; several
    /// processes may write at once. An error changes nothing.
    fn store(&self, text: &[u8]) -> Result;
}

/// A setting of one namespace and its file, which goes away when this is dropped.
pub struct TextSetting<T: Text> {
    /// Removed from the kernel before the memory that the file points to.
    _header: Header,
    memory: KBox<Memory<T>>,
}

/// What the kernel's table points into.
struct Memory<T> {
    value: T,
    entry: bindings::ctl_table,
}

// SAFETY: The value may be shared, everything else is constant once it is registered.
unsafe impl<T: Text> Send for TextSetting<T> {}
// SAFETY: As above.
unsafe impl<T: Text> Sync for TextSetting<T> {}

impl<T: Text> TextSetting<T> {
    /// Makes the setting visible in a namespace, in a directory such as `net/example`, which may have
    /// other settings.
    pub fn register(net: &Net, directory: &CStr, value: T) -> Result<Self> {
        let mut memory = KBox::new(
            Memory {
                value,
                entry: Default::default(),
            },
            GFP_KERNEL,
        )?;
        memory.entry = bindings::ctl_table {
            procname: T::NAME.as_char_ptr(),
            data: core::ptr::from_ref(&memory.value).cast_mut().cast(),
            mode: if T::WRITABLE { 0o644 } else { 0o444 },
            proc_handler: Some(access::<T>),
            ..Default::default()
        };
        // SAFETY: The table and all that it points to live on the heap until after it is unregistered,
        // and the handler suits the data.
        let header = unsafe {
            bindings::register_net_sysctl_sz(
                net.as_raw(),
                directory.as_char_ptr(),
                &memory.entry,
                1,
            )
        };
        // INVARIANT: It was just registered.
        let header = Header(NonNull::new(header).ok_or(ENOMEM)?);
        Ok(Self {
            _header: header,
            memory,
        })
    }
}

impl<T: Text> Deref for TextSetting<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.memory.value
    }
}

/// The file is read or written.
///
/// # Safety
///
/// The kernel passes an entry that [`TextSetting::register`] made, and a buffer of its own of `len`
/// bytes, which are initialised when it is written.
unsafe extern "C" fn access<T: Text>(
    entry: *const bindings::ctl_table,
    write: c_int,
    buffer: *mut c_void,
    len: *mut usize,
    position: *mut bindings::loff_t,
) -> c_int {
    // SAFETY: By the caller's promise. The value is shared while the table is registered, and the call
    // keeps it registered.
    unsafe {
        let value = &*(*entry).data.cast::<T>();
        if write != 0 {
            let text = core::slice::from_raw_parts(buffer.cast::<u8>(), *len);
            // A part of a value means something else than the whole.
            let stored = match *position {
                0 => value.store(text),
                _ => Err(EINVAL),
            };
            match stored {
                Ok(()) => *position = bindings::loff_t::try_from(*len).unwrap_or(0),
                Err(error) => return error.to_errno(),
            }
        } else {
            let mut line = Line {
                buffer: core::slice::from_raw_parts_mut(buffer.cast(), *len),
                skip: usize::try_from(*position).unwrap_or(usize::MAX),
                written: 0,
            };
            if value.show(&mut line).is_err() || fmt::Write::write_str(&mut line, "\n").is_err() {
                return EIO.to_errno();
            }
            *len = line.written;
            let end = (*position).checked_add(line.written as bindings::loff_t);
            *position = end.unwrap_or(*position);
        }
    }
    0
}

/// The part of a line that a reader asked for: so many bytes after so many.
struct Line<'a> {
    buffer: &'a mut [u8],
    skip: usize,
    written: usize,
}

impl fmt::Write for Line<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let skipped = text.len().min(self.skip);
        self.skip = self.skip.saturating_sub(skipped);
        let rest = text.as_bytes().get(skipped..).unwrap_or_default();
        let room = self.buffer.get_mut(self.written..).unwrap_or_default();
        self.written = self.written.saturating_add(rest.len().min(room.len()));
        for (to, from) in room.iter_mut().zip(rest) {
            *to = *from;
        }
        Ok(())
    }
}
