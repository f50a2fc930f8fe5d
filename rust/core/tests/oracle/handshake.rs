// SPDX-License-Identifier: GPL-2.0

//! Two ends that shake hands while the network changes bits of their options.
//!
//! They agree or fall back, and without a change they agree.

use crate::input::Input;
use mptcp_core::connection::handshake::{
    client_ack, client_syn, on_syn, on_syn_ack, on_third_ack, server_syn_ack, version0, Agreed,
    ClientOutcome, FirstMapping, Policy, ServerOutcome, SynAnswer, Versions,
};
use mptcp_core::crypto::{Key, KeyPair};
use mptcp_core::wire::{MpCapable, Received, SegmentKind, Version};

const OURS: Key = Key::new(0x1111_2222_3333_4444);
const THEIRS: Key = Key::new(0x5555_6666_7777_8888);

/// What lies between the ends.
struct Wire<'a, 'b> {
    input: &'a mut Input<'b>,
    version: Version,
    /// A bit was changed.
    changed: bool,
}

impl Wire<'_, '_> {
    /// What arrives of an option.
    fn send(&mut self, option: MpCapable, syn: bool, ack: bool) -> Option<Received> {
        let mut bytes = [0; 24];
        let length = option.emit(&mut bytes)?;
        for _ in 0..self.input.below(4)? {
            let at = self.input.below(length as u32)? as usize;
            let bit = 1 << self.input.below(8)?;
            bytes[at] ^= bit;
            self.changed = true;
        }
        let segment = SegmentKind { syn, ack };
        Some(Received::parse_as(self.version, &bytes[..length], segment))
    }
}

/// The wishes of client and server in the bits of a byte.
fn policies(bits: u8) -> (Policy, Policy) {
    let policy = |shift: u8| Policy {
        checksum: bits >> shift & 1 != 0,
        deny_join: bits >> shift & 2 != 0,
    };
    (policy(0), policy(2))
}

/// A handshake of version 1.
// rfc8684:3.1-27
pub(crate) fn shake_hands(input: &[u8]) {
    hands(&mut Input::new(input));
}

fn hands(input: &mut Input<'_>) -> Option<()> {
    let bits = input.byte()?;
    let (client, server) = policies(bits);
    let mut wire = Wire {
        input,
        version: Version::V1,
        changed: false,
    };
    let received = wire.send(client_syn(client), true, false)?;
    let SynAnswer::Mptcp { agreed } = on_syn(&received, server) else {
        assert!(wire.changed);
        return None;
    };
    assert!(wire.changed || agreed.checksum == (client.checksum || server.checksum));
    assert!(wire.changed || agreed.deny_join == client.deny_join);

    let received = wire.send(server_syn_ack(server, agreed, THEIRS), true, true)?;
    let outcome = on_syn_ack(&received, client);
    let ClientOutcome::Mptcp { remote_key, agreed } = outcome else {
        assert!(wire.changed, "{outcome:?}");
        return None;
    };
    assert!(wire.changed || remote_key == THEIRS);
    assert!(wire.changed || agreed.checksum == (client.checksum || server.checksum));
    assert!(agreed.checksum || !client.checksum);

    let first = (bits & 16 != 0).then_some(FirstMapping {
        len: 100,
        checksum: agreed.checksum.then_some(7),
    });
    let third = client_ack(client, agreed, OURS, remote_key, first);
    let received = wire.send(third, false, true)?;
    match on_third_ack(&received, server, THEIRS) {
        ServerOutcome::Mptcp {
            remote_key,
            agreed,
            first: implied,
        } => {
            assert!(wire.changed || remote_key == OURS && implied == first);
            assert!(agreed.checksum || !server.checksum);
        }
        ServerOutcome::Fallback(reason) => assert!(wire.changed, "{reason:?}"),
    }
    Some(())
}

/// A handshake of version 0, with a server that speaks this one or both.
// rfc8684:3.1-9 rfc8684:v0-1
pub(crate) fn shake_hands_of_version_0(input: &[u8]) {
    hands_of_version_0(&mut Input::new(input));
}

fn hands_of_version_0(input: &mut Input<'_>) -> Option<()> {
    let bits = input.byte()?;
    let (client, server) = policies(bits);
    let versions = [Versions::V0, Versions::ALL][usize::from(bits >> 4 & 1)];
    let mut wire = Wire {
        input,
        version: Version::V0,
        changed: false,
    };
    let received = wire.send(version0::client_syn(client, OURS), true, false)?;
    if versions.answer(&received) != Some(Version::V0) {
        assert!(wire.changed);
        return None;
    }
    let offer = match version0::on_syn(&received, server) {
        Ok(offer) => offer,
        Err(reason) => {
            assert!(wire.changed, "{reason:?}");
            return None;
        }
    };
    assert!(wire.changed || offer.remote_key == OURS);
    as_agreed(offer.agreed, server, client, wire.changed);

    let received = wire.send(version0::server_syn_ack(offer.agreed, THEIRS), true, true)?;
    let outcome = version0::on_syn_ack(&received, client);
    let ClientOutcome::Mptcp { remote_key, agreed } = outcome else {
        assert!(wire.changed, "{outcome:?}");
        return None;
    };
    assert!(wire.changed || remote_key == THEIRS);
    as_agreed(agreed, client, server, wire.changed);

    let keys = KeyPair {
        sender: OURS,
        receiver: remote_key,
    };
    let received = wire.send(version0::client_ack(agreed, keys), false, true)?;
    match version0::on_third_ack(&received, offer, THEIRS) {
        // The keys are those that were told before, whatever else the network did.
        ServerOutcome::Mptcp {
            remote_key,
            agreed,
            first,
        } => {
            assert_eq!((remote_key, first), (offer.remote_key, None));
            assert_eq!(agreed, offer.agreed);
        }
        ServerOutcome::Fallback(reason) => assert!(wire.changed, "{reason:?}"),
    }
    Some(())
}

/// What an end believes is what both asked for, or at least what it asked for itself. Nobody forbids joins.
fn as_agreed(agreed: Agreed, own: Policy, other: Policy, changed: bool) {
    assert_eq!((agreed.version, agreed.deny_join), (Version::V0, false));
    assert!(changed || agreed.checksum == (own.checksum || other.checksum));
    assert!(agreed.checksum || !own.checksum);
}
