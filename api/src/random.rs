//! Randomness for identifiers, tokens and keys.

/// Takes `N` bytes from the system's generator.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes)
        .expect("the system's random generator works: nothing is safe without it");
    bytes
}
