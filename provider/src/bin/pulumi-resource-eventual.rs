//! The program under the name by which Pulumi finds it.

fn main() -> std::process::ExitCode {
    eventual_provider::run()
}
