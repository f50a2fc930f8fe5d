// SPDX-License-Identifier: GPL-2.0

//! Override tables for `inet_connection_sock.icsk_af_ops`: the hooks in TCP's transmit path and in
//! its handshakes.
//!
//! C header: `include/net/inet_connection_sock.h`.

use crate::bindings;
use crate::context::{with_meta, Context};
use crate::meta::Protocol;
use crate::netns::Net;
use crate::rewrite::rewrite_transport;
use crate::segment::{ChildRequest, Handshake, Header, OptionEdit, Outgoing};
use crate::sock::Sock;
use crate::subflow::Tcp;
use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicPtr, AtomicU8, Ordering};
use kernel::error::to_result;
use kernel::prelude::*;

type Table = bindings::inet_connection_sock_af_ops;
type WriteSpace = Option<unsafe extern "C" fn(*mut bindings::sock)>;

/// One kind of TCP socket: the kernel's table, and our copy of it with the hooks in it.
struct Flavour {
    pristine: AtomicPtr<Table>,
    hooked: UnsafeCell<MaybeUninit<Table>>,
    state: AtomicU8,
}

const EMPTY: u8 = 0;
const FILLING: u8 = 1;
const READY: u8 = 2;

// SAFETY: `hooked` is written by whoever moves the state from EMPTY to FILLING and read by those
// who see READY.
unsafe impl Sync for Flavour {}

impl Flavour {
    const fn new() -> Self {
        Self {
            pristine: AtomicPtr::new(core::ptr::null_mut()),
            hooked: UnsafeCell::new(MaybeUninit::zeroed()),
            state: AtomicU8::new(EMPTY),
        }
    }

    /// Learns the kernel's table. Only the first call counts; `false` while another is at it.
    fn learn<P: Protocol>(&self, pristine: *const Table) -> bool {
        match self
            .state
            .compare_exchange(EMPTY, FILLING, Ordering::AcqRel, Ordering::Acquire)
        {
            Ok(_) => {
                // SAFETY: The kernel's tables live for ever; nobody else writes or reads ours
                // before the state is READY.
                unsafe {
                    let hooked = self.hooked.get().cast::<Table>();
                    hooked.write(*pristine);
                    (*hooked).queue_xmit = Some(queue_xmit::<P>);
                    (*hooked).sk_rx_dst_set = Some(sk_rx_dst_set::<P>);
                    (*hooked).syn_recv_sock = Some(syn_recv_sock::<P>);
                    (*hooked).conn_request = Some(conn_request::<P>);
                }
                self.pristine.store(pristine.cast_mut(), Ordering::Release);
                self.state.store(READY, Ordering::Release);
                true
            }
            Err(state) => state == READY,
        }
    }

    fn hooked(&self) -> *const Table {
        self.hooked.get().cast()
    }

    fn pristine(&self) -> *const Table {
        self.pristine.load(Ordering::Acquire)
    }
}

static V4: Flavour = Flavour::new();
static V6: Flavour = Flavour::new();
static MAPPED: Flavour = Flavour::new();

/// The way in which streams wake their writers (`sk_stream_write_space`, which is not exported).
static STREAM_WRITE_SPACE: AtomicPtr<()> = AtomicPtr::new(core::ptr::null_mut());

/// Lets a meta-socket wake its writers as a TCP socket does.
///
/// # Safety
///
/// `sk` is a socket that nobody else knows yet.
pub(crate) unsafe fn wake_writers_as_stream(sk: *mut bindings::sock) {
    let space = STREAM_WRITE_SPACE.load(Ordering::Acquire);
    // SAFETY: The pointer is null or came from a field of this type; `sk` by the caller's promise.
    unsafe { (*sk).sk_write_space = core::mem::transmute::<*mut (), WriteSpace>(space) };
}

