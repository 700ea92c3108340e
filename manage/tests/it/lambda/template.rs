//! `template.yaml`, as far as the tests look at it.

use std::collections::{BTreeMap, BTreeSet};

use serde_yaml_ng::Value;

/// The template at the top of the repository.
pub struct Template(Value);

/// A statement of a function's role, with CloudFormation's references as names: the ARN of
/// `Table` is `Table`, that of its index `Table/index/GSI1`.
#[derive(Debug)]
pub struct Statement {
    pub actions: BTreeSet<String>,
    pub resource: String,
    /// The patterns of `dynamodb:LeadingKeys`, if there is that condition.
    pub leading_keys: Option<BTreeSet<String>>,
    /// The patterns that no key may match.
    pub not_leading_keys: Option<BTreeSet<String>>,
}

impl Template {
    pub fn read() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml");
        let text = std::fs::read_to_string(path).expect("a template");
        Self(serde_yaml_ng::from_str(&text).expect("YAML"))
    }

    /// A function's resource, by the name of its crate.
    pub fn function(&self, name: &str) -> &Value {
        let is_its = |resource: &&Value| {
            resource["Type"] == "AWS::Serverless::Function"
                && resource["Metadata"]["BuildProperties"]["Binary"] == name
        };
        let resources = self.0["Resources"].as_mapping().expect("resources");
        let function = resources.values().find(is_its).expect("a function");
        &function["Properties"]
    }

    /// The crates that are functions of every deployment.
    pub fn functions(&self) -> BTreeSet<String> {
        let resources = self.0["Resources"].as_mapping().expect("resources");
        let binary = |resource: &Value| {
            let binary = &resource["Metadata"]["BuildProperties"]["Binary"];
            binary.as_str().map(str::to_owned)
        };
        let always = resources.values().filter(|one| one["Condition"].is_null());
        always.filter_map(binary).collect()
    }

    /// The statements of a function's role.
    pub fn statements(&self, function: &str) -> Vec<Statement> {
        let policies = self.function(function)["Policies"].as_sequence();
        let statements = |policy: &Value| policy["Statement"].as_sequence().cloned();
        policies
            .expect("policies")
            .iter()
            .flat_map(|policy| statements(policy).expect("statements"))
            .map(|statement| Statement::read(&statement))
            .collect()
    }

    /// The statements of a policy of its own that a function's role has where its condition holds.
    pub fn attached(&self, policy: &str, function: &str) -> Vec<Value> {
        let policy = &self.0["Resources"][policy]["Properties"];
        let roles = format!("{:?}", policy["Roles"]).to_lowercase();
        assert!(
            roles.contains(&format!("{function}functionrole")),
            "{roles}"
        );
        let statements = policy["PolicyDocument"]["Statement"].as_sequence();
        statements.expect("statements").clone()
    }

    /// A function's variables as an untouched deployment sets them: of those that refer to a
    /// parameter, its default.
    pub fn variables(&self, function: &str) -> BTreeMap<String, String> {
        let of_all = &self.0["Globals"]["Function"]["Environment"]["Variables"];
        let own = &self.function(function)["Environment"]["Variables"];
        let both = [of_all, own].into_iter().filter_map(Value::as_mapping);
        // Of no use to a function, but to the publication of versions.
        let used = both.flatten().filter(|(name, _)| *name != "PARAMETERS");
        let pair = |(name, value): (&Value, &Value)| (text(name), self.value(value));
        used.map(pair).collect()
    }

    fn value(&self, value: &Value) -> String {
        match value {
            Value::Tagged(tagged) if tagged.tag == "If" => self.value(self.branch(&tagged.value)),
            Value::Tagged(tagged) => {
                let name = text(&tagged.value);
                match &self.0["Parameters"][name.as_str()]["Default"] {
                    Value::Null => name,
                    default => self.value(default),
                }
            }
            Value::Number(number) => number.to_string(),
            value => text(value),
        }
    }

    /// The branch of an `If` that an untouched deployment takes.
    fn branch<'a>(&self, branches: &'a Value) -> &'a Value {
        if self.holds(&self.0["Conditions"][&branches[0]]) {
            &branches[1]
        } else {
            &branches[2]
        }
    }

    /// Whether a condition holds in an untouched deployment: one of `Equals` and `Not`.
    fn holds(&self, condition: &Value) -> bool {
        let Value::Tagged(tagged) = condition else {
            panic!("no condition: {condition:?}")
        };
        match tagged.tag.to_string().as_str() {
            "!Not" => !self.holds(&tagged.value[0]),
            "!Equals" => self.value(&tagged.value[0]) == self.value(&tagged.value[1]),
            other => panic!("{other}"),
        }
    }

    /// The routes that have limits of their own, each with the parameter that sets them.
    pub fn limits(&self) -> BTreeMap<String, String> {
        let limits = self.0["Resources"]["Api"]["Properties"]["RouteSettings"].as_mapping();
        let parameter = |settings: &Value| match &settings["ThrottlingRateLimit"] {
            Value::Tagged(tagged) => text(&tagged.value),
            other => panic!("no parameter: {other:?}"),
        };
        let limits = limits.expect("limits").iter();
        limits
            .map(|(route, one)| (text(route), parameter(one)))
            .collect()
    }

    /// Path and method of each of a function's routes.
    pub fn routes(&self, function: &str) -> BTreeSet<(String, String)> {
        let events = self.function(function)["Events"].as_mapping();
        let route = |event: &Value| {
            let properties = &event["Properties"];
            (text(&properties["Path"]), text(&properties["Method"]))
        };
        events.expect("events").values().map(route).collect()
    }
}

impl Statement {
    /// The patterns of the keys that it is limited to.
    pub fn keys(&self) -> &BTreeSet<String> {
        let keys = self.leading_keys.as_ref();
        keys.expect("a condition on the keys")
    }

    fn read(statement: &Value) -> Self {
        assert_eq!(statement["Effect"], "Allow", "{statement:?}");
        assert!(statement.get("NotAction").is_none() && statement.get("NotResource").is_none());
        let condition = statement.get("Condition");
        let patterns = |operator: &str| {
            let keys = condition?.get(operator)?;
            Some(texts(&keys["dynamodb:LeadingKeys"]))
        };
        let (leading_keys, not_leading_keys) = (
            patterns("ForAllValues:StringLike"),
            patterns("ForAllValues:StringNotLike"),
        );
        if let Some(condition) = condition {
            assert_eq!(condition.as_mapping().map(|all| all.len()), Some(1));
            assert!(leading_keys.is_some() || not_leading_keys.is_some());
        }
        Self {
            actions: texts(&statement["Action"]),
            resource: resource(&statement["Resource"]),
            leading_keys,
            not_leading_keys,
        }
    }
}

fn resource(value: &Value) -> String {
    let Value::Tagged(tagged) = value else {
        panic!("not a reference to one resource: {value:?}")
    };
    if tagged.tag == "If" {
        // What the stack creates, or what exists.
        return resource(&tagged.value[1]);
    }
    let name = text(&tagged.value);
    match tagged.tag.to_string().as_str() {
        "!GetAtt" => {
            let arn = name
                .strip_suffix(".Arn")
                .or_else(|| name.strip_suffix(".Id"));
            arn.expect("an ARN").to_owned()
        }
        "!Ref" => name,
        "!Sub" => name.replace("${Table.Arn}", "Table"),
        other => panic!("{other}"),
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn texts(value: &Value) -> BTreeSet<String> {
    let list = value.as_sequence().expect("a list");
    list.iter().map(text).collect()
}
