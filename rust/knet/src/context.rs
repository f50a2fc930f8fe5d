// SPDX-License-Identifier: GPL-2.0

//! The context that a subflow carries as TCP upper-layer protocol, and the callbacks that lead
//! from the TCP socket to its meta-socket.
//!
//! C header: `include/net/tcp.h` (`struct tcp_ulp_ops`).

use crate::bindings;
use crate::hooks;
use crate::meta::{Meta, Protocol};
use crate::sock::Sock;
use crate::subflow::Tcp;
use core::mem::{offset_of, MaybeUninit};
use core::ptr::{null_mut, NonNull};
use core::sync::atomic::{AtomicPtr, Ordering};
use kernel::prelude::*;
use kernel::sync::aref::ARef;

/// What a TCP socket's `icsk_ulp_data` points to.
///
/// It is freed a grace period after TCP released it, so that whoever found it under RCU may use it
/// until the end of his read-side section.
pub(crate) struct Context<P: Protocol> {
    rcu: bindings::callback_head,
    /// Stands in as `sk_socket` of a socket that a listener accepted: TCP sets and tests bits in
    /// it. Its out-of-space bit stays set, so that TCP reports every acknowledgement as room.
    shell: bindings::socket,
    /// The meta-socket; owns one reference unless it is null.
    meta: AtomicPtr<Meta<P>>,
    /// The reference that the application will own, until it takes it.
    waiting: AtomicPtr<Meta<P>>,
    original: Callbacks,
}

/// The callbacks of a TCP socket.
#[derive(Clone, Copy)]
pub(crate) struct Callbacks {
    data_ready: Option<unsafe extern "C" fn(*mut bindings::sock)>,
    write_space: Option<unsafe extern "C" fn(*mut bindings::sock)>,
    state_change: Option<unsafe extern "C" fn(*mut bindings::sock)>,
    error_report: Option<unsafe extern "C" fn(*mut bindings::sock)>,
}

impl Callbacks {
    /// Those that a socket has now.
    ///
    /// # Safety
    ///
    /// `sk` is a live socket.
    pub(crate) unsafe fn of(sk: *const bindings::sock) -> Self {
        // SAFETY: By the caller's promise.
        unsafe {
            Self {
                data_ready: (*sk).sk_data_ready,
                write_space: (*sk).sk_write_space,
                state_change: (*sk).sk_state_change,
                error_report: (*sk).sk_error_report,
            }
        }
    }
}

impl<P: Protocol> Context<P> {
    /// A context for a socket whose callbacks were `original`.
    pub(crate) fn new(
        meta: *mut Meta<P>,
        original: Callbacks,
        flags: kernel::alloc::Flags,
    ) -> Result<KBox<Self>> {
        // SAFETY: All-zero is what the kernel gives a new `struct socket` and `rcu_head`.
        let (rcu, shell) = unsafe { (core::mem::zeroed(), core::mem::zeroed()) };
        Ok(KBox::new(
            Self {
                rcu,
                shell,
                meta: AtomicPtr::new(meta),
                waiting: AtomicPtr::new(null_mut()),
                original,
            },
            flags,
        )?)
    }

    /// The context of a socket, if it is a subflow of `P`.
    ///
    /// # Safety
    ///
    /// `sk` is a live full TCP socket, and the caller holds its lock or is in an RCU read-side
    /// section that outlives the reference.
    pub(crate) unsafe fn of<'a>(sk: *const bindings::sock) -> Option<&'a Self> {
        // SAFETY: By the caller's promise; the data of our ULP is always a context.
        unsafe {
            let icsk = sk.cast::<bindings::inet_connection_sock>();
            if !core::ptr::eq((*icsk).icsk_ulp_ops, ulp()) {
                return None;
            }
            (*icsk).icsk_ulp_data.cast::<Self>().as_ref()
        }
    }

    /// The meta-socket of a subflow; the reference lives as long as the context.
    pub(crate) fn meta(&self) -> Option<&Meta<P>> {
        // SAFETY: A pointer that is not null owns a reference until the context is dropped.
        unsafe { self.meta.load(Ordering::Acquire).as_ref() }
    }

