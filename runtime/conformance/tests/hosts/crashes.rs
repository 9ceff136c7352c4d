//! The cases of the test environment again, each as often as it calls ports: every time the process dies at another call, before or
//! after that took effect, or a delivery comes twice. Every promise holds as it does without.
//!
//! The suite explores each case for a moment, evenly over all of it; `EVENTUAL_CRASHES=all` runs every point there is.

use std::time::Duration;

use eventual_testing::Explorer;

use crate::cases::Case;
use crate::host::Site;
use crate::run::tell;
use crate::testing::{Testing, environment};

/// For each case, unless all is wanted.
const BUDGET: Duration = Duration::from_millis(500);
/// As good as no end.
const ALL: Duration = Duration::from_secs(24 * 60 * 60);

/// Explores the cases one by one; fails with all that are not as without trouble.
pub(crate) fn explore_all(cases: Vec<&Case>) {
    let budget = if std::env::var("EVENTUAL_CRASHES").is_ok_and(|it| it == "all") { ALL } else { BUDGET };
    let (mut runs, mut of) = (0, 0);
    let mut failed = Vec::new();
    for case in &cases {
        if let Some(why) = case.calm_only {
            println!("not with crashes: {}: {why}", case.name);
            continue;
        }
        let scenario = |env: &_| (case.run)(&Site::new(&Testing(env), case.name));
        match Explorer::default().budget(budget).run(environment, scenario) {
            Ok(explored) => {
                println!("{:>5} of {:<5} {}", explored.runs, explored.of, case.name);
                (runs, of) = (runs + explored.runs, of + explored.of);
            }
            Err(finding) => failed.push(format!("--- {}\n{finding}", case.name)),
        }
    }
    println!("{runs} of {of} troubles");
    tell(failed, cases.len());
}
