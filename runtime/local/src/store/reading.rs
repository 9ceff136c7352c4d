//! Reads everything in a store, for `check`: that every block has its checksum, and every value the form that it should have.

use std::str;

use eventual_core::ExecutionId;
use eventual_engine::codec;

use super::LocalStore;
use super::keys::{self, Place, Table};
use crate::delivery::Delivery;

/// Most problems of a table that are told.
const PROBLEMS_MAX: usize = 10;

/// What a table holds.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) table: &'static str,
    pub(crate) entries: u64,
    /// The file or folder, the entry, and what is wrong with it.
    pub(crate) problems: Vec<String>,
}

impl LocalStore {
    /// Reads all tables.
    pub(crate) fn read_all(&self) -> Vec<Found> {
        Table::ALL.iter().map(|table| self.read_table(*table)).collect()
    }

    fn read_table(&self, table: Table) -> Found {
        let mut found = Found { table: table.name(), entries: 0, problems: Vec::new() };
        for entry in self.table(table).iter() {
            let problem = match entry.into_inner() {
                Ok((key, value)) => {
                    found.entries += 1;
                    wrong(table, &key, &value)
                        .map(|why| format!("entry {}: {why}", String::from_utf8_lossy(&key)))
                }
                Err(error) => Some(format!(
                    "after {} entries, in {}: {error}",
                    found.entries,
                    self.table(table).path().display()
                )),
            };
            found.problems.extend(problem);
            if found.problems.len() >= PROBLEMS_MAX {
                break;
            }
        }
        found
    }
}

/// What is wrong with an entry.
fn wrong(table: Table, key: &[u8], value: &[u8]) -> Option<String> {
    let id = |bytes: &[u8]| {
        let text = str::from_utf8(bytes).map_err(|error| error.to_string())?;
        ExecutionId::parse(text).map(drop).map_err(|error| error.to_string())
    };
    let of_execution = || id(key.split(|it| *it == 0).next().unwrap_or_default());
    let checked = match table {
        Table::About | Table::Dead => Ok(()),
        Table::Answers => of_execution().and(
            codec::decode_outcome(value.get(8..).unwrap_or_default()).map(drop).map_err(|it| it.to_string()),
        ),
        Table::Claims => of_execution(),
        Table::Executions => id(key).and(codec::decode_meta(value).map(drop).map_err(|it| it.to_string())),
        Table::Index => keys::indexed(key).map(drop).ok_or_else(|| "the key names no execution".to_owned()),
        Table::Queue if Place::parse(key).is_none() => Err("the key is no place in the queue".to_owned()),
        Table::Queue => Delivery::decode(value).map(drop),
        Table::Turns => of_execution().and(codec::decode_turn(value).map(drop).map_err(|it| it.to_string())),
        Table::Undelivered => id(key),
    };
    checked.err()
}
