// SPDX-License-Identifier: GPL-2.0

//! What options of level SOL_MPTCP answer, laid out as programs expect it. Numbers are in the byte order
//! of the machine.
//!
//! C header: `include/uapi/linux/mptcp.h`. Names are those of C without their prefix; what C leaves
//! between two fields is named `hole` and zero.

use crate::bindings;
use crate::sock::{Address, Tuple};
use core::mem::{offset_of, size_of};
use kernel::transmute::AsBytes;

/// The peer's key is known: bit of [`Info::flags`].
pub const FLAG_REMOTE_KEY_RECEIVED: u32 = bindings::MPTCP_INFO_FLAG_REMOTE_KEY_RECEIVED;

/// `struct mptcp_info`: a connection.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct Info {
    /// Subflows beyond the first.
    pub subflows: u8,
    /// Addresses that were announced to the peer.
    pub add_addr_signal: u8,
    /// Announced addresses that were taken up.
    pub add_addr_accepted: u8,
    /// The most subflows beyond the first.
    pub subflows_max: u8,
    /// Addresses there are to announce.
    pub add_addr_signal_max: u8,
    /// The most announced addresses to take up.
    pub add_addr_accepted_max: u8,
    hole_1: u16,
    /// [`FLAG_REMOTE_KEY_RECEIVED`] or nothing: plain TCP connections answer no such option.
    pub flags: u32,
    /// Our token.
    pub token: u32,
    /// Data sequence number of the next byte that the application writes.
    pub write_seq: u64,
    /// First data sequence number that the peer has not acknowledged.
    pub snd_una: u64,
    /// Data sequence number expected next.
    pub rcv_nxt: u64,
    /// Local addresses in use beyond the first.
    pub local_addr_used: u8,
    /// Local addresses there are to use.
    pub local_addr_max: u8,
    /// 1 if data has checksums.
    pub csum_enabled: u8,
    hole_2: u8,
    /// Timeouts at the data level since the last progress.
    pub retransmits: u32,
    /// Bytes sent again at the data level.
    pub bytes_retrans: u64,
    /// Bytes sent, each counted once.
    pub bytes_sent: u64,
    /// Bytes received in order.
    pub bytes_received: u64,
    /// Data sequence numbers that the peer acknowledged.
    pub bytes_acked: u64,
    /// Subflows, the first included.
    pub subflows_total: u8,
    /// Endpoints of the kind "laminar".
    pub endp_laminar_max: u8,
    /// Endpoints of the kind "fullmesh".
    pub endp_fullmesh_max: u8,
    reserved: u8,
    /// Milliseconds since data was sent.
    pub last_data_sent: u32,
    /// Milliseconds since data was received.
    pub last_data_recv: u32,
    /// Milliseconds since a DATA_ACK was received.
    pub last_ack_recv: u32,
}

// SAFETY: Integers without padding between them (asserted below).
unsafe impl AsBytes for Info {}

/// `struct mptcp_subflow_data`: before the list that MPTCP_TCPINFO and MPTCP_SUBFLOW_ADDRS give.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct SubflowData {
    /// Bytes that the caller has for this structure.
    pub size_subflow_data: u32,
    /// Subflows, whether they had room or not.
    pub num_subflows: u32,
    /// Bytes that the kernel has to say about one.
    pub size_kernel: u32,
    /// Bytes that the caller has room for, about one.
    pub size_user: u32,
}

// SAFETY: Integers without padding between them.
unsafe impl AsBytes for SubflowData {}

/// `struct mptcp_subflow_addrs`: the ends of a subflow.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub struct SubflowAddresses {
    local: [u8; ADDRESS_ROOM],
    remote: [u8; ADDRESS_ROOM],
}

/// Bytes of a `struct sockaddr_storage`.
const ADDRESS_ROOM: usize = 128;

// SAFETY: Bytes without padding.
unsafe impl AsBytes for SubflowAddresses {}

impl SubflowAddresses {
    /// The ends of a connection.
    pub fn new(tuple: &Tuple) -> Self {
        Self {
            local: socket_address(&tuple.local, tuple.local_port),
            remote: socket_address(&tuple.remote, tuple.remote_port),
        }
    }
}

