//! The example's programs in YAML, Node and Python on the real Pulumi CLI, where there is one: `package add` writes the SDKs that
//! are committed, and each program lives a life on the emulated AWS (`cargo xtask test --only cloud`).
//!
//! Without the CLI, a language's host or the emulator each test says what did not run. `package add` installs from npm and
//! PyPI, as it does for users.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Stack, TOKEN, on_path, plugin};

/// A folder of the example.
fn example(language: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/orders/pulumi").join(language)
}

/// A project with the artifact of the example beside it, on the emulated AWS; `None` where something is missing, which is
/// said. `name` is the deployment's.
#[allow(clippy::print_stdout, reason = "whether the CLI was there belongs to the result")]
fn project(language: &str, host: &str, name: &str) -> Option<Stack> {
    let settings = ["EVENTUAL_TEST_ENDPOINT", "EVENTUAL_TEST_ARTIFACT"].map(std::env::var);
    let [Ok(endpoint), Ok(artifact)] = settings else {
        println!(
            "the example in {language} did NOT run: it needs the emulated AWS, `cargo xtask test --only cloud`"
        );
        return None;
    };
    if !on_path(host) {
        println!("the example in {language} did NOT run: {host} is not on the PATH");
        return None;
    }
    let stack = Stack::new(&endpoint)?;
    std::fs::copy(artifact, stack.path("orders.zip")).unwrap();
    std::fs::remove_file(stack.path("Pulumi.yaml")).unwrap();
    for file in std::fs::read_dir(example(language)).unwrap().map(Result::unwrap) {
        if file.file_type().unwrap().is_file() {
            std::fs::copy(file.path(), stack.path(&file.file_name().to_string_lossy())).unwrap();
        }
    }
    let name = format!("{name}-{}", std::process::id());
    for (key, value) in [("name", name.as_str()), ("artifact", "./orders.zip")] {
        stack.run(&["config", "set", key, value]).fine();
    }
    let secret = stack.run(&["config", "set", "--secret", "apiToken", TOKEN]);
    assert_eq!(secret.code, Some(0), "{}", secret.text);
    Some(stack)
}

/// Changes the text of a file of the project.
fn edit(stack: &Stack, file: &str, change: impl FnOnce(String) -> String) {
    let text = std::fs::read_to_string(stack.path(file)).unwrap();
    std::fs::write(stack.path(file), change(text)).unwrap();
}

/// The project file without the packages that it names, and with where our plugin is.
fn bare(text: &str) -> String {
    let kept = text.find("packages:").map_or(text, |at| &text[..at]);
    let folder = plugin().parent().unwrap().display().to_string();
    format!("{kept}plugins:\n  providers: [{{ name: eventual, path: {folder:?} }}]\n")
}

/// Adds the package of the service.
fn add(stack: &Stack) {
    edit(stack, "Pulumi.yaml", |text| bare(&text));
    stack.run(&["package", "add", &plugin().display().to_string(), "orders.zip"]).fine();
    let project = std::fs::read_to_string(stack.path("Pulumi.yaml")).unwrap();
    assert!(project.contains("source: eventual") && project.contains("- orders.zip"), "{project}");
}

/// All files below a folder, but for what compilers and installers made.
fn sources(folder: &Path, below: &str, found: &mut BTreeMap<String, Vec<u8>>) {
    const MADE: [&str; 5] = ["bin", "build", "node_modules", "pulumi_orders.egg-info", "__pycache__"];
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type().unwrap().is_file() {
            found.insert(format!("{below}{name}"), std::fs::read(entry.path()).unwrap());
        } else if !MADE.contains(&name.as_str()) {
            sources(&entry.path(), &format!("{below}{name}/"), found);
        }
    }
}

/// The SDK that `package add` wrote is the committed one, file by file.
fn assert_committed(stack: &Stack, language: &str) {
    let files = |folder: &Path| {
        let mut found = BTreeMap::new();
        sources(folder, "", &mut found);
        found
    };
    let (written, committed) =
        (files(&stack.path("sdks/orders")), files(&example(language).join("sdks/orders")));
    let names = |of: &BTreeMap<String, Vec<u8>>| of.keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        names(&written),
        names(&committed),
        "run `pulumi package add` in the example in {language} again"
    );
    for (name, text) in written {
        let same = text == committed[&name];
        assert!(same, "{name}: run `pulumi package add` in the example in {language} again");
    }
}

