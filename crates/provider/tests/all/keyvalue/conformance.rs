//! What every backend does.

mod batches;
mod bounds;
mod counters;
mod listing;
mod swaps;
mod values;

use super::backend::{Nats, Redis, Sqlite};

/// One test for each behaviour on each backend, each with a server of its own.
macro_rules! conformance {
    ($backend:ident as $name:ident: $($file:ident :: $behaviour:ident,)*) => {
        mod $name {
            use super::super::backend::Backend as _;

            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $behaviour() {
                    if let Some(backend) = super::$backend::start().await {
                        super::$file::$behaviour(&backend).await;
                    }
                }
            )*
        }
    };
}

macro_rules! on_each_backend {
    ($($behaviours:tt)*) => {
        conformance!(Sqlite as on_sqlite: $($behaviours)*);
        conformance!(Redis as on_redis: $($behaviours)*);
        conformance!(Nats as on_nats: $($behaviours)*);
    };
}

on_each_backend! {
    values::a_value_is_set_read_replaced_and_deleted,
    values::any_bytes_are_a_value,
    values::any_text_is_a_key,
    values::buckets_do_not_see_each_other,
    bounds::what_is_too_large_is_refused,
    bounds::the_largest_fits,
    listing::a_listing_has_every_key_once_there_is_time,
    listing::an_empty_bucket_has_no_keys,
    listing::a_foreign_cursor_is_refused,
    counters::a_counter_counts,
    counters::what_is_no_counter_stays,
    counters::increments_at_the_same_time_add_up,
    swaps::a_swap_sets_what_nobody_changed,
    swaps::a_swap_tells_what_somebody_changed,
    swaps::a_swap_compares_whether_there_is_a_value,
    swaps::a_value_that_came_back_counts_as_changed_where_there_are_versions,
    swaps::swaps_at_the_same_time_add_up,
    batches::a_batch_is_done,
    batches::a_batch_that_is_too_large_is_refused,
    batches::an_empty_batch_is_nothing,
}
