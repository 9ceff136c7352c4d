//! Rules for single files: headers, size, names, nothing of somebody's machine.

use crate::tree::{code, files, none, shown, sources, text};

#[test]
fn every_source_says_what_it_is() {
    let headless = |path: &std::path::PathBuf| {
        let text = text(path);
        // A script-like first line may come before: `#!/usr/bin/env`.
        let first = text.lines().find(|line| !line.starts_with("#!/"));
        !first.is_some_and(|line| line.starts_with("//! ") && line.len() > 10)
    };
    // Wrong programs of the compile-error tests are shown to users as they are.
    let ui = |path: &std::path::PathBuf| shown(path).contains("/ui/");
    let findings: Vec<_> =
        sources("").iter().filter(|path| !ui(path) && headless(path)).map(|path| shown(path)).collect();
    none("these files do not start with a line `//! what it is`", &findings);
}

#[test]
fn nothing_is_left_as_a_placeholder() {
    let marks = [
        concat!("Not written", " yet"),
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("unimplemented", "!("),
    ];
    let mut findings = Vec::new();
    for path in sources("") {
        for (index, line) in text(&path).lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark)) {
                findings.push(format!("{}:{}: {}", shown(&path), index + 1, line.trim()));
            }
        }
    }
    none("placeholders", &findings);
}

#[test]
fn long_files_say_why() {
    let mut findings = Vec::new();
    for path in sources("") {
        let text = text(&path);
        let lines = text.lines().count();
        let header: String = text.lines().take_while(|line| line.starts_with("//!")).collect();
        if lines > 500 && !header.contains("ong because") {
            findings.push(format!(
                "{} has {lines} lines: split it, or say `long because ...` in its header",
                shown(&path)
            ));
        }
    }
    none("more than 500 lines", &findings);
}

#[test]
fn words_that_mean_nothing_name_nothing() {
    // The words of the house are in design and ARCHITECTURE; these say only that something is there, or name it as others do.
    let words = ["manager", "helper", "util", "activity", "journal"];
    let kinds = ["struct ", "enum ", "trait ", "mod ", "fn ", "type "];
    let mut findings = Vec::new();
    for path in sources("") {
        for (number, line) in code(&path) {
            let name = kinds.iter().find_map(|kind| {
                let (before, rest) = line.split_once(kind)?;
                let alone = before.trim().is_empty() || before.ends_with(' ');
                alone.then(|| {
                    rest.split(|c: char| !c.is_alphanumeric() && c != '_')
                        .next()
                        .unwrap_or_default()
                        .to_lowercase()
                })
            });
            if name.is_some_and(|name| {
                words.iter().any(|word| {
                    name.split('_').any(|part| part.trim_end_matches('s') == *word || part.ends_with(word))
                })
            }) {
                findings.push(format!("{}:{number}: {}", shown(&path), line.trim()));
            }
        }
    }
    none("names with empty or foreign words", &findings);
}

#[test]
fn nothing_of_somebodys_machine_is_in_the_repository() {
    let marks = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
        concat!("/Use", "rs/"),
        concat!("AKI", "A0"),
        concat!("BEGIN ", "PRIVATE KEY"),
        concat!("pypi", ".org/simple"),
        concat!("registry.", "npmjs"),
        concat!("proxy.", "golang"),
        concat!("index.", "crates.io"),
    ];
    let mut findings = Vec::new();
    for path in files("") {
        for (index, line) in text(&path).lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark)) {
                findings.push(format!("{}:{}: {}", shown(&path), index + 1, line.trim()));
            }
        }
    }
    none("absolute paths of a machine, secrets, or hosts of registries", &findings);
}
