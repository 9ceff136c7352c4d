//! The table of scenarios has a row for every scenario of the system that this one follows, and every test that it names
//! is there.

use crate::tree::{none, root, text};

const TABLE: &str = "runtime/testing/SCENARIOS.md";
/// Where paths of the table begin that do not begin at the root.
const NEAR: &str = "runtime/testing/tests";
/// How many scenarios there are, by the section of the reference.
const GROUPS: [(&str, usize); 4] = [("9.1", 31), ("9.2", 139), ("9.3", 50), ("10.6", 15)];
/// Folders whose functions are called by a test that goes through a list of them.
const LISTED: [&str; 2] = ["xtask/src/e2e/", "/cases/"];

struct Row {
    group: String,
    number: String,
    shown: String,
}

fn rows() -> Vec<Row> {
    let table = text(&root().join(TABLE));
    let (mut group, mut rows) = (String::new(), Vec::new());
    for line in table.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            heading.split(' ').next().unwrap_or_default().clone_into(&mut group);
        }
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        if let [number, _, shown] = cells[..]
            && number.starts_with(|it: char| it.is_ascii_digit())
        {
            rows.push(Row { group: group.clone(), number: number.to_owned(), shown: shown.to_owned() });
        }
    }
    rows
}

/// The tests that a cell names: path, function.
pub(crate) fn named(cell: &str) -> Vec<(&str, &str)> {
    let quoted = cell.split('`').skip(1).step_by(2);
    quoted.filter_map(|it| it.split_once("::")).filter(|(path, _)| path.ends_with(".rs")).collect()
}

/// Whether a source has a test of this name.
fn has_test(path: &str, name: &str) -> bool {
    let near = root().join(NEAR).join(path);
    let source = text(&if near.exists() { near } else { root().join(path) });
    let listed = LISTED.iter().any(|it| path.contains(it));
    is_test(&source, name) || (listed && source.contains(&format!("fn {name}(")))
}

/// Whether a source has a function of this name that is marked as a test.
pub(crate) fn is_test(source: &str, name: &str) -> bool {
    let lines: Vec<&str> = source.lines().collect();
    let begins = format!("fn {name}(");
    let is_mark = |it: &&str| it.contains("test]") || it.contains("::test(");
    let marked = |line: usize| lines[line.saturating_sub(4)..line].iter().any(is_mark);
    lines.iter().enumerate().any(|(line, it)| it.contains(&begins) && marked(line))
}

#[test]
fn every_test_of_the_table_is_there() {
    let mut findings = Vec::new();
    for Row { group, number, shown } in rows() {
        let tests = named(&shown);
        if tests.is_empty() && !shown.starts_with("not yet: ") {
            findings.push(format!("{group} {number} names no test, and does not say `not yet: `: {shown}"));
        }
        let gone = tests.iter().filter(|(path, name)| !has_test(path, name));
        findings.extend(gone.map(|(path, name)| format!("{group} {number}: {path}::{name}")));
    }
    none("rows of runtime/testing/SCENARIOS.md whose tests are not there", &findings);
}

#[test]
fn every_scenario_has_its_row() {
    let rows = rows();
    let mut findings = Vec::new();
    for (group, count) in GROUPS {
        let numbers: Vec<&str> =
            rows.iter().filter(|it| it.group == group).map(|it| it.number.as_str()).collect();
        let wanted: Vec<String> = (1..=count).map(|it| it.to_string()).collect();
        if numbers != wanted {
            findings.push(format!("{group} has the rows {numbers:?} instead of 1 to {count}"));
        }
    }
    none("scenarios of runtime/testing/SCENARIOS.md", &findings);
}
