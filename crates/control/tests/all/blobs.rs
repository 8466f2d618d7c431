//! Which tenant has sent which bytes.

use cumulet_control::{BlobErrorKind, BlobTotals, BlobsInUse, Registry};
use cumulet_spec::id::Digest;

use super::fixture::{AT_US, chain, deploy, remove, sql, tenant, with_registry};

fn digest(number: u8) -> Digest {
    Digest::of(&[number])
}

#[test]
fn what_one_tenant_sent_is_not_known_of_another() {
    with_registry(|folder, registry| {
        registry.put_blob(&tenant("acme"), &digest(1), 100, AT_US).unwrap();
        registry.put_blob(&tenant("acme"), &digest(2), 20, AT_US).unwrap();
        registry.put_blob(&tenant("acme"), &digest(1), 100, AT_US + 1).unwrap();
        registry.put_blob(&tenant("other"), &digest(1), 100, AT_US).unwrap();
        for registry in [registry, &Registry::open(folder).unwrap()] {
            assert!(registry.has_blob(&tenant("acme"), &digest(2)).unwrap());
            assert!(!registry.has_blob(&tenant("other"), &digest(2)).unwrap());
            let totals = |name: &str| registry.blob_totals(&tenant(name)).unwrap();
            assert_eq!(totals("acme"), BlobTotals { blobs: 2, bytes: 120 });
            assert_eq!(totals("other"), BlobTotals { blobs: 1, bytes: 100 });
            assert_eq!(totals("none"), BlobTotals::default());
            let first = registry.blobs(&tenant("acme"), None, 1).unwrap().remove(0);
            let second = registry.blobs(&tenant("acme"), Some(&first.digest), 9).unwrap();
            assert_eq!(second.len(), 1);
            let mut found = [first.clone(), second[0].clone()];
            found.sort_by_key(|row| row.bytes);
            assert_eq!(
                found.map(|row| (row.digest, row.bytes, row.at_us)),
                [(digest(2), 20, AT_US), (digest(1), 100, AT_US + 1),]
            );
        }
        registry.remove_blob(&tenant("acme"), &digest(1)).unwrap();
        assert!(!registry.has_blob(&tenant("acme"), &digest(1)).unwrap());
        assert!(registry.has_blob(&tenant("other"), &digest(1)).unwrap());
        assert_eq!(registry.blob_totals(&tenant("acme")).unwrap(), BlobTotals { blobs: 1, bytes: 20 });
        assert!(registry.keeps_blob(&digest(1)).unwrap());
        registry.remove_blob(&tenant("other"), &digest(1)).unwrap();
        assert!(!registry.keeps_blob(&digest(1)).unwrap());
    });
}

#[test]
fn what_a_revision_is_made_of_stays() {
    with_registry(|folder, registry| {
        let digest = Digest::of(b"1");
        registry.put_blob(&tenant("acme"), &digest, 1, AT_US).unwrap();
        registry.put_blob(&tenant("other"), &digest, 1, AT_US).unwrap();
        registry.deploy(&deploy("acme", "shop", "1")).unwrap();
        let in_use = registry.remove_blob(&tenant("acme"), &digest).unwrap_err();
        assert!(matches!(in_use.kind, BlobErrorKind::InUse { .. }), "{in_use:?}");
        registry.remove_blob(&tenant("other"), &digest).unwrap();
        let unknown = registry.remove_blob(&tenant("other"), &digest).unwrap_err();
        insta::assert_snapshot!([chain(&in_use), chain(&unknown)].join("\n"));
        sql(folder, "UPDATE blobs SET digest = x'00'");
        assert_eq!(registry.blobs(&tenant("acme"), None, 9).unwrap(), []);
        assert!(registry.keeps_blob(&digest).unwrap(), "a revision is made of it");
        registry.remove(&remove("acme", "shop")).unwrap();
        assert!(!registry.keeps_blob(&digest).unwrap());
    });
}

#[test]
fn a_sweep_forgets_what_was_sent_long_ago_and_nothing_is_made_of() {
    with_registry(|folder, registry| {
        // Of the second revision only the digits that name its component are whole.
        for content in ["1", "2"] {
            registry.deploy(&deploy("acme", "shop", content)).unwrap();
        }
        sql(
            folder,
            "UPDATE revisions SET written = CAST('x' || substr(CAST(written AS TEXT), 2) AS BLOB) WHERE number = 2",
        );
        let (one, two, three, four) = (Digest::of(b"1"), Digest::of(b"2"), digest(3), digest(4));
        for (name, digest, at_us) in [
            ("acme", one, 0),
            ("acme", two, 0),
            ("other", one, 0),
            ("acme", three, 0),
            ("other", three, 9),
            ("acme", four, 0),
        ] {
            registry.put_blob(&tenant(name), &digest, 1, AT_US + at_us).unwrap();
        }
        let left = registry.sweep_blobs(AT_US + 5).unwrap();
        assert_eq!(left, BlobsInUse { digests: [one, two, three].into(), forgotten: 3 });
        let has = |name: &str, digest| registry.has_blob(&tenant(name), digest).unwrap();
        assert_eq!([&one, &two, &three, &four].map(|digest| has("acme", digest)), [true, true, false, false]);
        assert_eq!([&one, &three].map(|digest| has("other", digest)), [false, true]);
        assert_eq!(registry.blob_totals(&tenant("acme")).unwrap(), BlobTotals { blobs: 2, bytes: 2 });
        registry.remove(&remove("acme", "shop")).unwrap();
        let left = registry.sweep_blobs(AT_US + 5).unwrap();
        assert_eq!(left, BlobsInUse { digests: [three].into(), forgotten: 2 });
    });
}
