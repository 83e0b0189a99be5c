//! The fuzz targets' functions on the stable compiler: over bytes made at random, over texts near valid ones, and with the
//! defects that they are there to find. libFuzzer itself: `tests/fuzz/run`.

mod entries;

use std::panic::catch_unwind;
use std::process::Command;

use proptest::prelude::*;

/// Valid inputs of each kind, to be damaged.
const SEEDS: [&str; 6] = [
    "ten_01h455vb4pex5vsknk084sn02q",
    "key_7zzzzzzzzzzzzzzzzzzzzzzzzz",
    "{OPEXPR :opno 98 :opfuncid 67 :opresulttype 16 :args ({VAR :varno 1 :varattno 2} \
     {CONST :consttype 25 :constlen -1 :constisnull false :constvalue 5 [ 20 0 0 0 97 ]}) :location 20}",
    "tenant_column = \"tenant_id\"\nroles = [\"app\"]\n[binding]\nsettings = { \"a.b\" = '{\"sub\":\"{user}\"}' }\n",
    "[[exempt]]\ntable = \"public.countries\"\nreason = \"read by all\"\nexpires = \"2030-01-01\"\n",
    "it's a \\ \"name\" é \u{1F600}",
];

fn everything(bytes: &[u8]) {
    entries::id(bytes);
    entries::node_tree(bytes);
    entries::config(bytes);
    entries::quoting(bytes);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        everything(&bytes);
    }

    #[test]
    fn any_text(text in "\\PC{0,60}|[{}()\\[\\]:<>=\"'\\\\.#,_a-z0-7 \\n]{0,80}") {
        everything(text.as_bytes());
    }

    #[test]
    fn damaged_input(
        seed in prop::sample::select(&SEEDS[..]),
        at in any::<prop::sample::Index>(),
        cut in 0_usize..4,
        with in proptest::collection::vec(any::<u8>(), 0..4),
    ) {
        let mut bytes = seed.as_bytes().to_vec();
        let at = at.index(bytes.len());
        let end = (at + cut).min(bytes.len());
        bytes.splice(at..end, with);
        everything(&bytes);
    }
}

#[test]
fn the_seeds_reach_what_is_behind_the_first_check() {
    assert!(SEEDS[0].parse::<rls_tool::TenantId>().is_ok());
    assert!(SEEDS[1].parse::<rls_tool::ApiKeyId>().is_ok());
    assert!(rls_tool::proof::tree::Node::parse(SEEDS[2]).is_ok());
    for seed in &SEEDS[3..5] {
        let read = rls_tool::model::Config::parse(seed, "rls.toml");
        assert!(read.is_ok(), "{}", read.unwrap_err().chain());
    }
}

/// Quoting that forgets something is noticed by what the target asks.
#[test]
fn wrong_quoting_would_be_found() {
    for (sql, value) in [("'it's'", "it's"), (r"'a\'", r"a\"), (r"E'a\'b'", "a'b")] {
        assert!(entries::read_literal(sql).as_deref() != Some(value), "{sql}");
    }
    assert!(catch_unwind(|| entries::quoting(b"fine")).is_ok());
}

#[test]
fn every_target_is_listed_and_run() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz");
    let manifest = std::fs::read_to_string(format!("{folder}/Cargo.toml")).unwrap();
    for target in ["id", "node_tree", "config", "quoting"] {
        assert!(
            manifest.contains(&format!("path = \"targets/{target}.rs\"")),
            "{target}"
        );
        let text = std::fs::read_to_string(format!("{folder}/targets/{target}.rs")).unwrap();
        assert!(text.contains(&format!("entries::{target}(bytes)")), "{target}");
    }
}

/// Without a nightly compiler the script says so, and fails.
#[test]
fn the_script_says_what_it_lacks() {
    let output = Command::new("tests/fuzz/run")
        .args(["1", "id"])
        .env("RLS_TEST_NIGHTLY", "no-such-toolchain")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("nightly"), "{said}");
}
