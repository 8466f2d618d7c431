//! Links in a store.
//!
//! | key | value |
//! | --- | --- |
//! | `number` | a counter: how many links were numbered |
//! | `link:SLUG` | the URL |
//! | `visits:SLUG` | a counter |
//! | `entry:NUMBER` | the slug: what a listing by age goes by |

use guest_http::Url;

use crate::slug::Slug;
use crate::store::{Claim, Store, StoreError};

/// Links on one page.
pub const PAGE_LINKS_MAX: u64 = 20;

/// How often a slug may turn out to be somebody's chosen name before the app gives up.
const ATTEMPTS_MAX: u32 = 8;

/// All links.
#[derive(Debug)]
pub struct Links<S>(S);

/// A link as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The last part of the short link.
    pub slug: String,
    /// Where it leads.
    pub url: String,
    /// How often it was followed.
    pub visits: u64,
}

/// Links of similar age, the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// At most [`PAGE_LINKS_MAX`] of them.
    pub links: Vec<Link>,
    /// What to pass as `before` for the next page, if there may be one.
    pub next: Option<u64>,
}

/// Links in the order of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Those of one page of keys: there may be none of them even if there are more pages.
    pub links: Vec<Link>,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
}

/// Why a link was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddError {
    /// Somebody else has the name.
    #[error("the name {0} is taken; choose another one")]
    Taken(Slug),
    /// No free slug was found.
    #[error("no free short link was found; try again")]
    Exhausted,
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for AddError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl<S: Store> Links<S> {
    /// Takes the store that the links are in.
    pub fn new(store: S) -> Self {
        Self(store)
    }

    /// Makes a link, under a chosen name or the next free slug.
    ///
    /// # Errors
    /// When the name is taken, or the store fails.
    pub fn add(&self, url: &Url<'_>, name: Option<Slug>) -> Result<Slug, AddError> {
        let (slug, number) = match name {
            Some(name) => match self.0.claim(&link(name.as_str()), url.as_str())? {
                Claim::Made => (name, self.0.increment(NUMBER)?),
                Claim::Taken => return Err(AddError::Taken(name)),
            },
            None => self.add_numbered(url)?,
        };
        self.0.set(&entry(number), slug.as_str())?;
        Ok(slug)
    }

    fn add_numbered(&self, url: &Url<'_>) -> Result<(Slug, u64), AddError> {
        for _ in 0..ATTEMPTS_MAX {
            let number = self.0.increment(NUMBER)?;
            let slug = Slug::of_number(number);
            // Nobody else gets this number, but somebody may have chosen its digits as a name.
            if self.0.claim(&link(slug.as_str()), url.as_str())? == Claim::Made {
                return Ok((slug, number));
            }
        }
        Err(AddError::Exhausted)
    }

    /// Where a link leads, if it is there.
    ///
    /// # Errors
    /// When the store fails.
    pub fn url(&self, slug: &Slug) -> Result<Option<String>, StoreError> {
        Ok(self.0.get(&link(slug.as_str()))?.map(text))
    }

    /// Counts a visit.
    ///
    /// # Errors
    /// When the store fails.
    pub fn visit(&self, slug: &Slug) -> Result<u64, StoreError> {
        self.0.increment(&visits(slug.as_str()))
    }

    /// The newest links whose number is below `before`.
    ///
    /// # Errors
    /// When the store fails.
    pub fn newest(&self, before: Option<u64>) -> Result<Page, StoreError> {
        let last = number(self.0.get(NUMBER)?);
        let end = before.unwrap_or(u64::MAX).min(last.saturating_add(1));
        let start = end.saturating_sub(PAGE_LINKS_MAX).max(1);
        let entries: Vec<String> = (start..end).rev().map(entry).collect();
        // A number that was drawn and not used has no entry.
        let slugs = self.values(&entries)?.into_iter().flatten().map(text).collect();
        Ok(Page { links: self.describe(slugs)?, next: (start > 1).then_some(start) })
    }

    /// A page of the store's own listing.
    ///
    /// # Errors
    /// When the store fails.
    pub fn listed(&self, cursor: Option<&str>) -> Result<Listing, StoreError> {
        let (keys, next) = self.0.list(cursor)?;
        let slugs = keys.iter().filter_map(|key| key.strip_prefix(LINK)).map(str::to_owned).collect();
        Ok(Listing { links: self.describe(slugs)?, next })
    }

    /// Adds to each slug what is known of it, in two calls for all of them.
    fn describe(&self, slugs: Vec<String>) -> Result<Vec<Link>, StoreError> {
        let keys = |key: fn(&str) -> String| slugs.iter().map(|slug| key(slug)).collect::<Vec<_>>();
        let (urls, visits) = (self.values(&keys(link))?, self.values(&keys(visits))?);
        let links = slugs.into_iter().zip(urls).zip(visits).filter_map(|((slug, url), visits)| {
            let url = text(url?);
            Some(Link { slug, url, visits: number(visits) })
        });
        Ok(links.collect())
    }

    /// The values under several keys; where there are none, the store need not be asked.
    fn values(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        if keys.is_empty() { Ok(Vec::new()) } else { self.0.get_many(keys) }
    }
}

const NUMBER: &str = "number";
const LINK: &str = "link:";

fn link(slug: &str) -> String {
    format!("{LINK}{slug}")
}

fn visits(slug: &str) -> String {
    format!("visits:{slug}")
}

fn entry(number: u64) -> String {
    format!("entry:{number}")
}

/// What this app wrote is text.
fn text(value: Vec<u8>) -> String {
    String::from_utf8(value).unwrap_or_default()
}

/// A counter's value; one that was never counted up is not there.
fn number(value: Option<Vec<u8>>) -> u64 {
    value.and_then(|value| text(value).parse().ok()).unwrap_or_default()
}
