//! How long `terraform plan` of the order service takes beyond the answers of the (emulated) cloud, and beyond what
//! Terraform takes for a plan without any resource.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::meter::Meter;
use super::{Figure, milliseconds};
use crate::failure::{Context, Result};
use crate::orders::Orders;
use crate::site::Site;
use crate::terraform::Terraform;

const RUNS: usize = 10;
const CONFIGURATION: &str = "examples/orders/terraform";
const RESOURCE: &str = "eventual_service.orders";

/// The order service, deployed through a relay.
#[derive(Debug)]
pub(super) struct Deployed {
    terraform: Terraform,
    empty: Terraform,
    fresh: Terraform,
    meter: Meter,
    url: String,
}

impl Deployed {
    pub(super) fn new(site: &Site, provider: &Path) -> Result<Self> {
        let endpoint = site.emulator.endpoint();
        let meter = Meter::start(endpoint.trim_start_matches("http://").to_owned())?;
        let mut cloud = site.emulator.credentials().to_vec();
        for (_, value) in cloud.iter_mut().filter(|(name, _)| *name == "AWS_ENDPOINT_URL") {
            *value = meter.url();
        }
        let program = site.client();
        let module = |name: &str, configuration: &Path| {
            Terraform::new(program, provider, configuration, &site.folder(name)?, &cloud)
        };
        let orders = site.places.root.join(CONFIGURATION);
        let nothing = site.folder("nothing")?;
        fs::write(nothing.join("main.tf"), "terraform {}\n").context("an empty module")?;
        let (terraform, fresh) = (module("bench", &orders)?, module("bench-fresh", &orders)?);
        let empty = module("bench-empty", &nothing)?;
        let variables = |name: &str| {
            Ok(
                json!({ "name": name, "artifact": site.artifact("orders")?, "payments_url": site.gateway.url() }),
            )
        };
        terraform.variables(&variables("bench")?)?;
        fresh.variables(&variables("fresh")?)?;
        terraform.apply()?;
        let url = terraform.state(RESOURCE)?["url"].as_str().context("the service has no URL")?.to_owned();
        Ok(Self { terraform, empty, fresh, meter, url })
    }

    /// The running service.
    pub(super) fn orders<'a>(&self, site: &'a Site) -> Orders<'a> {
        Orders { url: self.url.clone(), name: "bench".into(), emulator: &site.emulator }
    }

    pub(super) fn figures(&self) -> Result<Vec<Figure>> {
        let floor = self.measure(&self.empty)?;
        let base = floor.beyond.iter().copied().fold(f64::INFINITY, f64::min);
        let figure = |what: &str, values, limit| Figure { what: what.into(), unit: "ms", values, limit };
        let mut figures = vec![figure("terraform plan of an empty module", floor.beyond, None)];
        for (what, module) in [("first plan", &self.fresh), ("plan without changes", &self.terraform)] {
            let measured = self.measure(module)?;
            let own = measured.beyond.iter().map(|it| it - base).collect();
            figures.push(figure(
                &format!("{what} of orders: answers of the emulator"),
                measured.answers,
                None,
            ));
            let name = format!("{what} of orders: beyond the emulator's answers and the empty module");
            figures.push(figure(&name, own, Some(300.0)));
        }
        Ok(figures)
    }

    fn measure(&self, module: &Terraform) -> Result<Measured> {
        let mut measured = Measured::default();
        for _ in 0..RUNS {
            self.meter.take();
            let done = module.succeed(&["plan", "-input=false", "-no-color"])?;
            let answers = self.meter.take();
            measured.answers.push(milliseconds(answers));
            measured.beyond.push(milliseconds(done.took.saturating_sub(answers)));
        }
        Ok(measured)
    }

    pub(super) fn destroy(&self) -> Result<()> {
        self.terraform.destroy().map(drop)
    }
}

#[derive(Debug, Default)]
struct Measured {
    answers: Vec<f64>,
    beyond: Vec<f64>,
}
