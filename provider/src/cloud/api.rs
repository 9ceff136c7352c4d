//! The HTTP API with its stage, its authorizers and CORS. Routes are [`super::route`]'s.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_apigatewayv2::types::{Api, AuthorizerType, Cors, JwtConfiguration, ProtocolType};
use eventual_provider_core::cloud::{CloudError, Made, Observed, Owner, Trouble};
use eventual_provider_core::resource::{ApiSpec, Authorizer, CorsSpec, Resource, settings};
use eventual_provider_core::state::Recorded;

use super::tags::{self, Tags};
use super::{AwsCloud, gone, present};

/// The stage that has no name in URLs.
const STAGE: &str = "$default";
/// Where an authorizer finds the token.
const IDENTITY: &str = "$request.header.Authorization";

fn cors(spec: &CorsSpec) -> Cors {
    Cors::builder()
        .set_allow_origins(Some(spec.allow_origins.clone()))
        .set_allow_methods(Some(spec.allow_methods.clone()))
        .set_allow_headers(Some(spec.allow_headers.clone()))
        .set_expose_headers(Some(spec.expose_headers.clone()))
        .allow_credentials(spec.allow_credentials)
        .set_max_age(spec.max_age.and_then(|it| i32::try_from(it).ok()))
        .build()
}

fn jwt(authorizer: &Authorizer) -> JwtConfiguration {
    JwtConfiguration::builder()
        .issuer(&authorizer.issuer)
        .set_audience(Some(authorizer.audience.clone()))
        .build()
}

/// The setting of an authorizer that is there.
fn described(there: &aws_sdk_apigatewayv2::types::Authorizer) -> String {
    let jwt = there.jwt_configuration();
    let text = settings::authorizer(&Authorizer {
        issuer: jwt.and_then(|it| it.issuer()).unwrap_or_default().to_owned(),
        audience: jwt.map(|it| it.audience().to_vec()).unwrap_or_default(),
    });
    if there.identity_source() == [IDENTITY] { text } else { format!("{text} from elsewhere") }
}

/// The setting `cors` of an API that is there.
fn cors_setting(there: &Cors) -> String {
    settings::cors(&CorsSpec {
        allow_origins: there.allow_origins().to_vec(),
        allow_methods: there.allow_methods().to_vec(),
        allow_headers: there.allow_headers().to_vec(),
        expose_headers: there.expose_headers().to_vec(),
        allow_credentials: there.allow_credentials().unwrap_or_default(),
        max_age: there.max_age().and_then(|it| u32::try_from(it).ok()),
    })
}

fn plain(tags: Option<&HashMap<String, String>>) -> Tags {
    tags.into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect()
}

impl AwsCloud {
    async fn api(&self, id: &str) -> Result<Option<Api>, CloudError> {
        if id.is_empty() {
            return Ok(None);
        }
        let answer = present(self.call("apigateway GetApi", self.api.get_api().api_id(id).send()).await)?;
        Ok(answer.map(|it| {
            Api::builder()
                .set_name(it.name)
                .set_api_id(it.api_id)
                .set_api_endpoint(it.api_endpoint)
                .set_cors_configuration(it.cors_configuration)
                .set_disable_execute_api_endpoint(it.disable_execute_api_endpoint)
                .set_tags(it.tags)
                .build()
        }))
    }

    /// The API that carries the owner's tag; names of APIs are not unique.
    async fn find_api(&self, owner: &Owner, name: &str) -> Result<Option<Api>, CloudError> {
        let mut next = None;
        loop {
            let page = self
                .call(
                    "apigateway GetApis",
                    self.api.get_apis().max_results("500").set_next_token(next).send(),
                )
                .await?;
            let ours = |api: &&Api| api.name() == Some(name) && tags::ours(owner, &plain(api.tags()));
            if let Some(api) = page.items().iter().find(ours) {
                return Ok(Some(api.clone()));
            }
            next = page.next_token().map(str::to_owned);
            if next.is_none() {
                return Ok(None);
            }
        }
    }

    pub(super) async fn ensure_api(
        &self,
        owner: &Owner,
        resource: &Resource,
        spec: &ApiSpec,
        recorded: Option<&Recorded>,
    ) -> Result<Made, CloudError> {
        let there = match recorded.map(|it| it.attribute("api_id")).filter(|id| !id.is_empty()) {
            Some(id) => self.api(id).await?,
            None => self.find_api(owner, &resource.name).await?,
        };
        let (id, endpoint) = match there {
            Some(api) => {
                self.update_api(owner, resource, spec, &api).await?;
                (
                    api.api_id().unwrap_or_default().to_owned(),
                    api.api_endpoint().unwrap_or_default().to_owned(),
                )
            }
            None => self.create_api(owner, resource, spec).await?,
        };
        self.stage(&id, &tags::wanted(owner, resource)).await?;
        let mut attributes = self.authorizers(&id, &spec.authorizers).await?;
        attributes.insert("api_id".to_owned(), id.clone());
        attributes.insert("url".to_owned(), endpoint.trim_end_matches('/').to_owned());
        Ok(Made { arn: self.api_arn(&id), attributes })
    }

