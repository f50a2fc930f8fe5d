// SPDX-License-Identifier: GPL-2.0

//! Tables of data sequence mappings (RFC 8684 section 3.3.1), beside the data instead of in it.
//!
//! Both tables are bounded, ordered by subflow sequence number and kept in a ring, so that looking
//! at either end costs nothing and finding any entry costs a binary search.

mod checksum;
mod ring;
mod rx;
mod tx;

#[cfg(test)]
mod testing;

pub use checksum::DssChecksum;
pub use ring::Slots;
pub use rx::{RecordError, Recorded, RxMapping, RxMappings, RxRecord, RxTable, Span};
pub use tx::{PushError, TxMappings, TxRecord, TxTable};
