//! The program under the name by which Terraform finds it.

fn main() -> std::process::ExitCode {
    eventual_provider::run()
}