/// Learns the kernel's tables from two throw-away sockets. Called once at load, before the ULP is
/// registered.
pub fn prepare<P: Protocol>() -> Result {
    for (family, flavour) in [(crate::sock::AF_INET, &V4), (crate::sock::AF_INET6, &V6)] {
        let mut socket = core::ptr::null_mut();
        // SAFETY: `init_net` lives for ever; the socket is ours until it is released below.
        unsafe {
            to_result(bindings::sock_create_kern(
                core::ptr::addr_of_mut!(bindings::init_net),
                c_int::from(family),
                bindings::sock_type_SOCK_STREAM as c_int,
                bindings::IPPROTO_TCP as c_int,
                &mut socket,
            ))?;
            let icsk = (*socket).sk.cast::<bindings::inet_connection_sock>();
            flavour.learn::<P>((*icsk).icsk_af_ops);
            let space = (*(*socket).sk).sk_write_space;
            STREAM_WRITE_SPACE.store(
                space.map_or(core::ptr::null_mut(), |space| space as *mut ()),
                Ordering::Release,
            );
            bindings::sock_release(socket);
        }
    }
    Ok(())
}

/// Puts the hooks into a socket.
///
/// # Safety
///
/// `sk` is a live, locked TCP socket.
pub(crate) unsafe fn install<P: Protocol>(sk: *mut bindings::sock) {
    // SAFETY: By the caller's promise.
    unsafe {
        let icsk = sk.cast::<bindings::inet_connection_sock>();
        let current = (*icsk).icsk_af_ops;
        for flavour in [&V4, &V6, &MAPPED] {
            if core::ptr::eq(current, flavour.hooked()) {
                return;
            }
        }
        let flavour = if core::ptr::eq(current, V4.pristine()) {
            &V4
        } else if core::ptr::eq(current, V6.pristine()) {
            &V6
        } else {
            &MAPPED
        };
        if flavour.learn::<P>(current) && core::ptr::eq(current, flavour.pristine()) {
            (*icsk).icsk_af_ops = flavour.hooked();
        }
    }
}

/// Takes the hooks out of a socket.
///
/// # Safety
///
/// As for [`install`].
pub(crate) unsafe fn remove(sk: *mut bindings::sock) {
    // SAFETY: By the caller's promise.
    unsafe {
        let icsk = sk.cast::<bindings::inet_connection_sock>();
        for flavour in [&V4, &V6, &MAPPED] {
            if core::ptr::eq((*icsk).icsk_af_ops, flavour.hooked()) {
                (*icsk).icsk_af_ops = flavour.pristine();
            }
        }
    }
}

/// The kernel's table for a socket that has ours.
///
/// # Safety
///
/// `sk` is a live TCP socket.
unsafe fn original(sk: *const bindings::sock) -> *const Table {
    // SAFETY: By the caller's promise.
    let current = unsafe { (*sk.cast::<bindings::inet_connection_sock>()).icsk_af_ops };
    for flavour in [&V4, &V6, &MAPPED] {
        if core::ptr::eq(current, flavour.hooked()) {
            return flavour.pristine();
        }
    }
    current
}

/// TCP has built a segment, the last step before IP. The socket is locked.
///
/// # Safety
///
/// TCP passes its live, locked socket and a segment of its own that begins with the TCP header.
unsafe extern "C" fn queue_xmit<P: Protocol>(
    sk: *mut bindings::sock,
    skb: *mut bindings::sk_buff,
    flow: *mut bindings::flowi,
) -> c_int {
    // SAFETY: TCP passes its locked socket and a segment that is its own clone and begins with
    // the TCP header.
    unsafe {
        let mut refused = false;
        with_meta::<P>(sk, |meta, tcp| {
            let header = Header::new((*skb).data.cast());
            let segment = Outgoing {
                flags: header.flags(),
                seq: header.seq(),
                payload_len: (*skb).len.saturating_sub(header.length() as u32),
                window: header.window(),
                free: header.free(),
                options: header.options(),
            };
            let mut edit = OptionEdit::new();
            P::transmit(meta, tcp, &segment, &mut edit);
            refused = rewrite_transport(skb, &edit).is_err();
        });
        if refused {
            // TCP sends the segment again when it is missed.
            bindings::knet_helper_kfree_skb(skb);
            return ENOBUFS.to_errno();
        }
        match (*original(sk)).queue_xmit {
            Some(queue_xmit) => queue_xmit(sk, skb, flow),
            None => EINVAL.to_errno(),
        }
    }
}

