//! A service over a recording proxy, which the parts give what they need.

use std::ops::Deref;

use testkit::Observed;

pub struct World(pub Observed);

impl Deref for World {
    type Target = Observed;

    fn deref(&self) -> &Observed {
        &self.0
    }
}

impl World {
    pub async fn start() -> Self {
        Self(Observed::start().await)
    }
}
