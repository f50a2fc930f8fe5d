// SPDX-License-Identifier: GPL-2.0

//! Between a connection and its subflow: handshake, sending, receiving. Softirq context unless a
//! function says otherwise.

pub(crate) mod arrival;
pub(crate) mod cookie;
pub(crate) mod delivery;
pub(crate) mod errand;
pub(crate) mod give;
pub(crate) mod handshake;
pub(crate) mod join;
pub(crate) mod loss;
pub(crate) mod mappings;
pub(crate) mod out_of_order;
pub(crate) mod push;
pub(crate) mod receive_queue;
pub(crate) mod schedule;
pub(crate) mod table;
pub(crate) mod transmit;
