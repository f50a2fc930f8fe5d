// SPDX-License-Identifier: GPL-2.0

//! `setsockopt` and `getsockopt`.

use crate::connection::Mode;
use crate::protocol::{Meta, Mptcp};
use crate::socket::{first_subflow, info};
use crate::subflow::handshake::OPTION_BYTES;
use crate::subflow::push;
use crate::{scheduler, steering};
use core::sync::atomic::Ordering;
use kernel::prelude::*;
use knet::congestion::Choice;
use knet::meta::OwnerGuard;
use knet::sockopt::{level, option, GetOption, Name, SetOption};
use mptcp_core::scheduler::MAX_PATHS;

/// `setsockopt`.
pub(crate) fn set(meta: &Meta, call: &SetOption) -> Result {
    match (call.level, call.name) {
        (level::SOCKET, name) => set_socket_level(meta, call, name),
        (level::TCP, option::NODELAY | option::CORK) => set_coalescing(meta, call),
        // A subflow's upper-layer protocol is ours, its signatures would not cover our options, and
        // the SYN is kept for the handshake.
        // Data in a SYN has no mapping.
        (level::TCP, option::ULP | option::REPAIR) => Err(EOPNOTSUPP),
        (level::TCP, option::FASTOPEN | option::FASTOPEN_CONNECT) => Err(EOPNOTSUPP),
        (level::TCP, option::SAVE_SYN) => Err(ENOPROTOOPT),
        (level::TCP, name) if option::MD5SIG.contains(&name) => Err(EOPNOTSUPP),
        (level::TCP, option::INQ) => set_tells_readable(meta, call),
        (level::TCP, option::CONGESTION) => set_congestion_control(meta, call),
        (level::TCP | level::IP | level::IPV6, _) => {
            let mut owner = meta.lock();
            let family = meta.sock().family();
            call.apply_to_subflow(first_subflow(&mut owner, family)?)
        }
        (level::MPTCP, option::STEERING) => steering::set_option(meta, call),
        (level::MPTCP, option::SCHEDULER) => scheduler::set_option(meta, call),
        _ => Err(ENOPROTOOPT),
    }
}

fn set_socket_level(meta: &Meta, call: &SetOption, name: i32) -> Result {
    match name {
        // The stream has no place for them.
        option::OOBINLINE | option::ZEROCOPY => return Err(EOPNOTSUPP),
        _ => call.apply_to_meta(meta)?,
    }
    // What concerns the application's side of the meta-socket stops here.
    let own = [
        option::SNDBUF,
        option::RCVBUF,
        option::SNDBUFFORCE,
        option::RCVBUFFORCE,
        option::LINGER,
        option::RCVLOWAT,
    ];
    if own.contains(&name) || option::TIMEOUTS.contains(&name) {
        return Ok(());
    }
    let mut owner = meta.lock();
    let family = meta.sock().family();
    call.apply_to_subflow(first_subflow(&mut owner, family)?)
}

/// TCP_NODELAY and TCP_CORK: the meta-socket coalesces, not the subflow.
fn set_coalescing(meta: &Meta, call: &SetOption) -> Result {
    let on = call.integer()? != 0;
    let shared = meta.shared();
    if call.name == option::NODELAY {
        shared.no_delay.store(on, Ordering::Relaxed);
    } else {
        shared.corked.store(on, Ordering::Relaxed);
    }
    let owner = meta.lock();
    if (call.name == option::NODELAY) == on {
        flush(&owner);
    }
    Ok(())
}

/// TCP_INQ: the meta-socket knows what can be read, a subflow does not.
fn set_tells_readable(meta: &Meta, call: &SetOption) -> Result {
    let on = match call.integer()? {
        0 => false,
        1 => true,
        _ => return Err(EINVAL),
    };
    meta.shared().tells_readable.store(on, Ordering::Relaxed);
    Ok(())
}

/// TCP_CONGESTION: for all subflows, and for those that are still to come.
fn set_congestion_control(meta: &Meta, call: &SetOption) -> Result {
    let mut owner = meta.lock();
    let family = meta.sock().family();
    let subflow = first_subflow(&mut owner, family)?;
    call.apply_to_subflow(subflow)?;
    let choice = Choice::of(&subflow.lock());
    let subflows: [_; MAX_PATHS] = {
        let mut connection = meta.lock_data();
        connection.congestion = choice;
        let mut all = connection.subflows.iter();
        core::array::from_fn(|_| all.next().map(|(_, one)| one.sock.hold()))
    };
    // Nobody but the owner closes them. Where a route says which algorithm to use, that holds.
    for other in subflows.iter().flatten() {
        let _ = call.apply_to(other);
    }
    Ok(())
}

/// Sends what was held back.
fn flush(owner: &OwnerGuard<'_, Mptcp>) {
    push::push_owned(owner);
}

/// `getsockopt` of all levels but SOL_SOCKET, which the kernel answers from the meta-socket.
pub(crate) fn get(meta: &Meta, call: &GetOption) -> Result {
    match (call.level, call.name) {
        (level::TCP, option::NODELAY) => answer_flag(call, &meta.shared().no_delay),
        (level::TCP, option::CORK) => answer_flag(call, &meta.shared().corked),
        (level::TCP, option::INQ) => answer_flag(call, &meta.shared().tells_readable),
        // Programs know the kernel's own MPTCP by this name.
        (level::TCP, option::ULP) => call.answer(Name::new("mptcp").padded()),
        (level::TCP, option::MAXSEG) if is_connected(meta) => {
            let connection = meta.lock_data();
            let subflow = connection.subflows.first().ok_or(EINVAL)?;
            let size = knet::subflow::pace(&subflow.sock).mss;
            // As with TCP, what options take of a segment is not counted.
            let size = match connection.speaks_mptcp() {
                true => size.saturating_add(OPTION_BYTES as u32),
                false => size,
            };
            drop(connection);
            call.answer(&size.to_ne_bytes())
        }
        (level::TCP, option::IS_MPTCP) => {
            let mptcp = meta.lock_data().mode != Mode::Fallback;
            call.answer(&i32::from(mptcp).to_ne_bytes())
        }
        (level::TCP | level::IP | level::IPV6, _) => ask_subflow(meta, call),
        (level::MPTCP, option::STEERING) => steering::get_option(meta, call),
        (level::MPTCP, option::SCHEDULER) => scheduler::get_option(meta, call),
        (level::MPTCP, _) => info::get(meta, call),
        _ => Err(EOPNOTSUPP),
    }
}

/// Lets the subflow answer.
pub(crate) fn ask_subflow(meta: &Meta, call: &GetOption) -> Result {
    let mut owner = meta.lock();
    let family = meta.sock().family();
    let sock = first_subflow(&mut owner, family)?.sock().hold();
    drop(owner);
    call.ask_subflow(&sock)
}

fn is_connected(meta: &Meta) -> bool {
    use knet::sock::State;
    !matches!(
        meta.sock().state(),
        State::Close | State::Listen | State::SynSent
    )
}

fn answer_flag(call: &GetOption, flag: &core::sync::atomic::AtomicBool) -> Result {
    call.answer(&i32::from(flag.load(Ordering::Relaxed)).to_ne_bytes())
}
