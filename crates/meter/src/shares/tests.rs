//! The order itself, and a seeded simulation of a machine whose threads take turns from it.

mod machine;

use super::*;
use machine::{Guest, Machine, SLICE_NANOS};
use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::VecDeque;

const SEEDS: u64 = 60;

fn turn(tenant: u64, app: u64) -> Turn {
    Turn { tenant, app, weight: Weight::default() }
}

fn weighing(tenant: u64, weight: u32) -> Turn {
    Turn { weight: Weight::new(weight).unwrap(), ..turn(tenant, 0) }
}

#[test]
fn apps_of_a_tenant_take_turns_and_an_app_keeps_its_order() {
    let mut shares = Shares::default();
    for (app, item) in [(1, "a"), (1, "b"), (1, "c"), (2, "d"), (3, "e"), (2, "f")] {
        assert_eq!(shares.push(turn(7, app), item), Ok(()));
    }
    let order: Vec<_> = std::iter::from_fn(|| shares.pop()).map(|(turn, item)| (turn.app, item)).collect();
    assert_eq!(order, [(1, "a"), (2, "d"), (3, "e"), (1, "b"), (2, "f"), (1, "c")]);
    assert!(shares.is_empty());
}

#[test]
fn who_has_used_less_goes_first() {
    let mut shares = Shares::default();
    for tenant in [1, 2] {
        for _ in 0..3 {
            assert_eq!(shares.push(turn(tenant, 0), tenant), Ok(()));
        }
    }
    let mut order = Vec::new();
    while let Some((turn, tenant)) = shares.pop() {
        shares.charge(turn, if tenant == 1 { 3_000 } else { 1_000 });
        order.push(tenant);
    }
    assert_eq!(order, [1, 2, 2, 2, 1, 1]);
}

#[test]
fn after_the_stop_nothing_is_taken_and_everything_comes_back() {
    let mut shares = Shares::default();
    for number in 0..10 {
        assert_eq!(shares.push(turn(number % 3, number % 2), number), Ok(()));
    }
    let (running, first) = shares.pop().unwrap();
    let mut left = shares.stop();
    left.push(first);
    left.sort_unstable();
    assert_eq!(left, (0..10).collect::<Vec<_>>());
    shares.charge(running, 5);
    assert_eq!(shares.push(running, 11), Err(11));
    assert!(shares.is_stopped() && shares.is_empty() && shares.pop().is_none() && shares.tenants.is_empty());
}

/// Two tenants whose tasks never end, with slices of different lengths: executed time follows the weights.
fn check_shares(seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let threads = random.random_range(1..=4);
    let tasks = [random.random_range(threads.max(2)..=100), random.random_range(threads.max(2)..=100)];
    let weights: [u32; 2] = if seed.is_multiple_of(2) { [100, 100] } else { [1 << random.random_range(4..8), 100] };
    let mut machine = Machine::new(threads, seed);
    for tenant in 0..2 {
        let most = random.random_range(SLICE_NANOS / 20..=SLICE_NANOS);
        for task in 0..tasks[tenant] {
            let turn = Turn { app: task as u64 % 5, ..weighing(tenant as u64, weights[tenant]) };
            machine.add(Guest::spinner(turn, most));
        }
    }
    machine.run_slices(4_000);
    let before = machine.used.clone();
    machine.run_slices(10_000);
    let used = [0, 1].map(|tenant: u64| (machine.used[&tenant] - before[&tenant]) as f64);
    let share = used[0] / (used[0] + used[1]);
    let fair = f64::from(weights[0]) / f64::from(weights[0] + weights[1]);
    assert!(
        (share / fair - 1.0).abs() < 0.05 && ((1.0 - share) / (1.0 - fair) - 1.0).abs() < 0.05,
        "seed {seed}: {threads} threads, tasks {tasks:?}, weights {weights:?}: share {share:.3}, fair {fair:.3}"
    );
}

#[test]
fn executed_time_follows_the_weights() {
    (0..SEEDS).for_each(check_shares);
}

/// A hundred spinning guests of `tenants` tenants, and a tenant that is woken now and then and needs little.
fn check_newcomer(seed: u64, tenants: u64) {
    let threads = 2;
    let mut machine = Machine::new(threads, seed);
    for task in 0..100 {
        machine.add(Guest::spinner(turn(task % tenants, task), SLICE_NANOS));
    }
    // What the others need is known by then; until it is, all are newcomers alike.
    machine.run_slices(300);
    let light = turn(1_000, 0);
    machine.add(Guest::sleeper(light, 1..=15_000, 1_000_000..=9_000_000));
    machine.run_slices(8_000);
    let waited = machine.waited[&light.tenant];
    assert!(machine.started[&light.tenant] > 100, "seed {seed}: it hardly ran");
    assert!(
        waited <= threads as u64 * SLICE_NANOS,
        "seed {seed}: with {tenants} spinning tenants it waited {waited} ns at worst"
    );
}

#[test]
fn a_newcomer_waits_no_longer_than_the_slices_that_run() {
    for seed in 0..SEEDS / 4 {
        for tenants in [1, 2, 10, 100] {
            check_newcomer(seed, tenants);
        }
    }
}

