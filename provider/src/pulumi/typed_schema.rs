//! The package schema of one service: the general one, with its handlers as typed properties.
//!
//! Whoever reads it (SDK generators, the YAML runtime) then refuses a misspelt command before anything runs. Nothing is
//! declared here: descriptions are the doc comments of the service's code.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::package::Parameter;
use super::schema::{self, VERSION};

/// Maps that become objects: their attribute, the type of the object, the type of its members, and what they are.
const TYPED: [(&str, &str, &str, &str); 4] = [
    ("commands", "Commands", "CommandSettings", "command"),
    ("tasks", "Tasks", "FunctionSettings", "task"),
    ("subscriptions", "Subscriptions", "FunctionSettings", "subscription"),
    ("workflows", "Workflows", "WorkflowSettings", "workflow"),
];

/// The schema as JSON, the same bytes every time, with a line feed at its end.
pub(crate) fn json(parameter: &Parameter) -> String {
    schema::text(package(parameter))
}

fn package(parameter: &Parameter) -> Value {
    let service = parameter.service.as_str();
    let mut schema = renamed(schema::package(), service);
    schema["name"] = json!(service);
    schema["displayName"] = json!(service);
    schema["version"] = json!(parameter.version);
    schema["description"] =
        json!(format!("Deploys the service {service}, with its handlers as typed properties."));
    schema["language"] = json!({
        "nodejs": { "respectSchemaVersion": true },
        "python": { "respectSchemaVersion": true, "pyproject": { "enabled": true } },
        "go": { "respectSchemaVersion": true, "generateResourceContainerTypes": true },
        "csharp": { "respectSchemaVersion": true },
    });
    schema["parameterization"] = json!({
        "baseProvider": { "name": "eventual", "version": VERSION },
        "parameter": STANDARD.encode(parameter.to_bytes()),
    });
    let resource = format!("{service}:index:Service");
    for (attribute, object, member, kind) in TYPED {
        let token = format!("{service}:index:{object}");
        for properties in ["inputProperties", "properties"] {
            let property = &mut schema["resources"][&resource][properties][attribute];
            let description = property["description"].take();
            *property = json!({ "$ref": format!("#/types/{token}"), "description": description });
        }
        let handlers = parameter.handlers.get(attribute).into_iter().flatten();
        let members = handlers.map(|(name, text)| {
            let settings = format!("#/types/{service}:index:{member}");
            let description =
                if text.is_empty() { format!("Settings of the {kind} `{name}`.") } else { text.clone() };
            (name.clone(), json!({ "$ref": settings, "description": description }))
        });
        schema["types"][token] = json!({
            "type": "object",
            "description": format!("Settings of each {kind} of the service."),
            "properties": members.collect::<Map<String, Value>>(),
        });
    }
    let description = format!(
        "The service {service} on AWS: its commands, tasks, workflows and subscriptions, and all that they need."
    );
    schema["resources"][&resource]["description"] = json!(description);
    schema
}

/// The schema with every token of the general package as one of this package.
fn renamed(value: Value, service: &str) -> Value {
    let rename = |text: &str| text.replace("eventual:index:", &format!("{service}:index:"));
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(|it| renamed(it, service)).collect()),
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(key, it)| (rename(&key), renamed(it, service))).collect())
        }
        Value::String(text) if text.contains("eventual:index:") => Value::String(rename(&text)),
        plain => plain,
    }
}

#[cfg(test)]
mod tests {
    use eventual_schema::Manifest;

    use super::*;

    #[test]
    fn handlers_are_properties_with_their_doc_comments() {
        let source = json!({ "file": "a", "line": 1 });
        let text = json!({
            "format": 1, "service": "orders", "version": "1.2.3", "functions": [],
            "commands": [{ "name": "placeOrder", "summary": "Places an order.", "input": null, "output": {}, "source": source }],
        });
        let parameter = Parameter::of(&Manifest::from_json(text.to_string().as_bytes()).unwrap());
        let schema: Value = serde_json::from_str(&json(&parameter)).unwrap();
        assert_eq!((&schema["name"], &schema["version"]), (&json!("orders"), &json!("1.2.3")));
        let commands = &schema["resources"]["orders:index:Service"]["inputProperties"]["commands"];
        assert_eq!(commands["$ref"], "#/types/orders:index:Commands");
        let place = &schema["types"]["orders:index:Commands"]["properties"]["placeOrder"];
        assert_eq!(place["description"], "Places an order.");
        assert_eq!(place["$ref"], "#/types/orders:index:CommandSettings");
        assert!(schema["types"].get("orders:index:CommandSettings").is_some());
        assert!(!schema.to_string().contains("eventual:index:"), "a token of the general package is left");
        let carried = STANDARD.decode(schema["parameterization"]["parameter"].as_str().unwrap()).unwrap();
        assert_eq!(Parameter::parse(&carried).unwrap(), parameter);
    }
}
