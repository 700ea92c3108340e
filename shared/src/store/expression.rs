//! Writes in DynamoDB's expression language.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{AttributeValue, ConditionCheck, Delete, Put, TransactWriteItem, Update},
};

use super::{
    items::{Item, attributes, number},
    writes::{Action, Condition, Write},
};

impl Write {
    pub(super) fn to_transaction(&self, table: &str) -> Result<TransactWriteItem, BuildError> {
        let expression = self.expression();
        let item = TransactWriteItem::builder();
        Ok(match &self.action {
            Action::Put(attributes) => item.put(
                Put::builder()
                    .table_name(table)
                    .set_item(Some(attributes.clone()))
                    .set_condition_expression(expression.condition)
                    .set_expression_attribute_names(expression.names)
                    .set_expression_attribute_values(expression.values)
                    .build()?,
            ),
            Action::Update { key, .. } => item.update(
                Update::builder()
                    .table_name(table)
                    .set_key(Some(attributes(key)))
                    .set_update_expression(expression.update)
                    .set_condition_expression(expression.condition)
                    .set_expression_attribute_names(expression.names)
                    .set_expression_attribute_values(expression.values)
                    .build()?,
            ),
            Action::Delete(key) => item.delete(
                Delete::builder()
                    .table_name(table)
                    .set_key(Some(attributes(key)))
                    .set_condition_expression(expression.condition)
                    .set_expression_attribute_names(expression.names)
                    .set_expression_attribute_values(expression.values)
                    .build()?,
            ),
            Action::Check(key) => item.condition_check(
                ConditionCheck::builder()
                    .table_name(table)
                    .set_key(Some(attributes(key)))
                    .set_condition_expression(expression.condition)
                    .set_expression_attribute_names(expression.names)
                    .set_expression_attribute_values(expression.values)
                    .build()?,
            ),
        }
        .build())
    }

    /// The write in DynamoDB's expression language; every name and value has a placeholder.
    pub(super) fn expression(&self) -> Expression {
        let mut expression = Expression::default();
        let condition = match &self.condition {
            Condition::None => None,
            Condition::Absent => Some("attribute_not_exists(PK)".to_owned()),
            Condition::Exists => Some("attribute_exists(PK)".to_owned()),
            Condition::ExistsWithout(name) => Some(format!(
                "attribute_exists(PK) AND attribute_not_exists({})",
                expression.name(name)
            )),
            Condition::AllEqual(values) => {
                let equal = values.iter().map(|(name, value)| {
                    let (name, value) = (expression.name(name), expression.value(value.clone()));
                    format!("{name} = {value}")
                });
                Some(equal.collect::<Vec<_>>().join(" AND "))
            }
            Condition::Equals(name, value) => {
                let (name, value) = (expression.name(name), expression.value(value.clone()));
                Some(format!("{name} = {value}"))
            }
            Condition::Lacks(name) => {
                Some(format!("attribute_not_exists({})", expression.name(name)))
            }
            Condition::LacksBoth(one, other) => {
                let (one, other) = (expression.name(one), expression.name(other));
                Some(format!(
                    "attribute_not_exists({one}) AND attribute_not_exists({other})"
                ))
            }
            Condition::EqualsOrAbsent(name, value) => {
                let (name, value) = (expression.name(name), expression.value(value.clone()));
                // An update of what does not exist would make it.
                Some(format!(
                    "attribute_exists(PK) AND (attribute_not_exists({name}) OR {name} = {value})"
                ))
            }
            Condition::Below(name, value) => {
                let (name, value) = (expression.name(name), expression.value(value.clone()));
                Some(format!("attribute_not_exists({name}) OR {name} < {value}"))
            }
            Condition::Less(name, value) => {
                let (name, value) = (expression.name(name), expression.value(value.clone()));
                Some(format!("{name} < {value}"))
            }
            Condition::OthersIn(name) => {
                let (name, one) = (expression.name(name), expression.value(number(1)));
                Some(format!("size({name}) > {one}"))
            }
        };
        expression.condition = condition;
        if let Action::Update {
            set,
            remove,
            add_to,
            take_from,
            ..
        } = &self.action
        {
            let mut clauses = Vec::new();
            let assignments: Vec<String> = set
                .iter()
                .map(|(name, value)| {
                    format!(
                        "{} = {}",
                        expression.name(name),
                        expression.value(value.clone())
                    )
                })
                .collect();
            if !assignments.is_empty() {
                clauses.push(format!("SET {}", assignments.join(", ")));
            }
            let removals: Vec<String> = remove.iter().map(|name| expression.name(name)).collect();
            if !removals.is_empty() {
                clauses.push(format!("REMOVE {}", removals.join(", ")));
            }
            for (verb, change) in [("ADD", add_to), ("DELETE", take_from)] {
                if let Some((name, value)) = change {
                    let (name, value) = (expression.name(name), expression.value(value.clone()));
                    clauses.push(format!("{verb} {name} {value}"));
                }
            }
            expression.update = Some(clauses.join(" "));
        }
        expression
    }
}

/// A write in DynamoDB's expression language.
#[derive(Default)]
pub(super) struct Expression {
    pub(super) condition: Option<String>,
    pub(super) update: Option<String>,
    pub(super) names: Option<HashMap<String, String>>,
    pub(super) values: Option<Item>,
}

impl Expression {
    fn name(&mut self, name: &str) -> String {
        let names = self.names.get_or_insert_default();
        let placeholder = format!("#n{}", names.len());
        names.insert(placeholder.clone(), name.to_owned());
        placeholder
    }

    fn value(&mut self, value: AttributeValue) -> String {
        let values = self.values.get_or_insert_default();
        let placeholder = format!(":v{}", values.len());
        values.insert(placeholder.clone(), value);
        placeholder
    }
}
