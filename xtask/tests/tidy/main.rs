//! Tidy tests: the rules of the house that the compiler does not know, checked on every run. Each failure names the file and says
//! what to do. Deliberately no style that rustfmt and clippy already look after.

mod arrows;
mod checklist;
mod docs;
mod manifests;
mod purity;
mod scenarios;
mod sources;
mod table;
mod tree;
