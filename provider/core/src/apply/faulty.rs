//! The scripted cloud with one fault at one of its calls: the double for going through all calls and all faults.

use std::sync::Mutex;

use async_trait::async_trait;

use super::fake::Fake;
use crate::cloud::{Cloud, CloudError, Made, Observed, Owner, Ownership, OwnershipState, Trouble};
use crate::resource::Resource;
use crate::state::Recorded;

/// What happens at a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is refused, and nothing happened.
    Refused(Trouble),
    /// It took effect, and its answer got lost.
    Unanswered,
    /// It took effect, and the process was killed before the answer.
    Killed,
}

/// The cloud.
pub(crate) struct Faulty<'a> {
    inner: &'a Fake,
    fault: Option<(usize, Fault)>,
    calls: Mutex<usize>,
}

impl<'a> Faulty<'a> {
    /// With the fault at the call of that number, from 0.
    pub(crate) fn new(inner: &'a Fake, fault: Option<(usize, Fault)>) -> Self {
        Self { inner, fault, calls: Mutex::new(0) }
    }

    /// Calls until now.
    pub(crate) fn calls(&self) -> usize {
        *self.calls.lock().unwrap()
    }

    async fn pass<T>(
        &self,
        call: impl Future<Output = Result<T, CloudError>> + Send,
    ) -> Result<T, CloudError> {
        let number = {
            let mut calls = self.calls.lock().unwrap();
            *calls += 1;
            *calls - 1
        };
        let failed = |trouble| CloudError {
            trouble,
            operation: "call".to_owned(),
            code: format!("{trouble:?}"),
            message: format!("at call {number}"),
            request_id: String::new(),
        };
        match self.fault {
            Some((at, Fault::Killed)) if number > at => std::future::pending().await,
            Some((at, fault)) if number == at => match fault {
                Fault::Refused(trouble) => Err(failed(trouble)),
                Fault::Unanswered => {
                    let _ = call.await;
                    Err(failed(Trouble::Unreachable))
                }
                Fault::Killed => {
                    let _ = call.await;
                    std::future::pending().await
                }
            },
            _ => call.await,
        }
    }
}

#[async_trait]
impl Cloud for Faulty<'_> {
    async fn ensure(
        &self,
        owner: &Owner,
        resource: &Resource,
        recorded: Option<&Recorded>,
    ) -> Result<Made, CloudError> {
        self.pass(self.inner.ensure(owner, resource, recorded)).await
    }

    async fn delete(&self, owner: &Owner, recorded: &Recorded, verify: bool) -> Result<(), CloudError> {
        self.pass(self.inner.delete(owner, recorded, verify)).await
    }

    async fn describe(&self, owner: &Owner, recorded: &Recorded) -> Result<Option<Observed>, CloudError> {
        self.pass(self.inner.describe(owner, recorded)).await
    }

    async fn settle(&self, recorded: &Recorded) -> Result<(), CloudError> {
        self.pass(self.inner.settle(recorded)).await
    }

    async fn data(&self, recorded: &Recorded) -> Result<Option<String>, CloudError> {
        self.pass(self.inner.data(recorded)).await
    }

    async fn ownership(&self, bucket: &str) -> Result<OwnershipState, CloudError> {
        self.pass(self.inner.ownership(bucket)).await
    }

    async fn found(&self, bucket: &str) -> Result<(), CloudError> {
        self.pass(self.inner.found(bucket)).await
    }

    async fn claim(
        &self,
        bucket: &str,
        record: &Ownership,
        expected: Option<&str>,
    ) -> Result<String, CloudError> {
        self.pass(self.inner.claim(bucket, record, expected)).await
    }

    fn epoch_s(&self) -> u64 {
        self.inner.epoch_s()
    }

    fn now_ms(&self) -> u64 {
        self.inner.now_ms()
    }

    async fn sleep_ms(&self, milliseconds: u64) {
        self.inner.sleep_ms(milliseconds).await;
    }

    fn random(&self) -> u64 {
        self.inner.random()
    }
}
