//! The mailer reads the account again: who gets a mail, and which are dropped.

use mailer::{Delivery, Dropped};
use shared::{
    domain::{User, UserId},
    mail::Kind,
};
use testkit::parsed;

use super::world::{World, link, parts};

impl World {
    /// What becomes of a mail to a user.
    async fn became(&self, kind: Kind, user: &User, to: &str) -> Delivery {
        let id = self.owe(kind, Some(user.id), to).await;
        let became = self.mailer.deliver(&id).await.expect("an end");
        assert_eq!(self.owed().await, 0, "{kind:?}");
        became
    }

    /// What becomes of a mail that somebody asked for by an address.
    async fn became_asked(&self, kind: Kind, to: &str) -> Delivery {
        let id = self.owe(kind, None, to).await;
        self.mailer.deliver(&id).await.expect("an end")
    }

    async fn assert_none_left(&self) {
        assert_eq!((self.sink.left(), self.owed().await), (0, 0));
    }
}

const ALL: [Kind; 9] = [
    Kind::Activation,
    Kind::PasswordReset,
    Kind::UsernameReset,
    Kind::Invitation,
    Kind::Confirmation,
    Kind::PasswordChanged,
    Kind::UsernameChanged,
    Kind::EmailChanged,
    Kind::SessionEnded,
];
const CHANGED: Delivery = Delivery::Dropped(Dropped::Changed);

#[tokio::test]
async fn no_mail_is_sent_to_who_is_gone() {
    let world = World::start().await;
    let ann = world.user("ann").await;
    world.remove(&ann).await;
    for kind in ALL {
        let became = world.became(kind, &ann, "ann@example.com").await;
        assert_eq!(became, Delivery::Dropped(Dropped::Nobody), "{kind:?}");
    }
    world.assert_none_left().await;
}

#[tokio::test]
async fn only_the_mail_of_a_changed_address_goes_to_one_that_is_no_longer_theirs() {
    let world = World::start().await;
    let ann = world.user("ann").await;
    for kind in ALL {
        let became = world.became(kind, &ann, "old@example.com").await;
        let expected = match kind {
            Kind::EmailChanged => Delivery::Sent,
            _ => Delivery::Dropped(Dropped::OtherAddress),
        };
        assert_eq!(became, expected, "{kind:?}");
    }
    world.sink.next("old@example.com").await;
    world.assert_none_left().await;
}

#[tokio::test]
async fn an_activation_goes_to_who_was_never_active_and_to_an_address_that_waits() {
    let world = World::start().await;
    let waiting = world.waiting("waiting").await;
    let active = world.user("active").await;
    let ended = world.user("ended").inactive().await;
    let unusable = world.user("unusable").inactive().hash("!unusable");
    let unusable = unusable.with(|user| user.awaits_activation = true).await;
    let pending = |user: &mut User| user.pending_email = Some(parsed("new@example.com"));
    let moving = world.user("moving").with(pending).await;
    let kept_out = world.user("kept_out").inactive();
    let kept_out = kept_out
        .with(|user| user.pending_email = Some(parsed("other@example.com")))
        .await;
    for (user, to, expected) in [
        (&waiting, "waiting@example.com", Delivery::Sent),
        (&unusable, "unusable@example.com", Delivery::Sent),
        (&active, "active@example.com", CHANGED),
        (&ended, "ended@example.com", CHANGED),
        (&moving, "new@example.com", Delivery::Sent),
        (&moving, "moving@example.com", CHANGED),
        (&kept_out, "other@example.com", CHANGED),
    ] {
        let became = world.became(Kind::Activation, user, to).await;
        assert_eq!(became, expected, "{} at {to}", user.username.as_str());
    }
    link(&world.sink.next("waiting@example.com").await, "activate");
    world.sink.next("unusable@example.com").await;
    let message = world.sink.next("new@example.com").await;
    link(&message, "activate");
    assert!(parts(&message)[0].contains("new@example.com") || !parts(&message)[0].is_empty());
    world.assert_none_left().await;
    for (to, expected) in [
        ("WAITING@example.com", Delivery::Sent),
        ("active@example.com", CHANGED),
        ("ended@example.com", CHANGED),
        ("unusable@example.com", CHANGED),
        ("new@example.com", Delivery::Dropped(Dropped::Nobody)),
    ] {
        let became = world.became_asked(Kind::Activation, to).await;
        assert_eq!(became, expected, "{to}");
    }
}

#[tokio::test]
async fn a_link_to_a_new_secret_goes_to_active_accounts_only() {
    let world = World::start().await;
    let ann = world.user("ann").await;
    let unusable = world.without_password("unusable").await;
    let inactive = world.user("inactive").inactive().await;
    let to = |user: &User| user.email.as_str().to_owned();
    for kind in [Kind::PasswordReset, Kind::UsernameReset] {
        for (user, expected) in [
            (&ann, Delivery::Sent),
            (&unusable, CHANGED),
            (&inactive, CHANGED),
        ] {
            let became = world.became(kind, user, &to(user)).await;
            assert_eq!(became, expected, "{kind:?} {}", to(user));
            let became = world.became_asked(kind, &to(user)).await;
            assert_eq!(became, expected, "{kind:?} asked for, {}", to(user));
        }
    }
    for (user, expected) in [(&unusable, Delivery::Sent), (&inactive, CHANGED)] {
        let became = world.became(Kind::Invitation, user, &to(user)).await;
        assert_eq!(became, expected, "{}", to(user));
    }
    // An invitation leads to where a password is set.
    link(&world.sink.next("unusable@example.com").await, "reset");
}

#[tokio::test]
async fn a_mail_whose_link_would_have_ended_is_dropped() {
    let world = World::start().await;
    let ann = world.user("ann").await;
    let late = world.app.clock.now() - 259_201;
    let owe = async |kind| {
        let to = "ann@example.com";
        let id = world.owe_as(kind, Some(ann.id), to, |mail| mail.created = late);
        let id = id.await;
        world.mailer.deliver(&id).await.expect("an end")
    };
    let became = owe(Kind::PasswordReset).await;
    assert_eq!(became, Delivery::Dropped(Dropped::TooLate));
    assert_eq!(owe(Kind::PasswordChanged).await, Delivery::Sent);
}

#[tokio::test]
async fn a_mail_of_a_change_tells_when_and_from_where() {
    let world = World::start().await;
    let ann = world.user("ann").await;
    for kind in [
        Kind::PasswordChanged,
        Kind::UsernameChanged,
        Kind::EmailChanged,
        Kind::SessionEnded,
    ] {
        let id = world
            .owe_as(kind, Some(ann.id), "ann@example.com", |mail| {
                mail.address = Some("192.0.2.7".to_owned());
                mail.user_agent = Some("Browser <9>".to_owned());
            })
            .await;
        world.mailer.deliver(&id).await.expect("an end");
        let [text, html] = parts(&world.sink.next("ann@example.com").await);
        for fact in ["25 November 2026, 15:04 UTC", "192.0.2.7", "Browser <9>"] {
            assert!(text.contains(fact), "{kind:?}: {text}");
        }
        assert!(html.contains("Browser &#60;9&#62;"), "{kind:?}: {html}");
    }
}

#[tokio::test]
async fn a_mail_about_nobody_is_dropped() {
    let world = World::start().await;
    let id = world.owe(Kind::Confirmation, Some(UserId(99)), "x@example.com");
    let became = world.mailer.deliver(&id.await).await.expect("an end");
    assert_eq!(became, Delivery::Dropped(Dropped::Nobody));
    world.assert_none_left().await;
}
