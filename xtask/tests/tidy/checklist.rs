//! The checklist of the providers has a row for every item of the reference, and every file and test that it names is there.

use crate::table::{Row, is_test, misnumbered, named, quoted, rows};
use crate::tree::{none, root, text};

const TABLE: &str = "provider/CHECKLIST.md";
/// Number, item, files, tests.
const COLUMNS: usize = 4;
/// Where paths of files begin that do not begin at the root, and those of tests.
const NEAR: [&str; 2] = ["provider", "provider/tests"];
/// How many items there are, by heading.
const GROUPS: [(&str, usize); 8] = [
    ("Protocol", 9),
    ("Values", 7),
    ("Plan", 6),
    ("Apply", 9),
    ("AWS", 8),
    ("Security", 4),
    ("For its users", 6),
    ("Tests", 6),
];
/// Where functions are called by a test that goes through a list of them.
const LISTED: [&str; 2] = ["xtask/src/e2e/", "pulumi/sequences/table.rs"];

/// The text of a file that begins at the root, or near.
fn found(path: &str) -> Option<String> {
    let folders = [""].into_iter().chain(NEAR);
    let file = folders.map(|folder| root().join(folder).join(path)).find(|it| it.is_file())?;
    Some(text(&file))
}

fn has_test(path: &str, name: &str) -> bool {
    let listed = LISTED.iter().any(|it| path.contains(it));
    // Properties are tests without the mark on the line above.
    let property = |source: &str| source.contains("proptest!") && source.contains(&format!("    fn {name}("));
    found(path).is_some_and(|source| {
        is_test(&source, name) || property(&source) || (listed && source.contains(&format!("fn {name}(")))
    })
}

#[test]
fn every_file_and_test_of_the_checklist_is_there() {
    let mut findings = Vec::new();
    for Row { heading, cells } in rows(TABLE, COLUMNS) {
        let place = format!("{heading} {}", cells[0]);
        let files: Vec<&str> = quoted(&cells[2]).collect();
        let gone = files.iter().filter(|it| found(it).is_none());
        findings.extend(gone.map(|it| format!("{place}: no file {it}")));
        let tests = named(&cells[3]);
        if tests.is_empty() || files.is_empty() {
            findings.push(format!("{place} names no file, or no test"));
        }
        let gone = tests.iter().filter(|(path, name)| !has_test(path, name));
        findings.extend(gone.map(|(path, name)| format!("{place}: no test {path}::{name}")));
    }
    none("rows of provider/CHECKLIST.md that name what is not there", &findings);
}

#[test]
fn every_item_has_its_row() {
    none("items of provider/CHECKLIST.md", &misnumbered(&rows(TABLE, COLUMNS), &GROUPS));
}
