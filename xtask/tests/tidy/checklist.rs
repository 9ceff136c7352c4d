//! The checklist of the providers has a row for every item of the reference, and every file and test that it names is there.

use crate::scenarios::{is_test, named};
use crate::tree::{none, root, text};

const TABLE: &str = "provider/CHECKLIST.md";
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

/// The heading, and the cells of one row.
type Row = (String, Vec<String>);

fn rows() -> Vec<Row> {
    let (mut heading, mut rows) = (String::new(), Vec::new());
    for line in text(&root().join(TABLE)).lines() {
        if let Some(next) = line.strip_prefix("## ") {
            next.clone_into(&mut heading);
        }
        let cells: Vec<String> = line.trim_matches('|').split('|').map(|it| it.trim().to_owned()).collect();
        if cells.len() == 4 && cells[0].starts_with(|it: char| it.is_ascii_digit()) {
            rows.push((heading.clone(), cells));
        }
    }
    rows
}

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
    for (heading, cells) in rows() {
        let place = format!("{heading} {}", cells[0]);
        let files: Vec<&str> = cells[2].split('`').skip(1).step_by(2).collect();
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
    let rows = rows();
    let mut findings = Vec::new();
    for (group, count) in GROUPS {
        let numbers: Vec<&str> = rows.iter().filter(|it| it.0 == group).map(|it| it.1[0].as_str()).collect();
        let wanted: Vec<String> = (1..=count).map(|it| it.to_string()).collect();
        if numbers != wanted {
            findings.push(format!("{group} has the rows {numbers:?} instead of 1 to {count}"));
        }
    }
    none("items of provider/CHECKLIST.md", &findings);
}
