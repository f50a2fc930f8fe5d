// SPDX-License-Identifier: GPL-2.0

//! `recv`: bytes are copied once, from the packets in which they came.

use crate::protocol::{Meta, Mptcp, Owned};
use crate::steering;
use crate::subflow::table::{joined_socks, socks_of};
use crate::subflow::transmit::receive_space;
use crate::subflow::{delivery, push, receive_queue};
use core::sync::atomic::Ordering;
use kernel::prelude::*;
use knet::message::{flag, interrupted, signal_pending, Message};
use knet::meta::{DataGuard, OwnerGuard};
use knet::skb::{Packet, Span};
use knet::sock::{shutdown, Sock, State};
use knet::subflow::{Pace, Tcp};
use mptcp_core::receive::is_little;
use mptcp_core::scheduler::PathId;

/// `recvmsg`.
pub(crate) fn receive(meta: &Meta, message: &mut Message<'_>) -> Result<usize> {
    let sock = meta.sock();
    if message.has(flag::OOB) {
        return Err(EINVAL);
    }
    if message.has(flag::ERRQUEUE) {
        return Err(EAGAIN);
    }
    steering::reads(meta);
    let mut owner = meta.lock();
    if sock.state() == State::Listen {
        return Err(ENOTCONN);
    }
    let mut timeout = sock.receive_timeout(message.has(flag::DONTWAIT));
    let target = sock.receive_target(message.has(flag::WAITALL), message.len);
    let mut reader = Reader {
        copied: 0,
        freed: 0,
        peek: message.has(flag::PEEK),
        waited_from: 0,
        timed: sock.wants_timestamps(),
        last: None,
    };
    let result = loop {
        if meta.shared().readable.load(Ordering::Acquire) > 0 {
            meta.lock_data().take_received(&mut owner.backlog);
        }
        if let Err(error) = reader.copy(&mut owner, message) {
            break Err(error);
        }
        let full = reader.copied >= message.len && (message.len > 0 || !owner.backlog.is_empty());
        if reader.copied >= target || full {
            break Ok(());
        }
        if let Some(result) = why_not_wait(sock, reader.copied, timeout) {
            // Data may have come between the look into the queue and the end of the stream.
            let readable = meta.shared().readable.load(Ordering::Acquire);
            if readable > reader.seen() && reader.copied < message.len {
                continue;
            }
            break result;
        }
        reader.give_back(&owner);
        owner.wait_for_data(&mut timeout);
    };
    reader.give_back(&owner);
    match result {
        Err(error) if reader.copied == 0 => return Err(error),
        _ => {}
    }
    if reader.timed {
        reader.tell_arrival(&owner, message, sock);
    }
    if meta.shared().tells_readable.load(Ordering::Relaxed) {
        message.tell_readable(readable_hint(meta));
    }
    Ok(reader.copied)
}

/// What TCP_INQ tells: the bytes that can be received, or 1 to make the application ask for the end of
/// the stream.
fn readable_hint(meta: &Meta) -> i32 {
    let sock = meta.sock();
    let bytes = meta.shared().readable.load(Ordering::Acquire);
    let over = sock.state() == State::Close || sock.shutdown() & shutdown::RECEIVE != 0;
    if bytes == 0 && over {
        return 1;
    }
    i32::try_from(bytes).unwrap_or(i32::MAX)
}

/// The end of a receive that lacks bytes: `None` if it may wait for them.
fn why_not_wait(sock: &Sock, copied: usize, timeout: c_long) -> Option<Result> {
    let closed = sock.state() == State::Close;
    let shut = sock.shutdown() & shutdown::RECEIVE != 0;
    if copied > 0 {
        let over = sock.peek_error() != 0 || closed || shut || timeout == 0 || signal_pending();
        return over.then_some(Ok(()));
    }
    if sock.peek_error() != 0 {
        return Some(sock.take_error());
    }
    if shut {
        return Some(Ok(()));
    }
    if closed {
        return Some(Err(ENOTCONN));
    }
    if timeout == 0 {
        return Some(Err(EAGAIN));
    }
    signal_pending().then(|| Err(interrupted(timeout)))
}

/// A receive in progress.
struct Reader {
    /// Bytes given to the application.
    copied: usize,
    /// Memory of packets that were read to their end, not given back yet.
    freed: i32,
    peek: bool,
    /// Bytes that were consumed and not reported to the window yet.
    waited_from: u32,
    /// The application wants to know when packets came.
    timed: bool,
    /// The last packet that was read, if it was read to its end.
    last: Option<Packet>,
}

