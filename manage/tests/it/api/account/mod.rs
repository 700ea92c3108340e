//! Account life, where it departs from djoser, and the pages that links lead to.

mod addresses;
mod asking;
mod browsers;
mod pages;
mod passwords;
mod settings;

use serde_json::{Value, json};
use shared::{
    domain::{User, UserId},
    mail::{Mail, links::uid},
};
use testkit::{Account, Server, user_path};

pub const NEW: &str = "Zr!ub-Hs%Wd#Lo_Je";
pub const MAILS: [(&str, &str); 6] = [
    ("EMAIL_FRONTEND_DOMAIN", "app.example.com"),
    ("PASSWORD_RESET_CONFIRM_URL", "reset/{uid}/{token}"),
    ("USERNAME_RESET_CONFIRM_URL", "rename/{uid}/{token}"),
    ("ACTIVATION_URL", "activate/{uid}/{token}"),
    ("SEND_ACTIVATION_EMAIL", "true"),
    ("ACCOUNT_PAGES", "true"),
];

pub async fn owed(server: &Server) -> Vec<Mail> {
    server.table.owed_mails(100).await.expect("mails")
}

pub async fn token(server: &Server, id: UserId, pending: Option<&str>) -> String {
    server.link_token(id, pending).await
}

/// A link of a user, as it is sent back.
pub async fn link(server: &Server, user: &User) -> Value {
    json!({"uid": uid(user.id), "token": token(server, user.id, None).await})
}

pub fn with(mut link: Value, field: &str, value: &str) -> Value {
    link[field] = value.into();
    link
}

pub fn bad_token() -> Value {
    json!({"token": ["Invalid token for given user."]})
}

pub async fn works(server: &Server, account: &Account) -> bool {
    let answer = server.get(account, &user_path(account.id)).await;
    answer.status == 200
}

/// What the link of the mail to a user's new address has, which they have just given.
pub async fn waiting(server: &Server, user: &User, email: &str) -> (String, String) {
    let wanted = json!({ "email": email });
    let answer = server.patch(user, "users/me/", wanted).await;
    answer.assert_status(200);
    (uid(user.id), token(server, user.id, Some(email)).await)
}
