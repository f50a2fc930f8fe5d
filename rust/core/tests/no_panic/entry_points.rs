// SPDX-License-Identifier: GPL-2.0

//! Calls everything the crate offers, so that inlined and generic code becomes machine code.

#![no_std]

use mptcp_core::acceptable::{judge, Expected, Segment, Verdict};
use mptcp_core::connection::abort::{is_told, tells_ahead};
use mptcp_core::connection::arrival::{
    announced, implied, may_pass, shows_mptcp, trust, Announced, Trust,
};
use mptcp_core::connection::blackhole::offers_mptcp;
use mptcp_core::connection::delivery::{
    on_subflow_fin, position, streams_agree, Position, SubflowEnd,
};
use mptcp_core::connection::departure::{
    farewell, how_it_ended, on_closed, Closed, Departure, Meaning, Presence, Remains,
};
use mptcp_core::connection::doubt::Doubt;
use mptcp_core::connection::ending::{
    is_breakdown, is_over, may_be_rejoined, on_patience_lost, stays_patient, Farewell, Rest,
};
use mptcp_core::connection::expiry::{on_expiry, Expiry, Situation};
use mptcp_core::connection::fallback::{
    is_untold, may_have_failed, on_checksum_failure, on_infinite_mapping, on_mp_fail, on_plain_ack,
    on_unmapped_data, Answer, ChecksumAnswer, Circumstances,
};
use mptcp_core::connection::farewell::Farewell as LastWords;
use mptcp_core::connection::handshake::{
    client_ack, client_speaks, client_syn, establishes_client, establishes_server, on_peers_syn,
    on_syn, on_third_ack, server_key, server_syn_ack, Agreed, Attempt, ClientOutcome, ClientSpeaks,
    FirstMapping, Policy, ServerOutcome, SynAnswer,
};
use mptcp_core::connection::join::{
    self, acknowledgement_due, on_silence, server_nonce, third_ack, third_ack_timeout, Accepted,
    Refusal, Request, Secrets, NONCE_INPUT,
};
use mptcp_core::connection::push::{next_step, Conditions, Step};
use mptcp_core::connection::speech::{of_reset, of_segment, Reset, Speaker};
use mptcp_core::connection::state::{Event, State};
use mptcp_core::crypto::{same_code, Derived, Key, KeyPair, Sha256, Token};
use mptcp_core::mapping::{
    DssChecksum, PushError, RecordError, Recorded, RxMapping, RxMappings, RxRecord, Span,
    TxMappings, TxRecord,
};
use mptcp_core::path_manager::{End, Farewell as Leave};
use mptcp_core::reassembly::{Divisible, Offer, Piece, Reassembly, Slot};
use mptcp_core::receive::{
    advertise, is_little, scaled, update_due, Advertised, FinConflict, Placement, ReceiveMemory,
    ReceiveState, ReceiveWindow, RightSizing,
};
use mptcp_core::scheduler::PathId;
use mptcp_core::send::{retransmit_timeout, AckOutcome, Rejected, SendState};
use mptcp_core::seq::{Dsn, Ssn};
use mptcp_core::wire::plan::{plan, write, write_alone, Plan, Room, Wanted, Written, WrittenAlone};
use mptcp_core::wire::{
    pad, padded, walk, AddAddr, Address, Dss, MpCapable, MpFail, MpFastclose, MpJoin, MpPrio,
    MpTcpRst, Received, RemoveAddr, SegmentKind, WireSeq,
};

