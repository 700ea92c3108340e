//! The header reaches from edge to edge.

use serde_json::json;

use super::{
    tour::world,
    window::{LIGHT, NARROW},
};

const MEASURE: &str = "
    const {left, right} = document.querySelector('.top').getBoundingClientRect();
    return [left, right, document.documentElement.clientWidth < innerWidth]";

#[tokio::test]
async fn the_header_reaches_the_edge_of_the_window_with_a_scrollbar_and_without() {
    let Some(world) = world().await else { return };
    let site = &world.site;
    for look in [LIGHT, NARROW] {
        site.look(look).await;
        for (path, scrolls) in [
            ("/admin/auth/permission/add/", false),
            ("/admin/auth/user/1/change/", true),
        ] {
            site.open(path).await;
            let expected = json!([0, look.width, scrolls]);
            assert_eq!(site.run(MEASURE).await, expected, "{path} {}", look.name);
        }
    }
}