/// A tenant that sleeps for a moment after every slice, beside one that does not: sleeping gains nothing.
#[test]
fn naps_gain_nothing() {
    for seed in 0..SEEDS / 4 {
        let mut machine = Machine::new(1, seed);
        for task in 0..4 {
            machine.add(Guest::spinner(turn(1, task), SLICE_NANOS));
            machine.add(Guest::sleeper(turn(2, task), SLICE_NANOS / 2..=SLICE_NANOS, 1..=2_000));
        }
        machine.run_slices(10_000);
        let share = machine.used[&2] as f64 / (machine.used[&1] + machine.used[&2]) as f64;
        assert!(share < 0.525, "seed {seed}: {share:.3}");
    }
}

/// A tenant that slept, or ran alone, for long shares evenly from the moment when it meets another.
#[test]
fn neither_sleep_nor_solitude_is_remembered() {
    for seed in 0..SEEDS / 4 {
        let mut machine = Machine::new(2, seed);
        (0..20).for_each(|task| machine.add(Guest::spinner(turn(1, task), SLICE_NANOS)));
        machine.run_slices(5_000);
        (0..20).for_each(|task| machine.add(Guest::spinner(turn(2, task), SLICE_NANOS)));
        let before = machine.used[&1];
        machine.run_slices(1_000);
        let share = machine.used[&2] as f64 / (machine.used[&2] + machine.used[&1] - before) as f64;
        assert!((share - 0.5).abs() < 0.025, "seed {seed}: {share:.3}");
    }
}

#[test]
fn first_slices_outside_the_queue_count_while_others_wait() {
    let mut shares = Shares::default();
    for tenant in [1, 2, 2, 2] {
        assert_eq!(shares.push(turn(tenant, 0), tenant), Ok(()));
    }
    shares.charge(turn(1, 0), 5_500);
    let mut order = Vec::new();
    while let Some((turn, tenant)) = shares.pop() {
        order.push(tenant);
        shares.charge(turn, 1_000);
    }
    assert_eq!(order, [2, 2, 2, 1]);
}

#[test]
fn what_is_used_while_nobody_waits_costs_nothing_later() {
    let mut shares = Shares::default();
    assert_eq!(shares.push(turn(1, 0), 1), Ok(()));
    let (running, _) = shares.pop().unwrap();
    for _ in 0..1_000 {
        shares.charge(running, SLICE_NANOS);
        shares.charge(turn(3, 0), SLICE_NANOS);
    }
    for item in [1, 2, 2, 2, 2] {
        assert_eq!(shares.push(turn(item, 0), item), Ok(()));
    }
    let mut order = Vec::new();
    while let Some((turn, tenant)) = shares.pop() {
        shares.charge(turn, SLICE_NANOS);
        order.push(tenant);
    }
    assert!(order[..3].contains(&1), "{order:?}");
}

#[test]
fn tenants_are_forgotten() {
    let mut shares = Shares::default();
    for tenant in 0..50_000 {
        assert_eq!(shares.push(turn(tenant, 0), ()), Ok(()));
    }
    let (spinner, ()) = shares.pop().unwrap();
    shares.charge(spinner, 1);
    while shares.len() > 1 {
        let (turn, ()) = shares.pop().unwrap();
        shares.charge(turn, SLICE_NANOS);
        assert!(shares.tenants.len() <= shares.len() + RESTING_MAX + 1);
    }
    let (spinner, ()) = shares.pop().unwrap();
    shares.charge(spinner, SLICE_NANOS);
    assert_eq!(shares.tenants.len(), 0, "while nothing waits, what they owe grows old");
}

proptest! {
    /// Whatever is pushed, popped and charged: each item comes out once, and an app's in the order of their coming.
    #[test]
    fn items_are_conserved(steps in prop::collection::vec((0_u8..3, 0_u64..4, 0_u64..3, 0_u64..2_000_000), 0..400)) {
        let mut shares = Shares::default();
        let mut model: HashMap<(u64, u64), VecDeque<usize>> = HashMap::new();
        for (number, (step, tenant, app, nanos)) in steps.into_iter().enumerate() {
            match step {
                0 => {
                    prop_assert_eq!(shares.push(turn(tenant, app), number), Ok(()));
                    model.entry((tenant, app)).or_default().push_back(number);
                }
                1 => shares.charge(turn(tenant, app), nanos),
                _ => {
                    let popped = shares.pop();
                    let expect = popped.and_then(|(turn, _)| model.get_mut(&(turn.tenant, turn.app))?.pop_front());
                    prop_assert_eq!(popped.map(|(_, item)| item), expect);
                }
            }
            prop_assert_eq!(shares.len(), model.values().map(VecDeque::len).sum::<usize>());
            prop_assert!(shares.order.least_clock().is_none_or(|least| least >= shares.floor));
        }
        let mut left = shares.stop();
        left.sort_unstable();
        let mut expect: Vec<_> = model.into_values().flatten().collect();
        expect.sort_unstable();
        prop_assert_eq!(left, expect);
    }
}
