//! A signature holds for one app as it was signed, and for nothing else.

use super::*;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

fn app(name: &str) -> AppName {
    AppName::parse(name).unwrap()
}

fn statement(name: &str, manifest: &[u8], components: &[(&str, &[u8])]) -> Statement {
    let component = |(name, bytes): &(&str, &[u8])| (ComponentName::parse(name).unwrap(), Digest::of(bytes));
    Statement::new(app(name), manifest, components.iter().map(component).collect())
}

fn shop() -> Statement {
    statement("shop", b"manifest = 1", &[("front", b"front"), ("auth", b"auth")])
}

/// The key of RFC 8032, section 7.1, test 1.
fn known_key(folder: &std::path::Path) -> SigningKey {
    let path = folder.join("key");
    fs::write(&path, "cumulet-secret-key:ed25519:nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    SigningKey::open(&path).unwrap()
}

#[test]
fn the_written_form_stays() {
    let folder = tempfile::tempdir().unwrap();
    let key = known_key(folder.path());
    let signed = sign(&shop(), &key);
    insta::assert_snapshot!(format!("{}\n{}", key.public(), signed.to_text()));
    assert_eq!(SignedStatement::read(signed.to_text().as_bytes()), Ok(signed.clone()));
    assert_eq!(verify(&shop(), &signed, &[key.public()]), Ok(key.public().id()));
    assert_eq!(Statement::read(&signed.statement), Some(shop()));
}

#[test]
fn what_was_changed_is_named() {
    let (key, front) = (SigningKey::generate(), ComponentName::parse("front").unwrap());
    let signed = sign(&shop(), &key);
    let m: &[u8] = b"manifest = 1";
    for (now, expect) in [
        (statement("blog", m, &[("front", b"front"), ("auth", b"auth")]), Difference::App),
        (statement("shop", b"manifest = 1\n", &[("front", b"front"), ("auth", b"auth")]), Difference::Manifest),
        (statement("shop", m, &[("front", b"Front"), ("auth", b"auth")]), Difference::Component(front.clone())),
        (statement("shop", m, &[("front", b"front")]), Difference::Components),
        (statement("shop", m, &[("front", b"front"), ("auth", b"auth"), ("x", b"")]), Difference::Components),
        (
            statement("shop", m, &[("front", b"auth"), ("auth", b"front")]),
            Difference::Component(ComponentName::parse("auth").unwrap()),
        ),
    ] {
        assert_eq!(verify(&now, &signed, &[key.public()]), Err(SignatureError::Differs(expect)), "{now:?}");
    }
}

#[test]
fn only_trusted_keys_vouch() {
    let (key, other) = (SigningKey::generate(), SigningKey::generate());
    let signed = sign(&shop(), &key);
    let untrusted = Err(SignatureError::Untrusted(key.public().id()));
    assert_eq!(verify(&shop(), &signed, &[]), untrusted);
    assert_eq!(verify(&shop(), &signed, &[other.public()]), untrusted);
    assert_eq!(verify(&shop(), &signed, &[other.public(), key.public()]), Ok(key.public().id()));

    // Says that another key signed.
    let forged = SignedStatement { key: other.public().id(), ..signed.clone() };
    assert_eq!(verify(&shop(), &forged, &[other.public()]), Err(SignatureError::Forged(other.public().id())));
    for signature in ["", "AAAA", "no base64", &BASE64_STANDARD.encode([0; 64]), &BASE64_STANDARD.encode([0xff; 64])] {
        let forged = SignedStatement { signature: signature.to_owned(), ..signed.clone() };
        assert_eq!(verify(&shop(), &forged, &[key.public()]), Err(SignatureError::Forged(key.public().id())));
    }
}

#[test]
fn a_weak_key_vouches_for_nothing() {
    // The neutral element: without strictness, one signature would hold for every text.
    let mut point = [0; 32];
    point[0] = 1;
    let weak = PublicKey::from_bytes(point);
    let mut signature = [0; 64];
    signature[0] = 1;
    let signed =
        SignedStatement { key: weak.id(), statement: shop().to_text(), signature: BASE64_STANDARD.encode(signature) };
    assert_eq!(verify(&shop(), &signed, &[weak]), Err(SignatureError::Forged(weak.id())));
}

#[test]
fn a_signature_that_was_cut_off_or_changed_is_refused() {
    let key = SigningKey::generate();
    let text = sign(&shop(), &key).to_text();
    let holds =
        |bytes: &[u8]| SignedStatement::read(bytes).and_then(|signed| verify(&shop(), &signed, &[key.public()]));
    assert!(holds(text.as_bytes()).is_ok());
    // All but its last line end.
    for end in 0..text.len() - 1 {
        assert!(holds(&text.as_bytes()[..end]).is_err(), "cut at {end}");
    }
    let expect = text.trim_end().len();
    for at in 0..expect {
        let mut changed = text.clone().into_bytes();
        changed[at] ^= 1;
        let is_space = text.as_bytes()[at].is_ascii_whitespace();
        assert!(is_space || holds(&changed).is_err(), "changed at {at}");
    }
    assert!(matches!(
        holds(text.replacen("\"format\": 1", "\"format\": 2", 1).as_bytes()),
        Err(SignatureError::Format(2))
    ));
    let more = text.replacen('{', "{\"note\": \"signed too?\",", 1);
    assert!(matches!(holds(more.as_bytes()), Err(SignatureError::Malformed(_))));
    assert!(matches!(SignedStatement::read(&vec![b' '; SIGNATURE_BYTES_MAX + 1]), Err(SignatureError::Malformed(_))));
}

proptest::proptest! {
    #[test]
    fn every_statement_comes_back(
        app in "[a-z0-9-]{1,63}",
        manifest: Vec<u8>,
        components in proptest::collection::btree_map("[a-z0-9-]{1,63}", proptest::array::uniform32(0_u8..), 0..9),
    ) {
        let component = |(name, bytes): (String, [u8; 32])| (ComponentName::parse(&name).unwrap(), Digest::from_bytes(bytes));
        let statement = Statement::new(AppName::parse(&app).unwrap(), &manifest, components.into_iter().map(component).collect());
        proptest::prop_assert_eq!(Statement::read(&statement.to_text()), Some(statement));
    }

    #[test]
    fn no_bytes_are_a_panic(bytes: Vec<u8>, text in "\\{\"format\": ?1[\\PC]{0,200}") {
        proptest::prop_assert!(SignedStatement::read(&bytes).is_err());
        let _read = SignedStatement::read(text.as_bytes());
    }
}

#[test]
fn no_other_text_is_a_statement() {
    let text = shop().to_text();
    for other in [
        String::new(),
        text.replace("-v1", "-v2"),
        text.replace('\n', "\r\n"),
        text.trim_end().to_owned(),
        format!("{text}\n"),
        text.replace("app shop", "app  shop"),
        text.replace("component auth", "component front"),
        text.replace("sha256", "SHA256"),
        text.to_uppercase(),
        format!(" {text}"),
    ] {
        assert_eq!(Statement::read(&other), None, "{other}");
    }
}

#[test]
fn a_tenant_decides_what_it_takes() {
    let key = SigningKey::generate();
    let (signed, broken) = (sign(&shop(), &key).to_text(), "{}".to_owned());
    let keys = vec![key.public()];
    let (id, optional, required) = (key.public().id(), Signatures::Optional, Signatures::Required);
    let tenant = |keys: &[PublicKey], signatures| Tenant { keys: keys.to_vec(), signatures, ..Tenant::default() };
    let admit = |tenant: &Tenant, text: Option<&String>| admit(tenant, &shop(), text.map(String::as_bytes));
    assert_eq!(admit(&tenant(&[], optional), None), Ok(None));
    assert_eq!(admit(&tenant(&[], optional), Some(&broken)), Ok(None));
    assert_eq!(admit(&tenant(&keys, optional), None), Ok(None));
    assert_eq!(admit(&tenant(&keys, optional), Some(&signed)), Ok(Some(id)));
    assert!(admit(&tenant(&keys, optional), Some(&broken)).is_err());
    assert_eq!(admit(&tenant(&keys, required), None), Err(SignatureError::Missing));
    assert_eq!(admit(&tenant(&keys, required), Some(&signed)), Ok(Some(id)));
    assert_eq!(admit(&tenant(&[], required), Some(&signed)), Err(SignatureError::Untrusted(id)));
}

#[test]
fn a_key_is_kept_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (path, key) = (folder.path().join("cumulet.key"), SigningKey::generate());
    key.create(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(SigningKey::open(&path).unwrap().public(), key.public());
    assert_eq!(format!("{key:?}"), "SigningKey(…)");
    assert_eq!(key.create(&path).unwrap_err().kind(), std::io::ErrorKind::AlreadyExists);

    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let error = SigningKey::open(&path).unwrap_err();
    let why = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(why, "others may read it (mode 640); run chmod 600, or make another with `cumulet key new`");

    for text in
        ["", "cumulet-secret-key:ed25519:AAAA", "cumulet-key:ed25519:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="]
    {
        fs::remove_file(&path).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(SigningKey::open(&path).is_err(), "{text:?}");
    }
}
