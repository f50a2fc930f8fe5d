// SPDX-License-Identifier: GPL-2.0

//! Test vectors and the checks over them, for the tests on the host and inside the kernel alike.
//!
//! A check walks over a table and returns the name of the first vector that does not hold, so
//! that it needs no assertion of its own and says the same in both worlds.

pub mod abort;
pub mod acceptable;
pub mod arrival;
pub mod captured;
pub mod congestion;
pub mod delivery;
pub mod departure;
pub mod digests;
pub mod doubt;
pub mod ending;
pub mod endpoints;
pub mod expiry;
pub mod fallback;
pub mod handshake;
pub mod joins;
pub mod mapping;
pub mod options;
pub mod paths;
pub mod patience;
pub mod plan;
pub mod reading;
pub mod reassembly;
pub mod receive;
pub mod scheduling;
pub mod send;
pub mod seq;
pub mod steering;
pub mod version0;

/// The result of a check: the name of the first vector that failed.
pub type Check = Result<(), &'static str>;

/// `Ok` if `holds`, otherwise the name of the vector.
#[inline]
pub(crate) fn expect(holds: bool, name: &'static str) -> Check {
    match holds {
        true => Ok(()),
        false => Err(name),
    }
}
