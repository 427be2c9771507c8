//! The names that parts, orders and people go by.

use crate::factory::Part;
use crate::layout::Layout;

/// The people of the plant, of whom the twin learns no more than that it was somebody.
const PEOPLE: [&str; 12] = [
    "A. Keller",
    "M. Okafor",
    "L. Petrova",
    "J. Santos",
    "R. Lindqvist",
    "C. Moreau",
    "T. Nakamura",
    "S. Haddad",
    "P. Novak",
    "E. Brandt",
    "D. Ferreira",
    "Y. Chen",
];

/// Somebody, by a number.
pub(super) fn somebody(number: u64) -> &'static str {
    let count = PEOPLE.len() as u64;
    let at = usize::try_from(number % count).unwrap_or(0);
    PEOPLE.get(at).copied().unwrap_or_default()
}

/// Whether a part of this product is a vehicle, with a vehicle number and an order of its own.
pub(super) fn is_vehicle(layout: &Layout, product: usize) -> bool {
    let product = layout.products.get(product);
    let of = |variant: &usize| layout.variants.get(*variant);
    product.is_some_and(|product| {
        product.is_tracked
            && product
                .variants
                .iter()
                .filter_map(of)
                .any(|one| !one.attribute("colour").is_empty())
    })
}

/// Products that are pairs until they are built in, with the names of the two.
const PAIRS: [(&str, [&str; 2]); 1] = [("side", ["L", "R"])];

/// What parts of a product are taken apart into when they are built in; nothing for most.
pub(super) fn halves(
    layout: &Layout,
    product: usize,
) -> impl ExactSizeIterator<Item = &'static str> {
    let id = layout.products.get(product).map_or("", |one| &one.id);
    let pair = PAIRS.iter().find(|(of, _)| *of == id);
    let names: &'static [&'static str] = pair.map_or(&[], |(_, names)| names);
    names.iter().copied()
}

/// The name of a part that has one: a vehicle number of 17 letters and digits, or the product's name
/// with a number. Empty for parts that are only counted.
pub(super) fn part(layout: &Layout, plant: &str, part: &Part) -> String {
    let Some(product) = layout
        .products
        .get(part.product)
        .filter(|one| one.is_tracked)
    else {
        return String::new();
    };
    if is_vehicle(layout, part.product) {
        let (maker, model) = (letters(plant), letters(&product.id));
        return format!("W{maker}ZZZ{model}S1{:07}", part.serial);
    }
    format!("{}-{:06}", product.id, part.serial)
}

/// The order that a vehicle is built for.
pub(super) fn order(part: &Part) -> String {
    format!("V{:07}", part.serial)
}

/// Two letters of a name as vehicle numbers have them: without I, O and Q.
fn letters(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphabetic).take(2);
    let letter = |letter: char| match letter.to_ascii_uppercase() {
        'I' => '1',
        'O' => '0',
        'Q' => '9',
        other => other,
    };
    format!("{:X<2}", letters.map(letter).collect::<String>())
}
