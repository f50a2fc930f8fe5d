// SPDX-License-Identifier: GPL-2.0

use super::module_fields;
use serde_json::Value;

#[test]
fn state_of_the_module() {
    let state =
        "mode follow\ncpus 0-1\nflow_table 0\ncpu usable subflows segments\n0 1 3 90\n1 1 0 4\n";
    let json = r#"{"mode":"follow","cpus":"0-1","flow_table":0,"processors":[{"cpu":0,"usable":1,"subflows":3,"segments":90},{"cpu":1,"usable":1,"subflows":0,"segments":4}]}"#;
    assert_eq!(Value::Object(module_fields(state)).to_string(), json);
}

#[test]
fn no_module() {
    assert!(module_fields("").is_empty());
}
