//! What scenarios share: the site, and the deployments that several of them use, each made when first asked for.

use std::cell::OnceCell;

use serde_json::{Value, json};

use crate::cloud::Cloud;
use crate::failure::{Context, Result};
use crate::orders::Orders;
use crate::site::Site;
use crate::terraform::Terraform;

/// Address of the order service in its configuration.
pub(super) const ORDERS: &str = "eventual_service.orders";

/// The configuration of the order service.
pub(super) const ORDERS_TF: &str = "examples/orders/terraform";

/// What all scenarios stand on.
pub(super) struct Stand<'a> {
    pub(super) site: &'a Site,
    before: Vec<String>,
    orders: OnceCell<(Terraform, String)>,
}

impl<'a> Stand<'a> {
    /// Remembers what is in the account before anything is deployed.
    pub(super) fn new(site: &'a Site) -> Result<Self> {
        Ok(Self { site, before: site.cloud().inventory()?, orders: OnceCell::new() })
    }

    pub(super) fn cloud(&self) -> Cloud<'a> {
        self.site.cloud()
    }

    /// What is in the account beyond what was there first.
    pub(super) fn left(&self) -> Result<Vec<String>> {
        self.cloud().left_since(&self.before)
    }

    /// Variables of the order service's configuration, for a deployment of that name.
    pub(super) fn variables(&self, name: &str) -> Result<Value> {
        Ok(json!({
            "name": name,
            "artifact": self.site.artifact("orders")?,
            "payments_url": self.site.gateway.url(),
        }))
    }

    /// A root module of the order service for a deployment of that name, not applied. Functions have five seconds, so
    /// that crashed ones are noticed soon.
    pub(super) fn orders_module(&self, name: &str) -> Result<Terraform> {
        let terraform = self.site.terraform(name, ORDERS_TF)?;
        terraform.variables(&self.variables(name)?)?;
        terraform.amend("orders", &json!({ "defaults": { "timeout": 5 } }))?;
        Ok(terraform)
    }

    /// The deployment `orders`, made at the first call.
    pub(super) fn orders(&self) -> Result<(&Terraform, Orders<'a>)> {
        if self.orders.get().is_none() {
            let terraform = self.orders_module("orders")?;
            terraform.apply()?;
            let url = terraform.state(ORDERS)?["url"].as_str().context("the service has no URL")?.to_owned();
            let _ = self.orders.set((terraform, url));
        }
        let (terraform, url) = self.orders.get().context("not deployed")?;
        Ok((terraform, Orders { url: url.clone(), name: "orders".into(), emulator: &self.site.emulator }))
    }
}
