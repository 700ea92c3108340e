//! What was measured, and whether it grows.

use testkit::proxy::{Call, round_trips};

/// How far a figure may be from that of the smallest table.
const FLAT: f64 = 0.2;

/// What a request costs in the table.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pub round_trips: usize,
    pub read_units: f64,
    pub write_units: f64,
}

/// One kind of request at one size.
#[derive(Clone, Copy)]
pub struct Figure {
    /// The median of its times.
    pub milliseconds: f64,
    /// What it costs in the table.
    pub cost: Cost,
}

/// All of them, in the order of their first measuring.
#[derive(Default)]
pub struct Figures(Vec<(String, Vec<(u64, Figure)>)>);

impl Figures {
    /// Adds that of a kind at a size in users.
    pub fn add(&mut self, kind: &str, users: u64, figure: Figure) {
        match self.0.iter_mut().find(|(name, _)| name == kind) {
            Some((_, sizes)) => sizes.push((users, figure)),
            None => self.0.push((kind.to_owned(), vec![(users, figure)])),
        }
    }

    /// Prints a line for each kind and size, with the ratio to the smallest size.
    pub fn print(&self) {
        println!(
            "\n| request | users | ms | ratio | round trips | read units | write units | |\n\
             |---|---|---|---|---|---|---|---|"
        );
        for (kind, sizes) in &self.0 {
            let first = sizes[0].1;
            for (users, figure) in sizes {
                let Cost {
                    round_trips,
                    read_units,
                    write_units,
                } = figure.cost;
                let ratio = figure.milliseconds / first.milliseconds;
                println!(
                    "| {kind} | {users} | {:.2} | {ratio:.2} | {round_trips} | {read_units} | {write_units} | {} |",
                    figure.milliseconds,
                    growth(&first, figure)
                );
            }
        }
    }
}

impl Cost {
    /// That of these calls.
    pub fn of(calls: &[Call]) -> Self {
        let units = |writes| {
            let these = calls.iter().filter(|call| call.is_write() == writes);
            these.map(Call::units).fold(0.0, |sum, units| sum + units)
        };
        Self {
            round_trips: round_trips(calls).len(),
            read_units: units(false),
            write_units: units(true),
        }
    }
}

/// What grows beyond the limit, in a few words.
fn growth(first: &Figure, figure: &Figure) -> String {
    let grows = |one: f64, other: f64| other > one * (1.0 + FLAT);
    let units = |cost: &Cost| cost.read_units + cost.write_units;
    let what = [
        ("time", grows(first.milliseconds, figure.milliseconds)),
        (
            "round trips",
            figure.cost.round_trips > first.cost.round_trips,
        ),
        ("units", grows(units(&first.cost), units(&figure.cost))),
    ];
    let what: Vec<&str> = what.iter().filter(|one| one.1).map(|one| one.0).collect();
    what.join(", ")
}
