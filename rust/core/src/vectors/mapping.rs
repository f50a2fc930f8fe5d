// SPDX-License-Identifier: GPL-2.0

//! Tables of mappings: what is recorded, covered, merged, contradicted and forgotten, around the ends of both
//! sequence spaces and at the bound; checksums of mappings.

use super::{expect, Check};
use crate::mapping::{
    DssChecksum, PushError, RecordError, Recorded, RxMapping, RxMappings, RxRecord, Span,
    TxMappings, TxRecord,
};
use crate::seq::{Dsn, Ssn};

/// How far behind what is expected a mapping may lie: more than any window reaches.
const REACH: u32 = 1 << 30;

/// A step with the table of what is sent.
#[derive(Clone, Copy)]
enum Sent {
    /// A mapping is pushed: place on the subflow, place in the stream, bytes.
    Push(u32, u64, u16, Result<(), PushError>),
    /// TCP acknowledged everything before this; so many mappings are left.
    Acked(u32, usize),
    /// The mapping that covers a byte of the subflow, by its first byte there.
    Covers(u32, Option<u32>),
    /// Whether a byte of the stream is carried.
    Carries(u64, bool),
    /// The first bytes of oldest and newest mapping.
    Ends(Option<u32>, Option<u32>),
}

/// A name, and steps with an empty table that has room for two.
type SentLife = (&'static str, &'static [Sent]);

const FULL: Result<(), PushError> = Err(PushError::Full);
const DISORDER: Result<(), PushError> = Err(PushError::OutOfOrder);

#[rustfmt::skip]
const SENT: [SentLife; 4] = {
    use Sent::{Acked, Carries, Covers, Ends, Push};
    [
        ("bounded, freed by acknowledgement", &[
            Ends(None, None),
            Push(1, 100, 10, Ok(())),
            Push(11, 500, 10, Ok(())),
            Push(21, 600, 10, FULL),
            Ends(Some(1), Some(11)),
            // A mapping is needed until its last byte is acknowledged.
            Acked(10, 2),
            Acked(11, 1),
            Covers(10, None),
            Ends(Some(11), Some(11)),
            Push(21, 600, 10, Ok(())),
            Acked(31, 0),
            Ends(None, None),
        ]),
        ("in order, with something to cover", &[
            Push(1, 1, 0, DISORDER),
            Push(1, 1, 5, Ok(())),
            Push(5, 9, 5, DISORDER),
            Push(8, 9, 5, Ok(())),
            Covers(1, Some(1)),
            Covers(5, Some(1)),
            Covers(6, None),
            Covers(7, None),
            Covers(8, Some(8)),
            Covers(12, Some(8)),
            Covers(13, None),
        ]),
        ("both spaces wrap", &[
            Push(u32::MAX - 4, u64::MAX - 2, 10, Ok(())),
            Push(5, 7, 10, Ok(())),
            Push(15, 17, 10, FULL),
            Covers(u32::MAX, Some(u32::MAX - 4)),
            Covers(4, Some(u32::MAX - 4)),
            Covers(5, Some(5)),
            Covers(15, None),
            Acked(4, 2),
            Acked(5, 1),
            Covers(4, None),
            Push(u32::MAX - 4, u64::MAX - 2, 10, DISORDER),
            Acked(15, 0),
        ]),
        ("known by the place in the stream", &[
            Push(1, u64::MAX - 4, 10, Ok(())),
            Push(11, 100, 10, Ok(())),
            Carries(u64::MAX - 5, false),
            Carries(u64::MAX - 4, true),
            Carries(u64::MAX, true),
            Carries(0, true),
            Carries(4, true),
            Carries(5, false),
            Carries(100, true),
            Carries(110, false),
            // What is acknowledged in part is carried yet.
            Acked(10, 2),
            Carries(u64::MAX - 4, true),
            Acked(11, 1),
            Carries(u64::MAX - 4, false),
            Carries(4, false),
            Carries(100, true),
        ]),
    ]
};

/// Runs all lives of the table of what is sent.
///
/// # Errors
/// The name of the first that goes otherwise.
// rfc8684:3.3.1-18
pub fn check_sent() -> Check {
    for (name, steps) in SENT {
        let mut table = TxMappings::<2>::new();
        for step in steps {
            expect(sent(&mut table, step), name)?;
        }
        expect(table.iter().next() == table.oldest(), name)?;
        expect(table.iter().last() == table.newest(), name)?;
    }
    Ok(())
}

