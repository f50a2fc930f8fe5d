// SPDX-License-Identifier: GPL-2.0

//! The addresses of the hosts.

use crate::chance::Chance;
use mptcp_core::wire::Address;

const CLIENT: u8 = 1;
const SERVER: u8 = 2;

/// The IPv4 address of this number that the client may have.
pub const fn client_address(number: u8) -> Address {
    Address::V4([10, 0, number, CLIENT])
}

/// The IPv4 address of this number that the server may have.
pub const fn server_address(number: u8) -> Address {
    Address::V4([10, 0, number, SERVER])
}

/// The address by which a translator on a route replaces the client's, in the family of another.
pub const fn translated_address(route: usize, family: &Address) -> Address {
    let route = route as u8;
    match family {
        Address::V4(_) => Address::V4([192, 0, 2, route]),
        Address::V6(_) => Address::V6([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, route]),
    }
}

/// The number of an address.
pub const fn number_of(address: &Address) -> u8 {
    match address {
        Address::V4([_, _, number, _]) | Address::V6([_, _, number, ..]) => *number,
    }
}

/// Which protocols the routes speak.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Families {
    /// IPv4.
    #[default]
    V4,
    /// IPv6.
    V6,
    /// IPv4 between the addresses of even numbers, IPv6 between the others.
    Mixed,
}

impl Families {
    /// Any.
    pub(super) fn random(chance: &mut Chance) -> Self {
        chance.pick(&[
            Self::V4,
            Self::V4,
            Self::V4,
            Self::V6,
            Self::V6,
            Self::Mixed,
        ])
    }

    /// The address of the same number and host in the family that belongs to it.
    pub const fn place(self, address: Address) -> Address {
        let number = number_of(&address);
        let host = match address {
            Address::V4([.., host]) | Address::V6([_, _, _, host, ..]) => host,
        };
        match self {
            Self::V6 => v6(number, host),
            Self::Mixed if number % 2 == 1 => v6(number, host),
            Self::V4 | Self::Mixed => Address::V4([10, 0, number, host]),
        }
    }
}

const fn v6(number: u8, host: u8) -> Address {
    Address::V6([0xfd, 0, number, host, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
}
