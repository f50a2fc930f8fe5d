// SPDX-License-Identifier: GPL-2.0

//! Giving data to a subflow.

use crate::connection::{count, Connection, Mode};
use crate::counters::Counter;
use crate::protocol::{Meta, Mptcp};
use crate::subflow::delivery;
use crate::timer;
use core::sync::atomic::Ordering;
use knet::fragments::Gathered;
use knet::meta::DataGuard;
use knet::sock::State;
use knet::subflow::Tcp;
use knet::time::Moment;
use mptcp_core::connection::push::{next_step, Conditions, Step};
use mptcp_core::mapping::{DssChecksum, TxRecord};
use mptcp_core::scheduler::PathId;
use mptcp_core::seq::{Dsn, Ssn};

/// What a look at the send queue led to.
enum Next {
    /// Bytes were gathered for TCP; they start at the data sequence number.
    Data(Dsn),
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
    let mut connection = meta.lock_data();
    let Some(path) = connection.subflows.number_of(tcp.sock()) else {
        return;
    };
    let deaf = peer_is_deaf(&connection, path, tcp);
    if deaf {
        // RFC 8684 section 3.7: an acknowledgement of data without a data acknowledgement, before
        // any of those came, means that the path or the peer does not speak MPTCP.
        count(sock, Counter::MpCapableDataFallback);
        delivery::fall_back(&mut connection);
    }
    connection = give(connection, path, tcp);
    let subflow = connection.subflows.at_mut(path);
    let ack_due = subflow.is_some_and(|subflow| core::mem::take(&mut subflow.ack_due));
    drop(connection);
    if deaf && sock.wants_room() {
        sock.notify_writeable();
    }
    if ack_due && tcp.sock().state() != State::Close {
        tcp.send_ack();
    }
}

/// Gives as much data to a subflow as it and the peer's window take. The subflow is locked.
pub(crate) fn push(meta: &Meta, tcp: &mut Tcp<'_>) {
    let connection = meta.lock_data();
    if let Some(path) = connection.subflows.number_of(tcp.sock()) {
        drop(give(connection, path, tcp));
    }
}

/// Whether TCP had data of ours acknowledged while no option shows that the peer understands it.
fn peer_is_deaf(connection: &Connection, path: PathId, tcp: &Tcp<'_>) -> bool {
    if !connection.speaks_mptcp() {
        return false;
    }
    let Some(subflow) = connection.subflows.at(path) else {
        return false;
    };
    let first = Ssn::new(1);
    if subflow.heard_ever || !subflow.given.after(first) {
        return false;
    }
    let next = subflow.received(tcp.copied_seq());
    subflow.sent(tcp.snd_una()).after(first) && connection.circumstances(path, next).contiguous()
}

/// As [`push`], for a caller that holds the data lock; it is given up and taken again.
fn give<'a>(
    mut connection: DataGuard<'a, Mptcp>,
    path: PathId,
    tcp: &mut Tcp<'_>,
) -> DataGuard<'a, Mptcp> {
    let meta = connection.meta();
    if has_work(&connection, path) && claim(&mut connection, path) {
        let mut pieces = Gathered::new();
        let mut freed = false;
        loop {
            match next(&mut connection, path, tcp, &mut pieces) {
                Next::Data(dsn) => {
                    drop(connection);
                    let taken = tcp.splice(&mut pieces, false).unwrap_or(0);
                    connection = meta.lock_data();
                    let end = dsn.plus(taken as u64);
                    freed |= connection.mode == Mode::Fallback;
                    if !settle(&mut connection, path, tcp, end, &mut pieces) {
                        break;
                    }
                }
                Next::Fin => {
                    let plain = connection.mode == Mode::Fallback;
                    drop(connection);
                    finish(meta, tcp, plain);
                    connection = meta.lock_data();
                }
                Next::Rest => break,
            }
        }
        if let Some(subflow) = connection.subflows.at_mut(path) {
            subflow.pushing = false;
        }
        if freed && meta.sock().wants_room() {
            meta.sock().notify_writeable();
        }
    }
    ask_for_room(&mut connection, path, tcp);
    connection
}

/// Whether there may be something to give.
fn has_work(connection: &Connection, path: PathId) -> bool {
    let begun = connection
        .subflows
        .at(path)
        .is_some_and(|subflow| subflow.partial.is_some());
    connection.mode != Mode::Connecting
        && (begun
            || connection.send.unsent() > 0
            || connection.send.fin_due()
            || connection.send.retransmit_next().is_some())
}

/// Claims the subflow for pushing; `false`: the push that runs already will see to it.
fn claim(connection: &mut Connection, path: PathId) -> bool {
    match connection.subflows.at_mut(path) {
        Some(subflow) => !core::mem::replace(&mut subflow.pushing, true),
        None => false,
    }
}

/// Lets TCP report every acknowledgement as room as long as something depends on one.
fn ask_for_room(connection: &mut DataGuard<'_, Mptcp>, path: PathId, tcp: &mut Tcp<'_>) {
    let sock = connection.meta().sock();
    let waiting =
        has_work(connection, path) || connection.mode == Mode::Connecting || !sock.is_writeable();
    let mptcp = connection.speaks_mptcp();
    let wanted = connection
        .subflows
        .at(path)
        .is_some_and(|subflow| waiting || subflow.ack_due || (mptcp && !subflow.heard_ever));
    tcp.report_room(wanted);
}

