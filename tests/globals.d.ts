// What the pages of the tests put on `globalThis`. Their own scripts are not type checked.
declare var initialise: (version?: string) => Promise<any>;
declare var call: (method: string, ...args: unknown[]) => Promise<any>;
declare var pki: any;
declare var startSimulator: typeof import("./web-pki-simulator/simulator.js").startSimulator;
declare var axe: any;
