//! Every fault at every call of the port during a creation, an update and a destruction, under an engine that destroys what a failed
//! creation left (Terraform) and one that resumes it (Pulumi). After the next apply everything is as it should be.

use super::fake::Fake;
use super::faulty::{Fault, Faulty};
use super::tests::run;
use crate::cloud::{Cloud, Trouble};
use crate::diagnostic::any_error;
use crate::request::{self, Applied, Control, OnCreateFailure};
use crate::resource::Kind;
use crate::testing::{Shop, identity, minimal, scope};
use crate::value::Value;

const FAULTS: [Fault; 5] = [
    Fault::Refused(Trouble::Throttled),
    Fault::Refused(Trouble::Unreachable),
    Fault::Refused(Trouble::Denied),
    Fault::Unanswered,
    Fault::Killed,
];

/// An engine: what it keeps between two operations, and how it behaves.
struct Engine {
    keeps: bool,
    /// Terraform's claimants are made anew for every creation that it has no state of.
    asked: u32,
    state: Option<Value>,
    tainted: bool,
}

impl Engine {
    fn new(keeps: bool) -> Self {
        Self { keeps, asked: 0, state: None, tainted: false }
    }

    fn control(&mut self) -> Control {
        if !self.keeps && self.state.is_none() {
            self.asked += 1;
        }
        let mut control = Control::new(format!("state {}", self.asked));
        if self.keeps {
            control.on_create_failure = OnCreateFailure::Keep;
        }
        control
    }

    /// One apply; whether it succeeded. Killed, it knows what it knew before.
    fn apply(&mut self, cloud: &dyn Cloud, shop: &Shop) -> bool {
        if self.tainted && !self.destroy(cloud, shop) {
            return false;
        }
        let (identity, control) = (identity(), self.control());
        let scope = scope(shop, Some(&identity));
        let planned = request::plan(&scope, self.state.as_ref(), &minimal());
        // That data may be deleted is a warning, and right.
        assert!(!any_error(&planned.diagnostics), "{:?}", planned.diagnostics);
        if self.state.as_ref() == Some(&planned.planned) {
            return true;
        }
        let create = self.state.is_none();
        let ended = run(request::apply(&scope, cloud, self.state.as_ref(), &planned.planned, &control));
        let Some(Applied { state, diagnostics }) = ended else { return false };
        let failed = any_error(&diagnostics);
        self.tainted = create && failed && !self.keeps && state.is_some();
        self.state = state;
        !failed
    }

    fn destroy(&mut self, cloud: &dyn Cloud, shop: &Shop) -> bool {
        let (identity, control) = (identity(), self.control());
        let Some(state) = &self.state else { return true };
        let ended = run(request::destroy(&scope(shop, Some(&identity)), cloud, state, &control));
        let Some(Applied { state, diagnostics }) = ended else { return false };
        self.state = state;
        self.tainted &= self.state.is_some();
        !any_error(&diagnostics)
    }

    /// Takes over what is there and in no state, as a user does who was told that it exists.
    fn import(&mut self, cloud: &dyn Cloud, shop: &Shop) {
        let identity = identity();
        let named = Value::map([("id", Value::from("shop")), ("name", Value::from("shop"))]);
        self.state = run(request::read(&scope(shop, Some(&identity)), cloud, &named)).unwrap().state;
        assert!(self.state.is_some(), "there is something to import");
    }
}

/// What there is after a creation without faults.
fn whole(shop: &Shop) -> Vec<(Kind, String)> {
    let cloud = Fake::default();
    assert!(Engine::new(true).apply(&cloud, shop));
    cloud.names()
}

