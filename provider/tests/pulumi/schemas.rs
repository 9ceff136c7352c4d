//! Both package schemas: described to the last property. Whether Pulumi's metaschema takes them is in `pulumi_programs.rs`,
//! since that needs a validator from npm.

use serde_json::Value;

use super::engine::plugin::{Plugin, Started};
use super::{fixtures, packages};

/// Members that hold objects by names of ours.
const NAMED: [&str; 6] = ["properties", "inputProperties", "variables", "types", "resources", "functions"];

/// Every object of a schema that should say what it is and does not.
fn undescribed(value: &Value, path: &str, found: &mut Vec<String>) {
    let Value::Object(members) = value else { return };
    for (key, member) in members {
        let path = format!("{path}/{key}");
        if !NAMED.contains(&key.as_str()) {
            undescribed(member, &path, found);
            continue;
        }
        for (name, it) in member.as_object().into_iter().flatten() {
            let path = format!("{path}/{name}");
            if !it["description"].as_str().unwrap_or_default().contains(' ') {
                found.push(path.clone());
            }
            undescribed(it, &path, found);
        }
    }
}

fn assert_described(schema: &Value) {
    let mut found = Vec::new();
    undescribed(schema, "", &mut found);
    assert_eq!(found, [""; 0], "these say nothing about themselves");
}

#[test]
fn the_committed_schema_says_what_everything_is() {
    let mut schema: Value = serde_json::from_str(include_str!("../../schema.json")).unwrap();
    assert_described(&schema);
    // It does look: otherwise the above means nothing.
    schema["resources"]["eventual:index:Service"]["inputProperties"]["name"]["description"].take();
    let mut found = Vec::new();
    undescribed(&schema, "", &mut found);
    assert_eq!(found, ["/resources/eventual:index:Service/inputProperties/name"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_of_one_service_says_what_everything_is() {
    let folder = tempfile::tempdir().unwrap();
    fixtures::write_artifact(&folder.path().join("orders.zip"), "0.3.0");
    let mut plugin = Plugin::start(folder.path(), Started::ByEngine("127.0.0.1:9"), &[]).await;
    plugin.client.parameterize(packages::by_artifact(&["orders.zip"])).await.unwrap();
    assert_described(&packages::schema(&mut plugin, "orders").await);
    plugin.end().await;
}
