//! The eventual provider: one program that Terraform and Pulumi start as a plugin.
//!
//! Here is only who speaks to whom: a wire (`terraform`, `pulumi`) decodes, calls the protocol-free core, encodes; the
//! cloud and the file system are given to it as [`ports::Ports`].

mod artifacts;
mod cloud;
mod deployer;
mod doctor;
pub mod ports;
mod pulumi;
mod session;
mod start;
mod terraform;
mod work;

use eventual_provider_core::inspect;

pub use cloud::Limits;
pub use session::{connect, connect_through};
pub use start::run;
