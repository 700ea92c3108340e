//! Changing one's own password.

use std::net::IpAddr;

use axum::{
    extract::State,
    http::header,
    response::{AppendHeaders, IntoResponse, Response},
};
use shared::{
    accounts::{Refused, login, users},
    app::App,
    domain::{FieldError, User, names::AnyText},
    forms::new_password,
    hashing::Password,
    http::extract::RequestClient,
    input::{Absent, Presence},
    web::{messages::Message, session},
};

use crate::{
    error::{AdminError, of_input},
    log_in::too_many,
    model_admin::FormPage,
    page::{Link, Page, redirect_with, shown},
    posted::Posted,
    staff::Staff,
    urls,
    widgets::{Bound, Button, Field, Fieldset, PASSWORD_HELP},
};

const WRONG: FieldError =
    FieldError::said("Your old password was entered incorrectly. Please enter it again.");

pub async fn ask(staff: Staff) -> Response {
    form(&staff, &Bound::default())
}

pub async fn change(
    staff: Staff,
    State(app): State<App>,
    RequestClient(client): RequestClient,
    posted: Posted,
) -> Result<Response, AdminError> {
    let user = match save(&app, &staff, client.address, &posted).await {
        Ok(user) => user,
        Err(refused) => return Ok(form(&staff, &Bound::again(&posted, of_input(refused)?))),
    };
    // All sessions of the user have ended with the old password; this one goes on as a new one.
    let session = session::begin(&app, &user, &client, &staff.headers).await?;
    let told = [Message::success("Your password was changed.")];
    let response = redirect_with(&app, &staff, urls::HOME, &told).await;
    Ok((AppendHeaders([(header::SET_COOKIE, session)]), response).into_response())
}

async fn save(
    app: &App,
    staff: &Staff,
    address: Option<IpAddr>,
    posted: &Posted,
) -> Result<User, Refused> {
    let user = &staff.user;
    let mut fields = posted.fields(Absent::Missing);
    let old = fields.untrimmed::<AnyText>("old_password", Presence::Required);
    let new = new_password(&mut fields, &user.attributes());
    if let Some(old) = old {
        let old = Password::new(old.into_inner());
        // With the limits of logins: somebody at an open browser cannot guess without end.
        let attempt = login::Attempt {
            untrimmed: None,
            normalises: true,
            username: user.username.as_str(),
            password: &old,
            address,
        };
        match login::check_own(app, user, attempt).await {
            Ok(()) => {}
            Err(Refused::WrongCredentials) => fields.error("old_password", WRONG),
            Err(Refused::Throttled(wait)) => {
                fields.error("old_password", FieldError::Said(too_many(wait).into()));
            }
            Err(refused) => return Err(refused),
        }
    }
    match new {
        Some(new) if !fields.has_errors() => {
            users::set_password(&app.store, &app.hasher, staff.actor(), user, &new).await
        }
        _ => Err(Refused::Invalid(fields.into_errors())),
    }
}

fn form(staff: &Staff, bound: &Bound<'_>) -> Response {
    let crumbs = vec![
        Link::new("Home", urls::HOME),
        Link::new("Password change", ""),
    ];
    let old = Field {
        autocomplete: "current-password",
        ..bound.password("old_password", "Old password")
    };
    let page = FormPage {
        page: Page::of(staff, None, "Password change", crumbs),
        action_url: urls::PASSWORD_CHANGE.to_owned(),
        errors: bound.form_errors(),
        fieldsets: vec![Fieldset {
            legend: "",
            description:
                "Please enter your old password, for security’s sake, and then enter your \
                          new password twice so we can verify you typed it in correctly."
                    .into(),
            fields: vec![
                old,
                bound
                    .password("password1", "New password")
                    .help(PASSWORD_HELP),
                bound.password("password2", "New password confirmation"),
            ],
        }],
        tools: Vec::new(),
        submit: vec![Button {
            name: "_save",
            label: "Change my password",
        }],
        delete_url: None,
        panel: None,
    };
    shown(staff, &page)
}
