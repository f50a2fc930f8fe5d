// SPDX-License-Identifier: GPL-2.0

//! A connection as events in any order.

use crate::input::Input;
use mptcp_core::connection::state::{Event, State};
use mptcp_core::send::{AckOutcome, Rejected, SendState};
use mptcp_core::seq::Dsn;

/// What became of a byte of the stream, or of the DATA_FIN.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Fate {
    Written,
    Sent,
    Acked,
}

/// The sending direction as an account of every byte.
struct Account {
    bytes: Vec<Fate>,
    fin: Option<Fate>,
    edge: u64,
    /// Places of the bytes to send again.
    again: Vec<u64>,
}

impl Account {
    fn with(&self, fate: Fate) -> impl Iterator<Item = u64> + '_ {
        (0..)
            .zip(&self.bytes)
            .filter(move |(_, of)| **of == fate)
            .map(|(place, _)| place)
    }

    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// How many numbers are neither waiting nor, with `acked`, open.
    fn passed(&self, fates: &[Fate]) -> u64 {
        let fin = self.fin.filter(|fin| fates.contains(fin));
        self.bytes
            .iter()
            .chain(&fin)
            .filter(|of| fates.contains(of))
            .count() as u64
    }

    fn pushed(&mut self, count: u32) {
        let due: Vec<u64> = self.with(Fate::Written).take(count as usize).collect();
        for place in due {
            self.bytes[place as usize] = Fate::Sent;
        }
    }

    fn data_ack(&mut self, ack: u64, window: u32) -> Result<AckOutcome, Rejected> {
        if ack > self.passed(&[Fate::Sent, Fate::Acked]) {
            return Err(Rejected);
        }
        let reach = ack + u64::from(window);
        let window_grew = reach > self.edge;
        self.edge = self.edge.max(reach);
        let mut acked = 0;
        for byte in self.bytes.iter_mut().take(ack as usize) {
            acked += u64::from(*byte == Fate::Sent);
            *byte = Fate::Acked;
        }
        let fin_acked = ack > self.len() && self.fin == Some(Fate::Sent);
        if fin_acked {
            self.fin = Some(Fate::Acked);
        }
        self.again.retain(|place| *place >= ack);
        Ok(AckOutcome {
            acked,
            window_grew,
            fin_acked,
        })
    }
}

/// Walks the sending direction and its account through the steps in `input`.
// rfc8684:3.3.2-3 rfc8684:3.3.5-1 rfc8684:3.3.5-5 rfc8684:3.3.2-6 rfc8684:4-1
pub(crate) fn compare_send(input: &[u8]) {
    send_steps(&mut Input::new(input));
}

fn send_steps(input: &mut Input<'_>) -> Option<()> {
    let first = Dsn::new(input.start()?);
    let window = input.below(300)?;
    let mut fast = SendState::new(first, window);
    let mut account = Account {
        bytes: Vec::new(),
        fin: None,
        edge: window.into(),
        again: Vec::new(),
    };
    loop {
        match input.byte()? {
            0..=59 => {
                let count = input.below(100)?;
                fast.on_written(count);
                if account.fin.is_none() {
                    let len = account.bytes.len() + count as usize;
                    account.bytes.resize(len, Fate::Written);
                }
            }
            60..=129 => {
                let count = input.below(100)?;
                fast.on_pushed(count);
                account.pushed(count);
            }
            130..=134 => {
                fast.on_fin_queued();
                account.fin.get_or_insert(Fate::Written);
            }
            135..=154 => {
                fast.on_fin_sent();
                if account.fin == Some(Fate::Written) && account.with(Fate::Written).count() == 0 {
                    account.fin = Some(Fate::Sent);
                }
            }
            155..=214 => {
                let una = account.passed(&[Fate::Acked]);
                let ack = (una + u64::from(input.below(100)?)).saturating_sub(10);
                let window = input.below(300)?;
                let outcome = fast.on_data_ack(first.plus(ack), window);
                assert_eq!(outcome, account.data_ack(ack, window));
            }
            215..=229 => {
                fast.start_retransmit();
                if fast.needs_retransmit() {
                    account.again = account.with(Fate::Sent).collect();
                }
            }
            230.. => {
                let count = input.below(60)?;
                fast.on_retransmitted(count);
                account
                    .again
                    .drain(..account.again.len().min(count as usize));
            }
        }
        same_numbers(&fast, &account, first);
    }
}

fn same_numbers(fast: &SendState, account: &Account, first: Dsn) {
    let nxt = account.passed(&[Fate::Sent, Fate::Acked]);
    let una = account.passed(&[Fate::Acked]);
    let numbers = [fast.una(), fast.nxt(), fast.write(), fast.wnd_end()];
    let expected = [una, nxt, account.len(), account.edge].map(|place| first.plus(place));
    assert_eq!(numbers, expected);
    let unsent = account.with(Fate::Written).count() as u64;
    assert_eq!(fast.unsent(), unsent);
    let in_flight = account.with(Fate::Sent).count() as u64;
    assert_eq!(fast.in_flight(), in_flight);
    let available = account
        .with(Fate::Written)
        .filter(|place| *place < account.edge);
    let available = available.count() as u32;
    assert_eq!(fast.available(), available);
    let silent = in_flight == 0 && account.fin != Some(Fate::Sent);
    assert_eq!(fast.probe_due(), unsent > 0 && available == 0 && silent);
    assert_eq!(fast.fin(), account.fin.map(|_| first.plus(account.len())));
    assert_eq!(
        fast.fin_due(),
        account.fin == Some(Fate::Written) && unsent == 0
    );
    assert_eq!(fast.fin_in_flight(), account.fin == Some(Fate::Sent));
    assert_eq!(fast.fin_acked(), account.fin == Some(Fate::Acked));
    let open = in_flight > 0 || account.fin == Some(Fate::Sent);
    assert_eq!(fast.needs_retransmit(), open);
    let again = account
        .again
        .first()
        .map(|from| (first.plus(*from), account.again.len() as u32));
    assert_eq!(fast.retransmit_next(), again);
}

/// The state of a connection is what its past events say, whatever their order.
// rfc8684:3.3.3-6
pub(crate) fn compare_state(input: &[u8]) {
    let mut state = State::Established;
    let (mut closed, mut acked, mut received, mut aborted) = (None, false, None, false);
    for (step, choice) in input.iter().enumerate() {
        let event = match choice % 16 {
            0..=4 => Event::AppClosesSend,
            5..=9 => Event::FinAcked,
            10..=14 => Event::FinReceived,
            _ => Event::Aborted,
        };
        state = state.after(event);
        match event {
            _ if aborted => {}
            Event::AppClosesSend => closed = closed.or(Some(step)),
            Event::FinAcked => acked |= closed.is_some(),
            Event::FinReceived => received = received.or(Some(step)),
            Event::Aborted => aborted = true,
        }
        let expected = match (closed, acked, received) {
            _ if aborted => State::Closed,
            (None, _, None) => State::Established,
            (None, _, Some(_)) => State::CloseWait,
            (Some(_), false, None) => State::FinWait1,
            (Some(_), true, None) => State::FinWait2,
            (Some(ours), false, Some(theirs)) if ours < theirs => State::Closing,
            (Some(_), false, Some(_)) => State::LastAck,
            (Some(ours), true, Some(theirs)) if ours < theirs => State::TimeWait,
            (Some(_), true, Some(_)) => State::Closed,
        };
        assert_eq!(state, expected);
        assert_eq!(state.may_send(), closed.is_none() && !aborted);
        let over = acked && received.is_some() || aborted;
        assert_eq!(state.subflows_may_close(), over);
    }
}
