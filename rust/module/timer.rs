// SPDX-License-Identifier: GPL-2.0

//! The timer of a connection: data-level retransmission, patience with orphans and with corks.

use crate::connection::{abort_locked, condemn, count, Connection};
use crate::counters::Counter;
use crate::protocol::{Meta, Mptcp};
use crate::socket::close::abort_orphan;
use crate::subflow::delivery::fall_back;
use crate::subflow::{join, loss, push};
use knet::meta::DataGuard;
use knet::subflow::{with_softirq_lock, Tcp};
use knet::time::now_us;
use mptcp_core::connection::ending::{on_patience_lost, stays_patient, Farewell, ORPHAN_PATIENCE};
use mptcp_core::connection::expiry::{on_expiry, Expiry, Situation};
use mptcp_core::connection::push::CORK_LIMIT;
use mptcp_core::path_manager::PathManager;
use mptcp_core::scheduler::PathSet;
use mptcp_core::send::{retransmit_timeout, LONGEST_WAIT, UNKNOWN_RTO};
use mptcp_core::wire::ResetReason;

/// How soon to try again if a process holds the subflow.
const SOON: u64 = 2_000;

/// Sees to it that data which was just given to a subflow is sent again if it stays unacknowledged.
pub(crate) fn watch(connection: &mut DataGuard<'_, Mptcp>, tcp: &Tcp<'_>) {
    if connection.timers.retransmit_at != 0 {
        return;
    }
    let wait = retransmit_timeout(tcp.rto_us(), connection.timers.backoff, LONGEST_WAIT);
    connection.timers.retransmit_at = now_us().saturating_add(u64::from(wait));
    connection.timers.watched = connection.send.una();
    arm(connection);
}

/// Takes note of an acknowledgement. The timer runs on and finds out when it expires.
pub(crate) fn progressed(connection: &mut Connection) {
    connection.timers.backoff = 0;
    for (_, subflow) in connection.subflows.iter_mut() {
        subflow.unheard = 0;
    }
}

/// Gives the orphan up when its peer has been silent for a while.
pub(crate) fn lose_patience_later(connection: &mut DataGuard<'_, Mptcp>) {
    connection.timers.give_up_at = now_us().saturating_add(ORPHAN_PATIENCE);
    arm(connection);
}

/// Sees to it that what the application holds back leaves in the end, without an acknowledgement to
/// wait for.
pub(crate) fn limit_cork(connection: &mut DataGuard<'_, Mptcp>) {
    let idle = connection.send.unsent() > 0 && connection.send.in_flight() == 0;
    if idle && connection.timers.uncork_at == 0 {
        connection.timers.uncork_at = now_us().saturating_add(CORK_LIMIT);
        arm(connection);
    }
}

/// Takes note that new data left: what is held back from now on has its time anew.
pub(crate) fn new_data_left(connection: &mut Connection) {
    connection.timers.uncork_at = 0;
    connection.timers.uncorked = false;
}

/// Sees to it that data is given to the subflows although a process held one just now.
pub(crate) fn push_soon(connection: &mut DataGuard<'_, Mptcp>) {
    connection.timers.push_at = now_us().saturating_add(SOON);
    arm(connection);
}

/// Looks after a subflow among others that was just given data: if it does not answer, the others get
/// the data. `rto` is its retransmission timeout in microseconds.
pub(crate) fn watch_silence(connection: &mut DataGuard<'_, Mptcp>, rto: u32) {
    if connection.timers.silence_at == 0 {
        connection.timers.silence_at = now_us().saturating_add(u64::from(rto));
        arm(connection);
    }
}

/// Gives the connection, which has lost its last subflow, up after `patience` microseconds without another. Its
/// application reads `errno` then.
pub(crate) fn await_subflow(connection: &mut DataGuard<'_, Mptcp>, patience: u64, errno: i32) {
    connection.timers.alone_until = now_us().saturating_add(patience);
    connection.timers.lost_by = errno;
    arm(connection);
}

/// Sees to it that a joining subflow's third ACK is sent again if it is not answered within `wait`
/// microseconds.
pub(crate) fn await_join(connection: &mut DataGuard<'_, Mptcp>, wait: u64) {
    let at = now_us().saturating_add(wait);
    let timers = &mut connection.timers;
    if timers.join_at == 0 || at < timers.join_at {
        timers.join_at = at;
        arm(connection);
    }
}

