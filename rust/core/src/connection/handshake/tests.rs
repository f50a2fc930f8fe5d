// SPDX-License-Identifier: GPL-2.0

use super::*;

#[test]
fn vectors_hold() {
    assert_eq!(crate::vectors::handshake::check(), Ok(()));
}

// rfc8684:3.1-1 rfc8684:3.1-22 rfc8684:v0-13
#[test]
fn server_key_depends_on_every_field_and_the_secret() {
    let attempt = Attempt {
        local: Address::V4([10, 0, 0, 1]),
        remote: Address::V4([10, 0, 0, 2]),
        local_port: 80,
        remote_port: 4000,
        local_isn: 1,
        remote_isn: 2,
    };
    let digest = |secret: u64| {
        move |bytes: &[u8; Attempt::LENGTH]| {
            bytes.iter().fold(secret, |state, byte| {
                (state ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
            })
        }
    };
    let key = server_key(&attempt, digest(7));
    assert_eq!(server_key(&attempt, digest(7)), key);
    assert_ne!(server_key(&attempt, digest(8)), key);
    for other in [
        Attempt {
            local: Address::V4([10, 0, 0, 3]),
            ..attempt
        },
        Attempt {
            remote: Address::V6([1; 16]),
            ..attempt
        },
        Attempt {
            local_port: 81,
            ..attempt
        },
        Attempt {
            remote_port: 4001,
            ..attempt
        },
        Attempt {
            local_isn: 3,
            ..attempt
        },
        Attempt {
            remote_isn: 3,
            ..attempt
        },
    ] {
        assert_ne!(server_key(&other, digest(7)), key, "{other:?}");
    }
}