    fn api_arn(&self, id: &str) -> String {
        format!("arn:{}:apigateway:{}::/apis/{id}", self.identity.partition, self.identity.region)
    }

    /// Id and endpoint of a new API.
    async fn create_api(
        &self,
        owner: &Owner,
        resource: &Resource,
        spec: &ApiSpec,
    ) -> Result<(String, String), CloudError> {
        let create = self
            .api
            .create_api()
            .name(&resource.name)
            .protocol_type(ProtocolType::Http)
            .description(format!("Commands of the eventual service {}", owner.service))
            .set_cors_configuration(spec.cors.as_ref().map(cors))
            .set_tags(tags::map(&tags::wanted(owner, resource)));
        let answer = self.call("apigateway CreateApi", create.send()).await?;
        Ok((
            answer.api_id().unwrap_or_default().to_owned(),
            answer.api_endpoint().unwrap_or_default().to_owned(),
        ))
    }

    async fn update_api(
        &self,
        owner: &Owner,
        resource: &Resource,
        spec: &ApiSpec,
        there: &Api,
    ) -> Result<(), CloudError> {
        let id = there.api_id().unwrap_or_default();
        let update = self
            .api
            .update_api()
            .api_id(id)
            .name(&resource.name)
            .disable_execute_api_endpoint(false)
            .set_cors_configuration(spec.cors.as_ref().map(cors));
        self.call("apigateway UpdateApi", update.send()).await?;
        if spec.cors.is_none() && there.cors_configuration().is_some() {
            gone(
                self.call(
                    "apigateway DeleteCorsConfiguration",
                    self.api.delete_cors_configuration().api_id(id).send(),
                )
                .await,
            )?;
        }
        self.tag_api(&self.api_arn(id), &plain(there.tags()), &tags::wanted(owner, resource)).await
    }

    /// Brings the tags of an API or a stage up to date.
    async fn tag_api(&self, arn: &str, there: &Tags, wanted: &Tags) -> Result<(), CloudError> {
        let (set, remove) = tags::difference(there, wanted);
        if !set.is_empty() {
            let tag = self.api.tag_resource().resource_arn(arn).set_tags(tags::map(&set));
            self.call("apigateway TagResource", tag.send()).await?;
        }
        if !remove.is_empty() {
            let untag = self.api.untag_resource().resource_arn(arn).set_tag_keys(Some(remove));
            self.call("apigateway UntagResource", untag.send()).await?;
        }
        Ok(())
    }

    /// The stage that deploys every change by itself.
    async fn stage(&self, id: &str, wanted: &Tags) -> Result<(), CloudError> {
        let get = self.api.get_stage().api_id(id).stage_name(STAGE);
        if let Some(there) = present(self.call("apigateway GetStage", get.send()).await)? {
            if there.auto_deploy() != Some(true) {
                let update = self.api.update_stage().api_id(id).stage_name(STAGE).auto_deploy(true);
                self.call("apigateway UpdateStage", update.send()).await?;
            }
            let arn = format!("{}/stages/{STAGE}", self.api_arn(id));
            return self.tag_api(&arn, &plain(there.tags()), wanted).await;
        }
        let create = self
            .api
            .create_stage()
            .api_id(id)
            .stage_name(STAGE)
            .auto_deploy(true)
            .set_tags(tags::map(wanted));
        match self.call("apigateway CreateStage", create.send()).await {
            Err(error) if error.code == "ConflictException" && error.trouble != Trouble::Busy => Ok(()),
            answer => answer.map(|_| ()),
        }
    }

