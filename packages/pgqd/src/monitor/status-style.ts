/** The style of the status page: no resource from anywhere, light and dark as the reader's system has it. */
export const statusStyle = `
:root {
  color-scheme: light dark;
  --ground: light-dark(#f6f7f9, #12151a);
  --card: light-dark(#fff, #1b1f26);
  --line: light-dark(#e3e6eb, #2c323c);
  --text: light-dark(#1c2129, #e4e7ec);
  --soft: light-dark(#5f6b7a, #98a2b1);
  --good: light-dark(#15803d, #4ade80);
  --warn: light-dark(#a16207, #facc15);
  --bad: light-dark(#b91c1c, #f87171);
}
* { box-sizing: border-box }
body {
  margin: 0 auto; padding: 2rem 1.25rem 3rem; max-width: 76rem;
  background: var(--ground); color: var(--text);
  font: 15px/1.5 system-ui, sans-serif; font-variant-numeric: tabular-nums;
}
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem 1rem }
h1 { margin: 0; font-size: 1.5rem; letter-spacing: -.01em }
h2 { margin: 0; font-size: 1.1rem; overflow-wrap: anywhere }
.soft { color: var(--soft) }
.good { color: var(--good) } .warn { color: var(--warn) } .bad { color: var(--bad) }
.banner {
  margin: 1.25rem 0; padding: .8rem 1rem; border: 1px solid var(--line); border-left: 4px solid currentColor;
  border-radius: 6px; background: var(--card);
}
.banner strong { font-size: 1.05rem }
.banner ul { margin: .4rem 0 0; padding-left: 1.2rem; color: var(--text); overflow-wrap: anywhere }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; margin: 0 0 1.25rem }
.tiles div { padding: .7rem 1rem; border: 1px solid var(--line); border-radius: 6px; background: var(--card) }
.tiles dt { color: var(--soft); font-size: .8rem }
.tiles dd { margin: 0; font-size: 1.35rem; font-weight: 600 }
section { margin: 0 0 1.25rem; padding: 1rem; border: 1px solid var(--line); border-radius: 6px; background: var(--card) }
.head { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem .9rem }
.scroll { overflow-x: auto }
table { width: 100%; margin-top: .8rem; border-collapse: collapse }
th, td { padding: .35rem .6rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap }
tr:last-child td { border-bottom: 0 }
th { color: var(--soft); font-size: .8rem; font-weight: 500 }
th:first-child, td:first-child, .name { text-align: left }
td.name { max-width: 24rem; overflow: hidden; text-overflow: ellipsis }
section > p { margin: .6rem 0 0 }
.brief td:first-child { width: 16rem }
footer { color: var(--soft); font-size: .85rem }
a { color: inherit }
`;
