// SPDX-License-Identifier: GPL-2.0

//! Which processor receives the packets of a connection.
//!
//! The core chooses. What it chose is written into the kernel's table of receive flows when a subflow
//! comes to be, before its first data, and again whenever the choice, the subflow's hash or the table
//! has changed. As long as there is no table nothing is chosen.

mod machine;
mod settings;

pub(crate) use machine::Processors;
pub(crate) use settings::Settings;

use crate::connection::{self, Connection};
use crate::counters::Counter;
use crate::netns::Namespace;
use crate::protocol::{Meta, Mptcp};
use crate::subflow::table::SubflowState;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use kernel::fmt;
use kernel::prelude::*;
use kernel::seq_print;
use kernel::sync::rcu;
use knet::meta::DataGuard;
use knet::procfs::SeqFile;
use knet::segment::Incoming;
use knet::sock::{Sock, State};
use knet::sockopt::{GetOption, SetOption};
use knet::steering::{flow_table, is_configured};
use knet::time::Moment;
use knet::{cpu, time};
use machine::Seat;
use mptcp_core::scheduler::PathId;
use mptcp_core::steering::{Access, Cpu, CpuSet, FlowTable, Mode, Steering, EMPTY_ENTRY};
use settings::{number_of, OptionalMode};

/// No processor has this number.
const NOWHERE: u32 = u32::MAX;

/// What any context may read of a socket's steering.
pub(crate) struct Shared {
    /// The mode that the application asked for.
    own: OptionalMode,
    /// The ticks in which the application last read and wrote; 0 if it never did.
    read: AtomicU32,
    written: AtomicU32,
    /// As long as the application runs on this processor, nothing changes by its calls.
    home: AtomicU32,
}

/// What the data lock guards of a connection's steering.
#[derive(Default)]
pub(crate) struct ConnectionSteering {
    /// From the first subflow on.
    choice: Option<Steering>,
    /// The generation of [`machine::generation`] in which the choice was last looked at.
    generation: u32,
}

/// What the data lock guards of a subflow's steering.
pub(crate) struct SubflowSteering {
    /// As long as segments arrive on this processor in this generation, they only are counted.
    here: u32,
    generation: u32,
    /// Where its packets are sent; nowhere if steering is off.
    seat: Option<Seat>,
    /// The hash of its packets.
    hash: u32,
    /// Segments that arrived on the chosen processor.
    pub(crate) steered: u64,
    /// Segments that arrived on another.
    pub(crate) strayed: u64,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            own: OptionalMode::new(),
            read: AtomicU32::new(0),
            written: AtomicU32::new(0),
            home: AtomicU32::new(NOWHERE),
        }
    }
}

impl Default for SubflowSteering {
    fn default() -> Self {
        Self {
            here: NOWHERE,
            generation: 0,
            seat: None,
            hash: 0,
            steered: 0,
            strayed: 0,
        }
    }
}

impl Shared {
    /// For a connection that a listener accepted.
    pub(crate) fn inherit(&self) -> Self {
        let inherited = Self::default();
        inherited.own.set(self.own.get().map(number_of));
        inherited
    }

    /// Lets the application be looked at wherever it is: no segment tells any more what has changed.
    pub(crate) fn look_always(&self) {
        self.home.store(NOWHERE, Ordering::Relaxed);
    }
}

impl ConnectionSteering {
    /// How often the subflows were sent elsewhere.
    pub(crate) fn moves(&self) -> u32 {
        self.choice.as_ref().map_or(0, Steering::moves)
    }
}

impl SubflowSteering {
    /// Where its packets are sent.
    pub(crate) fn cpu(&self) -> Option<u16> {
        Some(self.seat.as_ref()?.cpu().number())
    }

    fn sit(&mut self, cpu: Option<Cpu>, generation: u32) {
        if self.seat.as_ref().map(Seat::cpu) != cpu {
            self.seat = cpu.map(Seat::take);
        }
        self.here = cpu.map_or(NOWHERE, |cpu| u32::from(cpu.number()));
        self.generation = generation;
    }

    /// Counts a segment that arrived here, if all is as it should be.
    #[inline]
    fn arrives_in_place(&mut self) -> bool {
        let in_place = self.here == cpu::current() && self.generation == machine::generation();
        if in_place {
            self.steered = self.steered.wrapping_add(1);
        }
        in_place
    }

    /// Whether it was decided that the kernel sends its packets by itself.
    #[inline]
    fn is_left_alone(&self) -> bool {
        self.here == NOWHERE && self.generation == machine::generation()
    }
}

/// A subflow's handshake is done: its next packet may bring data. `hash` is that of the last one.
pub(crate) fn subflow_created(connection: &mut DataGuard<'_, Mptcp>, tcp: &Sock, hash: u32) {
    machine::look_at_isolation();
    let mode = mode_of(connection.meta());
    let token = connection.local.token.raw();
    let choice = Steering::new(mode, token);
    connection.steering.choice.get_or_insert(choice);
    if let Some(subflow) = connection.subflows.of(tcp) {
        subflow.steering.hash = hash;
    }
    if is_configured() {
        settle(connection);
    } else if mode != Mode::Off {
        tell_once_of_missing_table();
    }
}

