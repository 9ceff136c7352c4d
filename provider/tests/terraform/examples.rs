//! The examples of the reference: those that Terraform 1.11 understands are valid configurations of this provider, and every
//! thing that the provider announces has its page.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use eventual_provider_wire::tfplugin6::{get_metadata, get_provider_schema};
use eventual_schema::artifact::pack;
use eventual_schema::digest::sha256_hex;
use eventual_schema::functions::default_functions;
use eventual_schema::{Manifest, deploy};
use object::write::Object;
use object::{Architecture, BinaryFormat, Endianness, SectionKind};
use serde_json::{Value, json};

use super::plugin::Plugin;
use super::site::Site;
use super::values::client;

fn registry() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("terraform")
}

/// Writes the artifact of a service with everything that the examples name.
fn write_shop(path: &Path) {
    let mut object = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
    let section = object.add_section(Vec::new(), deploy::LINK_SECTION.into(), SectionKind::ReadOnlyData);
    let pairs = b"command\0placeOrder\0command\0report\0task\0processPayment\0subscription\0sendReceipt\0workflow\0processOrder\0";
    object.append_section_data(section, pairs, 1);
    let bootstrap = object.write().unwrap();
    let handler = |name: &str| json!({ "name": name, "input": null, "output": {}, "source": { "file": "src/lib.rs", "line": 1 } });
    let manifest = json!({
        "format": 1, "service": "shop", "version": "0.1.0", "functions": [],
        "code": { "sha256": sha256_hex(&bootstrap), "architecture": "x86_64" },
        "commands": [handler("placeOrder"), handler("report")],
        "tasks": [handler("processPayment")],
        "workflows": [handler("processOrder")],
        "subscriptions": [{ "name": "sendReceipt", "event": "OrderPaid", "source": { "file": "src/lib.rs", "line": 1 } }],
        "events": [{ "name": "OrderPaid", "payload": {}, "source": { "file": "src/lib.rs", "line": 1 } }],
    });
    let mut manifest = Manifest::from_json(manifest.to_string().as_bytes()).unwrap();
    manifest.functions = default_functions(&manifest);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, pack(&bootstrap, &manifest).unwrap()).unwrap();
}

#[test]
fn the_examples_are_valid() {
    let examples = [
        "resources/eventual_service/resource.tf",
        "resources/eventual_service/everything.tf",
        "data-sources/eventual_service/data-source.tf",
        "ephemeral-resources/eventual_service_credentials/ephemeral-resource.tf",
        "functions/manifest/function.tf",
        "functions/artifact_hash/function.tf",
    ];
    let provider = std::fs::read_to_string(registry().join("examples/provider/provider.tf")).unwrap();
    for example in examples {
        let text = std::fs::read_to_string(registry().join("examples").join(example)).unwrap();
        // Other providers are not at hand; what they would get is an output instead.
        let text = text.split("\n# Let a role of ours").next().unwrap();
        let site = Site::bare();
        for service in ["orders", "shop"] {
            write_shop(&site.path(&format!("target/eventual/{service}.zip")));
        }
        // An override of the provider's place has no versions.
        let provider = provider.replace("version = \"~> 0.1\"", "");
        // What nobody says for the first example is said by the code of a real service.
        let text = text.replace(
            "artifact = \"target/eventual/orders.zip\"\n}",
            "artifact = \"target/eventual/orders.zip\"\n  defaults = { auth = { type = \"iam\" } }\n}",
        );
        site.write("main.tf", &format!("{provider}\n{text}"));
        assert_eq!(site.errors(), [""; 0], "{example}");
    }
}

#[test]
fn the_example_of_every_setting_of_the_provider_is_valid() {
    let text = std::fs::read_to_string(registry().join("examples/provider/everything.tf")).unwrap();
    let site = Site::bare();
    site.write("main.tf", &text.replace("version = \"~> 0.1\"", ""));
    assert_eq!(site.errors(), [""; 0]);
}

#[test]
fn the_full_example_names_every_setting() {
    let site = Site::new("", "");
    let output = site.terraform(&["providers", "schema", "-json"]);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let provider = &answer["provider_schemas"]["registry.terraform.io/eventual/eventual"];
    for (schema, example) in [
        (&provider["resource_schemas"]["eventual_service"], "resources/eventual_service/everything.tf"),
        (&provider["provider"], "provider/everything.tf"),
    ] {
        let text = std::fs::read_to_string(registry().join("examples").join(example)).unwrap();
        let mut settable = BTreeSet::new();
        settings(&schema["block"]["attributes"], &mut settable);
        // Aligned or not: a name, and what it is set to.
        let is_set = |name: &str| {
            text.split(['\n', '{', ',']).any(|it| {
                it.trim_start().strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('='))
            })
        };
        let missing: Vec<&String> = settable.iter().filter(|name| !is_set(name)).collect();
        assert!(missing.is_empty() && settable.len() > 5, "{example}: {missing:?}");
    }
}

/// Names of everything that a user can set, at any depth.
fn settings(attributes: &Value, names: &mut BTreeSet<String>) {
    for (name, attribute) in attributes.as_object().into_iter().flatten() {
        if attribute["computed"] != true {
            names.insert(name.clone());
            settings(&attribute["nested_type"]["attributes"], names);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_announced_has_its_page() {
    let plugin = Plugin::start(&[]);
    let mut client = client(&plugin).await;
    let has = client.get_metadata(get_metadata::Request {}).await.unwrap().into_inner();
    let schema = client.get_provider_schema(get_provider_schema::Request {}).await.unwrap().into_inner();
    let page = |folder: &str, name: &str| format!("{folder}/{}.md", name.trim_start_matches("eventual_"));
    let mut pages: BTreeSet<String> = BTreeSet::from(["index.md".to_owned()]);
    pages.extend(has.resources.iter().map(|it| page("resources", &it.type_name)));
    pages.extend(has.data_sources.iter().map(|it| page("data-sources", &it.type_name)));
    pages.extend(has.ephemeral_resources.iter().map(|it| page("ephemeral-resources", &it.type_name)));
    pages.extend(has.list_resources.iter().map(|it| page("list-resources", &it.type_name)));
    pages.extend(has.actions.iter().map(|it| page("actions", &it.type_name)));
    pages.extend(schema.functions.keys().map(|it| page("functions", it)));
    let missing: Vec<&String> =
        pages.iter().filter(|it| !registry().join("docs").join(it).is_file()).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(pages.len() >= 10, "{pages:?}");
}
