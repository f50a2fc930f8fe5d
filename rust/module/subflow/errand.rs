// SPDX-License-Identifier: GPL-2.0

//! Segments without data that are sent for what their options say, and say nothing else.

use crate::connection::Connection;
use crate::netns::Namespace;
use crate::protocol::Meta;
use kernel::prelude::*;
use knet::netns::PerNet;
use knet::segment::{OptionEdit, Outgoing};
use knet::subflow::Tcp;
use mptcp_core::scheduler::PathId;
use mptcp_core::wire::plan::{write_alone, Room, Wanted};

/// Sends a segment on a subflow that says this. Process context. Whether it left, and had room and memory for
/// it.
pub(crate) fn say(meta: &Meta, path: PathId, tcp: &mut Tcp<'_>, wanted: Wanted) -> bool {
    let Ok(wanted) = KBox::new(wanted, GFP_KERNEL) else {
        return false;
    };
    let mut unsaid = Some(wanted);
    let order = |errand: &mut Option<KBox<Wanted>>| {
        if let Some(subflow) = meta.lock_data().subflows.at_mut(path) {
            core::mem::swap(&mut subflow.errand, errand);
        }
    };
    order(&mut unsaid);
    tcp.send_ack();
    order(&mut unsaid);
    unsaid.is_none()
}

/// What a segment says that is sent for nothing else.
pub(crate) fn of(connection: &Connection, path: PathId, segment: &Outgoing<'_>) -> Option<Wanted> {
    if segment.payload_len > 0 {
        return None;
    }
    connection.subflows.at(path)?.errand.as_deref().copied()
}

/// Writes what a segment is sent for. TCP's own options make room for it.
pub(crate) fn write(
    meta: &Meta,
    path: PathId,
    wanted: &Wanted,
    segment: &Outgoing<'_>,
    edit: &mut OptionEdit,
) {
    let namespace = Namespace::of(meta.sock().net());
    let may_drop = namespace.is_some_and(|one| one.settings.add_addr_v6_port_drop_ts());
    let room = Room {
        free: segment.free,
        sack: segment.droppable(),
        timestamps: if may_drop { segment.timestamps() } else { 0 },
    };
    let Some(written) = write_alone(wanted, &room, edit.buffer()) else {
        return;
    };
    edit.set_length(written.length);
    edit.drop_timestamps = written.without_timestamps;
    if !written.waiting {
        if let Some(subflow) = meta.lock_data().subflows.at_mut(path) {
            subflow.errand = None;
        }
    }
}
