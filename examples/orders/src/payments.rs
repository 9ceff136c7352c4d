//! The payments gateway, as the service sees it.

use std::collections::BTreeMap;
use std::env;
use std::sync::{Mutex, PoisonError};

use eventual::Failure;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::types::Charge;

/// A payments gateway that charges once for each idempotency key.
#[derive(Debug)]
pub enum Payments {
    /// A real one, by HTTP.
    Gateway {
        /// Connections to it.
        client: reqwest::Client,
        /// Where charges are posted.
        url: String,
    },
    /// One that takes every card and forgets when the process ends: for tests, and for a first look without a gateway.
    Sandbox(Mutex<BTreeMap<String, Charge>>),
}

/// Why a charge was not made.
#[derive(Debug, thiserror::Error, Serialize, Deserialize, JsonSchema, Failure)]
pub enum PaymentError {
    /// The gateway said no.
    #[error("the gateway refuses the charge: {0}")]
    #[failure(status = 402)]
    Declined(String),
    /// The gateway did not say anything.
    #[error("the gateway does not answer: {0}")]
    #[failure(status = 503)]
    Unavailable(String),
}

#[derive(Deserialize)]
struct Made {
    id: String,
}

impl Payments {
    /// A sandbox that has charged nobody.
    #[must_use]
    pub fn sandbox() -> Self {
        Self::Sandbox(Mutex::default())
    }

    /// The gateway at `PAYMENTS_URL`, or a sandbox when that is not set.
    ///
    /// # Errors
    /// None today; `init` of a service may fail, so this may.
    pub fn from_env() -> Result<Self, PaymentError> {
        Ok(match env::var("PAYMENTS_URL") {
            Ok(url) => Self::Gateway { client: reqwest::Client::new(), url: format!("{url}/charges") },
            Err(_) => Self::sandbox(),
        })
    }

    /// Charges a card, once for each `key`. Answers the id of the charge.
    ///
    /// # Errors
    /// When the gateway declines, or cannot be reached: then nobody knows whether it charged, and the same key must be
    /// tried again.
    pub async fn charge(&self, charge: &Charge, key: &str, attempt: u32) -> Result<String, PaymentError> {
        if charge.card == "tok_unavailable_once" && attempt == 1 {
            return Err(PaymentError::Unavailable("this card fails once, as asked".to_owned()));
        }
        match self {
            Self::Gateway { client, url } => {
                let unavailable =
                    |error: reqwest::Error| PaymentError::Unavailable(error.without_url().to_string());
                let answer = client.post(url).header("idempotency-key", key).json(charge).send().await;
                let answer = answer.map_err(unavailable)?;
                match answer.status().as_u16() {
                    200..=299 => Ok(answer.json::<Made>().await.map_err(unavailable)?.id),
                    400..=499 => Err(PaymentError::Declined(answer.status().to_string())),
                    _ => Err(PaymentError::Unavailable(answer.status().to_string())),
                }
            }
            Self::Sandbox(charges) => {
                let mut charges = charges.lock().unwrap_or_else(PoisonError::into_inner);
                charges.entry(key.to_owned()).or_insert_with(|| charge.clone());
                Ok(format!("sandbox-{key}"))
            }
        }
    }

    /// The charges that a sandbox made, by their keys.
    #[must_use]
    pub fn charges(&self) -> Vec<String> {
        match self {
            Self::Gateway { .. } => Vec::new(),
            Self::Sandbox(charges) => {
                charges.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
            }
        }
    }
}
