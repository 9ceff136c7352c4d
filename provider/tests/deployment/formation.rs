//! The resources of a service as a CloudFormation template: what `benches/README.md` compares with. Of the graph that the provider
//! deploys everything is in it but the upload of the code, which CloudFormation leaves to somebody else, and the ownership record,
//! which a stack is itself. Deliberately as a person would write it, with names given, and a version for each state of a function as
//! CDK makes them.

use std::collections::{BTreeMap, BTreeSet};

use eventual_provider_core::resource::{
    ApiSpec, FunctionSpec, InvokeConfigSpec, MappingSpec, Piece, QueueSpec, Resource, RouteAuth, RouteSpec,
    Source, Spec, Text, settings,
};
use eventual_schema::deploy::{ALIAS, BOOTSTRAP_FILE, table};
use eventual_schema::digest::short_hash;
use serde_json::{Map, Value as Json, json};

/// Logical ids and definitions.
pub(crate) type Template = BTreeMap<String, Json>;

/// The template of these resources, whose code lies in `bucket`.
pub(crate) fn template(resources: &BTreeMap<String, Resource>, bucket: &str) -> Template {
    let mut template = Template::new();
    for resource in resources.values() {
        let after: BTreeSet<String> =
            resource.depends_on().iter().filter_map(|key| last(resources.get(key)?)).collect();
        let after: Vec<String> = after.into_iter().collect();
        for (place, (name, kind, properties)) in parts(resource, bucket).into_iter().enumerate() {
            let mut definition = json!({"Type": format!("AWS::{kind}"), "Properties": properties});
            if place == 0 && !after.is_empty() {
                definition["DependsOn"] = json!(after);
            }
            template.insert(name, definition);
        }
    }
    template
}

/// The logical id of a key.
fn logical(key: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|it| it.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    };
    key.split(|it: char| !it.is_ascii_alphanumeric()).map(word).collect()
}

/// What must be there before something that needs a resource.
fn last(resource: &Resource) -> Option<String> {
    let id = logical(&resource.key);
    match &resource.spec {
        Spec::Artifact(_) => None,
        Spec::Function(_) => Some(format!("{id}Alias")),
        _ => Some(id),
    }
}

