//! Hands what libFuzzer makes up to the body of the same name.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    werkbuch_fuzz::filter::body(data);
});
