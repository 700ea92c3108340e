//! The table under everything that may happen to it: what a request costs, what a fault leaves
//! behind, what requests at the same time do to each other, and how damage is found.

mod allocations;
mod check;
mod concurrency;
mod counts;
mod deadlines;
mod faults;
mod faulty_reads;
mod half_done;
mod hot_keys;
mod memberships;
mod migrate;
mod race;
mod registrations;
mod repair;
mod restore;
mod world;
