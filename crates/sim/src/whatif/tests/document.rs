//! What programs are told can be read back, and what is no such thing is not.

use super::{effort, line, scenarios, studied};
use crate::whatif::Outcome;

#[test]
fn what_programs_are_told_is_read_back() {
    let model = line(&[60, 90], 2);
    let down = "[[change]]\ndo = \"down\"\nmachines = \"m1\"\nfor = \"30m\"\n";
    let mut effort = effort(4, 3);
    effort.target = Some(100);
    let found = studied(&model, &scenarios(&model, down), &effort);
    let told = found.to_json();
    // Nothing starves in this plant for ever, so that numbers are missing too.
    assert!(told.to_string().contains("null"));
    let back = Outcome::from_json(&told).unwrap();
    assert_eq!(back.to_json(), told);
    let mut broken = told;
    broken["cases"][0]["measures"][0]["unit"] = "furlongs".into();
    assert_eq!(Outcome::from_json(&broken), None);
}
