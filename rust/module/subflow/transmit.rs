// SPDX-License-Identifier: GPL-2.0

//! What the segments of a subflow say: options and window.

use crate::connection::{count, Connection, Mode, Reset};
use crate::counters::Counter;
use crate::netns::Namespace;
use crate::protocol::Meta;
use crate::subflow::handshake::policy;
use knet::netns::PerNet;
use knet::segment::{OptionEdit, Outgoing};
use knet::sock::Sock;
use knet::subflow::{window_of_space, Tcp};
use mptcp_core::connection::handshake::{
    client_ack, client_speaks, client_syn, ClientSpeaks, FirstMapping,
};
use mptcp_core::mapping::{DssChecksum, TxRecord};
use mptcp_core::seq::Ssn;
use mptcp_core::wire::plan::{plan, Wanted};
use mptcp_core::wire::{Dss, DssMap, MpFastclose, MpTcpRst, WireSeq};

/// A segment is about to leave. The subflow is locked.
pub(crate) fn transmit(meta: &Meta, tcp: &mut Tcp<'_>, segment: &Outgoing, edit: &mut OptionEdit) {
    let sock = meta.sock();
    let free = receive_space(meta, tcp.sock());
    let scale = tcp.receive_window_scale();
    let mut connection = meta.lock_data();
    if connection.subflow_of(tcp.sock()).is_none() {
        return;
    }
    match connection.mode {
        Mode::Connecting => {
            let again = tcp.retransmits();
            if segment.flags.syn() && !segment.flags.ack() {
                begin_connect(&mut connection, sock, segment, again, edit);
            }
            return;
        }
        Mode::Fallback => {
            if !segment.flags.rst() {
                edit.window = Some(window(&mut connection, segment, free, scale));
            }
            return;
        }
        Mode::Mptcp => {}
    }
    count(sock, Counter::TxHookSegments);
    let wanted = if segment.flags.rst() {
        last_words(&connection, sock)
    } else {
        edit.window = Some(window(&mut connection, segment, free, scale));
        speech(&connection, sock, segment)
    };
    drop(connection);
    let mut chosen = plan(&wanted, segment.free);
    if chosen.missing > 0 && segment.droppable > 0 {
        chosen = plan(&wanted, segment.free.saturating_add(segment.droppable));
        count(sock, Counter::SackTrimmed);
    }
    if let Some(length) = chosen.emit(edit.buffer()) {
        edit.set_length(length);
    }
}

/// Bytes of data for which the meta-socket has room.
pub(crate) fn receive_space(meta: &Meta, tcp: &Sock) -> u32 {
    let sock = meta.sock();
    let space = sock.receive_buffer().saturating_sub(sock.receive_memory());
    u32::try_from(window_of_space(tcp, space.max(0))).unwrap_or(0)
}

/// The window field to send: what the connection has room for, within what the subflow's TCP takes.
///
/// RFC 8684 section 3.3.1: the window is relative to the DATA_ACK and shared by all subflows.
fn window(connection: &mut Connection, segment: &Outgoing, free: u32, scale: u8) -> u16 {
    let scale = scale.min(14);
    let subflow = u32::from(segment.window) << scale;
    let rcv_nxt = connection.receive.rcv_nxt();
    connection
        .window
        .advertise(rcv_nxt, free.min(subflow), scale)
        .min(segment.window)
}

/// The SYN, and how often it was sent before.
fn begin_connect(
    connection: &mut Connection,
    sock: &Sock,
    segment: &Outgoing,
    again: u8,
    edit: &mut OptionEdit,
) {
    let limit = Namespace::of(sock.net()).map_or(2, |namespace| {
        namespace.settings.syn_retrans_before_tcp_fallback()
    });
    let Some(subflow) = connection.subflow.as_mut() else {
        return;
    };
    subflow.local_isn = segment.seq;
    // RFC 8684 section 3.1: the path may drop SYNs with options it does not know, so that after
    // some the connection is tried as plain TCP. 128 and more means never.
    if limit < 128 && u32::from(again) > limit {
        if subflow.offered {
            count(sock, Counter::MpCapableSynTxDrop);
        }
        subflow.offered = false;
        return;
    }
    if let Some(length) = client_syn(policy(sock)).emit(edit.buffer()) {
        edit.set_length(length);
        if again == 0 {
            count(sock, Counter::MpCapableSynTx);
        }
        subflow.offered = true;
    }
}

