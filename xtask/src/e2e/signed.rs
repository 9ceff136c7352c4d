//! A service that only AWS credentials open, called by the generated clients and from Rust with credentials that Terraform lent.
//! Deliberately nothing else of the clients: what they do without signatures, the stage `sdk` tests.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use super::stand::{ORDERS, Stand};
use crate::failure::{Context, Result, require};
use crate::process::{self, Terms};
use crate::terraform::Terraform;
use crate::{npm, venv};

/// Longest run of one program.
const LIMIT: Terms = Terms::seconds(120);
/// Longest build and run of the program in Rust.
const BUILD: Terms = Terms::seconds(1200);
/// The programs, by language.
const PROGRAMS: &str = "xtask/sdk";

/// Writes down credentials that may use the service and do nothing else.
const CALLER: &str = r#"
ephemeral "eventual_service_credentials" "caller" {
  service     = eventual_service.orders.name
  permissions = ["invoke", "start_execution"]
}

resource "terraform_data" "caller" {
  provisioner "local-exec" {
    command = "umask 077 && printf '%s %s %s' \"$KEY\" \"$SECRET\" \"$TOKEN\" > caller"
    environment = {
      KEY    = ephemeral.eventual_service_credentials.caller.access_key_id
      SECRET = ephemeral.eventual_service_credentials.caller.secret_access_key
      TOKEN  = ephemeral.eventual_service_credentials.caller.session_token
    }
  }
}
"#;

/// Where the service is and who calls it.
struct Callee {
    url: String,
    endpoint: String,
    system: String,
    credentials: [(&'static str, String); 3],
}

/// Deploys it, calls it from three languages, destroys it.
pub(super) fn calls(stand: &Stand<'_>) -> Result<()> {
    let terraform = stand.orders_module("signed")?;
    // Its code lets everybody in; what the deployment says of a command wins.
    let iam = json!({ "auth": { "type": "iam" } });
    let commands = json!({ "placeOrder": iam, "getOrder": iam });
    terraform.amend("orders", &json!({ "defaults": { "timeout": 5 }, "commands": commands }))?;
    terraform.apply()?;
    let called = callee(stand, &terraform).and_then(|callee| {
        python(stand, &callee)?;
        typescript(stand, &callee)?;
        rust(stand, &callee)
    });
    terraform.destroy()?;
    called
}

fn callee(stand: &Stand<'_>, terraform: &Terraform) -> Result<Callee> {
    terraform.write("caller.tf", CALLER)?;
    terraform.apply()?;
    let lent = fs::read_to_string(terraform.folder().join("caller")).context("the credentials")?;
    let mut lent = lent.split(' ').map(str::to_owned);
    let mut next = |name| lent.next().filter(|it| it.len() > 5).map(|it| (name, it)).context(name);
    let credentials =
        [next("AWS_ACCESS_KEY_ID")?, next("AWS_SECRET_ACCESS_KEY")?, next("AWS_SESSION_TOKEN")?];
    let state = terraform.state(ORDERS)?;
    let host = state["url"].as_str().context("the service has no URL")?.trim_start_matches("http://");
    let api = host.split('.').next().context("the host of an API")?;
    let endpoint = stand.site.emulator.endpoint();
    // Under its host not every system would find it.
    let url = format!("{endpoint}/_aws/execute-api/{api}/$default");
    Ok(Callee { url, endpoint, system: "signed-system:live".to_owned(), credentials })
}

/// Runs a program of the languages whose clients are generated; all its checks must hold.
fn run(program: &mut Command, callee: &Callee, checks: usize) -> Result<()> {
    program.args([&callee.url, &callee.endpoint, &callee.system]).envs(callee.credentials.clone());
    let done = process::run(program, LIMIT)?.success("a program that signs")?;
    let held = done.stdout.lines().filter(|it| it.starts_with("ok ")).count();
    require(held == checks, || format!("{held} of {checks} checks held\n{}", done.all))
}

/// Generates the client from the artifact; answers its folder.
fn generated(stand: &Stand<'_>, language: &str) -> Result<PathBuf> {
    let folder = stand.site.folder(&format!("client-{language}"))?.join("orders-client");
    let mut command = Command::new(stand.site.places.target.join("debug/cargo-eventual"));
    command.args(["eventual", "sdk", "--lang", language, "--artifact"]).arg(stand.site.artifact("orders")?);
    process::run(command.arg("--out").arg(&folder), LIMIT)?.success("cargo eventual sdk")?;
    Ok(folder)
}

fn copied(from: &Path, names: &[&str], to: &Path) -> Result<()> {
    fs::create_dir_all(to).context(to.display())?;
    for name in names {
        fs::copy(from.join(name), to.join(name)).context(name)?;
    }
    Ok(())
}

fn python(stand: &Stand<'_>, callee: &Callee) -> Result<()> {
    let places = &stand.site.places;
    let python = venv::python(places, "sdk-venv", &format!("{PROGRAMS}/python/requirements.txt"), false)?;
    let client = generated(stand, "python")?;
    let programs = places.root.join(PROGRAMS).join("python");
    let path = std::env::join_paths([&client.join("src"), &programs]).context("a folder of Python")?;
    let mut program = Command::new(python);
    program.arg(programs.join("signed.py")).env("PYTHONPATH", path).env("PYTHONDONTWRITEBYTECODE", "1");
    run(&mut program, callee, 6)
}

fn typescript(stand: &Stand<'_>, callee: &Callee) -> Result<()> {
    let places = &stand.site.places;
    let modules = npm::modules(places, "sdk-npm", &format!("{PROGRAMS}/typescript"), false)?;
    let compile = |folder: &Path| {
        let mut command = Command::new("node");
        let command = command.arg(modules.join("typescript/bin/tsc")).arg("--project").arg(folder);
        process::run(command, LIMIT)?.success("tsc").map(drop)
    };
    let client = generated(stand, "typescript")?;
    compile(&client)?;
    let folder = stand.site.folder("client-typescript")?;
    let installed = folder.join("node_modules");
    fs::create_dir_all(&installed).context(installed.display())?;
    symlink(&client, installed.join("orders-client")).context(client.display())?;
    let programs = folder.join("programs");
    let from = places.root.join(PROGRAMS).join("typescript");
    copied(&from, &["checks.ts", "signed.ts", "tsconfig.json", "package.json"], &programs)?;
    compile(&programs)?;
    run(Command::new("node").arg(programs.join("dist/signed.js")), callee, 5)
}

fn rust(stand: &Stand<'_>, callee: &Callee) -> Result<()> {
    let mut cargo = stand.site.places.cargo();
    cargo.args(["test", "--package", "orders", "--test", "deployed", "--", "--nocapture"]);
    cargo.env("EVENTUAL_TEST_SERVICE", &callee.url).env("EVENTUAL_TEST_ENDPOINT", &callee.endpoint);
    cargo.env("EVENTUAL_TEST_SYSTEM", &callee.system).envs(callee.credentials.clone());
    let done = process::run(&mut cargo, BUILD)?.success("the program in Rust")?;
    let passed = done.all.contains("1 passed") && !done.all.contains("NOT called");
    require(passed, || done.all.clone())
}