    /// Attaches the ULP to a TCP socket of the kernel's own. Process context.
    pub(crate) fn attach(meta: &Meta<P>, socket: *mut bindings::socket) -> Result {
        // SAFETY: The socket was just made and nobody else knows it; `init` below takes the
        // pointer out of `sk_user_data` before the call returns.
        let result = unsafe {
            let sk = (*socket).sk;
            (*sk).sk_user_data = core::ptr::from_ref(meta).cast_mut().cast();
            let set = (*(*sk).__sk_common.skc_prot).setsockopt.ok_or(EOPNOTSUPP)?;
            let error = set(
                sk,
                bindings::SOL_TCP as c_int,
                bindings::TCP_ULP as c_int,
                bindings::knet_helper_kernel_sockptr(P::ULP_NAME.as_ptr().cast_mut().cast()),
                P::ULP_NAME.len() as c_uint,
            );
            (*sk).sk_user_data = null_mut();
            bindings::knet_helper_set_nospace(sk);
            error
        };
        kernel::error::to_result(result)
    }

    /// The meta-socket of an accepted subflow, with the application's reference.
    pub(crate) fn take(sock: &Sock) -> Option<ARef<Meta<P>>> {
        // SAFETY: An accepted socket that nobody closes yet keeps its context.
        let context = unsafe { Self::of(sock.as_ptr()) }?;
        let meta = NonNull::new(context.waiting.swap(null_mut(), Ordering::AcqRel))?;
        // SAFETY: The swap hands the waiting reference to us alone.
        Some(unsafe { ARef::from_raw(meta) })
    }

    /// Gives a context to its socket.
    ///
    /// From then on a byte of the socket's memory account stays charged, until [`release`]. Without it TCP would
    /// give the last page back whenever nothing else is charged, and take one again for the next segment.
    ///
    /// # Safety
    ///
    /// `sk` is a live TCP socket without ULP data that only the caller uses, or that it has locked.
    unsafe fn hand_over(this: KBox<Self>, sk: *mut bindings::sock) -> *mut Self {
        let context = KBox::into_raw(this);
        // SAFETY: By the caller's promise.
        unsafe {
            bindings::knet_helper_set_ulp_data(sk, context.cast());
            bindings::knet_helper_sk_mem_charge(sk, 1);
        }
        context
    }

    /// Makes a TCP socket a subflow.
    ///
    /// # Safety
    ///
    /// `sk` is a live TCP socket without ULP that only the caller uses.
    pub(crate) unsafe fn equip<'a>(this: KBox<Self>, sk: *mut bindings::sock) -> &'a Self {
        // SAFETY: By the caller's promise. The context lives until TCP releases the ULP and a grace
        // period after that; the module lives as long as its ULP is in use.
        unsafe {
            let context = Self::hand_over(this, sk);
            let icsk = sk.cast::<bindings::inet_connection_sock>();
            (*icsk).icsk_ulp_ops = ulp();
            bindings::knet_helper_module_get((*ulp()).owner);
            (*sk).sk_data_ready = Some(data_ready::<P>);
            (*sk).sk_write_space = Some(write_space::<P>);
            (*sk).sk_state_change = Some(state_change::<P>);
            (*sk).sk_error_report = Some(error_report::<P>);
            &*context
        }
    }

    /// Gives a child its meta-socket: `application` is the reference of who accepts it, `None` if
    /// nobody will.
    ///
    /// # Safety
    ///
    /// `child` is the locked TCP socket whose context `self` is, and has no `struct socket`.
    pub(crate) unsafe fn adopt(
        &self,
        child: *mut bindings::sock,
        application: Option<ARef<Meta<P>>>,
        own: ARef<Meta<P>>,
    ) {
        let shell = core::ptr::addr_of!(self.shell).cast_mut();
        // SAFETY: The shell lives as long as the context, which outlives the socket's use of it;
        // the socket is locked and not yet known to anybody who reads these fields.
        unsafe {
            bindings::knet_helper_shell_init(shell, child);
            bindings::knet_helper_shell_attach(child, shell);
            (*child).sk_allocation = bindings::GFP_ATOMIC;
            (*child).sk_use_task_frag = false;
        }
        if let Some(application) = application {
            self.waiting
                .store(ARef::into_raw(application).as_ptr(), Ordering::Release);
        }
        self.meta
            .store(ARef::into_raw(own).as_ptr(), Ordering::Release);
    }
}

/// The one registration per protocol. `Registration` writes it before anything can reach it.
struct Slot(core::cell::UnsafeCell<MaybeUninit<bindings::tcp_ulp_ops>>);

// SAFETY: Written once at registration, read-only afterwards but for the list node, which the
// kernel guards with its own lock.
unsafe impl Sync for Slot {}

static ULP: Slot = Slot(core::cell::UnsafeCell::new(MaybeUninit::zeroed()));

/// The ULP of the protocol. The crate serves one protocol per module.
fn ulp() -> *mut bindings::tcp_ulp_ops {
    ULP.0.get().cast()
}

/// The registered ULP.
pub struct Registration<P: Protocol>(core::marker::PhantomData<P>);