    /// Makes the authorizers what they should be; answers `authorizer/<name>` with the id of each. Ones that are not
    /// wanted any more stay until no route uses them: API Gateway refuses to delete them before.
    async fn authorizers(
        &self,
        id: &str,
        wanted: &BTreeMap<String, Authorizer>,
    ) -> Result<BTreeMap<String, String>, CloudError> {
        let mut ids = BTreeMap::new();
        if wanted.is_empty() {
            return Ok(ids);
        }
        let there = self
            .call(
                "apigateway GetAuthorizers",
                self.api.get_authorizers().api_id(id).max_results("100").send(),
            )
            .await?;
        for (name, authorizer) in wanted {
            let known = there.items().iter().find(|it| it.name() == Some(name));
            let known_id = known.and_then(|it| it.authorizer_id()).map(str::to_owned);
            let authorizer_id = match known_id {
                // The name is a hash of issuer and audience: one that is otherwise was changed by somebody.
                Some(known_id) => {
                    if known.map(described) != Some(settings::authorizer(authorizer)) {
                        self.update_authorizer(id, &known_id, authorizer).await?;
                    }
                    known_id
                }
                None => self.create_authorizer(id, name, authorizer).await?,
            };
            ids.insert(format!("authorizer/{name}"), authorizer_id);
        }
        Ok(ids)
    }

    async fn create_authorizer(
        &self,
        id: &str,
        name: &str,
        authorizer: &Authorizer,
    ) -> Result<String, CloudError> {
        let create = self
            .api
            .create_authorizer()
            .api_id(id)
            .name(name)
            .authorizer_type(AuthorizerType::Jwt)
            .identity_source(IDENTITY)
            .jwt_configuration(jwt(authorizer));
        let answer = self.call("apigateway CreateAuthorizer", create.send()).await?;
        Ok(answer.authorizer_id().unwrap_or_default().to_owned())
    }

    async fn update_authorizer(
        &self,
        api: &str,
        id: &str,
        authorizer: &Authorizer,
    ) -> Result<(), CloudError> {
        let update = self
            .api
            .update_authorizer()
            .api_id(api)
            .authorizer_id(id)
            .identity_source(IDENTITY)
            .jwt_configuration(jwt(authorizer));
        self.call("apigateway UpdateAuthorizer", update.send()).await.map(|_| ())
    }

    pub(super) async fn delete_api(&self, owner: &Owner, recorded: &Recorded) -> Result<(), CloudError> {
        let id = match recorded.attribute("api_id") {
            "" => self.find_api(owner, &recorded.name).await?.and_then(|it| it.api_id),
            id => Some(id.to_owned()),
        };
        let Some(id) = id else { return Ok(()) };
        gone(self.call("apigateway DeleteApi", self.api.delete_api().api_id(id).send()).await)
    }

    pub(super) async fn describe_api(&self, recorded: &Recorded) -> Result<Option<Observed>, CloudError> {
        let id = recorded.attribute("api_id");
        let Some(api) = self.api(id).await? else { return Ok(None) };
        let get = self.api.get_stage().api_id(id).stage_name(STAGE);
        let stage = present(self.call("apigateway GetStage", get.send()).await)?;
        let deploys = stage.as_ref().is_some_and(|it| it.auto_deploy() == Some(true));
        let disabled = api.disable_execute_api_endpoint() == Some(true);
        let mut seen = Observed::of([
            ("name", api.name().unwrap_or_default().to_owned()),
            ("cors", api.cors_configuration().map(cors_setting).unwrap_or_default()),
            ("endpoint", if disabled { "disabled" } else { "enabled" }.to_owned()),
            ("stage", if deploys { "deploys by itself" } else { "" }.to_owned()),
            ("stage_tags", tags::digest(&plain(stage.as_ref().and_then(|it| it.tags())))),
            ("tags", tags::digest(&plain(api.tags()))),
        ]);
        let url = api.api_endpoint().unwrap_or_default().trim_end_matches('/').to_owned();
        seen.attributes.insert("url".to_owned(), url);
        self.describe_authorizers(recorded, &mut seen).await?;
        Ok(Some(seen))
    }

    /// The authorizers that are recorded. Others may be left from before.
    async fn describe_authorizers(&self, recorded: &Recorded, seen: &mut Observed) -> Result<(), CloudError> {
        let names: Vec<&String> =
            recorded.attributes.keys().filter(|name| name.starts_with("authorizer/")).collect();
        if names.is_empty() {
            return Ok(());
        }
        let get = self.api.get_authorizers().api_id(recorded.attribute("api_id")).max_results("100");
        let there = self.call("apigateway GetAuthorizers", get.send()).await?;
        for name in names {
            let known =
                there.items().iter().find(|it| it.name().is_some_and(|it| name.ends_with(&format!("/{it}"))));
            let id = known.and_then(|it| it.authorizer_id()).unwrap_or_default();
            seen.settings.insert(name.clone(), known.map(described).unwrap_or_default());
            seen.attributes.insert(name.clone(), id.to_owned());
        }
        Ok(())
    }
}
