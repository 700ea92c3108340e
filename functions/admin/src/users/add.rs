//! Adding a user in Django's two steps: a username and a password, and then the rest.

use axum::{extract::State, response::Response};
use shared::{
    app::App,
    domain::User,
    error::{ApiError, FieldErrors},
    forms::NewAccount,
    web::messages::Message,
};

use super::password::HELP;
use crate::{
    error::{AdminError, of_form},
    form::{Fieldset, Filled, FormPage, Related, save_buttons},
    page::{Link, Page, Section, redirect_with, shown},
    posted::Posted,
    staff::Staff,
};

const URL: &str = "/admin/auth/user/add/";

pub async fn ask(staff: Staff) -> Result<Response, AdminError> {
    staff.must("auth.add_user")?;
    Ok(form(&staff, None, &FieldErrors::default()))
}

pub async fn add(
    staff: Staff,
    State(app): State<App>,
    posted: Posted,
) -> Result<Response, AdminError> {
    staff.must("auth.add_user")?;
    let user = match make(&app, &staff, &posted).await {
        Ok(user) => user,
        Err(error) => return Ok(form(&staff, Some(&posted), &of_form(error)?)),
    };
    let name = user.username.as_str();
    let may_change = staff.can("auth.change_user");
    let (to, rest) = if posted.has("_addanother") {
        (URL.to_owned(), " You may add another user below.")
    } else if may_change || staff.can_view("user") {
        let to = Section::Users.object_url(user.id.0, "change");
        (
            to,
            if may_change {
                " You may edit it again below."
            } else {
                ""
            },
        )
    } else {
        ("/admin/".to_owned(), "")
    };
    let text = format!("The user “{name}” was added successfully.{rest}");
    Ok(redirect_with(&app, &staff, &to, &[Message::success(text)]).await)
}

async fn make(app: &App, staff: &Staff, posted: &Posted) -> Result<User, ApiError> {
    let NewAccount { user, password } = NewAccount::read(app, posted.fields(false)?).await?;
    // The id is taken while the password is hashed.
    let (id, hash) = tokio::join!(app.store.next_user_id(), app.hasher.hash(&password));
    Ok(app
        .store
        .create_user(id?, user, &hash, staff.actor())
        .await?)
}

fn form(staff: &Staff, posted: Option<&Posted>, errors: &FieldErrors) -> Response {
    let filled = Filled { posted, errors };
    let mut username = filled.text("username", "Username", "");
    username.required = true;
    username.help = "Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.";
    username.autocomplete = "off";
    let submit = save_buttons(staff, Section::Users);
    shown(
        staff,
        &FormPage {
            page: Page::in_section(
                staff,
                Section::Users,
                "Add user",
                [Link::new("Add user", "")],
            ),
            action_url: URL.to_owned(),
            has_errors: !errors.is_empty(),
            form_errors: filled.form_errors(),
            fieldsets: vec![Fieldset {
                legend: "",
                description: "First, enter a username and password. Then, you’ll be able to edit \
                              more user options.",
                fields: vec![
                    username,
                    filled.password("password1", "Password", HELP),
                    filled.password("password2", "Password confirmation", ""),
                ],
            }],
            tools: Vec::new(),
            has_submit: true,
            submit,
            delete_url: String::new(),
            related: Related::default(),
        },
    )
}