/// Asserts that what is there is the service and nothing else, that the engine knows all of it, and that it can go.
fn assert_converged(engine: &mut Engine, cloud: &Fake, shop: &Shop, whole: &[(Kind, String)], told: &str) {
    assert_eq!(cloud.names(), whole, "{told}");
    assert_eq!(cloud.owners(), 1, "{told}");
    let identity = identity();
    let scope = scope(shop, Some(&identity));
    let read = run(request::read(&scope, cloud, engine.state.as_ref().unwrap())).unwrap();
    assert_eq!(read.diagnostics, [], "{told}");
    assert_eq!(request::plan(&scope, read.state.as_ref(), &minimal()).changes, [], "{told}");
    cloud.writes();
    assert!(engine.apply(cloud, shop), "{told}");
    assert_eq!(cloud.writes(), [""; 0], "{told}");
    assert!(engine.destroy(cloud, shop), "{told}");
    assert!(cloud.is_empty(), "{told}: {:?}", cloud.names());
}

/// Goes through every call that `act` makes after `before`, with each of the faults.
fn everywhere(
    faults: &[Fault],
    before: impl Fn(&mut Engine, &Fake),
    act: impl Fn(&mut Engine, &dyn Cloud) -> bool,
    then: impl Fn(&mut Engine, &Fake, &str),
) -> usize {
    let mut done = 0;
    for keeps in [false, true] {
        for &fault in faults {
            for at in 0.. {
                let (cloud, mut engine) = (Fake::default(), Engine::new(keeps));
                before(&mut engine, &cloud);
                let faulty = Faulty::new(&cloud, Some((at, fault)));
                act(&mut engine, &faulty);
                if faulty.calls() <= at {
                    break;
                }
                then(&mut engine, &cloud, &format!("{fault:?} at call {at}, keeps: {keeps}"));
                done += 1;
            }
        }
    }
    done
}

#[test]
fn a_creation_survives_every_fault_at_every_call() {
    let shop = Shop::small();
    let whole = whole(&shop);
    let done = everywhere(
        &FAULTS,
        |_, _| {},
        |engine, cloud| engine.apply(cloud, &shop),
        |engine, cloud, told| {
            if !engine.apply(cloud, &shop) {
                // Killed after its last step and before it was heard: it may be in another's state.
                assert!(told.starts_with("Killed") && !engine.keeps, "{told}");
                engine.import(cloud, &shop);
                assert!(engine.apply(cloud, &shop), "{told}");
            }
            assert_converged(engine, cloud, &shop, &whole, told);
        },
    );
    assert!(done > 300, "{done}");
}

#[test]
fn an_update_survives_every_fault_at_every_call() {
    // Another build that has lost a part and changed the rest.
    let (first, second) = (Shop::small(), Shop::smaller().rebuilt());
    let whole = whole(&second);
    let done = everywhere(
        &FAULTS,
        |engine, cloud| assert!(engine.apply(cloud, &first)),
        |engine, cloud| engine.apply(cloud, &second),
        |engine, cloud, told| {
            assert!(engine.apply(cloud, &second), "{told}");
            assert_converged(engine, cloud, &second, &whole, told);
        },
    );
    assert!(done > 200, "{done}");
}

#[test]
fn a_destruction_survives_every_fault_at_every_call() {
    let shop = Shop::small();
    let done = everywhere(
        &FAULTS,
        |engine, cloud| assert!(engine.apply(cloud, &shop)),
        |engine, cloud| engine.destroy(cloud, &shop),
        |engine, cloud, told| {
            assert!(engine.destroy(cloud, &shop), "{told}");
            assert!(cloud.is_empty(), "{told}: {:?}", cloud.names());
        },
    );
    assert!(done > 200, "{done}");
}

#[test]
fn a_creation_that_adopts_another_build_forgets_nothing_of_the_first() {
    let (first, second) = (Shop::small(), Shop::smaller());
    let whole = whole(&second);
    everywhere(
        &[Fault::Killed, Fault::Refused(Trouble::Denied)],
        |_, _| {},
        |engine, cloud| engine.apply(cloud, &first),
        |engine, cloud, told| {
            // The code changed between the attempt that failed and the next one.
            if !engine.apply(cloud, &second) {
                engine.import(cloud, &second);
                assert!(engine.apply(cloud, &second), "{told}");
            }
            assert_converged(engine, cloud, &second, &whole, told);
        },
    );
}
