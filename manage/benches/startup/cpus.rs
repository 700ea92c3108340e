//! Which CPU runs what. On Lambda neither DynamoDB nor the Runtime API takes time of a function's
//! CPU, nor leaves its caches cold.

use std::sync::LazyLock;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// For a function the first, for everything else the others. `None` on a machine with one.
static CPUS: LazyLock<Option<(CpuSet, CpuSet)>> = LazyLock::new(|| {
    let mut others = sched_getaffinity(None).ok()?;
    let first = (0..CpuSet::MAX_CPU).find(|cpu| others.is_set(*cpu))?;
    let mut first_alone = CpuSet::new();
    first_alone.set(first);
    others.unset(first);
    (others.count() > 0).then_some((first_alone, others))
});

/// Puts this thread, and those that it starts from now on, off the functions' CPU.
pub fn leave_the_functions() {
    if let Some((_, others)) = &*CPUS {
        sched_setaffinity(None, others).expect("CPUs that this process may use");
    }
}

/// Puts this thread, and the process that it starts, on the functions' CPU.
pub fn join_the_functions() {
    if let Some((functions, _)) = &*CPUS {
        sched_setaffinity(None, functions).expect("a CPU that this process may use");
    }
}
