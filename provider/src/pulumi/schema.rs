//! The package schema of Pulumi, made from the declaration. SDKs, the YAML runtime and the registry's pages read it.

use std::collections::BTreeMap;

use eventual_provider_core::declaration::{
    Attribute, DEPLOYMENT, Kind, Mode, Object, lookup, provider, service,
};
use serde_json::{Map, Value, json};

use super::from_wire::{VIEWS, VIEWS_ARE};
use super::{functions, listing, names};

/// Version of the package and of the plugin.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Where the project lives.
const HOME: &str = "https://github.com/eventual/eventual";

/// Where its releases are, in Pulumi's words; the CLI names it when the plugin is missing.
const DOWNLOADS: &str = "github://api.github.com/eventual/eventual";

/// Outputs that a service may be without.
const NOT_ALWAYS: [&str; 11] = [
    "url",
    "event_bus_arn",
    "start_execution_json",
    "send_signal_json",
    "emit_events_json",
    "invoke_json",
    "system_function_arn",
    "manifest",
    DEPLOYMENT,
    "slowest",
    "slowest_ms",
];
/// What is not known either of one that is looked up and whose artifact cannot be read.
const NOT_ALWAYS_FOUND: [&str; 2] = ["artifact_sha256", "openapi_json"];

/// The schema as JSON, the same bytes every time, with a line feed at its end.
#[must_use]
pub(crate) fn json() -> String {
    text(package())
}

/// A schema as the same bytes every time.
pub(crate) fn text(schema: Value) -> String {
    let mut text = serde_json::to_string_pretty(&sorted(schema)).unwrap_or_default();
    text.push('\n');
    text
}

pub(crate) fn package() -> Value {
    let mut types = BTreeMap::new();
    for object in [provider(), service(), lookup()] {
        collect(object, &mut types);
    }
    let mut configuration = properties(provider(), |it| it.mode != Mode::Computed);
    configuration[VIEWS] = json!({ "type": "boolean", "description": VIEWS_ARE });
    json!({
        "name": "eventual",
        "displayName": "eventual",
        "version": VERSION,
        "description": "Deploys services that are written with eventual, each as one resource.",
        "keywords": ["pulumi", "eventual", "serverless", "workflow", "category/infrastructure", "kind/native"],
        "homepage": HOME,
        "repository": HOME,
        "publisher": "eventual",
        "pluginDownloadURL": DOWNLOADS,
        "license": env!("CARGO_PKG_LICENSE"),
        "meta": { "supportPack": true },
        "config": { "variables": configuration },
        "provider": {
            "description": names::prose(provider().description),
            "inputProperties": configuration,
        },
        "resources": { names::SERVICE: resource() },
        "functions": functions::schema(),
        "types": types,
        "language": {
            "nodejs": { "packageName": "@eventual/pulumi", "respectSchemaVersion": true },
            "python": { "packageName": "pulumi_eventual", "respectSchemaVersion": true, "pyproject": { "enabled": true } },
            "go": {
                "importBasePath": "github.com/eventual/eventual/sdk/go/eventual",
                "respectSchemaVersion": true,
                "generateResourceContainerTypes": true,
            },
            "csharp": { "respectSchemaVersion": true },
            "java": { "buildFiles": "gradle" },
        },
    })
}

fn resource() -> Value {
    let given = |it: &Attribute| it.mode != Mode::Computed;
    json!({
        "description": format!("{}\n\n{}", names::prose(service().description), include_str!("example.md")),
        "inputProperties": properties(service(), given),
        // A service without a name gets one: autonaming.
        "requiredInputs": required(service(), given).into_iter().filter(|it| it != "name").collect::<Vec<_>>(),
        "properties": properties(service(), |_| true),
        "required": required(service(), |_| true),
        "listInputs": listing::schema(),
    })
}

