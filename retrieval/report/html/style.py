"""The page's style sheet: light and dark, narrow and wide, screen and paper."""

CSS = """
:root { color-scheme: light dark; --paper: #fdfdfc; --ink: #1d1f23; --soft: #5c6169; --rule: #e2e2de;
  --card: #f5f5f2; --good: #00724f; --bad: #a8480a; --shade: 0, 114, 178; }
@media (prefers-color-scheme: dark) { :root { --paper: #15171a; --ink: #e6e7e9; --soft: #a0a6ae; --rule:
  #2e3238;
  --card: #1d2024; --good: #4cc79d; --bad: #ef9356; --shade: 86, 180, 233; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, -apple-system,
  "Segoe UI",
  Roboto, "Helvetica Neue", sans-serif; font-variant-numeric: tabular-nums; }
main { max-width: 72rem; margin: 0 auto; padding: 2.5rem 1.5rem 4rem; }
h1 { font-size: 1rem; font-weight: 600; color: var(--soft); margin: 0; }
h2 { font-size: clamp(1.35rem, 1.05rem + 1.4vw, 1.9rem); line-height: 1.3; font-weight: 650; margin: .4rem
  0 .8rem;
  letter-spacing: -.01em; max-width: 52rem; overflow-wrap: anywhere; text-wrap: pretty; }
h3 { font-size: 1.15rem; font-weight: 650; margin: 3.5rem 0 .4rem; }
h4 { font-size: 1rem; font-weight: 600; margin: 0; overflow-wrap: anywhere; }
p { margin: .3rem 0; max-width: 46rem; }
a { color: inherit; text-underline-offset: .2em; text-decoration-color: var(--soft); }
:focus-visible { outline: 2px solid currentColor; outline-offset: 3px; border-radius: 2px; }
code { font: .9em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  overflow-wrap: anywhere; }
nav { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; margin: .4rem 0 0; font-size: .9rem; }
section.comparison { margin-top: 3.5rem; }
section.comparison + section.comparison { border-top: 1px solid var(--rule); padding-top: 3.5rem;
  margin-top: 5rem; }
.eyebrow, .note, figcaption.note { color: var(--soft); font-size: .9rem; }
.eyebrow strong { color: var(--ink); font-weight: 600; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; }
.scroll { overflow-x: auto; position: relative; }

table { border-collapse: collapse; font-size: .92rem; margin: .9rem 0 .6rem; }
.spaces table { width: 100%; }
th, td { padding: .55rem .45rem; border-bottom: 1px solid var(--rule); text-align: right; vertical-align:
  top;
  white-space: nowrap; }
thead th { font-weight: 600; vertical-align: bottom; line-height: 1.25; border-bottom-color: var(--soft); }
thead small { display: block; font-weight: 400; color: var(--soft); }
tbody th { font-weight: 400; text-align: left; white-space: normal; min-width: 13rem;
  padding-left: 1.35rem; text-indent: -1.35rem; }
thead th:first-child { text-align: left; padding-left: 0; }
tbody th small { display: block; color: var(--soft); text-indent: 0; }
td.best { font-weight: 700; }
.mark { display: inline-block; width: 1.1em; text-align: left; padding-left: .2em; font-weight: 400; }
thead small .mark { width: 1.35em; }
.group { border-left: 1px solid var(--rule); padding-left: .9rem; }
.swatch { display: inline-block; width: .75rem; height: .75rem; border-radius: 3px; margin-right: .6rem;
  print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.overlap td { text-align: center; min-width: 3.6rem; print-color-adjust: exact; }
.overlap thead th + th { text-align: center; }
.overlap tbody th { min-width: 0; padding-right: 1.5rem; }

.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 29rem), 1fr)); gap:
  2.5rem 2rem; }
figure { margin: 0; min-width: 0; }
.figures figcaption { font-weight: 600; line-height: 1.35; margin-bottom: .8rem; overflow-wrap: anywhere; }
.figures svg { display: block; width: 100%; min-width: 28rem; max-width: 40rem; height: auto; }

.example { border-top: 1px solid var(--rule); padding: 1.5rem 0 1.7rem; break-inside: avoid; }
.pictures { display: grid; grid-template-columns: 8.5rem 1fr; gap: 1rem 2rem; }
.query img { width: 7rem; height: 7rem; object-fit: contain; background: var(--card); border-radius: 6px;
  display: block;
  margin-bottom: .5rem; }
.row { display: grid; grid-template-columns: 14rem 1fr; gap: .4rem 1.2rem; padding-bottom: 1.1rem; }
.row:last-child { padding-bottom: 0; }
.name { font-size: .86rem; line-height: 1.4; overflow-wrap: anywhere; }
.name small { display: block; color: var(--soft); font-size: .8rem; }
.strip { display: grid; grid-template-columns: repeat(10, minmax(0, 3.8rem)); gap: .55rem; list-style:
  none; margin: 0;
  padding: 0; }
.strip li { min-width: 0; }
.strip img { width: 100%; aspect-ratio: 1; object-fit: contain; background: var(--card); border-radius: 4px;
  display: block; border-bottom: 3px solid transparent; }
.strip .yes img { border-bottom: 3px solid var(--good); } .strip .no img { border-bottom: 3px dashed
  var(--bad); }
.pixel { image-rendering: pixelated; }
.told { display: block; font-size: .74rem; line-height: 1.35; color: var(--soft); margin-top: .25rem; }
.strip .label { display: block; } .card .label::before { content: "· "; }
.sign { font-weight: 700; } .yes .sign { color: var(--good); } .no .sign { color: var(--bad); }

.document { max-width: 46rem; margin-bottom: 1rem; }
.snippet { font-size: .85rem; line-height: 1.45; color: var(--soft); overflow-wrap: anywhere; }
.columns { display: grid; grid-auto-flow: column; grid-auto-columns: minmax(15.5rem, 1fr); gap: 1.2rem;
  overflow-x: auto;
  scroll-snap-type: x proximity; padding: .2rem 0 .6rem; }
.columns > div { scroll-snap-align: start; min-width: 0; }
.columns .name { min-height: 4.2em; }
.cards { list-style: none; margin: .4rem 0 0; padding: 0; }
.card { background: var(--card); border-left: 3px solid var(--rule); border-radius: 0 5px 5px 0; padding:
  .55rem .75rem .6rem;
  margin-bottom: .55rem; }
.card.yes { border-left-color: var(--good); } .card.no { border-left: 3px dashed var(--bad); }
.card strong { display: block; font-weight: 600; font-size: .88rem; line-height: 1.35; overflow-wrap:
  anywhere; }
.card .snippet { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden;
  font-size: .8rem; margin-top: .15rem; }
summary { cursor: pointer; font-size: .85rem; color: var(--soft); margin: .3rem 0 .6rem; }

.part { margin-bottom: 2.5rem; } .part h4 { margin: 1.4rem 0 .5rem; font-weight: 600; }
.part figcaption { font-size: .86rem; font-weight: 600; margin: 1rem 0 .5rem; overflow-wrap: anywhere; }
.part figcaption small { font-weight: 400; color: var(--soft); }
.part figure > img { max-width: 100%; height: auto; border-radius: 4px; }
.part td.words, .part th.words { white-space: normal; text-align: left; min-width: 14rem; }
.plot svg { display: block; width: 100%; max-width: 44rem; height: auto; }
.small-multiples, .maps { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 17rem), 1fr));
  gap: 1rem 1.6rem; }
.small-multiples svg, .maps svg { display: block; width: 100%; height: auto; }
.sum { display: flex; flex-wrap: wrap; gap: .5rem; align-items: flex-start; padding: .6rem 0;
  border-top: 1px solid var(--rule); }
.part .sum figcaption { font-size: .72rem; font-weight: 400; color: var(--soft); margin: .2rem 0 0; max-width: 4.6rem; }
.sum .sign { align-self: center; padding-bottom: 1rem; }
.thumb { width: 3.4rem; height: 3.4rem; object-fit: contain; background: var(--card); border-radius: 4px;
  display: block; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1rem; max-width: none; font-size: .86rem; }
.legend svg { vertical-align: -2px; }
.linked { list-style: none; padding: 0; display: grid; gap: .6rem;
  grid-template-columns: repeat(auto-fill, minmax(4.6rem, 1fr)); }
.linked a { text-decoration: none; display: block; padding: .3rem; border-radius: 6px; }
.linked li:target a { outline: 2px solid currentColor; }

dl { display: grid; grid-template-columns: minmax(7rem, max-content) minmax(0, 1fr); gap: .3rem 1.5rem;
  margin: .8rem 0;
  font-size: .9rem; }
dt { color: var(--soft); overflow-wrap: anywhere; } dd { margin: 0; overflow-wrap: anywhere; } dd dl {
  margin: 0; font-size: 1em; }
dd code { display: block; }

@media (max-width: 54rem) {
  main { padding: 1.5rem 1rem 3rem; }
  .pictures { grid-template-columns: 1fr; }
  .query { display: flex; align-items: center; gap: 1rem; } .query img { width: 5rem; height: 5rem; margin:
  0; }
  .row { grid-template-columns: 1fr; } .strip { grid-template-columns: repeat(5, minmax(0, 5rem)); }
  .columns { grid-auto-columns: minmax(15.5rem, 78vw); } .columns .name { min-height: 0; }
  .spaces tbody th { min-width: 10.5rem; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .6rem; } dd dl { padding-left: 1rem; }
}
@page { margin: 14mm; }
@media print {
  table { font-size: 7.5pt; } th, td { padding: .3rem .1rem; } .group { padding-left: .3rem; }
  .spaces tbody th { min-width: 8rem; } .figures { grid-template-columns: 1fr 1fr; gap: 1rem; }
  :root { color-scheme: light; --paper: #fff; --ink: #000; --soft: #444; --rule: #ccc; --card: #f5f5f5;
    --good: #00724f; --bad:
  #a8480a; }
  body { font-size: 10pt; } main { padding: 0; max-width: none; } nav { display: none; }
  .scroll, .columns { overflow: visible; } .columns { grid-auto-columns: minmax(0, 1fr); }
  .figures svg { min-width: 0; } h3 { break-after: avoid; } .card, .row, tr { break-inside: avoid; }
}
"""
