// SPDX-License-Identifier: GPL-2.0

//! Which subflow gets the next data.

use crate::connection::Connection;
use crate::subflow::mappings;
use crate::subflow::table::{Doubt, SubflowState, Subflows};
use knet::subflow::{load, snapshot};
use knet::time::now_us;
use mptcp_core::connection::push::MAX_PIECE;
use mptcp_core::scheduler::{
    Decision, Grant, Path, PathId, PathSet, PathsView, Scheduler, Segment, Standing, MAX_GRANT,
    MAX_PATHS,
};
use mptcp_core::seq::Dsn;

/// Whose turn it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Turn {
    /// The subflow may be given so many bytes.
    Of(PathId, u32),
    /// As above, and all these subflows shall get the same.
    OfAll(PathSet, u32),
    /// Nobody's, for now.
    Nobody,
}

/// So many subflows are looked at without setting up room for all that there can be.
const FEW: usize = 8;

/// The turn of a subflow whose lock is held and whose segments have `mss` bytes: what it was granted, or as
/// [`turn`] decides.
pub(crate) fn turn_of(connection: &mut Connection, path: PathId, mss: u32) -> Turn {
    let send = &connection.send;
    let (unsent, again) = (send.unsent(), send.retransmit_next().is_some());
    let granted = connection.granted;
    match granted.and_then(|grant| grant.allows(path, mss, unsent, again)) {
        Some(len) => Turn::Of(path, len),
        None => turn(connection),
    }
}

/// Decides whose turn it is. A subflow that is alone may be given anything.
pub(crate) fn turn(connection: &mut Connection) -> Turn {
    let mut live = connection.subflows.live().map(|(path, _)| path);
    let (first, second) = (live.next(), live.next());
    drop(live);
    match (first, second, connection.subflows.places()) {
        (None, _, _) => Turn::Nobody,
        (Some(path), None, _) => Turn::Of(path, u32::MAX),
        (Some(_), Some(_), ..=FEW) => choose::<FEW>(connection),
        (Some(_), Some(_), _) => choose::<MAX_PATHS>(connection),
    }
}

/// It is nobody's turn though data waits: whichever subflow acknowledges something may change that.
fn wait_for_any(connection: &Connection) -> Turn {
    for (_, subflow) in connection.subflows.live() {
        subflow.sock.ask_for_report();
    }
    Turn::Nobody
}

/// Asks the scheduler, with room for `N` subflows, and keeps what it grants.
fn choose<const N: usize>(connection: &mut Connection) -> Turn {
    connection.granted = None;
    if connection.send.retransmit_next().is_some() {
        // One that carried what is to be sent again, and delivered it, may carry it once more.
        forget_delivered(connection, |_| true);
    }
    let mut places = [Path::UNKNOWN; N];
    let mut paths = describe_all(&connection.subflows, &mut places);
    // One whose table is full would not be chosen, and so not look what it delivered.
    if paths.iter().any(|path| path.send_room == 0)
        && forget_delivered(connection, |subflow| mappings::is_exhausted(&subflow.tx))
    {
        paths = describe_all(&connection.subflows, &mut places);
    }
    let window = connection.send.wnd_end().since(connection.send.una());
    let window = u32::try_from(window).unwrap_or(u32::MAX);
    let mss = paths.iter().map(|path| path.mss).min().unwrap_or(0);
    let view = PathsView::new(paths, now_us(), window);
    // An order to unblock is followed by another question.
    for _ in 0..=N {
        let Some(segment) = segment(connection, mss) else {
            return Turn::Nobody;
        };
        match connection.scheduler.pick(&view, &segment) {
            Decision::Send { path, len } => {
                connection.granted = Some(Grant::new(path, len, segment.again));
                return Turn::Of(path, len);
            }
            Decision::SendOnAll { paths, len } => return Turn::OfAll(paths, len),
            Decision::Unblock {
                retransmit,
                penalise,
            } => {
                for path in penalise.iter() {
                    if let Some(subflow) = connection.subflows.at_mut(path) {
                        subflow.penalty_due = true;
                    }
                }
                if retransmit.is_none() || !unblock(connection) {
                    return wait_for_any(connection);
                }
            }
            Decision::Wait => return wait_for_any(connection),
        }
    }
    Turn::Nobody
}

