// SPDX-License-Identifier: GPL-2.0

//! What a network namespace knows of networks that drop SYNs with MP_CAPABLE.

use crate::connection::count;
use crate::counters::Counter;
use crate::netns::Namespace;
use core::sync::atomic::{AtomicBool, Ordering};
use kernel::prelude::*;
use knet::lock::SoftLock;
use knet::netns::PerNet;
use knet::sock::Sock;
use knet::time::now_us;
use mptcp_core::connection::blackhole::Blackhole;

/// Whether SYNs with MP_CAPABLE were dropped.
pub(crate) struct Suspicion {
    /// Whether there is anything to look at, to be read without lock.
    raised: AtomicBool,
    found: SoftLock<Found>,
}

/// What the lock guards.
struct Found {
    blackhole: Blackhole,
    /// The setting when it was found, in microseconds. Another value begins anew.
    timeout: u64,
}

impl Suspicion {
    /// Nothing was dropped yet. Process context.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            raised: AtomicBool::new(false),
            found: SoftLock::new(Found {
                blackhole: Blackhole::new(),
                timeout: 0,
            })?,
        })
    }
}

/// Whether a connection that begins now leaves MP_CAPABLE out. Any context, as for all functions of this file.
pub(crate) fn avoids(sock: &Sock) -> bool {
    let namespace = Namespace::of(sock.net());
    let Some(namespace) = namespace.filter(|one| one.suspicion.raised.load(Ordering::Relaxed))
    else {
        return false;
    };
    let timeout = namespace.settings.blackhole_timeout_us();
    let avoids = {
        let found = namespace.suspicion.found.lock();
        found.timeout == timeout && found.blackhole.avoids(now_us(), timeout)
    };
    if avoids {
        count(sock, Counter::MpCapableSynTxDisabled);
    }
    avoids
}

/// A connection was made without MP_CAPABLE, after it was not made with it.
pub(crate) fn dropped(sock: &Sock) {
    let Some(namespace) = Namespace::of(sock.net()) else {
        return;
    };
    let timeout = namespace.settings.blackhole_timeout_us();
    if timeout == 0 {
        return;
    }
    let mut found = namespace.suspicion.found.lock();
    if found.timeout != timeout {
        *found = Found {
            blackhole: Blackhole::new(),
            timeout,
        };
    }
    found.blackhole.on_dropped(now_us());
    drop(found);
    namespace.suspicion.raised.store(true, Ordering::Relaxed);
    count(sock, Counter::Blackhole);
}

/// A connection was made with MP_CAPABLE. One of the host with itself says nothing about networks.
pub(crate) fn passed(sock: &Sock) {
    let tuple = sock.tuple();
    let namespace = Namespace::of(sock.net()).filter(|_| tuple.local != tuple.remote);
    let Some(namespace) = namespace.filter(|one| one.suspicion.raised.load(Ordering::Relaxed))
    else {
        return;
    };
    namespace.suspicion.found.lock().blackhole.on_passed();
    namespace.suspicion.raised.store(false, Ordering::Relaxed);
}
