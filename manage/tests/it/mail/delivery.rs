//! A mail is never lost, and sent twice only if the mailer dies between sending and forgetting.

use std::sync::atomic::{AtomicUsize, Ordering};

use mailer::{Delivery, Dropped, NotSent};
use shared::mail::Kind;
use testkit::{proxy::Fault, smtp::Step};

use super::world::{World, header, link, parts};

#[tokio::test]
async fn a_mail_is_sent_once_and_forgotten() {
    let world = World::start().await;
    let ann = world.user("ann").await;
    let id = world
        .owe(Kind::PasswordReset, Some(ann.id), "ann@example.com")
        .await;
    assert_eq!(world.mailer.deliver(&id).await.unwrap(), Delivery::Sent);
    assert_eq!(world.mailer.deliver(&id).await.unwrap(), Delivery::Done);
    let message = world.sink.next("ann@example.com").await;
    assert_eq!((world.sink.left(), world.owed().await), (0, 0));
    assert_eq!(message.from, "shop@example.com");
    assert_eq!(message.to, ["ann@example.com"]);
    for (name, value) in [
        ("From", "Shop <shop@example.com>"),
        ("To", "ann@example.com"),
        ("Auto-Submitted", "auto-generated"),
        ("MIME-Version", "1.0"),
        ("Subject", "A new password at Example & <Sons>"),
    ] {
        assert_eq!(header(&message, name), value);
    }
    let id = header(&message, "Message-ID");
    assert!(id.starts_with('<') && id.ends_with("@example.com>"), "{id}");
    header(&message, "Date");
    let kind = header(&message, "Content-Type");
    assert!(kind.starts_with("multipart/alternative;"), "{kind}");
    let [text, html] = parts(&message);
    for fact in ["Example & <Sons>", "ann", "3 days"] {
        assert!(text.contains(fact), "{fact}: {text}");
    }
    for piece in ["Example &#38; &#60;Sons&#62;", "color-scheme", "3 days"] {
        assert!(html.contains(piece), "{piece}: {html}");
    }
}

#[tokio::test]
async fn the_link_of_a_mail_sets_a_password_once() {
    let world = World::start().await;
    let ann = world.user("ann").await;
    let id = world
        .owe(Kind::PasswordReset, Some(ann.id), "ann@example.com")
        .await;
    world.mailer.deliver(&id).await.unwrap();
    let (uid, token) = link(&world.sink.next("ann@example.com").await, "reset");
    let body = serde_json::json!({"uid": uid, "token": token, "new_password": "Rk-9-Lo.pq_Wx"});
    let path = "users/reset_password_confirm/";
    for status in [204, 400] {
        let answer = world.post(testkit::NOBODY, path, body.clone()).await;
        answer.assert_status(status);
    }
}

#[tokio::test]
async fn what_a_server_refuses_is_still_owed_and_sent_later() {
    let world = World::start().await;
    let ann = world.user("ann").await;
    for (tries, (step, code)) in [
        (Step::Connect, 421),
        (Step::Mail, 451),
        (Step::Recipient, 550),
        (Step::Data, 554),
    ]
    .into_iter()
    .enumerate()
    {
        let id = world
            .owe(Kind::PasswordChanged, Some(ann.id), "ann@example.com")
            .await;
        world.sink.refuse(step, code);
        let failed = world.mailer.deliver(&id).await;
        assert!(matches!(failed, Err(NotSent::Refused(_))), "{failed:?}");
        let mail = world.table.mail(&id).await.unwrap().expect("a mail");
        assert_eq!((mail.tries, mail.claimed_until), (1, 0), "{tries}");
        world.sink.heal();
        assert_eq!(world.mailer.deliver(&id).await.unwrap(), Delivery::Sent);
        world.sink.next("ann@example.com").await;
        assert_eq!((world.sink.left(), world.owed().await), (0, 0));
    }
}

#[tokio::test]
async fn a_mailer_that_dies_with_a_mail_in_hand_loses_it_for_a_minute_only() {
    let world = World::start().await;
    let ann = world.user("ann").await;
    let id = world
        .owe(Kind::PasswordChanged, Some(ann.id), "ann@example.com")
        .await;
    // What a mailer that is killed after its first step leaves behind.
    let until = world.app.clock.now() + mailer::LEASE;
    assert!(world.table.claim_mail(&id, until).await.unwrap());
    let other = world.mailer.deliver(&id).await;
    assert!(matches!(other, Err(NotSent::InHand)), "{other:?}");
    assert_eq!(world.mailer.deliver_owed(0).await.unwrap(), 0);
    assert_eq!((world.sink.left(), world.owed().await), (0, 1));
    world.pass(mailer::LEASE + 1);
    assert_eq!(world.mailer.deliver_owed(0).await.unwrap(), 1);
    world.sink.next("ann@example.com").await;
    assert_eq!(world.owed().await, 0);
}

