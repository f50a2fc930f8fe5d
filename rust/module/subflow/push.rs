// SPDX-License-Identifier: GPL-2.0

//! Giving data to a subflow.

use crate::connection::{count, Connection, Mode};
use crate::counters::Counter;
use crate::protocol::{Meta, Mptcp};
use crate::timer;
use core::sync::atomic::Ordering;
use knet::fragments::Gathered;
use knet::meta::DataGuard;
use knet::sock::State;
use knet::subflow::Tcp;
use knet::time::Moment;
use mptcp_core::mapping::{DssChecksum, TxRecord};
use mptcp_core::seq::Dsn;

/// What to do next for a subflow.
enum Step {
    /// Give it these bytes, which start at the data sequence number.
    Data(Dsn, Gathered),
    /// All data was given: tell the peer that no more follows.
    Fin,
    /// Nothing now.
    Rest,
}

/// TCP may have room. The subflow is locked.
pub(crate) fn write_space(meta: &Meta, tcp: &mut Tcp<'_>) {
    let sock = meta.sock();
    if !sock.send_buffer_locked() && tcp.sock().send_buffer() > sock.send_buffer() {
        sock.set_send_buffer(tcp.sock().send_buffer());
    }
    push(meta, tcp);
    let ack_due = {
        let mut connection = meta.lock_data();
        let subflow = connection.subflow_of(tcp.sock());
        subflow.is_some_and(|subflow| core::mem::take(&mut subflow.ack_due))
    };
    if ack_due && tcp.sock().state() != State::Close {
        tcp.send_ack();
    }
}

/// Gives as much data to a subflow as it and the peer's window take. The subflow is locked.
pub(crate) fn push(meta: &Meta, tcp: &mut Tcp<'_>) {
    if !begin(meta, tcp) {
        return;
    }
    push_all(meta, tcp);
    if let Some(subflow) = meta.lock_data().subflow_of(tcp.sock()) {
        subflow.pushing = false;
    }
}

/// Claims the subflow for pushing; `false`: the push that runs already will see to it.
fn begin(meta: &Meta, tcp: &Tcp<'_>) -> bool {
    let mut connection = meta.lock_data();
    match connection.subflow_of(tcp.sock()) {
        Some(subflow) => !core::mem::replace(&mut subflow.pushing, true),
        None => false,
    }
}

fn push_all(meta: &Meta, tcp: &mut Tcp<'_>) {
    loop {
        match next_step(meta, tcp) {
            Step::Data(dsn, mut pieces) => {
                let taken = tcp.splice(&mut pieces, false).unwrap_or(0);
                if !settle(meta, tcp, dsn.plus(taken as u64), pieces) {
                    return;
                }
            }
            Step::Fin => {
                let fallback = meta.lock_data().mode == Mode::Fallback;
                if fallback {
                    tcp.shut_down_send();
                    // TCP finishes alone what it was given.
                    if meta.sock().is_orphan() {
                        meta.schedule_work();
                    }
                } else {
                    tcp.send_ack();
                }
            }
            Step::Rest => return,
        }
    }
}

/// Takes note that TCP took all bytes before `dsn` and none of `rest`, which follows. Returns whether
/// TCP took all.
fn settle(meta: &Meta, tcp: &Tcp<'_>, dsn: Dsn, rest: Gathered) -> bool {
    let all = rest.is_empty();
    let mut connection = meta.lock_data();
    if let Some(subflow) = connection.subflow_of(tcp.sock()) {
        subflow.partial = (!all).then_some((dsn, rest));
    }
    if connection.mode == Mode::Fallback {
        // TCP's own acknowledgements are enough; what it took is done with.
        acknowledge(&mut connection, dsn, u32::MAX >> 1);
    } else {
        timer::watch(&mut connection, tcp.rto_us());
    }
    drop(connection);
    if meta.sock().is_writeable() {
        meta.sock().notify_writeable();
    }
    all
}

/// Takes note of a data acknowledgement: frees what it covers. Returns whether there is anything to
/// tell the application or the subflow.
pub(crate) fn acknowledge(connection: &mut DataGuard<'_, Mptcp>, ack: Dsn, window: u32) -> bool {
    connection.moments.acknowledged = Moment::now();
    let Ok(outcome) = connection.send.on_data_ack(ack, window) else {
        return false;
    };
    if outcome.acked > 0 {
        connection.queue.acknowledge(outcome.acked);
        connection.uncharge_send(outcome.acked);
        timer::progressed(connection);
    }
    if outcome.fin_acked {
        connection.advance(mptcp_core::connection::state::Event::FinAcked);
    }
    outcome.acked > 0 || outcome.fin_acked || outcome.window_grew
}

