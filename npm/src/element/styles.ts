// Constructable, so that `style-src 'self'` is enough: nothing is ever written into a style attribute or element.

const css = /* css */ `
:host {
  --_accent: var(--rubrica-accent, #14539a);
  --_on-accent: var(--rubrica-on-accent, #fff);
  --_surface: var(--rubrica-surface, #fff);
  --_raised: var(--rubrica-raised, #f6f8fa);
  --_text: var(--rubrica-text, #14202e);
  --_muted: var(--rubrica-muted, #556474);
  --_line: var(--rubrica-line, #d8dfe7);
  --_border: var(--rubrica-border, #8695a5);
  --_success: var(--rubrica-success, #1b7547);
  --_danger: var(--rubrica-danger, #b3261e);
  --_warning: var(--rubrica-warning, #7a5200);
  --_tint: #edf3fa;
  --_success-tint: #e8f5ee;
  --_danger-tint: #fdeeec;
  --_warning-tint: #fff6e3;
  --_radius: var(--rubrica-radius, 12px);
  --_control: calc(var(--_radius) * 0.75);
  display: block;
  container-type: inline-size;
  color: var(--_text);
  font: 400 1rem/1.55 var(--rubrica-font, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif);
  text-align: start;
  -webkit-font-smoothing: antialiased;
}
@supports (color: light-dark(#000, #fff)) {
  /* Follows the color-scheme that the page declares, so a light page keeps a light signer on a dark system. */
  :host {
    --_accent: var(--rubrica-accent, light-dark(#14539a, #8abaf2));
    --_on-accent: var(--rubrica-on-accent, light-dark(#fff, #06213d));
    --_surface: var(--rubrica-surface, light-dark(#fff, #141b23));
    --_raised: var(--rubrica-raised, light-dark(#f6f8fa, #1c252f));
    --_text: var(--rubrica-text, light-dark(#14202e, #e9eef4));
    --_muted: var(--rubrica-muted, light-dark(#556474, #a6b4c2));
    --_line: var(--rubrica-line, light-dark(#d8dfe7, #303c49));
    --_border: var(--rubrica-border, light-dark(#8695a5, #6d7d8d));
    --_success: var(--rubrica-success, light-dark(#1b7547, #6fcf9b));
    --_danger: var(--rubrica-danger, light-dark(#b3261e, #f5a29b));
    --_warning: var(--rubrica-warning, light-dark(#7a5200, #f0c473));
    --_tint: color-mix(in srgb, var(--_accent) 9%, var(--_surface));
    --_success-tint: color-mix(in srgb, var(--_success) 12%, var(--_surface));
    --_danger-tint: color-mix(in srgb, var(--_danger) 9%, var(--_surface));
    --_warning-tint: light-dark(#fff6e3, color-mix(in srgb, var(--_warning) 13%, var(--_surface)));
  }
}
:host([hidden]), [hidden] { display: none !important; }
*, ::before, ::after { box-sizing: border-box; }

.panel {
  max-width: var(--rubrica-max-width, 38rem);
  margin-inline: auto;
  padding: clamp(1.25rem, 6cqi, 2.5rem);
  background: var(--_surface);
  border: 1px solid var(--_line);
  border-radius: calc(var(--_radius) * 1.34);
}
.screen { display: grid; gap: 1.5rem; animation: enter 180ms ease-out; }
.screen[data-still] { animation: none; }
.screen[data-still] .tick { animation: none; }
@keyframes enter { from { opacity: 0; transform: translateY(4px); } }

.phases { margin-block-end: 1.75rem; }
.phases ol { display: grid; grid-template-columns: repeat(4, 1fr); gap: 0.375rem; margin: 0; padding: 0; list-style: none; }
.phases li { block-size: 4px; border-radius: 2px; background: var(--_line); }
.phases li.past, .phases li.present { background: var(--_accent); }
.phases.complete li { background: var(--_success); }
.phases p { margin: 0.625rem 0 0; font-size: 0.8125rem; line-height: 1.3; color: var(--_muted); }

.intro { display: grid; gap: 0.5rem; justify-items: start; }
h2 { margin: 0; font-size: 1.4375rem; line-height: 1.28; font-weight: 650; letter-spacing: -0.012em; text-wrap: pretty; }
h2:focus { outline: none; }
h3 { margin: 0; font-size: 1rem; line-height: 1.4; font-weight: 620; }
p { margin: 0; }
.lead { color: var(--_muted); text-wrap: pretty; }
.emblem {
  display: grid; place-items: center; inline-size: 3.25rem; block-size: 3.25rem; margin-block-end: 0.625rem;
  border-radius: calc(var(--_radius) * 1.17); background: var(--_tint); color: var(--_accent);
}
.emblem .icon { inline-size: 1.75rem; block-size: 1.75rem; }
.emblem.danger { background: var(--_danger-tint); color: var(--_danger); }
.emblem.warning { background: var(--_warning-tint); color: var(--_warning); }
.emblem.quiet { background: var(--_raised); color: var(--_muted); }
.icon { inline-size: 1.25rem; block-size: 1.25rem; flex: none; fill: none; stroke: currentColor; stroke-width: 1.6; stroke-linecap: round; stroke-linejoin: round; }

.document { display: flex; align-items: center; gap: 0.875rem; padding: 0.875rem 1rem; border: 1px solid var(--_line); border-radius: var(--_radius); background: var(--_raised); }
.document .tile { display: grid; place-items: center; inline-size: 2.5rem; block-size: 2.5rem; flex: none; border-radius: var(--_control); background: var(--_surface); border: 1px solid var(--_line); color: var(--_accent); }
.document .about { min-inline-size: 0; flex: 1; }
.document .name { font-weight: 600; line-height: 1.35; overflow-wrap: anywhere; }
.document .meta { font-size: 0.8125rem; line-height: 1.4; color: var(--_muted); }

.drop { display: grid; justify-items: center; gap: 0.25rem; padding: clamp(1.5rem, 8cqi, 2.75rem) 1rem; border: 1.5px dashed var(--_border); border-radius: var(--_radius); background: var(--_raised); text-align: center; transition: background-color 120ms, border-color 120ms; }
.drop.over { border-color: var(--_accent); border-style: solid; background: var(--_tint); }
.drop .icon { inline-size: 2.125rem; block-size: 2.125rem; margin-block-end: 0.5rem; color: var(--_accent); stroke-width: 1.4; }
.drop .call { font-weight: 600; }
.drop .or, .drop .hint { font-size: 0.875rem; color: var(--_muted); }
.drop .button { margin-block: 0.625rem; }
.promise { display: flex; gap: 0.5rem; align-items: flex-start; font-size: 0.875rem; color: var(--_muted); }
.promise .icon { inline-size: 1.125rem; block-size: 1.125rem; margin-block-start: 0.15rem; }

.actions { display: flex; flex-wrap: wrap; gap: 0.75rem; }
.actions.equal { display: grid; grid-template-columns: 1fr 1fr; }
.button {
  display: inline-flex; align-items: center; justify-content: center; gap: 0.5rem; min-block-size: 3rem; padding: 0.625rem 1.375rem;
  border: 1.5px solid var(--_border); border-radius: var(--_control); background: var(--_surface); color: var(--_text);
  font: inherit; font-weight: 600; line-height: 1.25; text-align: center; text-decoration: none; cursor: pointer;
  transition: background-color 120ms, border-color 120ms;
}
.button:hover { background: var(--_raised); border-color: var(--_text); }
.button.primary { background: var(--_accent); border-color: var(--_accent); color: var(--_on-accent); }
.button.primary:hover { background: color-mix(in srgb, var(--_accent) 86%, var(--_text)); border-color: transparent; }
.button:disabled { background: var(--_raised); border-color: var(--_line); color: var(--_muted); cursor: not-allowed; }
.link { display: inline-flex; align-items: center; min-block-size: 2.75rem; padding: 0.25rem 0; border: 0; background: none; color: var(--_accent); font: inherit; font-size: 0.9375rem; font-weight: 500; text-align: start; text-decoration: underline; text-decoration-thickness: 1px; text-underline-offset: 0.22em; cursor: pointer; }
.link:hover { text-decoration-thickness: 2px; }
.links { display: flex; flex-wrap: wrap; gap: 0 1.5rem; margin-block-start: -0.5rem; }
:is(.button, .link, input):focus-visible, .card:has(input:focus-visible) { outline: 3px solid var(--_accent); outline-offset: 2px; }
.card input:focus-visible { outline: none; }

.wait { display: flex; gap: 1rem; align-items: center; }
.spinner { inline-size: 2.5rem; block-size: 2.5rem; flex: none; fill: none; stroke-width: 4; animation: turn 900ms linear infinite; }
.spinner .track { stroke: var(--_line); }
.spinner .arc { stroke: var(--_accent); stroke-linecap: round; stroke-dasharray: 28 100; }
@keyframes turn { to { transform: rotate(1turn); } }
.tasks { display: grid; gap: 0.625rem; margin: 0; padding: 0; list-style: none; font-size: 0.9375rem; }
.tasks li { display: flex; gap: 0.625rem; align-items: center; color: var(--_muted); }
.tasks li::before { content: ""; inline-size: 0.5rem; block-size: 0.5rem; flex: none; border-radius: 50%; background: var(--_accent); animation: breathe 1.4s ease-in-out infinite; }
.tasks li:nth-child(2)::before { animation-delay: 350ms; }
@keyframes breathe { 50% { opacity: 0.25; } }
.waiting { display: flex; gap: 0.625rem; align-items: center; font-size: 0.875rem; color: var(--_muted); }
.waiting::before { content: ""; inline-size: 0.625rem; block-size: 0.625rem; flex: none; border-radius: 50%; background: var(--_accent); animation: breathe 1.8s ease-in-out infinite; }

.steps { display: grid; gap: 0.875rem; margin: 0; padding: 0; list-style: none; counter-reset: step; }
.steps li { display: grid; grid-template-columns: 1.75rem 1fr; gap: 0.75rem; counter-increment: step; line-height: 1.5; }
.steps li::before { content: counter(step); display: grid; place-items: center; inline-size: 1.75rem; block-size: 1.75rem; border-radius: 50%; background: var(--_tint); color: var(--_accent); font-size: 0.875rem; font-weight: 650; font-variant-numeric: tabular-nums; }

.notice { display: flex; gap: 0.75rem; padding: 0.875rem 1rem; border-radius: var(--_radius); background: var(--_raised); font-size: 0.9375rem; line-height: 1.5; }
.notice .icon { margin-block-start: 0.1rem; color: var(--_muted); }
.notice.accent { background: var(--_tint); } .notice.accent .icon { color: var(--_accent); }
.notice.warning { background: var(--_warning-tint); } .notice.warning .icon { color: var(--_warning); }
.notice.danger { background: var(--_danger-tint); } .notice.danger .icon { color: var(--_danger); }
.notice > div { display: grid; gap: 0.375rem; min-inline-size: 0; }
.notice ul { margin: 0; padding-inline-start: 1.125rem; display: grid; gap: 0.25rem; }
.small { font-size: 0.875rem; color: var(--_muted); text-wrap: pretty; }

fieldset { min-inline-size: 0; margin: 0; padding: 0; border: 0; display: grid; gap: 0.625rem; }
legend { padding: 0; margin-block-end: 0.625rem; font-size: 0.875rem; font-weight: 600; color: var(--_muted); }
.card.way .line { margin-block-start: 0.375rem; }
.link .icon { margin-inline-end: 0.375rem; }
.consent { max-block-size: 18rem; overflow-y: auto; padding: 0.875rem 1rem; border: 1px solid var(--_border); border-radius: var(--_radius); background: var(--_raised); }
.consent:focus-visible { outline: 3px solid var(--_accent); outline-offset: 2px; }
.consent p + p { margin-block-start: 0.75rem; }
.card { display: grid; grid-template-columns: auto 1fr; gap: 0.875rem; align-items: start; padding: 0.9375rem 1rem; border: 1.5px solid var(--_line); border-radius: var(--_radius); cursor: pointer; transition: border-color 120ms, background-color 120ms; }
.card:hover { border-color: var(--_border); }
.card:has(input:checked) { border-color: var(--_accent); background: var(--_tint); }
.card input { inline-size: 1.25rem; block-size: 1.25rem; margin: 0.125rem 0 0; accent-color: var(--_accent); cursor: inherit; }
.card .holder { display: block; font-weight: 600; line-height: 1.4; overflow-wrap: anywhere; }
.card .line { display: block; font-size: 0.875rem; line-height: 1.5; color: var(--_muted); overflow-wrap: anywhere; }
.card .line.numbers, dd.numbers { font-variant-numeric: tabular-nums; }
.card.unusable { padding-block: 0.75rem; cursor: not-allowed; background: var(--_raised); border-color: var(--_line); }
.card.unusable .holder { color: var(--_muted); font-weight: 500; }
.card.unusable .tags { margin-block-start: 0.375rem; }
.tags { display: flex; flex-wrap: wrap; gap: 0.375rem; margin-block-start: 0.5rem; }
.tag { display: inline-flex; align-items: center; gap: 0.25rem; padding: 0.1875rem 0.5rem; border-radius: 1rem; background: var(--_raised); color: var(--_muted); font-size: 0.75rem; font-weight: 600; line-height: 1.4; }
.card:has(input:checked) .tag { background: var(--_surface); }
.tag.warning, .card:has(input:checked) .tag.warning { background: var(--_warning-tint); color: var(--_warning); }
.tag.danger { background: var(--_danger-tint); color: var(--_danger); }
.others { display: grid; gap: 0.625rem; }
.check { display: grid; grid-template-columns: auto 1fr; gap: 0.25rem 0.75rem; align-items: start; cursor: pointer; padding-block: 0.5rem; }
.check input { inline-size: 1.25rem; block-size: 1.25rem; margin: 0.15rem 0 0; accent-color: var(--_accent); }
.check .small { grid-column: 2; }

dl { display: grid; margin: 0; border: 1px solid var(--_line); border-radius: var(--_radius); overflow: hidden; }
dl > div { display: grid; grid-template-columns: minmax(7rem, 30%) 1fr; gap: 0.125rem 1rem; padding: 0.75rem 1rem; }
dl > div + div { border-block-start: 1px solid var(--_line); }
dt { font-size: 0.875rem; line-height: 1.6; color: var(--_muted); }
dd { margin: 0; font-weight: 500; overflow-wrap: anywhere; }
dd .under { display: block; font-size: 0.875rem; font-weight: 400; color: var(--_muted); }
code { font: 500 0.875em/1.5 ui-monospace, "SF Mono", "Cascadia Mono", "Roboto Mono", Menlo, Consolas, monospace; letter-spacing: 0.01em; }
.effect { padding-inline-start: 1rem; border-inline-start: 3px solid var(--_accent); line-height: 1.55; text-wrap: pretty; }

.pin-window { display: block; inline-size: min(100%, 17.5rem); block-size: auto; margin-inline: auto; stroke-linecap: round; }
.pin-window :is(.back, .front, .field) { fill: var(--_surface); stroke: var(--_border); stroke-width: 1.5; }
.pin-window .back { fill: var(--_raised); stroke: var(--_line); }
.pin-window .line { stroke: var(--_line); stroke-width: 1.5; }
.pin-window .dot { fill: var(--_line); }
.pin-window .text { fill: none; stroke: var(--_line); stroke-width: 5; }
.pin-window .front { stroke: var(--_accent); stroke-width: 2; }
.pin-window .title { stroke: var(--_text); stroke-width: 5; opacity: 0.75; }
.pin-window .field { stroke: var(--_line); }
.pin-window .pin { fill: var(--_text); }
.pin-window .button { fill: var(--_accent); }
.stage { padding: 1.25rem; border-radius: var(--_radius); background: var(--_raised); }
.tips { margin: 0; padding-inline-start: 1.25rem; display: grid; gap: 0.375rem; font-size: 0.9375rem; }
.tips ::marker { color: var(--_accent); }

.success { inline-size: 4rem; block-size: 4rem; margin-block-end: 0.5rem; fill: none; stroke-linecap: round; stroke-linejoin: round; }
.success .disc { fill: var(--_success-tint); }
.success .tick { stroke: var(--_success); stroke-width: 4.5; stroke-dasharray: 100; animation: draw 380ms 80ms ease-out backwards; }
@keyframes draw { from { stroke-dashoffset: 100; } }

.skeleton { display: grid; gap: 0.625rem; animation: appear 200ms 300ms backwards; }
.skeleton div { block-size: 5.25rem; border-radius: var(--_radius); background: linear-gradient(100deg, var(--_raised) 40%, var(--_line) 50%, var(--_raised) 60%) 0 0 / 250% 100%; animation: shimmer 1.6s linear infinite; }
@keyframes appear { from { opacity: 0; } }
@keyframes shimmer { from { background-position: 120% 0; } to { background-position: -60% 0; } }

.help.filled { display: block; margin-block-start: 1.5rem; padding-block-start: 1rem; border-block-start: 1px solid var(--_line); font-size: 0.875rem; color: var(--_muted); }
.away { position: absolute; inline-size: 1px; block-size: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

@container (max-width: 30rem) {
  .panel { padding: 1.25rem; }
  h2 { font-size: 1.3125rem; }
  .actions, .actions.equal { display: grid; grid-template-columns: 1fr; }
  .actions .button { inline-size: 100%; }
  dl > div { grid-template-columns: 1fr; }
  .notice { padding: 0.8125rem 0.875rem; }
}
@media (prefers-reduced-motion: reduce) {
  .screen, .success .tick, .skeleton, .skeleton div { animation: none; }
  .spinner { animation-duration: 2.4s; }
  .tasks li::before, .waiting::before { animation: none; }
  .button, .card, .drop { transition: none; }
}
@media (forced-colors: active) {
  .phases li { background: CanvasText; opacity: 0.35; }
  .phases li.past, .phases li.present, .phases.complete li { background: Highlight; opacity: 1; forced-color-adjust: none; }
  .button.primary { border-width: 3px; }
  .card:has(input:checked) { border-color: Highlight; border-width: 3px; }
  .steps li::before, .emblem, .notice, .tag { border: 1px solid CanvasText; }
  .tasks li::before, .waiting::before { background: Highlight; forced-color-adjust: none; }
  .effect { border-inline-start-color: Highlight; }
}
@media print { .actions, .links, .help { display: none; } }
`;

let sheet: CSSStyleSheet | undefined;

/** The one sheet of all signers in the page. */
export function styleSheet(): CSSStyleSheet {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
  }
  return sheet;
}
