// SPDX-License-Identifier: GPL-2.0

//! Disjoint stretches of a stream in order: a height-balanced (AVL) tree in slots of the caller.

use crate::seq::Dsn;
use core::marker::PhantomData;

/// A stretch of the stream without a gap.
#[derive(Debug)]
pub(super) struct Run<P> {
    /// Its first byte.
    pub(super) start: Dsn,
    /// The byte after its last.
    pub(super) end: Dsn,
    /// Its data.
    pub(super) piece: P,
}

/// The number of a slot.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Link(u16);

impl Link {
    /// No slot.
    pub(super) const NIL: Self = Self(u16::MAX);
}

/// One of the two directions in the order.
#[derive(Clone, Copy)]
enum Side {
    Before,
    After,
}

impl Side {
    #[inline]
    const fn other(self) -> Self {
        match self {
            Self::Before => Self::After,
            Self::After => Self::Before,
        }
    }
}

/// Memory for one run.
#[derive(Debug)]
pub struct Slot<P> {
    /// `None` while the slot is free.
    run: Option<Run<P>>,
    /// The parent; the next free slot while this one is free.
    up: Link,
    before: Link,
    after: Link,
    /// Of the subtree; a leaf has height one.
    height: u8,
}

impl<P> Slot<P> {
    /// A slot without a run.
    pub const FREE: Self = Self {
        run: None,
        up: Link::NIL,
        before: Link::NIL,
        after: Link::NIL,
        height: 0,
    };
}

/// The runs, which do not overlap.
///
/// Every function takes [`Link::NIL`] for a run and then does nothing, as there is none.
#[derive(Debug)]
pub(super) struct Runs<P, S> {
    slots: S,
    root: Link,
    first: Link,
    /// The slot that was freed last; each names the one freed before it.
    freed: Link,
    /// From this one on no slot was ever used.
    unused: u16,
    len: u16,
    owns: PhantomData<P>,
}

impl<P, S: AsRef<[Slot<P>]> + AsMut<[Slot<P>]>> Runs<P, S> {
    #[inline]
    pub(super) const fn new(slots: S) -> Self {
        Self {
            slots,
            root: Link::NIL,
            first: Link::NIL,
            freed: Link::NIL,
            unused: 0,
            len: 0,
            owns: PhantomData,
        }
    }

    #[inline]
    pub(super) const fn len(&self) -> usize {
        self.len as usize
    }

    #[inline]
    pub(super) fn is_full(&self) -> bool {
        let slots = self.slots.as_ref().len().min(Link::NIL.0.into());
        self.len() >= slots
    }

    #[inline]
    pub(super) fn get(&self, at: Link) -> Option<&Run<P>> {
        self.slot(at)?.run.as_ref()
    }

    /// A run to change, which must keep its place in the order.
    #[inline]
    pub(super) fn get_mut(&mut self, at: Link) -> Option<&mut Run<P>> {
        self.slot_mut(at)?.run.as_mut()
    }

    #[inline]
    pub(super) fn slots_mut(&mut self) -> &mut S {
        &mut self.slots
    }

    #[inline]
    pub(super) const fn first(&self) -> Link {
        self.first
    }

    #[inline]
    pub(super) fn last(&self) -> Link {
        match self.root {
            Link::NIL => Link::NIL,
            root => self.outermost(root, Side::After),
        }
    }

    /// The last run that starts at `dsn` or before.
    #[inline]
    pub(super) fn at_or_before(&self, dsn: Dsn) -> Link {
        let (mut at, mut found) = (self.root, Link::NIL);
        while let Some(run) = self.get(at) {
            let side = if run.start.after(dsn) {
                Side::Before
            } else {
                found = at;
                Side::After
            };
            at = self.child(at, side);
        }
        found
    }

    /// The run after another; the first of all after [`Link::NIL`].
    #[inline]
    pub(super) fn after(&self, at: Link) -> Link {
        if at == Link::NIL {
            return self.first;
        }
        let below = self.child(at, Side::After);
        if below != Link::NIL {
            return self.outermost(below, Side::Before);
        }
        let (mut from, mut up) = (at, self.up(at));
        while up != Link::NIL && self.child(up, Side::After) == from {
            from = up;
            up = self.up(up);
        }
        up
    }

    /// Adds a run behind the run `before`, first of all behind [`Link::NIL`]. It is dropped if
    /// there is no free slot.
    pub(super) fn insert(&mut self, before: Link, run: Run<P>) {
        let new = self.allocate(run);
        if new == Link::NIL {
            return;
        }
        if before == Link::NIL {
            self.attach(self.first, Side::Before, new);
            self.first = new;
        } else {
            match self.child(before, Side::After) {
                Link::NIL => self.attach(before, Side::After, new),
                below => {
                    let parent = self.outermost(below, Side::Before);
                    self.attach(parent, Side::Before, new);
                }
            }
        }
        self.mend(self.up(new));
    }

