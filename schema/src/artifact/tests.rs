//! Artifacts that are right, and every way in which one can be wrong.

use std::io::{Cursor, Write};

use expect_test::{Expect, expect};
use object::write::Object;
use object::{Architecture, BinaryFormat, Endianness, SectionKind};
use serde_json::json;
use zip::write::SimpleFileOptions;

use super::*;
use crate::deploy::LINK_SECTION;

const HANDLERS: &str = "command\0placeOrder\0task\0pay\0";

fn elf(architecture: Architecture, section: &str) -> Vec<u8> {
    let mut object = Object::new(BinaryFormat::Elf, architecture, Endianness::Little);
    let id = object.add_section(Vec::new(), LINK_SECTION.into(), SectionKind::ReadOnlyData);
    object.append_section_data(id, section.as_bytes(), 1);
    object.write().unwrap()
}

fn manifest(bootstrap: &[u8], architecture: &str) -> Manifest {
    let source = json!({ "file": "src/lib.rs", "line": 1 });
    let json = json!({
        "format": 1, "service": "orders", "version": "0.1.0", "functions": [],
        "code": { "sha256": sha256_hex(bootstrap), "architecture": architecture },
        "commands": [{ "name": "placeOrder", "input": null, "output": {}, "source": source }],
        "tasks": [{ "name": "pay", "input": null, "output": {}, "source": source }],
    });
    Manifest::from_json(json.to_string().as_bytes()).unwrap()
}

fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn good() -> (Vec<u8>, Manifest) {
    let bootstrap = elf(Architecture::X86_64, HANDLERS);
    let manifest = manifest(&bootstrap, "x86_64");
    (bootstrap, manifest)
}

/// Opens `bytes` as a file; the error's text, without the folder of the test.
fn opened(bytes: &[u8]) -> Result<Opened, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orders.zip");
    std::fs::write(&path, bytes).unwrap();
    open(&path).map_err(|error| error.to_string().replace(&format!("{}/", folder.path().display()), ""))
}

fn refused(bytes: &[u8], expected: &Expect) {
    expected.assert_eq(&opened(bytes).unwrap_err());
}

#[test]
fn what_is_packed_opens() {
    let (bootstrap, manifest) = good();
    let bytes = pack(&bootstrap, &manifest).unwrap();
    let opened = opened(&bytes).unwrap();
    assert_eq!(opened.manifest, manifest);
    assert_eq!(opened.sha256, sha256_hex(&bytes));
    assert_eq!((opened.size, opened.bootstrap_size), (bytes.len() as u64, bootstrap.len() as u64));
}

#[test]
fn the_same_input_packs_to_the_same_bytes_and_an_executable_bootstrap() {
    let (bootstrap, manifest) = good();
    let bytes = pack(&bootstrap, &manifest).unwrap();
    assert_eq!(bytes, pack(&bootstrap, &manifest).unwrap());
    let mut zip = ZipArchive::new(Cursor::new(&bytes[..])).unwrap();
    let file = zip.by_index(0).unwrap();
    assert_eq!((file.name().unwrap().as_ref(), file.unix_mode()), ("bootstrap", Some(0o100_755)));
    assert_eq!(file.last_modified(), Some(DateTime::DEFAULT));
}

#[test]
fn arm64_opens_and_padding_between_handlers_is_skipped() {
    let bootstrap = elf(Architecture::Aarch64, "command\0placeOrder\0\0\0\0task\0pay\0\0");
    let manifest = manifest(&bootstrap, "arm64");
    assert!(opened(&pack(&bootstrap, &manifest).unwrap()).is_ok());
}

#[test]
fn a_missing_file_and_a_folder_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = open(&folder.path().join("none.zip")).unwrap_err();
    assert!(matches!(*missing.problem, ArtifactProblem::Missing), "{missing}");
    assert!(missing.to_string().contains("none.zip: no such file: build it with `cargo eventual build`"));
    assert!(matches!(*open(folder.path()).unwrap_err().problem, ArtifactProblem::NotFile));
}

#[test]
fn what_is_no_zip_is_refused() {
    let text =
        expect!["artifact orders.zip: not a zip file: name the .zip file that `cargo eventual build` wrote"];
    refused(b"hello", &text);
    refused(b"", &text);
    refused(&elf(Architecture::X86_64, HANDLERS), &text);
}

#[test]
fn a_truncated_zip_is_refused_wherever_it_was_cut() {
    let (bootstrap, manifest) = good();
    let bytes = pack(&bootstrap, &manifest).unwrap();
    for length in 2..bytes.len() {
        let text = opened(&bytes[..length]).unwrap_err();
        assert!(text.contains("truncated or damaged"), "{length}: {text}");
    }
}

#[test]
fn no_changed_byte_goes_unnoticed() {
    let (bootstrap, manifest) = good();
    let bytes = pack(&bootstrap, &manifest).unwrap();
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 0x55;
        // Headers have fields that carry no content (times, permissions): what opens must at least mean the same.
        if let Ok(opened) = opened(&changed) {
            assert_eq!(opened.manifest, manifest, "byte {place}");
            assert_ne!(opened.sha256, sha256_hex(&bytes), "byte {place}");
        }
    }
}

