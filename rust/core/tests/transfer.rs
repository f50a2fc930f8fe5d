// SPDX-License-Identifier: GPL-2.0

//! Both ends of a connection, all of this crate's parts together, over subflows that lose, repeat,
//! reorder and cut segments: every byte must arrive once, in order, and the connection must end.
//!
//! The subflows' TCP is modelled just far enough: it delivers in order whatever the network does.
//! One subflow may die in the middle and take what it holds with it.

use mptcp_core::connection::state::{Event, State};
use mptcp_core::mapping::{RecordError, RxMapping, RxMappings, TxMappings, TxRecord};
use mptcp_core::reassembly::{Piece, Reassembly, Slot, Verdict};
use mptcp_core::receive::{ReceiveState, ReceiveWindow};
use mptcp_core::send::SendState;
use mptcp_core::seq::{Dsn, Ssn};
use mptcp_core::wire::plan::{plan, Wanted};
use mptcp_core::wire::{Dss, DssMap, Received, SegmentKind, WireSeq, OPTION_SPACE};
use std::collections::{BTreeMap, VecDeque};

const TIMESTAMPS: usize = 12;
const SCALE: u8 = 3;
const STEPS: u32 = 200_000;

/// A small generator of numbers that look random (xorshift), so that runs repeat.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }
}

/// What the byte at `offset` of the stream is.
fn byte_at(offset: u64) -> u8 {
    (offset ^ offset >> 7 ^ offset >> 13) as u8
}

/// A segment of a subflow under way: option bytes, first subflow sequence number, data.
#[derive(Clone)]
struct Packet {
    options: Vec<u8>,
    ssn: Ssn,
    data: Vec<u8>,
}

/// One subflow, its two TCP ends and the network between them.
struct Subflow {
    alive: bool,
    mappings: TxMappings<8>,
    sent: VecDeque<u8>,
    una: Ssn,
    next: Ssn,
    network: VecDeque<Packet>,
    received: RxMappings<8>,
    waiting: BTreeMap<u32, Vec<u8>>,
    rcv_nxt: Ssn,
    start: Ssn,
}

impl Subflow {
    fn new(start: Ssn) -> Self {
        Self {
            alive: true,
            mappings: TxMappings::new(),
            sent: VecDeque::new(),
            una: start,
            next: start,
            network: VecDeque::new(),
            received: RxMappings::starting_at(start),
            waiting: BTreeMap::new(),
            rcv_nxt: start,
            start,
        }
    }

    /// Gives data to TCP under a mapping.
    fn push(&mut self, dsn: Dsn, data: &[u8]) -> bool {
        let record = TxRecord {
            ssn: self.next,
            dsn,
            len: data.len() as u16,
            checksum: None,
        };
        if self.mappings.push(record).is_err() {
            return false;
        }
        self.sent.extend(data);
        self.next = self.next.plus(data.len() as u32);
        true
    }

    /// TCP sends a piece of any size from anywhere in its queue, but within one mapping.
    fn transmit(&mut self, chance: &mut Chance) {
        if !self.alive || self.sent.is_empty() || self.network.len() >= 12 {
            return;
        }
        let from = match chance.percent(40) {
            true => 0,
            false => chance.below(self.sent.len() as u64) as u32,
        };
        let ssn = self.una.plus(from);
        let mapping = *self.mappings.covering(ssn).expect("sent data is mapped");
        let most = mapping.end().since(ssn).min(self.next.since(ssn));
        let len = 1 + chance.below(most.into()) as u32;
        let dss = Dss {
            data_ack: None,
            map: Some(DssMap {
                dsn: match chance.percent(50) {
                    true => WireSeq::Short(mapping.dsn.low32()),
                    false => WireSeq::long(mapping.dsn),
                },
                ssn: mapping.ssn,
                len: mapping.len,
                checksum: None,
            }),
            data_fin: false,
        };
        let range = from as usize..(from + len) as usize;
        self.network.push_back(Packet {
            options: option_bytes(dss),
            ssn,
            data: self.sent.range(range).copied().collect(),
        });
    }

    /// One segment arrives: its mapping is recorded, then TCP takes it, then acknowledges.
    fn deliver(&mut self, chance: &mut Chance, reference: Dsn) {
        if self.network.is_empty() {
            return;
        }
        let index = chance.below(self.network.len() as u64) as usize;
        let packet = match chance.percent(10) {
            true => self.network[index].clone(),
            false => self.network.remove(index).unwrap(),
        };
        if !self.alive || chance.percent(15) {
            return;
        }
        let (dss, data_len) = parse_map(&packet.options);
        let map = dss.map.unwrap();
        let recorded = self.received.record(RxMapping {
            ssn: map.ssn,
            dsn: map.dsn.expand(reference),
            len: data_len,
            checksum: None,
            data_fin: false,
        });
        match recorded {
            Ok(_) => {}
            Err(RecordError::Full) => return,
            Err(error) => panic!("a right mapping was refused: {error:?}"),
        }
        let end = packet.ssn.plus(packet.data.len() as u32);
        if !end.after(self.rcv_nxt) {
            return;
        }
        self.waiting
            .insert(packet.ssn.since(self.start), packet.data);
    }

