//! Schedules that stand in the code: they exist with the deployment.
//!
//! A host says at its start which there are. Those that are not there yet are made then, and those that changed are told
//! so; and whenever a schedule that was declared wakes, it is compared with the code that runs, so that one that was
//! changed or removed never starts what it no longer says.

use std::collections::BTreeMap;

use eventual_core::{Attribute, Fact};
use eventual_schema::digest::short_hash;
use eventual_schema::{Schedule, ScheduleSpec};

use super::client::command_fact;
use super::command::ScheduleCommand;
use super::describe::ScheduleState;
use super::timetable::Timetable;
use super::{DECLARED, STATE, WORKFLOW};
use crate::client::ClientError;
use crate::engine::Engine;
use crate::ports::Meta;

/// Digits of the hash by which a changed declaration is told.
const HASH_DIGITS: usize = 16;

/// What the code declares, by the schedule's name, with its hash.
pub(crate) type Declared = BTreeMap<String, (ScheduleSpec, String)>;

/// Whether a declaration can be kept, told when the service is built.
///
/// # Errors
/// When a name, a time or a time zone is none.
pub fn check(schedule: &Schedule) -> Result<(), String> {
    super::id_of(&schedule.name).map_err(|error| error.to_string())?;
    Timetable::new(&schedule.name, &schedule.spec).map(drop)
}

fn hash_of(spec: &ScheduleSpec) -> String {
    short_hash(&[&serde_json::to_string(spec).unwrap_or_default()], HASH_DIGITS)
}

impl Engine {
    /// Says which schedules the code declares, and makes them so. The host of whatever takes turns does it when it starts.
    /// Costs one read each.
    ///
    /// # Errors
    /// When the world fails, or a declaration is none.
    pub async fn declare(&self, schedules: &[Schedule]) -> Result<(), ClientError> {
        let declared: Declared =
            schedules.iter().map(|it| (it.name.clone(), (it.spec.clone(), hash_of(&it.spec)))).collect();
        let declared = self.declared.get_or_init(|| declared);
        let client = self.client.schedules();
        for (name, (spec, hash)) in declared {
            let there = client.there_is(name).await?;
            let current = there.as_ref().and_then(|it| it.attributes.get(DECLARED));
            if current != Some(&Attribute::from(hash)) {
                client.keep(name, spec.clone(), Some(hash.clone())).await?;
            }
        }
        Ok(())
    }

    /// Adds to what a schedule learns that the code declares it otherwise, or no more.
    pub(crate) fn tell_declared(&self, meta: &Meta, facts: &mut Vec<Fact>) {
        if meta.id.workflow() != WORKFLOW {
            return;
        }
        let (Some(declared), Some(Attribute::Text(known))) =
            (self.declared.get(), meta.attributes.get(DECLARED))
        else {
            return;
        };
        if meta.attributes.get(STATE) == Some(&ScheduleState::Deleted.as_str().into()) {
            return;
        }
        let command = match declared.get(meta.id.name()) {
            Some((_, hash)) if hash == known => return,
            Some((spec, hash)) => {
                ScheduleCommand::Put { spec: Box::new(spec.clone()), declared: Some(hash.clone()) }
            }
            None => ScheduleCommand::Delete,
        };
        match command_fact(self.client.unique(), &command) {
            Ok(fact) => facts.insert(0, fact),
            Err(error) => tracing::error!(execution = %meta.id, %error, "a changed declaration is not kept"),
        }
    }
}
