//! What is held at once: a 24-megapixel photograph goes through in a fraction of 16 MiB.
//!
//! The test counts what the heap holds, in a process of its own. A component holds its stack (1 MiB) and its data besides.
#![expect(clippy::unwrap_used, reason = "pictures that are known to be good")]

#[path = "support/made.rs"]
mod made;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use guest_http::Query;
use image_resize::ask::parse;
use made::{Made, Photograph};
use picture::pipeline::resize;

struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

#[expect(unsafe_code, reason = "an allocator that counts can only be written as one")]
// SAFETY: everything is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(held, Ordering::Relaxed);
        // SAFETY: the caller keeps `alloc`'s contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps `dealloc`'s contract.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes that a resize held at its peak, beyond what was held before.
fn peak(file: &[u8], query: &str) -> usize {
    let ask = parse(Query::new(query)).unwrap();
    let before = HELD.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    resize(file, &ask).unwrap();
    PEAK.load(Ordering::Relaxed) - before
}

#[test]
fn a_baseline_photograph_of_24_megapixels_takes_a_fraction_of_16_mib() {
    let mut file = Vec::new();
    let photograph = Photograph { width: 6000, height: 4000, seed: 3 };
    jpeg_encoder::Encoder::new(&mut file, 85).encode_image(photograph).unwrap();
    for (query, allowed) in [("w=800", 3 << 20), ("w=800&format=png", 4 << 20), ("w=2400", 4 << 20)] {
        let peak = peak(&file, query);
        assert!(peak <= allowed, "{query}: {peak} bytes");
    }
    // The largest result that is turned, and therefore held whole.
    let turned = Made { width: 3000, height: 2000, orientation: 6, quality: 40, ..Made::default() }.jpeg();
    let peak = peak(&turned, "h=1760");
    assert!(peak <= 12 << 20, "turned: {peak} bytes");
}