/// TCP accepted the SYN/ACK of a connecting socket, or remembers the route of a later segment.
/// The socket is locked.
///
/// # Safety
///
/// TCP passes its live, locked socket and a packet that begins with its TCP header.
unsafe extern "C" fn sk_rx_dst_set<P: Protocol>(
    sk: *mut bindings::sock,
    skb: *const bindings::sk_buff,
) {
    // SAFETY: TCP passes its locked socket and a packet that begins with its TCP header.
    unsafe {
        if let Some(set) = (*original(sk)).sk_rx_dst_set {
            set(sk, skb);
        }
        let header = Header::new((*skb).data.cast());
        if header.flags().syn() {
            with_meta::<P>(sk, |meta, tcp| {
                let segment = header.incoming(core::ptr::null_mut(), false, 0, 0, skb);
                P::syn_ack_received(meta, tcp, &segment);
            });
        }
    }
}

/// A listener got a SYN. Softirq; the listener is not locked.
///
/// # Safety
///
/// TCP passes a live listener and a packet that begins with its TCP header, inside an RCU read-side
/// section.
unsafe extern "C" fn conn_request<P: Protocol>(
    listener: *mut bindings::sock,
    skb: *mut bindings::sk_buff,
) -> c_int {
    // SAFETY: TCP passes live objects inside an RCU read-side section.
    unsafe {
        if crate::port::is_port(listener) {
            let net = Net::from_raw(bindings::knet_helper_sock_net(listener));
            let rst = P::unwanted_syn(net);
            bindings::knet_helper_send_reset(listener, skb, 0, rst.reason, rst.transient);
            return 0;
        }
        match (*original(listener)).conn_request {
            Some(conn_request) => conn_request(listener, skb),
            None => EINVAL.to_errno(),
        }
    }
}

/// The handshake with a listener is done: TCP makes the child. Softirq; the listener is not locked.
///
/// # Safety
///
/// TCP passes live objects inside an RCU read-side section.
unsafe extern "C" fn syn_recv_sock<P: Protocol>(
    listener: *const bindings::sock,
    skb: *mut bindings::sk_buff,
    request: *mut bindings::request_sock,
    route: *mut bindings::dst_entry,
    unhash: *mut bindings::request_sock,
    own_request: *mut bool,
    child_init: Option<unsafe extern "C" fn(*mut bindings::sock, *const bindings::sock)>,
) -> *mut bindings::sock {
    // SAFETY: TCP passes live objects inside an RCU read-side section, and expects what its own
    // function returns. The child comes back locked.
    unsafe {
        let Some(make) = (*original(listener)).syn_recv_sock else {
            return core::ptr::null_mut();
        };
        if crate::joining::is_acceptor(listener) {
            return crate::joining::join::<P>(listener, skb, request, own_request, || {
                make(
                    listener,
                    skb,
                    request,
                    route,
                    unhash,
                    own_request,
                    child_init,
                )
            });
        }
        // TCP moves what the request saved to the child.
        let syn_options = crate::netfilter::saved_options(request);
        let child = make(
            listener,
            skb,
            request,
            route,
            unhash,
            own_request,
            child_init,
        );
        if child.is_null() || !*own_request {
            return child;
        }
        let (Some(parent), Some(context)) = (Context::<P>::of(listener), Context::<P>::of(child))
        else {
            return child;
        };
        let Some(parent) = parent.meta() else {
            return child;
        };
        install::<P>(child);
        let header = Header::new(bindings::knet_helper_tcp_hdr(skb));
        let payload = (*skb).len.saturating_sub(header.length() as u32);
        let request = ChildRequest {
            handshake: Handshake::new(request),
            syn_options,
            segment: header.incoming(core::ptr::null_mut(), false, 0, payload, skb),
        };
        let mut tcp = Tcp::assume_locked(child);
        if let Some((application, own)) = P::child(parent, &request, &mut tcp) {
            application.sock().copy_addresses(Sock::from_ptr(child));
            context.adopt(child, Some(application), own);
        }
        bindings::knet_helper_saved_syn_free(child);
        child
    }
}
