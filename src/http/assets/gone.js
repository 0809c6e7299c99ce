// The banner that is there while the node does not answer.
import {make} from './page.js';

let banner = null;

// `retry` is asked for again by the button; whoever calls goes on trying by itself.
export function tell_gone(retry) {
  if (banner) return;
  banner = make('div', {class: 'gone', role: 'alert'},
    make('span', {}, 'This node does not answer. What is shown may be old. Trying again…'),
    make('button', {type: 'button', onclick: retry}, 'Try now'));
  document.body.prepend(banner);
}

export function tell_back() {
  banner?.remove();
  banner = null;
}
