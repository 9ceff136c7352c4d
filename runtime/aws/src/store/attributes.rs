//! Attributes of executions, where they are looked up: an item of its own for each, which says in the index that this
//! execution has this value. An attribute that nobody sets has no item.
//!
//! What an execution's attributes are is in its meta; the items only find candidates. They are written before the meta,
//! so that an execution whose meta has an attribute is found by it, and each says as of which turn it is, so that a
//! process which stood still overwrites nothing newer.

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use eventual_core::{Attribute, ExecutionId};
use eventual_engine::ports::{Fault, Meta};
use eventual_schema::deploy::table;
use futures_util::{TryStreamExt, stream};

use super::item::{self, attribute_key, number, text};
use super::status::refused;
use super::{DynamoStore, now_s};
use crate::fault;

/// Items that are written at the same time.
const WRITES: usize = 8;
/// How long the place of an attribute that was removed refuses writers that are behind.
const REMOVED_S: u64 = 86_400;

impl DynamoStore {
    /// Writes the items of the attributes `changed`, then the meta.
    pub(super) async fn write_attributes(&self, meta: &Meta, changed: &[String]) -> Result<(), Fault> {
        stream::iter(changed.iter().map(Ok))
            .try_for_each_concurrent(WRITES, |name| self.write_attribute(meta, name))
            .await?;
        self.write_status(meta).await
    }

    async fn write_attribute(&self, meta: &Meta, name: &str) -> Result<(), Fault> {
        let request = self.attribute_update(&meta.id, name);
        let request = match meta.attributes.get(name) {
            Some(value) => found_by(request, meta, name, value),
            None => request
                .update_expression("SET #asof = :asof, #expires = :expires REMOVE #listed, #started")
                .expression_attribute_names("#listed", table::INDEX_PARTITION)
                .expression_attribute_names("#started", table::INDEX_SORT)
                .expression_attribute_values(":expires", number(now_s() + REMOVED_S)),
        };
        let answer = request
            .condition_expression("attribute_not_exists(#asof) OR #asof < :asof OR #expires < :now")
            .expression_attribute_names("#asof", item::AS_OF)
            .expression_attribute_values(":asof", number(meta.as_of))
            .expression_attribute_values(":now", number(now_s()))
            .send()
            .await;
        match answer {
            Ok(_) => Ok(()),
            // This turn's or a later one's is there.
            Err(error) if refused(error.as_service_error()) => Ok(()),
            Err(error) => {
                Err(fault::aws(format!("dynamodb UpdateItem attribute {name} of {}", meta.id), &error))
            }
        }
    }

    fn attribute_update(&self, id: &ExecutionId, name: &str) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key(table::PARTITION, text(id.as_str()))
            .key(table::SORT, text(attribute_key(name)))
            .expression_attribute_names("#expires", table::EXPIRES)
    }

    /// Writes `expires` (seconds since 1970) on the items of the attributes of an execution that ends.
    pub(super) async fn expire_attributes(&self, meta: &Meta, expires: u64) -> Result<(), Fault> {
        stream::iter(meta.attributes.keys().map(Ok))
            .try_for_each_concurrent(WRITES, |name| async move {
                self.expire_item(&meta.id, &attribute_key(name), expires).await
            })
            .await
    }
}

fn found_by(
    request: UpdateItemFluentBuilder,
    meta: &Meta,
    name: &str,
    value: &Attribute,
) -> UpdateItemFluentBuilder {
    request
        .update_expression("SET #listed = :listed, #started = :started, #asof = :asof REMOVE #expires")
        .expression_attribute_names("#listed", table::INDEX_PARTITION)
        .expression_attribute_names("#started", table::INDEX_SORT)
        .expression_attribute_values(":listed", text(item::listed_by(&meta.id, name, value)))
        .expression_attribute_values(":started", text(item::place_of(meta)))
}