fn sent(table: &mut TxMappings<2>, step: &Sent) -> bool {
    let first = |record: &TxRecord| record.ssn.raw();
    match *step {
        Sent::Push(ssn, dsn, len, result) => {
            let before = table.len();
            let record = TxRecord {
                ssn: Ssn::new(ssn),
                dsn: Dsn::new(dsn),
                len,
                checksum: None,
            };
            let added = usize::from(result.is_ok());
            table.push(record) == result && table.len() == before.saturating_add(added)
        }
        Sent::Acked(before, left) => {
            table.acked(Ssn::new(before));
            table.len() == left && table.is_empty() == (left == 0) && table.is_full() == (left == 2)
        }
        Sent::Covers(ssn, by) => table.covering(Ssn::new(ssn)).map(first) == by,
        Sent::Carries(dsn, carried) => table.carries(Dsn::new(dsn)) == carried,
        Sent::Ends(oldest, newest) => {
            table.oldest().map(first) == oldest && table.newest().map(first) == newest
        }
    }
}

/// A mapping as it arrives: place on the subflow, place in the stream, bytes, checksum.
type Map = (u32, u64, u16, Option<u16>);

/// A step with the table of what is received.
#[derive(Clone, Copy)]
enum Got {
    Record(Map, Result<Recorded, RecordError>),
    /// What a byte of the subflow is in the stream, and how many bytes follow of which that is known.
    At(u32, Option<(u64, u32)>),
    /// As [`Got::At`], where an infinite mapping covers the byte.
    Endless(u32, u64),
    /// Everything before this was taken from the subflow; so many mappings are left.
    Consumed(u32, usize),
    /// Whether all that was received from there on is one piece of the stream.
    Continues(u32, u64, bool),
    /// First byte, length and checksum of the mapping that covers a byte.
    Entry(u32, (u32, u32, Option<u16>)),
}

/// A name, the first byte that is expected, and steps with an empty table that has room for three.
type GotLife = (&'static str, u32, &'static [Got]);

const NEW: Result<Recorded, RecordError> = Ok(Recorded::New);
const MERGED: Result<Recorded, RecordError> = Ok(Recorded::Merged);
const KNOWN: Result<Recorded, RecordError> = Ok(Recorded::Known);
const GONE: Result<Recorded, RecordError> = Ok(Recorded::Old);
const CROWDED: Result<Recorded, RecordError> = Err(RecordError::Full);
const CONFLICT: Result<Recorded, RecordError> = Err(RecordError::Conflict);
const FAR: Result<Recorded, RecordError> = Err(RecordError::Outside);

