// SPDX-License-Identifier: GPL-2.0

//! What all connections of a namespace learn: endpoints, addresses and links that come and go.

use crate::netns::Namespace;
use crate::path_manager::paths::{look_at_first, tell};
use crate::protocol::Mptcp;
use crate::subflow::loss;
use knet::meta::DataGuard;
use knet::netns::{Net, PerNet};
use knet::notifier::Watcher;
use mptcp_core::path_manager::Event;

/// Has a look at the host when something changed.
pub(crate) struct Host;

impl Watcher for Host {
    fn changed(net: &Net) {
        Namespace::schedule(net);
    }
}

/// Tells all connections what happened to the endpoints. Process context.
pub(crate) fn announce(namespace: &Namespace, event: &Event) {
    for_each_connection(namespace, |connection| tell(connection, event));
}

/// Lets `look` look at each connection that is fully established.
pub(crate) fn for_each_connection(
    namespace: &Namespace,
    mut look: impl FnMut(&mut DataGuard<'_, Mptcp>),
) {
    namespace.tokens.for_each(|meta| {
        let mut connection = meta.lock_data();
        if connection.fully_established {
            look(&mut connection);
        }
    });
}

/// Takes note of addresses that came or went. Process context.
pub(crate) fn look_around(namespace: &Namespace, net: &Net) {
    while let Some(endpoint) = namespace.configuration.look_around(net) {
        let event = match endpoint.usable {
            true => Event::AddressReady(endpoint.address),
            false => Event::AddressGone(endpoint.address),
        };
        announce(namespace, &event);
    }
    for_each_connection(namespace, |connection| {
        loss::find_cut(connection);
        look_at_first(connection, net);
    });
}
