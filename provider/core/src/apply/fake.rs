//! A cloud in memory with scripted failures: the double of the port in the core's own tests. It has no idea of AWS.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use async_trait::async_trait;

use crate::cloud::{
    Cloud, CloudError, Made, Observed, Owner, Ownership, OwnershipRead, OwnershipState, Trouble,
};
use crate::resource::settings::Settings;
use crate::resource::{Kind, Resource, Spec};
use crate::state::Recorded;

#[derive(Default)]
struct Inside {
    now_ms: u64,
    random: u64,
    /// Owner of what exists, by kind and name.
    there: BTreeMap<(Kind, String), String>,
    /// How it is, as far as that was said.
    settings: BTreeMap<(Kind, String), Settings>,
    record: Option<(Ownership, u64)>,
    bucket: bool,
    /// Troubles that operations on a key (or name) meet next.
    script: BTreeMap<String, Vec<Trouble>>,
    /// Calls that changed something, in order.
    writes: Vec<String>,
    data: BTreeSet<Kind>,
    /// After so many writes nothing answers any more, as if the process were killed there.
    dies_after: Option<usize>,
}

/// Under which name it is there: permissions are named within their function.
fn named(recorded: &Recorded) -> (Kind, String) {
    let name = match recorded.kind {
        Kind::Permission => format!("{} {}", recorded.attribute("function"), recorded.name),
        _ => recorded.name.clone(),
    };
    (recorded.kind, name)
}

/// The cloud.
#[derive(Default)]
pub(crate) struct Fake(Mutex<Inside>);

fn error(trouble: Trouble, operation: &str) -> CloudError {
    CloudError {
        trouble,
        operation: operation.to_owned(),
        code: format!("{trouble:?}"),
        message: "as the script says".to_owned(),
        request_id: "r-1".to_owned(),
    }
}

impl Fake {
    fn with<T>(&self, look: impl FnOnce(&mut Inside) -> T) -> T {
        look(&mut self.0.lock().unwrap())
    }

    /// The next operations on `key` meet these troubles.
    pub(crate) fn script(&self, key: &str, troubles: &[Trouble]) {
        self.with(|it| it.script.insert(key.to_owned(), troubles.iter().rev().copied().collect()));
    }

    /// Somebody else's resource.
    pub(crate) fn foreign(&self, kind: Kind, name: &str) {
        self.with(|it| it.there.insert((kind, name.to_owned()), "somebody".to_owned()));
    }

    pub(crate) fn remove(&self, kind: Kind, name: &str) {
        self.with(|it| it.there.remove(&(kind, name.to_owned())));
    }

    /// Somebody changes a setting of the recorded child.
    pub(crate) fn tamper(&self, recorded: &Recorded, setting: &str) {
        self.with(|it| {
            let settings = it.settings.get_mut(&named(recorded)).unwrap();
            settings.get_mut(setting).unwrap().push_str(" and more");
        });
    }

    /// The settings of the recorded child.
    pub(crate) fn settings(&self, recorded: &Recorded) -> Settings {
        self.with(|it| it.settings[&named(recorded)].clone())
    }

    pub(crate) fn holds_data(&self, kind: Kind) {
        self.with(|it| it.data.insert(kind));
    }

    pub(crate) fn dies_after(&self, writes: Option<usize>) {
        self.with(|it| it.dies_after = writes.map(|more| it.writes.len() + more));
    }

    /// Calls that changed something since the last time.
    pub(crate) fn writes(&self) -> Vec<String> {
        self.with(|it| std::mem::take(&mut it.writes))
    }

    pub(crate) fn count(&self) -> usize {
        self.with(|it| it.there.len())
    }

    /// Kind and name of everything that is there.
    pub(crate) fn names(&self) -> Vec<(Kind, String)> {
        self.with(|it| it.there.keys().cloned().collect())
    }

    /// How many different owners there are.
    pub(crate) fn owners(&self) -> usize {
        self.with(|it| it.there.values().collect::<BTreeSet<_>>().len())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.with(|it| it.there.is_empty() && it.record.is_none() && !it.bucket)
    }

    /// Notes a write; never returns once this process is dead.
    async fn write(&self, what: String) {
        let dead = self.with(|it| {
            let dead = it.dies_after.is_some_and(|after| it.writes.len() >= after);
            if !dead {
                it.writes.push(what);
            }
            dead
        });
        if dead {
            std::future::pending::<()>().await;
        }
    }

    fn scripted(&self, key: &str) -> Option<Trouble> {
        self.with(|it| it.script.get_mut(key).and_then(Vec::pop))
    }
}