/// Lets the path manager work when it has something to do next.
pub(crate) fn manage_paths_later(connection: &mut DataGuard<'_, Mptcp>) {
    let manager = connection.paths.manager();
    let manager = manager.filter(|_| connection.has_paths_to_manage());
    let deadline = manager.and_then(PathManager::deadline);
    connection.timers.paths_at = deadline.unwrap_or_default();
    arm(connection);
}

/// Sets the kernel's timer to what comes first.
fn arm(connection: &DataGuard<'_, Mptcp>) {
    let times = [
        connection.timers.retransmit_at,
        connection.timers.give_up_at,
        connection.timers.uncork_at,
        connection.timers.push_at,
        connection.timers.silence_at,
        connection.timers.join_at,
        connection.timers.paths_at,
        connection.timers.alone_until,
    ];
    if let Some(next) = times.into_iter().filter(|&at| at != 0).min() {
        connection.set_timer(next.saturating_sub(now_us()));
    }
}

/// The timer expired. Softirq, nothing locked.
pub(crate) fn expired(meta: &Meta) {
    let now = now_us();
    let mut connection = meta.lock_data();
    if connection.timers.give_up_at != 0 && now >= connection.timers.give_up_at {
        let rest = connection.rest();
        let silence = u64::from(connection.moments.acknowledged.elapsed_ms()).saturating_mul(1000);
        if !stays_patient(&rest, &connection.send, silence) {
            connection.timers.give_up_at = 0;
            match on_patience_lost(&rest) {
                Farewell::Close => connection.timers.patience_lost = true,
                Farewell::Abort => abort_orphan(&mut connection),
            }
            meta.schedule_work();
            return;
        }
        connection.timers.give_up_at = now.saturating_add(ORPHAN_PATIENCE);
    }
    if connection.timers.alone_until != 0 && now >= connection.timers.alone_until {
        let errno = connection.timers.lost_by;
        connection.timers.alone_until = 0;
        return abort_locked(&mut connection, errno);
    }
    if connection.timers.uncork_at != 0 && now >= connection.timers.uncork_at {
        connection = uncork(connection, now);
    }
    if connection.timers.silence_at != 0 && now >= connection.timers.silence_at {
        connection.timers.silence_at = loss::find_silent(&mut connection, now).unwrap_or(0);
    }
    if connection.timers.join_at != 0 && now >= connection.timers.join_at {
        connection = say_third_ack_again(connection, now);
    }
    if connection.timers.paths_at != 0 && now >= connection.timers.paths_at {
        connection.timers.paths_at = 0;
        meta.schedule_work();
    }
    if connection.timers.push_at != 0 && now >= connection.timers.push_at {
        connection.timers.push_at = 0;
        meta.schedule_softirq_work();
    }
    let due = connection.timers.retransmit_at != 0 && now >= connection.timers.retransmit_at;
    if due && connection.subflows.joined {
        let fin_stuck = retransmit_anywhere(&mut connection);
        let paths = connection.subflows.numbers();
        arm(&connection);
        drop(connection);
        if fin_stuck {
            say_fin_again(meta, paths);
        }
        return;
    }
    let subflow = connection
        .subflows
        .first()
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
    let sent = with_softirq_lock(&subflow, |tcp| retransmit(meta, tcp, stuck));
    let mut connection = meta.lock_data();
    if sent.is_none() {
        connection.timers.retransmit_at = now.saturating_add(SOON);
    }
    // Also for what else there is to wait for, such as an orphan's patience.
    arm(&connection);
}

/// Sends what the application held back too long. The data lock is given up and taken again.
fn uncork<'a>(mut connection: DataGuard<'a, Mptcp>, now: u64) -> DataGuard<'a, Mptcp> {
    let meta = connection.meta();
    connection.timers.uncork_at = 0;
    connection.timers.uncorked = connection.send.unsent() > 0;
    let Some(subflow) = connection.subflows.first() else {
        return connection;
    };
    let subflow = subflow.sock.clone();
    drop(connection);
    let sent = with_softirq_lock(&subflow, |tcp| push::push(meta, tcp));
    connection = meta.lock_data();
    if sent.is_none() {
        connection.timers.uncork_at = now.saturating_add(SOON);
    }
    connection
}

