//! The core and the cloud together, on the emulated AWS that refuses what AWS refuses. No wire: plan, apply, read, destroy
//! as both wires call them.
//!
//! Needs `EVENTUAL_TEST_ENDPOINT`, which `cargo xtask test` sets; says so without it.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may; the benchmark prints what xtask reads"
)]

mod deployment;
mod emulated;
#[path = "terraform/plugin.rs"]
#[allow(dead_code, reason = "some of what is shared is for others")]
mod plugin;

use deployment::{Deployment, service};
use eventual_provider_core::request::Action;

#[tokio::test(flavor = "multi_thread")]
async fn a_service_lives_and_leaves_nothing() {
    let deployment = Deployment::new("life").await;
    let state = deployment.create(&service(&deployment, &[])).await;
    deployment.answers(&state, "ping").await;
    assert_eq!(deployment.changes(&state, &service(&deployment, &[])), [], "the second plan is empty");
    let read = deployment.read(&state).await.expect("it is there");
    assert_eq!(read, state, "reading finds what was made");
    deployment.destroy(&state).await;
    assert_eq!(deployment.read(&state).await, None);
    deployment.nothing_left().await;
}

/// Only where calls that come too fast are refused does it say something. By its name it is the first there: what others called just
/// before would count.
#[tokio::test(flavor = "multi_thread")]
async fn a_life_at_the_pace_of_aws_is_never_refused() {
    let deployment = Deployment::paced("paced").await;
    let config = service(&deployment, &[]);
    let state = deployment.create(&config).await;
    assert_eq!(deployment.read(&state).await.as_ref(), Some(&state));
    deployment.destroy(&state).await;
    let seen = deployment.tap.take();
    let refused: Vec<_> = seen.iter().filter(|it| it.throttled).collect();
    assert!(refused.is_empty() && seen.len() > 100, "{} of {}: {refused:?}", refused.len(), seen.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_override_touches_its_function_only() {
    let deployment = Deployment::new("override").await;
    let state = deployment.create(&service(&deployment, &[])).await;
    let config = service(&deployment, &[("ping", 1024.0)]);
    let changes = deployment.changes(&state, &config);
    assert_eq!(changes, [("function/command-ping".to_owned(), Action::Update)]);
    let changed = deployment.apply(Some(&state), &config).await;
    deployment.answers(&changed, "ping").await;
    assert_eq!(deployment.changes(&changed, &config), []);
    assert_eq!(deployment.read(&changed).await.as_ref(), Some(&changed));
    deployment.destroy(&changed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_code_is_one_upload_and_a_version_for_each_function() {
    let mut deployment = Deployment::new("code").await;
    let config = service(&deployment, &[]);
    let state = deployment.create(&config).await;
    deployment.rebuild();
    let changes = deployment.changes(&state, &config);
    assert!(changes.iter().all(|(key, _)| key == "artifact" || key.starts_with("function/")), "{changes:?}");
    let changed = deployment.apply(Some(&state), &config).await;
    deployment.answers(&changed, "ping").await;
    assert_eq!(deployment.versions("command-ping").await, ["$LATEST", "1", "2"]);
    assert_eq!(deployment.objects().await, 2, "the ownership record and the new code: the old code is gone");
    assert_eq!(deployment.read(&changed).await.as_ref(), Some(&changed));
    deployment.destroy(&changed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_that_died_is_adopted_and_finished() {
    let deployment = Deployment::new("adopt").await;
    let config = service(&deployment, &[]);
    for after_ms in [300, 1200, 3000, 5000] {
        deployment.create_and_die(&config, after_ms).await;
    }
    let state = deployment.create(&config).await;
    deployment.answers(&state, "ping").await;
    assert_eq!(deployment.read(&state).await.as_ref(), Some(&state));
    deployment.destroy(&state).await;
    deployment.nothing_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_removed_or_changed_is_named_and_repaired() {
    let deployment = Deployment::new("drift").await;
    let config = service(&deployment, &[]);
    let state = deployment.create(&config).await;
    let expected = deployment.tamper(&state).await;
    let (read, drift, told) = deployment.read_changed(&state).await;
    let drift: Vec<(String, String)> = drift.into_iter().map(|it| (it.key, it.changed.join(", "))).collect();
    assert_eq!(drift, expected);
    for (key, changed) in &expected {
        let line = if changed.is_empty() { format!("{key} is missing") } else { format!("{key}: {changed}") };
        assert!(told.contains(&line), "{line} is not in {told}");
    }
    let changes = deployment.changes(&read, &config);
    for (key, _) in &expected {
        assert!(changes.iter().any(|(changed, _)| changed == key), "{key} is not in {changes:?}");
    }
    let repaired = deployment.apply(Some(&read), &config).await;
    deployment.answers(&repaired, "ping").await;
    let again = deployment.read(&repaired).await.expect("it is there");
    assert_eq!(deployment.changes(&again, &config), []);
    deployment.destroy(&repaired).await;
    deployment.nothing_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_owns_is_not_touched() {
    let deployment = Deployment::new("foreign").await;
    let config = service(&deployment, &[]);
    let state = deployment.create(&config).await;
    let said = deployment.refused_as("another project", &config).await;
    assert!(said.contains("exists in this account and region"), "{said}");
    deployment.answers(&state, "ping").await;
    deployment.destroy(&state).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_creations_at_once_one_wins_and_the_other_touches_nothing() {
    let deployment = Deployment::new("race").await;
    let config = service(&deployment, &[]);
    let later = async {
        tokio::time::sleep(std::time::Duration::from_millis(1000)).await;
        deployment.refused_as("another project", &config).await
    };
    let (state, said) = tokio::join!(deployment.create(&config), later);
    assert!(said.contains("another run is at work"), "{said}");
    deployment.answers(&state, "ping").await;
    deployment.destroy(&state).await;
}
