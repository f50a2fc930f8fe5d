// SPDX-License-Identifier: GPL-2.0

//! The meta-socket: a socket of a protocol written in Rust.
//!
//! One `struct sock` carries three parts of the protocol's state, each behind the lock that guards
//! it. Order of the locks: owner of the meta-socket, then a subflow's lock, then the data lock.
//!
//! | part | guarded by | taken in |
//! |---|---|---|
//! | [`Protocol::Shared`] | itself (atomics, set-once) | any context |
//! | [`Protocol::Owned`] | the owner lock ([`Meta::lock`], `lock_sock`) | process context |
//! | [`Protocol::Data`] | the data lock ([`Meta::lock_data`], the spinlock `sk_lock.slock`) | any context |

use crate::bindings;
use crate::index::Entry;
use crate::netns::PerNet;
use crate::sock::Sock;
use core::cell::UnsafeCell;
use core::mem::{offset_of, MaybeUninit};
use core::ops::{Deref, DerefMut};
use core::ptr::{addr_of_mut, NonNull};
use kernel::prelude::*;
use kernel::sync::aref::{ARef, AlwaysRefCounted};

mod deferred;

pub use crate::protocol::Protocol;

/// A meta-socket of protocol `P`.
///
/// # Invariants
///
/// A reference to it is a reference to a live socket of the `struct proto` registered for `P`, and
/// its three parts are initialised.
#[repr(C)]
pub struct Meta<P: Protocol> {
    inet: UnsafeCell<bindings::inet_sock>,
    work: UnsafeCell<bindings::work_struct>,
    softirq_work: UnsafeCell<bindings::work_struct>,
    place: deferred::Place,
    /// What is kept for the network namespace of the socket, which lives as long as the socket does; null if
    /// there is nothing.
    namespace: *const P::Namespace,
    shared: MaybeUninit<P::Shared>,
    owned: UnsafeCell<MaybeUninit<P::Owned>>,
    data: UnsafeCell<MaybeUninit<P::Data>>,
    /// Guarded by the data lock.
    entry: UnsafeCell<Entry>,
    /// All bits of `sk_shutdown` that were set with the data lock held, which guards them.
    shut: UnsafeCell<u8>,
    /// The kernel finds the IPv6 part of a socket at the end of the object.
    ipv6: UnsafeCell<bindings::ipv6_pinfo>,
}

// SAFETY: All parts are either synchronised by themselves or reached through a guard.
unsafe impl<P: Protocol> Send for Meta<P> {}
// SAFETY: As above.
unsafe impl<P: Protocol> Sync for Meta<P> {}

// SAFETY: The reference count of the embedded socket keeps the whole object alive.
unsafe impl<P: Protocol> AlwaysRefCounted for Meta<P> {
    fn inc_ref(&self) {
        self.sock().inc_ref();
    }

    unsafe fn dec_ref(obj: NonNull<Self>) {
        // SAFETY: The caller owns one reference; the socket is the object's first member.
        unsafe { Sock::dec_ref(obj.cast()) }
    }
}

impl<P: Protocol> Meta<P> {
    pub(crate) const IPV6_OFFSET: usize = offset_of!(Self, ipv6);
    pub(crate) const INDEX_OFFSET: usize = offset_of!(Self, entry) + Entry::RAW_OFFSET;

    /// # Safety
    ///
    /// `sk` is a live socket of the `struct proto` registered for `P`, initialised by
    /// [`Meta::init`].
    pub(crate) unsafe fn from_ptr<'a>(sk: *mut bindings::sock) -> &'a Self {
        // SAFETY: By the caller's promise.
        unsafe { &*sk.cast::<Self>() }
    }

