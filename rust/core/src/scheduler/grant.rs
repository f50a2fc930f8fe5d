// SPDX-License-Identifier: GPL-2.0

//! A decision of a scheduler that was not used up yet.

use super::PathId;

/// How many bytes of new data a scheduler is asked about at once. What it grants is given in several pieces, so
/// that it need not look at all paths for each.
pub const MAX_GRANT: u32 = 1 << 18;

/// What a path may be given before the scheduler is asked again.
///
/// Who asks has to lock the path's subflow before he can give it anything. With a grant he need not ask again then,
/// and a scheduler that goes round is asked once for each turn.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Grant {
    path: PathId,
    left: u32,
    again: bool,
}

impl Grant {
    /// A grant of `len` bytes for `path`: of data that is sent `again`, or of new data.
    #[inline]
    pub const fn new(path: PathId, len: u32, again: bool) -> Self {
        Self {
            path,
            left: len,
            again,
        }
    }

    /// Whose turn it is by the grant, if `is_live` says of the path that it still carries data. If it does not, nobody
    /// would use the grant up, and the scheduler is to be asked.
    #[inline]
    pub fn turn(&self, is_live: impl Fn(PathId) -> bool) -> Option<PathId> {
        is_live(self.path).then_some(self.path)
    }

    /// How many bytes `path` may be given now, in segments of `mss` bytes, while so many wait that are `unsent`,
    /// or while data waits to be sent `again`: that is another question. `None`: the scheduler is to be asked.
    ///
    /// A rest that does not fill a segment is worth none, unless it is the rest of all data.
    #[inline]
    pub fn allows(&self, path: PathId, mss: u32, unsent: u64, again: bool) -> Option<u32> {
        let fits = self.path == path && self.again == again && self.left > 0;
        let worthwhile = again || self.left >= mss || u64::from(self.left) >= unsent;
        (fits && worthwhile).then_some(self.left)
    }

    /// Takes note that so many bytes of it were given to the path. What is sent again after that may have been
    /// carried by others, which the scheduler has to know.
    #[inline]
    pub fn take(&mut self, len: u32) {
        self.left = if self.again {
            0
        } else {
            self.left.saturating_sub(len)
        };
    }
}
