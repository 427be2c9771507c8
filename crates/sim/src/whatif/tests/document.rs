//! What programs are told can be read back, and what is no such thing is not.

use super::{effort, line, scenarios, studied};
use crate::whatif::{Outcome, Tried};

#[test]
fn what_programs_are_told_is_read_back() {
    let model = line(&[60, 90], 2);
    let down = "[[change]]\ndo = \"down\"\nmachines = \"m1\"\nfor = \"30m\"\n";
    let mut effort = effort(4, 3);
    effort.target = Some(100);
    let scenarios = scenarios(&model, down);
    let mut found = studied(&model, &scenarios, &effort);
    let tried = Tried {
        sensitivity: Some(0.01),
        tornado: Some(0.1),
        most: 3,
    };
    let of = (&model, scenarios.as_slice());
    tried.run(of, (&mut found, &effort), &|_| true).unwrap();
    assert!(found.tornado.is_some() && found.sensitivity.len() == 2 && found.losses.len() == 1);
    let told = found.to_json();
    // Nothing starves in this plant for ever, so that numbers are missing too.
    assert!(told.to_string().contains("null"));
    let back = Outcome::from_json(&told).unwrap();
    assert_eq!(back.to_json(), told);
    let mut broken = told;
    broken["cases"][0]["measures"][0]["unit"] = "furlongs".into();
    assert_eq!(Outcome::from_json(&broken), None);
}
