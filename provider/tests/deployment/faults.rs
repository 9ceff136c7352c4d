//! Something goes wrong at one of the AWS requests of a creation, an update or a destruction. Whatever it is and wherever:
//! the next apply makes everything as it should be, nothing is there twice, and destroying leaves nothing.
//!
//! `EVENTUAL_FAULTS` says how many cases are drawn with `EVENTUAL_SEED`, or `all`: every fault at every request, for
//! `cargo xtask faults`. `EVENTUAL_FAULTS_DONE` names the file that remembers which of all were run, so that they can be run in
//! slices of `EVENTUAL_FAULTS_SLICE`, and go on where they were stopped.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
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

    /// What it is called in the file that remembers.
    fn name(&self) -> String {
        format!("{:?} {} {:?}", self.phase, self.at, self.fault)
    }

    /// Runs it; answers whether there was a request for the fault to meet.
    async fn run(self) -> bool {
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
        let met = deployment.tap.disarm();
        if self.phase == Phase::Destroy {
            if let Some(state) = state {
                deployment.destroy(&state).await;
            }
            deployment.nothing_left().await;
            return met;
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
        met
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

/// The file that remembers, if there is one, and whether a slice is wanted.
struct Memory {
    file: Option<PathBuf>,
    slice: usize,
}

impl Memory {
    fn new() -> Self {
        let slice = std::env::var("EVENTUAL_FAULTS_SLICE").map(|it| it.parse().unwrap());
        Self {
            file: std::env::var_os("EVENTUAL_FAULTS_DONE").map(PathBuf::from),
            slice: slice.unwrap_or(usize::MAX),
        }
    }

    fn lines(&self) -> Vec<String> {
        let text = self.file.as_ref().and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Requests of each phase. They are counted once, so that every slice is one of the same cases.
    async fn requests(&self) -> [(Phase, usize); 3] {
        let counted = self.lines().into_iter().find_map(|line| {
            let counts = line.strip_prefix("requests ")?.to_owned();
            let counts: Vec<usize> = counts.split(' ').map(|it| it.parse().unwrap()).collect();
            Some([(Phase::Create, counts[0]), (Phase::Update, counts[1]), (Phase::Destroy, counts[2])])
        });
        if let Some(counted) = counted {
            return counted;
        }
        let [create, update, destroy] = requests().await;
        self.note(&format!("requests {} {} {}", create.1, update.1, destroy.1));
        [create, update, destroy]
    }

    /// A slice of what was not run yet.
    fn left(&self, cases: Vec<Case>) -> Vec<Case> {
        let ended = |line: String| line.split_once(": ").map(|(_, name)| name.to_owned());
        let done: BTreeSet<String> = self.lines().into_iter().filter_map(ended).collect();
        let left = cases.into_iter().filter(|case| !done.contains(&case.name()));
        left.take(self.slice).collect()
    }

    /// Kept at once: whoever is killed goes on from here.
    fn note(&self, line: &str) {
        let Some(file) = &self.file else { return };
        let mut file = OpenOptions::new().create(true).append(true).open(file).unwrap();
        file.write_all(format!("{line}\n").as_bytes()).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_may_go_wrong() {
    let memory = Memory::new();
    let requests = memory.requests().await;
    let all = cases(requests);
    let total = all.len();
    let cases = memory.left(all);
    println!("requests: {requests:?}; cases: {total}; now: {}", cases.len());
    let run = |case: Case| {
        let memory = &memory;
        async move {
            let limit = Duration::from_secs(240);
            // Its own task, so that one that panics does not end the others.
            let ended = tokio::spawn(tokio::time::timeout(limit, case.run())).await;
            let outcome = match ended {
                Ok(Ok(true)) => "ok",
                Ok(Ok(false)) => "unmet",
                _ => "FAILED",
            };
            println!("{outcome} {case:?}");
            memory.note(&format!("{outcome}: {}", case.name()));
            (outcome == "FAILED").then_some(case)
        }
    };
    let failed = stream::iter(cases).map(run).buffer_unordered(AT_ONCE).filter_map(std::future::ready);
    let failed: Vec<Case> = failed.collect().await;
    assert!(failed.is_empty(), "{failed:#?}");
}
