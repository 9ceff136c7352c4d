//! What identifies a service: enough to find it again from nothing, and nothing that changes while it lives.

use super::{Attribute, Kind, Object};

/// Number of this shape in states; it goes up when an older identity has to be converted.
pub const VERSION: i64 = 0;

pub(super) fn declare() -> Object {
    Object {
        name: "Identity",
        description: "What identifies a service.",
        attributes: vec![
            Attribute::required("name", Kind::String, "Name of the deployment."),
            Attribute::optional(
                "account_id",
                Kind::String,
                "Number of the AWS account that it lives in. Default: the provider's.",
            ),
            Attribute::optional(
                "region",
                Kind::String,
                "AWS region that it lives in. Default: the provider's.",
            ),
        ],
    }
}
