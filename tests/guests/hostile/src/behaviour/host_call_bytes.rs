//! Makes one host call carry far too many bytes: out of the host by default, into it with `?to=host`.

use wasip2::http::types::Fields;

use crate::call::Call;

const GIBIBYTE: u64 = 1 << 30;
const VALUE_BYTES: usize = 1 << 20;
const VALUES: usize = 48;

pub fn run(call: Call) {
    let got = if call.argument("to") == Some("host") {
        // Fits in the guest's memory, but is more than a host should copy for one call.
        let value = vec![b'x'; VALUE_BYTES];
        let entries: Vec<_> = (0..VALUES).map(|n| (format!("x-{n}"), value.clone())).collect();
        Fields::from_list(&entries).map_or(0, |_| entries.len())
    } else {
        wasip2::random::random::get_random_bytes(GIBIBYTE).len()
    };
    call.answer(200, &format!("{got}\n"));
}
