//! `policy`: prints the least that a deployer must be permitted. It reads its arguments; what is in the policy is the
//! core's.

use std::collections::BTreeSet;

use eventual_provider_core::policy::{Deployer, Purpose, deployer};

const USAGE: &str = "usage: policy [NAME] [--for PURPOSE,...] [--account NUMBER] [--region REGION] [--partition PARTITION] [--role ARN] [--vpc]

Prints the IAM policy that somebody needs who deploys and uses the service NAME (without it: any service).
  --for        what for, several separated by commas; without it, everything:
                 apply        make, change, refresh, import and destroy it; the data source
                 list         find services and read them (terraform query)
                 actions      call commands and the system function, redrive dead letters
                 credentials  lend short-lived credentials (a user lends no more than it may do itself)
  --account    the account that it is deployed to; without it, any
  --region     the region; without it, any
  --partition  aws (the default), aws-cn or aws-us-gov
  --role       the role whose credentials are lent; without it, any of the account
  --vpc        also what putting functions into a VPC needs";

/// The policy that these arguments ask for.
///
/// # Errors
/// How it is used, for arguments that it does not know.
pub(crate) fn policy(arguments: &[String]) -> Result<String, String> {
    let any = || "*".to_owned();
    let mut who = Deployer {
        service: any(),
        account: any(),
        region: any(),
        partition: "aws".to_owned(),
        vpc: false,
        lent_role: None,
        purposes: Purpose::ALL.into(),
    };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let value = match argument.as_str() {
            "--account" => &mut who.account,
            "--region" => &mut who.region,
            "--partition" => &mut who.partition,
            "--role" => who.lent_role.insert(String::new()),
            "--for" => {
                who.purposes = purposes(rest.next().ok_or(USAGE)?).ok_or(USAGE)?;
                continue;
            }
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

fn purposes(names: &str) -> Option<BTreeSet<Purpose>> {
    names.split(',').map(|name| Purpose::ALL.into_iter().find(|it| it.as_str() == name)).collect()
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
        let clerk = words(&["--for", "credentials,actions", "--role", "arn:aws:iam::1:role/clerk"]).unwrap();
        assert!(
            clerk.contains("arn:aws:iam::1:role/clerk") && clerk.contains("lambda:InvokeFunction"),
            "{clerk}"
        );
        assert!(!clerk.contains("lambda:CreateFunction") && words(&[]).unwrap().contains("sts:AssumeRole"));
        for wrong in
            [&["--account"][..], &["a", "b"], &["--help"], &["--for"], &["--for", "all"], &["--role"]]
        {
            assert!(words(wrong).unwrap_err().starts_with("usage"), "{wrong:?}");
        }
    }
}
