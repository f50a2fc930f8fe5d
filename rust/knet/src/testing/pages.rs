// SPDX-License-Identifier: GPL-2.0

//! Pages as a writer fills them, and what a send queue hands out of them.

use crate::bindings;
use crate::fragments::{Gathered, Written};
use crate::spares::{self, Page};
use core::ptr::NonNull;
use kernel::prelude::*;

/// A page that is written from its start to its end.
pub struct TestPage {
    page: NonNull<bindings::page>,
    offset: u32,
}

impl TestPage {
    /// An empty page.
    pub fn new() -> Result<Self> {
        Self::of_size(bindings::PAGE_SIZE)
    }

    /// As many pages together as a writer gets at once.
    pub fn large() -> Result<Self> {
        Self::of_size(spares::SIZE)
    }

    fn of_size(size: usize) -> Result<Self> {
        // SAFETY: Any size may be asked for.
        let page = unsafe { bindings::knet_helper_test_page(size) };
        let page = NonNull::new(page).ok_or(ENOMEM)?;
        Ok(Self { page, offset: 0 })
    }

    /// A reference to it.
    pub fn reference(&self) -> Page {
        // SAFETY: The page is ours.
        unsafe { Page::hold(self.page) }
    }

    /// Writes `bytes` behind what was written before.
    pub fn write(&mut self, bytes: &[u8]) -> Result<Written> {
        let len = u32::try_from(bytes.len())?;
        let (offset, end) = (self.offset, self.offset.saturating_add(len));
        if end as usize > self.reference().size() {
            return Err(ENOSPC);
        }
        // SAFETY: The page is ours, and the range lies in it.
        unsafe {
            bindings::knet_helper_test_fill_page(
                self.page.as_ptr(),
                offset,
                bytes.as_ptr().cast(),
                len,
            );
        }
        self.offset = end;
        Ok(Written {
            page: self.page,
            offset,
            len,
        })
    }

    /// How many references queues and pieces hold to it.
    pub fn references(&self) -> i32 {
        // SAFETY: The page is ours.
        let all = unsafe { bindings::knet_helper_page_references(self.page.as_ptr()) };
        all.saturating_sub(1)
    }

    /// Leaves `bytes` bytes out.
    pub fn skip(&mut self, bytes: u32) {
        self.offset = self.offset.saturating_add(bytes);
    }
}

impl Drop for TestPage {
    fn drop(&mut self) {
        // SAFETY: The reference that `new` got; queues hold their own.
        unsafe { bindings::knet_helper_put_page(self.page.as_ptr()) }
    }
}

/// The bytes that TCP would read from `gathered`.
pub fn bytes_of(gathered: &mut Gathered) -> Result<KVec<u8>> {
    let mut bytes = KVec::new();
    let (vectors, count) = gathered.vectors();
    for index in 0..count as usize {
        // SAFETY: `vectors` gave as many initialised vectors, whose pages are held.
        unsafe {
            let vector = vectors.add(index);
            let mut piece = KVec::from_elem(0u8, (*vector).bv_len as usize, GFP_KERNEL)?;
            bindings::knet_helper_test_read_bvec(piece.as_mut_ptr().cast(), vector);
            bytes.extend_from_slice(&piece, GFP_KERNEL)?;
        }
    }
    Ok(bytes)
}
