// SPDX-License-Identifier: GPL-2.0

//! Packet scheduling: which subflow carries the next data.
//!
//! A [`Scheduler`] looks at all paths of a connection and says what to do with one segment. It
//! knows neither sockets nor time: both are in the [`PathsView`]. What all schedulers share is in
//! [`Path`] and [`PathsView`]: what counts as room, which paths may be used at all (backup paths
//! only without others, stale ones only without any), and what to do when a slow path blocks the
//! connection's window ([`Penalties`]). [`Health`] decides which path is stale, and when to try it
//! again.

mod any;
mod blest;
mod ecf;
mod grant;
mod health;
mod lowest_rtt;
mod path;
mod redundant;
mod round_robin;
mod unblock;
mod view;

pub use any::{AnyScheduler, Kind};
pub use blest::Blest;
pub use ecf::Ecf;
pub use grant::{Grant, MAX_GRANT};
pub use health::{Health, Standing, MAX_PROBE_GAP_US, RETURN_ANSWERS};
pub use lowest_rtt::LowestRtt;
pub use path::{Path, PathId, PathSet, MAX_PATHS};
pub use redundant::Redundant;
pub use round_robin::{RoundRobin, BURST_SEGMENTS};
pub use unblock::{penalised, Penalties, MIN_PENALISED_CWND, PENALTY_MARGIN, RETRANSMIT_MARGIN};
pub use view::PathsView;

/// The data that waits to be given to a subflow.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Segment {
    /// How many bytes there are to send at once.
    pub len: u32,
    /// How many bytes wait at the connection that were not given to any subflow, these included.
    pub unsent: u64,
    /// How many new bytes the peer's window still admits. It does not limit what was sent before.
    pub window_left: u32,
    /// These bytes were sent before.
    pub again: bool,
    /// Nothing follows what waits now: the application has ended the stream.
    pub last: bool,
    /// The paths that carry these bytes already, and should not again; none for new data.
    pub sent_on: PathSet,
    /// The paths that have carried the oldest byte that is not acknowledged at the data level;
    /// none if all is acknowledged. While the window is closed, these hold it closed.
    ///
    /// After [`Decision::Unblock`] named a path for sending that data again, and as long as the
    /// window is closed, it is the oldest byte that this path has not carried: what it has carried
    /// will be acknowledged soon, and then what comes after must not be missing.
    pub blocking: PathSet,
}

impl Segment {
    /// Whether these bytes were never sent.
    #[inline]
    pub const fn is_new(&self) -> bool {
        !self.again && self.sent_on.is_empty()
    }

    /// Whether the peer's window keeps these bytes back.
    #[inline]
    pub const fn is_blocked(&self) -> bool {
        self.is_new() && self.window_left == 0
    }

    /// How many bytes may go at once over a path that takes any number.
    #[inline]
    pub const fn sendable(&self) -> u32 {
        if self.is_new() && self.window_left < self.len {
            self.window_left
        } else {
            self.len
        }
    }
}

/// What to do now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Decision {
    /// Give this many bytes of the segment to this path.
    Send {
        /// The path.
        path: PathId,
        /// How many bytes, at least 1.
        len: u32,
    },
    /// Give the same bytes to each of these paths.
    SendOnAll {
        /// The paths, at least one.
        paths: PathSet,
        /// How many bytes, at least 1.
        len: u32,
    },
    /// The window is closed, and slow paths hold it closed. At least one of both has to be done.
    Unblock {
        /// Send again on this path the data that [`Segment::blocking`] was told for.
        retransmit: Option<PathId>,
        /// Reduce the congestion windows of these paths as [`penalised`] says.
        penalise: PathSet,
    },
    /// Nothing, until an acknowledgement arrives, the state of a path changes or one loses contact
    /// ([`PathsView::next_silence_us`]).
    Wait,
}

/// A rule for choosing paths.
pub trait Scheduler {
    /// Decides about `segment`, which has at least one byte. To be asked again after each decision
    /// but [`Decision::Wait`].
    fn pick(&mut self, paths: &PathsView<'_>, segment: &Segment) -> Decision;

    /// Takes note that `path` is gone; its number may stand for another path from now on.
    fn forget(&mut self, path: PathId);
}

#[cfg(test)]
mod tests;
