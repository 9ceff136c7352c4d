//! Whole journeys through a service: tasks that know who calls them, children, many at once, dialogues, chains of events,
//! and commands by both of their ways in.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use eventual::{CallError, Ctx, Error, Execution, Result};
use futures_util::future::{join_all, select_all, select_ok};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::environment;

const SECOND: Duration = Duration::from_secs(1);

#[eventual::task]
async fn hail(name: String, ctx: Ctx) -> String {
    let caller = ctx.execution().map(|it| it.id().to_owned()).unwrap_or_default();
    let workflow = caller.split('/').next().unwrap_or_default();
    format!("hello {name}, I am {} and was called by {workflow}", ctx.handler())
}

#[eventual::task]
async fn sinks(ship: String) -> Result<String> {
    Err(Error::new("Sunk", ship))
}

#[eventual::workflow]
async fn hails(name: String) -> Result<String> {
    Ok(hail(name).await?)
}

#[eventual::workflow]
async fn has_hailed(name: String) -> Result<String> {
    Ok(format!("user: {}", hails(name).await?))
}

#[eventual::workflow]
async fn slumbers_on(name: String) -> Result<String> {
    eventual::sleep(100 * SECOND).await?;
    Ok(name)
}

fn names() -> [String; 3] {
    ["sam", "chris", "sam"].map(str::to_owned)
}

fn all<E>(greetings: Vec<Result<String, E>>) -> String {
    let short = |it: Result<String, E>| it.ok().and_then(|it| it.split(',').next().map(str::to_owned));
    greetings.into_iter().map(|it| short(it).unwrap_or_default()).collect::<Vec<_>>().join("; ")
}

/// Several at once, in every form, and all the forms at once.
#[eventual::workflow]
async fn sails_in_parallel() -> Vec<String> {
    let calls = async { all(join_all(names().map(hail)).await) };
    let functions = async {
        let loud = |name: String| async move { hail(name).await.map(|it| it.to_uppercase()) };
        all(join_all(names().map(loud)).await)
    };
    let any = async {
        let two: [std::pin::Pin<Box<dyn Future<Output = Result<String>>>>; 2] = [
            Box::pin(async { Ok(sinks("a".to_owned()).await?) }),
            Box::pin(async { Ok(hail("sam".to_owned()).await?) }),
        ];
        all(vec![select_ok(two).await.map(|it| it.0)])
    };
    let first = async {
        let two: [std::pin::Pin<Box<dyn Future<Output = Result<String>>>>; 2] = [
            Box::pin(async { Ok(sinks("b".to_owned()).await?) }),
            Box::pin(async { Ok(slumbers_on("never".to_owned()).await?) }),
        ];
        format!("{}", select_all(two).await.0.unwrap_err())
    };
    let (calls, functions, any, first) = tokio::join!(calls, functions, any, first);
    vec![calls, functions, any, first]
}

#[eventual::signal]
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Ping(u32);

#[eventual::signal]
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Enough {}

/// Answers its child until it has heard more than ten, then tells it that it is enough.
#[eventual::workflow]
async fn talks_to_its_child() -> Result<String> {
    let child = has_a_parent(eventual::this_execution().map(|it| it.id().to_owned())).key("talking");
    let talking = async {
        let to = Execution::new("hasAParent", "talking")?;
        loop {
            let Ping(heard) = Ping::next().timeout(10 * SECOND).await?;
            if heard > 10 {
                return Result::<()>::Ok(Enough {}.send(&to).await?);
            }
            Ping(heard + 1).send(&to).await?;
        }
    };
    let (said, talked) = tokio::join!(child, talking);
    talked?;
    Ok(said?)
}

/// Tells its parent a number, and a greater one for each that it hears.
#[eventual::workflow]
async fn has_a_parent(parent: Option<String>) -> Result<String> {
    let parent = parent.ok_or_else(|| Error::new("Alone", "I need an adult"))?;
    let (last, waiting, done) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(false)), Rc::new(Cell::new(false)));
    let (hears, heard) = (last.clone(), waiting.clone());
    let _pings = eventual::on_signal(move |Ping(number)| {
        hears.set(number);
        heard.set(false);
    });
    let (ends, ended) = (done.clone(), waiting.clone());
    let _enough = eventual::on_signal(move |_: Enough| {
        ends.set(true);
        ended.set(false);
    });
    while !done.get() {
        waiting.set(true);
        Ping(last.get() + 1).send(&parent).await?;
        if !eventual::until(|| !waiting.get()).timeout(10 * SECOND).await {
            return Err(Error::new("Silence", "timed out!"));
        }
    }
    Ok("done".to_owned())
}

/// The first of a chain of events.
#[eventual::event]
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct Knocked {
    at: Execution,
    again: bool,
}

#[eventual::event]
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct Opened {
    at: Execution,
}

#[eventual::signal]
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Entered {}

#[eventual::subscription(uses(Opened, Entered))]
async fn on_knocked(event: Knocked) -> Result<()> {
    if event.again {
        return Ok(Opened { at: event.at }.emit().await?);
    }
    Ok(Entered {}.send(&event.at).await?)
}

#[eventual::subscription(uses(Entered))]
async fn on_opened(event: Opened) -> Result<()> {
    Ok(Entered {}.send(&event.at).await?)
}

