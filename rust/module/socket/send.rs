// SPDX-License-Identifier: GPL-2.0

//! `send`: bytes are copied once, into pages that TCP takes references to.

use crate::protocol::{Meta, Mptcp};
use crate::steering;
use crate::subflow::push;
use crate::timer;
use core::sync::atomic::Ordering;
use kernel::prelude::*;
use knet::fragments::Written;
use knet::message::{flag, Message};
use knet::meta::{DataGuard, OwnerGuard};
use knet::sock::{shutdown, State};

/// Bytes after which TCP is given what was written so far.
const BURST: u64 = 256 * 1024;

/// `sendmsg`.
pub(crate) fn send(meta: &Meta, message: &mut Message<'_>) -> Result<usize> {
    // rfc8684:3.3.1-16
    if message.has(flag::OOB) || message.has(flag::FASTOPEN) {
        return Err(EOPNOTSUPP);
    }
    steering::writes(meta);
    let mut owner = meta.lock();
    let mut timeout = meta.sock().send_timeout(message.has(flag::DONTWAIT));
    let mut copied = 0;
    match write(&mut owner, message, &mut timeout, &mut copied) {
        Ok(Given::All) => Ok(copied),
        Ok(Given::Some) | Err(_) if copied > 0 => {
            give_to_subflow(&owner, message.has(flag::MORE));
            Ok(copied)
        }
        Ok(Given::Some) => Ok(0),
        Err(error) => Err(owner.send_error(message.flags, error)),
    }
}

/// What of a message the subflow knows of already.
enum Given {
    All,
    Some,
}

/// Copies the message to the send queue, waiting for room where it may.
fn write(
    owner: &mut OwnerGuard<'_, Mptcp>,
    message: &mut Message<'_>,
    timeout: &mut c_long,
    copied: &mut usize,
) -> Result<Given> {
    let meta = owner.meta();
    let sock = meta.sock();
    if !matches!(sock.state(), State::Established | State::CloseWait) {
        owner.wait_for_connection(timeout)?;
    }
    while message.left() > 0 {
        if sock.peek_error() != 0 || sock.shutdown() & shutdown::SEND != 0 {
            return Err(EPIPE);
        }
        if !sock.has_send_room() {
            give_to_subflow(owner, false);
            if !sock.has_send_room() {
                owner.wait_for_room(timeout)?;
                continue;
            }
        }
        let Some(written) = message.copy_in(owner, BURST as usize)? else {
            owner.wait_for_room(timeout)?;
            continue;
        };
        let len = written.len as usize;
        let last = message.left() == 0 && !message.has(flag::MORE);
        let several = meta.shared().several.load(Ordering::Relaxed);
        if let Some(first) = owner.subflow.as_ref().filter(|_| last && !several) {
            // Under one lock.
            let mut tcp = first.lock();
            let mut connection = meta.lock_data();
            append(&mut connection, written)?;
            let elsewhere = push::push_held(connection, &mut tcp);
            drop(tcp);
            if elsewhere.is_some() {
                meta.schedule_softirq_work();
            }
            push::after_process(meta);
            *copied = copied.saturating_add(len);
            return Ok(Given::All);
        }
        let unsent = {
            let mut connection = meta.lock_data();
            append(&mut connection, written)?;
            connection.send.unsent()
        };
        *copied = copied.saturating_add(len);
        if unsent >= BURST && message.left() > 0 {
            give_to_subflow(owner, false);
        }
    }
    Ok(Given::Some)
}

/// Appends what was copied to the send queue.
fn append(connection: &mut DataGuard<'_, Mptcp>, written: Written) -> Result {
    let len = written.len;
    if !connection.charge_send(len) {
        return Err(ENOBUFS);
    }
    if let Err(error) = connection.queue.append(written) {
        connection.uncharge_send(u64::from(len));
        return Err(error);
    }
    connection.send.on_written(len);
    Ok(())
}

/// Lets the subflow send what waits. With `more`, a piece that is not full waits too.
fn give_to_subflow(owner: &OwnerGuard<'_, Mptcp>, more: bool) {
    if more {
        let mut connection = owner.meta().lock_data();
        let first = connection.subflows.live().next();
        let mss = first.map_or(0, |(_, one)| knet::subflow::pace(&one.sock).mss);
        if connection.send.unsent() < u64::from(mss) {
            return timer::limit_cork(&mut connection);
        }
    }
    push::push_owned(owner);
}
