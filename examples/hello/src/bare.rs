//! What the standard library would bring along: an allocator, an end for panics, and `memcpy` with its kin.

use alloc::alloc::{GlobalAlloc, Layout, alloc, realloc};
use core::ffi::c_void;

#[expect(unsafe_code, reason = "the C library is linked as its own header declares it")]
#[link(name = "c")]
unsafe extern "C" {
    fn aligned_alloc(align: usize, size: usize) -> *mut c_void;
    fn free(block: *mut c_void);
}

/// The C library's allocator, which the standard library uses, too: it begins with what is left of the memory that
/// the module starts with, so that a small guest need not grow it.
struct Libc;

// SAFETY: `aligned_alloc` returns a block of its own that fits the layout, or null; `free` takes what it returned.
#[expect(unsafe_code, reason = "an allocator deals in raw memory by nature")]
unsafe impl GlobalAlloc for Libc {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the alignment of a layout is a power of two.
        unsafe { aligned_alloc(layout.align().max(8), layout.size()) }.cast()
    }

    unsafe fn dealloc(&self, block: *mut u8, _: Layout) {
        // SAFETY: the caller vouches that the block came from `alloc`.
        unsafe { free(block.cast()) }
    }
}

#[global_allocator]
static ALLOCATOR: Libc = Libc;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

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