impl Reader {
    /// Bytes that were copied and still count as readable.
    fn seen(&self) -> u64 {
        if self.peek {
            self.copied as u64
        } else {
            u64::from(self.waited_from)
        }
    }

    /// Copies what there is and fits.
    fn copy(&mut self, owner: &mut Owned, message: &mut Message<'_>) -> Result {
        if self.peek {
            return self.copy_peeked(owner, message);
        }
        while self.copied < message.len {
            let Some(mut packet) = owner.backlog.pop() else {
                break;
            };
            let span = packet.span();
            let take = span.len.min(self.left(message));
            // TCP's MSG_TRUNC throws bytes away instead of copying them.
            if !message.has(flag::TRUNC) {
                if let Err(error) = message.copy_out(&packet, span.offset, take) {
                    owner.backlog.push_front(packet);
                    return Err(error);
                }
            }
            self.copied = self.copied.saturating_add(take as usize);
            self.waited_from = self.waited_from.saturating_add(take);
            if take < span.len {
                packet.set_span(Span {
                    position: span.position.wrapping_add(u64::from(take)),
                    offset: span.offset.saturating_add(take),
                    len: span.len.saturating_sub(take),
                });
                owner.backlog.push_front(packet);
                self.last = None;
            } else {
                self.freed = self.freed.saturating_add(packet.memory());
                self.last = self.timed.then_some(packet);
            }
        }
        Ok(())
    }

    /// Copies bytes that were not copied by an earlier round, and leaves them in place.
    fn copy_peeked(&mut self, owner: &mut Owned, message: &mut Message<'_>) -> Result {
        let mut skip = self.copied;
        let mut result = Ok(());
        let truncate = message.has(flag::TRUNC);
        owner.backlog.for_each(|packet| {
            let span = packet.span();
            let past = u32::try_from(skip).unwrap_or(u32::MAX).min(span.len);
            skip = skip.saturating_sub(past as usize);
            let take = span.len.saturating_sub(past).min(self.left(message));
            if take > 0 && !truncate {
                result = message.copy_out(packet, span.offset.saturating_add(past), take);
            }
            if result.is_ok() {
                self.copied = self.copied.saturating_add(take as usize);
            }
            result.is_ok() && self.copied < message.len
        });
        result
    }

    /// Tells the application when the last packet came of which it got bytes.
    fn tell_arrival(&self, owner: &Owned, message: &mut Message<'_>, sock: &Sock) {
        if let Some(packet) = &self.last {
            return message.tell_arrival(sock, packet);
        }
        // It is still in the queue: before others, unless they were only looked at.
        let mut before = if self.peek {
            self.copied
        } else {
            self.copied.min(1)
        };
        owner.backlog.for_each(|packet| {
            let len = packet.span().len as usize;
            if (1..=len).contains(&before) {
                message.tell_arrival(sock, packet);
            }
            before = before.saturating_sub(len);
            before > 0
        });
    }

    /// Bytes for which the buffer still has room.
    fn left(&self, message: &Message<'_>) -> u32 {
        u32::try_from(message.len.saturating_sub(self.copied)).unwrap_or(u32::MAX)
    }

