// SPDX-License-Identifier: GPL-2.0

//! The plugin: every access of the emulated processors to memory goes through the simulated caches, while
//! a program in the guest wants that.
//!
//! The program says so by executing a no-operation whose displacement nobody else uses: `nopl` with
//! [`MARK`] plus the number of a phase begins that phase, with zero ends it. What was counted is written as
//! a line of JSON to the file that the option `out` names.

use crate::{Counts, System};
use anyhow::{anyhow, Context as _, Result};
use qemu_plugin::install::{Args, Info, Value};
use qemu_plugin::plugin::{HasCallbacks, Plugin, Register, PLUGIN};
use qemu_plugin::{MemRW, MemoryInfo, PluginId, TranslationBlock, VCPUIndex};
use std::fs::File;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// The displacement of the no-operation, without the number of the phase in its low 16 bits.
const MARK: u32 = 0x4d50_0000;
/// `nopl disp32(%rax,%rax,1)`, before its displacement.
const NOP: [u8; 4] = [0x0f, 0x1f, 0x84, 0x00];

/// Whether a phase is on: looked at for every access of the guest.
static COUNTING: AtomicBool = AtomicBool::new(false);
static STATE: Mutex<Option<State>> = Mutex::new(None);

struct State {
    system: System,
    phase: u16,
    out: File,
}

struct Caches;

#[ctor::ctor]
fn load() {
    // A second plugin in one library would be a mistake of this file.
    let _ = PLUGIN.set(Mutex::new(Box::new(Caches)));
}

impl Plugin for Caches {}

impl Register for Caches {
    fn register(&mut self, _id: PluginId, args: &Args, info: &Info) -> Result<()> {
        let Some(Value::String(path)) = args.parsed.get("out") else {
            return Err(anyhow!("the plugin needs out=FILE"));
        };
        let processors = info.system.as_ref().map_or(1, |system| system.max_vcpus);
        let state = State {
            system: System::usual(usize::try_from(processors)?),
            phase: 0,
            out: File::create(path).with_context(|| format!("cannot write {path}"))?,
        };
        *STATE.lock().unwrap_or_else(PoisonError::into_inner) = Some(state);
        Ok(())
    }
}

impl HasCallbacks for Caches {
    fn on_translation_block_translate(
        &mut self,
        _id: PluginId,
        block: TranslationBlock<'_>,
    ) -> Result<()> {
        for instruction in block.instructions() {
            if let Some(phase) = phase_of(&instruction.data()) {
                instruction.register_execute_callback(move |_processor| switch(phase));
            }
            instruction.register_memory_access_callback(accessed, MemRW::QEMU_PLUGIN_MEM_RW);
        }
        Ok(())
    }
}

/// The number in a mark.
fn phase_of(instruction: &[u8]) -> Option<u16> {
    let displacement = instruction.strip_prefix(&NOP)?;
    let number = u32::from_le_bytes(displacement.try_into().ok()?);
    (number & 0xffff_0000 == MARK).then_some((number & 0xffff) as u16)
}

fn accessed(processor: VCPUIndex, access: MemoryInfo<'_>, address: u64) {
    if !COUNTING.load(Ordering::Relaxed) {
        return;
    }
    let Some(place) = access.hwaddr(address).filter(|place| !place.is_io()) else {
        return;
    };
    let (address, size, write) = (place.hwaddr(), 1 << access.size_shift(), access.is_store());
    let mut state = STATE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(state) = state.as_mut() {
        state
            .system
            .access(processor as usize, address, size, write);
    }
}

/// Ends the phase that is on, and begins the next unless its number is zero.
fn switch(phase: u16) {
    let mut state = STATE.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(state) = state.as_mut() else { return };
    let counts = state.system.take_counts();
    if state.phase != 0 {
        if let Err(error) = writeln!(state.out, "{}", line_of(state.phase, &counts)) {
            eprintln!("the cache plugin cannot write its results: {error}");
        }
    }
    state.phase = phase;
    COUNTING.store(phase != 0, Ordering::Relaxed);
}

fn line_of(phase: u16, counts: &[Counts]) -> String {
    let processors: Vec<_> = counts
        .iter()
        .map(|of| {
            format!(
                r#"{{"accesses":{},"l1_misses":{},"coherence_misses":{},"l2_misses":{},"invalidations":{}}}"#,
                of.accesses, of.l1_misses, of.coherence_misses, of.l2_misses, of.invalidations
            )
        })
        .collect();
    format!(
        r#"{{"phase":{phase},"processors":[{}]}}"#,
        processors.join(",")
    )
}
