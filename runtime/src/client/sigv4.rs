//! Signature Version 4 of AWS: for commands with `auth = iam`, and for the system function of a deployed service.
//!
//! Deliberately finds no credentials by itself: `aws_config` does, and what it finds is taken as it is.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::time::SystemTime;

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use eventual_core::{Failure, Outcome, Payload};
use serde::Deserialize;

use super::attempts::Answer;
use super::{Client, Executions, NoClient, OutgoingRequest, RemoteError, Signed, Signer};

pub use aws_credential_types::Credentials;
pub use aws_credential_types::provider::ProvideCredentials;

/// Signs requests with AWS credentials. Cheap to clone.
///
/// ```no_run
/// # #[eventual::command(auth = iam)] async fn ping(name: String) -> String { name }
/// # async fn example(credentials: eventual::client::Credentials) -> Result<(), eventual::Error> {
/// use eventual::client::{Client, SigV4};
///
/// // `credentials` may be `aws_config::load_from_env().await.credentials_provider().unwrap()`.
/// let client = Client::new("https://abc.execute-api.eu-central-1.amazonaws.com")?
///     .sign(SigV4::new("eu-central-1", credentials));
/// let answer: String = client.call(ping("Ada".to_owned())).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SigV4 {
    region: String,
    service: &'static str,
    credentials: SharedCredentialsProvider,
}

impl SigV4 {
    /// Signs calls of commands that are deployed in `region`. Credentials are asked for at every request: what fetches them
    /// is expected to keep them, as the providers of `aws_config` do.
    pub fn new(region: impl Into<String>, credentials: impl ProvideCredentials + 'static) -> Self {
        let credentials = SharedCredentialsProvider::new(credentials);
        Self { region: region.into(), service: "execute-api", credentials }
    }

