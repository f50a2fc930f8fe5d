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
use mptcp_core::connection::blackhole::SYN_REPETITIONS;

const ENABLED: usize = 0;
const CHECKSUM_ENABLED: usize = 1;
const SYN_RETRANS_BEFORE_TCP_FALLBACK: usize = 2;
const TEST_WRAP: usize = 3;
const TEST_FEW_KEYS: usize = 4;
const ADD_ADDR_TIMEOUT: usize = 5;
const SUBFLOWS_PER_PAIR: usize = 6;
const CLOSE_TIMEOUT: usize = 7;
const ADD_ADDR_V6_PORT_DROP_TS: usize = 8;
const ALLOW_JOIN_INITIAL_ADDR_PORT: usize = 9;
const BLACKHOLE_TIMEOUT: usize = 10;

/// In the order of the indices above.
const SETTINGS: [Setting; 11] = [
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
        default: SYN_REPETITIONS,
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
    Setting {
        name: c"add_addr_timeout",
        default: 120,
        min: 0,
        max: 86_400,
    },
    Setting {
        name: c"subflows_per_pair",
        default: 1,
        min: 1,
        max: 31,
    },
    Setting {
        name: c"close_timeout",
        default: 60,
        min: 0,
        max: 86_400,
    },
    Setting {
        name: c"add_addr_v6_port_drop_ts",
        default: 1,
        min: 0,
        max: 1,
    },
    Setting {
        name: c"allow_join_initial_addr_port",
        default: 1,
        min: 0,
        max: 1,
    },
    Setting {
        name: c"blackhole_timeout",
        default: 3600,
        min: 0,
        max: 86_400,
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

    /// How many SYNs with MP_CAPABLE are retransmitted before one without it, see [`offers_mptcp`].
    ///
    /// [`offers_mptcp`]: mptcp_core::connection::blackhole::offers_mptcp
    #[inline]
    pub(crate) fn syn_retrans_before_tcp_fallback(&self) -> u32 {
        self.0.value(SYN_RETRANS_BEFORE_TCP_FALLBACK)
    }

    /// The longest time to wait for the echo of an ADD_ADDR before it is sent again, in microseconds; 0
    /// never sends it again.
    #[inline]
    pub(crate) fn add_addr_timeout_us(&self) -> u64 {
        u64::from(self.0.value(ADD_ADDR_TIMEOUT)).saturating_mul(1_000_000)
    }

    /// How many subflows clients open between the first two addresses.
    #[inline]
    pub(crate) fn subflows_per_pair(&self) -> u8 {
        u8::try_from(self.0.value(SUBFLOWS_PER_PAIR)).unwrap_or(1)
    }

    /// How long a connection that lost its last subflow waits for another, in microseconds.
    // rfc8684:3.3.3-7
    #[inline]
    pub(crate) fn close_timeout_us(&self) -> u64 {
        u64::from(self.0.value(CLOSE_TIMEOUT)).saturating_mul(1_000_000)
    }

    /// Whether an ADD_ADDR that is too long to go beside TCP's timestamps goes without them.
    #[inline]
    pub(crate) fn add_addr_v6_port_drop_ts(&self) -> bool {
        self.0.value(ADD_ADDR_V6_PORT_DROP_TS) != 0
    }

    /// Whether the peers of new connections may open subflows to the address and port of the first one
    /// (RFC 8684 section 3.1, flag C).
    #[inline]
    pub(crate) fn allow_join_initial_addr_port(&self) -> bool {
        self.0.value(ALLOW_JOIN_INITIAL_ADDR_PORT) != 0
    }

    /// For how long connections begin as plain TCP after the network dropped MP_CAPABLE, in microseconds; 0:
    /// they do not.
    #[inline]
    pub(crate) fn blackhole_timeout_us(&self) -> u64 {
        u64::from(self.0.value(BLACKHOLE_TIMEOUT)).saturating_mul(1_000_000)
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