/// A segment arrived here, on the subflow whose socket is `tcp`. Gives the subflow's number. Softirq.
///
/// Its hash is not looked at: if it is another than before, and the table knows nothing of it, the
/// segment strays.
#[inline]
pub(crate) fn segment_arrived(
    connection: &mut DataGuard<'_, Mptcp>,
    tcp: &Sock,
    segment: &Incoming<'_>,
) -> Option<PathId> {
    let (path, subflow) = connection.subflows.find_mut(tcp)?;
    // Without a table there is nowhere to write a choice, so none is made.
    if !subflow.steering.arrives_in_place() && !subflow.steering.is_left_alone() && is_configured()
    {
        segment_strayed(connection, path, segment);
    }
    Some(path)
}

/// It arrived on another processor than the chosen one, or the choice may not stand any more.
#[cold]
fn segment_strayed(connection: &mut DataGuard<'_, Mptcp>, path: PathId, segment: &Incoming<'_>) {
    let Some(namespace) = connection.meta().namespace() else {
        return;
    };
    if connection.steering.generation != machine::generation() {
        settle(connection);
    }
    let Some(subflow) = connection.subflows.at_mut(path) else {
        return;
    };
    if let Some(chosen) = subflow.steering.cpu() {
        if u32::from(chosen) == cpu::current() {
            subflow.steering.steered = subflow.steering.steered.wrapping_add(1);
        } else {
            subflow.steering.strayed = subflow.steering.strayed.wrapping_add(1);
            namespace.counters.count(Counter::SteeringStray);
        }
        record(namespace, subflow, segment.hash());
    }
}

/// The application reads. It is looked at once in a tick. Process context.
#[inline]
pub(crate) fn reads(meta: &Meta) {
    let read = &meta.shared().steering.read;
    let now = time::ticks();
    if read.load(Ordering::Relaxed) != now && is_configured() {
        read.store(now, Ordering::Relaxed);
        accessed(meta, Access::Read);
    }
}

/// The application writes. It is looked at once in a tick. Process context.
#[inline]
pub(crate) fn writes(meta: &Meta) {
    let shared = &meta.shared().steering;
    let now = time::ticks();
    if shared.written.load(Ordering::Relaxed) != now && is_configured() {
        shared.written.store(now, Ordering::Relaxed);
        let read = Some(shared.read.load(Ordering::Relaxed)).filter(|ticks| *ticks != 0);
        let since_read_us =
            read.map(|ticks| u64::from(Moment::at(ticks).elapsed_ms()).saturating_mul(1000));
        accessed(meta, Access::Write { since_read_us });
    }
}

#[cold]
fn accessed(meta: &Meta, access: Access) {
    machine::look_at_isolation();
    let here = cpu::current();
    if meta.shared().steering.home.load(Ordering::Relaxed) != here {
        look_at_access(meta, access, here);
    }
}

fn look_at_access(meta: &Meta, access: Access, here: u32) {
    let (Some(namespace), Some(cpu)) = (meta.namespace(), machine::low_number(here)) else {
        return;
    };
    let now = time::now_us();
    let mut guard = meta.lock_data();
    let connection: &mut Connection = &mut guard;
    let Some(choice) = connection.steering.choice.as_mut() else {
        return;
    };
    let moved = choice.on_access(access, Cpu::new(cpu), now);
    // Of a connection that fell back, no segment tells that its hash or the table has changed.
    let fell_back = connection.mode == connection::Mode::Fallback;
    let steady = choice.steady().filter(|_| !fell_back);
    let home = steady.map_or(NOWHERE, |cpu| u32::from(cpu.number()));
    meta.shared().steering.home.store(home, Ordering::Relaxed);
    if moved || connection.steering.generation != machine::generation() {
        return settle(&mut guard);
    }
    if fell_back {
        for (_, subflow) in connection.subflows.iter_mut() {
            if subflow.steering.seat.is_some() {
                let hash = subflow.sock.receive_hash();
                record(namespace, subflow, hash);
            }
        }
    }
}

/// Chooses for all subflows what does not stand any more, by the settings of now.
fn settle(guard: &mut DataGuard<'_, Mptcp>) {
    let meta = guard.meta();
    let Some(namespace) = meta.namespace() else {
        return;
    };
    let connection: &mut Connection = guard;
    // First, so that a setting that changes meanwhile is looked at again.
    let generation = machine::generation();
    connection.steering.generation = generation;
    let Some(choice) = connection.steering.choice.as_mut() else {
        return;
    };
    let allowed = machine::usable(&namespace.steering.cpus());
    let machine = machine::machine(&allowed);
    choice.set_mode(mode_of(meta));
    let before = choice.moves();
    let mut home = None;
    for (path, subflow) in connection.subflows.iter_mut() {
        let place = choice.place(path.number(), &machine);
        home = home.or(place);
        subflow.steering.sit(place, generation);
        let hash = subflow.steering.hash;
        record(namespace, subflow, hash);
    }
    // What the connection puts off touches the same data as its segments do.
    meta.defer_to(home.map(|cpu| u32::from(cpu.number())));
    count_moves(namespace, choice, before);
}

