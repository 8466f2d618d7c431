//! Writes the pictures under `data/`: `cargo run -p image-resize --example scene`. `harbour.webp` is the first of them, made
//! smaller and lossy by libwebp.

#[path = "../tests/support/made.rs"]
mod made;

use made::Made;

fn main() -> std::io::Result<()> {
    let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let harbour = Made { width: 960, height: 640, quality: 70, ..Made::default() };
    std::fs::write(data.join("harbour.jpg"), harbour.jpeg())?;
    std::fs::write(data.join("harbour-progressive.jpg"), Made { quality: 50, progressive: true, ..harbour }.jpeg())?;
    std::fs::write(data.join("badge.png"), Made { width: 200, height: 200, ..harbour }.png())
}