/// Chooses what to give to the subflow next, and takes note of it.
fn next_step(meta: &Meta, tcp: &mut Tcp<'_>) -> Step {
    let mut connection = meta.lock_data();
    let mptcp = connection.speaks_mptcp();
    if connection.mode == Mode::Connecting {
        return Step::Rest;
    }
    let Some(subflow) = connection.subflow_of(tcp.sock()) else {
        return Step::Rest;
    };
    if !tcp.sock().has_send_room() {
        return Step::Rest;
    }
    // A mapping that TCP has begun must be finished before anything else.
    if let Some((dsn, pieces)) = subflow.partial.take() {
        return Step::Data(dsn, pieces);
    }
    let acked = subflow.sent(tcp.snd_una());
    subflow.tx.acked(acked);
    if mptcp && subflow.tx.is_full() {
        count(meta.sock(), Counter::TxMappingFull);
        return Step::Rest;
    }
    let mss = tcp.mss().max(1);
    let most = (0xffff / mss).max(1) * mss.min(0xffff);
    if let Some((dsn, len)) = connection.send.retransmit_next() {
        let skip = dsn.since(connection.send.una());
        let pieces = connection.queue.gather_at(skip, len.min(most));
        let len = pieces.len() as u32;
        if len > 0 {
            connection.send.on_retransmitted(len);
            connection.retransmitted = true;
            connection.resent = connection.resent.saturating_add(u64::from(len));
            count(meta.sock(), Counter::MptcpRetrans);
            return map(&mut connection, tcp, dsn, pieces);
        }
    }
    let mut len = connection.send.available().min(most);
    if len == 0 && connection.send.probe_due() && tcp.is_drained() {
        len = 1;
        count(meta.sock(), Counter::WinProbe);
    }
    if len == 0 {
        if connection.send.fin_due() {
            connection.send.on_fin_sent();
            timer::watch(&mut connection, tcp.rto_us());
            return Step::Fin;
        }
        return Step::Rest;
    }
    if len < mss && must_wait(meta, &connection) {
        return Step::Rest;
    }
    if len > mss && connection.send.unsent() == u64::from(len) && must_wait(meta, &connection) {
        // Whole segments now, the rest with what follows.
        len -= len % mss;
    }
    let dsn = connection.send.nxt();
    let pieces = connection.queue.gather_unsent(len);
    let len = pieces.len() as u32;
    if len == 0 {
        return Step::Rest;
    }
    connection.send.on_pushed(len);
    map(&mut connection, tcp, dsn, pieces)
}

/// Whether a segment that is not full shall wait for more data: the rule of Nagle (RFC 9293 section
/// 3.7.4), at the data level, so that TCP need not split or hold mappings.
fn must_wait(meta: &Meta, connection: &Connection) -> bool {
    let shared = meta.shared();
    if connection.send.fin().is_some()
        || connection.send.unsent() > u64::from(connection.send.available())
    {
        return false;
    }
    if shared.corked.load(Ordering::Relaxed) {
        return true;
    }
    !shared.no_delay.load(Ordering::Relaxed) && connection.send.in_flight() > 0
}

/// Records the mapping of bytes that TCP is about to be given.
fn map(connection: &mut Connection, tcp: &Tcp<'_>, dsn: Dsn, pieces: Gathered) -> Step {
    connection.moments.data_sent = Moment::now();
    let len = u16::try_from(pieces.len()).unwrap_or(u16::MAX);
    let (mptcp, checksums) = (connection.speaks_mptcp(), connection.agreed.checksum);
    let Some(subflow) = connection.subflow.as_mut() else {
        return Step::Rest;
    };
    if mptcp {
        let ssn = subflow.sent(tcp.write_seq());
        let checksum = checksums.then(|| {
            let mut sum = DssChecksum::new();
            pieces.checksums(|partial, len| sum.add_partial(partial, len));
            sum.finish(dsn, ssn, len)
        });
        if subflow
            .tx
            .push(TxRecord {
                ssn,
                dsn,
                len,
                checksum,
            })
            .is_err()
        {
            return Step::Rest;
        }
    }
    Step::Data(dsn, pieces)
}
