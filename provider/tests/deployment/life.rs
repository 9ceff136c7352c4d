//! What requests a deployment costs.

use eventual_provider_core::state::State;

use super::policy::changed;
use super::tap::Seen;
use super::{Deployment, service};

fn writes(seen: &[Seen]) -> Vec<String> {
    // The ownership record is written at the beginning, at the end, and while somebody is at work.
    let record = |it: &Seen| it.what.contains("ownership.json");
    let mut all: Vec<String> = seen
        .iter()
        .filter(|it| it.writes && !record(it))
        .map(|it| format!("{} {}", it.service, it.what))
        .collect();
    all.sort();
    all
}

/// On moto, which runs no functions, this is the whole life of a service.
#[tokio::test(flavor = "multi_thread")]
async fn second_opinion_all_is_made_changed_read_and_deleted() {
    let mut deployment = Deployment::new("opinion").await;
    let config = service(&deployment, &[]);
    let state = deployment.create(&config).await;
    assert_eq!(deployment.read(&state).await.as_ref(), Some(&state));
    assert_eq!(deployment.changes(&state, &config), []);
    let changed = changed(&config);
    let state = deployment.apply(Some(&state), &changed).await;
    assert_eq!(deployment.read(&state).await.as_ref(), Some(&state));
    deployment.rebuild();
    let state = deployment.apply(Some(&state), &config).await;
    assert_eq!(deployment.read(&state).await.as_ref(), Some(&state));
    assert_eq!(deployment.changes(&state, &config), []);
    deployment.destroy(&state).await;
    assert_eq!(deployment.read(&state).await, None);
    deployment.nothing_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_to_do_writes_nothing() {
    let deployment = Deployment::new("idle").await;
    let config = service(&deployment, &[]);
    let state = deployment.create(&config).await;
    deployment.tap.take();
    assert_eq!(deployment.read(&state).await.as_ref(), Some(&state));
    assert_eq!(deployment.apply(Some(&state), &config).await, state);
    let seen = deployment.tap.take();
    let written: Vec<&Seen> = seen.iter().filter(|it| it.writes).collect();
    assert!(written.is_empty() && !seen.is_empty(), "{written:?}");
    deployment.destroy(&state).await;
}

/// DynamoDB refuses to tell the tags of a table that is not there, as it does when they may not be read.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_gone_already_is_no_obstacle() {
    let deployment = Deployment::new("tableless").await;
    let state = deployment.create(&service(&deployment, &[])).await;
    let table = State::from_value(&state).children["table"].name.clone();
    let dynamodb = aws_sdk_dynamodb::Client::new(&deployment.settings().await);
    dynamodb.delete_table().table_name(&table).send().await.unwrap();
    while dynamodb.describe_table().table_name(&table).send().await.is_ok() {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    deployment.destroy(&state).await;
    deployment.nothing_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_code_is_one_upload_and_one_publishing_update_a_function() {
    let mut deployment = Deployment::new("request").await;
    let config = service(&deployment, &[]);
    let state = deployment.create(&config).await;
    deployment.rebuild();
    deployment.tap.take();
    let changed = deployment.apply(Some(&state), &config).await;
    let all = writes(&deployment.tap.take());
    let count = |of: &dyn Fn(&str) -> bool| all.iter().filter(|it| of(it)).count();
    let functions = changed.get("functions").as_map().unwrap().len();
    assert_eq!(count(&|it| it.starts_with("s3 PUT") && it.contains("/code/")), 1, "{all:#?}");
    assert_eq!(
        count(&|it| it.starts_with("s3 DELETE") && it.contains("/code/")),
        1,
        "the old code: {all:#?}"
    );
    assert_eq!(count(&|it| it.starts_with("lambda PUT") && it.ends_with("/code")), functions, "{all:#?}");
    assert_eq!(
        count(&|it| it.starts_with("lambda PUT") && it.ends_with("/aliases/live")),
        functions,
        "{all:#?}"
    );
    assert_eq!(count(&|it| it.starts_with("lambda POST") && it.ends_with("/aliases")), 1, "{all:#?}");
    assert_eq!(all.len(), 3 + 2 * functions, "the orchestrator's code has an alias: {all:#?}");
    deployment.destroy(&changed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_override_writes_to_its_function_and_uploads_nothing() {
    let deployment = Deployment::new("touch").await;
    let state = deployment.create(&service(&deployment, &[])).await;
    deployment.tap.take();
    let config = service(&deployment, &[("ping", 1024.0)]);
    let changed = deployment.apply(Some(&state), &config).await;
    let all = writes(&deployment.tap.take());
    assert!(all.iter().all(|it| it.starts_with("lambda ") && it.contains("-command-ping/")), "{all:#?}");
    assert_eq!(all.len(), 3, "settings, version, alias: {all:#?}");
    deployment.destroy(&changed).await;
}
