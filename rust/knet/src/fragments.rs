// SPDX-License-Identifier: GPL-2.0

//! The send queue: bytes that an application wrote, in fragments of pages.
//!
//! A byte is copied once, from the application into a page. TCP takes references to the pages.

use crate::bindings;
use crate::cpu;
use crate::spares::{Page, SPARES};
use core::mem::MaybeUninit;
use core::ptr::NonNull;
use kernel::alloc::flags::GFP_ATOMIC;
use kernel::prelude::*;

/// A piece of a page.
struct Fragment {
    page: Page,
    offset: u32,
    len: u32,
}

impl Fragment {
    /// All of it was acknowledged: if its page ends here, it can be filled again, by a writer on this processor.
    fn retire(self, writer: u32) {
        let end = self.offset.saturating_add(self.len);
        SPARES.keep(self.page, end, writer);
    }
}

/// A place in a page that bytes were copied to and that no fragment refers to yet.
pub struct Written {
    pub(crate) page: NonNull<bindings::page>,
    pub(crate) offset: u32,
    /// Number of bytes.
    pub len: u32,
}

/// Bytes from the first unacknowledged to the last written. Fragments lie in a ring.
pub struct SendQueue {
    /// The ring of a queue that never had more fragments: most have no more than one.
    few: [Option<Fragment>; FEW],
    /// The ring of a queue that had, of a size that is a power of two; else empty.
    many: KVec<Option<Fragment>>,
    head: usize,
    count: usize,
    /// Bytes of the first fragment that are acknowledged.
    acked: u32,
    bytes: u64,
    /// The processor on which the application wrote last; acknowledgements may come on another.
    writer: u32,
    /// Where the next byte to be sent for the first time lies: index from `head` and offset.
    cursor: (usize, u32),
}

/// So many fragments lie in the queue itself: a power of two.
const FEW: usize = 4;

/// Pieces of pages that are given to TCP in one go: as many as a segment holds.
const MAX_PIECES: usize = 17;

/// Bytes of a send queue, prepared for TCP.
///
/// # Invariants
///
/// The first `count` vectors are initialised, and there is a reference to the page of each.
pub struct Gathered {
    vectors: [MaybeUninit<bindings::bio_vec>; MAX_PIECES],
    /// Pieces that were taken already.
    first: usize,
    count: usize,
    len: usize,
}

// SAFETY: Page references may be used by any thread.
unsafe impl Send for Gathered {}

impl Gathered {
    /// No pieces.
    pub const fn new() -> Self {
        Self {
            vectors: [const { MaybeUninit::uninit() }; MAX_PIECES],
            first: 0,
            count: 0,
            len: 0,
        }
    }

    /// Forgets all pieces and gives the references to their pages back.
    pub fn clear(&mut self) {
        for vector in self.vectors.iter().take(self.count) {
            // SAFETY: By the type invariant; the vectors are forgotten below.
            unsafe { bindings::knet_helper_put_page(vector.assume_init_ref().bv_page) }
        }
        (self.first, self.count, self.len) = (0, 0, 0);
    }

    /// Forgets the first `bytes` bytes: they were taken.
    pub fn advance(&mut self, bytes: usize) {
        let mut left = bytes.min(self.len);
        self.len = self.len.saturating_sub(left);
        while left > 0 && self.first < self.count {
            let Some(vector) = self.vectors.get_mut(self.first) else {
                return;
            };
            // SAFETY: Vectors below `count` are initialised.
            let vector = unsafe { vector.assume_init_mut() };
            let have = vector.bv_len as usize;
            if left < have {
                vector.bv_offset = vector.bv_offset.wrapping_add(left as u32);
                vector.bv_len = vector.bv_len.wrapping_sub(left as u32);
                return;
            }
            left = left.saturating_sub(have);
            self.first = self.first.saturating_add(1);
        }
    }

    fn add(&mut self, page: &Page, offset: u32, len: u32) -> bool {
        let Some(vector) = self.vectors.get_mut(self.count) else {
            return false;
        };
        // SAFETY: The page is held by a fragment now, and by the reference taken here later.
        unsafe {
            bindings::knet_helper_get_page(page.as_ptr());
            bindings::knet_helper_bvec_set_page(vector.as_mut_ptr(), page.as_ptr(), len, offset);
        }
        self.count = self.count.saturating_add(1);
        self.len = self.len.saturating_add(len as usize);
        true
    }

