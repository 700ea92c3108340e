//! What the parts need of a service.

use serde_json::{Value, json};
use shared::domain::User;
use testkit::{Account, Caller, NOBODY, Observed, PASSWORD};

/// A password that is not the usual one.
pub const OTHER: &str = "Rk-9-Lo.pq_Wx";

/// An access token of a user that belongs to no session.
pub fn token(world: &Observed, user: &User) -> String {
    user.token(world)
}

/// A session of a user with the usual password.
pub async fn session(world: &Observed, user: &User) -> Account {
    let answer = world.login(user.username.as_str(), PASSWORD).await;
    answer.assert_status(200);
    Account {
        id: user.id.0,
        access: answer.field("access"),
        refresh: answer.field("refresh"),
    }
}

/// The status of an answer.
pub fn status(answer: &Value) -> u64 {
    answer["status"].as_u64().unwrap_or_default()
}

/// The body of a login.
pub fn credentials(username: &str, password: &str) -> Value {
    json!({"username": username, "password": password})
}

/// Whether an access token, if there is one, lets somebody in.
pub async fn enters(world: &Observed, access: &Value) -> bool {
    let Some(access) = access.as_str() else {
        return false;
    };
    world.get(access, "users/me/").await.status == 200
}

/// Whether a refresh token gives an access token that lets somebody in.
pub async fn goes_on(world: &Observed, refresh: &str) -> bool {
    let body = json!({ "refresh": refresh });
    let answer = world.post(NOBODY, "token/refresh/", body).await;
    answer.status == 200 && enters(world, &answer.body["access"]).await
}

/// Whether somebody can log in.
pub async fn logs_in(world: &Observed, username: &str, password: &str) -> bool {
    world.login(username, password).await.status == 200
}
