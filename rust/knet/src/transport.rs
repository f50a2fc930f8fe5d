// SPDX-License-Identifier: GPL-2.0

//! Registration of a protocol of meta-sockets with the kernel's socket families.
//!
//! C headers: `include/net/sock.h` (`struct proto`), `include/net/protocol.h`
//! (`struct inet_protosw`), `include/linux/net.h` (`struct proto_ops`).

use crate::address::SocketAddress;
use crate::bindings;
use crate::message::{Message, PollTable};
use crate::meta::{Meta, Protocol};
use crate::sock::Sock;
use crate::sockopt::{GetOption, SetOption};
use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::mem::{size_of, MaybeUninit};
use core::ptr::{addr_of, addr_of_mut, null_mut};
use kernel::error::to_result;
use kernel::prelude::*;

/// What the kernel keeps pointers to while the protocol is registered.
struct Tables {
    proto: bindings::proto,
    ops: [bindings::proto_ops; 2],
    switch: [bindings::inet_protosw; 2],
}

struct Slot(UnsafeCell<MaybeUninit<Tables>>);

// SAFETY: Written before registration, afterwards only by the kernel under its own locks.
unsafe impl Sync for Slot {}

static TABLES: Slot = Slot(UnsafeCell::new(MaybeUninit::zeroed()));

/// A registered protocol. Dropping it gives the number back to whoever had it before.
pub struct Registration<P: Protocol>(PhantomData<P>);

impl<P: Protocol> Registration<P> {
    /// Registers `P` for SOCK_STREAM sockets of AF_INET and AF_INET6 under `number`, before any
    /// other protocol of that number. At most one protocol per module.
    pub fn new(module: &'static ThisModule, number: u16) -> Result<Self> {
        let tables = TABLES.0.get().cast::<Tables>();
        // SAFETY: Nobody reads the tables before they are registered; the kernel's own tables
        // that are copied here live for ever.
        unsafe {
            fill_proto::<P>(&mut (*tables).proto, module);
            fill_ops::<P>(&mut (*tables).ops[0], &bindings::inet_stream_ops, module);
            fill_ops::<P>(&mut (*tables).ops[1], &bindings::inet6_stream_ops, module);
            to_result(bindings::proto_register(addr_of_mut!((*tables).proto), 1))?;
            for (switch, ops) in (*tables).switch.iter_mut().zip((*tables).ops.iter()) {
                switch.type_ = bindings::sock_type_SOCK_STREAM as u16;
                switch.protocol = number;
                switch.prot = addr_of_mut!((*tables).proto);
                switch.ops = ops;
            }
            bindings::inet_register_protosw(addr_of_mut!((*tables).switch[0]));
            let error = bindings::inet6_register_protosw(addr_of_mut!((*tables).switch[1]));
            if error != 0 {
                bindings::inet_unregister_protosw(addr_of_mut!((*tables).switch[0]));
                bindings::proto_unregister(addr_of_mut!((*tables).proto));
                return Err(Error::from_errno(error));
            }
        }
        Ok(Self(PhantomData))
    }
}

impl<P: Protocol> Drop for Registration<P> {
    fn drop(&mut self) {
        let tables = TABLES.0.get().cast::<Tables>();
        // SAFETY: Registered in `new`. Every socket holds a reference to the module, so none is
        // left; the destructors of the last ones may still be on their way through RCU.
        unsafe {
            bindings::inet6_unregister_protosw(addr_of_mut!((*tables).switch[1]));
            bindings::inet_unregister_protosw(addr_of_mut!((*tables).switch[0]));
            bindings::synchronize_rcu();
            bindings::rcu_barrier();
            bindings::proto_unregister(addr_of_mut!((*tables).proto));
        }
    }
}