#[test]
fn a_foreign_zip_is_refused_with_what_it_holds() {
    refused(
        &zip_of(&[("index.js", b"exports.handler = 1")]),
        &expect![
            "artifact orders.zip: not an artifact of eventual: it holds index.js, and should hold exactly bootstrap and eventual.json; name the .zip file that `cargo eventual build` wrote"
        ],
    );
    let (bootstrap, manifest) = good();
    let json = manifest.to_json();
    for files in [
        &[("bootstrap", &bootstrap[..])][..],
        &[("eventual.json", json.as_bytes())],
        &[("bootstrap", &bootstrap), ("eventual.json", json.as_bytes()), ("extra", b"1")],
    ] {
        assert!(opened(&zip_of(files)).unwrap_err().contains("not an artifact of eventual"));
    }
}

#[test]
fn a_bootstrap_that_lambda_may_not_execute_is_refused() {
    let (bootstrap, manifest) = good();
    let json = manifest.to_json();
    let again = zip_of(&[("bootstrap", &bootstrap), ("eventual.json", json.as_bytes())]);
    let text = opened(&again).unwrap_err();
    assert!(text.contains("does not mark bootstrap as executable"), "{text}");
}

#[test]
fn a_corrupt_manifest_and_another_format_are_refused() {
    let (bootstrap, manifest) = good();
    refused(
        &zip_of(&[("bootstrap", &bootstrap), ("eventual.json", b"{\"format\": 1, ")]),
        &expect![
            "artifact orders.zip: eventual.json is not a manifest: EOF while parsing a value at line 1 column 14"
        ],
    );
    let newer = manifest.to_json().replacen("\"format\": 1", "\"format\": 9", 1);
    refused(
        &zip_of(&[("bootstrap", &bootstrap), ("eventual.json", newer.as_bytes())]),
        &expect![
            "artifact orders.zip: eventual.json has manifest format 9, this program reads format 1: build the artifact and the provider from the same release"
        ],
    );
}

#[test]
fn a_manifest_of_another_binary_is_refused() {
    let (bootstrap, manifest) = good();
    let other = elf(Architecture::X86_64, "command\0other\0");
    let text = opened(&pack(&other, &manifest).unwrap()).unwrap_err();
    assert!(text.contains("the SHA-256 of bootstrap is") && text.contains("was replaced"), "{text}");
    let unpacked = Manifest { code: None, ..manifest };
    refused(
        &pack(&bootstrap, &unpacked).unwrap(),
        &expect![
            "artifact orders.zip: eventual.json does not say which binary it belongs to: build it with `cargo eventual build`"
        ],
    );
}

#[test]
fn a_binary_for_another_processor_is_refused() {
    let arm = elf(Architecture::Aarch64, HANDLERS);
    refused(
        &pack(&arm, &manifest(&arm, "x86_64")).unwrap(),
        &expect![
            "artifact orders.zip: bootstrap is built for arm64, eventual.json says x86_64: build it again with `cargo eventual build`"
        ],
    );
    let riscv = elf(Architecture::Riscv64, HANDLERS);
    let text = opened(&pack(&riscv, &manifest(&riscv, "x86_64")).unwrap()).unwrap_err();
    assert!(text.contains("not a Linux program for x86_64 or arm64 (its processor is Riscv64)"), "{text}");
    let script = b"#!/bin/sh\n";
    let text = opened(&pack(script, &manifest(script, "x86_64")).unwrap()).unwrap_err();
    assert!(text.contains("not a Linux program"), "{text}");
}

#[test]
fn handlers_that_differ_are_named_on_their_side() {
    let bootstrap = elf(Architecture::X86_64, "command\0placeOrder\0workflow\0process\0");
    refused(
        &pack(&bootstrap, &manifest(&bootstrap, "x86_64")).unwrap(),
        &expect![
            "artifact orders.zip: bootstrap and eventual.json declare different handlers; only in eventual.json: task pay; only in bootstrap: workflow process; build it again with `cargo eventual build`, and when that does not help, look for handlers behind `cfg`s of features or processors"
        ],
    );
    let damaged = elf(Architecture::X86_64, "command\0placeOrder\0task\0");
    let text = opened(&pack(&damaged, &manifest(&damaged, "x86_64")).unwrap()).unwrap_err();
    assert!(text.contains("section .eventual is damaged"), "{text}");
}

#[test]
fn what_another_linked_crate_declares_is_not_missed_in_the_manifest() {
    let own = "crate\0orders\0command\0placeOrder\0task\0pay\0";
    let client = "crate\0billing\0command\0bill\0task\0pay\0";
    let opens = |section: &str| {
        let bootstrap = elf(Architecture::X86_64, section);
        let manifest = manifest(&bootstrap, "x86_64");
        opened(&pack(&bootstrap, &manifest).unwrap()).map(drop)
    };
    opens(&format!("{client}service\0orders\0{own}")).unwrap();
    let both = opens(&format!("{client}service\0orders\0service\0billing\0{own}")).unwrap_err();
    assert!(both.contains("only in bootstrap: command bill;"), "{both}");
    let unsaid = opens(&format!("{own}{client}")).unwrap_err();
    assert!(unsaid.contains("only in bootstrap: command bill;"), "{unsaid}");
    let gone = opens(&format!("service\0orders\0{client}")).unwrap_err();
    assert!(gone.contains("only in eventual.json: command placeOrder, task pay;"), "{gone}");
}

#[test]
fn a_zip_bomb_is_not_unpacked() {
    let (bootstrap, _) = good();
    let spaces = vec![b' '; usize::try_from(MANIFEST_MAX).unwrap() + 1];
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in [("bootstrap", &bootstrap), ("eventual.json", &spaces)] {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    let bytes = zip.finish().unwrap().into_inner();
    assert!(bytes.len() < 1_000_000);
    refused(
        &bytes,
        &expect!["artifact orders.zip: eventual.json is larger than 16 MB, the most that is accepted"],
    );
}
