//! libFuzzer's way into `entries::node_tree`.
#![no_main]

#[path = "../entries.rs"]
mod entries;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| entries::node_tree(bytes));
