//! The recorded scenarios as they are on disk.
//!
//! A step is a JSON object with one upper-case key, its method, whose value is the path; the body is one of
//! `json`, `raw`, `raw_b64` and `form`. Anything else a file might say is refused rather than ignored, as an
//! instruction that is not followed would make a comparison meaningless.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// What a service can be told that changes its answers. A scenario was recorded in exactly the modes that it
/// names.
pub const MODES: [&str; 7] = [
    "activation",
    "rotation",
    "retype",
    "show_not_found",
    "confirmation",
    "last_login",
    "short_timeout",
];

/// One conversation and the answers that were recorded for it.
pub struct Scenario {
    pub name: String,
    pub modes: BTreeSet<String>,
    pub setup: Setup,
    pub steps: Vec<Step>,
    /// The recorded answer of each step, by the step's id.
    pub golden: Map<String, Value>,
}

/// What must be there before the first step.
#[derive(Default)]
pub struct Setup {
    pub users: Vec<String>,
    pub groups: Vec<String>,
    pub permissions: Vec<String>,
    /// Users who are not activated.
    pub pending: Vec<String>,
}

/// What a step waits for, if it sends no request.
pub enum Wait {
    /// The next mail to an address; a variable gets the parts of its link.
    Mail(String, Option<String>),
    /// No mail to an address.
    NoMail(String),
    /// So many seconds.
    Time(f64),
}

/// One request, or something that is waited for.
pub struct Step {
    pub id: String,
    pub wait: Option<Wait>,
    pub method: String,
    pub path: String,
    /// The user whose access token is sent.
    pub bearer: Option<String>,
    /// Headers to set, or with `null` to leave out.
    pub headers: Map<String, Value>,
    pub body: Body,
    /// Tokens to sign by hand before the step is sent, by the variable they go to.
    pub mint: Map<String, Value>,
    /// Variables to take from the answer, with the place of each.
    pub save: Map<String, Value>,
}

/// A request body before its variables are filled in.
pub enum Body {
    None,
    /// JSON as it is written in the file. It is kept as text because a number may exceed 64 bits and a string
    /// may hold half a surrogate pair, neither of which outlives a [`Value`].
    Json(Box<RawValue>),
    Text(String),
    Base64(String),
    Form(Vec<(String, Value)>),
}

/// Every scenario, in the order of their names.
pub fn all() -> Vec<Scenario> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/conformance/scenarios");
    let mut names: Vec<String> = directory
        .read_dir()
        .expect("the directory of scenarios is readable")
        .map(|entry| {
            let name = entry.expect("a directory entry is readable").file_name();
            name.into_string().expect("a scenario's name is UTF-8")
        })
        .filter_map(|name| Some(name.strip_suffix(".json")?.to_owned()))
        .filter(|name| !name.ends_with(".golden"))
        .collect();
    names.sort();
    names
        .into_iter()
        .map(|name| load(&directory, name))
        .collect()
}

fn load(directory: &Path, name: String) -> Scenario {
    let read = |file: String| {
        std::fs::read_to_string(directory.join(&file)).unwrap_or_else(|e| panic!("{file}: {e}"))
    };
    let text = read(format!("{name}.json"));
    let mut members: BTreeMap<String, Box<RawValue>> = parse(&name, &text);
    members.remove("about");
    // The accounts a scenario can ask for and the signing key are always at hand.
    let requires = members.remove("requires");
    let requires: Vec<String> = requires.map_or_else(Vec::new, |raw| parse(&name, raw.get()));
    let is_mode = |required: &String| MODES.contains(&required.as_str());
    let modes = requires.into_iter().filter(is_mode).collect();
    let setup = members
        .remove("setup")
        .map(|raw| setup(&name, raw.get()))
        .unwrap_or_default();
    let steps = members
        .remove("steps")
        .unwrap_or_else(|| panic!("{name}: no steps"));
    let steps: Vec<BTreeMap<String, Box<RawValue>>> = parse(&name, steps.get());
    let steps: Vec<Step> = steps
        .into_iter()
        .map(|members| step(&name, members))
        .collect();
    assert!(
        members.is_empty(),
        "{name}: unknown members {:?}",
        members.keys()
    );

    let golden: Map<String, Value> = parse(&name, &read(format!("{name}.golden.json")));
    let ids: BTreeSet<&str> = steps.iter().map(|step| step.id.as_str()).collect();
    assert_eq!(ids.len(), steps.len(), "{name}: two steps have the same id");
    let recorded: BTreeSet<&str> = golden.keys().map(String::as_str).collect();
    assert_eq!(
        ids, recorded,
        "{name}: the golden file belongs to other steps"
    );

    Scenario {
        name,
        modes,
        setup,
        steps,
        golden,
    }
}

fn setup(scenario: &str, text: &str) -> Setup {
    let mut members: BTreeMap<String, Vec<String>> = parse(scenario, text);
    let mut take = |key: &str| members.remove(key).unwrap_or_default();
    let setup = Setup {
        users: take("users"),
        groups: take("groups"),
        permissions: take("permissions"),
        pending: take("pending"),
    };
    assert!(
        members.is_empty(),
        "{scenario}: unknown set-up {:?}",
        members.keys()
    );
    setup
}

fn step(scenario: &str, members: BTreeMap<String, Box<RawValue>>) -> Step {
    let mut step = Step {
        id: String::new(),
        wait: None,
        method: String::new(),
        path: String::new(),
        bearer: None,
        headers: Map::new(),
        body: Body::None,
        mint: Map::new(),
        save: Map::new(),
    };
    let mut bodies = 0;
    let is_mail = members.contains_key("mail");
    for (key, raw) in members {
        let text = raw.get();
        match key.as_str() {
            "id" => step.id = parse(scenario, text),
            "as" => step.bearer = Some(parse(scenario, text)),
            "headers" => step.headers = parse(scenario, text),
            "mint" => step.mint = parse(scenario, text),
            "mail" => step.wait = Some(Wait::Mail(parse(scenario, text), None)),
            "no_mail" => step.wait = Some(Wait::NoMail(parse(scenario, text))),
            "sleep" => step.wait = Some(Wait::Time(parse(scenario, text))),
            // After `mail`, in the order of keys.
            "save" if is_mail => {
                if let Some(Wait::Mail(_, variable)) = &mut step.wait {
                    *variable = Some(parse(scenario, text));
                }
            }
            "save" => step.save = parse(scenario, text),
            "json" | "raw" | "raw_b64" | "form" => {
                bodies += 1;
                step.body = match key.as_str() {
                    "raw" => Body::Text(parse(scenario, text)),
                    "raw_b64" => Body::Base64(parse(scenario, text)),
                    "form" => Body::Form(parse(scenario, text)),
                    _ => Body::Json(raw),
                };
            }
            method if method.bytes().all(|b| b.is_ascii_uppercase()) => {
                assert!(step.method.is_empty(), "{scenario}: a step has two methods");
                step.method = key;
                step.path = parse(scenario, text);
            }
            other => panic!("{scenario}: unknown member {other:?} in a step"),
        }
    }
    assert!(!step.id.is_empty(), "{scenario}: a step has no id");
    let is_request = !step.method.is_empty();
    assert!(
        is_request != step.wait.is_some(),
        "{scenario} {}: no method, or one too many",
        step.id
    );
    assert!(bodies <= 1, "{scenario} {}: more than one body", step.id);
    step
}

fn parse<'a, T: serde::Deserialize<'a>>(scenario: &str, text: &'a str) -> T {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{scenario}: {e} in {text}"))
}
