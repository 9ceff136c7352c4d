//! The cases on the hosts that need nothing: the test environment, and the local host as its users run it. The same cases run
//! on the emulated AWS, see `tests/aws`.
#![allow(clippy::unwrap_used, reason = "code of tests")]
#![allow(clippy::print_stdout, reason = "each case tells how long it took")]
#![allow(
    clippy::needless_pass_by_value,
    reason = "cases give their JSON away, and read better without ampersands"
)]

mod cases;
mod host;
mod local;
mod run;
mod testing;

#[test]
fn in_the_test_environment() {
    let wanted = run::wanted(run::Place::Virtual);
    let failed = wanted.iter().filter_map(|case| run::run(&testing::Testing::new(), case).err()).collect();
    run::tell(failed, wanted.len());
}

#[test]
fn on_the_local_host() {
    run::together(&local::Local::start(), 16);
}
