//! What can be used as a certificate, and what is said of the rest.

use cumulet_gateway::{Certificate, PemPart};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use crate::authority::{Authority, Pair};

/// What is said of a chain and a key; what is for hosts gives them.
fn check(chain: &str, key: &str, expect: Result<&str, (PemPart, &str)>) {
    match (Certificate::from_pem(chain.as_bytes(), key.as_bytes()), expect) {
        (Ok(certificate), Ok(names)) => assert_eq!(certificate.names().join(" "), names),
        (Err(error), Err((part, text))) => {
            assert_eq!(error.part, part, "{error}");
            assert!(error.to_string().contains(text), "{error}");
        }
        (got, expect) => panic!("{got:?}, not {expect:?}"),
    }
}

#[test]
fn a_certificate_and_its_key_are_held_against_each_other() {
    let authority = Authority::new();
    let Pair { chain, key, .. } = authority.pair(&["A.example", "*.b.example"]);
    let (other, nobody) = (authority.pair(&["c.example"]), authority.pair(&[]));
    let of_chain = |text| Err((PemPart::Chain, text));
    let of_key = |text| Err((PemPart::Key, text));
    check(&chain, &key, Ok("a.example *.b.example"));
    check(&format!("{chain}{}", other.chain), &key, Ok("a.example *.b.example"));
    check(&format!("{key}{chain}"), &format!("{chain}{key}"), Ok("a.example *.b.example"));
    check(&chain, &other.key, of_key("belongs to another certificate"));
    check(&format!("{}{chain}", other.chain), &key, of_key("belongs to another certificate"));
    check(&nobody.chain, &nobody.key, of_chain("for no host"));
    check("", &key, of_chain("holds no certificate"));
    check(&key, &key, of_chain("holds no certificate"));
    check(&chain, "", of_key("holds no private key"));
    check(&chain, &chain, of_key("holds no private key"));
    check(&chain.repeat(17), &key, of_chain("more than 16 certificates"));
    let garbled = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
    check(garbled, &key, of_chain("cannot be read"));
    let garbled = "-----BEGIN PRIVATE KEY-----\naGVsbG8=\n-----END PRIVATE KEY-----\n";
    check(&chain, garbled, of_key("a kind that cannot be used"));
}

#[test]
fn what_is_cut_short_is_refused_wherever_it_is_cut() {
    let Pair { chain, key, .. } = Authority::new().pair(&["a.example"]);
    for end in 0..chain.trim_end().len() {
        assert!(Certificate::from_pem(&chain.as_bytes()[..end], key.as_bytes()).is_err(), "{end}");
    }
    for end in 0..key.trim_end().len() {
        assert!(Certificate::from_pem(chain.as_bytes(), &key.as_bytes()[..end]).is_err(), "{end}");
    }
}

#[test]
fn whatever_is_garbled_is_refused_or_read_and_never_panics() {
    let Pair { chain, key, .. } = Authority::new().pair(&["a.example"]);
    let start = chain.find('\n').unwrap();
    for at in start..chain.len() {
        for other in [b'A', b'_', b'/', b'\n'] {
            let mut garbled = chain.clone().into_bytes();
            garbled[at] = other;
            drop(Certificate::from_pem(&garbled, key.as_bytes()));
        }
    }
}

#[test]
fn it_says_from_when_to_when() {
    let mut params = CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2026, 4, 1);
    let certificate = Authority::new().sign(params).certificate();
    assert_eq!((certificate.not_before(), certificate.not_after()), (1_767_225_600, 1_775_001_600));
    let key = KeyPair::generate().unwrap();
    let other = CertificateParams::new(vec!["a.example".to_owned()]).unwrap().self_signed(&key).unwrap();
    let other = Certificate::from_pem(other.pem().as_bytes(), key.serialize_pem().as_bytes()).unwrap();
    assert!(certificate.is_same(&certificate) && !certificate.is_same(&other));
}