#[rustfmt::skip]
const GOT: [GotLife; 9] = {
    use Got::{At, Consumed, Continues, Endless, Entry, Record};
    [
        ("a gap that is filled joins both sides", 1, &[
            Record((1, 1, 10, None), NEW),
            Record((21, 21, 10, None), NEW),
            Record((41, 41, 10, None), NEW),
            Record((61, 61, 10, None), CROWDED),
            Record((11, 11, 10, None), MERGED),
            At(5, Some((5, 26))),
            Record((15, 15, 30, None), MERGED),
            Record((15, 15, 30, None), KNOWN),
            At(1, Some((1, 50))),
            At(50, Some((50, 1))),
            At(51, None),
            At(0, None),
        ]),
        ("both spaces wrap", u32::MAX - 4, &[
            Record((u32::MAX - 4, u64::MAX - 4, 10, None), NEW),
            Record((15, 15, 10, None), NEW),
            Record((5, 5, 10, None), MERGED),
            Record((5, 5, 10, None), KNOWN),
            At(u32::MAX, Some((u64::MAX, 26))),
            Consumed(20, 1),
            At(20, Some((20, 5))),
            Record((5, 5, 10, None), GONE),
            Consumed(25, 0),
        ]),
        ("the last entry is kept for the next byte", 1, &[
            // The first two were lost. Those behind them must not take their place.
            Record((21, 21, 10, Some(7)), NEW),
            Record((31, 31, 10, Some(7)), NEW),
            Record((41, 41, 10, Some(7)), CROWDED),
            Record((11, 11, 10, Some(7)), CROWDED),
            Record((1, 1, 10, Some(7)), NEW),
            Consumed(11, 2),
            Record((41, 41, 10, Some(7)), CROWDED),
            Record((11, 11, 10, Some(7)), NEW),
            Consumed(21, 2),
            // It is there: the others can have all of the table.
            Record((41, 41, 10, Some(7)), NEW),
            Record((51, 51, 10, Some(7)), CROWDED),
        ]),
        ("another delta is another entry, an overlap a conflict", 1, &[
            Record((1, 1, 10, None), NEW),
            Record((11, 500, 10, None), NEW),
            Record((21, 21, 10, None), NEW),
            At(10, Some((10, 1))),
            At(11, Some((500, 10))),
            At(21, Some((21, 10))),
            Record((5, 6, 1, None), CONFLICT),
            Record((11, 11, 1, None), CONFLICT),
            Record((20, 20, 2, None), CONFLICT),
            Record((5, 5, 20, None), CONFLICT),
            // The first mapping of each byte stands.
            At(11, Some((500, 10))),
        ]),
        ("a mapping with checksum stays what it was", 1, &[
            Record((11, 11, 10, Some(8)), NEW),
            Record((1, 1, 10, Some(7)), NEW),
            Record((1, 1, 10, Some(7)), KNOWN),
            Record((11, 11, 10, Some(8)), KNOWN),
            Record((1, 1, 10, Some(9)), CONFLICT),
            Record((1, 1, 9, Some(7)), CONFLICT),
            Record((1, 1, 10, None), CONFLICT),
            Record((5, 5, 10, None), CONFLICT),
            Entry(15, (11, 10, Some(8))),
        ]),
        ("consumed bytes need no mapping", 1, &[
            Record((1, 1, 10, None), NEW),
            Record((21, 21, 10, None), NEW),
            Consumed(5, 2),
            At(5, Some((5, 6))),
            Consumed(11, 1),
            Record((1, 1, 10, None), GONE),
            Record((1, 9, 10, None), GONE),
            // Going back is impossible.
            Consumed(3, 1),
            Record((1, 1, 10, None), GONE),
            Consumed(31, 0),
        ]),
        ("what no window reaches is refused", 0, &[
            Record((REACH, 1, 1, None), FAR),
            Record((REACH - 1, 1, 1, None), NEW),
            // Half the number space away is neither before nor after.
            Record((1 << 31, 1, 1, None), GONE),
        ]),
        ("an infinite mapping covers all that follows", 1, &[
            Record((1, 101, 10, None), NEW),
            Record((11, 111, 0, None), NEW),
            Record((31, 131, 0, None), KNOWN),
            Record((31, 130, 0, None), CONFLICT),
            At(10, Some((110, 1))),
            Endless(11, 111),
            Endless(1_000_011, 1_000_111),
            // Around the subflow's number space.
            Consumed(1 << 30, 0),
            Endless(1 << 30, 100 + (1 << 30)),
            Consumed(1 << 31, 0),
            Consumed(3 << 30, 0),
            Consumed(0, 0),
            Endless(0, 100 + (1 << 32)),
        ]),
        ("what was sent again does not continue the stream", u32::MAX - 9, &[
            Continues(u32::MAX - 9, u64::MAX - 19, true),
            Record((u32::MAX - 9, u64::MAX - 19, 50, Some(1)), NEW),
            Record((60, 50, 10, None), NEW),
            Continues(u32::MAX - 9, u64::MAX - 19, true),
            // The same data at another place of the subflow, the newest or in between.
            Record((45, u64::MAX - 19, 10, Some(1)), NEW),
            Continues(u32::MAX - 9, u64::MAX - 19, false),
            Continues(45, u64::MAX - 19, false),
        ]),
    ]
};

/// Runs all lives of the table of what is received.
///
/// # Errors
/// The name of the first that goes otherwise.
// rfc8684:3.3.1-10
pub fn check_received() -> Check {
    for (name, first, steps) in GOT {
        let mut table = RxMappings::<3>::starting_at(Ssn::new(first));
        for step in steps {
            expect(got(&mut table, step), name)?;
        }
    }
    check_long_life()
}

