//! Manifests of random types: whatever the types, what is generated is whole, the same every time, and compiles. The compilers
//! are those of `cargo xtask test`, which names a folder in `EVENTUAL_TEST_CLIENTS` and compiles what is written there.
#![allow(clippy::unwrap_used, reason = "code of tests")]

use std::path::{Path, PathBuf};

use eventual_schema::Manifest;
use eventual_sdk_gen::{Files, Language, SdkError, generate};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

/// Names of fields, tags and types, most of which some language does not like.
const NAMES: &[&str] = &[
    "id",
    "order_id",
    "orderId",
    "OrderId",
    "type",
    "class",
    "self",
    "import",
    "None",
    "null",
    "str",
    "list",
    "dict",
    "Any",
    "Literal",
    "Error",
    "Promise",
    "Record",
    "constructor",
    "__proto__",
    "__init__",
    "toString",
    "2d",
    "a-b",
    "a b",
    "$ref",
    "\"",
    "\\",
    "*/",
    "\"\"\"",
    "é",
    "Order",
    "Card",
    "T0",
    "T1",
    "T2",
    "T3",
    "NotRequired",
    "TypedDict",
    "final",
    "Map",
    "Date",
    "string",
    "number",
    "undefined",
    "unknown",
    "any",
    "symbol",
    "object",
    "bytes",
    "int",
    "float",
    "bool",
    "",
];

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(NAMES).prop_map(str::to_owned)
}

fn leaf(types: usize) -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => (0..types).prop_map(|it| json!({ "$ref": format!("#/schemas/T{it}") })),
        2 => prop::sample::select(vec!["string", "integer", "number", "boolean", "null"]).prop_map(|it| json!({ "type": it })),
        1 => prop::sample::select(vec!["date-time", "date", "uuid", "byte", "email"])
            .prop_map(|it| json!({ "type": "string", "format": it, "minLength": 1 })),
        1 => name().prop_map(|it| json!({ "const": it, "description": it })),
        1 => prop::collection::vec(name(), 1..4).prop_map(|it| json!({ "type": "string", "enum": it })),
        1 => prop::sample::select(vec![json!(1), json!(-5), json!(true), json!(null), json!(1.5), json!([1]), json!({"a": 1})])
            .prop_map(|it| json!({ "const": it })),
        1 => prop::sample::select(vec![json!(true), json!(false), json!({}), json!({"type": "object"}), json!({"type": ["string", "null"]})]),
    ]
}

/// Some fields, some of them required, and what else there may be.
fn object(inner: impl Strategy<Value = Value> + Clone) -> impl Strategy<Value = Value> {
    let fields = prop::collection::vec((name(), inner.clone(), any::<bool>()), 0..5);
    let rest = prop_oneof![3 => Just(None), 1 => Just(Some(json!(false))), 1 => inner.prop_map(Some)];
    (fields, rest).prop_map(|(fields, rest)| {
        let required: Vec<&String> = fields.iter().filter(|it| it.2).map(|it| &it.0).collect();
        let mut schema = json!({ "type": "object", "required": required, "description": "Of */ and \"\"\".\n\n\\N{DASH}" });
        let properties: Map<String, Value> = fields.iter().map(|it| (it.0.clone(), it.1.clone())).collect();
        schema["properties"] = Value::Object(properties);
        if let Some(rest) = rest {
            schema["additionalProperties"] = rest;
        }
        schema
    })
}

