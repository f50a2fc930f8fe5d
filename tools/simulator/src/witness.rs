// SPDX-License-Identifier: GPL-2.0

//! What must hold: it sees every segment that an end sends, every byte that an application reads,
//! and both ends after every step.

use crate::app::{byte_at, App};
use crate::endpoint::{Endpoint, Mode};
use crate::middlebox::{Way, INSERTED};
use crate::scenario::Scenario;
use crate::segment::Segment;
use mptcp_core::mapping::RxMapping;
use mptcp_core::path_manager::SubflowId;
use mptcp_core::seq::Dsn;
use std::collections::{BTreeMap, HashMap};

/// Bytes of slack that a receiver's memory may exceed its buffer by: one piece that began inside
/// the window is taken whole.
const SLACK: usize = 65_535;

/// What a SYN may promise before the window is known to be smaller, in bytes.
const FIRST_WINDOW: usize = 65_535;

/// What was seen of one direction.
#[derive(Debug)]
pub struct Witness {
    way: Way,
    rewriting: Option<(u32, u32, u32)>,
    /// No byte differs from what was written, or from what a rewriting middlebox made of it.
    intact: bool,
    rewritten: bool,
    /// Bytes change under the mappings, and nobody can notice.
    blind: bool,
    /// Bytes that the receiving application read.
    pub read: u64,
    /// The highest DATA_ACK and window that the sending end was told.
    edge: Option<Dsn>,
    acked: Option<Dsn>,
    una: Option<Dsn>,
    rcv_nxt: Option<Dsn>,
    right_edge: Option<Dsn>,
    /// Every mapping that was sent, by subflow.
    said: HashMap<SubflowId, Said>,
}

impl Witness {
    /// A witness of one direction of a scenario.
    pub fn new(scenario: &Scenario, way: Way) -> Self {
        let rewriting = scenario.rewriting().filter(|found| found.0 == way);
        Self {
            way,
            rewriting: rewriting.map(|(_, at, remove, insert)| (at, remove, insert)),
            intact: true,
            rewritten: rewriting.is_some(),
            blind: scenario.rewrites() && !scenario.checksums(),
            read: 0,
            edge: None,
            acked: None,
            una: None,
            rcv_nxt: None,
            right_edge: None,
            said: HashMap::new(),
        }
    }

    /// The stream's number, see [`byte_at`].
    pub fn stream(way: Way) -> u64 {
        way.index() as u64 + 1
    }

    /// The receiving application read `bytes`.
    pub fn on_read(&mut self, bytes: &[u8], receiver: &Endpoint) -> Result<(), String> {
        let stream = Self::stream(self.way);
        for &byte in bytes {
            self.intact &= byte == byte_at(stream, self.read);
            if let Some((at, remove, insert)) = self.rewriting {
                let (at, insert) = (u64::from(at), u64::from(insert));
                let expected = if self.read < at {
                    byte_at(stream, self.read)
                } else if self.read < at + insert {
                    INSERTED
                } else {
                    byte_at(stream, self.read - insert + u64::from(remove))
                };
                self.rewritten &= byte == expected;
            }
            if !self.intact && !self.rewritten && !self.blind {
                return Err(format!("{:?}: byte {} is another", self.way, self.read));
            }
            self.read += 1;
        }
        if !self.intact && receiver.checks_sums() {
            return Err(format!("{:?}: a rewritten byte was not noticed", self.way));
        }
        Ok(())
    }

    /// The receiving application was told that the stream ended: it must have read all of it.
    pub fn judge(&self, writer: &App) -> Result<(), String> {
        let written = writer.written();
        let all = match self.rewriting {
            Some((at, remove, insert)) if !self.intact && u64::from(at) < written => {
                let removed = u64::from(remove).min(written - u64::from(at));
                written - removed + u64::from(insert)
            }
            _ => written,
        };
        if self.blind || (writer.finished_writing() && self.read == all) {
            return Ok(());
        }
        let (way, read) = (self.way, self.read);
        Err(format!("{way:?}: an end after {read} of {all} bytes"))
    }

