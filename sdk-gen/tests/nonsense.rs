//! Manifests that make no sense: everything that is wrong is said at once, each with its place.
#![allow(clippy::unwrap_used, reason = "code of tests")]

use eventual_schema::Manifest;
use eventual_sdk_gen::{Language, generate};
use serde_json::{Value, json};

fn problems(commands: &Value, schemas: &Value) -> Vec<String> {
    let manifest = json!({
        "format": 1, "service": "s", "version": "1.0.0", "functions": [], "commands": commands, "schemas": schemas,
    });
    let manifest = Manifest::from_json(manifest.to_string().as_bytes()).unwrap();
    let error = generate(&manifest, Language::Python).unwrap_err();
    assert_eq!(generate(&manifest, Language::TypeScript).unwrap_err(), error);
    assert!(error.to_string().starts_with("the manifest makes no sense"), "{error}");
    error.problems.iter().map(ToString::to_string).collect()
}

#[test]
fn every_problem_has_its_place() {
    let schemas = json!({
        "A": { "type": "strin" },
        "B": { "type": "object", "properties": { "x/y": { "$ref": "#/schemas/Nobody" } } },
        "C": { "$ref": "#/schemas/D" },
        "D": { "anyOf": [{ "type": "null" }, { "$ref": "#/schemas/C" }] },
        "E": { "oneOf": [] },
        "F": { "properties": [1] },
        "G": { "type": "array", "items": 5 },
        "H": { "type": "object", "properties": { "next": { "allOf": [{ "$ref": "#/schemas/H" }, { "required": ["z"] }] } } },
        "I": { "enum": [] },
        "J": { "additionalProperties": { "$ref": "#/schemas/J" } },
        "K": { "additionalProperties": { "$ref": "#/schemas/K" } },
        "L": { "allOf": [{ "$ref": "#/schemas/J" }, { "$ref": "#/schemas/K" }] },
    });
    assert_eq!(
        problems(&json!([]), &schemas),
        [
            r#"#/schemas/A/type: "strin" is no type of JSON Schema"#,
            r##"#/schemas/B/properties/x~1y/$ref: refers to "#/schemas/Nobody", which is not among the manifest's schemas"##,
            "#/schemas/E/oneOf: there must be an alternative",
            "#/schemas/F/properties: properties are an object, not [1]",
            "#/schemas/G/items: a schema is an object, true or false, not 5",
            "#/schemas/H/properties/next: schema `H` is combined with itself without end",
            "#/schemas/I/enum: an enum is a list of values",
            "#/schemas/L: schema `J` is combined with another that refers to itself as well: write one schema that says both",
            "#/schemas/C: `C` is nothing but itself: a type that refers to itself needs an object or a list in between",
            "#/schemas/D: `D` is nothing but itself: a type that refers to itself needs an object or a list in between",
        ]
    );
}

#[test]
fn commands_are_checked_too() {
    let at = json!({ "file": "src/lib.rs", "line": 3 });
    let commands = json!([
        { "name": "get", "input": { "type": "thing" }, "output": true, "source": at },
        { "name": "put", "input": { "type": "object" }, "output": { "type": "array", "items": { "type": 1 } }, "source": at },
    ]);
    assert_eq!(
        problems(&commands, &json!({})),
        [
            r#"#/commands/get/input/type: "thing" is no type of JSON Schema"#,
            "#/commands/put/output/items/type: 1 is no type",
        ]
    );
    let twice = json!([
        { "name": "get", "input": null, "output": true, "source": at },
        { "name": "get", "input": null, "output": true, "source": at },
    ]);
    assert_eq!(
        problems(&twice, &json!({})),
        ["command `get` is declared twice: at src/lib.rs:3 and at src/lib.rs:3"]
    );
}
