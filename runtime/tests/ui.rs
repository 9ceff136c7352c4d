//! One wrong program for each mistake that a macro explains. The expected texts are those of the pinned compiler;
//! `TRYBUILD=overwrite cargo test -p eventual-runtime --test ui` writes them anew.

/// The compiler whose words are expected.
const PINNED: &str = "rustc 1.95.";

#[test]
fn mistakes_are_explained_where_they_are_made() {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version =
        std::process::Command::new(rustc).arg("--version").output().expect("cargo found a compiler");
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    if !version.starts_with(PINNED) {
        eprintln!(
            "skipped: {version} words its errors differently than {PINNED}x, for which they are written down"
        );
        return;
    }
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
