// SPDX-License-Identifier: GPL-2.0

//! The MP_JOIN handshake (RFC 8684 section 3.2), by which a subflow becomes part of a connection.
//! In version 0 (RFC 6824 section 3.2) it is the same but for the hash function, see [`JoinCodes`].
//!
//! The client is the end that opens the subflow, whichever end opened the connection. What each end
//! knows before is in [`Secrets`]; what it decides goes out as an option to write or as a
//! [`Refusal`] to put into a RST.
//!
//! | the connection | at the client | at the server |
//! |---|---|---|
//! | does not go on as plain TCP any more | from [`on_syn_ack`] on: the third ACK may arrive | from [`on_third_ack`] on |
//! | knows that the peer does not either | from [`establishes_client`] on | from [`on_third_ack`] on |
//!
//! Between the two the first subflow alone counts: to send its data again where it does not show
//! that options pass, or to end it by FIN, would change the stream of a peer that is plain TCP.

use super::arrival::shows_mptcp;
use super::handshake::{put, Attempt};
use crate::crypto::{same_code, JoinCodes, KeyPair, Token};
use crate::num::{low32, saturate32};
use crate::send::MAX_BACKOFF;
use crate::wire::plan::Wanted;
use crate::wire::{MpJoin, Received, ResetReason};

/// How often the client says its third ACK before it gives the subflow up.
pub const MOST_THIRD_ACKS: u8 = 6;
/// The longest wait for the answer to it, in microseconds.
pub const LONGEST_WAIT: u32 = 10_000_000;

/// What proves to each end that the other belongs to the connection.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Secrets {
    /// The keys of the connection, ours as the sender's.
    pub keys: KeyPair,
    /// Our random number.
    pub our_nonce: u32,
    /// The peer's random number.
    pub peer_nonce: u32,
}

/// What a SYN asks for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Request {
    /// The server's token of the connection.
    pub token: Token,
    /// The client's random number.
    pub nonce: u32,
    /// The client's id of the address that the SYN comes from.
    pub address_id: u8,
    /// Use the subflow only when no other works.
    pub backup: bool,
}

/// The client's conclusion from a SYN/ACK that is the server's.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Accepted {
    /// The server's id of the address that the SYN went to.
    pub address_id: u8,
    /// The server asks to use the subflow only when no other works.
    pub backup: bool,
    /// The HMAC for the third ACK, see [`third_ack`].
    pub hmac: [u8; 20],
}

/// Why a subflow is reset before it is part of the connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// No connection has the token.
    UnknownToken,
    /// The segment has no MP_JOIN, or none of the form that is due.
    NoOption,
    /// The HMAC is not the one that the keys give.
    WrongHmac,
    /// The server never showed that it has the third ACK.
    Silence,
}

impl Refusal {
    /// What the RST tells the peer.
    ///
    /// RFC 8684 section 3.2: an unknown token, a missing option and a wrong HMAC are
    /// MPTCP-specific errors. Section 3.6: where options do not pass, something on the path
    /// interferes.
    // rfc8684:3.2-4
    #[inline]
    pub const fn reason(self) -> ResetReason {
        match self {
            Self::UnknownToken | Self::NoOption | Self::WrongHmac => ResetReason::MPTCP_SPECIFIC,
            Self::Silence => ResetReason::MIDDLEBOX_INTERFERENCE,
        }
    }
}

/// The client's MP_JOIN for the SYN.
#[inline]
pub const fn client_syn(request: &Request) -> MpJoin {
    MpJoin::Syn {
        backup: request.backup,
        address_id: request.address_id,
        token: request.token,
        nonce: request.nonce,
    }
}

/// Server: reads the request of a SYN. `None` if it is none: a SYN of plain TCP, or one that asks
/// for a new connection, which cannot join another at the same time.
///
/// RFC 8684 section 3.2: the token names the connection; whom the port belongs to does not matter.
// rfc8684:3.2-7
#[inline]
pub const fn on_syn(received: &Received) -> Option<Request> {
    match (received.mp_join, received.mp_capable) {
        (
            Some(MpJoin::Syn {
                backup,
                address_id,
                token,
                nonce,
            }),
            None,
        ) => Some(Request {
            token,
            nonce,
            address_id,
            backup,
        }),
        _ => None,
    }
}

/// The server's random number for the SYN `attempt`, which asks for the connection with `token`.
///
/// As with [`server_key`](super::handshake::server_key) nothing need be kept until the third ACK.
/// `prf` is a pseudo-random function of the bytes it is given, keyed by a secret of this host. The
/// bytes are more than those of a key, so no key is told by a nonce.
#[inline]
pub fn server_nonce(
    attempt: &Attempt,
    token: Token,
    prf: impl FnOnce(&[u8; NONCE_INPUT]) -> u64,
) -> u32 {
    let mut bytes = [0; NONCE_INPUT];
    let rest = put(&mut bytes, attempt.to_bytes());
    put(rest, token.raw().to_be_bytes());
    low32(prf(&bytes))
}