/// # Safety
///
/// `proto` is all zero and not registered.
unsafe fn fill_proto<P: Protocol>(proto: &mut bindings::proto, module: &'static ThisModule) {
    for (to, from) in proto.name.iter_mut().zip(P::NAME) {
        *to = *from;
    }
    proto.owner = module.as_ptr().cast();
    proto.obj_size = size_of::<Meta<P>>() as c_uint;
    proto.ipv6_pinfo_offset = Meta::<P>::IPV6_OFFSET as c_uint;
    proto.no_autobind = true;
    proto.init = Some(init::<P>);
    proto.close = Some(close::<P>);
    proto.bind = Some(bind::<P>);
    proto.connect = Some(connect::<P>);
    proto.disconnect = Some(disconnect::<P>);
    proto.accept = Some(accept::<P>);
    proto.shutdown = Some(shutdown::<P>);
    proto.sendmsg = Some(sendmsg::<P>);
    proto.recvmsg = Some(recvmsg::<P>);
    proto.ioctl = Some(ioctl::<P>);
    proto.setsockopt = Some(setsockopt::<P>);
    proto.getsockopt = Some(getsockopt::<P>);
    proto.release_cb = Some(release_cb::<P>);
    proto.hash = Some(hash);
    proto.unhash = Some(unhash);
    // SAFETY: TCP's table lives for ever. The meta-socket shares TCP's memory limits.
    unsafe {
        let tcp = addr_of!(bindings::tcp_prot);
        proto.memory_allocated = (*tcp).memory_allocated;
        proto.per_cpu_fw_alloc = (*tcp).per_cpu_fw_alloc;
        proto.sockets_allocated = null_mut();
        proto.memory_pressure = (*tcp).memory_pressure;
        proto.enter_memory_pressure = (*tcp).enter_memory_pressure;
        proto.leave_memory_pressure = (*tcp).leave_memory_pressure;
        proto.sysctl_mem = (*tcp).sysctl_mem;
        proto.sysctl_wmem_offset = (*tcp).sysctl_wmem_offset;
        proto.sysctl_rmem_offset = (*tcp).sysctl_rmem_offset;
    }
}

fn fill_ops<P: Protocol>(
    ops: &mut bindings::proto_ops,
    tcp: &bindings::proto_ops,
    module: &'static ThisModule,
) {
    // What is TCP's own is replaced or left out; the rest works for every inet socket.
    *ops = bindings::proto_ops {
        owner: module.as_ptr().cast(),
        family: tcp.family,
        release: tcp.release,
        bind: tcp.bind,
        connect: tcp.connect,
        socketpair: tcp.socketpair,
        accept: Some(accept_socket),
        getname: tcp.getname,
        poll: Some(poll::<P>),
        ioctl: tcp.ioctl,
        gettstamp: tcp.gettstamp,
        listen: Some(listen::<P>),
        shutdown: tcp.shutdown,
        setsockopt: tcp.setsockopt,
        getsockopt: tcp.getsockopt,
        sendmsg: tcp.sendmsg,
        recvmsg: tcp.recvmsg,
        mmap: tcp.mmap,
        ..Default::default()
    };
}

fn errno(result: Result) -> c_int {
    match result {
        Ok(()) => 0,
        Err(error) => error.to_errno(),
    }
}

fn count(result: Result<usize>) -> c_int {
    match result {
        Ok(bytes) => c_int::try_from(bytes).unwrap_or(c_int::MAX),
        Err(error) => error.to_errno(),
    }
}

/// A socket of the protocol is made.
///
/// # Safety
///
/// The kernel passes a new socket of our protocol that nobody else knows.
unsafe extern "C" fn init<P: Protocol>(sk: *mut bindings::sock) -> c_int {
    // SAFETY: The kernel passes a new socket of our protocol; nobody else knows it.
    errno(unsafe {
        P::open(Sock::from_ptr(sk)).map(|(shared, owned)| {
            Meta::<P>::init(sk, shared, owned);
            bindings::knet_helper_set_custom_sockopt((*sk).sk_socket);
            bindings::knet_helper_init_buffers(sk);
        })
    })
}

/// TCP and UDP keep tables of their sockets; we need none.
///
/// # Safety
///
/// None: the socket is not touched.
unsafe extern "C" fn hash(_sk: *mut bindings::sock) -> c_int {
    0
}

/// Takes out of the table what [`hash`] put in: nothing.
///
/// # Safety
///
/// None: the socket is not touched.
unsafe extern "C" fn unhash(_sk: *mut bindings::sock) {}