    /// Bytes in total.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many pieces are left.
    pub(crate) fn count(&self) -> usize {
        self.count.saturating_sub(self.first)
    }

    /// Page, offset and length of each piece that is left.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (*mut bindings::page, u32, u32)> + '_ {
        let vectors = self.vectors.iter().take(self.count).skip(self.first);
        vectors.map(|vector| {
            // SAFETY: The first `count` vectors are initialised.
            let vector = unsafe { vector.assume_init_ref() };
            (vector.bv_page, vector.bv_offset, vector.bv_len)
        })
    }

    /// The pieces that are left, as the kernel wants them: the first, and how many.
    pub(crate) fn vectors(&mut self) -> (*mut bindings::bio_vec, c_uint) {
        let rest = self
            .vectors
            .get_mut(self.first..self.count)
            .unwrap_or_default();
        (rest.as_mut_ptr().cast(), rest.len() as c_uint)
    }

    /// Calls `f` with the ones'-complement sum and length of each piece, in order.
    pub fn checksums(&self, mut f: impl FnMut(u32, u32)) {
        for vector in self.vectors.iter().take(self.count).skip(self.first) {
            // SAFETY: The first `count` vectors are initialised; their pages are held and lie in
            // the kernel's direct map.
            unsafe {
                let sum = bindings::knet_helper_csum_bvec(vector.as_ptr());
                f(sum, (*vector.as_ptr()).bv_len);
            }
        }
    }
}

impl Drop for Gathered {
    fn drop(&mut self) {
        self.clear();
    }
}

impl Default for Gathered {
    fn default() -> Self {
        Self::new()
    }
}

impl SendQueue {
    /// An empty queue without memory.
    pub const fn new() -> Self {
        Self {
            few: [const { None }; FEW],
            many: KVec::new(),
            head: 0,
            count: 0,
            acked: 0,
            bytes: 0,
            writer: 0,
            cursor: (0, 0),
        }
    }

    /// Bytes in the queue.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Bytes that were never sent.
    pub fn unsent(&self) -> u64 {
        let (index, offset) = self.cursor;
        let before = (0..index).filter_map(|at| self.fragment(at));
        let sent = before.fold(u64::from(offset), |sum, fragment| {
            sum.saturating_add(u64::from(fragment.len))
        });
        self.bytes
            .saturating_sub(sent.saturating_sub(u64::from(self.acked)))
    }

    fn ring(&self) -> &[Option<Fragment>] {
        match self.many.is_empty() {
            true => &self.few,
            false => &self.many,
        }
    }

    fn ring_mut(&mut self) -> &mut [Option<Fragment>] {
        match self.many.is_empty() {
            true => &mut self.few,
            false => &mut self.many,
        }
    }

    /// Place in the ring of the fragment `index` after the first.
    fn slot(&self, index: usize) -> usize {
        self.head.wrapping_add(index) & self.ring().len().wrapping_sub(1)
    }

    fn fragment(&self, index: usize) -> Option<&Fragment> {
        if index >= self.count {
            return None;
        }
        self.ring().get(self.slot(index)).and_then(Option::as_ref)
    }

    fn fragment_mut(&mut self, index: usize) -> Option<&mut Fragment> {
        if index >= self.count {
            return None;
        }
        let slot = self.slot(index);
        self.ring_mut().get_mut(slot).and_then(Option::as_mut)
    }

    /// Appends what was copied to a page, on the processor on which it was copied. Any context.
    pub fn append(&mut self, written: Written) -> Result {
        self.writer = cpu::current();
        if let Some(last) = self
            .count
            .checked_sub(1)
            .and_then(|last| self.fragment_mut(last))
        {
            let follows = last.offset.checked_add(last.len) == Some(written.offset);
            let whole = last.len.checked_add(written.len);
            if let (true, true, Some(whole)) = (last.page.is(written.page), follows, whole) {
                last.len = whole;
                self.bytes = self.bytes.saturating_add(u64::from(written.len));
                return Ok(());
            }
        }
        if self.count == self.ring().len() {
            self.grow()?;
        }
        let slot = self.slot(self.count);
        let fragment = Fragment {
            // SAFETY: The writer's page fragment holds the page now.
            page: unsafe { Page::hold(written.page) },
            offset: written.offset,
            len: written.len,
        };
        match self.ring_mut().get_mut(slot) {
            Some(place) => *place = Some(fragment),
            None => return Err(ENOMEM),
        }
        self.count = self.count.saturating_add(1);
        self.bytes = self.bytes.saturating_add(u64::from(written.len));
        Ok(())
    }

