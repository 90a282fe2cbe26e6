//! Size budgets of what a browser downloads.

use crate::process::{Outcome, command, output};

/// A file of the built package and its limit in bytes after brotli 11.
const BUDGETS: &[(&str, u64)] = &[
    // Signing path (design, section 10).
    ("npm/dist/rubrica_sdk_bg.wasm", 70 * 1024),
];

/// Measures with Node's brotli, the same that a build server would use.
const MEASURE: &str = "\
const fs = require('node:fs'), zlib = require('node:zlib');
const bytes = fs.readFileSync(process.argv[1]);
const params = { [zlib.constants.BROTLI_PARAM_QUALITY]: 11, [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
console.log(zlib.brotliCompressSync(bytes, { params }).length);";

/// Prints each size beside its budget and fails on the first that is over.
pub(crate) fn check() -> Outcome<()> {
    for (file, limit) in BUDGETS {
        let size = output(&mut command("", "node", &["-e", MEASURE, file]))?;
        let size: u64 = size.trim().parse().map_err(|_| format!("cannot measure {file}"))?;
        println!("size: {file} {size} of {limit} bytes (brotli)");
        if size > *limit {
            return Err(format!("{file} is {size} bytes after brotli, its budget is {limit}").into());
        }
    }
    Ok(())
}
