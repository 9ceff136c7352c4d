//! The provider block.

use super::{Attribute, Kind, Object, list, map, object};

pub(super) fn declare() -> Object {
    Object {
        name: "Provider",
        description: "Deploys services that are written with [eventual](https://github.com/eventual/eventual) into an AWS \
                      account. Every setting is optional: what is absent comes from the usual places of AWS tools \
                      (environment variables, shared configuration files, the instance's role).",
        attributes: vec![
            Attribute::optional(
                "region",
                Kind::String,
                "AWS region that services are deployed into, such as `eu-central-1`. Default: `AWS_REGION`, \
                 `AWS_DEFAULT_REGION`, then the profile's region.",
            )
            .or_environment(&["AWS_REGION", "AWS_DEFAULT_REGION"]),
            Attribute::optional(
                "profile",
                Kind::String,
                "Profile of the shared AWS configuration files whose credentials are used. Default: `AWS_PROFILE`, \
                 then `default`.",
            )
            .or_environment(&["AWS_PROFILE"]),
            Attribute::optional(
                "assume_role",
                assume_role(),
                "Role to assume with those credentials before anything is done.",
            ),
            Attribute::optional(
                "endpoint",
                Kind::String,
                "URL that all AWS services are reached at, for emulators and proxies, such as `http://127.0.0.1:4566`. \
                 Default: `AWS_ENDPOINT_URL`, then AWS itself.",
            )
            .or_environment(&["AWS_ENDPOINT_URL"]),
            Attribute::optional(
                "allowed_account_ids",
                list(Kind::String),
                "Numbers of the AWS accounts that may be deployed into, 12 digits each: credentials of any other account are \
                 refused before anything is done. Default: any.",
            ),
            Attribute::optional(
                "ca_bundle",
                Kind::String,
                "Path of a file with certificates in PEM that are trusted instead of the system's, for proxies that open \
                 TLS. Default: `AWS_CA_BUNDLE`, then the system's. Proxies themselves are taken from `HTTPS_PROXY`, \
                 `HTTP_PROXY` and `NO_PROXY`.",
            )
            .or_environment(&["AWS_CA_BUNDLE"]),
            Attribute::optional(
                "default_tags",
                map(Kind::String),
                "Tags of every AWS resource that this provider makes. The `tags` of a service win over these.",
            ),
        ],
    }
}

fn assume_role() -> Kind {
    object(
        "AssumeRole",
        "A role to assume.",
        vec![
            Attribute::required("role_arn", Kind::String, "ARN of the role."),
            Attribute::optional(
                "session_name",
                Kind::String,
                "Name of the session, as it appears in CloudTrail: 2 to 64 letters, digits and `_=,.@-`. Default: \
                 `eventual`.",
            ),
            Attribute::optional(
                "external_id",
                Kind::String,
                "External id that the role's trust policy asks for. Default: none.",
            )
            .sensitive(),
        ],
    )
}
