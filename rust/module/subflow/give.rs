// SPDX-License-Identifier: GPL-2.0

//! What a subflow is given of the send queue: chosen, gathered, mapped, handed to TCP.

use crate::connection::{count, Connection, Mode};
use crate::counters::Counter;
use crate::protocol::{Meta, Mptcp};
use crate::subflow::mappings;
use crate::subflow::schedule::{self, Turn};
use crate::timer;
use core::sync::atomic::Ordering;
use knet::congestion::Window;
use knet::fragments::Gathered;
use knet::meta::DataGuard;
use knet::subflow::{Burst, Tcp};
use knet::time::Moment;
use mptcp_core::connection::ending::{fin_goes_along, is_over};
use mptcp_core::connection::fallback::is_untold;
use mptcp_core::connection::push::{next_step, only_rest_waits, Conditions, Step};
use mptcp_core::mapping::{DssChecksum, TxRecord};
use mptcp_core::scheduler::{penalised, PathId, PathSet};
use mptcp_core::seq::Dsn;

/// What a subflow was given.
#[derive(Default)]
pub(crate) struct Given {
    /// Segments lie in TCP's queue that it was not told of.
    queued: bool,
    /// The subflow whose turn it is now.
    pub(crate) elsewhere: Option<PathId>,
}

impl Given {
    /// Lets TCP send what was queued. The data lock must be free, because what leaves needs it.
    #[inline]
    pub(crate) fn let_go(&self, tcp: &mut Tcp<'_>) {
        if self.queued {
            tcp.ask_for_push();
        }
    }
}

/// What a look at the send queue led to.
enum Next {
    /// Bytes were gathered for TCP; they start at the data sequence number.
    Data(Dsn),
    /// All data was given: tell the peer that no more follows.
    Fin,
    /// It is another subflow's turn.
    Elsewhere(PathId),
    /// Nothing now.
    Rest,
}

/// Gives as much data to a subflow as it, the scheduler and the peer's window allow. The subflow is locked, and so
/// is the data, whose lock may be given up and taken again meanwhile. What was queued leaves with [`Given::let_go`].
pub(crate) fn give<'a>(
    mut connection: DataGuard<'a, Mptcp>,
    path: PathId,
    tcp: &mut Tcp<'_>,
) -> (DataGuard<'a, Mptcp>, Given) {
    let meta = connection.meta();
    let mut given = Given::default();
    let mut work = has_work(&connection, path);
    if work && claim(&mut connection, path) {
        let mut pieces = Gathered::new();
        let mut freed = false;
        let burst = tcp.burst_of(connection.send.unsent());
        while work {
            match next(&mut connection, path, tcp, burst, &mut pieces) {
                Next::Data(dsn) => {
                    let mut taken = tcp.enqueue(&mut pieces, burst);
                    given.queued |= taken > 0;
                    if taken == 0 {
                        // This way the data leaves at once.
                        drop(connection);
                        taken = tcp.splice(&mut pieces).unwrap_or(0);
                        connection = meta.lock_data();
                    }
                    let end = dsn.plus(taken as u64);
                    freed |= connection.mode == Mode::Fallback;
                    if !settle(&mut connection, path, tcp, end, &mut pieces) {
                        break;
                    }
                }
                Next::Fin => {
                    let plain = connection.mode == Mode::Fallback;
                    let closes = plain || connection.closed_with_stream;
                    drop(connection);
                    finish(meta, tcp, closes);
                    connection = meta.lock_data();
                }
                Next::Elsewhere(other) => {
                    given.elsewhere = Some(other);
                    break;
                }
                Next::Rest => break,
            }
            work = has_work(&connection, path);
        }
        if let Some(subflow) = connection.subflows.at_mut(path) {
            subflow.pushing = false;
        }
        if freed && meta.sock().wants_room() {
            meta.sock().notify_writeable();
        }
    }
    if given.elsewhere.is_none() {
        // By the time that somebody has more to give, all may be different.
        connection.granted = None;
    }
    ask_for_room(&mut connection, path, tcp, work);
    (connection, given)
}