    /// Takes a run out. Links to later runs may then name others; those to earlier ones stay.
    pub(super) fn remove(&mut self, at: Link) -> Option<Run<P>> {
        let next = self.after(at);
        let mut gone = at;
        let removed = self.slot_mut(at)?.run.take()?;
        if self.child(at, Side::Before) != Link::NIL && self.child(at, Side::After) != Link::NIL {
            // The next run moves here, and its slot, which has at most one child, goes instead.
            gone = next;
            let moved = self.slot_mut(next).and_then(|slot| slot.run.take());
            self.slot_mut(at)?.run = moved;
        } else if at == self.first {
            self.first = next;
        }
        let child = match self.child(gone, Side::Before) {
            Link::NIL => self.child(gone, Side::After),
            child => child,
        };
        let above = self.up(gone);
        self.replace(above, gone, child);
        self.release(gone);
        self.mend(above);
        Some(removed)
    }

    /// Makes the tree balanced again from `at` up, after one of its subtrees changed its height
    /// by one.
    fn mend(&mut self, mut at: Link) {
        while at != Link::NIL {
            let before = self.height(at);
            let top = self.balance(at);
            if self.height(top) == before {
                return;
            }
            at = self.up(top);
        }
    }

    /// Balances the subtree of `at` and returns its root.
    fn balance(&mut self, at: Link) -> Link {
        for side in [Side::Before, Side::After] {
            let tall = self.child(at, side);
            let short = self.child(at, side.other());
            if self.height(tall) > self.height(short).saturating_add(1) {
                let inner = self.height(self.child(tall, side.other()));
                if inner > self.height(self.child(tall, side)) {
                    self.rotate(tall, side.other());
                }
                return self.rotate(at, side);
            }
        }
        self.measure(at);
        at
    }

    /// Lifts the child of `at` on `side` into the place of `at` and returns it.
    fn rotate(&mut self, at: Link, side: Side) -> Link {
        let child = self.child(at, side);
        let above = self.up(at);
        self.replace(above, at, child);
        self.attach(at, side, self.child(child, side.other()));
        self.attach(child, side.other(), at);
        self.measure(at);
        self.measure(child);
        child
    }

    #[inline]
    fn measure(&mut self, at: Link) {
        let before = self.height(self.child(at, Side::Before));
        let after = self.height(self.child(at, Side::After));
        if let Some(slot) = self.slot_mut(at) {
            slot.height = before.max(after).saturating_add(1);
        }
    }

    /// Makes `child` the child of `parent` on `side`, the root under [`Link::NIL`].
    #[inline]
    fn attach(&mut self, parent: Link, side: Side, child: Link) {
        match (self.slot_mut(parent), side) {
            (None, _) => self.root = child,
            (Some(slot), Side::Before) => slot.before = child,
            (Some(slot), Side::After) => slot.after = child,
        }
        if let Some(slot) = self.slot_mut(child) {
            slot.up = parent;
        }
    }

    /// Makes `new` the child of `parent` where `old` is it.
    #[inline]
    fn replace(&mut self, parent: Link, old: Link, new: Link) {
        let side = match self.child(parent, Side::Before) == old {
            true => Side::Before,
            false => Side::After,
        };
        self.attach(parent, side, new);
    }

    /// The last descendant of `at` on the way along `side`.
    #[inline]
    fn outermost(&self, mut at: Link, side: Side) -> Link {
        loop {
            match self.child(at, side) {
                Link::NIL => return at,
                child => at = child,
            }
        }
    }

    /// A slot for `run`, without neighbours.
    #[inline]
    fn allocate(&mut self, run: Run<P>) -> Link {
        if self.is_full() {
            return Link::NIL;
        }
        let new = match self.freed {
            Link::NIL => {
                let new = Link(self.unused);
                self.unused = self.unused.saturating_add(1);
                new
            }
            freed => {
                self.freed = self.up(freed);
                freed
            }
        };
        if let Some(slot) = self.slot_mut(new) {
            *slot = Slot {
                run: Some(run),
                height: 1,
                ..Slot::FREE
            };
            self.len = self.len.saturating_add(1);
        }
        new
    }

    #[inline]
    fn release(&mut self, at: Link) {
        let freed = self.freed;
        if let Some(slot) = self.slot_mut(at) {
            *slot = Slot {
                up: freed,
                ..Slot::FREE
            };
            self.freed = at;
            self.len = self.len.saturating_sub(1);
        }
    }

    #[inline]
    fn slot(&self, at: Link) -> Option<&Slot<P>> {
        self.slots.as_ref().get(usize::from(at.0))
    }

    #[inline]
    fn slot_mut(&mut self, at: Link) -> Option<&mut Slot<P>> {
        self.slots.as_mut().get_mut(usize::from(at.0))
    }

    #[inline]
    fn child(&self, at: Link, side: Side) -> Link {
        match (self.slot(at), side) {
            (None, _) => Link::NIL,
            (Some(slot), Side::Before) => slot.before,
            (Some(slot), Side::After) => slot.after,
        }
    }

    #[inline]
    fn up(&self, at: Link) -> Link {
        self.slot(at).map_or(Link::NIL, |slot| slot.up)
    }

    /// The height of a subtree; zero if there is none.
    #[inline]
    fn height(&self, at: Link) -> u8 {
        self.slot(at).map_or(0, |slot| slot.height)
    }
}

#[cfg(test)]
mod tests;
