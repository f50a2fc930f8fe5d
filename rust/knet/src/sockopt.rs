// SPDX-License-Identifier: GPL-2.0

//! Socket options, passed on to the meta-socket itself or to a subflow.

pub mod mptcp;

use crate::bindings;
use crate::meta::{Meta, Protocol};
use crate::sock::Sock;
use crate::subflow::Subflow;
use kernel::error::to_result;
use kernel::prelude::*;
use kernel::uaccess::{UserPtr, UserSlice};

/// Option levels.
pub mod level {
    use crate::bindings;
    /// Options of every socket.
    pub const SOCKET: i32 = bindings::SOL_SOCKET as i32;
    /// IPv4.
    pub const IP: i32 = bindings::SOL_IP as i32;
    /// IPv6.
    pub const IPV6: i32 = bindings::SOL_IPV6 as i32;
    /// TCP.
    pub const TCP: i32 = bindings::SOL_TCP as i32;
    /// Multipath TCP.
    pub const MPTCP: i32 = bindings::SOL_MPTCP as i32;
}

/// Options that a protocol treats by name, by level.
pub mod option {
    use crate::bindings;
    /// SOL_SOCKET: size of the send buffer.
    pub const SNDBUF: i32 = bindings::SO_SNDBUF as i32;
    /// SOL_SOCKET: size of the receive buffer.
    pub const RCVBUF: i32 = bindings::SO_RCVBUF as i32;
    /// SOL_SOCKET: size of the send buffer beyond the limit.
    pub const SNDBUFFORCE: i32 = bindings::SO_SNDBUFFORCE as i32;
    /// SOL_SOCKET: size of the receive buffer beyond the limit.
    pub const RCVBUFFORCE: i32 = bindings::SO_RCVBUFFORCE as i32;
    /// SOL_SOCKET: what close does with unsent data.
    pub const LINGER: i32 = bindings::SO_LINGER as i32;
    /// SOL_SOCKET: minimum to receive.
    pub const RCVLOWAT: i32 = bindings::SO_RCVLOWAT as i32;
    /// SOL_SOCKET: out-of-band data in the stream.
    pub const OOBINLINE: i32 = bindings::SO_OOBINLINE as i32;
    /// SOL_SOCKET: sends without copy.
    pub const ZEROCOPY: i32 = bindings::SO_ZEROCOPY as i32;
    /// SOL_SOCKET: timeouts, old and new.
    pub const TIMEOUTS: [i32; 4] = [
        bindings::SO_RCVTIMEO_OLD as i32,
        bindings::SO_SNDTIMEO_OLD as i32,
        bindings::SO_RCVTIMEO_NEW as i32,
        bindings::SO_SNDTIMEO_NEW as i32,
    ];
    /// SOL_TCP: send small segments at once.
    pub const NODELAY: i32 = bindings::TCP_NODELAY as i32;
    /// SOL_TCP: hold back small segments.
    pub const CORK: i32 = bindings::TCP_CORK as i32;
    /// SOL_TCP: bytes of data in a segment.
    pub const MAXSEG: i32 = bindings::TCP_MAXSEG as i32;
    /// SOL_TCP: the algorithm of congestion control.
    pub const CONGESTION: i32 = bindings::TCP_CONGESTION as i32;
    /// SOL_TCP: tell with what is received how much more there is.
    pub const INQ: i32 = bindings::TCP_INQ as i32;
    /// SOL_TCP: the upper-layer protocol.
    pub const ULP: i32 = bindings::TCP_ULP as i32;
    /// SOL_TCP: accept data in SYNs.
    pub const FASTOPEN: i32 = bindings::TCP_FASTOPEN as i32;
    /// SOL_TCP: send data in the SYN.
    pub const FASTOPEN_CONNECT: i32 = bindings::TCP_FASTOPEN_CONNECT as i32;
    /// SOL_TCP: keep the SYN.
    pub const SAVE_SYN: i32 = bindings::TCP_SAVE_SYN as i32;
    /// SOL_TCP: signatures, which an MPTCP subflow cannot have.
    pub const MD5SIG: [i32; 2] = [bindings::TCP_MD5SIG as i32, bindings::TCP_MD5SIG_EXT as i32];
    /// SOL_TCP: repair mode.
    pub const REPAIR: i32 = bindings::TCP_REPAIR as i32;
    /// SOL_TCP: whether the connection is MPTCP.
    pub const IS_MPTCP: i32 = bindings::TCP_IS_MPTCP as i32;
    /// SOL_MPTCP: the connection.
    pub const MPTCP_INFO: i32 = bindings::MPTCP_INFO as i32;
    /// SOL_MPTCP: TCP's view of each subflow.
    pub const MPTCP_TCPINFO: i32 = bindings::MPTCP_TCPINFO as i32;
    /// SOL_MPTCP: addresses of each subflow.
    pub const MPTCP_SUBFLOW_ADDRS: i32 = bindings::MPTCP_SUBFLOW_ADDRS as i32;
    /// SOL_MPTCP: all of it.
    pub const MPTCP_FULL_INFO: i32 = bindings::MPTCP_FULL_INFO as i32;
    /// SOL_MPTCP, a number that the kernel's own does not know: how received packets are steered.
    pub const STEERING: i32 = 1000;
    /// SOL_MPTCP, another such number: the name of the scheduler.
    pub const SCHEDULER: i32 = 1001;
}

/// A `setsockopt` call.
pub struct SetOption {
    /// The level.
    pub level: i32,
    /// The option.
    pub name: i32,
    value: bindings::sockptr_t,
    len: c_uint,
}

