//! Applying against the scripted cloud: order, retries, crashes, rollback, ownership.

use std::future::Future;
use std::task::{Context, Poll, Waker};

use super::fake::Fake;
use crate::cloud::{Identity, Trouble};
use crate::diagnostic::Diagnostic;
use crate::path::Path;
use crate::request::{self, Action, Applied, Control, OnCreateFailure};
use crate::resource::Kind;
use crate::testing::{Shop, identity, lasting, minimal, scope, with};
use crate::value::Value;

/// Polls until it is done; `None` when it waits for what will never come.
pub(super) fn run<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = Box::pin(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..500 {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return Some(value);
        }
    }
    None
}

pub(super) fn attempt(
    cloud: &Fake,
    shop: &Shop,
    prior: Option<&Value>,
    config: &Value,
    control: &Control,
) -> Option<Applied> {
    let identity = identity();
    let scope = scope(shop, Some(&identity));
    let planned = request::plan(&scope, prior, config);
    assert_eq!(planned.diagnostics, []);
    run(request::apply(&scope, cloud, prior, &planned.planned, control))
}

pub(super) fn made(cloud: &Fake, shop: &Shop, prior: Option<&Value>, config: &Value) -> Value {
    let applied = attempt(cloud, shop, prior, config, &Control::new("tests")).expect("it ends");
    assert_eq!(applied.diagnostics, []);
    applied.state.expect("it was made")
}

pub(super) fn changes(shop: &Shop, state: &Value, config: &Value) -> Vec<(String, Action)> {
    let identity = identity();
    let planned = request::plan(&scope(shop, Some(&identity)), Some(state), config);
    assert_eq!(planned.diagnostics, []);
    planned.changes.into_iter().map(|change| (change.key, change.action)).collect()
}

fn destroyed(cloud: &Fake, shop: &Shop, state: &Value) -> Applied {
    let identity = identity();
    run(request::destroy(&scope(shop, Some(&identity)), cloud, state, &Control::new("tests")))
        .expect("it ends")
}

#[test]
fn what_is_made_is_planned_no_more_and_costs_no_write() {
    let (cloud, shop) = (Fake::default(), Shop::new());
    let state = made(&cloud, &shop, None, &minimal());
    let identity = identity();
    let planned = request::plan(&scope(&shop, Some(&identity)), Some(&state), &minimal());
    assert_eq!((planned.planned, planned.changes), (state.clone(), vec![]));
    cloud.writes();
    assert_eq!(made(&cloud, &shop, Some(&state), &minimal()), state);
    assert_eq!(cloud.writes(), [""; 0]);
}

#[test]
fn what_is_needed_is_made_before_what_needs_it() {
    let (cloud, shop) = (Fake::default(), Shop::new());
    made(&cloud, &shop, None, &minimal());
    let writes = cloud.writes();
    let at = |what: &str| {
        writes.iter().position(|it| it == what).unwrap_or_else(|| panic!("{what} in {writes:?}"))
    };
    assert_eq!(at("found"), 0);
    assert_eq!(writes.last().unwrap(), "claim Complete");
    for (before, after) in [
        ("create role/relay", "create function/relay"),
        ("create artifact", "create function/relay"),
        ("create queue/workflows", "create function/relay"),
        ("create function/relay", "create mapping/relay"),
        ("create table", "create mapping/relay"),
        ("create api", "create route/health"),
        ("create queue/workflows-dead", "create queue/workflows"),
    ] {
        assert!(at(before) < at(after), "{before} before {after}: {writes:?}");
    }
}

#[test]
fn an_override_touches_its_function_and_code_touches_no_role() {
    let (cloud, shop) = (Fake::default(), Shop::new());
    let state = made(&cloud, &shop, None, &minimal());
    let config = with(
        minimal(),
        "commands",
        Value::map([("health", Value::map([("memory_mb", Value::Number(1024.0))]))]),
    );
    assert_eq!(changes(&shop, &state, &config), [("function/command-health".to_owned(), Action::Update)]);
    let touched = changes(&shop.rebuilt(), &state, &minimal());
    assert_eq!(touched.iter().filter(|(key, _)| key == "artifact").count(), 1);
    assert!(
        touched
            .iter()
            .all(|(key, action)| *action == Action::Update
                && (key == "artifact" || key.starts_with("function/"))),
        "{touched:?}"
    );
}