#[tokio::test]
async fn a_mail_is_sent_twice_only_if_it_cannot_be_forgotten() {
    let world = World::start().await;
    let ann = world.user("ann").await;
    let id = world
        .owe(Kind::PasswordChanged, Some(ann.id), "ann@example.com")
        .await;
    world.proxy.inject(|operation, _| {
        let fault = Fault::Refused(400, "AccessDeniedException");
        (operation == "DeleteItem").then_some(fault)
    });
    let failed = world.mailer.deliver(&id).await;
    assert!(matches!(failed, Err(NotSent::Unavailable(_))), "{failed:?}");
    world.sink.next("ann@example.com").await;
    world.proxy.heal();
    assert_eq!(world.owed().await, 1);
    world.pass(mailer::LEASE + 1);
    assert_eq!(world.mailer.deliver(&id).await.unwrap(), Delivery::Sent);
    world.sink.next("ann@example.com").await;
    assert_eq!(world.owed().await, 0);
}

#[tokio::test]
async fn a_lost_answer_of_the_table_loses_no_mail_and_doubles_none() {
    let world = World::start().await;
    let ann = world.user("ann").await;
    let id = world
        .owe(Kind::PasswordChanged, Some(ann.id), "ann@example.com")
        .await;
    world
        .proxy
        .inject_once(Fault::LostAnswer, |operation, _| operation == "DeleteItem");
    assert_eq!(world.mailer.deliver(&id).await.unwrap(), Delivery::Sent);
    world.sink.next("ann@example.com").await;
    assert_eq!((world.sink.left(), world.owed().await), (0, 0));
}

#[tokio::test]
async fn other_writes_of_the_table_that_get_in_the_way_of_forgetting_double_no_mail() {
    let world = World::start().await;
    let ann = world.user("ann").await;
    let id = world
        .owe(Kind::PasswordChanged, Some(ann.id), "ann@example.com")
        .await;
    // More often than a write is tried.
    let met = AtomicUsize::new(0);
    world.proxy.inject(move |operation, _| {
        let is_met = operation == "DeleteItem" && met.fetch_add(1, Ordering::SeqCst) < 12;
        is_met.then_some(Fault::Cancelled("TransactionConflict"))
    });
    assert_eq!(world.mailer.deliver(&id).await.unwrap(), Delivery::Sent);
    world.sink.next("ann@example.com").await;
    assert_eq!((world.sink.left(), world.owed().await), (0, 0));
}

#[tokio::test]
async fn what_a_server_refuses_for_good_is_tried_for_a_day_and_what_it_cannot_take_for_longer() {
    let world = World::start().await;
    let ann = world.user("ann").await;
    for (step, code, is_given_up) in [
        (Step::Recipient, 550, true),
        (Step::Data, 554, true),
        // Of the moment, or of the connection.
        (Step::Recipient, 450, false),
        (Step::Mail, 530, false),
        (Step::Connect, 521, false),
    ] {
        let id = world
            .owe(Kind::PasswordChanged, Some(ann.id), "ann@example.com")
            .await;
        world.sink.refuse(step, code);
        world.pass(86_399);
        let early = world.mailer.deliver(&id).await;
        assert!(matches!(early, Err(NotSent::Refused(_))), "{early:?}");
        world.pass(1);
        let late = world.mailer.deliver(&id).await;
        if is_given_up {
            let refused = Delivery::Dropped(Dropped::Refused);
            assert_eq!(late.unwrap(), refused, "{code}");
        } else {
            assert!(matches!(late, Err(NotSent::Refused(_))), "{late:?}");
            world.sink.heal();
            assert_eq!(world.mailer.deliver(&id).await.unwrap(), Delivery::Sent);
            world.sink.next("ann@example.com").await;
        }
        assert_eq!((world.sink.left(), world.owed().await), (0, 0), "{code}");
        world.sink.heal();
    }
}

