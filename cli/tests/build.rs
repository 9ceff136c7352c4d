//! `cargo eventual build` as a user runs it, on a small service in a workspace of its own. The runtime crate of that
//! workspace is a stand-in that keeps the two promises which the command relies on (handlers in the link section, the
//! manifest on standard output), so that this test builds in seconds; the real one is built by the end-to-end tests.

#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use eventual_schema::artifact;

const RUNTIME: &str = r###"
use std::io::Write;

#[used]
#[unsafe(link_section = ".eventual")]
static HANDLERS: [u8; 19] = *b"command\0placeOrder\0";

pub fn main(handlers: &str) {
    let json = format!(
        r##"{{"format":1,"service":"orders","version":"0.1.0","functions":[],"commands":[{handlers}]}}"##
    );
    match std::env::var("EVENTUAL_PRINT_MANIFEST") {
        Ok(_) if cfg!(feature = "aws") || cfg!(debug_assertions) => std::io::stdout().write_all(json.as_bytes()).unwrap(),
        Ok(_) => panic!("built for Lambda without the feature aws"),
        Err(_) => panic!("from {} in {:?}", file!(), HANDLERS.len()),
    }
}
"###;

const SERVICE: &str = r##"
fn main() {
    eventual::main(r#"{"name":"placeOrder","input":null,"output":{},"source":{"file":"src/main.rs","line":1}}"#);
}
"##;

/// A workspace with one service, in a folder of its own.
struct Checkout {
    folder: tempfile::TempDir,
}

impl Checkout {
    fn new(service: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("Cargo.toml", "[workspace]\nresolver = '3'\nmembers = ['orders', 'runtime']\n");
        write(
            "runtime/Cargo.toml",
            "[package]\nname = 'eventual-runtime'\nversion = '0.1.0'\nedition = '2024'\n[lib]\nname = 'eventual'\n[features]\naws = []\n",
        );
        write("runtime/src/lib.rs", RUNTIME);
        write(
            "orders/Cargo.toml",
            "[package]\nname = 'orders'\nversion = '0.1.0'\nedition = '2024'\n[dependencies]\neventual = { package = 'eventual-runtime', path = '../runtime' }\n",
        );
        write("orders/src/main.rs", service);
        Self { folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn build(&self, options: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-eventual"));
        // What cargo sets for this test, or a developer for this repository, is not for the workspace that it builds.
        for name in ["CARGO_TARGET_DIR", "CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS", "CARGO_BUILD_TARGET"] {
            command.env_remove(name);
        }
        command.args(["eventual", "build"]).args(options).current_dir(self.path()).output().unwrap()
    }

    /// Builds and opens what standard output names.
    fn built(&self, options: &[&str]) -> (PathBuf, artifact::Opened) {
        let output = self.build(options);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        assert!(said.contains("service orders 0.1.0: 1 command"), "{said}");
        let path = PathBuf::from(String::from_utf8(output.stdout).unwrap().trim());
        let opened = artifact::open(&path).unwrap();
        (path, opened)
    }
}

#[test]
fn a_client_is_generated_from_sources() {
    let checkout = Checkout::new(SERVICE);
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-eventual"));
    for name in ["CARGO_TARGET_DIR", "CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS", "CARGO_BUILD_TARGET"] {
        command.env_remove(name);
    }
    command.args(["eventual", "sdk", "--package", "orders", "--lang", "typescript", "--out", "client"]);
    let output = command.current_dir(checkout.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let client = std::fs::read_to_string(checkout.path().join("client/src/client.ts")).unwrap();
    assert!(client.contains("placeOrder(options?: CallOptions): Promise<unknown>"), "{client}");
}

#[test]
fn two_checkouts_give_the_same_bytes_and_no_path_of_this_machine() {
    let (one, other) = (Checkout::new(SERVICE), Checkout::new(SERVICE));
    let (path, opened) = one.built(&[]);
    assert_eq!(path, one.path().canonicalize().unwrap().join("target/eventual/orders.zip"));
    let elsewhere = other.path().join("made/here.zip");
    let (asked, again) = other.built(&["-p", "orders", "--out", elsewhere.to_str().unwrap()]);
    assert_eq!(asked, elsewhere);
    assert_eq!(opened.sha256, again.sha256);
    let bootstrap = std::fs::read(
        one.path().join(format!("target/{}-unknown-linux-gnu/lambda/orders", std::env::consts::ARCH)),
    )
    .unwrap();
    let place = one.path().to_str().unwrap().as_bytes();
    assert!(
        !bootstrap.windows(place.len()).any(|it| it == place),
        "the binary names {}",
        one.path().display()
    );
    assert!(one.build(&[]).status.success(), "a second build of the same");
    assert_eq!(artifact::open(&path).unwrap().sha256, opened.sha256);
}

#[test]
fn what_cargo_and_the_binary_say_reaches_the_user() {
    let broken = Checkout::new("fn main() { nothing }");
    let output = broken.build(&[]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("cannot find value `nothing`") && said.contains("cargo could not build orders"),
        "{said}"
    );
    assert_eq!(output.status.code(), Some(101), "the exit code of cargo");
    let refusing = Checkout::new(
        "fn main() { let _ = eventual::main as fn(&str); eprintln!(\"two commands are named placeOrder\"); std::process::exit(1) }",
    );
    let output = refusing.build(&[]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("two commands are named placeOrder\n"), "{said}");
    assert!(said.contains("could not describe the service"), "{said}");
    assert!(output.stdout.is_empty() && !refusing.path().join("target/eventual/orders.zip").exists());
}

#[test]
fn a_manifest_that_hides_a_handler_is_refused() {
    let hiding = Checkout::new("fn main() { eventual::main(\"\"); }");
    let output = hiding.build(&[]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("only in bootstrap: command placeOrder"), "{said}");
    assert_eq!(output.status.code(), Some(1));
}