    /// Puts the protocol's parts into a socket that has none yet.
    ///
    /// # Safety
    ///
    /// `sk` is a socket of the `struct proto` registered for `P`, not initialised and reachable by
    /// nobody else.
    pub(crate) unsafe fn init<'a>(
        sk: *mut bindings::sock,
        shared: P::Shared,
        owned: P::Owned,
    ) -> &'a Self {
        let meta = sk.cast::<Self>();
        // SAFETY: The object is as large as `Self`, and nobody else reaches it.
        unsafe {
            addr_of_mut!((*meta).shared)
                .cast::<P::Shared>()
                .write(shared);
            addr_of_mut!((*meta).owned).cast::<P::Owned>().write(owned);
            let namespace = P::Namespace::of(Sock::from_ptr(sk).net());
            addr_of_mut!((*meta).namespace)
                .write(namespace.map_or(core::ptr::null(), core::ptr::from_ref));
            let Ok(()) = P::data().__init(addr_of_mut!((*meta).data).cast::<P::Data>());
            addr_of_mut!((*meta).entry)
                .cast::<Entry>()
                .write(Entry::new());
            addr_of_mut!((*meta).place).write(deferred::Place::new());
            bindings::knet_helper_init_work(
                addr_of_mut!((*meta).work).cast(),
                Some(deferred::run_work::<P>),
            );
            bindings::knet_helper_init_softirq_work(
                addr_of_mut!((*meta).softirq_work).cast(),
                Some(deferred::run_softirq_work::<P>),
            );
            bindings::knet_helper_timer_setup(sk, Some(deferred::run_timer::<P>));
            bindings::knet_helper_own_lock_class(sk);
            // Whoever looks its number up has no reference yet.
            bindings::knet_helper_sock_free_after_rcu(sk);
            (*sk).sk_destruct = Some(destruct::<P>);
            crate::hooks::wake_writers_as_stream(sk);
            &*meta
        }
    }

    /// A new meta-socket that inherits the options that the application set on this one, for a
    /// connection that a listener accepted. Softirq or process context; the new socket's state is
    /// closed and the returned references are the application's and the caller's.
    pub fn inherit(&self, shared: P::Shared, owned: P::Owned) -> Result<(ARef<Self>, ARef<Self>)> {
        // SAFETY: `self` is live; the clone copies it without any lock, as the kernel does for
        // accepted TCP sockets, and every part that must not be shared is written anew below.
        let sk = unsafe { bindings::sk_clone(self.sock().as_ptr(), bindings::GFP_ATOMIC, false) };
        let sk = NonNull::new(sk).ok_or(ENOMEM)?;
        // SAFETY: The clone is a socket of the same protocol that nobody else knows.
        unsafe {
            bindings::knet_helper_release_family(sk.as_ptr(), self.sock().as_ptr());
            (*sk.as_ptr()).sk_user_data = core::ptr::null_mut();
            (*sk.as_ptr()).__sk_common.skc_state = crate::sock::State::Close as u8;
            Self::init(sk.as_ptr(), shared, owned);
        }
        let meta = sk.cast::<Self>();
        // SAFETY: A clone is born with two references (`sk_clone`).
        Ok(unsafe { (ARef::from_raw(meta), ARef::from_raw(meta)) })
    }

    /// The embedded socket.
    pub fn sock(&self) -> &Sock {
        // SAFETY: The socket is the first member and lives as long as the object.
        unsafe { Sock::from_ptr(self.inet.get().cast()) }
    }

    /// What is kept for the network namespace of the socket: as [`PerNet::of`], for one load. Any context.
    #[inline]
    pub fn namespace(&self) -> Option<&P::Namespace> {
        // SAFETY: The pointer is null or was got from the namespace, which the socket holds, so that by the
        // invariants of `Net` the data is there as long as the socket.
        unsafe { self.namespace.as_ref() }
    }

    /// Another reference to the meta-socket.
    pub fn hold(&self) -> ARef<Self> {
        ARef::from(self)
    }

    /// The part without lock.
    pub fn shared(&self) -> &P::Shared {
        // SAFETY: By the type invariant it is initialised.
        unsafe { self.shared.assume_init_ref() }
    }

    /// Takes the owner lock. Process context; may sleep.
    pub fn lock(&self) -> OwnerGuard<'_, P> {
        // SAFETY: The socket is live.
        unsafe { bindings::knet_helper_lock_sock(self.sock().as_ptr()) }
        OwnerGuard {
            meta: self,
            release: true,
        }
    }

    /// The guard for a caller that the kernel called with the owner lock held.
    ///
    /// # Safety
    ///
    /// The calling thread holds the owner lock for longer than the guard lives, and has no other
    /// guard.
    pub(crate) unsafe fn assume_locked(&self) -> OwnerGuard<'_, P> {
        OwnerGuard {
            meta: self,
            release: false,
        }
    }

    /// Takes the data lock; softirqs are off while it is held. Any context.
    pub fn lock_data(&self) -> DataGuard<'_, P> {
        // SAFETY: The socket is live.
        unsafe { bindings::knet_helper_data_lock(self.sock().as_ptr()) }
        DataGuard {
            meta: self,
            release: true,
        }
    }

    /// The guard for a caller that the kernel called with the data lock held.
    ///
    /// # Safety
    ///
    /// The current context holds the data lock for longer than the guard lives, and has no other
    /// guard.
    pub(crate) unsafe fn assume_data_locked(&self) -> DataGuard<'_, P> {
        DataGuard {
            meta: self,
            release: false,
        }
    }
}

