// SPDX-License-Identifier: GPL-2.0

//! Numbers of socket options that a protocol treats by name.

/// Options by level.
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
    /// SOL_MPTCP: `struct mptcp_info`.
    pub const MPTCP_INFO: i32 = bindings::MPTCP_INFO as i32;
}
