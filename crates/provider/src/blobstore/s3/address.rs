//! Where a bucket is, and who asks.

use std::fmt;

use percent_encoding::percent_decode_str;
use url::Url;

use crate::blobstore::OpenError;

/// The region if nothing names one.
const REGION_DEFAULT: &str = "us-east-1";
/// The longest prefix with its slash, in bytes: names keep half of a key.
const PREFIX_BYTES_MAX: usize = 512;

/// The parts of `s3://[KEY:SECRET@]BUCKET[/PREFIX][?region=REGION][&endpoint=URL]`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) bucket: String,
    /// Empty, or ends with a slash.
    pub(super) prefix: String,
    pub(super) region: String,
    pub(super) endpoint: Option<String>,
    pub(super) credentials: Credentials,
}

/// What requests are signed with.
#[derive(PartialEq, Eq)]
pub(super) struct Credentials {
    pub(super) key: String,
    pub(super) secret: String,
    pub(super) token: Option<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

impl Address {
    /// Reads an address; what it leaves out comes from variables of the environment.
    ///
    /// # Errors
    /// When it is wrong, or nobody has credentials.
    pub(super) fn parse(address: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Self, OpenError> {
        let url = Url::parse(address).map_err(|_| OpenError::Address("it is not a URL"))?;
        if url.scheme() != "s3" {
            return Err(OpenError::Address("it does not start with s3://"));
        }
        if url.port().is_some() || url.fragment().is_some() {
            return Err(OpenError::Address(
                "it has a port or a fragment; a server is named by endpoint=http://HOST:PORT",
            ));
        }
        let (region, endpoint) = parameters(&url)?;
        let region = region.or_else(|| variable("AWS_REGION")).or_else(|| variable("AWS_DEFAULT_REGION"));
        Ok(Self {
            bucket: bucket(&url)?,
            prefix: prefix(&url)?,
            region: region.unwrap_or_else(|| REGION_DEFAULT.to_owned()),
            endpoint,
            credentials: credentials(&url, variable)?,
        })
    }
}

fn bucket(url: &Url) -> Result<String, OpenError> {
    let bucket = url.host_str().unwrap_or_default();
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    if (3..=63).contains(&bucket.len()) && bucket.bytes().all(fits) {
        return Ok(bucket.to_owned());
    }
    Err(OpenError::Address("the name of a bucket has 3 to 63 letters, digits, dots and hyphens"))
}

fn prefix(url: &Url) -> Result<String, OpenError> {
    let wrong = || OpenError::Address("the prefix has at most 512 bytes, and its parts are neither empty nor dots");
    let path = object_store::path::Path::from_url_path(url.path()).map_err(|_| wrong())?;
    if path.is_root() {
        return Ok(String::new());
    }
    let prefix = format!("{path}/");
    if prefix.len() > PREFIX_BYTES_MAX { Err(wrong()) } else { Ok(prefix) }
}

fn parameters(url: &Url) -> Result<(Option<String>, Option<String>), OpenError> {
    let (mut region, mut endpoint) = (None, None);
    for (name, value) in url.query_pairs() {
        match &*name {
            "region" if !value.is_empty() => region = Some(value.into_owned()),
            "endpoint" => endpoint = Some(checked_endpoint(&value)?),
            _ => return Err(OpenError::Address("its parameters are region and endpoint, each with a value")),
        }
    }
    Ok((region, endpoint))
}

fn checked_endpoint(value: &str) -> Result<String, OpenError> {
    let wrong = OpenError::Address("the endpoint is http:// or https://, a host and a port, without credentials");
    match Url::parse(value) {
        Ok(url)
            if matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
                && url.fragment().is_none() =>
        {
            Ok(url.as_str().trim_end_matches('/').to_owned())
        }
        _ => Err(wrong),
    }
}

fn credentials(url: &Url, variable: impl Fn(&str) -> Option<String>) -> Result<Credentials, OpenError> {
    if url.username().is_empty() && url.password().is_none() {
        return match (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY")) {
            (Some(key), Some(secret)) => Ok(Credentials { key, secret, token: variable("AWS_SESSION_TOKEN") }),
            _ => Err(OpenError::Credentials),
        };
    }
    match (decoded(url.username()), url.password().and_then(decoded)) {
        (Some(key), Some(secret)) => Ok(Credentials { key, secret, token: None }),
        _ => Err(OpenError::Address("credentials are KEY:SECRET@, each percent-encoded")),
    }
}

fn decoded(part: &str) -> Option<String> {
    let part = percent_decode_str(part).decode_utf8().ok()?;
    Some(part.into_owned()).filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(name: &str) -> Option<String> {
        match name {
            "AWS_ACCESS_KEY_ID" => Some("env-key".to_owned()),
            "AWS_SECRET_ACCESS_KEY" => Some("env-secret".to_owned()),
            "AWS_SESSION_TOKEN" => Some("env-token".to_owned()),
            "AWS_DEFAULT_REGION" => Some("env-region".to_owned()),
            _ => None,
        }
    }

    #[test]
    fn an_address_is_taken_apart() {
        let text = "s3://key:s%2Fe%2Bc%40ret@my.bucket/a%20b/c/?region=eu-1&endpoint=http://127.0.0.1:9000/";
        let address = Address::parse(text, variable).unwrap();
        let credentials = Credentials { key: "key".to_owned(), secret: "s/e+c@ret".to_owned(), token: None };
        let expected = Address {
            bucket: "my.bucket".to_owned(),
            prefix: "a b/c/".to_owned(),
            region: "eu-1".to_owned(),
            endpoint: Some("http://127.0.0.1:9000".to_owned()),
            credentials,
        };
        assert_eq!(address, expected);
        assert!(!format!("{address:?}").contains("ret"), "{address:?}");
    }

    #[test]
    fn what_an_address_leaves_out_comes_from_the_environment() {
        let address = Address::parse("s3://bucket", variable).unwrap();
        assert_eq!((address.prefix.as_str(), address.region.as_str(), address.endpoint), ("", "env-region", None));
        let token = Some("env-token".to_owned());
        let expected = Credentials { key: "env-key".to_owned(), secret: "env-secret".to_owned(), token };
        assert_eq!(address.credentials, expected);
        assert!(matches!(Address::parse("s3://bucket", |_| None), Err(OpenError::Credentials)));
        assert_eq!(Address::parse("s3://k:s@bucket", |_| None).unwrap().region, REGION_DEFAULT);
    }

    #[test]
    fn a_wrong_address_is_refused_and_not_repeated() {
        for address in [
            "bucket",
            "https://k:hush@bucket",
            "s3:///prefix",
            "s3://k:hush@b",
            "s3://k:hush@bucket:9000",
            "s3://k:hush@bucket/a//b",
            "s3://k:hush@bucket/a%00",
            "s3://k:hush@bucket?endpoint=ftp://host",
            "s3://k:hush@bucket?endpoint=http://u:hush@host",
            "s3://k:hush@bucket?regoin=x",
            "s3://k:hush@bucket?region=",
            "s3://k@bucket",
            "s3://:hush@bucket",
            "s3://k:hush@bu%20cket",
            "s3://k:hush@bucket#x",
        ] {
            let error = Address::parse(address, variable).map(drop).unwrap_err();
            assert!(matches!(error, OpenError::Address(_)), "{address}: {error:?}");
            assert!(!format!("{error:?} {error}").contains("hush"), "{address}: {error:?}");
        }
        assert!(Address::parse(&format!("s3://bucket/{}", "p".repeat(512)), variable).is_err());
    }
}
