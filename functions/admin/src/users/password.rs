//! Setting somebody's password.

use axum::{extract::State, response::Response};
use shared::{
    app::App,
    domain::User,
    error::{ApiError, FieldErrors, NON_FIELD_ERRORS},
    forms::NewPassword,
    http::authority::may_decide_over,
    store::ChangeError,
    web::{messages::Message, session},
};

use super::found;
use crate::{
    error::{AdminError, of_form},
    form::{Fieldset, Filled, FormPage, Related, one_button},
    page::{Link, Page, Section, redirect_with, shown},
    posted::Posted,
    staff::{Segment, Staff},
};

/// Django's rules of passwords.
pub const HELP: &str = "Not too similar to the other personal information, at least 8 characters, \
     not a commonly used password, and not entirely numeric.";

/// A user over whose account the caller may decide.
async fn target(app: &App, staff: &Staff, id: &str) -> Result<User, AdminError> {
    staff.must("auth.change_user")?;
    let user = found(app, id).await?;
    may_decide_over(&app.store, &staff.user, &user).await?;
    Ok(user)
}

pub async fn ask(
    staff: Staff,
    State(app): State<App>,
    Segment(id): Segment,
) -> Result<Response, AdminError> {
    let user = target(&app, &staff, &id).await?;
    Ok(form(&staff, &user, &FieldErrors::default()))
}

pub async fn change(
    staff: Staff,
    State(app): State<App>,
    Segment(id): Segment,
    posted: Posted,
) -> Result<Response, AdminError> {
    let user = target(&app, &staff, &id).await?;
    let mut fields = posted.fields(false)?;
    let Some(password) = NewPassword::read(&mut fields, &user.attributes()) else {
        return Ok(form(&staff, &user, &fields.into_errors()));
    };
    let hash = app.hasher.hash(&password).await;
    let now = app.clock.now();
    let changed = app
        .store
        .set_password(&user, true, &hash, now, staff.actor());
    match changed.await {
        Ok(()) => {}
        Err(ChangeError::Refused(_)) => {
            let text = "The user was changed or deleted meanwhile. Please try again.";
            return Ok(form(
                &staff,
                &user,
                &FieldErrors::one(NON_FIELD_ERRORS, text),
            ));
        }
        Err(error) => return Ok(form(&staff, &user, &of_form(error.into())?)),
    }
    // Whoever was locked out with the old one need not wait with the new one.
    app.store.forget_failures(user.username.as_str()).await?;
    let told = [Message::success("Password changed successfully.")];
    let to = Section::Users.object_url(user.id.0, "change");
    let mut response = redirect_with(&app, &staff, &to, &told).await;
    if user.id == staff.user.id {
        // All his sessions have ended with the old password; this one goes on as a new one.
        let user = app.store.user(user.id).await?.ok_or(ApiError::NotFound)?;
        let session = session::begin(&app, &user, &staff.headers, now).await?;
        response
            .headers_mut()
            .append(axum::http::header::SET_COOKIE, session);
    }
    Ok(response)
}

fn form(staff: &Staff, user: &User, errors: &FieldErrors) -> Response {
    let filled = Filled {
        posted: None,
        errors,
    };
    let name = user.username.as_str();
    let id = user.id.0;
    let crumbs = [
        Link::new(name, Section::Users.object_url(id, "change")),
        Link::new("Change password", ""),
    ];
    let title = format!("Change password: {name}");
    shown(
        staff,
        &FormPage {
            page: Page::in_section(staff, Section::Users, title, crumbs),
            action_url: Section::Users.object_url(id, "password"),
            has_errors: !errors.is_empty(),
            form_errors: filled.form_errors(),
            fieldsets: vec![Fieldset {
                legend: "",
                description: "The user’s tokens and sessions end with the old password.",
                fields: vec![
                    filled.password("password1", "Password", HELP),
                    filled.password("password2", "Password (again)", ""),
                ],
            }],
            tools: Vec::new(),
            has_submit: true,
            submit: one_button("Change password"),
            delete_url: String::new(),
            related: Related::default(),
        },
    )
}
