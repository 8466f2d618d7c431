//! Tokens that are accepted, and every way of forging one that is not.
#![expect(clippy::unwrap_used, reason = "tokens and replies that are known to be good")]

#[path = "support/mint.rs"]
mod mint;

use guest_http::Reply;
use mint::{SIGNERS, Signer, encode, key_set};
use serde_json::{Value, json};
use token_verify::answer::{Asked, NoKeys, answer};
use token_verify::claims::Expect;

const NOW: u64 = 1_800_000_000;

fn asks(token: &str, keys: &Value) -> Reply {
    let authorization = format!("Bearer {token}");
    let asked = Asked { method: "POST", path: "/verify", authorization: Some(&authorization), body: b"" };
    let expect = Expect { issuer: Some("me".into()), audience: Some("you".into()), leeway: 60 };
    answer(&asked, &expect, NOW, || Ok(keys.to_string().into_bytes()))
}

fn text(reply: &Reply) -> String {
    String::from_utf8(reply.body.concat()).unwrap()
}

/// A token has to be answered with this status, and with a detail that contains this.
#[track_caller]
fn check(token: &str, keys: &Value, status: u16, detail: &str) {
    let reply = asks(token, keys);
    let text = text(&reply);
    assert!(reply.status == status && text.contains(detail), "{} {text}", reply.status);
    let challenge = reply.headers.iter().any(|(name, _)| *name == "www-authenticate");
    assert_eq!(challenge, status == 401, "{text}");
}

fn claims() -> Value {
    json!({"iss": "me", "aud": "you", "sub": "ada", "exp": NOW + 100})
}

#[test]
fn good_tokens_give_their_claims() {
    for signer in SIGNERS {
        let reply = asks(&signer.token(&claims()), &key_set());
        assert_eq!((reply.status, reply.content_type), (200, "application/json"), "{signer:?}: {}", text(&reply));
        assert_eq!(serde_json::from_str::<Value>(&text(&reply)).unwrap(), claims());
        // Without a name, the only key that fits is taken.
        check(&signer.token_with(&json!({"alg": signer.name()}), &claims()), &key_set(), 200, "ada");
    }
}

#[test]
fn times_and_parties_are_refused_by_name() {
    for signer in SIGNERS {
        let with = |name: &str, value: Value| {
            let mut claims = claims();
            claims[name] = value;
            signer.token(&claims)
        };
        check(&with("exp", json!(NOW - 60)), &key_set(), 401, "expired");
        check(&with("nbf", json!(NOW + 61)), &key_set(), 401, "not valid yet");
        check(&with("iat", json!(NOW + 61)), &key_set(), 401, "issued in the future");
        check(&with("iss", json!("other")), &key_set(), 401, "`iss`");
        check(&with("aud", json!("other")), &key_set(), 401, "`aud`");
        check(&with("exp", json!("soon")), &key_set(), 400, "`exp` is not a number");
    }
}

#[test]
fn forged_tokens_are_refused() {
    for signer in SIGNERS {
        let token = signer.token(&claims());
        let (signed, signature) = token.rsplit_once('.').unwrap();
        // Every bit of the signature counts; so does its length.
        let bytes = base64(signature);
        for at in [0, bytes.len() / 2, bytes.len() - 1] {
            let mut bytes = bytes.clone();
            bytes[at] ^= 4;
            check(&format!("{signed}.{}", encode(&bytes)), &key_set(), 401, "signature");
        }
        for length in [0, 1, bytes.len() - 1] {
            check(&format!("{signed}.{}", encode(&bytes[..length])), &key_set(), 401, "signature");
        }
        check(&format!("{signed}.{}", encode(&[&bytes[..], &[0]].concat())), &key_set(), 401, "signature");
        check(&format!("{signed}.{}", encode(&vec![0; bytes.len()])), &key_set(), 401, "signature");
        let (header, _) = signed.split_once('.').unwrap();
        let other = encode(json!({"iss": "me", "aud": "you", "sub": "eve", "exp": NOW + 100}).to_string().as_bytes());
        check(&format!("{header}.{other}.{signature}"), &key_set(), 401, "signature");
    }
}

fn base64(text: &str) -> Vec<u8> {
    use base64ct::Encoding;
    base64ct::Base64UrlUnpadded::decode_vec(text).unwrap()
}

#[test]
fn confusion_of_algorithms_and_keys_is_refused() {
    for name in ["none", "None", "HS256", "RS384", "PS256", "ES384", ""] {
        let token = Signer::Rs256.token_with(&json!({"alg": name, "kid": "rsa-1"}), &claims());
        check(&token, &key_set(), 401, "is not accepted");
        let unsigned = format!("{}.", token.rsplit_once('.').unwrap().0);
        check(&unsigned, &key_set(), 401, "is not accepted");
    }
    for signer in SIGNERS {
        for other in SIGNERS.into_iter().filter(|other| *other != signer) {
            let token = signer.token_with(&json!({"alg": other.name(), "kid": signer.key_id()}), &claims());
            check(&token, &key_set(), 401, "is not one for this token's algorithm");
            let token = signer.token_with(&json!({"alg": other.name(), "kid": other.key_id()}), &claims());
            check(&token, &key_set(), 401, "signature");
        }
    }
    let critical = json!({"alg": "EdDSA", "kid": "ed25519-1", "crit": ["b64"], "b64": false});
    check(&Signer::EdDsa.token_with(&critical, &claims()), &key_set(), 401, "critical");
}