/// A `struct sockaddr_in` or `struct sockaddr_in6`: family, port, for IPv6 the flow label, address. Port
/// and address are in network byte order.
fn socket_address(address: &Address, port: u16) -> [u8; ADDRESS_ROOM] {
    let (family, at, octets): (u16, usize, &[u8]) = match address {
        Address::V4(octets) => (crate::sock::AF_INET, 4, octets),
        Address::V6(octets) => (crate::sock::AF_INET6, 8, octets),
    };
    let mut bytes = [0; ADDRESS_ROOM];
    for (at, field) in [
        (0, family.to_ne_bytes().as_slice()),
        (2, port.to_be_bytes().as_slice()),
        (at, octets),
    ] {
        for (to, from) in bytes.iter_mut().skip(at).zip(field) {
            *to = *from;
        }
    }
    bytes
}

/// `struct mptcp_subflow_info`: a subflow in the list that MPTCP_FULL_INFO gives.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct SubflowInfo {
    /// Number of the subflow in its connection, from 1.
    pub id: u32,
    hole: u32,
    /// Its ends.
    pub addresses: SubflowAddresses,
}

// SAFETY: Integers and bytes without padding between them (asserted below).
unsafe impl AsBytes for SubflowInfo {}

impl SubflowInfo {
    /// Subflow `id` of a connection.
    pub fn new(id: u32, tuple: &Tuple) -> Self {
        Self {
            id,
            hole: 0,
            addresses: SubflowAddresses::new(tuple),
        }
    }
}

/// `struct mptcp_full_info` up to the [`Info`] at its end: what is asked for, and how much there is.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct FullInfo {
    /// Bytes of `struct tcp_info` that the kernel has.
    pub size_tcpinfo_kernel: u32,
    /// Bytes of `struct tcp_info` that the caller has room for.
    pub size_tcpinfo_user: u32,
    /// Bytes of [`SubflowInfo`] that the kernel has.
    pub size_sfinfo_kernel: u32,
    /// Bytes of [`SubflowInfo`] that the caller has room for.
    pub size_sfinfo_user: u32,
    /// Subflows, whether they had room or not.
    pub num_subflows: u32,
    /// Subflows that the caller has room for.
    pub size_arrays_user: u32,
    /// Address of the caller's array of [`SubflowInfo`].
    pub subflow_info: u64,
    /// Address of the caller's array of `struct tcp_info`.
    pub tcp_info: u64,
}

// SAFETY: Integers without padding between them (asserted below).
unsafe impl AsBytes for FullInfo {}

/// Asserts that fields lie where C has them.
macro_rules! same_places {
    ($ours:ident, $theirs:ident, $($field:ident = $c_field:ident),+ $(,)?) => {
        $(const _: () = assert!(
            offset_of!($ours, $field) == offset_of!(bindings::$theirs, $c_field)
        );)+
    };
}

const _: () = assert!(size_of::<Info>() == size_of::<bindings::mptcp_info>());
const _: () = assert!(size_of::<SubflowData>() == size_of::<bindings::mptcp_subflow_data>());
const _: () = assert!(size_of::<SubflowAddresses>() == size_of::<bindings::mptcp_subflow_addrs>());
const _: () = assert!(size_of::<SubflowInfo>() == size_of::<bindings::mptcp_subflow_info>());
same_places!(
    Info,
    mptcp_info,
    flags = mptcpi_flags,
    write_seq = mptcpi_write_seq,
    local_addr_used = mptcpi_local_addr_used,
    retransmits = mptcpi_retransmits,
    bytes_retrans = mptcpi_bytes_retrans,
    subflows_total = mptcpi_subflows_total,
    last_data_sent = mptcpi_last_data_sent,
    last_ack_recv = mptcpi_last_ack_recv,
);
same_places!(SubflowInfo, mptcp_subflow_info, addresses = addrs);
same_places!(
    FullInfo,
    mptcp_full_info,
    size_arrays_user = size_arrays_user,
    subflow_info = subflow_info,
    tcp_info = tcp_info,
);
const _: () = assert!(size_of::<FullInfo>() == offset_of!(bindings::mptcp_full_info, mptcp_info));
