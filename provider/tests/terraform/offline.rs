//! The same tests where there is no network but this machine's own: nothing of what they show needs another.

use std::process::Command;

/// What takes `terraform` itself many times is left out: it takes long, and is another program.
const LEFT_OUT: [&str; 3] = ["offline::", "site::", "examples::"];

#[test]
#[allow(clippy::print_stdout, reason = "whether it could be tried belongs to the result")]
fn nothing_beyond_this_machine_is_reached() {
    let alone = |program: &str| {
        let mut command = Command::new("unshare");
        command.args([
            "--map-root-user",
            "--net",
            "sh",
            "-c",
            "ip link set lo up && exec \"$0\" \"$@\"",
            program,
        ]);
        command
    };
    if !alone("true").output().is_ok_and(|it| it.status.success()) {
        println!("did NOT run: this system gives nobody a network of their own");
        return;
    }
    let itself = std::env::current_exe().unwrap();
    let mut command = alone(&itself.display().to_string());
    LEFT_OUT.into_iter().for_each(|it| {
        command.args(["--skip", it]);
    });
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    let passed = said
        .lines()
        .find_map(|it| it.strip_prefix("test result: ok. ")?.split(' ').next()?.parse::<usize>().ok());
    assert!(passed.is_some_and(|it| it > 30), "{said}");
}
