//! The Pulumi wire against the emulated AWS, driven by our small engine: the life of a service, and its accidents.
//!
//! `cargo xtask test` starts the emulator, builds the example `orders`, and says where both are in the environment:
//! `EVENTUAL_TEST_ENDPOINT` (a URL), `EVENTUAL_TEST_ARTIFACT` (the path of a zip) and AWS credentials.

#[path = "pulumi/engine/mod.rs"]
mod engine;

use engine::values::{archive, secret};
use engine::{Engine, Interrupt, Program};
use serde_json::{Value, json};

const TOKEN: &str = "hunter2hunter2";
/// Functions of the example `orders` that any deployment of it has.
const FUNCTION: &str = "command-placeOrder";

struct Cloud {
    engine: Engine,
    provider: Value,
    name: String,
}

impl Cloud {
    /// An engine with an empty stack, for a deployment of its own.
    async fn new(name: &str) -> Self {
        let setting = |name: &str| {
            std::env::var(name)
                .unwrap_or_else(|_| panic!("{name} is not set: run them through cargo xtask test"))
        };
        let (endpoint, artifact) = (setting("EVENTUAL_TEST_ENDPOINT"), setting("EVENTUAL_TEST_ARTIFACT"));
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(&artifact, folder.path().join("orders.zip"))
            .unwrap_or_else(|error| panic!("{artifact}: {error}"));
        let (key, secret) = (setting("AWS_ACCESS_KEY_ID"), setting("AWS_SECRET_ACCESS_KEY"));
        let environment = [
            ("AWS_ACCESS_KEY_ID", key.as_str()),
            ("AWS_SECRET_ACCESS_KEY", secret.as_str()),
            ("AWS_REGION", "us-east-1"),
        ];
        let engine = Engine::new(folder, &environment).await;
        Self { engine, provider: json!({ "endpoint": endpoint }), name: name.to_owned() }
    }

    /// The service, with more inputs.
    fn program(&self, more: &Value) -> Program {
        let artifact = archive(self.engine.folder(), "orders.zip");
        let environment = json!({ "TOKEN": secret(TOKEN) });
        let mut inputs = json!({
            "name": self.name, "artifact": artifact, "environment": environment,
            "forceDestroy": true,
        });
        inputs.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Program { provider: self.provider.clone(), services: vec![("orders".to_owned(), inputs)] }
    }

    async fn assert_settled(&mut self, program: &Program) {
        let report = self.engine.preview(program).await;
        assert_eq!((report.did(), &report.errors), (vec!["same"], &vec![]), "{:?}", report.details);
        let report = self.engine.up(program).await;
        assert_eq!(report.did(), ["same"], "{:?}", report.details);
    }

    async fn assert_gone(&mut self) {
        let report = self.engine.destroy().await;
        assert_eq!((report.did(), &report.errors), (vec!["delete"], &vec![]));
        assert!(self.engine.state.entries.is_empty());
        let missing = self.engine.import(&self.provider, "orders", &self.name).await;
        assert!(missing.is_err(), "it can still be read: {missing:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_made_changed_refreshed_and_removed() {
    let mut cloud = Cloud::new("pulumi-life").await;
    let program = cloud.program(&json!({}));
    let preview = cloud.engine.preview(&program).await;
    assert_eq!((preview.did(), &preview.errors), (vec!["create"], &vec![]));

    let report = cloud.engine.up(&program).await;
    assert_eq!((report.did(), &report.errors), (vec!["create"], &vec![]));
    let outputs = &report.outputs["orders"];
    assert!(outputs["url"].as_str().is_some_and(|it| it.starts_with("http")), "{outputs}");
    assert!(outputs["functions"][FUNCTION].as_str().is_some_and(|it| it.ends_with(":live")), "{outputs}");
    assert_eq!(outputs["environment"], json!({ "TOKEN": secret(TOKEN) }));
    let shape = |of: &Value| of.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(shape(outputs), shape(&preview.outputs["orders"]), "a preview has the shape of the result");
    assert!(cloud.engine.said().contains(FUNCTION), "progress was shown: {}", cloud.engine.said());
    cloud.assert_settled(&program).await;

    let report = cloud.engine.refresh().await;
    assert_eq!((report.did(), report.errors, report.warnings), (vec!["same"], vec![], vec![]));
    cloud.assert_settled(&program).await;

    let before = cloud.engine.state.entry("orders").unwrap().outputs.clone();
    let program = cloud.program(&json!({ "commands": { "placeOrder": { "memoryMb": 1024 } } }));
    let report = cloud.engine.up(&program).await;
    assert_eq!((report.did(), &report.errors), (vec!["update"], &vec![]));
    assert_eq!(report.details.keys().collect::<Vec<_>>(), ["commands"]);
    let after = &report.outputs["orders"];
    let touched: Vec<&String> = (after["resources"].as_object().unwrap().iter())
        .filter(|(key, it)| before["resources"][key.as_str()] != **it)
        .map(|(key, _)| key)
        .collect();
    assert!(
        !touched.is_empty() && touched.iter().all(|it| it.contains("placeOrder")),
        "only its function: {touched:?}"
    );
    cloud.assert_settled(&program).await;
    cloud.assert_gone().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_creation_is_kept_and_resumed() {
    let mut cloud = Cloud::new("pulumi-cancel").await;
    let program = cloud.program(&json!({}));
    cloud.engine.interrupt = Some(Interrupt::Cancel(6));
    let report = cloud.engine.up(&program).await;
    assert!(report.errors[0].contains("Stopped half-way"), "{:?}", report.errors);
    let entry = cloud.engine.state.entry("orders").expect("what was made is in the state").clone();
    assert!(
        !entry.init_errors.is_empty()
            && entry.outputs["resources"].as_object().is_some_and(|it| !it.is_empty())
    );

    let report = cloud.engine.up(&program).await;
    assert_eq!((report.did(), &report.errors), (vec!["update"], &vec![]));
    cloud.assert_settled(&program).await;
    cloud.assert_gone().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_whose_engine_died_is_adopted_by_the_next() {
    let mut cloud = Cloud::new("pulumi-die").await;
    let program = cloud.program(&json!({}));
    cloud.engine.interrupt = Some(Interrupt::Die(6));
    cloud.engine.up(&program).await;
    assert_eq!(cloud.engine.state.pending_creates, ["orders"]);
    assert!(cloud.engine.state.entries.is_empty());

    let report = cloud.engine.up(&program).await;
    assert_eq!((report.did(), &report.errors), (vec!["create"], &vec![]));
    cloud.assert_settled(&program).await;
    cloud.assert_gone().await;
}
