// SPDX-License-Identifier: GPL-2.0

//! What the two applications do: write, read, pause, end.

use crate::chance::Chance;
use crate::endpoint::Endpoint;
use crate::segment::{Time, SECOND};

/// How an application ends the connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ending {
    /// Ends its half when all is written, closes when the peer has ended too.
    HalfClose,
    /// Closes when the peer has ended and all is written.
    AfterPeer,
    /// Closes as soon as all is written, without caring about what the peer still sends.
    AtOnce,
    /// Breaks the connection at this time.
    Abort(Time),
}

/// What an application does.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AppKind {
    /// Bytes it writes.
    pub bytes: u64,
    /// Bytes of one write.
    pub chunk: u64,
    /// Time between writes.
    pub pause: Time,
    /// It writes only after the peer has ended.
    pub answers: bool,
    /// Bytes of one read.
    pub read_chunk: u64,
    /// Time between reads.
    pub read_pause: Time,
    /// It reads nothing before.
    pub reads_from: Time,
    /// Small segments leave at once.
    pub no_delay: bool,
    /// How it ends.
    pub ending: Ending,
}

impl AppKind {
    /// Any application.
    pub fn random(chance: &mut Chance) -> Self {
        let idle = chance.percent(25);
        let patient = chance.percent(60);
        let quick = chance.percent(60);
        Self {
            bytes: match idle {
                true => 0,
                false => chance.spread(1, 120_000),
            },
            chunk: chance.spread(64, 60_000),
            pause: match patient {
                true => 0,
                false => chance.spread(1, 200_000),
            },
            answers: false,
            read_chunk: chance.spread(512, 100_000),
            read_pause: match quick {
                true => 0,
                false => chance.spread(1, 150_000),
            },
            reads_from: match chance.percent(90) {
                true => 0,
                false => chance.spread(1, 20 * SECOND),
            },
            no_delay: chance.percent(40),
            ending: match chance.between(0, 99) {
                0..=54 => Ending::HalfClose,
                55..=84 => Ending::AfterPeer,
                85..=92 => Ending::AtOnce,
                _ => Ending::Abort(chance.spread(1_000, 5 * SECOND)),
            },
        }
    }
}

/// An application at work.
pub struct App {
    kind: AppKind,
    /// Which stream it writes.
    stream: u64,
    written: u64,
    write_at: Time,
    read_at: Time,
    ended: bool,
    closed: bool,
    saw_end: bool,
}

impl App {
    /// An application that writes the stream number `stream`.
    pub fn new(kind: AppKind, stream: u64) -> Self {
        Self {
            read_at: kind.reads_from,
            kind,
            stream,
            written: 0,
            write_at: 0,
            ended: false,
            closed: false,
            saw_end: false,
        }
    }

    /// Whether it wrote all it wanted to and ended its half itself.
    pub fn finished_writing(&self) -> bool {
        self.written == self.kind.bytes && (self.ended || self.closed)
    }

    /// Whether it has closed its socket.
    pub fn closed(&self) -> bool {
        self.closed
    }

    /// Bytes that it wrote.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Whether it read to an end of the stream that was not a breakdown.
    pub fn saw_end(&self) -> bool {
        self.saw_end
    }

    fn wants_to_write(&self, end: &Endpoint) -> bool {
        let turn = !self.kind.answers || end.at_end();
        turn && !self.ended && self.written < self.kind.bytes
    }

    fn wants_to_end(&self, end: &Endpoint) -> bool {
        self.written == self.kind.bytes
            && (!self.kind.answers || end.at_end())
            && match self.kind.ending {
                Ending::HalfClose | Ending::Abort(_) => !self.ended,
                Ending::AtOnce => true,
                Ending::AfterPeer => end.at_end(),
            }
    }

    /// When the application does something next; `None` if it waits for the network.
    pub fn deadline(&self, end: &Endpoint, now: Time) -> Option<Time> {
        if self.closed || !end.connected() {
            return None;
        }
        let write = (self.wants_to_write(end) && end.room() > 0).then_some(self.write_at);
        let read = (end.readable() > 0).then_some(self.read_at);
        let end_news = end.at_end() && !self.saw_end;
        let over = end.broken() || end_news || self.wants_to_end(end);
        let over = over || (self.ended && end.at_end());
        let abort = match self.kind.ending {
            Ending::Abort(at) => Some(at),
            _ => None,
        };
        let all = [write, read, over.then_some(now), abort];
        all.into_iter().flatten().min().map(|at| at.max(now))
    }

    /// Does what is due. Returns what it read.
    pub fn act(&mut self, end: &mut Endpoint, now: Time) -> Vec<u8> {
        let mut read = Vec::new();
        if self.closed || !end.connected() {
            return read;
        }
        if end.broken() {
            read = end.read(usize::MAX);
            self.closed = true;
            end.close(false, now);
            return read;
        }
        if matches!(self.kind.ending, Ending::Abort(at) if now >= at) {
            self.closed = true;
            end.close(true, now);
            return read;
        }
        if now >= self.read_at && end.readable() > 0 {
            read = end.read(self.kind.read_chunk as usize);
            self.read_at = now + self.kind.read_pause;
            end.after_read(now);
        }
        self.saw_end |= end.at_end() && !end.broken();
        if now >= self.write_at && self.wants_to_write(end) {
            self.write(end, now);
        }
        if self.wants_to_end(end) {
            self.end(end, now);
        }
        if self.ended && end.at_end() && !self.closed {
            self.closed = true;
            end.close(false, now);
        }
        read
    }

    fn write(&mut self, end: &mut Endpoint, now: Time) {
        let most = self.kind.chunk.min(self.kind.bytes - self.written);
        let count = (most as usize).min(end.room());
        if count > 0 {
            let from = self.written;
            let bytes: Vec<u8> = (from..from + count as u64)
                .map(|offset| byte_at(self.stream, offset))
                .collect();
            self.written += count as u64;
            self.write_at = now + self.kind.pause;
            end.write(&bytes, self.kind.no_delay, now);
        }
    }

    fn end(&mut self, end: &mut Endpoint, now: Time) {
        self.ended = true;
        match self.kind.ending {
            Ending::HalfClose | Ending::Abort(_) => end.shut_down(now),
            Ending::AtOnce | Ending::AfterPeer => {
                self.closed = true;
                end.close(false, now);
            }
        }
    }
}

/// The byte at `offset` of a stream.
pub fn byte_at(stream: u64, offset: u64) -> u8 {
    let mixed = (offset ^ stream).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 56) as u8
}
