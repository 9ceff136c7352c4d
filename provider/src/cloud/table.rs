//! The engine table: keys, index, expiry and stream are the contract with the runtime.

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;
use aws_sdk_dynamodb::operation::update_table::builders::UpdateTableFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, ContinuousBackupsStatus, CreateGlobalSecondaryIndexAction,
    GlobalSecondaryIndex, GlobalSecondaryIndexUpdate, KeySchemaElement, KeyType,
    PointInTimeRecoverySpecification, PointInTimeRecoveryStatus, Projection, ProjectionType,
    ScalarAttributeType, Select, StreamSpecification, StreamViewType, TableDescription, TableStatus, Tag,
    TimeToLiveSpecification, TimeToLiveStatus,
};
use eventual_provider_core::cloud::{CloudError, Made, Observed, Owner, Trouble};
use eventual_provider_core::resource::{Resource, TableSpec};
use eventual_provider_core::state::Recorded;
use eventual_schema::deploy::table;

use super::tags::{self, Tags};
use super::{AwsCloud, LOOK, SETTLE, busy, foreign, gone, malformed, present};

fn sdk_tags(tags: &Tags) -> Result<Vec<Tag>, BuildError> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

fn key(name: &str, kind: KeyType) -> Result<KeySchemaElement, BuildError> {
    KeySchemaElement::builder().attribute_name(name).key_type(kind).build()
}

/// The request that makes the table.
fn creation(
    create: CreateTableFluentBuilder,
    name: &str,
    tags: &Tags,
) -> Result<CreateTableFluentBuilder, BuildError> {
    let mut create =
        create.table_name(name).billing_mode(BillingMode::PayPerRequest).set_tags(Some(sdk_tags(tags)?));
    for name in [table::PARTITION, table::SORT, table::INDEX_PARTITION, table::INDEX_SORT] {
        let definition = AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S)
            .build()?;
        create = create.attribute_definitions(definition);
    }
    let index = GlobalSecondaryIndex::builder()
        .index_name(table::INDEX)
        .key_schema(key(table::INDEX_PARTITION, KeyType::Hash)?)
        .key_schema(key(table::INDEX_SORT, KeyType::Range)?)
        .projection(Projection::builder().projection_type(ProjectionType::All).build())
        .build()?;
    let stream = StreamSpecification::builder()
        .stream_enabled(true)
        .stream_view_type(StreamViewType::NewImage)
        .build()?;
    Ok(create
        .key_schema(key(table::PARTITION, KeyType::Hash)?)
        .key_schema(key(table::SORT, KeyType::Range)?)
        .global_secondary_indexes(index)
        .stream_specification(stream))
}

/// How the table is paid for; AWS says nothing of the mode that was there first.
fn billing(table: &TableDescription) -> BillingMode {
    let mode = table.billing_mode_summary().and_then(|it| it.billing_mode());
    mode.cloned().unwrap_or(BillingMode::Provisioned)
}

/// What the table's stream shows, if it is on.
fn stream(table: &TableDescription) -> Option<StreamViewType> {
    let stream = table.stream_specification().filter(|it| it.stream_enabled())?;
    stream.stream_view_type().cloned()
}

fn has_index(table: &TableDescription) -> bool {
    table.global_secondary_indexes().iter().any(|it| it.index_name() == Some(table::INDEX))
}

fn streaming(on: bool) -> Result<StreamSpecification, CloudError> {
    let view = on.then_some(StreamViewType::NewImage);
    let specification = StreamSpecification::builder().stream_enabled(on).set_stream_view_type(view).build();
    specification.map_err(|error| malformed("dynamodb UpdateTable", error))
}

/// The change that adds the index.
fn added_index(mut update: UpdateTableFluentBuilder) -> Result<UpdateTableFluentBuilder, BuildError> {
    for name in [table::INDEX_PARTITION, table::INDEX_SORT] {
        let kind = ScalarAttributeType::S;
        let definition = AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build()?;
        update = update.attribute_definitions(definition);
    }
    let index = CreateGlobalSecondaryIndexAction::builder()
        .index_name(table::INDEX)
        .key_schema(key(table::INDEX_PARTITION, KeyType::Hash)?)
        .key_schema(key(table::INDEX_SORT, KeyType::Range)?)
        .projection(Projection::builder().projection_type(ProjectionType::All).build())
        .build()?;
    Ok(update.global_secondary_index_updates(GlobalSecondaryIndexUpdate::builder().create(index).build()))
}

impl AwsCloud {
    async fn table_tags(&self, arn: &str) -> Result<Tags, CloudError> {
        let list = self.dynamodb.list_tags_of_resource().resource_arn(arn);
        let answer = self.call("dynamodb ListTagsOfResource", list.send()).await?;
        Ok(answer.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect())
    }