impl<P: Protocol> Registration<P> {
    /// Registers the ULP of `P`. At most one protocol per module.
    pub fn new(module: &'static ThisModule) -> Result<Self> {
        let ops = ulp();
        // SAFETY: Nobody reads the static before it is registered.
        unsafe {
            (*ops).init = Some(init::<P>);
            (*ops).release = Some(release::<P>);
            (*ops).clone = Some(clone::<P>);
            (*ops).owner = module.as_ptr().cast();
            for (to, from) in (*ops).name.iter_mut().zip(P::ULP_NAME) {
                *to = *from;
            }
            kernel::error::to_result(bindings::tcp_register_ulp(ops))?;
        }
        Ok(Self(core::marker::PhantomData))
    }
}

impl<P: Protocol> Drop for Registration<P> {
    fn drop(&mut self) {
        // SAFETY: Registered in `new`; contexts that wait for their grace period are awaited.
        unsafe {
            bindings::tcp_unregister_ulp(ulp());
            bindings::rcu_barrier();
        }
    }
}

/// Called by TCP_ULP with the socket owned by the process.
///
/// # Safety
///
/// The kernel passes a live TCP socket that the calling process owns.
unsafe extern "C" fn init<P: Protocol>(sk: *mut bindings::sock) -> c_int {
    // SAFETY: The kernel passes a live, locked TCP socket. Only a socket of the kernel's own
    // whose `sk_user_data` was set by `attach` is taken: user space can name any ULP.
    unsafe {
        let meta = (*sk).sk_user_data.cast::<Meta<P>>();
        if !bindings::knet_helper_sk_kern_sock(sk) || meta.is_null() {
            return EINVAL.to_errno();
        }
        let original = Callbacks::of(sk);
        let context = match Context::<P>::new(meta, original, GFP_KERNEL) {
            Ok(context) => context,
            Err(error) => {
                return error.to_errno();
            }
        };
        core::mem::forget((*meta).hold());
        Context::<P>::hand_over(context, sk);
        (*sk).sk_user_data = null_mut();
        (*sk).sk_data_ready = Some(data_ready::<P>);
        (*sk).sk_write_space = Some(write_space::<P>);
        (*sk).sk_state_change = Some(state_change::<P>);
        (*sk).sk_error_report = Some(error_report::<P>);
        hooks::install::<P>(sk);
    }
    0
}

/// Called when TCP copies a listener for a child. Softirq.
///
/// # Safety
///
/// The kernel passes a locked copy of a socket of our ULP, whose ULP data is still the listener's.
unsafe extern "C" fn clone<P: Protocol>(
    _request: *const bindings::request_sock,
    child: *mut bindings::sock,
    priority: bindings::gfp_t,
) {
    let _ = priority;
    // SAFETY: The kernel passes the new, locked socket; it is a copy of the listener, so its ULP
    // data still is the listener's context, which lives as long as the listener.
    unsafe {
        let parent = (*child.cast::<bindings::inet_connection_sock>()).icsk_ulp_data;
        let parent = parent.cast::<Context<P>>();
        match Context::<P>::new(null_mut(), (*parent).original, GFP_ATOMIC) {
            Ok(context) => {
                bindings::knet_helper_module_get((*ulp()).owner);
                Context::<P>::hand_over(context, child);
            }
            Err(_) => {
                // Without context the child is a plain TCP socket that nobody can take: accept
                // closes it.
                let original = (*parent).original;
                let icsk = child.cast::<bindings::inet_connection_sock>();
                (*icsk).icsk_ulp_ops = core::ptr::null();
                bindings::knet_helper_set_ulp_data(child, null_mut());
                (*child).sk_data_ready = original.data_ready;
                (*child).sk_write_space = original.write_space;
                (*child).sk_state_change = original.state_change;
                (*child).sk_error_report = original.error_report;
                hooks::remove(child);
            }
        }
    }
}

/// Called when TCP is done with the socket. Softirq or process context.
///
/// # Safety
///
/// The kernel passes a socket of our ULP, locked or without other users.
unsafe extern "C" fn release<P: Protocol>(sk: *mut bindings::sock) {
    // SAFETY: The kernel passes a socket of our ULP, locked or without other users.
    unsafe {
        let context = (*sk.cast::<bindings::inet_connection_sock>()).icsk_ulp_data;
        let context = context.cast::<Context<P>>();
        bindings::knet_helper_set_ulp_data(sk, null_mut());
        hooks::remove(sk);
        let Some(this) = context.as_ref() else { return };
        bindings::knet_helper_sk_forward_alloc_add(sk, 1);
        (*sk).sk_data_ready = this.original.data_ready;
        (*sk).sk_write_space = this.original.write_space;
        (*sk).sk_state_change = this.original.state_change;
        (*sk).sk_error_report = this.original.error_report;
        if core::ptr::eq((*sk).sk_socket, &this.shell) {
            bindings::knet_helper_shell_detach(sk);
        }
        if let Some(meta) = NonNull::new(this.waiting.swap(null_mut(), Ordering::AcqRel)) {
            // The application never took the connection: its reference ends here.
            let meta = ARef::from_raw(meta);
            bindings::knet_helper_sock_orphan(meta.sock().as_ptr());
            P::abandoned(&mut meta.lock_data());
        }
        bindings::call_rcu(core::ptr::addr_of_mut!((*context).rcu), Some(free::<P>));
    }
}