    /// The sending end sends a segment.
    pub fn on_sent(&mut self, segment: &Segment, sender: &Endpoint) -> Result<(), String> {
        if sender.mode() != Mode::Mptcp || segment.flags.syn || segment.flags.rst {
            return Ok(());
        }
        let received = sender.said_by(segment);
        if received.malformed > 0 {
            return Err("a malformed option was sent".into());
        }
        if !segment.data.is_empty() {
            self.on_data(segment, sender)?;
        }
        Ok(())
    }

    /// Data needs its mapping, the same each time, inside the window that was told.
    fn on_data(&mut self, segment: &Segment, sender: &Endpoint) -> Result<(), String> {
        let Some((subflow, ssn)) = sender.subflow_of(segment) else {
            // It was the last of the subflow.
            return Ok(());
        };
        let mapping = sender
            .mapping_said(segment)
            .ok_or_else(|| format!("data without mapping: {segment:?}"))?;
        let end = ssn.plus(segment.payload_len());
        if ssn.before(mapping.ssn) || end.after(mapping.ssn.plus(mapping.len.into())) {
            return Err(format!("the mapping does not cover the data: {segment:?}"));
        }
        let said = self.said.entry(subflow).or_default();
        if !said.agrees_with(&mapping) {
            return Err(format!("the mapping of bytes changed: {segment:?}"));
        }
        let last = mapping.dsn.plus(mapping.len.into());
        // A closed window may be asked by one byte.
        let most = sender.window_told().plus(1);
        if last.after(most) {
            return Err(format!("data outside the window: {segment:?}"));
        }
        Ok(())
    }

    /// The end that receives this direction, and tells the window, sends a segment.
    pub fn on_answered(&mut self, segment: &Segment, receiver: &Endpoint) -> Result<(), String> {
        let plain = receiver.mode() != Mode::Mptcp || segment.flags.syn || segment.flags.rst;
        let Some(dss) = receiver.said_by(segment).dss.filter(|_| !plain) else {
            return Ok(());
        };
        let Some(ack) = dss.data_ack else {
            return Err(format!("a DSS without acknowledgement: {segment:?}"));
        };
        let ack = ack.expand(Dsn::new(0));
        grows(&mut self.acked, ack, "DATA_ACK")
    }

    /// Looks at the ends after a step.
    pub fn look(&mut self, sender: &Endpoint, receiver: &Endpoint) -> Result<(), String> {
        if sender.mode() == Mode::Mptcp {
            grows(&mut self.una, sender.acknowledged(), "acknowledged data")?;
            grows(&mut self.edge, sender.window_told(), "the window as told")?;
        }
        if receiver.mode() == Mode::Mptcp {
            grows(&mut self.rcv_nxt, receiver.expected(), "received data")?;
            grows(
                &mut self.right_edge,
                receiver.promised(),
                "the window's edge",
            )?;
        }
        sender.timers_are_set()?;
        let held = receiver.memory_of_receiver();
        if held > receiver.receive_buffer().max(FIRST_WINDOW) + SLACK {
            return Err(format!("{held} bytes are held by the receiver"));
        }
        let held = sender.memory_of_sender();
        if held > sender.send_buffers() + SLACK {
            return Err(format!("{held} bytes are held by the sender"));
        }
        Ok(())
    }
}

/// The mappings of a subflow that were told: where each starts, its length and where it maps to.
#[derive(Debug, Default)]
struct Said(BTreeMap<u32, (u32, Dsn)>);

impl Said {
    /// Adds a mapping; whether it agrees with what was told of the same bytes before.
    fn agrees_with(&mut self, mapping: &RxMapping) -> bool {
        let start = mapping.ssn.raw();
        let len = u32::from(mapping.len);
        let before = self.0.range(..start + len).next_back();
        let overlapping = before.filter(|(first, (len, _))| *first + len > start);
        if let Some((&first, &(_, dsn))) = overlapping {
            // Both must place a byte at the same number.
            return mapping.dsn.plus(u64::from(first)) == dsn.plus(u64::from(start));
        }
        self.0.insert(start, (len, mapping.dsn));
        true
    }
}

/// Sees to it that a number never moves back.
fn grows(known: &mut Option<Dsn>, now: Dsn, what: &str) -> Result<(), String> {
    if known.is_some_and(|known| now.before(known)) {
        return Err(format!("{what} moved back from {known:x?} to {now:x?}"));
    }
    *known = Some(now);
    Ok(())
}
