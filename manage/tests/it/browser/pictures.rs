//! Pictures of the main pages, in `target/screenshots/`, for people to look at.

use std::{fs, path::Path};

use serde_json::json;
use shared::domain::UserId;

use super::{
    site::page_of,
    tour::world,
    window::{DARK, LIGHT, NARROW},
};

#[tokio::test]
async fn the_main_pages_have_their_pictures_taken_and_none_is_wider_than_its_window() {
    let Some(world) = world().await else { return };
    let site = &world.site;
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/screenshots");
    fs::create_dir_all(&directory).unwrap();
    let pages = [
        ("home", "/admin/".to_owned()),
        ("users", "/admin/auth/user/".to_owned()),
        ("user", page_of(UserId(2), "change")),
        ("user-add", "/admin/auth/user/add/".to_owned()),
        ("user-delete", page_of(UserId(2), "delete")),
        ("user-history", page_of(UserId(2), "history")),
        ("group", "/admin/auth/group/1/change/".to_owned()),
        ("permissions", "/admin/auth/permission/".to_owned()),
        ("account-reset", "/account/reset/".to_owned()),
        ("account-ended", "/account/activate/x/y/".to_owned()),
        ("login", "/admin/login/".to_owned()),
    ];
    for (name, path) in pages {
        if name == "login" {
            site.open("/admin/").await;
            site.press("Log out").await;
        }
        site.open(&path).await;
        for look in [LIGHT, DARK, NARROW] {
            site.look(look).await;
            let fits = "return document.documentElement.scrollWidth <= innerWidth";
            assert_eq!(site.run(fits).await, json!(true), "{path} {}", look.name);
            let file = directory.join(format!("{name}-{}.png", look.name));
            site.picture(&file).await;
        }
    }
}
