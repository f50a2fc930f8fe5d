// SPDX-License-Identifier: GPL-2.0

//! Who manages the paths of new connections: what the administrator of a namespace chose, by number or name.

use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};
use kernel::prelude::*;
use kernel::sync::Arc;
use knet::netns::Net;
use knet::sysctl::{Text, TextSetting};

/// The names, in the order of the numbers.
const NAMES: [&str; 2] = ["kernel", "userspace"];

/// The settings of one namespace. Every answer is the value of now; any context.
pub(crate) struct Settings {
    chosen: Arc<AtomicBool>,
    _number: TextSetting<Number>,
    _name: TextSetting<Name>,
    _available: TextSetting<Available>,
}

impl Settings {
    /// Default values, visible to the administrator of the namespace.
    pub(crate) fn new(net: &Net) -> Result<Self> {
        let directory = c"net/mptcp_rs";
        let chosen = Arc::new(AtomicBool::new(false), GFP_KERNEL)?;
        let (number, name) = (Number(chosen.clone()), Name(chosen.clone()));
        Ok(Self {
            chosen,
            _number: TextSetting::register(net, directory, number)?,
            _name: TextSetting::register(net, directory, name)?,
            _available: TextSetting::register(net, directory, Available)?,
        })
    }

    /// Whether a program manages the paths of new connections.
    #[inline]
    pub(crate) fn by_program(&self) -> bool {
        self.chosen.load(Ordering::Relaxed)
    }
}

/// `pm_type`: a number.
struct Number(Arc<AtomicBool>);

impl Text for Number {
    const NAME: &'static CStr = c"pm_type";

    fn show(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        write!(out, "{}", u8::from(self.0.load(Ordering::Relaxed)))
    }

    fn store(&self, text: &[u8]) -> Result {
        let by_program = match text.trim_ascii() {
            b"0" => false,
            b"1" => true,
            _ => return Err(EINVAL),
        };
        self.0.store(by_program, Ordering::Relaxed);
        Ok(())
    }
}

/// `path_manager`: a name.
struct Name(Arc<AtomicBool>);

impl Text for Name {
    const NAME: &'static CStr = c"path_manager";

    fn show(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let [kernel, userspace] = NAMES;
        out.write_str(match self.0.load(Ordering::Relaxed) {
            false => kernel,
            true => userspace,
        })
    }

    fn store(&self, text: &[u8]) -> Result {
        let [kernel, userspace] = NAMES.map(str::as_bytes);
        let by_program = match text.trim_ascii() {
            name if name == kernel => false,
            name if name == userspace => true,
            _ => return Err(EINVAL),
        };
        self.0.store(by_program, Ordering::Relaxed);
        Ok(())
    }
}

/// `available_path_managers`: all names there are.
struct Available;

impl Text for Available {
    const NAME: &'static CStr = c"available_path_managers";
    const WRITABLE: bool = false;

    fn show(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let [kernel, userspace] = NAMES;
        write!(out, "{kernel} {userspace}")
    }

    fn store(&self, _text: &[u8]) -> Result {
        Err(EPERM)
    }
}
