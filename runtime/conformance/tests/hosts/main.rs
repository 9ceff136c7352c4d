//! The cases on the hosts that need nothing: the test environment, and the local host as its users run it. The same cases run
//! on the emulated AWS, see `tests/aws`.
#![allow(clippy::unwrap_used, reason = "code of tests")]
#![allow(clippy::print_stdout, reason = "each case tells how long it took")]
#![allow(
    clippy::needless_pass_by_value,
    reason = "cases give their JSON away, and read better without ampersands"
)]

mod cases;
mod crashes;
mod host;
mod local;
mod run;
mod testing;

#[test]
fn in_the_test_environment() {
    let wanted = run::wanted(run::Place::Virtual);
    let run = |case: &&_| run::run(&testing::Testing(&testing::environment()), case).err();
    run::tell(wanted.iter().filter_map(run).collect(), wanted.len());
}

#[test]
fn with_a_crash_at_every_port_call() {
    crashes::explore_all(run::wanted(run::Place::Virtual));
}

#[test]
fn on_the_local_host() {
    run::together(&local::Local::start(), 16);
}
