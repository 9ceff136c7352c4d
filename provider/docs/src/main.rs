//! Writes the pages of the Terraform provider's reference below the folder that is given, as registries want them. What is
//! written is committed; a test of this crate says when it is not what would be written now.
#![allow(clippy::print_stderr, reason = "a tool of developers talks to the terminal")]

use std::path::PathBuf;
use std::process::ExitCode;

use eventual_provider_docs::pages;

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: eventual-provider-docs FOLDER, which is provider/terraform/docs in the checkout");
        return ExitCode::FAILURE;
    };
    for page in pages() {
        let path = folder.join(page.path);
        let written = path
            .parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| std::fs::write(&path, page.text));
        if let Err(error) = written {
            eprintln!("{}: {error}", path.display());
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
