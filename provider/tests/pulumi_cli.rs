//! The real Pulumi CLI, where there is one: with `pulumi` and `pulumi-language-yaml` on the PATH, it drives the same life
//! of a service as our own engine does in the tests beside this one. Without them every test says that it did not run.
//!
//! What needs a cloud runs only with the emulated AWS (`cargo xtask test --only cloud`).
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]
#![allow(clippy::print_stdout, reason = "whether the CLI was there belongs to the result")]

#[path = "pulumi/cli/mod.rs"]
mod cli;
mod emulated;
#[path = "pulumi/fixtures.rs"]
mod fixtures;
#[path = "pulumi/sequences/mod.rs"]
mod sequences;
#[path = "pulumi/trace.rs"]
mod trace;

use cli::driver::Cli;
use cli::{Stack, plugin};
use serde_json::Value;

/// A project whose cloud only answers who we are.
async fn offline() -> Option<Stack> {
    let stack = Stack::new(&fixtures::identity().await)?;
    fixtures::write_artifact(&stack.path("orders.zip"), "0.1.0");
    Some(stack)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cli_finds_the_schemas_good() {
    let Some(stack) = offline().await else { return };
    let plugin = plugin().display().to_string();
    for words in
        [vec!["package", "get-schema", &plugin], vec!["package", "get-schema", &plugin, "orders.zip"]]
    {
        std::fs::write(stack.path("schema.json"), stack.run(&words).fine()).unwrap();
        stack.run(&["schema", "check", "schema.json"]).fine();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cli_shows_what_would_be_made_and_what_is_misspelt() {
    let Some(stack) = offline().await else { return };
    stack.write(
        "eventual:index:Service",
        "      name: orders\n      commands: { placeOrder: { memoryMb: 640 } }\n",
    );
    let text = stack.run(&["preview"]).fine();
    assert!(text.contains("2 to create"), "{text}");
    stack.write("eventual:index:Service", "      commands: { plceOrder: { memoryMb: 640 } }\n");
    let text = stack.run(&["preview"]).failed();
    assert!(text.contains("commands.plceOrder: ") && text.contains("placeOrder"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cli_adds_a_package_of_one_service() {
    let Some(stack) = offline().await else { return };
    let plugin = plugin().display().to_string();
    stack.run(&["package", "add", &plugin, "orders.zip"]).fine();
    let added = std::fs::read_to_string(stack.path("Pulumi.yaml")).unwrap();
    let declared = &added[added.find("packages:").unwrap()..];
    std::fs::write(stack.path("packages.yaml"), declared).unwrap();
    stack.write("orders:index:Service", "      commands: { placeOrder: { memoryMb: 640 } }\n");
    let text = stack.run(&["preview"]).fine();
    assert!(text.contains("2 to create"), "{text}");
    stack.write("orders:index:Service", "      commands: { plceOrder: { memoryMb: 640 } }\n");
    let text = stack.run(&["preview"]).failed();
    assert!(text.contains("Existing properties are") && text.contains("placeOrder"), "{text}");
}

/// A project on the emulated AWS, with the artifact of the example; `None` without one, which is said.
fn on_the_emulator() -> Option<Stack> {
    let (Ok(endpoint), Ok(artifact)) =
        (std::env::var("EVENTUAL_TEST_ENDPOINT"), std::env::var("EVENTUAL_TEST_ARTIFACT"))
    else {
        println!(
            "the life of a service did NOT run: it needs the emulated AWS, `cargo xtask test --only cloud`"
        );
        return None;
    };
    let stack = Stack::new(&endpoint)?;
    std::fs::copy(artifact, stack.path("orders.zip")).unwrap();
    Some(stack)
}

#[test]
fn a_service_lives_through_the_cli() {
    let Some(stack) = on_the_emulator() else { return };
    let name = format!("      name: cli-life-{}\n", std::process::id());
    stack.write("eventual:index:Service", &name);
    assert!(stack.run(&["preview"]).fine().contains("2 to create"));
    assert!(stack.up(&[]).fine().contains("2 created"));
    stack.assert_settled();
    let made = stack.outputs();

    // Without a program: the list by the schema's inputs, and the function.
    let plugin = plugin().display().to_string();
    let service = format!("cli-life-{}", std::process::id());
    let listed = ["do", "--package", &plugin, "eventual:index:Service", "list", "--name-prefix"];
    assert!(stack.run(&[&listed[..], &["cli-life-"]].concat()).fine().contains(&service));
    assert!(!stack.run(&[&listed[..], &["cli-lives-"]].concat()).fine().contains(&service));
    let found =
        stack.run(&["do", "--package", &plugin, "eventual:index:getService", "--name", &service]).fine();
    assert!(found.contains(made["url"].as_str().unwrap()), "{found}");

    // An override touches the one command, and is shown by its path.
    let overridden = format!("{name}      commands: {{ placeOrder: {{ memoryMb: 768 }} }}\n");
    stack.write("eventual:index:Service", &overridden);
    let text = stack.run(&["preview", "--diff"]).fine();
    assert!(text.contains("memoryMb") && text.contains("1 to update"), "{text}");
    stack.up(&[]).fine();
    stack.assert_settled();
    let now = stack.outputs();
    assert_eq!(now["incarnation"], made["incarnation"], "it is the same deployment");
    let children = |of: &Value| of["resources"].as_object().unwrap().clone();
    let changed: Vec<String> = children(&now)
        .into_iter()
        .filter(|(key, it)| made["resources"][key] != *it)
        .map(|(key, _)| key)
        .collect();
    assert_eq!(changed, ["function/command-placeOrder"]);

    stack.run(&["destroy", "--yes", "--skip-preview"]).fine();
    stack.run(&["stack", "rm", "--yes"]).fine();
}

async fn play(name: &str) {
    let (Ok(_), Some(stack)) = (std::env::var("EVENTUAL_TEST_ENDPOINT"), on_the_emulator()) else { return };
    let sequence = sequences::table().into_iter().find(|it| it.name == name).unwrap();
    let artifacts = ["0.1.0", "0.2.0"].map(|version| {
        fixtures::write_artifact(&stack.path("build.zip"), version);
        std::fs::read(stack.path("build.zip")).unwrap()
    });
    let played = sequences::play(&sequence, &mut Cli::new(stack, artifacts), "r").await;
    sequences::compare(name, &played, true);
}

sequences::each_is_a_test!(play);
