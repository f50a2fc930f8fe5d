// SPDX-License-Identifier: GPL-2.0

//! The timer of a connection: data-level retransmission, and the patience with orphans.

use crate::connection::{abort, count, Connection};
use crate::counters::Counter;
use crate::protocol::{Meta, Mptcp};
use crate::subflow::delivery::fall_back;
use crate::subflow::push;
use knet::meta::DataGuard;
use knet::subflow::with_softirq_lock;
use knet::time::now_us;
use mptcp_core::send::retransmit_timeout;

/// The longest wait for a data acknowledgement: TCP's longest retransmission timeout.
const LONGEST_WAIT: u32 = 120_000_000;
/// How soon to try again if a process holds the subflow.
const SOON: u64 = 2_000;

/// Sees to it that data which was just given to a subflow is sent again if it stays unacknowledged.
pub(crate) fn watch(connection: &mut DataGuard<'_, Mptcp>, rto_us: u32) {
    if connection.timers.retransmit_at != 0 {
        return;
    }
    let wait = retransmit_timeout(rto_us, connection.timers.backoff, LONGEST_WAIT);
    connection.timers.retransmit_at = now_us().saturating_add(u64::from(wait));
    connection.timers.watched = connection.send.una();
    arm(connection);
}

/// Takes note of an acknowledgement. The timer runs on and finds out when it expires.
pub(crate) fn progressed(connection: &mut Connection) {
    connection.timers.backoff = 0;
}

/// Gives up the orphan in `delay` microseconds.
pub(crate) fn give_up_in(connection: &mut DataGuard<'_, Mptcp>, delay: u64) {
    connection.timers.give_up_at = now_us().saturating_add(delay);
    arm(connection);
}

/// Sets the kernel's timer to what comes first.
fn arm(connection: &DataGuard<'_, Mptcp>) {
    let times = [
        connection.timers.retransmit_at,
        connection.timers.give_up_at,
    ];
    if let Some(next) = times.into_iter().filter(|&at| at != 0).min() {
        connection.meta().set_timer(next.saturating_sub(now_us()));
    }
}

/// Whether the peer never sent an option after the handshake.
fn is_unheard(connection: &Connection) -> bool {
    let heard = connection
        .subflow
        .as_ref()
        .is_some_and(|subflow| subflow.dss_seen);
    !connection.fully_established && !heard && !connection.retransmitted
}

/// The timer expired. Softirq, nothing locked.
pub(crate) fn expired(meta: &Meta) {
    let now = now_us();
    let mut connection = meta.lock_data();
    if connection.timers.give_up_at != 0 && now >= connection.timers.give_up_at {
        connection.timers.give_up_at = 0;
        drop(connection);
        abort(meta, 0);
        meta.schedule_work();
        return;
    }
    let due = connection.timers.retransmit_at != 0 && now >= connection.timers.retransmit_at;
    let subflow = connection
        .subflow
        .as_ref()
        .map(|subflow| subflow.sock.clone());
    let (true, Some(subflow)) = (due && connection.speaks_mptcp(), subflow) else {
        if due {
            connection.timers.retransmit_at = 0;
        }
        arm(&connection);
        return;
    };
    connection.timers.retransmit_at = 0;
    if !connection.send.needs_retransmit() {
        arm(&connection);
        return;
    }
    let stuck = connection.send.una() == connection.timers.watched;
    drop(connection);
    let sent = with_softirq_lock(&subflow, |tcp| {
        let mut connection = meta.lock_data();
        if stuck && tcp.is_drained() && is_unheard(&connection) {
            // RFC 8684 section 3.7: the subflow delivered the data, and no option ever came
            // back. The path removes them, so both ends go on as plain TCP.
            count(meta.sock(), Counter::MpCapableDataFallback);
            fall_back(&mut connection);
            drop(connection);
            push::push(meta, tcp);
            meta.sock().notify_writeable();
        } else if stuck && tcp.is_drained() {
            // RFC 8684 section 3.3.6: the subflow delivered it, but the peer's data level did
            // not take it.
            connection.timers.backoff = connection.timers.backoff.saturating_add(1);
            connection.send.start_retransmit();
            let fin_only = connection.send.retransmit_next().is_none();
            watch(&mut connection, tcp.rto_us());
            drop(connection);
            if fin_only {
                tcp.send_ack();
            }
            push::push(meta, tcp);
        } else {
            watch(&mut connection, tcp.rto_us());
        }
    });
    if sent.is_none() {
        let mut connection = meta.lock_data();
        connection.timers.retransmit_at = now.saturating_add(SOON);
        arm(&connection);
    }
}