#[test]
fn a_missing_child_is_made_again_and_what_refers_to_it_follows() {
    let (cloud, shop) = (Fake::default(), Shop::new());
    let state = made(&cloud, &shop, None, &minimal());
    cloud.remove(Kind::Table, "shop-executions");
    let identity = identity();
    let read = run(request::read(&scope(&shop, Some(&identity)), &cloud, &state)).unwrap();
    let read = read.state.unwrap();
    assert_eq!(
        changes(&shop, &read, &minimal()),
        [("mapping/relay".to_owned(), Action::Update), ("table".to_owned(), Action::Create)]
    );
    let repaired = made(&cloud, &shop, Some(&read), &minimal());
    assert_eq!(lasting(&repaired), lasting(&state));
}

#[test]
fn waiting_ends_when_it_helps_and_when_it_does_not() {
    let (cloud, shop) = (Fake::default(), Shop::commands_only());
    let waits = [
        Trouble::Propagating,
        Trouble::Busy,
        Trouble::Throttled,
        Trouble::Unreachable,
        // What it needs was made and is not seen yet.
        Trouble::NotFound,
    ];
    cloud.script("function/command-health", &waits);
    let state = made(&cloud, &shop, None, &minimal());
    assert_eq!(destroyed(&cloud, &shop, &state).state, None);
    cloud.script("role/command-health", &[Trouble::NotFound; 1000]);
    let applied = attempt(&cloud, &shop, None, &minimal(), &Control::new("tests")).unwrap();
    assert_eq!(applied.state, None);
    cloud.script("role/command-health", &[]);
    cloud.script("function/command-health", &[Trouble::Propagating; 1000]);
    let applied = attempt(&cloud, &shop, None, &minimal(), &Control::new("tests")).unwrap();
    assert_eq!(applied.state, None);
    let said = applied.diagnostics[0].to_string();
    assert!(
        said.starts_with("Could not create function/command-health: ensure: Propagating")
            && said.contains("request r-1"),
        "{said}"
    );
    assert!(cloud.is_empty(), "it was rolled back");
}

#[test]
fn a_failed_creation_is_rolled_back_or_kept() {
    let (cloud, shop) = (Fake::default(), Shop::new());
    cloud.script("rule/onPaid", &[Trouble::Denied]);
    let applied = attempt(&cloud, &shop, None, &minimal(), &Control::new("tests")).unwrap();
    assert_eq!(applied.state, None);
    assert!(
        applied.diagnostics[0].to_string().contains("give them the permission"),
        "{}",
        applied.diagnostics[0]
    );
    assert!(cloud.is_empty());

    cloud.script("rule/onPaid", &[Trouble::Denied]);
    let mut control = Control::new("tests");
    control.on_create_failure = OnCreateFailure::Keep;
    let kept = attempt(&cloud, &shop, None, &minimal(), &control).unwrap().state.unwrap();
    let finished = made(&cloud, &shop, Some(&kept), &minimal());
    assert_eq!(changes(&shop, &finished, &minimal()), []);
    assert_eq!(destroyed(&cloud, &shop, &finished).state, None);
    assert!(cloud.is_empty());
}

#[test]
fn what_was_adopted_is_not_rolled_back() {
    let shop = Shop::new();
    // A creation that finished and whose answer nobody got, and one that died half-way.
    for dies in [None, Some(12)] {
        let cloud = Fake::default();
        cloud.dies_after(dies);
        let first = attempt(&cloud, &shop, None, &minimal(), &Control::new("tests"));
        assert_eq!(first.is_some(), dies.is_none());
        cloud.dies_after(None);
        let before = cloud.count();
        cloud.script("rule/onPaid", &[Trouble::Denied]);
        let applied = attempt(&cloud, &shop, None, &minimal(), &Control::new("tests")).unwrap();
        assert!(applied.diagnostics[0].is_error(), "{}", applied.diagnostics[0]);
        assert!(applied.state.is_none(), "no engine may take it for a creation to destroy");
        assert!(cloud.count() >= before, "nothing was deleted");
        assert!(!cloud.writes().iter().any(|it| it.starts_with("delete")));
        let finished = made(&cloud, &shop, applied.state.as_ref(), &minimal());
        assert_eq!(changes(&shop, &finished, &minimal()), []);
        assert_eq!(destroyed(&cloud, &shop, &finished).state, None);
        assert!(cloud.is_empty());
    }
}

