//! The Pulumi wire against the emulated AWS, driven by our small engine: the life of a service, and its accidents.
//!
//! `cargo xtask test` starts the emulator, builds the example `orders`, and says where both are in the environment:
//! `EVENTUAL_TEST_ENDPOINT` (a URL), `EVENTUAL_TEST_ARTIFACT` (the path of a zip) and AWS credentials.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod emulated;
#[path = "pulumi/engine/mod.rs"]
mod engine;
#[path = "pulumi/fixtures.rs"]
mod fixtures;
#[path = "pulumi/ours.rs"]
mod ours;
#[path = "pulumi/sequences/mod.rs"]
mod sequences;
#[path = "pulumi/trace.rs"]
mod trace;

use std::collections::BTreeMap;

use emulated::setting;
use engine::values::{archive, secret};
use engine::{Engine, Interrupt, Program, ResourceOption};
use eventual_provider::connect;
use eventual_provider::ports::Session;
use eventual_provider_core::cloud::Owner;
use eventual_provider_core::config::{ProviderConfig, Setting};
use eventual_provider_core::resource::Kind;
use eventual_provider_core::state::Recorded;
use ours::Ours;
use serde_json::{Value, json};

const TOKEN: &str = "hunter2hunter2";
/// Functions of the example `orders` that any deployment of it has.
const FUNCTION: &str = "command-placeOrder";

struct Cloud {
    engine: Engine,
    provider: Value,
    name: String,
    /// Our own eyes, beside the provider's.
    session: Session,
}

impl Cloud {
    /// An engine with an empty stack, for a deployment of its own.
    async fn new(name: &str) -> Self {
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
        let region = Setting::Known("us-east-1".to_owned());
        let config = ProviderConfig {
            region,
            endpoint: Setting::Known(endpoint.clone()),
            ..ProviderConfig::default()
        };
        let session = connect(&config).await.unwrap();
        let name = format!("{name}-{}", std::process::id());
        Self { engine, provider: json!({ "endpoint": endpoint }), name, session }
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
        Program {
            provider: self.provider.clone(),
            services: vec![("orders".to_owned(), inputs)],
            option: ResourceOption::None,
        }
    }

    async fn assert_settled(&mut self, program: &Program) {
        let report = self.engine.preview(program).await;
        assert_eq!((report.did(), &report.errors), (vec!["same"], &vec![]), "{:?}", report.details);
        let report = self.engine.up(program).await;
        assert_eq!(report.did(), ["same"], "{:?}", report.details);
    }

    /// Whose resources the stack's service has, and which.
    fn made(&self) -> (Owner, BTreeMap<String, Recorded>) {
        let outputs = &self.engine.state.entry("orders").unwrap().outputs;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let owner = Owner {
            id: eventual_provider_core::state::owner_of(&text(&outputs["incarnation"])).to_owned(),
            service: self.name.clone(),
        };
        let child = |it: &Value| Recorded {
            kind: Kind::parse(it["type"].as_str().unwrap()).unwrap(),
            name: text(&it["name"]),
            arn: text(&it["arn"]),
            fingerprint: String::new(),
            attributes: (it["attributes"].as_object().into_iter().flatten())
                .map(|(key, it)| (key.clone(), text(it)))
                .collect(),
        };
        let resources = outputs["resources"].as_object().unwrap();
        (owner, resources.iter().map(|(key, it)| (key.clone(), child(it))).collect())
    }

