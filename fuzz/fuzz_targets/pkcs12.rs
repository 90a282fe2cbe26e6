#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rubrica_fuzz::pkcs12(data));