#[eventual::task(uses(Knocked))]
async fn knock(at: Execution) -> Result<()> {
    Ok(Knocked { at, again: true }.emit().await?)
}

/// Publishes and is told, once by itself and once by a task and two subscriptions.
#[eventual::workflow]
async fn is_driven_by_events() -> Result<String> {
    let at = eventual::this_execution().ok_or_else(|| Error::new("Nowhere", "no execution"))?;
    Knocked { at: at.clone(), again: false }.emit().await?;
    Entered::next().await?;
    knock(at).await?;
    Entered::next().await?;
    Ok("done!".to_owned())
}

#[eventual::signal]
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Counted {}

/// Everything that an execution can ask for: a task, an event, a timer, a child, a signal to itself that it counts.
#[eventual::workflow]
async fn asks_for_everything() -> Result<u32> {
    let counted = Rc::new(RefCell::new(0));
    let count = counted.clone();
    let _handler = eventual::on_signal(move |_: Counted| *count.borrow_mut() += 1);
    let me = eventual::this_execution().ok_or_else(|| Error::new("Nowhere", "no execution"))?;
    hail("x".to_owned()).await?;
    Opened { at: me.clone() }.emit().await?;
    eventual::sleep(SECOND).await?;
    hails("y".to_owned()).await?;
    Counted {}.send(&me).await?;
    eventual::until(|| *counted.borrow() > 0).await;
    eventual::sleep(SECOND).await?;
    Ok(counted.take())
}

/// A moment that is written as people do.
mod date {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(year: &u32, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{year:04}-01-01T00:00:00.000Z"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
        let text = String::deserialize(deserializer)?;
        text[..4].parse().map_err(serde::de::Error::custom)
    }
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Member {
    id: String,
    #[serde(default)]
    verbose: bool,
    #[serde(default = "seventy", with = "date")]
    #[schemars(with = "String")]
    since: u32,
}

const fn seventy() -> u32 {
    1970
}

#[eventual::command(method = GET, path = "/members/{id}", auth = none)]
async fn read_member(member: Member) -> Member {
    member
}

#[eventual::command(method = GET, path = "/ahoy", auth = none)]
async fn ahoy(ctx: Ctx) -> String {
    format!("hello world from {}", ctx.handler())
}

#[test]
fn a_task_knows_its_name_and_who_calls_it() {
    let said = environment().call(hails("sam".into())).unwrap();
    assert_eq!(said, "hello sam, I am hail and was called by hails");
}

#[test]
fn a_workflow_calls_a_workflow() {
    let said = environment().call(has_hailed("sam".into())).unwrap();
    assert_eq!(said, "user: hello sam, I am hail and was called by hails");
}

#[test]
fn much_happens_at_once_and_the_quickest_ends_a_race() {
    let env = environment();
    let began = env.now();
    let said = env.call(sails_in_parallel()).unwrap();
    let greetings = "hello sam; hello chris; hello sam";
    assert_eq!(said, [greetings, "HELLO SAM; HELLO CHRIS; HELLO SAM", "hello sam", "Sunk: b"]);
    assert_eq!(env.now(), began, "nobody waits for the sleeper");
}

#[test]
fn parent_and_child_talk_until_it_is_enough() {
    let env = environment();
    assert_eq!(env.call(talks_to_its_child()).unwrap(), "done");
    let Err(CallError::Failed(error)) = env.call(has_a_parent(None)) else { panic!("it is alone") };
    assert_eq!(error.message, "I need an adult");
}

#[test]
fn an_execution_is_driven_by_events() {
    let env = environment();
    assert_eq!(env.call(is_driven_by_events()).unwrap(), "done!");
    assert_eq!((env.emitted::<Knocked>().len(), env.emitted::<Opened>().len()), (2, 1));
}

#[test]
fn everything_is_done_once_whatever_breaks() {
    let explored = eventual_testing::explore(environment, |env| {
        env.disable_subscriptions(true);
        let counted = env.call(asks_for_everything());
        // Whoever subscribes may get an event twice, and knows it by its key.
        let published: BTreeSet<String> = env.published().into_iter().map(|it| it.key).collect();
        (counted, published.len(), env.calls(hail).len().min(2))
    });
    assert!(explored.runs > 50, "{explored:?}");
    assert_eq!(environment().call(asks_for_everything()).unwrap(), 1);
}

#[test]
fn a_command_is_called_by_route_and_by_name() {
    let env = environment();
    let said = "hello world from ahoy";
    assert_eq!(env.request("GET", "/ahoy").send().json::<String>(), said);
    assert_eq!(env.request("POST", "/rpc/ahoy").send().json::<String>(), said);
}

#[test]
fn inputs_and_results_are_as_their_types_say_by_both_ways() {
    let env = environment();
    let wanted = json!({ "id": "me", "verbose": true, "since": "1970-01-01T00:00:00.000Z" });
    let by_route = env.request("GET", "/members/me?verbose=true").send();
    assert_eq!((by_route.status, by_route.json::<Value>()), (200, wanted.clone()));
    let by_name = env.request("POST", "/rpc/readMember").json(&json!({ "id": "me", "verbose": true })).send();
    assert_eq!((by_name.status, by_name.json::<Value>()), (200, wanted));
    assert_eq!(env.request("GET", "/members/me?verbose=perhaps").send().status, 400);
}
