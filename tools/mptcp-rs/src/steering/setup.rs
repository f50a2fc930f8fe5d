// SPDX-License-Identifier: GPL-2.0

//! Receive packet and flow steering for devices, with sizes that fit, and the way back.

use super::{
    processors::mask_of_list,
    queues::{
        self,
        Files,
        FLOW_ENTRIES, //
    }, //
};
use anyhow::{
    bail,
    Context,
    Result, //
};
use serde_json::{
    json,
    Value, //
};
use std::fs;

/// Room for so many flows, as the kernel's documentation advises for a server (Documentation/networking/scaling.rst).
const ENTRIES: u64 = 32768;
/// The values that were there before, for `undo`.
const BEFORE: &str = "run/mptcp_rs/steering.json";

/// A file that was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    file: String,
    old: String,
    new: String,
}

impl Change {
    pub(super) fn line(&self) -> String {
        format!("/{}: {} -> {}", self.file, self.old, self.new)
    }

    pub(super) fn to_json(&self) -> Value {
        json!({ "file": format!("/{}", self.file), "old": self.old, "new": self.new })
    }
}

/// Gives the packets of these devices to all processors, and each flow to the one that its connection chose. What
/// was there before is kept for [`undo`].
pub(super) fn set_up(files: &Files, devices: &[String]) -> Result<Vec<Change>> {
    let changes = plan(files, devices)?;
    remember(files, &changes)?;
    for change in &changes {
        files.write(&change.file, &change.new)?;
    }
    Ok(changes)
}

/// Writes back what was there before the first [`set_up`], the last change first.
pub(super) fn undo(files: &Files) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    for (file, old) in remembered(files)?.into_iter().rev() {
        // A device that went away has nothing to be restored.
        let Ok(current) = files.read(&file) else {
            continue;
        };
        files.write(&file, &old)?;
        changes.push(Change {
            file,
            old: current,
            new: old,
        });
    }
    match fs::remove_file(files.path(BEFORE)) {
        Err(_) if changes.is_empty() => bail!("nothing was set up that could be undone"),
        done => done.with_context(|| format!("/{BEFORE} cannot be removed"))?,
    }
    Ok(changes)
}

/// The files that must change.
fn plan(files: &Files, devices: &[String]) -> Result<Vec<Change>> {
    let mask = mask_of_list(&files.read("sys/devices/system/cpu/online")?)?;
    let entries = files.read_number(FLOW_ENTRIES)?.max(ENTRIES);
    let mut wanted = vec![(FLOW_ENTRIES.to_owned(), entries.to_string())];
    for device in devices {
        let queues = queues::of_device(files, device)?;
        let count = u64::try_from(queues.len()).unwrap_or(u64::MAX);
        let flows = entries.checked_div(count).unwrap_or(entries).max(1);
        for queue in queues {
            let folder = queue.folder();
            wanted.push((format!("{folder}/rps_flow_cnt"), flows.to_string()));
            wanted.push((format!("{folder}/rps_cpus"), mask.clone()));
        }
    }
    let mut changes = Vec::new();
    for (file, new) in wanted {
        let old = files.read(&file)?;
        if !is_same(&old, &new) {
            changes.push(Change { file, old, new });
        }
    }
    Ok(changes)
}

/// The kernel shortens masks by leading zeros and groups.
fn is_same(old: &str, new: &str) -> bool {
    let significant = |text: &str| {
        let digits = text.replace(',', "");
        digits.trim_start_matches('0').to_owned()
    };
    significant(old) == significant(new)
}

fn remember(files: &Files, changes: &[Change]) -> Result<()> {
    let mut before = remembered(files).unwrap_or_default();
    for change in changes {
        if !before.iter().any(|(file, _)| *file == change.file) {
            before.push((change.file.clone(), change.old.clone()));
        }
    }
    let place = files.path(BEFORE);
    if let Some(folder) = place.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    files.write(BEFORE, &json!(before).to_string())
}

/// Files and their values before the first change, in the order of the changes.
fn remembered(files: &Files) -> Result<Vec<(String, String)>> {
    if !files.path(BEFORE).exists() {
        bail!("nothing was set up that could be undone");
    }
    let text = files.read(BEFORE)?;
    serde_json::from_str(&text).with_context(|| format!("/{BEFORE} is damaged"))
}

#[cfg(test)]
mod tests;
