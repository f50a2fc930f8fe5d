// SPDX-License-Identifier: GPL-2.0

//! The plugin: counts every block that the emulated processors execute, while a program in the guest wants
//! that.
//!
//! The program says so by executing a no-operation whose displacement nobody else uses: `nopl` with
//! [`MARK`] plus one begins to count, with zero ends it. Then the file that the option `out` names holds what
//! [`Profile::write`] writes.

use crate::Profile;
use anyhow::{anyhow, Context as _, Result};
use qemu_plugin::install::{Args, Info, Value};
use qemu_plugin::plugin::{HasCallbacks, Plugin, Register, PLUGIN};
use qemu_plugin::{PluginId, TranslationBlock};
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// The displacement of the no-operation, without the number in its low 16 bits.
const MARK: u32 = 0x4d51_0000;
/// `nopl disp32(%rax,%rax,1)`, before its displacement.
const NOP: [u8; 4] = [0x0f, 0x1f, 0x84, 0x00];

/// Looked at for every block that the guest executes.
static COUNTING: AtomicBool = AtomicBool::new(false);
static STATE: Mutex<Option<State>> = Mutex::new(None);

struct State {
    profile: Profile,
    out: PathBuf,
}

struct Counter;

#[ctor::ctor]
fn load() {
    // A second plugin in one library would be a mistake of this file.
    let _ = PLUGIN.set(Mutex::new(Box::new(Counter)));
}

impl Plugin for Counter {}

impl Register for Counter {
    fn register(&mut self, _id: PluginId, args: &Args, _info: &Info) -> Result<()> {
        let Some(Value::String(out)) = args.parsed.get("out") else {
            return Err(anyhow!("the plugin needs out=FILE"));
        };
        let state = State {
            profile: Profile::default(),
            out: PathBuf::from(out),
        };
        *STATE.lock().unwrap_or_else(PoisonError::into_inner) = Some(state);
        Ok(())
    }
}

impl HasCallbacks for Counter {
    fn on_translation_block_translate(
        &mut self,
        _id: PluginId,
        block: TranslationBlock<'_>,
    ) -> Result<()> {
        for instruction in block.instructions() {
            if let Some(begin) = mark_of(&instruction.data()) {
                instruction.register_execute_callback(move |_processor| switch(begin));
            }
        }
        let (address, instructions) = (block.vaddr(), block.size());
        let mut state = STATE.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(state) = state.as_mut() else {
            return Ok(());
        };
        let counted = state.profile.block(address, instructions);
        block.register_execute_callback(move |_processor| {
            if COUNTING.load(Ordering::Relaxed) {
                counted.count();
            }
        });
        Ok(())
    }
}

/// What a mark wants: to begin, or to end.
fn mark_of(instruction: &[u8]) -> Option<bool> {
    let displacement = instruction.strip_prefix(&NOP)?;
    let number = u32::from_le_bytes(displacement.try_into().ok()?);
    (number & 0xffff_0000 == MARK).then_some(number & 0xffff != 0)
}

fn switch(begin: bool) {
    COUNTING.store(false, Ordering::Relaxed);
    let state = STATE.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(state) = state.as_ref() else { return };
    if begin {
        state.profile.clear();
        COUNTING.store(true, Ordering::Relaxed);
    } else if let Err(error) = write(&state.profile, &state.out) {
        eprintln!("the profile plugin cannot write its results: {error:#}");
    }
}

fn write(profile: &Profile, out: &Path) -> Result<()> {
    let file = File::create(out).with_context(|| format!("cannot write {}", out.display()))?;
    Ok(profile.write(&mut BufWriter::new(file))?)
}
