//! Versions of the code: which of them takes the turns of an execution, and what happens when nobody runs it any more.
#![allow(clippy::unwrap_used, reason = "a test's way to fail")]

mod raw;

use std::pin::Pin;
use std::sync::Arc;

use eventual_engine::core::{Call, ExecutionId, Fact, Outcome, Payload, Status, TaskCall};
use eventual_engine::ports::{AttributeFilter, AttributeTest, ListQuery, Ports};
use eventual_engine::{
    Client, ClientError, HandlerRequest, Registry, States, SystemRequest, SystemResponse, TaskEntry,
    VersionReport, WorkflowFn, ambient,
};
use eventual_schema::deploy::CODE_ATTRIBUTE;
use eventual_testing::host::Host;
use eventual_testing::world::World;
use raw::{ask, id, text};
use tokio::runtime::{Builder, Runtime};

type Code = Pin<Box<dyn Future<Output = Outcome>>>;

/// What is deployed first: waits, and says so.
fn old(_: Payload) -> Code {
    Box::pin(async {
        ambient::on_query("version", std::rc::Rc::new(|_: &Payload| Outcome::Succeeded("1".into())));
        let sent = text(ask(|_| Call::Signal { name: "go".into() }).await);
        Outcome::Succeeded(format!("\"old {sent}\"").as_str().into())
    })
}

/// What is deployed then: does not go with the history of the first.
fn new(_: Payload) -> Code {
    Box::pin(async {
        ask(|_| Call::Task(TaskCall::new("echo", "1".into()))).await;
        let sent = text(ask(|_| Call::Signal { name: "go".into() }).await);
        Outcome::Succeeded(format!("\"new {sent}\"").as_str().into())
    })
}

/// Goes with the history of the first, whatever its own.
fn marked(input: Payload) -> Code {
    Box::pin(async move {
        if ambient::changed("second step").unwrap_or(true) { new(input).await } else { old(input).await }
    })
}

fn echo(request: HandlerRequest) -> Pin<Box<dyn Future<Output = Outcome> + Send>> {
    Box::pin(async move { Outcome::Succeeded(request.input) })
}

fn registry(pinned: WorkflowFn, newest: WorkflowFn) -> Registry {
    let mut registry = Registry::default();
    registry.workflows.insert("pinned".into(), pinned);
    registry.workflows.insert("newest".into(), newest);
    registry.pinned.insert("pinned".into());
    registry.tasks.insert("echo".into(), TaskEntry::new(echo, false));
    registry
}

/// A world in which `v1` runs.
struct Stage {
    runtime: Runtime,
    world: Arc<World>,
    v1: Host,
}

impl Stage {
    fn new() -> Self {
        let world = Arc::new(World::new([], 1));
        let ports = Ports { store: world.clone(), dispatch: world.clone(), clock: world.clone() };
        let none =
            Host::new(world.clone(), ports, Arc::new(Registry::default()), Arc::new(States::default()));
        let v1 = none.running(registry(old, old), "v1");
        Self { runtime: Builder::new_current_thread().enable_all().build().unwrap(), world, v1 }
    }

    /// Deploys other code.
    fn deploy(&self, registry: Registry, code: &str) -> Host {
        self.v1.running(registry, code)
    }

    fn start(&self, host: &Host, workflow: &str, name: &str) -> ExecutionId {
        self.client(host, |it| it.start(workflow, Some(name), Payload::null())).unwrap();
        self.settle(host);
        id(&format!("{workflow}/{name}"))
    }

    fn go(&self, host: &Host, id: &ExecutionId) {
        self.client(host, |it| it.signal(id, "go", "1".into())).unwrap();
        self.settle(host);
    }

    fn client<'a, F: Future>(&self, host: &'a Host, ask: impl FnOnce(&'a Client) -> F) -> F::Output {
        self.runtime.block_on(ask(host.engine().client()))
    }

    fn settle(&self, host: &Host) {
        while self.runtime.block_on(host.step()).unwrap() {}
    }

    fn end(&self, id: &ExecutionId) -> Option<String> {
        let end = self.world.peek(id, |meta, _| meta.end.clone()).unwrap();
        end.map(|it| text(it).trim_matches('"').to_owned())
    }

    fn standing(&self, id: &ExecutionId) -> (Status, String) {
        self.world.peek(id, |meta, _| (meta.status, meta.parked.clone().unwrap_or_default())).unwrap()
    }
}

#[test]
fn a_pinned_execution_stays_on_its_code_and_others_follow_the_newest() {
    let stage = Stage::new();
    let pinned = stage.start(&stage.v1, "pinned", "a");
    let follows = stage.start(&stage.v1, "newest", "a");
    stage.world.keep("v1", stage.v1.engine());
    let v2 = stage.deploy(registry(new, marked), "v2");
    let answer = stage.client(&v2, |it| it.query(&pinned, "version", Payload::null())).unwrap();
    assert_eq!(answer, Outcome::Succeeded("1".into()), "its own code answers");
    let unknown = stage.client(&v2, |it| it.query(&pinned, "nonsense", Payload::null())).unwrap_err();
    assert!(matches!(&unknown, ClientError::Unanswered(why) if why.contains("nonsense")), "{unknown}");
    stage.go(&v2, &pinned);
    stage.go(&v2, &follows);
    assert_eq!(stage.end(&pinned).as_deref(), Some("old 1"));
    assert_eq!(stage.end(&follows).as_deref(), Some("old 1"), "its history goes with the old branch");
    let later = [stage.start(&v2, "pinned", "b"), stage.start(&v2, "newest", "b")];
    for id in &later {
        stage.go(&v2, id);
        assert_eq!(stage.end(id).as_deref(), Some("new 1"));
    }
}

