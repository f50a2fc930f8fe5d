// SPDX-License-Identifier: GPL-2.0

//! `poll`, and the byte counts of `ioctl`.

use crate::protocol::Meta;
use core::sync::atomic::Ordering;
use kernel::prelude::*;
use knet::message::{event, PollTable};
use knet::sock::{shutdown, State};

/// `poll`: the same answers as TCP's.
pub(crate) fn poll(meta: &Meta, table: &mut PollTable<'_>) -> u32 {
    let sock = meta.sock();
    table.wait();
    let state = sock.state();
    if state == State::Listen {
        let connection = meta.lock_data();
        let waiting = connection
            .subflows
            .first()
            .is_some_and(|subflow| knet::subflow::has_connection_waiting(&subflow.sock));
        return if waiting { event::IN } else { 0 };
    }
    let mut mask = 0;
    let shut = sock.shutdown();
    if shut == shutdown::BOTH || state == State::Close {
        mask |= event::HUP;
    }
    if shut & shutdown::RECEIVE != 0 {
        mask |= event::IN | event::RDHUP;
    }
    if state != State::SynSent {
        let readable = meta.shared().readable.load(Ordering::Acquire);
        let target = sock.receive_target(false, usize::MAX);
        if readable >= target as u64 && readable > 0 {
            mask |= event::IN;
        }
        if shut & shutdown::SEND != 0 || sock.is_writeable() {
            mask |= event::OUT;
        } else {
            table.announce_no_room();
            // Room may have come before the announcement.
            if sock.is_writeable() {
                mask |= event::OUT;
            }
        }
    }
    if sock.peek_error() != 0 {
        mask |= event::ERR;
    }
    mask
}

/// SIOCINQ, SIOCOUTQ and SIOCOUTQNSD: bytes to receive, not acknowledged, not sent.
pub(crate) fn ioctl(meta: &Meta, command: u32) -> Result<i32> {
    use knet::message::ioctl;
    if meta.sock().state() == State::Listen {
        return Err(EINVAL);
    }
    let connection = meta.lock_data();
    let bytes = match command {
        ioctl::INQ => meta.shared().readable.load(Ordering::Acquire),
        ioctl::OUTQ if meta.sock().state() == State::SynSent => 0,
        ioctl::OUTQ => connection.send.unsent() + connection.send.in_flight(),
        ioctl::OUTQNSD => connection.send.unsent(),
        _ => return Err(ENOIOCTLCMD),
    };
    Ok(i32::try_from(bytes).unwrap_or(i32::MAX))
}
