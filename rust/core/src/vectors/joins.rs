// SPDX-License-Identifier: GPL-2.0

//! The bytes of an MP_JOIN handshake (RFC 8684 section 3.2, RFC 6824 section 3.2).

use super::{expect, Check};
use crate::connection::join::{
    client_syn, on_syn, on_syn_ack, on_third_ack, server_syn_ack, third_ack, Accepted, Refusal,
    Request, Secrets,
};
use crate::crypto::{JoinCodes, Key, KeyPair, Token};
use crate::wire::{MpJoin, Received, SegmentKind, OPTION_SPACE};

/// The server's end of a join: server's key 0x1112131415161718, nonce 0x21222324; client's key
/// 0x0102030405060708, nonce 0x31323334.
pub const SERVER: Secrets = Secrets {
    keys: KeyPair {
        sender: Key::new(0x1112_1314_1516_1718),
        receiver: Key::new(0x0102_0304_0506_0708),
    },
    our_nonce: 0x2122_2324,
    peer_nonce: 0x3132_3334,
};

/// The same seen from the client.
pub const CLIENT: Secrets = Secrets {
    keys: SERVER.keys.reversed(),
    our_nonce: SERVER.peer_nonce,
    peer_nonce: SERVER.our_nonce,
};

/// What the client asks for.
pub const REQUEST: Request = Request {
    token: Token::new(0x4142_4344),
    nonce: CLIENT.our_nonce,
    address_id: 7,
    backup: true,
};

/// Kind 30, length 12, subtype 1 with B, address id 7, token, client's nonce.
pub const SYN_BYTES: [u8; 12] = [
    30, 12, 0x11, 7, 0x41, 0x42, 0x43, 0x44, 0x31, 0x32, 0x33, 0x34,
];

/// Subtype 1, address id 9, HMAC-SHA256 of the server cut to 64 bits, server's nonce.
pub const SYN_ACK_BYTES: [u8; 16] = [
    0x1e, 0x10, 0x10, 0x09, 0x96, 0x9e, 0xa8, 0x0f, 0x95, 0xe6, 0x7f, 0x60, 0x21, 0x22, 0x23, 0x24,
];

/// Subtype 1, reserved byte, HMAC-SHA256 of the client cut to 160 bits.
pub const ACK_BYTES: [u8; 24] = [
    0x1e, 0x18, 0x10, 0x00, 0xc8, 0xb0, 0xcc, 0x4d, 0x45, 0xde, 0x81, 0x27, 0xea, 0xf0, 0xfe, 0x92,
    0x10, 0x44, 0x6d, 0x61, 0xeb, 0xa0, 0x7b, 0x84,
];

/// As [`SYN_ACK_BYTES`], with HMAC-SHA1 of version 0.
pub const SYN_ACK_BYTES_V0: [u8; 16] = [
    0x1e, 0x10, 0x10, 0x09, 0xae, 0xfb, 0xf4, 0xb4, 0xa1, 0x73, 0x15, 0x52, 0x21, 0x22, 0x23, 0x24,
];

/// As [`ACK_BYTES`], with HMAC-SHA1 of version 0.
pub const ACK_BYTES_V0: [u8; 24] = [
    0x1e, 0x18, 0x10, 0x00, 0xf4, 0xf6, 0x38, 0xf7, 0x03, 0x1e, 0x71, 0xf5, 0xa4, 0x23, 0x41, 0x20,
    0x6b, 0x91, 0x7f, 0x0f, 0x53, 0x5e, 0x9d, 0x12,
];

/// Checks both ends' conclusions from the bytes of version 1 and from every one of them changed.
///
/// # Errors
/// The name of the first segment for which they do not hold.
pub fn check<H: JoinCodes>(hash: &H) -> Check {
    check_bytes(hash, SYN_ACK_BYTES, ACK_BYTES)
}

/// As [`check`], for version 0.
///
/// # Errors
/// The name of the first segment for which the conclusions do not hold.
pub fn check_v0<H: JoinCodes>(hash: &H) -> Check {
    check_bytes(hash, SYN_ACK_BYTES_V0, ACK_BYTES_V0)
}

fn check_bytes<H: JoinCodes>(hash: &H, syn_ack_bytes: [u8; 16], ack_bytes: [u8; 24]) -> Check {
    let syn = received(&SYN_BYTES, true, false);
    expect(writes(client_syn(&REQUEST), &SYN_BYTES), "SYN")?;
    expect(on_syn(&syn) == Some(REQUEST), "SYN")?;

    let answer = server_syn_ack(&SERVER, 9, false, hash);
    expect(writes(answer, &syn_ack_bytes), "SYN/ACK")?;
    let accepted = conclude(&syn_ack_bytes, hash).map_err(|_| "SYN/ACK")?;
    expect(
        (accepted.address_id, accepted.backup) == (9, false),
        "SYN/ACK",
    )?;
    for at in 4..syn_ack_bytes.len() {
        let refused = conclude(&changed(syn_ack_bytes, at), hash) == Err(Refusal::WrongHmac);
        expect(refused, "changed SYN/ACK")?;
    }

    let third = third_ack(accepted.hmac).mp_join;
    expect(
        third.is_some_and(|third| writes(third, &ack_bytes)),
        "third ACK",
    )?;
    let proves = |options: &[u8]| on_third_ack(&received(options, false, true), &SERVER, hash);
    expect(proves(&ack_bytes) == Ok(()), "third ACK")?;
    for at in 4..ack_bytes.len() {
        let refused = proves(&changed(ack_bytes, at)) == Err(Refusal::WrongHmac);
        expect(refused, "changed third ACK")?;
    }
    expect(proves(&[]) == Err(Refusal::NoOption), "no third ACK")
}

fn conclude<H: JoinCodes>(options: &[u8], hash: &H) -> Result<Accepted, Refusal> {
    on_syn_ack(
        &received(options, true, true),
        CLIENT.keys,
        CLIENT.our_nonce,
        hash,
    )
}

fn received(options: &[u8], syn: bool, ack: bool) -> Received {
    let segment = SegmentKind { syn, ack };
    Received::parse(options, segment)
}

fn writes(option: MpJoin, bytes: &[u8]) -> bool {
    let mut room = [0; OPTION_SPACE];
    let length = option.emit(&mut room);
    length.and_then(|length| room.get(..length)) == Some(bytes)
}

/// The same bytes with a bit of one of them changed.
fn changed<const N: usize>(mut bytes: [u8; N], at: usize) -> [u8; N] {
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1;
    }
    bytes
}
