//! `cargo eventual sdk` as a user runs it, on a manifest in a file: what it writes, and what it leaves alone.

#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    /// With the manifest of a service that has these commands.
    fn new(commands: &[&str]) -> Self {
        let desk = Self { folder: tempfile::tempdir().unwrap() };
        desk.declare(commands);
        desk
    }

    fn declare(&self, commands: &[&str]) {
        let commands: Vec<_> = commands
            .iter()
            .map(|it| serde_json::json!({ "name": it, "input": { "type": "string" }, "output": {}, "source": { "file": "a", "line": 1 } }))
            .collect();
        let manifest = serde_json::json!({ "format": 1, "service": "shop", "version": "0.1.0", "functions": [], "commands": commands });
        fs::write(self.path("eventual.json"), manifest.to_string()).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn sdk(&self, out: &str, options: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-eventual"));
        command.args(["eventual", "sdk", "--manifest", "eventual.json", "--out", out]).args(options);
        command.current_dir(self.folder.path()).output().unwrap()
    }
}

fn fails(output: &Output, words: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && said.starts_with("error: ") && said.contains(words), "{said}");
}

fn succeeds(output: &Output, out: &str) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{out}\n"));
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

#[test]
fn a_folder_is_written_again_and_what_is_no_longer_made_goes() {
    let desk = Desk::new(&["place"]);
    succeeds(&desk.sdk("clients/shop", &["--lang", "typescript"]), "clients/shop");
    assert!(text(&desk.path("clients/shop/src/client.ts")).contains("place(input: string"));
    succeeds(&desk.sdk("clients/shop", &["--lang", "typescript", "--check"]), "clients/shop");
    fs::write(desk.path("clients/shop/notes.txt"), "mine").unwrap();
    let before = fs::metadata(desk.path("clients/shop/src/runtime.ts")).unwrap().modified().unwrap();

    desk.declare(&["place", "cancel"]);
    fails(&desk.sdk("clients/shop", &["--lang", "typescript", "--check"]), "src/client.ts");
    succeeds(&desk.sdk("clients/shop", &["--lang", "typescript"]), "clients/shop");
    assert!(text(&desk.path("clients/shop/src/client.ts")).contains("cancel(input: string"));
    let after = fs::metadata(desk.path("clients/shop/src/runtime.ts")).unwrap().modified().unwrap();
    assert_eq!(before, after, "what is equal is not written");

    succeeds(&desk.sdk("clients/shop", &["--lang", "python"]), "clients/shop");
    assert!(!desk.path("clients/shop/src/client.ts").exists(), "the other language's files are gone");
    assert!(desk.path("clients/shop/src/shop_client/client.py").exists());
    assert_eq!(text(&desk.path("clients/shop/notes.txt")), "mine");
}

#[test]
fn folders_of_others_are_left_alone() {
    let desk = Desk::new(&["place"]);
    fs::create_dir(desk.path("src")).unwrap();
    fs::write(desk.path("src/package.json"), "{}").unwrap();
    fails(&desk.sdk("src", &["--lang", "typescript"]), "src holds something else than a generated client");
    assert_eq!(text(&desk.path("src/package.json")), "{}");
    // A marker that was tampered with does not make this command remove files elsewhere.
    let marker = r#"{"generator": "eventual-sdk-gen 0.1.0", "files": ["../eventual.json"]}"#;
    fs::write(desk.path("src/eventual-sdk.json"), marker).unwrap();
    fails(&desk.sdk("src", &["--lang", "typescript"]), "holds something else");
    assert!(desk.path("eventual.json").exists());
    fails(&desk.sdk("new", &["--lang", "terraform", "--check"]), "main.tf");
    assert!(!desk.path("new").exists(), "a check writes nothing");
}

#[test]
fn what_is_wrong_with_a_manifest_is_said_with_its_place() {
    let desk = Desk::new(&["place"]);
    let manifest = text(&desk.path("eventual.json")).replace("\"string\"", "\"strang\"");
    fs::write(desk.path("eventual.json"), manifest).unwrap();
    fails(&desk.sdk("out", &["--lang", "python"]), "#/commands/place/input/type: \"strang\" is no type");
    fs::write(desk.path("eventual.json"), r#"{"format": 2}"#).unwrap();
    fails(&desk.sdk("out", &["--lang", "python"]), "eventual.json: eventual.json has manifest format 2");
    fs::remove_file(desk.path("eventual.json")).unwrap();
    fails(&desk.sdk("out", &["--lang", "python"]), "cannot read eventual.json");
    assert!(!desk.path("out").exists());
}
