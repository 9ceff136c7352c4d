//! Real programs in Node and Python, on the SDKs from npm and PyPI and the committed SDKs of the example, run on our engine
//! against the emulated AWS; the compiler's opinion of a misspelt command; and what Pulumi's metaschema says of our schemas.
//!
//! Our engine hosts both languages: it serves what the SDKs talk to, and starts the programs as the CLI's language hosts do.
//! `cargo xtask test` installs the SDKs and says where they are: `EVENTUAL_TEST_NODE_MODULES` and `EVENTUAL_TEST_PYTHON`.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

#[allow(dead_code, reason = "some of what is shared is for others")]
mod emulated;
#[path = "pulumi/engine/mod.rs"]
mod engine;
#[path = "pulumi/trace.rs"]
mod trace;

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use emulated::setting;
use engine::plugin::{Plugin, Started};
use engine::{Engine, Report};
use eventual_provider_wire::pulumirpc::parameterize_request::{Parameters, ParametersArgs};
use eventual_provider_wire::pulumirpc::{GetSchemaRequest, ParameterizeRequest};
use serde_json::{Value, json};

const TOKEN: &str = "hunter2hunter2";

fn modules() -> PathBuf {
    PathBuf::from(setting("EVENTUAL_TEST_NODE_MODULES"))
}

/// A folder of the example.
fn example(language: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/orders/pulumi").join(language)
}

fn languages() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pulumi/languages")
}

/// Runs a command; answers whether it ended well and all that it said.
fn run(command: &mut Command) -> (bool, String) {
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].map(|it| String::from_utf8_lossy(&it).into_owned()).concat();
    (output.status.success(), said)
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A copy of the example's Node program with its modules, as `npm install` lays them out.
fn node_project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in ["index.ts", "tsconfig.json", "package.json"] {
        std::fs::copy(example("node").join(file), folder.path().join(file)).unwrap();
    }
    let installed = folder.path().join("node_modules");
    std::fs::create_dir_all(installed.join("@pulumi")).unwrap();
    for entry in std::fs::read_dir(modules()).unwrap().map(Result::unwrap) {
        let name = entry.file_name();
        if name != "@pulumi" && !name.to_string_lossy().starts_with('.') {
            symlink(entry.path(), installed.join(name)).unwrap();
        }
    }
    symlink(modules().join("@pulumi/pulumi"), installed.join("@pulumi/pulumi")).unwrap();
    let sdk = installed.join("@pulumi/orders");
    copy(&example("node").join("sdks/orders"), &sdk);
    let (good, said) = tsc(&sdk, &[]);
    assert!(good, "the SDK does not compile: {said}");
    std::fs::copy(sdk.join("package.json"), sdk.join("bin/package.json")).unwrap();
    folder
}

fn tsc(folder: &Path, words: &[&str]) -> (bool, String) {
    let compiler = modules().join("typescript/bin/tsc");
    run(Command::new("node").arg(compiler).args(["-p", "."]).args(words).current_dir(folder))
}

async fn engine() -> Engine {
    let (key, secret) = (setting("AWS_ACCESS_KEY_ID"), setting("AWS_SECRET_ACCESS_KEY"));
    let endpoint = setting("EVENTUAL_TEST_ENDPOINT");
    let environment = [
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", key.as_str()),
        ("AWS_SECRET_ACCESS_KEY", secret.as_str()),
        ("AWS_REGION", "us-east-1"),
    ];
    Engine::new(tempfile::tempdir().unwrap(), &environment).await
}

/// The user's settings of the stack, as language hosts hand them over.
fn config(name: &str) -> String {
    let artifact = setting("EVENTUAL_TEST_ARTIFACT");
    json!({ "orders:name": name, "orders:artifact": artifact, "orders:apiToken": TOKEN }).to_string()
}

