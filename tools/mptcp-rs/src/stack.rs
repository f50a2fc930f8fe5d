// SPDX-License-Identifier: GPL-2.0

//! Which implementation of Multipath TCP is looked at, and where its files are.

use std::path::{
    Path,
    PathBuf, //
};

/// The files of the module in this network namespace.
const MODULE_FILES: &str = "/proc/net/mptcp_rs";
/// The netlink family of the kernel's own Multipath TCP.
const KERNEL_FAMILY: &str = "mptcp_pm";

/// An implementation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stack {
    /// This project's module.
    Module,
    /// The kernel's own.
    Kernel,
}

impl Stack {
    /// The one that has the netlink family, or without a family the module where it is loaded.
    pub(crate) fn choose(family: Option<&str>) -> Self {
        match family {
            Some(KERNEL_FAMILY) => Self::Kernel,
            Some(_) => Self::Module,
            None if Path::new(MODULE_FILES).exists() => Self::Module,
            None => Self::Kernel,
        }
    }

    /// A file of the module under /proc/net.
    pub(crate) fn module_file(name: &str) -> PathBuf {
        Path::new(MODULE_FILES).join(name)
    }

    /// A setting of this network namespace.
    pub(crate) fn setting(self, name: &str) -> PathBuf {
        let folder = match self {
            Self::Module => "/proc/sys/net/mptcp_rs",
            Self::Kernel => "/proc/sys/net/mptcp",
        };
        Path::new(folder).join(name)
    }
}
