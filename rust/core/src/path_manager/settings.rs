// SPDX-License-Identifier: GPL-2.0

//! What is set for all connections of a network namespace.

use super::endpoint::EndpointView;

/// Who decides about addresses and subflows.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Mode {
    /// This crate does, by endpoints and limits.
    #[default]
    Kernel,
    /// A program does, by [`Command`](super::Command)s.
    Userspace {
        /// Whether such a program is there.
        listening: bool,
    },
}

/// How much a connection may do by itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// The most subflows beside the first, whoever opened them.
    pub extra_subflows: u8,
    /// The most addresses announced by the peer to which subflows are opened, beside that of the
    /// first subflow.
    pub accepted_addresses: u8,
}

/// What is set for all connections of a network namespace.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Settings {
    /// Who decides.
    pub mode: Mode,
    /// How much.
    pub limits: Limits,
    /// How many subflows the client opens between the first subflow's addresses, that one
    /// included; they differ in the client's port.
    pub subflows_per_pair: u8,
    /// The longest time in microseconds to wait for the echo of an ADD_ADDR before it is sent
    /// again; 0 never sends it again.
    pub add_addr_timeout: u64,
}

impl Limits {
    /// Those of the kernel's own path manager.
    pub const DEFAULT: Self = Self {
        extra_subflows: 2,
        accepted_addresses: 0,
    };
}

impl Default for Limits {
    #[inline]
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Default for Settings {
    #[inline]
    fn default() -> Self {
        Self {
            mode: Mode::Kernel,
            limits: Limits::default(),
            subflows_per_pair: 1,
            add_addr_timeout: 120_000_000,
        }
    }
}

/// What every decision looks at beside the connection's own state.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The endpoints of the network namespace as they are now.
    pub endpoints: EndpointView<'a>,
    /// The settings of the network namespace.
    pub settings: &'a Settings,
    /// The time in microseconds, from any start; it never goes back.
    pub now: u64,
    /// The longest retransmission timeout of the connection's subflows that work, in microseconds.
    pub rto: u32,
}

impl Context<'_> {
    /// Whether this crate decides about addresses and subflows.
    #[inline]
    pub(super) const fn decides(&self) -> bool {
        matches!(self.settings.mode, Mode::Kernel)
    }
}
