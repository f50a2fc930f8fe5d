// SPDX-License-Identifier: GPL-2.0

//! What the module keeps for each network namespace.

use crate::{
    blackhole::Suspicion,
    counters::Counters,
    path_manager::{
        endpoints::Configuration,
        notifier,
        settings, //
    },
    proc,
    protocol::{
        Meta,
        Mptcp, //
    },
    scheduler,
    steering,
    subflow::cookie::Notes,
    sysctl::Settings, //
};
use kernel::prelude::*;
use knet::{
    crypto::Prf,
    index::Index,
    netfilter::Hooks,
    netns::{
        Net,
        PerNet, //
    },
    procfs::Directory,
    sock::Sock, //
};

/// The module's part of a network namespace. Reached from a socket's namespace by
/// [`PerNet::of`]; it lives as long as the namespace.
pub(crate) struct Namespace {
    /// What the administrator set.
    pub(crate) settings: Settings,
    /// How received packets are steered.
    pub(crate) steering: steering::Settings,
    /// Who manages paths.
    pub(crate) managers: settings::Settings,
    /// Which subflow gets the next data.
    pub(crate) scheduler: scheduler::Settings,
    /// What happened.
    pub(crate) counters: Counters,
    /// SYNs that may be answered with SYN cookies.
    pub(crate) syns: Notes,
    /// Tokens of connections: no two of a namespace have the same (RFC 8684 section 3.1).
    pub(crate) tokens: Index<Mptcp>,
    /// Endpoints and limits.
    pub(crate) configuration: Configuration,
    /// Whether the network drops what connections begin with.
    pub(crate) suspicion: Suspicion,
    /// What makes the keys of connections that we accept (RFC 8684 section 3.1).
    pub(crate) secret: Prf,
}

/// What is registered in a namespace and works on its [`Namespace`].
pub(crate) struct Services {
    _files: Directory,
    _hooks: Hooks,
}

knet::impl_per_net_slot!(Namespace);

impl Namespace {
    /// What is set for the path managers of connections; the limits are those of [`Self::configuration`].
    pub(crate) fn path_settings(&self) -> mptcp_core::path_manager::Settings {
        mptcp_core::path_manager::Settings {
            subflows_per_pair: self.settings.subflows_per_pair(),
            add_addr_timeout: self.settings.add_addr_timeout_us(),
            ..Default::default()
        }
    }
}

/// What is in a network namespace.
pub(crate) trait Local {
    /// What the module keeps for the namespace. Any context.
    fn namespace(&self) -> Option<&Namespace>;
}

impl Local for Sock {
    fn namespace(&self) -> Option<&Namespace> {
        Namespace::of(self.net())
    }
}

/// A meta-socket has the namespace at hand.
impl Local for Meta {
    #[inline]
    fn namespace(&self) -> Option<&Namespace> {
        knet::meta::Meta::namespace(self)
    }
}

impl PerNet for Namespace {
    type Services = Services;

    fn new(net: &Net) -> Result<Self> {
        Ok(Self {
            settings: Settings::new(net)?,
            steering: steering::Settings::new(net)?,
            managers: settings::Settings::new(net)?,
            scheduler: scheduler::Settings::new(net)?,
            counters: Counters::new()?,
            syns: Notes::new(),
            tokens: Index::new()?,
            configuration: Configuration::new()?,
            suspicion: Suspicion::new()?,
            secret: Prf::new(),
        })
    }

    fn start(&self, net: &Net) -> Result<Services> {
        Ok(Services {
            _files: proc::register(net)?,
            _hooks: Hooks::register::<Mptcp>(net)?,
        })
    }

    fn work(&self, net: &Net) {
        notifier::look_around(self, net);
    }
}
