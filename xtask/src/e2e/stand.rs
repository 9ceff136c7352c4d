//! What scenarios share: the site, and the deployments that several of them use, each made when first asked for.

use std::cell::{Cell, OnceCell};

use serde_json::{Value, json};

use crate::cloud::Cloud;
use crate::failure::{Context, Failure, Result};
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
    orders: OnceCell<std::result::Result<(Terraform, String), String>>,
    told: Cell<bool>,
}

impl<'a> Stand<'a> {
    /// Remembers what is in the account before anything is deployed.
    pub(super) fn new(site: &'a Site) -> Result<Self> {
        Ok(Self { site, before: site.cloud().inventory()?, orders: OnceCell::new(), told: Cell::new(false) })
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

    /// The deployment `orders`, made at the first call. When that failed, later calls say so and do not try again.
    pub(super) fn orders(&self) -> Result<(&Terraform, Orders<'a>)> {
        let deployed = self.orders.get_or_init(|| self.deploy().map_err(|failure| failure.to_string()));
        let (terraform, url) = deployed.as_ref().map_err(|reason| {
            let told = self.told.replace(true);
            Failure::new(if told { "the order service is not deployed" } else { reason.as_str() })
        })?;
        Ok((terraform, Orders { url: url.clone(), name: "orders".into(), emulator: &self.site.emulator }))
    }

    fn deploy(&self) -> Result<(Terraform, String)> {
        let terraform = self.orders_module("orders")?;
        terraform.apply()?;
        let url = terraform.state(ORDERS)?["url"].as_str().context("the service has no URL")?.to_owned();
        Ok((terraform, url))
    }
}
