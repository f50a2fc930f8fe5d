// SPDX-License-Identifier: GPL-2.0

//! Which scheduler a connection has: the choice of the administrator of its namespace, or its own.

use crate::connection::Mode;
use crate::protocol::{Meta, Mptcp};
use core::fmt;
use core::sync::atomic::{AtomicU8, Ordering};
use kernel::prelude::*;
use knet::meta::DataGuard;
use knet::netns::Net;
use knet::sockopt::{GetOption, Name, SetOption};
use knet::sysctl::{Text, TextSetting};
use mptcp_core::scheduler::{AnyScheduler, Kind};

/// The settings of one namespace. Every answer is the value of now; any context.
pub(crate) struct Settings {
    kind: TextSetting<KindSetting>,
    _available: TextSetting<Available>,
}

impl Settings {
    /// Default values, visible to the administrator of the namespace.
    pub(crate) fn new(net: &Net) -> Result<Self> {
        let directory = c"net/mptcp_rs";
        Ok(Self {
            kind: TextSetting::register(net, directory, KindSetting(Choice::default()))?,
            _available: TextSetting::register(net, directory, Available)?,
        })
    }

    /// The scheduler of new connections that do not say otherwise themselves.
    fn kind(&self) -> Kind {
        self.kind.0.get().unwrap_or_default()
    }
}

/// A scheduler that was chosen; or none. Any context may read and change it.
pub(crate) struct Choice(AtomicU8);

impl Choice {
    const NONE: u8 = u8::MAX;

    /// The same for another.
    pub(crate) fn inherit(&self) -> Self {
        Self(AtomicU8::new(self.0.load(Ordering::Relaxed)))
    }

    fn get(&self) -> Option<Kind> {
        let place = usize::from(self.0.load(Ordering::Relaxed));
        Kind::ALL.get(place).copied()
    }

    fn set(&self, kind: Kind) {
        let place = Kind::ALL.iter().position(|other| *other == kind);
        let place = place.and_then(|place| u8::try_from(place).ok());
        self.0.store(place.unwrap_or(Self::NONE), Ordering::Relaxed);
    }
}

impl Default for Choice {
    fn default() -> Self {
        Self(AtomicU8::new(Self::NONE))
    }
}

/// `scheduler`: a name.
struct KindSetting(Choice);

impl Text for KindSetting {
    const NAME: &'static CStr = c"scheduler";

    fn show(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        out.write_str(self.0.get().unwrap_or_default().name())
    }

    fn store(&self, text: &[u8]) -> Result {
        self.0
            .set(Kind::from_name(text.trim_ascii()).ok_or(EINVAL)?);
        Ok(())
    }
}

/// `available_schedulers`: all names there are.
struct Available;

impl Text for Available {
    const NAME: &'static CStr = c"available_schedulers";
    const WRITABLE: bool = false;

    fn show(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        for (place, kind) in Kind::ALL.into_iter().enumerate() {
            out.write_str(if place > 0 { " " } else { "" })?;
            out.write_str(kind.name())?;
        }
        Ok(())
    }

    fn store(&self, _text: &[u8]) -> Result {
        Err(EPERM)
    }
}

/// The scheduler that a connection of this socket begins with.
fn kind_of(meta: &Meta) -> Kind {
    let own = meta.shared().scheduler.get();
    let of_namespace = || meta.namespace().map(|one| one.scheduler.kind());
    own.or_else(of_namespace).unwrap_or_default()
}

/// Gives a connection that begins its scheduler.
pub(crate) fn begin(connection: &mut DataGuard<'_, Mptcp>) {
    connection.scheduler = AnyScheduler::new(kind_of(connection.meta()));
}

/// `setsockopt`: the name of a scheduler. It holds for the present connection at once, and for all that
/// come.
pub(crate) fn set_option(meta: &Meta, call: &SetOption) -> Result {
    let kind = Kind::from_name(call.text()?.as_bytes()).ok_or(ENOENT)?;
    meta.shared().scheduler.set(kind);
    meta.lock_data().scheduler = AnyScheduler::new(kind);
    Ok(())
}

/// `getsockopt`: the name of the scheduler that the connection has, or would have if it began now.
pub(crate) fn get_option(meta: &Meta, call: &GetOption) -> Result {
    let connection = meta.lock_data();
    let kind = match connection.mode {
        Mode::Connecting => kind_of(meta),
        Mode::Mptcp | Mode::Fallback => connection.scheduler.kind(),
    };
    drop(connection);
    call.answer(Name::new(kind.name()).padded())
}
