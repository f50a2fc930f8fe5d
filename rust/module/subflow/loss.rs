// SPDX-License-Identifier: GPL-2.0

//! What becomes of a connection and its data when a subflow goes away.

use crate::connection::{count, Connection};
use crate::counters::Counter;
use crate::protocol::{Meta, Mptcp};
use crate::subflow::schedule;
use crate::subflow::table::SubflowState;
use kernel::prelude::*;
use knet::meta::DataGuard;
use knet::notifier::egress_works;
use knet::sock::Sock;
use mptcp_core::connection::departure::{on_closed, Failure, Remains};
use mptcp_core::connection::ending::Rest;
use mptcp_core::scheduler::PathId;

/// TCP is done with a subflow. The subflow is locked. Returns what decides about the end of the
/// connection if no other subflow is left.
pub(crate) fn of_subflow(meta: &Meta, tcp: &Sock) -> Option<Rest> {
    let mut connection = meta.lock_data();
    let Some(path) = connection.subflows.number_of(tcp) else {
        return (!connection.subflows.joined).then(|| connection.rest());
    };
    let alone = path == PathId::FIRST && !connection.subflows.joined;
    let may_wait = connection.patience(meta.sock()) > 0;
    let there = |(other, subflow): (PathId, &SubflowState)| other != path && !subflow.gone;
    let others = connection.subflows.iter().any(there);
    let closed = on_closed(alone, others, may_wait);
    if closed.leaves {
        withdraw(&mut connection, path);
        if let Some(subflow) = connection.subflows.at_mut(path) {
            subflow.gone = true;
        }
        meta.schedule_work();
    }
    closed.ends_all.then(|| connection.rest())
}

/// What is known of a subflow that ended.
pub(crate) fn remains(subflow: &SubflowState) -> Remains {
    let errno = subflow.sock.peek_error().wrapping_neg();
    let join = subflow.join.as_ref();
    let reset = errno == ECONNRESET.to_errno() || errno == ECONNREFUSED.to_errno();
    Remains {
        told: subflow.reset_by_peer,
        failure: match errno {
            0 => None,
            _ if reset => Some(Failure::Reset),
            _ => Some(Failure::Unreachable),
        },
        useless: subflow.useless,
        unproven: join.is_some_and(|join| join.hmac.is_none()),
    }
}

/// Gives a subflow no more data, and has what it carries sent on others.
///
/// RFC 8684 section 3.3.6: data that a failed subflow may not have delivered is sent again elsewhere.
pub(crate) fn withdraw(connection: &mut DataGuard<'_, Mptcp>, path: PathId) {
    if let Some(subflow) = connection.subflows.at_mut(path) {
        subflow.live = false;
    }
    send_elsewhere(connection, path);
    connection.meta().schedule_softirq_work();
}

/// Has what a subflow carries sent again.
pub(crate) fn send_elsewhere(connection: &mut Connection, path: PathId) {
    // Whatever a scheduler granted, it did not know of this.
    connection.granted = None;
    let Connection { subflows, send, .. } = connection;
    let Some(subflow) = subflows.at(path) else {
        return;
    };
    for record in subflow.tx.iter() {
        send.send_again(record.dsn, record.dsn.plus(u64::from(record.len)));
        connection.retransmitted = true;
    }
}

/// The peer removed its address with this id: what the subflows to it carry is sent on others at once, and
/// they get no more as long as they do not show that they work.
pub(crate) fn doubt(connection: &mut DataGuard<'_, Mptcp>, remote_id: u8) {
    for path in connection.subflows.numbers().iter() {
        let Some(subflow) = connection.subflows.at_mut(path) else {
            continue;
        };
        if subflow.live && subflow.remote_id == remote_id && subflow.doubt.on_removed() {
            send_elsewhere(connection, path);
            connection.meta().schedule_softirq_work();
        }
    }
}

/// A device went or came: what the subflows without one carry is sent on others at once, without waiting for
/// silence, and they get no more. Process context.
pub(crate) fn find_cut(connection: &mut DataGuard<'_, Mptcp>) {
    if !connection.subflows.joined {
        return;
    }
    for path in connection.subflows.numbers().iter() {
        let Some(subflow) = connection.subflows.at_mut(path).filter(|one| one.live) else {
            continue;
        };
        let works = egress_works(&subflow.sock);
        if !subflow.doubt.on_device(works) {
            continue;
        }
        if !works {
            count(connection.meta(), Counter::SubflowCut);
            send_elsewhere(connection, path);
        }
        connection.meta().schedule_softirq_work();
    }
}

/// Finds subflows that do not answer, and has what they carry sent on others. Returns when to look again, on
/// the clock of [`knet::time::now_us`].
pub(crate) fn find_silent(connection: &mut DataGuard<'_, Mptcp>, now: u64) -> Option<u64> {
    let (silent, next) = schedule::silence(connection, now);
    let mut found = false;
    for path in silent.iter() {
        let Some(subflow) = connection.subflows.at_mut(path) else {
            continue;
        };
        let rto = knet::subflow::rto_us(&subflow.sock);
        if subflow.health.on_dead(now, rto) {
            found = true;
            count(connection.meta(), Counter::SubflowSilent);
            send_elsewhere(connection, path);
        }
    }
    if found {
        connection.meta().schedule_softirq_work();
    }
    next
}

/// A segment acknowledged something on a subflow.
pub(crate) fn answered(connection: &mut DataGuard<'_, Mptcp>, path: PathId) {
    let Some(subflow) = connection.subflows.at_mut(path) else {
        return;
    };
    subflow.last_progress_us = knet::time::now_us();
    if subflow.health.on_progress() {
        // It may be given data again.
        connection.meta().schedule_softirq_work();
    }
}
