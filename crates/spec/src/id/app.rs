//! Which app of which tenant.

use super::{AppName, IdError, TenantId};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// An app as a whole node knows it: app names are unique within their tenant only.
///
/// Its text is `TENANT/APP`, and `APP` alone for the tenant that is there where none were set up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AppId {
    /// Whose it is.
    pub tenant: TenantId,
    /// Its name.
    pub app: AppName,
}

impl AppId {
    /// An app that runs where no tenants were set up.
    #[must_use]
    pub fn local(app: AppName) -> Self {
        Self { tenant: TenantId::local(), app }
    }

    /// A name for its folder, file or key that no other app has: `APP` or `APP.TENANT`. Names hold no dots.
    #[must_use]
    pub fn file_name(&self) -> String {
        if self.tenant == TenantId::local() { self.app.to_string() } else { format!("{}.{}", self.app, self.tenant) }
    }
}

impl fmt::Display for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.tenant == TenantId::local() { self.app.fmt(f) } else { write!(f, "{}/{}", self.tenant, self.app) }
    }
}

impl FromStr for AppId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        match text.split_once('/') {
            Some((tenant, app)) => Ok(Self { tenant: tenant.parse()?, app: app.parse()? }),
            None => Ok(Self::local(text.parse()?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_comes_back() {
        for (text, file_name) in [("shop", "shop"), ("acme/shop", "shop.acme")] {
            let id: AppId = text.parse().unwrap();
            assert_eq!((id.to_string().as_str(), id.file_name().as_str()), (text, file_name));
        }
        assert_eq!("local/shop".parse::<AppId>().unwrap(), AppId::local("shop".parse().unwrap()));
        for bad in ["", "/", "acme/", "/shop", "a/b/c", "Acme/shop"] {
            assert!(bad.parse::<AppId>().is_err(), "{bad:?}");
        }
    }
}
