// SPDX-License-Identifier: GPL-2.0

//! What the peer says about addresses and subflows (RFC 8684 sections 3.3.8 and 3.4).

use crate::connection::count;
use crate::counters::Counter;
use crate::crypto::KernelSha256;
use crate::path_manager::event::{self, OfSubflow};
use crate::path_manager::paths::{mention, tell};
use crate::path_manager::{core_address, kernel_address};
use crate::protocol::Mptcp;
use crate::subflow::loss;
use crate::subflow::table::SubflowState;
use knet::meta::DataGuard;
use knet::sock::Sock;
use mptcp_core::path_manager::{Announcement, Event};
use mptcp_core::scheduler::PathId;
use mptcp_core::wire::{AddAddr, Received};

/// A segment with options came on a subflow; it is as trustworthy as its data.
// rfc8684:3.3.8-2
#[inline(always)]
pub(crate) fn heard(connection: &mut DataGuard<'_, Mptcp>, path: PathId, received: &Received) {
    let doubted = |subflow: &SubflowState| !subflow.doubt.is_none();
    if received.has_other_than_dss() || connection.subflows.at(path).is_some_and(doubted) {
        look(connection, path, received);
    }
}

/// As [`heard`], where there may be something to learn.
fn look(connection: &mut DataGuard<'_, Mptcp>, path: PathId, received: &Received) {
    let sock = connection.meta().sock();
    let Some(name) = connection.name_of(path) else {
        return;
    };
    let subflow = connection.subflows.at_mut(path);
    if subflow.is_some_and(|subflow| subflow.doubt.on_heard()) {
        mention(connection, &Event::Heard { subflow: name });
        // It may be given data again.
        connection.meta().schedule_softirq_work();
    }
    if let Some(option) = &received.add_addr {
        address_told(connection, path, option);
    }
    if let Some(option) = received.remove_addr {
        count(sock, Counter::RmAddr);
        for id in option.ids() {
            event::removed(connection, *id);
            loss::doubt(connection, *id);
        }
        tell(connection, &Event::Removed(option));
    }
    if let Some(option) = received.mp_prio {
        count(sock, Counter::MpPrioRx);
        if let Some(subflow) = connection.subflows.at_mut(path) {
            subflow.remote_backup = option.backup;
        }
        if let Some(subflow) = connection.subflows.at(path) {
            event::of_subflow(connection, subflow, OfSubflow::Priority);
        }
        let event = Event::Priority {
            subflow: name,
            backup: option.backup,
        };
        tell(connection, &event);
        connection.meta().schedule_softirq_work();
    }
}

/// An ADD_ADDR came: an announcement, or the echo of one.
fn address_told(connection: &mut DataGuard<'_, Mptcp>, path: PathId, option: &AddAddr) {
    let sock = connection.meta().sock();
    let Some(on) = connection.name_of(path) else {
        return;
    };
    if option.hmac.is_none() {
        count(sock, Counter::EchoAdd);
        count_port(sock, option);
        tell(connection, &Event::Echoed(Announcement::of(option)));
        return;
    }
    let keys = connection.keys().reversed();
    match Announcement::verified(option, keys, &KernelSha256) {
        Some(mut announcement) => {
            // An IPv4 address written as IPv6 is that IPv4 address.
            announcement.address = core_address(&kernel_address(&announcement.address));
            count(sock, Counter::AddAddr);
            count_port(sock, option);
            let subflow = connection.subflows.at(path);
            let port = subflow.map_or(0, |subflow| subflow.sock.tuple().remote_port);
            event::announced(connection, &announcement, port);
            tell(connection, &Event::Announced { announcement, on });
        }
        None => count(sock, Counter::AddAddrDrop),
    }
}

fn count_port(sock: &Sock, option: &AddAddr) {
    if option.port.is_some() {
        count(sock, Counter::PortAdd);
    }
}