    /// The headers that make it a signed request at that time.
    fn signed(&self, request: &OutgoingRequest, credentials: Credentials, time: SystemTime) -> Signed {
        let identity = credentials.into();
        let params = SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(self.service)
            .time(time)
            .settings(SigningSettings::default())
            .build()?
            .into();
        // Others may be changed on the way, and then nobody could verify the signature.
        let headers = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let headers = headers.filter(|(name, _)| *name == "content-type" || name.starts_with("x-amz-"));
        let body = SignableBody::Bytes(request.body.as_bytes());
        let signable = SignableRequest::new(request.method, request.url.as_str(), headers, body)?;
        let (instructions, _) = sign(signable, &params)?.into_parts();
        Ok(instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

impl Signer for SigV4 {
    fn sign(&self, request: OutgoingRequest) -> Pin<Box<dyn Future<Output = Signed> + Send>> {
        let signer = self.clone();
        Box::pin(async move {
            let credentials = signer.credentials.provide_credentials().await?;
            signer.signed(&request, credentials, SystemTime::now())
        })
    }
}

impl Executions {
    /// Those of a deployed service: `function` is the name or ARN of its system function, `orders-system:live`, which the
    /// credentials must be allowed to invoke (the deployment's output `grants` has the policy).
    ///
    /// # Errors
    /// When `function` is no name of a function, or this machine has no certificates to verify servers with.
    pub fn deployed(function: &str, signer: &SigV4) -> Result<Self, NoClient> {
        let of_china = if signer.region.starts_with("cn-") { ".cn" } else { "" };
        let url = format!("https://lambda.{}.amazonaws.com{of_china}", signer.region);
        Self::deployed_at(url, function, signer)
    }

    /// As [`deployed`](Self::deployed), through another endpoint of Lambda's API than the region's.
    ///
    /// # Errors
    /// As [`deployed`](Self::deployed); when `url` is no URL.
    pub fn deployed_at(url: impl Into<String>, function: &str, signer: &SigV4) -> Result<Self, NoClient> {
        let known = |c: char| c.is_ascii_alphanumeric() || "-_:$".contains(c);
        if function.is_empty() || !function.chars().all(known) {
            return Err(NoClient(format!("{function:?} is neither the name of a function nor its ARN")));
        }
        // As the SDKs send it: the signature is over what is sent.
        let name = function.replace(':', "%3A").replace('$', "%24");
        let target = format!("/2015-03-31/functions/{name}/invocations");
        let client = Client::new(url)?.sign(SigV4 { service: "lambda", ..signer.clone() });
        Ok(Self::new(move |request: String| {
            let (client, target) = (client.clone(), target.clone());
            async move { client.system(target, request, of_lambda).await }
        }))
    }
}

/// What a function that failed says of it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failed {
    error_type: String,
    error_message: String,
}

/// What Lambda says when it does not invoke.
#[derive(Deserialize)]
struct Refused {
    #[serde(alias = "Message")]
    message: Option<String>,
}

/// What the answer of Lambda to an invocation means.
fn of_lambda(answer: &Answer) -> Result<Outcome, RemoteError<Infallible>> {
    let status = answer.status;
    if answer.function_error {
        return match serde_json::from_slice(&answer.body) {
            Ok(Failed { error_type, error_message }) if error_type != "Fault" => {
                Ok(Outcome::Failed(Failure::new(&error_type, error_message, 400)))
            }
            Ok(Failed { error_message, .. }) => {
                Err(RemoteError::Unavailable { status: Some(status), message: error_message })
            }
            Err(_) => {
                let message = format!("the function failed: {}", String::from_utf8_lossy(&answer.body));
                Err(RemoteError::Unavailable { status: Some(status), message })
            }
        };
    }
    if status == 200 {
        return Ok(Outcome::Succeeded(Payload::from(String::from_utf8_lossy(&answer.body).as_ref())));
    }
    let refused = serde_json::from_slice(&answer.body).unwrap_or(Refused { message: None });
    let message = refused.message.unwrap_or_else(|| format!("status {status}"));
    Err(if status == 429 || status >= 500 {
        RemoteError::Unavailable { status: Some(status), message }
    } else {
        RemoteError::Refused { status, message }
    })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    fn signature(signer: &SigV4, request: &OutgoingRequest, credentials: Credentials) -> String {
        // 2015-08-30T12:36:00Z, the time of AWS's examples.
        let time = UNIX_EPOCH + Duration::from_secs(1_440_938_160);
        let headers = signer.signed(request, credentials, time).unwrap();
        let authorization = headers.iter().find(|(name, _)| name == "authorization").unwrap();
        authorization.1.rsplit_once("Signature=").unwrap().1.to_owned()
    }

    fn request(method: &'static str, url: &str, headers: &[(&str, &str)], body: &str) -> OutgoingRequest {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        OutgoingRequest { method, url: url.to_owned(), headers: headers.collect(), body: body.to_owned() }
    }

    #[test]
    fn a_signature_is_that_of_the_example_in_awss_documentation() {
        let credentials = Credentials::from_keys("AKIDEXAMPLE", SECRET, None);
        let signer = SigV4 { service: "iam", ..SigV4::new("us-east-1", credentials.clone()) };
        let form = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");
        let url = "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08";
        let listing = request("GET", url, &[form, ("accept", "application/json"), ("x-other", "1")], "");
        let documented = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
        assert_eq!(signature(&signer, &listing, credentials), documented);
    }

    #[test]
    fn strange_paths_queries_and_a_session_are_signed_as_botocore_does() {
        let credentials = Credentials::from_keys("AKIDEXAMPLE", "s", Some("t/+=".to_owned()));
        let url =
            "https://x.execute-api.eu-central-1.amazonaws.com/orders/a%20b%2Bc%C3%BC?q=a%20b&z=%2F%27&q=A&e=";
        let strange = request("POST", url, &[("content-type", "application/json")], "{\"a\":\"\u{fc}\"}");
        let botocores = "ab667e04ace06cb287d8d1e180dd24baf058246dcafa5afe7fb9a1c1d75e1283";
        let signer = SigV4::new("eu-central-1", credentials.clone());
        assert_eq!(signature(&signer, &strange, credentials), botocores);
    }

    #[test]
    fn a_function_that_refused_is_told_from_lambda_that_did_not_invoke_it() {
        let answer = |status, function_error, body: &str| {
            of_lambda(&Answer { status, function_error, body: body.as_bytes().to_vec(), ..Answer::default() })
        };
        assert_eq!(answer(200, false, "{\"a\":1}").unwrap(), Outcome::Succeeded(Payload::from("{\"a\":1}")));
        let said = r#"{"errorType":"NotFound","errorMessage":"nobody"}"#;
        let Ok(Outcome::Failed(refused)) = answer(200, true, said) else { panic!("it refused") };
        assert_eq!((refused.class.as_str(), refused.message.as_str()), ("NotFound", "nobody"));
        for (status, failed, body) in [
            (200, true, r#"{"errorType":"Fault","errorMessage":"the table is gone"}"#),
            (200, true, "Runtime exited"),
            (429, false, r#"{"message":"Rate exceeded"}"#),
            (503, false, ""),
        ] {
            assert!(matches!(answer(status, failed, body), Err(RemoteError::Unavailable { .. })), "{status}");
        }
        let denied = answer(403, false, r#"{"Message":"not authorized to perform: lambda:InvokeFunction"}"#);
        assert!(
            matches!(denied, Err(RemoteError::Refused { status: 403, message }) if message.contains("authorized"))
        );
    }

    #[test]
    fn what_is_no_function_is_refused() {
        let signer = SigV4::new("cn-north-1", Credentials::from_keys("a", "b", None));
        for wrong in ["", "a/b", "a b", "\u{fc}"] {
            assert!(
                Executions::deployed(wrong, &signer).unwrap_err().to_string().contains("function"),
                "{wrong}"
            );
        }
        Executions::deployed("arn:aws-cn:lambda:cn-north-1:1:function:orders-system:live", &signer).unwrap();
    }
}