    /// What TCP has in order now, cut where its segments were, with the number of the first byte.
    fn take(&mut self) -> Option<(Ssn, Vec<u8>)> {
        let (&offset, _) = self.waiting.first_key_value()?;
        let ssn = self.start.plus(offset);
        if ssn.after(self.rcv_nxt) {
            return None;
        }
        let data = self.waiting.remove(&offset)?;
        let seen = self.rcv_nxt.since(ssn) as usize;
        let fresh = data.get(seen..).unwrap_or(&[]).to_vec();
        let at = self.rcv_nxt;
        self.rcv_nxt = self.rcv_nxt.plus(fresh.len() as u32);
        Some((at, fresh))
    }

    /// TCP's own acknowledgement reaches the sender.
    fn acknowledge(&mut self) {
        let acked = self.rcv_nxt.since(self.una) as usize;
        self.sent.drain(..acked);
        self.una = self.rcv_nxt;
        self.mappings.acked(self.una);
    }
}

fn option_bytes(dss: Dss) -> Vec<u8> {
    let wanted = Wanted {
        dss: Some(dss),
        ..Wanted::default()
    };
    let plan = plan(&wanted, OPTION_SPACE - TIMESTAMPS);
    assert_eq!(plan.carried, wanted);
    let mut room = vec![0; plan.length];
    assert_eq!(plan.emit(&mut room), Some(plan.length));
    room
}

fn parse(options: &[u8]) -> Dss {
    let received = Received::parse(options, SegmentKind::ACK);
    assert_eq!(received.malformed, 0);
    received.dss.unwrap()
}

fn parse_map(options: &[u8]) -> (Dss, u16) {
    let dss = parse(options);
    (dss, dss.data_len().unwrap())
}

/// The end that sends: a stream of `total` bytes.
struct Sender {
    state: SendState,
    first: Dsn,
    total: u64,
    connection: State,
    idle: u32,
}

impl Sender {
    fn offset(&self, dsn: Dsn) -> u64 {
        dsn.since(self.first)
    }

    fn data(&self, from: Dsn, len: u32) -> Vec<u8> {
        let offset = self.offset(from);
        (offset..offset + u64::from(len)).map(byte_at).collect()
    }

    fn write(&mut self, chance: &mut Chance) {
        let left = self.total - self.offset(self.state.write());
        self.state.on_written(chance.below(3000).min(left) as u32);
        if self.offset(self.state.write()) == self.total && self.connection == State::Established {
            self.state.on_fin_queued();
            self.connection = self.connection.after(Event::AppClosesSend);
        }
    }

    fn push(&mut self, subflow: &mut Subflow, chance: &mut Chance) {
        if !subflow.alive {
            return;
        }
        let most = 1 + chance.below(2000) as u32;
        if let Some((from, len)) = self.state.retransmit_next() {
            let len = len.min(most);
            if subflow.push(from, &self.data(from, len)) {
                self.state.on_retransmitted(len);
            }
            return;
        }
        let probe = u32::from(self.state.probe_due());
        let len = self.state.available().max(probe).min(most);
        if len > 0 && subflow.push(self.state.nxt(), &self.data(self.state.nxt(), len)) {
            self.state.on_pushed(len);
        }
    }

    /// The data-level timer: fires when no data acknowledgement made progress for long.
    fn tick(&mut self) {
        self.idle += 1;
        if self.idle > 400 {
            self.idle = 0;
            self.state.start_retransmit();
        }
    }

    fn on_ack(&mut self, options: &[u8], window: u16) {
        let ack = parse(options).data_ack.unwrap().expand(self.state.una());
        let window = u32::from(window) << SCALE;
        let outcome = self
            .state
            .on_data_ack(ack, window)
            .expect("only sent data is acked");
        if outcome.acked > 0 || outcome.fin_acked {
            self.idle = 0;
        }
        if outcome.fin_acked {
            self.connection = self.connection.after(Event::FinAcked);
        }
    }
}

/// Data on its way to the application.
struct Bytes(Vec<u8>);

impl Piece for Bytes {
    fn cut(&mut self, skip: u32, take: u32) {
        self.0.drain(..skip as usize);
        self.0.truncate(take as usize);
    }

    fn append(&mut self, next: Self) {
        self.0.extend(next.0);
    }
}

/// The end that receives into a bounded buffer.
struct Receiver {
    state: ReceiveState,
    window: ReceiveWindow,
    first: Dsn,
    capacity: u32,
    ahead: Reassembly<Bytes, [Slot<Bytes>; 32]>,
    unread: u32,
    read: u64,
    connection: State,
}

impl Receiver {
    fn on_data(&mut self, dsn: Dsn, data: &[u8]) {
        let start = self.state.rcv_nxt().since(self.first);
        let (edge, len) = (self.window.edge(), data.len() as u32);
        let piece = Bytes(data.to_vec());
        let offer = self.ahead.offer(&mut self.state, edge, dsn, len, piece);
        let Verdict::Delivered { len, finished } = offer.verdict else {
            return;
        };
        let ready = offer.ready.expect("it is delivered").0;
        assert_eq!(ready.len(), len as usize);
        for (offset, byte) in (start..).zip(&ready) {
            assert_eq!(*byte, byte_at(offset), "byte {offset} is another one");
        }
        self.unread += len;
        if finished {
            self.connection = self.connection.after(Event::FinReceived);
        }
    }

