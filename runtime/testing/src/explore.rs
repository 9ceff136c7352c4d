//! Explores what crashes do to a scenario of the user's: runs it again and again, and each time the process dies at another
//! port call, before or after the call took effect, or another delivery comes twice. What the scenario observes must be
//! the same every time.
//!
//! What the test itself does (starts, signals, requests) is not interrupted; what the service does is.

use std::collections::BTreeMap;
use std::fmt::{self, Debug, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use eventual_engine::core::Status;

use crate::environment::TestEnvironment;
use crate::faults::CrashPoint;

/// How long an exploration may take, unless it is told otherwise.
const BUDGET: Duration = Duration::from_secs(30);
/// How much longer the clock runs when a scenario has ended, before executions are looked at. No round number: nothing
/// should be due just then, because it may come a second later after a crash.
const AFTERWARDS: Duration = Duration::from_secs(3_617);
/// Names the one point to run, instead of all.
const ONLY: &str = "EVENTUAL_EXPLORE";

/// What goes wrong in one run of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The process dies at a port call, counted from 0.
    Crash {
        /// The call.
        call: u64,
        /// Whether the call takes effect and only its answer is lost.
        after_effect: bool,
    },
    /// A delivery comes twice, counted from 0.
    Repeat {
        /// The delivery.
        delivery: u64,
    },
}

impl Trouble {
    fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        match parts.as_slice() {
            ["crash", call, when @ ("before" | "after")] => {
                Some(Self::Crash { call: call.parse().ok()?, after_effect: *when == "after" })
            }
            ["repeat", delivery] => Some(Self::Repeat { delivery: delivery.parse().ok()? }),
            _ => None,
        }
    }
}

/// As [`Explorer::only`] and `EVENTUAL_EXPLORE` take it: `crash:17:before`, `crash:17:after`, `repeat:5`.
impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Crash { call, after_effect: false } => write!(f, "crash:{call}:before"),
            Self::Crash { call, after_effect: true } => write!(f, "crash:{call}:after"),
            Self::Repeat { delivery } => write!(f, "repeat:{delivery}"),
        }
    }
}

/// What was explored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explored {
    /// Runs with some trouble.
    pub runs: usize,
    /// How many there are in all; more than `runs` when the time was over.
    pub of: usize,
}

/// The first trouble that changed what was observed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Finding {
    /// The trouble.
    pub trouble: Trouble,
    /// Where it was, for people.
    pub place: String,
    /// What was different.
    pub difference: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { trouble, place, difference } = self;
        write!(
            f,
            "{place} changes what the scenario observes: {difference}\nrun it alone with {ONLY}={trouble}"
        )
    }
}

impl std::error::Error for Finding {}

/// Runs a scenario with a crash at every port call and with every delivery repeated. Says how many runs there were.
///
/// `environment` makes a fresh environment for each run, with fresh states. `scenario` does what a test does, and answers
/// what must be the same whatever goes wrong; leave out what chance decides. Besides that, executions must have the same
/// statuses an hour later, and no event may be lost.
///
/// ```
/// use eventual_testing::{TestEnvironment, explore};
///
/// #[eventual::task]
/// async fn reserve(item: String) -> String {
///     format!("{item} reserved")
/// }
///
/// #[eventual::workflow]
/// async fn order(items: Vec<String>) -> eventual::Result<Vec<String>> {
///     let mut reserved = Vec::new();
///     for item in items {
///         reserved.push(reserve(item).await?);
///     }
///     Ok(reserved)
/// }
///
/// # fn main() {
/// let explored = explore(
///     || TestEnvironment::new(eventual::service!()),
///     |env| env.call(order(vec!["lamp".to_owned(), "chair".to_owned()])),
/// );
/// assert!(explored.runs > 20);
/// # }
/// ```
///
/// # Panics
/// At the first trouble that changes what is observed, with how to run it alone.
#[track_caller]
pub fn explore<T: PartialEq + Debug>(
    environment: impl Fn() -> TestEnvironment,
    scenario: impl Fn(&TestEnvironment) -> T,
) -> Explored {
    Explorer::default().run(environment, scenario).unwrap_or_else(|finding| panic!("{finding}"))
}

