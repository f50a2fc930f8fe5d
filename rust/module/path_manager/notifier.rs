// SPDX-License-Identifier: GPL-2.0

//! Addresses and links that come and go.

use crate::netns::Namespace;
use knet::netns::{Net, PerNet};
use knet::notifier::Watcher;

/// Has a look at the host when something changed.
pub(crate) struct Host;

impl Watcher for Host {
    fn changed(net: &Net) {
        Namespace::schedule(net);
    }
}

/// Takes note of addresses that came or went.
pub(crate) fn look_around(namespace: &Namespace, net: &Net) {
    while let Some(_endpoint) = namespace.configuration.look_around(net) {}
}