#[test]
fn key_sets() {
    let token = Signer::Es256.token(&claims());
    check(&token, &json!({"keys": []}), 401, "has no key \\\"p256-1\\\"");
    check(&token, &json!({"keys": 3}), 502, "not a JSON object");
    check(&token, &json!({"keys": vec![json!({}); 300]}), 502, "more than 256");
    // Keys of unknown kinds stand beside the one that is meant.
    check(&token, &json!({"keys": [{"kty": "AKP", "kid": "x"}, Signer::Es256.jwk()]}), 200, "ada");
    for (name, value) in
        [("use", json!("enc")), ("key_ops", json!(["sign"])), ("alg", json!("ES512")), ("crv", json!("P-384"))]
    {
        let mut key = Signer::Es256.jwk();
        key[name] = value;
        check(&token, &json!({"keys": [key]}), 401, "is not one for this token's algorithm");
    }
    let mut key = Signer::Es256.jwk();
    key["y"] = json!("AAAA");
    check(&token, &json!({"keys": [key]}), 502, "damaged");
    // A point that is not on the curve verifies nothing.
    let mut key = Signer::Es256.jwk();
    key["y"] = key["x"].clone();
    check(&token, &json!({"keys": [key]}), 401, "signature");
    let nameless = Signer::Es256.token_with(&json!({"alg": "ES256"}), &claims());
    check(&nameless, &json!({"keys": [Signer::Es256.jwk(), Signer::Es256.jwk()]}), 401, "2 keys would fit");
    // An RSA key that is too short to be safe is no key.
    let mut key = Signer::Rs256.jwk();
    key["n"] = json!(encode(&[0xff; 128]));
    check(&Signer::Rs256.token(&claims()), &json!({"keys": [key]}), 401, "signature");
}

#[test]
fn malformed_tokens() {
    let good = Signer::EdDsa.token(&claims());
    for (token, detail) in [
        ("x", "three parts"),
        ("a.b", "three parts"),
        ("a.b.c.d", "three parts"),
        ("!.e30.AA", "header is not base64url"),
        ("e30.e30.AA", "with an `alg`"),
        (&good.replacen(".", ".!", 1), "claims is not base64url"),
        (&"x".repeat(17_000), "16384 bytes"),
        (&format!("{good}="), "signature is not base64url"),
    ] {
        check(token, &key_set(), 400, detail);
    }
}

#[test]
fn requests() {
    let keys = || Ok(key_set().to_string().into_bytes());
    let token = Signer::EdDsa.token(&claims());
    let asked = |method: &str, path: &str, authorization: Option<&str>, body: &[u8]| {
        answer(&Asked { method, path, authorization, body }, &Expect::default(), NOW, keys)
    };
    assert_eq!(asked("POST", "/verify", None, token.as_bytes()).status, 200);
    assert_eq!(asked("POST", "/verify", None, format!(" {token}\n").as_bytes()).status, 200);
    assert_eq!(asked("POST", "/verify", Some("Basic eDp5"), token.as_bytes()).status, 200);
    assert_eq!(asked("POST", "/verify", None, b"").status, 401);
    assert_eq!(asked("POST", "/verify", Some("bearer "), b"").status, 401);
    assert_eq!(asked("GET", "/verify", None, b"").status, 405);
    assert_eq!(asked("POST", "/", None, b"").status, 404);
    let asked = Asked { method: "POST", path: "/verify", authorization: None, body: token.as_bytes() };
    let reply = answer(&asked, &Expect::default(), NOW, || Err(NoKeys::Unreachable("it is asleep".into())));
    assert!(reply.status == 502 && text(&reply).contains("it is asleep"));
    let reply = answer(&asked, &Expect::default(), NOW, || Err(NoKeys::NotConfigured));
    assert!(reply.status == 500 && text(&reply).contains("JWKS_URL"));
}

/// What the README and the demo send: the files under `data/`, against the key set that the manifest grants.
#[test]
fn the_files_in_data() {
    let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let read = |name: &str| std::fs::read_to_string(data.join(name)).unwrap();
    let keys: Value = serde_json::from_str(&read("jwks.json")).unwrap();
    assert_eq!(keys, key_set());
    for name in ["rs256", "es256", "eddsa"] {
        for (suffix, status) in [("jwt", 200), ("expired.jwt", 401), ("forged.jwt", 401)] {
            let token = read(&format!("{name}.{suffix}"));
            let asked = Asked { method: "POST", path: "/verify", authorization: None, body: token.as_bytes() };
            let reply = answer(&asked, &Expect::default(), NOW, || Ok(keys.to_string().into_bytes()));
            assert_eq!(reply.status, status, "{name}.{suffix}: {}", text(&reply));
        }
    }
    let manifest = std::fs::read_to_string(data.join("../cumulet.toml")).unwrap();
    let inline = manifest.lines().find_map(|line| line.strip_prefix("config = { jwks = '")).unwrap();
    let inline: Value = serde_json::from_str(inline.strip_suffix("' }").unwrap()).unwrap();
    assert_eq!(inline, keys);
}