impl SetOption {
    /// # Safety
    ///
    /// `value` belongs to a `setsockopt` call that outlives the value.
    pub(crate) unsafe fn new(
        level: c_int,
        name: c_int,
        value: bindings::sockptr_t,
        len: c_uint,
    ) -> Self {
        Self {
            level,
            name,
            value,
            len,
        }
    }

    /// The value as an integer.
    pub fn integer(&self) -> Result<i32> {
        let mut value = [0u8; 4];
        if (self.len as usize) < value.len() {
            return Err(EINVAL);
        }
        // SAFETY: The buffer is as large as what is copied.
        let error = unsafe {
            bindings::knet_helper_copy_from_sockptr(value.as_mut_ptr().cast(), self.value, 4)
        };
        to_result(error)?;
        Ok(i32::from_ne_bytes(value))
    }

    /// The value as a name, of which no more than 15 bytes count.
    pub fn text(&self) -> Result<Name> {
        let mut bytes = [0u8; Name::SIZE];
        let len = (self.len as usize).min(Name::SIZE - 1);
        // SAFETY: The buffer is larger than what is copied.
        to_result(unsafe {
            bindings::knet_helper_copy_from_sockptr(bytes.as_mut_ptr().cast(), self.value, len)
        })?;
        Ok(Name(bytes))
    }

    /// Sets it on a subflow too.
    pub fn apply_to_subflow<P: Protocol>(&self, subflow: &Subflow<P>) -> Result {
        let socket = subflow.socket();
        if self.level == level::SOCKET {
            if socket.is_null() {
                return Err(EINVAL);
            }
            // SAFETY: The subflow's socket is live.
            return to_result(unsafe {
                bindings::sock_setsockopt(socket, self.level, self.name, self.value, self.len)
            });
        }
        self.apply_to(subflow.sock())
    }

    /// Sets an option of another level than the socket's on a TCP socket that nobody closes meanwhile.
    pub fn apply_to(&self, tcp: &Sock) -> Result {
        let sk = tcp.as_ptr();
        // SAFETY: The subflow is live; TCP passes other levels on to IP.
        to_result(unsafe {
            let set = (*(*sk).__sk_common.skc_prot).setsockopt.ok_or(EOPNOTSUPP)?;
            set(sk, self.level, self.name, self.value, self.len)
        })
    }

    /// Sets an option of the socket level on the meta-socket itself.
    pub fn apply_to_meta<P: Protocol>(&self, meta: &Meta<P>) -> Result {
        let sk = meta.sock().as_ptr();
        // SAFETY: The meta-socket has an application, so it has a `struct socket`.
        to_result(unsafe {
            bindings::sock_setsockopt((*sk).sk_socket, self.level, self.name, self.value, self.len)
        })
    }
}

/// The name of something that can be chosen, as options pass it: it ends with the first zero byte.
#[derive(Clone, Copy)]
pub struct Name([u8; Self::SIZE]);

impl Name {
    const SIZE: usize = 16;

    /// The name of these letters, of which no more than 15 count.
    pub fn new(name: &str) -> Self {
        let mut bytes = [0; Self::SIZE];
        for (to, from) in bytes.iter_mut().take(Self::SIZE - 1).zip(name.bytes()) {
            *to = from;
        }
        Self(bytes)
    }

    /// Its letters.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.split(|byte| *byte == 0).next().unwrap_or(&[])
    }

    /// Its letters and zeros behind them, 16 bytes.
    pub const fn padded(&self) -> &[u8] {
        &self.0
    }
}

/// A `getsockopt` call.
pub struct GetOption {
    /// The level.
    pub level: i32,
    /// The option.
    pub name: i32,
    value: *mut c_char,
    len: *mut c_int,
}

impl GetOption {
    /// # Safety
    ///
    /// The user pointers belong to a `getsockopt` call that outlives the value.
    pub(crate) unsafe fn new(
        level: c_int,
        name: c_int,
        value: *mut c_char,
        len: *mut c_int,
    ) -> Self {
        Self {
            level,
            name,
            value,
            len,
        }
    }

    /// Lets a subflow answer.
    pub fn ask_subflow(&self, sock: &Sock) -> Result {
        let sk = sock.as_ptr();
        // SAFETY: The subflow is live; TCP passes other levels on to IP.
        to_result(unsafe {
            let get = (*(*sk).__sk_common.skc_prot).getsockopt.ok_or(EOPNOTSUPP)?;
            get(sk, self.level, self.name, self.value, self.len)
        })
    }

    /// Bytes that the caller says to have room for; nothing has checked the number.
    pub fn room(&self) -> Result<i32> {
        self.length().reader().read()
    }

    /// Tells the caller how many bytes the answer has.
    pub fn set_length(&self, len: u32) -> Result {
        self.length().writer().write(&len)
    }

    fn length(&self) -> UserSlice {
        UserSlice::new(UserPtr::from_ptr(self.len.cast()), size_of::<c_int>())
    }

    /// The caller's buffer. Every access to it checks the address.
    pub fn buffer(&self) -> UserPtr {
        UserPtr::from_ptr(self.value.cast())
    }

    /// Answers with the first bytes of `value`, as many as the caller has room for.
    pub fn answer(&self, value: &[u8]) -> Result {
        // SAFETY: User pointers of the call; the kernel's copy functions check them.
        to_result(unsafe {
            bindings::knet_helper_put_option(
                self.value,
                self.len,
                value.as_ptr().cast(),
                value.len() as c_int,
            )
        })
    }
}
