//! What is done with several users at once, after a page that asks whether it is meant.

use axum::{
    extract::{Query, State},
    response::{IntoResponse, Response},
};
use shared::{
    app::App,
    domain::{Group, GroupId, User, UserId},
    error::ApiError,
    http::authority::{may_decide_over, may_join},
    store::ChangeError,
    web::messages::Message,
};

use super::asked::Asked;
use crate::{
    error::AdminError,
    page::{Confirmation, Hidden, Link, Page, Section, redirect_with, shown},
    posted::Posted,
    staff::Staff,
    text::counted,
};

/// As many as a page of the list shows.
const MOST: usize = 100;

/// What may be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Activate,
    Deactivate,
    AddToGroup,
    RemoveFromGroup,
    Delete,
}

impl Action {
    /// In the order of the list.
    pub const ALL: [Self; 5] = [
        Self::Activate,
        Self::Deactivate,
        Self::AddToGroup,
        Self::RemoveFromGroup,
        Self::Delete,
    ];

    /// Its name in the form.
    pub fn name(self) -> &'static str {
        match self {
            Self::Activate => "activate",
            Self::Deactivate => "deactivate",
            Self::AddToGroup => "add_to_group",
            Self::RemoveFromGroup => "remove_from_group",
            // Django's name.
            Self::Delete => "delete_selected",
        }
    }

    /// What the list calls it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Activate => "Activate selected users",
            Self::Deactivate => "Deactivate selected users",
            Self::AddToGroup => "Add selected users to group",
            Self::RemoveFromGroup => "Remove selected users from group",
            Self::Delete => "Delete selected users",
        }
    }

    /// Who may.
    pub fn permission(self) -> &'static str {
        match self {
            Self::Delete => "auth.delete_user",
            _ => "auth.change_user",
        }
    }

    fn takes_group(self) -> bool {
        matches!(self, Self::AddToGroup | Self::RemoveFromGroup)
    }

    /// What is asked: `Are you sure you want to …?`
    fn question(self, users: &str, group: &str) -> String {
        let what = match self {
            Self::Activate => format!("activate {users}"),
            Self::Deactivate => format!("deactivate {users}"),
            Self::AddToGroup => format!("add {users} to the group “{group}”"),
            Self::RemoveFromGroup => format!("remove {users} from the group “{group}”"),
            Self::Delete => format!("delete {users}"),
        };
        format!("Are you sure you want to {what}?")
    }

    fn note(self) -> Option<&'static str> {
        match self {
            Self::Deactivate => Some("They can no longer log in, and their sessions end at once."),
            Self::Delete => Some("Their tokens and sessions end at once. This cannot be undone."),
            Self::AddToGroup => Some("They get the permissions of the group."),
            Self::RemoveFromGroup => Some("They lose what only the group gives them."),
            Self::Activate => None,
        }
    }

    /// What was done: `Successfully … 3 users.`
    fn done(self, users: &str, group: &str) -> String {
        match self {
            Self::Activate => format!("Successfully activated {users}."),
            Self::Deactivate => format!("Successfully deactivated {users}."),
            Self::AddToGroup => format!("Successfully added {users} to the group “{group}”."),
            Self::RemoveFromGroup => {
                format!("Successfully removed {users} from the group “{group}”.")
            }
            Self::Delete => format!("Successfully deleted {users}."),
        }
    }
}

pub async fn act(
    staff: Staff,
    State(app): State<App>,
    Query(query): Query<Vec<(String, String)>>,
    posted: Posted,
) -> Result<Response, AdminError> {
    staff.must_view("user")?;
    // The page of the list on which they were ticked.
    let list = Asked::of(query).here();
    let name = posted.text("action");
    let Some(action) = Action::ALL.into_iter().find(|action| action.name() == name) else {
        let told = [Message::error("No action selected.")];
        return Ok(redirect_with(&app, &staff, &list, &told).await);
    };
    staff.must(action.permission())?;
    let mut ids: Vec<UserId> = posted
        .ids("_selected_action")
        .into_iter()
        .map(UserId)
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids.truncate(MOST);
    let group = group(&app, action, &posted);
    let (users, group) = tokio::try_join!(app.store.users(&ids), group)?;
    let missing = if users.is_empty() {
        Some(
            "Items must be selected in order to perform actions on them. No items have been \
             changed.",
        )
    } else if action.takes_group() && group.is_none() {
        Some("Select a group to add the users to or to remove them from.")
    } else {
        None
    };
    if let Some(text) = missing {
        return Ok(redirect_with(&app, &staff, &list, &[Message::error(text)]).await);
    }
    if posted.text("post") != "yes" {
        return Ok(confirmation(&staff, action, &users, group.as_ref(), list).into_response());
    }
    let told = carry_out(&app, &staff, action, users, group.as_ref()).await?;
    Ok(redirect_with(&app, &staff, &list, &told).await)
}

