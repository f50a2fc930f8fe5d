// SPDX-License-Identifier: GPL-2.0

//! Packets, senders, pages and a table of flows for the KUnit suites, in kernels with KUnit only. What a
//! suite gets here are real packets of the kernel, changed by the code that the hooks call.

mod flows;
mod packet;
mod pages;
mod sender;

pub use flows::TestFlows;
pub use packet::{saved_syn_options, Facts, TestPacket};
pub use pages::{bytes_of, TestPage};
pub use sender::{Kind, Sender};

use crate::bindings;
use crate::skb::{Packet, Span};
use core::ptr::NonNull;
use kernel::error::to_result;
use kernel::prelude::*;

/// A packet as it is taken from a subflow, whose data are `bytes`, all of them counting from
/// `position` on.
pub fn received_packet(position: u64, bytes: &[u8]) -> Result<Packet> {
    let len = u32::try_from(bytes.len())?;
    // SAFETY: The bytes are valid for their length and copied.
    let skb = unsafe { bindings::knet_helper_test_skb(0, bytes.as_ptr().cast(), len) };
    // SAFETY: A new packet that nobody else knows.
    let mut packet = unsafe { Packet::from_raw(NonNull::new(skb).ok_or(ENOMEM)?) };
    packet.set_span(Span {
        position,
        offset: 0,
        len,
    });
    Ok(packet)
}

/// Takes a processor offline, or brings it back. Process context.
pub fn set_online(cpu: u32, online: bool) -> Result {
    // SAFETY: Any number may be named: the kernel refuses what it cannot do.
    to_result(unsafe {
        match online {
            true => bindings::add_cpu(cpu),
            false => bindings::remove_cpu(cpu),
        }
    })
}

/// Bytes that giving up the SACK option among `options` would free.
pub fn droppable(options: &[u8]) -> usize {
    crate::rewrite::droppable(options)
}

/// Bytes that giving up the timestamps among `options` would free.
pub fn timestamps(options: &[u8]) -> usize {
    crate::rewrite::timestamps(options)
}
