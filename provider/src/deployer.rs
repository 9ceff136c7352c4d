//! `policy`: prints the least that a deployer must be permitted. It reads its arguments; what is in the policy is the
//! core's.

use eventual_provider_core::policy::{Deployer, deployer};

const USAGE: &str = "usage: policy [NAME] [--account NUMBER] [--region REGION] [--partition PARTITION] [--vpc]

Prints the IAM policy that somebody needs who deploys, changes and destroys the service NAME (without it: any service).
  --account    the account that it is deployed to; without it, any
  --region     the region; without it, any
  --partition  aws (the default), aws-cn or aws-us-gov
  --vpc        also what putting functions into a VPC needs";

/// The policy that these arguments ask for.
///
/// # Errors
/// How it is used, for arguments that it does not know.
pub(crate) fn policy(arguments: &[String]) -> Result<String, String> {
    let any = || "*".to_owned();
    let mut who =
        Deployer { service: any(), account: any(), region: any(), partition: "aws".to_owned(), vpc: false };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let value = match argument.as_str() {
            "--account" => &mut who.account,
            "--region" => &mut who.region,
            "--partition" => &mut who.partition,
            "--vpc" => {
                who.vpc = true;
                continue;
            }
            name if !name.starts_with('-') && who.service == "*" => {
                name.clone_into(&mut who.service);
                continue;
            }
            _ => return Err(USAGE.to_owned()),
        };
        rest.next().ok_or(USAGE)?.clone_into(value);
    }
    Ok(deployer(&who))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_and_strangers_refused() {
        let words = |words: &[&str]| policy(&words.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>());
        let text = words(&["orders", "--account", "123456789012", "--region", "eu-west-1"]).unwrap();
        assert!(text.contains("arn:aws:sqs:eu-west-1:123456789012:orders-*"), "{text}");
        assert!(words(&[]).unwrap().contains("arn:aws:sqs:*:*:*-*"));
        for wrong in [&["--account"][..], &["a", "b"], &["--help"]] {
            assert!(words(wrong).unwrap_err().starts_with("usage"), "{wrong:?}");
        }
    }
}
