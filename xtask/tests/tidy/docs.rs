//! What the README shows is what the tests run.

use std::fs;

use crate::tree;

fn readme() -> String {
    fs::read_to_string(tree::root().join("README.md")).expect("README.md is there")
}

/// The hello service of the README is `examples/hello`, to the letter.
#[test]
fn the_service_in_the_readme_is_the_example() {
    let example =
        fs::read_to_string(tree::root().join("examples/hello/src/main.rs")).expect("the example is there");
    let (_, service) = example.split_once("\n\n").expect("a header, then the service");
    assert!(
        readme().contains(&format!("```rust\n{}\n```", service.trim_end())),
        "README.md shows another service than examples/hello/src/main.rs has: copy all of it below its header"
    );
    let lines = service.trim().lines().count();
    assert!(lines <= 22, "the hello service has {lines} lines; it is to be taken in at a glance");
}

/// The commands that the README tells people to type are those that exist.
#[test]
fn the_commands_in_the_readme_are_the_commands_of_the_suite() {
    for command in [
        "cargo xtask demo",
        "cargo xtask test",
        "cargo eventual build --package orders",
        "--features eventual/local -- serve",
    ] {
        assert!(
            readme().contains(command),
            "README.md no longer says `{command}`, which the suite runs for it"
        );
    }
    let run = fs::read_to_string(tree::root().join(".ci/run")).expect(".ci/run is there");
    assert!(run.contains("cargo xtask test"), ".ci/run calls the README's test command");
}