fn got(table: &mut RxMappings<3>, step: &Got) -> bool {
    match *step {
        Got::Record((ssn, dsn, len, checksum), result) => {
            let before = table.len();
            let mapping = RxMapping {
                ssn: Ssn::new(ssn),
                dsn: Dsn::new(dsn),
                len,
                checksum,
                data_fin: false,
            };
            let recorded = table.record(mapping);
            // A DATA_FIN that is counted in later changes the checksum, not the mapping.
            let fin = RxMapping {
                data_fin: true,
                checksum: checksum.map(|sum| !sum),
                ..mapping
            };
            let again = recorded != NEW || checksum.is_none() || table.record(fin) == KNOWN;
            let grown = usize::from(recorded == NEW && len > 0);
            let most = before.saturating_add(grown);
            recorded == result && again && (table.len() <= most)
        }
        Got::At(ssn, expected) => {
            let expected = expected.map(|(dsn, len_left)| Span {
                dsn: Dsn::new(dsn),
                len_left,
                infinite: false,
            });
            table.lookup(Ssn::new(ssn)) == expected
        }
        Got::Endless(ssn, dsn) => {
            let endless = Span {
                dsn: Dsn::new(dsn),
                len_left: REACH,
                infinite: true,
            };
            table.lookup(Ssn::new(ssn)) == Some(endless)
        }
        Got::Consumed(before, left) => {
            table.consumed(Ssn::new(before));
            table.len() == left && table.is_empty() == (left == 0)
        }
        Got::Continues(ssn, dsn, expected) => {
            table.all_continue(Ssn::new(ssn), Dsn::new(dsn)) == expected
        }
        Got::Entry(ssn, expected) => {
            let entry = table.covering(Ssn::new(ssn));
            let found = entry.map(|entry| (entry.ssn.raw(), entry.len, entry.checksum));
            found == Some(expected)
        }
    }
}

/// An entry that never ends stays right around the number space.
fn check_long_life() -> Check {
    let name = "a stream longer than the subflow's number space";
    let mut table = RxMappings::<2>::new();
    let (mut ssn, mut dsn) = (Ssn::new(1), Dsn::new(u64::MAX - 1000));
    for piece in 0..70_000_u32 {
        let mapping = RxMapping {
            ssn,
            dsn,
            len: u16::MAX,
            checksum: None,
            data_fin: false,
        };
        expect(table.record(mapping).is_ok(), name)?;
        if piece > 0 {
            let span = Span {
                dsn: dsn.minus(5),
                len_left: 65_540,
                infinite: false,
            };
            expect(table.lookup(ssn.minus(5)) == Some(span), name)?;
        }
        (ssn, dsn) = (ssn.plus(65_535), dsn.plus(65_535));
        table.consumed(ssn.minus(5));
        expect(table.len() == 1, name)?;
    }
    Ok(())
}

/// RFC 1071 section 3: these bytes sum up to 0xddf2.
const SUMMED: [u8; 8] = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];

/// Sums known bytes in any two cuts, and holds the sum against mappings.
///
/// # Errors
/// What does not hold.
// rfc8684:3.3.1-12
pub fn check_checksums() -> Check {
    let (zero, none) = (Dsn::new(0), Ssn::new(0));
    for at in 0..=SUMMED.len() {
        for behind in at..=SUMMED.len() {
            let mut sum = DssChecksum::new();
            sum.add(SUMMED.get(..at).unwrap_or(&[]));
            sum.add(SUMMED.get(at..behind).unwrap_or(&[]));
            sum.add(SUMMED.get(behind..).unwrap_or(&[]));
            expect(sum.finish(zero, none, 0) == !0xddf2, "RFC 1071")?;
        }
    }
    let mut sum = DssChecksum::new();
    sum.add(&SUMMED);
    for (name, dsn, ssn, len, right) in [
        ("the sum", 0, 0, 0, true),
        ("another place in the stream", 1, 0, 0, false),
        ("another place on the subflow", 0, 1, 0, false),
        ("another length", 0, 0, 8, false),
    ] {
        let verified = sum.verify(Dsn::new(dsn), Ssn::new(ssn), len, !0xddf2);
        expect(verified == right, name)?;
    }
    let (dsn, ssn) = (Dsn::new(u64::MAX), Ssn::new(7));
    for (name, counted, data_fin, summed, right) in [
        ("data", 8, false, true, true),
        ("data and DATA_FIN", 9, true, true, true),
        ("a DATA_FIN that is not counted", 8, true, true, false),
        ("a DATA_FIN that is not there", 9, false, true, false),
        ("no checksum", 9, false, false, true),
    ] {
        let record = RxRecord {
            ssn,
            dsn,
            len: 8,
            checksum: summed.then(|| sum.finish(dsn, ssn, counted)),
            data_fin,
        };
        expect(sum.is_right(&record) == right, name)?;
    }
    Ok(())
}
