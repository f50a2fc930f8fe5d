// SPDX-License-Identifier: GPL-2.0

//! Reassembly as an account of every byte.

use crate::input::Input;
use mptcp_core::reassembly::{Divisible, Piece, Reassembly, Slot, Verdict};
use mptcp_core::receive::ReceiveState;
use mptcp_core::seq::Dsn;
use std::collections::BTreeMap;

/// A byte: its place in the stream and the number of the piece that brought it.
type Byte = (u64, u32);

/// Bytes that remember who brought them.
#[derive(Debug)]
struct Tagged(Vec<Byte>);

impl Piece for Tagged {
    fn cut(&mut self, skip: u32, take: u32) {
        let range = skip as usize..(skip + take) as usize;
        self.0 = self.0[range].to_vec();
    }

    fn append(&mut self, next: Self) {
        self.0.extend(next.0);
    }
}

/// A packet is what one piece brought.
impl Divisible for Tagged {
    fn take_last(&mut self) -> Option<(Self, u32)> {
        let &(_, last) = self.0.last()?;
        let start = self.0.iter().rposition(|(_, piece)| *piece != last)? + 1;
        let packet = self.0.split_off(start);
        let len = packet.len() as u32;
        Some((Self(packet), len))
    }
}

/// What the slow one expects of an offer.
struct Expected {
    verdict: Verdict,
    ready: Vec<Byte>,
    unneeded: Vec<Byte>,
}

/// The slow one. Places count from far before the first byte.
struct Account {
    next: u64,
    edge: u64,
    fin: Option<u64>,
    finished: bool,
    held: BTreeMap<u64, u32>,
    slots: usize,
}

impl Account {
    fn offer(&mut self, at: u64, len: u64, piece: u32) -> Expected {
        let end = at + len;
        let brought = (at..end).map(|place| (place, piece));
        let refused = |verdict| Expected {
            verdict,
            ready: Vec::new(),
            unneeded: brought.clone().collect(),
        };
        if end <= self.next {
            return refused(Verdict::Duplicate);
        }
        if self.finished {
            return refused(Verdict::Beyond);
        }
        let early = at > self.next;
        let closed = self.next >= self.edge && end - self.next > 1;
        if early && end > self.edge || !early && closed {
            return refused(Verdict::Beyond);
        }
        let new = (at.max(self.next)..end).filter(|place| !self.held.contains_key(place));
        let (Some(first), Some(last)) = (new.clone().min(), new.max()) else {
            return refused(Verdict::Duplicate);
        };
        let mut after = self.held.clone();
        let mut unneeded = Vec::new();
        for place in first..=last {
            if let Some(other) = after.insert(place, piece) {
                unneeded.push((place, other));
            }
        }
        if early && runs(&after) > self.slots {
            return refused(Verdict::Full);
        }
        self.held = after;
        let mut ready = Vec::new();
        while let Some(owner) = self.held.remove(&self.next) {
            ready.push((self.next, owner));
            self.next += 1;
        }
        if early {
            let len = (last + 1 - first) as u32;
            let verdict = Verdict::Held { len };
            return Expected {
                verdict,
                ready,
                unneeded,
            };
        }
        let len = ready.len() as u32;
        // Data disproves a DATA_FIN before its end.
        self.fin = self.fin.filter(|fin| *fin >= self.next);
        let finished = self.consume_fin();
        let verdict = Verdict::Delivered { len, finished };
        Expected {
            verdict,
            ready,
            unneeded,
        }
    }

    /// Takes out the first run.
    fn pop(&mut self) -> Option<Vec<Byte>> {
        let (&start, _) = self.held.first_key_value()?;
        let run = (start..).map_while(|place| Some((place, self.held.remove(&place)?)));
        Some(run.collect())
    }

    /// Takes out the last packet.
    fn pop_last(&mut self) -> Option<Vec<Byte>> {
        let (&last, &piece) = self.held.last_key_value()?;
        let same = |place: &u64| self.held.get(place) == Some(&piece);
        let start = (0..=last).rev().take_while(same).last()?;
        let packet = self.held.split_off(&start);
        Some(packet.into_iter().collect())
    }