/// The last reference to a meta-socket is gone. Any context.
///
/// # Safety
///
/// The kernel passes a meta-socket of `P` that nobody else reaches.
unsafe extern "C" fn destruct<P: Protocol>(sk: *mut bindings::sock) {
    let meta = sk.cast::<Meta<P>>();
    // SAFETY: The last reference is gone, so nobody reaches the parts any more; they were
    // initialised with the socket and are dropped only here.
    unsafe {
        P::destruct(&*meta);
        addr_of_mut!((*meta).data).cast::<P::Data>().drop_in_place();
        addr_of_mut!((*meta).owned)
            .cast::<P::Owned>()
            .drop_in_place();
        addr_of_mut!((*meta).shared)
            .cast::<P::Shared>()
            .drop_in_place();
        bindings::knet_helper_sk_sockets_allocated_dec(sk);
        if (*sk).__sk_common.skc_family == crate::sock::AF_INET6 {
            bindings::inet6_sock_destruct(sk);
        } else {
            bindings::inet_sock_destruct(sk);
        }
    }
}

/// The owner lock of a meta-socket. Dropping it releases the lock if it was taken with it.
pub struct OwnerGuard<'a, P: Protocol> {
    meta: &'a Meta<P>,
    release: bool,
}

impl<'a, P: Protocol> OwnerGuard<'a, P> {
    /// The socket whose lock this is.
    pub fn meta(&self) -> &'a Meta<P> {
        self.meta
    }

    pub(crate) fn sk(&self) -> *mut bindings::sock {
        self.meta.sock().as_ptr()
    }
}

impl<P: Protocol> Deref for OwnerGuard<'_, P> {
    type Target = P::Owned;

    fn deref(&self) -> &P::Owned {
        // SAFETY: The owner lock is held, and the part is initialised.
        unsafe { (*self.meta.owned.get()).assume_init_ref() }
    }
}

impl<P: Protocol> DerefMut for OwnerGuard<'_, P> {
    fn deref_mut(&mut self) -> &mut P::Owned {
        // SAFETY: The owner lock is held, and the guard is borrowed exclusively.
        unsafe { (*self.meta.owned.get()).assume_init_mut() }
    }
}

impl<P: Protocol> Drop for OwnerGuard<'_, P> {
    fn drop(&mut self) {
        if self.release {
            // SAFETY: The lock was taken when the guard was made.
            unsafe { bindings::release_sock(self.sk()) }
        }
    }
}

/// The data lock of a meta-socket.
pub struct DataGuard<'a, P: Protocol> {
    meta: &'a Meta<P>,
    release: bool,
}

impl<'a, P: Protocol> DataGuard<'a, P> {
    /// The socket whose lock this is.
    pub fn meta(&self) -> &'a Meta<P> {
        self.meta
    }

    pub(crate) fn sk(&self) -> *mut bindings::sock {
        self.meta.sock().as_ptr()
    }

    pub(crate) fn entry(&mut self) -> &mut Entry {
        // SAFETY: The data lock is held, and the guard is borrowed exclusively.
        unsafe { &mut *self.meta.entry.get() }
    }

    /// Adds bits of [`crate::sock::shutdown`]. `shutdown(2)` adds bits without this lock; what it
    /// overwrites meanwhile comes back when the kernel tells us of it.
    pub fn add_shutdown(&mut self, bits: u8) {
        // SAFETY: The data lock is held and guards the bits that are noted; whoever reads `sk_shutdown`
        // does so without lock.
        unsafe {
            let noted = self.meta.shut.get();
            *noted |= bits;
            let shown = addr_of_mut!((*self.sk()).sk_shutdown);
            shown.write_volatile(shown.read_volatile() | *noted);
        }
    }

    /// Clears the bits for a socket that is used anew and that this process owns.
    pub fn clear_shutdown(&mut self) {
        // SAFETY: As above; only the owner sets bits without the data lock.
        unsafe {
            *self.meta.shut.get() = 0;
            addr_of_mut!((*self.sk()).sk_shutdown).write_volatile(0);
        }
    }

    /// Whether a process owns the meta-socket: it will pass [`Protocol::released`] when it is done.
    pub fn is_owned(&self) -> bool {
        // SAFETY: The socket is live and its spinlock held.
        unsafe { bindings::knet_helper_sock_owned_by_user(self.sk()) }
    }
}

impl<P: Protocol> Deref for DataGuard<'_, P> {
    type Target = P::Data;

    fn deref(&self) -> &P::Data {
        // SAFETY: The data lock is held, and the part is initialised.
        unsafe { (*self.meta.data.get()).assume_init_ref() }
    }
}

impl<P: Protocol> DerefMut for DataGuard<'_, P> {
    fn deref_mut(&mut self) -> &mut P::Data {
        // SAFETY: The data lock is held, and the guard is borrowed exclusively.
        unsafe { (*self.meta.data.get()).assume_init_mut() }
    }
}

impl<P: Protocol> Drop for DataGuard<'_, P> {
    fn drop(&mut self) {
        if self.release {
            // SAFETY: The lock was taken when the guard was made.
            unsafe { bindings::knet_helper_data_unlock(self.sk()) }
        }
    }
}
