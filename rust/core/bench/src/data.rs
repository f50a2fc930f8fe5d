// SPDX-License-Identifier: GPL-2.0

//! Mappings and reassembly, and both together with the option that brings a segment's mapping.

use crate::options::{dss, ESTABLISHED, TIMESTAMPS};
use crate::Case;
use mptcp_core::mapping::{RxMapping, RxMappings, TxMappings, TxRecord};
use mptcp_core::reassembly::{Piece, Reassembly, Slot, Verdict};
use mptcp_core::receive::ReceiveState;
use mptcp_core::seq::{Dsn, Ssn};
use mptcp_core::wire::{Received, OPTION_SPACE};
use std::hint::black_box;

/// Bytes of data in a segment.
const MSS: u32 = 1448;
/// The first data sequence number; the low half wraps soon.
const FIRST: Dsn = Dsn::new(0x7fff_0000);

/// The first and the last packet of a queue, which are linked elsewhere.
struct Packets {
    first: u64,
    last: u64,
}

impl Piece for Packets {
    fn cut(&mut self, skip: u32, take: u32) {
        black_box((self.first, skip, take));
    }

    fn append(&mut self, next: Self) {
        self.last = next.last;
    }
}

type Held = Reassembly<Packets, Vec<Slot<Packets>>>;

fn held(slots: usize) -> Held {
    Reassembly::new((0..slots).map(|_| Slot::FREE).collect())
}

fn offer(held: &mut Held, state: &mut ReceiveState, dsn: Dsn, len: u32) -> Verdict {
    let edge = state.rcv_nxt().plus(1 << 31);
    let (first, last) = (dsn.raw(), dsn.raw());
    let packet = Packets { first, last };
    black_box(held.offer(state, edge, dsn, len, packet)).verdict
}

/// Segment `number` of a subflow that carries the stream alone.
fn mapping(number: u64, checksum: Option<u16>) -> RxMapping {
    let at = number.wrapping_mul(u64::from(MSS));
    RxMapping {
        ssn: Ssn::new(at as u32),
        dsn: FIRST.plus(at),
        len: MSS as u16,
        checksum,
        data_fin: false,
    }
}

/// A segment's mapping comes, and the segment that came `N - 1` before is consumed. With a
/// checksum mappings do not merge, so the table has `N` entries.
fn received<const N: usize>(name: &str, checksum: Option<u16>) -> Case {
    let mut table = RxMappings::<N>::starting_at(mapping(0, None).ssn);
    let (mut newest, behind) = (0, N as u64 - 1);
    let step = move |steps| {
        for _ in 0..steps {
            table
                .record(black_box(mapping(newest, checksum)))
                .expect("it fits");
            let at = mapping(newest.wrapping_sub(behind), checksum).ssn;
            newest += 1;
            if newest > behind {
                black_box(table.lookup(at));
                table.consumed(at.plus(MSS));
            }
        }
    };
    Case::new(format!("mapping/receive-{name}"), step)
}

/// A piece gets its mapping, its retransmission finds it, and the oldest of `N` is acknowledged.
fn sent<const N: usize>() -> Case {
    let mut table = TxMappings::<N>::new();
    let mut newest = 0_u64;
    let step = move |steps| {
        for _ in 0..steps {
            let RxMapping { ssn, dsn, len, .. } = mapping(newest, None);
            let checksum = None;
            let record = TxRecord {
                ssn,
                dsn,
                len,
                checksum,
            };
            table.push(black_box(record)).expect("it fits");
            newest += 1;
            // Somewhere among all that are in flight.
            let age = (newest.wrapping_mul(0x9e37_79b9) >> 7) % (table.len() as u64);
            black_box(table.covering(mapping(newest - 1 - age, None).ssn));
            if table.is_full() {
                let oldest = table.oldest().expect("it is full").end();
                table.acked(oldest);
            }
        }
    };
    Case::new(format!("mapping/send-{N}"), step)
}

/// The next segment, again and again.
fn in_order() -> Case {
    let (mut held, mut state) = (held(64), ReceiveState::new(FIRST));
    let step = move |steps| {
        for _ in 0..steps {
            let dsn = state.rcv_nxt();
            offer(&mut held, &mut state, dsn, MSS);
        }
    };
    Case::new("reassembly/in-order", step)
}

/// `PATHS` subflows carry blocks of 32 segments and deliver in turn.
fn interleaved<const PATHS: u64>() -> Case {
    const BLOCK: u64 = 32;
    let (mut held, mut state) = (held(64), ReceiveState::new(FIRST));
    let mut base = FIRST;
    let mut at = 0;
    let step = move |steps| {
        for _ in 0..steps {
            let number = at % PATHS * BLOCK + at / PATHS;
            offer(
                &mut held,
                &mut state,
                base.plus(number * u64::from(MSS)),
                MSS,
            );
            at += 1;
            if at == PATHS * BLOCK {
                base = base.plus(at * u64::from(MSS));
                at = 0;
            }
        }
    };
    Case::new(format!("reassembly/{PATHS}-paths"), step)
}

