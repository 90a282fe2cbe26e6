/** The labelled switch that stands in for an installed Web PKI client. A real portal has nothing like it. */

/** The part of `tests/web-pki-simulator/simulator.js` that is used. It is loaded from the site only when switched on. */
interface SimulatorModule {
  startSimulator(options: { identities: unknown[]; behaviour: Record<string, unknown> }): () => void;
}

const ADDRESS = "/simulator/simulator.js";

let stop: (() => void) | null = null;

export function isSimulatorOn(): boolean {
  return stop !== null;
}

/** Loads the simulator with the identities of the demonstration. The signing flow notices it by itself. */
export async function startSimulator(): Promise<void> {
  if (stop) return;
  const [{ startSimulator: start }, response] = await Promise.all([
    import(ADDRESS) as Promise<SimulatorModule>,
    fetch("/demo/simulator/identities"),
  ]);
  if (!response.ok) throw new Error(`the bank answered ${response.status}`);
  const identities = (await response.json()) as unknown[];
  // The real client needs a licence for every host but localhost; a demonstration may run anywhere.
  stop = start({ identities, behaviour: { dialog: true, licensedHosts: [location.hostname] } });
}

export function stopSimulator(): void {
  stop?.();
  stop = null;
}
