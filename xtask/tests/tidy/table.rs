//! Tables in Markdown that map numbered items, in groups, to the tests that show them. What counts as such a test is each table's
//! own affair.

use crate::tree::{root, text};

/// A row whose first cell is a number.
pub(crate) struct Row {
    /// The heading that it stands under.
    pub(crate) heading: String,
    /// Its cells.
    pub(crate) cells: Vec<String>,
}

/// The rows of the tables with so many columns in a file.
pub(crate) fn rows(file: &str, columns: usize) -> Vec<Row> {
    let (mut heading, mut rows) = (String::new(), Vec::new());
    for line in text(&root().join(file)).lines() {
        if let Some(next) = line.strip_prefix("## ") {
            next.clone_into(&mut heading);
        }
        let cells: Vec<String> = line.trim_matches('|').split('|').map(|it| it.trim().to_owned()).collect();
        if cells.len() == columns && cells[0].starts_with(|it: char| it.is_ascii_digit()) {
            rows.push(Row { heading: heading.clone(), cells });
        }
    }
    rows
}

/// The groups whose rows are not numbered from 1 to as many as there are items.
pub(crate) fn misnumbered(rows: &[Row], groups: &[(&str, usize)]) -> Vec<String> {
    let mut findings = Vec::new();
    for (group, count) in groups {
        let of_group = rows.iter().filter(|it| it.heading == *group);
        let numbers: Vec<&str> = of_group.map(|it| it.cells[0].as_str()).collect();
        let wanted: Vec<String> = (1..=*count).map(|it| it.to_string()).collect();
        if numbers != wanted {
            findings.push(format!("{group} has the rows {numbers:?} instead of 1 to {count}"));
        }
    }
    findings
}

/// What a cell says between backticks.
pub(crate) fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// The tests that a cell names: path, function.
pub(crate) fn named(cell: &str) -> Vec<(&str, &str)> {
    quoted(cell).filter_map(|it| it.split_once("::")).filter(|(path, _)| path.ends_with(".rs")).collect()
}

/// Whether a source has a function of this name that is marked as a test.
pub(crate) fn is_test(source: &str, name: &str) -> bool {
    let lines: Vec<&str> = source.lines().collect();
    let begins = format!("fn {name}(");
    let is_mark = |it: &&str| it.contains("test]") || it.contains("::test(");
    let marked = |line: usize| lines[line.saturating_sub(4)..line].iter().any(is_mark);
    lines.iter().enumerate().any(|(line, it)| it.contains(&begins) && marked(line))
}
