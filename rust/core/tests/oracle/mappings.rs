// SPDX-License-Identifier: GPL-2.0

//! Tables of mappings as an account of every byte.

use crate::input::Input;
use mptcp_core::mapping::{
    PushError, RecordError, Recorded, RxMapping, RxMappings, TxMappings, TxRecord,
};
use mptcp_core::seq::{Dsn, Ssn};
use std::collections::BTreeMap;

/// Places count from here, so that some lie before the first byte.
const ORIGIN: u64 = 1 << 16;
/// What the largest TCP window reaches (RFC 7323 section 2.3).
const REACH: u64 = 1 << 30;

/// What is known of a received byte: the distance of its data sequence number from its place, and
/// the mapping that it belongs to if that has a checksum.
#[derive(Clone, Copy, Debug)]
struct Known {
    delta: u64,
    whole: Option<Stated>,
}

/// A mapping as an option states it.
#[derive(Clone, Copy, Debug)]
struct Stated {
    at: u64,
    len: u16,
    delta: u64,
    checksum: Option<u16>,
    data_fin: bool,
}

impl Known {
    fn of(stated: Stated) -> Self {
        Self {
            delta: stated.delta,
            whole: stated.checksum.map(|_| stated),
        }
    }

    /// Whether two options say the same of a byte. A DATA_FIN that is counted in when a mapping is
    /// sent again changes its checksum.
    fn agrees(&self, other: &Self) -> bool {
        self.delta == other.delta
            && match (self.whole, other.whole) {
                (None, None) => true,
                (Some(one), Some(two)) => {
                    let same = one.at == two.at && one.len == two.len;
                    let fins = one.data_fin != two.data_fin;
                    same && (fins || one.checksum == two.checksum)
                }
                _ => false,
            }
    }

    /// Whether the byte behind continues the same entry of the table.
    fn continues(&self, next: &Self) -> bool {
        match (self.whole, next.whole) {
            (None, None) => self.delta == next.delta,
            (Some(one), Some(two)) => one.at == two.at,
            _ => false,
        }
    }
}

/// The slow table of received mappings.
struct Account {
    floor: u64,
    bytes: BTreeMap<u64, Known>,
    infinite: Option<(u64, u64)>,
    most: usize,
}

impl Account {
    fn record(&mut self, stated: Stated) -> Result<Recorded, RecordError> {
        if stated.len == 0 {
            return match self.infinite {
                None => {
                    self.infinite = Some((stated.at, stated.delta));
                    Ok(Recorded::New)
                }
                Some((_, delta)) if delta == stated.delta => Ok(Recorded::Known),
                Some(_) => Err(RecordError::Conflict),
            };
        }
        let end = stated.at + u64::from(stated.len);
        let new = Known::of(stated);
        let places = stated.at.max(self.floor)..end;
        if end <= self.floor {
            return Ok(Recorded::Old);
        }
        if end - self.floor > REACH {
            return Err(RecordError::Outside);
        }
        let known = |place: u64| self.bytes.get(&place);
        if places
            .clone()
            .filter_map(known)
            .any(|old| !old.agrees(&new))
        {
            return Err(RecordError::Conflict);
        }
        if places.clone().all(|place| known(place).is_some()) {
            return Ok(Recorded::Known);
        }
        let around = stated.at - 1..end + 1;
        let merges = new.whole.is_none() && around.filter_map(known).any(|old| old.continues(&new));
        let mut after = self.bytes.clone();
        for place in places {
            after.entry(place).or_insert(new);
        }
        // One entry is kept for the next byte to be consumed.
        let kept = usize::from(!after.contains_key(&self.floor));
        if entries(&after) + kept > self.most {
            return Err(RecordError::Full);
        }
        self.bytes = after;
        Ok(match merges {
            true => Recorded::Merged,
            false => Recorded::New,
        })
    }

    fn consumed(&mut self, place: u64) {
        self.floor = self.floor.max(place);
        self.bytes = self.bytes.split_off(&self.floor);
    }
}

fn entries(bytes: &BTreeMap<u64, Known>) -> usize {
    let starts = |(place, known): &(&u64, &Known)| {
        let before = bytes.get(&(*place - 1));
        !before.is_some_and(|before| before.continues(known))
    };
    bytes.iter().filter(starts).count()
}

/// Walks both tables of received mappings through the steps in `input`.
// rfc8684:3.3.1-10
pub(crate) fn compare_received(input: &[u8]) {
    let mut input = Input::new(input);
    let _ = match input.byte() {
        Some(0..64) => received_steps::<1>(&mut input),
        Some(64..160) => received_steps::<3>(&mut input),
        _ => received_steps::<9>(&mut input),
    };
}

