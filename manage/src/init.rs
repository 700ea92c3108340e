//! A fresh table: its definition, the content types and Django's stock permissions.

use aws_sdk_dynamodb::{
    Client,
    types::{
        AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType,
        Projection, ProjectionType, ScalarAttributeType, TimeToLiveSpecification,
    },
};
use shared::{
    accounts::{self, Refused},
    domain::{
        Actor, Codename, ContentType, PermissionName,
        permission::{STOCK_ACTIONS, STOCK_MODELS},
    },
    store::{
        Store,
        keys::{GSI1, GSI1PK, GSI1SK, PK, SK, TTL},
    },
};

use crate::{CommandError, parsed};

/// Makes the table if it does not exist, with the template's definition.
///
/// # Errors
/// DynamoDB's.
pub async fn create_table(client: &Client, name: &str) -> Result<(), CommandError> {
    let failed =
        |error: String| CommandError::new(format!("cannot make the table {name}: {error}"));
    let tables = client
        .list_tables()
        .send()
        .await
        .map_err(|error| failed(describe(&error)))?;
    if tables.table_names().iter().any(|table| table == name) {
        return Ok(());
    }
    let mut request = client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(Some(key_schema(PK, SK)?))
        .global_secondary_indexes(
            GlobalSecondaryIndex::builder()
                .index_name(GSI1)
                .set_key_schema(Some(key_schema(GSI1PK, GSI1SK)?))
                .projection(
                    Projection::builder()
                        .projection_type(ProjectionType::KeysOnly)
                        .build(),
                )
                .build()
                .map_err(|error| failed(error.to_string()))?,
        );
    for name in [PK, SK, GSI1PK, GSI1SK] {
        let definition = AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S)
            .build()
            .map_err(|error| failed(error.to_string()))?;
        request = request.attribute_definitions(definition);
    }
    request
        .send()
        .await
        .map_err(|error| failed(describe(&error)))?;
    let ttl = TimeToLiveSpecification::builder()
        .attribute_name(TTL)
        .enabled(true)
        .build();
    client
        .update_time_to_live()
        .table_name(name)
        .time_to_live_specification(ttl.map_err(|error| failed(error.to_string()))?)
        .send()
        .await
        .map_err(|error| failed(describe(&error)))?;
    Ok(())
}

fn key_schema(partition: &str, sort: &str) -> Result<Vec<KeySchemaElement>, CommandError> {
    [(partition, KeyType::Hash), (sort, KeyType::Range)]
        .into_iter()
        .map(|(name, kind)| {
            KeySchemaElement::builder()
                .attribute_name(name)
                .key_type(kind)
                .build()
        })
        .collect::<Result<_, _>>()
        .map_err(|error| CommandError::new(error.to_string()))
}

fn describe(error: &(dyn std::error::Error + 'static)) -> String {
    aws_sdk_dynamodb::error::DisplayErrorContext(error).to_string()
}

/// Declares the models of `django.contrib.auth` and makes the permissions that Django makes for
/// them: `Can add user` and so on. A new table gets the current layout. A content type that is declared
/// is left alone, so that a permission that an admin deletes stays deleted.
///
/// # Errors
/// The table did not answer, or has a newer layout.
pub async fn stock(store: &Store) -> Result<(), CommandError> {
    store.begin_if_new().await?;
    store
        .refuse_newer_layout()
        .await
        .map_err(|error| CommandError::new(error.to_string()))?;
    for model in STOCK_MODELS {
        let content_type = ContentType {
            app_label: "auth".to_owned(),
            model: model.to_owned(),
        };
        if store.content_type_exists(&content_type).await? {
            continue;
        }
        for action in STOCK_ACTIONS {
            let name: PermissionName = parsed(&format!("Can {action} {model}"))?;
            let codename: Codename = parsed(&format!("{action}_{model}"))?;
            let content_type = content_type.clone();
            let actor = Actor::Setup;
            let made = accounts::permissions::create(store, actor, name, codename, content_type);
            match made.await {
                // A start that was cut off made it.
                Ok(_) | Err(Refused::Invalid(_)) => {}
                Err(refused) => return Err(refused.into()),
            }
        }
        // Declared last, so that a start that was cut off is made up for by the next.
        store.declare_content_type(&content_type).await?;
    }
    Ok(())
}
