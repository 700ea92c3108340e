//! What axe-core finds: nothing, on every page, in light and dark, wide and narrow.

use super::{
    tour::{Stop, World, world},
    window::{DARK, LIGHT, NARROW, NARROW_DARK},
};

/// <https://github.com/dequelabs/axe-core>, under the licence in its head.
const AXE: &str = include_str!("axe.min.js");

const RUN: &str = "
    const done = arguments[arguments.length - 1];
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const told = ({id, nodes}) => nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`);
    axe.run(document, {runOnly: tags, resultTypes: ['violations']})
        .then(({passes, violations}) => done([passes.length, violations.flatMap(told)]))
        .catch((error) => done([0, [String(error)]]));";

impl World {
    async fn assert_accessible(&self, stops: &[Stop]) {
        let mut violations = Vec::new();
        for stop in stops {
            self.visit(stop).await;
            self.site.run(AXE).await;
            for look in [LIGHT, DARK, NARROW, NARROW_DARK] {
                self.site.look(look).await;
                let found = self.site.run_async(RUN).await;
                assert!(found[0].as_u64() > Some(10), "{found}");
                let found = found[1].as_array().unwrap().iter();
                violations.extend(found.map(|one| format!("{} {}: {one}", stop.path, look.name)));
            }
        }
        assert_eq!(violations, Vec::<String>::new());
    }
}

#[tokio::test]
async fn axe_finds_nothing_on_the_pages_of_users() {
    let Some(world) = world().await else { return };
    world.assert_accessible(&world.users()).await;
}

#[tokio::test]
async fn axe_finds_nothing_on_the_pages_of_groups_and_permissions() {
    let Some(world) = world().await else { return };
    world
        .assert_accessible(&world.groups_and_permissions())
        .await;
}

#[tokio::test]
async fn axe_finds_nothing_on_the_pages_that_mails_lead_to() {
    let Some(world) = world().await else { return };
    world.assert_accessible(&world.account_life().await).await;
}

#[tokio::test]
async fn axe_finds_nothing_on_the_other_pages_and_for_those_who_may_do_little() {
    let Some(world) = world().await else { return };
    world.assert_accessible(&world.others()).await;
    world.assert_accessible(&world.signed_out().await).await;
    world.assert_accessible(&world.lookers().await).await;
    world
        .assert_accessible(&world.staff_without_permissions().await)
        .await;
}

#[tokio::test]
async fn axe_finds_what_is_wrong() {
    let Some(world) = world().await else { return };
    world.site.open("/admin/auth/user/").await;
    world.site.run(AXE).await;
    world
        .site
        .run("document.querySelector('label[for=id_q]').remove()")
        .await;
    world
        .site
        .run("document.querySelector('h1').style.color = '#bbb'")
        .await;
    let found = world.site.run_async(RUN).await[1].to_string();
    assert!(
        found.contains("\"label: ") && found.contains("\"color-contrast: "),
        "{found}"
    );
}
