//! Values against schemas of the forms that schemars writes.

use serde_json::{Value, json};

use super::{Schemas, coerce, coerce_all, property, takes_object, validate};

fn schemas() -> Schemas {
    let all = json!({
        "Order": {
            "type": "object",
            "properties": {
                "id": {"type": "string", "minLength": 1, "maxLength": 5, "pattern": "^[a-z]+$"},
                "count": {"type": "integer", "format": "uint32", "minimum": 0},
                "note": {"type": ["string", "null"]},
                "items": {"type": "array", "items": {"$ref": "#/schemas/Item"}, "minItems": 1, "uniqueItems": true},
                "next": {"anyOf": [{"$ref": "#/schemas/Order"}, {"type": "null"}]},
            },
            "required": ["id", "count"],
            "additionalProperties": false,
        },
        "Item": {"type": "object", "properties": {"sku": {"type": "string"}}, "required": ["sku"]},
        "Pay": {"oneOf": [
            {"type": "string", "enum": ["Cash", "Later"]},
            {"type": "object", "properties": {"Card": {"$ref": "#/schemas/Item"}}, "required": ["Card"], "additionalProperties": false},
            {"type": "object", "properties": {"Bank": {"$ref": "#/schemas/Item"}}, "required": ["Bank"], "additionalProperties": false},
        ]},
        "Shape": {"oneOf": [
            {"type": "object", "properties": {"kind": {"type": "string", "const": "circle"}, "r": {"type": "number"}}, "required": ["kind", "r"]},
            {"type": "object", "properties": {"kind": {"type": "string", "const": "square"}, "a": {"type": "number"}}, "required": ["kind", "a"]},
        ]},
        "Loop": {"$ref": "#/schemas/Loop"},
    });
    serde_json::from_value(all).unwrap()
}

fn check(name: &str, value: &Value) -> Vec<String> {
    let schema = json!({"$ref": format!("#/schemas/{name}")});
    validate(value, &schema, &schemas()).iter().map(ToString::to_string).collect()
}

#[test]
fn everything_wrong_is_reported_at_its_path() {
    let value = json!({"id": "TOOLONG", "count": -1, "note": 3, "items": [{}, {"sku": 1}, {}], "nxt": 1});
    assert_eq!(
        check("Order", &value),
        [
            "count: must be at least 0, is -1",
            "id: must have at most 5 characters, has 7",
            "id: must match ^[a-z]+$",
            "items[0].sku: is missing",
            "items[1].sku: expected string, found 1",
            "items[2].sku: is missing",
            "items[2]: is there twice",
            "note: expected string or null, found 3",
            "nxt: is not expected; did you mean next?",
        ]
    );
}

#[test]
fn fitting_values_fit_falsy_ones_too() {
    assert_eq!(check("Order", &json!({"id": "a", "count": 0, "note": null, "next": null})), [""; 0]);
    assert_eq!(
        check("Order", &json!({"id": "a", "count": 0, "next": {"id": "b", "count": 1, "note": ""}})),
        [""; 0]
    );
    assert_eq!(check("Order", &json!({"id": "a", "count": 1.5})), ["count: expected integer, found 1.5"]);
    assert_eq!(check("Order", &json!(null)), ["expected object, found null"]);
}

#[test]
fn the_alternative_that_was_meant_explains_itself() {
    assert_eq!(
        check("Order", &json!({"id": "a", "count": 0, "next": {"id": "b"}})),
        ["next.count: is missing"]
    );
    assert_eq!(check("Pay", &json!("Cash")), [""; 0]);
    assert_eq!(
        check("Pay", &json!("Csh")),
        [r#"expected one of "Cash", "Later", "Card", "Bank", found "Csh""#]
    );
    assert_eq!(check("Pay", &json!({"Bank": {}})), ["Bank.sku: is missing"]);
    assert_eq!(check("Shape", &json!({"kind": "square", "a": "x"})), [r#"a: expected number, found "x""#]);
    assert_eq!(check("Shape", &json!({"kind": "oval"})), ["fits none of the alternatives"]);
}

#[test]
fn one_of_is_exclusive_and_endless_schemas_end() {
    let both = json!({"oneOf": [{"type": "integer"}, {"type": "number"}]});
    assert_eq!(
        validate(&json!(1), &both, &schemas())[0].message,
        "fits 2 alternatives, must fit exactly one"
    );
    assert_eq!(check("Loop", &json!(1)), ["nested too deeply"]);
    assert_eq!(check("Nowhere", &json!(1)).len(), 1);
    assert!(validate(&json!(1), &Value::Null, &schemas()).is_empty());
}

#[test]
fn tuples_maps_and_limits() {
    let tuple = json!({"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "minItems": 2, "maxItems": 2});
    assert!(validate(&json!(["a", 1]), &tuple, &schemas()).is_empty());
    assert_eq!(validate(&json!(["a", "b"]), &tuple, &schemas())[0].path, "[1]");
    let map = json!({"type": "object", "additionalProperties": {"type": "integer", "exclusiveMaximum": 3}, "maxProperties": 2});
    let problems = validate(&json!({"a": 1, "b": 3, "c": 2}), &map, &schemas());
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["must have at most 2 members, has 3", "b: must be less than 3, is 3"]);
}

#[test]
fn maps_whose_keys_are_numbers() {
    // What schemars writes for `BTreeMap<u32, u8>`.
    let map = json!({
        "type": "object", "additionalProperties": false,
        "patternProperties": {"^\\d+$": {"type": "integer", "minimum": 0}},
    });
    let check = |value: Value| -> Vec<String> {
        validate(&value, &map, &schemas()).iter().map(ToString::to_string).collect()
    };
    assert_eq!(check(json!({"1": 2, "30": 4})), [""; 0]);
    assert_eq!(check(json!({"1": -2, "a": 4})), ["1: must be at least 0, is -2", "a: is not expected"]);
}

#[test]
fn texts_become_what_the_schema_takes() {
    let all = schemas();
    let read = |text: &str, schema: Value| coerce(text, &schema, &all);
    assert_eq!(read("12", json!({"type": "integer"})), json!(12));
    assert_eq!(read("12", json!({"type": "string"})), json!("12"));
    assert_eq!(read("1.5", json!({"type": ["number", "null"]})), json!(1.5));
    assert_eq!(read("true", json!({"anyOf": [{"type": "boolean"}, {"type": "null"}]})), json!(true));
    assert_eq!(read("", json!({"type": ["integer", "null"]})), json!(null));
    assert_eq!(read("", json!({"type": ["string", "null"]})), json!(""));
    assert_eq!(read("x", json!({"type": "integer"})), json!("x"));
    assert_eq!(read("-4", json!({"type": "integer", "minimum": 0})), json!(-4));
    assert_eq!(read("[1]", json!({"type": "array"})), json!("[1]"));
    let many = json!({"type": "array", "items": {"type": "integer"}});
    assert_eq!(coerce_all(&["1", "2"], &many, &all), json!([1, 2]));
    assert_eq!(coerce_all(&["1", "2"], &json!({"type": "integer"}), &all), json!(2));
}

#[test]
fn properties_are_found_through_references_and_alternatives() {
    let all = schemas();
    let order = json!({"anyOf": [{"type": "null"}, {"$ref": "#/schemas/Order"}]});
    assert_eq!(property(&order, "id", &all).unwrap()["maxLength"], 5);
    assert!(property(&order, "other", &all).is_none());
    assert!(
        takes_object(&order, &all)
            && takes_object(&json!({}), &all)
            && !takes_object(&json!({"type": "string"}), &all)
    );
}