/// How a scenario is explored. See [`explore`].
#[derive(Clone, Debug)]
pub struct Explorer {
    budget: Duration,
    only: Option<Trouble>,
}

impl Default for Explorer {
    fn default() -> Self {
        let only = std::env::var(ONLY).ok().map(|text| {
            Trouble::parse(&text).unwrap_or_else(|| {
                panic!("{ONLY}={text} is none of crash:<call>:before, crash:<call>:after, repeat:<delivery>")
            })
        });
        Self { budget: BUDGET, only }
    }
}

/// What one run came to.
#[derive(Debug, PartialEq)]
struct Observed<T> {
    /// What the scenario answered, or how it panicked.
    answer: Result<T, String>,
    /// How many executions of each workflow stand how.
    executions: BTreeMap<(String, &'static str), usize>,
    /// How many different events of each name there were.
    events: BTreeMap<String, usize>,
    dead_letters: usize,
}

impl Explorer {
    /// Ends after this time with what was explored by then, evenly over the whole scenario. Default 30 seconds.
    #[must_use]
    pub const fn budget(self, budget: Duration) -> Self {
        Self { budget, ..self }
    }

    /// Runs with this trouble only.
    #[must_use]
    pub const fn only(self, trouble: Trouble) -> Self {
        Self { only: Some(trouble), ..self }
    }

