//! Any text is a plant file or a list of mistakes; what is taken can be written out and read again.

use werkbuch_model::plant::{diff, parse, to_toml};

/// The bytes are the text of the file.
pub fn body(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    let file = match parse(&text, "plant.toml") {
        Ok(file) => file,
        Err(mistakes) => {
            assert!(!mistakes.is_empty(), "refused without a mistake");
            assert!(
                mistakes
                    .iter()
                    .all(|mistake| !mistake.to_string().is_empty())
            );
            return false;
        }
    };
    let Ok(description) = file.to_description() else {
        return false;
    };
    let nothing = diff(&description, &file);
    assert_eq!(
        nothing,
        Ok(Vec::new()),
        "a file differs from what it describes"
    );
    let written = to_toml(&description, &file.plant_id);
    let again = parse(&written, "written.toml")
        .unwrap_or_else(|mistakes| panic!("{mistakes:?}\n{written}"));
    assert_eq!(again.plant_id, file.plant_id);
    let nothing = diff(&description, &again);
    assert_eq!(
        nothing,
        Ok(Vec::new()),
        "what is written out reads otherwise:\n{written}"
    );
    true
}
