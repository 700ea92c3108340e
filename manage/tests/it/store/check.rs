//! `manage check` names every kind of damage: each is done to the table behind the service's back.

use aws_sdk_dynamodb::types::AttributeValue;
use shared::{
    domain::{ContentType, Flag, GroupId, User, UserId},
    store::{
        items::{attributes, number, text},
        keys::{Entity, Key, Sequence},
        sessions::Session,
    },
};
use testkit::{PASSWORD, parsed};

use super::world::World;

impl World {
    /// Deletes an item, which must exist.
    async fn lose(&self, entity: Entity<'_>) {
        let (client, table) = self.raw();
        let delete = client.delete_item().table_name(table);
        let delete = delete.set_key(Some(attributes(&entity.key())));
        let delete = delete.condition_expression("attribute_exists(PK)");
        delete.send().await.expect("an item to delete");
    }

    /// Puts an item that has only this attribute.
    async fn stray(&self, key: Key, name: &str, value: AttributeValue) {
        let (client, table) = self.raw();
        let put = client.put_item().table_name(table);
        let put = put.set_item(Some(attributes(&key))).item(name, value);
        put.send().await.expect("a put");
    }

    /// Sets one attribute of an item, which must exist.
    async fn set(&self, entity: Entity<'_>, name: &str, value: AttributeValue) {
        let (client, table) = self.raw();
        let update = client.update_item().table_name(table);
        let update = update
            .set_key(Some(attributes(&entity.key())))
            .update_expression("SET #name = :value")
            .condition_expression("attribute_exists(PK)")
            .expression_attribute_names("#name", name)
            .expression_attribute_values(":value", value);
        update.send().await.expect("an item to change");
    }

    /// Asserts what a check tells.
    async fn assert_broken<S: AsRef<str>>(&self, lines: &[S]) {
        let lines: Vec<&str> = lines.iter().map(AsRef::as_ref).collect();
        assert_eq!(self.broken().await, lines);
    }
}

/// A sound table with Ann (id 2), who is in the group Staff (id 1).
async fn sound() -> (World, User) {
    let world = World::start().await;
    let ann = world.user("ann").await;
    let staff = world.group("Staff", &[]).await;
    let ann = world.join(&ann, [staff.id]).await;
    world.assert_sound().await;
    (world, ann)
}

fn content_type() -> ContentType {
    ContentType {
        app_label: "auth".to_owned(),
        model: "user".to_owned(),
    }
}

fn key(pk: &str, sk: &str) -> Key {
    Key {
        pk: pk.to_owned(),
        sk: sk.to_owned(),
    }
}

const ANN: UserId = UserId(2);
const STAFF: GroupId = GroupId(1);

#[tokio::test]
async fn a_lost_username_marker_is_found() {
    let (world, ann) = sound().await;
    world.lose(Entity::UserName(&ann.username)).await;
    world
        .assert_broken(&["marker USERNAME#ann does not name 2"])
        .await;
}

#[tokio::test]
async fn a_username_marker_of_somebody_else_is_found() {
    let (world, ann) = sound().await;
    world
        .set(Entity::UserName(&ann.username), "user_id", number(1))
        .await;
    world
        .assert_broken(&[
            "marker USERNAME#ann does not name 2",
            "USERNAME#ann / USERNAME belongs to nobody",
        ])
        .await;
}

#[tokio::test]
async fn a_username_marker_that_nobody_has_is_found() {
    let (world, _) = sound().await;
    world
        .stray(Entity::UserName(&parsed("bob")).key(), "user_id", number(2))
        .await;
    world
        .stray(
            Entity::UserName(&parsed("cat")).key(),
            "user_id",
            number(77),
        )
        .await;
    world
        .assert_broken(&[
            "USERNAME#bob / USERNAME belongs to nobody",
            "USERNAME#cat / USERNAME belongs to nobody",
        ])
        .await;
}

#[tokio::test]
async fn a_lost_email_marker_is_found() {
    let (world, ann) = sound().await;
    world.lose(Entity::Email(&ann.email)).await;
    world
        .assert_broken(&["marker EMAIL#ann@example.com does not name 2"])
        .await;
}