/// What a RST says.
fn last_words(connection: &Connection, sock: &Sock) -> Wanted {
    let reset = connection
        .subflow
        .as_ref()
        .map_or(Reset::Tcp, |subflow| subflow.reset);
    match reset {
        Reset::Tcp => Wanted::default(),
        // RFC 8684 section 3.5: the peer's key proves that the sender is the peer.
        Reset::Fastclose => {
            count(sock, Counter::MpFastcloseTx);
            Wanted {
                fastclose: Some(MpFastclose {
                    receiver: connection.remote_key,
                }),
                ..Wanted::default()
            }
        }
        Reset::Reason(reason) => {
            count(sock, Counter::MpRstTx);
            Wanted {
                tcp_rst: Some(MpTcpRst {
                    transient: false,
                    reason,
                }),
                ..Wanted::default()
            }
        }
    }
}

/// What a segment of an established connection says.
fn speech(connection: &Connection, sock: &Sock, segment: &Outgoing) -> Wanted {
    let Some(subflow) = connection.subflow.as_ref() else {
        return Wanted::default();
    };
    let has_data = segment.payload_len > 0;
    let record = if has_data {
        subflow.tx.covering(subflow.sent(segment.seq))
    } else {
        None
    };
    let speaks = if connection.client {
        let first = record.is_some_and(|record| record.ssn == Ssn::new(1));
        client_speaks(connection.fully_established, has_data, first)
    } else {
        ClientSpeaks::Dss
    };
    let first = record.map(|record| FirstMapping {
        len: record.len,
        checksum: record.checksum,
    });
    let capable = match speaks {
        ClientSpeaks::Dss => None,
        ClientSpeaks::CapableAck if connection.send.fin_in_flight() => None,
        ClientSpeaks::CapableAck => Some(None),
        ClientSpeaks::CapableData => Some(first),
    };
    if let Some(first) = capable {
        let keys = connection.keys();
        let option = client_ack(
            policy(sock),
            connection.agreed,
            keys.sender,
            keys.receiver,
            first,
        );
        return Wanted {
            mp_capable: Some(option),
            ..Wanted::default()
        };
    }
    let map = match record {
        Some(record) => Some(mapping(record)),
        None if has_data => None,
        None => fin_mapping(connection),
    };
    let dss = Dss {
        data_ack: Some(WireSeq::long(connection.receive.rcv_nxt())),
        map,
        data_fin: !has_data && map.is_some(),
    };
    Wanted {
        dss: Some(dss),
        ..Wanted::default()
    }
}

fn mapping(record: &TxRecord) -> DssMap {
    DssMap {
        dsn: WireSeq::long(record.dsn),
        ssn: record.ssn,
        len: record.len,
        checksum: record.checksum,
    }
}

/// The mapping of a DATA_FIN without data, while it is not acknowledged.
///
/// RFC 8684 section 3.3.3: it has subflow sequence number zero and length one.
fn fin_mapping(connection: &Connection) -> Option<DssMap> {
    let fin = connection
        .send
        .fin()
        .filter(|_| connection.send.fin_in_flight())?;
    let ssn = Ssn::new(0);
    let checksum = connection
        .agreed
        .checksum
        .then(|| DssChecksum::new().finish(fin, ssn, 1));
    Some(DssMap {
        dsn: WireSeq::long(fin),
        ssn,
        len: 1,
        checksum,
    })
}
