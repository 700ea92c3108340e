//! Changing one's own password.

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
    hashing::{Password, Verification},
    input::Presence,
};

use crate::{
    error::{AdminError, of_form},
    form::{Fieldset, Filled, FormPage, Related, one_button},
    messages::Message,
    page::{Link, Page, redirect_with, shown},
    posted::Posted,
    session::{self, Staff},
    users::password::HELP,
};

const URL: &str = "/admin/password_change/";

pub async fn ask(staff: Staff) -> Response {
    form(&staff, &FieldErrors::default())
}

pub async fn change(
    staff: Staff,
    State(app): State<App>,
    posted: Posted,
) -> Result<Response, AdminError> {
    let password = match read(&app, &staff, &posted).await {
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
    let session = session::begin(&app, &user, &staff.headers).await?;
    let told = [Message::success("Your password was changed.")];
    let mut response = redirect_with(&app, &staff, "/admin/", &told).await;
    response.headers_mut().append(header::SET_COOKIE, session);
    Ok(response)
}

async fn read(app: &App, staff: &Staff, posted: &Posted) -> Result<Password, ApiError> {
    let mut fields = posted.fields(false)?;
    let old = fields.text::<AnyText>("old_password", Presence::Required);
    let new = NewPassword::read(&mut fields, &staff.user.attributes());
    if let Some(old) = old {
        let stored = app.store.user_by_name(&staff.user.username).await?;
        let stored = stored.and_then(|(_, hash)| hash);
        let old = Password::new(old.into_inner());
        if app.hasher.verify(&old, stored.as_ref()).await == Verification::Wrong {
            fields.error(
                "old_password",
                "Your old password was entered incorrectly. Please enter it again.",
            );
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