/// The owner lock is about to be given up.
///
/// # Safety
///
/// `release_sock` passes a live socket of our protocol whose spinlock it holds.
unsafe extern "C" fn release_cb<P: Protocol>(sk: *mut bindings::sock) {
    // SAFETY: `release_sock` passes a live socket of our protocol whose spinlock it holds.
    unsafe { P::released(&mut Meta::from_ptr(sk).assume_data_locked()) }
}

/// The application is gone.
///
/// # Safety
///
/// The kernel passes a live socket of our protocol and the application's reference.
unsafe extern "C" fn close<P: Protocol>(sk: *mut bindings::sock, timeout: c_long) {
    // SAFETY: The kernel passes a live socket of our protocol and the application's reference.
    unsafe {
        P::close(Meta::from_ptr(sk), timeout);
        bindings::knet_helper_sock_put(sk);
    }
}

/// `bind`.
///
/// # Safety
///
/// The kernel passes a live socket of our protocol and an address of `length` bytes in its own
/// memory.
unsafe extern "C" fn bind<P: Protocol>(
    sk: *mut bindings::sock,
    address: *mut bindings::sockaddr_unsized,
    length: c_int,
) -> c_int {
    // SAFETY: The kernel passes a live socket of our protocol and an address in its own memory.
    errno(unsafe {
        SocketAddress::from_raw(address.cast(), length)
            .and_then(|address| P::bind(Meta::from_ptr(sk), &address))
    })
}

/// `connect`.
///
/// # Safety
///
/// The kernel passes a live socket of our protocol that the caller owns, and an address of `length`
/// bytes in its own memory.
unsafe extern "C" fn connect<P: Protocol>(
    sk: *mut bindings::sock,
    address: *mut bindings::sockaddr_unsized,
    length: c_int,
) -> c_int {
    // SAFETY: As in `bind`; `inet_stream_connect` owns the socket.
    errno(unsafe {
        SocketAddress::from_raw(address.cast(), length)
            .and_then(|address| P::connect(&mut Meta::from_ptr(sk).assume_locked(), &address))
    })
}

/// `connect` to no family.
///
/// # Safety
///
/// The kernel passes a live socket of our protocol that the caller owns.
unsafe extern "C" fn disconnect<P: Protocol>(sk: *mut bindings::sock, _flags: c_int) -> c_int {
    // SAFETY: The kernel passes a live socket of our protocol, owned by the process.
    errno(unsafe { P::disconnect(&mut Meta::from_ptr(sk).assume_locked()) })
}

/// `accept`.
///
/// # Safety
///
/// The kernel passes a live socket of our protocol and a live argument.
unsafe extern "C" fn accept<P: Protocol>(
    sk: *mut bindings::sock,
    argument: *mut bindings::proto_accept_arg,
) -> *mut bindings::sock {
    // SAFETY: The kernel passes a live socket of our protocol and its argument; it takes over the
    // application's reference to the accepted socket.
    unsafe {
        let no_wait = (*argument).flags & bindings::O_NONBLOCK as c_int != 0;
        match P::accept(Meta::from_ptr(sk), no_wait) {
            Ok(meta) => kernel::sync::aref::ARef::into_raw(meta).as_ptr().cast(),
            Err(error) => {
                (*argument).err = error.to_errno();
                null_mut()
            }
        }
    }
}

/// `accept` of the socket layer.
///
/// # Safety
///
/// The kernel passes two live sockets of our protocol and a live argument.
unsafe extern "C" fn accept_socket(
    socket: *mut bindings::socket,
    new: *mut bindings::socket,
    argument: *mut bindings::proto_accept_arg,
) -> c_int {
    // SAFETY: The kernel passes two live sockets.
    unsafe {
        let error = bindings::inet_accept(socket, new, argument);
        if error == 0 {
            bindings::knet_helper_set_custom_sockopt(new);
        }
        error
    }
}