#[test]
fn the_record_is_written_however_often_the_cloud_stumbles() {
    let (cloud, shop) = (Fake::default(), Shop::commands_only());
    let stumbles = || {
        for call in ["ownership", "found", "claim Creating", "claim Complete", "claim Deleting"] {
            cloud.script(call, &[Trouble::Throttled, Trouble::Busy, Trouble::Unreachable]);
        }
        for answer in ["answer to claim Creating", "answer to claim Complete", "answer to claim Deleting"] {
            cloud.script(answer, &[Trouble::Unreachable]);
        }
    };
    stumbles();
    let state = made(&cloud, &shop, None, &minimal());
    stumbles();
    assert_eq!(destroyed(&cloud, &shop, &state).state, None);
    assert!(cloud.is_empty());
    // A lost answer makes nothing older than it is: the failed creation is rolled back.
    stumbles();
    cloud.script("function/command-health", &[Trouble::Denied]);
    let applied = attempt(&cloud, &shop, None, &minimal(), &Control::new("tests")).unwrap();
    assert_eq!(applied.state, None);
    assert!(cloud.is_empty());
}

#[test]
fn a_creation_that_only_misses_its_last_mark_succeeds() {
    let (cloud, shop) = (Fake::default(), Shop::new());
    cloud.script("claim Complete", &[Trouble::Denied]);
    let applied = attempt(&cloud, &shop, None, &minimal(), &Control::new("tests")).unwrap();
    assert!(applied.diagnostics.len() == 1 && !applied.diagnostics[0].is_error(), "{applied:?}");
    let state = applied.state.unwrap();
    assert_eq!(changes(&shop, &state, &minimal()), []);
    let rebuilt = shop.rebuilt();
    cloud.writes();
    made(&cloud, &rebuilt, Some(&state), &minimal());
    assert_eq!(cloud.writes().last().unwrap(), "claim Complete");
}

#[test]
fn somebody_elses_resource_is_never_touched() {
    let (cloud, shop) = (Fake::default(), Shop::new());
    cloud.foreign(Kind::Queue, "shop-timers");
    let applied = attempt(&cloud, &shop, None, &minimal(), &Control::new("tests")).unwrap();
    assert_eq!(applied.state, None);
    assert!(applied.diagnostics[0].to_string().contains("rename or remove it"), "{}", applied.diagnostics[0]);
    assert_eq!(cloud.count(), 1, "it is there, and nothing else");
}

#[test]
fn wherever_a_creation_dies_the_next_one_finishes_it() {
    let shop = Shop::new();
    let (whole, count) = {
        let cloud = Fake::default();
        made(&cloud, &shop, None, &minimal());
        (cloud.count(), cloud.writes().len())
    };
    for step in 0..=count {
        let cloud = Fake::default();
        cloud.dies_after(Some(step));
        let ended = attempt(&cloud, &shop, None, &minimal(), &Control::new("tests"));
        assert_eq!(ended.is_some(), step >= count, "step {step}");
        cloud.dies_after(None);
        let state = made(&cloud, &shop, None, &minimal());
        assert_eq!(cloud.count(), whole, "step {step}");
        assert_eq!(destroyed(&cloud, &shop, &state).state, None);
        assert!(cloud.is_empty(), "step {step}");
    }
}

#[test]
fn a_finished_deployment_is_not_adopted_by_others_and_late_deletions_are_harmless() {
    let (cloud, shop) = (Fake::default(), Shop::commands_only());
    let first = made(&cloud, &shop, None, &minimal());
    let applied = attempt(&cloud, &shop, None, &minimal(), &Control::new("others")).unwrap();
    assert!(
        applied.diagnostics[0].to_string().contains("exists in this account"),
        "{}",
        applied.diagnostics[0]
    );
    assert_eq!(destroyed(&cloud, &shop, &first).state, None);
    let second = made(&cloud, &shop, None, &minimal());
    assert_ne!(first.get("incarnation"), second.get("incarnation"));
    cloud.writes();
    assert_eq!(destroyed(&cloud, &shop, &first).state, None);
    assert_eq!(cloud.writes(), [""; 0], "the second life goes on");
}

