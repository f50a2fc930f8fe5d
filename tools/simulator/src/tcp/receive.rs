// SPDX-License-Identifier: GPL-2.0

//! The receiving half of a subflow's TCP: order, window, FIN.

use crate::segment::{before, distance};
use std::collections::{BTreeMap, VecDeque};

/// What one direction has received.
#[derive(Debug)]
pub struct Inbound {
    isn: u32,
    next: u32,
    edge: u32,
    capacity: u32,
    ready: VecDeque<u8>,
    ahead: BTreeMap<u32, Vec<u8>>,
    fin: Option<u32>,
    finished: bool,
}

impl Inbound {
    /// A direction whose SYN had the number `isn`; `capacity` bytes wait at most to be taken.
    pub fn new(isn: u32, capacity: u32) -> Self {
        let next = isn.wrapping_add(1);
        Self {
            isn,
            next,
            edge: next.wrapping_add(capacity),
            capacity,
            ready: VecDeque::new(),
            ahead: BTreeMap::new(),
            fin: None,
            finished: false,
        }
    }

    /// The peer's initial sequence number.
    pub fn isn(&self) -> u32 {
        self.isn
    }

    /// The acknowledgement number.
    pub fn next(&self) -> u32 {
        self.next.wrapping_add(u32::from(self.finished))
    }

    /// The number of the next byte to be taken.
    pub fn copied(&self) -> u32 {
        self.next.wrapping_sub(self.ready.len() as u32)
    }

    /// The bytes that can be taken.
    pub fn ready(&self) -> &VecDeque<u8> {
        &self.ready
    }

    /// Takes the next `count` bytes.
    pub fn take(&mut self, count: usize) -> Vec<u8> {
        self.ready.drain(..count).collect()
    }

    /// Whether all bytes were taken and the FIN is here.
    pub fn ended(&self) -> bool {
        self.finished && self.ready.is_empty()
    }

    /// Whether the FIN is here in order.
    pub fn finished(&self) -> bool {
        self.finished
    }

    /// Bytes that are held.
    pub fn memory(&self) -> usize {
        self.ready.len() + self.ahead.values().map(Vec::len).sum::<usize>()
    }

    /// Bytes of the window that are left.
    pub fn window(&self) -> u32 {
        distance(self.edge, self.next).max(0) as u32
    }

    /// Opens the window as far as there is room and returns the field that says so. The right edge
    /// stays where it was if there is less.
    pub fn advertise(&mut self, scale: u8) -> u16 {
        let free = self.capacity.saturating_sub(self.ready.len() as u32);
        let offered = (free >> scale).min(0xffff);
        let owed = self.window().div_ceil(1 << scale).min(0xffff);
        let field = offered.max(owed);
        let edge = self.next.wrapping_add(field << scale);
        if before(self.edge, edge) {
            self.edge = edge;
        }
        field as u16
    }

    /// Takes data and FIN that came with number `seq`. Returns whether anything was new.
    pub fn accept(&mut self, seq: u32, data: &[u8], fin: bool) -> bool {
        if self.finished {
            return false;
        }
        let skip = distance(self.next, seq).max(0) as usize;
        let room = distance(self.edge, seq).max(0) as usize;
        let end = data.len().min(room);
        let whole = end == data.len();
        if fin && whole {
            self.fin = Some(seq.wrapping_add(end as u32));
        }
        if skip < end {
            let start = seq.wrapping_add(skip as u32);
            let key = start.wrapping_sub(self.isn);
            let fresh = &data[skip..end];
            let known = self.ahead.get(&key).map_or(0, Vec::len);
            if fresh.len() > known {
                self.ahead.insert(key, fresh.to_vec());
            }
        }
        let before = self.next();
        self.advance();
        self.finished = self.fin == Some(self.next);
        self.next() != before
    }

    fn advance(&mut self) {
        while let Some((&key, _)) = self.ahead.first_key_value() {
            let seq = self.isn.wrapping_add(key);
            let skip = distance(self.next, seq);
            if skip < 0 {
                return;
            }
            let piece = self.ahead.remove(&key).unwrap_or_default();
            let fresh = piece.get(skip as usize..).unwrap_or_default();
            self.ready.extend(fresh);
            self.next = self.next.wrapping_add(fresh.len() as u32);
        }
    }
}
