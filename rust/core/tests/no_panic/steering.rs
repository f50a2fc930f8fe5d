// SPDX-License-Identifier: GPL-2.0

//! Entry points of receive-flow steering.

use mptcp_core::steering::{
    round_table_size, Access, Cpu, CpuSet, FlowTable, Follow, Machine, Mode, Steering,
};

entry_points! {
    steering_mode(name: &[u8]) -> Option<(Mode, &'static str)> {
        Mode::from_name(name).map(|mode| (mode, mode.name()))
    }
    steering_machine(machine: &Machine<'_>, cpu: u16, group: u16) -> (bool, u32, Option<Cpu>) {
        let cpu = Cpu::new(cpu);
        let listed = machine.cpus().last().or(machine.cpus_of(group).last());
        (machine.allows(cpu), machine.load(cpu), listed)
    }
    steering_list(list: &[u8], cpu: u16, to: &mut dyn core::fmt::Write) -> Option<bool> {
        let mut set = CpuSet::parse(list)?.and(&CpuSet::ALL);
        set.insert(Cpu::new(cpu));
        write!(to, "{set}").ok()?;
        Some(set.is_empty() || set.contains(Cpu::new(cpu)))
    }
    steering_follow(follow: &mut Follow, cpu: u16, now: u64, since_read_us: Option<u64>) -> [bool; 2] {
        [Access::Read, Access::Write { since_read_us }]
            .map(|access| follow.on_access(access, Cpu::new(cpu), now))
    }
    steering_access(steering: &mut Steering, cpu: Cpu, now: u64) -> (bool, Option<Cpu>) {
        (steering.on_access(Access::Read, cpu, now), steering.steady())
    }
    steering_place(steering: &mut Steering, n: u8, machine: &Machine<'_>) -> (Option<Cpu>, u32) {
        (steering.place(n, machine), steering.moves())
    }
    steering_change(mode: Mode, token: u32) -> Steering {
        let mut steering = Steering::new(Mode::Off, token);
        steering.set_mode(mode);
        steering
    }
    steering_table(size: u32, cpus: u32) -> Option<FlowTable> {
        FlowTable::new(round_table_size(size)?, cpus)
    }
    steering_entry(table: FlowTable, hash: u32, cpu: Cpu) -> (u32, Option<u32>, Option<Cpu>) {
        let entry = table.entry(hash, cpu);
        (table.index(hash), entry, table.cpu(hash, entry.unwrap_or(hash)))
    }
}
