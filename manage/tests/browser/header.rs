//! The header reaches from edge to edge.

use serde_json::json;

use crate::{
    browser::{LIGHT, NARROW},
    tour::world,
};

#[tokio::test]
async fn the_header_reaches_the_edge_of_the_window_with_a_scrollbar_and_without() {
    let Some(world) = world().await else {
        return;
    };
    let site = &world.site;
    for look in [LIGHT, NARROW] {
        site.look(look).await;
        for (path, scrolls) in [
            ("/admin/auth/permission/add/", false),
            ("/admin/auth/user/1/change/", true),
        ] {
            site.open(path).await;
            let measured = site
                .run(
                    "const {left, right} = document.querySelector('.top').getBoundingClientRect();
                     return [left, right, document.documentElement.clientWidth < innerWidth]",
                )
                .await;
            assert_eq!(
                measured,
                json!([0, look.width, scrolls]),
                "{path} {}",
                look.name
            );
        }
    }
}