async fn group(
    app: &App,
    action: Action,
    posted: &Posted,
) -> Result<Option<Group>, shared::store::StoreError> {
    match posted.text("group").parse() {
        Ok(id) if action.takes_group() => app.store.group(GroupId(id)).await,
        _ => Ok(None),
    }
}

fn confirmation(
    staff: &Staff,
    action: Action,
    users: &[User],
    group: Option<&Group>,
    list: String,
) -> Response {
    let group_name = group.map_or("", |group| group.name.as_str());
    let item = |user: &User| {
        let url = Section::Users.object_url(user.id.0, "change");
        Link::new(user.username.as_str(), url)
    };
    let hidden = |name, value: String| Hidden { name, value };
    let mut fields = vec![
        hidden("action", action.name().to_owned()),
        hidden("post", "yes".to_owned()),
    ];
    fields.extend(group.map(|group| hidden("group", group.id.to_string())));
    fields.extend(
        users
            .iter()
            .map(|user| hidden("_selected_action", user.id.to_string())),
    );
    let notes: Vec<String> = action.note().map(str::to_owned).into_iter().collect();
    let crumbs = [Link::new(action.label(), "")];
    shown(
        staff,
        &Confirmation {
            page: Page::in_section(staff, Section::Users, "Are you sure?", crumbs),
            lead: action.question(&counted(users.len(), "user"), group_name),
            has_items: true,
            items: users.iter().map(item).collect(),
            has_notes: !notes.is_empty(),
            notes,
            hidden: fields,
            action_url: list.clone(),
            button: "Yes, I’m sure",
            danger: matches!(action, Action::Delete | Action::Deactivate),
            cancel_url: list,
        },
    )
}

/// One user after the other; who may not be changed is named, and the others are changed all the
/// same.
async fn carry_out(
    app: &App,
    staff: &Staff,
    action: Action,
    users: Vec<User>,
    group: Option<&Group>,
) -> Result<Vec<Message>, AdminError> {
    let mut done = 0;
    let mut refused = Vec::new();
    for user in users {
        let name = user.username.as_str().to_owned();
        match change(app, staff, action, user, group).await {
            // Whoever is gone needs nothing any more.
            Ok(()) | Err(ApiError::NotFound) => done += 1,
            Err(ApiError::PermissionDenied) => refused.push(format!(
                "{name}: you may not, as it would take permissions that you do not hold yourself."
            )),
            Err(ApiError::LastSuperuser) => {
                refused.push(format!(
                    "{name}: the last active superuser cannot be removed."
                ));
            }
            Err(error) => return Err(error.into()),
        }
    }
    let group = group.map_or("", |group| group.name.as_str());
    let mut told = Vec::new();
    if done > 0 {
        told.push(Message::success(action.done(&counted(done, "user"), group)));
    }
    told.extend(refused.into_iter().map(Message::error));
    Ok(told)
}

async fn change(
    app: &App,
    staff: &Staff,
    action: Action,
    user: User,
    group: Option<&Group>,
) -> Result<(), ApiError> {
    let (store, caller, actor) = (&app.store, &staff.user, staff.actor());
    let decide = |user: User| async move { may_decide_over(store, caller, &user).await };
    if action == Action::Delete {
        return Ok(store.delete_user(user, actor, decide).await?);
    }
    let judge = |user: User| async move {
        shared::http::authority::may_change(caller, &user)?;
        match action {
            Action::AddToGroup => may_join(store, caller, &user, group).await,
            Action::RemoveFromGroup => Ok(()),
            _ => may_decide_over(store, caller, &user).await,
        }
    };
    let apply = |user: &User| {
        let mut user = user.clone();
        match (action, group) {
            (Action::Activate, _) => user.is_active = true,
            (Action::Deactivate, _) => user.is_active = false,
            (Action::AddToGroup, Some(group)) => drop(user.group_ids.insert(group.id)),
            (Action::RemoveFromGroup, Some(group)) => drop(user.group_ids.remove(&group.id)),
            _ => {}
        }
        Ok::<_, ApiError>(user)
    };
    let changed: Result<User, ChangeError<ApiError>> =
        store.update_user(user, actor, judge, apply).await;
    Ok(changed.map(drop)?)
}
