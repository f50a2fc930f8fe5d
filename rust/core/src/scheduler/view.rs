// SPDX-License-Identifier: GPL-2.0

//! All paths of a connection at one moment.

use super::{Path, PathId, PathSet, Segment, Standing, MAX_PATHS};

/// All paths of a connection at one moment.
#[derive(Clone, Copy, Debug)]
pub struct PathsView<'a> {
    paths: &'a [Path],
    /// The moment, in microseconds of the clock by which [`Path::last_progress_us`] counts.
    pub now_us: u64,
    /// How many bytes may be unacknowledged at the data level, by the peer's window.
    pub window: u32,
}

/// How good a path is before anything is measured: the less the better.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Rank {
    Regular,
    Backup,
    Unresponsive,
    UnresponsiveBackup,
}

impl<'a> PathsView<'a> {
    /// The view at `now_us` of `paths`, of which no more than the first [`MAX_PATHS`] count, under
    /// a window of `window` bytes.
    #[inline]
    pub fn new(paths: &'a [Path], now_us: u64, window: u32) -> Self {
        Self {
            paths: paths.get(..MAX_PATHS).unwrap_or(paths),
            now_us,
            window,
        }
    }

    /// The path of this number.
    #[inline]
    pub fn find(&self, id: PathId) -> Option<&'a Path> {
        self.paths.iter().find(|path| path.id == id)
    }

    /// The paths that data may be given to, with or without room.
    ///
    /// RFC 8684 section 3.3.8: a backup path is for use only when there is no other. A path that
    /// lost contact counts as none as long as another works, be that a backup; if none does, the
    /// choice is again among all. Room plays no part: a backup does not help out a regular path.
    // rfc8684:3.3.8-1
    #[inline]
    pub fn eligible(self) -> impl Iterator<Item = &'a Path> {
        let best = self.paths.iter().map(|path| self.rank(path)).min();
        self.paths
            .iter()
            .filter(move |path| Some(self.rank(path)) == best)
    }

    /// The eligible paths that can take some of `segment` now and have not carried it before.
    #[inline]
    pub fn ready(self, segment: &Segment) -> impl Iterator<Item = &'a Path> {
        let (len, sent_on) = (segment.sendable(), segment.sent_on);
        self.eligible()
            .filter(move |path| !sent_on.contains(path.id) && path.takes(len) > 0)
    }

    /// The paths in `set`.
    #[inline]
    pub fn those(self, set: PathSet) -> impl Iterator<Item = &'a Path> {
        self.paths.iter().filter(move |path| set.contains(path.id))
    }

    /// The paths that lost contact though they are not known to be stale. What they carry is worth
    /// sending over others at once (RFC 8684 section 3.3.6).
    #[inline]
    pub fn silent(self) -> PathSet {
        let silent = |path: &&Path| path.is_silent(self.now_us) && path.standing != Standing::Stale;
        self.paths
            .iter()
            .filter(silent)
            .map(|path| path.id)
            .collect()
    }

    /// When the next path will count as having lost contact if it goes on not answering: decisions
    /// are due again then.
    #[inline]
    pub fn next_silence_us(self) -> Option<u64> {
        self.paths
            .iter()
            .filter(|path| path.in_flight > 0 && path.responds(self.now_us))
            .map(Path::silence_us)
            .min()
    }

    #[inline]
    fn rank(&self, path: &Path) -> Rank {
        match (path.responds(self.now_us), path.backup) {
            (true, false) => Rank::Regular,
            (true, true) => Rank::Backup,
            (false, false) => Rank::Unresponsive,
            (false, true) => Rank::UnresponsiveBackup,
        }
    }
}
