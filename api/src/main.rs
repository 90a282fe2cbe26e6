//! The signing API and command line of Rubrica.

fn main() {}
