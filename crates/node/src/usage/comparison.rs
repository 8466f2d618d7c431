//! What the same work would cost elsewhere, at list prices.
//!
//! Money is counted in whole 10^-15 dollars, to which the cost of each component is rounded. The formulas are in
//! `docs/guide/metering.md`.

use std::fmt;
use std::path::Path;

use cumulet_meter::ledger::{LedgerError, LedgerReader, Sums};
use cumulet_spec::outcome::Outcome;
use serde::{Deserialize, Deserializer, de};

use super::report::{Dimension, Question, sums};

/// The prices, as they stand in the program.
const PRICES: &str = include_str!("prices.toml");

/// Decimal places of a dollar that are counted.
const PLACES: usize = 15;
/// 10^-15 dollars in 10^-6, which is what is shown.
const SHOWN: u128 = 1_000_000_000;
/// Byte-microseconds of a GB-second, whose GB is 2^30 bytes, as providers count memory.
const GB_SECOND_BYTE_US: u128 = (1 << 30) * 1_000_000;
/// Microseconds of a millisecond.
const MS_US: u128 = 1_000;
/// Every combination that a provider would see as something of its own.
const GRAIN: [Dimension; 4] = [Dimension::Tenant, Dimension::App, Dimension::Component, Dimension::Revision];

/// An amount of dollars, in 10^-15; it stops at the largest number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Usd(pub u128);

/// What a number of units costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// The price.
    #[serde(rename = "usd", deserialize_with = "dollars")]
    pub price: Usd,
    /// Of how many units; at least 1.
    #[serde(deserialize_with = "at_least_one")]
    pub per: u64,
}

/// A provider and what it charges for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Its name, the product and the region.
    pub name: String,
    /// The page where it publishes its prices.
    pub source: String,
    /// In what form, and of what date, the page was read.
    pub seen: String,
    /// For requests.
    pub request: Price,
    /// For memory over wall time.
    pub gb_second: Option<Price>,
    /// For milliseconds of the processor.
    pub cpu_ms: Option<Price>,
    /// The least memory that is charged for, in MiB.
    #[serde(default)]
    pub memory_mib_min: u64,
    /// To what each duration is rounded up, in microseconds; 0 for no rounding.
    #[serde(default)]
    pub duration_us_step: u64,
}

/// The prices that this version knows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceList {
    /// The day on which they were read, such as `2026-11-21`.
    pub read: String,
    /// Who charges what.
    #[serde(rename = "provider")]
    pub providers: Vec<Provider>,
}

/// What some use would cost at one provider.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// For requests.
    pub requests: Usd,
    /// For processor and memory.
    pub compute: Usd,
}

/// What the use that a question is about would cost at each provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The day on which the prices were read.
    pub read: String,
    /// Each provider with the cost, in the order of the list.
    pub costs: Vec<(Provider, Cost)>,
}

impl Comparison {
    /// Compares what is billed. It does not depend on how the question tells rows apart.
    ///
    /// # Errors
    /// When the ledger is not there or cannot be read.
    pub fn read(data: &Path, question: &Question) -> Result<Self, LedgerError> {
        let reader = LedgerReader::open(data)?;
        let rows = sums(&reader, question, &GRAIN)?;
        let billed: Vec<Sums> =
            rows.iter().filter(|row| row.outcome.is_some_and(Outcome::billed)).map(|row| row.sums).collect();
        let PriceList { read, providers } = PriceList::known();
        let costs = providers.into_iter().map(|provider| {
            let cost = billed.iter().map(|sums| provider.cost(sums)).fold(Cost::default(), Cost::plus);
            (provider, cost)
        });
        Ok(Self { read, costs: costs.collect() })
    }
}

impl PriceList {
    /// The prices in the program.
    #[must_use]
    pub fn known() -> Self {
        toml::from_str(PRICES).expect("a test reads the prices that are compiled in")
    }
}

impl Provider {
    /// What these sums of one component would cost.
    ///
    /// Roundings that are made for each request are known from the sums only as bounds: no duration is less than a step,
    /// and no memory less than the smallest.
    #[must_use]
    pub fn cost(&self, sums: &Sums) -> Cost {
        let invocations = u128::from(sums.invocations);
        let wall_us = u128::from(sums.wall_us).max(invocations * u128::from(self.duration_us_step));
        let memory = sums.memory_time_byte_us.max(wall_us.saturating_mul(u128::from(self.memory_mib_min) << 20));
        let memory_cost = self.gb_second.map(|price| price.of(memory, GB_SECOND_BYTE_US));
        let cpu_cost = self.cpu_ms.map(|price| price.of(u128::from(sums.executed_us), MS_US));
        Cost {
            requests: self.request.of(invocations, 1),
            compute: memory_cost.unwrap_or_default().plus(cpu_cost.unwrap_or_default()),
        }
    }
}

