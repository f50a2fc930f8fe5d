// SPDX-License-Identifier: GPL-2.0

//! All paths of a connection at one moment.

use super::{Path, PathSet, Segment, Standing, MAX_PATHS};
use crate::num::saturate32;

/// All paths of a connection at one moment.
#[derive(Clone, Copy, Debug)]
pub struct PathsView<'a> {
    paths: &'a [Path],
    /// The moment, in microseconds of the clock by which [`Path::last_progress_us`] counts.
    pub now_us: u64,
    /// How many bytes may be unacknowledged at the data level, by the peer's window.
    pub window: u32,
    /// The places of the paths that data may be given to, the first path's in the lowest bit.
    eligible: u32,
}

const _: () = assert!(MAX_PATHS <= 32);

/// How good a path is before anything is measured: the less the better.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Rank {
    Regular,
    Backup,
    Unresponsive,
    UnresponsiveBackup,
}

/// What there is to share out between paths.
#[derive(Clone, Copy)]
struct Share {
    /// The peer's window in bytes; none if it admits more than all paths take.
    window: Option<u32>,
    /// The rates of all paths together, in KiB per second.
    rates: u64,
}

impl Share {
    /// What the paths of `view` have to share for `segment`.
    #[inline]
    fn of(view: &PathsView<'_>, segment: &Segment) -> Self {
        let windows = view.eligible().map(Path::cwnd_bytes);
        let wide = windows.fold(0, u64::saturating_add) <= u64::from(view.window);
        if wide || !segment.is_new() {
            return Self {
                window: None,
                rates: 0,
            };
        }
        let rates = view.eligible().map(|path| path.rate() >> 10);
        Self {
            window: Some(view.window),
            rates: rates.fold(0, u64::saturating_add),
        }
    }

    /// How many bytes the path may still take: whole segments, one at least if anything is left.
    #[inline]
    fn left(self, path: &Path) -> u32 {
        let Some(window) = self.window else {
            return u32::MAX;
        };
        let part = u64::from(window).saturating_mul(path.rate() >> 10);
        let due = part.checked_div(self.rates).unwrap_or(0);
        match saturate32(due.saturating_sub(path.outstanding())) {
            0 => 0,
            left if left < path.mss => path.mss,
            left => left.saturating_sub(left.checked_rem(path.mss).unwrap_or(0)),
        }
    }
}

/// Bytes of a segment, for paths that do not carry them already.
#[derive(Clone, Copy)]
struct Load {
    /// How many any path may be given at most.
    most: u32,
    sent_on: PathSet,
}

impl Load {
    #[inline]
    const fn of(segment: &Segment) -> Self {
        Self {
            most: segment.sendable(),
            sent_on: segment.sent_on,
        }
    }

    /// How many of them the path takes now.
    #[inline]
    fn taken_by(self, path: &Path) -> u32 {
        match self.sent_on.contains(path.id) {
            true => 0,
            false => path.takes(self.most),
        }
    }
}

/// What paths may be given of a segment.
#[derive(Clone, Copy)]
struct Offer {
    load: Load,
    /// What each may still take of the window, if it is scarce and not all have theirs.
    share: Option<Share>,
}

impl Offer {
    #[inline]
    fn new(view: &PathsView<'_>, segment: &Segment) -> Self {
        let share = Share::of(view, segment);
        let scarce = share.window.is_some();
        let choose = scarce && view.ready(segment).any(|path| share.left(path) > 0);
        Self {
            load: Load::of(segment),
            share: choose.then_some(share),
        }
    }

    /// How many bytes the path may be given.
    #[inline]
    fn to(&self, path: &Path) -> u32 {
        match (self.share, self.load.taken_by(path)) {
            (Some(share), 1..) => path.takes(share.left(path).min(self.load.most)),
            (_, len) => len,
        }
    }
}

/// The paths at some places.
struct Eligible<'a> {
    paths: core::slice::Iter<'a, Path>,
    /// The places that are left, the next path's in the lowest bit.
    places: u32,
}

