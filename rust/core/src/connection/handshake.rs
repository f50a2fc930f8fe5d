// SPDX-License-Identifier: GPL-2.0

//! The MP_CAPABLE handshake (RFC 8684 section 3.1): of version 1 here, of version 0 in
//! [`version0`]; [`Versions`] decide between them.

pub mod version0;
mod versions;

pub use versions::Versions;

use crate::crypto::Key;
use crate::wire::{
    Address, CapableContent, CapableFlags, MpCapable, Received, SegmentKind, Version,
};

/// The protocol version of RFC 8684.
pub const VERSION: u8 = 1;

/// What an end asks for in the handshake.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Policy {
    /// Require DSS checksums.
    pub checksum: bool,
    /// Ask the peer not to open subflows to our source address and port.
    pub deny_join: bool,
}

/// What the handshake agreed on.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Agreed {
    /// The version that both ends speak.
    pub version: Version,
    /// DSS checksums are in use: one end required them.
    pub checksum: bool,
    /// The peer asked us not to open subflows to its source address and port.
    pub deny_join: bool,
}

/// Why a connection goes on as plain TCP.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reason {
    /// No MP_CAPABLE where one is due: the peer does not speak MPTCP or the option was removed.
    NoOption,
    /// The option was malformed or of the wrong form.
    Malformed,
    /// No common version.
    Version,
    /// The peer demands an extension that nobody knows (the B bit).
    Extension,
    /// The peer does not offer HMAC-SHA256 (the H bit).
    Crypto,
    /// The third ACK echoes another key than ours.
    WrongKey,
    /// Our SYN that the peer answered had no MP_CAPABLE.
    NotOffered,
    /// The SYNs of both ends crossed.
    Simultaneous,
}

/// The client's conclusion from the SYN/ACK.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ClientOutcome {
    /// The peer speaks MPTCP.
    Mptcp {
        /// The peer's key.
        remote_key: Key,
        /// What was agreed on.
        agreed: Agreed,
    },
    /// Go on as plain TCP.
    Fallback(Reason),
}

/// The server's conclusion from the SYN.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SynAnswer {
    /// Answer with MP_CAPABLE.
    Mptcp {
        /// What was agreed on.
        agreed: Agreed,
    },
    /// Answer as plain TCP does.
    Plain(Reason),
}

/// The mapping that an MP_CAPABLE with data implies (RFC 8684 section 3.1): it starts at the
/// client's initial data sequence number plus one and relative subflow sequence number one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FirstMapping {
    /// Bytes covered.
    pub len: u16,
    /// The DSS checksum, if the option has one.
    pub checksum: Option<u16>,
}

/// The server's conclusion from the first segment after the SYN.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ServerOutcome {
    /// The connection is MPTCP.
    Mptcp {
        /// The peer's key.
        remote_key: Key,
        /// What was agreed on.
        agreed: Agreed,
        /// The mapping of the data that came with it.
        first: Option<FirstMapping>,
    },
    /// Go on as plain TCP.
    Fallback(Reason),
}

/// The client's MP_CAPABLE for the SYN.
#[inline]
pub const fn client_syn(policy: Policy) -> MpCapable {
    capable(policy.checksum, policy.deny_join, CapableContent::Syn)
}

/// The server's MP_CAPABLE for the SYN/ACK.
#[inline]
pub const fn server_syn_ack(policy: Policy, agreed: Agreed, sender: Key) -> MpCapable {
    capable(
        agreed.checksum,
        policy.deny_join,
        CapableContent::SynAck { sender },
    )
}

/// The client's MP_CAPABLE for the third ACK, and for every segment until the server is known to
/// have it; with `first` for segments that carry the first data.
// rfc8684:3.1-30
#[inline]
pub const fn client_ack(
    policy: Policy,
    agreed: Agreed,
    sender: Key,
    receiver: Key,
    first: Option<FirstMapping>,
) -> MpCapable {
    let content = match first {
        None => CapableContent::Ack { sender, receiver },
        Some(FirstMapping { len, checksum }) => CapableContent::AckData {
            sender,
            receiver,
            data_len: len,
            checksum,
        },
    };
    capable(agreed.checksum, policy.deny_join, content)
}

// rfc8684:3.1-12 rfc8684:3.1-15
#[inline]
const fn capable(checksum: bool, deny_join: bool, content: CapableContent) -> MpCapable {
    MpCapable {
        version: VERSION,
        flags: CapableFlags {
            checksum,
            extensibility: false,
            deny_join,
            hmac_sha256: true,
        },
        content,
    }
}

