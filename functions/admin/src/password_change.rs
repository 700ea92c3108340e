//! Changing one's own password.

use std::net::IpAddr;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use shared::{
    app::App,
    domain::names::AnyText,
    error::{ApiError, FieldErrors},
    forms::NewPassword,
    hashing::Password,
    http::extract::SourceAddress,
    input::Presence,
    login,
    web::{messages::Message, session},
};

use crate::{
    error::{AdminError, of_form},
    form::{Fieldset, Filled, FormPage, Related, one_button},
    log_in::too_many,
    page::{Link, Page, redirect_with, shown},
    posted::Posted,
    staff::Staff,
    users::password::HELP,
};

const URL: &str = "/admin/password_change/";
const WRONG: &str = "Your old password was entered incorrectly. Please enter it again.";

pub async fn ask(staff: Staff) -> Response {
    form(&staff, &FieldErrors::default())
}

pub async fn change(
    staff: Staff,
    State(app): State<App>,
    SourceAddress(address): SourceAddress,
    posted: Posted,
) -> Result<Response, AdminError> {
    let password = match read(&app, &staff, address, &posted).await {
        Ok(password) => password,
        Err(error) => return Ok(form(&staff, &of_form(error)?)),
    };
    let hash = app.hasher.hash(&password).await;
    let now = app.clock.now();
    let changed = app
        .store
        .set_password(&staff.user, false, &hash, now, staff.actor());
    changed.await?;
    // All his sessions have ended with the old password; this one goes on as a new one.
    let user = app
        .store
        .user(staff.user.id)
        .await?
        .ok_or(ApiError::NotFound)?;
    let session = session::begin(&app, &user, &staff.headers, now).await?;
    let told = [Message::success("Your password was changed.")];
    let mut response = redirect_with(&app, &staff, "/admin/", &told).await;
    response.headers_mut().append(header::SET_COOKIE, session);
    Ok(response)
}

async fn read(
    app: &App,
    staff: &Staff,
    address: Option<IpAddr>,
    posted: &Posted,
) -> Result<Password, ApiError> {
    let mut fields = posted.fields(false)?;
    let old = fields.text::<AnyText>("old_password", Presence::Required);
    let new = NewPassword::read(&mut fields, &staff.user.attributes());
    if let Some(old) = old {
        let (name, old) = (
            staff.user.username.as_str(),
            Password::new(old.into_inner()),
        );
        // With the limits of logins: whoever finds a browser open cannot guess without end.
        match login::check(app, name, &old, address, |_| true).await {
            Ok(_) => {}
            Err(ApiError::WrongCredentials) => fields.error("old_password", WRONG),
            Err(ApiError::Throttled(wait)) => fields.error("old_password", too_many(wait)),
            Err(error) => return Err(error),
        }
    }
    match new {
        Some(new) if !fields.has_errors() => Ok(new),
        _ => Err(fields.into_errors().into()),
    }
}

fn form(staff: &Staff, errors: &FieldErrors) -> Response {
    let filled = Filled {
        posted: None,
        errors,
    };
    let crumbs = vec![
        Link::new("Home", "/admin/"),
        Link::new("Password change", ""),
    ];
    let page = FormPage {
        page: Page::of(staff, None, "Password change", crumbs),
        action_url: URL.to_owned(),
        has_errors: !errors.is_empty(),
        form_errors: filled.form_errors(),
        fieldsets: vec![Fieldset {
            legend: "",
            description: "Please enter your old password, for security’s sake, and then enter \
                          your new password twice so we can verify you typed it in correctly.",
            fields: vec![
                filled.password("old_password", "Old password", ""),
                filled.password("password1", "New password", HELP),
                filled.password("password2", "New password confirmation", ""),
            ],
        }],
        tools: Vec::new(),
        has_submit: true,
        submit: one_button("Change my password"),
        delete_url: String::new(),
        related: Related::default(),
    };
    shown(staff, &page).into_response()
}
