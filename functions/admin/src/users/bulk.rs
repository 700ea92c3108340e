//! What is done with several users at once, after a page that asks whether it is meant.

use std::collections::BTreeSet;

use axum::{
    extract::{Query, State},
    response::Response,
};
use shared::{
    accounts::{Refused, users},
    app::App,
    domain::{Group, GroupId, SetChange, User, UserChange, UserId, log_entry::Model},
    store::StoreError,
    web::messages::Message,
};

use super::query::UserQuery;
use crate::{
    error::AdminError,
    page::{Confirmation, Link, Page, Weight, redirect_with, shown},
    posted::Posted,
    staff::{Action, Staff},
    text::counted,
    urls,
};

/// As many as a page of the list shows.
const MOST: usize = 100;

/// What may be done with several users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BulkAction {
    Activate,
    Deactivate,
    AddToGroup,
    RemoveFromGroup,
    Delete,
}

impl BulkAction {
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

    /// What one must be able to do with users.
    pub fn needs(self) -> Action {
        match self {
            Self::Delete => Action::Delete,
            _ => Action::Change,
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
    staff.must(Action::View, Model::User)?;
    // The page of the list on which they were ticked.
    let list = UserQuery::read(query).here();
    let name = posted.text("action");
    let action = BulkAction::ALL
        .into_iter()
        .find(|action| action.name() == name);
    let told = match action {
        None => vec![Message::error("No action selected.")],
        Some(action) => {
            staff.must(action.needs(), Model::User)?;
            let (users, group) = tokio::try_join!(ticked(&app, &posted), group(&app, &posted))?;
            let group = group.filter(|_| action.takes_group());
            if users.is_empty() {
                vec![Message::error(
                    "Items must be selected in order to perform actions on them. No items have \
                     been changed.",
                )]
            } else if action.takes_group() && group.is_none() {
                let text = "Select a group to add the users to or to remove them from.";
                vec![Message::error(text)]
            } else if posted.text("post") == "yes" {
                carry_out(&app, &staff, action, users, group.as_ref()).await?
            } else {
                return Ok(confirmation(&staff, action, &users, group.as_ref(), list));
            }
        }
    };
    Ok(redirect_with(&app, &staff, &list, &told).await)
}

async fn ticked(app: &App, posted: &Posted) -> Result<Vec<User>, StoreError> {
    let ids = posted
        .texts("_selected_action")
        .filter_map(|id| id.parse().ok());
    let ids: BTreeSet<UserId> = ids.map(UserId).collect();
    let ids: Vec<UserId> = ids.into_iter().take(MOST).collect();
    app.store.users(&ids).await
}

async fn group(app: &App, posted: &Posted) -> Result<Option<Group>, StoreError> {
    match posted.text("group").parse() {
        Ok(id) => app.store.group(GroupId(id)).await,
        Err(_) => Ok(None),
    }
}

fn confirmation(
    staff: &Staff,
    action: BulkAction,
    users: &[User],
    group: Option<&Group>,
    list: String,
) -> Response {
    let group_name = group.map_or("", |group| group.name.as_str());
    let item = |user: &User| {
        let url = urls::object(Model::User, user.id.0, "change");
        Link::new(user.username.as_str(), url)
    };
    let mut hidden = vec![
        ("action", action.name().to_owned()),
        ("post", "yes".to_owned()),
    ];
    hidden.extend(group.map(|group| ("group", group.id.to_string())));
    hidden.extend(
        users
            .iter()
            .map(|user| ("_selected_action", user.id.to_string())),
    );
    let crumbs = [Link::new(action.label(), "")];
    let page = Confirmation {
        page: Page::of_model(staff, Model::User, "Are you sure?", crumbs),
        lead: action.question(&counted(users.len(), "user"), group_name),
        items: users.iter().map(item).collect(),
        notes: action.note().map(str::to_owned).into_iter().collect(),
        hidden,
        action_url: list.clone(),
        weight: match action {
            BulkAction::Delete | BulkAction::Deactivate => Weight::Dangerous,
            _ => Weight::Ordinary,
        },
        cancel_url: list,
    };
    shown(staff, &page)
}

/// One user after the other. Those who may not be changed are named, and the others are changed all
/// the same.
async fn carry_out(
    app: &App,
    staff: &Staff,
    action: BulkAction,
    mut users: Vec<User>,
    group: Option<&Group>,
) -> Result<Vec<Message>, AdminError> {
    // Oneself last: who is deactivated or deleted changes nobody any more.
    users.sort_by_key(|user| user.id == staff.user.id);
    let mut done = 0;
    let mut refused = Vec::new();
    for user in users {
        let name = user.username.as_str().to_owned();
        match change(app, staff, action, user, group).await {
            // A user who is deleted needs nothing any more.
            Ok(()) | Err(Refused::NotFound) => done += 1,
            Err(Refused::PermissionDenied) => refused.push(format!(
                "{name}: you may not, as it would take permissions that you do not hold yourself."
            )),
            Err(Refused::LastSuperuser) => {
                refused.push(format!(
                    "{name}: the last active superuser cannot be removed."
                ));
            }
            Err(Refused::Invalid(errors)) => {
                let errors = errors.iter().flat_map(|(_, errors)| errors);
                refused.extend(errors.map(|error| format!("{name}: {}", error.django())));
            }
            Err(Refused::Conflict) => refused.push(format!(
                "{name}: others change the same at this moment. Please try again."
            )),
            Err(error) => return Err(error.into()),
        }
    }
    let group = group.map_or("", |group| group.name.as_str());
    let told = (done > 0).then(|| action.done(&counted(done, "user"), group));
    let told = told.into_iter().map(Message::success);
    Ok(told
        .chain(refused.into_iter().map(Message::error))
        .collect())
}

async fn change(
    app: &App,
    staff: &Staff,
    action: BulkAction,
    user: User,
    group: Option<&Group>,
) -> Result<(), Refused> {
    let groups: BTreeSet<GroupId> = group.into_iter().map(|group| group.id).collect();
    let mut change = UserChange::default();
    match action {
        BulkAction::Activate => change.is_active = Some(true),
        BulkAction::Deactivate => change.is_active = Some(false),
        BulkAction::AddToGroup => change.groups = Some(SetChange::Add(groups)),
        BulkAction::RemoveFromGroup => change.groups = Some(SetChange::Remove(groups)),
        BulkAction::Delete => return users::delete(&app.store, staff.actor(), user).await,
    }
    users::change(&app.store, staff.actor(), user, &change)
        .await
        .map(drop)
}
