//! Nothing moves once it is shown.

use serde_json::{Value, json};

use super::{
    tour::{Stop, World, world},
    window::{Browser, LIGHT, Look, NARROW},
};

const WATCH: &str = "
    window.shifts = [];
    new PerformanceObserver((list) => {
        for (const {value, sources} of list.getEntries()) {
            const moved = sources.map(({node}) => node?.outerHTML?.slice(0, 120));
            window.shifts.push(`${value} ${moved}`);
        }
    }).observe({type: 'layout-shift', buffered: true});";

/// What moved until now: a shift is reported after the frame that it is in.
const TELL: &str = "
    const done = arguments[arguments.length - 1];
    const frame = (then) => requestAnimationFrame(() => setTimeout(then));
    frame(() => frame(() => done(window.shifts)));";

impl Browser {
    /// Notes from now on what moves on each page.
    async fn watch_shifts(&self) {
        let script = json!({ "source": WATCH });
        self.devtools("Page.addScriptToEvaluateOnNewDocument", script)
            .await;
    }

    /// Loads everything anew and slowly, so that pages are shown before all of them has arrived.
    async fn slow_down(&self) {
        let line = json!({"offline": false, "latency": 20, "downloadThroughput": 100_000, "uploadThroughput": 100_000});
        self.devtools("Network.enable", json!({})).await;
        self.devtools("Network.emulateNetworkConditions", line)
            .await;
        self.devtools("Network.setCacheDisabled", json!({ "cacheDisabled": true }))
            .await;
    }

    async fn shifts(&self) -> Vec<Value> {
        self.run_async(TELL)
            .await
            .as_array()
            .expect("shifts")
            .clone()
    }
}

impl World {
    async fn assert_still(&self, look: Look) {
        self.site.watch_shifts().await;
        self.site.slow_down().await;
        self.site.look(look).await;
        let mut moved = self.shifts(&self.users()).await;
        moved.extend(self.shifts(&self.groups_and_permissions()).await);
        moved.extend(self.shifts(&self.others()).await);
        moved.extend(self.shifts(&self.signed_out().await).await);
        assert_eq!(moved, Vec::<String>::new());
    }

    async fn shifts(&self, stops: &[Stop]) -> Vec<String> {
        let mut moved = Vec::new();
        for stop in stops {
            self.visit(stop).await;
            let shifts = self.site.shifts().await.into_iter();
            moved.extend(shifts.map(|shift| format!("{}: {shift}", stop.path)));
        }
        moved
    }
}

#[tokio::test]
async fn nothing_moves_while_a_page_loads() {
    if let Some(world) = world().await {
        world.assert_still(LIGHT).await;
    }
}

#[tokio::test]
async fn nothing_moves_while_a_page_loads_in_a_narrow_window() {
    if let Some(world) = world().await {
        world.assert_still(NARROW).await;
    }
}

#[tokio::test]
async fn what_moves_would_be_noticed() {
    let Some(world) = world().await else { return };
    world.site.watch_shifts().await;
    world.site.open("/admin/auth/user/").await;
    assert_eq!(world.site.shifts().await, [""; 0]);
    world
        .site
        .run("document.querySelector('main').style.marginTop = '100px'")
        .await;
    let noticed = || async { (!world.site.shifts().await.is_empty()).then_some(()) };
    world.site.wait_for("shift", noticed).await;
}
