//! The objects of a description that are known by their key alone.

use super::description::{Description, DescriptionError, check_presence};
use super::object::Keyed;
use super::spec::{keyed_objects, *};
use crate::id::ElementId;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{self, Unbounded};

macro_rules! tables {
    ($($kind:ident $list:ident $table:literal,)+) => {
        /// A map of each kind.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        pub(super) struct Tables {
            $(pub(super) $list: BTreeMap<<$kind as Keyed>::Key, $kind>,)+
            /// The flows by where they go to, then by where they come from.
            arrivals: BTreeSet<(ElementId, ElementId)>,
        }

        impl Tables {
            /// Applies a change of one of these kinds; of others it knows nothing.
            pub(super) fn apply(
                &mut self,
                action: ChangeAction,
                spec: &Spec,
            ) -> Result<(), DescriptionError> {
                match spec {
                    $(Spec::$kind(spec) => apply_keyed(&mut self.$list, action, spec)?,)+
                    _ => {}
                }
                self.note_flow(action, spec);
                Ok(())
            }

            /// All objects, by kind and key.
            pub(super) fn all(&self) -> impl Iterator<Item = SpecRef<'_>> {
                let all = std::iter::empty();
                $(let all = all.chain(self.$list.values().map(SpecRef::$kind));)+
                all
            }

            /// The object of the same kind and key.
            pub(super) fn same(&self, spec: &Spec) -> Option<SpecRef<'_>> {
                match spec {
                    $(Spec::$kind(spec) => self.$list.get(&spec.key()).map(SpecRef::$kind),)+
                    _ => None,
                }
            }
        }

        impl Description {
            $(#[doc = concat!("Every `[[", $table, "]]`, by key.")]
            pub fn $list(&self) -> impl Iterator<Item = &$kind> {
                self.tables.$list.values()
            })+
        }
    };
}

keyed_objects!(tables);

impl Tables {
    fn note_flow(&mut self, action: ChangeAction, spec: &Spec) {
        if let Spec::Flow(flow) = spec {
            let arrival = (flow.to.clone(), flow.from.clone());
            match action {
                ChangeAction::Remove => self.arrivals.remove(&arrival),
                _ => self.arrivals.insert(arrival),
            };
        }
    }
}

fn apply_keyed<T: Keyed>(
    table: &mut BTreeMap<T::Key, T>,
    action: ChangeAction,
    spec: &T,
) -> Result<(), DescriptionError> {
    let key = spec.key();
    check_presence(action, table.contains_key(&key), T::KIND, &spec.label())?;
    match action {
        ChangeAction::Remove => table.remove(&key),
        _ => table.insert(key, spec.clone()),
    };
    Ok(())
}

macro_rules! by_id {
    ($($(#[$meta:meta])* $one:ident: $kind:ident in $list:ident;)+) => {
        impl Description {$(
            $(#[$meta])*
            #[must_use]
            pub fn $one(&self, id: &str) -> Option<&$kind> { self.tables.$list.get(id) }
        )+}
    };
}

by_id! {
    /// The stop group with this name.
    stop_group: StopGroup in stop_groups;
    /// The product with this name.
    product: Product in products;
    /// The variant with this name.
    variant: Variant in variants;
    /// The carrier with this name.
    carrier: Carrier in carriers;
    /// The crew with this name.
    crew: Crew in crews;
    /// The rework loop with this name.
    rework: Rework in reworks;
    /// The calendar with this name.
    calendar: Calendar in calendars;
}

impl Description {
    /// The flow between these two.
    #[must_use]
    pub fn flow(&self, from: &ElementId, to: &ElementId) -> Option<&Flow> {
        self.tables.flows.get(&(from.clone(), to.clone()))
    }

    /// The flows that leave a machine or buffer, by where they go.
    pub fn flows_from(&self, from: &ElementId) -> impl Iterator<Item = &Flow> {
        let flows = self.tables.flows.range((first_pair(from), Unbounded));
        let flows = flows.take_while(move |((at, _), _)| at == from);
        flows.map(|(_, flow)| flow)
    }

    /// The flows that reach a machine or buffer, by where they come from.
    pub fn flows_to(&self, to: &ElementId) -> impl Iterator<Item = &Flow> {
        let arrivals = self.tables.arrivals.range((first_pair(to), Unbounded));
        let arrivals = arrivals.take_while(move |(at, _)| at == to);
        arrivals.filter_map(|(to, from)| self.flow(from, to))
    }

    /// The steps declared for a product and this variant alone, by their number.
    pub fn steps_declared(
        &self,
        product: &ElementId,
        variant: Option<&ElementId>,
    ) -> impl Iterator<Item = &Step> {
        let key = |number| (product.clone(), variant.cloned(), number);
        let steps = self.tables.steps.range(key(0)..=key(u32::MAX));
        steps.map(|(_, step)| step)
    }

    /// The routing of a product's variant: its own steps where it has some, else those of all
    /// variants.
    pub fn routing(
        &self,
        product: &ElementId,
        variant: Option<&ElementId>,
    ) -> impl Iterator<Item = &Step> {
        let own = variant.filter(|_| self.steps_declared(product, variant).next().is_some());
        self.steps_declared(product, own)
    }
}

/// The least pair that begins with this name: no name is shorter than one letter.
fn first_pair(name: &ElementId) -> Bound<(ElementId, ElementId)> {
    Bound::Included((name.clone(), ElementId::least()))
}
