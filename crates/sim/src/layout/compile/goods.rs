//! What is made, and what it is made of: products, variants with their shares, stocks, carriers.

use super::{MS_NS, Making, pieces};
use crate::layout::{Carrier, Feed, Product, Variant};
use werkbuch_model::id::ElementId;
use werkbuch_model::plant::{self, BoundaryKind, FlowKind};

impl<'d> Making<'d> {
    pub(super) fn products(&mut self) {
        for product in self.from.products() {
            self.products
                .insert(product.id.as_str(), self.layout.products.len());
            self.layout.products.push(Product {
                id: product.id.to_string(),
                variants: Vec::new(),
                is_tracked: self
                    .from
                    .steps()
                    .any(|step| step.product == product.id && step.carrier.is_some()),
                is_unnamed: false,
            });
        }
        for variant in self.from.variants() {
            let share = self.share(variant);
            let Some(product) = self.products.get(variant.product.as_str()) else {
                continue;
            };
            let at = self.layout.variants.len();
            self.variants.insert(variant.id.as_str(), at);
            if let Some(product) = self.layout.products.get_mut(*product) {
                product.variants.push(at);
            }
            let attributes = variant
                .attributes
                .iter()
                .filter_map(|text| text.split_once('='));
            self.layout.variants.push(Variant {
                id: variant.id.to_string(),
                product: *product,
                share,
                attributes: attributes
                    .map(|(key, value)| (key.to_owned(), value.to_owned()))
                    .collect(),
            });
        }
        // A product without variants is its own only one.
        for (at, product) in self.layout.products.iter_mut().enumerate() {
            if product.variants.is_empty() {
                product.variants.push(self.layout.variants.len());
                self.layout.variants.push(Variant {
                    id: product.id.clone(),
                    product: at,
                    share: 1.0,
                    attributes: Vec::new(),
                });
            }
        }
    }

    /// A variant's share of its product; those that name none share the rest evenly.
    fn share(&self, variant: &plant::Variant) -> f64 {
        let family = self
            .from
            .variants()
            .filter(|one| one.product == variant.product);
        let (mut named, mut others) = (0.0, 0.0);
        for one in family {
            match one.share {
                Some(share) => named += share.as_f64(),
                None => others += 1.0,
            }
        }
        variant
            .share
            .map_or((1.0_f64 - named).max(0.0) / others, plant::Decimal::as_f64)
    }

    /// Whether the parts of a feed come out of a buffer that is filled, and become one with others.
    pub(super) fn is_joined(&self, feed: &plant::Feed) -> bool {
        let Some(from) = &feed.from else { return false };
        self.is_filled(from) && !self.is_main(feed)
    }

    /// Whether what a feed takes is all that comes to its station: then that is the part itself.
    fn is_main(&self, feed: &plant::Feed) -> bool {
        let Some(from) = &feed.from else { return false };
        if self.boundary(&feed.at, BoundaryKind::Source).is_some() {
            return false;
        }
        let others = self.from.flows_to(&feed.at);
        let mut others = others.filter(|flow| flow.flow_kind != FlowKind::Empties);
        let is_fed = |at: &ElementId| {
            let mut feeds = self.from.feeds();
            feeds.any(|one| one.at == feed.at && one.from.as_ref() == Some(at))
        };
        self.is_filled(from) && others.all(|flow| is_fed(&flow.from))
    }

    /// Whether parts come into a buffer. What nothing is told to fill, such as kits, is taken for stock.
    fn is_filled(&self, buffer: &ElementId) -> bool {
        let mut into = self.from.flows_to(buffer);
        self.boundary(buffer, BoundaryKind::Source).is_some()
            || into.any(|flow| flow.flow_kind != FlowKind::Empties)
    }

    pub(super) fn supply(&mut self) {
        let from = self.from;
        for feed in from.feeds() {
            if self.is_joined(feed) || self.is_main(feed) {
                continue;
            }
            let Some(station) = self.stations.get(feed.at.as_str()) else {
                continue;
            };
            if let Some(station) = self.layout.stations.get_mut(*station) {
                station.feeds.push(self.layout.feeds.len());
            }
            self.layout.feeds.push(Feed {
                part_number: feed.part_number.clone(),
                station: *station,
                quantity: pieces(feed.quantity),
                variant: feed
                    .variant
                    .as_ref()
                    .and_then(|id| self.variants.get(id.as_str()))
                    .copied(),
                site: feed.site.clone(),
                kind: feed.feed_kind,
            });
        }
        for carrier in self.from.carriers() {
            self.layout.carriers.push(Carrier {
                id: carrier.id.to_string(),
                kind: carrier.carrier_kind,
                count: carrier.count,
                return_ns: carrier.return_ms.unwrap_or(0).saturating_mul(MS_NS),
                home: carrier
                    .home
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
            });
        }
    }
}