fn received_steps<const N: usize>(input: &mut Input<'_>) -> Option<()> {
    let base = Ssn::new((input.start()? >> 16) as u32).minus(ORIGIN as u32);
    let first = Dsn::new(input.start()?);
    let ssn = |place: u64| base.plus(place as u32);
    let mut account = Account {
        floor: ORIGIN,
        bytes: BTreeMap::new(),
        infinite: None,
        most: N,
    };
    let mut fast = RxMappings::<N>::starting_at(ssn(ORIGIN));
    loop {
        match input.byte()? {
            kind @ 0..=219 => {
                let at = account.floor + u64::from(input.below(60)?) - 10;
                let len = match kind {
                    0..=3 => 0,
                    _ => 1 + input.below(16)? as u16,
                };
                let delta = match kind {
                    4..=23 => 1000,
                    _ => 0,
                };
                let checksum = match kind {
                    180.. => Some(u16::from(kind & 1)),
                    _ => None,
                };
                let stated = Stated {
                    at,
                    len,
                    delta,
                    checksum,
                    data_fin: kind & 6 == 6,
                };
                let mapping = RxMapping {
                    ssn: ssn(at),
                    dsn: first.plus(at).plus(delta),
                    len,
                    checksum,
                    data_fin: stated.data_fin,
                };
                let mut expected = account.record(stated);
                let recorded = fast.record(mapping);
                // Bytes that were consumed may count as new once more.
                if at < account.floor && recorded == Ok(Recorded::Merged) {
                    expected = expected.map(|known| match known {
                        Recorded::Known => Recorded::Merged,
                        other => other,
                    });
                }
                assert_eq!(recorded, expected, "{stated:?}");
            }
            220..=223 => {
                let far = Stated {
                    at: account.floor + REACH - 3 + u64::from(input.below(8)?),
                    len: 1,
                    delta: 0,
                    checksum: None,
                    data_fin: false,
                };
                let mapping = RxMapping {
                    ssn: ssn(far.at),
                    dsn: first.plus(far.at),
                    len: 1,
                    checksum: None,
                    data_fin: false,
                };
                assert_eq!(fast.record(mapping), account.record(far));
            }
            224.. => {
                let place = account.floor + u64::from(input.below(30)?) - 5;
                account.consumed(place);
                fast.consumed(ssn(place));
            }
        }
        assert_eq!(fast.len(), entries(&account.bytes));
        assert_eq!(fast.is_empty(), account.bytes.is_empty());
        for place in account.floor..account.floor + 80 {
            same_byte(&fast, &account, place, ssn(place), first);
        }
    }
}

/// Both tables say the same of one byte.
fn same_byte<const N: usize>(
    fast: &RxMappings<N>,
    account: &Account,
    place: u64,
    ssn: Ssn,
    first: Dsn,
) {
    let span = fast.lookup(ssn);
    let Some(known) = account.bytes.get(&place) else {
        let infinite = account.infinite.filter(|(start, _)| place >= *start);
        let expected = infinite.map(|(_, delta)| (first.plus(place).plus(delta), true));
        assert_eq!(span.map(|span| (span.dsn, span.infinite)), expected);
        assert_eq!(fast.covering(ssn), None);
        return;
    };
    let span = span.expect("the byte is mapped");
    assert_eq!(span.dsn, first.plus(place).plus(known.delta));
    assert!(!span.infinite);
    let left = (place..)
        .take_while(|at| {
            let there = account.bytes.get(at);
            there.is_some_and(|there| known.continues(there))
        })
        .count();
    assert_eq!(span.len_left as usize, left);
    let record = fast.covering(ssn).expect("the byte is mapped");
    if let Some(whole) = known.whole {
        let stated = (record.checksum, record.data_fin, record.len);
        assert_eq!(stated, (whole.checksum, whole.data_fin, whole.len.into()));
    } else {
        assert_eq!((record.checksum, record.data_fin), (None, false));
    }
}

/// Walks the table of sent mappings and a list through the steps in `input`.
// rfc8684:3.3.1-11
pub(crate) fn compare_sent(input: &[u8]) {
    let mut input = Input::new(input);
    sent_steps(&mut input);
}

fn sent_steps(input: &mut Input<'_>) -> Option<()> {
    const MOST: usize = 5;
    let start = Ssn::new((input.start()? >> 16) as u32);
    let mut fast = TxMappings::<MOST>::new();
    let mut list: Vec<TxRecord> = Vec::new();
    let (mut una, mut next) = (start, start);
    let mut dsn = Dsn::new(input.start()?);
    loop {
        match input.byte()? {
            kind @ 0..=179 => {
                dsn = dsn.plus(1000);
                let gap = match kind {
                    0..=29 => input.below(5)?,
                    _ => 0,
                };
                let back = match kind {
                    130..=139 => input.below(3)?,
                    _ => 0,
                };
                let new = TxRecord {
                    ssn: next.plus(gap).minus(back),
                    dsn,
                    len: input.below(30)? as u16,
                    checksum: match kind % 3 {
                        0 => Some(kind.into()),
                        _ => None,
                    },
                };
                let behind = list.last().is_none_or(|last| !new.ssn.before(last.end()));
                let expected = match () {
                    () if new.len == 0 || !behind => Err(PushError::OutOfOrder),
                    () if list.len() == MOST => Err(PushError::Full),
                    () => Ok(()),
                };
                assert_eq!(fast.push(new), expected);
                if expected.is_ok() {
                    list.push(new);
                    next = new.end();
                }
            }
            180.. => {
                una = una.plus(input.below(60)?.min(next.since(una)));
                fast.acked(una);
                list.retain(|old| old.end().after(una));
            }
        }
        assert_eq!(fast.len(), list.len());
        assert_eq!(fast.is_empty(), list.is_empty());
        assert_eq!(fast.is_full(), list.len() == MOST);
        assert_eq!(fast.oldest(), list.first());
        assert_eq!(fast.newest(), list.last());
        let reach = next.since(una).min(400) + 2;
        for ssn in (0..reach).map(|offset| una.plus(offset)) {
            let expected = list.iter().find(|old| old.covers(ssn));
            assert_eq!(fast.covering(ssn), expected);
        }
    }
}
