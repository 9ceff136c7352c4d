//! The table of scenarios has a row for every scenario of the system that this one follows, and every test that it names
//! is there.

use crate::table::{Row, is_test, misnumbered, named, rows};
use crate::tree::{none, root, text};

const TABLE: &str = "runtime/testing/SCENARIOS.md";
/// Number, scenario, tests.
const COLUMNS: usize = 3;
/// Where paths of the table begin that do not begin at the root.
const NEAR: &str = "runtime/testing/tests";
/// How many scenarios there are, by the section of the reference.
const GROUPS: [(&str, usize); 4] = [("9.1", 31), ("9.2", 139), ("9.3", 50), ("10.6", 15)];
/// Folders whose functions are called by a test that goes through a list of them.
const LISTED: [&str; 2] = ["xtask/src/e2e/", "/cases/"];

/// The rows under the sections of the reference, which are the first words of the headings.
fn of_sections() -> Vec<Row> {
    let section = |heading: &str| heading.split(' ').next().unwrap_or_default().to_owned();
    rows(TABLE, COLUMNS).into_iter().map(|it| Row { heading: section(&it.heading), ..it }).collect()
}

/// Whether a source has a test of this name.
fn has_test(path: &str, name: &str) -> bool {
    let near = root().join(NEAR).join(path);
    let source = text(&if near.exists() { near } else { root().join(path) });
    let listed = LISTED.iter().any(|it| path.contains(it));
    is_test(&source, name) || (listed && source.contains(&format!("fn {name}(")))
}

#[test]
fn every_test_of_the_table_is_there() {
    let mut findings = Vec::new();
    for Row { heading: group, cells } in of_sections() {
        let (number, shown) = (&cells[0], &cells[2]);
        let tests = named(shown);
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
    none("scenarios of runtime/testing/SCENARIOS.md", &misnumbered(&of_sections(), &GROUPS));
}
