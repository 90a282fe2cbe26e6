import { join } from "node:path";

/** The folder of the package: the tests are started there. */
export const root = process.cwd();

/** What is published. */
export const dist = join(root, "dist");
