//! The page of metrics: every family with what it counts, written in the text form of OpenMetrics.

mod calls;
mod families;
mod scrape;

pub(crate) use calls::Calls;
pub use families::METRICS;
pub(crate) use scrape::Scrape;

use families::{FAMILIES, Family, Labels, Read};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use std::fmt;
use std::sync::Arc;
use werkbuch_engine::Distribution;

/// What the page is, for the header of the answer.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The page for what was read. Errors: the text could not be put together, an error in the product.
pub(crate) fn page(scrape: Scrape) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Arc::new(scrape)));
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry)?;
    Ok(text)
}

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        FAMILIES
            .iter()
            .try_for_each(|family| write(family, self, &mut encoder))
    }
}

fn write(family: &Family, scrape: &Scrape, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let Family { name, help, read } = family;
    let kind = read.kind();
    let mut metric = encoder.encode_descriptor(name, help, None, kind)?;
    match read {
        Read::Counter(rows) => rows(scrape).iter().try_for_each(|(labels, value)| {
            if labels.is_empty() {
                return metric.encode_counter::<NoLabelSet, u64, f64>(value, None);
            }
            let labels: &[(&str, &str)] = &borrowed(labels);
            let mut row = metric.encode_family(&labels)?;
            row.encode_counter::<NoLabelSet, u64, f64>(value, None)
        }),
        Read::Gauge(rows) => rows(scrape).iter().try_for_each(|(labels, value)| {
            if labels.is_empty() {
                return metric.encode_gauge(value);
            }
            let labels: &[(&str, &str)] = &borrowed(labels);
            metric.encode_family(&labels)?.encode_gauge(value)
        }),
        Read::Times(read) => {
            let times: &Distribution = read(scrape);
            let (sum, count) = (times.sum_seconds, times.count());
            metric.encode_histogram::<NoLabelSet>(sum, count, &times.buckets, None)
        }
        Read::Info(labels) => {
            let labels = labels(scrape);
            let labels: &[(&str, &str)] = &borrowed(&labels);
            metric.encode_info(&labels)
        }
    }
}

fn borrowed(labels: &Labels) -> Vec<(&str, &str)> {
    labels
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect()
}

impl Read {
    fn kind(&self) -> MetricType {
        match self {
            Self::Counter(_) => MetricType::Counter,
            Self::Gauge(_) => MetricType::Gauge,
            Self::Times(_) => MetricType::Histogram,
            Self::Info(_) => MetricType::Info,
        }
    }
}
