//! What comes from a dump of Django or from the table: objects, password hashes, items.

use std::collections::HashMap;

use manage::loaddata::{
    objects::{self, Form},
    reading::{Object, from_reader},
};
use serde_json::{Value, json};
use shared::{
    domain::{Group, Permission, User},
    hashing::{Assessment, Hasher, Password, PasswordHash, Verification},
    mail::Mail,
    store::{
        items::{Item, from_item},
        sessions::Session,
    },
};

use crate::service::NOW;

/// A file of `dumpdata` in any of its forms. What can be read is read the same when it is written as JSON
/// or JSON lines.
pub fn fixtures(data: &[u8]) {
    let Some(found) = read(data) else {
        return;
    };
    let as_json: Vec<Value> = found.iter().map(written).collect();
    let lines: String = as_json.iter().map(|object| format!("{object}\n")).collect();
    for text in [json!(as_json).to_string(), lines] {
        let again = read(text.as_bytes()).unwrap();
        let again: Vec<Value> = again.iter().map(written).collect();
        assert_eq!(again, as_json);
    }
    let form = Form {
        user_model: "auth.user".to_owned(),
        username_field: "username".to_owned(),
        timezone: None,
        inactive_await_activation: true,
    };
    for object in &found {
        if let Ok(user) = objects::user(object, &form, NOW) {
            assert!(user.user.id.0 > 0 && user.user.username.as_str().chars().count() <= 150);
        }
        let _ = objects::group(object);
        let _ = objects::permission(object);
        let _ = objects::content_type(object);
        let _ = objects::log_entry(object, &form);
        let _ = objects::outstanding_token(object, &form);
        let _ = objects::blacklisted_token(object);
    }
}

fn read(data: &[u8]) -> Option<Vec<Object>> {
    let mut found = Vec::new();
    let mut sink = |object| {
        found.push(object);
        Ok(())
    };
    from_reader(Box::new(data), &mut sink).ok()?;
    Some(found)
}

fn written(object: &Object) -> Value {
    json!({"model": object.model, "pk": object.pk, "fields": object.fields})
}

/// A stored password hash. What can be verified costs no more than is allowed; what costs next to nothing
/// is verified.
pub fn hashes(data: &[u8]) {
    /// The most memory that a verification may take, in MiB.
    const MOST: u32 = 256;
    let Ok(text) = str::from_utf8(data) else {
        return;
    };
    let hash = PasswordHash::new(text.to_owned());
    let worth = hash.assess();
    assert!(hash.memory_mib().is_none_or(|memory| memory <= MOST));
    let is_none = text.is_empty() || hash.is_unusable();
    assert_eq!(worth == Assessment::Unusable, is_none);
    match worth {
        Assessment::Current => assert!(text.starts_with("argon2$argon2id$v=19$")),
        Assessment::Verifiable if is_cheap(text) => {
            let password = Password::new("password".to_owned());
            let verified = Hasher::default().verify_blocking(&password, Some(&hash));
            // An older form is never as good as new.
            assert_ne!(verified, Verification::Correct);
        }
        _ => {}
    }
}

/// PBKDF2 with a few rounds.
fn is_cheap(text: &str) -> bool {
    let mut parts = text.split('$');
    let is_pbkdf2 = parts.next().is_some_and(|name| name.starts_with("pbkdf2_"));
    is_pbkdf2 && parts.next().is_some_and(|rounds| rounds.len() == 1)
}

/// An item of the table, as DynamoDB writes it.
pub fn items(data: &[u8]) {
    let Ok(item) = serde_json::from_slice::<serde_dynamo::Item>(data) else {
        return;
    };
    let item: Item = item.into();
    let _ = from_item::<HashMap<String, Value>>(item.clone());
    let (user, session) = (
        from_item::<User>(item.clone()),
        from_item::<Session>(item.clone()),
    );
    if let (Ok(user), Ok(session)) = (user, session) {
        let is_live = session.is_live(&user, NOW);
        assert!(!is_live || session.ttl > NOW && session.user_id == user.id);
        user.accepts_token_of(Some(session.created));
    }
    let _ = from_item::<Mail>(item.clone());
    let _ = from_item::<Group>(item.clone());
    let _ = from_item::<Permission>(item);
}