#[tokio::test]
async fn wrong_index_keys_of_an_email_marker_are_found() {
    let (world, ann) = sound().await;
    world
        .set(
            Entity::Email(&ann.email),
            "GSI1SK",
            text("ann@example.com#0000000001"),
        )
        .await;
    world
        .assert_broken(&["EMAIL#ann@example.com / EMAIL has wrong index keys"])
        .await;
}

#[tokio::test]
async fn an_email_marker_that_nobody_has_is_found() {
    let (world, _) = sound().await;
    world
        .stray(
            Entity::Email(&parsed("bob@example.com")).key(),
            "user_id",
            number(2),
        )
        .await;
    world
        .assert_broken(&["EMAIL#bob@example.com / EMAIL belongs to nobody"])
        .await;
}

#[tokio::test]
async fn wrong_index_keys_of_a_profile_are_found() {
    for (attribute, value) in [("GSI1SK", "anna#0000000002"), ("GSI1PK", "NOBODY")] {
        let (world, _) = sound().await;
        world.set(Entity::User(ANN), attribute, text(value)).await;
        world
            .assert_broken(&["USER#2 / PROFILE has wrong index keys"])
            .await;
    }
}

#[tokio::test]
async fn a_missing_credential_is_found() {
    let (world, _) = sound().await;
    world.lose(Entity::Credential(ANN)).await;
    world.assert_broken(&["user 2 has no credential"]).await;
}

#[tokio::test]
async fn a_credential_of_another_epoch_is_found_and_one_of_none_is_sound() {
    let (world, _) = sound().await;
    let credential = || Entity::Credential(ANN);
    world.set(credential(), "epoch", number(3)).await;
    let line = "user 2 has the epoch 0, but their credential 3";
    world.assert_broken(&[line]).await;
    world.stray(credential().key(), "password", text("!")).await;
    world.assert_sound().await;
}

#[tokio::test]
async fn a_session_of_nobody_is_found() {
    let (world, _) = sound().await;
    let session = |id| Entity::Session(UserId(id), "0f").key();
    world.stray(session(2), "created", number(1)).await;
    world.assert_sound().await;
    world.stray(session(77), "created", number(1)).await;
    let line = format!("{} / 0f belongs to nobody", session(77).pk);
    world.assert_broken(&[line]).await;
}

#[tokio::test]
async fn a_session_of_a_login_that_crossed_the_deletion_of_its_user_is_sound_and_a_later_one_is_not()
 {
    let (world, ann) = sound().await;
    world.login("ann", PASSWORD).await.assert_status(200);
    let session = world.table.sessions_of(ann.id).await.unwrap().remove(0);
    let answer = world.delete(&world.admin, "users/2/").await;
    answer.assert_status(204);
    for (seconds, broken) in [(-60, 0), (60, 0), (-61, 1), (61, 1)] {
        let sid = session.sid.clone();
        let created = session.created + seconds;
        let crossed = Session {
            created,
            ..session.clone()
        };
        let begun = world.table.begin_session(|| crossed.clone()).await;
        begun.unwrap();
        let lines = [format!("SESSION#2 / {sid} belongs to nobody")];
        world.assert_broken(&lines[..broken]).await;
    }
}

#[tokio::test]
async fn what_a_lost_profile_leaves_behind_is_found() {
    let (world, _) = sound().await;
    world.lose(Entity::User(ANN)).await;
    world
        .assert_broken(&[
            "CREDENTIAL#2 / CREDENTIAL belongs to nobody",
            "EMAIL#ann@example.com / EMAIL belongs to nobody",
            "USER#2 / GROUP#1 belongs to nobody",
            "USERNAME#ann / USERNAME belongs to nobody",
        ])
        .await;
}

#[tokio::test]
async fn a_missing_membership_is_found() {
    let (world, _) = sound().await;
    world.lose(Entity::Membership(ANN, STAFF)).await;
    world
        .assert_broken(&["USER#2 / GROUP#1 has wrong index keys"])
        .await;
}

#[tokio::test]
async fn a_membership_that_the_profile_does_not_confirm_is_found() {
    let (world, _) = sound().await;
    world
        .stray(Entity::Membership(ANN, GroupId(5)).key(), "x", number(1))
        .await;
    world
        .assert_broken(&["USER#2 / GROUP#5 belongs to nobody"])
        .await;
}