    /// The tags of a table that may be gone. DynamoDB does not tell those tags from tags that one may not read.
    pub(super) async fn tags_of_table(&self, recorded: &Recorded) -> Result<Option<Tags>, CloudError> {
        match present(self.table_tags(&recorded.arn).await) {
            Err(error) if error.trouble == Trouble::Denied && self.table(&recorded.name).await?.is_none() => {
                Ok(None)
            }
            answer => answer,
        }
    }

    async fn table(&self, name: &str) -> Result<Option<TableDescription>, CloudError> {
        let describe = self.dynamodb.describe_table().table_name(name);
        Ok(present(self.call("dynamodb DescribeTable", describe.send()).await)?.and_then(|it| it.table))
    }

    pub(super) async fn ensure_table(
        &self,
        owner: &Owner,
        resource: &Resource,
        spec: &TableSpec,
        recorded: Option<&Recorded>,
    ) -> Result<Made, CloudError> {
        let name = &resource.name;
        let arn = resource.arn.clone().unwrap_or_default();
        let wanted = tags::wanted(owner, resource);
        if let Some(there) = self.table(name).await? {
            if there.table_status() == Some(&TableStatus::Deleting) {
                return Err(busy("dynamodb CreateTable", format!("the table {name} is being deleted")));
            }
            self.tag_table(owner, &arn, &wanted, recorded.is_none()).await?;
            self.repair_table(name).await?;
        } else {
            let create = creation(self.dynamodb.create_table(), name, &wanted);
            let create = create.map_err(|error| malformed("dynamodb CreateTable", error))?;
            self.call("dynamodb CreateTable", create.send()).await?;
        }
        let table = self.active_table(name).await?;
        self.expire(name).await?;
        self.back_up(name, spec.point_in_time_recovery).await?;
        let stream = table.latest_stream_arn().unwrap_or_default().to_owned();
        Ok(Made { arn, attributes: [("stream_arn".to_owned(), stream)].into() })
    }

    /// Brings billing, stream, index and protection of a table that is there to what they should be. AWS takes one kind of
    /// change at a time, and only of an active table.
    async fn repair_table(&self, name: &str) -> Result<(), CloudError> {
        let table = self.active_table(name).await?;
        let update = || self.dynamodb.update_table().table_name(name);
        if billing(&table) != BillingMode::PayPerRequest {
            self.update_table(name, update().billing_mode(BillingMode::PayPerRequest)).await?;
        }
        let view = stream(&table);
        if view.as_ref().is_some_and(|view| *view != StreamViewType::NewImage) {
            self.update_table(name, update().stream_specification(streaming(false)?)).await?;
        }
        if view != Some(StreamViewType::NewImage) {
            self.update_table(name, update().stream_specification(streaming(true)?)).await?;
        }
        if !has_index(&table) {
            let add = added_index(update()).map_err(|error| malformed("dynamodb UpdateTable", error))?;
            self.update_table(name, add).await?;
        }
        if table.deletion_protection_enabled() == Some(true) {
            self.update_table(name, update().deletion_protection_enabled(false)).await?;
        }
        Ok(())
    }

    async fn update_table(&self, name: &str, update: UpdateTableFluentBuilder) -> Result<(), CloudError> {
        self.call("dynamodb UpdateTable", update.send()).await?;
        self.active_table(name).await.map(|_| ())
    }

    async fn active_table(&self, name: &str) -> Result<TableDescription, CloudError> {
        let began = tokio::time::Instant::now();
        loop {
            match self.table(name).await? {
                Some(table) if table.table_status() == Some(&TableStatus::Active) => return Ok(table),
                _ if began.elapsed() < SETTLE => tokio::time::sleep(LOOK).await,
                _ => {
                    return Err(busy(
                        "dynamodb DescribeTable",
                        format!("the table {name} is not active yet"),
                    ));
                }
            }
        }
    }

    async fn tag_table(
        &self,
        owner: &Owner,
        arn: &str,
        wanted: &Tags,
        adopting: bool,
    ) -> Result<(), CloudError> {
        let there = self.table_tags(arn).await?;
        if adopting && !tags::ours(owner, &there) {
            return Err(foreign("dynamodb CreateTable", arn));
        }
        let (set, remove) = tags::difference(&there, wanted);
        if !set.is_empty() {
            let set = sdk_tags(&set).map_err(|error| malformed("dynamodb TagResource", error))?;
            let tag = self.dynamodb.tag_resource().resource_arn(arn).set_tags(Some(set));
            self.call("dynamodb TagResource", tag.send()).await?;
        }
        if !remove.is_empty() {
            let untag = self.dynamodb.untag_resource().resource_arn(arn).set_tag_keys(Some(remove));
            self.call("dynamodb UntagResource", untag.send()).await?;
        }
        Ok(())
    }

