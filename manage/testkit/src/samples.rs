//! The samples of `events/`: settings, accounts and events.

use std::{collections::BTreeMap, fs, path::Path};

use manage::{engine::Engine, loaddata};
use serde_json::Value;
use shared::{app::App, clock::Clock, settings::Settings, store::connect_to};

use crate::{
    engine,
    routes::{ACCOUNT, ADMIN, function_of},
};

const EVENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events");

/// A file of the samples.
pub fn read(name: &str) -> Value {
    let path = Path::new(EVENTS).join(name).with_extension("json");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    serde_json::from_str(&text).expect("JSON")
}

/// Every event of API Gateway for the functions behind it, by its name.
pub fn events() -> BTreeMap<String, Value> {
    let entries = fs::read_dir(EVENTS).expect("the samples");
    let names = entries.filter_map(|entry| {
        let name = entry.expect("an entry").file_name().into_string();
        let name = name.expect("UTF-8").strip_suffix(".json")?.to_owned();
        (![
            "env",
            "authorize",
            "before-traffic",
            "rotate-keys",
            "send-mails",
        ]
        .contains(&name.as_str()))
        .then_some(name)
    });
    names.map(|name| (name.clone(), read(&name))).collect()
}

/// Whether an event asks for a page.
pub fn is_for_page(event: &Value) -> bool {
    let path = event["rawPath"].as_str().expect("a path");
    [ACCOUNT, ADMIN].contains(&function_of(path))
}

/// The service as `sam local` runs it: with the sample settings, on a table with the sample users.
pub async fn service() -> (Engine, App) {
    let engine = engine().await;
    let env = read("env");
    let settings = Settings::from_lookup(|name| {
        let value = env["Parameters"][name].as_str();
        value.map(str::to_owned)
    });
    let client = connect_to(&engine.endpoint());
    let app = App::local(settings.expect("settings"), client, Clock::System).expect("keys");
    let fixture = Path::new(EVENTS).join("fixtures/samples.json");
    let settings = loaddata::Settings::of(vec![fixture]);
    let (users, _) = loaddata::load(&app.store, &settings)
        .await
        .expect("the sample users");
    assert_eq!(users.new, 3);
    (engine, app)
}