/// The live subflows that do not answer, and when the next one may turn out not to, if they are several.
pub(crate) fn silence(connection: &Connection, now: u64) -> (PathSet, Option<u64>) {
    let mut places = [Path::UNKNOWN; MAX_PATHS];
    let paths = &*describe_all(&connection.subflows, &mut places);
    let view = PathsView::new(paths, now, 0);
    match paths {
        [] | [_] => (PathSet::EMPTY, None),
        _ => (view.silent(), view.next_silence_us()),
    }
}

/// Has the subflows that `are_meant` forget what TCP delivered, which they do by themselves only when they are chosen.
/// Returns whether there are any.
fn forget_delivered(
    connection: &mut Connection,
    are_meant: impl Fn(&SubflowState) -> bool,
) -> bool {
    let mut any = false;
    let subflows = connection.subflows.iter_mut();
    for (_, subflow) in subflows.filter(|(_, subflow)| are_meant(subflow)) {
        let acked = subflow.sent(snapshot(&subflow.sock).snd_una);
        subflow.tx.acked(acked);
        any = true;
    }
    any
}

/// What the scheduler learns of the live subflows, of no more than there are `places` for.
#[inline]
fn describe_all<'a>(subflows: &Subflows, places: &'a mut [Path]) -> &'a mut [Path] {
    let mut count = 0_usize;
    for (place, (number, subflow)) in places.iter_mut().zip(subflows.live()) {
        *place = describe(number, subflow);
        count = count.saturating_add(1);
    }
    places.get_mut(..count).unwrap_or_default()
}

/// What the scheduler learns of a subflow.
#[inline]
fn describe(number: PathId, subflow: &SubflowState) -> Path {
    let load = load(&subflow.sock);
    Path {
        id: number,
        srtt_us: load.srtt_us,
        rttvar_us: load.rttvar_us,
        min_rtt_us: load.min_rtt_us,
        cwnd: load.cwnd,
        slow_start: load.cwnd < load.ssthresh,
        in_flight: load.in_flight,
        mss: load.mss,
        queued: load.queued,
        send_room: if mappings::is_exhausted(&subflow.tx) {
            0
        } else {
            load.room
        },
        pacing_rate: load.pacing_rate,
        delivery_rate: load.delivery_rate,
        last_progress_us: subflow.last_progress_us,
        backup: subflow.local_backup || subflow.remote_backup,
        // The scheduler itself sees silence before it is found here.
        standing: match subflow.doubt {
            Doubt::None => subflow.health.standing(),
            Doubt::Cut | Doubt::Raised | Doubt::Asked => Standing::Stale,
        },
    }
}

/// The data that is to be sent next, in segments of `mss` bytes or more; `None` if there is none.
fn segment(connection: &Connection, mss: u32) -> Option<Segment> {
    let send = &connection.send;
    let window_left = send.admitted(mss);
    if let Some((from, len)) = send.retransmit_next() {
        return Some(Segment {
            len: len.min(MAX_PIECE),
            unsent: send.unsent(),
            window_left,
            again: true,
            last: false,
            sent_on: carriers(&connection.subflows, from),
            blocking: PathSet::EMPTY,
        });
    }
    if send.unsent() == 0 {
        return None;
    }
    let blocking = match window_left {
        0 => carriers(&connection.subflows, unblocked_up_to(connection)),
        _ => PathSet::EMPTY,
    };
    let len = u32::try_from(send.unsent()).unwrap_or(u32::MAX);
    Some(Segment {
        len: len.min(MAX_GRANT),
        unsent: send.unsent(),
        window_left,
        again: false,
        last: send.fin().is_some(),
        sent_on: PathSet::EMPTY,
        blocking,
    })
}

/// The live subflows that carry the byte of this number.
fn carriers(subflows: &Subflows, dsn: Dsn) -> PathSet {
    let carries = |subflow: &SubflowState| subflow.tx.carries(dsn);
    let carriers = subflows.live().filter(|(_, subflow)| carries(subflow));
    carriers.map(|(path, _)| path).collect()
}

/// The oldest byte that was not sent again to open the window.
fn unblocked_up_to(connection: &Connection) -> Dsn {
    connection.unblocked.latest(connection.send.una())
}

/// Has the data sent again that holds the window closed. `false`: all of it was.
fn unblock(connection: &mut Connection) -> bool {
    let from = unblocked_up_to(connection);
    let mut records = connection
        .subflows
        .live()
        .flat_map(|(_, one)| one.tx.iter());
    let Some(record) = records.find(|record| record.covers_dsn(from)) else {
        return false;
    };
    let end = record.dsn.plus(u64::from(record.len));
    connection.unblocked = end;
    connection.send.send_again(from, end);
    connection.retransmitted = true;
    true
}
