// SPDX-License-Identifier: GPL-2.0

//! The settings of a network namespace, `/proc/sys/net/mptcp_rs/*`.

use kernel::prelude::*;
use knet::{
    netns::Net,
    sysctl::{
        Setting,
        Table, //
    }, //
};

const ENABLED: usize = 0;
const CHECKSUM_ENABLED: usize = 1;
const SYN_RETRANS_BEFORE_TCP_FALLBACK: usize = 2;
const TEST_WRAP: usize = 3;
const TEST_FEW_KEYS: usize = 4;

/// In the order of the indices above.
const SETTINGS: [Setting; 5] = [
    Setting {
        name: c"enabled",
        default: 1,
        min: 0,
        max: 1,
    },
    Setting {
        name: c"checksum_enabled",
        default: 0,
        min: 0,
        max: 1,
    },
    Setting {
        name: c"syn_retrans_before_tcp_fallback",
        default: 2,
        min: 0,
        max: 255,
    },
    Setting {
        name: c"test_wrap",
        default: 0,
        min: 0,
        max: 2,
    },
    Setting {
        name: c"test_few_keys",
        default: 0,
        min: 0,
        max: 1,
    },
];

/// The settings of one namespace. Every answer is the value of now; any context.
pub(crate) struct Settings(Table<{ SETTINGS.len() }>);

impl Settings {
    /// Default values, visible to the administrator of the namespace.
    pub(crate) fn new(net: &Net) -> Result<Self> {
        Ok(Self(Table::register(net, c"net/mptcp_rs", &SETTINGS)?))
    }

    /// Whether sockets can be made; those that exist go on.
    #[inline]
    pub(crate) fn enabled(&self) -> bool {
        self.0.value(ENABLED) != 0
    }

    /// Whether new connections ask for the checksum of data (RFC 8684 section 3.1, flag A).
    #[inline]
    pub(crate) fn checksum_enabled(&self) -> bool {
        self.0.value(CHECKSUM_ENABLED) != 0
    }

    /// How many SYNs with MP_CAPABLE are retransmitted before one without it.
    // rfc8684:3.1-7
    #[inline]
    pub(crate) fn syn_retrans_before_tcp_fallback(&self) -> u32 {
        self.0.value(SYN_RETRANS_BEFORE_TCP_FALLBACK)
    }

    /// For tests, whether sequence numbers soon wrap around: from 1 on those of subflows that
    /// connect, with 2 data sequence numbers too, which both ends must agree on.
    #[inline]
    pub(crate) fn test_wrap(&self) -> u32 {
        self.0.value(TEST_WRAP)
    }

    /// For tests, whether keys are so few that their tokens are often taken.
    #[inline]
    pub(crate) fn test_few_keys(&self) -> bool {
        self.0.value(TEST_FEW_KEYS) != 0
    }
}