/// Sends the third ACK of a joining subflow again. The data lock is given up and taken again.
fn say_third_ack_again<'a>(mut connection: DataGuard<'a, Mptcp>, now: u64) -> DataGuard<'a, Mptcp> {
    let meta = connection.meta();
    let (again, next) = join::unanswered(&mut connection, now);
    connection.timers.join_at = next.map_or(0, |next| next.max(now.saturating_add(SOON)));
    if let Some(sock) = again {
        drop(connection);
        // If a process holds the subflow, the next time will do.
        let _sent = with_softirq_lock(&sock, |tcp| tcp.send_ack());
        connection = meta.lock_data();
    }
    connection
}

/// The retransmission timer of a connection with several subflows expired: there is no way back to plain
/// TCP, so what the peer's data level did not acknowledge is sent again, on whichever subflow it fits.
/// Returns whether a DATA_FIN has to be said again.
fn retransmit_anywhere(connection: &mut DataGuard<'_, Mptcp>) -> bool {
    connection.timers.retransmit_at = 0;
    if !connection.send.needs_retransmit() {
        return false;
    }
    let stuck = connection.send.una() == connection.timers.watched;
    if stuck {
        connection.timers.backoff = connection.timers.backoff.saturating_add(1);
        connection.send.start_retransmit();
        connection.retransmitted = true;
        connection.meta().schedule_softirq_work();
    }
    // The timeout of a subflow that does not answer has grown beyond all use.
    let rto = connection
        .subflows
        .live()
        .filter(|(_, subflow)| !subflow.is_lost())
        .map(|(_, subflow)| knet::subflow::rto_us(&subflow.sock))
        .max();
    let backoff = connection.timers.backoff;
    let wait = retransmit_timeout(rto.unwrap_or(UNKNOWN_RTO), backoff, LONGEST_WAIT);
    connection.timers.retransmit_at = now_us().saturating_add(u64::from(wait));
    connection.timers.watched = connection.send.una();
    stuck && connection.send.fin_in_flight()
}

/// Says the DATA_FIN again on every subflow that works, with an acknowledgement: on a connection that is
/// otherwise idle nothing else would carry it.
fn say_fin_again(meta: &Meta, paths: PathSet) {
    for path in paths.iter() {
        let sock = {
            let connection = meta.lock_data();
            let subflow = connection.subflows.at(path).filter(|one| one.live);
            subflow.map(|subflow| subflow.sock.clone())
        };
        if let Some(sock) = sock {
            // If a process holds the subflow, the others or the next time will do.
            let _sent = with_softirq_lock(&sock, |tcp| tcp.send_ack());
        }
    }
}

/// Decides what an expired timer means, and does it. The subflow is locked.
fn retransmit(meta: &Meta, tcp: &mut Tcp<'_>, stuck: bool) {
    let mut connection = meta.lock_data();
    let copied = tcp.copied_seq();
    let Some(path) = connection.subflows.number_of(tcp.sock()) else {
        return;
    };
    let Some(subflow) = connection.subflows.at(path) else {
        return;
    };
    let drained = tcp.is_drained();
    let (next, heard) = (subflow.received(copied), subflow.heard);
    let (ever_heard, unheard) = (subflow.heard_ever, subflow.unheard);
    let mut situation = Situation {
        stuck,
        drained,
        fin_only: connection.send.in_flight() == 0,
        heard,
        ever_heard,
        unheard,
        contiguous: connection.circumstances(path, next).contiguous(),
    };
    if situation.in_vain() {
        situation.unheard = unheard.saturating_add(1);
        if let Some(subflow) = connection.subflows.at_mut(path) {
            subflow.unheard = situation.unheard;
        }
    }
    match on_expiry(&situation) {
        Expiry::Wait => {
            if stuck && drained {
                connection.timers.backoff = connection.timers.backoff.saturating_add(1);
            }
            watch(&mut connection, tcp);
        }
        Expiry::SendAgain => {
            connection.timers.backoff = connection.timers.backoff.saturating_add(1);
            connection.send.start_retransmit();
            watch(&mut connection, tcp);
            drop(connection);
            if situation.fin_only {
                tcp.send_ack();
            }
            push::push(meta, tcp);
        }
        Expiry::FallBack => {
            count(meta, Counter::MpCapableDataFallback);
            fall_back(&mut connection);
            drop(connection);
            push::push(meta, tcp);
            meta.sock().notify_writeable();
        }
        // rfc8684:3.7-3 rfc8684:3.7-4
        Expiry::Reset => condemn(
            &mut connection,
            path,
            Some(ResetReason::MIDDLEBOX_INTERFERENCE),
        ),
    }
}