#[test]
fn data_is_not_deleted_silently() {
    let (cloud, shop) = (Fake::default(), Shop::new());
    let state = made(&cloud, &shop, None, &minimal());
    cloud.holds_data(Kind::Table);
    cloud.writes();
    let refused = destroyed(&cloud, &shop, &state);
    assert_eq!(refused.state.as_ref(), Some(&state));
    assert!(refused.diagnostics[0].to_string().contains("force_destroy"), "{}", refused.diagnostics[0]);
    assert_eq!(cloud.writes(), [""; 0]);
    let forced = with(state, "force_destroy", Value::Bool(true));
    assert_eq!(destroyed(&cloud, &shop, &forced).state, None);
    assert!(cloud.is_empty());
}

#[test]
fn a_deletion_that_fails_keeps_what_is_left_and_goes_on_later() {
    let (cloud, shop) = (Fake::default(), Shop::new());
    let state = made(&cloud, &shop, None, &minimal());
    cloud.script("shop-dead", &[Trouble::Denied]);
    let half = destroyed(&cloud, &shop, &state);
    let left = half.state.unwrap();
    let keys: Vec<&String> = left.get("resources").as_map().unwrap().keys().collect();
    assert_eq!(keys, ["bucket", "queue/dead"]);
    assert_eq!(destroyed(&cloud, &shop, &left).state, None);
    assert!(cloud.is_empty());
}

#[test]
fn unknown_configuration_is_planned_as_unknown() {
    let shop = Shop::new();
    let identity = identity();
    let planned = request::plan(&scope(&shop, None), None, &minimal());
    assert_eq!(planned.diagnostics, []);
    assert!(planned.planned.get("functions").is_unknown());
    let config = with(minimal(), "artifact", Value::Unknown);
    let planned = request::plan(&scope(&shop, Some(&identity)), None, &config);
    assert_eq!(planned.diagnostics, []);
    assert!(planned.planned.get("url").is_unknown());
}

#[test]
fn an_import_knows_only_the_name_and_finds_the_rest() {
    let (cloud, shop, identity) = (Fake::default(), Shop::new(), identity());
    let named = Value::map([("id", Value::from("shop")), ("name", Value::from("shop"))]);
    let import = || run(request::read(&scope(&shop, Some(&identity)), &cloud, &named)).expect("it ends");
    assert_eq!(import().state, None);
    let state = made(&cloud, &shop, None, &minimal());
    let imported = import();
    assert_eq!(imported.diagnostics, []);
    let imported = imported.state.unwrap();
    assert_eq!(changes(&shop, &imported, &minimal()), []);
    cloud.writes();
    assert_eq!(made(&cloud, &shop, Some(&imported), &minimal()), lasting(&state));
    assert_eq!(cloud.writes(), [""; 0]);
    assert_eq!(destroyed(&cloud, &shop, &imported).state, None);
    assert!(cloud.is_empty(), "also what was imported and never applied goes as a whole");
}

#[test]
fn a_replacement_that_creates_first_is_not_deleted_by_the_end_of_the_first_life() {
    let (cloud, shop, identity) = (Fake::default(), Shop::new(), identity());
    let first = made(&cloud, &shop, None, &minimal());
    let second = made(&cloud, &shop, None, &minimal());
    assert_ne!(first.get("incarnation"), second.get("incarnation"));
    let names = cloud.names();
    let there = scope(&shop, Some(&identity));
    assert_eq!(run(request::read(&there, &cloud, &first)).unwrap().state, None);
    cloud.writes();
    assert_eq!(destroyed(&cloud, &shop, &first).state, None);
    assert_eq!(cloud.writes(), [""; 0]);
    assert_eq!(cloud.names(), names);
    assert_eq!(changes(&shop, &second, &minimal()), []);
}

