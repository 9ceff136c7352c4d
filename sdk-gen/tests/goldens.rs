//! What is generated, to the letter: of the order example as it is now, and of a manifest that no sane person writes.
//! `UPDATE_EXPECT=1 cargo test -p eventual-sdk-gen` writes them anew. Whether they compile is seen by `cargo xtask test`.
#![allow(clippy::unwrap_used, reason = "code of tests")]

use std::path::Path;

use eventual_schema::Manifest;
use eventual_sdk_gen::{Language, MARKER, generate, made};
use expect_test::expect_file;

/// Files that are the same for every service; they stand in `src`.
const SHARED: [&str; 8] = [
    "_sigv4.py",
    "_system.py",
    "sigv4.ts",
    "system.ts",
    "runtime.ts",
    "tsconfig.json",
    "_runtime.py",
    "py.typed",
];

const LANGUAGES: [(&str, Language); 3] =
    [("python", Language::Python), ("terraform", Language::Terraform), ("typescript", Language::TypeScript)];

fn orders() -> Manifest {
    eventual::service!(orders, auth = none).manifest().clone()
}

fn nasty() -> Manifest {
    Manifest::from_json(include_bytes!("nasty.json")).unwrap()
}

fn compare(service: &str, manifest: &Manifest) {
    for (name, language) in LANGUAGES {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens").join(service).join(name);
        let files = generate(manifest, language).unwrap();
        assert_eq!(files, generate(manifest, language).unwrap(), "the same manifest, the same files");
        for (path, text) in files.iter().filter(|(path, _)| !SHARED.iter().any(|it| path.ends_with(it))) {
            let file = folder.join(path);
            if std::env::var_os("UPDATE_EXPECT").is_some() {
                std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            }
            expect_file![file].assert_eq(text);
        }
        let names = made(&files[MARKER]).unwrap();
        assert!(
            names.iter().eq(files.keys().filter(|it| *it != MARKER).chain([&MARKER.to_owned()])),
            "{names:?}"
        );
    }
}

#[test]
fn the_order_example() {
    compare("orders", &orders());
}

#[test]
fn a_manifest_that_no_sane_person_writes() {
    compare("nasty", &nasty());
}

#[test]
fn a_marker_that_leads_out_of_its_folder_is_none() {
    for path in ["../x", "/x", "a//b", "a/../../b", "", "C:\\x"] {
        let text = serde_json::json!({ "generator": "eventual-sdk-gen 1", "files": [path] }).to_string();
        assert_eq!(made(&text), None, "{path}");
    }
    assert_eq!(made("{}"), None);
}
