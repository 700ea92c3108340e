//! Items of the table, and what they are read into and made of.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
};

use aws_sdk_dynamodb::types::AttributeValue;
use serde::de::{DeserializeOwned, IntoDeserializer, value::MapDeserializer};

use super::{
    StoreError,
    keys::{GSI1PK, GSI1SK, Key, PK, SK},
};

/// An item's attributes.
pub type Item = HashMap<String, AttributeValue>;

/// The key of an item.
pub fn key_of(item: &Item) -> Option<Key> {
    Some(Key {
        pk: item.get(PK)?.as_s().ok()?.clone(),
        sk: item.get(SK)?.as_s().ok()?.clone(),
    })
}

/// A key's attributes.
pub fn attributes(key: &Key) -> Item {
    HashMap::from([
        (PK.to_owned(), text(&key.pk)),
        (SK.to_owned(), text(&key.sk)),
    ])
}

/// A text attribute.
pub fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

/// A number attribute.
pub fn number(value: impl fmt::Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A number set attribute of one number.
pub fn number_set(value: impl fmt::Display) -> AttributeValue {
    AttributeValue::Ns(vec![value.to_string()])
}

/// A number attribute of an item, if it has one.
pub fn number_of(item: &Item, name: &str) -> Option<u64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

/// Reads an item; attributes that the type does not know are left alone.
///
/// # Errors
/// An attribute is missing or of another type, or of a kind that the SDK does not know.
pub fn from_item<T: DeserializeOwned>(item: Item) -> Result<T, StoreError> {
    // serde_dynamo panics at such a kind.
    if !item.values().all(is_known) {
        return Err(StoreError::new("item", "an attribute of an unknown kind"));
    }
    // serde_dynamo's own `from_item` builds two more maps of the item.
    let attributes = item
        .into_iter()
        .map(|(name, value)| (name, Attribute(value)));
    T::deserialize(MapDeserializer::new(attributes))
        .map_err(|error: serde_dynamo::Error| StoreError::new("item", error))
}

/// An attribute that serde_dynamo reads.
struct Attribute(AttributeValue);

impl IntoDeserializer<'_, serde_dynamo::Error> for Attribute {
    type Deserializer = serde_dynamo::Deserializer;

    fn into_deserializer(self) -> Self::Deserializer {
        serde_dynamo::Deserializer::from_attribute_value(self.0.into())
    }
}

fn is_known(value: &AttributeValue) -> bool {
    match value {
        AttributeValue::L(values) => values.iter().all(is_known),
        AttributeValue::M(values) => values.values().all(is_known),
        value => !value.is_unknown(),
    }
}

/// An item of a value, under its key.
pub fn to_item<T: serde::Serialize>(key: &Key, value: &T) -> Result<Item, StoreError> {
    let mut item: Item = serde_dynamo::aws_sdk_dynamodb_1::to_item(value)
        .map_err(|error| StoreError::new("item", error))?;
    item.extend(attributes(key));
    Ok(item)
}

/// Adds index keys to an item.
pub fn indexed(mut item: Item, index: &Key) -> Item {
    item.insert(GSI1PK.to_owned(), text(&index.pk));
    item.insert(GSI1SK.to_owned(), text(&index.sk));
    item
}

/// What an update has to name: the attributes that differ, and those that are gone.
pub fn difference(before: &Item, after: &Item) -> (Item, BTreeSet<String>) {
    let set = after
        .iter()
        .filter(|(name, value)| before.get(*name) != Some(value))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let removed = before
        .keys()
        .filter(|name| !after.contains_key(*name))
        .cloned()
        .collect();
    (set, removed)
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::{Client, primitives::Blob};
    use aws_smithy_runtime_api::{
        client::{
            http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
            orchestrator::{HttpRequest, HttpResponse},
        },
        http::StatusCode,
    };
    use aws_smithy_types::body::SdkBody;
    use serde_json::Value;

    use super::*;
    use crate::{
        aws::LocalEndpoint,
        domain::User,
        mail::Mail,
        store::{Table, connect_to, keys::Entity, sessions::Session},
    };

    /// What a table answers to every call.
    #[derive(Debug)]
    struct Answers(&'static str);

    impl HttpConnector for Answers {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            let status = StatusCode::try_from(200).unwrap();
            HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(self.0))))
        }
    }

    #[tokio::test]
    async fn an_attribute_of_a_kind_that_is_not_known_is_an_error_wherever_it_is() {
        for answer in [
            r#"{"Item": {"a": {"Z": "b"}}}"#,
            r#"{"Item": {"a": {"L": [{"S": "b"}, {"Z": "b"}]}}}"#,
            r#"{"Item": {"a": {"M": {"b": {"L": [{"Z": {"S": "c"}}]}}}}}"#,
        ] {
            let endpoint = LocalEndpoint {
                url: "http://127.0.0.1:1".to_owned(),
                access_key: "key".to_owned(),
            };
            let connector = SharedHttpConnector::new(Answers(answer));
            let config = connect_to(&endpoint).config().to_builder();
            let config = config.http_client(http_client_fn(move |_, _| connector.clone()));
            let table = Table::new(Client::from_conf(config.build()), "users");
            let read = table.get::<HashMap<String, Value>>(Entity::Schema.key());
            let error = read.await.unwrap_err().to_string();
            assert_eq!(error, "item: an attribute of an unknown kind", "{answer}");
        }
    }

    #[test]
    fn an_attribute_of_another_type_is_an_error() {
        for value in [
            text("x"),
            number("1e400"),
            number("x"),
            number(""),
            AttributeValue::Null(true),
            AttributeValue::Bool(true),
            AttributeValue::B(Blob::new([0xff])),
            AttributeValue::Bs(vec![Blob::new([0xff])]),
            AttributeValue::Ss(vec!["x".to_owned()]),
            AttributeValue::Ns(vec!["x".to_owned()]),
        ] {
            for name in ["id", "user_id", "created", "version", "group_ids", "extra"] {
                let item = Item::from([(name.to_owned(), value.clone())]);
                assert!(from_item::<User>(item.clone()).is_err());
                assert!(from_item::<Session>(item.clone()).is_err());
                assert!(from_item::<Mail>(item).is_err());
            }
        }
    }
}