/// Tells the peer that no more data follows: with a DATA_FIN, or as `plain` TCP with a FIN.
fn finish(meta: &Meta, tcp: &mut Tcp<'_>, plain: bool) {
    if !plain {
        tcp.send_ack();
        return;
    }
    tcp.shut_down_send();
    // TCP finishes alone what it was given.
    if meta.sock().is_orphan() {
        meta.schedule_work();
    }
}

/// Takes note that TCP took all bytes before `end` and none of `rest`, which follows. Returns whether
/// TCP took all.
fn settle(
    connection: &mut DataGuard<'_, Mptcp>,
    path: PathId,
    tcp: &Tcp<'_>,
    end: Dsn,
    rest: &mut Gathered,
) -> bool {
    let all = rest.is_empty();
    if all {
        rest.clear();
    } else if let Some(subflow) = connection.subflows.at_mut(path) {
        subflow.partial = Some((end, core::mem::take(rest)));
    }
    if connection.mode == Mode::Fallback {
        // TCP's own acknowledgements are enough; what it took is done with.
        acknowledge(connection, end, u32::MAX >> 1);
    } else {
        timer::watch(connection, tcp);
    }
    all
}

/// Takes note of a data acknowledgement: frees what it covers. Returns whether there is anything to
/// tell the application or the subflow.
pub(crate) fn acknowledge(connection: &mut DataGuard<'_, Mptcp>, ack: Dsn, window: u32) -> bool {
    let Ok(outcome) = connection.send.on_data_ack(ack, window) else {
        return false;
    };
    connection.moments.acknowledged = Moment::now();
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

/// Chooses what to give to the subflow next, gathers it and takes note of it.
fn next(
    connection: &mut DataGuard<'_, Mptcp>,
    path: PathId,
    tcp: &mut Tcp<'_>,
    pieces: &mut Gathered,
) -> Next {
    let meta = connection.meta();
    let mptcp = connection.speaks_mptcp();
    let drained = connection.send.probe_due() && tcp.is_drained();
    let corked = meta.shared().corked.load(Ordering::Relaxed) && !connection.timers.uncorked;
    let Some(subflow) = connection.subflows.at_mut(path) else {
        return Next::Rest;
    };
    if !tcp.sock().has_send_room() {
        return Next::Rest;
    }
    // A mapping that TCP has begun must be finished before anything else.
    if let Some((dsn, rest)) = subflow.partial.take() {
        *pieces = rest;
        return Next::Data(dsn);
    }
    let acked = subflow.sent(tcp.snd_una());
    subflow.tx.acked(acked);
    let conditions = Conditions {
        mptcp,
        mappings_full: subflow.tx.is_full(),
        mss: tcp.mss(),
        drained,
        no_delay: meta.shared().no_delay.load(Ordering::Relaxed),
        corked,
    };
    match next_step(&connection.send, &conditions) {
        Step::New { from, len } => give_new(connection, path, tcp, from, len, pieces),
        Step::Probe { from } => {
            count(meta.sock(), Counter::WinProbe);
            give_new(connection, path, tcp, from, 1, pieces)
        }
        Step::Again { from, len } => {
            let skip = from.since(connection.send.una());
            connection.queue.gather_at(skip, len, pieces);
            let len = pieces.len() as u32;
            if len == 0 {
                return Next::Rest;
            }
            connection.send.on_retransmitted(len);
            connection.retransmitted = true;
            connection.resent = connection.resent.saturating_add(u64::from(len));
            count(meta.sock(), Counter::MptcpRetrans);
            map(connection, path, tcp, from, pieces)
        }
        Step::Fin => {
            connection.send.on_fin_sent();
            timer::watch(connection, tcp);
            Next::Fin
        }
        Step::MappingsFull => {
            count(meta.sock(), Counter::TxMappingFull);
            Next::Rest
        }
        Step::Rest => {
            if corked {
                timer::limit_cork(connection);
            }
            Next::Rest
        }
    }
}

/// Gathers `len` bytes that were never sent, from `from` on.
fn give_new(
    connection: &mut DataGuard<'_, Mptcp>,
    path: PathId,
    tcp: &Tcp<'_>,
    from: Dsn,
    len: u32,
    pieces: &mut Gathered,
) -> Next {
    connection.queue.gather_unsent(len, pieces);
    let len = pieces.len() as u32;
    if len == 0 {
        return Next::Rest;
    }
    connection.send.on_pushed(len);
    timer::new_data_left(connection);
    map(connection, path, tcp, from, pieces)
}

/// Records the mapping of bytes that TCP is about to be given.
fn map(
    connection: &mut Connection,
    path: PathId,
    tcp: &Tcp<'_>,
    dsn: Dsn,
    pieces: &Gathered,
) -> Next {
    connection.moments.data_sent = Moment::now();
    let len = u16::try_from(pieces.len()).unwrap_or(u16::MAX);
    let (mptcp, checksums) = (connection.speaks_mptcp(), connection.agreed.checksum);
    let Some(subflow) = connection.subflows.at_mut(path) else {
        return Next::Rest;
    };
    if mptcp {
        let ssn = subflow.sent(tcp.write_seq());
        let checksum = checksums.then(|| {
            let mut sum = DssChecksum::new();
            pieces.checksums(|partial, len| sum.add_partial(partial, len));
            sum.finish(dsn, ssn, len)
        });
        let record = TxRecord {
            ssn,
            dsn,
            len,
            checksum,
        };
        if subflow.tx.push(record).is_err() {
            return Next::Rest;
        }
        subflow.given = record.end();
        subflow.heard = false;
    }
    Next::Data(dsn)
}
