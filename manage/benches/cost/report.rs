//! The table of what was measured, and what was aimed at.

/// What one kind of work costs.
pub struct Figure {
    name: &'static str,
    /// Microseconds of CPU for one, a turn each.
    turns: Vec<f64>,
    /// Of the thread that works.
    pub allocations: u64,
}

impl Figure {
    /// Nothing measured yet.
    pub fn of(name: &'static str) -> Self {
        let turns = Vec::new();
        Self {
            name,
            turns,
            allocations: 0,
        }
    }

    /// Adds a turn.
    pub fn add(&mut self, microseconds: f64) {
        self.turns.push(microseconds);
    }
}

/// What is not to be exceeded: CPU of the first as a multiple of the second.
const GOALS: [(&str, &str, f64); 3] = [
    ("profile", "GetItem", 1.5),
    ("refresh", "GetItem", 1.5),
    ("login", "Argon2id hash", 1.1),
];

/// Prints everything to standard error.
pub fn print(figures: &[Figure]) {
    let named = |name: &str| figures.iter().find(|figure| figure.name == name);
    let get_item = named("GetItem");
    eprintln!(
        "| {:<20} | CPU, us | x GetItem | allocations | x GetItem |\n|---|---|---|---|---|",
        ""
    );
    for figure in figures {
        let (cpu, allocations) = (least(figure), figure.allocations);
        let times_cpu = get_item.map_or(1.0, |bare| cpu / least(bare));
        let times = get_item.map_or(1.0, |bare| ratio(allocations, bare.allocations));
        eprintln!(
            "| {:<20} | {cpu:>7.1} | {times_cpu:>9.2} | {allocations:>11} | {times:>9.2} |",
            figure.name
        );
    }
    for (name, beside, most) in GOALS {
        if let (Some(figure), Some(beside_it)) = (named(name), named(beside)) {
            let times = least(figure) / least(beside_it);
            let word = if times <= most { "met   " } else { "MISSED" };
            eprintln!("{word} {name}: at most {most} x the CPU of {beside} ({times:.2})");
        }
    }
}

/// The turn that other programs disturbed least: they only ever add to the time.
fn least(figure: &Figure) -> f64 {
    figure.turns.iter().copied().fold(f64::INFINITY, f64::min)
}

#[expect(clippy::cast_precision_loss, reason = "some hundreds")]
fn ratio(one: u64, other: u64) -> f64 {
    one as f64 / other as f64
}