#[async_trait]
impl Cloud for Fake {
    async fn ensure(
        &self,
        owner: &Owner,
        resource: &Resource,
        recorded: Option<&Recorded>,
    ) -> Result<Made, CloudError> {
        if let Some(trouble) = self.scripted(&resource.key) {
            return Err(error(trouble, "ensure"));
        }
        let name = match &resource.spec {
            Spec::Permission(spec) => (Kind::Permission, format!("{} {}", spec.function, resource.name)),
            spec => (spec.kind(), resource.name.clone()),
        };
        let there = self.with(|it| it.there.get(&name).cloned());
        if there.is_some_and(|there| there != owner.id) {
            return Err(error(Trouble::Foreign, "ensure"));
        }
        self.write(format!("{} {}", if recorded.is_some() { "update" } else { "create" }, resource.key))
            .await;
        if let Some(before) = recorded {
            self.with(|it| it.there.remove(&named(before)));
        }
        let function = name.1.split(' ').next().unwrap_or_default().to_owned();
        self.with(|it| it.settings.insert(name.clone(), resource.settings(&owner.id)));
        self.with(|it| it.there.insert(name, owner.id.clone()));
        let attributes = ["url", "api_id", "stream_arn", "uuid"]
            .map(|name| (name.to_owned(), format!("{name} of {}", resource.key)));
        let mut attributes = BTreeMap::from(attributes);
        attributes.insert("function".to_owned(), function);
        if let Spec::Api(spec) = &resource.spec {
            let ids =
                spec.authorizers.keys().map(|name| (format!("authorizer/{name}"), format!("id of {name}")));
            attributes.extend(ids);
        }
        Ok(Made { arn: format!("arn of {}", resource.key), attributes })
    }

    async fn delete(&self, owner: &Owner, recorded: &Recorded, verify: bool) -> Result<(), CloudError> {
        if let Some(trouble) = self.scripted(&recorded.name) {
            return Err(error(trouble, "delete"));
        }
        let name = named(recorded);
        let there = self.with(|it| it.there.get(&name).cloned());
        if verify && there.is_some_and(|there| there != owner.id) {
            return Ok(());
        }
        self.write(format!("delete {} {}", recorded.kind, recorded.name)).await;
        self.with(|it| {
            it.there.remove(&name);
            // What lies in a function begins with its name; there is one API.
            it.there.retain(|(kind, inside), _| {
                kind.vanishes_with() != Some(recorded.kind)
                    || (*kind != Kind::Route && inside.split(' ').next() != Some(recorded.name.as_str()))
            });
            if recorded.kind == Kind::Bucket {
                it.record = None;
                it.bucket = false;
            }
        });
        Ok(())
    }

    async fn describe(&self, _owner: &Owner, recorded: &Recorded) -> Result<Option<Observed>, CloudError> {
        let name = named(recorded);
        Ok(self.with(|it| {
            let settings = it.settings.get(&name).cloned().unwrap_or_default();
            it.there.contains_key(&name).then(|| Observed { settings, ..Observed::default() })
        }))
    }

    async fn settle(&self, _recorded: &Recorded) -> Result<(), CloudError> {
        Ok(())
    }

    async fn data(&self, recorded: &Recorded) -> Result<Option<String>, CloudError> {
        Ok(self.with(|it| it.data.contains(&recorded.kind)).then(|| "something dear".to_owned()))
    }

    async fn ownership(&self, _bucket: &str) -> Result<OwnershipState, CloudError> {
        if let Some(trouble) = self.scripted("ownership") {
            return Err(error(trouble, "ownership"));
        }
        Ok(self.with(|it| match (&it.record, it.bucket) {
            (_, false) => OwnershipState::NoBucket,
            (None, true) => OwnershipState::NoRecord { empty: true },
            (Some((record, mark)), true) => {
                OwnershipState::Found(OwnershipRead { record: record.clone(), mark: mark.to_string() })
            }
        }))
    }

    async fn found(&self, bucket: &str) -> Result<(), CloudError> {
        if let Some(trouble) = self.scripted("found") {
            return Err(error(trouble, "found"));
        }
        self.write("found".to_owned()).await;
        self.with(|it| it.bucket = true);
        let _ = bucket;
        Ok(())
    }

    async fn claim(
        &self,
        _bucket: &str,
        record: &Ownership,
        expected: Option<&str>,
    ) -> Result<String, CloudError> {
        let step = format!("claim {:?}", record.progress);
        if let Some(trouble) = self.scripted(&step) {
            return Err(error(trouble, "claim"));
        }
        self.write(step.clone()).await;
        let mark = self.with(|it| {
            let mark = it.record.as_ref().map(|(_, mark)| mark.to_string());
            if mark.as_deref() != expected {
                return Err(error(Trouble::Lost, "claim"));
            }
            let next = it.record.as_ref().map_or(0, |(_, mark)| *mark) + 1;
            it.record = Some((record.clone(), next));
            Ok(next.to_string())
        })?;
        // It is written, and its answer gets lost.
        self.scripted(&format!("answer to {step}")).map_or(Ok(mark), |trouble| Err(error(trouble, "claim")))
    }

    fn epoch_s(&self) -> u64 {
        1_767_225_599
    }

    fn now_ms(&self) -> u64 {
        self.with(|it| it.now_ms)
    }

    /// Time passes as fast as somebody waits, except that the sign of life does not drive it.
    async fn sleep_ms(&self, milliseconds: u64) {
        if milliseconds == 2500 {
            return std::future::pending().await;
        }
        self.with(|it| it.now_ms += milliseconds);
    }

    fn random(&self) -> u64 {
        self.with(|it| {
            it.random += 1;
            it.random
        })
    }
}
