// SPDX-License-Identifier: GPL-2.0

//! The table of a host's endpoints: what is refused, and which ids are given.

use super::{expect, Check};
use crate::path_manager::{EndpointError, EndpointFlags, Endpoints, NewEndpoint};
use crate::wire::Address;

const SIGNAL: EndpointFlags = EndpointFlags::SIGNAL;
const SUBFLOW: EndpointFlags = EndpointFlags::SUBFLOW;
const BACKUP: EndpointFlags = EndpointFlags::BACKUP;
const FULLMESH: EndpointFlags = EndpointFlags::FULLMESH;

/// What is done with the table. An address is known by its last number.
#[derive(Clone, Copy)]
enum Step {
    /// An endpoint is added: address, port, id that is asked for, flags; its id.
    Add(
        u8,
        Option<u16>,
        Option<u8>,
        EndpointFlags,
        Result<u8, EndpointError>,
    ),
    /// The id of an address to which a subflow comes or from which one leaves.
    IdOf(u8, Result<u8, EndpointError>),
    /// The same at a port.
    IdAt(u8, u16, Result<u8, EndpointError>),
    /// Which endpoint serves an address and port.
    Serves(u8, u16, Option<u8>),
    /// Backup and fullmesh are changed; the flags afterwards.
    Change(u8, [bool; 2], Result<EndpointFlags, EndpointError>),
    /// The host has the address, or not.
    Usable(u8, bool),
    /// The ids of the endpoints with these flags whose address the host has.
    Have(EndpointFlags, &'static [u8]),
    /// An endpoint is removed; its address.
    Remove(u8, Result<u8, EndpointError>),
    Flush,
    /// How many endpoints there are.
    Count(usize),
}

/// A name, and steps with an empty table that has room for four.
type Life = (&'static str, &'static [Step]);

#[rustfmt::skip]
const LIVES: [Life; 8] = {
    use EndpointError::{
        AddressTaken, Full, IdTaken, IdZero, Implicit, PortNeedsSignal, SignalledFullmesh, Unknown,
    };
    use Step::{Add, Change, Count, Flush, Have, IdAt, IdOf, Remove, Serves, Usable};
    [
        ("what makes no sense is refused", &[
            Add(1, Some(80), None, SUBFLOW, Err(PortNeedsSignal)),
            Add(1, Some(80), None, SIGNAL.with(SUBFLOW), Err(PortNeedsSignal)),
            Add(1, None, None, SIGNAL.with(FULLMESH), Err(SignalledFullmesh)),
            Add(1, None, None, EndpointFlags::IMPLICIT, Err(Implicit)),
            Add(1, None, Some(0), SUBFLOW, Err(IdZero)),
            Count(0),
            Add(1, None, None, SUBFLOW, Ok(1)),
            Add(2, Some(80), None, SIGNAL, Ok(2)),
            Add(3, None, None, SIGNAL.with(SUBFLOW), Ok(3)),
            Add(4, None, None, EndpointFlags::LAMINAR, Ok(4)),
            Count(4),
            Add(5, None, None, SUBFLOW, Err(Full)),
        ]),
        ("ids and addresses are taken once", &[
            Add(1, None, Some(7), SIGNAL, Ok(7)),
            Add(2, None, Some(7), SIGNAL, Err(IdTaken)),
            Add(1, None, Some(7), SIGNAL, Err(IdTaken)),
            Add(1, None, None, SUBFLOW, Err(AddressTaken)),
            // One address may be announced with several ports.
            Add(1, Some(8080), None, SIGNAL, Ok(8)),
            Add(3, None, None, SUBFLOW, Ok(9)),
            Remove(7, Ok(1)),
            Remove(7, Err(Unknown)),
            Flush,
            Count(0),
        ]),
        ("ids go on behind the highest", &[
            Add(1, None, None, SUBFLOW, Ok(1)),
            Remove(1, Ok(1)),
            // One that was given rests.
            Add(1, None, None, SUBFLOW, Ok(2)),
            Add(2, None, Some(100), SUBFLOW, Ok(100)),
            Add(3, None, None, SUBFLOW, Ok(101)),
            Remove(100, Ok(2)),
            Add(2, None, Some(254), SUBFLOW, Ok(254)),
            Remove(101, Ok(3)),
            Add(3, None, None, SUBFLOW, Ok(255)),
            Remove(254, Ok(2)),
            Add(2, None, None, SUBFLOW, Ok(1)),
        ]),
        ("and begin anew after a flush", &[
            Add(1, None, Some(100), SUBFLOW, Ok(100)),
            Flush,
            Add(1, None, None, SUBFLOW, Ok(1)),
        ]),
        ("an implicit endpoint can be replaced", &[
            IdOf(5, Ok(1)),
            IdOf(5, Ok(1)),
            Have(EndpointFlags::IMPLICIT, &[1]),
            Add(5, None, Some(9), SUBFLOW, Err(AddressTaken)),
            Add(5, None, None, SUBFLOW, Ok(1)),
            Have(EndpointFlags::IMPLICIT, &[]),
            Count(1),
            IdOf(5, Ok(1)),
        ]),
        ("an address with a port is another than without", &[
            Add(5, Some(8080), None, SIGNAL, Ok(1)),
            IdAt(5, 8080, Ok(1)),
            IdOf(5, Ok(2)),
            IdAt(5, 80, Ok(2)),
            Serves(5, 8080, Some(1)),
            Serves(5, 80, Some(2)),
            Serves(6, 80, None),
        ]),
        ("backup and fullmesh can change", &[
            Add(1, None, None, SUBFLOW, Ok(1)),
            Change(1, [true, true], Ok(SUBFLOW.with(BACKUP).with(FULLMESH))),
            Change(1, [false, false], Ok(SUBFLOW)),
            Change(9, [true, false], Err(Unknown)),
            Add(2, None, None, SIGNAL, Ok(2)),
            Change(2, [true, true], Err(SignalledFullmesh)),
            Change(2, [true, false], Ok(SIGNAL.with(BACKUP))),
        ]),
        ("an address that the host lost is not usable", &[
            Add(1, None, None, SUBFLOW, Ok(1)),
            Add(2, None, None, SUBFLOW, Ok(2)),
            Have(SUBFLOW, &[1, 2]),
            Usable(1, false),
            Have(SUBFLOW, &[2]),
            Have(SIGNAL, &[]),
            Usable(1, true),
            Have(SUBFLOW, &[1, 2]),
        ]),
    ]
};

/// Runs all lives.
///
/// # Errors
/// The name of the first that goes otherwise.
// rfc8684:3.4.1-1
pub fn check() -> Check {
    for (name, steps) in LIVES {
        let mut table = Endpoints::<4>::new();
        for step in steps {
            expect(goes(&mut table, step), name)?;
        }
    }
    check_flags()
}

const fn address(last: u8) -> Address {
    Address::V4([192, 0, 2, last])
}

fn goes(table: &mut Endpoints<4>, step: &Step) -> bool {
    match *step {
        Step::Add(last, port, id, flags, expected) => {
            let new = NewEndpoint {
                id,
                address: address(last),
                port,
                flags,
                interface: 0,
            };
            table.add(new).map(|endpoint| endpoint.id) == expected
        }
        Step::IdOf(last, expected) => table.id_of(address(last)) == expected,
        Step::IdAt(last, port, expected) => table.id_at(address(last), port) == expected,
        Step::Serves(last, port, expected) => {
            let endpoint = table.view().serving(&address(last), port);
            endpoint.map(|endpoint| endpoint.id) == expected
        }
        Step::Change(id, [backup, fullmesh], expected) => {
            let changed = table.set_flags(id, backup, fullmesh);
            changed.map(|endpoint| endpoint.flags) == expected
        }
        Step::Usable(last, usable) => {
            table.set_usable(&address(last), usable);
            true
        }
        Step::Have(flags, ids) => {
            let view = table.view();
            let found = view.usable(flags).map(|endpoint| endpoint.id);
            found.eq(ids.iter().copied())
        }
        Step::Remove(id, expected) => {
            let removed = table.remove(id).map(|endpoint| endpoint.address);
            removed == expected.map(address)
        }
        Step::Flush => {
            table.flush();
            true
        }
        Step::Count(expected) => table.view().iter().count() == expected,
    }
}

/// Flags are those of the netlink interface.
fn check_flags() -> Check {
    for (name, bits, known) in [
        ("no flag", 0, true),
        ("signal and backup", 5, true),
        ("all flags", 63, true),
        ("one that there is not", 64, false),
        ("one that there is not beside signal", 0x8000_0001, false),
    ] {
        let flags = EndpointFlags::from_bits(bits);
        expect(
            flags.map(EndpointFlags::bits) == known.then_some(bits),
            name,
        )?;
    }
    let both = SIGNAL.with(BACKUP);
    let has = both.has(SIGNAL) && both.has(BACKUP) && !both.has(SIGNAL.with(SUBFLOW));
    expect(has && both.without(SIGNAL) == BACKUP, "flags")
}
