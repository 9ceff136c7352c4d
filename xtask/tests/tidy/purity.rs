//! The invariants of ARCHITECTURE.md that are about what a crate or a module may know.

use crate::tree::{code, none, root, shown, sources, text};

/// Lines of code below `folder` that contain one of `words`.
fn lines_with(folder: &str, words: &[&str]) -> Vec<String> {
    let mut findings = Vec::new();
    for path in sources(folder) {
        for (number, line) in code(&path) {
            if words.iter().any(|word| line.contains(word)) {
                findings.push(format!("{}:{number}: {}", shown(&path), line.trim()));
            }
        }
    }
    findings
}

const WORLD: &[&str] = &[
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "std::env",
    "SystemTime",
    "Instant::now",
    "tokio::",
    "println!",
    "reqwest",
    "aws_sdk",
    "thread_rng",
    "rand::",
];

#[test]
fn the_machine_and_the_planning_reach_nothing_of_the_world() {
    none("runtime/core does no I/O and reads no clock", &lines_with("runtime/core/src", WORLD));
    none("provider/core does no I/O and reads no clock", &lines_with("provider/core/src", WORLD));
}

#[test]
fn the_machine_is_no_std_and_depends_on_nothing() {
    let library = text(&root().join("runtime/core/src/lib.rs"));
    assert!(library.contains("no_std"), "runtime/core/src/lib.rs must be `#![no_std]`");
    let manifest = text(&root().join("runtime/core/Cargo.toml"));
    let dependencies = manifest.split("[dependencies]").nth(1).unwrap_or_default();
    let first = dependencies.split("\n[").next().unwrap_or_default();
    let named: Vec<_> = first
        .lines()
        .filter(|line| line.contains('=') || line.contains(".workspace"))
        .map(str::to_owned)
        .collect();
    none("runtime/core has dependencies", &named);
}

#[test]
fn the_engine_knows_no_host_and_no_cloud() {
    none(
        "runtime/engine names a host",
        &lines_with("runtime/engine/src", &["aws_sdk", "lambda_runtime", "eventual_aws", "eventual_testing"]),
    );
}

#[test]
fn the_wires_know_neither_each_other_nor_the_cloud() {
    let cloud = ["crate::cloud", "aws_sdk", "aws_config", "aws_smithy"];
    let terraform = [&cloud[..], &["crate::pulumi", "pulumirpc"]].concat();
    let pulumi = [&cloud[..], &["crate::terraform", "tfplugin"]].concat();
    none("the Terraform wire names what it must not", &lines_with("provider/src/terraform", &terraform));
    none("the Pulumi wire names what it must not", &lines_with("provider/src/pulumi", &pulumi));
}

#[test]
fn the_cloud_knows_no_wire() {
    none(
        "provider/src/cloud names a wire",
        &lines_with("provider/src/cloud", &["crate::terraform", "crate::pulumi", "provider_wire"]),
    );
}
