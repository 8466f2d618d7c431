//! Writes the key set and the tokens under `data/`: `cargo run -p token-verify --example mint`.

#[path = "../tests/support/mint.rs"]
mod mint;

use serde_json::json;

fn main() -> std::io::Result<()> {
    let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    std::fs::write(data.join("jwks.json"), format!("{:#}\n", mint::key_set()))?;
    // Until the year 2100, so that the demo answers whenever it is tried; and one that ended in 2001.
    let claims = |exp: u64| json!({"iss": "https://issuer.example", "aud": "cumulet-demo", "sub": "ada", "exp": exp});
    for signer in mint::SIGNERS {
        let name = signer.name().to_lowercase();
        let valid = signer.token(&claims(4_102_444_800));
        std::fs::write(data.join(format!("{name}.expired.jwt")), signer.token(&claims(1_000_000_000)) + "\n")?;
        // The same signature under other claims.
        let signature = valid.rsplit_once('.').map_or("", |(_, signature)| signature);
        let other = signer.token(&json!({"sub": "mallory", "exp": 4_102_444_800_u64}));
        let signed = other.rsplit_once('.').map_or("", |(signed, _)| signed);
        std::fs::write(data.join(format!("{name}.forged.jwt")), format!("{signed}.{signature}\n"))?;
        std::fs::write(data.join(format!("{name}.jwt")), valid + "\n")?;
    }
    Ok(())
}
