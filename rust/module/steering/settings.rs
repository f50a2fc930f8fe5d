// SPDX-License-Identifier: GPL-2.0

//! How a network namespace, or one socket in it, wants its packets steered.

use super::machine::{not_isolated, possible, reconsider};
use core::fmt;
use core::sync::atomic::{AtomicU64, AtomicU8, Ordering};
use kernel::prelude::*;
use knet::netns::Net;
use knet::sysctl::{Text, TextSetting};
use mptcp_core::steering::{CpuSet, Mode};

/// The settings of one namespace. Every answer is the value of now; any context.
pub(crate) struct Settings {
    mode: TextSetting<ModeSetting>,
    cpus: TextSetting<CpusSetting>,
}

impl Settings {
    /// Default values, visible to the administrator of the namespace.
    pub(crate) fn new(net: &Net) -> Result<Self> {
        let directory = c"net/mptcp_rs";
        Ok(Self {
            mode: TextSetting::register(net, directory, ModeSetting(OptionalMode::new()))?,
            cpus: TextSetting::register(net, directory, CpusSetting::new())?,
        })
    }

    /// The mode of connections that do not say otherwise themselves.
    pub(super) fn mode(&self) -> Mode {
        self.mode.0.get().unwrap_or_default()
    }

    /// The processors that may be chosen, whether they are online or not.
    pub(super) fn cpus(&self) -> CpuSet {
        self.cpus.get()
    }
}

/// A mode that any context may read and change; or none.
pub(super) struct OptionalMode(AtomicU8);

impl OptionalMode {
    const NONE: u8 = u8::MAX;

    /// None.
    pub(super) const fn new() -> Self {
        Self(AtomicU8::new(Self::NONE))
    }

    /// The mode, if there is one.
    #[inline]
    pub(super) fn get(&self) -> Option<Mode> {
        Mode::ALL
            .get(usize::from(self.0.load(Ordering::Relaxed)))
            .copied()
    }

    /// Changes it to the mode with this place in [`Mode::ALL`], or to none.
    pub(super) fn set(&self, place: Option<u8>) {
        self.0.store(place.unwrap_or(Self::NONE), Ordering::Relaxed);
    }
}

/// The place of a mode in [`Mode::ALL`], which programs know as its number.
pub(super) fn number_of(mode: Mode) -> u8 {
    let place = Mode::ALL.iter().position(|other| *other == mode);
    place
        .and_then(|place| u8::try_from(place).ok())
        .unwrap_or(0)
}

/// `steering`: `off`, `follow`, `pin` or `spread`.
struct ModeSetting(OptionalMode);

impl Text for ModeSetting {
    const NAME: &'static CStr = c"steering";

    fn show(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        out.write_str(self.0.get().unwrap_or_default().name())
    }

    fn store(&self, text: &[u8]) -> Result {
        let mode = Mode::from_name(text.trim_ascii()).ok_or(EINVAL)?;
        self.0.set(Some(number_of(mode)));
        reconsider();
        Ok(())
    }
}

/// `steering_cpus`: a list of processors. Two that write at once may leave a mixture of both lists.
struct CpusSetting([AtomicU64; CpuSet::ALL.words().len()]);

impl CpusSetting {
    /// All processors that the system can have.
    fn new() -> Self {
        Self(possible().words().map(AtomicU64::new))
    }

    fn get(&self) -> CpuSet {
        let mut words = *CpuSet::EMPTY.words();
        for (word, stored) in words.iter_mut().zip(&self.0) {
            *word = stored.load(Ordering::Relaxed);
        }
        CpuSet::from_words(words)
    }
}

impl Text for CpusSetting {
    const NAME: &'static CStr = c"steering_cpus";

    fn show(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        write!(out, "{}", self.get())
    }

    fn store(&self, text: &[u8]) -> Result {
        let wanted = CpuSet::parse(text).ok_or(EINVAL)?;
        let all = possible();
        let set = match wanted == CpuSet::ALL {
            true => all,
            false => wanted,
        };
        // One that cannot be is a slip of the pen, and without one that may be chosen there is nothing
        // to choose from.
        if set.and(&all) != set || not_isolated(&set).is_empty() {
            return Err(EINVAL);
        }
        for (stored, word) in self.0.iter().zip(set.words()) {
            stored.store(*word, Ordering::Relaxed);
        }
        reconsider();
        Ok(())
    }
}
