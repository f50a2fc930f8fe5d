// SPDX-License-Identifier: GPL-2.0

//! What the upper layer of a TCP socket tells, if it is the kernel's own Multipath TCP.

use netlink_packet_core::{
    parse_string,
    parse_u32,
    parse_u8,
    NlasIterator, //
};

/// INET_ULP_INFO_NAME of linux/inet_diag.h.
const NAME: u16 = 1;
/// INET_ULP_INFO_MPTCP of linux/inet_diag.h.
const MPTCP: u16 = 3;
/// MPTCP_SUBFLOW_ATTR_TOKEN_LOC of linux/mptcp_pm.h.
const TOKEN: u16 = 2;
/// MPTCP_SUBFLOW_ATTR_ID_REM of linux/mptcp_pm.h.
const REMOTE_ID: u16 = 9;
/// MPTCP_SUBFLOW_ATTR_ID_LOC of linux/mptcp_pm.h.
const LOCAL_ID: u16 = 10;

/// A subflow of the kernel's own Multipath TCP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KernelSubflow {
    /// Our token of the connection.
    pub token: u32,
    /// The id of our address.
    pub local_id: u8,
    /// The id of the peer's address.
    pub remote_id: u8,
}

/// Reads the nest of an upper layer. Damaged attributes end it.
pub(super) fn kernel_subflow(nest: &[u8]) -> Option<KernelSubflow> {
    let mut named = false;
    let mut subflow = None;
    for attribute in NlasIterator::new(nest).map_while(Result::ok) {
        match attribute.kind() {
            NAME => named = parse_string(attribute.value()).is_ok_and(|name| name == "mptcp"),
            MPTCP => subflow = Some(details(attribute.value())),
            _ => {}
        }
    }
    subflow.filter(|_| named)
}

fn details(nest: &[u8]) -> KernelSubflow {
    let mut subflow = KernelSubflow::default();
    for attribute in NlasIterator::new(nest).map_while(Result::ok) {
        let value = attribute.value();
        match attribute.kind() {
            TOKEN => subflow.token = parse_u32(value).unwrap_or_default(),
            LOCAL_ID => subflow.local_id = parse_u8(value).unwrap_or_default(),
            REMOTE_ID => subflow.remote_id = parse_u8(value).unwrap_or_default(),
            _ => {}
        }
    }
    subflow
}
