//! Build script: the folder is the registration.
//!
//! Writes `$OUT_DIR/checks.rs` and `$OUT_DIR/probes.rs` (one entry a sub-folder of `src/checks/` and
//! `src/attack/probes/`: its module, page, bad and good SQL; a folder without any of the four does not compile) and
//! `$OUT_DIR/embedded.rs` (the files of `migrations/` and `policies/`), so that a new check, probe, migration or
//! policy needs no edit elsewhere.

#![expect(
    clippy::unwrap_used,
    clippy::unnecessary_debug_formatting,
    reason = "writing to a String cannot fail; Debug is how a path becomes a Rust string literal"
)]

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    println!("cargo::rerun-if-changed=src/build.rs");
    registry(&root.join("src/checks"), "Check", "CHECK", &out.join("checks.rs"));
    registry(
        &root.join("src/attack/probes"),
        "Probe",
        "PROBE",
        &out.join("probes.rs"),
    );
    embedded(&root, &out.join("embedded.rs"));
}

/// One entry a sub-folder of `folder`.
fn registry(folder: &Path, kind: &str, item: &str, out: &Path) {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut modules = String::new();
    let mut entries = String::new();
    for entry in sorted(folder).into_iter().filter(|path| path.is_dir()) {
        let name = file_name(&entry);
        let files = |prefix: &str| {
            let list: Vec<_> = sorted(&entry)
                .into_iter()
                .filter(|path| {
                    let file = file_name(path);
                    let stem = file.strip_suffix(".sql").unwrap_or_default();
                    stem == prefix || stem.starts_with(&format!("{prefix}-"))
                })
                .map(|path| format!("({:?}, include_str!({:?}))", file_name(&path), path))
                .collect();
            // Named even when missing: the compiler then says which file is not there.
            if list.is_empty() {
                let path = entry.join(format!("{prefix}.sql"));
                return format!("({:?}, include_str!({path:?}))", file_name(&path));
            }
            list.join(", ")
        };
        let public = name.replace('_', "-");
        writeln!(
            modules,
            "#[path = {:?}]\npub(crate) mod {name};",
            entry.join("mod.rs")
        )
        .unwrap();
        writeln!(
            entries,
            "    Entry {{ name: {public:?}, item: &{name}::{item}, page: include_str!({:?}), bad: &[{}], good: &[{}] }},",
            entry.join("README.md"),
            files("bad"),
            files("good"),
        )
        .unwrap();
    }
    let text =
        format!("{modules}\n/// Every {kind}, by name.\npub(crate) static ALL: &[Entry] = &[\n{entries}];\n");
    fs::write(out, text).expect("OUT_DIR is writable");
}

/// The SQL files of the reference schema, as (file name, text).
fn embedded(root: &Path, out: &Path) {
    let mut text = String::new();
    for folder in ["migrations", "policies"] {
        let path = root.join(folder);
        println!("cargo::rerun-if-changed={}", path.display());
        let constant = folder.to_uppercase();
        writeln!(
            text,
            "/// `{folder}/*.sql` as (file name, text).\npub(crate) static {constant}: &[(&str, &str)] = &["
        )
        .unwrap();
        for file in sorted(&path)
            .into_iter()
            .filter(|path| path.extension().is_some_and(|e| e == "sql"))
        {
            writeln!(text, "    ({:?}, include_str!({file:?})),", file_name(&file)).unwrap();
        }
        text.push_str("];\n");
    }
    fs::write(out, text).expect("OUT_DIR is writable");
}

/// The entries of a folder by name; none where there is no such folder.
fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut list: Vec<_> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    list.sort();
    list
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