/// All objects below this one, by token. The object itself is a resource or the provider.
fn collect(object: &Object, types: &mut BTreeMap<String, Value>) {
    for attribute in names::attributes(object) {
        let mut kind = &attribute.kind;
        while let Kind::List(inner) | Kind::Map(inner) = kind {
            kind = inner;
        }
        if let Kind::Object(inner) = kind {
            types.entry(token(inner)).or_insert_with(|| {
                json!({
                    "type": "object",
                    "description": names::prose(inner.description),
                    "properties": properties(inner, |_| true),
                    "required": required(inner, |_| true),
                })
            });
            collect(inner, types);
        }
    }
}

/// The wanted properties of an object, as a type.
pub(crate) fn object(object: &Object, wanted: fn(&Attribute) -> bool) -> Value {
    json!({
        "type": "object",
        "properties": properties(object, wanted),
        "required": required(object, wanted),
    })
}

fn token(object: &Object) -> String {
    format!("eventual:index:{}", object.name)
}

fn properties(object: &Object, wanted: fn(&Attribute) -> bool) -> Value {
    let all = names::attributes(object).filter(|it| wanted(it));
    Value::Object(all.map(|it| (names::camel(it.name), property(object, it))).collect())
}

fn required(object: &Object, wanted: fn(&Attribute) -> bool) -> Vec<String> {
    let all = names::attributes(object).filter(|it| wanted(it));
    let always = all.filter(|it| match it.mode {
        Mode::Required => true,
        Mode::Optional => false,
        Mode::Computed => {
            let found = object.name != lookup().name || !NOT_ALWAYS_FOUND.contains(&it.name);
            found && !NOT_ALWAYS.contains(&it.name)
        }
    });
    always.map(|it| names::camel(it.name)).collect()
}

fn property(object: &Object, attribute: &Attribute) -> Value {
    let archive = names::is_archive(object, attribute);
    let mut spec = if archive { reference("pulumi.json#/Archive") } else { type_of(&attribute.kind) };
    let description = if archive {
        "The artifact, a `FileArchive` of the zip that `cargo eventual build` writes to `target/eventual/<service>.zip`.".to_owned()
    } else {
        names::prose(attribute.description)
    };
    spec.insert("description".to_owned(), json!(description));
    if attribute.sensitive {
        spec.insert("secret".to_owned(), json!(true));
    }
    if attribute.replace_on_change {
        spec.insert("willReplaceOnChanges".to_owned(), json!(true));
    }
    if !attribute.environment.is_empty() {
        spec.insert("defaultInfo".to_owned(), json!({ "environment": attribute.environment }));
    }
    Value::Object(spec)
}

fn type_of(kind: &Kind) -> Map<String, Value> {
    let plain = |name: &str| Map::from_iter([("type".to_owned(), json!(name))]);
    match kind {
        Kind::String => plain("string"),
        Kind::Bool => plain("boolean"),
        Kind::Number => plain("integer"),
        Kind::List(inner) => {
            let mut list = plain("array");
            list.insert("items".to_owned(), Value::Object(type_of(inner)));
            list
        }
        Kind::Map(inner) => {
            let mut map = plain("object");
            map.insert("additionalProperties".to_owned(), Value::Object(type_of(inner)));
            map
        }
        Kind::Object(object) => reference(&format!("#/types/{}", token(object))),
    }
}

fn reference(to: &str) -> Map<String, Value> {
    Map::from_iter([("$ref".to_owned(), json!(to))])
}