    /// Gives back the memory of what was read, and tells the peer if the window opened much.
    fn give_back(&mut self, owner: &OwnerGuard<'_, Mptcp>) {
        if self.waited_from == 0 {
            return;
        }
        let meta = owner.meta();
        let sock = meta.sock();
        meta.shared()
            .readable
            .fetch_sub(u64::from(self.waited_from), Ordering::AcqRel);
        let consumed = core::mem::take(&mut self.waited_from);
        let freed = core::mem::take(&mut self.freed);
        let (paths, starved, several, lags) = {
            let mut connection = meta.lock_data();
            connection.uncharge_receive(freed);
            let capacity = u32::try_from(sock.receive_buffer()).unwrap_or(0);
            let consumed = connection.unconsidered.saturating_add(consumed);
            if is_little(consumed, capacity) && !connection.starved {
                connection.unconsidered = consumed;
                return;
            }
            connection.unconsidered = 0;
            let telling = receive_queue::lower_claims(&mut connection);
            let Some(Telling { pace, free, lags }) = window_to_tell(&connection) else {
                return;
            };
            let grown =
                !sock.receive_buffer_locked() && grow_buffer(&mut connection, consumed, &pace);
            let rcv_nxt = connection.receive.rcv_nxt();
            let update_due = connection
                .window
                .update_due(rcv_nxt, free, capacity, pace.mss);
            let starved = receive_queue::take_starved(&mut connection);
            let several = connection.subflows.joined;
            let lags = several && (lags || grown);
            let paths = match update_due || starved {
                true => connection.subflows.numbers(),
                false => telling,
            };
            (paths, starved, several, lags)
        };
        if lags {
            raise_receive_buffers(owner);
        }
        if paths.is_empty() {
            return;
        }
        let first = owner.subflow.as_ref();
        if let Some(first) = first.filter(|_| paths.contains(PathId::FIRST)) {
            tell(meta, &mut first.lock(), starved);
        }
        if several {
            for sock in socks_of(meta, paths.without(PathId::FIRST)) {
                tell(meta, &mut knet::subflow::lock(&sock), starved);
            }
            push::after_process(meta);
        }
    }
}

/// Lets the TCPs of all subflows keep as much as the connection may.
fn raise_receive_buffers(owner: &OwnerGuard<'_, Mptcp>) {
    let meta = owner.meta();
    let wanted = meta.sock().receive_buffer();
    if let Some(first) = owner.subflow.as_ref() {
        first.lock().raise_receive_buffer(wanted);
    }
    for sock in joined_socks(meta) {
        knet::subflow::lock(&sock).raise_receive_buffer(wanted);
    }
    push::after_process(meta);
}

/// What the subflows say of the window.
struct Telling {
    /// The pace of the subflow that would let a segment tell the largest window now. The round-trip time is the longest of
    /// all: for so long what came on the others may have to wait.
    pace: Pace,
    /// That window: no more than the subflow's TCP takes. All share one window, but each TCP has limits of its own.
    free: u32,
    /// The TCP of a subflow keeps less than the connection may. It follows its own speed, and would not let its segments
    /// tell the window that all subflows need together.
    lags: bool,
}

/// Asks the live subflows for the window.
fn window_to_tell(connection: &DataGuard<'_, Mptcp>) -> Option<Telling> {
    let meta = connection.meta();
    let wanted = meta.sock().receive_buffer();
    let windows = connection.subflows.live().map(|(_, subflow)| {
        let pace = knet::subflow::pace(&subflow.sock);
        let free = receive_space(meta, &subflow.sock);
        let free = free.saturating_add(connection.waiting());
        Telling {
            pace,
            free: free.min(pace.window_limit),
            lags: subflow.sock.receive_buffer() < wanted,
        }
    });
    windows.reduce(|one, other| {
        let rtt_us = one.pace.rtt_us.max(other.pace.rtt_us);
        let lags = one.lags || other.lags;
        let more = if one.free > other.free { one } else { other };
        Telling {
            pace: Pace {
                rtt_us,
                ..more.pace
            },
            lags,
            ..more
        }
    })
}

/// Takes what a subflow kept back if the connection was `starved`, and tells its peer of the window.
fn tell(meta: &Meta, tcp: &mut Tcp<'_>, starved: bool) {
    if starved {
        delivery::data_ready(meta, tcp);
    }
    if matches!(
        tcp.sock().state(),
        State::Established | State::FinWait1 | State::FinWait2
    ) {
        tcp.send_ack();
    }
}

/// Lets the receive buffer grow with the speed at which the application reads. Whether it did.
fn grow_buffer(connection: &mut DataGuard<'_, Mptcp>, consumed: u32, pace: &Pace) -> bool {
    let sock = connection.meta().sock();
    let cap = u32::try_from(sock.largest_receive_buffer()).unwrap_or(u32::MAX);
    let now = knet::time::now_us();
    let Some(window) = connection
        .right_sizing
        .on_copied(consumed, now, pace.rtt_us, pace.mss, cap)
    else {
        return false;
    };
    // Packet memory holds about half as many bytes of data.
    let bytes = i32::try_from(window.saturating_mul(2).min(cap)).unwrap_or(i32::MAX);
    let grows = bytes > sock.receive_buffer();
    if grows {
        sock.set_receive_buffer(bytes);
    }
    grows
}
