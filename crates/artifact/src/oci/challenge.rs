//! What a registry says when it wants to know who asks: `WWW-Authenticate` (RFC 9110, section 11.6.1).

/// The longest challenge that is read, in bytes.
const CHALLENGE_BYTES_MAX: usize = 8 << 10;

/// How to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// By a name and a password.
    Basic,
    /// By a token that is to be had elsewhere.
    Bearer { realm: String, service: Option<String> },
}

impl Challenge {
    /// The best of the ways that are offered: a token before a password.
    pub(super) fn choose<'a>(offered: impl Iterator<Item = &'a str>) -> Result<Self, &'static str> {
        let mut basic = None;
        for text in offered.filter(|text| text.len() <= CHALLENGE_BYTES_MAX) {
            let (scheme, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
            if scheme.eq_ignore_ascii_case("bearer") {
                let parameters = parameters(rest);
                let named = |name: &str| {
                    parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
                };
                let realm = named("realm").ok_or("it names no address for tokens")?;
                return Ok(Self::Bearer { realm, service: named("service") });
            }
            if scheme.eq_ignore_ascii_case("basic") {
                basic = Some(Self::Basic);
            }
        }
        basic.ok_or("it offers neither `Bearer` nor `Basic`")
    }
}

/// `key="value", key=value`, as far as it can be read.
fn parameters(mut text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    while let Some((key, rest)) = text.split_once('=') {
        let key = key.trim_matches([' ', ',', '\t']).to_owned();
        let Some((value, rest)) = value(rest.trim_start()) else { break };
        found.push((key, value));
        text = rest;
    }
    found
}

/// The value that a text begins with, and what comes after it.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(',').unwrap_or(text.len());
        let (value, rest) = text.split_at_checked(end)?;
        return Some((value.trim().to_owned(), rest));
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Some((value, quoted.get(at + 1..)?)),
            '\\' => value.push(chars.next()?.1),
            char => value.push(char),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>) -> Result<Challenge, &'static str> {
        Ok(Challenge::Bearer { realm: realm.to_owned(), service: service.map(str::to_owned) })
    }

    proptest::proptest! {
        #[test]
        fn no_challenge_is_a_panic(text in "(?i)(bearer|basic|x)? ?[a-z\"=,\\\\é ]{0,60}") {
            let _read = Challenge::choose([text.as_str()].into_iter());
        }
    }

    #[test]
    fn challenges_are_read() {
        let none = Err("it offers neither `Bearer` nor `Basic`");
        let long = format!("Bearer realm=\"{}\"", "x".repeat(9_000));
        for (offered, expect) in [
            (
                &[r#"Bearer realm="https://a.example/token",service="r.example",scope="repository:a,b:pull""#][..],
                bearer("https://a.example/token", Some("r.example")),
            ),
            (&[r#"bearer Service=r , REALM="https://a.example/\"t""#], bearer("https://a.example/\"t", Some("r"))),
            (&[r#"Basic realm="x""#, r#"Bearer realm="https://a.example""#], bearer("https://a.example", None)),
            (&[r#"Basic realm="Registry Realm""#], Ok(Challenge::Basic)),
            (&["Basic"], Ok(Challenge::Basic)),
            (&["Bearer"], Err("it names no address for tokens")),
            (&["Bearer realm=\"https://a.exam"], Err("it names no address for tokens")),
            (&["Negotiate", ""], none.clone()),
            (&[], none.clone()),
            (&[&long], none),
        ] {
            assert_eq!(Challenge::choose(offered.iter().copied()), expect, "{offered:?}");
        }
    }
}