fn parsed(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

fn text(text: &Text) -> Json {
    match text {
        Text::Pieces(pieces) => json!({"Fn::Join": ["", pieces.iter().map(piece).collect::<Vec<_>>()]}),
        known => json!(known.as_str()),
    }
}

fn piece(piece: &Piece) -> Json {
    match piece {
        Piece::Literal(text) => json!(text),
        Piece::Attribute { key, name } => attribute(key, name),
    }
}

fn attribute(key: &str, name: &str) -> Json {
    let id = logical(key);
    match name {
        "api_id" | "url" => json!({"Ref": id}),
        "arn" => json!({"Fn::GetAtt": [id, "Arn"]}),
        "execution_arn" => {
            json!({"Fn::Sub": format!("arn:aws:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{{id}}}")})
        }
        "stream_arn" => json!({"Fn::GetAtt": [id, "StreamArn"]}),
        authorizer => json!({"Ref": logical(authorizer)}),
    }
}

fn tags(resource: &Resource) -> Json {
    resource.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}

type Part = (String, &'static str, Json);

/// Logical id, kind and properties of all that a resource is in a template.
fn parts(resource: &Resource, bucket: &str) -> Vec<Part> {
    let (id, name) = (logical(&resource.key), &resource.name);
    match &resource.spec {
        Spec::Artifact(_) => Vec::new(),
        Spec::Api(spec) => api(resource, spec),
        Spec::Bucket(spec) => {
            let closed =
                ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"];
            let closed: Map<String, Json> = closed.iter().map(|it| ((*it).to_owned(), json!(true))).collect();
            let encrypted = json!({"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]});
            let policy = json!({"Bucket": {"Ref": id.clone()}, "PolicyDocument": parsed(&spec.policy)});
            let properties = json!({"BucketName": name, "PublicAccessBlockConfiguration": closed, "BucketEncryption": encrypted, "Tags": tags(resource)});
            vec![(id.clone(), "S3::Bucket", properties), (format!("{id}Policy"), "S3::BucketPolicy", policy)]
        }
        Spec::Bus(_) => vec![(id, "Events::EventBus", json!({"Name": name, "Tags": tags(resource)}))],
        Spec::Function(spec) => function(resource, spec, bucket),
        Spec::InvokeConfig(InvokeConfigSpec { function, retries, on_failure }) => vec![(
            id,
            "Lambda::EventInvokeConfig",
            json!({"FunctionName": function, "Qualifier": ALIAS, "MaximumRetryAttempts": retries, "DestinationConfig": {"OnFailure": {"Destination": on_failure}}}),
        )],
        Spec::LogGroup(spec) => vec![(
            id,
            "Logs::LogGroup",
            json!({"LogGroupName": name, "RetentionInDays": spec.retention_days, "Tags": tags(resource)}),
        )],
        Spec::Mapping(spec) => vec![(id, "Lambda::EventSourceMapping", mapping(spec))],
        Spec::Permission(spec) => vec![(
            id,
            "Lambda::Permission",
            json!({"FunctionName": format!("{}:{ALIAS}", spec.function), "Action": "lambda:InvokeFunction", "Principal": spec.principal, "SourceArn": text(&spec.source_arn)}),
        )],
        Spec::Queue(spec) => queue(resource, spec),
        Spec::Role(spec) => vec![(
            id,
            "IAM::Role",
            json!({"RoleName": name, "AssumeRolePolicyDocument": parsed(&spec.trust), "Policies": [{"PolicyName": "service", "PolicyDocument": parsed(&spec.policy)}], "Tags": tags(resource)}),
        )],
        Spec::Route(spec) => route(&id, spec),
        Spec::Rule(spec) => vec![(
            id,
            "Events::Rule",
            json!({"Name": name, "EventBusName": spec.bus, "EventPattern": parsed(&spec.pattern), "State": "ENABLED", "Targets": [{"Id": "function", "Arn": spec.target, "DeadLetterConfig": {"Arn": spec.dead_letters}}]}),
        )],
        Spec::ScheduleGroup => {
            vec![(id, "Scheduler::ScheduleGroup", json!({"Name": name, "Tags": tags(resource)}))]
        }
        Spec::Table(spec) => {
            vec![(id, "DynamoDB::Table", dynamo(name, spec.point_in_time_recovery, &tags(resource)))]
        }
    }
}

fn dynamo(name: &str, recovery: bool, tags: &Json) -> Json {
    let strings = [table::PARTITION, table::SORT, table::INDEX_PARTITION, table::INDEX_SORT];
    let strings: Json = strings.iter().map(|it| json!({"AttributeName": it, "AttributeType": "S"})).collect();
    let keys = |hash: &str, range: &str| json!([{"AttributeName": hash, "KeyType": "HASH"}, {"AttributeName": range, "KeyType": "RANGE"}]);
    let index = json!({"IndexName": table::INDEX, "KeySchema": keys(table::INDEX_PARTITION, table::INDEX_SORT), "Projection": {"ProjectionType": "ALL"}});
    json!({
        "TableName": name, "BillingMode": "PAY_PER_REQUEST", "AttributeDefinitions": strings,
        "KeySchema": keys(table::PARTITION, table::SORT), "GlobalSecondaryIndexes": [index],
        "StreamSpecification": {"StreamViewType": "NEW_IMAGE"},
        "TimeToLiveSpecification": {"AttributeName": table::EXPIRES, "Enabled": true},
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": recovery}, "Tags": tags,
    })
}

fn queue(resource: &Resource, spec: &QueueSpec) -> Vec<Part> {
    let id = logical(&resource.key);
    let mut properties = json!({
        "QueueName": resource.name, "VisibilityTimeout": spec.visibility_s,
        "MessageRetentionPeriod": spec.retention_s, "SqsManagedSseEnabled": true, "Tags": tags(resource),
    });
    if spec.fifo {
        properties["FifoQueue"] = json!(true);
        properties["DeduplicationScope"] = json!("messageGroup");
        properties["FifoThroughputLimit"] = json!("perMessageGroupId");
    }
    if let Some(dead) = &spec.dead_letters {
        properties["RedrivePolicy"] =
            json!({"deadLetterTargetArn": dead.arn, "maxReceiveCount": dead.max_receives});
    }
    let policy = spec.policy.as_ref().map(|policy| {
        let properties = json!({"Queues": [{"Ref": id.clone()}], "PolicyDocument": parsed(policy)});
        (format!("{id}Policy"), "SQS::QueuePolicy", properties)
    });
    [(id, "SQS::Queue", properties)].into_iter().chain(policy).collect()
}

fn function(resource: &Resource, spec: &FunctionSpec, bucket: &str) -> Vec<Part> {
    let (id, name) = (logical(&resource.key), &resource.name);
    let environment: Map<String, Json> =
        spec.environment.iter().map(|(name, value)| (name.clone(), text(value))).collect();
    let properties = json!({
        "FunctionName": name, "Runtime": "provided.al2023", "Handler": BOOTSTRAP_FILE, "Role": spec.role,
        "Architectures": [spec.architecture], "Code": {"S3Bucket": bucket, "S3Key": spec.code_object},
        "MemorySize": spec.memory_mb, "Timeout": spec.timeout_s, "Description": spec.description,
        "Environment": {"Variables": environment}, "Tags": tags(resource),
    });
    let state = short_hash(&[&properties.to_string()], 8);
    let version = format!("{id}Version{state}");
    let alias = json!({"FunctionName": {"Ref": id.clone()}, "Name": ALIAS, "FunctionVersion": {"Fn::GetAtt": [version.clone(), "Version"]}});
    vec![
        (id.clone(), "Lambda::Function", properties),
        (version, "Lambda::Version", json!({"FunctionName": {"Ref": id.clone()}})),
        (format!("{id}Alias"), "Lambda::Alias", alias),
    ]
}

fn mapping(spec: &MappingSpec) -> Json {
    let mut properties = json!({
        "EventSourceArn": text(&spec.source_arn), "FunctionName": format!("{}:{ALIAS}", spec.function),
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
    });
    match &spec.source {
        Source::Queue { batch } => properties["BatchSize"] = json!(batch),
        Source::Stream { filter, retries, on_failure } => {
            properties["BatchSize"] = json!(settings::STREAM_BATCH);
            properties["StartingPosition"] = json!("TRIM_HORIZON");
            properties["FilterCriteria"] = json!({"Filters": [{"Pattern": filter}]});
            properties["MaximumRetryAttempts"] = json!(retries);
            properties["BisectBatchOnFunctionError"] = json!(true);
            properties["DestinationConfig"] = json!({"OnFailure": {"Destination": on_failure}});
        }
    }
    properties
}

fn api(resource: &Resource, spec: &ApiSpec) -> Vec<Part> {
    let id = logical(&resource.key);
    let properties = json!({"Name": resource.name, "ProtocolType": "HTTP", "Tags": resource.tags});
    let stage = json!({"ApiId": {"Ref": id.clone()}, "StageName": "$default", "AutoDeploy": true, "Tags": resource.tags});
    let authorizers = spec.authorizers.iter().map(|(name, authorizer)| {
        let properties = json!({
            "ApiId": {"Ref": id.clone()}, "Name": name, "AuthorizerType": "JWT",
            "IdentitySource": ["$request.header.Authorization"],
            "JwtConfiguration": {"Issuer": authorizer.issuer, "Audience": authorizer.audience},
        });
        (logical(&format!("authorizer/{name}")), "ApiGatewayV2::Authorizer", properties)
    });
    let own =
        [(id.clone(), "ApiGatewayV2::Api", properties), (format!("{id}Stage"), "ApiGatewayV2::Stage", stage)];
    own.into_iter().chain(authorizers).collect()
}

fn route(id: &str, spec: &RouteSpec) -> Vec<Part> {
    let integration = json!({
        "ApiId": text(&spec.api), "IntegrationType": "AWS_PROXY", "IntegrationUri": spec.target,
        "PayloadFormatVersion": "2.0", "TimeoutInMillis": spec.timeout_ms,
    });
    let routes = spec.routes.iter().enumerate().map(|(place, key)| {
        let mut properties = json!({
            "ApiId": text(&spec.api), "RouteKey": key,
            "Target": {"Fn::Join": ["/", ["integrations", {"Ref": id}]]},
        });
        match &spec.auth {
            RouteAuth::None => properties["AuthorizationType"] = json!("NONE"),
            RouteAuth::Iam => properties["AuthorizationType"] = json!("AWS_IAM"),
            RouteAuth::Jwt { authorizer } => {
                properties["AuthorizationType"] = json!("JWT");
                properties["AuthorizerId"] = text(authorizer);
            }
        }
        (format!("{id}Route{place}"), "ApiGatewayV2::Route", properties)
    });
    [(id.to_owned(), "ApiGatewayV2::Integration", integration)].into_iter().chain(routes).collect()
}