/// How many bytes the pseudo-random function of [`server_nonce`] reads.
pub const NONCE_INPUT: usize = Attempt::LENGTH + 4;

/// The server's MP_JOIN for the SYN/ACK: `address_id` is its id of the address that the SYN came
/// to, `backup` asks to use the subflow only when no other works.
// rfc8684:3.2-13
#[inline]
pub fn server_syn_ack<H: JoinCodes>(
    secrets: &Secrets,
    address_id: u8,
    backup: bool,
    hash: &H,
) -> MpJoin {
    MpJoin::SynAck {
        backup,
        address_id,
        hmac: secrets
            .keys
            .join_syn_ack_hmac(hash, secrets.our_nonce, secrets.peer_nonce),
        nonce: secrets.our_nonce,
    }
}

/// Client: concludes from the SYN/ACK. `keys` are those of the connection, ours as the sender's;
/// `our_nonce` is the one of the SYN.
///
/// # Errors
/// Why the subflow is to be reset (RFC 8684 section 3.2): no MP_JOIN, or a wrong HMAC.
// rfc8684:3.2-3 rfc8684:3.2-6
pub fn on_syn_ack<H: JoinCodes>(
    received: &Received,
    keys: KeyPair,
    our_nonce: u32,
    hash: &H,
) -> Result<Accepted, Refusal> {
    let Some(MpJoin::SynAck {
        backup,
        address_id,
        hmac,
        nonce,
    }) = received.mp_join
    else {
        return Err(Refusal::NoOption);
    };
    let expected = keys.reversed().join_syn_ack_hmac(hash, nonce, our_nonce);
    if !same_code(&hmac.to_be_bytes(), &expected.to_be_bytes()) {
        return Err(Refusal::WrongHmac);
    }
    Ok(Accepted {
        address_id,
        backup,
        hmac: keys.join_ack_hmac(hash, our_nonce, nonce),
    })
}

/// What every segment of the client says from the SYN/ACK until [`establishes_client`].
#[inline]
pub fn third_ack(hmac: [u8; 20]) -> Wanted {
    Wanted {
        mp_join: Some(MpJoin::Ack { hmac }),
        ..Wanted::default()
    }
}

/// Server: concludes from the first segment after the SYN.
///
/// # Errors
/// Why the subflow is to be reset (RFC 8684 section 3.2): no MP_JOIN, or a wrong HMAC.
// rfc8684:3.2-5 rfc8684:3.8-2 rfc8684:3.9.3-2
pub fn on_third_ack<H: JoinCodes>(
    received: &Received,
    secrets: &Secrets,
    hash: &H,
) -> Result<(), Refusal> {
    let Some(MpJoin::Ack { hmac }) = received.mp_join else {
        return Err(Refusal::NoOption);
    };
    let expected =
        secrets
            .keys
            .reversed()
            .join_ack_hmac(hash, secrets.peer_nonce, secrets.our_nonce);
    match same_code(&hmac, &expected) {
        true => Ok(()),
        false => Err(Refusal::WrongHmac),
    }
}

/// Whether the server of an established subflow owes an acknowledgement at once: the client says
/// again what only the server's acknowledgement ends (RFC 8684 section 3.2).
// rfc8684:3.2-8
#[inline]
pub const fn acknowledgement_due(received: &Received) -> bool {
    matches!(received.mp_join, Some(MpJoin::Ack { .. }))
}

/// Whether a segment that came after the SYN/ACK shows the client that the server has the third
/// ACK. Before that the client sends no data on the subflow.
///
/// RFC 8684 section 3.2: any acknowledgement would do, for the server resets the subflow rather
/// than send one without the right HMAC. Section 3.7 wants to see that options pass, so one
/// without options proves nothing yet.
// rfc8684:3.2-10
#[inline]
pub const fn establishes_client(received: &Received) -> bool {
    shows_mptcp(received)
}

/// How long the client waits for the answer to its third ACK, which it sent `sent` times, in
/// microseconds. `rto_us` is the subflow's retransmission timeout, `cap_us` the longest wait. Each
/// time doubles it, as TCP's (RFC 6298 section 5.5).
#[inline]
pub const fn third_ack_timeout(sent: u8, rto_us: u32, cap_us: u32) -> u32 {
    let doublings = match sent.saturating_sub(1) {
        few if few < MAX_BACKOFF => few,
        _ => MAX_BACKOFF,
    };
    let wait = (rto_us as u64) << doublings;
    if wait > cap_us as u64 {
        cap_us
    } else {
        saturate32(wait)
    }
}

/// What the client does when the answer to its third ACK does not come in time.
///
/// RFC 8684 section 3.2: it sends the third ACK again, for it has no data that would make up for a
/// lost one. `sent` counts how often it did, `most` how often it may.
///
/// # Errors
/// Why the subflow is to be reset: it was sent often enough.
// rfc8684:3.2-9
#[inline]
pub const fn on_silence(sent: u8, most: u8) -> Result<(), Refusal> {
    if sent < most {
        Ok(())
    } else {
        Err(Refusal::Silence)
    }
}

#[cfg(test)]
mod tests;
