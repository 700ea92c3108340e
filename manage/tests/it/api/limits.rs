//! Limits of logins and registrations.

use futures_util::future::try_join_all;
use shared::store::attempts::{COUNTERS, Counter};
use testkit::{Observed, PASSWORD, detail};

#[tokio::test]
async fn registrations_from_one_address_have_a_rate() {
    let site = Observed::with(&[("THROTTLE_RATE_REGISTER", "2/hour")]).await;
    for name in ["ann", "bob"] {
        site.register(name).await.assert_status(201);
    }
    let answer = site.register("cid").await;
    let wait = answer
        .header("retry-after")
        .expect("a time to wait")
        .to_owned();
    let unit = if wait == "1" { "second" } else { "seconds" };
    let text = format!("Request was throttled. Expected available in {wait} {unit}.");
    answer.assert(429, detail(&text));
    site.pass(wait.parse().unwrap());
    site.register("cid").await.assert_status(201);
}

#[tokio::test]
async fn a_new_password_opens_an_account_that_more_networks_try_than_are_looked_at() {
    let site = Observed::with(&[("LOGIN_FAILURE_LIMIT_PER_ACCOUNT", "3")]).await;
    let ann = site.user("ann").await;
    for _ in 0..4 {
        site.login("ann", "wrong").await;
    }
    site.login("ann", PASSWORD).await.assert_status(429);
    let store = &site.table;
    let counter = Counter::new("logins of ann", 900);
    let networks: Vec<usize> = (0..=COUNTERS).collect();
    for networks in networks.chunks(50) {
        let counts = networks.iter().map(|network| {
            let counter = counter.of(&format!("network {network}"));
            async move { store.count_attempt(&counter).await }
        });
        try_join_all(counts).await.unwrap();
    }
    site.set_password(&ann, PASSWORD).await;
    site.login("ann", PASSWORD).await.assert_status(200);
}

#[tokio::test]
async fn many_failures_close_an_account_but_not_to_an_address_that_it_has_a_session_from() {
    let settings = [
        ("LOGIN_FAILURE_LIMIT", "0"),
        ("LOGIN_FAILURE_LIMIT_PER_ACCOUNT", "3"),
    ];
    let site = Observed::with(&settings).await;
    site.user("ann").await;
    site.user("bob").await;
    site.log_in("bob", PASSWORD).await;
    for name in ["ann", "bob"] {
        for _ in 0..3 {
            site.login(name, "wrong").await.assert_status(401);
        }
    }
    site.login("ann", PASSWORD).await.assert_status(429);
    site.login("bob", PASSWORD).await.assert_status(200);
}

#[tokio::test]
async fn simultaneous_guesses_are_verified_no_more_often_than_the_limit() {
    let site = Observed::start().await;
    let one = || {
        let client = (**site).clone();
        tokio::spawn(async move { client.login("admin", "wrong").await.status })
    };
    let tries: Vec<_> = (0..60).map(|_| one()).collect();
    let mut verified = 0;
    for one in tries {
        verified += u32::from(one.await.unwrap() == 401);
    }
    assert_eq!(verified, 30);
}
