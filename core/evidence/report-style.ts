/** The report's style sheet: light and dark, and on paper. It loads nothing from outside. */
export const reportStyle = `
:root{color-scheme:light dark;--text:#1b1f24;--soft:#57606a;--ground:#fff;--panel:#f5f7f9;--line:#d0d7de;--good:#1a7f37;--bad:#cf222e;--warn:#9a6700;--accent:#0969da;--muted:#a8c7ee}
@media (prefers-color-scheme:dark){:root{--text:#e6edf3;--soft:#9da7b3;--ground:#0d1117;--panel:#161b22;--line:#30363d;--good:#3fb950;--bad:#ff7b72;--warn:#d29922;--accent:#58a6ff;--muted:#1f4a7a}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1040px;padding:24px;background:var(--ground);color:var(--text);font:15px/1.5 system-ui,sans-serif}
h1{font-size:1.6rem;margin:0 0 4px}h2{font-size:1.15rem;margin:32px 0 8px;border-bottom:1px solid var(--line);padding-bottom:4px}h3{font-size:1rem;margin:16px 0 4px}
p{margin:4px 0 8px}ul{margin:4px 0 8px;padding-left:20px}
.soft,figcaption,caption{color:var(--soft)}
.tiles{display:flex;flex-wrap:wrap;gap:12px;margin:16px 0}
.tile{flex:1 1 220px;background:var(--panel);border:1px solid var(--line);border-radius:8px;padding:12px}
.tile strong{display:block;font-size:1.5rem}
.failure{border:2px solid var(--bad);border-radius:8px;padding:12px 16px;margin:16px 0;background:var(--panel)}.failure h2{border:0;margin:0 0 4px;color:var(--bad)}.failure dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 16px;margin:8px 0 0}.failure dt{font-weight:600}.failure dd{margin:0}
.good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}
.banner{border-left:6px solid currentColor;padding:8px 12px;margin:12px 0;background:var(--panel)}
.banner p{color:var(--text)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem}caption{text-align:left;padding:4px 0}
th,td{text-align:left;vertical-align:top;padding:5px 8px;border-bottom:1px solid var(--line);overflow-wrap:break-word;min-width:4.5em}td .good,td .bad,td .warn,td .open{white-space:nowrap}
thead th{background:var(--panel)}.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
code{font:.82rem ui-monospace,monospace;overflow-wrap:anywhere}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--panel);padding:10px;border-radius:6px;font:.82rem/1.45 ui-monospace,monospace}
figure{display:inline-block;margin:0 24px 8px 0}
svg{max-width:100%;height:auto}svg text{fill:var(--text);font:12px system-ui,sans-serif}
.timeline{width:100%}.spark{width:300px}
.tick line{stroke:var(--line)}.tick text,.length{fill:var(--soft);font-size:11px}
.bar rect{fill:var(--muted)}.bar.path rect{fill:var(--accent)}.bar.failed rect{fill:var(--bad)}.bar.waiting rect,.bar.running rect{fill:var(--warn)}
.recovered line{stroke:var(--good);stroke-width:2}.recovered text{fill:var(--good)}
.objective line,line.objective{stroke:var(--bad);stroke-width:2;stroke-dasharray:5 4}.objective text{fill:var(--bad)}
.spark polyline{fill:none;stroke:var(--accent);stroke-width:2}.spark circle{fill:var(--accent)}
@media print{:root{color-scheme:light;--text:#000;--soft:#444;--ground:#fff;--panel:#f4f4f4;--line:#bbb;--good:#116329;--bad:#a40e26;--warn:#7d4e00;--accent:#0550ae;--muted:#a8c7ee}
body{max-width:none;padding:0;font-size:10.5pt}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}h2{break-after:avoid}tr,svg,.tile,figure{break-inside:avoid}thead{display:table-header-group}details{display:block}}
`;