#[tokio::test]
async fn mailers_at_the_same_time_send_a_mail_once() {
    let world = World::start().await;
    let ann = world.user("ann").await;
    let id = world
        .owe(Kind::PasswordChanged, Some(ann.id), "ann@example.com")
        .await;
    let all = (0..8).map(|_| {
        let (mailer, id) = (world.mailer.clone(), id.clone());
        tokio::spawn(async move { mailer.deliver(&id).await })
    });
    let all: Vec<_> = all.collect();
    let mut sent = 0;
    for one in all {
        match one.await.expect("no panic") {
            Ok(Delivery::Sent) => sent += 1,
            Ok(Delivery::Done) | Err(NotSent::InHand) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((sent, world.sink.left(), world.owed().await), (1, 1, 0));
}

#[tokio::test]
async fn mails_that_never_leave_keep_no_others_waiting() {
    let world = World::start().await;
    let ann = world.user("ann").await;
    let owe = || world.owe(Kind::PasswordChanged, Some(ann.id), "ann@example.com");
    for _ in 0..4 {
        owe().await;
    }
    world.sink.refuse(Step::Recipient, 550);
    for _ in 0..2 {
        assert!(world.mailer.deliver_owed(0).await.is_err());
    }
    // All of these were tried; one is new.
    world.pass(1);
    let new = owe().await;
    assert!(world.mailer.deliver_owed(0).await.is_err());
    let tries = world.table.mail(&new).await.unwrap().expect("a mail").tries;
    assert_eq!(tries, 1, "the new one waits behind the old");
}

#[tokio::test]
async fn a_server_that_refuses_mails_for_good_gets_the_others_and_one_that_is_down_does_not() {
    let world = World::start().await;
    let ann = world.user("ann").await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        let owed = world.owe(Kind::PasswordChanged, Some(ann.id), "ann@example.com");
        ids.push(owed.await);
    }
    let tries = async || {
        let mut tries = 0;
        for id in &ids {
            tries += world.table.mail(id).await.unwrap().expect("a mail").tries;
        }
        tries
    };
    world.sink.refuse(Step::Recipient, 450);
    assert!(world.mailer.deliver_owed(0).await.is_err());
    assert_eq!(tries().await, 3);
    world.sink.refuse(Step::Recipient, 550);
    assert!(world.mailer.deliver_owed(0).await.is_err());
    assert_eq!(tries().await, 8);
}

#[tokio::test]
async fn what_is_asked_for_by_address_reaches_whoever_has_it_in_any_letter_case() {
    let world = World::start().await;
    world.user("ann").email("Ann@example.com").await;
    let id = world
        .owe(Kind::PasswordReset, None, "aNN@EXAMPLE.com")
        .await;
    assert_eq!(world.mailer.deliver(&id).await.unwrap(), Delivery::Sent);
    let message = world.sink.next("Ann@example.com").await;
    // To the stored address, and for it.
    assert_eq!(message.to, ["Ann@example.com"]);
    let (uid, _) = link(&message, "reset");
    assert_eq!(uid, "Mg");
}

#[tokio::test]
async fn each_of_those_who_share_an_address_gets_a_mail_of_their_own() {
    let world = World::start().await;
    for name in ["ann", "bob"] {
        let user = world.user(name).email("shared@example.com");
        user.with(|user| user.shares_email = true).await;
    }
    let id = world
        .owe(Kind::PasswordReset, None, "SHARED@example.com")
        .await;
    assert_eq!(world.mailer.deliver(&id).await.unwrap(), Delivery::Split);
    assert_eq!(world.owed().await, 2);
    assert_eq!(world.mailer.deliver_owed(0).await.unwrap(), 2);
    let mut uids = Vec::new();
    for _ in 0..2 {
        let message = world.sink.next("shared@example.com").await;
        uids.push(link(&message, "reset").0);
    }
    uids.sort();
    assert_eq!(uids, ["Mg", "Mw"]);
    assert_eq!(world.owed().await, 0);
}

#[tokio::test]
async fn a_mail_to_more_owners_of_an_address_than_a_transaction_holds_is_one_for_each() {
    let world = World::start().await;
    for number in 0..120 {
        let name = format!("owner{number}");
        let user = world
            .user(&name)
            .hash("!unusable")
            .email("shared@example.com");
        user.with(|user| user.shares_email = true).await;
    }
    let to = "shared@example.com";
    let id = world.owe(Kind::PasswordReset, None, to).await;
    // The last step fails once: what was done before is done again, and is there once.
    world.proxy.inject(|operation, _| {
        let is_last = operation == "TransactWriteItems";
        is_last.then_some(Fault::Refused(500, "InternalServerError"))
    });
    assert!(world.mailer.deliver(&id).await.is_err());
    world.proxy.heal();
    assert_eq!(world.mailer.deliver(&id).await.unwrap(), Delivery::Split);
    assert_eq!(world.owed().await, 120);
}

#[tokio::test]
async fn the_work_for_an_unknown_address_is_that_for_one_whose_account_gets_no_mail() {
    let world = World::start().await;
    world.without_password("ann").await;
    let mut operations = Vec::new();
    for (to, why) in [
        ("nobody@example.com", Dropped::Nobody),
        ("ann@example.com", Dropped::Changed),
    ] {
        let id = world.owe(Kind::PasswordReset, None, to).await;
        world.proxy.take_calls();
        let delivery = world.mailer.deliver(&id).await.unwrap();
        assert_eq!(delivery, Delivery::Dropped(why));
        let calls = world.proxy.take_calls().into_iter();
        operations.push(calls.map(|call| call.operation).collect::<Vec<_>>());
    }
    // The list of those who have the address is the one read more.
    assert!(
        operations[0].len() + 1 >= operations[1].len(),
        "{operations:?}"
    );
}