fn node(folder: PathBuf, name: &str, preview: bool) -> impl FnOnce(&str, &str) -> Command {
    let config = config(name);
    move |monitor, engine| {
        let mut command = Command::new("node");
        command.arg(modules().join("@pulumi/pulumi/cmd/run")).current_dir(&folder);
        command.args(["--monitor", monitor, "--engine", engine, "--project", "orders", "--stack", "test"]);
        command.args(["--parallel", "16", "--pwd"]).arg(&folder);
        if preview {
            command.arg("--dry-run");
        }
        command.arg("bin/index.js");
        command.envs([("PULUMI_NODEJS_PROJECT", "orders"), ("PULUMI_NODEJS_STACK", "test")]);
        command.env("PULUMI_CONFIG", config).env("PULUMI_CONFIG_SECRET_KEYS", r#"["orders:apiToken"]"#);
        command
    }
}

/// A program in Python beside the installed SDK of the example.
struct Python {
    folder: tempfile::TempDir,
}

impl Python {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::copy(example("python").join("__main__.py"), path("program.py")).unwrap();
        copy(&example("python").join("sdks/orders/pulumi_orders"), &path("pulumi_orders"));
        // What pip writes down of a package.
        std::fs::create_dir(path("pulumi_orders-0.1.0.dist-info")).unwrap();
        let metadata = "Metadata-Version: 2.1\nName: pulumi_orders\nVersion: 0.1.0\n";
        std::fs::write(path("pulumi_orders-0.1.0.dist-info/METADATA"), metadata).unwrap();
        Self { folder }
    }

    fn command(&self, name: &str, preview: bool) -> impl FnOnce(&str, &str) -> Command {
        let (folder, config) = (self.folder.path().to_owned(), config(name));
        move |monitor, engine| {
            let mut command = Command::new(setting("EVENTUAL_TEST_PYTHON"));
            command.arg(languages().join("program.py")).current_dir(&folder);
            command.args([monitor, engine, if preview { "true" } else { "false" }, "program.py"]);
            command.env("PYTHONPATH", &folder).env("PYTHONDONTWRITEBYTECODE", "1");
            command.env("PULUMI_CONFIG", config).env("PULUMI_CONFIG_SECRET_KEYS", r#"["orders:apiToken"]"#);
            command
        }
    }
}

fn assert_did(ran: &(Report, Value, String), did: &[&str]) {
    let (report, _, said) = ran;
    assert_eq!((report.did(), &report.errors), (did.to_vec(), &vec![]), "{said}");
    assert!(!said.contains(TOKEN), "a secret is shown: {said}");
}

fn assert_deployed(engine: &Engine, ran: &(Report, Value, String)) {
    let entry = engine.state.entry("orders").unwrap();
    assert_eq!(entry.outputs["commands"]["placeOrder"]["memoryMb"], 512.0);
    assert_eq!(entry.outputs["tasks"]["processPayment"]["memoryMb"], 256.0);
    assert!(engine::values::is_secret(&entry.inputs["environment"]["API_TOKEN"]), "{}", entry.inputs);
    assert!(ran.1["url"].as_str().is_some_and(|it| it.starts_with("http")), "exported: {}", ran.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_in_node_deploys_the_service() {
    let project = node_project();
    let (good, said) = tsc(project.path(), &[]);
    assert!(good, "{said}");
    let (mut engine, name) = (engine().await, format!("in-node-{}", std::process::id()));
    let folder = project.path().to_owned();
    let ran = engine.run(true, node(folder.clone(), &name, true)).await;
    assert_did(&ran, &["create"]);
    let ran = engine.run(false, node(folder.clone(), &name, false)).await;
    assert_did(&ran, &["create"]);
    assert_deployed(&engine, &ran);
    let ran = engine.run(false, node(folder, &name, false)).await;
    assert_did(&ran, &["same"]);
    let report = engine.destroy().await;
    assert_eq!(report.errors, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_in_python_deploys_the_service_and_is_told_what_is_misspelt() {
    let python = Python::new();
    let (mut engine, name) = (engine().await, format!("in-python-{}", std::process::id()));
    let ran = engine.run(false, python.command(&name, false)).await;
    assert_did(&ran, &["create"]);
    assert_deployed(&engine, &ran);
    let ran = engine.run(true, python.command(&name, true)).await;
    assert_did(&ran, &["same"]);

    // Nothing in Python stops it before Check does; what is below an unknown key is passed on as it was written.
    let file = python.folder.path().join("program.py");
    let program = std::fs::read_to_string(&file).unwrap();
    for (right, wrong, at, nearest) in [
        ("\"place_order\"", "\"plce_order\"", "commands.plce_order: ", "placeOrder"),
        ("\"memory_mb\": 512", "\"memry_mb\": 512", "commands.placeOrder.memry_mb: ", "memoryMb"),
    ] {
        assert!(program.contains(right));
        std::fs::write(&file, program.replace(right, wrong)).unwrap();
        let (report, _, said) = engine.run(true, python.command(&name, true)).await;
        let told = report.errors.iter().any(|it| it.contains(at) && it.contains(nearest));
        assert!(told, "{:?}\n{said}", report.errors);
    }
    let report = engine.destroy().await;
    assert_eq!(report.errors, [""; 0]);
}

#[test]
fn a_misspelt_command_is_an_error_of_the_compiler_on_its_line() {
    let project = node_project();
    let (good, said) = tsc(project.path(), &["--noEmit"]);
    assert!(good, "{said}");
    let file = project.path().join("index.ts");
    let program = std::fs::read_to_string(&file).unwrap();
    for (right, wrong) in [
        ("placeOrder: {", "plceOrder: {"),
        ("processPayment: {", "procesPayment: {"),
        ("payAnnounced: {", "payAnounced: {"),
        ("memoryMb: 512", "memoryMB: 512"),
    ] {
        let line = program.lines().position(|it| it.contains(right)).unwrap() + 1;
        std::fs::write(&file, program.replacen(right, wrong, 1)).unwrap();
        let (good, said) = tsc(project.path(), &["--noEmit"]);
        assert!(!good && said.lines().filter(|it| it.contains("error TS")).count() == 1, "{wrong}: {said}");
        assert!(said.contains(&format!("index.ts({line},")), "{wrong} is on line {line}: {said}");
        assert!(said.contains(&format!("'{}'", wrong.split(':').next().unwrap())), "{said}");
    }
}

/// The schema of the package of the example, made from its artifact.
async fn typed_schema() -> Value {
    let folder = tempfile::tempdir().unwrap();
    let mut plugin = Plugin::start(folder.path(), Started::ByEngine("127.0.0.1:9"), &[]).await;
    let args = vec![setting("EVENTUAL_TEST_ARTIFACT")];
    let request = ParameterizeRequest { parameters: Some(Parameters::Args(ParametersArgs { args })) };
    plugin.client.parameterize(request).await.unwrap();
    let request = GetSchemaRequest { subpackage_name: "orders".to_owned(), ..GetSchemaRequest::default() };
    let schema = plugin.client.get_schema(request).await.unwrap().into_inner().schema;
    plugin.end().await;
    serde_json::from_str(&schema).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_committed_sdks_are_of_this_artifact_and_of_this_schema() {
    let schema = typed_schema().await;
    let parameter = schema["parameterization"]["parameter"].as_str().unwrap();
    let again = "run `pulumi package add` in examples/orders/pulumi again";
    let read = |path: PathBuf| std::fs::read_to_string(path).unwrap();
    let node = example("node").join("sdks/orders");
    let python = example("python").join("sdks/orders/pulumi_orders");
    assert!(read(node.join("utilities.ts")).contains(parameter), "{again}");
    assert!(read(python.join("_utilities.py")).contains(parameter), "{again}");
    let service = read(node.join("service.ts"));
    let known = service.split(|c: char| !c.is_alphanumeric()).collect::<Vec<_>>();
    for properties in ["properties", "inputProperties"] {
        for (name, _) in schema["resources"]["orders:index:Service"][properties].as_object().unwrap() {
            assert!(known.contains(&name.as_str()), "{name}: {again}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pulumis_metaschema_takes_both_schemas() {
    let folder = tempfile::tempdir().unwrap();
    let metaschema = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pulumi/metaschema.json");
    let judge = |schema: &Value| {
        let file = folder.path().join("schema.json");
        std::fs::write(&file, schema.to_string()).unwrap();
        let mut command = Command::new("node");
        command.arg(languages().join("metaschema.js")).arg(&metaschema).arg(file).env("NODE_PATH", modules());
        let (good, said) = run(&mut command);
        assert!(good, "{said}");
        said
    };
    let general: Value = serde_json::from_str(include_str!("../schema.json")).unwrap();
    assert_eq!(judge(&general), "");
    assert_eq!(judge(&typed_schema().await), "");
    // It does refuse: otherwise the above means nothing.
    for (path, value) in
        [("/name", json!(7)), ("/resources", json!({ "no token": {} })), ("/version", json!("one"))]
    {
        let mut broken = general.clone();
        *broken.pointer_mut(path).unwrap() = value;
        assert!(!judge(&broken).is_empty(), "{path} is not looked at");
    }
}