impl Price {
    /// What `amount / unit` units cost, rounded to the nearest 10^-15 dollars.
    fn of(self, amount: u128, unit: u128) -> Usd {
        let divisor = unit * u128::from(self.per);
        Usd(amount.saturating_mul(self.price.0).saturating_add(divisor / 2) / divisor)
    }
}

impl Cost {
    /// For everything.
    #[must_use]
    pub fn total(self) -> Usd {
        self.requests.plus(self.compute)
    }

    fn plus(self, other: Self) -> Self {
        Self { requests: self.requests.plus(other.requests), compute: self.compute.plus(other.compute) }
    }
}

impl Usd {
    fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Reads dollars with up to 15 decimal places.
    fn parse(text: &str) -> Option<Self> {
        let (whole, places) = text.split_once('.').unwrap_or((text, ""));
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || places.len() > PLACES || !is_number(whole) || !is_number(places) {
            return None;
        }
        format!("{whole}{places:0<PLACES$}").parse().ok().map(Self)
    }
}

impl fmt::Display for Usd {
    /// With six decimal places, rounded half up.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.saturating_add(SHOWN / 2) / SHOWN;
        f.pad(&format!("{}.{:06}", shown / 1_000_000, shown % 1_000_000))
    }
}

fn dollars<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Usd, D::Error> {
    let text = String::deserialize(deserializer)?;
    Usd::parse(&text).ok_or_else(|| de::Error::custom(format!("{text:?} is not an amount of dollars")))
}

fn at_least_one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let found = u64::deserialize(deserializer)?;
    if found == 0 { Err(de::Error::custom("`per` must be at least 1")) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(provider: &str, sums: Sums, (requests, compute): (&str, &str)) {
        let list = PriceList::known();
        let provider = list.providers.iter().find(|known| known.name.starts_with(provider)).unwrap();
        let cost = provider.cost(&sums);
        assert_eq!((cost.requests.to_string(), cost.compute.to_string()), (requests.to_owned(), compute.to_owned()));
    }

    /// The worked example of the guide: a million requests of 7 ms executed and 20 ms wall.
    fn million(memory_bytes: u128) -> Sums {
        Sums {
            invocations: 1_000_000,
            executed_us: 7_000_000_000,
            wall_us: 20_000_000_000,
            memory_time_byte_us: memory_bytes * 20_000_000_000,
            ..Sums::default()
        }
    }

    #[test]
    fn the_examples_of_the_guide() {
        // 256 MiB: 20,000 s x 0.25 GB = 5,000 GB-seconds.
        check("AWS Lambda", million(256 << 20), ("0.200000", "0.083334"));
        // 2 MiB is billed as 128 MiB: 20,000 s x 0.125 GB = 2,500 GB-seconds.
        check("AWS Lambda", million(2 << 20), ("0.200000", "0.041667"));
        // 7,000,000 ms of the processor.
        check("Cloudflare", million(2 << 20), ("0.300000", "0.140000"));
        check("Fastly", million(2 << 20), ("0.500000", "0.350000"));
    }

    #[test]
    fn a_short_request_is_a_whole_millisecond_to_lambda() {
        let short = Sums { invocations: 1_000_000, wall_us: 100_000_000, executed_us: 50_000_000, ..Sums::default() };
        // 1,000,000 x 1 ms x 0.125 GB = 125 GB-seconds.
        check("AWS Lambda", short, ("0.200000", "0.002083"));
        check("Cloudflare", short, ("0.300000", "0.001000"));
    }

    #[test]
    fn the_examples_that_providers_print() {
        // Cloudflare: 100 million requests of 7 ms, without what is included and the subscription.
        let sums = Sums { invocations: 90_000_000, executed_us: 670_000_000_000, ..Sums::default() };
        check("Cloudflare", sums, ("27.000000", "13.400000"));
    }

    #[test]
    fn nothing_overflows() {
        let most = Sums {
            invocations: u64::MAX,
            wall_us: u64::MAX,
            executed_us: u64::MAX,
            memory_time_byte_us: u128::MAX,
            ..Sums::default()
        };
        for provider in PriceList::known().providers {
            assert!(provider.cost(&most).total() > Usd(0), "{}", provider.name);
        }
    }

    #[test]
    fn dollars_are_read_exactly() {
        let check = |text: &str, expect: Option<u128>| assert_eq!(Usd::parse(text).map(|usd| usd.0), expect, "{text}");
        check("0.0000166667", Some(16_666_700_000));
        check("12", Some(12_000_000_000_000_000));
        for text in ["", ".5", "-1", "1.5e3", "0.1234567890123456", "1,5"] {
            check(text, None);
        }
        assert_eq!(Usd(1_500_000_000).to_string(), "0.000002");
    }

    #[test]
    fn each_price_says_where_it_is_from() {
        for provider in PriceList::known().providers {
            assert!(provider.source.starts_with("https://") && !provider.seen.is_empty(), "{}", provider.name);
            assert!(provider.gb_second.is_some() || provider.cpu_ms.is_some(), "{}", provider.name);
        }
    }
}
