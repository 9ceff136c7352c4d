//! The Terraform wire, as far as no cloud is needed: the plugin's process by our own client, the rest by `terraform`.

#![allow(clippy::unwrap_used, reason = "what stands around the tests fails them by panicking, as they do")]

mod aws;
mod examples;
#[path = "../pulumi/fixtures.rs"]
mod fixtures;
mod lasting;
mod offline;
mod plugin;
mod process;
mod reaching;
mod site;
mod stored;
mod surface;
mod values;
