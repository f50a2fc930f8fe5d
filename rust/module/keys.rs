// SPDX-License-Identifier: GPL-2.0

//! Keys of connections. The token of a key is the connection's name in its namespace, so no two
//! connections there may have the same (RFC 8684 section 3.1).

use crate::connection::{count, derive};
use crate::counters::Counter;
use crate::netns::Namespace;
use crate::protocol::Mptcp;
use knet::meta::DataGuard;
use knet::netns::PerNet;
use knet::sock::Sock;
use mptcp_core::crypto::Key;

/// How many keys are drawn before a connection goes on without.
const DRAWS: u32 = 4;
/// The bits of a key that are left with the test setting.
const FEW: u64 = 7;

/// Client: draws a key whose token nobody has. `false`: there is none, so the connection must be plain
/// TCP.
pub(crate) fn draw(connection: &mut DataGuard<'_, Mptcp>) -> bool {
    let sock = connection.meta().sock();
    let drawn = (0..DRAWS).any(|_| {
        let key = key_of_number(sock, knet::crypto::random_u64());
        take(connection, key)
    });
    if !drawn {
        count(sock, Counter::MpFallbackTokenInit);
    }
    drawn
}

/// Server: takes a key that was told to the peer already. `false`: another connection has its token.
pub(crate) fn claim(connection: &mut DataGuard<'_, Mptcp>, key: Key) -> bool {
    let claimed = take(connection, key);
    if !claimed {
        count(connection.meta(), Counter::MpFallbackTokenInit);
    }
    claimed
}

/// Server: whether no connection has the token of a key that is about to be told to a peer. Nothing is kept
/// of it, so another connection may take it until the peer answers.
// rfc8684:3.1-3
pub(crate) fn is_free(sock: &Sock, key: Key) -> bool {
    let token = derive(sock, key).token.raw();
    let free = Namespace::of(sock.net()).is_some_and(|one| one.tokens.find(token).is_none());
    if !free {
        count(sock, Counter::MpFallbackTokenInit);
    }
    free
}

/// The key that a random number stands for.
pub(crate) fn key_of_number(sock: &Sock, number: u64) -> Key {
    let few = Namespace::of(sock.net()).is_some_and(|namespace| namespace.settings.test_few_keys());
    Key::new(if few { number & FEW } else { number })
}

/// Makes a key the connection's own, unless its token is taken.
fn take(connection: &mut DataGuard<'_, Mptcp>, key: Key) -> bool {
    let sock = connection.meta().sock();
    let derived = derive(sock, key);
    let Some(namespace) = Namespace::of(sock.net()) else {
        return false;
    };
    let taken = namespace
        .tokens
        .insert(connection, derived.token.raw())
        .is_ok();
    if taken {
        connection.local_key = key;
        connection.local = derived;
    }
    taken
}
