// SPDX-License-Identifier: GPL-2.0

//! The generic netlink family through which `ip mptcp` and other programs configure endpoints and
//! limits. Commands, attributes and their numbers are those of the kernel's own family `mptcp_pm`
//! (`include/uapi/linux/mptcp_pm.h`).

mod address;
mod endpoint;
mod limits;
mod program;

use crate::netns::Namespace;
use kernel::prelude::*;
use knet::genetlink::{Family, Group, Kind, Operation, Policy, Request};
use knet::netns::{Net, PerNet};

/// The name under which programs find it: the kernel's own, unless the kernel has its own.
#[cfg(CONFIG_MPTCP)]
const NAME: &CStr = c"mptcp_rs_pm";
#[cfg(not(CONFIG_MPTCP))]
const NAME: &CStr = c"mptcp_pm";

const VERSION: u32 = 1;
/// All commands are older than the kernel's strict checks.
const STRICT_FROM: u8 = 12;

/// The family.
pub(crate) static FAMILY: Family = Family::new(NAME, VERSION, &OPERATIONS, STRICT_FROM, &GROUPS);

/// The group that events go to.
pub(crate) const EVENTS: u32 = 1;

static GROUPS: [Group; 2] = [
    Group::new(c"mptcp_pm_cmds", false),
    Group::new(c"mptcp_pm_events", true),
];

static OPERATIONS: [Operation; 11] = [
    Operation::of::<endpoint::Add>(),
    Operation::of::<endpoint::Remove>(),
    Operation::with_list::<endpoint::Get>(),
    Operation::of::<endpoint::Flush>(),
    Operation::of::<limits::Set>(),
    Operation::of::<limits::Get>(),
    Operation::of::<endpoint::SetFlags>(),
    Operation::of::<program::Announce>(),
    Operation::of::<program::Remove>(),
    Operation::of::<program::Create>(),
    Operation::of::<program::Destroy>(),
];

/// Numbers of the commands.
mod command {
    pub(super) const ADD_ADDR: u8 = 1;
    pub(super) const DEL_ADDR: u8 = 2;
    pub(super) const GET_ADDR: u8 = 3;
    pub(super) const FLUSH_ADDRS: u8 = 4;
    pub(super) const SET_LIMITS: u8 = 5;
    pub(super) const GET_LIMITS: u8 = 6;
    pub(super) const SET_FLAGS: u8 = 7;
    pub(super) const ANNOUNCE: u8 = 8;
    pub(super) const REMOVE: u8 = 9;
    pub(super) const SUBFLOW_CREATE: u8 = 10;
    pub(super) const SUBFLOW_DESTROY: u8 = 11;
}

/// Types of the attributes of a message.
mod attribute {
    /// An address, with those of [`super::address`].
    pub(super) const ADDR: u16 = 1;
    pub(super) const RCV_ADD_ADDRS: u16 = 2;
    pub(super) const SUBFLOWS: u16 = 3;
    pub(super) const TOKEN: u16 = 4;
    pub(super) const LOC_ID: u16 = 5;
    /// As `ADDR`, of the other end.
    pub(super) const ADDR_REMOTE: u16 = 6;
}

/// A message with an endpoint.
static ENDPOINT: Policy<2> = Policy::new([Kind::None, Kind::Nested(address::POLICY.rules())]);

/// A message with an address, perhaps of one connection.
static ADDRESS_OF: Policy<5> = Policy::new([
    Kind::None,
    Kind::Nested(address::POLICY.rules()),
    Kind::None,
    Kind::None,
    Kind::U32,
]);

/// A message with an endpoint, or with both ends of a subflow of a connection.
static SUBFLOW_OF: Policy<7> = Policy::new([
    Kind::None,
    Kind::Nested(address::POLICY.rules()),
    Kind::None,
    Kind::None,
    Kind::U32,
    Kind::None,
    Kind::Nested(address::POLICY.rules()),
]);

/// A message with the id of an address of a connection.
static REMOVE: Policy<6> = Policy::new([
    Kind::None,
    Kind::None,
    Kind::None,
    Kind::None,
    Kind::U32,
    Kind::U8,
]);

/// A message with limits.
static LIMITS: Policy<4> = Policy::new([Kind::None, Kind::None, Kind::U32, Kind::U32]);

/// Whether a program listens to the events of a namespace. Any context.
pub(crate) fn is_listening(net: &Net) -> bool {
    FAMILY.has_listeners(net, EVENTS)
}

/// What is kept for the namespace of who asks.
fn namespace<'a>(request: &Request<'a>) -> Result<&'a Namespace> {
    Namespace::of(request.net()).ok_or(ENODEV)
}
