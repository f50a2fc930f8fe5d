// SPDX-License-Identifier: GPL-2.0

use super::{
    set_up,
    undo,
    Change, //
};
use crate::steering::queues::{
    self,
    Files,
    FLOW_ENTRIES, //
};
use std::fs;
use tempfile::TempDir;

/// A system with four processors and a device of two queues.
pub(crate) fn system() -> (TempDir, Files) {
    let folder = tempfile::tempdir().expect("a folder");
    let files = Files::under(folder.path());
    let mut contents = vec![
        ("sys/devices/system/cpu/online".to_owned(), "0-3\n"),
        (FLOW_ENTRIES.to_owned(), "0\n"),
    ];
    for queue in ["rx-0", "rx-1", "tx-0"] {
        let place = format!("sys/class/net/eth0/queues/{queue}");
        contents.push((format!("{place}/rps_cpus"), "0\n"));
        contents.push((format!("{place}/rps_flow_cnt"), "0\n"));
    }
    for (name, text) in contents {
        let path = files.path(&name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    (folder, files)
}

fn queue_lines(files: &Files) -> Vec<String> {
    let queues = queues::all(files).expect("queues");
    queues.iter().map(queues::Queue::line).collect()
}

#[test]
fn there_and_back() {
    let (_folder, files) = system();
    let before = queue_lines(&files);
    let changes = set_up(&files, &["eth0".to_owned()]).expect("a set-up");
    let lines: Vec<_> = changes.iter().map(Change::line).collect();
    assert_eq!(lines.len(), 5);
    assert_eq!(
        lines[0],
        "/proc/sys/net/core/rps_sock_flow_entries: 0 -> 32768"
    );
    assert_eq!(
        queue_lines(&files),
        [
            "dev eth0 queue rx-0 rps_cpus 0000000f rps_flow_cnt 16384",
            "dev eth0 queue rx-1 rps_cpus 0000000f rps_flow_cnt 16384",
        ]
    );
    assert_eq!(undo(&files).expect("the way back").len(), 5);
    assert_eq!(queue_lines(&files), before);
    assert_eq!(files.read(FLOW_ENTRIES).expect("entries"), "0");
    let error = undo(&files).expect_err("nothing is left to undo");
    assert!(error.to_string().contains("nothing was set up"));
}

#[test]
fn the_second_time_changes_nothing_and_undo_goes_to_the_first() {
    let (_folder, files) = system();
    let devices = ["eth0".to_owned()];
    set_up(&files, &devices).expect("a set-up");
    files
        .write("sys/class/net/eth0/queues/rx-1/rps_cpus", "f\n")
        .expect("the kernel's way to write it");
    assert_eq!(set_up(&files, &devices).expect("nothing to do"), []);
    files
        .write("sys/class/net/eth0/queues/rx-0/rps_cpus", "1\n")
        .expect("somebody's change");
    assert_eq!(set_up(&files, &devices).expect("one change").len(), 1);
    undo(&files).expect("the way back");
    assert_eq!(
        queue_lines(&files)[0],
        "dev eth0 queue rx-0 rps_cpus 0 rps_flow_cnt 0"
    );
}

#[test]
fn a_larger_table_stays() {
    let (_folder, files) = system();
    files.write(FLOW_ENTRIES, "65536\n").expect("entries");
    set_up(&files, &["eth0".to_owned()]).expect("a set-up");
    assert_eq!(files.read(FLOW_ENTRIES).expect("entries"), "65536");
    assert!(queue_lines(&files)[0].ends_with("rps_flow_cnt 32768"));
}

#[test]
fn unknown_devices_change_nothing() {
    let (_folder, files) = system();
    for device in ["eth1", "../net/eth0"] {
        let devices = ["eth0".to_owned(), device.to_owned()];
        let error = set_up(&files, &devices).expect_err("no such device");
        assert_eq!(
            error.to_string(),
            format!("there is no network device {device}")
        );
    }
    assert_eq!(files.read(FLOW_ENTRIES).expect("entries"), "0");
}

#[test]
fn devices_that_went_away_are_passed_over() {
    let (_folder, files) = system();
    set_up(&files, &["eth0".to_owned()]).expect("a set-up");
    fs::remove_dir_all(files.path("sys/class/net/eth0")).expect("the device goes away");
    assert_eq!(undo(&files).expect("the way back").len(), 1);
}