/// The end of a context, a grace period after its release.
///
/// # Safety
///
/// `rcu` is the head of a context that [`release`] queued.
unsafe extern "C" fn free<P: Protocol>(rcu: *mut bindings::callback_head) {
    // SAFETY: `release` queued the head of a context that nobody reaches any more.
    unsafe {
        let context = rcu
            .byte_sub(offset_of!(Context<P>, rcu))
            .cast::<Context<P>>();
        let context = KBox::from_raw(context);
        if let Some(meta) = NonNull::new(context.meta.load(Ordering::Acquire)) {
            drop(ARef::from_raw(meta));
        }
    }
}

/// Calls `f` for the meta-socket of a locked subflow.
///
/// # Safety
///
/// `sk` is a live TCP socket whose lock the current context holds.
pub(crate) unsafe fn with_meta<P: Protocol>(
    sk: *mut bindings::sock,
    f: impl FnOnce(&Meta<P>, &mut Tcp<'_>),
) -> bool {
    // SAFETY: By the caller's promise.
    unsafe {
        match Context::<P>::of(sk).and_then(Context::meta) {
            Some(meta) => {
                f(meta, &mut Tcp::assume_locked(sk));
                true
            }
            None => false,
        }
    }
}

/// Data, a FIN, or for a listener a connection came.
///
/// # Safety
///
/// The kernel passes a live socket of our ULP: a locked one, or a listener.
unsafe extern "C" fn data_ready<P: Protocol>(sk: *mut bindings::sock) {
    // SAFETY: The kernel passes a live socket: a locked one, or a listener that has a new
    // connection, which is told apart by its state and only notified.
    unsafe {
        if Sock::from_ptr(sk).state() == crate::sock::State::Listen {
            bindings::knet_helper_rcu_read_lock();
            if let Some(context) = Context::<P>::of(sk) {
                if let Some(original) = context.original.data_ready {
                    original(sk);
                }
                if let Some(meta) = context.meta() {
                    meta.sock().notify_readable();
                }
            }
            bindings::knet_helper_rcu_read_unlock();
            return;
        }
        with_meta::<P>(sk, P::data_ready);
    }
}

/// TCP may have room to send.
///
/// # Safety
///
/// TCP passes a live socket of our ULP whose lock the current context holds.
unsafe extern "C" fn write_space<P: Protocol>(sk: *mut bindings::sock) {
    // SAFETY: TCP calls it with the socket locked.
    unsafe {
        with_meta::<P>(sk, P::write_space);
    }
}

/// TCP changed the state of the socket.
///
/// # Safety
///
/// TCP passes a live socket of our ULP whose lock the current context holds.
unsafe extern "C" fn state_change<P: Protocol>(sk: *mut bindings::sock) {
    // SAFETY: TCP calls it with the socket locked.
    unsafe {
        wake_original::<P>(sk, |callbacks| callbacks.state_change);
        with_meta::<P>(sk, P::state_changed);
    }
}

/// TCP has an error to report.
///
/// # Safety
///
/// TCP passes a live socket of our ULP whose lock the current context holds.
unsafe extern "C" fn error_report<P: Protocol>(sk: *mut bindings::sock) {
    // SAFETY: TCP calls it with the socket locked.
    unsafe {
        wake_original::<P>(sk, |callbacks| callbacks.error_report);
        with_meta::<P>(sk, P::state_changed);
    }
}

/// Calls the callback that the socket had before.
///
/// # Safety
///
/// As for [`with_meta`].
unsafe fn wake_original<P: Protocol>(
    sk: *mut bindings::sock,
    which: impl FnOnce(&Callbacks) -> Option<unsafe extern "C" fn(*mut bindings::sock)>,
) {
    // SAFETY: By the caller's promise; the callback is TCP's own for this socket.
    unsafe {
        if let Some(original) = Context::<P>::of(sk).and_then(|context| which(&context.original)) {
            original(sk);
        }
    }
}