    /// `None` if this DATA_FIN contradicts what is known.
    fn data_fin(&mut self, at: u64) -> Option<bool> {
        if self.held.range(at..).next().is_some() {
            return None;
        }
        if self.fin == Some(at) {
            return Some(false);
        }
        let in_window = at >= self.next && at <= self.edge.max(self.next);
        if self.finished || !in_window {
            return None;
        }
        self.fin = Some(at);
        Some(self.consume_fin())
    }

    fn consume_fin(&mut self) -> bool {
        let now = !self.finished && self.fin == Some(self.next);
        if now {
            self.finished = true;
            self.next += 1;
        }
        now
    }
}

/// How many stretches without a gap there are.
fn runs(held: &BTreeMap<u64, u32>) -> usize {
    let starts = |place: &&u64| !held.contains_key(&(*place - 1));
    held.keys().filter(starts).count()
}

/// Walks both through the steps in `input`.
// rfc8684:3.3.2-2 rfc8684:3.3.4-3 rfc8684:3.3.4-4
pub(crate) fn compare(input: &[u8]) {
    let mut input = Input::new(input);
    steps(&mut input);
}

fn steps(input: &mut Input<'_>) -> Option<()> {
    const ORIGIN: u64 = 1 << 20;
    let base = Dsn::new(input.start()?).minus(ORIGIN);
    let slots = input.below(12)? as usize;
    let number = |place: u64| base.plus(place);
    let mut account = Account {
        next: ORIGIN,
        edge: ORIGIN + 200,
        fin: None,
        finished: false,
        held: BTreeMap::new(),
        slots,
    };
    let mut state = ReceiveState::new(number(ORIGIN));
    let free: Vec<Slot<Tagged>> = (0..slots).map(|_| Slot::FREE).collect();
    let mut fast = Reassembly::new(free);
    for piece in 0.. {
        let (at, len) = match input.byte()? {
            // Anywhere around; more often ahead, and now and then exactly next.
            0..=159 => (
                account.next + u64::from(input.below(200)?) - 20,
                input.below(40)?,
            ),
            160..=209 => (account.next, input.below(60)?),
            210..=234 => {
                account.edge += u64::from(input.below(80)?);
                continue;
            }
            235..=239 => {
                let popped = fast.pop_last().map(|piece| piece.0);
                assert_eq!(popped, account.pop_last());
                (account.next + 1, 0)
            }
            240..=249 => {
                let popped = fast.pop().map(|piece| piece.0);
                assert_eq!(popped, account.pop());
                (account.next + 1, 0)
            }
            255 => {
                fast.slots_mut().push(Slot::FREE);
                account.slots += 1;
                continue;
            }
            250.. => {
                let at = account.next + u64::from(input.below(250)?) - 10;
                let expected = account.data_fin(at);
                let edge = number(account.edge);
                let outcome = fast.on_data_fin(&mut state, number(at), edge);
                assert_eq!(outcome.ok(), expected);
                continue;
            }
        };
        let bytes = (at..at + u64::from(len)).map(|place| (place, piece));
        let edge = number(account.edge);
        let offer = fast.offer(&mut state, edge, number(at), len, Tagged(bytes.collect()));
        let expected = account.offer(at, len.into(), piece);
        assert_eq!(offer.verdict, expected.verdict);
        let ready = offer.ready.map_or(Vec::new(), |piece| piece.0);
        assert_eq!(ready, expected.ready);
        let mut unneeded = offer.unneeded.map_or(Vec::new(), |piece| piece.0);
        unneeded.sort_unstable();
        assert_eq!(unneeded, expected.unneeded);

        assert_eq!(state.rcv_nxt(), number(account.next));
        assert_eq!(state.finished(), account.finished);
        assert_eq!(fast.len(), runs(&account.held));
        assert_eq!(fast.is_empty(), account.held.is_empty());
        assert_eq!(fast.bytes(), account.held.len() as u64);
        let last = account.held.last_key_value();
        assert_eq!(fast.end(), last.map(|(place, _)| number(place + 1)));
    }
    None
}