    /// Explores a scenario, see [`explore`].
    ///
    /// # Errors
    /// The first trouble that changes what is observed.
    ///
    /// # Panics
    /// When the scenario fails without any trouble.
    pub fn run<T: PartialEq + Debug>(
        &self,
        environment: impl Fn() -> TestEnvironment,
        scenario: impl Fn(&TestEnvironment) -> T,
    ) -> Result<Explored, Finding> {
        let never = CrashPoint { call: u64::MAX, after_effect: false };
        let calm_environment = environment().dying(never);
        let calm = observe(&calm_environment, &scenario);
        if let Err(panicked) = &calm.answer {
            panic!("the scenario fails without any trouble: {panicked}");
        }
        let calls = calm_environment.drive().faults().map_or(0, |it| it.calls());
        let troubles = match self.only {
            Some(only) => vec![only],
            None => spread(&all(calls, calm_environment.drive().world().taken())),
        };
        let until = Instant::now() + self.budget;
        let mut runs = 0;
        for trouble in &troubles {
            if runs > 0 && Instant::now() > until {
                break;
            }
            run(*trouble, &environment, &scenario, &calm)?;
            runs += 1;
        }
        Ok(Explored { runs, of: troubles.len() })
    }
}

fn all(calls: u64, deliveries: u64) -> Vec<Trouble> {
    let crashes =
        (0..calls).flat_map(|call| [false, true].map(|after_effect| Trouble::Crash { call, after_effect }));
    crashes.chain((0..deliveries).map(|delivery| Trouble::Repeat { delivery })).collect()
}

/// The same in an order in which any beginning is spread over all of them.
fn spread(troubles: &[Trouble]) -> Vec<Trouble> {
    let mut stride = troubles.len().next_power_of_two();
    let mut order = Vec::with_capacity(troubles.len());
    let mut from = 0;
    while stride > 0 && order.len() < troubles.len() {
        order.extend(troubles.iter().skip(from).step_by(stride * if from == 0 { 1 } else { 2 }).copied());
        from = stride / 2;
        stride /= 2;
    }
    order
}

/// One run with one trouble.
fn run<T: PartialEq + Debug>(
    trouble: Trouble,
    environment: &impl Fn() -> TestEnvironment,
    scenario: &impl Fn(&TestEnvironment) -> T,
    calm: &Observed<T>,
) -> Result<(), Finding> {
    let point = match trouble {
        Trouble::Crash { call, after_effect } => CrashPoint { call, after_effect },
        Trouble::Repeat { .. } => CrashPoint { call: u64::MAX, after_effect: false },
    };
    // Twins find other mistakes than crashes do, and would only make each run slower.
    let environment = environment().twins(1).dying(point);
    if let Trouble::Repeat { delivery } = trouble {
        environment.drive().world().repeat(delivery);
    }
    let observed = observe(&environment, scenario);
    if observed == *calm {
        return Ok(());
    }
    let reached = environment.drive().faults().and_then(|it| it.reached());
    let place = match (trouble, reached) {
        (Trouble::Crash { call, after_effect }, Some(what)) => {
            let when = if after_effect { "after" } else { "before" };
            format!("a process that dies at port call {call} ({what}), {when} it took effect,")
        }
        (Trouble::Crash { .. }, None) => {
            "a crash that never came, so the scenario leaves something to chance,".to_owned()
        }
        (Trouble::Repeat { delivery }, _) => format!("delivery {delivery}, made twice,"),
    };
    let difference = difference(calm, &observed, &environment);
    Err(Finding { trouble, place, difference })
}

fn observe<T>(environment: &TestEnvironment, scenario: &impl Fn(&TestEnvironment) -> T) -> Observed<T> {
    let answer = catch_unwind(AssertUnwindSafe(|| scenario(environment))).map_err(|panic| {
        let said = panic.downcast_ref::<String>().cloned();
        said.or_else(|| panic.downcast_ref::<&str>().map(|it| (*it).to_owned())).unwrap_or_default()
    });
    // What nobody waited for comes to its end, too.
    environment.run_until_idle(AFTERWARDS);
    let mut executions = BTreeMap::new();
    for meta in environment.executions() {
        *executions.entry((meta.id.workflow().to_owned(), meta.status.as_str())).or_default() += 1;
    }
    let mut keys: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for published in environment.published() {
        let keys = keys.entry(published.event.name).or_default();
        // Events of workflows have keys by which a repetition is known; of others it is only known that there were some.
        let key = if published.key.contains('#') { published.key } else { String::new() };
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let events = keys.into_iter().map(|(name, keys)| (name, keys.len())).collect();
    Observed { answer, executions, events, dead_letters: environment.dead_letters().len() }
}

/// What is different, for people.
fn difference<T: PartialEq + Debug>(
    calm: &Observed<T>,
    observed: &Observed<T>,
    environment: &TestEnvironment,
) -> String {
    let mut text = String::new();
    match (&calm.answer, &observed.answer) {
        (_, Err(panicked)) => {
            let _ = write!(text, "it panics: {panicked}");
        }
        (Ok(before), Ok(now)) if before != now => {
            let _ = write!(text, "it answers {now:?} instead of {before:?}");
        }
        _ => {}
    }
    if calm.executions != observed.executions {
        let _ = write!(text, "\nexecutions: {:?} instead of {:?}", observed.executions, calm.executions);
    }
    if calm.events != observed.events {
        let _ = write!(text, "\nevents: {:?} instead of {:?}", observed.events, calm.events);
    }
    for letter in environment.dead_letters() {
        let _ = write!(text, "\ngiven up: {letter}");
    }
    for meta in environment.executions().iter().filter(|it| it.status == Status::Parked) {
        let _ = write!(text, "\n{} is parked: {}", meta.id, meta.parked.as_deref().unwrap_or_default());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trouble_is_run_once_and_a_beginning_is_spread() {
        let troubles = all(100, 33);
        let order = spread(&troubles);
        assert_eq!(order.len(), troubles.len());
        assert!(troubles.iter().all(|it| order.contains(it)));
        let early = order.iter().take(16).filter(|it| troubles[200..].contains(it)).count();
        assert!((1..=4).contains(&early), "{early} of the first 16 repeat a delivery");
    }

    #[test]
    fn troubles_are_read_as_they_are_written() {
        for trouble in all(3, 2) {
            assert_eq!(Trouble::parse(&trouble.to_string()), Some(trouble));
        }
        assert_eq!(Trouble::parse("crash:3"), None);
    }
}
