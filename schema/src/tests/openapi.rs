//! The document of a small service, whole.

use expect_test::expect_file;
use serde_json::{Value, json};

use super::openapi;
use crate::Manifest;

fn manifest() -> Manifest {
    let source = json!({"file": "src/lib.rs", "line": 3});
    let manifest = json!({
        "format": 1, "service": "orders", "version": "0.1.0", "functions": [],
        "commands": [
            {"name": "placeOrder", "summary": "Places an order.", "description": "Places an order.\n\nMore.",
             "input": {"$ref": "#/schemas/Order"}, "output": {"type": "string"}, "error": {"$ref": "#/schemas/OrderError"},
             "route": {"method": "PUT", "path": "/shops/{shop}/orders"}, "auth": {"type": "none"}, "source": source},
            {"name": "listOrders", "input": {"$ref": "#/schemas/Order"}, "output": {"type": "array", "items": {"$ref": "#/schemas/Order"}},
             "route": {"method": "GET", "path": "/orders/{shop}"}, "auth": {"type": "iam"}, "source": source},
            {"name": "getOrder", "input": {"type": "string"}, "output": {}, "route": {"method": "GET", "path": "/order/{id}"},
             "auth": {"type": "jwt", "issuer": "https://issuer.example", "audience": ["a", "b"]}, "source": source},
            {"name": "ping", "input": null, "output": {"type": "null"}, "source": source},
        ],
        "schemas": {
            "Order": {"type": "object", "properties": {"shop": {"type": "string"}, "count": {"type": "integer"}, "parent": {"$ref": "#/schemas/Order"}}, "required": ["shop", "count"]},
            "OrderError": {"type": "string", "enum": ["SoldOut"]},
        },
    });
    serde_json::from_value(manifest).unwrap()
}

#[test]
fn the_document_of_a_service() {
    let document = openapi(&manifest(), Some("https://api.example"));
    let text = format!("{}\n", serde_json::to_string_pretty(&document).unwrap());
    expect_file!["goldens/openapi.json"].assert_eq(&text);
}

#[test]
fn every_reference_resolves_and_no_operation_id_is_there_twice() {
    fn walk(value: &Value, document: &Value, ids: &mut Vec<String>) {
        if let Some(target) = value.get("$ref").and_then(Value::as_str) {
            assert!(document.pointer(target.trim_start_matches('#')).is_some(), "{target}");
        }
        ids.extend(value.get("operationId").and_then(Value::as_str).map(str::to_owned));
        match value {
            Value::Object(members) => members.values().for_each(|it| walk(it, document, ids)),
            Value::Array(items) => items.iter().for_each(|it| walk(it, document, ids)),
            _ => {}
        }
    }
    let document = openapi(&manifest(), None);
    let mut ids = Vec::new();
    walk(&document, &document, &mut ids);
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), count), (7, 7));
    assert!(document.get("servers").is_none());
}
