//! The integration of a command's function, and the routes to it.

use std::sync::Arc;
use std::time::Instant;

use aws_sdk_apigatewayv2::types::{AuthorizationType, Integration, IntegrationType, Route};
use eventual_provider_core::cloud::{CloudError, Made, Observed, Trouble};
use eventual_provider_core::resource::{RouteAuth, RouteSpec, settings};
use eventual_provider_core::state::Recorded;

use super::{AwsCloud, gone, present};

/// Format of the events that functions get.
const PAYLOAD: &str = "2.0";

fn authorization(auth: &RouteAuth) -> (AuthorizationType, Option<String>) {
    match auth {
        RouteAuth::None => (AuthorizationType::None, None),
        RouteAuth::Iam => (AuthorizationType::AwsIam, None),
        RouteAuth::Jwt { authorizer } => (AuthorizationType::Jwt, Some(authorizer.as_str().to_owned())),
    }
}

fn timeout(spec: &RouteSpec) -> i32 {
    i32::try_from(spec.timeout_ms).unwrap_or(30_000)
}

impl AwsCloud {
    pub(super) async fn ensure_route(
        &self,
        spec: &RouteSpec,
        recorded: Option<&Recorded>,
    ) -> Result<Made, CloudError> {
        let api = spec.api.as_str();
        let known =
            recorded.filter(|it| it.attribute("api_id") == api).map(|it| it.attribute("integration_id"));
        let known = match known.filter(|it| !it.is_empty()) {
            Some(id) => Some(id.to_owned()),
            // One that an interrupted run made, or whose answer never came.
            None => self.integration_to(api, &spec.target).await?,
        };
        let integration = match known {
            Some(id) => self.update_integration(api, &id, spec).await?,
            None => None,
        };
        let (integration, mut fresh) = match integration {
            Some(id) => (id, false),
            None => (self.create_integration(api, spec).await?, true),
        };
        if fresh {
            for key in &spec.routes {
                match self.create_route(api, key, &integration, &spec.auth).await {
                    Err(error) if error.code == "ConflictException" && error.trouble != Trouble::Busy => {
                        fresh = false;
                    }
                    answer => answer?,
                }
            }
        }
        if !fresh {
            self.converge(api, &integration, spec).await?;
        }
        let attributes =
            [("api_id".to_owned(), api.to_owned()), ("integration_id".to_owned(), integration.clone())]
                .into();
        Ok(Made { arn: format!("{api}/{integration}"), attributes })
    }

    /// An integration of the API to that target.
    async fn integration_to(&self, api: &str, target: &str) -> Result<Option<String>, CloudError> {
        let listing = self.listing(api).await?;
        let found = listing.integrations.iter().find(|it| it.integration_uri() == Some(target));
        Ok(found.and_then(|it| it.integration_id()).map(str::to_owned))
    }

    async fn create_integration(&self, api: &str, spec: &RouteSpec) -> Result<String, CloudError> {
        let create = self
            .api
            .create_integration()
            .api_id(api)
            .integration_type(IntegrationType::AwsProxy)
            .integration_uri(&spec.target)
            .payload_format_version(PAYLOAD)
            .timeout_in_millis(timeout(spec));
        let answer = self.call("apigateway CreateIntegration", create.send()).await?;
        Ok(answer.integration_id().unwrap_or_default().to_owned())
    }

    /// `None` when it is not there.
    async fn update_integration(
        &self,
        api: &str,
        id: &str,
        spec: &RouteSpec,
    ) -> Result<Option<String>, CloudError> {
        let update = self
            .api
            .update_integration()
            .api_id(api)
            .integration_id(id)
            .integration_uri(&spec.target)
            .payload_format_version(PAYLOAD)
            .timeout_in_millis(timeout(spec));
        let answer = self.call("apigateway UpdateIntegration", update.send()).await;
        Ok(present(answer)?.map(|_| id.to_owned()))
    }

    async fn create_route(
        &self,
        api: &str,
        key: &str,
        integration: &str,
        auth: &RouteAuth,
    ) -> Result<(), CloudError> {
        let (kind, authorizer) = authorization(auth);
        let create = self
            .api
            .create_route()
            .api_id(api)
            .route_key(key)
            .target(format!("integrations/{integration}"))
            .authorization_type(kind)
            .set_authorizer_id(authorizer);
        self.call("apigateway CreateRoute", create.send()).await.map(|_| ())
    }

    async fn routes(&self, api: &str) -> Result<Vec<Route>, CloudError> {
        let (mut all, mut next) = (Vec::new(), None);
        loop {
            let get = self.api.get_routes().api_id(api).max_results("500").set_next_token(next);
            let Some(page) = present(self.call("apigateway GetRoutes", get.send()).await)? else {
                return Ok(all);
            };
            all.extend(page.items().iter().cloned());
            next = page.next_token().map(str::to_owned);
            if next.is_none() {
                return Ok(all);
            }
        }
    }

    async fn integrations(&self, api: &str) -> Result<Vec<Integration>, CloudError> {
        let (mut all, mut next) = (Vec::new(), None);
        loop {
            let get = self.api.get_integrations().api_id(api).max_results("500").set_next_token(next);
            let Some(page) = present(self.call("apigateway GetIntegrations", get.send()).await)? else {
                return Ok(all);
            };
            all.extend(page.items().iter().cloned());
            next = page.next_token().map(str::to_owned);
            if next.is_none() {
                return Ok(all);
            }
        }
    }