    /// Lets items expire. AWS refuses to switch on what is on, and a second change too soon.
    async fn expire(&self, name: &str) -> Result<(), CloudError> {
        let by = self.time_to_live(name).await?;
        if by == table::EXPIRES {
            return Ok(());
        }
        // Another attribute has to be switched off first, and then AWS wants to be left alone for up to an hour.
        let specification = TimeToLiveSpecification::builder()
            .enabled(by.is_empty())
            .attribute_name(if by.is_empty() { table::EXPIRES } else { &by })
            .build();
        let specification = specification.map_err(|error| malformed("dynamodb UpdateTimeToLive", error))?;
        let update =
            self.dynamodb.update_time_to_live().table_name(name).time_to_live_specification(specification);
        match self.call("dynamodb UpdateTimeToLive", update.send()).await {
            Err(error) if error.message.contains("already enabled") => Ok(()),
            Ok(_) if !by.is_empty() => Err(busy(
                "dynamodb UpdateTimeToLive",
                format!("items of {name} expired by {by}, which was just switched off"),
            )),
            answer => answer.map(|_| ()),
        }
    }

    /// The attribute that says when an item expires; empty when none does.
    async fn time_to_live(&self, name: &str) -> Result<String, CloudError> {
        let describe = self.dynamodb.describe_time_to_live().table_name(name);
        let answer = self.call("dynamodb DescribeTimeToLive", describe.send()).await?;
        let description = answer.time_to_live_description();
        let on = description
            .and_then(|it| it.time_to_live_status())
            .is_some_and(|it| matches!(it, TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling));
        let attribute = description.and_then(|it| it.attribute_name()).filter(|_| on);
        Ok(attribute.unwrap_or_default().to_owned())
    }

    /// Whether the backups of a table are on, and whether that can be changed by now.
    async fn backups(&self, name: &str) -> Result<(bool, bool), CloudError> {
        let describe = self.dynamodb.describe_continuous_backups().table_name(name);
        let answer = self.call("dynamodb DescribeContinuousBackups", describe.send()).await?;
        let description = answer.continuous_backups_description();
        let ready =
            description.is_some_and(|it| *it.continuous_backups_status() == ContinuousBackupsStatus::Enabled);
        let status = description
            .and_then(|it| it.point_in_time_recovery_description())
            .and_then(|it| it.point_in_time_recovery_status());
        Ok((status == Some(&PointInTimeRecoveryStatus::Enabled), ready))
    }

    async fn back_up(&self, name: &str, wanted: bool) -> Result<(), CloudError> {
        let (on, ready) = self.backups(name).await?;
        if ready && on == wanted {
            return Ok(());
        }
        let specification =
            PointInTimeRecoverySpecification::builder().point_in_time_recovery_enabled(wanted).build();
        let specification =
            specification.map_err(|error| malformed("dynamodb UpdateContinuousBackups", error))?;
        let update = self
            .dynamodb
            .update_continuous_backups()
            .table_name(name)
            .point_in_time_recovery_specification(specification);
        self.call("dynamodb UpdateContinuousBackups", update.send()).await.map(|_| ())
    }

    pub(super) async fn delete_table(&self, recorded: &Recorded) -> Result<(), CloudError> {
        let table = self.table(&recorded.name).await?;
        if table.is_none_or(|table| table.table_status() == Some(&TableStatus::Deleting)) {
            return Ok(());
        }
        gone(
            self.call("dynamodb DeleteTable", self.dynamodb.delete_table().table_name(&recorded.name).send())
                .await,
        )
    }

    pub(super) async fn describe_table(&self, recorded: &Recorded) -> Result<Option<Observed>, CloudError> {
        let Some(table) = self.table(&recorded.name).await? else { return Ok(None) };
        if table.table_status() == Some(&TableStatus::Deleting) {
            return Ok(None);
        }
        let name = &recorded.name;
        let view = stream(&table);
        let tags = self.tags_of_table(recorded).await?.unwrap_or_default();
        let mut seen = Observed::of([
            ("billing", billing(&table).as_str().to_owned()),
            ("stream", view.as_ref().map_or("", |it| it.as_str()).to_owned()),
            ("index", if has_index(&table) { table::INDEX } else { "" }.to_owned()),
            ("time_to_live", self.time_to_live(name).await?),
            ("point_in_time_recovery", self.backups(name).await?.0.to_string()),
            ("deletion_protection", (table.deletion_protection_enabled() == Some(true)).to_string()),
            ("tags", tags::digest(&tags)),
        ]);
        // A stream that was switched off keeps its ARN, and gives nothing any more.
        let arn = view.and(table.latest_stream_arn()).unwrap_or_default().to_owned();
        seen.attributes.insert("stream_arn".to_owned(), arn);
        Ok(Some(seen))
    }

    /// One item is enough to know that there is data.
    pub(super) async fn table_data(&self, recorded: &Recorded) -> Result<Option<String>, CloudError> {
        let scan = self.dynamodb.scan().table_name(&recorded.name).limit(1).select(Select::Count);
        let answer = present(self.call("dynamodb Scan", scan.send()).await)?;
        Ok(answer.filter(|it| it.count() > 0).map(|_| "executions and their histories".to_owned()))
    }
}
