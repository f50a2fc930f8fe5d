// SPDX-License-Identifier: GPL-2.0

//! Network namespaces, and data and services of one's own in each of them.
//!
//! C headers: [`include/net/net_namespace.h`](srctree/include/net/net_namespace.h),
//! [`include/net/netns/generic.h`](srctree/include/net/netns/generic.h)

use crate::bindings;
use core::{
    marker::PhantomData,
    mem::{
        offset_of,
        MaybeUninit, //
    },
    sync::atomic::{
        AtomicU32,
        Ordering, //
    }, //
};
use kernel::{
    error::{
        from_result,
        to_result, //
    },
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed,
        Release, //
    },
    types::Opaque, //
};

/// A network namespace (`struct net`).
///
/// # Invariants
///
/// A reference is to a namespace that is alive. While a [`Registration`] exists, every [`PerNet`]
/// that is registered has been set up in that namespace and its data has not been torn down.
#[repr(transparent)]
pub struct Net(Opaque<bindings::net>);

// SAFETY: A namespace is shared by all CPUs; this type only hands out its address and what is
// synchronised by itself.
unsafe impl Send for Net {}
// SAFETY: As above.
unsafe impl Sync for Net {}

impl Net {
    /// The namespace behind a pointer of the kernel.
    ///
    /// # Safety
    ///
    /// For the duration of `'a` the namespace is alive, and every [`PerNet`] that is registered is set
    /// up in it: this holds in the callbacks of this module, and for the namespace of every socket that
    /// holds a reference on its namespace, because a registration outlives whatever could call.
    #[inline]
    pub(crate) unsafe fn from_raw<'a>(net: *mut bindings::net) -> &'a Self {
        // SAFETY: By the caller's promise; `Net` has the layout of `struct net`.
        unsafe { &*net.cast() }
    }

    /// The namespace as the kernel's functions want it.
    #[inline]
    pub(crate) fn as_raw(&self) -> *mut bindings::net {
        self.0.get()
    }
}

/// Where the kernel notes the number under which it keeps the data of `T`.
///
/// Made by [`impl_per_net_slot!`](crate::impl_per_net_slot).
pub struct Slot<T> {
    /// Zero, or the identifier that the kernel gave out at registration. An atomic of the language: those of
    /// the kernel are functions to call.
    id: AtomicU32,
    /// One from before registration to after its end.
    claimed: Atomic<u32>,
    owner: PhantomData<fn() -> T>,
}

impl<T> Slot<T> {
    /// A slot that nothing is registered in.
    #[doc(hidden)]
    pub const fn new() -> Self {
        Self {
            id: AtomicU32::new(0),
            claimed: Atomic::new(0),
            owner: PhantomData,
        }
    }
}

/// Types that have a [`Slot`]; implemented by [`impl_per_net_slot!`](crate::impl_per_net_slot) alone.
///
/// # Safety
///
/// `slot` always returns the same static.
pub unsafe trait HasSlot: Sized + 'static {
    /// The slot of this type.
    fn slot() -> &'static Slot<Self>;
}

/// Gives a type the slot that [`PerNet`] needs.
#[macro_export]
macro_rules! impl_per_net_slot {
    ($type:ty) => {
        // SAFETY: The function returns the one static that is declared in it.
        unsafe impl $crate::netns::HasSlot for $type {
            fn slot() -> &'static $crate::netns::Slot<Self> {
                static SLOT: $crate::netns::Slot<$type> = $crate::netns::Slot::new();
                &SLOT
            }
        }
    };
}

/// Data that exists once in every network namespace, and services that work on it.
///
/// The data is complete before the services start and outlives them. It is reached by [`PerNet::of`].
pub trait PerNet: HasSlot + Send + Sync {
    /// What is registered with the kernel for one namespace (files, hooks); undone by dropping it.
    type Services: Send + Sync;

    /// Makes the data of a namespace. Process context.
    fn new(net: &Net) -> Result<Self>;

    /// Starts the services of a namespace. Process context.
    fn start(&self, net: &Net) -> Result<Self::Services>;

    /// The work that [`PerNet::schedule`] asked for. Process context.
    fn work(&self, net: &Net);

    /// Lets [`PerNet::work`] run soon, once however often it is asked for until it begins. Any context.
    fn schedule(net: &Net) {
        let id = Self::slot().id.load(Ordering::Acquire);
        if id == 0 {
            return;
        }
        // SAFETY: As in `of`; the work was initialised before anybody could ask for it.
        unsafe {
            let held = bindings::knet_helper_net_generic(net.as_raw(), id).cast::<Held<Self>>();
            if !held.is_null() {
                bindings::knet_helper_queue_work((*held).work.get());
            }
        }
    }

    /// The data of a namespace, or `None` while nothing is registered. Any context.
    #[inline]
    fn of(net: &Net) -> Option<&Self> {
        let id = Self::slot().id.load(Ordering::Acquire);
        if id == 0 {
            return None;
        }
        // SAFETY: A non-zero identifier is one that the kernel gave out for this type, and by the
        // invariants of `Net` the data has been set up under it: the pointer is to a `Held<Self>` whose
        // data is initialised and lives as long as the namespace.
        unsafe {
            let held = bindings::knet_helper_net_generic(net.as_raw(), id).cast::<Held<Self>>();
            held.as_ref().map(|held| held.data.assume_init_ref())
        }
    }
}

/// What the kernel's memory for one namespace holds. It is zeroed, freed and not otherwise touched by
/// the kernel.
struct Held<T: PerNet> {
    data: MaybeUninit<T>,
    services: Opaque<MaybeUninit<T::Services>>,
    work: Opaque<bindings::work_struct>,
    /// The namespace, for the work.
    net: *mut bindings::net,
}

