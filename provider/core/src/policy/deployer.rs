//! The least that somebody who deploys services must be permitted.
//!
//! What is not called is not in it, which `provider/tests/cloud.rs` holds against what a whole life of a service
//! calls on an emulated AWS that enforces it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::Purpose;
use super::statements;

/// Which services somebody may deploy, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployer {
    /// Name of the service, or `*` for any.
    pub service: String,
    /// Account, or `*`.
    pub account: String,
    /// Region, or `*`.
    pub region: String,
    /// Partition, `aws`.
    pub partition: String,
    /// Whether functions may be put into a VPC.
    pub vpc: bool,
    /// ARN of the role whose credentials are lent, or a pattern; `None` for any role of the account.
    pub lent_role: Option<String>,
    /// What for.
    pub purposes: BTreeSet<Purpose>,
}

/// The policy document, for people to read.
#[must_use]
pub fn deployer(deployer: &Deployer) -> String {
    let Deployer { service, account, region, partition, vpc, lent_role, purposes } = deployer;
    let role = lent_role.as_deref().unwrap_or("arn:{p}:iam::{a}:role/*");
    let fill = |resource: &&str| {
        let filled = resource.replace("{role}", role).replace("{p}", partition).replace("{r}", region);
        Value::from(filled.replace("{a}", account).replace("{s}", service))
    };
    let mut statements: Vec<Value> = merged(purposes)
        .into_iter()
        .map(|(resources, (sid, actions))| {
            let resources: Vec<Value> = resources.iter().map(fill).collect();
            json!({"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources})
        })
        .collect();
    let applies = purposes.contains(&Purpose::Apply);
    if applies {
        statements.push(json!({
            "Sid": "PassRoles",
            "Effect": "Allow",
            "Action": ["iam:PassRole"],
            "Resource": [fill(&"arn:{p}:iam::{a}:role/{s}-*")],
            "Condition": {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}},
        }));
    }
    if *vpc && applies {
        statements.push(json!({
            "Sid": "Network",
            "Effect": "Allow",
            "Action": ["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"],
            "Resource": ["*"],
        }));
    }
    let document = json!({"Version": "2012-10-17", "Statement": statements});
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

type Merged = BTreeMap<&'static [&'static str], (&'static str, BTreeSet<&'static str>)>;

/// The statements of all purposes, those about the same resources as one under the first one's name: managed policies are short.
fn merged(purposes: &BTreeSet<Purpose>) -> Merged {
    let mut merged = Merged::new();
    let all = purposes.iter().flat_map(|purpose| statements::of(*purpose));
    for (sid, actions, resources) in all {
        merged.entry(resources).or_insert((sid, BTreeSet::new())).1.extend(actions);
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(purposes: &[Purpose]) -> Deployer {
        Deployer {
            service: "shop".to_owned(),
            account: "123456789012".to_owned(),
            region: "eu-west-1".to_owned(),
            partition: "aws".to_owned(),
            vpc: true,
            lent_role: None,
            purposes: purposes.iter().copied().collect(),
        }
    }

    /// Pairs of action and resource.
    fn permitted(purposes: &[Purpose]) -> BTreeSet<(String, String)> {
        let document: Value = serde_json::from_str(&deployer(&who(purposes))).unwrap();
        let texts = |it: &Value| -> Vec<String> {
            it.as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect()
        };
        let mut permitted = BTreeSet::new();
        let mut names = BTreeSet::new();
        for statement in document["Statement"].as_array().unwrap() {
            assert!(
                names.insert(statement["Sid"].to_string()),
                "names of statements are unique: {statement}"
            );
            for action in texts(&statement["Action"]) {
                for resource in texts(&statement["Resource"]) {
                    assert!(permitted.insert((action.clone(), resource)), "{action} stands twice");
                }
            }
        }
        permitted
    }

    #[test]
    fn no_action_is_a_pattern_or_stands_twice_and_names_are_filled_in() {
        let all = permitted(&Purpose::ALL);
        assert!(all.iter().all(|(action, resource)| !action.contains('*') && !resource.contains('{')));
        let function = "arn:aws:lambda:eu-west-1:123456789012:function:shop-*".to_owned();
        assert!(all.contains(&("lambda:InvokeFunction".to_owned(), function)));
        let text = deployer(&who(&Purpose::ALL));
        assert!(text.contains("ec2:DescribeSubnets"));
        // Managed policies hold 6,144 characters without white space.
        assert!(text.chars().filter(|it| !it.is_whitespace()).count() < 6144);
    }

    #[test]
    fn the_parts_are_the_whole_and_what_reads_is_no_more_than_what_applies() {
        let parts: BTreeSet<_> = Purpose::ALL.iter().flat_map(|it| permitted(&[*it])).collect();
        assert_eq!(parts, permitted(&Purpose::ALL));
        let applies: BTreeSet<String> = permitted(&[Purpose::Apply]).into_iter().map(|it| it.0).collect();
        let reads = permitted(&[Purpose::List]).into_iter().map(|it| it.0);
        let more: Vec<String> = reads.filter(|it| !applies.contains(it)).collect();
        assert_eq!(more, ["s3:ListAllMyBuckets"]);
        let lent = Deployer {
            lent_role: Some("arn:aws:iam::1:role/clerk".to_owned()),
            ..who(&[Purpose::Credentials])
        };
        assert!(deployer(&lent).contains("\"arn:aws:iam::1:role/clerk\""));
    }
}