#[test]
fn without_its_code_a_pinned_execution_waits_and_loses_nothing() {
    let stage = Stage::new();
    let id = stage.start(&stage.v1, "pinned", "a");
    let v2 = stage.deploy(registry(new, new), "v2");
    stage.go(&v2, &id);
    let (status, reason) = stage.standing(&id);
    assert_eq!(status, Status::Parked);
    assert!(reason.contains("v1") && reason.contains("pinned/a"), "{reason}");
    let unanswered = stage.client(&v2, |it| it.query(&id, "version", Payload::null())).unwrap_err();
    assert!(unanswered.to_string().contains("v1"), "{unanswered}");
    // Somebody deploys it again, beside the newest; whoever gets the next message asks it.
    stage.world.keep("v1", stage.v1.engine());
    stage.client(&v2, |it| it.resume(&id)).unwrap();
    stage.settle(&v2);
    assert_eq!(stage.end(&id).as_deref(), Some("old 1"), "the signal that came meanwhile is there, once");
}

#[test]
fn code_that_does_not_go_with_a_history_records_nothing_that_is_recorded() {
    let stage = Stage::new();
    let v2 = stage.deploy(registry(new, new), "v2");
    let id = stage.start(&v2, "newest", "a");
    // A process of the former code gets a message once more that one of the new code has handled.
    let facts = stage.world.history(&id).iter().flat_map(|it| it.facts.clone()).collect::<Vec<_>>();
    assert!(matches!(facts[..], [Fact::TaskDone { .. }]), "{facts:?}");
    let message = stage.world.peek(&id, |meta, _| meta.message(facts.clone())).unwrap();
    stage.runtime.block_on(stage.v1.engine().advance(&id, message, true)).unwrap();
    assert_eq!(stage.standing(&id).0, Status::Parked);
    let now = stage.world.history(&id).iter().flat_map(|it| it.facts.clone()).collect::<Vec<_>>();
    assert_eq!(now, facts);
    stage.go(&v2, &id);
    assert_eq!(stage.end(&id).as_deref(), Some("new 1"));
}

#[test]
fn what_is_pinned_to_lost_code_can_be_ended_and_forked() {
    let stage = Stage::new();
    let id = stage.start(&stage.v1, "pinned", "a");
    let v2 = stage.deploy(registry(old, old), "v2");
    let fork = stage.client(&v2, |it| it.fork(&id, 1, Some("b"))).unwrap();
    stage.settle(&v2);
    stage.go(&v2, &fork);
    assert_eq!(stage.end(&fork).as_deref(), Some("old 1"), "a fork is on the code that forks");
    stage.client(&v2, |it| it.terminate(&id, "its code is gone")).unwrap();
    stage.settle(&v2);
    assert_eq!(stage.standing(&id).0, Status::Terminated);
}

#[test]
fn a_report_says_which_code_and_which_markers_are_needed() {
    let stage = Stage::new();
    for name in ["a", "b"] {
        stage.start(&stage.v1, "pinned", name);
        stage.start(&stage.v1, "newest", name);
    }
    let v2 = stage.deploy(registry(new, marked), "v2");
    stage.start(&v2, "newest", "c");
    let asked = v2.engine().system(SystemRequest::Versions { workflow: None });
    let SystemResponse::Versions(report) = stage.runtime.block_on(asked).unwrap() else { panic!() };
    assert_eq!((report.code.as_str(), report.complete), ("v2", true));
    let line = |it: &VersionReport| {
        let markers: Vec<_> = it.markers.iter().map(|(name, count)| format!("{name}: {count}")).collect();
        format!("{} {} {} {} {}", it.workflow, it.code, it.pinned, it.open, markers.join(", "))
    };
    let lines: Vec<String> = report.versions.iter().map(line).collect();
    assert_eq!(
        lines,
        ["newest v1 false 2 ", "newest v2 false 1 second step: 1", "pinned v1 true 2 "].map(str::to_owned)
    );
    // What a host asks before it throws code away.
    let filter =
        |code: &str| AttributeFilter { name: CODE_ATTRIBUTE.into(), test: AttributeTest::Is(code.into()) };
    let count = |code: &str| {
        let query = ListQuery {
            status: Some(Status::Running),
            attributes: vec![filter(code)],
            limit: 1,
            ..ListQuery::default()
        };
        stage.client(&v2, |it| async move { it.count(&query).await }).unwrap().count
    };
    assert_eq!((count("v1"), count("v2")), (2, 0));
}

#[test]
fn nobody_else_sets_the_attribute_of_pinned_executions() {
    let stage = Stage::new();
    let lies = [(CODE_ATTRIBUTE.to_owned(), "v9".into())].into();
    let refused = stage.client(&stage.v1, |it| it.start_with("pinned", None, Payload::null(), lies));
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains(CODE_ATTRIBUTE), "{refused}");
}

/// A workflow whose attribute says that it is pinned.
#[eventual::workflow(pinned)]
async fn careful() -> eventual::Result<()> {
    Ok(eventual::sleep(std::time::Duration::from_secs(60)).await?)
}

#[eventual::command(uses(careful))]
async fn begin() -> eventual::Result<usize> {
    careful().start().await?;
    let of_this_code = careful::list().attribute(CODE_ATTRIBUTE, "test").count().await?;
    Ok(usize::try_from(of_this_code.count)?)
}

#[test]
fn the_attribute_of_a_workflow_pins_it() {
    let service = eventual::service!();
    let declared = |name: &str| service.manifest().workflow(name).map(|it| it.pinned);
    assert_eq!(declared("careful"), Some(true));
    let environment = eventual_testing::TestEnvironment::new(service);
    assert_eq!(environment.call(begin()).unwrap(), 1);
    assert_eq!(environment.call(begin()).unwrap(), 2);
}