/// `T` in every network namespace, present and to come, until it is dropped.
///
/// # Invariants
///
/// `operations` is registered and has its address for life.
pub struct Registration<T: PerNet> {
    operations: KBox<Opaque<bindings::pernet_operations>>,
    owner: PhantomData<T>,
}

// SAFETY: The operations are only touched by the kernel, under its own lock.
unsafe impl<T: PerNet> Send for Registration<T> {}
// SAFETY: As above.
unsafe impl<T: PerNet> Sync for Registration<T> {}

impl<T: PerNet> Registration<T> {
    /// The kernel's allocator promises this alignment for any size.
    const FITS: () = assert!(align_of::<Held<T>>() <= 8 && size_of::<Held<T>>() > 0);

    /// Sets up `T` in all namespaces. `EBUSY` if it already is.
    pub fn new() -> Result<Self> {
        const { Self::FITS };
        let slot = T::slot();
        slot.claimed.cmpxchg(0, 1, Relaxed).map_err(|_| EBUSY)?;
        let registered = Self::register(slot);
        if registered.is_err() {
            slot.id.store(0, Ordering::Relaxed);
            slot.claimed.store(0, Release);
        }
        registered
    }

    fn register(slot: &'static Slot<T>) -> Result<Self> {
        let operations = KBox::new(
            Opaque::new(bindings::pernet_operations {
                init: Some(init::<T>),
                pre_exit: Some(stop::<T>),
                exit: Some(exit::<T>),
                id: slot.id.as_ptr(),
                size: size_of::<Held<T>>(),
                ..Default::default()
            }),
            GFP_KERNEL,
        )?;
        // SAFETY: The operations stay where they are until they are unregistered; the callbacks suit
        // the memory that `size` asks for, and the slot is a static.
        to_result(unsafe { bindings::register_pernet_subsys(operations.get()) })?;
        // INVARIANT: They were just registered, and live on the heap.
        Ok(Self {
            operations,
            owner: PhantomData,
        })
    }
}

impl<T: PerNet> Drop for Registration<T> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant the operations are registered.
        unsafe { bindings::unregister_pernet_subsys(self.operations.get()) };
        T::slot().id.store(0, Ordering::Relaxed);
        T::slot().claimed.store(0, Release);
    }
}

/// The memory that the kernel keeps for `T` in a namespace.
///
/// # Safety
///
/// Called in one of the callbacks below.
unsafe fn held<T: PerNet>(net: *mut bindings::net) -> *mut Held<T> {
    let id = T::slot().id.load(Ordering::Acquire);
    // SAFETY: The kernel set the identifier and the memory of the namespace before the first callback.
    unsafe { bindings::knet_helper_net_generic(net, id) }.cast()
}

/// Sets up one namespace: data first, then services.
///
/// # Safety
///
/// For the kernel to call, as `init` of the registered operations.
unsafe extern "C" fn init<T: PerNet>(net: *mut bindings::net) -> c_int {
    // SAFETY: This is a callback of the registration.
    let held = unsafe { held::<T>(net) };
    from_result(|| {
        // SAFETY: The memory has room for a `Held<T>` and nobody else knows it yet.
        unsafe {
            (*held).net = net;
            bindings::knet_helper_init_namespace_work((*held).work.get(), Some(work::<T>));
        }
        // SAFETY: The kernel sets up a living namespace; nobody asks for the data of `T` before this
        // function, apart from the services that it starts itself.
        let net = unsafe { Net::from_raw(net) };
        let data = T::new(net)?;
        // SAFETY: The memory has room for a `Held<T>` and nobody else knows it yet; from here on the data
        // is shared.
        let data: &T = unsafe { (*held).data.write(data) };
        match data.start(net) {
            Ok(services) => {
                // SAFETY: As above; the services are behind an `Opaque`, so that a service that is
                // already at work may hold references to the data.
                unsafe { (*(*held).services.get()).write(services) };
                Ok(0)
            }
            Err(error) => {
                // SAFETY: Written above; the services that failed to start are gone.
                unsafe { drop_data(held) };
                Err(error)
            }
        }
    })
}

/// Stops the services of one namespace.
///
/// # Safety
///
/// For the kernel to call, as `pre_exit` of the registered operations.
unsafe extern "C" fn stop<T: PerNet>(net: *mut bindings::net) {
    // SAFETY: A callback of the registration after a successful `init`, called once.
    unsafe { (*(*held::<T>(net)).services.get()).assume_init_drop() };
}

/// Drops the data of one namespace.
///
/// # Safety
///
/// For the kernel to call, as `exit` of the registered operations.
unsafe extern "C" fn exit<T: PerNet>(net: *mut bindings::net) {
    // SAFETY: Called once after `stop` and after a grace period, so that nobody uses the data any more
    // but the work.
    unsafe { drop_data(held::<T>(net)) };
}

/// Drops the data of one namespace when its work is done.
///
/// # Safety
///
/// The data was set up, and nobody uses it any more or schedules the work.
unsafe fn drop_data<T: PerNet>(held: *mut Held<T>) {
    // SAFETY: By the caller's promise. The first call waits for the work.
    unsafe {
        bindings::cancel_work_sync((*held).work.get());
        (*held).data.assume_init_drop();
    }
}

/// Does the work of one namespace.
///
/// # Safety
///
/// For the kernel to call, as the function of the work of a `Held<T>`.
unsafe extern "C" fn work<T: PerNet>(work: *mut bindings::work_struct) {
    // SAFETY: The work is part of a `Held<T>` whose data outlives it, as does the namespace.
    unsafe {
        let held = work.byte_sub(offset_of!(Held<T>, work)).cast::<Held<T>>();
        (*held)
            .data
            .assume_init_ref()
            .work(Net::from_raw((*held).net));
    }
}
