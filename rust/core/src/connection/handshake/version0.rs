// SPDX-License-Identifier: GPL-2.0

//! The MP_CAPABLE handshake of version 0 (RFC 6824 section 3.1).
//!
//! What is otherwise than in version 1: the client tells its key in the SYN already, the third ACK
//! has both keys again but never a mapping, and it is not owed: a DSS says as much. There is no C
//! flag.

use super::{agree, offered, Agreed, ClientOutcome, Policy, Reason, ServerOutcome};
use crate::crypto::{Key, KeyPair};
use crate::wire::{CapableContent, CapableFlags, MpCapable, Received, Version};

/// The number of this version in MP_CAPABLE.
pub const VERSION: u8 = 0;

/// What the SYN of a client that speaks version 0 says.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Offer {
    /// The client's key.
    pub remote_key: Key,
    /// What was agreed on.
    pub agreed: Agreed,
}

/// The client's MP_CAPABLE for the SYN.
// rfc8684:v0-1
#[inline]
pub const fn client_syn(policy: Policy, sender: Key) -> MpCapable {
    capable(policy.checksum, CapableContent::SynAck { sender })
}

/// The server's MP_CAPABLE for the SYN/ACK.
#[inline]
pub const fn server_syn_ack(agreed: Agreed, sender: Key) -> MpCapable {
    capable(agreed.checksum, CapableContent::SynAck { sender })
}

/// The client's MP_CAPABLE for the third ACK, and for every segment without data until the server
/// is known to have it. `keys` has the client's as the sender's.
// rfc8684:v0-1
#[inline]
pub const fn client_ack(agreed: Agreed, keys: KeyPair) -> MpCapable {
    let KeyPair { sender, receiver } = keys;
    capable(agreed.checksum, CapableContent::Ack { sender, receiver })
}

/// RFC 6824 section 3.1: of the algorithms, which all flags but A and B name, HMAC-SHA1 (H) is the
/// only one that there is.
// rfc8684:v0-15
#[inline]
const fn capable(checksum: bool, content: CapableContent) -> MpCapable {
    MpCapable {
        version: VERSION,
        flags: CapableFlags {
            checksum,
            extensibility: false,
            deny_join: false,
            hmac_sha256: true,
        },
        content,
    }
}

/// Server: concludes from the SYN.
///
/// # Errors
/// Why it is answered as plain TCP answers.
// rfc8684:v0-1
pub fn on_syn(received: &Received, policy: Policy) -> Result<Offer, Reason> {
    let (remote_key, agreed) = one_key(received, policy)?;
    Ok(Offer { remote_key, agreed })
}

/// Client: concludes from the SYN/ACK.
// rfc8684:v0-1
pub fn on_syn_ack(received: &Received, policy: Policy) -> ClientOutcome {
    match one_key(received, policy) {
        Ok((remote_key, agreed)) => ClientOutcome::Mptcp { remote_key, agreed },
        Err(reason) => ClientOutcome::Fallback(reason),
    }
}

/// Server: concludes from the first segment after the SYN. `offer` is what the SYN said, `our_key`
/// the key that the SYN/ACK carried.
///
/// RFC 6824 section 3.1: without MP_CAPABLE the connection is plain TCP. If the third ACK is lost,
/// the first data comes instead of it, and has a DSS, which only a client writes that got the
/// SYN/ACK. That DSS is to be read then as any other is.
// rfc8684:v0-1 rfc8684:v0-4
pub fn on_third_ack(received: &Received, offer: Offer, our_key: Key) -> ServerOutcome {
    let echoed = match (offered(received), received.dss) {
        (Ok(option), _) => third_ack(&option),
        (Err(Reason::NoOption), Some(_)) => Ok((offer.remote_key, our_key)),
        (Err(reason), _) => Err(reason),
    };
    match echoed {
        Ok(keys) if keys != (offer.remote_key, our_key) => {
            ServerOutcome::Fallback(Reason::WrongKey)
        }
        Ok(_) => ServerOutcome::Mptcp {
            remote_key: offer.remote_key,
            agreed: offer.agreed,
            first: None,
        },
        Err(reason) => ServerOutcome::Fallback(reason),
    }
}

/// The keys of a third ACK: the sender's, then the receiver's.
fn third_ack(option: &MpCapable) -> Result<(Key, Key), Reason> {
    match option.content {
        _ if option.version != VERSION => Err(Reason::Version),
        CapableContent::Ack { sender, receiver } => Ok((sender, receiver)),
        _ => Err(Reason::Malformed),
    }
}

/// What a SYN or SYN/ACK says.
fn one_key(received: &Received, policy: Policy) -> Result<(Key, Agreed), Reason> {
    let option = offered(received)?;
    if option.version != VERSION {
        return Err(Reason::Version);
    }
    let agreed = agree(option.flags, policy)?;
    let agreed = Agreed {
        version: Version::V0,
        // The flag is one of the algorithms here.
        deny_join: false,
        ..agreed
    };
    match option.content {
        CapableContent::SynAck { sender } => Ok((sender, agreed)),
        _ => Err(Reason::Malformed),
    }
}

#[cfg(test)]
mod tests;
