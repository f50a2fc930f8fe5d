// SPDX-License-Identifier: GPL-2.0

//! What the segments of a subflow say: options and window.

use crate::connection::{count, Connection, Mode};
use crate::counters::Counter;
use crate::netns::Namespace;
use crate::protocol::{Meta, Mptcp};
use crate::subflow::handshake::policy;
use crate::subflow::table::SubflowState;
use crate::subflow::{errand, join};
use knet::meta::DataGuard;
use knet::netns::PerNet;
use knet::segment::{OptionEdit, Outgoing};
use knet::sock::Sock;
use knet::subflow::{window_of_space, Tcp};
use mptcp_core::connection::blackhole::{offers_mptcp, SYN_REPETITIONS};
use mptcp_core::connection::handshake::client_syn;
use mptcp_core::connection::speech::{self, Reset, Speaker};
use mptcp_core::mapping::TxRecord;
use mptcp_core::receive::scaled;
use mptcp_core::scheduler::PathId;
use mptcp_core::wire::plan::{write, write_dss, Wanted, Written};
use mptcp_core::wire::Dss;

/// A segment is about to leave. The subflow is locked.
pub(crate) fn transmit(
    meta: &Meta,
    tcp: &mut Tcp<'_>,
    segment: &Outgoing<'_>,
    edit: &mut OptionEdit,
) {
    let sock = meta.sock();
    let free = receive_space(meta, tcp.sock());
    let scale = tcp.receive_window_scale();
    let mut connection = meta.lock_data();
    let Some(path) = connection.subflows.number_of(tcp.sock()) else {
        return;
    };
    if connection.mode == Mode::Mptcp && !segment.flags.syn() && !segment.flags.rst() {
        edit.window = Some(window(&mut connection, segment, free, scale));
        if let Some(dss) = lone_dss(&connection, path, segment) {
            drop(connection);
            count(meta, Counter::TxHookSegments);
            let droppable = || segment.droppable();
            return finish(
                write_dss(&dss, segment.free, droppable, edit.buffer()),
                sock,
                edit,
            );
        }
    }
    transmit_other(connection, path, tcp, segment, edit);
}

/// As [`transmit`], for the few segments that do not say just a DSS.
#[inline(never)]
fn transmit_other(
    mut connection: DataGuard<'_, Mptcp>,
    path: PathId,
    tcp: &Tcp<'_>,
    segment: &Outgoing<'_>,
    edit: &mut OptionEdit,
) {
    let meta = connection.meta();
    let sock = meta.sock();
    let wanted = match connection.mode {
        Mode::Connecting => {
            let again = tcp.retransmits();
            if segment.flags.syn() && !segment.flags.ack() {
                begin_connect(&mut connection, sock, segment, again, edit);
            }
            return;
        }
        Mode::Fallback if segment.flags.rst() => return,
        Mode::Fallback => {
            let free = receive_space(meta, tcp.sock());
            let scale = tcp.receive_window_scale();
            edit.window = Some(window(&mut connection, segment, free, scale));
            let acked = tcp.snd_una();
            match connection.subflows.at_mut(path) {
                Some(subflow) if !subflow.farewell.is_over() => {
                    last_words(subflow, sock, acked, segment)
                }
                _ => return,
            }
        }
        Mode::Mptcp if segment.flags.syn() => {
            if !segment.flags.ack() {
                join::speak_syn(&mut connection, path, segment, tcp.retransmits(), edit);
            }
            return;
        }
        Mode::Mptcp if segment.flags.rst() => reset(&connection, path, sock),
        Mode::Mptcp => match errand::of(&connection, path, segment) {
            Some(wanted) => {
                drop(connection);
                count(sock, Counter::TxHookSegments);
                return errand::write(meta, path, &wanted, segment, edit);
            }
            None => speech(&connection, path, segment),
        },
    };
    let mptcp = connection.speaks_mptcp();
    drop(connection);
    if mptcp {
        count(meta, Counter::TxHookSegments);
    }
    finish(
        write(&wanted, segment.free, segment.droppable(), edit.buffer()),
        sock,
        edit,
    );
}

/// Takes note of what was written into the buffer of `edit`.
fn finish(written: Option<Written>, sock: &Sock, edit: &mut OptionEdit) {
    if let Some(written) = written {
        edit.set_length(written.length);
        if written.trimmed {
            count(sock, Counter::SackTrimmed);
        }
    }
}

/// Bytes of data for which the meta-socket has room beside all that it holds.
pub(crate) fn receive_space(meta: &Meta, tcp: &Sock) -> u32 {
    let sock = meta.sock();
    let space = sock.receive_buffer().saturating_sub(sock.receive_memory());
    window_of_space(tcp, space)
}

