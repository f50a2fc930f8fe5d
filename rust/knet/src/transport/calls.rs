// SPDX-License-Identifier: GPL-2.0

//! What the kernel calls for a socket of the protocol: each function finds the meta-socket, takes
//! the kernel's word for the locks that it holds, and leaves the rest to [`Protocol`].

use crate::address::SocketAddress;
use crate::bindings;
use crate::message::{Message, PollTable};
use crate::meta::{Meta, Protocol};
use crate::sock::Sock;
use crate::sockopt::{GetOption, SetOption};
use core::ptr::null_mut;
use kernel::prelude::*;

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
pub(super) unsafe extern "C" fn init<P: Protocol>(sk: *mut bindings::sock) -> c_int {
    // SAFETY: The kernel passes a new socket of our protocol; nobody else knows it.
    errno(unsafe {
        P::open(Sock::from_ptr(sk)).map(|(shared, owned)| {
            Meta::<P>::init(sk, shared, owned);
            // A clone is counted by `sk_clone`.
            bindings::knet_helper_sk_sockets_allocated_inc(sk);
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
pub(super) unsafe extern "C" fn hash(_sk: *mut bindings::sock) -> c_int {
    0
}

/// Takes out of the table what [`hash`] put in: nothing.
///
/// # Safety
///
/// None: the socket is not touched.
pub(super) unsafe extern "C" fn unhash(_sk: *mut bindings::sock) {}

/// The owner lock is about to be given up.
///
/// # Safety
///
/// `release_sock` passes a live socket of our protocol whose spinlock it holds.
pub(super) unsafe extern "C" fn release_cb<P: Protocol>(sk: *mut bindings::sock) {
    // SAFETY: `release_sock` passes a live socket of our protocol whose spinlock it holds.
    unsafe { P::released(&mut Meta::from_ptr(sk).assume_data_locked()) }
}

/// The application is gone.
///
/// # Safety
///
/// The kernel passes a live socket of our protocol and the application's reference.
pub(super) unsafe extern "C" fn close<P: Protocol>(sk: *mut bindings::sock, timeout: c_long) {
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
pub(super) unsafe extern "C" fn bind<P: Protocol>(
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
pub(super) unsafe extern "C" fn connect<P: Protocol>(
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
pub(super) unsafe extern "C" fn disconnect<P: Protocol>(
    sk: *mut bindings::sock,
    _flags: c_int,
) -> c_int {
    // SAFETY: The kernel passes a live socket of our protocol, owned by the process.
    errno(unsafe { P::disconnect(&mut Meta::from_ptr(sk).assume_locked()) })
}

/// `accept`.
///
/// # Safety
///
/// The kernel passes a live socket of our protocol and a live argument.
pub(super) unsafe extern "C" fn accept<P: Protocol>(
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
pub(super) unsafe extern "C" fn accept_socket(
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
pub(super) unsafe extern "C" fn listen<P: Protocol>(
    socket: *mut bindings::socket,
    backlog: c_int,
) -> c_int {
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
pub(super) unsafe extern "C" fn shutdown<P: Protocol>(sk: *mut bindings::sock, how: c_int) {
    // SAFETY: `inet_shutdown` passes a live socket of our protocol.
    let meta = unsafe { Meta::<P>::from_ptr(sk) };
    // `inet_shutdown` has added the bits without the data lock, and with it perhaps overwritten others.
    meta.lock_data().add_shutdown(how as u8);
    // SAFETY: `inet_shutdown` owns the socket.
    P::shut_down(&mut unsafe { meta.assume_locked() }, how as u8);
}

/// `send` and its kin.
///
/// # Safety
///
/// The kernel passes a live socket of our protocol and a live message of `len` bytes.
pub(super) unsafe extern "C" fn sendmsg<P: Protocol>(
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
pub(super) unsafe extern "C" fn recvmsg<P: Protocol>(
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
pub(super) unsafe extern "C" fn poll<P: Protocol>(
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
pub(super) unsafe extern "C" fn ioctl<P: Protocol>(
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
pub(super) unsafe extern "C" fn setsockopt<P: Protocol>(
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
pub(super) unsafe extern "C" fn getsockopt<P: Protocol>(
    sk: *mut bindings::sock,
    level: c_int,
    name: c_int,
    value: *mut c_char,
    len: *mut c_int,
) -> c_int {
    // SAFETY: As above.
    errno(unsafe { P::get_option(Meta::from_ptr(sk), &GetOption::new(level, name, value, len)) })
}