/// Preview, creation, nothing to do, a change of one function by configuration, and the end.
fn lives(stack: &Stack, overridden: &str) {
    assert!(stack.run(&["preview"]).fine().contains("2 to create"));
    assert!(stack.up(&[]).fine().contains("2 created"));
    stack.assert_settled();
    let url = stack.run(&["stack", "output", "url"]).fine();
    assert!(url.starts_with("http"), "{url}");
    stack.run(&["config", "set", "paymentMemoryMb", "320"]).fine();
    let shown = stack.run(&["preview", "--diff"]).fine();
    assert!(shown.contains("memoryMb") && shown.contains("1 to update"), "{shown}");
    stack.up(&[]).fine();
    stack.assert_settled();
    assert_eq!(stack.outputs_of(overridden)["tasks"]["processPayment"]["memoryMb"], 320.0);
}

fn ends(stack: &Stack) {
    stack.run(&["destroy", "--yes", "--skip-preview"]).fine();
    stack.run(&["stack", "rm", "--yes"]).fine();
}

/// The program with another text says so at once.
fn assert_refused(stack: &Stack, file: &str, right: &str, wrong: &str, says: &[&str]) {
    let text = std::fs::read_to_string(stack.path(file)).unwrap();
    assert!(text.contains(right), "{right} is not in {file}");
    std::fs::write(stack.path(file), text.replacen(right, wrong, 1)).unwrap();
    let said = stack.run(&["preview"]).failed();
    assert!(says.iter().all(|it| said.contains(it)), "{wrong} is told as {says:?}: {said}");
    std::fs::write(stack.path(file), text).unwrap();
}

#[test]
fn the_example_in_yaml_lives_with_the_general_package_and_with_its_own() {
    let Some(stack) = project("yaml", "pulumi-language-yaml", "cli-yaml") else { return };
    edit(&stack, "Pulumi.yaml", |text| {
        bare(&text.replace("../../../../target/eventual/orders.zip", "./orders.zip"))
    });
    let commands = "      commands:\n        placeOrder: { memoryMb: 512 }\n      tags:";
    edit(&stack, "Pulumi.yaml", |text| text.replace("      tags:", commands));
    lives(&stack, "eventual:index:Service");
    let misspelt = &["commands.plceOrder: ", "placeOrder"];
    assert_refused(&stack, "Pulumi.yaml", "placeOrder:", "plceOrder:", misspelt);
    ends(&stack);

    stack.run(&["stack", "init", "dev"]).fine();
    let name = format!("cli-typed-{}", std::process::id());
    stack.run(&["config", "set", "name", &name]).fine();
    let program = std::fs::read_to_string(stack.path("Pulumi.yaml")).unwrap();
    stack.run(&["package", "add", &plugin().display().to_string(), "orders.zip"]).fine();
    edit(&stack, "Pulumi.yaml", |text| text.replace("eventual:index:Service", "orders:index:Service"));
    let declared = std::fs::read_to_string(stack.path("Pulumi.yaml")).unwrap();
    assert!(declared.contains("packages:") && !program.contains("packages:"), "{declared}");
    lives(&stack, "orders:index:Service");
    let misspelt = &["Existing properties are", "placeOrder"];
    assert_refused(&stack, "Pulumi.yaml", "placeOrder:", "plceOrder:", misspelt);
    ends(&stack);
}

#[test]
fn the_example_in_node_lives_with_the_package_that_the_cli_adds() {
    let Some(stack) = project("node", "pulumi-language-nodejs", "cli-node") else { return };
    // The versions that are tested elsewhere, too; the package itself is what is added.
    let languages = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pulumi/languages/package.json");
    std::fs::copy(languages, stack.path("package.json")).unwrap();
    add(&stack);
    assert_committed(&stack, "node");
    lives(&stack, "orders:index:Service");
    let misspelt = &["index.ts(", "plceOrder", "CommandsArgs"];
    assert_refused(&stack, "index.ts", "placeOrder: {", "plceOrder: {", misspelt);
    ends(&stack);
}

#[test]
fn the_example_in_python_lives_with_the_package_that_the_cli_adds() {
    let Some(stack) = project("python", "pulumi-language-python", "cli-python") else { return };
    let languages = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pulumi/languages/requirements.in");
    std::fs::copy(languages, stack.path("requirements.txt")).unwrap();
    add(&stack);
    assert_committed(&stack, "python");
    lives(&stack, "orders:index:Service");
    let misspelt = &["commands.plce_order: ", "placeOrder"];
    assert_refused(&stack, "__main__.py", "\"place_order\"", "\"plce_order\"", misspelt);
    ends(&stack);
}