/// The value with the members of all objects in the order of their names, whatever keeps them.
fn sorted(value: Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        Value::Object(members) => {
            let ordered: BTreeMap<String, Value> =
                members.into_iter().map(|(key, it)| (key, sorted(it))).collect();
            Value::Object(ordered.into_iter().collect())
        }
        plain => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_schema_is_current() {
        expect_test::expect_file!["../../schema.json"].assert_eq(&json());
    }

    /// What the metaschema of Pulumi and the engine's binder ask for, as far as our schemas can get it wrong.
    #[test]
    fn types_are_there_and_names_are_allowed() {
        let schema = package();
        let types = schema["types"].as_object().unwrap();
        let service = &schema["resources"][names::SERVICE];
        let mut objects: Vec<(&str, &Value)> =
            types.iter().map(|(token, it)| (token.as_str(), &it["properties"])).collect();
        objects.extend([("inputs", &service["inputProperties"]), ("outputs", &service["properties"])]);
        objects.push(("configuration", &schema["config"]["variables"]));
        for (name, properties) in objects {
            assert!(!name.ends_with("Args"), "SDKs add that to {name}");
            for (key, property) in properties.as_object().unwrap() {
                assert!(!["id", "urn", "pulumi"].contains(&key.as_str()), "{key} is the engine's");
                assert!(key.chars().all(char::is_alphanumeric), "{key}");
                assert!(property["description"].as_str().is_some_and(|it| it.ends_with('.')), "{key}");
                assert_type(property, types);
            }
        }
        for (properties, required) in [("inputProperties", "requiredInputs"), ("properties", "required")] {
            for key in service[required].as_array().unwrap() {
                assert!(service[properties].get(key.as_str().unwrap()).is_some(), "{key}");
            }
        }
        assert_eq!(service["requiredInputs"], json!(["artifact"]));
        assert_eq!(service["inputProperties"]["artifact"]["$ref"], "pulumi.json#/Archive");
    }

    /// Every place of a program in every language, and nothing in it that the schema does not have.
    #[test]
    fn there_is_an_example_in_every_language() {
        let schema = package();
        let text = schema["resources"][names::SERVICE]["description"].as_str().unwrap();
        for language in ["yaml", "typescript", "python", "go", "csharp", "java"] {
            let block = text.split(&format!("```{language}\n")).nth(1).and_then(|it| it.split("```").next());
            let block = block.unwrap_or_else(|| panic!("no example in {language}"));
            assert!(
                ["orders.zip", "placeOrder", "512", "iam", "url"]
                    .iter()
                    .all(|it| block.to_lowercase().contains(&it.to_lowercase())),
                "{block}"
            );
        }
        for word in text.split(|c: char| !c.is_alphanumeric()) {
            let Some(name) = word.strip_suffix("Args").filter(|it| !it.is_empty() && *it != "Service") else {
                continue;
            };
            assert!(schema["types"].get(format!("eventual:index:{name}")).is_some(), "no type {name}");
        }
    }

    /// In Go all of a package is one namespace, and each token becomes several names in it.
    #[test]
    fn no_two_tokens_become_one_name() {
        let schema = package();
        let mut taken = BTreeMap::new();
        for (part, endings) in [
            ("types", ["", "Args", "Input", "Output", "Map", "Array"]),
            ("resources", ["", "Args", "Input", "Output", "Map", "State"]),
            ("functions", ["", "Args", "Result", "Output", "OutputArgs", "ResultOutput"]),
        ] {
            for token in schema[part].as_object().unwrap().keys() {
                let name = token.rsplit(':').next().unwrap();
                // Go's own look-up of a resource is `GetService`: the function becomes `LookupService`.
                let name = name.replacen("getService", "LookupService", 1);
                let pascal = name[..1].to_uppercase() + &name[1..];
                for ending in endings {
                    let before = taken.insert(format!("{pascal}{ending}"), token.clone());
                    assert!(before.is_none(), "{token} and {before:?} are both {pascal}{ending} in Go");
                }
            }
        }
    }

    fn assert_type(spec: &Value, types: &Map<String, Value>) {
        if let Some(reference) = spec["$ref"].as_str() {
            let known = reference.strip_prefix("#/types/").is_none_or(|token| types.contains_key(token));
            assert!(known, "{reference}");
            return;
        }
        match spec["type"].as_str().unwrap() {
            "array" => assert_type(&spec["items"], types),
            "object" => assert_type(&spec["additionalProperties"], types),
            plain => assert!(["string", "boolean", "integer"].contains(&plain), "{plain}"),
        }
    }
}