#[tokio::test]
async fn wrong_index_keys_of_a_membership_are_found() {
    let (world, _) = sound().await;
    world
        .set(Entity::Membership(ANN, STAFF), "GSI1PK", text("GROUP#2"))
        .await;
    world
        .assert_broken(&["USER#2 / GROUP#1 has wrong index keys"])
        .await;
}

#[tokio::test]
async fn a_superuser_that_the_set_does_not_hold_is_found() {
    let (world, _) = sound().await;
    world
        .set(
            Entity::User(ANN),
            "is_superuser",
            AttributeValue::Bool(true),
        )
        .await;
    world
        .assert_broken(&[
            "USER#2 / FLAG#SUPERUSER has wrong index keys",
            "the active superusers are {1, 2}, but the set holds {1}",
        ])
        .await;
}

#[tokio::test]
async fn a_flags_item_that_the_profile_does_not_confirm_is_found() {
    let (world, _) = sound().await;
    let key = Entity::Flagged(ANN, Flag::Staff).key();
    world.stray(key, "x", number(1)).await;
    world
        .assert_broken(&["USER#2 / FLAG#STAFF belongs to nobody"])
        .await;
}

#[tokio::test]
async fn a_set_of_superusers_with_others_in_it_is_found() {
    let (world, _) = sound().await;
    let ids = AttributeValue::Ns(vec!["1".to_owned(), "2".to_owned()]);
    world.set(Entity::ActiveSuperusers, "ids", ids).await;
    world
        .assert_broken(&["the active superusers are {1}, but the set holds {1, 2}"])
        .await;
}

#[tokio::test]
async fn a_lost_set_of_superusers_is_found() {
    let (world, _) = sound().await;
    world.lose(Entity::ActiveSuperusers).await;
    world
        .assert_broken(&["the active superusers are {1}, but the set holds {}"])
        .await;
}

#[tokio::test]
async fn sequences_behind_their_ids_are_found() {
    let (world, _) = sound().await;
    world
        .set(Entity::Sequence(Sequence::User), "value", number(1))
        .await;
    world
        .set(Entity::Sequence(Sequence::Permission), "value", number(3))
        .await;
    world.lose(Entity::Sequence(Sequence::Group)).await;
    world
        .assert_broken(&[
            "sequence Group is at 0, but 1 is in use",
            "sequence Permission is at 3, but 12 is in use",
            "sequence User is at 1, but 2 is in use",
        ])
        .await;
}

#[tokio::test]
async fn a_lost_group_name_marker_is_found() {
    let (world, _) = sound().await;
    world.lose(Entity::GroupName(&parsed("Staff"))).await;
    world
        .assert_broken(&["marker GROUPNAME#Staff does not name 1"])
        .await;
}

#[tokio::test]
async fn a_group_name_marker_of_no_group_is_found() {
    let (world, _) = sound().await;
    world
        .stray(
            Entity::GroupName(&parsed("Crew")).key(),
            "group_id",
            number(1),
        )
        .await;
    world
        .assert_broken(&["GROUPNAME#Crew / GROUPNAME belongs to nobody"])
        .await;
}

#[tokio::test]
async fn a_lost_codename_marker_is_found() {
    let (world, _) = sound().await;
    world
        .lose(Entity::Codename(&content_type(), &parsed("add_user")))
        .await;
    world
        .assert_broken(&["marker CODENAME#auth.add_user does not name 1"])
        .await;
}

#[tokio::test]
async fn a_codename_marker_of_no_permission_is_found() {
    let (world, _) = sound().await;
    world
        .stray(
            key("CODENAME#auth.add_user", "group"),
            "permission_id",
            number(1),
        )
        .await;
    world
        .assert_broken(&["CODENAME#auth.add_user / group belongs to nobody"])
        .await;
}

#[tokio::test]
async fn permissions_of_no_content_type_are_found() {
    let (world, _) = sound().await;
    world.lose(Entity::ContentType(&content_type())).await;
    let lines = [1, 2, 3, 4].map(|id| format!("permission {id} has no content type"));
    world.assert_broken(&lines).await;
}