/// Client: concludes from the segment with the peer's SYN. `offered` says whether our SYN had MP_CAPABLE.
///
/// RFC 8684 section 3.1 describes a SYN that is answered. Of two SYNs that cross (RFC 9293 section 3.5) none is
/// the answer, and none has a key.
pub fn on_peers_syn(
    segment: SegmentKind,
    received: &Received,
    offered: bool,
    policy: Policy,
) -> ClientOutcome {
    if !segment.ack {
        ClientOutcome::Fallback(Reason::Simultaneous)
    } else if !offered {
        ClientOutcome::Fallback(Reason::NotOffered)
    } else {
        on_syn_ack(received, policy)
    }
}

/// Client: concludes from the SYN/ACK.
// rfc8684:3.1-4 rfc8684:3.1-10 rfc8684:3.7-1
pub fn on_syn_ack(received: &Received, policy: Policy) -> ClientOutcome {
    let option = match offered(received) {
        Ok(option) => option,
        Err(reason) => return ClientOutcome::Fallback(reason),
    };
    // RFC 8684 section 3.1: the responder's version is the one to use; we only have one.
    if option.version != VERSION {
        return ClientOutcome::Fallback(Reason::Version);
    }
    match (option.content, agree(option.flags, policy)) {
        (CapableContent::SynAck { sender }, Ok(agreed)) => ClientOutcome::Mptcp {
            remote_key: sender,
            agreed,
        },
        (_, Err(reason)) => ClientOutcome::Fallback(reason),
        _ => ClientOutcome::Fallback(Reason::Malformed),
    }
}

/// Server: concludes from the SYN.
// rfc8684:3.1-5 rfc8684:3.1-9 rfc8684:3.7-1
pub fn on_syn(received: &Received, policy: Policy) -> SynAnswer {
    let option = match offered(received) {
        Ok(option) => option,
        Err(reason) => return SynAnswer::Plain(reason),
    };
    // RFC 8684 section 3.1: the responder answers the highest version that both speak, so a
    // newer initiator gets our version and may go on with it.
    if option.version < VERSION {
        return SynAnswer::Plain(Reason::Version);
    }
    match (option.content, agree(option.flags, policy)) {
        (CapableContent::Syn, Ok(agreed)) => SynAnswer::Mptcp { agreed },
        (_, Err(reason)) => SynAnswer::Plain(reason),
        _ => SynAnswer::Plain(Reason::Malformed),
    }
}

/// Server: concludes from the first segment after the SYN, which is the third ACK or, if that was
/// lost, the first data. `our_key` is the key that the SYN/ACK carried.
// rfc8684:3.1-6
pub fn on_third_ack(received: &Received, policy: Policy, our_key: Key) -> ServerOutcome {
    let option = match offered(received) {
        Ok(option) => option,
        Err(reason) => return ServerOutcome::Fallback(reason),
    };
    if option.version != VERSION {
        return ServerOutcome::Fallback(Reason::Version);
    }
    let agreed = match agree(option.flags, policy) {
        Ok(agreed) => agreed,
        Err(reason) => return ServerOutcome::Fallback(reason),
    };
    let (sender, receiver, first) = match option.content {
        CapableContent::Ack { sender, receiver } => (sender, receiver, None),
        CapableContent::AckData {
            sender,
            receiver,
            data_len,
            checksum,
        } => {
            // RFC 8684 section 3.1: a checksum that was not agreed on is ignored, one that was
            // must be there.
            let checksum = checksum.filter(|_| agreed.checksum);
            if agreed.checksum && checksum.is_none() {
                return ServerOutcome::Fallback(Reason::Malformed);
            }
            let first = FirstMapping {
                len: data_len,
                checksum,
            };
            (sender, receiver, Some(first))
        }
        CapableContent::Syn | CapableContent::SynAck { .. } => {
            return ServerOutcome::Fallback(Reason::Malformed)
        }
    };
    // RFC 8684 section 3.1: the echoed key is what lets the server be stateless until now.
    if receiver != our_key {
        return ServerOutcome::Fallback(Reason::WrongKey);
    }
    ServerOutcome::Mptcp {
        remote_key: sender,
        agreed,
        first,
    }
}

// rfc8684:3.1-27
#[inline]
fn offered(received: &Received) -> Result<MpCapable, Reason> {
    received.mp_capable.ok_or(match received.malformed {
        0 => Reason::NoOption,
        _ => Reason::Malformed,
    })
}