macro_rules! entry_points {
    ($($name:ident($($arg:ident: $type:ty),*) $(-> $result:ty)? $body:block)*) => {
        $(#[no_mangle] pub fn $name($($arg: $type),*) $(-> $result)? $body)*
    };
}

mod congestion;
mod path_manager;
mod scheduler;
mod steering;
mod version0;

/// A hash function that the optimiser cannot see through.
pub struct Opaque(pub fn(&[&[u8]]) -> [u8; 32]);

impl Sha256 for Opaque {
    fn hash(&self, parts: &[&[u8]]) -> [u8; 32] {
        (self.0)(parts)
    }

    fn hmac(&self, key: &[u8], message: &[&[u8]]) -> [u8; 32] {
        (self.0)(&[key, &(self.0)(message)])
    }
}

/// Data that the optimiser cannot see through.
pub struct Data(pub fn(u32, u32), pub fn(fn(u32, u32)));

impl Piece for Data {
    fn cut(&mut self, skip: u32, take: u32) {
        (self.0)(skip, take);
    }

    fn append(&mut self, next: Self) {
        (self.1)(next.0);
    }
}

impl Divisible for Data {
    fn take_last(&mut self) -> Option<(Self, u32)> {
        (self.0)(0, 0);
        None
    }
}

type Held = Reassembly<Data, [Slot<Data>; 131]>;
type Tx = TxMappings<129>;
type Rx = RxMappings<130>;

entry_points! {
    seq_dsn(a: Dsn, b: Dsn, c: Dsn, n: u64) -> (Dsn, Dsn, i64, u64, [bool; 3], Dsn, Dsn, u32) {
        (a.plus(n), a.minus(n), a.distance(b), a.since(b),
         [a.before(b), a.after(b), a.between(b, c)], a.latest(b), a.earliest(b), a.low32())
    }
    seq_expand(low: u32, reference: Dsn) -> Dsn { Dsn::expand(low, reference) }
    seq_ssn(a: Ssn, b: Ssn, c: Ssn, n: u32) -> (Ssn, Ssn, i32, u32, [bool; 3], Ssn) {
        (a.plus(n), a.minus(n), a.distance(b), a.since(b),
         [a.before(b), a.after(b), a.between(b, c)], a.latest(b))
    }

    wire_walk(options: &[u8]) -> (usize, bool) {
        let mut walk = walk(options);
        let mut sum: usize = 0;
        for option in walk.by_ref() {
            sum = sum.wrapping_add(option.body.len()).wrapping_add(option.kind.into());
        }
        (sum, walk.broken())
    }
    wire_received(options: &[u8], segment: SegmentKind) -> Received {
        Received::parse(options, segment)
    }
    wire_has(received: &Received) -> [bool; 2] {
        [received.has_mptcp(), received.has_other_than_dss()]
    }
    wire_capable(body: &[u8], out: &mut [u8]) -> Option<usize> {
        MpCapable::parse(body).ok()?.emit(out)
    }
    wire_join(body: &[u8], out: &mut [u8]) -> Option<usize> { MpJoin::parse(body).ok()?.emit(out) }
    wire_dss(body: &[u8], out: &mut [u8], near: Dsn) -> Option<(usize, Option<Dsn>, Option<u16>)> {
        let dss = Dss::parse(body).ok()?;
        Some((dss.emit(out)?, dss.data_fin_at(near), dss.data_len()))
    }
    wire_add(body: &[u8], out: &mut [u8]) -> Option<usize> {
        AddAddr::parse(body).ok()?.echo().emit(out)
    }
    wire_remove(body: &[u8], out: &mut [u8]) -> Option<usize> {
        RemoveAddr::parse(body).ok()?.emit(out)
    }
    wire_prio(body: &[u8], out: &mut [u8]) -> Option<usize> { MpPrio::parse(body).ok()?.emit(out) }
    wire_fail(body: &[u8], out: &mut [u8]) -> Option<usize> { MpFail::parse(body).ok()?.emit(out) }
    wire_fastclose(body: &[u8], out: &mut [u8]) -> Option<usize> {
        MpFastclose::parse(body).ok()?.emit(out)
    }
    wire_reset(body: &[u8], out: &mut [u8]) -> Option<usize> {
        MpTcpRst::parse(body).ok()?.emit(out)
    }
    wire_seq(seq: WireSeq, near: Dsn) -> (Dsn, u8, WireSeq) {
        (seq.expand(near), seq.length(), WireSeq::long(near))
    }
    wire_ids(ids: &[u8]) -> Option<RemoveAddr> { RemoveAddr::new(ids) }
    wire_pad(out: &mut [u8], length: usize) -> (usize, usize) { (pad(out), padded(length)) }
    wire_plan(wanted: &Wanted, free: usize) -> Plan { plan(wanted, free) }
    wire_plan_write(wanted: &Wanted, free: usize, more: usize, out: &mut [u8]) -> Option<Written> {
        write(wanted, free, more, out)
    }
    wire_plan_write_alone(wanted: &Wanted, room: &Room, out: &mut [u8]) -> Option<WrittenAlone> {
        write_alone(wanted, room, out)
    }
    wire_plan_emit(plan: &Plan, out: &mut [u8]) -> Option<usize> { plan.emit(out) }

    crypto_derive(key: Key, sha: &Opaque) -> Derived { key.derive(sha) }
    crypto_join(pair: KeyPair, sha: &Opaque, one: u32, two: u32) -> ([u8; 32], u64, [u8; 20]) {
        (pair.reversed().join_hmac(sha, one, two), pair.join_syn_ack_hmac(sha, one, two),
         pair.join_ack_hmac(sha, one, two))
    }
    crypto_add(pair: KeyPair, sha: &Opaque, id: u8, address: &Address, port: Option<u16>) -> u64 {
        pair.add_addr_hmac(sha, id, address, port)
    }
    crypto_same(left: &[u8], right: &[u8]) -> bool { same_code(left, right) }

    mapping_tx_push(table: &mut Tx, record: TxRecord) -> Result<(), PushError> {
        table.push(record)
    }
    mapping_tx_covering(table: &Tx, ssn: Ssn) -> Option<TxRecord> { table.covering(ssn).copied() }
    mapping_tx_acked(table: &mut Tx, ssn: Ssn) -> (usize, bool, bool, Option<TxRecord>) {
        table.acked(ssn);
        (table.len(), table.is_empty(), table.is_full(), table.oldest().copied())
    }
    mapping_rx_record(table: &mut Rx, mapping: RxMapping) -> Result<Recorded, RecordError> {
        table.record(mapping)
    }
    mapping_rx_lookup(table: &Rx, ssn: Ssn) -> Option<Span> { table.lookup(ssn) }
    mapping_rx_covering(table: &Rx, ssn: Ssn) -> Option<RxRecord> { table.covering(ssn).copied() }
    mapping_rx_continue(table: &Rx, ssn: Ssn, dsn: Dsn) -> bool { table.all_continue(ssn, dsn) }
    mapping_rx_consumed(table: &mut Rx, ssn: Ssn) -> (usize, bool) {
        table.consumed(ssn);
        (table.len(), table.is_empty())
    }
    mapping_checksum(sum: &mut DssChecksum, data: &[u8], partial: u32, len: u32) {
        sum.add(data);
        sum.add_partial(partial, len);
    }
    mapping_checksum_end(sum: DssChecksum, dsn: Dsn, ssn: Ssn, len: u16, got: u16) -> (u16, bool) {
        (sum.finish(dsn, ssn, len), sum.verify(dsn, ssn, len, got))
    }
    mapping_checksum_of(sum: DssChecksum, record: &RxRecord) -> bool { sum.is_right(record) }

    reassembly_offer(
        held: &mut Held, state: &mut ReceiveState, edge: Dsn, dsn: Dsn, len: u32, data: Data
    ) -> Offer<Data> {
        held.offer(state, edge, dsn, len, data)
    }
    reassembly_fin(held: &Held, state: &mut ReceiveState, fin: Dsn, edge: Dsn) -> Option<bool> {
        held.on_data_fin(state, fin, edge).ok()
    }
    reassembly_pop(held: &mut Held) -> (Option<Data>, usize, bool, u64) {
        (held.pop(), held.len(), held.is_empty(), held.bytes())
    }
    reassembly_prune(held: &mut Held) -> (Option<Data>, Option<Dsn>, bool) {
        (held.pop_last(), held.end(), held.slots_mut().is_empty())
    }

    receive_classify(state: &ReceiveState, dsn: Dsn, len: u32, end: Dsn) -> Placement {
        state.classify(dsn, len, end)
    }
    receive_advance(state: &mut ReceiveState, len: u32) -> (bool, bool) {
        (state.advance(len), state.finished())
    }
    receive_fin(state: &mut ReceiveState, fin: Dsn, end: Dsn) -> Result<bool, FinConflict> {
        state.on_data_fin(fin, end)
    }
    receive_advertise(edge: Dsn, nxt: Dsn, free: u32, scale: u8) -> Advertised {
        advertise(edge, nxt, free, scale)
    }
    receive_update(left: u32, free: u32, capacity: u32, mss: u32) -> bool {
        update_due(left, free, capacity, mss)
    }
    receive_window(window: &mut ReceiveWindow, nxt: Dsn, free: u32, scale: u8) -> (u16, bool) {
        (window.advertise(nxt, free, scale), window.update_due(nxt, free, free, free))
    }
    receive_memory(buffer: ReceiveMemory, memory: u32, len: u32, n: u32) -> ([bool; 2], [u32; 2]) {
        ([buffer.admits(), buffer.copy_due(memory, len, n)],
         [buffer.copy_room(), buffer.largest_gather()])
    }
    receive_right_size(size: &mut RightSizing, n: u32, now: u64, rtt: u32, mss: u32) -> Option<u32> {
        size.on_copied(n, now, rtt, mss, u32::MAX)
    }

    send_numbers(state: &SendState) -> (u64, u64, u32, [bool; 5], Option<(Dsn, u32)>) {
        (state.unsent(), state.in_flight(), state.available(),
         [state.probe_due(), state.fin_due(), state.fin_acked(), state.needs_retransmit(),
          state.fin_in_flight()],
         state.retransmit_next())
    }
    send_events(state: &mut SendState, count: u32) {
        state.on_written(count);
        state.on_pushed(count);
        state.on_fin_queued();
        state.on_fin_sent();
        state.start_retransmit();
        state.on_retransmitted(count);
    }
    send_ack(state: &mut SendState, ack: Dsn, window: u32) -> Result<AckOutcome, Rejected> {
        state.on_data_ack(ack, window)
    }
    send_timeout(rto: u32, backoff: u8, cap: u32) -> u32 { retransmit_timeout(rto, backoff, cap) }

    connection_state(state: State, event: Event) -> (State, [bool; 2]) {
        let next = state.after(event);
        (next, [next.may_send(), next.subflows_may_close()])
    }
    connection_client(received: &Received, policy: Policy) -> (ClientOutcome, MpCapable, bool) {
        let segment = SegmentKind { syn: true, ack: received.malformed > 0 };
        let offered = received.has_mptcp();
        (on_peers_syn(segment, received, offered, policy), client_syn(policy), establishes_client(received))
    }
    connection_client_ack(p: Policy, a: Agreed, k: Key, f: Option<FirstMapping>) -> MpCapable {
        client_ack(p, a, k, k, f)
    }
    connection_client_speaks(full: bool, data: bool, first: bool) -> ClientSpeaks {
        client_speaks(full, data, first)
    }
    connection_server(received: &Received, policy: Policy) -> (SynAnswer, bool) {
        (on_syn(received, policy), establishes_server(received))
    }
    connection_syn_ack(policy: Policy, agreed: Agreed, key: Key) -> MpCapable {
        server_syn_ack(policy, agreed, key)
    }
    connection_third_ack(received: &Received, policy: Policy, key: Key) -> ServerOutcome {
        on_third_ack(received, policy, key)
    }
    connection_server_key(attempt: &Attempt, prf: fn(&[u8; 44]) -> u64) -> Key {
        server_key(attempt, prf)
    }
    connection_join_client(r: &Received, q: &Request) -> (MpJoin, bool, bool) {
        (join::client_syn(q), join::establishes_client(r), acknowledgement_due(r))
    }
    connection_join_wait(sent: u8, rto: u32, cap: u32) -> (u32, Result<(), Refusal>) {
        (third_ack_timeout(sent, rto, cap), on_silence(sent, 8))
    }
    connection_join_syn_ack(
        r: &Received, keys: KeyPair, nonce: u32, sha: &Opaque
    ) -> Result<(Accepted, Wanted), Refusal> {
        join::on_syn_ack(r, keys, nonce, sha).map(|accepted| (accepted, third_ack(accepted.hmac)))
    }
    connection_join_server(
        r: &Received, secrets: &Secrets, id: u8, sha: &Opaque
    ) -> (Option<Request>, MpJoin, Result<(), Refusal>) {
        (join::on_syn(r), join::server_syn_ack(secrets, id, r.malformed > 0, sha),
         join::on_third_ack(r, secrets, sha))
    }
    connection_join_nonce(a: &Attempt, token: Token, prf: fn(&[u8; NONCE_INPUT]) -> u64) -> u32 {
        server_nonce(a, token, prf)
    }
    connection_join_reason(refusal: Refusal) -> u8 { refusal.reason().0 }
    connection_fallback(c: &Circumstances) -> (Answer, Answer, Answer, ChecksumAnswer) {
        (on_unmapped_data(c), on_infinite_mapping(c), on_mp_fail(c), on_checksum_failure(c))
    }

    connection_plain_ack(heard: bool, given: Ssn, acked: Ssn, c: &Circumstances) -> bool {
        on_plain_ack(heard, given, acked, || *c) && is_untold(heard, given)
    }
    connection_trust(verdict: Verdict, len: u32, old: bool, fastclose: bool) -> Trust {
        trust(verdict, len, old, fastclose)
    }
    connection_arrival(dss: &Dss, nxt: Dsn, len: u32, agreed: Agreed) -> Announced {
        announced(dss, nxt, len, agreed)
    }
    connection_implied(r: &Received, first: Dsn, sums: bool) -> (Option<RxMapping>, bool) {
        (implied(r, first, sums), shows_mptcp(r))
    }
    connection_position(span: Option<Span>, nxt: Dsn, c: &Circumstances) -> Position {
        position(span, nxt, || *c)
    }
    connection_streams(state: &ReceiveState, rx: &Rx, first: Dsn, next: Ssn) -> bool {
        streams_agree(state, rx, first, next)
    }
    connection_fin(state: &ReceiveState, c: &Circumstances) -> SubflowEnd {
        on_subflow_fin(state, state.finished(), c.retransmitted, c)
    }
    connection_expiry(situation: &Situation) -> (Expiry, bool) {
        (on_expiry(situation), situation.in_vain())
    }
    connection_over(rest: &Rest, send: &SendState) -> [bool; 3] {
        let acked = send.fin_acked();
        [is_over(rest, send), is_breakdown(rest, acked), may_be_rejoined(rest, acked)]
    }
    connection_departure(
        subflows: &[(PathId, Presence)], rest: &Rest, several: bool
    ) -> (Departure, Meaning, Closed) {
        let departure = Departure::of(subflows.iter().copied(), several, rest.aborted);
        (departure, departure.means(rest, several), on_closed(several, rest.aborted, rest.fell_back))
    }
    connection_remains(remains: &Remains, wanted: Leave, several: bool) -> (End, Leave) {
        (how_it_ended(remains), farewell(wanted, several))
    }
    connection_doubt(doubt: &mut Doubt, works: bool) -> [bool; 4] {
        let due = [doubt.on_device(works), doubt.on_removed(), doubt.on_heard(), doubt.is_none()];
        doubt.on_asked();
        due
    }
    connection_told(r: &Received, key: Key, dsn: Dsn, sums: bool, send: &SendState) -> [bool; 2] {
        [is_told(r, key), may_have_failed(dsn, sums, send)]
    }
    connection_pass(recorded: Result<Recorded, RecordError>) -> bool { may_pass(recorded) }
    connection_syn(again: u8, limit: u32) -> bool { offers_mptcp(again, limit) }
    connection_patience(rest: &Rest, send: &SendState, silence: u64) -> (bool, Farewell) {
        (stays_patient(rest, send, silence), on_patience_lost(rest))
    }
    connection_push(send: &SendState, conditions: &Conditions) -> Step {
        next_step(send, conditions)
    }
    connection_speech(s: &Speaker, data: bool, record: Option<&TxRecord>) -> Wanted {
        of_segment(s, data, record)
    }
    connection_reset(reset: Reset, key: Key) -> (Wanted, bool) {
        (of_reset(reset.or_fastclose(), key), tells_ahead(reset))
    }
    receive_scale(field: u16, scale: u8, capacity: u32) -> (u32, bool) {
        let window = scaled(field, scale);
        (window, is_little(window, capacity))
    }
    connection_farewell(
        farewell: &mut LastWords, at: Ssn, dsn: Dsn, data: bool, r: &Received
    ) -> (Wanted, bool) {
        match farewell.heard(r) {
            true => farewell.answer(dsn),
            false => farewell.complain(dsn),
        }
        (farewell.say(at, data, at), farewell.is_over())
    }

    acceptable_judge(expected: &Expected, segment: &Segment) -> Verdict { judge(expected, segment) }
}
