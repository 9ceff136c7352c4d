//! Runs that are stopped, and what runs say of themselves.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::fake::Fake;
use super::tests::{attempt, changes, made, run};
use crate::request::{self, Control, OnCreateFailure, ProgressEvent, ProgressSink};
use crate::testing::{Shop, identity, minimal, scope, with};
use crate::value::Value;

/// A user who stops it after so many events.
struct CancelAfter(Control, AtomicUsize);

impl ProgressSink for CancelAfter {
    fn report(&self, _event: &ProgressEvent) {
        if self.1.fetch_sub(1, Ordering::Relaxed) <= 1 {
            self.0.cancel();
        }
    }
}

fn cancelled_after(events: usize) -> Control {
    let mut control = Control::new("tests");
    control.progress = Arc::new(CancelAfter(control.clone(), AtomicUsize::new(events)));
    control
}

#[test]
fn a_cancelled_creation_begins_nothing_new_and_says_what_there_is() {
    let (cloud, shop) = (Fake::default(), Shop::new());
    let control = cancelled_after(1);
    let applied = attempt(&cloud, &shop, None, &minimal(), &control).unwrap();
    assert!(applied.diagnostics[0].to_string().contains("it was cancelled"), "{}", applied.diagnostics[0]);
    let state = applied.state.unwrap();
    let done = state.get("resources").as_map().unwrap().len();
    let all = shop.desired(&minimal()).0.resources.len();
    assert!(done > 1 && done < all, "what was under way was finished: {done} of {all}");
    let reached = state.get("deployment").get("created").as_f64().unwrap();
    assert!(reached > 0.0 && reached <= 50.0, "{reached}");

    // Cancelled already, nothing at all is begun.
    cloud.writes();
    let none = attempt(&cloud, &shop, Some(&state), &minimal(), &control).unwrap();
    assert_eq!((none.state.as_ref(), cloud.writes()), (Some(&state), Vec::new()));
    assert!(none.diagnostics[0].to_string().contains("it was cancelled"), "{}", none.diagnostics[0]);
    let finished = made(&cloud, &shop, Some(&state), &minimal());
    assert_eq!(changes(&shop, &finished, &minimal()), []);
}

#[test]
fn an_apply_says_what_it_came_to_and_one_without_changes_says_what_the_last_one_did() {
    let (cloud, shop) = (Fake::default(), Shop::new());
    let state = made(&cloud, &shop, None, &minimal());
    let all = state.get("resources").as_map().unwrap().len();
    let deployment = state.get("deployment").clone();
    // The bucket is there for the record before anything else, and is changed then.
    assert_eq!(
        (deployment.get("created").as_f64(), deployment.get("updated").as_f64()),
        (Some(all as f64 - 1.0), Some(1.0))
    );
    assert!(
        deployment.get("slowest").as_str().is_some_and(|key| state
            .get("resources")
            .get(key)
            .as_map()
            .is_some())
    );
    assert_eq!(made(&cloud, &shop, Some(&state), &minimal()), state, "nothing was to be done");
    let memory = Value::map([("health", Value::map([("memory_mb", Value::from(256))]))]);
    let config = with(minimal(), "commands", memory);
    let planned = request::plan(&scope(&shop, Some(&identity())), Some(&state), &config);
    assert!(planned.planned.get("deployment").is_unknown());
    let updated = made(&cloud, &shop, Some(&state), &config);
    let counts = ["created", "updated", "deleted"].map(|name| updated.get("deployment").get(name).as_f64());
    assert_eq!(counts, [Some(0.0), Some(1.0), Some(0.0)]);
    // A state of a release that did not count is what it is until something changes.
    let old = with(state, "deployment", Value::Null);
    assert_eq!(made(&cloud, &shop, Some(&old), &minimal()), old);
}

/// Wherever it is cancelled, the state is exact: what it names is there and nothing else is, and the next run goes on.
#[test]
fn every_step_may_be_the_last() {
    let shop = Shop::small();
    let all = shop.desired(&minimal()).0.resources.len();
    let changed = with(minimal(), "tags", Value::map([("team", Value::from("shop"))]));
    for events in 1..2 * all {
        let cloud = Fake::default();
        let mut kept = cancelled_after(events);
        kept.on_create_failure = OnCreateFailure::Keep;
        let created = attempt(&cloud, &shop, None, &minimal(), &kept).unwrap();
        let state = created.state.expect("it was kept");
        assert_eq!(state.get("resources").as_map().unwrap().len(), cloud.count(), "created, {events}");
        let state = made(&cloud, &shop, Some(&state), &minimal());
        let updated = attempt(&cloud, &shop, Some(&state), &changed, &cancelled_after(events)).unwrap();
        let state = made(&cloud, &shop, updated.state.as_ref(), &changed);
        assert_eq!((changes(&shop, &state, &changed), cloud.count()), (Vec::new(), all), "updated, {events}");
        let left = destroyed(&cloud, &shop, &state, &cancelled_after(events));
        let count = left.as_ref().map_or(0, |it| it.get("resources").as_map().unwrap().len());
        assert_eq!(count, cloud.count(), "destroyed, {events}");
        if let Some(left) = left {
            assert_eq!(destroyed(&cloud, &shop, &left, &Control::new("tests")), None);
        }
        assert!(cloud.is_empty(), "{events}: {:?}", cloud.names());
    }
}

fn destroyed(cloud: &Fake, shop: &Shop, state: &Value, control: &Control) -> Option<Value> {
    let identity = identity();
    run(request::destroy(&scope(shop, Some(&identity)), cloud, state, control)).expect("it ends").state
}
