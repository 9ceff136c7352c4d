//! Something goes wrong at one of the AWS requests of a creation, an update or a destruction. Whatever it is and wherever:
//! the next apply makes everything as it should be, nothing is there twice, and destroying leaves nothing.
//!
//! `EVENTUAL_FAULTS` says how many cases are drawn with `EVENTUAL_SEED`, or `all`: every fault at every request, for
//! `cargo xtask faults`.

use std::time::Duration;

use eventual_provider_core::diagnostic::any_error;
use eventual_provider_core::request::{Applied, Control, OnCreateFailure};
use eventual_provider_core::value::Value;
use futures_util::{StreamExt, stream};

use super::tap::{FAULTS, Fault};
use super::{Deployment, service};

/// What is under way when it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Create,
    Update,
    Destroy,
}

#[derive(Debug, Clone, Copy)]
struct Case {
    number: usize,
    phase: Phase,
    at: usize,
    fault: Fault,
}

/// Deployments at the same time.
const AT_ONCE: usize = 4;

impl Case {
    /// Half of the engines keep what a failed creation made, half have it rolled back.
    fn control(&self) -> Control {
        let mut control = Control::new("tests");
        if self.number.is_multiple_of(2) {
            control.on_create_failure = OnCreateFailure::Keep;
        }
        control
    }

    /// The operation with the fault; the state that the engine has then, and whether it succeeded.
    async fn act(
        &self,
        deployment: &Deployment,
        prior: Option<&Value>,
        config: &Value,
    ) -> (Option<Value>, bool) {
        let control = self.control();
        let work = async {
            match (self.phase, prior) {
                (Phase::Destroy, Some(state)) => deployment.attempt_destroy(state).await,
                _ => deployment.attempt_with(&control, prior, config).await,
            }
        };
        tokio::select! {
            Applied { state, diagnostics } = work => {
                let failed = any_error(&diagnostics);
                // What passes by itself is waited for: nobody has to apply again.
                let passes = matches!(self.fault, Fault::Throttled | Fault::Failed | Fault::Unanswered);
                assert!(!(failed && passes), "{self:?}: {diagnostics:?}");
                (state, !failed)
            }
            () = deployment.tap.killed() => (prior.cloned(), false),
        }
    }

    async fn run(self) {
        let mut deployment = Deployment::new(&format!("fault{}", self.number)).await;
        let (first, second) = (service(&deployment, &[]), service(&deployment, &[("ping", 1024.0)]));
        let prior = match self.phase {
            Phase::Create => None,
            Phase::Update | Phase::Destroy => Some(deployment.create(&first).await),
        };
        if self.phase == Phase::Update {
            deployment.rebuild();
        }
        let config = if self.phase == Phase::Update { &second } else { &first };
        deployment.tap.arm(self.at, self.fault);
        let (state, _) = self.act(&deployment, prior.as_ref(), config).await;
        deployment.tap.disarm();
        if self.phase == Phase::Destroy {
            if let Some(state) = state {
                deployment.destroy(&state).await;
            }
            return deployment.nothing_left().await;
        }
        let applied = deployment.attempt_with(&self.control(), state.as_ref(), config).await;
        assert!(!any_error(&applied.diagnostics), "{self:?}: {:?}", applied.diagnostics);
        let state = applied.state.unwrap();
        assert_eq!(deployment.read(&state).await.as_ref(), Some(&state), "{self:?}");
        assert_eq!(deployment.changes(&state, config), [], "{self:?}");
        assert_eq!(
            deployment.counted(&state).await,
            [1, 3, 4, 3],
            "{self:?}: APIs, integrations, routes, mappings"
        );
        deployment.destroy(&state).await;
        deployment.nothing_left().await;
    }
}

/// Requests of each phase when nothing goes wrong.
async fn requests() -> [(Phase, usize); 3] {
    let mut deployment = Deployment::new("count").await;
    let (first, second) = (service(&deployment, &[]), service(&deployment, &[("ping", 1024.0)]));
    deployment.tap.take();
    let state = deployment.create(&first).await;
    let create = deployment.tap.take().len();
    deployment.rebuild();
    let state = deployment.apply(Some(&state), &second).await;
    let update = deployment.tap.take().len();
    deployment.destroy(&state).await;
    [(Phase::Create, create), (Phase::Update, update), (Phase::Destroy, deployment.tap.take().len())]
}

/// A generator of our own, so that a seed means the same cases for ever.
fn next(random: &mut u64) -> usize {
    *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*random >> 33).unwrap()
}

fn cases(requests: [(Phase, usize); 3]) -> Vec<Case> {
    let variable = |name: &str| std::env::var(name).ok();
    let every = requests.into_iter().flat_map(|(phase, count)| {
        (0..count).flat_map(move |at| FAULTS.map(|fault| Case { number: 0, phase, at, fault }))
    });
    let mut every: Vec<Case> = every.collect();
    let wanted = variable("EVENTUAL_FAULTS").unwrap_or_else(|| "10".to_owned());
    if wanted != "all" {
        let mut random: u64 = variable("EVENTUAL_SEED").map_or(1, |seed| seed.parse().unwrap());
        let wanted: usize = wanted.parse().expect("EVENTUAL_FAULTS is a number or `all`");
        // Each fault in turn, so that a slice has all of them.
        every = (0..wanted)
            .map(|turn| {
                let fault = FAULTS[turn % FAULTS.len()];
                let fitting: Vec<Case> = every.iter().filter(|it| it.fault == fault).copied().collect();
                fitting[next(&mut random) % fitting.len()]
            })
            .collect();
    }
    every.into_iter().enumerate().map(|(number, case)| Case { number, ..case }).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_may_go_wrong() {
    let requests = requests().await;
    let cases = cases(requests);
    println!("requests: {requests:?}; cases: {}", cases.len());
    let run = |case: Case| async move {
        let limit = Duration::from_secs(240);
        // Its own task, so that one that panics does not end the others.
        let ended = tokio::spawn(tokio::time::timeout(limit, case.run())).await;
        let failed = !matches!(ended, Ok(Ok(())));
        println!("{} {case:?}", if failed { "FAILED" } else { "ok    " });
        failed.then_some(case)
    };
    let failed = stream::iter(cases).map(run).buffer_unordered(AT_ONCE).filter_map(std::future::ready);
    let failed: Vec<Case> = failed.collect().await;
    assert!(failed.is_empty(), "{failed:#?}");
}