/// Whether there may be something to give.
fn has_work(connection: &Connection, path: PathId) -> bool {
    let Some(subflow) = connection.subflows.at(path).filter(|one| one.live) else {
        return false;
    };
    connection.mode != Mode::Connecting
        && (subflow.partial.is_some()
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

/// Lets TCP report every acknowledgement as room as long as something depends on one: `work` that is left,
/// for example, or whether the peer understands what it was given.
fn ask_for_room(
    connection: &mut DataGuard<'_, Mptcp>,
    path: PathId,
    tcp: &mut Tcp<'_>,
    work: bool,
) {
    let sock = connection.meta().sock();
    let waiting = work || connection.mode == Mode::Connecting || !sock.is_writeable();
    let mptcp = connection.speaks_mptcp();
    let wanted = connection.subflows.at(path).is_some_and(|subflow| {
        waiting || subflow.ack_due || (mptcp && is_untold(subflow.heard_ever, subflow.given))
    });
    tcp.report_room(wanted);
}

/// Tells the peer that no more data follows: with a DATA_FIN, and if that `closes` the subflow with a FIN, which is
/// all that plain TCP says.
fn finish(meta: &Meta, tcp: &mut Tcp<'_>, closes: bool) {
    if !closes {
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
    burst: Burst,
    pieces: &mut Gathered,
) -> Next {
    let meta = connection.meta();
    let mptcp = connection.speaks_mptcp();
    let drained = connection.send.probe_due() && tcp.is_drained();
    let corked = meta.shared().corked.load(Ordering::Relaxed) && !connection.timers.uncorked;
    let Some(subflow) = connection.subflows.at_mut(path) else {
        return Next::Rest;
    };
    if core::mem::take(&mut subflow.penalty_due) {
        let Window { cwnd, ssthresh } = tcp.congestion_window();
        let (cwnd, ssthresh) = penalised(cwnd, ssthresh);
        tcp.set_congestion_window(Window { cwnd, ssthresh });
    }
    let room = tcp.sock().has_send_room();
    // A mapping that TCP has begun must be finished before anything else.
    if let Some((dsn, rest)) = subflow.partial.take_if(|_| room) {
        *pieces = rest;
        return Next::Data(dsn);
    }
    let acked = subflow.sent(tcp.snd_una());
    subflow.tx.acked(acked);
    let mappings_full = mappings::is_full(&mut subflow.tx);
    let mut conditions = Conditions {
        mptcp,
        mappings_full,
        mss: tcp.mss(),
        // More would become one segment and a small one after it.
        most: burst.largest_piece(),
        drained,
        no_delay: meta.shared().no_delay.load(Ordering::Relaxed),
        corked,
    };
    if only_rest_waits(&connection.send, &conditions) {
        return rest(connection, corked);
    }
    let (most, others) = match share(connection, path, tcp.mss(), mptcp) {
        Ok(share) => share,
        Err(other) => return Next::Elsewhere(other),
    };
    if !room {
        return Next::Rest;
    }
    conditions.most = most.min(conditions.most);
    let step = next_step(&connection.send, &conditions);
    if let (Step::New { from, len } | Step::Again { from, len }, false) = (step, others.is_empty())
    {
        // The others get the same.
        connection.copies_due = Some((from, from.plus(u64::from(len))));
    }
    match step {
        Step::New { from, len } => give_new(connection, path, tcp, from, len, pieces),
        Step::Probe { from } => {
            count(meta, Counter::WinProbe);
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
            count(meta, Counter::MptcpRetrans);
            map(connection, path, tcp, from, pieces)
        }
        Step::Fin => {
            connection.send.on_fin_sent();
            let rest = connection.rest();
            connection.closed_with_stream =
                may_close_with_stream(connection) && fin_goes_along(&rest, &connection.send);
            if !connection.closed_with_stream || !is_over(&connection.rest(), &connection.send) {
                timer::watch(connection, tcp);
            }
            Next::Fin
        }
        Step::MappingsFull => {
            count(meta, Counter::TxMappingFull);
            Next::Rest
        }
        Step::Rest => rest(connection, corked),
    }
}

/// Nothing is given now; who holds segments back may not do so for ever.
fn rest(connection: &mut DataGuard<'_, Mptcp>, corked: bool) -> Next {
    if corked {
        timer::limit_cork(connection);
    }
    Next::Rest
}

/// Whether the end of the stream may be the end of the only subflow too: nobody needs it any more, there is no
/// other, and the peer is known to hear what options say.
fn may_close_with_stream(connection: &Connection) -> bool {
    let subflows = &connection.subflows;
    let alone = !subflows.joined
        && !subflows.answered
        && subflows.numbers().without(PathId::FIRST).is_empty();
    let heard = subflows.first().is_some_and(|first| first.heard_ever);
    connection.closing && alone && heard && connection.fully_established
}

/// How many bytes the subflow may be given now, and which others shall get the same; the error is the
/// subflow whose turn it is instead.
fn share(
    connection: &mut Connection,
    path: PathId,
    mss: u32,
    mptcp: bool,
) -> core::result::Result<(u32, PathSet), PathId> {
    if !mptcp || !connection.subflows.joined {
        return Ok((u32::MAX, PathSet::EMPTY));
    }
    match schedule::turn_of(connection, path, mss) {
        Turn::Of(whose, most) if whose == path => Ok((most, PathSet::EMPTY)),
        Turn::Of(whose, _) => Err(whose),
        Turn::OfAll(paths, most) if paths.contains(path) => Ok((most, paths.without(path))),
        Turn::OfAll(paths, _) => Err(paths.iter().next().unwrap_or(path)),
        Turn::Nobody => Ok((0, PathSet::EMPTY)),
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
    connection.send.on_segments_pushed(len, tcp.mss());
    timer::new_data_left(connection);
    map(connection, path, tcp, from, pieces)
}

/// Records the mapping of bytes that TCP is about to be given.
fn map(
    connection: &mut DataGuard<'_, Mptcp>,
    path: PathId,
    tcp: &Tcp<'_>,
    dsn: Dsn,
    pieces: &Gathered,
) -> Next {
    connection.moments.data_sent = Moment::now();
    if let Some(grant) = connection.granted.as_mut() {
        grant.take(pieces.len() as u32);
    }
    let len = u16::try_from(pieces.len()).unwrap_or(u16::MAX);
    let (mptcp, checksums) = (connection.speaks_mptcp(), connection.agreed.checksum);
    let Some(subflow) = connection.subflows.at_mut(path) else {
        return Next::Rest;
    };
    if mptcp {
        if tcp.is_drained() {
            subflow.last_progress_us = knet::time::now_us();
        }
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
        if let Some((from, end)) = connection.copies_due.take() {
            connection.send.send_again(from, end);
        }
        if connection.subflows.joined {
            timer::watch_silence(connection, tcp.rto_us());
        }
    }
    Next::Data(dsn)
}