/// RFC 8684 section 3.1: an unknown extension makes the option void, HMAC-SHA256 is the only
/// algorithm there is, and checksums are used if either end requires them.
// rfc8684:3.1-13 rfc8684:3.1-16 rfc8684:3.1-17 rfc8684:3.1-31
#[inline]
fn agree(flags: CapableFlags, policy: Policy) -> Result<Agreed, Reason> {
    if flags.extensibility {
        return Err(Reason::Extension);
    }
    if !flags.hmac_sha256 {
        return Err(Reason::Crypto);
    }
    Ok(Agreed {
        version: Version::V1,
        checksum: flags.checksum || policy.checksum,
        deny_join: flags.deny_join,
    })
}

/// What tells one connection attempt from all others at the server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Attempt {
    /// Our address.
    pub local: Address,
    /// The client's address.
    pub remote: Address,
    /// Our port.
    pub local_port: u16,
    /// The client's port.
    pub remote_port: u16,
    /// Our initial sequence number.
    pub local_isn: u32,
    /// The client's initial sequence number.
    pub remote_isn: u32,
}

/// The server's key for `attempt`.
///
/// RFC 8684 section 3.1: the responder need not hold state before the third ACK if it can make
/// its key again. `prf` is a pseudo-random function of the bytes it is given, keyed by a secret of
/// this host; what it returns is the key, so it must not be predictable without the secret.
// rfc8684:3.1-1 rfc8684:3.1-22 rfc8684:v0-13
#[inline]
pub fn server_key(attempt: &Attempt, prf: impl FnOnce(&[u8; Attempt::LENGTH]) -> u64) -> Key {
    Key::new(prf(&attempt.to_bytes()))
}

impl Attempt {
    /// The length of [`Self::to_bytes`].
    pub const LENGTH: usize = 44;

    /// All fields in a row, IPv4 addresses in their IPv6-mapped form (RFC 4291 section 2.5.5.2),
    /// so that both families have one form.
    #[inline]
    pub fn to_bytes(&self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        let mut rest = bytes.as_mut_slice();
        rest = put(rest, mapped(&self.local));
        rest = put(rest, mapped(&self.remote));
        rest = put(rest, self.local_port.to_be_bytes());
        rest = put(rest, self.remote_port.to_be_bytes());
        rest = put(rest, self.local_isn.to_be_bytes());
        put(rest, self.remote_isn.to_be_bytes());
        bytes
    }
}

/// Writes `field` to the front of `place` and returns what follows it.
#[inline]
pub(super) fn put<const N: usize>(place: &mut [u8], field: [u8; N]) -> &mut [u8] {
    match place.split_first_chunk_mut() {
        Some((front, rest)) => {
            *front = field;
            rest
        }
        None => &mut [],
    }
}

#[inline]
const fn mapped(address: &Address) -> [u8; 16] {
    match *address {
        Address::V4([a, b, c, d]) => [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d],
        Address::V6(octets) => octets,
    }
}

/// Whether a received segment proves to the client that the server has its MP_CAPABLE of the third
/// ACK, so that it can stop to repeat it.
///
/// RFC 8684 section 3.1: the connection is fully established for the initiator once it receives
/// an MPTCP option with a data acknowledgement.
#[inline]
pub fn establishes_client(received: &Received) -> bool {
    received.dss.is_some_and(|dss| dss.data_ack.is_some())
}

/// Whether a received segment proves to the server that the client has the SYN/ACK's MP_CAPABLE
/// and that options pass on data segments: any DSS does.
#[inline]
pub const fn establishes_server(received: &Received) -> bool {
    received.dss.is_some()
}

/// What the client puts into a segment beside other options.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ClientSpeaks {
    /// MP_CAPABLE without a mapping.
    CapableAck,
    /// MP_CAPABLE with the first mapping.
    CapableData,
    /// DSS.
    Dss,
}

/// Decides how the client speaks in a segment with or without data, of which `first_mapping` says
/// whether the mapping that covers it starts at relative subflow sequence number one.
///
/// RFC 8684 section 3.1: until the connection is fully established, the initiator repeats
/// MP_CAPABLE, with the data length on the first data; later data has a DSS of its own.
// rfc8684:3.1-19
#[inline]
pub const fn client_speaks(
    fully_established: bool,
    has_data: bool,
    first_mapping: bool,
) -> ClientSpeaks {
    match (fully_established, has_data, first_mapping) {
        (true, _, _) | (false, true, false) => ClientSpeaks::Dss,
        (false, true, true) => ClientSpeaks::CapableData,
        (false, false, _) => ClientSpeaks::CapableAck,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn vectors_hold() {
        assert_eq!(crate::vectors::handshake::check(), Ok(()));
    }
}
