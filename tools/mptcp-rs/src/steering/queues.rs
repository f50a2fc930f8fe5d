// SPDX-License-Identifier: GPL-2.0

//! The receive queues of network devices, as sysfs shows them.

use anyhow::{
    bail,
    Context,
    Result, //
};
use serde_json::{
    json,
    Value, //
};
use std::{
    fs,
    path::{
        Path,
        PathBuf, //
    }, //
};

/// How many flows the kernel's table of receive flows has room for.
pub(super) const FLOW_ENTRIES: &str = "proc/sys/net/core/rps_sock_flow_entries";
const DEVICES: &str = "sys/class/net";

/// The files of a system, by their paths without the first slash.
pub(super) struct Files {
    root: PathBuf,
}

impl Files {
    /// Those of this system.
    pub(super) fn system() -> Self {
        Self::under(Path::new("/"))
    }

    /// Those under a folder.
    pub(super) fn under(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub(super) fn read(&self, name: &str) -> Result<String> {
        let path = self.path(name);
        let text = fs::read_to_string(&path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        Ok(text.trim().to_owned())
    }

    pub(super) fn read_number(&self, name: &str) -> Result<u64> {
        let text = self.read(name)?;
        text.parse()
            .with_context(|| format!("{} holds no number but {text:?}", self.path(name).display()))
    }

    pub(super) fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.path(name);
        fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))
    }

    /// The names in a folder, in order.
    fn list(&self, name: &str) -> Result<Vec<String>> {
        let path = self.path(name);
        let entries =
            fs::read_dir(&path).with_context(|| format!("{} cannot be listed", path.display()))?;
        let mut names = Vec::new();
        for entry in entries {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }
}

/// A receive queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Queue {
    device: String,
    name: String,
    /// The processors that packets of the queue are given to, a mask; no bit: the one that took the interrupt.
    processors: String,
    /// How many flows the queue remembers.
    flows: String,
}

impl Queue {
    /// Its folder.
    pub(super) fn folder(&self) -> String {
        format!("{DEVICES}/{}/queues/{}", self.device, self.name)
    }

    pub(super) fn line(&self) -> String {
        let Self {
            device,
            name,
            processors,
            flows,
        } = self;
        format!("dev {device} queue {name} rps_cpus {processors} rps_flow_cnt {flows}")
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "dev": self.device,
            "queue": self.name,
            "rps_cpus": self.processors,
            "rps_flow_cnt": crate::output::value_of(&self.flows),
        })
    }
}

/// The receive queues of all devices. A device that goes away meanwhile has none.
pub(super) fn all(files: &Files) -> Result<Vec<Queue>> {
    let devices = files.list(DEVICES)?;
    let queues = devices
        .iter()
        .filter_map(|device| of_device(files, device).ok());
    Ok(queues.flatten().collect())
}

/// The receive queues of one device.
pub(super) fn of_device(files: &Files, device: &str) -> Result<Vec<Queue>> {
    if device.contains('/') || !files.path(DEVICES).join(device).exists() {
        bail!("there is no network device {device}");
    }
    let mut queues = Vec::new();
    for name in files.list(&format!("{DEVICES}/{device}/queues"))? {
        if !name.starts_with("rx-") {
            continue;
        }
        let folder = format!("{DEVICES}/{device}/queues/{name}");
        queues.push(Queue {
            device: device.to_owned(),
            processors: files.read(&format!("{folder}/rps_cpus"))?,
            flows: files.read(&format!("{folder}/rps_flow_cnt"))?,
            name,
        });
    }
    Ok(queues)
}