/// `listen`.
///
/// # Safety
///
/// The kernel passes a live socket of our protocol.
unsafe extern "C" fn listen<P: Protocol>(socket: *mut bindings::socket, backlog: c_int) -> c_int {
    // SAFETY: The kernel passes a live socket of our protocol.
    errno(unsafe {
        let meta = Meta::<P>::from_ptr((*socket).sk);
        let mut owner = meta.lock();
        if (*socket).state != bindings::socket_state_SS_UNCONNECTED {
            Err(EINVAL)
        } else {
            P::listen(&mut owner, backlog)
        }
    })
}

/// `shutdown`.
///
/// # Safety
///
/// The kernel passes a live socket of our protocol that the caller owns.
unsafe extern "C" fn shutdown<P: Protocol>(sk: *mut bindings::sock, how: c_int) {
    // SAFETY: `inet_shutdown` passes a live socket of our protocol that it owns.
    unsafe { P::shut_down(&mut Meta::from_ptr(sk).assume_locked(), how as u8) }
}

/// `send` and its kin.
///
/// # Safety
///
/// The kernel passes a live socket of our protocol and a live message of `len` bytes.
unsafe extern "C" fn sendmsg<P: Protocol>(
    sk: *mut bindings::sock,
    msg: *mut bindings::msghdr,
    len: usize,
) -> c_int {
    // SAFETY: The kernel passes a live socket of our protocol and a live message.
    unsafe {
        let mut message = Message::new(msg, (*msg).msg_flags, len);
        count(P::send(Meta::from_ptr(sk), &mut message))
    }
}

/// `recv` and its kin.
///
/// # Safety
///
/// The kernel passes a live socket of our protocol and a live message with room for `len` bytes.
unsafe extern "C" fn recvmsg<P: Protocol>(
    sk: *mut bindings::sock,
    msg: *mut bindings::msghdr,
    len: usize,
    flags: c_int,
) -> c_int {
    // SAFETY: As above.
    unsafe {
        let mut message = Message::new(msg, flags as u32, len);
        let result = P::receive(Meta::from_ptr(sk), &mut message);
        (*msg).msg_namelen = 0;
        count(result)
    }
}

/// `poll` and its kin.
///
/// # Safety
///
/// The kernel passes a live socket of our protocol, and the file and table of the call.
unsafe extern "C" fn poll<P: Protocol>(
    file: *mut bindings::file,
    socket: *mut bindings::socket,
    table: *mut bindings::poll_table,
) -> bindings::__poll_t {
    // SAFETY: The kernel passes a live socket of our protocol.
    unsafe {
        let meta = Meta::<P>::from_ptr((*socket).sk);
        P::poll(meta, &mut PollTable::new(file, socket, table))
    }
}

/// `ioctl`.
///
/// # Safety
///
/// The kernel passes a live socket of our protocol and a place for the answer.
unsafe extern "C" fn ioctl<P: Protocol>(
    sk: *mut bindings::sock,
    command: c_int,
    value: *mut c_int,
) -> c_int {
    // SAFETY: The kernel passes a live socket of our protocol and a place for the answer.
    unsafe {
        match P::ioctl(Meta::from_ptr(sk), command as u32) {
            Ok(answer) => {
                *value = answer;
                0
            }
            Err(error) => error.to_errno(),
        }
    }
}

/// `setsockopt`.
///
/// # Safety
///
/// The kernel passes a live socket of our protocol and the value of the call.
unsafe extern "C" fn setsockopt<P: Protocol>(
    sk: *mut bindings::sock,
    level: c_int,
    name: c_int,
    value: bindings::sockptr_t,
    len: c_uint,
) -> c_int {
    // SAFETY: The kernel passes a live socket of our protocol and the caller's value.
    errno(unsafe { P::set_option(Meta::from_ptr(sk), &SetOption::new(level, name, value, len)) })
}

/// `getsockopt`.
///
/// # Safety
///
/// The kernel passes a live socket of our protocol and the user pointers of the call.
unsafe extern "C" fn getsockopt<P: Protocol>(
    sk: *mut bindings::sock,
    level: c_int,
    name: c_int,
    value: *mut c_char,
    len: *mut c_int,
) -> c_int {
    // SAFETY: As above.
    errno(unsafe { P::get_option(Meta::from_ptr(sk), &GetOption::new(level, name, value, len)) })
}