fn schema(types: usize) -> impl Strategy<Value = Value> {
    leaf(types).prop_recursive(4, 24, 5, |inner| {
        let many = prop::collection::vec(inner.clone(), 1..5);
        prop_oneof![
            4 => object(inner.clone()),
            2 => (prop::sample::select(vec!["anyOf", "oneOf"]), many.clone()).prop_map(|(key, all)| json!({ key: all })),
            1 => (inner.clone(), inner.clone()).prop_map(|(one, other)| json!({ "allOf": [one, other] })),
            1 => inner.clone().prop_map(|it| json!({ "type": "array", "items": it, "minItems": 1 })),
            1 => (many, any::<bool>()).prop_map(|(all, closed)| {
                let count = all.len();
                let mut tuple = json!({ "type": "array", "prefixItems": all, "minItems": count });
                if closed {
                    tuple["maxItems"] = json!(count);
                }
                tuple
            }),
            1 => inner.clone().prop_map(|it| json!({ "type": "object", "additionalProperties": it })),
            // A tag that is added to another type, and common fields beside alternatives.
            1 => (name(), inner.clone()).prop_map(|(tag, it)| {
                let mut tagged = json!({ "type": "object", "properties": { "kind": { "const": tag } }, "required": ["kind"] });
                tagged["oneOf"] = json!([{ "type": "object", "properties": { "x": it }, "required": ["x"] }, { "type": "object" }]);
                tagged
            }),
        ]
    })
}

fn manifest(types: usize) -> impl Strategy<Value = Manifest> {
    let schemas = prop::collection::vec(schema(types), types);
    let methods = prop::sample::select(vec!["GET", "PUT", "POST", "DELETE", "PATCH"]);
    let commands = prop::collection::vec((schema(types), schema(types), schema(types), methods), 1..=types);
    (schemas, commands).prop_map(|(schemas, commands)| {
        let schemas: Map<String, Value> =
            schemas.into_iter().enumerate().map(|(index, it)| (format!("T{index}"), it)).collect();
        let at = json!({ "file": "src/lib.rs", "line": 1 });
        let commands = commands.into_iter().enumerate().map(|(index, (input, output, error, method))| {
            let route = json!({ "method": method, "path": format!("/c{index}") });
            json!({ "name": format!("c{index}"), "input": input, "output": output, "error": error, "route": route, "source": at })
        });
        let text = json!({
            "format": 1, "service": "random", "version": "0.0.0", "functions": [], "commands": commands.collect::<Vec<_>>(),
            "workflows": [{ "name": "run", "input": { "$ref": "#/schemas/T0" }, "output": { "$ref": "#/schemas/T1" }, "source": at }],
            "schemas": schemas,
        });
        Manifest::from_json(text.to_string().as_bytes()).unwrap()
    })
}

/// Takes out what makes no sense, such as a type that is nothing but itself, as often as something is found. Everything that
/// is found has a place.
fn sensible(mut manifest: Manifest) -> Manifest {
    for _ in 0..200 {
        let Err(SdkError { problems }) = generate(&manifest, Language::TypeScript) else { return manifest };
        for problem in problems {
            let mut place = problem.at.trim_start_matches("#/").split('/');
            match (place.next(), place.next()) {
                (Some("schemas"), Some(name)) => drop(manifest.schemas.insert(name.to_owned(), json!({}))),
                (Some("commands"), Some(name)) => manifest.commands.retain(|it| it.name.as_str() != name),
                _ => panic!("nobody can find {problem:?}"),
            }
        }
    }
    panic!("it never makes sense");
}

const LANGUAGES: [(&str, Language); 3] =
    [("python", Language::Python), ("terraform", Language::Terraform), ("typescript", Language::TypeScript)];

fn write(folder: &Path, files: &Files) {
    for (name, text) in files {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn every_manifest_has_one_client_or_a_reason(manifest in manifest(8)) {
        let manifest = sensible(manifest);
        for (_, language) in LANGUAGES {
            let files = generate(&manifest, language).unwrap();
            prop_assert_eq!(&files, &generate(&manifest.clone(), language).unwrap());
            prop_assert!(files.values().all(|it| it.is_empty() || it.ends_with('\n')));
        }
    }
}

/// Many types in one package, so that each compiler runs once. The same ones every time.
#[test]
fn many_types_are_written_for_the_compilers() {
    let mut runner = TestRunner::deterministic();
    let manifest = sensible(manifest(150).new_tree(&mut runner).unwrap().current());
    assert!(manifest.schemas.values().filter(|it| **it != json!({})).count() > 100, "most make sense");
    let Some(folder) = std::env::var_os("EVENTUAL_TEST_CLIENTS").map(PathBuf::from) else { return };
    for (name, language) in LANGUAGES {
        write(&folder.join(name), &generate(&manifest, language).unwrap());
    }
}
