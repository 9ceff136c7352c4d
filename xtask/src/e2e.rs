//! Services end to end on the emulated AWS: named scenarios, one after the other, on one emulator. Deliberately a plain list: the
//! order is what a user does with a service over its life, and the last one proves that nothing is left.

mod adoption;
mod artifacts;
mod conformance;
mod crashes;
mod lifecycle;
mod orders;
mod permissions;
mod signed;
mod stand;
mod stranger;
pub(crate) mod surface;
mod versions;

use std::collections::BTreeSet;
use std::time::Instant;

use crate::builds::Client;
use crate::failure::{Failure, Result};
use crate::places::Places;
use crate::process;
use crate::site::{Site, Wish};
use crate::suite;
use crate::suite::{Options, Outcome};

use stand::Stand;

/// One thing that must work.
struct Scenario {
    name: &'static str,
    /// The service whose artifact it deploys.
    service: &'static str,
    run: fn(&Stand<'_>) -> Result<()>,
}

const fn scenario(name: &'static str, run: fn(&Stand<'_>) -> Result<()>) -> Scenario {
    Scenario { name, service: "orders", run }
}

/// One that deploys another service than the order service.
const fn scenario_of(
    service: &'static str,
    name: &'static str,
    run: fn(&Stand<'_>) -> Result<()>,
) -> Scenario {
    Scenario { name, service, run }
}

const SCENARIOS: &[Scenario] = &[
    scenario("terraform: the schema of the provider is readable", lifecycle::schema),
    scenario("terraform: validate accepts the example", lifecycle::validate),
    scenario(
        "terraform: a misspelt override is an error at its path at plan time",
        lifecycle::misspelt_override,
    ),
    scenario("terraform: what cannot be an artifact is a diagnostic", artifacts::refused),
    scenario("terraform: plan, apply, second plan, -replace", lifecycle::plan_apply_plan),
    scenario("terraform: plan -refresh-only sees no difference", lifecycle::refresh_only),
    scenario(
        "terraform: import and an empty plan, look-up, credentials, another region, a lost state",
        surface::beside_applying,
    ),
    scenario("orders: from order to receipt through native processes", orders::receipt),
    scenario(
        "orders: a payment that fails once is tried again with the same key",
        orders::payment_fails_once,
    ),
    scenario("orders: the same order again is the same, another under its id is refused", orders::idempotent),
    scenario("orders: an order that is not shipped in time is overdue", orders::overdue),
    scenario("orders: an invalid order is refused before anything happens", orders::invalid),
    scenario("orders: events carry an announced order to its end", orders::choreography),
    scenario("orders: the system function starts, gets, lists, signals and tells history", orders::system),
    scenario("crashes: the payment's process dies after charging", crashes::task_after_charge),
    scenario(
        "crashes: the orchestrator dies while the payment is made",
        crashes::orchestrator_during_payment,
    ),
    scenario(
        "crashes: the orchestrator dies while it waits for the parcel",
        crashes::orchestrator_while_waiting,
    ),
    scenario("crashes: the orchestrator dies as the signal arrives", crashes::orchestrator_at_signal),
    scenario("crashes: all of the engine dies again and again under ten orders", crashes::again_and_again),
    scenario("permissions: without one of them, the step that needs it breaks", permissions::each_is_needed),
    scenario("terraform: one override changes one function", lifecycle::one_override),
    scenario("terraform: a resource that vanished is seen and made again", lifecycle::drift),
    scenario("terraform: destroy leaves nothing", lifecycle::destroy),
    scenario("terraform: test", lifecycle::terraform_test),
    scenario("adoption: an apply that was killed is finished by the next", adoption::killed_apply),
    scenario(
        "adoption: an apply that was interrupted leaves what its state says",
        adoption::interrupted_apply,
    ),
    scenario(
        "adoption: two services at once, and of one service twice at once one apply wins",
        adoption::at_once,
    ),
    scenario("clients: only signed calls are answered, in three languages", signed::calls),
    scenario_of(
        "warehouse",
        "stranger: a service of other names and shapes deploys and runs",
        stranger::runs,
    ),
    scenario_of(
        "conformance",
        "conformance: the engine keeps on AWS what it keeps on every host",
        conformance::cases_pass,
    ),
    scenario("nothing of all this is left in the account", lifecycle::nothing_left),
];

/// Runs all scenarios, or those whose name contains what the options ask for.
pub(crate) fn run(places: &Places, options: &Options) -> Result<Outcome> {
    let wanted = || SCENARIOS.iter().filter(|scenario| scenario.name.contains(&options.scenario));
    let services: BTreeSet<_> = wanted().map(|it| it.service).collect();
    let services: Vec<_> = services.into_iter().collect();
    let wish = Wish {
        client: Client::Terraform,
        services: &services,
        outlives: false,
        echo: options.verbose,
        built: options.no_build,
    };
    let started = Instant::now();
    let site = Site::open(places, wish, |_| ())?;
    println!("          {:>6.1} s  built and started", started.elapsed().as_secs_f64());
    let stand = Stand::new(&site)?;
    let mut outcome = Outcome::default();
    for scenario in wanted() {
        let began = Instant::now();
        let ended = (scenario.run)(&stand);
        process::go_on()?;
        let verdict = if ended.is_ok() { "ok    " } else { "FAILED" };
        println!("          {:>6.1} s  {verdict} {}", began.elapsed().as_secs_f64(), scenario.name);
        match ended {
            Ok(()) => outcome.passed += 1,
            Err(failure) => record(&mut outcome, scenario, &failure),
        }
    }
    suite::cloud::judge(&site.emulator, &mut outcome)?;
    if outcome.failed > 0 {
        outcome.text.push_str(&format!("the emulator's log ends:\n{}\n", site.emulator.tail(30)));
    }
    Ok(outcome)
}

fn record(outcome: &mut Outcome, scenario: &Scenario, failure: &Failure) {
    outcome.failed += 1;
    outcome.failures.push(scenario.name.to_owned());
    outcome.text.push_str(&format!("--- {}\n{failure}\n\n", scenario.name));
}
