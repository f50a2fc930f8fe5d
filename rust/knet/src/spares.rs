// SPDX-License-Identifier: GPL-2.0

//! Pages that are done with, kept for the next writer.
//!
//! A writer fills pages from their start to their end (`skb_page_frag_refill`). A new one has to be found, and most
//! kernels clear it (`init_on_alloc`), which costs more than to copy data to it. One whose data was acknowledged
//! can be filled again as it is: only what was written to it is ever sent.
//!
//! C header: `include/linux/skbuff.h`.

use crate::bindings;
use crate::cpu;
use core::ptr::{null_mut, NonNull};
use core::sync::atomic::{AtomicPtr, Ordering};

/// Bytes of the pages that writers are given (`SKB_FRAG_PAGE_ORDER`). Smaller ones come when there are none of
/// these; they are not worth being kept.
pub(crate) const SIZE: usize = if bindings::PAGE_SIZE > 32768 {
    bindings::PAGE_SIZE
} else {
    32768
};

/// A writer gets another page when there is less room than this in his (`sk_page_frag_refill`).
const LEAST_ROOM: u32 = 32;

/// So many spare pages a processor has: as much as two large writes fill.
const EACH: usize = 8;

/// So many processors have spares of their own. More of them share.
const PROCESSORS: usize = 64;

/// A reference to a page, or to several that were found together.
pub struct Page(NonNull<bindings::page>);

// SAFETY: References may be given back by any thread.
unsafe impl Send for Page {}

impl Page {
    /// Another reference to a page that somebody holds.
    ///
    /// # Safety
    ///
    /// Somebody holds the page until this returns.
    pub(crate) unsafe fn hold(page: NonNull<bindings::page>) -> Self {
        // SAFETY: The page is held.
        unsafe { bindings::knet_helper_get_page(page.as_ptr()) };
        Self(page)
    }

    /// Takes a reference over.
    ///
    /// # Safety
    ///
    /// The caller owned it.
    unsafe fn from_raw(page: NonNull<bindings::page>) -> Self {
        Self(page)
    }

    fn into_raw(self) -> NonNull<bindings::page> {
        let page = self.0;
        core::mem::forget(self);
        page
    }

    pub(crate) fn as_ptr(&self) -> *mut bindings::page {
        self.0.as_ptr()
    }

    /// Bytes of it.
    pub fn size(&self) -> usize {
        // SAFETY: The page is held.
        unsafe { bindings::knet_helper_page_size(self.as_ptr()) }
    }

    /// Whether both are references to the same page.
    pub(crate) fn is(&self, page: NonNull<bindings::page>) -> bool {
        self.0 == page
    }

    /// Whether nobody else holds it.
    fn is_free(&self) -> bool {
        // SAFETY: The page is held.
        unsafe { bindings::knet_helper_page_references(self.as_ptr()) == 1 }
    }

    /// Whether it is worth being kept, when `end` bytes of it were in use.
    fn is_worthwhile(&self, end: u32) -> bool {
        if end as usize != SIZE || self.size() != SIZE {
            return false;
        }
        // The kernel's reserve for hard times is not ours to keep.
        // SAFETY: The page is held.
        unsafe { !bindings::knet_helper_page_is_pfmemalloc(self.as_ptr()) }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // SAFETY: This owns one reference.
        unsafe { bindings::knet_helper_put_page(self.as_ptr()) }
    }
}

/// The spare pages of one processor: a reference in each place that is not null.
#[repr(align(64))]
struct Places([AtomicPtr<bindings::page>; EACH]);

impl Places {
    const fn new() -> Self {
        Self([const { AtomicPtr::new(null_mut()) }; EACH])
    }

    /// Puts a page in a free place, or lets it go if there is none.
    fn put(&self, page: Page) {
        let raw = page.into_raw();
        for place in &self.0 {
            if !place.load(Ordering::Relaxed).is_null() {
                continue;
            }
            let put = place.compare_exchange(
                null_mut(),
                raw.as_ptr(),
                Ordering::Release,
                Ordering::Relaxed,
            );
            if put.is_ok() {
                return;
            }
        }
        // SAFETY: It was ours and went nowhere.
        drop(unsafe { Page::from_raw(raw) });
    }