impl<'a> Iterator for Eligible<'a> {
    type Item = &'a Path;

    #[inline]
    fn next(&mut self) -> Option<&'a Path> {
        loop {
            let path = self.paths.next()?;
            let eligible = self.places & 1 != 0;
            self.places >>= 1;
            if eligible {
                return Some(path);
            }
        }
    }
}

impl<'a> PathsView<'a> {
    /// The view at `now_us` of `paths`, of which no more than the first [`MAX_PATHS`] count, under
    /// a window of `window` bytes.
    #[inline]
    pub fn new(paths: &'a [Path], now_us: u64, window: u32) -> Self {
        let paths = paths.get(..MAX_PATHS).unwrap_or(paths);
        Self {
            paths,
            now_us,
            window,
            eligible: best_places(paths, now_us),
        }
    }

    /// The paths that data may be given to, with or without room.
    ///
    /// RFC 8684 section 3.3.8: a backup path is for use only when there is no other. A path that
    /// lost contact counts as none as long as another works, be that a backup; if none does, the
    /// choice is again among all. Room plays no part: a backup does not help out a regular path.
    // rfc8684:3.3.8-1
    #[inline]
    pub fn eligible(self) -> impl Iterator<Item = &'a Path> {
        Eligible {
            paths: self.paths.iter(),
            places: self.eligible,
        }
    }

    /// The eligible paths that can take some of `segment` now and have not carried it before.
    #[inline]
    pub fn ready(self, segment: &Segment) -> impl Iterator<Item = &'a Path> {
        let load = Load::of(segment);
        self.eligible().filter(move |path| load.taken_by(path) > 0)
    }

    /// The paths that some of `segment` may be given to, and how much each may take: while the peer's window
    /// is scarce, and for new data, no more than a share of it as long as others hold less than theirs.
    ///
    /// Who is faster for the moment could otherwise take the whole window and queue it, while the others
    /// run dry. Shares are by rate, so that what all hold arrives in the same time.
    #[inline]
    pub fn candidates(self, segment: &Segment) -> impl Iterator<Item = (&'a Path, u32)> {
        let offer = Offer::new(&self, segment);
        self.eligible().filter_map(move |path| {
            let len = offer.to(path);
            (len > 0).then_some((path, len))
        })
    }

    /// Among the [`candidates`](Self::candidates) the first with the least `cost`, and how much it may take. What a
    /// path may take is not reckoned if another costs less.
    #[inline]
    pub(super) fn cheapest(
        self,
        segment: &Segment,
        cost: impl Fn(&Path) -> u64,
    ) -> Option<(&'a Path, u32)> {
        let offer = Offer::new(&self, segment);
        let mut cheapest: Option<(u64, (&Path, u32))> = None;
        for path in self.eligible() {
            let cost = cost(path);
            if cheapest.is_some_and(|(least, _)| least <= cost) {
                continue;
            }
            match offer.to(path) {
                0 => {}
                len => cheapest = Some((cost, (path, len))),
            }
        }
        cheapest.map(|(_, chosen)| chosen)
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
}

/// The places of the paths of the best rank there is.
#[inline]
fn best_places(paths: &[Path], now_us: u64) -> u32 {
    let (mut best, mut places) = (Rank::UnresponsiveBackup, 0_u32);
    let mut place = 1_u32;
    for path in paths {
        let rank = rank(path, now_us);
        if rank < best {
            (best, places) = (rank, 0);
        }
        if rank == best {
            places |= place;
        }
        place = place.wrapping_shl(1);
    }
    places
}

#[inline]
fn rank(path: &Path, now_us: u64) -> Rank {
    match (path.responds(now_us), path.backup) {
        (true, false) => Rank::Regular,
        (true, true) => Rank::Backup,
        (false, false) => Rank::Unresponsive,
        (false, true) => Rank::UnresponsiveBackup,
    }
}