    fn read(&mut self, most: u32) {
        let count = self.unread.min(most);
        self.unread -= count;
        self.read += u64::from(count);
    }

    fn ack(&mut self) -> (Vec<u8>, u16) {
        let free = self.capacity.saturating_sub(self.unread);
        let window = self.window.advertise(self.state.rcv_nxt(), free, SCALE);
        let options = option_bytes(Dss {
            data_ack: Some(WireSeq::long(self.state.rcv_nxt())),
            ..Dss::default()
        });
        (options, window)
    }
}

/// Runs one transfer and returns how many steps it took.
fn transfer(seed: u64, total: u64, capacity: u32, dies: bool) -> u32 {
    let mut chance = Chance(seed | 1);
    // Both spaces wrap early in the transfer.
    let first = Dsn::new(0u64.wrapping_sub(chance.below(total)));
    let near_wrap = |chance: &mut Chance| Ssn::new(0u32.wrapping_sub(chance.below(3000) as u32));
    let mut subflows = [
        Subflow::new(near_wrap(&mut chance)),
        Subflow::new(near_wrap(&mut chance)),
    ];
    let mut sender = Sender {
        state: SendState::new(first, capacity),
        first,
        total,
        connection: State::Established,
        idle: 0,
    };
    let mut receiver = Receiver {
        state: ReceiveState::new(first),
        window: ReceiveWindow::new(first.plus(capacity.into())),
        first,
        capacity,
        ahead: Reassembly::new([const { Slot::FREE }; 32]),
        unread: 0,
        read: 0,
        connection: State::Established,
    };
    for step in 0..STEPS {
        let which = chance.below(2) as usize;
        if dies && step == 2000 {
            subflows[1].alive = false;
        }
        sender.write(&mut chance);
        sender.push(&mut subflows[which], &mut chance);
        for subflow in &mut subflows {
            for _ in 0..4 {
                subflow.transmit(&mut chance);
                subflow.deliver(&mut chance, receiver.state.rcv_nxt());
            }
            while let Some((at, data)) = subflow.take() {
                let mut done = 0;
                while done < data.len() {
                    let ssn = at.plus(done as u32);
                    let span = subflow.received.lookup(ssn).expect("taken data is mapped");
                    let len = (span.len_left as usize).min(data.len() - done);
                    receiver.on_data(span.dsn, &data[done..done + len]);
                    done += len;
                }
                subflow.received.consumed(at.plus(data.len() as u32));
            }
            if subflow.alive && chance.percent(50) {
                subflow.acknowledge();
            }
        }
        if chance.percent(30) {
            receiver.read(chance.below(4000) as u32);
        }
        // The DATA_FIN and its repetitions; it needs no data to travel with.
        if sender.state.fin_due() || sender.state.fin_in_flight() && chance.percent(5) {
            sender.state.on_fin_sent();
            let fin = Dss {
                map: Some(DssMap {
                    dsn: WireSeq::long(sender.state.fin().unwrap()),
                    ssn: Ssn::new(0),
                    len: 1,
                    checksum: None,
                }),
                data_fin: true,
                data_ack: None,
            };
            if !chance.percent(30) {
                let arrived = parse(&option_bytes(fin));
                let at = arrived.data_fin_at(receiver.state.rcv_nxt()).unwrap();
                if receiver
                    .ahead
                    .on_data_fin(&mut receiver.state, at, at)
                    .expect("there is one DATA_FIN")
                {
                    receiver.connection = receiver.connection.after(Event::FinReceived);
                }
            }
        }
        if chance.percent(30) {
            let (options, window) = receiver.ack();
            if !chance.percent(20) {
                sender.on_ack(&options, window);
            }
        }
        sender.tick();
        if sender.state.fin_acked() && receiver.unread == 0 {
            assert!(receiver.state.finished());
            assert_eq!(receiver.read, total);
            assert_eq!(receiver.connection, State::CloseWait);
            assert_eq!(sender.connection, State::FinWait2);
            assert!(!sender.state.needs_retransmit());
            return step;
        }
    }
    panic!(
        "seed {seed}: {} of {total} bytes in {STEPS} steps, sender {:?}",
        receiver.read, sender.state
    );
}

// rfc8684:3.3.1-6 rfc8684:3.3.6-2
#[test]
fn a_stream_survives_loss_and_reordering() {
    for seed in 1..=40 {
        transfer(seed * 7919, 300_000, 20_000, false);
    }
}

#[test]
fn a_stream_survives_a_tiny_window() {
    for seed in 1..=20 {
        transfer(seed * 104_729, 30_000, 700, false);
    }
}

#[test]
fn a_stream_survives_the_death_of_a_subflow() {
    for seed in 1..=40 {
        transfer(seed * 15_485_863, 300_000, 20_000, true);
    }
}