/// With `runs` held, data joins one of them, anywhere.
fn among(runs: u64) -> Case {
    const APART: u64 = 1 << 18;
    let (mut queue, mut state) = (held(0), ReceiveState::new(FIRST));
    let mut number = u64::MAX;
    let step = move |steps| {
        for _ in 0..steps {
            if number / runs >= APART - 2 {
                (queue, number) = (held(runs as usize), 0);
                for run in 0..runs {
                    offer(&mut queue, &mut state, FIRST.plus(1 + run * APART), 1);
                }
            }
            // All of them once, in an order that jumps, then all of them again.
            let run = number % runs * 0x9e37_79b1 % runs;
            let dsn = FIRST.plus(2 + run * APART + number / runs);
            let verdict = offer(&mut queue, &mut state, dsn, 1);
            assert_eq!(verdict, Verdict::Held { len: 1 });
            number += 1;
        }
    };
    Case::new(format!("reassembly/join-one-of-{runs}-runs"), step)
}

/// With `runs` held, a new one comes behind them and the first is taken out.
fn renewed(runs: u64) -> Case {
    let (mut queue, mut state) = (held(runs as usize + 1), ReceiveState::new(FIRST));
    let mut next = FIRST;
    let step = move |steps| {
        for _ in 0..steps {
            next = next.plus(2);
            if next.since(FIRST) > 1 << 30 {
                // Nothing is taken in order, so the window stands still.
                while queue.pop().is_some() {}
                next = FIRST.plus(2);
            }
            offer(&mut queue, &mut state, next, 1);
            if queue.len() as u64 > runs {
                black_box(queue.pop());
            }
        }
    };
    Case::new(format!("reassembly/renew-one-of-{runs}-runs"), step)
}

/// All that the core does for a segment in order: its options are read, its mapping is recorded,
/// TCP delivers what came `N - 1` segments before, and that goes through.
fn segment<const N: usize>(name: &str, checksum: Option<u16>) -> Case {
    let headers: Vec<Vec<u8>> = (0..4096)
        .map(|number| {
            let RxMapping { ssn, dsn, .. } = mapping(number, checksum);
            let mut header = vec![0; OPTION_SPACE];
            header[..12].copy_from_slice(&TIMESTAMPS);
            let length = dss(dsn, ssn, checksum)
                .emit(&mut header[12..])
                .expect("it fits");
            header.truncate(12 + length.next_multiple_of(4));
            header[12 + length..].fill(1);
            header
        })
        .collect();
    let mut number = headers.len();
    let mut table = RxMappings::<N>::new();
    let (mut queue, mut state) = (held(64), ReceiveState::new(FIRST));
    let step = move |steps| {
        for _ in 0..steps {
            if number == headers.len() {
                table = RxMappings::starting_at(mapping(0, None).ssn);
                state = ReceiveState::new(FIRST);
                number = 0;
            }
            let received = Received::parse(black_box(&headers[number]), ESTABLISHED);
            let map = received.dss.and_then(|dss| dss.map).expect("it is there");
            let stated = RxMapping {
                ssn: map.ssn,
                dsn: map.dsn.expand(state.rcv_nxt()),
                len: map.len,
                checksum: map.checksum,
                data_fin: false,
            };
            table.record(stated).expect("it fits");
            number += 1;
            if number >= N {
                let at = mapping((number - N) as u64, None).ssn;
                let span = table.lookup(at).expect("it is mapped");
                table.consumed(at.plus(MSS));
                offer(&mut queue, &mut state, span.dsn, MSS);
            }
        }
    };
    Case::new(format!("segment/{name}"), step)
}

pub(crate) fn cases() -> Vec<Case> {
    vec![
        received::<24>("merged", None),
        received::<1>("1", Some(7)),
        received::<4>("4", Some(7)),
        received::<16>("16", Some(7)),
        received::<64>("64", Some(7)),
        received::<256>("256", Some(7)),
        received::<1024>("1024", Some(7)),
        sent::<1>(),
        sent::<4>(),
        sent::<16>(),
        sent::<64>(),
        sent::<256>(),
        sent::<1024>(),
        in_order(),
        interleaved::<2>(),
        interleaved::<8>(),
        among(1),
        among(16),
        among(256),
        among(4096),
        renewed(1),
        renewed(16),
        renewed(256),
        renewed(4096),
        segment::<24>("merged", None),
        segment::<1>("1", Some(7)),
        segment::<16>("16", Some(7)),
        segment::<64>("64", Some(7)),
        segment::<256>("256", Some(7)),
        segment::<1024>("1024", Some(7)),
    ]
}