fn count_moves(namespace: &Namespace, choice: &Steering, before: u32) {
    let moves = choice.moves().wrapping_sub(before);
    if moves > 0 {
        namespace
            .counters
            .add(Counter::SteeringMoves, u64::from(moves));
    }
}

/// Writes a subflow's entry in the table of receive flows, if there is a table. `hash` is that of its
/// packets from now on.
fn record(namespace: &Namespace, subflow: &mut SubflowState, hash: u32) {
    let steering = &mut subflow.steering;
    let old = core::mem::replace(&mut steering.hash, hash);
    let section = rcu::read_lock();
    // TCP has taken the entry of a closed socket out.
    if subflow.sock.state() == State::Close {
        return;
    }
    let Some(table) = flow_table(&section) else {
        return;
    };
    let Some(shape) = FlowTable::new(table.size(), table.cpus()) else {
        return;
    };
    let forget = |hash| {
        let index = shape.index(hash);
        let entry = table.get(index).unwrap_or(EMPTY_ENTRY);
        shape.cpu(hash, entry).is_some() && table.set(index, EMPTY_ENTRY)
    };
    let mut written = old != hash && old != 0 && forget(old);
    written |= match &steering.seat {
        Some(seat) => shape
            .entry(hash, seat.cpu())
            .is_some_and(|entry| table.set(shape.index(hash), entry)),
        None => hash != 0 && forget(hash),
    };
    if written {
        namespace.counters.count(Counter::SteeringEntries);
    }
}

/// The mode that holds for a socket.
fn mode_of(meta: &Meta) -> Mode {
    meta.shared().steering.own.get().unwrap_or_else(|| {
        meta.namespace()
            .map_or(Mode::Off, |namespace| namespace.steering.mode())
    })
}

/// Tells the administrator, once, why nothing is steered.
fn tell_once_of_missing_table() {
    static TOLD: AtomicBool = AtomicBool::new(false);
    if !TOLD.swap(true, Ordering::Relaxed) {
        pr_info!(
            "steering waits for a table of receive flows: run 'mptcp-rs steering setup DEVICE', or write 32768 to /proc/sys/net/core/rps_sock_flow_entries and 4096 to /sys/class/net/DEVICE/queues/rx-*/rps_flow_cnt, or turn it off by sysctl net.mptcp_rs.steering=off\n"
        );
    }
}

/// `setsockopt`: the number of a mode, or -1 for that of the namespace. Holds at once.
pub(crate) fn set_option(meta: &Meta, call: &SetOption) -> Result {
    let place = match call.integer()? {
        -1 => None,
        number => {
            let place = u8::try_from(number).map_err(|_| EINVAL)?;
            Mode::ALL.get(usize::from(place)).ok_or(EINVAL)?;
            Some(place)
        }
    };
    meta.shared().steering.own.set(place);
    settle(&mut meta.lock_data());
    Ok(())
}

/// `getsockopt`: the number of the mode that holds.
pub(crate) fn get_option(meta: &Meta, call: &GetOption) -> Result {
    call.answer(&i32::from(number_of(mode_of(meta))).to_ne_bytes())
}

/// Writes what the namespace wants, and by processor how many subflows of all namespaces are sent there,
/// how many segments of this one arrived there, and how often its connections' deferred work ran there.
pub(crate) fn print(namespace: &Namespace, out: &SeqFile) {
    let settings = &namespace.steering;
    let entries = flow_table(&rcu::read_lock()).map_or(0, |table| table.size());
    seq_print!(out, "mode {}\n", settings.mode().name());
    seq_print!(out, "cpus {}\n", List(settings.cpus()));
    seq_print!(out, "flow_table {}\n", entries);
    seq_print!(
        out,
        "cpu usable subflows segments work softirq_work timers\n"
    );
    machine::look_at_isolation();
    let usable = machine::usable(&CpuSet::ALL);
    let possible = machine::possible();
    for cpu in machine::machine(&possible).cpus() {
        let counted = |counter| namespace.counters.on(counter, u32::from(cpu.number()));
        seq_print!(
            out,
            "{} {} {} {} {} {} {}\n",
            cpu.number(),
            u8::from(usable.contains(cpu)),
            machine::load(cpu),
            counted(Counter::RxHookSegments),
            counted(Counter::DeferredWork),
            counted(Counter::DeferredSoftirqWork),
            counted(Counter::DeferredTimer)
        );
    }
}

/// A list of processors.
struct List(CpuSet);

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        core::fmt::Display::fmt(&self.0, f)
    }
}
