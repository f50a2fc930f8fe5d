// SPDX-License-Identifier: GPL-2.0

//! Choosing which options fit the option space of an outgoing segment.
//!
//! TCP writes its own options first; what it leaves free of [`super::OPTION_SPACE`] is ours. A
//! data segment without its mapping would stall the connection, so some options are essential: if
//! they do not fit, the plan says how many bytes are missing and the caller takes them from TCP's
//! selective acknowledgements. All others wait for a later segment.

use super::{
    pad, padded, AddAddr, Dss, MpCapable, MpFail, MpFastclose, MpJoin, MpPrio, MpTcpRst, RemoveAddr,
};

/// What a segment should carry.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Wanted {
    /// MP_CAPABLE.
    pub mp_capable: Option<MpCapable>,
    /// MP_JOIN.
    pub mp_join: Option<MpJoin>,
    /// MP_FASTCLOSE.
    pub fastclose: Option<MpFastclose>,
    /// MP_TCPRST.
    pub tcp_rst: Option<MpTcpRst>,
    /// DSS.
    pub dss: Option<Dss>,
    /// MP_FAIL.
    pub mp_fail: Option<MpFail>,
    /// MP_PRIO.
    pub mp_prio: Option<MpPrio>,
    /// ADD_ADDR.
    pub add_addr: Option<AddAddr>,
    /// REMOVE_ADDR.
    pub remove_addr: Option<RemoveAddr>,
}

/// The options of one segment, chosen from what was [`Wanted`].
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Plan {
    /// What the segment will carry: the part of the wanted that fits.
    pub carried: Wanted,
    /// The length of the carried options, padded to a multiple of four.
    pub length: usize,
    /// How many more bytes, a multiple of four, would let all essential options fit.
    pub missing: usize,
    /// Whether something that was wanted is not carried.
    pub waiting: bool,
}

/// Chooses from `wanted` what fits into `free` bytes.
#[inline]
pub fn plan(wanted: &Wanted, free: usize) -> Plan {
    let _ = (wanted, free);
    Plan::default()
}

impl Plan {
    /// Writes the carried options and their padding to the front of `out` and returns the length,
    /// which is [`Plan::length`]; `None` if `out` is too short.
    #[inline]
    pub fn emit(&self, out: &mut [u8]) -> Option<usize> {
        let _ = (padded(0), pad(out));
        None
    }
}
