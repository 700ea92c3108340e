//! Setting somebody's password.

use axum::{
    extract::State,
    http::header,
    response::{AppendHeaders, IntoResponse, Response},
};
use shared::{
    accounts::{Refused, users},
    app::App,
    domain::{User, log_entry::Model},
    forms::new_password,
    http::extract::RequestClient,
    input::Absent,
    web::{messages::Message, session},
};

use crate::{
    error::{AdminError, of_input},
    model_admin::{FormPage, ModelAdmin},
    model_pages::found,
    page::{Link, Page, redirect_with, shown},
    posted::Posted,
    staff::{Action, Segment, Staff, allowed},
    urls,
    widgets::{Bound, Button, Fieldset, PASSWORD_HELP},
};

/// A user over whose account the admin may decide.
pub async fn target(app: &App, staff: &Staff, id: &str) -> Result<User, AdminError> {
    staff.must(Action::Change, Model::User)?;
    let user: User = found(app, id).await?;
    allowed(user.is_decided_by(app, staff).await?)?;
    Ok(user)
}

pub async fn ask(
    staff: Staff,
    State(app): State<App>,
    Segment(id): Segment,
) -> Result<Response, AdminError> {
    let user = target(&app, &staff, &id).await?;
    Ok(form(&staff, &user, &Bound::default()))
}

pub async fn set(
    staff: Staff,
    State(app): State<App>,
    Segment(id): Segment,
    RequestClient(client): RequestClient,
    posted: Posted,
) -> Result<Response, AdminError> {
    let user = target(&app, &staff, &id).await?;
    let changed = match save(&app, &staff, &user, &posted).await {
        Ok(changed) => changed,
        Err(refused) => {
            let bound = Bound::again(&posted, of_input(refused)?);
            return Ok(form(&staff, &user, &bound));
        }
    };
    let told = [Message::success("Password changed successfully.")];
    let to = urls::object(Model::User, user.id.0, "change");
    let response = redirect_with(&app, &staff, &to, &told).await;
    if user.id != staff.user.id {
        return Ok(response);
    }
    // All sessions of the user have ended with the old password; this one goes on as a new one.
    let session = session::begin(&app, &changed, &client, &staff.headers).await?;
    Ok((AppendHeaders([(header::SET_COOKIE, session)]), response).into_response())
}

async fn save(app: &App, staff: &Staff, user: &User, posted: &Posted) -> Result<User, Refused> {
    let mut fields = posted.fields(Absent::Missing);
    let Some(password) = new_password(&mut fields, &user.attributes()) else {
        return Err(Refused::Invalid(fields.into_errors()));
    };
    users::set_password(&app.store, &app.hasher, staff.actor(), user, &password).await
}

fn form(staff: &Staff, user: &User, bound: &Bound<'_>) -> Response {
    let (name, id) = (user.username.as_str(), user.id.0);
    let crumbs = [
        Link::new(name, urls::object(Model::User, id, "change")),
        Link::new("Change password", ""),
    ];
    let title = format!("Change password: {name}");
    let page = FormPage {
        page: Page::of_model(staff, Model::User, title, crumbs),
        action_url: urls::object(Model::User, id, "password"),
        errors: bound.form_errors(),
        fieldsets: vec![Fieldset {
            legend: "",
            description: "The user’s tokens and sessions end with the old password.".into(),
            fields: vec![
                bound.password("password1", "Password").help(PASSWORD_HELP),
                bound.password("password2", "Password (again)"),
            ],
        }],
        tools: Vec::new(),
        submit: vec![Button {
            name: "_save",
            label: "Change password",
        }],
        delete_url: None,
        panel: None,
    };
    shown(staff, &page)
}