/// The window field to send: what the connection has room for, within what the subflow's TCP takes.
///
/// RFC 8684 section 3.3.1: the window is relative to the DATA_ACK and shared by all subflows.
fn window(connection: &mut Connection, segment: &Outgoing<'_>, free: u32, scale: u8) -> u16 {
    let subflow = scaled(segment.window, scale);
    let rcv_nxt = connection.receive.rcv_nxt();
    // What waits out of order lies in the window and has its room.
    let free = free.saturating_add(connection.waiting());
    connection
        .window
        .advertise(rcv_nxt, free.min(subflow), scale)
        .min(segment.window)
}

/// The SYN, and how often it was sent before.
fn begin_connect(
    connection: &mut Connection,
    sock: &Sock,
    segment: &Outgoing<'_>,
    again: u8,
    edit: &mut OptionEdit,
) {
    let limit = Namespace::of(sock.net()).map_or(SYN_REPETITIONS, |namespace| {
        namespace.settings.syn_retrans_before_tcp_fallback()
    });
    let tokenless = connection.tokenless;
    let Some(subflow) = connection.subflows.first_mut() else {
        return;
    };
    subflow.local_isn = segment.seq;
    if tokenless {
        return;
    }
    if !offers_mptcp(again, limit) {
        if subflow.offered {
            count(sock, Counter::MpCapableSynTxDrop);
        }
        subflow.offered = false;
        return;
    }
    connection.policy = policy(sock);
    if let Some(length) = client_syn(connection.policy).emit(edit.buffer()) {
        edit.set_length(length);
        if again == 0 {
            count(sock, Counter::MpCapableSynTx);
        }
        subflow.offered = true;
    }
}

/// What a RST says.
fn reset(connection: &Connection, path: PathId, sock: &Sock) -> Wanted {
    let reset = connection
        .subflows
        .at(path)
        .map_or(Reset::Tcp, |subflow| subflow.reset);
    match reset {
        Reset::Tcp => {}
        Reset::Fastclose => count(sock, Counter::MpFastcloseTx),
        Reset::Reason(_) | Reset::Fail(_) => count(sock, Counter::MpRstTx),
    }
    speech::of_reset(reset, connection.remote_key)
}

/// What a segment of an established connection says.
fn speech(connection: &Connection, path: PathId, segment: &Outgoing<'_>) -> Wanted {
    let Some(subflow) = connection.subflows.at(path) else {
        return Wanted::default();
    };
    if let Some(wanted) = join::speech(subflow) {
        return wanted;
    }
    let has_data = segment.payload_len > 0;
    speech::of_segment(&speaker(connection), has_data, mapping(subflow, segment))
}

/// The DSS of a segment of an established connection, if it says nothing else.
fn lone_dss(connection: &Connection, path: PathId, segment: &Outgoing<'_>) -> Option<Dss> {
    let subflow = connection.subflows.at(path)?;
    let has_data = segment.payload_len > 0;
    let joining = subflow.join.is_some() && !subflow.live;
    if joining || (subflow.errand.is_some() && !has_data) {
        return None;
    }
    speech::lone_dss(&speaker(connection), has_data, mapping(subflow, segment))
}

/// The mapping of the data of a segment.
#[inline(always)]
fn mapping<'a>(subflow: &'a SubflowState, segment: &Outgoing<'_>) -> Option<&'a TxRecord> {
    match segment.payload_len {
        0 => None,
        _ => subflow.tx.covering(subflow.sent(segment.seq)),
    }
}

/// What the connection's segments say depends on this.
fn speaker(connection: &Connection) -> Speaker {
    Speaker {
        client: connection.client,
        fully_established: connection.fully_established,
        policy: connection.policy,
        agreed: connection.agreed,
        keys: connection.keys(),
        rcv_nxt: connection.receive.rcv_nxt(),
        fin_in_flight: connection
            .send
            .fin()
            .filter(|_| connection.send.fin_in_flight()),
    }
}

/// What a segment says after a fallback in the middle of the connection; `acked` is the first
/// sequence number that the peer has not acknowledged.
fn last_words(
    subflow: &mut SubflowState,
    sock: &Sock,
    acked: u32,
    segment: &Outgoing<'_>,
) -> Wanted {
    let (at, acked) = (subflow.sent(segment.seq), subflow.sent(acked));
    let wanted = subflow.farewell.say(at, segment.payload_len > 0, acked);
    if wanted.mp_fail.is_some() {
        count(sock, Counter::MpFailTx);
    }
    if wanted.dss.is_some() {
        count(sock, Counter::InfiniteMapTx);
    }
    wanted
}