#[test]
fn what_nobody_has_seen_to_be_ours_is_not_deleted() {
    let (cloud, shop) = (Fake::default(), Shop::new());
    cloud.foreign(Kind::Queue, "shop-timers");
    // The cloud does not say whose it is, only that it may not be looked at.
    cloud.script("queue/timers", &[Trouble::Denied]);
    let mut keep = Control::new("tests");
    keep.on_create_failure = OnCreateFailure::Keep;
    let applied = attempt(&cloud, &shop, None, &minimal(), &keep).unwrap();
    assert_eq!(destroyed(&cloud, &shop, &applied.state.unwrap()).state, None);
    assert_eq!(cloud.names(), [(Kind::Queue, "shop-timers".to_owned())]);
}

#[test]
fn the_loser_is_told_who_holds_the_deployment_and_since_when() {
    let (cloud, shop) = (Fake::default(), Shop::commands_only());
    let mut first = Control::new("a");
    first.holder = "Terraform in /srv/shop, workspace default".to_owned();
    attempt(&cloud, &shop, None, &minimal(), &first).unwrap();
    let applied = attempt(&cloud, &shop, None, &minimal(), &Control::new("b")).unwrap();
    let said = applied.diagnostics[0].to_string();
    let held = "held by Terraform in /srv/shop, workspace default, since 2025-12-31 23:59:59 UTC";
    assert!(said.contains(held), "{said}");
}

#[test]
fn what_a_failed_creation_leaves_is_a_choice() {
    let (cloud, shop) = (Fake::default(), Shop::new());
    let choose = |choice: &str| with(minimal(), "on_create_failure", Value::from(choice));
    let deny = || cloud.script("rule/onPaid", &[Trouble::Denied]);
    let mut pulumi = Control::new("urn");
    pulumi.on_create_failure = OnCreateFailure::Keep;
    deny();
    let applied = attempt(&cloud, &shop, None, &choose("rollback"), &pulumi).unwrap();
    assert_eq!(applied.state, None);
    assert!(cloud.is_empty());
    deny();
    let applied = attempt(&cloud, &shop, None, &choose("resume"), &Control::new("1")).unwrap();
    assert!(
        applied.state.is_none() && cloud.count() > 10,
        "it is there, and Terraform destroys nothing of it"
    );
    cloud.writes();
    let applied = attempt(&cloud, &shop, None, &choose("resume"), &Control::new("2")).unwrap();
    assert_eq!(applied.diagnostics, []);
    assert_eq!(destroyed(&cloud, &shop, &applied.state.unwrap()).state, None);
    assert!(cloud.is_empty());
}

#[test]
fn a_deployment_of_another_region_is_not_taken_for_gone() {
    let (cloud, shop) = (Fake::default(), Shop::commands_only());
    let state = made(&cloud, &shop, None, &minimal());
    let elsewhere = Identity { region: "eu-west-3".to_owned(), ..identity() };
    let there = scope(&shop, Some(&elsewhere));
    cloud.writes();
    let refused = |diagnostics: &[Diagnostic]| {
        let said: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
        assert!(said.len() == 1 && said[0].contains("destroy it there first"), "{said:?}");
    };
    refused(&request::plan(&there, Some(&state), &minimal()).diagnostics);
    let read = run(request::read(&there, &cloud, &state)).unwrap();
    refused(&read.diagnostics);
    assert_eq!(read.state.as_ref(), Some(&state));
    let control = Control::new("tests");
    for kept in [
        run(request::apply(&there, &cloud, Some(&state), &state, &control)).unwrap(),
        run(request::destroy(&there, &cloud, &state, &control)).unwrap(),
    ] {
        refused(&kept.diagnostics);
        assert_eq!(kept.state.as_ref(), Some(&state));
    }
    assert_eq!(cloud.writes(), [""; 0]);
    let renamed = with(minimal(), "name", Value::from("store"));
    let anew = request::plan(&there, Some(&state), &renamed).diagnostics;
    let said: Vec<&str> = anew.iter().map(|it| it.summary.as_str()).collect();
    assert_eq!(said, ["Data may be deleted"], "a replacement begins anew");
}

#[test]
fn a_name_that_is_not_known_yet_replaces() {
    let (cloud, shop, identity) = (Fake::default(), Shop::new(), identity());
    let state = made(&cloud, &shop, None, &minimal());
    let config = with(minimal(), "name", Value::Unknown);
    let planned = request::plan(&scope(&shop, Some(&identity)), Some(&state), &config);
    assert_eq!(planned.replace, [Path::of("name")]);
    assert!(planned.planned.get("incarnation").is_unknown());
}