    /// Makes the routes to the integration exactly those of the spec, and removes what an interrupted run left.
    async fn converge(&self, api: &str, integration: &str, spec: &RouteSpec) -> Result<(), CloudError> {
        let target = format!("integrations/{integration}");
        let (kind, authorizer) = authorization(&spec.auth);
        let there = self.routes(api).await?;
        for key in &spec.routes {
            let Some(route) = there.iter().find(|it| it.route_key() == Some(key)) else {
                self.create_route(api, key, integration, &spec.auth).await?;
                continue;
            };
            let same = route.target() == Some(&target)
                && route.authorization_type() == Some(&kind)
                && route.authorizer_id().filter(|it| !it.is_empty()) == authorizer.as_deref();
            if !same {
                let update = self
                    .api
                    .update_route()
                    .api_id(api)
                    .route_id(route.route_id().unwrap_or_default())
                    .target(&target)
                    .authorization_type(kind.clone())
                    .set_authorizer_id(authorizer.clone());
                // The command that had this path before may have deleted its route meanwhile.
                if present(self.call("apigateway UpdateRoute", update.send()).await)?.is_none() {
                    self.create_route(api, key, integration, &spec.auth).await?;
                }
            }
        }
        let stale = |route: &Route| {
            let wanted = |key: &str| spec.routes.iter().any(|it| it == key);
            route.target() == Some(&target) && !route.route_key().is_some_and(wanted)
        };
        if there.iter().any(stale) {
            // Looks again, right before: a path that moved to another command may be that one's route by now.
            for route in self.routes(api).await?.iter().filter(|it| stale(it)) {
                self.remove_route(api, route.route_id().unwrap_or_default()).await?;
            }
        }
        for other in self.integrations(api).await? {
            let id = other.integration_id().unwrap_or_default();
            if id != integration && other.integration_uri() == Some(&spec.target) {
                self.remove_integration(api, id).await?;
            }
        }
        Ok(())
    }

    async fn remove_route(&self, api: &str, id: &str) -> Result<(), CloudError> {
        gone(
            self.call("apigateway DeleteRoute", self.api.delete_route().api_id(api).route_id(id).send())
                .await,
        )
    }

    async fn remove_integration(&self, api: &str, id: &str) -> Result<(), CloudError> {
        let delete = self.api.delete_integration().api_id(api).integration_id(id);
        gone(self.call("apigateway DeleteIntegration", delete.send()).await)
    }

    /// API Gateway refuses to delete an integration that has routes.
    pub(super) async fn delete_route(&self, recorded: &Recorded) -> Result<(), CloudError> {
        let (api, integration) = (recorded.attribute("api_id"), recorded.attribute("integration_id"));
        if api.is_empty() || integration.is_empty() {
            return Ok(());
        }
        let target = format!("integrations/{integration}");
        for route in self.routes(api).await?.iter().filter(|it| it.target() == Some(&target)) {
            self.remove_route(api, route.route_id().unwrap_or_default()).await?;
        }
        self.remove_integration(api, integration).await
    }

    /// All routes and integrations of an API, as they are after this was asked. Children that ask at the same time share an
    /// answer: API Gateway admits ten calls a second, and a service may have hundreds of routes.
    async fn listing(&self, api: &str) -> Result<Arc<Listing>, CloudError> {
        let asked = Instant::now();
        let mut latest = self.listing.lock().await;
        if let Some(listing) = latest.as_ref().filter(|it| it.api == api && it.began >= asked) {
            return Ok(Arc::clone(listing));
        }
        let began = Instant::now();
        let (routes, integrations) = (self.routes(api).await?, self.integrations(api).await?);
        let listing = Arc::new(Listing { api: api.to_owned(), began, routes, integrations });
        *latest = Some(Arc::clone(&listing));
        Ok(listing)
    }

    pub(super) async fn describe_route(&self, recorded: &Recorded) -> Result<Option<Observed>, CloudError> {
        let (api, id) = (recorded.attribute("api_id"), recorded.attribute("integration_id"));
        if api.is_empty() || id.is_empty() {
            return Ok(None);
        }
        let listing = self.listing(api).await?;
        let Some(integration) = listing.integrations.iter().find(|it| it.integration_id() == Some(id)) else {
            return Ok(None);
        };
        let target = format!("integrations/{id}");
        let routes = listing.routes.iter().filter(|it| it.target() == Some(&target)).map(|it| {
            let kind = it.authorization_type().map_or("", |it| it.as_str());
            (it.route_key().unwrap_or_default(), kind, it.authorizer_id().unwrap_or_default())
        });
        let timeout = integration.timeout_in_millis().map(|it| it.to_string()).unwrap_or_default();
        Ok(Some(Observed::of([
            ("routes", settings::routes(routes)),
            ("target", integration.integration_uri().unwrap_or_default().to_owned()),
            ("timeout", timeout),
            ("payload", integration.payload_format_version().unwrap_or_default().to_owned()),
        ])))
    }
}

/// What an API had at some moment.
pub(super) struct Listing {
    api: String,
    began: Instant,
    routes: Vec<Route>,
    integrations: Vec<Integration>,
}