    fn grow(&mut self) -> Result {
        let size = self.ring().len().saturating_mul(2);
        let mut ring = KVec::with_capacity(size, GFP_ATOMIC)?;
        for index in 0..self.count {
            let slot = self.slot(index);
            let fragment = self.ring_mut().get_mut(slot).and_then(Option::take);
            ring.push(fragment, GFP_ATOMIC)?;
        }
        while ring.len() < size {
            ring.push(None, GFP_ATOMIC)?;
        }
        self.many = ring;
        self.head = 0;
        Ok(())
    }

    /// Drops the first `bytes` bytes: they are acknowledged. Their pages can be filled again, by the kernel
    /// (`skb_page_frag_refill`) or as [spares](crate::spares).
    pub fn acknowledge(&mut self, bytes: u64) {
        let mut left = bytes.min(self.bytes);
        self.bytes = self.bytes.saturating_sub(left);
        while left > 0 {
            let Some(fragment) = self.fragment(0) else {
                break;
            };
            let available = u64::from(fragment.len.saturating_sub(self.acked));
            if left < available {
                self.acked = self.acked.saturating_add(left as u32);
                if self.cursor.0 == 0 && self.cursor.1 < self.acked {
                    self.cursor.1 = self.acked;
                }
                return;
            }
            left = left.saturating_sub(available);
            let slot = self.slot(0);
            if let Some(done) = self.ring_mut().get_mut(slot).and_then(Option::take) {
                done.retire(self.writer);
            }
            self.head = self.slot(1);
            self.count = self.count.saturating_sub(1);
            self.acked = 0;
            self.cursor = match self.cursor.0.checked_sub(1) {
                Some(index) => (index, self.cursor.1),
                None => (0, 0),
            };
        }
    }

    /// Adds up to `max` bytes that were never sent to `gathered`, and moves the place of the next
    /// unsent byte behind them.
    pub fn gather_unsent(&mut self, max: u32, gathered: &mut Gathered) {
        self.cursor = self.gather(gathered, self.cursor, max);
    }

    /// Adds up to `max` bytes from `skip` bytes after the first unacknowledged one to `gathered`,
    /// whether they were sent or not, and leaves the place of the next unsent byte alone.
    pub fn gather_at(&self, skip: u64, max: u32, gathered: &mut Gathered) {
        let mut skip = skip.saturating_add(u64::from(self.acked));
        let mut index = 0usize;
        while let Some(fragment) = self.fragment(index) {
            match skip.checked_sub(u64::from(fragment.len)) {
                Some(rest) => skip = rest,
                None => {
                    self.gather(gathered, (index, skip as u32), max);
                    break;
                }
            }
            index = index.saturating_add(1);
        }
    }

    /// Adds up to `max` bytes from the place `from` (index and offset) on, and returns the place
    /// after them.
    fn gather(&self, to: &mut Gathered, from: (usize, u32), max: u32) -> (usize, u32) {
        let (mut index, mut offset) = from;
        let mut left = max;
        while left > 0 {
            let Some(fragment) = self.fragment(index) else {
                break;
            };
            let take = fragment.len.saturating_sub(offset).min(left);
            if take == 0 {
                let next = index.saturating_add(1);
                if next >= self.count {
                    // The last fragment may still grow.
                    break;
                }
                (index, offset) = (next, 0);
                continue;
            }
            if !to.add(&fragment.page, fragment.offset.saturating_add(offset), take) {
                break;
            }
            offset = offset.saturating_add(take);
            left = left.saturating_sub(take);
        }
        (index, offset)
    }

    /// Empties the queue.
    pub fn clear(&mut self) {
        *self = Self::new();
    }
}

impl Default for SendQueue {
    fn default() -> Self {
        Self::new()
    }
}
