// The panel of what is going on: this page's own transfers, and the node's.
import {bytes, make} from './page.js';

const panel = document.getElementById('work');
const mine = new Map();
let theirs = [];
let next = 1;

function amount(done, total, counted) {
  if (!total) return done && !counted ? ` · ${bytes(done)}` : '';
  return counted ? ` · ${Math.floor(100 * done / total)} %` : ` · ${bytes(done)} of ${bytes(total)}`;
}

function draw() {
  const all = [...mine.values(), ...theirs];
  panel.hidden = all.length === 0;
  panel.replaceChildren(...all.map(({title, done, total, counted}) => make('div', {},
    make('p', {}, title, amount(done, total, counted)),
    make('progress', total ? {value: done, max: total, 'aria-label': title} : {'aria-label': title}))));
}

export const work = {
  // What this page does.
  begin(title, counted = false) {
    const id = next++;
    mine.set(id, {title, done: 0, total: 0, counted});
    draw();
    return {
      progress(done, total) { mine.set(id, {title, done, total, counted}); draw(); },
      end() { mine.delete(id); draw(); },
    };
  },
  // What the server says that is going on.
  show(list) { theirs = list; draw(); },
};
