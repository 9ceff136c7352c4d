//! OpenTofu as the second client of the provider: the life of the order service in short. What Terraform's scenarios prove in detail is
//! not proved again.

use serde_json::json;

use crate::builds::Client;
use crate::failure::{Context, Result, require};
use crate::http;
use crate::places::Places;
use crate::site::{Site, Wish};
use crate::suite::{Options, Outcome};

/// Validate, plan, apply, call, second plan, destroy.
pub(super) fn run(places: &Places, options: &Options) -> Result<Outcome> {
    let wish = Wish {
        client: Client::Tofu,
        services: &["orders"],
        outlives: false,
        echo: options.verbose,
        built: options.no_build,
    };
    let site = Site::open(places, wish, |_| ())?;
    let before = site.cloud().inventory()?;
    let tofu = site.terraform("orders", "examples/orders/terraform")?;
    tofu.variables(&json!({ "artifact": site.artifact("orders")?, "payments_url": site.gateway.url() }))?;
    tofu.succeed(&["validate", "-no-color"])?;
    require(tofu.has_changes()?, || "the first plan is empty".into())?;
    tofu.apply()?;
    let state = tofu.state("eventual_service.orders")?;
    let url = state["url"].as_str().context("the service has no URL")?;
    let answer = http::get(&format!("{url}/orders/nobody"))?;
    require(answer.status == 404, || {
        format!("GET of an order that is not: {} {}", answer.status, answer.text)
    })?;
    tofu.require_no_changes()?;
    tofu.destroy()?;
    let left = site.cloud().left_since(&before)?;
    require(left.is_empty(), || format!("left: {left:?}"))?;
    Ok(Outcome::success())
}