    /// Takes out what is in the place.
    fn take_from(place: &AtomicPtr<bindings::page>) -> Option<Page> {
        if place.load(Ordering::Relaxed).is_null() {
            return None;
        }
        let page = NonNull::new(place.swap(null_mut(), Ordering::Acquire))?;
        // SAFETY: The place owned a reference, and has lost it.
        Some(unsafe { Page::from_raw(page) })
    }

    /// Takes a page that nobody else holds.
    fn take(&self) -> Option<Page> {
        for place in &self.0 {
            let Some(page) = Self::take_from(place) else {
                continue;
            };
            if page.is_free() {
                return Some(page);
            }
            // TCP or a reader still has it. If another has taken the place meanwhile, it is let go.
            self.put(page);
        }
        None
    }
}

/// The spare pages of all processors. Any context.
pub struct Spares([Places; PROCESSORS]);

/// Those that the writers of this module use.
pub(crate) static SPARES: Spares = Spares::new();

impl Spares {
    /// None.
    pub const fn new() -> Self {
        Self([const { Places::new() }; PROCESSORS])
    }

    /// The places of a processor.
    fn of(&self, cpu: u32) -> &Places {
        let [first, ..] = &self.0;
        let number = usize::try_from(cpu).unwrap_or(0);
        self.0.get(number % PROCESSORS).unwrap_or(first)
    }

    /// Keeps a page for a writer on processor `cpu`, if the bytes that are done with now are its last ones, up to
    /// `end`: there is one such piece of a page, so that it is kept once.
    pub fn keep(&self, page: Page, end: u32, cpu: u32) {
        if page.is_worthwhile(end) {
            self.of(cpu).put(page);
        }
    }

    /// A page that nobody else holds, for a writer on the processor that runs this: a hint, since he may run elsewhere
    /// at once.
    pub fn take(&self) -> Option<Page> {
        self.of(cpu::current()).take()
    }

    /// As [`take`](Self::take), from the places of any processor.
    pub fn take_from_any(&self) -> Option<Page> {
        self.0.iter().find_map(Places::take)
    }

    /// Lets all go.
    pub fn clear(&self) {
        for places in &self.0 {
            for place in &places.0 {
                drop(Places::take_from(place));
            }
        }
    }

    /// Gives a writer a spare page, if he needs one and there is one.
    ///
    /// # Safety
    ///
    /// The fragment is live and the caller's to use.
    pub(crate) unsafe fn refill(&self, fragment: NonNull<bindings::page_frag>) {
        // SAFETY: By the contract.
        let fragment = unsafe { &mut *fragment.as_ptr() };
        let page = NonNull::new(fragment.page);
        if page.is_some() && fragment.offset.saturating_add(LEAST_ROOM) <= fragment.size {
            return;
        }
        // SAFETY: The fragment holds its page.
        let old = page.map(|page| unsafe { Page::from_raw(page) });
        // One that nobody else holds the kernel uses again by itself.
        let spare = match &old {
            Some(old) if old.is_free() => None,
            _ => self.take(),
        };
        fragment.page = match (spare, old) {
            (Some(spare), _) => {
                (fragment.offset, fragment.size) = (0, SIZE as u32);
                spare.into_raw().as_ptr()
            }
            (None, Some(old)) => old.into_raw().as_ptr(),
            (None, None) => null_mut(),
        };
    }
}

impl Default for Spares {
    fn default() -> Self {
        Self::new()
    }
}

/// Lets the spare pages of this module go.
pub fn clear() {
    SPARES.clear();
}

/// Lets the spare pages go when the module is unloaded: static data is never dropped.
pub struct Kept;

impl Drop for Kept {
    fn drop(&mut self) {
        clear();
    }
}
