// SPDX-License-Identifier: GPL-2.0

//! Which subflows have carried which bytes.

use mptcp_core::scheduler::{PathId, PathSet};
use mptcp_core::seq::Dsn;
use std::collections::VecDeque;

/// Bytes that the same subflows have carried.
#[derive(Clone, Copy, Debug)]
struct Span {
    dsn: Dsn,
    len: u32,
    paths: PathSet,
}

impl Span {
    fn end(&self) -> Dsn {
        self.dsn.plus(self.len.into())
    }
}

/// The bytes that were sent and are not acknowledged at the data level, in their order.
#[derive(Debug, Default)]
pub(super) struct Carriers(VecDeque<Span>);

impl Carriers {
    /// Everything before `una` is acknowledged.
    pub(super) fn on_acked(&mut self, una: Dsn) {
        self.cut(una);
        while self.0.front().is_some_and(|span| span.dsn.before(una)) {
            self.0.pop_front();
        }
    }

    /// `path` carries `len` bytes from `dsn` on, which are new or were sent before.
    pub(super) fn on_sent(&mut self, dsn: Dsn, len: u32, path: PathId) {
        let end = dsn.plus(len.into());
        if self.0.back().is_none_or(|last| !dsn.before(last.end())) {
            let paths = PathSet::EMPTY;
            self.0.push_back(Span { dsn, len, paths });
        }
        self.change(dsn, end, |paths| paths.with(path));
    }

    /// Bytes from `dsn` to `end` seem not to have arrived, whoever carried them.
    pub(super) fn on_lost(&mut self, dsn: Dsn, end: Dsn) {
        self.change(dsn, end, |_| PathSet::EMPTY);
    }

    /// `path` is gone, or what it carries is not to be counted on.
    pub(super) fn forget(&mut self, path: PathId) {
        for span in &mut self.0 {
            span.paths = span.paths.without(path);
        }
    }

    /// Who carried the byte at `dsn`, and for how many bytes this holds.
    pub(super) fn at(&self, dsn: Dsn) -> Option<(PathSet, u32)> {
        let span = self
            .0
            .iter()
            .find(|span| dsn.between(span.dsn, span.end()))?;
        Some((span.paths, span.end().since(dsn) as u32))
    }

    /// What `path` alone has carried, without those in `unreliable`.
    pub(super) fn only_on(&self, path: PathId, unreliable: PathSet) -> Vec<(Dsn, Dsn)> {
        let reliable = |paths: PathSet| {
            paths
                .iter()
                .any(|other| other != path && !unreliable.contains(other))
        };
        self.0
            .iter()
            .filter(|span| span.paths.contains(path) && !reliable(span.paths))
            .map(|span| (span.dsn, span.end()))
            .collect()
    }

    /// The first bytes that `path` has not carried: where they start, who carried them, how many
    /// they are.
    pub(super) fn first_not_on(&self, path: Option<PathId>) -> Option<(Dsn, PathSet, u32)> {
        let carried = |span: &Span| path.is_some_and(|path| span.paths.contains(path));
        let span = self.0.iter().find(|span| !carried(span))?;
        Some((span.dsn, span.paths, span.len))
    }

    fn change(&mut self, dsn: Dsn, end: Dsn, change: impl Fn(PathSet) -> PathSet) {
        self.cut(dsn);
        self.cut(end);
        let within = |span: &&mut Span| !span.dsn.before(dsn) && span.dsn.before(end);
        for span in self.0.iter_mut().filter(within) {
            span.paths = change(span.paths);
        }
    }

    /// Sees to it that no span lies on both sides of `dsn`.
    fn cut(&mut self, dsn: Dsn) {
        let across = |span: &Span| span.dsn.before(dsn) && dsn.before(span.end());
        let Some(at) = self.0.iter().position(across) else {
            return;
        };
        let span = &mut self.0[at];
        let behind = Span {
            dsn,
            len: span.end().since(dsn) as u32,
            paths: span.paths,
        };
        span.len -= behind.len;
        self.0.insert(at + 1, behind);
    }
}
