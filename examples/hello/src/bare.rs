//! What the standard library would bring along: an allocator, an end for panics, and `memcpy` with its kin.

use alloc::alloc::{Layout, alloc, realloc};

#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

#[expect(unsafe_code, reason = "names the C library for the linker and declares nothing from it")]
#[link(name = "c")]
unsafe extern "C" {}

/// Gives the host room for what it passes in. The bindings free it through Rust's allocator, so it comes from there.
#[expect(unsafe_code, reason = "the canonical ABI asks for this export, and speaks in raw pointers")]
#[unsafe(export_name = "cabi_realloc")]
unsafe extern "C" fn cabi_realloc(old: *mut u8, old_size: usize, align: usize, size: usize) -> *mut u8 {
    // An isolate that cannot get memory ends, as the null pointer would end it anyway.
    let Ok(layout) = Layout::from_size_align(if old_size == 0 { size } else { old_size }, align) else {
        core::arch::wasm32::unreachable()
    };
    let place = match (old_size, size) {
        (0, 0) => core::ptr::without_provenance_mut(align),
        // SAFETY: the size is not nought.
        (0, _) => unsafe { alloc(layout) },
        // SAFETY: the canonical ABI passes a block, with its layout, that this function returned before; `size` is never
        // less than `old_size`.
        _ => unsafe { realloc(old, layout, size) },
    };
    if place.is_null() { core::arch::wasm32::unreachable() } else { place }
}
