//! Shares and header rules, as they are typed.

use cumulet_spec::api::{ArmView, HeaderView};
use cumulet_spec::traffic::{Percent, PercentError};

/// `10%` or `10`.
pub(in crate::command) fn percent(text: &str) -> Result<Percent, PercentError> {
    if text.ends_with('%') { Percent::parse(text) } else { Percent::parse(&format!("{text}%")) }
}

/// `r7=90`. What is a revision, the node knows.
pub(super) fn arm(text: &str) -> Result<ArmView, String> {
    let (revision, share) = text.split_once('=').ok_or("write a revision and its share, such as `r7=90`")?;
    if revision.is_empty() {
        return Err("write the revision before the `=`, such as `r7=90`".to_owned());
    }
    let percent = percent(share).map_err(|error| error.to_string())?;
    Ok(ArmView { revision: revision.to_owned(), percent: percent.get() })
}

/// `x-beta=yes:r8`. A value may hold colons; a revision holds none, unless it is a digest.
pub(super) fn header(text: &str) -> Result<HeaderView, String> {
    let wrong = || "write a header, its value and a revision, such as `x-beta=yes:r8`".to_owned();
    let (name, rest) = text.split_once('=').ok_or_else(wrong)?;
    let (value, revision) = match rest.rsplit_once(":sha256:") {
        Some((value, digits)) => (value, format!("sha256:{digits}")),
        None => rest.rsplit_once(':').map(|(value, revision)| (value, revision.to_owned())).ok_or_else(wrong)?,
    };
    if [name, value, &revision].into_iter().any(str::is_empty) {
        return Err(wrong());
    }
    Ok(HeaderView { name: name.to_owned(), value: value.to_owned(), revision })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares() {
        for (text, expect) in [("r7=90", ("r7", 90)), ("r8=10%", ("r8", 10)), ("sha256:ab=100", ("sha256:ab", 100))] {
            let ArmView { revision, percent } = arm(text).unwrap();
            assert_eq!((revision.as_str(), percent), expect);
        }
        for bad in ["", "r7", "r7=", "=90", "r7=0", "r7=101", "r7=1.5", "r7=9%%"] {
            assert!(arm(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn header_rules() {
        for (text, expect) in [
            ("x-beta=yes:r8", ("x-beta", "yes", "r8")),
            ("x-at=12:30:r8", ("x-at", "12:30", "r8")),
            ("x-beta=a=b:sha256:ab", ("x-beta", "a=b", "sha256:ab")),
        ] {
            let HeaderView { name, value, revision } = header(text).unwrap();
            assert_eq!((name.as_str(), value.as_str(), revision.as_str()), expect);
        }
        for bad in ["", "x-beta", "x-beta=yes", "x-beta=yes:", "x-beta=:r8", "=yes:r8"] {
            assert!(header(bad).is_err(), "{bad}");
        }
    }
}