    /// Destroys the service and looks for everything that it had.
    async fn assert_removed(&mut self) {
        let (owner, children) = self.made();
        let report = self.engine.destroy().await;
        assert_eq!((report.did(), &report.errors), (vec!["delete"], &vec![]));
        let lost = format!("({}: executions and their histories)", children["table"].name);
        assert!(self.engine.said().contains(&lost), "what was lost: {}", self.engine.said());
        assert!(self.engine.state.entries.is_empty());
        for (key, child) in children {
            let found = self.session.cloud.describe(&owner, &child).await;
            assert!(matches!(found, Ok(None)), "{key} is still there: {found:?}");
        }
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
    let said = cloud.engine.said();
    assert!(said.contains(FUNCTION), "progress was shown: {said}");
    let count = outputs["resources"].as_object().unwrap().len();
    assert!(said.contains(&format!("({count} of {count})")) && said.contains("; the slowest was "), "{said}");
    // The bucket is there for the record of ownership first, and is then brought up to date.
    assert_eq!(outputs["deployment"]["created"], json!(count as f64 - 1.0), "{}", outputs["deployment"]);
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
    cloud.assert_removed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_name_removes_the_old_service_and_makes_a_new_one() {
    let mut cloud = Cloud::new("pulumi-old").await;
    let report = cloud.engine.up(&cloud.program(&json!({}))).await;
    assert_eq!(report.errors, [""; 0]);
    let (owner, children) = cloud.made();

    cloud.name = format!("pulumi-new-{}", std::process::id());
    let program = cloud.program(&json!({}));
    let report = cloud.engine.up(&program).await;
    assert_eq!((report.did(), &report.errors), (vec!["delete", "create"], &vec![]));
    assert_eq!(cloud.engine.state.entry("orders").unwrap().id, cloud.name);
    assert!(matches!(cloud.session.cloud.describe(&owner, &children["table"]).await, Ok(None)));
    cloud.assert_settled(&program).await;
    cloud.assert_removed().await;
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
    cloud.assert_removed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_whose_engine_died_is_adopted_by_the_next() {
    let mut cloud = Cloud::new("pulumi-die").await;
    let program = cloud.program(&json!({}));
    cloud.engine.interrupt = Some(Interrupt::Die(6));
    let report = cloud.engine.up(&program).await;
    assert_eq!(report.errors, [""; 0]);
    assert_eq!(cloud.engine.state.pending, [("creating", "orders".to_owned())]);
    assert!(cloud.engine.state.entries.is_empty());

    let report = cloud.engine.up(&program).await;
    assert_eq!((report.did(), &report.errors), (vec!["create"], &vec![]));
    cloud.assert_settled(&program).await;
    cloud.assert_removed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_that_was_killed_is_finished_by_the_next() {
    let mut cloud = Cloud::new("pulumi-kill").await;
    let program = cloud.program(&json!({}));
    cloud.engine.interrupt = Some(Interrupt::Kill(6));
    let report = cloud.engine.up(&program).await;
    assert!(!report.errors.is_empty() && cloud.engine.state.entries.is_empty(), "{report:?}");

    let report = cloud.engine.up(&program).await;
    assert_eq!((report.did(), &report.errors), (vec!["create"], &vec![]));
    cloud.assert_settled(&program).await;
    cloud.assert_removed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_told_by_refresh_and_made_again() {
    let mut cloud = Cloud::new("pulumi-drift").await;
    let program = cloud.program(&json!({}));
    let report = cloud.engine.up(&program).await;
    assert_eq!(report.errors, [""; 0]);
    let (owner, children) = cloud.made();
    cloud.session.cloud.delete(&owner, &children["log_group/relay"], false).await.unwrap();

    let report = cloud.engine.refresh().await;
    assert_eq!((report.did(), report.errors), (vec!["update"], vec![]));
    assert_eq!(report.warnings, ["log_group/relay is missing"]);
    assert_eq!(cloud.engine.state.entry("orders").unwrap().init_errors, ["log_group/relay is missing"]);

    let report = cloud.engine.up(&program).await;
    assert_eq!((report.did(), &report.errors), (vec!["update"], &vec![]));
    let found = cloud.session.cloud.describe(&owner, &children["log_group/relay"]).await.unwrap();
    assert!(found.is_some(), "it is there again");
    let report = cloud.engine.refresh().await;
    assert_eq!((report.did(), report.warnings), (vec!["same"], vec![]));
    cloud.assert_settled(&program).await;
    cloud.assert_removed().await;
}

async fn play(name: &str) {
    let sequence = sequences::table().into_iter().find(|it| it.name == name).unwrap();
    let played = sequences::play(&sequence, &mut Ours::new().await, "o").await;
    sequences::compare(name, &played, false);
}

sequences::each_is_a_test!(play);
